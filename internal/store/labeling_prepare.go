package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
)

// inputOf is what a sealed task input is bound to.
func inputOf(job, idx int64) string {
	return fmt.Sprintf("task input of object %d of job %d", idx, job)
}

// TaskInput is what the pre-annotation function made of an object that is with
// the workers; NotFound of any other.
func (l *Labeling) TaskInput(ctx context.Context, job, idx int64) (json.RawMessage, error) {
	const op = "store.Labeling.TaskInput"
	var input string
	if err := l.db.Read().QueryRowContext(ctx, `select input from task_inputs where job = $1 and idx = $2`, job, idx).Scan(&input); err != nil {
		return nil, notFound(op, err, "Object %d is not prepared.", idx)
	}
	input, err := l.seals.open(input, inputOf(job, idx))
	return json.RawMessage(input), err
}

// Preparing implements engine.Work.
func (l *Labeling) Preparing(ctx context.Context, id int64, limit int) ([]labeling.DataObject, error) {
	const op = "store.Labeling.Preparing"
	rows, err := l.db.Read().QueryContext(ctx, `select t.idx, o.line from labeling_tasks t
		`+joinObject("t")+`
		where t.job = $1 and t.state = 'preparing' order by t.idx limit $2`, id, limit)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var list []labeling.DataObject
	for rows.Next() {
		o := labeling.DataObject{Job: id}
		if err := rows.Scan(&o.Index, &o.Line); err != nil {
			return nil, wrap(op, err)
		}
		list = append(list, o)
	}
	return list, wrap(op, errors.Join(rows.Err(), rows.Close()))
}

// Prepared implements engine.Work. What does not await an answer any more is
// passed over: the job was stopped meanwhile.
func (l *Labeling) Prepared(ctx context.Context, h engine.Hold, list []engine.Prepared, now time.Time) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		excluded, failed := 0, 0
		var done []labeling.Consolidated
		for _, p := range list {
			stored, err := l.prepared(ctx, tx, h.Job, p, now)
			if err != nil {
				return err
			}
			if !stored || p.Input != nil {
				continue
			}
			done = append(done, labeling.Consolidated{Index: p.Index, Metadata: p.Metadata, Failure: p.Failure})
			if p.Excluded {
				excluded++
			} else {
				failed++
			}
		}
		if len(done) == 0 {
			return nil
		}
		if err := l.insertResults(ctx, tx, h.Job, done, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `update labeling_jobs set excluded = excluded + $1, failed = failed + $2, modified_at = $3
			where id = $4`, excluded, failed, Micros(now), h.Job); err != nil {
			return err
		}
		return promote(ctx, tx, h.Job, int64(len(done)), now)
	})
}

// prepared takes one object out of preparation.
func (l *Labeling) prepared(ctx context.Context, tx *sql.Tx, job int64, p engine.Prepared, now time.Time) (stored bool, err error) {
	if p.Input == nil {
		n, err := exec(ctx, tx, `delete from labeling_tasks where job = $1 and idx = $2 and state = 'preparing'`, job, p.Index)
		return n > 0, err
	}
	n, err := exec(ctx, tx, `update labeling_tasks set state = 'ready', ready_at = $1 where job = $2 and idx = $3 and state = 'preparing'`,
		Micros(now), job, p.Index)
	if err != nil || n == 0 {
		return false, err
	}
	input, err := l.seals.seal(string(p.Input), inputOf(job, p.Index))
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `insert into task_inputs (job, idx, input) values ($1, $2, $3)`, job, p.Index, input)
	return true, err
}
