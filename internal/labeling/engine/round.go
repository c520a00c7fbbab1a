package engine

import (
	"context"
	"errors"
	"fmt"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/output"
)

// iteration is the number in the keys of the output tree. Ground Truth counts
// up when it sends objects to workers again after learning from them; without
// automated data labeling there is one.
const iteration = 1

// round looks at a job in progress, or ending, and does what is due.
func (e *Engine) round(ctx context.Context, h Hold, j *labeling.Job, attempts int) (done bool, p Progress, err error) {
	if j.Ending == "" && j.Live == nil && e.Now().Sub(j.CreatedAt) >= labeling.ExpiresAfter {
		reason := fmt.Sprintf("The labeling job was not complete %d days after its creation. The labels made until then are in the output; start another job with its output manifest as input to go on.", int(labeling.ExpiresAfter.Hours()/24))
		if err := e.Store.End(ctx, h, labeling.Failed, reason, e.Now()); err != nil {
			return false, p, err
		}
		j.Ending, j.FailureReason = labeling.Failed, reason
	}
	if err := e.judge(ctx, h, j); err != nil {
		return false, p, err
	}
	if j.Ending == "" {
		err = e.serve(ctx, h, j)
	} else {
		err = e.wind(ctx, h, j)
	}
	if err != nil {
		return false, p, err
	}
	// A function that is away does not keep the other from being asked.
	var unprepared error
	if j.Ending == "" {
		unprepared = e.prepareDue(ctx, h, j, attempts)
	}
	p, err = e.consolidateDue(ctx, h, j, attempts)
	if err == nil && j.Live != nil {
		err = e.tend(ctx, h, j, p, attempts)
	}
	if err = errors.Join(unprepared, err); err != nil || p.Preparing+p.Ready+p.Requeued+p.Live+p.Answered+p.Batches > 0 || p.Queued {
		return false, p, err
	}
	switch {
	case j.Ending == "" && j.Live != nil:
		return false, p, e.idle(ctx, h, j)
	case j.Ending == "":
		return false, p, e.complete(ctx, h, j)
	}
	done, err = e.conclude(ctx, h, j, attempts)
	return done, p, err
}

// complete begins to end a job in which nothing is left to do. Objects that
// have failed since it was last topped up let others be sent in their place,
// where stopping conditions count labels.
func (e *Engine) complete(ctx context.Context, h Hold, j *labeling.Job) error {
	if err := e.Store.TopUp(ctx, h, e.Now()); err != nil {
		return err
	}
	p, err := e.Store.Progress(ctx, h.Job, j.CreatedAt)
	if err != nil || p.Ready+p.Requeued+p.Preparing > 0 {
		return err
	}
	return e.Store.End(ctx, h, labeling.Completed, "", e.Now())
}

// serve keeps objects with the workers.
func (e *Engine) serve(ctx context.Context, h Hold, j *labeling.Job) error {
	cutoff := e.Now().Add(-j.Human.TaskAvailability)
	p, err := e.Store.Progress(ctx, h.Job, cutoff)
	if err != nil {
		return err
	}
	if j.Live != nil {
		if err := e.unsent(ctx, h, j, p); err != nil {
			return err
		}
	}
	if p.Overdue > 0 {
		if err := e.Store.CloseOverdue(ctx, h, cutoff, e.Now()); err != nil {
			return err
		}
	}
	limited := j.Stopping.Limit(j.Counters.Total) < j.Counters.Total
	if p.Preparing+p.Ready-p.Overdue < int64(j.Human.MaxConcurrent) && (p.Queued || limited || p.Requeued > 0) {
		return e.Store.TopUp(ctx, h, e.Now())
	}
	return nil
}

// wind takes a job that is ending out of the workers' hands.
func (e *Engine) wind(ctx context.Context, h Hold, j *labeling.Job) error {
	p, err := e.Store.Progress(ctx, h.Job, j.CreatedAt)
	if err != nil {
		return err
	}
	if p.Live > 0 {
		if err := e.Queue.ExpireJob(ctx, h.Job); err != nil {
			return err
		}
	}
	if p.Ready+p.Requeued+p.Preparing > 0 {
		return e.Store.CloseAll(ctx, h, e.Now())
	}
	return nil
}

// consolidateDue consolidates batch after batch while one is due, and answers
// with how the job stands then.
func (e *Engine) consolidateDue(ctx context.Context, h Hold, j *labeling.Job, attempts int) (Progress, error) {
	for {
		p, err := e.Store.Progress(ctx, h.Job, j.CreatedAt)
		if err != nil || !e.due(j, p) {
			return p, err
		}
		if err := e.consolidate(ctx, h, j, attempts); err != nil {
			return p, err
		}
	}
}

// due reports whether a batch is: begun already, or full, or nobody came to
// share it for a while, or nobody can come any more.
func (e *Engine) due(j *labeling.Job, p Progress) bool {
	switch {
	case p.Batches > 0:
		return true
	case p.Answered == 0:
		return false
	case p.Answered >= batchObjects, j.Ending != "", p.Ready+p.Requeued+p.Preparing == 0 && !p.Queued:
		return true
	}
	return e.Now().Sub(p.Oldest) >= e.Quiet
}

// giveUp is after how many failures in a row a job that cannot write its
// output for a reason which does not mend itself is Failed.
const giveUp = 20

// conclude writes the manifests, the output manifest last of all files, and
// ends the job.
func (e *Engine) conclude(ctx context.Context, h Hold, j *labeling.Job, attempts int) (bool, error) {
	if err := e.close(ctx, j, attempts); err != nil {
		return false, err
	}
	if j.Counters.Total == 0 && j.Counters.Kept == 0 {
		return true, e.finish(ctx, h, j.Ending, j.FailureReason, "") // stopped before it began
	}
	tree, err := output.NewTree(j.OutputURI, j.Name)
	if err != nil {
		return false, err
	}
	if err := e.writeEnd(ctx, j, tree); err != nil {
		e.forget(j)
		if permanent(err) && attempts >= giveUp {
			return true, e.finish(ctx, h, labeling.Failed, "The output manifest cannot be written. "+explain(err), "")
		}
		return false, err
	}
	return true, e.finish(ctx, h, j.Ending, j.FailureReason, tree.URI(tree.Manifest()))
}
