package quality

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"fiducial/internal/labeling/consolidate/spans"
	"fiducial/internal/labeling/output"
)

// spansLabel reads the label of a named entity recognition. Unlike those of an
// answer, its entities are not left out if something is wrong with them.
func (s *Scorer) spansLabel(label json.RawMessage) ([]spans.Span, error) {
	var v struct {
		Annotations struct {
			Entities *[]struct {
				Label                  string
				StartOffset, EndOffset int
			}
		}
	}
	if err := json.Unmarshal(label, &v); err != nil || v.Annotations.Entities == nil {
		return nil, fmt.Errorf(`expected {"annotations": {"entities": [{"label", "startOffset", "endOffset"}]}}`)
	}
	if n := len(*v.Annotations.Entities); n > output.MaxSpans {
		return nil, fmt.Errorf("it has %d entities, more than %d", n, output.MaxSpans)
	}
	var out []spans.Span
	for i, e := range *v.Annotations.Entities {
		c, err := s.class(e.Label)
		if err != nil {
			return nil, fmt.Errorf("entity %d: %w", i+1, err)
		}
		if e.StartOffset < 0 || e.EndOffset <= e.StartOffset {
			return nil, fmt.Errorf("entity %d goes from %d to %d", i+1, e.StartOffset, e.EndOffset)
		}
		out = append(out, spans.Span{Start: e.StartOffset, End: e.EndOffset, Label: c})
	}
	return distinct(out), nil
}

func distinct(list []spans.Span) []spans.Span {
	slices.SortFunc(list, compareSpans)
	return slices.Compact(list)
}

func compareSpans(a, b spans.Span) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Label, b.Label))
}

// spansAlike is F1; nothing marked by both is the same.
func spansAlike(a, b []spans.Span) float64 {
	same := 0
	for _, x := range a {
		if _, found := slices.BinarySearchFunc(b, x, compareSpans); found {
			same++
		}
	}
	return share(2*same, len(a)+len(b))
}
