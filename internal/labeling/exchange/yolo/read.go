package yolo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/mask"
)

// Limits of what is read, in bytes.
const (
	maxNames = 4 << 20  // data.yaml
	maxLine  = 1 << 20  // a line of a label file, or of sources.jsonl
	maxFile  = 16 << 20 // a label file
)

// ReadOptions of Read.
type ReadOptions struct {
	Names   exchange.Names
	Classes *exchange.Classes // a label category file's: names keep their places in it
	Mapped  bool
	Kind    exchange.Kind // Boxes or Mask
	Masks   mask.Sink
	Notes   *exchange.Notes
}

type reader struct {
	ReadOptions
	files fs.FS
	names map[int]string
	shift int // from a class id to an index of a PNG, which has 0 where no class is
	count int64
	yield func(*exchange.Record) error
}

// Read reads a folder and calls yield for each picture: those of sources.jsonl
// in its order where that file is there, else those of labels/ by name, and
// then the pictures must be in images/, since label files have no sizes.
func Read(files fs.FS, o ReadOptions, yield func(*exchange.Record) error) error {
	r := &reader{ReadOptions: o, files: files, yield: yield}
	if err := r.classes(); err != nil {
		return err
	}
	f, err := files.Open("sources.jsonl")
	if errors.Is(err, fs.ErrNotExist) {
		return r.walk()
	}
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		var src source
		if err := json.Unmarshal(s.Bytes(), &src); err != nil || !utf8.Valid(s.Bytes()) {
			return invalid("sources.jsonl line %d: expected file, source-ref, width and height", n)
		}
		if err := exchange.CheckPath(src.File); err != nil {
			return exchange.Where(err, "sources.jsonl line %d", n)
		}
		if err := r.picture(src); err != nil {
			return err
		}
	}
	if s.Err() != nil {
		return invalid("sources.jsonl: %s", s.Err())
	}
	return nil
}

// classes reads the names in data.yaml, a list or a map.
func (r *reader) classes() error {
	f, err := r.files.Open("data.yaml")
	if err != nil {
		return invalid("expected a folder with data.yaml: %s", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxNames+1))
	if err != nil {
		return err
	}
	var d struct {
		Names yaml.Node `yaml:"names"`
	}
	if len(b) > maxNames {
		return invalid("data.yaml is longer than %d bytes", maxNames)
	}
	if err := yaml.Unmarshal(b, &d); err != nil {
		return invalid("data.yaml: %s", err)
	}
	r.names = map[int]string{}
	var list []string
	if d.Names.Decode(&list) == nil {
		for i, n := range list {
			r.names[i] = n
		}
	} else if err := d.Names.Decode(&r.names); err != nil {
		return invalid("data.yaml: expected names to be a list, or a map from class ids to names")
	}
	if n, ok := r.names[0]; ok && !r.Mapped && n != unused(0) && !mask.Background(exchange.Color{Choice: exchange.Choice{Name: n}}) {
		r.shift = 1
	}
	for id, n := range r.names {
		if !utf8.ValidString(n) || id < 0 || id > exchange.MaxClassID {
			return invalid("data.yaml: names has a class id or name that cannot be used")
		}
		if !r.Mapped {
			if err := r.Classes.Set(id, n); err != nil {
				return exchange.Where(err, "data.yaml")
			}
		}
	}
	return nil
}

// walk takes the label files as they are.
func (r *reader) walk() error {
	return fs.WalkDir(r.files, "labels", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return invalid("expected label files below labels: %s", err)
		}
		if d.IsDir() || path.Ext(name) != ".txt" {
			return nil
		}
		if !utf8.ValidString(name) {
			return invalid("%q is not a name in UTF-8", name)
		}
		stem := exchange.Stem(strings.TrimPrefix(name, "labels/"))
		for _, ext := range []string{".jpg", ".jpeg", ".png", ".gif", ".JPG", ".JPEG", ".PNG"} {
			size, err := r.size(stem + ext)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return invalid("images/%s%s: %s", stem, ext, err)
			}
			return r.picture(source{File: stem + ext, Width: size.Width, Height: size.Height})
		}
		return invalid("%s: its picture's size is not known: expected the picture images/%s.jpg (or .png, .gif), or a file sources.jsonl", name, stem)
	})
}

func (r *reader) size(name string) (image.Config, error) {
	f, err := r.files.Open("images/" + name)
	if err != nil {
		return image.Config{}, err
	}
	defer f.Close()
	decode := jpeg.DecodeConfig
	switch strings.ToLower(path.Ext(name)) {
	case ".png":
		decode = png.DecodeConfig
	case ".gif":
		decode = gif.DecodeConfig
	}
	return decode(io.LimitReader(f, maxFile))
}

