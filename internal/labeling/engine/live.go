package engine

import (
	"context"
	"fmt"

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
