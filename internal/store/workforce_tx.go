package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"fiducial/internal/fault"
	"fiducial/internal/workforce"
)

// workforceTx implements workforce.Tx.
type workforceTx struct {
	workforceReader
	tx *sql.Tx
}

// save runs an upsert whose first parameter is v as JSON.
func (t *workforceTx) save(ctx context.Context, v any, query string, args ...any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return fault.E("store.save", fault.Internal, "", err)
	}
	_, err = t.tx.ExecContext(ctx, query, append([]any{string(doc)}, args...)...)
	return err
}

func (t *workforceTx) exec(ctx context.Context, query string, args ...any) error {
	_, err := t.tx.ExecContext(ctx, query, args...)
	return err
}

// SaveWorkforce implements workforce.Tx.
func (t *workforceTx) SaveWorkforce(ctx context.Context, w workforce.Workforce) error {
	return t.save(ctx, w, "insert into workforce (doc, slot) values ($1, 1) on conflict (slot) do update set doc = excluded.doc")
}

// DropWorkforce implements workforce.Tx.
func (t *workforceTx) DropWorkforce(ctx context.Context) error {
	return t.exec(ctx, "delete from workforce")
}

// SaveTeam implements workforce.Tx.
func (t *workforceTx) SaveTeam(ctx context.Context, team workforce.Workteam) error {
	return t.save(ctx, team, "insert into workteam (doc, name_key) values ($1, $2) on conflict (name_key) do update set doc = excluded.doc", workforce.Key(team.Name))
}

// DropTeam implements workforce.Tx.
func (t *workforceTx) DropTeam(ctx context.Context, name string) error {
	return t.exec(ctx, "delete from workteam where name_key = $1", workforce.Key(name))
}

// SavePool implements workforce.Tx.
func (t *workforceTx) SavePool(ctx context.Context, p workforce.UserPool) error {
	return t.save(ctx, p, "insert into user_pool (doc, id) values ($1, $2) on conflict (id) do update set doc = excluded.doc", p.ID)
}

// DropPool implements workforce.Tx.
func (t *workforceTx) DropPool(ctx context.Context, id string) error {
	for _, query := range []string{
		"delete from group_member where pool = $1",
		"delete from user_group where pool = $1",
		"delete from worker where pool = $1",
		"delete from user_pool_client where pool = $1",
		"delete from user_pool where id = $1",
	} {
		if err := t.exec(ctx, query, id); err != nil {
			return err
		}
	}
	return nil
}

// SaveClient implements workforce.Tx.
func (t *workforceTx) SaveClient(ctx context.Context, c workforce.UserPoolClient) error {
	return t.save(ctx, c, `insert into user_pool_client (doc, pool, id, secret) values ($1, $2, $3, $4)
		on conflict (pool, id) do update set doc = excluded.doc`, c.Pool, c.ID, c.Secret.Reveal())
}

// SaveGroup implements workforce.Tx.
func (t *workforceTx) SaveGroup(ctx context.Context, g workforce.Group) error {
	return t.save(ctx, g, "insert into user_group (doc, pool, name) values ($1, $2, $3) on conflict (pool, name) do update set doc = excluded.doc", g.Pool, g.Name)
}

// DropGroup implements workforce.Tx.
func (t *workforceTx) DropGroup(ctx context.Context, pool, name string) error {
	if err := t.exec(ctx, "delete from group_member where pool = $1 and grp = $2", pool, name); err != nil {
		return err
	}
	return t.exec(ctx, "delete from user_group where pool = $1 and name = $2", pool, name)
}

// SaveWorker implements workforce.Tx.
func (t *workforceTx) SaveWorker(ctx context.Context, w workforce.Worker) error {
	var email any
	if w.Email != "" {
		email = workforce.Key(w.Email)
	}
	return t.save(ctx, w, `insert into worker (doc, id, pool, name_key, sub, email_key) values ($1, $2, $3, $4, $5, $6)
		on conflict (id) do update set doc = excluded.doc, email_key = excluded.email_key`,
		w.ID, w.Pool, workforce.Key(w.Username), w.Sub, email)
}

// DropWorker implements workforce.Tx.
func (t *workforceTx) DropWorker(ctx context.Context, id string) error {
	if err := t.exec(ctx, "delete from group_member where worker = $1", id); err != nil {
		return err
	}
	return t.exec(ctx, "delete from worker where id = $1", id)
}

// SaveMembership implements workforce.Tx.
func (t *workforceTx) SaveMembership(ctx context.Context, pool, group, workerID string) error {
	return t.exec(ctx, "insert into group_member (pool, grp, worker) values ($1, $2, $3) on conflict (pool, grp, worker) do nothing", pool, group, workerID)
}

// DropMembership implements workforce.Tx.
func (t *workforceTx) DropMembership(ctx context.Context, pool, group, workerID string) error {
	return t.exec(ctx, "delete from group_member where pool = $1 and grp = $2 and worker = $3", pool, group, workerID)
}
