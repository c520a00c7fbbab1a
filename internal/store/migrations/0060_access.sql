-- +goose Up

-- The number that the last revocation was given. Numbers are given in the order
-- of commits: the row is changed in the same transaction, so that whoever sees a
-- revocation has been able to see all with smaller numbers.
create table revocation_count (
    one smallint primary key,
    last bigint not null
);
insert into revocation_count (one, last) values (1, 0);

-- Ended grants, until every session they could concern has expired.
create table revocations (
    seq bigint primary key,
    kind text not null,
    subject text not null,
    reason text not null,
    at bigint not null,
    expires_at bigint not null
);
create index revocations_expires_at on revocations (expires_at);
