package classes

import "math"

// confidence is that of a candidate of item i, whose cells begin at at.
func (e *Estimation) confidence(r *rest, i, at, candidate int, labels []int32) float64 {
	m := e.model
	share := float64(m.cand.count[candidate]) / float64(len(labels))
	switch e.method {
	case Majority:
		return share
	case GroundTruth:
		return min(math.Round(m.posterior[candidate]*100)/100, groundTruthMost)
	}
	p := r.posterior(i, at, candidate, labels)
	if len(labels) == 1 {
		return p
	}
	return (p + share) / 2
}

// rest knows the chance that an item has none of the classes that were voted
// for: small, but all there is to doubt where everybody agrees.
type rest struct {
	m     *model
	prior []float64 // logarithms
	wrong []float64 // [label] log of the chance that a worker says it where it is not true
	row   []float64
}

func newRest(m *model) *rest {
	r := &rest{m: m, prior: m.logPrior(), wrong: make([]float64, m.k)}
	p := make([]float64, len(m.label))
	sum, accuracy := m.together(p)
	all := 0.0
	for _, x := range sum {
		all += x
	}
	for n, x := range p {
		if m.label[n] != m.class[n] {
			r.wrong[m.label[n]] += x
		}
	}
	for l, x := range r.wrong {
		r.wrong[l] = math.Log((x + pooledPrior*symmetric(accuracy, m.k, false)) / (all - sum[l] + pooledPrior))
	}
	return r
}

// posterior is the chance of a candidate among all classes.
func (r *rest) posterior(i, at, candidate int, labels []int32) float64 {
	m := r.m
	r.row = m.evidence(r.row, i, at, r.prior)
	from, to := m.cand.of(i)
	left := 1.0
	for _, c := range m.cand.class[from:to] {
		left -= m.prior[c]
	}
	other := math.Log(max(left, tiny))
	for _, l := range labels {
		other += r.wrong[l]
	}
	r.row = append(r.row, other)
	softmax(r.row)
	return r.row[candidate-from]
}
