package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
	"fiducial/internal/objects"
)

const objectColumns = "bucket, key, blob, upload, parts, size, etag, modified, headers, checksum, checksum_type, checksum_value, encryption"

func scanObject(row interface{ Scan(...any) error }) (*objects.Object, error) {
	var o objects.Object
	var key []byte
	var modified int64
	var headers, encryption string
	err := row.Scan(&o.Bucket, &key, &o.Blob, &o.Upload, &o.Parts, &o.Size, &o.ETag, &modified, &headers,
		&o.Checksum.Algorithm, &o.Checksum.Type, &o.Checksum.Value, &encryption)
	if err != nil {
		return nil, err
	}
	o.Key, o.Modified = string(key), Time(modified)
	if o.Encryption, err = parseEncryption(encryption); err != nil {
		return nil, err
	}
	return &o, json.Unmarshal([]byte(headers), &o.Headers)
}

// encryptionText is how an encryption stands in a row: JSON, or nothing.
func encryptionText(e *objects.Encryption) (string, error) {
	if e == nil {
		return "", nil
	}
	b, err := json.Marshal(e)
	return string(b), err
}

func parseEncryption(text string) (*objects.Encryption, error) {
	if text == "" {
		return nil, nil
	}
	e := new(objects.Encryption)
	return e, json.Unmarshal([]byte(text), e)
}

