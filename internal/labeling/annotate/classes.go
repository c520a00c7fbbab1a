package annotate

import (
	"fmt"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/output"
)

// single makes one category of the answers.
type single struct {
	categories output.Categories
	method     classes.Method
	label      func(s output.Stamp, chosen output.Category, object int) (output.Annotation, error)

	objects int
	workers consolidate.Names
	votes   []classes.Vote
	reasons map[int][]string // why answers to an object are of no use
}

func (f *single) add(o labeling.Answered) {
	for _, a := range o.Answers {
		label, err := output.ClassAnswer(a.Content, f.categories)
		if err != nil {
			note(&f.reasons, f.objects, err)
			continue
		}
		f.votes = append(f.votes, classes.Vote{Item: int32(f.objects), Worker: f.workers.Number(a.Worker), Label: int32(label)})
	}
	f.objects++
}

func (f *single) annotate(s output.Stamp, fn func(Result) error) error {
	for i, c := range classes.Consolidate(classes.NewVotes(f.objects, f.categories.Len(), f.votes), f.method) {
		r := Result{Failure: useless(f.reasons[i])}
		if c.Label != classes.None {
			a, err := f.label(s, output.Category{Index: c.Label, Name: f.categories.Name(c.Label), Confidence: c.Confidence}, i)
			if err != nil {
				return err
			}
			r = Result{Annotation: a}
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// verdicts make one verdict of the answers, and keep what workers said besides.
type verdicts struct {
	single
	comments [][]string
}

func newVerdicts(t labeling.TaskType, c output.Categories, m classes.Method) *verdicts {
	f := &verdicts{}
	f.single = single{categories: c, method: m, label: func(s output.Stamp, chosen output.Category, object int) (output.Annotation, error) {
		return output.Verification(t, s, chosen, f.comments[object])
	}}
	return f
}

func (f *verdicts) add(o labeling.Answered) {
	var said []string
	for _, a := range o.Answers {
		if text := output.Comment(a.Content); text != "" {
			said = append(said, text)
		}
	}
	f.comments = append(f.comments, said)
	f.single.add(o)
}

func note(reasons *map[int][]string, object int, err error) {
	if *reasons == nil {
		*reasons = map[int][]string{}
	}
	(*reasons)[object] = append((*reasons)[object], err.Error())
}

// multiple makes any number of categories of the answers.
type multiple struct {
	taskType   labeling.TaskType
	categories output.Categories
	method     classes.Method

	objects    int
	workers    consolidate.Names
	selections []classes.Selection
	answered   []bool
	reasons    map[int][]string
}

func (f *multiple) add(o labeling.Answered) {
	f.answered = append(f.answered, false)
	for _, a := range o.Answers {
		labels, unknown, err := output.LabelsAnswer(a.Content, f.categories)
		if err == nil && len(labels) == 0 && len(unknown) > 0 {
			err = fmt.Errorf("%q is not one of the job's label categories", unknown[0])
		}
		if err != nil {
			note(&f.reasons, f.objects, err)
			continue
		}
		f.answered[f.objects] = true
		picked := classes.Selection{Item: int32(f.objects), Worker: f.workers.Number(a.Worker)}
		for _, l := range labels {
			picked.Labels = append(picked.Labels, int32(l))
		}
		f.selections = append(f.selections, picked)
	}
	f.objects++
}

func (f *multiple) annotate(s output.Stamp, fn func(Result) error) error {
	for i, picks := range classes.MultiLabel(f.objects, f.categories.Len(), f.selections, f.method) {
		r := Result{Failure: useless(f.reasons[i])}
		if f.answered[i] {
			chosen := make([]output.Category, len(picks))
			for k, p := range picks {
				chosen[k] = output.Category{Index: p.Label, Name: f.categories.Name(p.Label), Confidence: p.Confidence}
			}
			a, err := output.MultiLabel(f.taskType, s, chosen)
			if err != nil {
				return err
			}
			r = Result{Annotation: a}
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}
