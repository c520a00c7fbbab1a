// Package table writes and reads CSV (RFC 4180, UTF-8, a header, LF).
//
// A row is one choice, box or span; an object without any has one row with no
// label. Rows of one object follow each other and have the same number in the
// column object. Which columns there are depends on the kind of label; readers
// go by the header. Columns whose values are lists or objects have them as JSON.
package table

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"

	"fiducial/internal/labeling/exchange"
)

// Columns of every kind: what the object is, then what its label says, then
// what its metadata says.
var (
	objectColumns = []string{"object", "source-ref", "source", "type"}
	metaColumns   = []string{"human-annotated", "job-name", "creation-date", "adjustment-status", "worker-count", "metadata", "members"}
)

func labelColumns(k exchange.Kind) []string {
	switch k {
	case exchange.Class, exchange.MultiLabel:
		return []string{"label", "class_id", "confidence"}
	case exchange.Verification:
		return []string{"label", "class_id", "confidence", "worker-feedback"}
	case exchange.Boxes:
		return []string{"label", "class_id", "confidence", "left", "top", "width", "height", "image_width", "image_height", "image_depth"}
	case exchange.Mask:
		return []string{"mask-ref", "internal-color-map"}
	case exchange.Spans:
		return []string{"label", "confidence", "start", "end", "labels"}
	}
	return []string{"value"}
}

// Writer writes one table.
type Writer struct {
	out    *csv.Writer
	kind   exchange.Kind
	object int64
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{out: csv.NewWriter(w)} }

// HoldsMembers implements exchange.Holder.
func (w *Writer) HoldsMembers() bool { return true }

// Add implements exchange.Writer.
func (w *Writer) Add(r *exchange.Record) error {
	if w.kind == "" {
		w.kind = r.Kind
		if err := w.out.Write(concat(objectColumns, labelColumns(r.Kind), metaColumns)); err != nil {
			return err
		}
	}
	w.object++
	before := []string{strconv.FormatInt(w.object, 10), r.Ref, r.Text, r.Meta.Type}
	after := []string{r.Meta.Human, r.Meta.Job, r.Meta.Created, r.Meta.Adjustment, count(r.Meta.Workers), members(r.Meta.Others), members(r.Members)}
	rows, err := labels(r)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := w.out.Write(concat(before, row, after)); err != nil {
			return err
		}
	}
	return nil
}

func labels(r *exchange.Record) ([][]string, error) {
	var rows [][]string
	switch r.Kind {
	case exchange.Class, exchange.MultiLabel:
		for _, c := range r.Choices {
			rows = append(rows, choice(c))
		}
	case exchange.Verification:
		feedback := ""
		if len(r.Meta.Feedback) > 0 {
			feedback = text(r.Meta.Feedback)
		}
		rows = append(rows, append(choice(r.Choices[0]), feedback))
	case exchange.Boxes:
		size := []string{count(r.Size.Width), count(r.Size.Height), count(r.Size.Depth)}
		for _, b := range r.Boxes {
			rows = append(rows, concat(choice(b.Choice), []string{number(b.Left), number(b.Top), number(b.Width), number(b.Height)}, size))
		}
		if rows == nil {
			rows = append(rows, concat(make([]string, 7), size))
		}
	case exchange.Mask:
		colors, err := exchange.ColorMap(r.Mask)
		return [][]string{{r.Mask.Ref, string(colors)}}, err
	case exchange.Spans:
		all := ""
		if len(r.SpanLabels) > 0 {
			all = text(r.SpanLabels)
		}
		for _, s := range r.Spans {
			rows = append(rows, []string{s.Label, confidence(s.Confidence), strconv.Itoa(s.Start), strconv.Itoa(s.End), all})
		}
		if rows == nil {
			rows = append(rows, []string{"", "", "", "", all})
		}
	default:
		rows = append(rows, []string{string(r.Value)})
	}
	if rows == nil {
		rows = append(rows, make([]string, len(labelColumns(r.Kind))))
	}
	return rows, nil
}

// Close implements exchange.Writer.
func (w *Writer) Close() error {
	w.out.Flush()
	return w.out.Error()
}

func choice(c exchange.Choice) []string {
	return []string{c.Name, strconv.Itoa(c.ID), confidence(c.Confidence)}
}

func confidence(c exchange.Confidence) string {
	if !c.Known {
		return ""
	}
	return number(c.Value)
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// count writes a number that is not known as nothing.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func members(m []exchange.Member) string {
	if len(m) == 0 {
		return ""
	}
	return string(exchange.Object(m))
}

func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // lists of texts
	return string(bytes.TrimSpace(b.Bytes()))
}

func concat(parts ...[]string) []string {
	var out []string
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
