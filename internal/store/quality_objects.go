package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
)

// again sends the objects of a batch whose workers disagree back for one more
// answer, and returns the other results.
func again(ctx context.Context, tx *sql.Tx, job, batch int64, results []labeling.Consolidated) ([]labeling.Consolidated, error) {
	done := make([]labeling.Consolidated, 0, len(results))
	for _, r := range results {
		if !r.Again {
			done = append(done, r)
			continue
		}
		n, err := exec(ctx, tx, `update labeling_tasks set wanted = wanted + 1, state = 'requeued', batch = 0
			where job = $1 and idx = $2 and state = 'answered' and batch = $3 and wanted < most`, job, r.Index, batch)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, fmt.Errorf("object %d of job %d wants as many answers as it may already", r.Index, job)
		}
	}
	return done, nil
}

// another lets an object want one more answer, if it may. One that is being
// consolidated at the moment stays as it is.
func another(ctx context.Context, tx *sql.Tx, job, idx int64, now time.Time) error {
	if idx < 0 {
		return nil
	}
	n, err := exec(ctx, tx, `update labeling_tasks set wanted = wanted + 1, state = case when state = 'answered' then 'requeued' else state end
		where job = $1 and idx = $2 and batch = 0 and wanted < most`, job, idx)
	if err != nil || n > 0 {
		return err
	}
	var answers, most int64
	err = tx.QueryRowContext(ctx, `select (select count(*) from assignments where job = $1 and idx = $2 and state = 'submitted'), workers
		from labeling_jobs where id = $1`, job, idx).Scan(&answers, &most)
	if err != nil || answers >= most {
		return err
	}
	_, err = reopen(ctx, tx, job, idx, 1, now)
	return err
}

// reopen takes an object that is labelled, or failed, back into work. It wants
// as many answers as at the beginning, or so many more than it has; with as
// many as that it is consolidated again as it is. It reports whether the
// object was one.
func reopen(ctx context.Context, tx *sql.Tx, job, idx, more int64, now time.Time) (bool, error) {
	var failure string
	err := tx.QueryRowContext(ctx, `delete from labeling_results where job = $1 and idx = $2 returning failure`, job, idx).Scan(&failure)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	failed := Bool(failure != "")
	if _, err := tx.ExecContext(ctx, `update labeling_jobs set human_labeled = human_labeled - $1, failed = failed - $2, modified_at = $3 where id = $4`,
		1-failed, failed, Micros(now), job); err != nil {
		return false, err
	}
	var answered, declined, size, first, most int64
	err = tx.QueryRowContext(ctx, `select coalesce(sum(case when state = 'submitted' then 1 else 0 end), 0), coalesce(sum(case when state = 'declined' then 1 else 0 end), 0),
			coalesce(sum(case when state = 'submitted' then length(answer) else 0 end), 0),
			(select case when overlap > 0 then overlap else workers end from labeling_jobs where id = $1), (select workers from labeling_jobs where id = $1)
		from assignments where job = $1 and idx = $2`, job, idx).Scan(&answered, &declined, &size, &first, &most)
	if err != nil {
		return false, err
	}
	wanted := min(max(first, answered+more), most)
	state := labeling.ObjectRequeued
	if answered >= wanted {
		state = labeling.ObjectAnswered
	}
	_, err = tx.ExecContext(ctx, `insert into labeling_tasks (job, idx, state, wanted, most, answered, declined, answer_bytes, ready_at, answered_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`, job, idx, string(state), wanted, most, answered, declined, size, Micros(now))
	return true, err
}

// Requeue implements engine.Control.
func (l *Labeling) Requeue(ctx context.Context, h engine.Hold, limit int, now time.Time) (n int, err error) {
	const op = "store.Labeling.Requeue"
	const pending = `select worker from quality_workers where job = $1 and requeue = 1 and not exists (select 1 from labeling_batches b where b.job = $1) limit 1`
	var worker string
	err = l.db.Read().QueryRowContext(ctx, pending, h.Job).Scan(&worker)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, wrap(op, err)
	}
	err = l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		n = 0
		list, err := submitted(ctx, tx, h.Job, worker, limit)
		if err != nil {
			return err
		}
		for _, o := range list {
			if err := discard(ctx, tx, h.Job, o, now); err != nil {
				return err
			}
		}
		if n = len(list); n == limit {
			return nil
		}
		_, err = tx.ExecContext(ctx, `update quality_workers set requeue = 0 where job = $1 and worker = $2`, h.Job, worker)
		n++ // there may be another worker
		return err
	})
	return n, err
}

type answerRow struct {
	id        string
	idx, size int64
}

// submitted are answers of a worker to ordinary objects.
func submitted(ctx context.Context, tx *sql.Tx, job int64, worker string, limit int) (out []answerRow, err error) {
	rows, err := tx.QueryContext(ctx, `select id, idx, length(answer) from assignments where job = $1 and worker = $2 and state = 'submitted' and idx >= 0
		order by idx limit $3`, job, worker, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r answerRow
		if err := rows.Scan(&r.id, &r.idx, &r.size); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, errors.Join(rows.Err(), rows.Close())
}

// discard takes an answer out of its object, which wants another then. The
// answer itself stays, for whoever asks what was discarded.
func discard(ctx context.Context, tx *sql.Tx, job int64, o answerRow, now time.Time) error {
	n, err := exec(ctx, tx, `update assignments set state = 'discarded' where id = $1 and state = 'submitted'`, o.id)
	if err != nil || n == 0 {
		return err
	}
	n, err = exec(ctx, tx, `update labeling_tasks set answered = answered - 1,
			answer_bytes = case when answer_bytes > $1 then answer_bytes - $1 else 0 end,
			state = case when state = 'answered' and declined < most then 'requeued' else state end
		where job = $2 and idx = $3 and answered > 0`, o.size, job, o.idx)
	if err != nil || n > 0 {
		return err
	}
	_, err = reopen(ctx, tx, job, o.idx, 0, now)
	return err
}
