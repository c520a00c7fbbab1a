// Package masks makes one mask of those that several workers painted on one
// image: a class for every pixel, or the pixels of every instance.
//
// Each pixel is decided by vote, smoothed: what counts is how many workers gave
// a class to it and to its eight neighbours together. So a result has no
// single stray pixels, and an outline runs between the workers'. Where two
// classes are equal even so, the one with more votes on the pixel itself wins,
// then the lower number: the background before everything. What one worker
// alone painted is left as it is.
package masks

import "slices"

// Mask is what one worker painted: a class for every pixel, row by row.
// 0 is the background, which nobody painted.
type Mask struct {
	Width, Height int
	Pixels        []uint8
}

// Consolidated is a mask with what is known of it.
type Consolidated struct {
	Mask
	// Confidence is, for each class that occurs, the mean share of the workers
	// who gave it to the pixels that have it; 0 if only one worker answered.
	Confidence map[uint8]float64
	Votes      int // usable answers
}

// Consolidate decides every pixel. A mask without as many pixels as its size
// says is garbage, and so is one of another size than most (of equals, the
// first); without any other the result is empty.
func Consolidate(answers []Mask) Consolidated {
	answers = usable(answers, func(m Mask) (int, int, int) { return m.Width, m.Height, len(m.Pixels) })
	if len(answers) == 0 {
		return Consolidated{}
	}
	first := answers[0]
	out := Consolidated{Mask: Mask{first.Width, first.Height, slices.Clone(first.Pixels)}, Votes: len(answers), Confidence: map[uint8]float64{}}
	if len(answers) > 1 {
		v := newVote[uint8](first.Width, first.Height, len(answers), func(w, at int) uint8 { return answers[w].Pixels[at] })
		v.decide(out.Pixels)
	}
	out.confide(answers)
	return out
}

// confide fills Confidence.
func (c *Consolidated) confide(answers []Mask) {
	var pixels, votes [256]int
	for at, class := range c.Pixels {
		pixels[class]++
		for _, a := range answers {
			if a.Pixels[at] == class {
				votes[class]++
			}
		}
	}
	for class, n := range pixels {
		if n > 0 {
			c.Confidence[uint8(class)] = 0
			if len(answers) > 1 {
				c.Confidence[uint8(class)] = float64(votes[class]) / float64(n*len(answers))
			}
		}
	}
}

// usable are the answers of the size that most have.
func usable[A any](answers []A, size func(A) (width, height, pixels int)) []A {
	count := map[[2]int]int{}
	best := [2]int{}
	good := func(a A) bool {
		w, h, n := size(a)
		return w > 0 && h > 0 && n/w == h && n%w == 0
	}
	for _, a := range answers {
		if good(a) {
			w, h, _ := size(a)
			count[[2]int{w, h}]++
		}
	}
	for _, a := range answers { // in their order, for equals
		if w, h, _ := size(a); good(a) && count[[2]int{w, h}] > count[best] {
			best = [2]int{w, h}
		}
	}
	return slices.DeleteFunc(slices.Clone(answers), func(a A) bool {
		w, h, _ := size(a)
		return !good(a) || best != [2]int{w, h}
	})
}

// vote counts votes around a pixel.
type vote[C uint8 | uint16] struct {
	width, height, workers int
	of                     func(worker, at int) C
	differ                 []bool // workers do not all say the same there

	counts  []int // scratch space: by class, zero but for those in classes
	classes []C
}

func newVote[C uint8 | uint16](width, height, workers int, of func(worker, at int) C) *vote[C] {
	v := &vote[C]{width: width, height: height, workers: workers, of: of, differ: make([]bool, width*height), counts: make([]int, 256)}
	for at := range v.differ {
		for w := 1; w < workers && !v.differ[at]; w++ {
			v.differ[at] = of(w, at) != of(0, at)
		}
	}
	return v
}

// decide fills out, which has the first worker's pixels. Where all agree there
// is nothing to decide, except that neighbours may outvote a pixel: so those
// beside a difference are decided too.
func (v *vote[C]) decide(out []C) {
	for y := range v.height {
		for x := range v.width {
			if v.disputed(x, y) {
				out[y*v.width+x] = v.winner(x, y)
			}
		}
	}
}

func (v *vote[C]) disputed(x, y int) bool {
	for j := max(y-1, 0); j <= min(y+1, v.height-1); j++ {
		if slices.Contains(v.differ[j*v.width+max(x-1, 0):j*v.width+min(x+2, v.width)], true) {
			return true
		}
	}
	return false
}

// winner is the class with most votes around a pixel.
func (v *vote[C]) winner(x, y int) C {
	v.tally(x, y)
	slices.Sort(v.classes)
	best := v.classes[0]
	for _, c := range v.classes[1:] {
		if d := v.counts[c] - v.counts[best]; d > 0 || d == 0 && v.on(x, y, c) > v.on(x, y, best) {
			best = c
		}
	}
	return best
}

// tally counts the classes of a pixel and its neighbours inside the image, and
// says how many pixels those are.
func (v *vote[C]) tally(x, y int) (pixels int) {
	for _, c := range v.classes {
		v.counts[c] = 0
	}
	v.classes = v.classes[:0]
	left, right := max(x-1, 0), min(x+1, v.width-1)
	for j := max(y-1, 0); j <= min(y+1, v.height-1); j++ {
		for at := j*v.width + left; at <= j*v.width+right; at++ {
			for w := range v.workers {
				v.count(v.of(w, at))
			}
		}
	}
	return (right - left + 1) * (min(y+1, v.height-1) - max(y-1, 0) + 1)
}

func (v *vote[C]) count(c C) {
	if int(c) >= len(v.counts) {
		v.counts = append(v.counts, make([]int, int(c)+1-len(v.counts))...)
	}
	if v.counts[c]++; v.counts[c] == 1 {
		v.classes = append(v.classes, c)
	}
}

// on is how many workers gave the class to the pixel itself.
func (v *vote[C]) on(x, y int, class C) (n int) {
	for w := range v.workers {
		if v.of(w, y*v.width+x) == class {
			n++
		}
	}
	return n
}
