package consolidate

import (
	"cmp"
	"slices"
)

// Mark is one thing that a worker drew: its label, and the rectangle it lies
// in, outside of which nothing is similar to it.
type Mark struct {
	Worker, Label            int
	Left, Top, Right, Bottom float64
}

// Matching finds the marks of several workers that mean one object.
type Matching struct {
	// Same is the similarity from which two marks of one label may mean one
	// object; Across that for different labels, Never if they may not.
	Same, Across float64
	// Similarity of marks a and b, from 0 to 1.
	Similarity func(a, b int) float64
}

// Never is a similarity that no two marks have.
const Never = 2

// maxPairs bounds the memory of matching; only overlaps of several workers'
// thousands of marks on one spot come near.
const maxPairs = 1 << 18

// Groups partitions marks into objects. Those most alike come together first,
// of one label before of two; a group has at most one mark of each worker, and
// two groups unite only if their marks are as alike in the mean. Groups are in
// the order of their first marks.
func (m Matching) Groups(marks []Mark) [][]int {
	g := &grouping{Matching: m, marks: marks, in: make([]int, len(marks)), members: make([][]int, len(marks))}
	for n := range marks {
		g.in[n], g.members[n] = n, []int{n}
	}
	for _, p := range g.pairs() {
		g.join(p)
	}
	return slices.DeleteFunc(g.members, func(group []int) bool { return group == nil })
}

// grouping is a partition; members[n] is the group that mark n began, nil when
// it has joined another.
type grouping struct {
	Matching
	marks   []Mark
	in      []int // mark -> its group
	members [][]int
}

// pair is two workers' marks that may mean one object.
type pair struct {
	a, b  int32
	same  bool // label
	alike float64
}

// pairs returns the candidates, best first.
func (g *grouping) pairs() []pair {
	order := make([]int32, len(g.marks))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(g.marks[a].Left, g.marks[b].Left) })
	var out []pair
	full, floor := false, 0.0
	for n, i := range order {
		for _, j := range order[n+1:] {
			if g.marks[j].Left > g.marks[i].Right {
				break
			}
			p, ok := g.pair(min(i, j), max(i, j))
			if !ok || full && p.rank() <= floor {
				continue
			}
			if out = append(out, p); len(out) == 2*maxPairs {
				slices.SortFunc(out, pair.before)
				out = out[:maxPairs]
				full, floor = true, out[maxPairs-1].rank()
			}
		}
	}
	slices.SortFunc(out, pair.before)
	return out
}

func (g *grouping) pair(i, j int32) (p pair, ok bool) {
	a, b := &g.marks[i], &g.marks[j]
	if a.Worker == b.Worker || a.Top > b.Bottom || b.Top > a.Bottom {
		return p, false
	}
	p = pair{a: i, b: j, same: a.Label == b.Label}
	if g.least(p) > 1 {
		return p, false
	}
	p.alike = g.Similarity(int(i), int(j))
	return p, p.alike >= g.least(p)
}

func (g *grouping) least(p pair) float64 {
	if p.same {
		return g.Same
	}
	return g.Across
}

// rank is higher for pairs that come first: one label before two.
func (p pair) rank() float64 {
	if p.same {
		return 1 + p.alike
	}
	return p.alike
}

func (p pair) before(q pair) int {
	return cmp.Or(cmp.Compare(q.rank(), p.rank()), cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b))
}

// join unites the groups of a pair's marks, unless a worker is in both or they
// are too little alike on the whole.
func (g *grouping) join(p pair) {
	a, b := min(g.in[p.a], g.in[p.b]), max(g.in[p.a], g.in[p.b])
	if a == b {
		return
	}
	sum := 0.0
	for _, i := range g.members[a] {
		for _, j := range g.members[b] {
			if g.marks[i].Worker == g.marks[j].Worker {
				return
			}
			sum += g.Similarity(i, j)
		}
	}
	if sum < g.least(p)*float64(len(g.members[a])*len(g.members[b])) {
		return
	}
	for _, j := range g.members[b] {
		g.in[j] = a
	}
	g.members[a] = append(g.members[a], g.members[b]...)
	g.members[b] = nil
}

// Quorum reports whether an object is kept that drawn of all workers drew:
// more than a third. People miss objects more often than they invent them.
func Quorum(drawn, workers int) bool { return 3*drawn > workers }

// Plurality is the most frequent of labels, the lowest of equals; it sorts
// them. There must be one.
func Plurality(labels []int) int {
	slices.Sort(labels)
	best, most := labels[0], 0
	for i := 0; i < len(labels); {
		n := 1
		for i+n < len(labels) && labels[i+n] == labels[i] {
			n++
		}
		if n > most {
			best, most = labels[i], n
		}
		i += n
	}
	return best
}

// Median sorts x, of which there must be one, and returns what is in its
// middle.
func Median(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	if n%2 == 1 {
		return x[n/2]
	}
	return x[n/2-1] + (x[n/2]-x[n/2-1])/2
}
