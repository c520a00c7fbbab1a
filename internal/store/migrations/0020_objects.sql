-- +goose Up
-- Buckets, objects, multipart uploads. Keys are bytes so that both databases
-- order them as S3 does, whatever the collation.
create table bucket (
    name       text primary key,
    region     text not null,
    account    text not null,
    created_by text not null,
    created_at bigint not null,
    policy     text not null,
    cors       text not null,
    logging    text not null
);

create table object (
    bucket         text not null,
    key            bytea not null,
    blob           text not null,
    upload         text not null,
    parts          bigint not null,
    size           bigint not null,
    etag           text not null,
    modified       bigint not null,
    headers        text not null,
    checksum       text not null,
    checksum_type  text not null,
    checksum_value text not null,
    primary key (bucket, key)
);
create index object_blob on object (blob);

create table upload (
    id            text primary key,
    bucket        text not null,
    key           bytea not null,
    initiator     text not null,
    created_at    bigint not null,
    headers       text not null,
    checksum      text not null,
    checksum_type text not null
);
create index upload_key on upload (bucket, key, id);

-- The parts of uploads in progress, and of objects made of parts.
create table part (
    upload         text not null,
    number         bigint not null,
    blob           text not null,
    start          bigint not null,
    size           bigint not null,
    etag           text not null,
    checksum       text not null,
    checksum_value text not null,
    modified       bigint not null,
    primary key (upload, number)
);
create index part_blob on part (blob);
