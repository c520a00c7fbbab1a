package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/queue"
)

var _ queue.Store = (*Labeling)(nil)

// available is what an object must be for a worker ($2) to take it: on offer,
// with a slot left, and not one that the worker has answered, holds or declined.
// That last is asked by a scalar subquery on purpose: PostgreSQL makes a join
// of "not exists", and may then read all that the worker ever did in the job. Nor
// is it compared by "in": that PostgreSQL takes to hold for one object in a hundred,
// and then reads and sorts all that are on offer to find one, where nearly the first
// will do. The slots are asked for as the index labeling_tasks_open has them.
const available = `t.state = 'ready' and t.closing = 0 and t.wanted > t.live + t.answered and t.declined < t.most and t.ready_at > $3
	and case when coalesce((select a.state from assignments a where a.job = t.job and a.idx = t.idx and a.worker = $2), 'released')
		in ('released', 'expired') then 1 else 0 end <> 0`

// takeSlot takes one slot of the first object available, for a worker who holds
// nothing in the job. The inner select finds a candidate; the outer where repeats
// what another transaction may have changed since, so that the slot is taken or
// nothing is.
const takeSlot = `update labeling_tasks set live = live + 1
	where job = $1 and idx = (select t.idx from labeling_tasks t where t.job = $1 and ` + available + `
		order by t.idx limit 1 offset $4)
	and state = 'ready' and closing = 0 and live + answered < wanted and declined < most
	and not exists (select 1 from assignments h where h.job = $1 and h.worker = $2 and h.state = 'active')
	and exists (select 1 from labeling_jobs j where j.id = $1 and j.status = 'InProgress' and j.ending = '')
	returning idx, (select o.line from data_objects o where o.job = labeling_tasks.job and o.idx = labeling_tasks.idx)`

// Take implements queue.Store.
func (l *Labeling) Take(ctx context.Context, t queue.Take) (labeling.Assignment, []string, error) {
	const op = "store.Labeling.Take"
	var a labeling.Assignment
	var expired []string
	skip := l.crowd.skip()
	if l.db.dialect == Postgres { // SQLite has one writer, which is in nobody's way
		place, pass := l.takers.enter(t.Job.ID)
		defer l.takers.leave(t.Job.ID, place)
		skip += pass
		if t.Job.Quality == nil {
			if a, took, err := l.takeAtOnce(ctx, t, skip); took || err != nil {
				return a, nil, err
			}
		}
	}
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		a, expired = labeling.Assignment{}, nil
		var err error
		var tasks int64
		if t.Job.Quality == nil {
			// Most workers hold nothing: it is one statement more only for those who do.
			o, err := takeOne(ctx, tx, t, skip)
			if err == nil {
				a, err = lease(ctx, tx, t, o)
				return err
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		} else {
			var barred bool
			if tasks, barred, err = enter(ctx, tx, t); err != nil || barred {
				return err
			}
		}
		if a, expired, err = resume(ctx, tx, t); err != nil || a.ID != "" {
			return err
		}
		if t.Job.HasGold() {
			if a, err = takeGold(ctx, tx, t, tasks); err != nil || a.ID != "" {
				return err
			}
		}
		o, more, err := l.choose(ctx, tx, t, &skip, t.Job.Quality == nil && len(expired) == 0)
		expired = append(expired, more...)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		a, err = lease(ctx, tx, t, o)
		return err
	})
	if err != nil {
		return labeling.Assignment{}, nil, wrap(op, err)
	}
	if a.ID == "" {
		return a, expired, fault.Newf(op, fault.NotFound, "no object for worker %s", t.Worker)
	}
	a, err = l.taken(a, t)
	return a, expired, err
}

// taken is an assignment that the worker took, with what goes with it.
func (l *Labeling) taken(a labeling.Assignment, t queue.Take) (labeling.Assignment, error) {
	a.Job = t.Job
	if t.Job.Quality == nil {
		l.plain.note(a.ID)
	}
	return l.opened(a)
}

// choose takes a slot, of an object whose lease has run out if there is no
// other; sql.ErrNoRows: nothing is there for the worker. looked: there was none a
// moment ago.
func (l *Labeling) choose(ctx context.Context, tx *sql.Tx, t queue.Take, skip *int, looked bool) (o labeling.DataObject, _ []string, err error) {
	if !looked {
		if o, err = takeOne(ctx, tx, t, *skip); !errors.Is(err, sql.ErrNoRows) {
			return o, nil, err
		}
	}
	n, err := countAvailable(ctx, tx, t)
	if err != nil {
		return o, nil, err
	}
	if n > 0 { // we skipped too many, or somebody took what we had chosen
		*skip = l.crowd.collided(n)
		return o, nil, errRace
	}
	expired, err := expire(ctx, tx, t.Now, maxExpire)
	if err != nil || len(expired) == 0 {
		return o, nil, cmp.Or(err, sql.ErrNoRows)
	}
	o, err = takeOne(ctx, tx, t, 0)
	return o, expired, err
}

func takeOne(ctx context.Context, tx *sql.Tx, t queue.Take, skip int) (o labeling.DataObject, err error) {
	err = tx.QueryRowContext(ctx, takeSlot, t.Job.ID, t.Worker, Micros(t.Now.Add(-t.Job.Human.TaskAvailability)), skip).Scan(&o.Index, &o.Line)
	return o, err
}

