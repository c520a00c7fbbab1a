package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
)

// IAM implements iam.Store.
type IAM struct{ db *DB }

// NewIAM returns the users, roles, policies and keys in db.
func NewIAM(db *DB) *IAM { return &IAM{db} }

var _ iam.Store = (*IAM)(nil)

// change runs fn and increases the generation with it.
func (s *IAM) change(ctx context.Context, fn TxFunc) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := fn(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "update iam_generation set n = n + 1")
		return err
	})
}

// Generation reads how many changes there were.
func (s *IAM) Generation(ctx context.Context) (int64, error) {
	var n int64
	err := s.db.Read().QueryRowContext(ctx, "select n from iam_generation").Scan(&n)
	return n, wrap("store.Generation", err)
}

func noEntity(op, what, name string) error {
	return fault.Coded(op, fault.NotFound, "NoSuchEntity", fmt.Sprintf("The %s with name %s cannot be found.", what, name))
}

// absent turns sql.ErrNoRows into NoSuchEntity.
func absent(op string, err error, what, name string) error {
	if f := notFound(op, err, ""); fault.Is(f, fault.NotFound) {
		return noEntity(op, what, name)
	}
	return wrap(op, err)
}

// affected answers missing when a statement changed no row.
func affected(r sql.Result, err error, missing error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		return missing
	}
	return err
}

func exists(op, what, name string) error {
	return fault.Coded(op, fault.Exists, "EntityAlreadyExists", fmt.Sprintf("%s with name %s already exists.", what, name))
}

func tagsText(tags []iam.Tag) (string, error) {
	b, err := json.Marshal(tags)
	return string(b), err
}

const userColumns = "name, path, id, created_at, tags"

func scanUser(row interface{ Scan(...any) error }) (*iam.User, error) {
	var u iam.User
	var created int64
	var tags string
	if err := row.Scan(&u.Name, &u.Path, &u.ID, &created, &tags); err != nil {
		return nil, err
	}
	u.CreatedAt = Time(created)
	return &u, json.Unmarshal([]byte(tags), &u.Tags)
}

// CreateUser adds a user.
func (s *IAM) CreateUser(ctx context.Context, u *iam.User) error {
	const op = "store.CreateUser"
	tags, err := tagsText(u.Tags)
	if err != nil {
		return wrap(op, err)
	}
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `insert into iam_user (name, folded, path, id, created_at, tags) values ($1, $2, $3, $4, $5, $6)
			on conflict (folded) do nothing`, u.Name, strings.ToLower(u.Name), u.Path, u.ID, Micros(u.CreatedAt), tags)
		return affected(r, err, exists(op, "User", u.Name))
	})
}

// User reads a user.
func (s *IAM) User(ctx context.Context, name string) (*iam.User, error) {
	const op = "store.User"
	u, err := scanUser(s.db.Read().QueryRowContext(ctx, "select "+userColumns+" from iam_user where name = $1", name))
	return u, absent(op, err, "user", name)
}

// Users lists users by name.
func (s *IAM) Users(ctx context.Context, pathPrefix, after string, limit int) ([]iam.User, error) {
	return listRows(ctx, s.db.Read(), "store.Users", scanUser, "select "+userColumns+` from iam_user
		where substr(path, 1, $1) = $2 and name > $3 order by name limit $4`, len(pathPrefix), pathPrefix, after, limit)
}

// listRows scans every row of a query.
func listRows[T any](ctx context.Context, q querier, op string, scan func(interface{ Scan(...any) error }) (*T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, wrap(op, err)
		}
		out = append(out, *v)
	}
	return out, wrap(op, rows.Err())
}

// DeleteUser removes a user without keys and policies.
func (s *IAM) DeleteUser(ctx context.Context, name string) error {
	const op = "store.DeleteUser"
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "delete from iam_user where name = $1", name)
		if err := affected(r, err, noEntity(op, "user", name)); err != nil {
			return err
		}
		var keys int64
		if err := tx.QueryRowContext(ctx, "select count(*) from iam_access_key where user_name = $1", name).Scan(&keys); err != nil {
			return err
		}
		if keys > 0 {
			return fault.Coded(op, fault.InUse, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
		}
		return refuseWithPolicies(ctx, tx, op, iam.Owner{Kind: iam.OfUser, Name: name})
	})
}

func refuseWithPolicies(ctx context.Context, tx *sql.Tx, op string, o iam.Owner) error {
	var n int64
	if err := tx.QueryRowContext(ctx, "select count(*) from iam_policy where owner_kind = $1 and owner = $2", string(o.Kind), o.Name).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return fault.Coded(op, fault.InUse, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	return nil
}

const keyColumns = "id, user_name, active, created_at, sealed"

func scanKey(row interface{ Scan(...any) error }) (*iam.StoredKey, error) {
	var k iam.StoredKey
	var created int64
	if err := row.Scan(&k.ID, &k.UserName, &k.Active, &created, &k.Sealed); err != nil {
		return nil, err
	}
	k.CreatedAt = Time(created)
	return &k, nil
}

// CreateAccessKey adds a key unless the user has limit keys.
func (s *IAM) CreateAccessKey(ctx context.Context, k *iam.StoredKey, limit int) error {
	const op = "store.CreateAccessKey"
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var one int
		err := tx.QueryRowContext(ctx, "select 1 from iam_user where name = $1", k.UserName).Scan(&one)
		if err != nil {
			return absent(op, err, "user", k.UserName)
		}
		r, err := tx.ExecContext(ctx, `insert into iam_access_key (id, user_name, active, created_at, sealed)
			select $1, $2, $3, $4, $5 where (select count(*) from iam_access_key where user_name = $6) < $7`,
			k.ID, k.UserName, Bool(k.Active), Micros(k.CreatedAt), k.Sealed, k.UserName, limit)
		return affected(r, err, fault.Coded(op, fault.Limit, "LimitExceeded", fmt.Sprintf("Cannot exceed quota for AccessKeysPerUser: %d", limit)))
	})
}

// AccessKey reads a key by its id.
func (s *IAM) AccessKey(ctx context.Context, id string) (*iam.StoredKey, error) {
	k, err := scanKey(s.db.Read().QueryRowContext(ctx, "select "+keyColumns+" from iam_access_key where id = $1", id))
	return k, absent("store.AccessKey", err, "Access Key", id)
}

// AccessKeys lists a user's keys, oldest first.
func (s *IAM) AccessKeys(ctx context.Context, user string) ([]iam.AccessKey, error) {
	keys, err := listRows(ctx, s.db.Read(), "store.AccessKeys", scanKey, "select "+keyColumns+" from iam_access_key where user_name = $1 order by created_at, id", user)
	out := make([]iam.AccessKey, 0, len(keys))
	for _, k := range keys {
		out = append(out, k.AccessKey)
	}
	return out, err
}

// UpdateAccessKey turns a key on or off.
func (s *IAM) UpdateAccessKey(ctx context.Context, user, id string, active bool) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "update iam_access_key set active = $3 where id = $1 and user_name = $2", id, user, Bool(active))
		return affected(r, err, noKey("store.UpdateAccessKey", id))
	})
}

// DeleteAccessKey removes a key.
func (s *IAM) DeleteAccessKey(ctx context.Context, user, id string) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "delete from iam_access_key where id = $1 and user_name = $2", id, user)
		return affected(r, err, noKey("store.DeleteAccessKey", id))
	})
}

func noKey(op, id string) error {
	return fault.Coded(op, fault.NotFound, "NoSuchEntity", fmt.Sprintf("The Access Key with id %s cannot be found.", id))
}
