package shapes

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func square(label int, x, y, size float64) Shape {
	return Shape{label, []Point{{x, y}, {x + size, y}, {x + size, y + size}, {x, y + size}}}
}

func line(label int, points ...Point) Shape { return Shape{label, points} }

func dot(label int, x, y float64) Shape { return Shape{label, []Point{{x, y}}} }

// What is defined for shapes that are few, missing, garbage or contradictory.
func TestDefinedResults(t *testing.T) {
	keypoints := func(answers [][]Shape) []Consolidated { return Keypoints(1000, 1000, answers) }
	p := func(x, y float64) Point { return Point{x, y} }
	type result struct {
		Label, Votes int
		Confidence   float64
	}
	for _, c := range []struct {
		name    string
		fn      func([][]Shape) []Consolidated
		answers [][]Shape
		want    []result
	}{
		{"nobody answered", Polygons, nil, nil},
		{"nobody found anything", Polygons, [][]Shape{{}, nil}, nil},
		{"one worker", Polygons, [][]Shape{{square(2, 10, 10, 50), square(1, 90, 90, 20)}}, []result{{2, 1, 0}, {1, 1, 0}}},
		{"all alike", Polygons, [][]Shape{{square(2, 10, 10, 50)}, {square(2, 10, 10, 50)}}, []result{{2, 2, 1}}},
		{"one of three missed it", Polygons, [][]Shape{{square(2, 10, 10, 50)}, {}, {square(2, 10, 10, 50)}}, []result{{2, 2, 0.667}}},
		{"one of three invented one", Polygons, [][]Shape{{square(2, 10, 10, 50), square(2, 90, 90, 20)}, {square(2, 10, 10, 50)}, {square(2, 10, 10, 50)}}, []result{{2, 3, 1}}},
		{"another label", Polygons, [][]Shape{{square(2, 10, 10, 50)}, {square(1, 10, 10, 50)}, {square(2, 10, 10, 50)}}, []result{{2, 3, 0.667}}},
		{"garbage polygons are not there", Polygons, [][]Shape{{square(0, 10, 10, 50), line(0, p(1, 1), p(2, 2)), square(0, math.NaN(), 1, 5), square(0, math.Inf(1), 1, 5)}, {square(0, 10, 10, 50)}}, []result{{0, 2, 1}}},
		{"a polygon without area is like nothing", Polygons, [][]Shape{{square(0, 10, 10, 0)}, {square(0, 10, 10, 0)}, {}}, nil},
		{"a line drawn from either end", Polylines, [][]Shape{{line(0, p(0, 0), p(100, 0), p(100, 80))}, {line(0, p(100, 80), p(100, 0), p(0, 0))}}, []result{{0, 2, 1}}},
		{"upright lines beside each other", Polylines, [][]Shape{{line(0, p(50, 0), p(50, 100))}, {line(0, p(52, 0), p(52, 100))}}, []result{{0, 2, 0.9}}},
		{"lines far apart stay two", Polylines, [][]Shape{{line(0, p(0, 0), p(0, 100))}, {line(0, p(20, 0), p(20, 100))}}, []result{{0, 1, 0.5}, {0, 1, 0.5}}},
		{"lines of two labels stay two", Polylines, [][]Shape{{line(0, p(0, 0), p(0, 100))}, {line(1, p(0, 0), p(0, 100))}}, []result{{0, 1, 0.5}, {1, 1, 0.5}}},
		{"garbage lines are not there", Polylines, [][]Shape{{line(0, p(5, 5)), line(0, p(5, 5), p(5, 5)), line(0)}}, nil},
		{"points", keypoints, [][]Shape{{dot(0, 500, 500), dot(1, 500, 501)}, {dot(1, 500, 501), dot(0, 500, 500)}}, []result{{0, 2, 1}, {1, 2, 1}}},
		{"points far apart", keypoints, [][]Shape{{dot(0, 500, 500)}, {dot(0, 600, 500)}, {dot(0, 501, 500)}}, []result{{0, 2, 0.667}}},
		{"garbage points are not there", keypoints, [][]Shape{{line(0, p(1, 1), p(2, 2)), dot(0, math.NaN(), 0), {Label: 1}}}, nil},
	} {
		var got []result
		for _, x := range c.fn(c.answers) {
			got = append(got, result{x.Label, x.Votes, x.Confidence})
		}
		if diff := cmp.Diff(c.want, got, cmpopts.EquateApprox(0, 0.01)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.name, diff)
		}
	}
	if got := Keypoints(0, 0, [][]Shape{{dot(0, 1, 1)}}); got != nil {
		t.Errorf("an image without a size: %v", got)
	}
}

