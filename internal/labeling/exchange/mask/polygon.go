package mask

import (
	"math"
	"slices"
)

// Point is a corner of a polygon, in pixels; 0, 0 is the top left corner of the
// first pixel.
type Point struct{ X, Y float64 }

// maxEdges bounds the outline that is followed, and how often a polygon's edges
// may cross rows of pixels: a picture of noise has an edge at every pixel.
const maxEdges = 8_000_000

// The four directions of an edge, clockwise.
const (
	east = iota
	south
	west
	north
)

var step = [4][2]int{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}

// Polygons are the outlines of the areas that have an index; areas that touch
// at a corner only are two. holes is how many holes the areas have, which
// outlines do not tell.
func (m *Mask) Polygons(index uint8) (outer [][]Point, holes int, err error) {
	edges, starts, err := m.edges(index)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range starts {
		if edges[s]&(1<<east) == 0 {
			continue // part of an outline already followed
		}
		ring := m.follow(edges, s)
		if area(ring) > 0 {
			outer = append(outer, ring)
		} else {
			holes++
		}
	}
	return outer, holes, nil
}

// edges finds where the area ends: for each corner of pixels the directions of
// the edges that leave it, the area on their right, and the corners from where
// edges lead east, of which every outline has one.
func (m *Mask) edges(index uint8) (edges map[int]uint8, starts []int, err error) {
	edges = map[int]uint8{}
	corners := m.Width + 1
	inside := func(x, y int) bool {
		return x >= 0 && y >= 0 && x < m.Width && y < m.Height && m.Pix[y*m.Width+x] == index
	}
	for y := range m.Height {
		for x := range m.Width {
			if m.Pix[y*m.Width+x] != index {
				continue
			}
			at := y*corners + x
			if !inside(x, y-1) {
				edges[at] |= 1 << east
				starts = append(starts, at)
			}
			if !inside(x+1, y) {
				edges[at+1] |= 1 << south
			}
			if !inside(x, y+1) {
				edges[at+corners+1] |= 1 << west
			}
			if !inside(x-1, y) {
				edges[at+corners] |= 1 << north
			}
		}
		if len(edges) > maxEdges {
			return nil, nil, invalid("the outline of the index %d has more than %d corners: write run lengths instead of polygons", index, maxEdges)
		}
	}
	return edges, starts, nil
}

// follow takes one outline out of edges. Where two cross it turns right, which
// keeps pixels apart that touch at a corner.
func (m *Mask) follow(edges map[int]uint8, start int) []Point {
	corners := m.Width + 1
	var ring []Point
	at, dir := start, east
	for {
		edges[at] &^= 1 << dir
		at += step[dir][0] + step[dir][1]*corners
		if at == start && edges[at]&(1<<((dir+1)%4)) == 0 {
			break
		}
		next := dir
		for _, turn := range [3]int{1, 0, 3} {
			if d := (dir + turn) % 4; edges[at]&(1<<d) != 0 {
				next = d
				break
			}
		}
		if edges[at]&(1<<next) == 0 {
			break
		}
		if next != dir {
			ring = append(ring, Point{float64(at % corners), float64(at / corners)})
			dir = next
		}
	}
	return append(ring, Point{float64(start % corners), float64(start / corners)})
}

func area(ring []Point) float64 {
	a := 0.0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		a += p.X*q.Y - q.X*p.Y
	}
	return a / 2
}

// PaintPolygon gives the pixels whose middle is inside of a polygon an index.
func (m *Mask) PaintPolygon(ring []Point, index uint8) error {
	if len(ring) < 3 {
		return invalid("a polygon of %d corners: expected at least 3", len(ring))
	}
	rows := make([][]float64, m.Height)
	crossings := 0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		for _, v := range []float64{p.X, p.Y} {
			if !(math.Abs(v) <= 1<<24) {
				return invalid("the coordinate %g of a polygon is not a number of pixels", v)
			}
		}
		if p.Y > q.Y {
			p, q = q, p
		}
		// Rows whose middle y + 0.5 is in [p.Y, q.Y).
		from, to := max(0, int(math.Ceil(p.Y-0.5))), min(m.Height, int(math.Ceil(q.Y-0.5)))
		if crossings += max(0, to-from); crossings > maxEdges {
			return invalid("a polygon crosses rows of pixels more than %d times", maxEdges)
		}
		for y := from; y < to; y++ {
			rows[y] = append(rows[y], p.X+(float64(y)+0.5-p.Y)*(q.X-p.X)/(q.Y-p.Y))
		}
	}
	for y, xs := range rows {
		slices.Sort(xs)
		for i := 0; i+1 < len(xs); i += 2 {
			from, to := max(0, int(math.Ceil(xs[i]-0.5))), min(m.Width, int(math.Ceil(xs[i+1]-0.5)))
			for x := from; x < to; x++ {
				m.Pix[y*m.Width+x] = index
			}
		}
	}
	return nil
}