func objectRow(ctx context.Context, q querier, op, bucket, key string) (*objects.Object, error) {
	o, err := scanObject(q.QueryRowContext(ctx, "select "+objectColumns+" from object where bucket = $1 and key = $2", bucket, []byte(key)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.Coded(op, fault.NotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return o, wrap(op, err)
}

// Object reads an object's row, and its parts if it is made of parts.
func (s *Objects) Object(ctx context.Context, bucket, key string) (*objects.Object, error) {
	const op = "store.Object"
	for range maxTries {
		o, err := objectRow(ctx, s.db.Read(), op, bucket, key)
		if err != nil || o.Upload == "" {
			return o, err
		}
		parts, err := segments(ctx, s.db.Read(), o.Upload, 0, objects.MaxParts)
		if err != nil {
			return nil, wrap(op, err)
		}
		if len(parts) == o.Parts {
			return o.WithSegments(parts), nil
		}
		// The object was replaced between the two queries: look again.
	}
	return nil, fault.Newf(op, fault.Unavailable, "the object is being replaced; try again")
}

// PutObject writes a row, replacing the one that is there.
func (s *Objects) PutObject(ctx context.Context, o *objects.Object, keep []objects.Segment, tell *objects.Telling, check func(*objects.Object) error) ([]blob.ID, error) {
	const op = "store.PutObject"
	headers, err := json.Marshal(o.Headers)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	encryption, err := encryptionText(o.Encryption)
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	var freed []blob.ID
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		freed = nil
		var one int
		err := tx.QueryRowContext(ctx, "select 1 from bucket where name = $1", o.Bucket).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return noBucket(op, o.Bucket)
		} else if err != nil {
			return err
		}
		if freed, err = displace(ctx, tx, o, check); err != nil {
			return err
		}
		if o.Upload != "" {
			unused, err := endUpload(ctx, tx, o, keep)
			if err != nil {
				return err
			}
			freed = append(freed, unused...)
		}
		_, err = tx.ExecContext(ctx, "insert into object ("+objectColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			on conflict (bucket, key) do update set blob = excluded.blob, upload = excluded.upload, parts = excluded.parts,
			size = excluded.size, etag = excluded.etag, modified = excluded.modified, headers = excluded.headers,
			checksum = excluded.checksum, checksum_type = excluded.checksum_type, checksum_value = excluded.checksum_value,
			encryption = excluded.encryption`,
			o.Bucket, []byte(o.Key), o.Blob, o.Upload, o.Parts, o.Size, o.ETag, Micros(o.Modified), string(headers),
			o.Checksum.Algorithm, o.Checksum.Type, o.Checksum.Value, encryption)
		if err != nil || tell == nil {
			return err
		}
		return s.tell(ctx, tx, o.Bucket, o.Key, tell)
	})
	return freed, err
}

// displace checks the present row and frees its bytes, unless o keeps them.
func displace(ctx context.Context, tx *sql.Tx, o *objects.Object, check func(*objects.Object) error) ([]blob.ID, error) {
	old, err := objectRow(ctx, tx, "store.PutObject", o.Bucket, o.Key)
	if fault.Is(err, fault.NotFound) {
		old, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if check != nil {
		if err := check(old); err != nil {
			return nil, err
		}
	}
	if old == nil || old.Blob == o.Blob && old.Upload == o.Upload {
		return nil, nil
	}
	return free(ctx, tx, old)
}

// free removes what belongs to a row that goes away.
func free(ctx context.Context, tx *sql.Tx, o *objects.Object) ([]blob.ID, error) {
	if o.Upload == "" {
		if o.Blob == "" {
			return nil, nil
		}
		return []blob.ID{o.Blob}, nil
	}
	ids, err := blobIDs(ctx, tx, "select blob from part where upload = $1 order by number", o.Upload)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, "delete from part where upload = $1", o.Upload)
	return ids, err
}

// endUpload makes an upload's parts the segments of o. An upload that is no
// longer in progress is left alone if it is already o's (metadata is replaced).
func endUpload(ctx context.Context, tx *sql.Tx, o *objects.Object, keep []objects.Segment) ([]blob.ID, error) {
	if keep == nil {
		return nil, nil
	}
	r, err := tx.ExecContext(ctx, "delete from upload where id = $1 and bucket = $2 and key = $3", o.Upload, o.Bucket, []byte(o.Key))
	if err != nil {
		return nil, err
	}
	if n, err := r.RowsAffected(); err != nil {
		return nil, err
	} else if n == 0 {
		return nil, noUpload("store.PutObject")
	}
	present, err := segments(ctx, tx, o.Upload, 0, objects.MaxParts)
	if err != nil {
		return nil, err
	}
	at := make(map[int]int64, len(keep)) // part number → offset
	same := make(map[int]blob.ID, len(keep))
	for _, k := range keep {
		at[k.Number], same[k.Number] = k.Offset, k.Blob
	}
	var unused []blob.ID
	found := 0
	for _, p := range present {
		start, kept := at[p.Number]
		switch {
		case kept && same[p.Number] == p.Blob:
			found++
			if _, err := tx.ExecContext(ctx, "update part set start = $3 where upload = $1 and number = $2", o.Upload, p.Number, start); err != nil {
				return nil, err
			}
		case kept:
			return nil, partGone()
		default:
			unused = append(unused, p.Blob)
			if _, err := tx.ExecContext(ctx, "delete from part where upload = $1 and number = $2", o.Upload, p.Number); err != nil {
				return nil, err
			}
		}
	}
	if found != len(keep) {
		return nil, partGone()
	}
	return unused, nil
}

// partGone says that a part was replaced while the upload was being completed.
func partGone() error {
	return fault.Coded("store.PutObject", fault.Invalid, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
}

// DeleteObject removes a row.
func (s *Objects) DeleteObject(ctx context.Context, bucket, key string, tell *objects.Telling, check func(*objects.Object) error) (existed bool, freed []blob.ID, err error) {
	const op = "store.DeleteObject"
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		existed, freed = false, nil
		old, err := objectRow(ctx, tx, op, bucket, key)
		if fault.Is(err, fault.NotFound) {
			old, err = nil, nil
		}
		if err != nil {
			return err
		}
		if check != nil {
			if err := check(old); err != nil {
				return err
			}
		}
		if old == nil {
			return nil
		}
		existed = true
		if freed, err = free(ctx, tx, old); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "delete from object where bucket = $1 and key = $2", bucket, []byte(key))
		if err != nil || tell == nil {
			return err
		}
		return s.tell(ctx, tx, bucket, key, tell)
	})
	return existed, freed, err
}

// keyRange makes the where clause of a range of keys. The bounds are bytes,
// compared as such by both databases.
func keyRange(q objects.RangeQuery) (where string, args []any) {
	from, op := q.From, ">="
	if q.After {
		op = ">"
	}
	if q.Prefix > from {
		from, op = q.Prefix, ">="
	}
	where, args = "bucket = $1 and key "+op+" $2", []any{q.Bucket, []byte(from)}
	if end := q.End(); end != "" {
		where += " and key < $3"
		args = append(args, []byte(end))
	}
	return where, args
}

// Range lists rows in key order.
func (s *Objects) Range(ctx context.Context, q objects.RangeQuery) ([]*objects.Object, error) {
	const op = "store.Range"
	where, args := keyRange(q)
	args = append(args, q.Limit)
	rows, err := s.db.Read().QueryContext(ctx, "select "+objectColumns+" from object where "+where+
		" order by bucket, key limit $"+strconv.Itoa(len(args)), args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []*objects.Object
	for rows.Next() {
		o, err := scanObject(rows)
		if err != nil {
			return nil, wrap(op, err)
		}
		out = append(out, o)
	}
	return out, wrap(op, rows.Err())
}

// Unreferenced returns those of ids that no row names.
func (s *Objects) Unreferenced(ctx context.Context, ids []blob.ID) ([]blob.ID, error) {
	const op = "store.Unreferenced"
	if len(ids) == 0 {
		return nil, nil
	}
	marks := make([]string, len(ids))
	args := make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), string(id)
	}
	in := "(" + strings.Join(marks, ",") + ")"
	used, err := blobIDs(ctx, s.db.Read(), "select blob from object where blob in "+in+" union select blob from part where blob in "+in, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	named := make(map[blob.ID]bool, len(used))
	for _, id := range used {
		named[id] = true
	}
	var out []blob.ID
	for _, id := range ids {
		if !named[id] {
			out = append(out, id)
		}
	}
	return out, nil
}
