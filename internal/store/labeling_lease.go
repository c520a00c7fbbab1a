package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/queue"
)

const selectAssignment = `select a.id, a.job, a.idx, a.worker, a.state, a.taken_at, a.expires_at, a.ended_at, a.draft, a.draft_at, o.line, coalesce(i.input, '')
	from assignments a join data_objects o on o.job = a.job and o.idx = a.idx
	left join task_inputs i on i.job = a.job and i.idx = a.idx where a.id = $1`

// scanAssignment reads selectAssignment. Of the job it knows the id alone.
func scanAssignment(row *sql.Row) (labeling.Assignment, error) {
	a := labeling.Assignment{Job: &labeling.Job{}}
	var taken, expires, ended, drafted int64
	var draft, line, input string
	if err := row.Scan(&a.ID, &a.Job.ID, &a.Index, &a.Worker, &a.State, &taken, &expires, &ended, &draft, &drafted, &line, &input); err != nil {
		return labeling.Assignment{}, err
	}
	a.TakenAt, a.ExpiresAt, a.EndedAt, a.DraftAt = Time(taken), Time(expires), Time(ended), Time(drafted)
	a.Line = json.RawMessage(line)
	if draft != "" {
		a.Draft = json.RawMessage(draft)
	}
	if input != "" {
		a.Input = json.RawMessage(input)
	}
	return a, nil
}

// What sealed columns are bound to.
func draftOf(assignment string) string  { return "draft of assignment " + assignment }
func answerOf(assignment string) string { return "answer of assignment " + assignment }

// opened is an assignment with its draft and its task input opened.
func (l *Labeling) opened(a labeling.Assignment) (labeling.Assignment, error) {
	for _, sealed := range []struct {
		text *json.RawMessage
		of   string
	}{{&a.Draft, draftOf(a.ID)}, {&a.Input, inputOf(a.Job.ID, a.Index)}} {
		if *sealed.text == nil {
			continue
		}
		text, err := l.seals.open(string(*sealed.text), sealed.of)
		if err != nil {
			return a, err
		}
		*sealed.text = json.RawMessage(text)
	}
	return a, nil
}

// Assignment implements queue.Store.
func (l *Labeling) Assignment(ctx context.Context, id string) (labeling.Assignment, error) {
	const op = "store.Labeling.Assignment"
	a, err := scanAssignment(l.db.Read().QueryRowContext(ctx, selectAssignment, id))
	if err != nil {
		return a, notFound(op, err, "There is no assignment %s.", labeling.Quote(id))
	}
	if a, err = l.opened(a); err != nil {
		return a, err
	}
	a.Job, err = l.begun(ctx, a.Job.ID)
	return a, err
}

// JobToWorkOn implements queue.Store.
func (l *Labeling) JobToWorkOn(ctx context.Context, name string) (*labeling.Job, error) {
	if j := l.cache.named(name); j != nil {
		return j, nil
	}
	j, err := l.Job(ctx, name)
	if err == nil {
		l.cache.keep(j)
	}
	return j, err
}

// begun is JobToWorkOn by id.
func (l *Labeling) begun(ctx context.Context, id int64) (*labeling.Job, error) {
	if j := l.cache.numbered(id); j != nil {
		return j, nil
	}
	j, err := l.JobByID(ctx, id)
	if err == nil {
		l.cache.keep(j)
	}
	return j, err
}

// InProgress implements queue.Store.
func (l *Labeling) InProgress(ctx context.Context, job int64) (bool, error) {
	var n int
	err := l.db.Read().QueryRowContext(ctx, `select count(*) from labeling_jobs
		where id = $1 and (status = 'InProgress' and ending = '' or status = 'Initializing')`, job).Scan(&n)
	return n > 0, wrap("store.Labeling.InProgress", err)
}

// SaveDraft implements queue.Store.
func (l *Labeling) SaveDraft(ctx context.Context, w labeling.Worker, id string, draft json.RawMessage, now time.Time) (live bool, err error) {
	sealed, err := l.seals.seal(string(draft), draftOf(id))
	if err != nil {
		return false, err
	}
	teams, args := placeholders([]any{sealed, Micros(now), id, w.ID}, w.Teams)
	err = l.writeOne(ctx, func(ctx context.Context, db execer) error {
		n, err := exec(ctx, db, `update assignments set draft = $1, draft_at = $2
			where id = $3 and worker = $4 and `+unexpired+` > $2 and `+inTeams(teams), args...)
		live = n > 0
		return err
	})
	return live, err
}

// unexpired begins the condition that an assignment is live at an instant.
const unexpired = `state = 'active' and expires_at`

// inTeams is the condition that an assignment's job is of one of the teams.
func inTeams(teams string) string {
	return `exists (select 1 from labeling_jobs j where j.id = assignments.job and j.workteam in (` + teams + `))`
}

