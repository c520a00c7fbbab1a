-- +goose Up
-- The private workforce (at most one row), its work teams, and the directory
-- behind them. "doc" is the rest of a thing as JSON; what is searched or must
-- be unique has a column. Names that differ only by case are one name: the
-- *_key columns are in lower case.
create table workforce (
    slot smallint primary key check (slot = 1),
    doc  text not null
);

create table workteam (
    name_key text primary key,
    doc      text not null
);

create table user_pool (
    id  text primary key,
    doc text not null
);

create table user_pool_client (
    pool   text not null,
    id     text not null,
    secret text not null,
    doc    text not null,
    primary key (pool, id)
);

create table user_group (
    pool text not null,
    name text not null,
    doc  text not null,
    primary key (pool, name)
);

create table worker (
    id        text primary key,
    pool      text not null,
    name_key  text not null,
    sub       text not null,
    email_key text, -- null: has none
    doc       text not null,
    unique (pool, name_key),
    unique (pool, sub),
    unique (pool, email_key)
);

create table group_member (
    pool   text not null,
    grp    text not null,
    worker text not null,
    primary key (pool, grp, worker)
);
create index group_member_worker on group_member (worker);

-- Tags of work teams, workforces and labeling jobs.
create table resource_tag (
    arn   text not null,
    name  text not null,
    value text not null,
    primary key (arn, name)
);
