package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"fiducial/internal/blob"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

// Objects implements objects.Store.
type Objects struct {
	db    *DB
	seals columns
}

// NewObjects returns the rows of buckets and objects in db.
func NewObjects(db *DB) *Objects { return &Objects{db: db} }

// Sealed returns the same rows; event notifications are sealed under keys.
func (s *Objects) Sealed(keys *envelope.Keyset) *Objects { return &Objects{s.db, columns{keys}} }

var _ objects.Store = (*Objects)(nil)

// querier is what *sql.DB and *sql.Tx have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func noBucket(op, _ string) error {
	return fault.Coded(op, fault.NotFound, "NoSuchBucket", "The specified bucket does not exist")
}

// CreateBucket adds a bucket.
func (s *Objects) CreateBucket(ctx context.Context, b objects.Bucket) error {
	const op = "store.CreateBucket"
	settings, err := bucketJSON(op, &b)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `insert into bucket (name, region, account, created_by, created_at, policy, cors, logging, encryption, notifications)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (name) do nothing`,
			b.Name, b.Region, b.Account, b.CreatedBy, Micros(b.CreatedAt), b.Policy, settings[0], settings[1], settings[2], settings[3])
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return fault.Coded(op, fault.Exists, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
		}
		return nil
	})
}

// bucketJSON is how cors, logging, encryption and notifications stand in a row.
func bucketJSON(op string, b *objects.Bucket) (out [4]string, err error) {
	for i, v := range [...]any{b.CORS, b.Logging, b.Encryption, b.Notifications} {
		text, err := json.Marshal(v)
		if err != nil {
			return out, fault.E(op, fault.Internal, "", err)
		}
		out[i] = string(text)
	}
	return out, nil
}

const bucketColumns = "name, region, account, created_by, created_at, policy, cors, logging, encryption, notifications"

func scanBucket(row interface{ Scan(...any) error }) (*objects.Bucket, error) {
	var b objects.Bucket
	var created int64
	var cors, logging, encryption, notifications string
	if err := row.Scan(&b.Name, &b.Region, &b.Account, &b.CreatedBy, &created, &b.Policy, &cors, &logging, &encryption, &notifications); err != nil {
		return nil, err
	}
	b.CreatedAt = Time(created)
	if err := json.Unmarshal([]byte(cors), &b.CORS); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(encryption), &b.Encryption); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(notifications), &b.Notifications); err != nil {
		return nil, err
	}
	return &b, json.Unmarshal([]byte(logging), &b.Logging)
}

func bucketRow(ctx context.Context, q querier, op, name string) (*objects.Bucket, error) {
	b, err := scanBucket(q.QueryRowContext(ctx, "select "+bucketColumns+" from bucket where name = $1", name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noBucket(op, name)
	}
	return b, wrap(op, err)
}

// Bucket reads a bucket.
func (s *Objects) Bucket(ctx context.Context, name string) (*objects.Bucket, error) {
	return bucketRow(ctx, s.db.Read(), "store.Bucket", name)
}

// Buckets lists buckets by name.
func (s *Objects) Buckets(ctx context.Context, prefix, after string, limit int) ([]objects.Bucket, error) {
	const op = "store.Buckets"
	// Bucket names are ASCII letters, digits, '-' and '.', so '{' ends any prefix.
	rows, err := s.db.Read().QueryContext(ctx, "select "+bucketColumns+` from bucket
		where substr(name, 1, $1) = $2 and name > $3 order by name limit $4`, len(prefix), prefix, after, limit)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []objects.Bucket
	for rows.Next() {
		b, err := scanBucket(rows)
		if err != nil {
			return nil, wrap(op, err)
		}
		out = append(out, *b)
	}
	return out, wrap(op, rows.Err())
}

// UpdateBucket changes a bucket's configuration.
func (s *Objects) UpdateBucket(ctx context.Context, name string, change func(*objects.Bucket)) error {
	const op = "store.UpdateBucket"
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		b, err := bucketRow(ctx, tx, op, name)
		if err != nil {
			return err
		}
		change(b)
		settings, err := bucketJSON(op, b)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "update bucket set policy = $2, cors = $3, logging = $4, encryption = $5, notifications = $6 where name = $1",
			name, b.Policy, settings[0], settings[1], settings[2], settings[3])
		return err
	})
}

// DeleteBucket removes an empty bucket.
func (s *Objects) DeleteBucket(ctx context.Context, name string) ([]blob.ID, error) {
	const op = "store.DeleteBucket"
	var freed []blob.ID
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		freed = nil
		if _, err := bucketRow(ctx, tx, op, name); err != nil {
			return err
		}
		var one int
		err := tx.QueryRowContext(ctx, "select 1 from object where bucket = $1 limit 1", name).Scan(&one)
		if err == nil {
			return fault.Coded(op, fault.InUse, "BucketNotEmpty", "The bucket you tried to delete is not empty")
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if freed, err = blobIDs(ctx, tx, "select blob from part where upload in (select id from upload where bucket = $1)", name); err != nil {
			return err
		}
		for _, q := range [...]string{
			"delete from part where upload in (select id from upload where bucket = $1)",
			"delete from upload where bucket = $1",
			"delete from bucket where name = $1",
		} {
			if _, err := tx.ExecContext(ctx, q, name); err != nil {
				return err
			}
		}
		return nil
	})
	return freed, err
}

func blobIDs(ctx context.Context, q querier, query string, args ...any) ([]blob.ID, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []blob.ID
	for rows.Next() {
		var id blob.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