// EndLease implements queue.Store.
func (l *Labeling) EndLease(ctx context.Context, e queue.End) (done bool, err error) {
	until := int64(0) // a submit must be in time; other ends need not
	if e.State == labeling.Submitted {
		until = Micros(e.Now)
	}
	answer, err := l.seals.seal(string(e.Answer), answerOf(e.ID))
	if err != nil {
		return false, err
	}
	teams, args := placeholders([]any{string(e.State), Micros(e.Now), answer, e.ID, e.Worker.ID, until}, e.Worker.Teams)
	plain := l.plain.has(e.ID)
	if plain && e.State == labeling.Submitted && l.db.dialect == Postgres {
		return l.submitAtOnce(ctx, e, answer)
	}
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		controlled := false
		if !plain {
			var err error
			if controlled, err = lockWorker(ctx, tx, e); err != nil {
				return err
			}
		}
		var err error
		var job, idx int64
		err = tx.QueryRowContext(ctx, endAssignment(teams), args...).Scan(&job, &idx)
		if done = err == nil; errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if e.State == labeling.Submitted {
			_, err = tx.ExecContext(ctx, `insert into labeling_workers (job, worker, submitted) values ($1, $2, 1) `+oneMore, job, e.Worker.ID)
			if err != nil {
				return err
			}
		}
		if controlled {
			if err := observe(ctx, tx, job, idx, e); err != nil {
				return err
			}
		}
		return settle(ctx, tx, job, idx, e)
	})
	if done && err == nil {
		l.plain.forget(e.ID)
	}
	return done && err == nil, err
}

// endAssignment ends a worker's own live assignment, in a job of one of the teams.
func endAssignment(teams string) string {
	return `update assignments set state = $1, ended_at = $2, answer = $3, draft = ''
		where id = $4 and worker = $5 and ` + unexpired + ` > $6 and ` + inTeams(teams) + ` returning job, idx`
}

// oneMore is what becomes of a worker's count of answers in a job that is there already.
const oneMore = `on conflict (job, worker) do update set submitted = labeling_workers.submitted + 1`

// endLease ends a live assignment without an answer, whoever's it is.
func endLease(ctx context.Context, tx *sql.Tx, job, idx int64, e queue.End) (bool, error) {
	n, err := exec(ctx, tx, `update assignments set state = $1, ended_at = $2, draft = '' where id = $3 and state = 'active'`,
		string(e.State), Micros(e.Now), e.ID)
	if err != nil || n == 0 {
		return false, err
	}
	return true, settle(ctx, tx, job, idx, e)
}

// settle counts an ended assignment in its object. An object with all its
// answers, or that enough workers declined, or that is closing and that nobody
// works on any more, leaves the workers' hands. Where few are left to take, the
// next in the manifest takes its place at once, so that a job with few concurrent
// tasks never runs dry between two rounds of the engine.
func settle(ctx context.Context, tx *sql.Tx, job, idx int64, e queue.End) error {
	if idx < 0 { // a gold question is in nobody's way
		return nil
	}
	answered, declined := Bool(e.State == labeling.Submitted), Bool(e.State == labeling.Declined)
	var state string
	err := tx.QueryRowContext(ctx, settleObject("$1", "$2", "$3", "$4")+` where job = $5 and idx = $6 and live > 0 returning state`,
		answered, declined, len(e.Answer), Micros(e.Now), job, idx).Scan(&state)
	if err != nil || state != string(labeling.ObjectAnswered) {
		return err
	}
	var left int
	if err := tx.QueryRowContext(ctx, leftToTake, job, plenty).Scan(&left); err != nil || left == plenty {
		return err
	}
	return promote(ctx, tx, job, 1, e.Now)
}

// settleObject counts the end of an assignment in its object. What it adds are
// placeholders or numbers: answers and declines, the answer's bytes; and when.
func settleObject(answered, declined, bytes, at string) string {
	return `update labeling_tasks set live = live - 1, answered = answered + ` + answered + `, declined = declined + ` + declined + `,
		answer_bytes = answer_bytes + ` + bytes + `, answered_at = ` + at + `,
		state = case when answered + ` + answered + ` >= wanted or (live = 1 and (closing = 1 or declined + ` + declined + ` >= most)) then 'answered' else state end`
}

// plenty is of how many objects with a slot left a submit adds none: that is the
// engine's, which adds many at once. On PostgreSQL those who add the same object
// wait for each other.
const plenty = 32

const leftToTake = `select count(*) from (` + slotsLeft + ` t.job = $1 limit $2) x`

// slotsLeft are the objects with a slot left, of a job that is to follow.
const slotsLeft = `select 1 from labeling_tasks t where t.state = 'ready' and t.closing = 0 and t.wanted > t.live + t.answered and`

