-- +goose Up

-- Labeling jobs that ended and whose state change was not emitted yet.
create table labeling_untold_ends (
    job bigint primary key
);

-- Who was told of what, so that nobody is told twice or too often.
create table notices (
    subject text primary key,
    told_at bigint not null
);
