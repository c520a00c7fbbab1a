-- +goose Up

-- The data objects that were sent to jobs in progress. The primary key is the
-- promise that an object which is sent twice is labelled once.
create table labeling_arrivals (
    job bigint not null,
    dedup text not null,                  -- the deduplication id
    idx bigint not null,                  -- of the data object
    arrived_at bigint not null,
    primary key (job, dedup)
);
create unique index labeling_arrivals_idx on labeling_arrivals (job, idx);

-- The results of live jobs that nobody has been told of yet. A row is written
-- with the result, and deleted when whoever waits for it has it.
create table labeling_untold_results (
    job bigint not null,
    idx bigint not null,
    primary key (job, idx)
);
