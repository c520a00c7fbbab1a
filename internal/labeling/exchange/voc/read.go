package voc

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/mask"
)

// maxFile is the largest XML file or list of names, in bytes.
const maxFile = 16 << 20

// ReadOptions of Read.
type ReadOptions struct {
	Names   exchange.Names
	Classes *exchange.Classes
	Mapped  bool          // Classes is a label category file's, not to be learned
	Base    int           // 1 or 0, as in Options
	Kind    exchange.Kind // Boxes or Mask
	Masks   mask.Sink
	Notes   *exchange.Notes
}

type reader struct {
	ReadOptions
	files  fs.FS
	labels []string // labels.txt
	count  int64
	yield  func(*exchange.Record) error
}

// Read reads a folder and calls yield for each XML file, by name.
func Read(files fs.FS, o ReadOptions, yield func(*exchange.Record) error) error {
	r := &reader{ReadOptions: o, files: files, yield: yield}
	if err := r.readLabels(); err != nil {
		return err
	}
	top := "Annotations"
	if _, err := fs.Stat(files, top); errors.Is(err, fs.ErrNotExist) {
		top = "."
	}
	err := fs.WalkDir(files, top, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".xml" {
			return err
		}
		if err := r.read(name); err != nil {
			return exchange.Where(err, "%s", name)
		}
		return nil
	})
	if err == nil && r.count == 0 {
		return invalid("expected XML files below Annotations")
	}
	return err
}

func (r *reader) readLabels() error {
	f, err := r.files.Open("labels.txt")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil || !utf8.Valid(b) {
		return errors.Join(err, invalid("labels.txt is not UTF-8"))
	}
	r.labels = strings.Split(strings.TrimRight(strings.ReplaceAll(string(b), "\r", ""), "\n"), "\n")
	for id, n := range r.labels {
		if !r.Mapped {
			if err := r.Classes.Set(id, n); err != nil {
				return exchange.Where(err, "labels.txt")
			}
		}
	}
	return nil
}

func (r *reader) read(name string) error {
	f, err := r.files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	d, err := parseDocument(f)
	if err != nil {
		return err
	}
	size, err := exchange.NewSize(d.Width, d.Height)
	if err != nil {
		return err
	}
	if d.Depth >= 1 && d.Depth <= 64 {
		size.Depth = int(d.Depth)
	}
	if d.Filename == "" {
		return invalid("it has no filename")
	}
	ref, err := r.Names.Ref(d.Filename, d.Path)
	if err != nil {
		return err
	}
	r.count++
	rec := &exchange.Record{Line: r.count, Ref: ref, Kind: r.Kind, Size: size}
	meta(rec, d)
	if r.Kind == exchange.Mask {
		if err := r.segmentation(rec, name); err != nil {
			return err
		}
		return r.yield(rec)
	}
	if d.Segmented != 0 {
		r.Notes.Add(name, "not in the result: segmentations (--as segmentation imports them)")
	}
	if len(d.Objects) > exchange.MaxObjects {
		return invalid("it has more than %d objects", exchange.MaxObjects)
	}
	for i, o := range d.Objects {
		b, err := r.box(&o, name)
		if err != nil {
			return exchange.Where(err, "object %d", i+1)
		}
		if b, ok := exchange.Fit(b, size, name, r.Notes); ok {
			rec.Boxes = append(rec.Boxes, b)
		}
	}
	return r.yield(rec)
}

