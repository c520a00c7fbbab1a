// Package cvat reads "CVAT for images 1.1": one XML document with an element
// for each picture, and in it boxes, tags, polygons and masks.
//
// Coordinates are pixels from the top left corner, with fractions; xbr and ybr
// are the edge, not the last pixel. A mask is run lengths row by row within its
// rectangle. Tracks ("CVAT for video") are refused.
package cvat

import (
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/mask"
)

// Options of Read.
type Options struct {
	Names   exchange.Names
	Classes *exchange.Classes
	Kind    exchange.Kind // Boxes, Mask, Class or MultiLabel
	Masks   mask.Sink
	Notes   *exchange.Notes
}

type meta struct {
	Labels  []string `xml:"task>labels>label>name"`
	Project []string `xml:"project>labels>label>name"`
	Job     []string `xml:"job>labels>label>name"`
}

type picture struct {
	ID     string  `xml:"id,attr"`
	Name   string  `xml:"name,attr"`
	Width  float64 `xml:"width,attr"`
	Height float64 `xml:"height,attr"`
	Shapes []shape `xml:",any"`
}

type shape struct {
	XMLName    xml.Name
	Label      string     `xml:"label,attr"`
	Rotation   string     `xml:"rotation,attr"`
	Occluded   string     `xml:"occluded,attr"`
	XTL        string     `xml:"xtl,attr"`
	YTL        string     `xml:"ytl,attr"`
	XBR        string     `xml:"xbr,attr"`
	YBR        string     `xml:"ybr,attr"`
	Points     string     `xml:"points,attr"`
	RLE        string     `xml:"rle,attr"`
	Left       string     `xml:"left,attr"`
	Top        string     `xml:"top,attr"`
	Width      string     `xml:"width,attr"`
	Height     string     `xml:"height,attr"`
	Attributes []struct{} `xml:"attribute"`
}

type reader struct {
	Options
	yield func(*exchange.Record) error
	count int64
}

