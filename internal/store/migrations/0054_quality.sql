-- +goose Up

-- Quality control of labeling jobs. Gold questions are rows of data_objects
-- with an index from -gold to -1 and kept = 1: nothing that sends objects to
-- workers, counts them or writes output looks there.
alter table labeling_jobs add column overlap smallint not null default 0; -- how many workers an object begins with
alter table labeling_jobs add column gold bigint not null default 0;      -- how many gold questions there are

-- How many answers an object may come to want: NumberOfHumanWorkersPerDataObject.
-- "wanted" grows up to it where workers disagree.
alter table labeling_tasks add column most smallint not null default 0;
update labeling_tasks set most = wanted;

-- What is known of a gold question.
create table quality_gold (
    job bigint not null,
    idx bigint not null,
    label text not null,
    metadata text not null default '',
    asked bigint not null default 0,
    answered_right bigint not null default 0,
    primary key (job, idx)
);

-- The workers of jobs with quality control, from their first task on.
create table quality_workers (
    job bigint not null,
    worker text not null,
    tasks bigint not null default 0,        -- that ended with an answer or a decline
    barred_until bigint not null default 0, -- no tasks before
    requeue smallint not null default 0,    -- answers are to be discarded
    state text not null default '',         -- JSON, written by who drives the job alone
    primary key (job, worker)
);

-- What has happened and was not judged yet.
create table quality_facts (
    job bigint not null,
    id text not null,                       -- of the assignment, or of what was compared
    worker text not null,
    idx bigint not null,
    kind text not null,
    score double precision not null default 0,
    at bigint not null,
    primary key (job, id)
);

-- What was done about it.
create table quality_actions (
    job bigint not null,
    number bigint not null,
    at bigint not null,
    action text not null,
    rule text not null default '',
    worker text not null,
    idx bigint not null default -1,
    detail text not null default '',
    until bigint not null default 0,
    actor text not null default '',
    primary key (job, number)
);

-- To find what a worker whose answers are discarded has answered.
create index assignments_submitted on assignments (job, worker) where state = 'submitted';
