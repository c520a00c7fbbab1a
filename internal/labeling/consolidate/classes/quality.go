package classes

import "math"

// Quality is what the answers tell of one worker.
type Quality struct {
	Answers int // that could be compared with somebody else's
	// Accuracy is the share of them that are right, as far as is known, and
	// Low to High where the true share lies with 95 % probability (Wilson's
	// interval). Without answers: 0, and 0 to 1.
	Accuracy, Low, High float64
	// Confusion is how often the worker says a label where a class is true:
	// expected numbers, for the pairs that occur.
	Confusion []Confusion
}

// Confusion is one number of a confusion matrix.
type Confusion struct {
	True, Label int
	Count       float64
}

// Quality tells of every worker. Items with a single answer say nothing of who
// gave it and are left out.
func (e *Estimation) Quality() []Quality {
	m := e.model
	m.compare()
	out := make([]Quality, m.votes.workers)
	for i := range m.votes.items {
		if workers, _ := m.votes.of(i); len(workers) > 1 {
			for _, w := range workers {
				out[w].Answers++
			}
		}
	}
	right := make([]float64, len(out))
	for cell, x := range m.counts {
		if x < 5e-4 {
			continue
		}
		w, p := m.worker[m.sum[cell]], m.pool[cell]
		out[w].Confusion = append(out[w].Confusion, Confusion{int(m.class[p]), int(m.label[p]), x})
		if m.right(cell) {
			right[w] += x
		}
	}
	for w := range out {
		out[w].Low, out[w].High = Wilson(right[w], float64(out[w].Answers))
		if n := out[w].Answers; n > 0 {
			out[w].Accuracy = min(right[w]/float64(n), 1)
		}
	}
	return out
}

// compare fills counts with the expected answers to items that have several.
func (m *model) compare() {
	clear(m.counts)
	at := 0
	for i := range m.votes.items {
		from, to := m.cand.of(i)
		n := int(m.votes.start[i+1] - m.votes.start[i])
		for range n {
			for a, cell := range m.at[at : at+to-from] {
				if n > 1 {
					m.counts[cell] += m.posterior[from+a]
				}
			}
			at += to - from
		}
	}
}

// Wilson is the 95 % interval of a share, of which right of n were observed.
func Wilson(right, n float64) (low, high float64) {
	const z = 1.959964
	if n == 0 {
		return 0, 1
	}
	p := right / n
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(max(p*(1-p), 0)/n+z*z/(4*n*n))
	return max(middle-half, 0), min(middle+half, 1)
}
