package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/annotate"
	"fiducial/internal/labeling/contract"
	"fiducial/internal/labeling/output"
)

// ask has the post-annotation function make the labels of a batch. What the
// function does wrong is the failure of the objects that it concerns, and never
// of others; the error is for a function that could not be asked, for which the
// job waits.
func (e *Engine) ask(ctx context.Context, f *files, function string, s output.Stamp, attempts int) ([]annotate.Result, []output.Consolidated, error) {
	answer, err := e.invoke(ctx, f, function)
	var own *FunctionError
	broken := ""
	switch {
	case errors.As(err, &own):
		broken = fmt.Sprintf("The post-annotation function %s failed. %s", function, own)
	case err != nil && hopeless(f.j, err, attempts):
		broken = fmt.Sprintf("The post-annotation function %s cannot be invoked. %s", function, explain(err))
	case err != nil:
		return nil, nil, err
	}
	var given contract.Consolidated
	if broken == "" {
		if given, err = contract.ParseConsolidation(answer, f.j.LabelAttributeName); err != nil {
			broken = fmt.Sprintf("The answer of the post-annotation function %s cannot be used: %v.", function, err)
		}
	}
	a := &answers{function: function, stamp: s, taskType: f.j.TaskType, made: map[string]annotate.Result{}, problems: map[string]string{}}
	for _, o := range f.objects {
		a.problems[o.ID] = a.missing(broken, given.Stray)
	}
	for _, r := range given.Results {
		a.take(r)
	}
	return a.settle(f.objects)
}

func (e *Engine) invoke(ctx context.Context, f *files, function string) ([]byte, error) {
	var categories []string // null without a label category configuration
	if f.j.LabelConfig != nil {
		categories = f.j.LabelNames()
	}
	event, err := contract.Consolidation{
		JobARN: f.j.ARN, Categories: categories, AttributeName: f.j.LabelAttributeName, RoleARN: f.j.RoleARN,
		PayloadURI: f.tree.URI(f.requestKey()),
	}.Event()
	if err != nil {
		return nil, err
	}
	return e.Functions.Invoke(ctx, callOf(f.j, function, ""), event)
}

// answers are what a post-annotation function answered about a batch.
type answers struct {
	function string
	stamp    output.Stamp
	taskType labeling.TaskType
	made     map[string]annotate.Result // by datasetObjectId
	problems map[string]string          // why an object has no label; every object of the batch is in it
	response []output.Consolidated      // every result that is of use, in the answer's order
}

// missing is why an object that the function said nothing of has no label.
func (a *answers) missing(broken string, stray []string) string {
	switch {
	case broken != "":
		return broken
	case len(stray) > 0:
		return fmt.Sprintf("The post-annotation function %s gave no result for this object; of its answer %s.", a.function, strings.Join(stray, ", "))
	}
	return fmt.Sprintf("The post-annotation function %s gave no result for this object.", a.function)
}

// take takes one result. Of several for an object the last counts, as a member
// that is set several times; all of them stand in the response file. A result
// for an object that the function was not asked about counts for nothing.
func (a *answers) take(r contract.Result) {
	if _, asked := a.problems[r.ObjectID]; !asked {
		return
	}
	annotation, err := output.Custom(a.stamp, r.Label, r.Metadata)
	if r.Problem == "" && err != nil {
		r.Problem = err.Error()
	}
	if r.Problem != "" {
		a.problems[r.ObjectID] = fmt.Sprintf("The result of the post-annotation function %s for this object cannot be used: %s.", a.function, r.Problem)
		return
	}
	a.made[r.ObjectID] = annotate.Result{Annotation: annotation}
	a.response = append(a.response, output.Consolidated{ID: r.ObjectID, Annotation: annotation, Content: r.Content})
}

// settle is a result for each object, and the response file's content.
func (a *answers) settle(objects []output.Object) ([]annotate.Result, []output.Consolidated, error) {
	out := make([]annotate.Result, len(objects))
	for i, o := range objects {
		r, ok := a.made[o.ID]
		if !ok {
			var err error
			if r, err = annotate.Failed(a.taskType, a.stamp, cut(a.problems[o.ID])); err != nil {
				return nil, nil, err
			}
			a.response = append(a.response, output.Consolidated{ID: o.ID, Annotation: r.Annotation})
		}
		out[i] = r
	}
	return out, a.response, nil
}
