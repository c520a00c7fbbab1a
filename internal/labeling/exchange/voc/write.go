// Package voc writes and reads folders as the PASCAL Visual Object Classes
// challenge had them: an XML file for each picture below Annotations/ and, for
// segmentations, an indexed PNG below SegmentationClass/.
//
// Corners of a box are pixels, counted from 1 and both inside of the box, as
// the challenge's development kit defines them: a box of the first pixel alone
// is 1, 1, 1, 1. Tools that count from 0, and take the second corner for the
// first pixel outside, are served by Base 0.
//
// Objects have names but no class ids: labels.txt has the names in the order of
// their ids. What VOC has no element for stands in <attributes>, which its
// readers pass over.
package voc

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/mask"
)

// maxClasses is the longest list of classes that is written.
const maxClasses = 10_000

// Options of a Writer.
type Options struct {
	Names   exchange.Names
	Classes *exchange.Classes
	Masks   mask.Open
	Base    int // 1, or 0 for corners from 0, the second outside
	Notes   *exchange.Notes
}

type document struct {
	XMLName    xml.Name    `xml:"annotation"`
	Folder     string      `xml:"folder"`
	Filename   string      `xml:"filename"`
	Path       string      `xml:"path,omitempty"`
	Database   string      `xml:"source>database"`
	Width      float64     `xml:"size>width"`
	Height     float64     `xml:"size>height"`
	Depth      float64     `xml:"size>depth"`
	Segmented  int         `xml:"segmented"`
	Attributes []attribute `xml:"attributes>attribute,omitempty"`
	Objects    []object    `xml:"object"`
}

type attribute struct {
	Name  string `xml:"name"`
	Value string `xml:"value"`
}

type object struct {
	Name       string      `xml:"name"`
	Pose       string      `xml:"pose"`
	Truncated  string      `xml:"truncated"`
	Difficult  string      `xml:"difficult"`
	XMin       string      `xml:"bndbox>xmin"`
	YMin       string      `xml:"bndbox>ymin"`
	XMax       string      `xml:"bndbox>xmax"`
	YMax       string      `xml:"bndbox>ymax"`
	Attributes []attribute `xml:"attributes>attribute,omitempty"`
}

// Writer writes a folder.
type Writer struct {
	Options
	files  exchange.Files
	all    io.WriteCloser // ImageSets/Main/all.txt
	broken bool
}

// NewWriter writes into an empty folder.
func NewWriter(files exchange.Files, o Options) (*Writer, error) {
	all, err := files.Create("ImageSets/Main/all.txt")
	if err != nil {
		return nil, err
	}
	return &Writer{Options: o, files: files, all: all}, nil
}

// Add implements exchange.Writer.
func (w *Writer) Add(r *exchange.Record) (err error) {
	defer func() { w.broken = w.broken || err != nil }()
	if err := exchange.Need("Pascal VOC", r, exchange.Boxes, exchange.Mask); err != nil {
		return err
	}
	name, err := w.Names.File(r.Ref)
	if err != nil {
		return exchange.Where(err, "line %d", r.Line)
	}
	f, name, err := exchange.CreateFor(w.files, "Annotations", ".xml", name, r, w.Notes)
	if err != nil {
		return err
	}
	d := document{Folder: "JPEGImages", Filename: name, Path: r.Ref, Database: r.Meta.Job, Attributes: attributes(r)}
	if r.Kind == exchange.Mask {
		err = w.segmented(r, name)
		d.Segmented = 1
	} else {
		d.Objects, err = w.objects(r)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if r.Size.Depth == 0 {
		r.Size.Depth = 3
	}
	d.Width, d.Height, d.Depth = float64(r.Size.Width), float64(r.Size.Height), float64(r.Size.Depth)
	b, err := xml.MarshalIndent(d, "", "  ")
	if err == nil {
		_, err = f.Write(append(b, '\n'))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = io.WriteString(w.all, exchange.Stem(name)+"\n")
	return err
}

func attributes(r *exchange.Record) []attribute {
	var a []attribute
	for _, m := range []attribute{{"human-annotated", r.Meta.Human}, {"creation-date", r.Meta.Created}, {"adjustment-status", r.Meta.Adjustment}} {
		if m.Value != "" {
			a = append(a, m)
		}
	}
	if r.Meta.Workers > 0 {
		a = append(a, attribute{"worker-count", strconv.Itoa(r.Meta.Workers)})
	}
	return a
}

func (w *Writer) objects(r *exchange.Record) ([]object, error) {
	boxes, err := exchange.Inside(r, w.Notes)
	if err != nil {
		return nil, err
	}
	out := make([]object, len(boxes))
	for i, b := range boxes {
		if err := w.learn(r, b.ID, b.Name); err != nil {
			return nil, err
		}
		shift := float64(w.Base)
		o := object{Name: b.Name, Pose: "Unspecified", Truncated: "0", Difficult: "0",
			XMin: number(b.Left + shift), YMin: number(b.Top + shift), XMax: number(b.Left + b.Width), YMax: number(b.Top + b.Height)}
		if b.Confidence.Known {
			o.Attributes = []attribute{{"confidence", number(b.Confidence.Value)}}
		}
		out[i] = o
	}
	return out, nil
}

// learn refuses names that XML and labels.txt cannot hold.
func (w *Writer) learn(r *exchange.Record, id int, name string) error {
	if strings.ContainsFunc(name, func(c rune) bool { return c < 0x20 || c == 0xfffe || c == 0xffff }) || strings.TrimSpace(name) != name || name == "" {
		return fault.Newf("voc", fault.Invalid, "line %d: the class name %q has control characters or white space around it, which Pascal VOC cannot hold", r.Line, name)
	}
	return w.Classes.Learn(r, id, name)
}

func (w *Writer) segmented(r *exchange.Record, name string) error {
	m, err := w.Masks.Of(r)
	if err != nil {
		return err
	}
	for _, c := range r.Mask.Colors {
		if c.Confidence.Known {
			w.Notes.Line(r, "not in the result: confidences of segmentations")
		}
		if err := w.learn(r, c.ID, c.Name); err != nil {
			return err
		}
	}
	f, err := w.files.Create("SegmentationClass/" + exchange.Stem(name) + ".png")
	if err != nil {
		return err
	}
	return errors.Join(m.Write(f, r.Mask), f.Close())
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// Close implements exchange.Writer.
func (w *Writer) Close() error {
	err := w.all.Close()
	if err != nil || w.broken {
		return err
	}
	names, err := w.Classes.List(maxClasses, func(id int) string { return fmt.Sprintf("unused-%d", id) })
	if err != nil {
		return err
	}
	f, err := w.files.Create("labels.txt")
	if err != nil {
		return err
	}
	for _, n := range names {
		if err == nil {
			_, err = io.WriteString(f, n+"\n")
		}
	}
	return errors.Join(err, f.Close())
}

// pngName is where the segmentation of an annotation is.
func pngName(annotation string) string {
	name := strings.TrimPrefix(exchange.Stem(annotation), "Annotations/")
	return path.Join("SegmentationClass", name) + ".png"
}

func parse(s string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
