-- +goose Up

-- One row per labeling job. What a query filters or sorts by, and what changes,
-- has a column; what the requester fixed for ever is in spec (JSON).
create table labeling_jobs (
    id bigint primary key,
    name text not null,
    name_key text not null unique,        -- lower case: names are unique whatever the case
    reference_code text not null,
    workteam text not null,
    status text not null,
    status_key text not null,             -- status || ' ' || name_key, for paging by status
    ending text not null default '',      -- the final status, once the engine is finishing the job
    failure_reason text not null default '',
    note text not null default '',        -- why the engine waits, while it does
    spec text not null,
    template text not null default '',
    label_config text not null default '',
    workers smallint not null,
    max_concurrent bigint not null,
    time_limit bigint not null,           -- microseconds
    availability bigint not null,         -- microseconds
    total bigint not null default 0,
    human_labeled bigint not null default 0,
    machine_labeled bigint not null default 0,
    failed bigint not null default 0,
    kept bigint not null default 0,       -- lines that had a label of this name already
    send_below bigint not null default 0, -- only objects with a smaller index are sent to workers
    output_manifest text not null default '',
    created_at bigint not null,
    modified_at bigint not null,
    manifest_version text not null default '', -- what identifies the manifest that is being ingested
    ingested bigint not null default 0,        -- lines stored
    batches bigint not null default 0,         -- consolidation batches made
    batch_time bigint not null default 0,      -- the time in the newest batch's file names
    lease_owner text not null default '',
    lease_until bigint not null default 0
);
create index labeling_jobs_created on labeling_jobs (created_at, id);
create index labeling_jobs_modified on labeling_jobs (modified_at);
create index labeling_jobs_status on labeling_jobs (status_key);
create index labeling_jobs_team on labeling_jobs (workteam, created_at, id);

-- The input manifest. Rows are written once and never changed: what changes is
-- in rows that do not carry the line.
create table data_objects (
    job bigint not null,
    idx bigint not null,
    kept smallint not null default 0,
    line text not null,
    primary key (job, idx)
);

-- The objects that are with the workers or await consolidation, and only those:
-- handing out a task costs the same in a job of any size.
create table labeling_tasks (
    job bigint not null,
    idx bigint not null,
    state text not null,                  -- ready, answered
    wanted smallint not null,
    live smallint not null default 0,
    answered smallint not null default 0,
    declined smallint not null default 0,
    answer_bytes bigint not null default 0,
    ready_at bigint not null,
    answered_at bigint not null default 0, -- when state became answered
    batch bigint not null default 0,
    primary key (job, idx),
    check (live >= 0 and live + answered <= wanted)
);
create index labeling_tasks_state on labeling_tasks (job, state, idx);

-- The objects that are finished: a label, or why there is none.
create table labeling_results (
    job bigint not null,
    idx bigint not null,
    label text not null default '',
    metadata text not null default '',
    failure text not null default '',
    ended_at bigint not null,
    primary key (job, idx)
);

-- The consolidation batches that were begun and are not finished.
create table labeling_batches (
    job bigint not null,
    batch bigint not null,
    made_at bigint not null,              -- the time in the names of its files
    primary key (job, batch)
);

-- The primary key is the promise that no worker answers an object twice.
create table assignments (
    job bigint not null,
    idx bigint not null,
    worker text not null,
    id text not null unique,
    state text not null,
    taken_at bigint not null,
    expires_at bigint not null,
    ended_at bigint not null default 0,
    told smallint not null default 0,     -- whoever must know of the end knows
    draft text not null default '',
    draft_at bigint not null default 0,
    answer text not null default '',
    primary key (job, idx, worker)
);
create unique index assignments_live on assignments (job, worker) where state = 'active';
create index assignments_lease on assignments (expires_at) where state = 'active';
create index assignments_untold on assignments (ended_at) where told = 0 and state <> 'active';

create table labeling_workers (
    job bigint not null,
    worker text not null,
    submitted bigint not null default 0,
    primary key (job, worker)
);
