// Package boxes makes one set of boxes of those that several workers drew on
// one image.
//
// Boxes that overlap most come together first, those of one label before those
// of different ones; a group has at most one box of each worker. A group is
// kept that more than a third of the workers drew: people miss objects more
// often than they invent them. Its label is the most frequent, the first of
// equals; its edges are the medians of its boxes' edges.
//
// A box's confidence is the mean, over all workers who answered, of the
// overlap (IoU) of their box with the result, where no box or another label
// counts 0.
package boxes

import (
	"math"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/consolidate"
)

// Box is what one worker drew around one object.
type Box struct {
	Label                    int
	Left, Top, Width, Height float64
}

// Consolidated is what became of several. Confidence is 0 if only one worker
// answered.
type Consolidated struct {
	Box
	Confidence float64
	Votes      int // workers who drew it
}

// Fusion is how the edges of several boxes become those of one.
type Fusion string

// The ways of fusion.
const (
	// Median takes the middle of each edge: one wild box among five moves
	// nothing. The default.
	Median Fusion = "median"
	// Weighted takes the mean of each edge, where a box counts by the fourth
	// power of its mean overlap with the others of its group.
	Weighted Fusion = "weighted"
)

// ParseFusion reads a way's name; empty is the default.
func ParseFusion(s string) (Fusion, error) {
	switch f := Fusion(s); f {
	case "":
		return Median, nil
	case Median, Weighted:
		return f, nil
	}
	return "", fault.Newf("boxes.ParseFusion", fault.Invalid, "%q is not a way to fuse boxes: expected %s or %s", s, Median, Weighted)
}

const (
	// sameObject is the overlap from which boxes of one label may be the same
	// object. Small objects drawn with care overlap by no more than a half.
	sameObject = 0.4
	// sameThing is the overlap from which boxes of different labels are the
	// same object under two names.
	sameThing = 0.6
)

// Consolidate consolidates the boxes on one image: answers[w] are those of
// worker w, empty for one who found nothing to box. (A worker without an
// answer is not in answers.) Boxes without an area, or with edges that are no
// numbers, are garbage and left out.
func Consolidate(answers [][]Box, f Fusion) []Consolidated {
	drawn, marks := drawnBoxes(answers)
	groups := consolidate.Matching{Same: sameObject, Across: sameThing,
		Similarity: func(a, b int) float64 { return Overlap(drawn[a], drawn[b]) }}.Groups(marks)
	var out []Consolidated
	for _, group := range groups {
		if consolidate.Quorum(len(group), len(answers)) {
			boxes := make([]Box, len(group))
			for i, n := range group {
				boxes[i] = drawn[n]
			}
			out = append(out, unite(boxes, len(answers), f))
		}
	}
	return out
}

// drawnBoxes are the boxes that are no garbage.
func drawnBoxes(answers [][]Box) (drawn []Box, marks []consolidate.Mark) {
	for w, boxes := range answers {
		for _, b := range boxes {
			if b.Real() {
				drawn = append(drawn, b)
				marks = append(marks, consolidate.Mark{Worker: w, Label: b.Label, Left: b.Left, Top: b.Top, Right: b.Left + b.Width, Bottom: b.Top + b.Height})
			}
		}
	}
	return drawn, marks
}

// Real reports whether a box has edges that are numbers, and an area.
func (b Box) Real() bool {
	sum := b.Left + b.Top + b.Width + b.Height
	return b.Width > 0 && b.Height > 0 && !math.IsInf(sum, 0) && !math.IsNaN(sum) && !math.IsInf(b.Width*b.Height, 0)
}

// unite makes one box of a group.
func unite(group []Box, workers int, f Fusion) Consolidated {
	labels := make([]int, len(group))
	for i, b := range group {
		labels[i] = b.Label
	}
	out := Consolidated{Votes: len(group)}
	out.Box = medians(group)
	if f == Weighted {
		out.Box = weighted(group)
	}
	out.Label = consolidate.Plurality(labels)
	if workers < 2 {
		return out
	}
	for _, b := range group {
		if b.Label == out.Label {
			out.Confidence += Overlap(b, out.Box) / float64(workers)
		}
	}
	return out
}

func medians(group []Box) Box {
	n := len(group)
	if n == 1 {
		return group[0]
	}
	edges := make([]float64, 4*n) // all lefts, tops, rights, bottoms
	for i, b := range group {
		edges[i], edges[n+i], edges[2*n+i], edges[3*n+i] = b.Left, b.Top, b.Left+b.Width, b.Top+b.Height
	}
	left, top := consolidate.Median(edges[:n]), consolidate.Median(edges[n:2*n])
	return Box{0, left, top, consolidate.Median(edges[2*n:3*n]) - left, consolidate.Median(edges[3*n:]) - top}
}

func weighted(group []Box) Box {
	if len(group) < 3 { // two overlap each other alike
		return medians(group)
	}
	var out Box
	sum := 0.0
	for i, b := range group {
		mean := 0.0
		for j, other := range group {
			if i != j {
				mean += Overlap(b, other) / float64(len(group)-1)
			}
		}
		w := math.Pow(mean, 4)
		sum += w
		out.Left, out.Top = out.Left+w*b.Left, out.Top+w*b.Top
		out.Width, out.Height = out.Width+w*b.Width, out.Height+w*b.Height
	}
	return Box{0, out.Left / sum, out.Top / sum, out.Width / sum, out.Height / sum}
}

// Pixels is the box in whole pixels, at least one, inside an image of width by
// height pixels.
func (b Box) Pixels(width, height int) (left, top, w, h int) {
	left, w = pixels(b.Left, b.Left+b.Width, width)
	top, h = pixels(b.Top, b.Top+b.Height, height)
	return left, top, w, h
}

func pixels(from, to float64, size int) (start, length int) {
	limit := float64(size)
	start = int(math.Round(min(max(from, 0), limit)))
	end := int(math.Round(min(max(to, 0), limit)))
	start = min(start, size-1)
	return start, max(end-start, 1)
}

// Overlap is intersection over union (the Jaccard index) of two boxes.
func Overlap(a, b Box) float64 {
	w := min(a.Left+a.Width, b.Left+b.Width) - max(a.Left, b.Left)
	h := min(a.Top+a.Height, b.Top+b.Height) - max(a.Top, b.Top)
	if w <= 0 || h <= 0 {
		return 0
	}
	both := w * h
	return both / (a.Width*a.Height + b.Width*b.Height - both)
}
