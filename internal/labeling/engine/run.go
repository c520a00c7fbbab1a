package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// Run drives jobs until ctx ends. It returns when everything that it started
// has returned; what was under way then is taken up by whoever runs next. It
// lets go of its jobs on the way out, so that another replica need not wait
// for the leases to end.
func (e *Engine) Run(ctx context.Context) error {
	if e.Alone {
		if err := e.Store.TakeOver(ctx); err != nil {
			return err
		}
	}
	var drivers sync.WaitGroup
	defer func() {
		drivers.Wait()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := e.Store.Unclaim(last, e.Owner); err != nil {
			e.Log.Warn("leases on labeling jobs were not given back", "error", err)
		}
	}()
	drivers.Add(1)
	go func() {
		defer drivers.Done()
		e.sweep(ctx)
	}()
	driven := &driven{jobs: map[int64]bool{}}
	for {
		ids, err := e.Store.Claim(ctx, e.Owner, e.Now(), e.Now().Add(e.Lease))
		if err != nil && ctx.Err() == nil {
			e.Log.Error("labeling jobs cannot be claimed", "error", err)
		}
		for _, id := range ids {
			if !driven.begin(id) {
				continue
			}
			drivers.Add(1)
			go func() {
				defer drivers.Done()
				defer driven.end(id)
				e.drive(ctx, id)
			}()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		case <-time.After(e.Lease / 3):
		}
	}
}

// driven are the jobs that have a goroutine.
type driven struct {
	mu   sync.Mutex
	jobs map[int64]bool
}

func (d *driven) begin(id int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.jobs[id] {
		return false
	}
	d.jobs[id] = true
	return true
}

func (d *driven) end(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.jobs, id)
}

// sweep ends leases whose time is up, for all jobs.
func (e *Engine) sweep(ctx context.Context) {
	for {
		if err := e.Queue.Sweep(ctx); err != nil && ctx.Err() == nil {
			e.Log.Error("expired assignments cannot be ended", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(e.Tick, 10*time.Millisecond)):
		}
	}
}

// maxPause bounds the pause after failures in a row.
const maxPause = time.Minute

// drive takes a job through its steps until it has ended, or another replica
// has it, or ctx ends.
func (e *Engine) drive(ctx context.Context, id int64) {
	h := Hold{Job: id, Owner: e.Owner}
	var last Progress
	for attempts, idle := 0, e.Tick; ; {
		done, p, err := e.step(ctx, h, attempts)
		// A job in which nothing moves is looked at less often.
		idle = min(2*idle, 4*e.Tick)
		if p != last {
			last, idle = p, e.Tick
		}
		pause := idle
		switch {
		case ctx.Err() != nil, errors.Is(err, ErrLost), done && err == nil:
			return
		case err != nil:
			attempts++
			pause = min(maxPause, e.Tick<<min(attempts, 10))
			e.waits(ctx, h, err, attempts)
		case attempts > 0:
			attempts = 0
			if err := e.Store.Note(ctx, h, ""); err != nil && !errors.Is(err, ErrLost) {
				e.Log.Warn("a labeling job's note cannot be cleared", "job", id, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// waits notes why a job does not get on.
func (e *Engine) waits(ctx context.Context, h Hold, err error, attempts int) {
	e.Log.Warn("a labeling job waits", "job", h.Job, "attempts", attempts, "error", err)
	if err := e.Store.Note(ctx, h, cut(explain(err))); err != nil && ctx.Err() == nil {
		e.Log.Warn("a labeling job's note cannot be stored", "job", h.Job, "error", err)
	}
}

// step does what is next for a job. done: there is nothing more to do, ever.
// p is how the job stands.
func (e *Engine) step(ctx context.Context, h Hold, attempts int) (done bool, p Progress, err error) {
	j, err := e.Store.JobByID(ctx, h.Job)
	if fault.Is(err, fault.NotFound) {
		return true, p, nil // a flow definition that was deleted
	}
	if err != nil {
		return false, p, err
	}
	switch {
	case j.Status.Ended():
		return true, p, nil
	case j.Status == labeling.Initializing:
		return false, p, e.initialize(ctx, h, j)
	case j.Flow != "":
		return e.review(ctx, h, j, attempts)
	}
	return e.round(ctx, h, j, attempts)
}

// finish ends a job, and says so.
func (e *Engine) finish(ctx context.Context, h Hold, to labeling.Status, reason, manifest string) error {
	if err := e.Store.Finish(ctx, h, to, cut(reason), manifest, e.Now()); err != nil {
		return err
	}
	return e.announce(ctx, h.Job)
}

func (e *Engine) announce(ctx context.Context, id int64) error {
	j, err := e.Store.JobByID(ctx, id)
	if err == nil {
		e.changed(ctx, j)
	}
	return err
}
