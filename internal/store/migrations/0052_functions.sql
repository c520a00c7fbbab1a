-- +goose Up

-- A job with a pre-annotation function of its own: its objects are prepared
-- (labeling_tasks.state 'preparing') before they are ready.
alter table labeling_jobs add column prepares smallint not null default 0;
-- Objects that its function says need no human annotation.
alter table labeling_jobs add column excluded bigint not null default 0;

-- What the function made of the objects that are with the workers, and only of
-- those. Not in labeling_tasks, whose rows are to stay small.
create table task_inputs (
    job bigint not null,
    idx bigint not null,
    input text not null,
    primary key (job, idx)
);
