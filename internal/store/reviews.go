package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/review"
)

// Reviews implements review.Store, over the rows of labeling jobs.
type Reviews struct{ l *Labeling }

var _ review.Store = Reviews{}

// NewReviews returns the human task UIs, flow definitions and human loops whose tasks
// are in l.
func NewReviews(l *Labeling) Reviews { return Reviews{l} }

// CreateTaskUI implements review.TaskUIs.
func (r Reviews) CreateTaskUI(ctx context.Context, u review.TaskUI) error {
	const op = "store.CreateTaskUI"
	return r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `insert into human_task_uis (name, content, sha256, created_at) values ($1, $2, $3, $4)
			on conflict do nothing`, u.Name, u.Content, u.SHA256, Micros(u.CreatedAt))
		if err == nil && n == 0 {
			return fault.Newf(op, fault.Exists, "A human task UI named %s exists already.", labeling.Quote(u.Name))
		}
		return err
	})
}

// TaskUI implements review.TaskUIs.
func (r Reviews) TaskUI(ctx context.Context, name string) (review.TaskUI, error) {
	u := review.TaskUI{Name: name}
	var created int64
	err := r.l.db.Read().QueryRowContext(ctx, `select content, sha256, created_at from human_task_uis where name = $1`, name).Scan(&u.Content, &u.SHA256, &created)
	if err != nil {
		return u, notFound("store.TaskUI", err, "The human task UI %s does not exist.", labeling.Quote(name))
	}
	u.CreatedAt = Time(created)
	return u, nil
}

// TaskUIs implements review.TaskUIs.
func (r Reviews) TaskUIs(ctx context.Context) ([]review.TaskUI, error) {
	const op = "store.TaskUIs"
	rows, err := r.l.db.Read().QueryContext(ctx, `select name, sha256, created_at from human_task_uis`)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []review.TaskUI
	for rows.Next() {
		var u review.TaskUI
		var created int64
		if err := rows.Scan(&u.Name, &u.SHA256, &created); err != nil {
			return nil, wrap(op, err)
		}
		u.CreatedAt = Time(created)
		out = append(out, u)
	}
	return out, wrap(op, rows.Err())
}

// DeleteTaskUI implements review.TaskUIs.
func (r Reviews) DeleteTaskUI(ctx context.Context, name string) error {
	return r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `delete from human_task_uis where name = $1`, name)
		if err == nil && n == 0 {
			return fault.Newf("store.DeleteTaskUI", fault.NotFound, "The human task UI %s does not exist.", labeling.Quote(name))
		}
		return err
	})
}

// CreateFlow implements review.Flows.
func (r Reviews) CreateFlow(ctx context.Context, f *review.Flow) error {
	return r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := r.dropStopped(ctx, tx, f.Name); err != nil {
			return err
		}
		n, err := exec(ctx, tx, `insert into flow_definitions (name, job, created_at) values ($1, $2, $3) on conflict do nothing`,
			f.Name, f.Job.ID, Micros(f.CreatedAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Newf("store.CreateFlow", fault.Exists, "A flow definition named %s exists already.", labeling.Quote(f.Name))
		}
		return createJob(ctx, tx, f.Job)
	})
}

// flows reads the flow definitions that are not gone and fulfil a further condition.
func (r Reviews) flows(ctx context.Context, op, where string, args ...any) ([]*review.Flow, error) {
	rows, err := r.l.db.Read().QueryContext(ctx, `select `+prefixed("j.", jobColumns)+`, f.name, f.created_at
		from flow_definitions f join labeling_jobs j on j.id = f.job where j.status <> 'Stopped'`+where, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []*review.Flow
	for rows.Next() {
		var f review.Flow
		var created int64
		if f.Job, err = scanJob(withMore{rows, []any{&f.Name, &created}}); err != nil {
			return nil, wrap(op, err)
		}
		f.CreatedAt = Time(created)
		out = append(out, &f)
	}
	return out, wrap(op, rows.Err())
}

// Flow implements review.Flows.
func (r Reviews) Flow(ctx context.Context, name string) (*review.Flow, error) {
	const op = "store.Flow"
	found, err := r.flows(ctx, op, " and f.name = $1", name)
	if err == nil && len(found) == 0 {
		err = fault.Newf(op, fault.NotFound, "The flow definition %s does not exist.", labeling.Quote(name))
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Flows implements review.Flows.
func (r Reviews) Flows(ctx context.Context) ([]*review.Flow, error) {
	return r.flows(ctx, "store.Flows", "")
}

// DeletingFlow implements review.Flows.
func (r Reviews) DeletingFlow(ctx context.Context, f *review.Flow, now time.Time) (done bool, err error) {
	err = r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `update labeling_jobs set status = 'Stopping', status_key = $1, modified_at = $2 where id = $3 and status = 'InProgress'`,
			statusKey(labeling.Stopping, f.Job.Name), Micros(now), f.Job.ID)
		done = n > 0
		return err
	})
	return done, err
}

// DropUnstarted implements review.Flows.
func (r Reviews) DropUnstarted(ctx context.Context, job int64) error {
	return r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, text := range []string{
			`delete from data_objects where job = $1 and idx in (select l.idx from human_loops l where l.job = $1 and ` + unstarted + `)`,
			`delete from human_loops where job = $1 and idx in (select l.idx from human_loops l where l.job = $1 and ` + unstarted + `)`,
		} {
			if _, err := tx.ExecContext(ctx, text, job); err != nil {
				return err
			}
		}
		return nil
	})
}

// unstarted is the condition of loops l that have not ended and have no task.
const unstarted = `l.ended_at = 0 and not exists (select 1 from labeling_tasks t where t.job = l.job and t.idx = l.idx)
	and exists (select 1 from labeling_jobs j where j.id = l.job and j.status = 'Stopping')`

// dropStopped drops what was left of a flow when a process died right after its end.
func (r Reviews) dropStopped(ctx context.Context, tx *sql.Tx, name string) error {
	var job int64
	err := tx.QueryRowContext(ctx, `select f.job from flow_definitions f join labeling_jobs j on j.id = f.job
		where f.name = $1 and j.status = 'Stopped'`, name).Scan(&job)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return dropFlow(ctx, tx, job)
}

// DropFlow implements review.Flows.
func (r Reviews) DropFlow(ctx context.Context, job int64) error {
	return r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return dropFlow(ctx, tx, job) })
}

// dropFlow deletes a flow that is over. Ends of assignments that were not told yet
// stay: media URLs rest on them.
func dropFlow(ctx context.Context, tx *sql.Tx, job int64) error {
	for _, text := range []string{
		`delete from flow_definitions where job = $1 and exists (select 1 from labeling_jobs j where j.id = $1 and j.status in ('Failed', 'Stopped'))`,
		`delete from labeling_jobs where id = $1 and flow <> '' and status in ('Failed', 'Stopped')`,
		`delete from human_loops where job = $1`, `delete from data_objects where job = $1`, `delete from labeling_tasks where job = $1`,
		`delete from labeling_results where job = $1`, `delete from labeling_batches where job = $1`, `delete from labeling_workers where job = $1`,
		`delete from assignments where job = $1 and told = 1`, `update assignments set answer = '', draft = '' where job = $1`,
	} {
		n, err := exec(ctx, tx, text, job)
		if err != nil {
			return err
		}
		if n == 0 && strings.HasPrefix(text, "delete from flow_definitions") {
			return nil // it is not there any more, or not over
		}
	}
	return nil
}