// Read reads a document and calls yield for each picture, in its order.
func Read(in io.Reader, o Options, yield func(*exchange.Record) error) error {
	r := &reader{Options: o, yield: yield}
	x := exchange.NewXML(in)
	root := false
	for {
		t, err := x.Next()
		if err == io.EOF {
			if !root {
				return invalid("expected the element annotations")
			}
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if !root {
			if start.Name.Local != "annotations" {
				return invalid("the element %q: expected annotations, as CVAT for images 1.1 has", start.Name.Local)
			}
			root = true
			continue
		}
		if err := r.element(x, start); err != nil {
			return err
		}
	}
}

func (r *reader) element(x *exchange.XML, start xml.StartElement) error {
	switch start.Name.Local {
	case "version":
		return x.Element(start, new(string))
	case "meta":
		var m meta
		if err := x.Element(start, &m); err != nil {
			return err
		}
		for _, names := range [][]string{m.Labels, m.Project, m.Job} {
			for _, name := range names {
				if _, err := r.Classes.ID(name); err != nil {
					return err
				}
			}
		}
		return nil
	case "image":
		r.count++
		var p picture
		err := x.Element(start, &p)
		if err == nil {
			err = r.picture(&p)
		}
		if err != nil {
			return exchange.Where(err, "image %d of the document", r.count)
		}
		return nil
	case "track":
		return invalid("it has tracks of a video: expected CVAT for images 1.1")
	}
	return invalid("the element %q: expected version, meta or image", start.Name.Local)
}

func (r *reader) picture(p *picture) error {
	size, err := exchange.NewSize(p.Width, p.Height)
	if err != nil {
		return err
	}
	hint := ""
	if strings.HasPrefix(p.Name, "s3://") {
		hint = p.Name
	}
	ref, err := r.Names.Ref(p.Name, hint)
	if err != nil {
		return err
	}
	if len(p.Shapes) > exchange.MaxObjects {
		return invalid("it has more than %d shapes", exchange.MaxObjects)
	}
	rec := &exchange.Record{Line: r.count, Ref: ref, Kind: r.Kind, Size: size}
	painted := painting{colors: map[int]exchange.Color{}}
	if r.Kind == exchange.Mask {
		if painted.mask, err = mask.New(size.Width, size.Height); err != nil {
			return err
		}
	}
	for i := range p.Shapes {
		if err := r.shape(rec, &painted, &p.Shapes[i], p.Name); err != nil {
			return exchange.Where(err, "%s %d", p.Shapes[i].XMLName.Local, i+1)
		}
	}
	switch {
	case r.Kind == exchange.Mask:
		name := p.Name
		if exchange.CheckPath(name) != nil {
			name, _ = exchange.Names{}.File(rec.Ref)
		}
		if err := r.Masks.Put(rec, name, painted.mask, mask.WithBackground(painted.colors)); err != nil {
			return err
		}
	case r.Kind == exchange.Class && len(rec.Choices) == 0:
		r.Notes.Add(p.Name, "without a label: pictures without a tag")
		rec.Kind = ""
	}
	return r.yield(rec)
}

// painting is what is drawn on a picture.
type painting struct {
	mask   *mask.Mask
	colors map[int]exchange.Color
}

func (r *reader) shape(rec *exchange.Record, p *painting, s *shape, where string) error {
	kind := s.XMLName.Local
	wanted := kind == "box" && r.Kind == exchange.Boxes ||
		kind == "tag" && (r.Kind == exchange.Class || r.Kind == exchange.MultiLabel) ||
		(kind == "polygon" || kind == "mask") && r.Kind == exchange.Mask
	if !wanted {
		r.Notes.Add(where, "not in the result: elements %q", kind)
		return nil
	}
	if s.Label == "" {
		return invalid("it has no label")
	}
	if len(s.Attributes) > 0 {
		r.Notes.Add(where, "not in the result: attributes of labels")
	}
	if s.Occluded == "1" {
		r.Notes.Add(where, "not in the result: that a shape is occluded")
	}
	id, err := r.Classes.ID(s.Label)
	if err != nil {
		return err
	}
	c := exchange.Choice{ID: id, Name: s.Label}
	switch kind {
	case "tag":
		if r.Kind == exchange.Class && len(rec.Choices) > 0 {
			return invalid("its picture has more than one tag: --as multi-label imports them all")
		}
		rec.Choices = append(rec.Choices, c)
		return nil
	case "box":
		return r.box(rec, s, c, where)
	}
	return paint(p, s, c)
}

func (r *reader) box(rec *exchange.Record, s *shape, c exchange.Choice, where string) error {
	b := exchange.Box{Choice: c, Left: parse(s.XTL), Top: parse(s.YTL)}
	b.Width, b.Height = parse(s.XBR)-b.Left, parse(s.YBR)-b.Top
	if err := b.Check(); err != nil {
		return err
	}
	if s.Rotation != "" {
		degrees := parse(s.Rotation)
		if !(math.Abs(degrees) <= 360) {
			return invalid("a rotation of %q: expected degrees", s.Rotation)
		}
		if degrees != 0 {
			r.Notes.Add(where, "taken as the upright box around them: boxes that are turned")
			b = around(b, degrees)
		}
	}
	if b, ok := exchange.Fit(b, rec.Size, where, r.Notes); ok {
		rec.Boxes = append(rec.Boxes, b)
	}
	return nil
}

// around is the upright box around one turned about its middle.
func around(b exchange.Box, degrees float64) exchange.Box {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	sin, cos = math.Abs(sin), math.Abs(cos)
	width, height := b.Width*cos+b.Height*sin, b.Width*sin+b.Height*cos
	return exchange.Box{Choice: b.Choice, Left: b.Left + (b.Width-width)/2, Top: b.Top + (b.Height-height)/2, Width: width, Height: height}
}

// paint draws a polygon or a mask. Classes count from 0, which a PNG has where
// no class is.
func paint(p *painting, s *shape, c exchange.Choice) error {
	if c.ID++; c.ID > 255 {
		return invalid("there are more classes than the 255 that an indexed PNG has room for")
	}
	p.colors[c.ID] = exchange.Color{Choice: c, Hex: mask.Palette(c.ID)}
	if s.XMLName.Local == "mask" {
		var counts []int
		for field := range strings.SplitSeq(s.RLE, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(field))
			if err != nil {
				return invalid("expected rle to be numbers with commas between them")
			}
			counts = append(counts, n)
		}
		var v [4]int
		for i, field := range []string{s.Left, s.Top, s.Width, s.Height} {
			n, err := strconv.Atoi(field)
			if err != nil {
				return invalid("expected left, top, width and height in pixels")
			}
			v[i] = n
		}
		if v[2] > mask.MaxPixels || v[3] > mask.MaxPixels {
			return invalid("a rectangle of %d x %d pixels", v[2], v[3])
		}
		return p.mask.PaintRows(counts, v[0], v[1], v[2], v[3], uint8(c.ID))
	}
	var ring []mask.Point
	for field := range strings.SplitSeq(s.Points, ";") {
		x, y, _ := strings.Cut(field, ",")
		ring = append(ring, mask.Point{X: parse(x), Y: parse(y)})
	}
	return p.mask.PaintPolygon(ring, uint8(c.ID))
}

func parse(s string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func invalid(format string, args ...any) error {
	return fault.Newf("cvat", fault.Invalid, format, args...)
}
