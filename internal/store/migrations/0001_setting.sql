-- +goose Up
-- What a data directory knows about itself: one row a name.
create table setting (
    name  text primary key,
    value text not null
);
