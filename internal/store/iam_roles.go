package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"fiducial/internal/iam"
)

const roleColumns = "name, path, id, description, trust, max_session, created_at, tags"

func scanRole(row interface{ Scan(...any) error }) (*iam.Role, error) {
	var r iam.Role
	var created, seconds int64
	var tags string
	if err := row.Scan(&r.Name, &r.Path, &r.ID, &r.Description, &r.TrustPolicy, &seconds, &created, &tags); err != nil {
		return nil, err
	}
	r.CreatedAt, r.MaxSession = Time(created), time.Duration(seconds)*time.Second
	return &r, json.Unmarshal([]byte(tags), &r.Tags)
}

// CreateRole adds a role.
func (s *IAM) CreateRole(ctx context.Context, r *iam.Role) error {
	const op = "store.CreateRole"
	tags, err := tagsText(r.Tags)
	if err != nil {
		return wrap(op, err)
	}
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `insert into iam_role (name, folded, path, id, description, trust, max_session, created_at, tags)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (folded) do nothing`,
			r.Name, strings.ToLower(r.Name), r.Path, r.ID, r.Description, r.TrustPolicy, int64(r.MaxSession/time.Second), Micros(r.CreatedAt), tags)
		return affected(res, err, exists(op, "Role", r.Name))
	})
}

func roleRow(ctx context.Context, q querier, op, name string) (*iam.Role, error) {
	r, err := scanRole(q.QueryRowContext(ctx, "select "+roleColumns+" from iam_role where name = $1", name))
	return r, absent(op, err, "role", name)
}

// Role reads a role.
func (s *IAM) Role(ctx context.Context, name string) (*iam.Role, error) {
	return roleRow(ctx, s.db.Read(), "store.Role", name)
}

// Roles lists roles by name.
func (s *IAM) Roles(ctx context.Context, pathPrefix, after string, limit int) ([]iam.Role, error) {
	return listRows(ctx, s.db.Read(), "store.Roles", scanRole, "select "+roleColumns+` from iam_role
		where substr(path, 1, $1) = $2 and name > $3 order by name limit $4`, len(pathPrefix), pathPrefix, after, limit)
}

// UpdateRole changes a role's settings; its name, path and id stay.
func (s *IAM) UpdateRole(ctx context.Context, name string, change func(*iam.Role) error) error {
	const op = "store.UpdateRole"
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := roleRow(ctx, tx, op, name)
		if err != nil {
			return err
		}
		if err := change(r); err != nil {
			return err
		}
		tags, err := tagsText(r.Tags)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "update iam_role set description = $2, trust = $3, max_session = $4, tags = $5 where name = $1",
			name, r.Description, r.TrustPolicy, int64(r.MaxSession/time.Second), tags)
		return err
	})
}

// DeleteRole removes a role without policies.
func (s *IAM) DeleteRole(ctx context.Context, name string) error {
	const op = "store.DeleteRole"
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "delete from iam_role where name = $1", name)
		if err := affected(r, err, noEntity(op, "role", name)); err != nil {
			return err
		}
		return refuseWithPolicies(ctx, tx, op, iam.Owner{Kind: iam.OfRole, Name: name})
	})
}

func scanPolicy(row interface{ Scan(...any) error }) (*iam.InlinePolicy, error) {
	var p iam.InlinePolicy
	return &p, row.Scan(&p.Name, &p.Document)
}

func policyRows(ctx context.Context, q querier, op string, o iam.Owner) ([]iam.InlinePolicy, error) {
	return listRows(ctx, q, op, scanPolicy, "select name, document from iam_policy where owner_kind = $1 and owner = $2 order by name", string(o.Kind), o.Name)
}

// PutPolicy adds or replaces a policy of a user or role that is there.
func (s *IAM) PutPolicy(ctx context.Context, o iam.Owner, p iam.InlinePolicy, check func([]iam.InlinePolicy) error) error {
	const op = "store.PutPolicy"
	table := "iam_role"
	if o.Kind == iam.OfUser {
		table = "iam_user"
	}
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var one int
		if err := tx.QueryRowContext(ctx, "select 1 from "+table+" where name = $1", o.Name).Scan(&one); err != nil {
			return absent(op, err, string(o.Kind), o.Name)
		}
		_, err := tx.ExecContext(ctx, `insert into iam_policy (owner_kind, owner, name, document) values ($1, $2, $3, $4)
			on conflict (owner_kind, owner, name) do update set document = excluded.document`, string(o.Kind), o.Name, p.Name, p.Document)
		if err != nil {
			return err
		}
		all, err := policyRows(ctx, tx, op, o)
		if err != nil {
			return err
		}
		return check(all)
	})
}

// Policies lists an owner's policies by name.
func (s *IAM) Policies(ctx context.Context, o iam.Owner) ([]iam.InlinePolicy, error) {
	return policyRows(ctx, s.db.Read(), "store.Policies", o)
}

// DeletePolicy removes a policy.
func (s *IAM) DeletePolicy(ctx context.Context, o iam.Owner, name string) error {
	const op = "store.DeletePolicy"
	return s.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "delete from iam_policy where owner_kind = $1 and owner = $2 and name = $3", string(o.Kind), o.Name, name)
		return affected(r, err, noEntity(op, string(o.Kind)+" policy", name))
	})
}
