-- +goose Up

-- Workers' passwords, hashed, for those who sign in with one of ours.
create table signin_passwords (
    worker text primary key,
    hash text not null,
    temporary smallint not null,
    set_at bigint not null
);

-- One row per browser that is signed in. The token itself is only in the browser.
create table signin_sessions (
    token_hash bytea primary key,
    id text not null unique,
    worker text not null,
    stage text not null,
    origin text not null,
    created_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null
);
create index signin_sessions_worker on signin_sessions (worker, created_at);

-- Failed attempts, by a hash of what they are counted for.
create table signin_failures (
    key text primary key,
    failures bigint not null,
    until bigint not null
);
create index signin_failures_until on signin_failures (until);
