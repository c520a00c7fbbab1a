package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/review"
)

// StartLoop implements review.Loops.
func (r Reviews) StartLoop(ctx context.Context, l *review.Loop, input []byte, most int64) (*review.Loop, error) {
	const op = "store.StartLoop"
	started := *l
	err := r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		same, err := r.loops(ctx, tx, op, `l.name = $1`, l.Name)
		if err != nil {
			return err
		}
		if len(same) > 0 {
			if same[0].Digest != l.Digest {
				return fault.Newf(op, fault.Exists, "A human loop named %s was started already with different input data. Choose another name, or delete that loop first.", labeling.Quote(l.Name))
			}
			started = *same[0]
			return nil
		}
		if started.Object, err = arriving(ctx, tx, l, most); err != nil {
			return err
		}
		return addLoop(ctx, tx, &started, input)
	})
	if err != nil {
		return nil, err
	}
	found, err := r.located(ctx, []*review.Loop{&started}, nil)
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// arriving takes the next place in the flow's job. A loop that has ended already
// counts as failed.
func arriving(ctx context.Context, tx *sql.Tx, l *review.Loop, most int64) (place int64, err error) {
	const op = "store.StartLoop"
	err = tx.QueryRowContext(ctx, `update labeling_jobs set ingested = ingested + 1, total = total + 1, failed = failed + $1, modified_at = $2
		where id = $3 and status = 'InProgress' and total - human_labeled - failed < $4 returning ingested - 1`,
		Bool(!l.EndedAt.IsZero()), Micros(l.CreatedAt), l.Job, most).Scan(&place)
	if !errors.Is(err, sql.ErrNoRows) {
		return place, err
	}
	var active int
	if err := tx.QueryRowContext(ctx, `select count(*) from labeling_jobs where id = $1 and status = 'InProgress'`, l.Job).Scan(&active); err != nil {
		return 0, err
	}
	if active == 0 {
		return 0, fault.Newf(op, fault.InUse, "The flow definition %s is not active.", labeling.Quote(l.Flow))
	}
	return 0, fault.Newf(op, fault.Limit, "The flow definition %s has %d human loops in progress, the most that it may have.", labeling.Quote(l.Flow), most)
}

func addLoop(ctx context.Context, tx *sql.Tx, l *review.Loop, input []byte) error {
	ended := int64(0)
	if !l.EndedAt.IsZero() {
		ended = Micros(l.EndedAt)
	}
	if _, err := tx.ExecContext(ctx, `insert into human_loops (name, flow, job, idx, digest, status, failure_code, failure_reason, created_at, ended_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		l.Name, l.Flow, l.Job, l.Object, l.Digest, string(l.Status), l.FailureCode, l.FailureReason, Micros(l.CreatedAt), ended); err != nil {
		return err
	}
	if ended > 0 { // it has no task
		return nil
	}
	if _, err := tx.ExecContext(ctx, `insert into data_objects (job, idx, line) values ($1, $2, $3)`, l.Job, l.Object, string(input)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `insert into labeling_tasks (job, idx, state, wanted, most, ready_at)
		select $1, cast($2 as bigint), 'ready', workers, workers, cast($3 as bigint) from labeling_jobs where id = $1`, l.Job, l.Object, Micros(l.CreatedAt))
	return err
}

// StopLoop implements review.Loops. The task leaves the workers' hands at once if
// nobody works on it, else with the last of its assignments (see settle).
func (r Reviews) StopLoop(ctx context.Context, name string, now time.Time) error {
	const op = "store.StopLoop"
	return r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var job, idx int64
		err := tx.QueryRowContext(ctx, `update human_loops set status = 'Stopping' where name = $1 and status = 'InProgress' returning job, idx`, name).Scan(&job, &idx)
		if errors.Is(err, sql.ErrNoRows) {
			found, err := r.loops(ctx, tx, op, `l.name = $1`, name)
			if err == nil && len(found) == 0 {
				err = noLoop(op, name)
			}
			return err
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `update labeling_tasks set closing = 1, answered_at = case when live = 0 then $1 else answered_at end,
			state = case when live = 0 then 'answered' else state end
			where job = $2 and idx = $3 and state = 'ready'`, Micros(now), job, idx)
		return err
	})
}

// DeleteLoop implements review.Loops. Ends of assignments that were not told yet
// stay, without what was answered.
func (r Reviews) DeleteLoop(ctx context.Context, name string) (done bool, err error) {
	err = r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done = false
		var job, idx int64
		err := tx.QueryRowContext(ctx, `delete from human_loops where name = $1 and ended_at > 0 returning job, idx`, name).Scan(&job, &idx)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, text := range []string{
			`delete from data_objects where job = $1 and idx = $2`, `delete from labeling_results where job = $1 and idx = $2`,
			`delete from assignments where job = $1 and idx = $2 and told = 1`, `update assignments set answer = '', draft = '' where job = $1 and idx = $2`,
		} {
			if _, err := tx.ExecContext(ctx, text, job, idx); err != nil {
				return err
			}
		}
		done = true
		return nil
	})
	return done, err
}
