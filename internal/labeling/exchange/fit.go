package exchange

import "math"

// Fit turns a foreign box into one of whole pixels inside the picture, as
// labels have them: edges are rounded, and what is outside is cut off. It tells
// of both in notes. ok is false, and that is told too, where nothing is left.
func Fit(b Box, s Size, where string, notes *Notes) (fitted Box, ok bool) {
	left, top := math.Round(b.Left), math.Round(b.Top)
	right, bottom := math.Round(b.Left+b.Width), math.Round(b.Top+b.Height)
	if max(math.Abs(left-b.Left), math.Abs(top-b.Top), math.Abs(right-b.Left-b.Width), math.Abs(bottom-b.Top-b.Height)) > 1e-3 {
		notes.Add(where, "rounded to whole pixels: boxes")
	}
	cut := Box{Choice: b.Choice, Left: max(left, 0), Top: max(top, 0)}
	cut.Width, cut.Height = min(right, float64(s.Width))-cut.Left, min(bottom, float64(s.Height))-cut.Top
	if cut.Width <= 0 || cut.Height <= 0 {
		notes.Add(where, "left out: boxes without a pixel inside the picture")
		return Box{}, false
	}
	if cut.Left != left || cut.Top != top || cut.Left+cut.Width != right || cut.Top+cut.Height != bottom {
		notes.Add(where, "cut to the picture: boxes that reach beyond it")
	}
	return cut, true
}

// Inside checks a record's boxes before they are written to a format that does
// not allow what is outside of the picture.
func Inside(r *Record, notes *Notes) ([]Box, error) {
	if r.Size.Width == 0 {
		return nil, refuse(r.Line, "its label has no image_size, which this format needs")
	}
	out := make([]Box, 0, len(r.Boxes))
	for _, b := range r.Boxes {
		cut := b
		cut.Left, cut.Top = max(b.Left, 0), max(b.Top, 0)
		cut.Width = min(b.Left+b.Width, float64(r.Size.Width)) - cut.Left
		cut.Height = min(b.Top+b.Height, float64(r.Size.Height)) - cut.Top
		if !(cut.Width > 0 && cut.Height > 0) {
			notes.Line(r, "left out: boxes without a pixel inside the picture")
			continue
		}
		if math.Abs(cut.Width-b.Width) > 1e-9 || math.Abs(cut.Height-b.Height) > 1e-9 {
			notes.Line(r, "cut to the picture: boxes that reach beyond it")
		} else {
			cut = b
		}
		out = append(out, cut)
	}
	return out, nil
}
