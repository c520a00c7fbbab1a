package quality

import "encoding/binary"

// mask is a painted picture: its runs of one class, each the class (0: nothing)
// and a varint of how many pixels it is long. A picture that one has a hundred
// megapixels of is some kilobytes so, and never more than two bytes a pixel.
type mask struct {
	width, height int
	runs          []byte
}

func newMask(width, height int, pixels []uint8) mask {
	m := mask{width: width, height: height}
	for at := 0; at < len(pixels); {
		end := at + 1
		for end < len(pixels) && pixels[end] == pixels[at] {
			end++
		}
		m.runs = binary.AppendUvarint(append(m.runs, pixels[at]), uint64(end-at))
		at = end
	}
	return m
}

// alike is the mean IoU of the classes that either mask has; nothing on both is
// the same. Masks of different sizes are not of one picture.
func (m mask) alike(o mask) float64 {
	if m.width != o.width || m.height != o.height {
		return 0
	}
	var either, both [256]int
	a, b := walk{runs: m.runs}, walk{runs: o.runs}
	for a.fill() && b.fill() {
		n := min(a.left, b.left)
		a.left, b.left = a.left-n, b.left-n
		either[a.class] += int(n)
		if a.class == b.class {
			both[a.class] += int(n)
		} else {
			either[b.class] += int(n)
		}
	}
	sum, classes := 0.0, 0
	for c := 1; c < len(either); c++ {
		if either[c] > 0 {
			classes++
			sum += share(both[c], either[c])
		}
	}
	if classes == 0 {
		return 1
	}
	return sum / float64(classes)
}

// walk goes through the runs of a mask.
type walk struct {
	runs  []byte
	class uint8
	left  uint64 // pixels of the run that are still to come
}

// fill begins the next run if there is nothing left of the last one.
func (w *walk) fill() bool {
	if w.left > 0 {
		return true
	}
	if len(w.runs) == 0 {
		return false
	}
	length, n := binary.Uvarint(w.runs[1:])
	w.class, w.left, w.runs = w.runs[0], length, w.runs[1+n:]
	return true
}
