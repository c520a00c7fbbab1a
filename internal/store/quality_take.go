package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/quality"
	"fiducial/internal/labeling/queue"
)

// enter answers with how many tasks of the job the worker has had, and whether
// the worker is barred from it. The update locks the worker's row: Bar waits
// for this transaction and then ends the lease that it makes, or this one
// waits for Bar and then finds the worker barred.
func enter(ctx context.Context, tx *sql.Tx, t queue.Take) (tasks int64, barred bool, err error) {
	for range 2 {
		err = tx.QueryRowContext(ctx, `update quality_workers set tasks = tasks where job = $1 and worker = $2 returning tasks,
			case when barred_until > $3 then 1 else 0 end`, t.Job.ID, t.Worker, Micros(t.Now)).Scan(&tasks, &barred)
		if !errors.Is(err, sql.ErrNoRows) {
			return tasks, barred, err
		}
		if _, err = tx.ExecContext(ctx, `insert into quality_workers (job, worker) values ($1, $2) on conflict do nothing`, t.Job.ID, t.Worker); err != nil {
			return 0, false, err
		}
	}
	return 0, false, errRace
}

// takeGold leases a gold question, if one is due. It is due only where the
// worker could have an ordinary object: nobody gets a task of a job that has
// none for them. A question that was given back comes back, since nothing that
// chooses it has changed.
func takeGold(ctx context.Context, tx *sql.Tx, t queue.Take, tasks int64) (a labeling.Assignment, err error) {
	slots := slotsOf(t.Job, t.Worker)
	if !slots.Due(tasks) {
		return a, nil
	}
	if n, err := countAvailable(ctx, tx, t); err != nil || n == 0 {
		return a, err
	}
	var count int64
	if err := tx.QueryRowContext(ctx, `select gold from labeling_jobs where id = $1`, t.Job.ID).Scan(&count); err != nil || count == 0 {
		return a, err
	}
	var o labeling.DataObject
	first := -1 - slots.First(tasks, count)
	for _, from := range []int64{first, -1} { // to the end, and once more from the beginning
		err = tx.QueryRowContext(ctx, `select o.idx, o.line from data_objects o where o.job = $1 and o.idx <= $3 and o.idx >= $4
			and coalesce((select a.state from assignments a where a.job = o.job and a.idx = o.idx and a.worker = $2), 'released') in ('released', 'expired')
			order by o.idx desc limit 1`, t.Job.ID, t.Worker, from, -count).Scan(&o.Index, &o.Line)
		if !errors.Is(err, sql.ErrNoRows) {
			break
		}
	}
	if errors.Is(err, sql.ErrNoRows) { // the worker has had them all
		return a, nil
	}
	if err != nil {
		return a, err
	}
	return lease(ctx, tx, t, o)
}

func slotsOf(j *labeling.Job, worker string) quality.Slots {
	return quality.Slots{Secret: j.ID, Worker: worker, Every: j.Quality.Gold.OneTaskIn}
}

// lockWorker locks the row of the worker in the job of the assignment, and
// reports whether there is one: only workers of jobs with quality control have
// one. It comes before all else, as in Take and Bar, so that none of the three
// waits for another that waits for it.
func lockWorker(ctx context.Context, tx *sql.Tx, e queue.End) (bool, error) {
	n, err := exec(ctx, tx, `update quality_workers set tasks = tasks where job = (select a.job from assignments a where a.id = $1) and worker = $2`, e.ID, e.Worker.ID)
	return n > 0, err
}

// observe notes that a worker has ended a task of a job with quality control.
func observe(ctx context.Context, tx *sql.Tx, job, idx int64, e queue.End) error {
	kind := quality.Skipped
	if e.State == labeling.Submitted {
		kind = quality.Answered
	}
	_, err := tx.ExecContext(ctx, `update quality_workers set tasks = tasks + $1 where job = $2 and worker = $3`,
		Bool(e.State != labeling.Released), job, e.Worker.ID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `insert into quality_facts (job, id, worker, idx, kind, at)
		select j.id, cast($2 as text), cast($3 as text), cast($4 as bigint), cast($5 as text), cast($6 as bigint) from labeling_jobs j
		where j.id = $1 and j.status in ('InProgress', 'Stopping')`, job, e.ID, e.Worker.ID, idx, string(kind), Micros(e.Now))
	return err
}

// disguise makes what a worker is told of a job the same whether tasks are
// gold or not: gold questions are counted into what waits, and how far the job
// is, where only ordinary answers show, is not told.
func (l *Labeling) disguise(ctx context.Context, j *labeling.Job, worker string, now time.Time, o *labeling.Offer) error {
	o.Total, o.Finished = 0, 0
	var tasks, barred, gold int64
	err := l.db.Read().QueryRowContext(ctx, `select coalesce(max(w.tasks), 0), coalesce(max(w.barred_until), 0),
			(select j.gold from labeling_jobs j where j.id = $1)
		from quality_workers w where w.job = $1 and w.worker = $2`, j.ID, worker).Scan(&tasks, &barred, &gold)
	if err != nil {
		return err
	}
	if barred > Micros(now) {
		o.HasWork, o.Waiting, o.Resume = false, 0, ""
		return nil
	}
	if !j.HasGold() {
		return nil
	}
	var had int64
	err = l.db.Read().QueryRowContext(ctx, `select count(*) from assignments where job = $1 and idx < 0 and worker = $2
		and state not in ('released', 'expired')`, j.ID, worker).Scan(&had)
	if o.Resume != "" {
		tasks++ // it is the next one's turn
	}
	o.Waiting += slotsOf(j, worker).Ahead(tasks, o.Waiting, gold-had)
	return err
}

var _ queue.Barrier = (*Labeling)(nil)

// Bar implements queue.Barrier.
func (l *Labeling) Bar(ctx context.Context, b queue.Bar) (ended []string, err error) {
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ended = nil
		_, err := tx.ExecContext(ctx, `insert into quality_workers (job, worker, barred_until, requeue) values ($1, $2, $3, $4)
			on conflict (job, worker) do update set requeue = case when excluded.requeue > quality_workers.requeue then excluded.requeue else quality_workers.requeue end,
				barred_until = case when excluded.barred_until > quality_workers.barred_until then excluded.barred_until else quality_workers.barred_until end`,
			b.Job, b.Worker, Micros(b.Until), Bool(b.Requeue))
		if err != nil || !b.Until.After(b.Now) {
			return err
		}
		ended, err = expireSome(ctx, tx, b.Now, `select id, job, idx from assignments where job = $1 and worker = $2 and state = 'active'`, b.Job, b.Worker)
		return err
	})
	return ended, err
}

// Admit implements queue.Barrier.
func (l *Labeling) Admit(ctx context.Context, job int64, worker string, now time.Time) (was bool, err error) {
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `update quality_workers set barred_until = 0 where job = $1 and worker = $2 and barred_until > $3`, job, worker, Micros(now))
		was = n > 0
		return err
	})
	return was, err
}
