package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/kms"
)

// KMS implements kms.Store and kms.KeysetStore.
type KMS struct{ db *DB }

// NewKMS returns the keys in db.
func NewKMS(db *DB) *KMS { return &KMS{db} }

var (
	_ kms.Store       = (*KMS)(nil)
	_ kms.KeysetStore = (*KMS)(nil)
)

// change runs fn and increases the generation with it.
func (s *KMS) change(ctx context.Context, fn TxFunc) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := fn(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "update kms_generation set n = n + 1")
		return err
	})
}

// Generation reads how many changes there were.
func (s *KMS) Generation(ctx context.Context) (int64, error) {
	var n int64
	err := s.db.Read().QueryRowContext(ctx, "select n from kms_generation").Scan(&n)
	return n, wrap("store.Generation", err)
}

const kmsKeyColumns = "id, description, manager, state, policy, tags, created_at, deletion_at, rotate_days, rotated_at, material"

func scanKMSKey(row interface{ Scan(...any) error }) (*kms.Key, error) {
	var k kms.Key
	var tags string
	var created, deletion, rotated int64
	if err := row.Scan(&k.ID, &k.Description, &k.Manager, &k.State, &k.Policy, &tags, &created, &deletion, &k.RotateDays, &rotated, &k.Material); err != nil {
		return nil, err
	}
	k.CreatedAt, k.DeletionAt, k.RotatedAt = Time(created), Time(deletion), Time(rotated)
	return &k, json.Unmarshal([]byte(tags), &k.Tags)
}

// due is when something must be done about a key.
func due(k *kms.Key) int64 {
	if k.State == kms.PendingDeletion {
		return Micros(k.DeletionAt)
	}
	return Micros(k.NextRotation())
}

func kmsKeyArgs(k *kms.Key) ([]any, error) {
	tags, err := json.Marshal(k.Tags)
	return []any{k.ID, k.Description, string(k.Manager), string(k.State), k.Policy, string(tags), Micros(k.CreatedAt),
		Micros(k.DeletionAt), k.RotateDays, Micros(k.RotatedAt), k.Material, due(k)}, err
}

// CreateKey adds a key and an alias of it.
func (s *KMS) CreateKey(ctx context.Context, k *kms.Key, alias string) error {
	const op = "store.CreateKey"
	args, err := kmsKeyArgs(k)
	if err != nil {
		return wrap(op, err)
	}
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if alias != "" {
			at := Micros(k.CreatedAt)
			r, err := tx.ExecContext(ctx, "insert into kms_alias (name, key_id, created_at, updated_at) values ($1, $2, $3, $4) on conflict (name) do nothing",
				alias, k.ID, at, at)
			if err := affected(r, err, fault.Newf(op, fault.Exists, "the alias is there already")); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "insert into kms_key ("+kmsKeyColumns+", due_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", args...)
		return err
	})
}

// Key reads a key.
func (s *KMS) Key(ctx context.Context, id string) (*kms.Key, error) {
	return kmsKeyRow(ctx, s.db.Read(), id)
}

func kmsKeyRow(ctx context.Context, q querier, id string) (*kms.Key, error) {
	const op = "store.Key"
	k, err := scanKMSKey(q.QueryRowContext(ctx, "select "+kmsKeyColumns+" from kms_key where id = $1", id))
	if err != nil {
		return nil, notFound(op, err, "there is no such key")
	}
	return k, nil
}

// Keys lists keys by id.
func (s *KMS) Keys(ctx context.Context, after string, limit int) ([]kms.Key, error) {
	return listRows(ctx, s.db.Read(), "store.Keys", scanKMSKey, "select "+kmsKeyColumns+` from kms_key
		where id > $1 and state <> $2 order by id limit $3`, after, string(kms.Deleted), limit)
}

// UpdateKey changes a key. The aliases and grants of one that is deleted go with it.
func (s *KMS) UpdateKey(ctx context.Context, id string, change func(*kms.Key) error) error {
	const op = "store.UpdateKey"
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		k, err := kmsKeyRow(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := change(k); err != nil {
			return err
		}
		args, err := kmsKeyArgs(k)
		if err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `update kms_key set description = $2, manager = $3, state = $4, policy = $5, tags = $6, created_at = $7,
			deletion_at = $8, rotate_days = $9, rotated_at = $10, material = $11, due_at = $12 where id = $1`, args...)
		if err := affected(r, err, fault.Newf(op, fault.NotFound, "there is no such key")); err != nil || k.State != kms.Deleted {
			return err
		}
		if _, err := tx.ExecContext(ctx, "delete from kms_alias where key_id = $1", id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "delete from kms_grant where key_id = $1", id)
		return err
	})
}

// DueKeys returns keys to be deleted or rotated.
func (s *KMS) DueKeys(ctx context.Context, now time.Time) ([]string, error) {
	keys, err := listRows(ctx, s.db.Read(), "store.DueKeys", scanKMSKey, "select "+kmsKeyColumns+" from kms_key where due_at > 0 and due_at <= $1 order by due_at, id", Micros(now))
	out := make([]string, 0, len(keys))
	for _, k := range keys {
		out = append(out, k.ID)
	}
	return out, err
}

func scanSealedKeyset(row interface{ Scan(...any) error }) (*kms.SealedKeyset, error) {
	var k kms.SealedKeyset
	var created int64
	if err := row.Scan(&k.Name, &k.Root, &k.Wrapped, &created); err != nil {
		return nil, err
	}
	k.CreatedAt = Time(created)
	return &k, nil
}

// SealedKeysets lists keysets by name.
func (s *KMS) SealedKeysets(ctx context.Context) ([]kms.SealedKeyset, error) {
	return listRows(ctx, s.db.Read(), "store.SealedKeysets", scanSealedKeyset, "select name, root, wrapped, created_at from sealed_keyset order by name")
}

// PutKeyset adds a keyset unless it is there.
func (s *KMS) PutKeyset(ctx context.Context, k kms.SealedKeyset) (kms.SealedKeyset, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into sealed_keyset (name, root, wrapped, created_at) values ($1, $2, $3, $4) on conflict (name) do nothing",
			k.Name, k.Root, k.Wrapped, Micros(k.CreatedAt))
		if err != nil {
			return err
		}
		there, err := scanSealedKeyset(tx.QueryRowContext(ctx, "select name, root, wrapped, created_at from sealed_keyset where name = $1", k.Name))
		if err == nil {
			k = *there
		}
		return err
	})
	return k, err
}

// RewrapKeysets replaces keysets.
func (s *KMS) RewrapKeysets(ctx context.Context, old string, list []kms.SealedKeyset) error {
	const op = "store.RewrapKeysets"
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, k := range list {
			r, err := tx.ExecContext(ctx, "update sealed_keyset set root = $3, wrapped = $4 where name = $1 and root = $2", k.Name, old, k.Root, k.Wrapped)
			if err := affected(r, err, fault.Newf(op, fault.InUse, "another replica changes the root key at the same time; start again")); err != nil {
				return err
			}
		}
		return nil
	})
}