// takers spreads the takes that this server has under way at once in a job: each
// looks for an object behind those that the others are about to take, of which
// PostgreSQL would make it wait for the row until they are committed. Takes that
// come one after the other go out in the manifest's order.
type takers struct {
	mu   sync.Mutex
	jobs map[int64]*[maxCrowd]bool // places that are taken
}

// enter answers with a free place, and how many objects to pass over there. Who
// comes when all are taken has none, and passes over some of the objects.
func (t *takers) enter(job int64) (place, skip int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	places := t.jobs[job]
	if places == nil {
		places = &[maxCrowd]bool{}
		t.jobs[job] = places
	}
	if place = slices.Index(places[:], false); place < 0 {
		return place, rand.IntN(maxCrowd)
	}
	places[place] = true
	return place, apart * place
}

// apart is how far places are from each other: an object that has all its workers
// moves those behind it up, and who comes then must not meet who came before.
const apart = 3

func (t *takers) leave(job int64, place int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if place < 0 {
		return
	}
	places := t.jobs[job]
	places[place] = false
	if !slices.Contains(places[:], true) {
		delete(t.jobs, job)
	}
}

// crowd spreads takes that would all wait for the same row even so, because other
// servers take from the job too: as long as they collide, each skips a random
// number of objects at the head of the job.
type crowd struct{ width atomic.Int32 }

// maxCrowd bounds how far out of order objects go.
const maxCrowd = 32

// skip is how many objects the next take passes over.
func (c *crowd) skip() int {
	w := c.width.Load()
	if w <= 0 {
		return 0
	}
	c.width.CompareAndSwap(w, w-1)
	return rand.IntN(int(w) + 1)
}

// collided is how many of n objects at hand to pass over after a collision.
func (c *crowd) collided(n int) int {
	c.width.Store(min(maxCrowd, 2*c.width.Load()+2))
	return rand.IntN(n)
}

// countAvailable counts a few of the objects that the worker could take.
func countAvailable(ctx context.Context, tx *sql.Tx, t queue.Take) (n int, err error) {
	err = tx.QueryRowContext(ctx, `select count(*) from (select 1 from labeling_tasks t
		join labeling_jobs j on j.id = t.job and j.status = 'InProgress' and j.ending = ''
		where t.job = $1 and `+available+` limit `+strconv.Itoa(maxCrowd)+`) x`, t.Job.ID, t.Worker, Micros(t.Now.Add(-t.Job.Human.TaskAvailability))).Scan(&n)
	return n, err
}

// lease writes the assignment for a slot that was taken in the same
// transaction. An earlier row of the worker and object is taken over if it
// ended without an answer; otherwise the slot goes back with the transaction.
func lease(ctx context.Context, tx *sql.Tx, t queue.Take, o labeling.DataObject) (labeling.Assignment, error) {
	a := leased(t, o)
	n, err := exec(ctx, tx, `insert into assignments (job, idx, worker, id, state, taken_at, expires_at)
		values ($1, $2, $3, $4, 'active', $5, $6)
		`+takeOver,
		t.Job.ID, o.Index, t.Worker, t.ID, Micros(a.TakenAt), Micros(a.ExpiresAt))
	if err != nil {
		return a, err
	}
	if n == 0 {
		return a, errRace
	}
	return a, nil
}

// leased is the assignment of an object to the worker who takes it.
func leased(t queue.Take, o labeling.DataObject) labeling.Assignment {
	return labeling.Assignment{ID: t.ID, Index: o.Index, Worker: t.Worker, State: labeling.Active, Line: o.Line,
		TakenAt: t.Now, ExpiresAt: t.Now.Add(t.Job.Human.TaskTimeLimit)}
}

// takeOver makes a lease that ended without an answer the new one.
const takeOver = `on conflict (job, idx, worker) do update set id = excluded.id, state = 'active', taken_at = excluded.taken_at,
		expires_at = excluded.expires_at, ended_at = 0, told = 0, draft = '', draft_at = 0, answer = ''
	where assignments.state in ('released', 'expired')`

// resume answers with what the worker holds, and ends what the worker held too
// long: one live assignment is all that a worker may have in a job.
func resume(ctx context.Context, tx *sql.Tx, t queue.Take) (labeling.Assignment, []string, error) {
	var id string
	var idx, expires int64
	err := tx.QueryRowContext(ctx, `select id, idx, expires_at from assignments where job = $1 and worker = $2 and state = 'active'`,
		t.Job.ID, t.Worker).Scan(&id, &idx, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return labeling.Assignment{}, nil, nil
	}
	if err != nil {
		return labeling.Assignment{}, nil, err
	}
	if expires > Micros(t.Now) {
		a, err := scanAssignment(tx.QueryRowContext(ctx, selectAssignment, id))
		return a, nil, err
	}
	done, err := endLease(ctx, tx, t.Job.ID, idx, queue.End{ID: id, State: labeling.Expired, Now: t.Now})
	if err == nil && !done {
		err = errRace
	}
	return labeling.Assignment{}, []string{id}, err
}
