package review

import (
	"bytes"
	"context"
	"fmt"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/annotate"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/output"
)

// Finish implements engine.Reviews: it writes the output of the loops of a batch and
// ends them. After a crash in between, the same is written again to the same keys.
func (s *Service) Finish(ctx context.Context, h engine.Hold, j *labeling.Job, batch *engine.Batch, b engine.Bucket) error {
	objects := make([]int64, 0, len(batch.Objects)+len(batch.Closed))
	for _, o := range batch.Objects {
		objects = append(objects, o.Index)
	}
	for _, c := range batch.Closed {
		objects = append(objects, c.Index)
	}
	loops, err := s.Store.LoopsAt(ctx, h.Job, objects)
	if err != nil {
		return err
	}
	ended := make([]*Loop, 0, len(objects))
	for i := range batch.Objects {
		l := loops[batch.Objects[i].Index]
		if l == nil {
			return fault.Newf("review.Finish", fault.Internal, "object %d of job %d has no human loop", batch.Objects[i].Index, h.Job)
		}
		if err := s.write(ctx, j, l, &batch.Objects[i], b); err != nil {
			return err
		}
		l.Status = after(l, labeling.Completed)
		ended = append(ended, l)
	}
	for _, c := range batch.Closed {
		l := loops[c.Index]
		if l == nil {
			return fault.Newf("review.Finish", fault.Internal, "object %d of job %d has no human loop", c.Index, h.Job)
		}
		if l.Status = after(l, labeling.Failed); l.Status == labeling.Failed {
			l.FailureCode, l.FailureReason = CodeExpired, reason(j, c)
		}
		ended = append(ended, l)
	}
	if err := s.Store.EndLoops(ctx, h, batch.Number, ended, s.now()); err != nil {
		return err
	}
	return s.Tell(ctx, h.Job)
}

// after is what a loop becomes: one that was being stopped is stopped.
func after(l *Loop, otherwise Status) Status {
	if l.Status == labeling.Stopping {
		return labeling.Stopped
	}
	return otherwise
}

func reason(j *labeling.Job, c engine.Closed) string {
	if c.Declined >= j.Human.Workers {
		return fmt.Sprintf("Declined by %d workers, as many as TaskCount asks for.", c.Declined)
	}
	return fmt.Sprintf("No worker answered within the task availability lifetime of %d seconds.", int64(j.Human.TaskAvailability.Seconds()))
}

func (s *Service) write(ctx context.Context, j *labeling.Job, l *Loop, o *labeling.Answered, b engine.Bucket) error {
	answers := annotate.Answers(o.Answers)
	for i := range answers {
		if s.Workers == nil {
			break
		}
		id, err := s.Workers.Identity(ctx, answers[i].WorkerID)
		if err != nil && !fault.Is(err, fault.NotFound) { // an account that is gone has none
			return err
		}
		answers[i].Identity = id
	}
	flow := Flow{Job: j}
	doc, err := output.HumanLoop(output.Review{Source: flow.Source(), FlowDefinitionARN: j.ARN, HumanLoopName: l.Name, InputContent: o.Line, Answers: answers})
	if err != nil {
		return err
	}
	where, err := labeling.ParseS3Object(l.OutputURI)
	if err != nil {
		return err
	}
	if err := b.Put(ctx, where.Bucket, where.Key, "application/json", bytes.NewReader(doc)); err != nil {
		return engine.NotWritten(j, "the output of the human loop "+l.Name, where, err)
	}
	return nil
}

// Unstarted implements engine.Reviews.
func (s *Service) Unstarted(ctx context.Context, job int64) error {
	return s.Store.DropUnstarted(ctx, job)
}

// Gone implements engine.Reviews: a flow definition whose loops have all ended is
// forgotten.
func (s *Service) Gone(ctx context.Context, job int64) error {
	return s.Store.DropFlow(ctx, job)
}

// outputURI is where the output of a loop of the job goes.
func outputURI(j *labeling.Job, l *Loop) string {
	return output.HumanLoopURI(j.OutputURI, j.Flow, l.Name, l.CreatedAt)
}

// Locate sets where the loops' output goes.
func Locate(j *labeling.Job, loops ...*Loop) {
	for _, l := range loops {
		l.OutputURI = outputURI(j, l)
	}
}
