package engine

import (
	"context"
	"fmt"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/annotate"
	"fiducial/internal/labeling/output"
)

// Bounds of one Arrive: one transaction, which other jobs' workers wait for.
const (
	MaxArrivals     = 100
	maxArrivalBytes = 4 << 20
)

// Arrive appends data objects to a live job that is in progress. When it
// returns they are stored, and those that MaxConcurrentTaskCount leaves room for
// are with the workers. An object whose deduplication id the job knows already is
// not labelled again: the answer says so, and which object it was. All objects are
// taken or none.
//
// Faults: Invalid, an object that no job may get; NotFound, no such job; InUse
// with CodeNotInProgress, the job does not take objects.
func (e *Engine) Arrive(ctx context.Context, job int64, objects ...labeling.Arrival) ([]labeling.Arrived, error) {
	const op = "engine.Arrive"
	if len(objects) == 0 {
		return nil, nil
	}
	if len(objects) > MaxArrivals {
		return nil, fault.Newf(op, fault.Limit, "%d data objects at once, more than %d", len(objects), MaxArrivals)
	}
	size := 0
	for _, o := range objects {
		if err := labeling.CheckArrival(o); err != nil {
			return nil, err
		}
		size += len(o.Line)
	}
	if size > maxArrivalBytes && len(objects) > 1 {
		return nil, fault.Newf(op, fault.Limit, "data objects of %d bytes at once, more than %d", size, maxArrivalBytes)
	}
	return e.Store.Arrive(ctx, job, objects, e.Now())
}

// open makes ready what a streaming job's objects come by.
func (e *Engine) open(ctx context.Context, j *labeling.Job) error {
	if j.Live == nil || j.Live.InputTopicARN == "" {
		return nil
	}
	if e.Streams == nil {
		return fail("This server has no streaming labeling jobs.")
	}
	return input(j, e.Streams.Open(ctx, j))
}

func input(j *labeling.Job, err error) error {
	if err == nil {
		return nil
	}
	return &inputError{j.RoleARN, j.Live.InputTopicARN, err}
}

// close undoes open when the job ends. An input that is not accessible any more
// need not be closed.
func (e *Engine) close(ctx context.Context, j *labeling.Job, attempts int) error {
	if j.Live == nil || j.Live.InputTopicARN == "" || e.Streams == nil {
		return nil
	}
	err := e.Streams.Close(ctx, j)
	if err != nil && (permanent(err) || attempts >= giveUp) {
		e.Log.Warn("a streaming labeling job ends, and its queue may still be subscribed", "job", j.Name, "error", err)
		return nil
	}
	return input(j, err)
}

// tend does for a live job what others do not need: results are told, the output
// manifest is kept up, and objects are taken from its input.
func (e *Engine) tend(ctx context.Context, h Hold, j *labeling.Job, p Progress, attempts int) error {
	if err := e.tell(ctx, h, j); err != nil || j.Ending != "" {
		return err
	}
	if err := e.keepUp(ctx, j); err != nil {
		return err
	}
	room := int64(j.Human.MaxConcurrent) - p.Ready
	if j.Live.InputTopicARN == "" || e.Streams == nil || p.Queued || room <= 0 {
		return nil
	}
	err := input(j, e.Streams.Pull(ctx, j, int(room), func(ctx context.Context, objects ...labeling.Arrival) ([]labeling.Arrived, error) {
		return e.Arrive(ctx, j.ID, objects...)
	}))
	if fault.CodeOf(err) == CodeNotInProgress {
		return nil // it was stopped meanwhile; the message stays in the queue
	}
	// What is gone does not come back. What is forbidden may be a slip that
	// somebody mends.
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) && attempts >= giveUp {
		return e.Store.End(ctx, h, labeling.Failed, cut(explain(err)), e.Now())
	}
	return err
}

// written is what the output manifest of a live job was last written with.
type written struct {
	results int64
	at      time.Time
}

// keepUpEvery is how often the output manifest of a live job is written anew, at
// most.
const keepUpEvery = 5 * time.Minute

// keepUp writes the output manifest of a live job with a streaming input now and
// then, if there are new results.
func (e *Engine) keepUp(ctx context.Context, j *labeling.Job) error {
	if j.Live.InputTopicARN == "" {
		return nil
	}
	e.mu.Lock()
	last := e.wrote[j.ID]
	e.mu.Unlock()
	now := written{j.Counters.Labeled() + j.Counters.Failed, e.Now()}
	if now.results == last.results || now.at.Sub(last.at) < keepUpEvery {
		return nil
	}
	tree, err := output.NewTree(j.OutputURI, j.Name)
	if err != nil {
		return err
	}
	if err := e.writeManifest(ctx, j, tree, tree.Manifest()); err != nil {
		e.forget(j)
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wrote[j.ID] = now
	return nil
}

// tellLimit is how many results are told at once.
const tellLimit = 50

// tell tells of the results that nobody was told of. A crash between the telling
// and the note of it tells again.
func (e *Engine) tell(ctx context.Context, h Hold, j *labeling.Job) error {
	for {
		rows, err := e.Store.UntoldResults(ctx, h.Job, tellLimit)
		if err != nil || len(rows) == 0 {
			return err
		}
		if e.Results != nil {
			if err := e.Results.Labeled(ctx, j, rows); err != nil {
				return err
			}
		}
		indexes := make([]int64, len(rows))
		for i, r := range rows {
			indexes[i] = r.Index
		}
		if err := e.Store.ToldResults(ctx, h, indexes); err != nil {
			return err
		}
		if len(rows) < tellLimit {
			return nil
		}
	}
}

// idle ends a live job to which nothing came, and in which nothing was done, for
// too long. Arrivals and results change ModifiedAt; perhaps since this round read
// the job, so it is read again.
func (e *Engine) idle(ctx context.Context, h Hold, j *labeling.Job) error {
	j, err := e.Store.JobByID(ctx, j.ID)
	if err != nil {
		return err
	}
	if d := j.Live.IdleAfter; d > 0 && e.Now().Sub(j.ModifiedAt) > d {
		return e.Store.End(ctx, h, labeling.Stopped, fmt.Sprintf("The labeling job was idle for %d days.", int(d.Hours()/24)), e.Now())
	}
	return nil
}

// unsent fails the objects that waited too long to be sent to a worker.
func (e *Engine) unsent(ctx context.Context, h Hold, j *labeling.Job, p Progress) error {
	d := j.Live.UnsentAfter
	if d == 0 || !p.Queued {
		return nil
	}
	reason := fmt.Sprintf("Not sent to a worker within %d days.", int(d.Hours()/24))
	a, err := annotate.Failed(j.TaskType, output.Stamp{Job: j.Name, Created: e.Now()}, reason)
	if err != nil {
		return err
	}
	as := labeling.Consolidated{Metadata: a.Metadata, Failure: a.Failure}
	return e.Store.FailUnsent(ctx, h, e.Now().Add(-d), as, 10*batchObjects, e.Now())
}
