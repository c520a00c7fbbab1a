-- +goose Up
-- How bytes are sealed, and what a bucket asks for objects that say nothing.
alter table bucket add column encryption text not null default '{}';
alter table object add column encryption text not null default '';
alter table upload add column encryption text not null default '';
