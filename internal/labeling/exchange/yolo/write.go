// Package yolo writes and reads the folders that YOLO trainers read: a text
// file for each picture below labels/, and data.yaml with the names of classes.
//
// A line is "class x y width height": the middle of the box and its size as
// parts of the picture's width and height, from 0 to 1. In segmentations it is
// "class x1 y1 x2 y2 …", an outline. Classes are positions in a list, so class
// ids that do not occur get a placeholder name.
//
// A line has no room for more, and a file none for the picture's size. Both are
// beside the labels, in sources.jsonl: a JSON object for each picture. Pictures
// themselves belong below images/ under the name that sources.jsonl has.
package yolo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

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
	Notes   *exchange.Notes
}

// source is a line of sources.jsonl.
type source struct {
	File        string     `json:"file"` // below images/
	Ref         string     `json:"source-ref"`
	Width       int        `json:"width"`
	Height      int        `json:"height"`
	Depth       int        `json:"depth,omitempty"`
	Confidences []*float64 `json:"confidences,omitempty"` // of the file's lines
	Job         string     `json:"job-name,omitempty"`
	Human       string     `json:"human-annotated,omitempty"`
	Created     string     `json:"creation-date,omitempty"`
	Adjustment  string     `json:"adjustment-status,omitempty"`
	Workers     int        `json:"worker-count,omitempty"`
}

// Writer writes a folder.
type Writer struct {
	Options
	files   exchange.Files
	sources io.WriteCloser
	broken  bool
}

// NewWriter writes into an empty folder.
func NewWriter(files exchange.Files, o Options) (*Writer, error) {
	s, err := files.Create("sources.jsonl")
	if err != nil {
		return nil, err
	}
	return &Writer{Options: o, files: files, sources: s}, nil
}

// Add implements exchange.Writer.
func (w *Writer) Add(r *exchange.Record) (err error) {
	defer func() { w.broken = w.broken || err != nil }()
	if err := exchange.Need("YOLO", r, exchange.Boxes, exchange.Mask); err != nil {
		return err
	}
	var lines []string
	var confidences []*float64
	if r.Kind == exchange.Mask {
		lines, confidences, err = w.outlines(r)
	} else {
		lines, confidences, err = w.boxes(r)
	}
	if err != nil {
		return err
	}
	name, err := w.Names.File(r.Ref)
	if err != nil {
		return exchange.Where(err, "line %d", r.Line)
	}
	f, name, err := exchange.CreateFor(w.files, "labels", ".txt", name, r, w.Notes)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	for _, l := range lines {
		_, _ = out.WriteString(l) // Flush tells
		_ = out.WriteByte('\n')
	}
	if err := errors.Join(out.Flush(), f.Close()); err != nil {
		return err
	}
	line, err := json.Marshal(source{name, r.Ref, r.Size.Width, r.Size.Height, r.Size.Depth, confidences, r.Meta.Job, r.Meta.Human, r.Meta.Created, r.Meta.Adjustment, r.Meta.Workers})
	if err != nil {
		return err
	}
	_, err = w.sources.Write(append(line, '\n'))
	return err
}

func (w *Writer) boxes(r *exchange.Record) (lines []string, confidences []*float64, err error) {
	boxes, err := exchange.Inside(r, w.Notes)
	if err != nil {
		return nil, nil, err
	}
	width, height := float64(r.Size.Width), float64(r.Size.Height)
	for _, b := range boxes {
		if err := w.Classes.Learn(r, b.ID, b.Name); err != nil {
			return nil, nil, err
		}
		lines = append(lines, strings.Join([]string{strconv.Itoa(b.ID), part((b.Left + b.Width/2) / width), part((b.Top + b.Height/2) / height), part(b.Width / width), part(b.Height / height)}, " "))
		confidences = append(confidences, pointer(b.Confidence))
	}
	return lines, confidences, nil
}

func (w *Writer) outlines(r *exchange.Record) (lines []string, confidences []*float64, err error) {
	m, err := w.Masks.Of(r)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range r.Mask.Colors {
		if mask.Background(c) {
			continue
		}
		if err := w.Classes.Learn(r, c.ID, c.Name); err != nil {
			return nil, nil, err
		}
		w.Notes.Line(r, "not in the result: the colours of internal-color-map")
		outlines, holes, err := m.Polygons(uint8(c.ID))
		if err != nil {
			return nil, nil, exchange.Where(err, "line %d", r.Line)
		}
		for range holes {
			w.Notes.Line(r, "filled in: holes of segmentations, which polygons cannot hold")
		}
		for _, ring := range outlines {
			var b strings.Builder
			b.WriteString(strconv.Itoa(c.ID))
			for _, p := range ring {
				b.WriteString(" " + part(p.X/float64(m.Width)) + " " + part(p.Y/float64(m.Height)))
			}
			lines = append(lines, b.String())
			confidences = append(confidences, pointer(c.Confidence))
		}
	}
	return lines, confidences, nil
}

// part writes a part of a side so that even the widest picture's pixels come
// back.
func part(x float64) string {
	s := strconv.FormatFloat(min(max(x, 0), 1), 'f', 10, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func pointer(c exchange.Confidence) *float64 {
	if !c.Known {
		return nil
	}
	return &c.Value
}

// unused is the name of a class id that does not occur.
func unused(id int) string { return fmt.Sprintf("unused-%d", id) }

// Close implements exchange.Writer.
func (w *Writer) Close() error {
	err := w.sources.Close()
	if err != nil || w.broken {
		return err
	}
	names, err := w.Classes.List(maxClasses, unused)
	if err != nil {
		return err
	}
	f, err := w.files.Create("data.yaml")
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, "# Pictures belong below images/, under the names in sources.jsonl.\ntrain: images\nval: images\nnames:\n")
	for id, name := range names {
		if err == nil {
			quoted, _ := json.Marshal(name) // a JSON string is a YAML one
			_, err = fmt.Fprintf(f, "  %d: %s\n", id, quoted)
		}
	}
	return errors.Join(err, f.Close())
}
