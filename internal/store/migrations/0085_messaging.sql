-- +goose Up

create table sns_topics (
    name text primary key,
    attributes text not null,             -- JSON, as Set- and GetTopicAttributes name them
    created_at bigint not null
);

create table sns_subscriptions (
    id text primary key,                  -- the last part of the ARN
    topic text not null,
    protocol text not null,
    endpoint text not null,
    owner text not null,
    raw smallint not null,
    token text not null,                  -- what confirms it; empty: it is confirmed
    created_at bigint not null
);
create unique index sns_subscriptions_of on sns_subscriptions (topic, protocol, endpoint);

create table sqs_queues (
    name text primary key,
    attributes text not null,             -- JSON, as Set- and GetQueueAttributes name them
    created_at bigint not null,
    modified_at bigint not null
);

-- One row per message in a queue. Body and attributes are sealed.
create table sqs_messages (
    id text primary key,
    queue text not null,
    body text not null,
    attributes text not null,
    sender text not null,
    sent_at bigint not null,
    visible_at bigint not null,           -- not to be received before
    expires_at bigint not null,
    received bigint not null default 0,   -- how often
    first_received bigint not null default 0,
    receipt text not null default ''      -- of the last receive
);
create index sqs_messages_next on sqs_messages (queue, visible_at, sent_at, id);
create index sqs_messages_end on sqs_messages (expires_at);

-- What is to be sent to somebody outside, once at least. Body is sealed.
create table outbound_deliveries (
    id text primary key,
    kind text not null,                   -- http, mail
    origin text not null,                 -- on whose behalf: a webhook's name, a subscription's ARN
    target text not null,                 -- a URL, an address
    header text not null,                 -- JSON
    body text not null,
    attempts bigint not null default 0,
    created_at bigint not null,
    next_at bigint not null,              -- not to be tried before
    dead_at bigint not null default 0,    -- given up
    last_error text not null default ''
);
create index outbound_deliveries_next on outbound_deliveries (dead_at, next_at);
