-- +goose Up

-- Where workers were when their tasks were rendered, one row for an assignment
-- under a sign-in.
create table places (
    assignment text not null,
    sign_in text not null,
    place text not null,
    portal text not null,
    media_addr text not null,
    media_vpc text not null,
    media_vpce text not null,
    probed smallint not null,
    browser text not null,
    at bigint not null,
    expires_at bigint not null,
    primary key (assignment, sign_in)
);
create index places_expires_at on places (expires_at);

-- The nonces of statements that have been used, until those are out of date.
create table probe_nonces (
    nonce text primary key,
    expires_at bigint not null
);
create index probe_nonces_expires_at on probe_nonces (expires_at);
