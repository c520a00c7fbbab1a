// Package spans makes one set of labelled spans of those that several workers
// marked in a text (named entities, for example).
//
// The text itself is not needed. Wherever a span of anybody begins or ends,
// the text is cut; each piece is a question, which label or none, that every
// worker has answered, and package classes decides it. So a worker who often
// misses entities, or takes one kind for another, is known for it. Neighbouring
// pieces with one label are a span again, unless most of those who marked both
// saw two spans there.
//
// Pieces count by their length, in units of what is commonly marked, so that
// the unmarked text weighs as much as it would word by word.
package spans

import (
	"cmp"
	"math"
	"slices"

	"fiducial/internal/labeling/consolidate"
	"fiducial/internal/labeling/consolidate/classes"
)

// Span is a labelled part of a text, its end exclusive, counted in characters
// or tokens: all spans of an item in the same.
type Span struct {
	Start, End, Label int
}

// Answer is what one worker marked in one item; nothing is an answer too.
type Answer struct {
	Item, Worker int32
	Spans        []Span
}

// Options say how to consolidate. The zero value is the default.
type Options struct {
	Method classes.Method
	// Overlapping keeps spans of different labels that overlap, where the task
	// allows them: each label is then a question of its own.
	Overlapping bool
}

// Consolidated is a span with an estimate of the chance that it is right: the
// mean confidence in the label of its pieces, by length; 0 if no item has two
// answers.
type Consolidated struct {
	Span
	Confidence float64
	Votes      int // workers who marked exactly this span
}

// maxPieces is as how many questions one piece of text counts at most.
const maxPieces = 32

// Consolidate consolidates answers about items 0..items-1 with labels
// 0..labels-1. Spans that are empty, begin before 0 or have another label are
// garbage and left out. Spans of an item are sorted by where they begin.
func Consolidate(items, labels int, answers []Answer, o Options) [][]Consolidated {
	texts := make([]text, items)
	for _, a := range answers {
		if a.Item < 0 || int(a.Item) >= items || a.Worker < 0 {
			continue
		}
		texts[a.Item].workers = append(texts[a.Item].workers, a.Worker)
		texts[a.Item].marked = append(texts[a.Item].marked, clean(a.Spans, labels))
	}
	unit := cut(texts)
	out := make([][]Consolidated, items)
	if !o.Overlapping {
		decide(texts, labels, unit, o.Method, func(i int, c Consolidated) { out[i] = append(out[i], c) })
		return out
	}
	for l := range labels {
		decide(only(texts, l), 1, unit, o.Method, func(i int, c Consolidated) {
			c.Label = l
			out[i] = append(out[i], c)
		})
	}
	for i := range out {
		slices.SortStableFunc(out[i], func(a, b Consolidated) int { return compare(a.Span, b.Span) })
	}
	return out
}

// text is one item: who answered, what they marked, and where it is cut.
type text struct {
	workers []int32
	marked  [][]Span
	cuts    []int // rising; piece n is from cuts[n] to cuts[n+1]
}

// only is the texts with the spans of one label, which becomes 0.
func only(texts []text, label int) []text {
	out := make([]text, len(texts))
	for i, t := range texts {
		out[i] = text{workers: t.workers, cuts: t.cuts, marked: make([][]Span, len(t.marked))}
		for w, marked := range t.marked {
			for _, s := range marked {
				if s.Label == label {
					out[i].marked[w] = append(out[i].marked[w], Span{s.Start, s.End, 0})
				}
			}
		}
	}
	return out
}

// clean sorts spans and leaves out garbage and repetitions.
func clean(spans []Span, labels int) []Span {
	var out []Span
	for _, s := range spans {
		if s.Start >= 0 && s.End > s.Start && s.Label >= 0 && s.Label < labels {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, compare)
	return slices.Compact(out)
}

// compare sorts by beginning, the longer first.
func compare(a, b Span) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End), cmp.Compare(a.Label, b.Label))
}

