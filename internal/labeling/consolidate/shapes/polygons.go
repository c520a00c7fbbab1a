package shapes

import (
	"math"
	"slices"
)

const (
	// scanlines is how many lines a polygon's area is measured along.
	scanlines = 128
	// outline is how many points of an outline are compared and united.
	outline = 96
	// fine is what a united outline may be simplified by, as a part of its size.
	fine = 0.004
)

// Polygons consolidates polygons. Two are alike by the overlap of their areas
// (IoU, measured along 128 lines, the even-odd rule where a polygon crosses
// itself), from 0.4 for one label and 0.6 for different ones. To unite several,
// the outlines are laid over the one that overlaps the others most, and each
// place of the outline becomes the median of the workers'. If that overlaps the
// workers' polygons less than the best of them does (outlines drawn very
// differently), that one is the result.
func Polygons(answers [][]Shape) []Consolidated {
	return kind{least: 3, same: 0.4, across: 0.6, reach: func([]Point) float64 { return 0 }, alike: areas, unite: unitePolygons}.consolidate(answers)
}

// areas is the overlap of two polygons.
func areas(a, b []Point) float64 {
	lowA, highA := bounds(a)
	lowB, highB := bounds(b)
	top, bottom := min(lowA.Y, lowB.Y), max(highA.Y, highB.Y)
	both, either := 0.0, 0.0
	var xs, ys []float64
	for n := range scanlines {
		y := top + (bottom-top)*(float64(n)+0.5)/scanlines
		xs, ys = crossings(xs, a, y), crossings(ys, b, y)
		la, lb, c := length(xs), length(ys), common(xs, ys)
		both += c
		either += la + lb - c
	}
	if either <= 0 {
		return 0
	}
	return both / either
}

// crossings are where a polygon's outline crosses a height, rising: between the
// first and the second it is inside, and so on.
func crossings(out []float64, polygon []Point, y float64) []float64 {
	out = out[:0]
	for i, p := range polygon {
		q := polygon[(i+1)%len(polygon)]
		if p.Y <= y != (q.Y <= y) {
			out = append(out, p.X+(y-p.Y)/(q.Y-p.Y)*(q.X-p.X))
		}
	}
	slices.Sort(out)
	return out
}

func length(xs []float64) (sum float64) {
	for i := 0; i+1 < len(xs); i += 2 {
		sum += xs[i+1] - xs[i]
	}
	return sum
}

// common is the length that two lists of crossings have inside together.
func common(xs, ys []float64) (sum float64) {
	for i, j := 0, 0; i+1 < len(xs) && j+1 < len(ys); {
		sum += max(min(xs[i+1], ys[j+1])-max(xs[i], ys[j]), 0)
		if xs[i+1] < ys[j+1] {
			i += 2
		} else {
			j += 2
		}
	}
	return sum
}

func unitePolygons(group [][]Point) []Point {
	best, overlap := group[0], -1.0
	for _, p := range group {
		if m := meanOf(p, group, areas); m > overlap+1e-12 {
			best, overlap = p, m
		}
	}
	if len(group) < 2 {
		return best
	}
	over := along(turned(best), outline, true)
	lists := make([][]Point, len(group))
	for i, p := range group {
		lists[i] = laid(along(turned(p), outline, true), over)
	}
	united := medians(lists)
	low, high := bounds(united)
	united = append(united, united[0])
	half := len(united) / 2 // Douglas and Peucker need two ends
	tolerance := fine * distance(low, high)
	united = append(simplify(united[:half+1], tolerance), simplify(united[half:], tolerance)[1:]...)
	united = united[:len(united)-1]
	n := float64(len(group))
	if others := (overlap*n - 1) / (n - 1); len(united) < 3 || meanOf(united, group, areas) < others {
		return best
	}
	return united
}

func meanOf(p []Point, group [][]Point, alike func(a, b []Point) float64) (mean float64) {
	for _, q := range group {
		mean += alike(p, q) / float64(len(group))
	}
	return mean
}

// turned makes all polygons go round in one direction.
func turned(polygon []Point) []Point {
	area := 0.0
	for i, p := range polygon {
		q := polygon[(i+1)%len(polygon)]
		area += p.X*q.Y - q.X*p.Y
	}
	if area >= 0 {
		return polygon
	}
	out := slices.Clone(polygon)
	slices.Reverse(out)
	return out
}

// laid begins an outline where it is nearest to another of as many points.
func laid(outline, over []Point) []Point {
	best, least := 0, math.Inf(1)
	for shift := range outline {
		sum := 0.0
		for i, p := range over {
			sum += distance(p, outline[(i+shift)%len(outline)])
		}
		if sum < least {
			best, least = shift, sum
		}
	}
	return append(slices.Clone(outline[best:]), outline[:best]...)
}
