package annotate

import (
	"fmt"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/boxes"
	"fiducial/internal/labeling/output"
)

// detection makes boxes of the answers, object by object.
type detection struct {
	categories output.Categories
	adjusts    bool // what is drawn was there, and may have been mended
	images     []boxed
}

// boxed is what became of one object's answers.
type boxed struct {
	width, height int
	boxes         []boxes.Consolidated
	mended        bool
	reasons       []string // all of them, if no answer is of use
}

func (f *detection) add(o labeling.Answered) {
	var usable []output.BoxesAnswer
	var reasons []string
	for _, a := range o.Answers {
		b, err := output.BoxAnswer(a.Content, f.categories)
		if err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		usable = append(usable, b)
	}
	out := boxed{reasons: reasons}
	out.width, out.height = size(usable)
	var drawn [][]boxes.Box
	for _, b := range usable {
		if b.Width != out.width || b.Height != out.height {
			out.reasons = append(out.reasons, fmt.Sprintf("the answer says that the image is %d x %d pixels, others say %d x %d", b.Width, b.Height, out.width, out.height))
			continue
		}
		own := make([]boxes.Box, len(b.Boxes))
		for k, x := range b.Boxes {
			own[k] = boxes.Box{Label: x.Category, Left: x.Left, Top: x.Top, Width: x.Width, Height: x.Height}
		}
		drawn = append(drawn, own)
		out.mended = out.mended || !b.Untouched
	}
	if len(drawn) > 0 {
		out.reasons = nil
		out.boxes = boxes.Consolidate(drawn, boxes.Median)
	}
	f.images = append(f.images, out)
}

// status is "adjusted" if at least one worker has changed something, as Ground
// Truth has it.
func status(adjusts, mended bool) output.AdjustmentStatus {
	switch {
	case !adjusts:
		return ""
	case mended:
		return output.Adjusted
	}
	return output.Unadjusted
}

// size is what most answers say that the image is large, the first of equals.
func size(answers []output.BoxesAnswer) (width, height int) {
	count, most := map[[2]int]int{}, 0
	for _, a := range answers {
		count[[2]int{a.Width, a.Height}]++
	}
	for _, a := range answers {
		if n := count[[2]int{a.Width, a.Height}]; n > most {
			width, height, most = a.Width, a.Height, n
		}
	}
	return width, height
}

func (f *detection) annotate(s output.Stamp, fn func(Result) error) error {
	for _, m := range f.images {
		r := Result{}
		if m.width == 0 {
			r.Failure = useless(m.reasons)
		} else {
			found := make([]output.Box, len(m.boxes))
			for k, x := range m.boxes {
				found[k] = output.Box{Category: output.Category{Index: x.Label, Name: f.categories.Name(x.Label), Confidence: x.Confidence}}
				found[k].Left, found[k].Top, found[k].Width, found[k].Height = x.Pixels(m.width, m.height)
			}
			a, err := output.Detection(s, m.width, m.height, found, status(f.adjusts, m.mended))
			if err != nil {
				return err
			}
			r.Annotation = a
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}
