-- +goose Up

-- Requesters who are signed in at the console.
create table requester_sessions (
    token_hash bytea primary key,
    id text not null,
    access_key_id text not null,
    origin text not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index requester_sessions_expires_at on requester_sessions (expires_at);
