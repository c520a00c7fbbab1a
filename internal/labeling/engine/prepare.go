package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/annotate"
	"fiducial/internal/labeling/contract"
	"fiducial/internal/labeling/output"
)

// Bounds of one look at the objects that await the pre-annotation function.
const (
	prepareObjects = 64               // read at once
	prepareWorkers = 16               // asked about at once, unless the function's own limit is lower
	prepareFor     = 10 * time.Second // after which no more are begun: consolidation is next
)

// prepareDue has the pre-annotation function prepare the objects that await it.
// Each answer is stored as it comes, so that a task is rendered without asking
// again and a crash repeats only what was under way.
func (e *Engine) prepareDue(ctx context.Context, h Hold, j *labeling.Job, attempts int) error {
	if j.PreFunction() == "" {
		return nil
	}
	begun := e.Now()
	for first := true; first || e.Now().Sub(begun) < prepareFor; first = false {
		limit := prepareObjects
		fresh, err := e.untried(ctx, j)
		if err != nil {
			return err
		}
		if fresh {
			limit = probes
		}
		objects, err := e.Store.Preparing(ctx, h.Job, limit)
		if err != nil || len(objects) == 0 {
			return err
		}
		p := &preparation{e: e, h: h, j: j, begun: begun, trial: fresh}
		stopped, err := p.run(ctx, objects)
		switch {
		case err == nil && !stopped && !p.ended:
		case err == nil:
			return nil
		case hopeless(j, err, attempts):
			return e.Store.End(ctx, h, labeling.Failed, cut(uninvoked(j, j.PreFunction(), refusalCode(err), explain(err))), e.Now())
		default:
			return err
		}
	}
	return nil
}

// untried reports whether nothing of the job was ever prepared, well or badly.
func (e *Engine) untried(ctx context.Context, j *labeling.Job) (bool, error) {
	if j.Counters.Labeled()+j.Counters.Failed+j.Counters.Excluded > 0 {
		return false, nil
	}
	p, err := e.Store.Progress(ctx, j.ID, j.CreatedAt)
	return err == nil && p.Ready+p.Answered+p.Live+p.Batches == 0, err
}

// preparation asks a function about some objects.
type preparation struct {
	e     *Engine
	h     Hold
	j     *labeling.Job
	begun time.Time
	// trial: these are the first of the job. If the function fails for every
	// one of them it is the function that is wrong, and the job fails as Ground
	// Truth's does; nothing is stored before that is known.
	trial bool
	ended bool // and so it did
}

// run answers with stopped if the job is not in progress any more.
func (p *preparation) run(ctx context.Context, objects []labeling.DataObject) (stopped bool, err error) {
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	go func() { // a job that is stopped does not wait for slow functions
		defer close(over)
		stopped = p.e.awaitStop(working, p.h.Job)
		if stopped {
			cancel()
		}
	}()
	err = p.ask(working, objects)
	cancel()
	<-over
	if stopped && ctx.Err() == nil {
		return true, nil
	}
	return false, err
}

// awaitStop returns true once a job is not in progress any more, false when ctx
// has ended.
func (e *Engine) awaitStop(ctx context.Context, id int64) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(4 * e.Tick):
		}
		if j, err := e.Store.JobByID(ctx, id); err == nil && (j.Status != labeling.InProgress || j.Ending != "") {
			return true
		}
	}
}

type asked struct {
	Prepared
	err error // there is no answer
}

func (p *preparation) ask(ctx context.Context, objects []labeling.DataObject) error {
	todo, answers := make(chan labeling.DataObject), make(chan asked)
	enough := make(chan struct{}) // one could not be asked: the others need not be tried
	var workers sync.WaitGroup
	for range min(prepareWorkers, len(objects)) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for o := range todo {
				prepared, err := p.one(ctx, o)
				answers <- asked{prepared, err}
			}
		}()
	}
	go func() {
		defer func() { close(todo); workers.Wait(); close(answers) }()
		for _, o := range objects {
			if p.e.Now().Sub(p.begun) >= prepareFor && !p.trial {
				return
			}
			select {
			case todo <- o:
			case <-enough:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return p.collect(ctx, answers, enough)
}

// collect stores answers as they come. It reads until there are no more, or
// those who ask would wait for ever.
func (p *preparation) collect(ctx context.Context, answers <-chan asked, enough chan<- struct{}) error {
	var first error
	var kept []Prepared
	note := func(a asked) {
		if a.err == nil {
			kept = append(kept, a.Prepared)
		} else if first == nil {
			first = a.err
			close(enough)
		}
	}
	store := func() {
		if len(kept) == 0 {
			return
		}
		// What the function answered before the job was stopped still counts.
		if err := p.e.Store.Prepared(context.WithoutCancel(ctx), p.h, kept, p.e.Now()); err != nil && first == nil {
			first = err
			close(enough)
		}
		kept = nil
	}
	for a := range answers {
		note(a)
		for more := true; more; {
			select {
			case a, ok := <-answers:
				if more = ok; ok {
					note(a)
				}
			default:
				more = false
			}
		}
		if !p.trial {
			store()
		}
	}
	if p.trial && ctx.Err() != nil {
		return first
	}
	if first == nil && p.trial && !slices.ContainsFunc(kept, func(one Prepared) bool { return one.Failure == "" }) {
		return p.fail(ctx, kept)
	}
	store()
	return first
}

// fail ends a job of which no object could be prepared.
func (p *preparation) fail(ctx context.Context, list []Prepared) error {
	first := list[0]
	for _, one := range list {
		if one.Index < first.Index {
			first = one
		}
	}
	p.ended = true
	reason := fmt.Sprintf("None of the first %d data objects could be prepared; object %d: %s", len(list), first.Index, first.Failure)
	return p.e.Store.End(ctx, p.h, labeling.Failed, cut(uninvoked(p.j, p.j.PreFunction(), "Unhandled", reason)), p.e.Now())
}

// one asks the function about one object. What the function does wrong is the
// object's failure; the error is for a function that could not be asked.
func (p *preparation) one(ctx context.Context, o labeling.DataObject) (Prepared, error) {
	function := p.j.PreFunction()
	out := Prepared{Index: o.Index}
	event, err := contract.PreAnnotationEvent(p.j.ARN, o.Line)
	if err != nil {
		return out, fault.E("engine.prepare", fault.Internal, "", err)
	}
	answer, err := p.e.Functions.Invoke(ctx, callOf(p.j, function, o.ID()), event)
	var own *FunctionError
	switch {
	case errors.As(err, &own):
		return p.broken(out, fmt.Sprintf("The pre-annotation function %s failed. %s", function, own))
	case err != nil:
		return out, err
	}
	made, err := contract.ParsePreAnnotation(answer)
	switch {
	case err != nil:
		return p.broken(out, fmt.Sprintf("The answer of the pre-annotation function %s cannot be used: %v.", function, err))
	case made.Human:
		out.Input = made.TaskInput
	default:
		out.Excluded = true
	}
	return out, nil
}

// broken is an object that the function failed for.
func (p *preparation) broken(out Prepared, reason string) (Prepared, error) {
	r, err := annotate.Failed(p.j.TaskType, output.Stamp{Job: p.j.Name, Created: p.e.Now()}, cut(reason))
	out.Failure, out.Metadata = r.Failure, r.Metadata
	return out, err
}
