package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/queue"
)

// What workers do most, as one statement each on PostgreSQL: a transaction by
// itself, with one round trip where a statement at a time takes four to six, while
// the rows that others wait for are locked. SQLite has no statements that change
// several tables, and no round trips.
//
// A part that finds its guard not to hold any more must undo the others: the last
// column divides by how many rows that part changed.

// takeWhole is takeSlot and the assignment that lease writes.
const takeWhole = `with slot as (` + takeSlot + ` as line),
	leased as (insert into assignments (job, idx, worker, id, state, taken_at, expires_at)
		select cast($1 as bigint), slot.idx, $2, $5, 'active', cast($6 as bigint), cast($7 as bigint) from slot ` + takeOver + ` returning 1)
	select slot.idx, slot.line, 1 / (select count(*) from leased) from slot`

// takeAtOnce takes a task of a job without quality control for a worker who holds
// none in it. took is false if it found none.
//
// It does not wait for PostgreSQL's disk: if PostgreSQL itself dies it may have
// forgotten the tasks that went out in its last moments, at most three times
// wal_writer_delay, 0.6 s. Nobody holds such a task then, its media open for nobody,
// and its worker is told to take the next. No draft and no answer is lost with it:
// what is made durable later takes what was written before with it.
func (l *Labeling) takeAtOnce(ctx context.Context, t queue.Take, skip int) (a labeling.Assignment, took bool, err error) {
	err = l.retry(ctx, func() error {
		var o labeling.DataObject
		var one int
		err := l.db.hasty.QueryRowContext(ctx, takeWhole, t.Job.ID, t.Worker, Micros(t.Now.Add(-t.Job.Human.TaskAvailability)), skip,
			t.ID, Micros(t.Now), Micros(t.Now.Add(t.Job.Human.TaskTimeLimit))).Scan(&o.Index, &o.Line, &one)
		if took = err == nil; took {
			a = leased(t, o)
		}
		return raced(err)
	})
	if err != nil || !took {
		return a, false, err
	}
	a, err = l.taken(a, t)
	return a, true, err
}

// submitWhole is what EndLease does for a submit, up to promote. It tells whether
// that is to come: the object has left the workers' hands, and few others have a
// slot left.
func submitWhole(teams string) string {
	return `with done as (` + endAssignment(teams) + `),
	counted as (insert into labeling_workers (job, worker, submitted) select done.job, $5, 1 from done ` + oneMore + `),
	settled as (` + settleObject("1", "0", "$7", "$2") + ` from done where labeling_tasks.job = done.job and labeling_tasks.idx = done.idx
		and live > 0 returning labeling_tasks.state)
	select done.job, 1 / (select count(*) from settled), case when (select state from settled) = 'answered'
			then (select count(*) from (` + slotsLeft + ` t.job = done.job and t.idx <> done.idx limit $8) x) < $8 else false end
		from done`
}

// submitAtOnce is EndLease for a submit in a job without quality control.
func (l *Labeling) submitAtOnce(ctx context.Context, e queue.End, answer string) (done bool, err error) {
	teams, args := placeholders([]any{string(e.State), Micros(e.Now), answer, e.ID, e.Worker.ID, Micros(e.Now), len(e.Answer), plenty}, e.Worker.Teams)
	var job int64
	var few bool
	err = l.retry(ctx, func() error {
		var one int
		err := l.db.writer.QueryRowContext(ctx, submitWhole(teams), args...).Scan(&job, &one, &few)
		done = err == nil
		return raced(err)
	})
	if err != nil || !done {
		return false, err
	}
	l.plain.forget(e.ID)
	if few {
		// The answer is there, and whoever gave it is told so whatever becomes of this:
		// the engine's next round makes good for it.
		_ = l.write(context.WithoutCancel(ctx), func(ctx context.Context, tx *sql.Tx) error { return promote(ctx, tx, job, 1, e.Now) })
	}
	return true, nil
}

// raced is the error of a statement of this file as retry knows it: nil if there
// was nothing to change.
func raced(err error) error {
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case errors.As(err, &pg) && pg.Code == "22012": // division_by_zero
		return errRace
	}
	return err
}
