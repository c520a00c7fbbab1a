package classes

import "math"

const (
	// groundTruthStart is the accuracy that every worker starts with.
	groundTruthStart = 0.7
	// groundTruthMost is the highest confidence seen in a real job's output.
	groundTruthMost = 0.95
)

// groundTruth runs the Dawid-Skene variant that AWS published: two
// inferences, the first with every worker alike, the second with confusion
// matrices into which each worker's own accuracy counts as many answers as
// the worker gave, and the mean accuracy half as many. The published loop
// allows more rounds, but after the first it has settled; run per batch, this
// gives all 302 labels of a real job.
func (m *model) groundTruth() {
	fill(m.prior, 1/float64(m.k))
	for cell := range m.logs {
		m.logs[cell] = logOf(symmetric(groundTruthStart, m.k, m.right(cell)))
	}
	m.infer(0)
	accuracy, given, mean := m.accuracies()
	for cell, x := range m.counts {
		w := m.worker[m.sum[cell]]
		x += given[w]*symmetric(accuracy[w], m.k, m.right(cell)) + given[w]/2*symmetric(mean, m.k, m.right(cell))
		m.logs[cell] = logOf(x / (m.sums[m.sum[cell]] + given[w]*1.5))
	}
	m.infer(0)
}

// right reports whether the label of a cell is its class.
func (m *model) right(cell int) bool {
	p := m.pool[cell]
	return m.label[p] == m.class[p]
}

// accuracies returns every worker's expected share of right answers, how many
// answers they gave, and the mean share over the workers who gave any.
func (m *model) accuracies() (accuracy, given []float64, mean float64) {
	accuracy, given = make([]float64, m.votes.workers), make([]float64, m.votes.workers)
	for cell, x := range m.counts {
		w := m.worker[m.sum[cell]]
		given[w] += x
		if m.right(cell) {
			accuracy[w] += x
		}
	}
	n := 0.0
	for w := range accuracy {
		if given[w] > 0 {
			accuracy[w] /= given[w]
			mean += accuracy[w]
			n++
		}
	}
	return accuracy, given, mean / max(n, 1)
}

// symmetric is the chance of one label from a worker who is right with chance
// a and else says any of the others alike.
func symmetric(a float64, classes int, right bool) float64 {
	if right {
		return a
	}
	return (1 - a) / float64(max(classes-1, 1))
}

func logOf(x float64) float64 {
	if !(x > tiny) { // also for a worker without answers, whose sum is 0
		x = tiny
	}
	return math.Log(x)
}
