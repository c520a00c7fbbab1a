package engine

import (
	"context"
	"fmt"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// Reviews ends human loops. A flow definition's job (labeling.Job.Flow) is driven
// like a labeling job, with these differences: it has no manifest, it stays
// InProgress when nothing is left to do, its batches end as human loops and write no
// labels, and it ends when it is deleted and nobody works on it any more.
type Reviews interface {
	// Finish writes and ends the human loops of a batch. It is repeated after a crash.
	Finish(ctx context.Context, h Hold, j *labeling.Job, batch *Batch, b Bucket) error
	// Tell tells of ends that were not told yet.
	Tell(ctx context.Context, job int64) error
	// Unstarted forgets the loops of a job that is being deleted whose tasks were
	// closed before anybody took them.
	Unstarted(ctx context.Context, job int64) error
	// Gone forgets a job that has been deleted and its loops.
	Gone(ctx context.Context, job int64) error
}

// Checking is a Bucket that knows whether Put would be refused, without trying.
type Checking interface {
	Bucket
	MayPut(ctx context.Context, bucket, key string) error
}

// NotWritten is the error of an object of a job's output that could not be written.
func NotWritten(j *labeling.Job, what string, where labeling.S3URI, err error) error {
	return &objectError{j.RoleARN, "write", what, where, err}
}

// begin makes the job of a flow definition InProgress. That its role may write is
// checked now, so that nobody works for nothing.
func (e *Engine) begin(ctx context.Context, h Hold, j *labeling.Job) error {
	b, err := e.bucket(ctx, j)
	if err != nil {
		return err
	}
	s := Started{Now: e.Now()}
	if s.Template, err = e.taskUI(ctx, j); err != nil {
		return err
	}
	where, err := labeling.ParseS3URI(j.OutputURI)
	if err != nil {
		return fail("%s", fault.MessageOf(err))
	}
	if c, ok := b.(Checking); ok {
		where.Key = strings.TrimPrefix(strings.TrimRight(where.Key, "/")+"/"+j.Flow+"/output.json", "/")
		if err := c.MayPut(ctx, where.Bucket, where.Key); err != nil {
			return NotWritten(j, "the output of human loops to", where, err)
		}
	}
	return e.Store.Start(ctx, h, s)
}

// taskUI is the template of the job's human task UI.
func (e *Engine) taskUI(ctx context.Context, j *labeling.Job) (string, error) {
	if e.TaskUI == nil {
		return "", fail("There is no human task UI %s.", j.Human.HumanTaskUIARN)
	}
	src, err := e.TaskUI(ctx, j.Human.HumanTaskUIARN)
	if fault.Is(err, fault.NotFound) {
		return "", fail("There is no human task UI %s.", j.Human.HumanTaskUIARN)
	}
	return src, err
}

// review looks at the job of a flow definition and does what is due.
func (e *Engine) review(ctx context.Context, h Hold, j *labeling.Job, attempts int) (done bool, p Progress, err error) {
	if err := e.Reviews.Tell(ctx, h.Job); err != nil {
		return false, p, err
	}
	deleting := j.Status == labeling.Stopping
	if deleting {
		// Tasks on which somebody works go on; there are no new ones.
		if err = e.Store.CloseAll(ctx, h, e.Now()); err == nil {
			err = e.Reviews.Unstarted(ctx, h.Job)
		}
	} else {
		err = e.closeOverdue(ctx, h, j)
	}
	if err != nil {
		return false, p, err
	}
	for {
		p, err = e.Store.Progress(ctx, h.Job, j.CreatedAt)
		if err != nil || p.Answered+p.Batches == 0 {
			break
		}
		if err = e.finishLoops(ctx, h, j); err != nil {
			break
		}
	}
	switch {
	case err != nil && !(deleting && permanent(err) && attempts >= giveUp):
		return false, p, err
	case err != nil:
		e.Log.Error("the output of human loops of a deleted flow definition could not be written", "flow", j.Flow, "error", err)
	case !deleting || p.Ready > 0:
		return false, p, nil
	}
	if err := e.finish(ctx, h, labeling.Stopped, "", ""); err != nil {
		return false, p, err
	}
	return true, p, e.Reviews.Gone(ctx, h.Job)
}

func (e *Engine) closeOverdue(ctx context.Context, h Hold, j *labeling.Job) error {
	cutoff := e.Now().Add(-j.Human.TaskAvailability)
	p, err := e.Store.Progress(ctx, h.Job, cutoff)
	if err != nil || p.Overdue == 0 {
		return err
	}
	return e.Store.CloseOverdue(ctx, h, cutoff, e.Now())
}

// batchLoops bounds a batch of human loops, whose input may be 12 MiB long each.
const batchLoops = 8

func (e *Engine) finishLoops(ctx context.Context, h Hold, j *labeling.Job) error {
	batch, err := e.Store.Batch(ctx, h, BatchBounds{Objects: batchLoops, Bytes: batchBytes}, e.Now())
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	b, err := e.bucket(ctx, j)
	if err != nil {
		return err
	}
	if err := e.Reviews.Finish(ctx, h, j, batch, b); err != nil {
		e.forget(j)
		return fmt.Errorf("human loops of %s: %w", j.Flow, err)
	}
	return nil
}

// Wake makes Run look for jobs now.
func (e *Engine) Wake() { e.nudge() }
