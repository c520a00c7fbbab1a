package classes

import "math"

// The priors, each worth so many answers per class: small beside what a large
// job has, decisive in a batch of fifty items where most workers gave a
// handful of answers. Accuracy hardly depends on them: from 2 to 6 and from 1
// to 100, the mean over ten crowd sets moves by 0.2 points.
const (
	ownPrior    = 3  // what a worker's confusion matrix borrows from the pooled one
	pooledPrior = 10 // what the pooled matrix borrows from one accuracy for all
	startPrior  = 10 // what that accuracy borrows from start
	start       = 0.7
	// priorItems is how many items more every class gets, so that none is
	// ruled out by a batch in which it does not occur.
	priorItems = 1
)

// dawidSkene runs expectation maximisation from the vote shares on. A
// worker's confusion matrix has a prior, a Dirichlet distribution about the
// rows of the matrix of all workers together, which in turn has one about a
// single accuracy. Without the first, a worker with two answers gets a matrix
// of certainties; without the second, the pooled matrix of a class with two
// items does.
func (m *model) dawidSkene(rounds int) {
	m.shares()
	pooled := make([]float64, len(m.label))
	m.tally(priorItems)
	for range rounds {
		m.shrink(m.pooled(pooled))
		if m.infer(priorItems) < settled {
			return
		}
	}
}

// pooled fills p with the confusion matrix of all workers together.
func (m *model) pooled(p []float64) []float64 {
	sum, accuracy := m.together(p)
	for n, x := range p {
		right := m.label[n] == m.class[n]
		p[n] = (x + pooledPrior*symmetric(accuracy, m.k, right)) / (sum[m.class[n]] + pooledPrior)
	}
	return p
}

// together adds the counts of all workers in p, and returns how many answers
// there are for each true class, and how many of all are right.
func (m *model) together(p []float64) (sum []float64, accuracy float64) {
	clear(p)
	for cell, x := range m.counts {
		p[m.pool[cell]] += x
	}
	sum = make([]float64, m.k)
	right, all := start*startPrior, float64(startPrior)
	for n, x := range p {
		sum[m.class[n]] += x
		all += x
		if m.label[n] == m.class[n] {
			right += x
		}
	}
	return sum, right / all
}

// shrink fills logs from counts, every worker's matrix drawn towards pooled.
func (m *model) shrink(pooled []float64) {
	for cell, x := range m.counts {
		m.logs[cell] = math.Log((x + ownPrior*pooled[m.pool[cell]]) / (m.sums[m.sum[cell]] + ownPrior))
	}
}