// picture reads the labels of one picture.
func (r *reader) picture(src source) error {
	name := "labels/" + exchange.Stem(src.File) + ".txt"
	size, err := exchange.NewSize(float64(src.Width), float64(src.Height))
	if err != nil {
		return exchange.Where(err, "%s", src.File)
	}
	size.Depth = max(0, min(src.Depth, 64))
	ref, err := r.Names.Ref(src.File, src.Ref)
	if err != nil {
		return err
	}
	r.count++
	rec := &exchange.Record{Line: r.count, Ref: ref, Kind: r.Kind, Size: size,
		Meta: exchange.Meta{Job: src.Job, Human: src.Human, Created: src.Created, Adjustment: src.Adjustment, Workers: max(0, src.Workers)}}
	p := painting{rec: rec, colors: map[int]exchange.Color{}, confidences: src.Confidences}
	if r.Kind == exchange.Mask {
		if p.mask, err = mask.New(size.Width, size.Height); err != nil {
			return exchange.Where(err, "%s", src.File)
		}
	}
	f, err := r.files.Open(name)
	if err != nil {
		return invalid("the labels of %s: %s", src.File, err)
	}
	defer f.Close()
	s := bufio.NewScanner(io.LimitReader(f, maxFile))
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		where := fmt.Sprintf("%s line %d", name, n)
		fields := strings.Fields(s.Text())
		if len(fields) == 0 {
			continue
		}
		if err := r.line(&p, fields, where); err != nil {
			return exchange.Where(err, "%s", where)
		}
	}
	if s.Err() != nil {
		return invalid("%s: %s", name, s.Err())
	}
	if r.Kind == exchange.Mask {
		if err := r.Masks.Put(rec, src.File, p.mask, mask.WithBackground(p.colors)); err != nil {
			return err
		}
	}
	return r.yield(rec)
}

// painting is the picture that is read.
type painting struct {
	rec         *exchange.Record
	mask        *mask.Mask
	colors      map[int]exchange.Color
	confidences []*float64
	line        int
}

func (r *reader) line(p *painting, fields []string, where string) error {
	c, err := r.choice(p, fields[0])
	if err != nil {
		return err
	}
	v := make([]float64, len(fields)-1)
	for i, f := range fields[1:] {
		// Trainers take up to 0.01 beyond the picture for an error of rounding.
		if v[i], err = strconv.ParseFloat(f, 64); err != nil || !(v[i] >= -0.01 && v[i] <= 1.01) {
			return invalid("%q is not a part of the picture's side: expected a number from 0 to 1", f)
		}
	}
	width, height := float64(p.rec.Size.Width), float64(p.rec.Size.Height)
	if len(v) == 5 { // a prediction with its confidence
		if c.Confidence = exchange.Sure(v[4]); v[4] < 0 || v[4] > 1 {
			return invalid("the confidence %g is not from 0 to 1", v[4])
		}
		v = v[:4]
	}
	switch {
	case len(v) == 4 && r.Kind == exchange.Boxes:
		b := exchange.Box{Choice: c, Left: (v[0] - v[2]/2) * width, Top: (v[1] - v[3]/2) * height, Width: v[2] * width, Height: v[3] * height}
		return r.box(p, b, where)
	case len(v) < 6 || len(v)%2 != 0:
		return invalid("it has %d numbers after the class: expected 4 of a box, or the corners of an outline in pairs", len(v))
	}
	ring := make([]mask.Point, len(v)/2)
	for i := range ring {
		ring[i] = mask.Point{X: v[2*i] * width, Y: v[2*i+1] * height}
	}
	if r.Kind == exchange.Boxes {
		r.Notes.Add(where, "not in the result: outlines, of which their boxes are taken (--as segmentation imports them)")
		return r.box(p, around(c, ring), where)
	}
	if c.ID += r.shift; c.ID < 1 || c.ID > 255 {
		return invalid("the class id %d has no place in an indexed PNG: expected 1 to 255", c.ID)
	}
	if r.shift != 0 {
		r.Notes.Add(where, "counted from 1: indexes of classes in PNGs, since 0 is where no class is")
	}
	p.colors[c.ID] = exchange.Color{Choice: c, Hex: mask.Palette(c.ID)}
	return p.mask.PaintPolygon(ring, uint8(c.ID))
}

func (r *reader) choice(p *painting, field string) (exchange.Choice, error) {
	id, err := strconv.Atoi(field)
	name, ok := r.names[id]
	if err != nil || !ok {
		return exchange.Choice{}, invalid("the class %s is not in data.yaml's names", strconv.Quote(field[:min(len(field), 40)]))
	}
	c := exchange.Choice{ID: id, Name: name}
	if p.line < len(p.confidences) {
		if v := p.confidences[p.line]; v != nil {
			if !(*v >= 0 && *v <= 1) {
				return c, invalid("the confidence %g is not from 0 to 1", *v)
			}
			c.Confidence = exchange.Sure(*v)
		}
	}
	p.line++
	if r.Mapped {
		c.ID, err = r.Classes.ID(name)
	}
	return c, err
}

func (r *reader) box(p *painting, b exchange.Box, where string) error {
	if b.Width < 0 || b.Height < 0 {
		return invalid("its width or height is below 0")
	}
	if b, ok := exchange.Fit(b, p.rec.Size, where, r.Notes); ok {
		p.rec.Boxes = append(p.rec.Boxes, b)
	}
	if len(p.rec.Boxes) > exchange.MaxObjects {
		return invalid("it has more than %d boxes", exchange.MaxObjects)
	}
	return nil
}

func around(c exchange.Choice, ring []mask.Point) exchange.Box {
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range ring {
		left, right = min(left, p.X), max(right, p.X)
		top, bottom = min(top, p.Y), max(bottom, p.Y)
	}
	return exchange.Box{Choice: c, Left: left, Top: top, Width: right - left, Height: bottom - top}
}

func invalid(format string, args ...any) error {
	return fault.Newf("yolo", fault.Invalid, format, args...)
}
