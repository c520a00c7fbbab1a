-- +goose Up
-- Keysets that the root key seals, and KMS keys, whose material the keyset named
-- "kms" seals.
create table sealed_keyset (
    name       text primary key,
    root       text not null, -- names the root key
    wrapped    bytea not null,
    created_at bigint not null
);

create table kms_generation (
    one bigint primary key check (one = 1),
    n   bigint not null
);
insert into kms_generation (one, n) values (1, 0);

create table kms_key (
    id          text primary key,
    description text not null,
    manager     text not null,
    state       text not null,
    policy      text not null,
    tags        text not null,
    created_at  bigint not null,
    deletion_at bigint not null,
    rotate_days bigint not null,
    rotated_at  bigint not null,
    due_at      bigint not null, -- of deletion or rotation; 0 for never
    material    text not null
);
create index kms_key_due on kms_key (due_at);

create table kms_alias (
    name       text primary key,
    key_id     text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index kms_alias_key on kms_alias (key_id, name);

create table kms_grant (
    id         text primary key,
    key_id     text not null,
    token      text not null unique,
    name       text not null,
    grantee    text not null,
    retiring   text not null,
    issuer     text not null,
    operations text not null,
    equals     text not null,
    subset     text not null,
    created_at bigint not null
);
create index kms_grant_key on kms_grant (key_id, grantee, id);
create index kms_grant_retiring on kms_grant (retiring, id);
