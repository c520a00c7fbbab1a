-- +goose Up

-- Worker task templates that an account keeps for its flow definitions and jobs.
create table human_task_uis (
    name text primary key,
    content text not null,
    sha256 text not null,                 -- of content, hex
    created_at bigint not null
);

-- The tasks of a flow definition are run by a row of labeling_jobs, which is not
-- shown as a labeling job.
alter table labeling_jobs add column flow text not null default '';
create table flow_definitions (
    name text primary key,
    job bigint not null unique,
    created_at bigint not null
);

-- A human loop is one data object of its flow definition's job.
create table human_loops (
    name text primary key,
    flow text not null,
    job bigint not null,
    idx bigint not null,
    digest text not null,                 -- of all that it was started with
    status text not null,
    failure_code text not null default '',
    failure_reason text not null default '',
    created_at bigint not null,
    ended_at bigint not null default 0,
    told smallint not null default 0      -- whoever must hear of its end has
);
create unique index human_loops_object on human_loops (job, idx);
create index human_loops_created on human_loops (job, created_at, name);
create index human_loops_untold on human_loops (job, ended_at) where told = 0 and ended_at > 0;

-- An object that is closing is given to no more workers.
alter table labeling_tasks add column closing smallint not null default 0;
