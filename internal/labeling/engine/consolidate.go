package engine

import (
	"context"
	"fmt"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/annotate"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/output"
)

// A batch has at most 50 objects, as in Ground Truth, whose functions are
// written for that; and so many bytes of answers that several fit in memory.
const (
	batchObjects = 50
	batchBytes   = 8 << 20
)

// consolidate does one batch: files first, then the results in one
// transaction. Crashing in between leaves the batch begun; doing it again
// writes the same files.
func (e *Engine) consolidate(ctx context.Context, h Hold, j *labeling.Job, attempts int) error {
	batch, err := e.Store.Batch(ctx, h, BatchBounds{Objects: batchObjects, Bytes: batchBytes}, e.Now())
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	stamp := output.Stamp{Job: j.Name, Created: batch.MadeAt}
	results := make([]labeling.Consolidated, 0, len(batch.Objects)+len(batch.Closed))
	decided, undecided, err := e.undecided(ctx, j, batch.Objects)
	if err != nil {
		return err
	}
	results = append(results, undecided...)
	batch.Objects = decided
	if len(batch.Objects) > 0 {
		made, err := e.label(ctx, j, batch, stamp, attempts)
		if err != nil {
			return err
		}
		for i, a := range made {
			r := labeling.Consolidated{Index: batch.Objects[i].Index, Label: a.Label, Metadata: a.Metadata, Failure: a.Failure}
			r.Scores = scores(j, batch.Objects[i].Answers, r)
			results = append(results, r)
		}
	}
	for _, c := range batch.Closed {
		a, err := annotate.Failed(j.TaskType, stamp, closedReason(j, c))
		if err != nil {
			return err
		}
		results = append(results, labeling.Consolidated{Index: c.Index, Metadata: a.Metadata, Failure: a.Failure})
	}
	return e.Store.FinishBatch(ctx, h, batch.Number, results, e.Now())
}

func closedReason(j *labeling.Job, c Closed) string {
	if c.Declined >= j.Human.Workers {
		return fmt.Sprintf("Declined by %d workers, as many as the job asks for.", c.Declined)
	}
	return fmt.Sprintf("No worker answered within the task availability lifetime of %d seconds.", int64(j.Human.TaskAvailability.Seconds()))
}

// label makes the labels of a batch, one for each object, and writes its files:
// what consolidation is asked, before it is asked, and what it answered.
func (e *Engine) label(ctx context.Context, j *labeling.Job, batch *Batch, s output.Stamp, attempts int) ([]annotate.Result, error) {
	f, err := e.filesOf(ctx, j, batch)
	if err != nil {
		e.forget(j)
		return nil, err
	}
	if err := f.request(ctx); err != nil {
		e.forget(j)
		return nil, err
	}
	var made []annotate.Result
	var response []output.Consolidated
	if function := j.ConsolidationFunction(); function != "" {
		made, response, err = e.ask(ctx, f, function, s, attempts)
	} else if made, err = e.annotations(j, s, batch.Objects); err == nil {
		for i, o := range f.objects {
			response = append(response, output.Consolidated{ID: o.ID, Annotation: made[i].Annotation})
		}
	}
	if err != nil {
		return nil, err
	}
	if err = f.pictures(ctx, made); err == nil {
		err = f.response(ctx, response)
	}
	if err != nil {
		e.forget(j)
		return nil, err
	}
	return made, nil
}

// files are the files of a batch.
type files struct {
	e       *Engine
	j       *labeling.Job
	batch   *Batch
	bucket  Bucket
	tree    output.Tree
	objects []output.Object
}

func (e *Engine) filesOf(ctx context.Context, j *labeling.Job, batch *Batch) (*files, error) {
	f := &files{e: e, j: j, batch: batch}
	var err error
	if f.bucket, err = e.bucket(ctx, j); err != nil {
		return nil, err
	}
	if f.tree, err = output.NewTree(j.OutputURI, j.Name); err != nil {
		return nil, err
	}
	f.objects, err = e.objects(ctx, batch.Objects)
	return f, err
}

func (f *files) put(ctx context.Context, key string, doc []byte, err error) error {
	if err != nil {
		return err
	}
	return f.e.write(ctx, f.bucket, f.j, f.tree, key, "application/json", doc)
}

// requestKey is the key of what the consolidation is asked.
func (f *files) requestKey() string {
	return f.tree.ConsolidationRequest(iteration, f.batch.MadeAt)
}

// request writes the workers' answers, and what the consolidation is asked.
func (f *files) request(ctx context.Context) error {
	for _, o := range f.objects {
		doc, err := output.WorkerResponse(o.Answers)
		if err := f.put(ctx, f.tree.WorkerResponse(iteration, o.ID, f.batch.MadeAt), doc, err); err != nil {
			return err
		}
	}
	doc, err := output.ConsolidationRequest(f.objects)
	return f.put(ctx, f.requestKey(), doc, err)
}

// pictures writes the labels that are pictures, whose labels name them.
func (f *files) pictures(ctx context.Context, made []annotate.Result) error {
	for _, m := range made {
		if p := m.Picture; p != nil {
			if err := f.e.write(ctx, f.bucket, f.j, f.tree, p.Key, "image/png", p.PNG); err != nil {
				return err
			}
		}
	}
	return nil
}

// response writes what the consolidation answered.
func (f *files) response(ctx context.Context, results []output.Consolidated) error {
	doc, err := output.ConsolidationResponse(f.j.LabelAttributeName, results)
	return f.put(ctx, f.tree.ConsolidationResponse(iteration, f.batch.MadeAt), doc, err)
}

// objects are a batch's objects as its files show them.
func (e *Engine) objects(ctx context.Context, in []labeling.Answered) ([]output.Object, error) {
	identities := map[string]output.Identity{}
	out := make([]output.Object, len(in))
	for i := range in {
		ref, text, err := labeling.SourceOf(in[i].Line)
		if err != nil {
			return nil, err
		}
		o := output.Object{ID: in[i].ID(), Answers: annotate.Answers(in[i].Answers)}
		if ref {
			o.SourceRef = text
		} else {
			o.Source = text
		}
		for k := range o.Answers {
			id, ok := identities[o.Answers[k].WorkerID]
			if !ok {
				if id, err = e.identity(ctx, o.Answers[k].WorkerID); err != nil {
					return nil, err
				}
				identities[o.Answers[k].WorkerID] = id
			}
			o.Answers[k].Identity = id
		}
		out[i] = o
	}
	return out, nil
}

// annotations makes the labels of a batch, one for each object. Pictures of
// segments take much memory while they are made, so one batch of them is made at
// a time.
func (e *Engine) annotations(j *labeling.Job, s output.Stamp, objects []labeling.Answered) ([]annotate.Result, error) {
	if j.TaskType.LabelIsFile() {
		e.pictures.Lock()
		defer e.pictures.Unlock()
	}
	tree, err := output.NewTree(j.OutputURI, j.Name)
	if err != nil {
		return nil, err
	}
	set := annotate.New(annotate.Options{TaskType: j.TaskType, Labels: j.Labels, Method: classes.DawidSkene, Tree: tree})
	for _, o := range objects {
		set.Add(o)
	}
	out := make([]annotate.Result, 0, len(objects))
	err = set.Annotate(s, func(_ int, r annotate.Result) error {
		out = append(out, r)
		return nil
	})
	return out, err
}
