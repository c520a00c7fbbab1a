package classes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/consolidate"
	"fiducial/internal/labeling/consolidate/crowdtest"
)

// Batch by batch as the labels of a real Ground Truth job were made, the
// published variant gives every one of its 302 labels, and the confidences
// that the reference implementation gives too (297; the other five were not
// reproduced by anybody).
func TestGroundTruthMethodReproducesARealJob(t *testing.T) {
	type want struct {
		label      int
		confidence float64
	}
	var labels consolidate.Names
	batchOf, wants := map[string]string{}, map[string]want{}
	for _, r := range crowdtest.Rows(t, "testdata/real-job-labels.csv") {
		confidence, err := strconv.ParseFloat(r[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		batchOf[r[0]], wants[r[0]] = r[1], want{int(labels.Number(r[2])), confidence}
	}
	type batch struct {
		items, workers consolidate.Names
		votes          []Vote
	}
	batches := map[string]*batch{}
	for _, r := range crowdtest.Rows(t, "testdata/real-job-answers.csv") {
		b := batches[batchOf[r[0]]]
		if b == nil {
			b = &batch{}
			batches[batchOf[r[0]]] = b
		}
		b.votes = append(b.votes, Vote{b.items.Number(r[0]), b.workers.Number(r[1]), labels.Number(r[2])})
	}
	same := map[Method]int{}
	confident := 0
	for _, b := range batches {
		for _, m := range []Method{GroundTruth, DawidSkene, Majority} {
			for i, got := range Consolidate(NewVotes(b.items.Len(), labels.Len(), b.votes), m) {
				want := wants[b.items.Name(int32(i))]
				if got.Label == want.label {
					same[m]++
				}
				if m == GroundTruth && math.Abs(got.Confidence-want.confidence) < 1e-9 {
					confident++
				}
			}
		}
	}
	t.Logf("of 302 labels the same: %v; confidences the same: %d", same, confident)
	if same[GroundTruth] != 302 || confident < 297 {
		t.Errorf("%d of 302 labels, %d of 302 confidences", same[GroundTruth], confident)
	}
	if same[DawidSkene] < 299 {
		t.Errorf("the default method gives %d of 302 labels, want 99%%", same[DawidSkene])
	}
}

// What is defined for votes that are few, missing, garbage or contradictory.
func TestClassesDefinedResults(t *testing.T) {
	const a, b, c = 0, 1, 2
	for _, x := range []struct {
		name  string
		items int
		votes []Vote
		want  []int // labels
		zero  bool  // confidence
	}{
		{"one worker", 3, []Vote{{0, 0, b}, {1, 0, b}, {2, 0, c}}, []int{b, b, c}, true},
		{"each item another worker", 2, []Vote{{0, 0, c}, {1, 1, a}}, []int{c, a}, true},
		{"no votes at all", 2, nil, []int{None, None}, true},
		{"no items", 0, nil, []int{}, true},
		{"an item without votes among others", 3, []Vote{{0, 0, b}, {0, 1, b}, {2, 0, c}, {2, 1, c}}, []int{b, None, c}, false},
		{"garbage is no vote", 1, []Vote{{0, 0, 7}, {0, 1, -1}, {0, 2, b}, {5, 0, a}, {-1, 0, a}, {0, -3, a}}, []int{b}, true},
		{"two disagree: the first category", 1, []Vote{{0, 0, c}, {0, 1, b}}, []int{b}, false},
		{"plain majority", 1, []Vote{{0, 0, c}, {0, 1, b}, {0, 2, c}}, []int{c}, false},
		{"nine workers", 1, []Vote{{0, 0, a}, {0, 1, b}, {0, 2, c}, {0, 3, c}, {0, 4, c}, {0, 5, c}, {0, 6, c}, {0, 7, b}, {0, 8, a}}, []int{c}, false},
		// The item's only vote is the label, however rare the category is.
		{"a lone vote among many others", 4, []Vote{{0, 0, a}, {0, 1, a}, {1, 0, a}, {1, 1, a}, {2, 0, a}, {2, 1, a}, {3, 0, b}}, []int{a, a, a, b}, false},
	} {
		for _, m := range []Method{DawidSkene, Majority, GroundTruth} {
			t.Run(fmt.Sprintf("%s/%s", x.name, m), func(t *testing.T) {
				got := Consolidate(NewVotes(x.items, 3, x.votes), m)
				labels := []int{}
				for _, g := range got {
					labels = append(labels, g.Label)
					if g.Confidence < 0 || g.Confidence > 1 || math.IsNaN(g.Confidence) {
						t.Errorf("confidence %v", g.Confidence)
					}
					if known := g.Label != None && !x.zero; known != (g.Confidence > 0) {
						t.Errorf("label %d has confidence %v", g.Label, g.Confidence)
					}
				}
				if diff := cmp.Diff(x.want, labels); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestDegenerateClassCounts(t *testing.T) {
	votes := []Vote{{0, 0, 0}, {0, 1, 0}, {1, 0, 0}}
	for _, m := range []Method{DawidSkene, Majority, GroundTruth} {
		for i, c := range Consolidate(NewVotes(2, 1, votes), m) {
			if c.Label != 0 || math.IsNaN(c.Confidence) {
				t.Errorf("%s: one category: item %d: %+v", m, i, c)
			}
		}
		for i, c := range Consolidate(NewVotes(2, 0, votes), m) {
			if c.Label != None {
				t.Errorf("%s: no category: item %d: %+v", m, i, c)
			}
		}
	}
}

// What Dawid-Skene is for: two who are always right are outvoted by three who
// guess, and are believed all the same.
func TestDawidSkeneFindsTheGoodWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const items = 200
	var votes []Vote
	truth := make([]int32, items)
	for i := range int32(items) {
		truth[i] = r.Int32N(4)
		for w := range int32(5) {
			label := truth[i]
			if w >= 2 {
				label = r.Int32N(4)
			}
			votes = append(votes, Vote{i, w, label})
		}
	}
	right := map[Method]int{}
	for _, m := range []Method{DawidSkene, Majority} {
		for i, c := range Consolidate(NewVotes(items, 4, votes), m) {
			if c.Label == int(truth[i]) {
				right[m]++
			}
		}
	}
	if right[DawidSkene] < items*99/100 || right[Majority] > items*95/100 {
		t.Errorf("right: %v of %d", right, items)
	}
}

func TestParseMethod(t *testing.T) {
	for in, want := range map[string]Method{"": DawidSkene, "dawid-skene": DawidSkene, "majority": Majority, "ground-truth": GroundTruth, "aws": GroundTruth} {
		if got, err := ParseMethod(in); got != want || err != nil {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	if _, err := ParseMethod("best"); !fault.Is(err, fault.Invalid) {
		t.Errorf("unknown method: %v", err)
	}
}

// Any table of votes has a result: labels within the categories and voted
// for by at least one worker or the likeliest, confidences within 0 and 1.
func FuzzClasses(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 1, 1, 0, 2}, uint8(3), uint8(3))
	f.Add([]byte{255, 3, 9}, uint8(0), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, items, classes uint8) {
		var votes []Vote
		for ; len(b) >= 3 && len(votes) < 500; b = b[3:] {
			votes = append(votes, Vote{int32(int8(b[0])), int32(int8(b[1])), int32(int8(b[2]))})
		}
		items, classes = items%64, classes%12
		for _, m := range []Method{DawidSkene, Majority, GroundTruth} {
			v := NewVotes(int(items), int(classes), votes)
			got := Consolidate(v, m)
			if len(got) != int(items) {
				t.Fatalf("%d results for %d items", len(got), items)
			}
			for i, c := range got {
				_, labels := v.of(i)
				if (c.Label == None) != (len(labels) == 0) || c.Label >= int(classes) || c.Votes != len(labels) {
					t.Fatalf("%s: %+v for %v", m, c, labels)
				}
				if !(c.Confidence >= 0 && c.Confidence <= 1+1e-9) {
					t.Fatalf("%s: %+v", m, c)
				}
			}
		}
	})
}

// One million labels, ten rounds, five categories.
func BenchmarkDawidSkeneMillionLabels(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const items, perItem, workers, classes = 200_000, 5, 2_000, 5
	votes := make([]Vote, 0, items*perItem)
	for i := range int32(items) {
		truth := r.Int32N(classes)
		for range perItem {
			label := truth
			if r.Float64() < 0.3 {
				label = r.Int32N(classes)
			}
			votes = append(votes, Vote{i, r.Int32N(workers), label})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		v := NewVotes(items, classes, votes)
		newModel(v, votedFor(v)).dawidSkene(10)
	}
}
