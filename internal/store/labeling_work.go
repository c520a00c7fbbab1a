package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
)

var _ engine.Store = (*Labeling)(nil)

// open are the statuses of jobs that the engine drives.
const open = `status in ('Initializing', 'InProgress', 'Stopping')`

// Stop implements engine.Jobs.
func (l *Labeling) Stop(ctx context.Context, name string, now time.Time) (j *labeling.Job, changed bool, err error) {
	if j, err = l.Job(ctx, name); err != nil {
		return nil, false, err
	}
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `update labeling_jobs set status = 'Stopping', status_key = $1, ending = 'Stopped', modified_at = $2
			where id = $3 and status in ('Initializing', 'InProgress')`, statusKey(labeling.Stopping, j.Name), Micros(now), j.ID)
		changed = n > 0
		return err
	})
	if err != nil {
		return nil, false, err
	}
	j, err = l.JobByID(ctx, j.ID)
	return j, changed, err
}

// Claim implements engine.Leases.
func (l *Labeling) Claim(ctx context.Context, owner string, now, until time.Time) (ids []int64, err error) {
	const op = "store.Labeling.Claim"
	var some int
	err = l.db.Read().QueryRowContext(ctx, `select count(*) from (select 1 from labeling_jobs where `+open+` limit 1) x`).Scan(&some)
	if err != nil || some == 0 {
		return nil, wrap(op, err)
	}
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ids = nil
		rows, err := tx.QueryContext(ctx, `update labeling_jobs set lease_owner = $1, lease_until = $2
			where `+open+` and (lease_owner = $1 or lease_until <= $3) returning id`, owner, Micros(until), Micros(now))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return ids, err
}

// Unclaim implements engine.Leases.
func (l *Labeling) Unclaim(ctx context.Context, owner string) error {
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update labeling_jobs set lease_owner = '', lease_until = 0 where lease_owner = $1`, owner)
		return err
	})
}

// TakeOver implements engine.Leases.
func (l *Labeling) TakeOver(ctx context.Context) error {
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update labeling_jobs set lease_owner = '', lease_until = 0 where lease_owner <> ''`)
		return err
	})
}

// JobByID implements engine.Work.
func (l *Labeling) JobByID(ctx context.Context, id int64) (*labeling.Job, error) {
	const op = "store.Labeling.JobByID"
	j, err := scanJob(l.db.Read().QueryRowContext(ctx, `select `+jobColumns+` from labeling_jobs where id = $1`, id))
	if err != nil {
		return nil, notFound(op, err, "There is no labeling job %d.", id)
	}
	return j, nil
}

// holding runs fn in a transaction if the owner holds the job. The update also
// locks the row, so that nobody takes the job over before the commit.
func (l *Labeling) holding(ctx context.Context, h engine.Hold, fn TxFunc) error {
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `update labeling_jobs set lease_owner = $1 where id = $2 and lease_owner = $1`, h.Owner, h.Job)
		if err != nil {
			return err
		}
		if n == 0 {
			return engine.ErrLost
		}
		return fn(ctx, tx)
	})
}

// sendBelow is the index below which objects may be sent so that not more than
// the stopping conditions allow are labelled, when so many are without a label.
func (l *Labeling) sendBelow(ctx context.Context, j *labeling.Job, total, without int64) (int64, error) {
	limit := j.Stopping.Limit(total)
	if limit >= total || j.Live != nil {
		return 1 << 62, nil
	}
	var below int64
	err := l.db.Read().QueryRowContext(ctx, `select idx + 1 from data_objects where job = $1 and kept <> $3 order by idx limit 1 offset $2`,
		j.ID, limit+without-1, keptLabel).Scan(&below)
	if errors.Is(err, sql.ErrNoRows) {
		return 1 << 62, nil
	}
	return below, wrap("store.Labeling.sendBelow", err)
}

// Progress implements engine.Work.
func (l *Labeling) Progress(ctx context.Context, id int64, cutoff time.Time) (engine.Progress, error) {
	const op = "store.Labeling.Progress"
	var p engine.Progress
	var oldest, queued int64
	err := l.db.Read().QueryRowContext(ctx, `select
			coalesce(sum(case when state = 'requeued' then 1 else 0 end), 0),
			coalesce(sum(case when state = 'ready' then 1 else 0 end), 0),
			coalesce(sum(case when state = 'answered' then 1 else 0 end), 0),
			coalesce(min(case when state = 'answered' then answered_at end), 0),
			coalesce(sum(case when state = 'ready' and live = 0 and ready_at <= $1 then 1 else 0 end), 0),
			coalesce(sum(live), 0),
			coalesce(sum(case when state = 'preparing' then 1 else 0 end), 0)
		from labeling_tasks where job = $2`, Micros(cutoff), id).Scan(&p.Requeued, &p.Ready, &p.Answered, &oldest, &p.Overdue, &p.Live, &p.Preparing)
	if err != nil {
		return p, wrap(op, err)
	}
	p.Oldest = Time(oldest)
	err = l.db.Read().QueryRowContext(ctx, `select (select count(*) from labeling_batches b where b.job = $1),
		(select count(*) from (select 1 from data_objects o where o.job = $1 and `+neverSent("$1", storedBelow("$1"))+` limit 1) x)`, id).Scan(&p.Batches, &queued)
	p.Queued = queued > 0
	return p, wrap(op, err)
}