// promote makes up to n more objects ready: first those that come back to the
// workers, then the next queued ones, or has these prepared where the job has a
// function for that. What is queued is what comes after everything that was
// ever sent.
func promote(ctx context.Context, tx *sql.Tx, job int64, n int64, now time.Time) error {
	back, err := exec(ctx, tx, `update labeling_tasks set state = 'ready', ready_at = $1
		where job = $2 and state = 'requeued'
			and idx in (select t.idx from labeling_tasks t where t.job = $2 and t.state = 'requeued' order by t.idx limit $3)
			and exists (select 1 from labeling_jobs j where j.id = $2 and j.status = 'InProgress' and j.ending = '')`, Micros(now), job, n)
	if n -= back; err != nil || n <= 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `insert into labeling_tasks (job, idx, state, wanted, most, ready_at)
		select o.job, o.idx, case when j.prepares = 1 then 'preparing' else 'ready' end, case when j.overlap > 0 then j.overlap else j.workers end, j.workers, cast($1 as bigint)
		from labeling_jobs j join data_objects o on o.job = j.id
		where j.id = $2 and `+neverSent("$2", storedBelow("$2"))+`
		order by o.idx limit $3 on conflict do nothing`, Micros(now), job, n)
	return err
}

// neverSent is the condition that an object o, below an index, is one for workers
// that none of them was ever sent.
//
// It is written for PostgreSQL, which knows neither bound when it plans: of a range
// with two ends it expects few rows and reads them by their key; of one with a
// single end, or one with an end in a row that it joins, it expects a third, and then
// reads the whole job, each time that a worker submits. "kept < 1" and not "= 0":
// of a job that it has no statistics of yet it takes "= 0" for one row of all.
func neverSent(job, below string) string {
	return `o.kept < 1 and o.idx < ` + below + `
		and o.idx > (select coalesce(max(t.idx), -1) from labeling_tasks t where t.job = ` + job + `)
		and o.idx > (select coalesce(max(r.idx), -1) from labeling_results r where r.job = ` + job + `)`
}

// storedBelow is the index below which a job in progress sends objects, and nothing
// for another job.
func storedBelow(job string) string {
	return `(select b.send_below from labeling_jobs b where b.id = ` + job + ` and b.status = 'InProgress' and b.ending = '')`
}

// maxExpire bounds how many leases a Take that finds nothing ends.
const maxExpire = 50

// leaseEnd begins a condition on when leases end, of whatever job: the index
// assignments_lease has that alone, and is for nothing else.
const leaseEnd = `state = 'active' and expires_at > 0 and expires_at`

// Expire implements queue.Store.
func (l *Labeling) Expire(ctx context.Context, now time.Time, limit int) (ids []string, err error) {
	// Questions first: nothing to expire is the usual case, and needs no write.
	var some int
	err = l.db.Read().QueryRowContext(ctx, `select count(*) from (select 1 from assignments where `+leaseEnd+` <= $1 limit 1) x`, Micros(now)).Scan(&some)
	if err != nil || some == 0 {
		return nil, wrap("store.Labeling.Expire", err)
	}
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		ids, err = expire(ctx, tx, now, limit)
		return err
	})
	return ids, err
}

func expire(ctx context.Context, tx *sql.Tx, now time.Time, limit int) ([]string, error) {
	return expireSome(ctx, tx, now, `select id, job, idx from assignments
		where `+leaseEnd+` <= $1 order by expires_at limit $2`, Micros(now), limit)
}

// ExpireJob implements queue.Store.
func (l *Labeling) ExpireJob(ctx context.Context, job int64, now time.Time) (ids []string, err error) {
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		ids, err = expireSome(ctx, tx, now, `select a.id, a.job, a.idx from assignments a
			join labeling_jobs j on j.id = a.job
			where a.job = $1 and a.state = 'active' and (j.status <> 'InProgress' or j.ending <> '')`, job)
		return err
	})
	return ids, err
}

// expireSome ends the assignments that the query lists.
func expireSome(ctx context.Context, tx *sql.Tx, now time.Time, query string, args ...any) ([]string, error) {
	type place struct {
		id       string
		job, idx int64
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var places []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.id, &p.job, &p.idx); err != nil {
			_ = rows.Close()
			return nil, err
		}
		places = append(places, p)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	var ids []string
	for _, p := range places {
		done, err := endLease(ctx, tx, p.job, p.idx, queue.End{ID: p.id, State: labeling.Expired, Now: now})
		if err != nil {
			return nil, err
		}
		if done {
			ids = append(ids, p.id)
		}
	}
	return ids, nil
}

// Untold implements queue.Store.
func (l *Labeling) Untold(ctx context.Context, before time.Time, limit int) ([]string, error) {
	const op = "store.Labeling.Untold"
	rows, err := l.db.Read().QueryContext(ctx, `select id from assignments
		where told = 0 and state <> 'active' and ended_at < $1 order by ended_at limit $2`, Micros(before), limit)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, wrap(op, err)
		}
		ids = append(ids, id)
	}
	return ids, wrap(op, rows.Err())
}

// Told implements queue.Store.
func (l *Labeling) Told(ctx context.Context, ids []string) error {
	list, args := placeholders(nil, ids)
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update assignments set told = 1 where state <> 'active' and id in (`+list+`)`, args...)
		return err
	})
}