// parseDocument reads one annotation and refuses what does not belong to it.
func parseDocument(in io.Reader) (*document, error) {
	x := exchange.NewXML(in)
	var d *document
	for {
		t, err := x.Next()
		if err == io.EOF && d != nil {
			return d, nil
		}
		if err == io.EOF {
			return nil, invalid("expected the element annotation")
		}
		if err != nil {
			return nil, err
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != "annotation" || d != nil {
			return nil, invalid("expected one element annotation")
		}
		d = &document{}
		if err := x.Element(start, d); err != nil {
			return nil, err
		}
	}
}

func meta(r *exchange.Record, d *document) {
	if strings.HasPrefix(d.Database, "labeling-job/") {
		r.Meta.Job = d.Database
	}
	for _, a := range d.Attributes {
		switch a.Name {
		case "human-annotated":
			r.Meta.Human = a.Value
		case "creation-date":
			r.Meta.Created = a.Value
		case "adjustment-status":
			r.Meta.Adjustment = a.Value
		case "worker-count":
			n, _ := strconv.Atoi(a.Value)
			r.Meta.Workers = max(0, n)
		}
	}
}

func (r *reader) box(o *object, name string) (exchange.Box, error) {
	class := strings.TrimSpace(o.Name)
	if class == "" {
		return exchange.Box{}, invalid("it has no name")
	}
	id, err := r.Classes.ID(class)
	if err != nil {
		return exchange.Box{}, err
	}
	b := exchange.Box{Choice: exchange.Choice{ID: id, Name: class}}
	b.Left, b.Top = parse(o.XMin)-float64(r.Base), parse(o.YMin)-float64(r.Base)
	b.Width, b.Height = parse(o.XMax)-b.Left, parse(o.YMax)-b.Top
	for _, a := range o.Attributes {
		if v := parse(a.Value); a.Name == "confidence" && v >= 0 && v <= 1 {
			b.Confidence = exchange.Sure(v)
		} else {
			r.Notes.Add(name, "not in the result: the attribute %q of objects", a.Name)
		}
	}
	for what, v := range map[string]string{"difficult": o.Difficult, "truncated": o.Truncated} {
		if v = strings.TrimSpace(v); v != "" && v != "0" {
			r.Notes.Add(name, "not in the result: that an object is %s", what)
		}
	}
	return b, b.Check()
}

// segmentation reads the PNG that goes with an annotation. VOC has 255 where
// nobody says what is there.
func (r *reader) segmentation(rec *exchange.Record, name string) error {
	if r.labels == nil {
		return invalid("segmentations need the names of their indexes: expected labels.txt with a name for each, from index 0")
	}
	f, err := r.files.Open(pngName(name))
	if err != nil {
		return invalid("its segmentation: %s", err)
	}
	defer f.Close()
	all := make([]exchange.Color, 0, 256)
	for i := range 256 {
		all = append(all, exchange.Color{Choice: exchange.Choice{ID: i}})
	}
	var kept config
	m, err := mask.Read(io.TeeReader(io.LimitReader(f, 256<<20), &kept), exchange.Segmentation{Colors: all})
	if err != nil {
		return exchange.Where(err, "its segmentation")
	}
	if m.Width != rec.Size.Width || m.Height != rec.Size.Height {
		return invalid("its segmentation has %d x %d pixels, the picture %d x %d", m.Width, m.Height, rec.Size.Width, rec.Size.Height)
	}
	for i, v := range m.Pix {
		if v == 255 && len(r.labels) < 256 {
			m.Pix[i] = 0
			r.Notes.Add(fmt.Sprintf("%s, pixel %d", name, i), "taken for index 0: pixels of index 255, which VOC has where nothing is said")
		}
	}
	colors := map[int]exchange.Color{}
	palette := kept.palette()
	for v := range m.Present() {
		if int(v) >= len(r.labels) {
			return invalid("its segmentation has the index %d, and labels.txt %d names", v, len(r.labels))
		}
		colors[int(v)] = r.color(int(v), palette)
	}
	for id := range r.labels {
		if _, ok := colors[id]; !ok && id < len(palette) {
			colors[id] = r.color(id, palette)
		}
	}
	list := make([]exchange.Color, 0, len(colors))
	for id := range 256 {
		if c, ok := colors[id]; ok {
			list = append(list, c)
		}
	}
	file := strings.TrimPrefix(exchange.Stem(name), "Annotations/") + ".png"
	return r.Masks.Put(rec, file, m, list)
}

func (r *reader) color(id int, palette color.Palette) exchange.Color {
	hex := mask.Palette(id)
	if id < len(palette) {
		red, green, blue, _ := palette[id].RGBA()
		hex = fmt.Sprintf("#%02x%02x%02x", red>>8, green>>8, blue>>8)
	}
	return exchange.Color{Choice: exchange.Choice{ID: id, Name: r.labels[id]}, Hex: hex}
}

// config keeps the beginning of a PNG, where its palette is.
type config struct{ b []byte }

func (c *config) Write(p []byte) (int, error) {
	if n := 1<<16 - len(c.b); n > 0 {
		c.b = append(c.b, p[:min(n, len(p))]...)
	}
	return len(p), nil
}

func (c *config) palette() color.Palette {
	cfg, err := png.DecodeConfig(strings.NewReader(string(c.b)))
	if err != nil {
		return nil
	}
	p, _ := cfg.ColorModel.(color.Palette)
	return p
}

func invalid(format string, args ...any) error {
	return fault.Newf("voc", fault.Invalid, format, args...)
}
