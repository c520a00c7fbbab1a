package classes

import "math"

// model is the state of expectation maximisation over a table of votes.
type model struct {
	*cells
	votes *Votes
	cand  *candidates
	k     int // classes

	posterior []float64 // for each candidate of each item
	prior     []float64 // [class]
	counts    []float64 // [cell] how often the worker said the label where the class is true, expected
	logs      []float64 // [cell] log of the worker's chance to say the label where the class is true
	sums      []float64 // [worker and class] expected answers

	// Items with one candidate have nothing to be decided: what they add to
	// counts and prior is added up once.
	open                 []item
	certain, certainItem []float64
}

// item is an item with several candidates, and where its cells begin.
type item struct{ number, at int32 }

func newModel(v *Votes, c *candidates) *model { return newModelOf(v, c, newCells(v, c)) }

func newModelOf(v *Votes, c *candidates, x *cells) *model {
	m := &model{cells: x, votes: v, cand: c, k: v.classes,
		posterior: make([]float64, len(c.class)), prior: make([]float64, v.classes)}
	m.counts, m.logs = make([]float64, len(m.sum)), make([]float64, len(m.sum))
	m.sums = make([]float64, len(m.worker))
	m.certain, m.certainItem = make([]float64, len(m.sum)), make([]float64, m.k)
	at := 0
	for i := range v.items {
		from, to := c.of(i)
		votes := int(v.start[i+1] - v.start[i])
		switch {
		case to-from > 1:
			m.open = append(m.open, item{int32(i), int32(at)})
		case votes > 0:
			m.posterior[from] = 1
			m.certainItem[c.class[from]]++
			for _, cell := range m.at[at : at+votes] {
				m.certain[cell]++
			}
		}
		at += votes * (to - from)
	}
	return m
}

// shares sets the posteriors to each item's vote shares.
func (m *model) shares() {
	for i := range m.votes.items {
		workers, _ := m.votes.of(i)
		from, to := m.cand.of(i)
		for a := from; a < to; a++ {
			m.posterior[a] = float64(m.cand.count[a]) / float64(len(workers))
		}
	}
}

// tally fills counts and sums from the posteriors, and prior with their mean,
// where every class has smooth items more. Items without votes say nothing.
func (m *model) tally(smooth float64) {
	m.clear(smooth)
	for _, x := range m.open {
		m.credit(x)
	}
	m.total()
}

// infer fills posterior from prior and logs, tallies, and returns the greatest
// change of a posterior.
func (m *model) infer(smooth float64) float64 {
	prior := m.logPrior()
	m.clear(smooth)
	row, change := make([]float64, 0, m.k), 0.0
	for _, x := range m.open {
		row = m.evidence(row, int(x.number), int(x.at), prior)
		softmax(row)
		from, to := m.cand.of(int(x.number))
		p := m.posterior[from:to]
		for a, x := range row {
			change = max(change, math.Abs(x-p[a]))
		}
		copy(p, row)
		m.credit(x) // while its cells are at hand
	}
	m.total()
	return change
}

// clear begins a tally: what is certain stands.
func (m *model) clear(smooth float64) {
	copy(m.counts, m.certain)
	for c, n := range m.certainItem {
		m.prior[c] = n + smooth
	}
}

// credit adds an item to a tally.
func (m *model) credit(x item) {
	from, to := m.cand.of(int(x.number))
	p := m.posterior[from:to]
	for a, c := range m.cand.class[from:to] {
		m.prior[c] += p[a]
	}
	cells := m.cellsOf(int(x.number), int(x.at), len(p))
	if len(p) == 2 { // most of all, and worth its own loop
		for no, yes := p[0], p[1]; len(cells) > 1; cells = cells[2:] {
			m.counts[cells[0]] += no
			m.counts[cells[1]] += yes
		}
		return
	}
	for ; len(cells) > 0; cells = cells[len(p):] {
		for a, chance := range p {
			m.counts[cells[a]] += chance
		}
	}
}

// cellsOf are the cells of item i, which begin at at, for each vote as many as
// the item has candidates.
func (m *model) cellsOf(i, at, candidates int) []int32 {
	return m.at[at : at+candidates*int(m.votes.start[i+1]-m.votes.start[i])]
}

// total ends a tally.
func (m *model) total() {
	normalize(m.prior)
	clear(m.sums)
	for cell, x := range m.counts {
		m.sums[m.sum[cell]] += x
	}
}

func (m *model) logPrior() []float64 {
	prior := make([]float64, m.k)
	for c, x := range m.prior {
		prior[c] = math.Log(max(x, tiny))
	}
	return prior
}

// evidence puts into row, for each candidate of item i, the logarithm of its
// chance together with the item's votes, whose cells begin at at.
func (m *model) evidence(row []float64, i, at int, prior []float64) []float64 {
	row = row[:0]
	from, to := m.cand.of(i)
	for _, c := range m.cand.class[from:to] {
		row = append(row, prior[c])
	}
	cells := m.cellsOf(i, at, len(row))
	if len(row) == 2 {
		no, yes := row[0], row[1]
		for ; len(cells) > 1; cells = cells[2:] {
			no += m.logs[cells[0]]
			yes += m.logs[cells[1]]
		}
		return append(row[:0], no, yes)
	}
	for ; len(cells) > 0; cells = cells[len(row):] {
		for a := range row {
			row[a] += m.logs[cells[a]]
		}
	}
	return row
}

// tiny stands for a chance of nought where its logarithm is taken: two
// workers without fault may still contradict each other.
const tiny = 1e-300

// nothing is the logarithm of a chance that changes no other: e to it is below
// what a sum of about 1 can hold.
const nothing = -40

// softmax turns logarithms into probabilities, in place.
func softmax(row []float64) {
	most := 0
	for c, x := range row {
		if x > row[most] {
			most = c
		}
	}
	top, sum := row[most], 1.0
	for c, x := range row {
		switch {
		case c == most:
			row[c] = 1
		case x-top < nothing:
			row[c] = 0
		default:
			row[c] = math.Exp(x - top)
			sum += row[c]
		}
	}
	for c := range row {
		row[c] /= sum
	}
}

// normalize makes p sum to 1, evenly where it sums to nothing.
func normalize(p []float64) {
	sum := 0.0
	for _, x := range p {
		sum += x
	}
	if sum <= 0 {
		fill(p, 1/float64(len(p)))
		return
	}
	for i := range p {
		p[i] /= sum
	}
}

func fill(p []float64, x float64) {
	for i := range p {
		p[i] = x
	}
}
