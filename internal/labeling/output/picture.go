package output

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"
	"strings"
)

// MaxPixels is how many pixels a picture of segments may have: as many as an
// image of a labeling job may.
const MaxPixels = 100_000_000

// Segments is what one worker painted on one image.
type Segments struct {
	Width, Height int
	Pixels        []uint8        // row by row: 0 nothing, n the category with index n-1
	Colors        map[int]string // of categories, as the answer names them: #rrggbb
	Untouched     bool           // there was an initial value, and it was left as it was
}

type segmentsValue struct {
	LabeledImage *struct {
		PNG *string `json:"pngImageData"`
	} `json:"labeledImage"`
	LabelMappings map[string]struct {
		Color string `json:"color"`
	} `json:"labelMappings"`
	InputImageProperties struct {
		Width  float64 `json:"width"`
		Height float64 `json:"height"`
	} `json:"inputImageProperties"`
	Modified *bool `json:"initialValueModified"`
}

// SegmentsAnswer finds what a worker painted: the first element whose value has a
// "labeledImage". Colours that the answer maps to no category of the job are
// nothing. Nothing painted is an answer.
func SegmentsAnswer(content json.RawMessage, c Categories) (Segments, error) {
	values, err := elements(content)
	if err != nil {
		return Segments{}, err
	}
	for _, value := range values {
		var v segmentsValue
		if json.Unmarshal(value, &v) != nil || v.LabeledImage == nil || v.LabeledImage.PNG == nil {
			continue
		}
		return segments(v, c)
	}
	return Segments{}, errors.New("the answer has no element with a labeledImage")
}

func segments(v segmentsValue, c Categories) (Segments, error) {
	s := Segments{Colors: map[int]string{}, Untouched: v.Modified != nil && !*v.Modified}
	classes := map[color.RGBA]uint8{}
	for name, m := range v.LabelMappings {
		i, ok := c.Index(name)
		if !ok {
			continue
		}
		rgb, ok := parseColor(m.Color)
		if !ok {
			return s, fmt.Errorf("the colour of %q is %q: expected #rrggbb", shorten(name), shorten(m.Color))
		}
		if _, taken := classes[rgb]; taken {
			return s, fmt.Errorf("two labels have the colour %s", strings.ToLower(m.Color))
		}
		classes[rgb], s.Colors[i] = uint8(i+1), strings.ToLower(m.Color)
	}
	data, err := base64.StdEncoding.DecodeString(*v.LabeledImage.PNG)
	if err != nil {
		return s, errors.New("its pngImageData is not Base64")
	}
	img, err := decodePNG(data)
	if err != nil {
		return s, err
	}
	s.Width, s.Height = img.Bounds().Dx(), img.Bounds().Dy()
	if p := v.InputImageProperties; (p.Width != 0 || p.Height != 0) && (math.Round(p.Width) != float64(s.Width) || math.Round(p.Height) != float64(s.Height)) {
		return s, fmt.Errorf("its picture of segments has %d x %d pixels, the image %g x %g", s.Width, s.Height, p.Width, p.Height)
	}
	s.Pixels = classify(img, classes)
	return s, nil
}

// decodePNG decodes an untrusted picture. What its header claims is held against
// what there is before room is made for it.
func decodePNG(data []byte) (image.Image, error) {
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("its pngImageData is not a PNG")
	}
	w, h := int64(config.Width), int64(config.Height)
	if w < 1 || h < 1 || w > MaxPixels || h > MaxPixels || w*h > MaxPixels {
		return nil, fmt.Errorf("its picture of segments has %d x %d pixels, more than %d", w, h, MaxPixels)
	}
	// The header is a signature of 8 bytes, a length and a name of 4 each, width
	// and height, the bits of a sample, and what a pixel's samples are.
	depth, samples := int64(data[24]), int64(1)
	switch data[25] {
	case 2: // red, green, blue
		samples = 3
	case 4: // grey, alpha
		samples = 2
	case 6:
		samples = 4
	}
	if depth > 8 {
		return nil, fmt.Errorf("its picture of segments has %d bits a sample, more than 8", depth)
	}
	// Deflate makes no more than 1032 bytes of one. A row has a byte before its
	// pixels.
	if least := h * (1 + (w*depth*samples+7)/8); least/1032 > int64(len(data)) {
		return nil, fmt.Errorf("its picture of segments claims %d x %d pixels, more than its %d bytes can hold", w, h, len(data))
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("its pngImageData is a broken PNG")
	}
	return img, nil
}

// classify turns colours into classes. What is see-through is nothing.
func classify(img image.Image, classes map[color.RGBA]uint8) []uint8 {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if p, ok := img.(*image.Paletted); ok && p.Stride == w {
		var of [256]uint8
		for i, c := range p.Palette {
			of[i] = classOf(c, classes)
		}
		for i, index := range p.Pix {
			p.Pix[i] = of[index]
		}
		return p.Pix
	}
	out := make([]uint8, w*h)
	var last color.RGBA
	var class uint8
	pixel := func(i int, c color.RGBA) {
		if c != last || i == 0 {
			last, class = c, classOf(c, classes)
		}
		out[i] = class
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			switch m := img.(type) {
			case *image.RGBA:
				at := y*m.Stride + 4*x
				pixel(i, color.RGBA{m.Pix[at], m.Pix[at+1], m.Pix[at+2], m.Pix[at+3]})
			case *image.NRGBA:
				at := y*m.Stride + 4*x
				c := color.RGBA{m.Pix[at], m.Pix[at+1], m.Pix[at+2], 255}
				if m.Pix[at+3] < 128 {
					c = color.RGBA{}
				}
				pixel(i, c)
			default:
				r, g, bl, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				pixel(i, color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), uint8(a >> 8)})
			}
		}
	}
	return out
}

func classOf(c color.Color, classes map[color.RGBA]uint8) uint8 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	if n.A < 128 {
		return 0
	}
	return classes[color.RGBA{n.R, n.G, n.B, 255}]
}

// parseColor reads #rrggbb.
func parseColor(s string) (color.RGBA, bool) {
	digits, ok := strings.CutPrefix(s, "#")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !ok || len(digits) != 6 || err != nil {
		return color.RGBA{}, false
	}
	return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255}, true
}
