package hf

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/exchange"
)

// Row has the columns of every kind, for reading.
type Row struct {
	Object
	Label       *int64     `json:"label"`
	LabelName   *string    `json:"label_name"`
	Confidence  *float64   `json:"confidence"`
	Labels      []int64    `json:"labels"`
	LabelNames  []string   `json:"label_names"`
	Confidences []*float64 `json:"confidences"`
	Width       int64      `json:"width"`
	Height      int64      `json:"height"`
	Depth       int64      `json:"depth"`
	Objects     *Objects   `json:"objects"`
	MaskRef     string     `json:"mask_ref"`
	ColorMap    string     `json:"internal_color_map"`
	Entities    []Entity   `json:"entities"`
	SpanLabels  string     `json:"span_labels"`
	Value       *string    `json:"value"`
	Info        Info       `json:"info"`
}

// Read reads JSON Lines as Writer writes them. Parquet is written only: its
// readers take a file's word for how much memory its pages need.
func Read(in io.Reader, names exchange.Names, yield func(*exchange.Record) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, exchange.MaxLine)
	n := int64(0)
	for s.Scan() {
		n++
		line := s.Bytes()
		if len(line) == 0 {
			continue
		}
		r, err := parse(line, names)
		if err != nil {
			return exchange.Where(err, "line %d", n)
		}
		r.Line = n
		if err := yield(r); err != nil {
			return err
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return invalid("line %d: it is longer than %d bytes", n+1, exchange.MaxLine)
	}
	return s.Err()
}

func parse(line []byte, names exchange.Names) (*exchange.Record, error) {
	if !utf8.Valid(line) {
		return nil, invalid("it is not UTF-8")
	}
	if err := exchange.Shallow(line, exchange.MaxDepth); err != nil {
		return nil, err
	}
	var row Row
	if err := json.Unmarshal(line, &row); err != nil {
		return nil, invalid("expected a JSON object with the columns of an export: %s", err)
	}
	return row.Record(names)
}

// Record is the record that a row was made of.
func (row *Row) Record(names exchange.Names) (*exchange.Record, error) {
	r := &exchange.Record{Kind: exchange.KindOf(row.Info.Type)}
	if row.Info.Type == "" {
		return nil, invalid("info.type: expected the type of the label, such as groundtruth/object-detection")
	}
	if err := row.source(r, names); err != nil {
		return nil, err
	}
	i := row.Info
	r.Meta = exchange.Meta{Type: i.Type, Job: i.Job, Human: i.Human, Created: i.Created, Feedback: i.Feedback}
	if len(r.Meta.Feedback) == 0 {
		r.Meta.Feedback = nil
	}
	if i.Adjustment != nil {
		r.Meta.Adjustment = *i.Adjustment
	}
	if i.Workers != nil {
		if *i.Workers < 0 || *i.Workers > math.MaxInt32 {
			return nil, invalid("info.worker_count: %d is not a number of workers", *i.Workers)
		}
		r.Meta.Workers = int(*i.Workers)
	}
	var err error
	if r.Meta.Others, err = parseMembers("info.metadata", i.Metadata); err != nil {
		return nil, err
	}
	if r.Members, err = parseMembers("info.members", i.Members); err != nil {
		return nil, err
	}
	return r, row.label(r)
}

func (row *Row) source(r *exchange.Record, names exchange.Names) (err error) {
	switch {
	case row.Text != nil && *row.Text != "" && row.SourceRef == nil && row.FileName == nil:
		r.Text = *row.Text
	case row.Text != nil:
		return invalid("expected text, or source_ref and file_name")
	case row.FileName != nil:
		hint := ""
		if row.SourceRef != nil {
			hint = *row.SourceRef
		}
		r.Ref, err = names.Ref(*row.FileName, hint)
	case row.SourceRef != nil:
		r.Ref = *row.SourceRef
		_, err = labeling.ParseS3Object(r.Ref)
	default:
		return invalid("expected text, source_ref or file_name")
	}
	return err
}

func parseMembers(name string, s *string) ([]exchange.Member, error) {
	if s == nil {
		return nil, nil
	}
	m, err := exchange.Members([]byte(*s))
	if err == nil {
		err = exchange.Shallow([]byte(*s), exchange.MaxDepth)
	}
	if err != nil {
		return nil, exchange.Where(err, "%s", name)
	}
	return m, nil
}

