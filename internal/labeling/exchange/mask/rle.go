package mask

// Run lengths as COCO has them: columns from left to right, each from top to
// bottom; the first count is of pixels outside, the next inside, and so on.

// RLE is the run lengths of the pixels with an index.
func (m *Mask) RLE(index uint8) []int {
	counts := []int{}
	inside, n := false, 0
	for x := range m.Width {
		for i := x; i < len(m.Pix); i += m.Width {
			if (m.Pix[i] == index) != inside {
				counts = append(counts, n)
				inside, n = !inside, 0
			}
			n++
		}
	}
	return append(counts, n)
}

// PaintRLE gives the pixels inside of the run lengths an index.
func (m *Mask) PaintRLE(counts []int, index uint8) error {
	at, inside := 0, false
	for _, n := range counts {
		if n < 0 || n > len(m.Pix)-at {
			return invalid("its run lengths do not fit %d x %d pixels", m.Width, m.Height)
		}
		if inside {
			for i := at; i < at+n; i++ {
				m.Pix[i%m.Height*m.Width+i/m.Height] = index
			}
		}
		at, inside = at+n, !inside
	}
	if at != len(m.Pix) {
		return invalid("its run lengths are of %d pixels, the picture has %d", at, len(m.Pix))
	}
	return nil
}

// PaintRows gives pixels an index by run lengths row by row within a
// rectangle, as CVAT has them.
func (m *Mask) PaintRows(counts []int, left, top, width, height int, index uint8) error {
	if left < 0 || top < 0 || width < 1 || height < 1 || left > m.Width-width || top > m.Height-height {
		return invalid("a rectangle of %d x %d pixels at %d, %d is not within the picture of %d x %d", width, height, left, top, m.Width, m.Height)
	}
	at, inside := 0, false
	for _, n := range counts {
		if n < 0 || n > width*height-at {
			return invalid("its run lengths do not fit %d x %d pixels", width, height)
		}
		if inside {
			for i := at; i < at+n; i++ {
				m.Pix[(top+i/width)*m.Width+left+i%width] = index
			}
		}
		at, inside = at+n, !inside
	}
	if at != width*height {
		return invalid("its run lengths are of %d pixels, its rectangle has %d", at, width*height)
	}
	return nil
}

// Pack writes run lengths as COCO's text: from the fourth on, each as its
// difference from the one before the last, in signed groups of five bits from
// the lowest, a bit that says whether more follow, and 48 to make it ASCII.
func Pack(counts []int) string {
	var b []byte
	for i, x := range counts {
		if i > 2 {
			x -= counts[i-2]
		}
		for more := true; more; {
			c := x & 0x1f
			x >>= 5
			if more = x != 0; c&0x10 != 0 {
				more = x != -1
			}
			if more {
				c |= 0x20
			}
			b = append(b, byte(c+48))
		}
	}
	return string(b)
}

// Unpack reads what Pack writes.
func Unpack(s string) ([]int, error) {
	var counts []int
	for at := 0; at < len(s); {
		x, shift := 0, 0
		for more := true; more; {
			if at == len(s) || shift > 30 {
				return nil, invalid("its run lengths are cut short or too long")
			}
			c := int(s[at]) - 48
			if c < 0 || c > 63 {
				return nil, invalid("its run lengths have the character %q: expected those from 0 to o", s[at])
			}
			x |= (c & 0x1f) << shift
			at, shift = at+1, shift+5
			if more = c&0x20 != 0; !more && c&0x10 != 0 {
				x |= -1 << shift
			}
		}
		if n := len(counts); n > 2 {
			x += counts[n-2]
		}
		if x < 0 || x > MaxPixels {
			return nil, invalid("a run length of %d", x)
		}
		counts = append(counts, x)
	}
	return counts, nil
}
