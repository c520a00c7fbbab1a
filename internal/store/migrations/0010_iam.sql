-- +goose Up
-- Users, roles, their inline policies and access keys. Names are unique without
-- regard to case (folded) and found exactly as they were given.
create table iam_generation (
    one bigint primary key check (one = 1),
    n   bigint not null
);
insert into iam_generation (one, n) values (1, 0);

create table iam_user (
    name       text primary key,
    folded     text not null unique,
    path       text not null,
    id         text not null unique,
    created_at bigint not null,
    tags       text not null
);

create table iam_role (
    name        text primary key,
    folded      text not null unique,
    path        text not null,
    id          text not null unique,
    description text not null,
    trust       text not null,
    max_session bigint not null, -- seconds
    created_at  bigint not null,
    tags        text not null
);

create table iam_policy (
    owner_kind text not null,
    owner      text not null,
    name       text not null,
    document   text not null,
    primary key (owner_kind, owner, name)
);

create table iam_access_key (
    id         text primary key,
    user_name  text not null,
    active     smallint not null,
    created_at bigint not null,
    sealed     text not null
);
create index iam_access_key_user on iam_access_key (user_name);
