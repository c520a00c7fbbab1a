package boxes

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestBoxes(t *testing.T) {
	at := func(label int, left, top, width, height float64) Box { return Box{label, left, top, width, height} }
	near := func(d float64) Box { return at(0, 100+d, 100+d, 80, 60) }
	for _, c := range []struct {
		name    string
		answers [][]Box
		want    []result
	}{
		{"one worker passes through in drawing order", [][]Box{{at(1, 10.4, 10.6, 5.2, 5), at(0, 50, 50, 30, 30)}},
			[]result{{1, 10, 11, 6, 5, 0, 1}, {0, 50, 50, 30, 30, 0, 1}}},
		{"nobody answered", nil, nil},
		{"all found nothing", [][]Box{{}, nil, {}}, nil},
		{"median of three", [][]Box{{near(0)}, {near(2)}, {at(0, 110, 101, 80, 60)}}, []result{{0, 102, 101, 80, 60, 0.92, 3}}},
		{"a wild box does not move the median", [][]Box{{near(0)}, {near(0)}, {near(0)}, {near(0)}, {at(0, 80, 80, 100, 80)}},
			[]result{{0, 100, 100, 80, 60, 0.92, 5}}},
		{"one of three invents a box", [][]Box{{near(0)}, {near(0), at(0, 500, 500, 40, 40)}, {near(0)}}, []result{{0, 100, 100, 80, 60, 1, 3}}},
		{"one of two found it: kept, at half", [][]Box{{near(0)}, {}}, []result{{0, 100, 100, 80, 60, 0.5, 1}}},
		{"one of three missed it", [][]Box{{near(0)}, {}, {near(0)}}, []result{{0, 100, 100, 80, 60, 0.67, 2}}},
		{"the same box under two labels is one object", [][]Box{{at(2, 100, 100, 80, 60)}, {at(1, 100, 100, 80, 60)}, {at(2, 101, 100, 80, 60)}},
			[]result{{2, 100, 100, 80, 60, 0.66, 3}}},
		{"tie of labels: the first category", [][]Box{{at(2, 100, 100, 80, 60)}, {at(1, 100, 100, 80, 60)}}, []result{{1, 100, 100, 80, 60, 0.5, 2}}},
		{"two things on one spot that everybody tells apart", [][]Box{{at(0, 0, 0, 90, 90), at(1, 0, 0, 90, 80)}, {at(1, 0, 0, 90, 80), at(0, 0, 0, 90, 90)}},
			[]result{{0, 0, 0, 90, 90, 1, 2}, {1, 0, 0, 90, 80, 1, 2}}},
		{"neighbours stay apart", [][]Box{{at(0, 0, 0, 40, 40), at(0, 25, 0, 40, 40)}, {at(0, 26, 0, 40, 40), at(0, 1, 0, 40, 40)}},
			[]result{{0, 1, 0, 40, 40, 0.98, 2}, {0, 26, 0, 40, 40, 0.98, 2}}},
		{"a worker's double does not count twice", [][]Box{{near(0), near(0)}, {near(0)}, {near(0)}}, []result{{0, 100, 100, 80, 60, 1, 3}}},
		{"cut to the image, never empty", [][]Box{{at(0, 990, 995, 50, 50), at(0, 20.1, 20.1, 0.2, 0.2), at(0, 2000, 2000, 5, 5)}},
			[]result{{0, 990, 995, 10, 5, 0, 1}, {0, 20, 20, 1, 1, 0, 1}, {0, 999, 999, 1, 1, 0, 1}}},
		{"garbage boxes are not there", [][]Box{{near(0), {0, 1, 1, -5, 5}, {0, 1, 1, 0, 5}, {0, math.NaN(), 1, 5, 5}, {0, 1, math.Inf(1), 5, 5}}, {near(0)}},
			[]result{{0, 100, 100, 80, 60, 1, 2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, inPixels(Consolidate(c.answers, Median)), cmpopts.EquateApprox(0, 0.03), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// result is a consolidated box on an image of 1000 by 1000 pixels.
type result struct {
	Label                    int
	Left, Top, Width, Height int
	Confidence               float64
	Votes                    int
}

func inPixels(boxes []Consolidated) []result {
	out := make([]result, len(boxes))
	for i, b := range boxes {
		out[i] = result{Label: b.Label, Confidence: b.Confidence, Votes: b.Votes}
		out[i].Left, out[i].Top, out[i].Width, out[i].Height = b.Pixels(1000, 1000)
	}
	return out
}

// Several objects an image, drawn with tremor, some missed, some invented, at
// every worker count that a job may have.
func TestBoxesFindSimulatedObjects(t *testing.T) {
	const images = 60
	for workers := 1; workers <= 9; workers++ {
		r := rand.New(rand.NewPCG(7, uint64(workers)))
		found, objects, returned := 0, 0, 0
		for range images {
			truth, answers := scene(r, workers)
			got := Consolidate(answers, Median)
			objects += len(truth)
			returned += len(got)
			for _, want := range truth {
				for _, b := range got {
					if b.Label == want.Label && Overlap(want, b.Box) >= 0.5 {
						found++
						break
					}
				}
			}
		}
		recall, precision := float64(found)/float64(objects), float64(found)/float64(returned)
		t.Logf("%d workers: recall %.3f, precision %.3f", workers, recall, precision)
		if workers >= 3 && (recall < 0.94 || precision < 0.94) {
			t.Errorf("%d workers: recall %.3f, precision %.3f", workers, recall, precision)
		}
	}
}

// scene draws up to twelve objects, of which each worker misses a tenth, and
// to which each adds a box of fancy on every third image.
func scene(r *rand.Rand, workers int) (truth []Box, answers [][]Box) {
	for range 1 + r.IntN(12) {
		truth = append(truth, randomBox(r))
	}
	for range workers {
		boxes := []Box{}
		for _, b := range truth {
			if r.Float64() < 0.1 {
				continue
			}
			tremor := func(size float64) float64 { return r.NormFloat64() * size * 0.05 }
			b.Left, b.Top = b.Left+tremor(b.Width), b.Top+tremor(b.Height)
			b.Width, b.Height = b.Width*(1+r.NormFloat64()*0.07), b.Height*(1+r.NormFloat64()*0.07)
			boxes = append(boxes, b)
		}
		if r.IntN(3) == 0 {
			boxes = append(boxes, randomBox(r))
		}
		answers = append(answers, boxes)
	}
	return truth, answers
}

func randomBox(r *rand.Rand) Box {
	return Box{r.IntN(3), r.Float64() * 800, r.Float64() * 800, 30 + r.Float64()*150, 30 + r.Float64()*150}
}

// Two hostile workers with hundreds of boxes on one spot cost time in
// bounds, and everybody's memory nothing.
func TestBoxesBoundsHostileAnswers(t *testing.T) {
	const n = 600
	answers := make([][]Box, 2)
	for w := range answers {
		for i := range n {
			answers[w] = append(answers[w], Box{0, float64(i) / n, 0, 900, 900})
		}
	}
	for _, b := range Consolidate(answers, Median) {
		if b.Left < 0 || b.Left+b.Width > 1000 || b.Votes > 2 {
			t.Fatalf("%+v", b)
		}
	}
}

func FuzzBoxes(f *testing.F) {
	f.Add([]byte{10, 10, 20, 20, 0, 0, 11, 11, 20, 20, 0, 1}, uint16(100), uint16(80))
	f.Fuzz(func(t *testing.T, b []byte, width, height uint16) {
		answers := make([][]Box, 9)
		for ; len(b) >= 6; b = b[6:] {
			w := b[5] % 9
			answers[w] = append(answers[w], Box{int(b[4] % 4), float64(b[0]) - 50, float64(b[1]) - 50, float64(b[2]) / 2, float64(b[3]) / 2})
		}
		if width == 0 || height == 0 {
			return
		}
		for _, f := range []Fusion{Median, Weighted} {
			for _, x := range Consolidate(answers, f) {
				if l, t0, w, h := x.Pixels(int(width), int(height)); l < 0 || t0 < 0 || w < 1 || h < 1 || l+w > int(width) || t0+h > int(height) {
					t.Fatalf("%+v outside %dx%d", x, width, height)
				}
				if !(x.Confidence >= 0 && x.Confidence <= 1+1e-9) || x.Votes*3 <= 9 || x.Label < 0 || x.Label > 3 || !(x.Width > 0 && x.Height > 0) {
					t.Fatalf("%+v", x)
				}
			}
		}
	})
}

func BenchmarkBoxes(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	_, answers := scene(r, 5)
	for b.Loop() {
		Consolidate(answers, Median)
	}
}
