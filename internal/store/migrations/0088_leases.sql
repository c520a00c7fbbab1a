-- +goose Up

-- When leases end, for the few queries that ask for that and nothing else. Of the
-- index that stood here before PostgreSQL thought, as long as it had no statistics,
-- that it found a worker's live assignment as well as the one that has the worker:
-- and read all live ones, each time that somebody took a task.
drop index assignments_lease;
create index assignments_lease on assignments (expires_at)
    where state = 'active' and expires_at > 0;
