// Package shapes makes one set of polygons, polylines or keypoints of those
// that several workers drew on one image.
//
// It is done as for boxes: shapes that are most alike come together, one label
// before two, at most one of each worker; a group is kept that more than a
// third of the workers drew; its label is the most frequent one; its points are
// medians of the workers' points. A shape's confidence is the mean, over all
// workers who answered, of how alike their shape is to the result, where no
// shape or another label counts 0; it is 0 if only one worker answered.
//
// What "alike" means, and which points belong together, differs by the kind of
// shape: see Polygons, Polylines and Keypoints.
package shapes

import (
	"math"

	"fiducial/internal/labeling/consolidate"
)

// Point is a place on the image.
type Point struct{ X, Y float64 }

// Shape is what one worker drew around, along or on one object: the corners of
// a polygon, the vertices of a polyline, or one point.
type Shape struct {
	Label  int
	Points []Point
}

// Consolidated is what became of several shapes.
type Consolidated struct {
	Shape
	Confidence float64
	Votes      int // workers who drew it
}

// kind is what differs between polygons, polylines and keypoints.
type kind struct {
	least        int                          // points that a shape needs
	same, across float64                      // see consolidate.Matching
	reach        func(points []Point) float64 // how far outside its bounds a shape may be like another
	alike        func(a, b []Point) float64
	unite        func(group [][]Point) []Point
}

// most is how many points of a shape count: more than any hand draws.
const most = 10_000

// consolidate consolidates the shapes on one image: answers[w] are those of
// worker w, empty for one who found nothing.
func (k kind) consolidate(answers [][]Shape) []Consolidated {
	drawn, marks := k.marks(answers)
	similar := memo(len(drawn), func(a, b int) float64 { return k.alike(drawn[a].Points, drawn[b].Points) })
	groups := consolidate.Matching{Same: k.same, Across: k.across, Similarity: similar}.Groups(marks)
	var out []Consolidated
	for _, group := range groups {
		if !consolidate.Quorum(len(group), len(answers)) {
			continue
		}
		labels, points := make([]int, len(group)), make([][]Point, len(group))
		for i, n := range group {
			labels[i], points[i] = drawn[n].Label, drawn[n].Points
		}
		c := Consolidated{Shape: Shape{consolidate.Plurality(labels), k.unite(points)}, Votes: len(group)}
		for _, n := range group {
			if len(answers) > 1 && drawn[n].Label == c.Label {
				c.Confidence += k.alike(drawn[n].Points, c.Points) / float64(len(answers))
			}
		}
		out = append(out, c)
	}
	return out
}

// marks are the shapes that are no garbage.
func (k kind) marks(answers [][]Shape) (drawn []Shape, marks []consolidate.Mark) {
	for w, shapes := range answers {
		for _, s := range shapes {
			if len(s.Points) < k.least || len(s.Points) > most || !finite(s.Points) {
				continue
			}
			low, high := bounds(s.Points)
			reach := k.reach(s.Points)
			drawn = append(drawn, s)
			marks = append(marks, consolidate.Mark{Worker: w, Label: s.Label,
				Left: low.X - reach, Top: low.Y - reach, Right: high.X + reach, Bottom: high.Y + reach})
		}
	}
	return drawn, marks
}

// memo remembers similarities, which are asked for again and again.
func memo(n int, fn func(a, b int) float64) func(a, b int) float64 {
	known := map[[2]int]float64{}
	return func(a, b int) float64 {
		key := [2]int{min(a, b), max(a, b)}
		x, ok := known[key]
		if !ok {
			x = fn(key[0], key[1])
			known[key] = x
		}
		return x
	}
}

func finite(points []Point) bool {
	for _, p := range points {
		if !(math.Abs(p.X) <= 1e9 && math.Abs(p.Y) <= 1e9) { // also NaN
			return false
		}
	}
	return true
}

func bounds(points []Point) (low, high Point) {
	low, high = points[0], points[0]
	for _, p := range points[1:] {
		low.X, low.Y = min(low.X, p.X), min(low.Y, p.Y)
		high.X, high.Y = max(high.X, p.X), max(high.Y, p.Y)
	}
	return low, high
}

func distance(a, b Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// medians takes, point by point, the medians of lists of one length.
func medians(lists [][]Point) []Point {
	out := make([]Point, len(lists[0]))
	xs, ys := make([]float64, len(lists)), make([]float64, len(lists))
	for n := range out {
		for i, l := range lists {
			xs[i], ys[i] = l[n].X, l[n].Y
		}
		out[n] = Point{consolidate.Median(xs), consolidate.Median(ys)}
	}
	return out
}

// along puts n points evenly along a line through points; closed: that returns
// to its beginning, which is then not repeated.
func along(points []Point, n int, closed bool) []Point {
	if closed {
		points = append(points[:len(points):len(points)], points[0])
	}
	total := 0.0
	for i := range points[1:] {
		total += distance(points[i], points[i+1])
	}
	steps := float64(n - 1)
	if closed {
		steps = float64(n)
	}
	out := make([]Point, 0, n)
	i, before := 0, 0.0
	for s := range n {
		at := total * float64(s) / steps
		for i < len(points)-2 && before+distance(points[i], points[i+1]) < at {
			before += distance(points[i], points[i+1])
			i++
		}
		length := distance(points[i], points[i+1])
		t := 0.0
		if length > 0 {
			t = min(max((at-before)/length, 0), 1)
		}
		out = append(out, Point{points[i].X + t*(points[i+1].X-points[i].X), points[i].Y + t*(points[i+1].Y-points[i].Y)})
	}
	return out
}

// simplify leaves out points that are nearer than tolerance to the line without
// them (Douglas and Peucker).
func simplify(points []Point, tolerance float64) []Point {
	if len(points) < 3 {
		return points
	}
	first, last := points[0], points[len(points)-1]
	far, at := 0.0, 0
	for i := 1; i < len(points)-1; i++ {
		if d := offset(points[i], first, last); d > far {
			far, at = d, i
		}
	}
	if far <= tolerance {
		return []Point{first, last}
	}
	return append(simplify(points[:at+1], tolerance), simplify(points[at:], tolerance)[1:]...)
}

// offset is the distance of p from the line between a and b.
func offset(p, a, b Point) float64 {
	length := distance(a, b)
	if length == 0 {
		return distance(p, a)
	}
	t := ((p.X-a.X)*(b.X-a.X) + (p.Y-a.Y)*(b.Y-a.Y)) / (length * length)
	t = min(max(t, 0), 1)
	return distance(p, Point{a.X + t*(b.X-a.X), a.Y + t*(b.Y-a.Y)})
}
