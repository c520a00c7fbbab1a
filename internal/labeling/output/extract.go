package output

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// MaxBoxes is how many boxes of one answer are used. An answer with more is
// refused: no person draws so many, and matching them costs everybody else.
const MaxBoxes = 5_000

// Categories are the label categories of a job in file order, which is what
// gives each its index.
type Categories struct {
	names []string
	index map[string]int
}

// NewCategories makes the categories; of equal names the first counts.
func NewCategories(names []string) Categories {
	c := Categories{names: names, index: make(map[string]int, len(names))}
	for i, n := range names {
		if _, ok := c.index[n]; !ok {
			c.index[n] = i
		}
	}
	return c
}

// Len is the number of categories.
func (c Categories) Len() int { return len(c.names) }

// Name is the name of the category with index i.
func (c Categories) Name(i int) string { return c.names[i] }

// Index finds a category by its exact name.
func (c Categories) Index(name string) (int, bool) {
	i, ok := c.index[name]
	return i, ok
}

// elements iterates over the members of an answer in the order in which the
// worker's page sent them, since templates name their elements as they like.
func elements(content json.RawMessage) ([]json.RawMessage, error) {
	if !IsObject(content) {
		return nil, errors.New("the answer is not a JSON object")
	}
	var out []json.RawMessage
	for s := (scanner{line: trim(content), at: 1}); s.next(); {
		out = append(out, s.line[s.start:s.end])
	}
	return out, nil
}

// ClassAnswer finds the category that a worker chose: the first element whose
// value has a "label". The error says why the answer is of no use.
func ClassAnswer(content json.RawMessage, c Categories) (int, error) {
	values, err := elements(content)
	if err != nil {
		return 0, err
	}
	for _, value := range values {
		var v struct {
			Label *string `json:"label"`
		}
		if json.Unmarshal(value, &v) != nil || v.Label == nil {
			continue
		}
		i, ok := c.Index(*v.Label)
		if !ok {
			return 0, fmt.Errorf("%q is not one of the job's label categories", shorten(*v.Label))
		}
		return i, nil
	}
	return 0, errors.New("the answer has no element with a label")
}

// LabelsAnswer finds the categories that a worker chose, each once: the first
// element whose value has "labels". None is an answer too. Names that are not
// categories are left out and reported in unknown, unless one such name is the
// whole answer: that is what a template's exclusion-category ("none of these")
// sends, and it says that no category applies.
func LabelsAnswer(content json.RawMessage, c Categories) (picked []int, unknown []string, err error) {
	values, err := elements(content)
	if err != nil {
		return nil, nil, err
	}
	for _, value := range values {
		var v struct {
			Labels *[]string `json:"labels"`
		}
		if json.Unmarshal(value, &v) != nil || v.Labels == nil {
			continue
		}
		seen := make(map[int]bool, len(*v.Labels))
		picked = []int{}
		for _, name := range *v.Labels {
			i, ok := c.Index(name)
			switch {
			case !ok:
				unknown = append(unknown, shorten(name))
			case !seen[i]:
				seen[i] = true
				picked = append(picked, i)
			}
		}
		switch {
		case len(picked) > 0 || len(unknown) == 0:
			return picked, unknown, nil
		case len(*v.Labels) == 1:
			return picked, nil, nil
		}
		return nil, nil, fmt.Errorf("none of its labels is one of the job's label categories, %q to begin with", unknown[0])
	}
	return nil, nil, errors.New("the answer has no element with labels")
}

// DrawnBox is a box as one worker drew it, in pixels of the image.
type DrawnBox struct {
	Category                 int
	Left, Top, Width, Height float64
}

// BoxesAnswer is what one worker drew on one image. No boxes at all is an
// answer: nothing there to label.
type BoxesAnswer struct {
	Boxes         []DrawnBox
	Width, Height int      // of the image
	Dropped       []string // why boxes were left out, one entry each
	Untouched     bool     // there was an initial value, and it was left as it was
}

type boxesValue struct {
	BoundingBoxes *[]struct {
		Label  string  `json:"label"`
		Left   float64 `json:"left"`
		Top    float64 `json:"top"`
		Width  float64 `json:"width"`
		Height float64 `json:"height"`
	} `json:"boundingBoxes"`
	InputImageProperties struct {
		Width  float64 `json:"width"`
		Height float64 `json:"height"`
	} `json:"inputImageProperties"`
	Modified *bool `json:"initialValueModified"`
}

// BoxAnswer finds the boxes that a worker drew: the first element whose value
// has "boundingBoxes". Boxes are cut to the image; a box with an unknown
// label, or with nothing of it inside the image, is dropped with a reason and
// the others count.
func BoxAnswer(content json.RawMessage, c Categories) (BoxesAnswer, error) {
	values, err := elements(content)
	if err != nil {
		return BoxesAnswer{}, err
	}
	for _, value := range values {
		var v boxesValue
		if json.Unmarshal(value, &v) != nil || v.BoundingBoxes == nil {
			continue
		}
		return boxes(v, c)
	}
	return BoxesAnswer{}, errors.New("the answer has no element with boundingBoxes")
}

func boxes(v boxesValue, c Categories) (BoxesAnswer, error) {
	const most = 1 << 24 // pixels a side; far above any image a browser shows
	w, h := v.InputImageProperties.Width, v.InputImageProperties.Height
	if !(w >= 1 && h >= 1 && w <= most && h <= most) {
		return BoxesAnswer{}, fmt.Errorf("the answer says that the image is %g x %g pixels", w, h)
	}
	if n := len(*v.BoundingBoxes); n > MaxBoxes {
		return BoxesAnswer{}, fmt.Errorf("the answer has %d boxes, more than %d", n, MaxBoxes)
	}
	a := BoxesAnswer{Width: int(math.Round(w)), Height: int(math.Round(h)), Untouched: v.Modified != nil && !*v.Modified}
	for n, b := range *v.BoundingBoxes {
		category, ok := c.Index(b.Label)
		if !ok {
			a.Dropped = append(a.Dropped, fmt.Sprintf("box %d: %q is not one of the job's label categories", n+1, shorten(b.Label)))
			continue
		}
		left, top := max(b.Left, 0), max(b.Top, 0)
		right, bottom := min(b.Left+b.Width, float64(a.Width)), min(b.Top+b.Height, float64(a.Height))
		if !(right > left && bottom > top) {
			a.Dropped = append(a.Dropped, fmt.Sprintf("box %d: it has no area inside the image", n+1))
			continue
		}
		a.Boxes = append(a.Boxes, DrawnBox{category, left, top, right - left, bottom - top})
	}
	return a, nil
}

// shorten keeps what a worker's browser sent from filling a reason.
func shorten(s string) string {
	const most = 64
	for i := range s {
		if i > most {
			return s[:i] + "…"
		}
	}
	return s
}
