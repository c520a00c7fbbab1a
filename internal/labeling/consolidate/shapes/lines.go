package shapes

import (
	"slices"

	"fiducial/internal/labeling/consolidate"
)

const (
	// places is how many places along two lines are compared and united.
	places = 64
	// apart is the mean distance at which two lines are not alike at all, as a
	// part of their length.
	apart = 0.1
)

// Polylines consolidates polylines (and lines, which have two points),
// whichever end they were drawn from. Two are alike by 1 less their mean
// distance, place by place along them, in tenths of their length; from 0.4 they
// may be one object, under one label only: lines are thin, and things under
// different labels lie side by side. To unite several, each place along them
// becomes the median of the workers'.
func Polylines(answers [][]Shape) []Consolidated {
	return kind{least: 2, same: 0.4, across: consolidate.Never, reach: func(p []Point) float64 { return apart * extent(p) }, alike: lines, unite: uniteLines}.consolidate(long(answers))
}

// long leaves out lines without a length, to which nothing can be compared.
func long(answers [][]Shape) [][]Shape {
	out := make([][]Shape, len(answers))
	for w, shapes := range answers {
		for _, s := range shapes {
			if len(s.Points) > 1 && extent(s.Points) > 0 {
				out[w] = append(out[w], s)
			}
		}
	}
	return out
}

func extent(points []Point) (sum float64) {
	for i := range points[1:] {
		sum += distance(points[i], points[i+1])
	}
	return sum
}

func lines(a, b []Point) float64 {
	p, q := along(a, places, false), along(b, places, false)
	near := min(gap(p, q), gap(p, reversed(q)))
	return max(1-near/(apart*(extent(a)+extent(b))/2), 0)
}

func gap(p, q []Point) (mean float64) {
	for i := range p {
		mean += distance(p[i], q[i]) / float64(len(p))
	}
	return mean
}

func reversed(p []Point) []Point {
	out := slices.Clone(p)
	slices.Reverse(out)
	return out
}

func uniteLines(group [][]Point) []Point {
	if len(group) < 2 {
		return group[0]
	}
	best, most := group[0], -1.0
	for _, p := range group {
		if m := meanOf(p, group, lines); m > most+1e-12 {
			best, most = p, m
		}
	}
	over := along(best, places, false)
	lists := make([][]Point, len(group))
	for i, p := range group {
		lists[i] = along(p, places, false)
		if r := reversed(lists[i]); gap(r, over) < gap(lists[i], over) {
			lists[i] = r
		}
	}
	united := medians(lists)
	return simplify(united, fine*extent(united))
}