func (row *Row) label(r *exchange.Record) (err error) {
	switch r.Kind {
	case exchange.Class, exchange.Verification:
		if row.Label == nil || row.LabelName == nil {
			return invalid("expected label and label_name")
		}
		c, err := choice(*row.Label, *row.LabelName, row.Confidence)
		r.Choices = []exchange.Choice{c}
		return err
	case exchange.MultiLabel:
		if len(row.LabelNames) != len(row.Labels) || len(row.Confidences) != len(row.Labels) || len(row.Labels) > exchange.MaxObjects {
			return invalid("expected labels, label_names and confidences of the same length, at most %d", exchange.MaxObjects)
		}
		for i, id := range row.Labels {
			c, err := choice(id, row.LabelNames[i], row.Confidences[i])
			if err != nil {
				return err
			}
			r.Choices = append(r.Choices, c)
		}
		return nil
	case exchange.Boxes:
		return row.boxes(r)
	case exchange.Mask:
		r.Mask.Ref = row.MaskRef
		if _, err := labeling.ParseS3Object(r.Mask.Ref); err != nil {
			return err
		}
		r.Mask.Colors, err = exchange.ParseColorMap([]byte(row.ColorMap))
		return err
	case exchange.Spans:
		return row.spans(r)
	}
	if row.Value == nil || !json.Valid([]byte(*row.Value)) {
		return invalid("value: expected JSON in a text")
	}
	r.Value = json.RawMessage(*row.Value)
	return exchange.Shallow(r.Value, exchange.MaxDepth)
}

func (row *Row) boxes(r *exchange.Record) (err error) {
	o := row.Objects
	if o == nil || len(o.Category) != len(o.Box) || len(o.CategoryName) != len(o.Box) || len(o.Score) != len(o.Box) || len(o.Box) > exchange.MaxObjects {
		return invalid("expected objects with bbox, category, category_name and score of the same length, at most %d", exchange.MaxObjects)
	}
	if r.Size, err = exchange.NewSize(float64(row.Width), float64(row.Height)); err != nil {
		return err
	}
	if row.Depth >= 0 && row.Depth <= 64 {
		r.Size.Depth = int(row.Depth)
	}
	for i, v := range o.Box {
		if len(v) != 4 {
			return invalid("objects.bbox[%d]: expected x, y, width, height", i)
		}
		b := exchange.Box{Left: v[0], Top: v[1], Width: v[2], Height: v[3]}
		if b.Choice, err = choice(o.Category[i], o.CategoryName[i], o.Score[i]); err != nil {
			return err
		}
		if err := b.Check(); err != nil {
			return exchange.Where(err, "objects.bbox[%d]", i)
		}
		r.Boxes = append(r.Boxes, b)
	}
	return nil
}

func (row *Row) spans(r *exchange.Record) error {
	if len(row.Entities) > exchange.MaxObjects {
		return invalid("it has more than %d entities", exchange.MaxObjects)
	}
	if row.SpanLabels != "" {
		if err := json.Unmarshal([]byte(row.SpanLabels), &r.SpanLabels); err != nil {
			return invalid("span_labels: expected a JSON list of labels")
		}
	}
	length := int64(math.MaxInt32)
	if r.Ref == "" {
		length = int64(utf8.RuneCountInString(r.Text))
	}
	for i, e := range row.Entities {
		if e.Label == "" || e.Start < 0 || e.End <= e.Start || e.End > length {
			return invalid("entities[%d]: expected a label, and a stretch of the text from start to before end", i)
		}
		c, err := confidence(e.Score)
		if err != nil {
			return err
		}
		r.Spans = append(r.Spans, exchange.Span{Label: e.Label, Start: int(e.Start), End: int(e.End), Confidence: c})
	}
	return nil
}

func choice(id int64, name string, score *float64) (exchange.Choice, error) {
	if id < 0 || id > exchange.MaxClassID || name == "" {
		return exchange.Choice{}, invalid("%d is not a class id, or its class has no name", id)
	}
	c, err := confidence(score)
	return exchange.Choice{ID: int(id), Name: name, Confidence: c}, err
}

func confidence(v *float64) (exchange.Confidence, error) {
	if v == nil {
		return exchange.Confidence{}, nil
	}
	if !(*v >= 0 && *v <= 1) {
		return exchange.Confidence{}, invalid("the confidence %g is not from 0 to 1", *v)
	}
	return exchange.Sure(*v), nil
}

func invalid(format string, args ...any) error {
	return fault.Newf("hf", fault.Invalid, format, args...)
}
