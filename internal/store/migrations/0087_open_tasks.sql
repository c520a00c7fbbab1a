-- +goose Up

-- The objects with a slot left. Hundreds of workers who each hold one fill the
-- head of a job: without this index every take reads past all of them. SQLite
-- takes it for its third equal column; and "wanted" must stand on the left, here
-- and in queries, for SQLite to see that a query may use it.
create index labeling_tasks_open on labeling_tasks (job, state, closing, idx)
    where wanted > live + answered;