// TopUp implements engine.Work. It writes only if there is something to make
// ready: the engine asks all the time.
func (l *Labeling) TopUp(ctx context.Context, h engine.Hold, now time.Time) error {
	const op = "store.Labeling.TopUp"
	j, err := l.JobByID(ctx, h.Job)
	if err != nil {
		return err
	}
	below, err := l.sendBelow(ctx, j, j.Counters.Total, j.Counters.Failed+j.Counters.Excluded)
	if err != nil {
		return err
	}
	var queued int64
	if err := l.db.Read().QueryRowContext(ctx, `select (select count(*) from (select 1 from labeling_jobs j join data_objects o on o.job = j.id
			where j.id = $2 and j.status = 'InProgress' and j.ending = '' and `+neverSent("$2", "$1")+` limit 1) x)
		+ (select count(*) from (select 1 from labeling_tasks where job = $2 and state = 'requeued' limit 1) y)`, below, h.Job).Scan(&queued); err != nil || queued == 0 {
		return wrap(op, err)
	}
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `update labeling_jobs set send_below = $1 where id = $2 and send_below < $1`, below, h.Job); err != nil {
			return err
		}
		var ready int64
		err := tx.QueryRowContext(ctx, `select count(*) from labeling_tasks where job = $1 and state in ('ready', 'preparing')`, h.Job).Scan(&ready)
		if err != nil || ready >= int64(j.Human.MaxConcurrent) {
			return err
		}
		return promote(ctx, tx, h.Job, int64(j.Human.MaxConcurrent)-ready, now)
	})
}

// CloseOverdue implements engine.Work.
func (l *Labeling) CloseOverdue(ctx context.Context, h engine.Hold, cutoff, now time.Time) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update labeling_tasks set state = 'answered', answered_at = $1
			where job = $2 and state = 'ready' and live = 0 and ready_at <= $3`, Micros(now), h.Job, Micros(cutoff))
		return err
	})
}

// CloseAll implements engine.Work.
func (l *Labeling) CloseAll(ctx context.Context, h engine.Hold, now time.Time) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `update labeling_tasks set state = 'answered', answered_at = $1
			where job = $2 and state in ('ready', 'requeued') and live = 0 and answered > 0`, Micros(now), h.Job); err != nil {
			return err
		}
		const unanswered = `job = $1 and (state = 'preparing' or state in ('ready', 'requeued') and live = 0 and answered = 0)`
		if _, err := tx.ExecContext(ctx, `delete from task_inputs where job = $1 and idx in (select idx from labeling_tasks where `+unanswered+`)`, h.Job); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `delete from labeling_tasks where `+unanswered, h.Job)
		return err
	})
}

// End implements engine.Work.
func (l *Labeling) End(ctx context.Context, h engine.Hold, to labeling.Status, reason string, now time.Time) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update labeling_jobs set ending = $1, failure_reason = $2, modified_at = $3
			where id = $4 and ending = ''`, string(to), reason, Micros(now), h.Job)
		return err
	})
}

// Finish implements engine.Work.
func (l *Labeling) Finish(ctx context.Context, h engine.Hold, to labeling.Status, reason, outputManifest string, now time.Time) error {
	j, err := l.JobByID(ctx, h.Job)
	if err != nil {
		return err
	}
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		// A job that failed before it started has lines that nobody needs.
		if j.Status == labeling.Initializing {
			if _, err := tx.ExecContext(ctx, `delete from data_objects where job = $1`, h.Job); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `delete from quality_facts where job = $1`, h.Job); err != nil {
			return err
		}
		// The end of a flow definition's job is nobody's news, and its row may be gone soon.
		if j.Flow == "" {
			if _, err := tx.ExecContext(ctx, `insert into labeling_untold_ends (job) values ($1) on conflict do nothing`, h.Job); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `update labeling_jobs set status = $1, status_key = $2, ending = '', failure_reason = $3, note = '',
			output_manifest = $4, modified_at = $5, lease_owner = '', lease_until = 0 where id = $6 and status = $7`,
			string(to), statusKey(to, j.Name), reason, outputManifest, Micros(now), h.Job, string(j.Status))
		return err
	})
}

// Note implements engine.Work.
func (l *Labeling) Note(ctx context.Context, h engine.Hold, note string) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update labeling_jobs set note = $1 where id = $2`, note, h.Job)
		return err
	})
}

// noBatch says that nothing awaits consolidation.
func noBatch() error {
	return fault.Newf("store.Labeling.Batch", fault.NotFound, "no object awaits consolidation")
}
