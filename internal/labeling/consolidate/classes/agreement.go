package classes

import "math"

// Fleiss is Fleiss' kappa: how much more often two workers agree on an item
// than two who say each label as often as everybody does, but of nothing in
// particular. 1: always, 0: no more often. Items may have different numbers of
// votes; those with fewer than two are left out, and every other counts alike.
// NaN if none has two, or if all say the same everywhere.
func Fleiss(v *Votes) float64 {
	observed, items := 0.0, 0.0
	share := make([]float64, v.classes)
	counts := make([]float64, v.classes)
	v.several(func(labels []int32) {
		n := float64(len(labels))
		items++
		observed += pairs(counts, labels) / (n * (n - 1))
		for _, l := range labels {
			share[l] += 1 / n
		}
	})
	expected := 0.0
	for _, x := range share {
		expected += x / items * (x / items)
	}
	return beyondChance(observed/items, expected)
}

// Krippendorff is Krippendorff's alpha for categories: 1 less the share of
// disagreement among pairs of votes for one item in that among pairs of any
// votes. It takes missing votes as they come: an item counts by its votes.
// NaN where Fleiss is.
func Krippendorff(v *Votes) float64 {
	agree, votes := 0.0, 0.0
	total := make([]float64, v.classes)
	counts := make([]float64, v.classes)
	v.several(func(labels []int32) {
		n := float64(len(labels))
		votes += n
		agree += pairs(counts, labels) / (n - 1)
		for _, l := range labels {
			total[l]++
		}
	})
	expected := 0.0
	for _, x := range total {
		expected += x * (x - 1)
	}
	return beyondChance(agree/votes, expected/(votes*(votes-1)))
}

func beyondChance(observed, expected float64) float64 {
	if !(expected < 1) { // also NaN: no pairs at all
		return math.NaN()
	}
	return (observed - expected) / (1 - expected)
}

// several calls fn for the votes of every item that has two or more.
func (v *Votes) several(fn func(labels []int32)) {
	for i := range v.items {
		if _, labels := v.of(i); len(labels) > 1 {
			fn(labels)
		}
	}
}

// pairs is the number of ordered pairs of equal labels; counts is scratch
// space, zero before and after.
func pairs(counts []float64, labels []int32) float64 {
	sum := 0.0
	for _, l := range labels {
		sum += 2 * counts[l]
		counts[l]++
	}
	for _, l := range labels {
		counts[l] = 0
	}
	return sum
}