// cut finds where texts are cut, and the usual length of a piece.
func cut(texts []text) (unit float64) {
	var lengths []float64
	for i := range texts {
		t := &texts[i]
		t.cuts = append(t.cuts, 0)
		for _, marked := range t.marked {
			for _, s := range marked {
				t.cuts = append(t.cuts, s.Start, s.End)
			}
		}
		slices.Sort(t.cuts)
		t.cuts = slices.Compact(t.cuts)
		for n, from := range t.cuts[:len(t.cuts)-1] {
			if t.covered(from) {
				lengths = append(lengths, float64(t.cuts[n+1]-from))
			}
		}
	}
	if len(lengths) == 0 {
		return 1
	}
	return consolidate.Median(lengths)
}

func (t *text) covered(at int) bool {
	for _, marked := range t.marked {
		if _, ok := over(marked, at); ok {
			return true
		}
	}
	return false
}

// over returns the span that covers a place; of several that begin first, the
// longest.
func over(marked []Span, at int) (Span, bool) {
	for _, s := range marked {
		if s.Start > at {
			break
		}
		if at < s.End {
			return s, true
		}
	}
	return Span{}, false
}

// decide asks for every piece which label it has, and emits the spans that the
// answers make.
func decide(texts []text, labels int, unit float64, m classes.Method, emit func(int, Consolidated)) {
	q := ask(texts, labels, unit)
	results := classes.Consolidate(classes.NewVotes(q.pieces, labels+1, q.votes), m)
	for i := range texts {
		r := rebuilding{text: &texts[i], emit: func(c Consolidated) { emit(i, c) }}
		for n, at := range q.first[i] {
			if c := results[at]; c.Label == classes.None || c.Label == labels {
				r.close()
			} else {
				r.piece(texts[i].cuts[n], texts[i].cuts[n+1], c)
			}
		}
		r.close()
	}
}

// rebuilding makes spans of pieces.
type rebuilding struct {
	*text
	emit func(Consolidated)
	open Consolidated // its confidence a sum over its length; empty: none
}

// piece adds the next piece, which has a label.
func (r *rebuilding) piece(from, to int, c classes.Class) {
	if r.open.End > 0 && (r.open.End != from || r.open.Label != c.Label || r.parted(from, c.Label)) {
		r.close()
	}
	if r.open.End == 0 {
		r.open.Span = Span{from, to, c.Label}
	}
	r.open.End = to
	r.open.Confidence += float64(to-from) * c.Confidence
}

// close ends the open span.
func (r *rebuilding) close() {
	c := r.open
	r.open = Consolidated{}
	if c.End == 0 {
		return
	}
	c.count(*r.text)
	c.Confidence /= float64(c.End - c.Start)
	r.emit(c)
}

// count counts who marked exactly this span.
func (c *Consolidated) count(t text) {
	c.Votes = 0
	for _, marked := range t.marked {
		if slices.Contains(marked, c.Span) {
			c.Votes++
		}
	}
}

// questions are the pieces of all texts as items of a classification.
type questions struct {
	votes  []classes.Vote
	first  [][]int32 // of each text, for each piece, the first of its items
	pieces int
}

func ask(texts []text, labels int, unit float64) *questions {
	q := &questions{first: make([][]int32, len(texts))}
	for i, t := range texts {
		for n, from := range t.cuts[:len(t.cuts)-1] {
			q.first[i] = append(q.first[i], int32(q.pieces))
			weight := math.Round(float64(t.cuts[n+1]-from) / unit)
			for range int(min(max(weight, 1), maxPieces)) {
				for w, worker := range t.workers {
					v := classes.Vote{Item: int32(q.pieces), Worker: worker, Label: int32(labels)}
					if s, ok := over(t.marked[w], from); ok {
						v.Label = int32(s.Label)
					}
					q.votes = append(q.votes, v)
				}
				q.pieces++
			}
		}
	}
	return q
}

// parted reports whether most workers who gave the label on both sides of a
// place saw two spans there.
func (t *text) parted(at, label int) bool {
	two, one := 0, 0
	for _, marked := range t.marked {
		left, ok := over(marked, at-1)
		right, and := over(marked, at)
		if !ok || !and || left.Label != label || right.Label != label {
			continue
		}
		if left == right {
			one++
		} else {
			two++
		}
	}
	return two > one
}
