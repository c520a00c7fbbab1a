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
func (e *Engine) consolidate(ctx context.Context, h Hold, j *labeling.Job) error {
	batch, err := e.Store.Batch(ctx, h, BatchBounds{Objects: batchObjects, Bytes: batchBytes}, e.Now())
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	stamp := output.Stamp{Job: j.Name, Created: batch.MadeAt}
	results := make([]labeling.Consolidated, 0, len(batch.Objects)+len(batch.Closed))
	if len(batch.Objects) > 0 {
		made, err := annotations(j, stamp, batch.Objects)
		if err != nil {
			return err
		}
		for i, a := range made {
			results = append(results, labeling.Consolidated{Index: batch.Objects[i].Index, Label: a.Label, Metadata: a.Metadata, Failure: a.Failure})
		}
		if err := e.weigh(ctx, j, batch.Objects, results); err != nil {
			return err
		}
		if err := e.writeBatch(ctx, j, decided(batch, made, results)); err != nil {
			e.forget(j)
			return err
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

// outcome is what of a batch stands in its files.
type outcome struct {
	Batch
	made []annotate.Result
}

// decided leaves out the objects of which another worker is asked.
func decided(batch *Batch, made []annotate.Result, results []labeling.Consolidated) outcome {
	out := outcome{Batch: Batch{Number: batch.Number, MadeAt: batch.MadeAt}}
	for i, o := range batch.Objects {
		if !results[i].Again {
			out.Objects, out.made = append(out.Objects, o), append(out.made, made[i])
		}
	}
	return out
}

// writeBatch writes the files of a batch, unless it decides nothing.
func (e *Engine) writeBatch(ctx context.Context, j *labeling.Job, batch outcome) error {
	if len(batch.Objects) == 0 {
		return nil
	}
	b, err := e.bucket(ctx, j)
	if err != nil {
		return err
	}
	tree, err := output.NewTree(j.OutputURI, j.Name)
	if err != nil {
		return err
	}
	put := func(key string, doc []byte, err error) error {
		if err != nil {
			return err
		}
		return e.write(ctx, b, j, tree, key, "application/json", doc)
	}
	objects, err := e.objects(ctx, batch.Objects)
	if err != nil {
		return err
	}
	results := make([]output.Consolidated, len(objects))
	for i, o := range objects {
		doc, err := output.WorkerResponse(o.Answers)
		if err := put(tree.WorkerResponse(iteration, o.ID, batch.MadeAt), doc, err); err != nil {
			return err
		}
		results[i] = output.Consolidated{ID: o.ID, Annotation: batch.made[i].Annotation}
	}
	doc, err := output.ConsolidationRequest(objects)
	if err := put(tree.ConsolidationRequest(iteration, batch.MadeAt), doc, err); err != nil {
		return err
	}
	doc, err = output.ConsolidationResponse(j.LabelAttributeName, results)
	return put(tree.ConsolidationResponse(iteration, batch.MadeAt), doc, err)
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

// annotations makes the labels of a batch, one for each object.
func annotations(j *labeling.Job, s output.Stamp, objects []labeling.Answered) ([]annotate.Result, error) {
	set := annotate.New(j.TaskType, j.LabelNames(), classes.DawidSkene)
	for _, o := range objects {
		set.Add(o.Answers)
	}
	out := make([]annotate.Result, 0, len(objects))
	err := set.Annotate(s, func(_ int, r annotate.Result) error {
		out = append(out, r)
		return nil
	})
	return out, err
}
