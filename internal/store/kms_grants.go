package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/kms"
)

func scanKMSAlias(row interface{ Scan(...any) error }) (*kms.Alias, error) {
	var a kms.Alias
	var created, updated int64
	if err := row.Scan(&a.Name, &a.KeyID, &created, &updated); err != nil {
		return nil, err
	}
	a.CreatedAt, a.UpdatedAt = Time(created), Time(updated)
	return &a, nil
}

const kmsAliasColumns = "name, key_id, created_at, updated_at"

// CreateAlias adds an alias unless the key has limit of them.
func (s *KMS) CreateAlias(ctx context.Context, a *kms.Alias, limit int) error {
	const op = "store.CreateAlias"
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "select count(*) from kms_alias where key_id = $1", a.KeyID).Scan(&n); err != nil {
			return err
		}
		if n >= limit {
			return fault.Newf(op, fault.Limit, "the key has %d aliases", n)
		}
		r, err := tx.ExecContext(ctx, "insert into kms_alias ("+kmsAliasColumns+") values ($1, $2, $3, $4) on conflict (name) do nothing",
			a.Name, a.KeyID, Micros(a.CreatedAt), Micros(a.UpdatedAt))
		return affected(r, err, fault.Newf(op, fault.Exists, "the alias is there already"))
	})
}

func noKMSAlias(op string) error { return fault.Newf(op, fault.NotFound, "there is no such alias") }

// Alias reads an alias.
func (s *KMS) Alias(ctx context.Context, name string) (*kms.Alias, error) {
	a, err := scanKMSAlias(s.db.Read().QueryRowContext(ctx, "select "+kmsAliasColumns+" from kms_alias where name = $1", name))
	if err != nil {
		return nil, notFound("store.Alias", err, "there is no such alias")
	}
	return a, nil
}

// Aliases lists aliases by name.
func (s *KMS) Aliases(ctx context.Context, keyID, after string, limit int) ([]kms.Alias, error) {
	return listRows(ctx, s.db.Read(), "store.Aliases", scanKMSAlias, "select "+kmsAliasColumns+` from kms_alias
		where ($1 = '' or key_id = $1) and name > $2 order by name limit $3`, keyID, after, limit)
}

// UpdateAlias lets an alias name another key.
func (s *KMS) UpdateAlias(ctx context.Context, name, keyID string, at time.Time) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "update kms_alias set key_id = $2, updated_at = $3 where name = $1", name, keyID, Micros(at))
		return affected(r, err, noKMSAlias("store.UpdateAlias"))
	})
}

// DeleteAlias removes an alias.
func (s *KMS) DeleteAlias(ctx context.Context, name string) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "delete from kms_alias where name = $1", name)
		return affected(r, err, noKMSAlias("store.DeleteAlias"))
	})
}

const kmsGrantColumns = "id, key_id, token, name, grantee, retiring, issuer, operations, equals, subset, created_at"

func scanKMSGrant(row interface{ Scan(...any) error }) (*kms.Grant, error) {
	var g kms.Grant
	var operations, equals, subset string
	var created int64
	if err := row.Scan(&g.ID, &g.KeyID, &g.Token, &g.Name, &g.Grantee, &g.Retiring, &g.Issuer, &operations, &equals, &subset, &created); err != nil {
		return nil, err
	}
	g.CreatedAt = Time(created)
	return &g, errors.Join(json.Unmarshal([]byte(operations), &g.Operations), json.Unmarshal([]byte(equals), &g.Equals), json.Unmarshal([]byte(subset), &g.Subset))
}

// CreateGrant adds a grant unless the key has limit of them.
func (s *KMS) CreateGrant(ctx context.Context, g *kms.Grant, limit int) error {
	const op = "store.CreateGrant"
	operations, err1 := json.Marshal(g.Operations)
	equals, err2 := json.Marshal(g.Equals)
	subset, err3 := json.Marshal(g.Subset)
	if err := errors.Join(err1, err2, err3); err != nil {
		return wrap(op, err)
	}
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "select count(*) from kms_grant where key_id = $1", g.KeyID).Scan(&n); err != nil {
			return err
		}
		if n >= limit {
			return fault.Newf(op, fault.Limit, "the key has %d grants", n)
		}
		_, err := tx.ExecContext(ctx, "insert into kms_grant ("+kmsGrantColumns+") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
			g.ID, g.KeyID, g.Token, g.Name, g.Grantee, g.Retiring, g.Issuer, string(operations), string(equals), string(subset), Micros(g.CreatedAt))
		return err
	})
}

// Grants lists grants by id.
func (s *KMS) Grants(ctx context.Context, f kms.GrantFilter, after string, limit int) ([]kms.Grant, error) {
	// Only what filters stands in the text, so that an index serves it.
	text, args := "select "+kmsGrantColumns+" from kms_grant where id > $1", []any{after}
	for _, c := range [...]struct{ column, value string }{{"key_id", f.KeyID}, {"id", f.ID}, {"token", f.Token}, {"grantee", f.Grantee}, {"retiring", f.Retiring}} {
		if c.value != "" {
			args = append(args, c.value)
			text += " and " + c.column + " = $" + strconv.Itoa(len(args))
		}
	}
	args = append(args, limit)
	return listRows(ctx, s.db.Read(), "store.Grants", scanKMSGrant, text+" order by id limit $"+strconv.Itoa(len(args)), args...)
}

// DeleteGrant removes a grant.
func (s *KMS) DeleteGrant(ctx context.Context, keyID, id string) error {
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "delete from kms_grant where key_id = $1 and id = $2", keyID, id)
		return affected(r, err, fault.Newf("store.DeleteGrant", fault.NotFound, "there is no such grant"))
	})
}
