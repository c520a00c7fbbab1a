package classes

import (
	"math"
	"math/rand/v2"
	"testing"
)

func table(counts [][]int) *Votes {
	var votes []Vote
	for i, row := range counts {
		w := int32(0)
		for l, n := range row {
			for range n {
				votes = append(votes, Vote{int32(i), w, int32(l)})
				w++
			}
		}
	}
	return NewVotes(len(counts), len(counts[0]), votes)
}

// The example of Fleiss's paper as the encyclopedias have it: ten subjects,
// fourteen raters, five categories.
func TestFleissOfThePublishedExample(t *testing.T) {
	v := table([][]int{{0, 0, 0, 0, 14}, {0, 2, 6, 4, 2}, {0, 0, 3, 5, 6}, {0, 3, 9, 2, 0}, {2, 2, 8, 1, 1},
		{7, 7, 0, 0, 0}, {3, 2, 6, 3, 0}, {2, 5, 3, 2, 2}, {6, 5, 2, 1, 0}, {0, 2, 2, 3, 7}})
	if got := Fleiss(v); math.Abs(got-0.210) > 0.0005 {
		t.Errorf("kappa %.4f, want 0.210", got)
	}
}

// Krippendorff's example with missing values, nominal: 0.691.
func TestKrippendorffOfThePublishedExample(t *testing.T) {
	coders := []string{"*****3412113 3*3", "1*213343********", "**21344*2113 3*4"}
	var votes []Vote
	for w, row := range coders {
		item := int32(0)
		for _, r := range row {
			if r == ' ' {
				continue
			}
			if r != '*' {
				votes = append(votes, Vote{item, int32(w), r - '1'})
			}
			item++
		}
	}
	if got := Krippendorff(NewVotes(15, 4, votes)); math.Abs(got-0.691) > 0.0005 {
		t.Errorf("alpha %.4f, want 0.691", got)
	}
}

func TestAgreementWithoutPairs(t *testing.T) {
	for name, v := range map[string]*Votes{
		"no votes": NewVotes(2, 2, nil), "one each": NewVotes(2, 2, []Vote{{0, 0, 0}, {1, 1, 1}}),
		"all say the same": NewVotes(2, 2, []Vote{{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 1, 0}}),
	} {
		if a, b := Fleiss(v), Krippendorff(v); !math.IsNaN(a) || !math.IsNaN(b) {
			t.Errorf("%s: %v, %v", name, a, b)
		}
	}
}

// Workers of known quality are recognised, and the interval holds the truth as
// often as it says.
func TestQualityFindsHowGoodWorkersAre(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const items, workers = 400, 40
	skill := make([]float64, workers)
	for w := range skill {
		skill[w] = 0.4 + 0.5*r.Float64()
	}
	var votes []Vote
	for i := range int32(items) {
		truth := r.Int32N(3)
		for _, w := range r.Perm(workers)[:7] {
			label := truth
			if r.Float64() > skill[w] {
				label = (truth + 1 + r.Int32N(2)) % 3
			}
			votes = append(votes, Vote{i, int32(w), label})
		}
	}
	v := NewVotes(items, 3, votes)
	inside, given := 0, 0
	for w, q := range Estimate(v, DawidSkene, MaxRounds).Quality() {
		if math.Abs(q.Accuracy-skill[w]) > 0.2 || q.Low > q.Accuracy || q.High < q.Accuracy {
			t.Errorf("worker %d: %+v, is right with %.2f", w, q, skill[w])
		}
		if q.Low <= skill[w] && skill[w] <= q.High {
			inside++
		}
		given += q.Answers
		sum := 0.0
		for _, c := range q.Confusion {
			sum += c.Count
		}
		if math.Abs(sum-float64(q.Answers)) > 0.1 {
			t.Errorf("worker %d: confusion matrix of %.2f answers, gave %d", w, sum, q.Answers)
		}
	}
	if given != len(votes) || inside < workers*85/100 {
		t.Errorf("%d answers of %d; %d of %d intervals hold the truth", given, len(votes), inside, workers)
	}
}

func TestQualityOfWhoeverWasAlone(t *testing.T) {
	q := Estimate(NewVotes(2, 2, []Vote{{0, 0, 0}, {1, 2, 1}}), DawidSkene, MaxRounds).Quality()
	for w, x := range q {
		if x.Answers != 0 || x.Accuracy != 0 || x.Low != 0 || x.High != 1 || len(x.Confusion) != 0 {
			t.Errorf("worker %d: %+v", w, x)
		}
	}
}

// Where classes and workers are so many that only what occurs gets a cell, the
// result is that of all cells.
func TestSparseCellsEqualDense(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var votes []Vote
	for i := range int32(300) {
		truth := r.Int32N(6)
		for range 1 + r.IntN(5) {
			label := truth
			if r.Float64() < 0.4 {
				label = r.Int32N(6)
			}
			votes = append(votes, Vote{i, r.Int32N(30), label})
		}
	}
	v := NewVotes(300, 6, votes)
	for _, c := range []*candidates{votedFor(v), everything(v)} {
		dense, sparse := newModel(v, c), newModelOf(v, c, sparseCells(v, c))
		for _, m := range []*model{dense, sparse} {
			m.dawidSkene(20)
		}
		for a := range dense.posterior {
			if d := math.Abs(dense.posterior[a] - sparse.posterior[a]); d > 1e-9 {
				t.Fatalf("posterior %d differs by %g", a, d)
			}
		}
	}
}

// Five thousand categories, a thousand workers: neither time nor memory is that
// of all their pairs.
func TestManyCategories(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const items, classes = 4000, 5000
	var votes []Vote
	truth := make([]int, items)
	for i := range truth {
		truth[i] = r.IntN(classes)
		for range 5 {
			label := truth[i]
			if r.Float64() < 0.3 {
				label = r.IntN(classes)
			}
			votes = append(votes, Vote{int32(i), r.Int32N(1000), int32(label)})
		}
	}
	right := 0
	for i, c := range Consolidate(NewVotes(items, classes, votes), DawidSkene) {
		if c.Label == truth[i] {
			right++
		}
	}
	if right < items*97/100 {
		t.Errorf("%d of %d right", right, items)
	}
}

// Three quarters of the workers answer anything; the others are found out by
// agreeing with each other.
func TestSpamWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	const items = 500
	var votes []Vote
	truth := make([]int, items)
	for i := range truth {
		truth[i] = r.IntN(3)
		for _, w := range r.Perm(20)[:8] {
			label := int32(r.IntN(3))
			if w < 5 && r.Float64() < 0.9 {
				label = int32(truth[i])
			}
			votes = append(votes, Vote{int32(i), int32(w), label})
		}
	}
	right := map[Method]int{}
	for _, m := range []Method{DawidSkene, Majority} {
		for i, c := range Consolidate(NewVotes(items, 3, votes), m) {
			if c.Label == truth[i] {
				right[m]++
			}
		}
	}
	t.Logf("right of %d: %v", items, right)
	if right[DawidSkene] < right[Majority]+items/20 {
		t.Errorf("right of %d: %v", items, right)
	}
}
