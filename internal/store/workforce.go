package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/workforce"
)

// Workforce implements workforce.Store.
type Workforce struct {
	workforceReader
	db *DB
}

// NewWorkforce returns the workforce's rows in db.
func NewWorkforce(db *DB) *Workforce {
	return &Workforce{workforceReader{db.Read()}, db}
}

var _ workforce.Store = (*Workforce)(nil)

// Write runs fn in one transaction.
func (s *Workforce) Write(ctx context.Context, fn func(context.Context, workforce.Tx) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return fn(ctx, &workforceTx{workforceReader{tx}, tx})
	})
}

// documents reads rows whose last column is JSON: a database or a transaction.
type documents interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// document reads the one row of a query that selects doc.
func document[T any](ctx context.Context, q documents, op, what, query string, args ...any) (T, error) {
	var out T
	var doc string
	if err := q.QueryRowContext(ctx, query, args...).Scan(&doc); err != nil {
		return out, notFound(op, err, "The %s does not exist.", what)
	}
	if err := json.Unmarshal([]byte(doc), &out); err != nil {
		return out, fault.E(op, fault.Internal, "", err)
	}
	return out, nil
}

// documentList reads every row of a query that selects doc.
func documentList[T any](ctx context.Context, q documents, op, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return nil, wrap(op, err)
		}
		var one T
		if err := json.Unmarshal([]byte(doc), &one); err != nil {
			return nil, fault.E(op, fault.Internal, "", err)
		}
		out = append(out, one)
	}
	return out, wrap(op, rows.Err())
}

// workforceReader implements workforce.Reader.
type workforceReader struct{ q documents }

// LoadWorkforce implements workforce.TeamReader.
func (r workforceReader) LoadWorkforce(ctx context.Context) (workforce.Workforce, error) {
	return document[workforce.Workforce](ctx, r.q, "store.LoadWorkforce", "workforce", "select doc from workforce where slot = 1")
}

// LoadTeam implements workforce.TeamReader.
func (r workforceReader) LoadTeam(ctx context.Context, name string) (workforce.Workteam, error) {
	return document[workforce.Workteam](ctx, r.q, "store.LoadTeam", "work team", "select doc from workteam where name_key = $1", workforce.Key(name))
}

// LoadTeams implements workforce.TeamReader.
func (r workforceReader) LoadTeams(ctx context.Context) ([]workforce.Workteam, error) {
	return documentList[workforce.Workteam](ctx, r.q, "store.LoadTeams", "select doc from workteam order by name_key")
}

// LoadPool implements workforce.DirectoryReader.
func (r workforceReader) LoadPool(ctx context.Context, id string) (workforce.UserPool, error) {
	return document[workforce.UserPool](ctx, r.q, "store.LoadPool", "user pool", "select doc from user_pool where id = $1", id)
}

// LoadPools implements workforce.DirectoryReader.
func (r workforceReader) LoadPools(ctx context.Context, after string, limit int) ([]workforce.UserPool, error) {
	return documentList[workforce.UserPool](ctx, r.q, "store.LoadPools", "select doc from user_pool where id > $1 order by id limit $2", after, limit)
}

// LoadClient implements workforce.DirectoryReader.
func (r workforceReader) LoadClient(ctx context.Context, pool, id string) (workforce.UserPoolClient, error) {
	const op = "store.LoadClient"
	c, err := document[workforce.UserPoolClient](ctx, r.q, op, "user pool client", "select doc from user_pool_client where pool = $1 and id = $2", pool, id)
	if err != nil {
		return c, err
	}
	var secret string
	err = r.q.QueryRowContext(ctx, "select secret from user_pool_client where pool = $1 and id = $2", pool, id).Scan(&secret)
	c.Secret = envelope.NewSecret(secret)
	return c, wrap(op, err)
}

// LoadGroup implements workforce.DirectoryReader.
func (r workforceReader) LoadGroup(ctx context.Context, pool, name string) (workforce.Group, error) {
	return document[workforce.Group](ctx, r.q, "store.LoadGroup", "group", "select doc from user_group where pool = $1 and name = $2", pool, name)
}

// LoadGroups implements workforce.DirectoryReader.
func (r workforceReader) LoadGroups(ctx context.Context, pool, after string, limit int) ([]workforce.Group, error) {
	return documentList[workforce.Group](ctx, r.q, "store.LoadGroups",
		"select doc from user_group where pool = $1 and name > $2 order by name limit $3", pool, after, limit)
}

// LoadGroupsOf implements workforce.DirectoryReader.
func (r workforceReader) LoadGroupsOf(ctx context.Context, workerID string) ([]workforce.Group, error) {
	return documentList[workforce.Group](ctx, r.q, "store.LoadGroupsOf",
		`select g.doc from group_member m join user_group g on g.pool = m.pool and g.name = m.grp where m.worker = $1 order by g.name`, workerID)
}

func (r workforceReader) worker(ctx context.Context, op, where string, args ...any) (workforce.Worker, error) {
	return document[workforce.Worker](ctx, r.q, op, "worker", "select doc from worker where "+where, args...)
}

// LoadWorker implements workforce.DirectoryReader.
func (r workforceReader) LoadWorker(ctx context.Context, id string) (workforce.Worker, error) {
	return r.worker(ctx, "store.LoadWorker", "id = $1", id)
}

// LoadWorkerByName implements workforce.DirectoryReader.
func (r workforceReader) LoadWorkerByName(ctx context.Context, pool, username string) (workforce.Worker, error) {
	return r.worker(ctx, "store.LoadWorkerByName", "pool = $1 and name_key = $2", pool, workforce.Key(username))
}

// LoadWorkerBySub implements workforce.DirectoryReader.
func (r workforceReader) LoadWorkerBySub(ctx context.Context, pool, sub string) (workforce.Worker, error) {
	return r.worker(ctx, "store.LoadWorkerBySub", "pool = $1 and sub = $2", pool, sub)
}

// LoadWorkerByEmail implements workforce.DirectoryReader.
func (r workforceReader) LoadWorkerByEmail(ctx context.Context, pool, email string) (workforce.Worker, error) {
	return r.worker(ctx, "store.LoadWorkerByEmail", "pool = $1 and email_key = $2", pool, workforce.Key(email))
}

// LoadWorkers implements workforce.DirectoryReader.
func (r workforceReader) LoadWorkers(ctx context.Context, pool, after string, limit int) ([]workforce.Worker, error) {
	return documentList[workforce.Worker](ctx, r.q, "store.LoadWorkers",
		"select doc from worker where pool = $1 and name_key > $2 order by name_key limit $3", pool, workforce.Key(after), limit)
}

// LoadWorkersIn implements workforce.DirectoryReader.
func (r workforceReader) LoadWorkersIn(ctx context.Context, pool, group, after string, limit int) ([]workforce.Worker, error) {
	return documentList[workforce.Worker](ctx, r.q, "store.LoadWorkersIn",
		`select w.doc from group_member m join worker w on w.id = m.worker
		where m.pool = $1 and m.grp = $2 and w.name_key > $3 order by w.name_key limit $4`, pool, group, workforce.Key(after), limit)
}
