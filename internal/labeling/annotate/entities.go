package annotate

import (
	"unicode/utf8"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/consolidate/spans"
	"fiducial/internal/labeling/output"
)

// entities makes labelled spans of the answers, from all objects together.
type entities struct {
	labels     []labeling.Label
	categories output.Categories
	method     classes.Method

	objects  int
	workers  consolidate.Names
	answers  []spans.Answer
	answered []bool
	reasons  map[int][]string
}

func (f *entities) add(o labeling.Answered) {
	f.answered = append(f.answered, false)
	length := 0
	if _, text, err := labeling.SourceOf(o.Line); err == nil {
		length = utf8.RuneCountInString(text)
	}
	for _, a := range o.Answers {
		marked, err := output.SpansAnswer(a.Content, f.categories, length)
		if err != nil {
			note(&f.reasons, f.objects, err)
			continue
		}
		f.answered[f.objects] = true
		own := spans.Answer{Item: int32(f.objects), Worker: f.workers.Number(a.Worker)}
		for _, m := range marked {
			own.Spans = append(own.Spans, spans.Span{Start: m.Start, End: m.End, Label: m.Index})
		}
		f.answers = append(f.answers, own)
	}
	f.objects++
}

func (f *entities) annotate(s output.Stamp, fn func(Result) error) error {
	for i, found := range spans.Consolidate(f.objects, f.categories.Len(), f.answers, spans.Options{Method: f.method}) {
		r := Result{Failure: useless(f.reasons[i])}
		if f.answered[i] {
			out := make([]output.Span, len(found))
			for k, x := range found {
				out[k] = output.Span{Category: output.Category{Index: x.Label, Name: f.categories.Name(x.Label), Confidence: x.Confidence}, Start: x.Start, End: x.End}
			}
			a, err := output.Entities(s, f.labels, out)
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
