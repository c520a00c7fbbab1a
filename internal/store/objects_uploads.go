package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

const uploadColumns = "id, bucket, key, initiator, created_at, headers, checksum, checksum_type, encryption"

func noUpload(op string) error {
	return fault.Coded(op, fault.NotFound, "NoSuchUpload", "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
}

func scanUpload(row interface{ Scan(...any) error }) (*objects.Upload, error) {
	var u objects.Upload
	var key []byte
	var created int64
	var headers, encryption string
	err := row.Scan(&u.ID, &u.Bucket, &key, &u.Initiator, &created, &headers, &u.Checksum.Algorithm, &u.Checksum.Type, &encryption)
	if err != nil {
		return nil, err
	}
	u.Key, u.CreatedAt = string(key), Time(created)
	if u.Encryption, err = parseEncryption(encryption); err != nil {
		return nil, err
	}
	return &u, json.Unmarshal([]byte(headers), &u.Headers)
}

// CreateUpload begins a multipart upload.
func (s *Objects) CreateUpload(ctx context.Context, u objects.Upload) error {
	const op = "store.CreateUpload"
	headers, err := json.Marshal(u.Headers)
	if err != nil {
		return fault.E(op, fault.Internal, "", err)
	}
	encryption, err := encryptionText(u.Encryption)
	if err != nil {
		return fault.E(op, fault.Internal, "", err)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := bucketRow(ctx, tx, op, u.Bucket); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "insert into upload ("+uploadColumns+") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			u.ID, u.Bucket, []byte(u.Key), u.Initiator, Micros(u.CreatedAt), string(headers), u.Checksum.Algorithm, u.Checksum.Type, encryption)
		return err
	})
}

// Upload reads an upload in progress.
func (s *Objects) Upload(ctx context.Context, bucket, key, id string) (*objects.Upload, error) {
	const op = "store.Upload"
	u, err := scanUpload(s.db.Read().QueryRowContext(ctx, "select "+uploadColumns+" from upload where id = $1 and bucket = $2 and key = $3", id, bucket, []byte(key)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noUpload(op)
	}
	return u, wrap(op, err)
}

const partColumns = "number, blob, start, size, etag, checksum, checksum_value, modified"

func segments(ctx context.Context, q querier, upload string, after, limit int) ([]objects.Segment, error) {
	rows, err := q.QueryContext(ctx, "select "+partColumns+" from part where upload = $1 and number > $2 order by number limit $3", upload, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []objects.Segment
	for rows.Next() {
		var p objects.Segment
		var modified int64
		if err := rows.Scan(&p.Number, &p.Blob, &p.Offset, &p.Size, &p.ETag, &p.Checksum.Algorithm, &p.Checksum.Value, &modified); err != nil {
			return nil, err
		}
		p.Modified = Time(modified)
		out = append(out, p)
	}
	return out, rows.Err()
}

// PutPart adds or replaces a part.
func (s *Objects) PutPart(ctx context.Context, upload string, p objects.Segment) ([]blob.ID, error) {
	const op = "store.PutPart"
	var freed []blob.ID
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		freed = nil
		var one int
		err := tx.QueryRowContext(ctx, "select 1 from upload where id = $1", upload).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return noUpload(op)
		} else if err != nil {
			return err
		}
		if freed, err = blobIDs(ctx, tx, "select blob from part where upload = $1 and number = $2", upload, p.Number); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "insert into part (upload, "+partColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			on conflict (upload, number) do update set blob = excluded.blob, start = excluded.start, size = excluded.size, etag = excluded.etag,
			checksum = excluded.checksum, checksum_value = excluded.checksum_value, modified = excluded.modified`,
			upload, p.Number, p.Blob, p.Offset, p.Size, p.ETag, p.Checksum.Algorithm, p.Checksum.Value, Micros(p.Modified))
		return err
	})
	return freed, err
}

// PartsOf lists an upload's parts.
func (s *Objects) PartsOf(ctx context.Context, upload string, after, limit int) ([]objects.Segment, error) {
	out, err := segments(ctx, s.db.Read(), upload, after, limit)
	return out, wrap("store.PartsOf", err)
}

// DeleteUpload ends an upload and frees its parts.
func (s *Objects) DeleteUpload(ctx context.Context, bucket, key, id string) ([]blob.ID, error) {
	const op = "store.DeleteUpload"
	var freed []blob.ID
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "delete from upload where id = $1 and bucket = $2 and key = $3", id, bucket, []byte(key))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return noUpload(op)
		}
		if freed, err = blobIDs(ctx, tx, "select blob from part where upload = $1 order by number", id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "delete from part where upload = $1", id)
		return err
	})
	return freed, err
}

// Uploads lists uploads in progress by key and id.
func (s *Objects) Uploads(ctx context.Context, q objects.RangeQuery, afterID string) ([]objects.Upload, error) {
	const op = "store.Uploads"
	where, args := keyRange(q)
	if afterID != "" {
		args = append(args, []byte(q.From), afterID)
		n := len(args)
		where = "bucket = $1 and (" + where + " or key = $" + strconv.Itoa(n-1) + " and id > $" + strconv.Itoa(n) + ")"
	}
	args = append(args, q.Limit)
	rows, err := s.db.Read().QueryContext(ctx, "select "+uploadColumns+" from upload where "+where+
		" order by bucket, key, id limit $"+strconv.Itoa(len(args)), args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []objects.Upload
	for rows.Next() {
		u, err := scanUpload(rows)
		if err != nil {
			return nil, wrap(op, err)
		}
		out = append(out, *u)
	}
	return out, wrap(op, rows.Err())
}
