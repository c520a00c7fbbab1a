// Package coco writes and reads COCO's object detection JSON: pictures,
// annotations and categories in three lists of one document.
//
// Category ids are the manifest's class ids, so an id means the same in both.
// Ids of pictures and annotations count from 1, in the order of the manifest
// (COCOeval takes an annotation id of 0 for no match). A box is [x, y, width,
// height] in pixels from the top left corner. A segmentation is one annotation
// for each class of a picture, its pixels as run lengths or outlines.
//
// "score" has the confidence, "coco_url" the source-ref, and "attributes" of a
// picture what the metadata says of the label's making: readers of COCO pass
// over members that they do not know.
package coco

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"

	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/mask"
	"fiducial/internal/labeling/exchange/spool"
)

// Options of a Writer.
type Options struct {
	Names    exchange.Names
	Classes  *exchange.Classes // those known beforehand
	Masks    mask.Open
	Polygons bool // outlines instead of run lengths
	Notes    *exchange.Notes
	Created  string // info.date_created
}

type picture struct {
	ID         int64             `json:"id"`
	Width      int               `json:"width"`
	Height     int               `json:"height"`
	FileName   string            `json:"file_name"`
	URL        string            `json:"coco_url,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

type annotation struct {
	ID           int64           `json:"id"`
	ImageID      int64           `json:"image_id"`
	CategoryID   int             `json:"category_id"`
	Box          []float64       `json:"bbox"`
	Area         float64         `json:"area"`
	Segmentation json.RawMessage `json:"segmentation"`
	Crowd        int             `json:"iscrowd"`
	Score        *float64        `json:"score,omitempty"`
}

type category struct {
	ID            int    `json:"id"`
	Name          string `json:"name"`
	Supercategory string `json:"supercategory"`
}

// Writer writes pictures as they come; annotations wait in a file.
type Writer struct {
	Options
	out         io.Writer
	annotations *spool.File
	pictures    int64
	count       int64
	broken      bool
}

// NewWriter writes to w.
func NewWriter(w io.Writer, o Options) (*Writer, error) {
	s, err := spool.NewFile()
	if err != nil {
		return nil, err
	}
	info := encode(map[string]string{"description": "Labels exported by Fiducial", "version": "1.0", "date_created": o.Created})
	_, err = io.WriteString(w, `{"info":`+string(info)+`,"licenses":[],"images":[`)
	return &Writer{Options: o, out: w, annotations: s, broken: err != nil}, err
}

// Add implements exchange.Writer.
func (w *Writer) Add(r *exchange.Record) (err error) {
	defer func() { w.broken = w.broken || err != nil }()
	if err := exchange.Need("COCO", r, exchange.Boxes, exchange.Mask); err != nil {
		return err
	}
	var found []annotation
	if r.Kind == exchange.Mask {
		found, err = w.regions(r)
	} else {
		found, err = w.boxes(r)
	}
	if err != nil {
		return err
	}
	name, err := w.Names.File(r.Ref)
	if err != nil {
		return exchange.Where(err, "line %d", r.Line)
	}
	w.pictures++
	p := picture{ID: w.pictures, Width: r.Size.Width, Height: r.Size.Height, FileName: name, URL: r.Ref, Attributes: attributes(r)}
	if err := element(w.out, w.pictures > 1, p); err != nil {
		return err
	}
	for _, a := range found {
		w.count++
		a.ID, a.ImageID = w.count, w.pictures
		if err := element(w.annotations, w.count > 1, a); err != nil {
			return err
		}
	}
	return nil
}

// attributes of a picture are the metadata's members.
func attributes(r *exchange.Record) map[string]string {
	a := map[string]string{}
	for name, v := range map[string]string{"type": r.Meta.Type, "job-name": r.Meta.Job, "human-annotated": r.Meta.Human, "creation-date": r.Meta.Created, "adjustment-status": r.Meta.Adjustment} {
		if v != "" {
			a[name] = v
		}
	}
	if r.Meta.Workers > 0 {
		a["worker-count"] = string(encode(r.Meta.Workers))
	}
	return a
}

func (w *Writer) boxes(r *exchange.Record) ([]annotation, error) {
	boxes, err := exchange.Inside(r, w.Notes)
	if err != nil {
		return nil, err
	}
	out := make([]annotation, len(boxes))
	for i, b := range boxes {
		if err := w.Classes.Learn(r, b.ID, b.Name); err != nil {
			return nil, err
		}
		out[i] = annotation{CategoryID: b.ID, Box: []float64{b.Left, b.Top, b.Width, b.Height}, Area: b.Width * b.Height,
			Segmentation: json.RawMessage("[]"), Score: score(b.Confidence)}
	}
	return out, nil
}

func (w *Writer) regions(r *exchange.Record) ([]annotation, error) {
	m, err := w.Masks.Of(r)
	if err != nil {
		return nil, err
	}
	present := m.Present()
	var out []annotation
	for _, c := range r.Mask.Colors {
		if mask.Background(c) {
			continue
		}
		if err := w.Classes.Learn(r, c.ID, c.Name); err != nil {
			return nil, err
		}
		w.Notes.Line(r, "not in the result: the colours of internal-color-map")
		region, ok := present[uint8(c.ID)]
		if !ok {
			continue
		}
		segmentation, err := w.segmentation(r, m, uint8(c.ID))
		if err != nil {
			return nil, exchange.Where(err, "line %d", r.Line)
		}
		b := region.Bounds
		out = append(out, annotation{CategoryID: c.ID, Box: []float64{float64(b.Min.X), float64(b.Min.Y), float64(b.Dx()), float64(b.Dy())},
			Area: float64(region.Area), Segmentation: segmentation, Score: score(c.Confidence)})
	}
	return out, nil
}

type packed struct {
	Size   [2]int `json:"size"` // height, width
	Counts string `json:"counts"`
}

func (w *Writer) segmentation(r *exchange.Record, m *mask.Mask, index uint8) (json.RawMessage, error) {
	if !w.Polygons {
		return encode(packed{[2]int{m.Height, m.Width}, mask.Pack(m.RLE(index))}), nil
	}
	outlines, holes, err := m.Polygons(index)
	if err != nil {
		return nil, err
	}
	for range holes {
		w.Notes.Line(r, "filled in: holes of segmentations, which polygons cannot hold (run lengths can)")
	}
	flat := make([][]float64, len(outlines))
	for i, ring := range outlines {
		for _, p := range ring {
			flat[i] = append(flat[i], p.X, p.Y)
		}
	}
	return encode(flat), nil
}

// Close implements exchange.Writer.
func (w *Writer) Close() error {
	if w.broken {
		return w.annotations.Close()
	}
	_, err := io.WriteString(w.out, "\n],\"annotations\":[")
	if err == nil {
		err = w.annotations.CopyTo(w.out)
	}
	if err == nil {
		_, err = io.WriteString(w.out, "\n],\"categories\":[")
	}
	for i, id := range w.Classes.IDs() {
		if err == nil {
			name, _ := w.Classes.Name(id)
			err = element(w.out, i > 0, category{ID: id, Name: name})
		}
	}
	if err == nil {
		_, err = io.WriteString(w.out, "\n]}\n")
	}
	return errors.Join(err, w.annotations.Close())
}

func element(w io.Writer, comma bool, v any) error {
	start := "\n"
	if comma {
		start = ",\n"
	}
	_, err := io.WriteString(w, start+string(encode(v)))
	return err
}

func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func score(c exchange.Confidence) *float64 {
	if !c.Known || math.IsNaN(c.Value) {
		return nil
	}
	return &c.Value
}