func TestOverlapOfPolygons(t *testing.T) {
	star := []Point{{0, 0}, {10, 10}, {10, 0}, {0, 10}} // crosses itself: two triangles
	for _, c := range []struct {
		name string
		a, b []Point
		want float64
	}{
		{"the same", square(0, 0, 0, 10).Points, square(0, 0, 0, 10).Points, 1},
		{"half", square(0, 0, 0, 10).Points, []Point{{0, 0}, {5, 0}, {5, 10}, {0, 10}}, 0.5},
		{"shifted", square(0, 0, 0, 10).Points, square(0, 5, 0, 10).Points, 1.0 / 3},
		{"apart", square(0, 0, 0, 10).Points, square(0, 20, 0, 10).Points, 0},
		{"triangle in a square", square(0, 0, 0, 10).Points, []Point{{0, 0}, {10, 0}, {0, 10}}, 0.5},
		{"one that crosses itself", square(0, 0, 0, 10).Points, star, 0.5},
	} {
		if got := areas(c.a, c.b); math.Abs(got-c.want) > 0.01 {
			t.Errorf("%s: %.3f, want %.3f", c.name, got, c.want)
		}
	}
}

// Five shaky hands together draw better than one.
func TestSimulatedOutlines(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	single, together, n := 0.0, 0.0, 0.0
	for range 60 {
		corners := 5 + r.IntN(10)
		radius := make([]float64, corners)
		for i := range radius {
			radius[i] = 60 + 60*r.Float64()
		}
		draw := func(tremor float64) Shape {
			s := Shape{}
			start := r.IntN(corners)
			for i := range corners {
				k := (i + start) % corners
				if tremor > 0 && r.Float64() < 0.1 {
					continue // a corner cut off
				}
				a := 2 * math.Pi * float64(k) / float64(corners)
				s.Points = append(s.Points, Point{200 + radius[k]*math.Cos(a) + tremor*r.NormFloat64(), 200 + radius[k]*math.Sin(a) + tremor*r.NormFloat64()})
			}
			if tremor > 0 && r.IntN(2) == 0 {
				s.Points = reversed(s.Points)
			}
			return s
		}
		truth := draw(0).Points
		var answers [][]Shape
		for range 5 {
			s := draw(7)
			single += areas(s.Points, truth) / 5
			answers = append(answers, []Shape{s})
		}
		got := Polygons(answers)
		if len(got) != 1 || len(got[0].Points) < 3 || len(got[0].Points) > outline {
			t.Fatalf("%+v", got)
		}
		together += areas(got[0].Points, truth)
		n++
	}
	t.Logf("overlap with the truth: one %.3f, five together %.3f", single/n, together/n)
	if together < single+0.03*n {
		t.Errorf("one %.3f, five together %.3f", single/n, together/n)
	}
}

func TestSimulatedLinesAndPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	single, together, one, all := 0.0, 0.0, 0.0, 0.0
	const n = 60
	for range n {
		truth := []Point{{100, 100}, {200 + 100*r.Float64(), 150}, {300, 300 + 100*r.Float64()}, {450, 420}}
		var curves, dots [][]Shape
		for range 5 {
			s := Shape{}
			for _, p := range truth {
				s.Points = append(s.Points, Point{p.X + 5*r.NormFloat64(), p.Y + 5*r.NormFloat64()})
			}
			if r.IntN(2) == 0 {
				s.Points = reversed(s.Points)
			}
			single += lines(s.Points, truth) / 5 / n
			curves = append(curves, []Shape{s})
			d := dot(0, truth[0].X+5*r.NormFloat64(), truth[0].Y+5*r.NormFloat64())
			one += distance(d.Points[0], truth[0]) / 5 / n
			dots = append(dots, []Shape{d})
		}
		if got := Polylines(curves); len(got) == 1 {
			together += lines(got[0].Points, truth) / n
		}
		if got := Keypoints(600, 600, dots); len(got) == 1 {
			all += distance(got[0].Points[0], truth[0]) / n
		}
	}
	t.Logf("lines: one %.3f, five together %.3f; points: one %.2f pixels off, five together %.2f", single, together, one, all)
	if together < single+0.04 || all > one*0.75 {
		t.Errorf("lines: %.3f, %.3f; points: %.2f, %.2f", single, together, one, all)
	}
}

func FuzzShapes(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 9, 1, 9, 9, 0, 1, 1, 1, 8, 1, 9, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		answers := make([][]Shape, 4)
		for ; len(b) >= 8; b = b[8:] {
			s := Shape{Label: int(b[1] % 3)}
			for i := 2; i < 2+2*int(b[0]>>4%4); i += 2 {
				s.Points = append(s.Points, Point{float64(b[i%8]), float64(b[(i+1)%8])})
			}
			answers[b[0]%4] = append(answers[b[0]%4], s)
		}
		for _, out := range [][]Consolidated{Polygons(answers), Polylines(answers), Keypoints(256, 256, answers)} {
			for _, c := range out {
				if !(c.Confidence >= 0 && c.Confidence <= 1+1e-9) || c.Votes < 2 || len(c.Points) == 0 || !finite(c.Points) || c.Label < 0 || c.Label > 2 {
					t.Fatalf("%+v", c)
				}
			}
		}
	})
}
