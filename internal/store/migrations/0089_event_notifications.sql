-- +goose Up
-- What a bucket tells of its objects, and to whom: JSON.
alter table bucket add column notifications text not null default 'null';

-- Event notifications that have not arrived yet, written with the object's row. The
-- columns are those of outbound_deliveries. They stand apart so that an endpoint
-- outside that does not answer holds up no streaming labeling job. Body is sealed.
create table s3_event_deliveries (
    id text primary key,
    kind text not null,
    origin text not null,                 -- the bucket's ARN
    target text not null,                 -- the ARN of a topic or queue
    header text not null,                 -- JSON
    body text not null,
    attempts bigint not null default 0,
    created_at bigint not null,
    next_at bigint not null,              -- not to be tried before
    dead_at bigint not null default 0,    -- given up
    last_error text not null default ''
);
create index s3_event_deliveries_next on s3_event_deliveries (dead_at, next_at);

-- The last sequencer of each key that was told of lately. A new one is the time in
-- microseconds or follows the last one, whichever is more; so a row is of use only
-- as long as a clock may be behind it.
create table s3_event_sequencers (
    bucket text not null,
    key    bytea not null,
    last   bigint not null,
    primary key (bucket, key)
);
create index s3_event_sequencers_end on s3_event_sequencers (last);
