package annotate

import (
	"fmt"
	"slices"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/masks"
	"fiducial/internal/labeling/output"
)

// segmentation makes pictures of segments of the answers, object by object. Of
// an object it keeps the finished PNG.
//
// An image of 100 megapixels that nine workers painted would take a gigabyte as
// nine masks. So a worker's mask is packed as soon as it is decoded, and they are
// decided band by band: at no time is there more than one decoded answer, or the
// result, beside the packed ones.
type segmentation struct {
	taskType   labeling.TaskType
	categories output.Categories
	tree       output.Tree
	images     []painted
}

// painted is what became of one object's answers.
type painted struct {
	id      string
	png     []byte
	colors  []string
	sure    float64
	mended  bool
	reasons []string // all of them, if no answer is of use
	err     error
}

func (f *segmentation) add(o labeling.Answered) {
	out := painted{id: o.ID()}
	var usable []packed
	for _, a := range o.Answers {
		s, err := output.SegmentsAnswer(a.Content, f.categories)
		if err != nil {
			out.reasons = append(out.reasons, err.Error())
			continue
		}
		usable = append(usable, pack(s))
	}
	width, height := common(usable)
	var same []packed
	var colors []map[int]string
	for _, p := range usable {
		if p.width != width || p.height != height {
			out.reasons = append(out.reasons, fmt.Sprintf("the answer says that the image is %d x %d pixels, others say %d x %d", p.width, p.height, width, height))
			continue
		}
		same, colors = append(same, p), append(colors, p.colors)
		out.mended = out.mended || !p.untouched
	}
	if len(same) > 0 {
		out.reasons = nil
		out.colors = output.Palette(f.categories.Len(), colors...)
		var pixels []uint8
		pixels, out.sure = decide(same, bandPixels)
		out.png, out.err = output.SegmentsPNG(width, height, pixels, out.colors)
	}
	f.images = append(f.images, out)
}

func (f *segmentation) annotate(s output.Stamp, fn func(Result) error) error {
	for _, m := range f.images {
		if m.err != nil {
			return m.err
		}
		r := Result{Failure: useless(m.reasons)}
		if m.png != nil {
			key := f.tree.Segments(m.id, s.Created)
			a, err := output.Segmentation(f.taskType, s, f.tree.URI(key), f.categories, m.colors, m.sure, status(f.taskType.Adjusts(), m.mended))
			if err != nil {
				return err
			}
			r = Result{Annotation: a, Picture: &Picture{key, m.png}}
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// packed is a mask as runs of one class, or as it is where runs would be longer.
type packed struct {
	width, height int
	colors        map[int]string
	untouched     bool
	runs          []run
	rows          []int // where the runs of each row begin
	plain         []uint8
}

type run struct {
	class  uint8
	length uint32
}

// runSize is what a run takes in memory, in pixels of a plain mask.
const runSize = 8

func pack(s output.Segments) packed {
	p := packed{width: s.Width, height: s.Height, colors: s.Colors, untouched: s.Untouched}
	for y := range s.Height {
		p.rows = append(p.rows, len(p.runs))
		row := s.Pixels[y*s.Width : (y+1)*s.Width]
		for x := 0; x < len(row); {
			end := x + 1
			for end < len(row) && row[end] == row[x] {
				end++
			}
			p.runs = append(p.runs, run{row[x], uint32(end - x)})
			x = end
		}
		if len(p.runs)*runSize > len(s.Pixels) && len(s.Pixels) > 1<<16 {
			p.runs, p.rows, p.plain = nil, nil, s.Pixels
			return p
		}
	}
	p.runs = slices.Clip(p.runs)
	return p
}

// band are the pixels of rows from..to.
func (p *packed) band(from, to int) []uint8 {
	if p.plain != nil {
		return p.plain[from*p.width : to*p.width]
	}
	end := len(p.runs)
	if to < p.height {
		end = p.rows[to]
	}
	out := make([]uint8, 0, (to-from)*p.width)
	for _, r := range p.runs[p.rows[from]:end] {
		for range r.length {
			out = append(out, r.class)
		}
	}
	return out
}

// common is the size that most masks have, the first of equals.
func common(all []packed) (width, height int) {
	count, most := map[[2]int]int{}, 0
	for _, p := range all {
		count[[2]int{p.width, p.height}]++
	}
	for _, p := range all {
		if n := count[[2]int{p.width, p.height}]; n > most {
			width, height, most = p.width, p.height, n
		}
	}
	return width, height
}

// bandPixels is how many pixels are decided at once.
const bandPixels = 1 << 20

// decide consolidates masks of one size, in bands of so many pixels. sure is the mean share of the workers
// who gave a pixel the class that it has; 0 of one alone.
func decide(all []packed, size int) (pixels []uint8, sure float64) {
	width, height := all[0].width, all[0].height
	pixels = make([]uint8, 0, width*height)
	agreed := 0
	rows := max(size/width, 1)
	for top := 0; top < height; top += rows {
		bottom := min(top+rows, height)
		// A pixel is decided by its neighbours too, so a band has a row more at
		// either side, and theirs are right inside of it.
		from, to := max(top-1, 0), min(bottom+1, height)
		band := make([]masks.Mask, len(all))
		for i := range all {
			band[i] = masks.Mask{Width: width, Height: to - from, Pixels: all[i].band(from, to)}
		}
		part := masks.Consolidate(band).Pixels[(top-from)*width : (bottom-from)*width]
		for i, class := range part {
			for _, m := range band {
				if m.Pixels[(top-from)*width+i] == class {
					agreed++
				}
			}
		}
		pixels = append(pixels, part...)
	}
	if len(all) > 1 {
		sure = float64(agreed) / float64(len(pixels)*len(all))
	}
	return pixels, sure
}
