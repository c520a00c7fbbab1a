package store

import (
	"context"
	"database/sql"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// Tags keeps the tags of SageMaker resources by ARN.
type Tags struct{ db *DB }

// NewTags returns the tags in db.
func NewTags(db *DB) *Tags { return &Tags{db} }

// Tags lists a resource's tags by key.
func (s *Tags) Tags(ctx context.Context, arn string) ([]labeling.Tag, error) {
	return tagsOf(ctx, s.db.Read(), arn)
}

func tagsOf(ctx context.Context, q documents, arn string) ([]labeling.Tag, error) {
	const op = "store.Tags"
	rows, err := q.QueryContext(ctx, "select name, value from resource_tag where arn = $1 order by name", arn)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	out := []labeling.Tag{}
	for rows.Next() {
		var t labeling.Tag
		if err := rows.Scan(&t.Key, &t.Value); err != nil {
			return nil, wrap(op, err)
		}
		out = append(out, t)
	}
	return out, wrap(op, rows.Err())
}

// PutTags adds tags or replaces their values, unless the resource would then
// have more than most. It returns all of the resource's tags.
func (s *Tags) PutTags(ctx context.Context, arn string, tags []labeling.Tag, most int) ([]labeling.Tag, error) {
	var all []labeling.Tag
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, t := range tags {
			if _, err := tx.ExecContext(ctx, `insert into resource_tag (arn, name, value) values ($1, $2, $3)
				on conflict (arn, name) do update set value = excluded.value`, arn, t.Key, t.Value); err != nil {
				return err
			}
		}
		var err error
		if all, err = tagsOf(ctx, tx, arn); err != nil {
			return err
		}
		if len(all) > most {
			return fault.Newf("store.PutTags", fault.Limit, "A resource can have at most %d tags; this one would have %d.", most, len(all))
		}
		return nil
	})
	return all, err
}

// DropTags removes tags by key; without keys, all of them.
func (s *Tags) DropTags(ctx context.Context, arn string, keys ...string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if len(keys) == 0 {
			_, err := tx.ExecContext(ctx, "delete from resource_tag where arn = $1", arn)
			return err
		}
		for _, k := range keys {
			if _, err := tx.ExecContext(ctx, "delete from resource_tag where arn = $1 and name = $2", arn, k); err != nil {
				return err
			}
		}
		return nil
	})
}
