package spans

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/labeling/consolidate/classes"
)

func TestConsolidate(t *testing.T) {
	s := func(start, end, label int) Span { return Span{start, end, label} }
	by := func(worker int32, spans ...Span) Answer { return Answer{0, worker, spans} }
	for _, c := range []struct {
		name        string
		answers     []Answer
		overlapping bool
		want        []Span
	}{
		{"one worker", []Answer{by(0, s(4, 9, 1), s(12, 15, 0))}, false, []Span{s(4, 9, 1), s(12, 15, 0)}},
		{"one worker, a span at the very beginning", []Answer{by(0, s(0, 2, 1))}, false, []Span{s(0, 2, 1)}},
		{"nobody answered", nil, false, nil},
		{"all found nothing", []Answer{by(0), by(1)}, false, nil},
		{"all alike", []Answer{by(0, s(4, 9, 1)), by(1, s(4, 9, 1)), by(2, s(4, 9, 1))}, false, []Span{s(4, 9, 1)}},
		{"one of three saw a longer one", []Answer{by(0, s(4, 9, 1)), by(1, s(4, 9, 1)), by(2, s(4, 14, 1))}, false, []Span{s(4, 9, 1)}},
		{"one of three took it for something else", []Answer{by(0, s(4, 9, 1)), by(1, s(4, 9, 0)), by(2, s(4, 9, 1))}, false, []Span{s(4, 9, 1)}},
		{"neighbours of one label stay two", []Answer{by(0, s(0, 4, 0), s(4, 8, 0)), by(1, s(0, 4, 0), s(4, 8, 0)), by(2, s(0, 8, 0))}, false, []Span{s(0, 4, 0), s(4, 8, 0)}},
		{"who cuts one in two is outvoted", []Answer{by(0, s(0, 4, 0), s(4, 8, 0)), by(1, s(0, 8, 0)), by(2, s(0, 8, 0))}, false, []Span{s(0, 8, 0)}},
		{"garbage spans are not there", []Answer{by(0, s(4, 9, 1), s(-2, 3, 0), s(7, 7, 0), s(9, 5, 1), s(1, 2, 8)), by(1, s(4, 9, 1)), by(2, s(4, 9, 1), s(4, 9, 1))}, false, []Span{s(4, 9, 1)}},
		{"overlapping where the task has no such thing", []Answer{by(0, s(0, 20, 0), s(5, 9, 1)), by(1, s(0, 20, 0), s(5, 9, 1)), by(2, s(0, 20, 0))}, false, []Span{s(0, 20, 0)}},
		{"overlapping kept where it has", []Answer{by(0, s(0, 20, 0), s(5, 9, 1)), by(1, s(0, 20, 0), s(5, 9, 1)), by(2, s(0, 20, 0))}, true, []Span{s(0, 20, 0), s(5, 9, 1)}},
	} {
		for _, m := range []classes.Method{classes.DawidSkene, classes.Majority} {
			t.Run(c.name+"/"+string(m), func(t *testing.T) {
				var got []Span
				for _, x := range Consolidate(1, 2, c.answers, Options{Method: m, Overlapping: c.overlapping})[0] {
					got = append(got, x.Span)
					if len(c.answers) < 2 != (x.Confidence == 0) || !(x.Confidence >= 0 && x.Confidence <= 1) {
						t.Errorf("%+v", x)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Workers miss a third of what is there, move ends and confuse labels: what
// they find together is more than most of any one, and counting tokens in
// another unit changes nothing.
func TestSimulatedEntities(t *testing.T) {
	var f1 [2]float64
	for k, unit := range []int{1, 6} {
		r := rand.New(rand.NewPCG(1, 2))
		const items = 400
		truth := make([]map[Span]bool, items)
		var answers []Answer
		for i := range truth {
			truth[i] = map[Span]bool{}
			for at := r.IntN(5); at < 30; at += 4 + r.IntN(8) {
				truth[i][Span{at * unit, (at + 1 + r.IntN(3)) * unit, r.IntN(3)}] = true
			}
			for _, w := range r.Perm(25)[:5] {
				a := Answer{Item: int32(i), Worker: int32(w)}
				for s := range truth[i] {
					switch skill := 0.25 + float64(w)/50; {
					case hash(i, w, s.Start/unit) > skill:
						continue
					case hash(i, w, 100+s.Start/unit) > 0.9:
						s.End += unit
					case hash(i, w, 200+s.Start/unit) > 0.85:
						s.Label = (s.Label + 1) % 3
					}
					a.Spans = append(a.Spans, s)
				}
				answers = append(answers, a)
			}
		}
		f1[k] = score(truth, Consolidate(items, 3, answers, Options{}))
		vote := score(truth, Consolidate(items, 3, answers, Options{Method: classes.Majority}))
		t.Logf("F1 %.3f, of the vote on each piece %.3f", f1[k], vote)
		if f1[k] < vote+0.02 {
			t.Errorf("F1 %.3f, of the vote %.3f", f1[k], vote)
		}
	}
	if math.Abs(f1[0]-f1[1]) > 1e-9 {
		t.Errorf("another unit changes F1: %.3f", f1)
	}
}

// score is the F1 of spans that are exactly as in truth.
func score(truth []map[Span]bool, got [][]Consolidated) float64 {
	found, right, there := 0, 0, 0
	for i, spans := range got {
		there += len(truth[i])
		found += len(spans)
		for _, s := range spans {
			if truth[i][s.Span] {
				right++
			}
		}
	}
	return 2 * float64(right) / float64(found+there)
}

// hash is a number from 0 to 1 that does not depend on the order of a map.
func hash(a, b, c int) float64 {
	return rand.New(rand.NewPCG(uint64(a)<<32|uint64(b), uint64(c))).Float64()
}

func FuzzConsolidate(f *testing.F) {
	f.Add([]byte{0, 1, 4, 9, 1, 0, 2, 4, 10, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var answers []Answer
		for ; len(b) >= 5 && len(answers) < 40; b = b[5:] {
			answers = append(answers, Answer{int32(b[0]%4) - 1, int32(b[1]%6) - 1, []Span{{int(b[2]) - 9, int(b[3]), int(b[4]%5) - 1}}})
		}
		for _, o := range []Options{{}, {Overlapping: true}, {Method: classes.Majority}} {
			for _, spans := range Consolidate(3, 3, answers, o) {
				for n, s := range spans {
					if s.Start < 0 || s.End <= s.Start || s.Label < 0 || s.Label > 2 || !(s.Confidence >= 0 && s.Confidence <= 1+1e-9) {
						t.Fatalf("%+v", s)
					}
					if n > 0 && !o.Overlapping && s.Start < spans[n-1].End {
						t.Fatalf("%+v overlap", spans)
					}
				}
			}
		}
	})
}
