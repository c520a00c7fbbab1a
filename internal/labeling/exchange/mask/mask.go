// Package mask turns the indexed pictures of semantic segmentation into what
// formats have instead, run lengths and polygons, and back.
//
// A mask has one byte for each pixel, row by row: the index of its class.
package mask

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"strconv"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/exchange"
)

// MaxPixels is the largest picture, Ground Truth's limit for images.
const MaxPixels = 100_000_000

// Mask is one picture's classes.
type Mask struct {
	Width, Height int
	Pix           []uint8
}

// New is a mask of index 0.
func New(width, height int) (*Mask, error) {
	if width < 1 || height < 1 || width > MaxPixels/height {
		return nil, invalid("a mask of %d x %d pixels: expected at least 1 and at most %d pixels", width, height, MaxPixels)
	}
	return &Mask{width, height, make([]uint8, width*height)}, nil
}

// Read reads the PNG of a label. An indexed PNG has the classes' indexes; a
// PNG in colours is read by the colours of the map.
func Read(r io.Reader, s exchange.Segmentation) (*Mask, error) {
	var head header
	c, err := png.DecodeConfig(io.TeeReader(r, &head))
	if err != nil {
		return nil, invalid("it is not a PNG: %s", err)
	}
	m, err := New(c.Width, c.Height)
	if err != nil {
		return nil, err
	}
	img, err := png.Decode(io.MultiReader(&head, r))
	if err != nil {
		return nil, invalid("it is not a PNG: %s", err)
	}
	known := [256]bool{}
	for _, c := range s.Colors {
		known[c.ID] = true
	}
	if p, ok := img.(*image.Paletted); ok {
		for y := range m.Height {
			copy(m.Pix[y*m.Width:(y+1)*m.Width], p.Pix[y*p.Stride:])
		}
		for i, v := range m.Pix {
			if !known[v] {
				return nil, invalid("the pixel %d, %d has the index %d, which internal-color-map does not have", i%m.Width, i/m.Width, v)
			}
		}
		return m, nil
	}
	return m, m.fromColors(img, s)
}

// header keeps what was read to learn the picture's size.
type header struct{ b []byte }

func (h *header) Write(p []byte) (int, error) { h.b = append(h.b, p...); return len(p), nil }

func (h *header) Read(p []byte) (int, error) {
	if len(h.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, h.b)
	h.b = h.b[n:]
	return n, nil
}

func (m *Mask) fromColors(img image.Image, s exchange.Segmentation) error {
	index := map[color.RGBA]uint8{}
	for _, c := range s.Colors {
		rgb, err := ParseHex(c.Hex)
		if err != nil {
			return err
		}
		index[rgb] = uint8(c.ID)
	}
	for y := range m.Height {
		for x := range m.Width {
			r, g, b, _ := img.At(x, y).RGBA()
			v, ok := index[color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}]
			if !ok {
				return invalid("the pixel %d, %d has the colour #%02x%02x%02x, which internal-color-map does not have", x, y, r>>8, g>>8, b>>8)
			}
			m.Pix[y*m.Width+x] = v
		}
	}
	return nil
}

// ParseHex reads #2acf59.
func ParseHex(s string) (color.RGBA, error) {
	v, err := strconv.ParseUint(s[min(1, len(s)):], 16, 32)
	if err != nil || len(s) != 7 || s[0] != '#' {
		return color.RGBA{}, invalid("%q is not a colour: expected #2acf59", s[:min(len(s), 20)])
	}
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}, nil
}

// Write writes the mask as an indexed PNG with the colours of the map.
func (m *Mask) Write(w io.Writer, s exchange.Segmentation) error {
	last := 0
	for _, v := range m.Pix {
		last = max(last, int(v))
	}
	for _, c := range s.Colors {
		last = max(last, c.ID)
	}
	p := make(color.Palette, last+1)
	for i := range p {
		p[i] = color.RGBA{A: 255}
	}
	for _, c := range s.Colors {
		rgb, err := ParseHex(c.Hex)
		if err != nil {
			return err
		}
		p[c.ID] = rgb
	}
	return png.Encode(w, &image.Paletted{Pix: m.Pix, Stride: m.Width, Rect: image.Rect(0, 0, m.Width, m.Height), Palette: p})
}

// Present are the indexes that occur, and of each its pixels and bounds.
func (m *Mask) Present() map[uint8]Region {
	out := map[uint8]Region{}
	for y := range m.Height {
		row := m.Pix[y*m.Width : (y+1)*m.Width]
		for x := 0; x < len(row); {
			v, from := row[x], x
			for x < len(row) && row[x] == v {
				x++
			}
			r, ok := out[v]
			b := image.Rect(from, y, x, y+1)
			if ok {
				b = b.Union(r.Bounds)
			}
			out[v] = Region{r.Area + x - from, b}
		}
	}
	return out
}

// Region is what one index covers.
type Region struct {
	Area   int
	Bounds image.Rectangle
}

// Background reports whether a colour of the map is what no class covers.
func Background(c exchange.Color) bool {
	return c.ID == 0 && (c.Name == "BACKGROUND" || c.Name == "Background" || c.Name == "background")
}

// Palette is the colour of an index where a format has none, far apart for
// neighbours: the colours of the PASCAL VOC, black for 0.
func Palette(index int) string {
	var r, g, b int
	for c, shift := index, 7; shift >= 0; shift-- {
		r |= (c & 1) << shift
		g |= (c >> 1 & 1) << shift
		b |= (c >> 2 & 1) << shift
		c >>= 3
	}
	const digits = "0123456789abcdef"
	out := []byte{'#'}
	for _, v := range []int{r, g, b} {
		out = append(out, digits[v>>4], digits[v&15])
	}
	return string(out)
}

func invalid(format string, args ...any) error {
	return fault.Newf("mask", fault.Invalid, format, args...)
}
