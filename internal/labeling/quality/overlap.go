package quality

import (
	"math"

	"fiducial/internal/labeling"
)

// Agree is how sure the answers to an object are together, 0 to 1:
//
//	one category   the posterior probability of the likeliest one, where a worker
//	               is right with the chance that accuracy tells and otherwise says
//	               any other category
//	all else       the mean score of each two answers
//
// Answers that cannot be used count as answers that agree with nobody. A lone
// answer tells nothing where scores are compared: 0. Where one category is
// asked for, it is as sure as its worker.
func (s *Scorer) Agree(answers []labeling.Answer, accuracy func(worker string) float64) float64 {
	known := make([]Known, 0, len(answers))
	workers := make([]string, 0, len(answers))
	for _, a := range answers {
		if k, err := s.Answer(a.Content); err == nil {
			known, workers = append(known, k), append(workers, a.Worker)
		}
	}
	if s.form == oneClass {
		return s.posterior(known, workers, accuracy)
	}
	pairs := len(answers) * (len(answers) - 1) / 2
	if pairs == 0 {
		return 0
	}
	sum := 0.0
	for i := range known {
		for j := range i {
			sum += s.alike(known[i], known[j])
		}
	}
	return sum / float64(pairs)
}

// posterior is the chance of the likeliest category. Categories that nobody
// gave are all alike and count as well.
func (s *Scorer) posterior(known []Known, workers []string, accuracy func(string) float64) float64 {
	k := max(s.categories.Len(), 2)
	if len(known) == 0 {
		return 0
	}
	wrong := 0.0               // log likelihood of a category that nobody gave
	right := map[int]float64{} // what a category's votes add to it
	for i, v := range known {
		a := min(max(accuracy(workers[i]), 1/float64(k)), 0.99) // no worse than a guess
		w := math.Log((1 - a) / float64(k-1))
		wrong += w
		right[v.classes[0]] += math.Log(a) - w
	}
	best, sum := 0.0, float64(k-len(right))
	for _, r := range right {
		best = max(best, r)
	}
	sum *= math.Exp(-best)
	for _, r := range right {
		sum += math.Exp(r - best)
	}
	return 1 / sum
}
