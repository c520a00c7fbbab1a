package table

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/exchange"
)

// maxColumns is how many columns a table may have.
const maxColumns = 200

type reader struct {
	column  map[string]int
	classes *exchange.Classes
	mapped  bool
	yield   func(*exchange.Record) error
	count   int64
	object  string
	record  *exchange.Record
}

// Read reads a table as Writer writes it and calls yield for each object.
// Other columns are told of, and columns may be missing where a kind of label
// does not need them. A label without a class_id gets the id of its name;
// mapped takes all ids from the names that classes has.
func Read(in io.Reader, classes *exchange.Classes, mapped bool, notes *exchange.Notes, yield func(*exchange.Record) error) error {
	budget := exchange.NewBudget(in)
	c := csv.NewReader(budget)
	c.ReuseRecord = true
	r := &reader{classes: classes, mapped: mapped, yield: yield, column: map[string]int{}}
	head, err := c.Read()
	if err != nil {
		return invalid("expected a first line that names the columns: %s", message(err))
	}
	known := concat(objectColumns, metaColumns, labelColumns(exchange.Verification), labelColumns(exchange.Boxes), labelColumns(exchange.Mask), labelColumns(exchange.Spans), labelColumns(exchange.Custom))
	for i, name := range head {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if _, ok := r.column[name]; ok || len(head) > maxColumns {
			return invalid("the column %s is there twice, or there are more than %d", labeling.Quote(name), maxColumns)
		}
		if !slices.Contains(known, name) {
			notes.Add("line 1", "not in the result: the column %s", labeling.Quote(name))
		}
		r.column[strings.Clone(name)] = i
	}
	if _, ok := r.column["type"]; !ok {
		return invalid("the column type is missing: expected the type of labels, such as groundtruth/object-detection")
	}
	for {
		budget.Reset()
		row, err := c.Read()
		if err == io.EOF {
			return r.finish()
		}
		if err != nil {
			return invalid("%s", message(err))
		}
		if err := r.row(row); err != nil {
			line, _ := c.FieldPos(0)
			return exchange.Where(err, "line %d", line)
		}
	}
}

func message(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}

func (r *reader) row(row []string) error {
	for _, cell := range row {
		if !utf8.ValidString(cell) {
			return invalid("it is not UTF-8")
		}
	}
	get := func(name string) string {
		if i, ok := r.column[name]; ok {
			return strings.Clone(row[i])
		}
		return ""
	}
	object := get("object")
	if r.record == nil || object == "" || object != r.object {
		if err := r.finish(); err != nil {
			return err
		}
		if err := r.begin(get); err != nil {
			return err
		}
		r.object = object
	}
	return r.label(get)
}

func (r *reader) begin(get func(string) string) (err error) {
	r.count++
	rec := &exchange.Record{Line: r.count, Ref: get("source-ref"), Text: get("source"), Kind: exchange.KindOf(get("type"))}
	rec.Meta = exchange.Meta{Type: get("type"), Human: get("human-annotated"), Job: get("job-name"), Created: get("creation-date"), Adjustment: get("adjustment-status")}
	if (rec.Ref == "") == (rec.Text == "") {
		return invalid("expected exactly one of source-ref and source")
	}
	if rec.Ref != "" {
		if _, err := labeling.ParseS3Object(rec.Ref); err != nil {
			return err
		}
	}
	if s := get("worker-count"); s != "" {
		if rec.Meta.Workers, err = whole("worker-count", s); err != nil {
			return err
		}
	}
	if rec.Meta.Others, err = object("metadata", get("metadata")); err != nil {
		return err
	}
	if rec.Members, err = object("members", get("members")); err != nil {
		return err
	}
	r.record = rec
	return nil
}

func object(name, s string) ([]exchange.Member, error) {
	if s == "" {
		return nil, nil
	}
	if err := exchange.Shallow([]byte(s), exchange.MaxDepth); err != nil {
		return nil, exchange.Where(err, "%s", name)
	}
	m, err := exchange.Members([]byte(s))
	if err != nil {
		return nil, exchange.Where(err, "%s", name)
	}
	return m, nil
}

// label takes one row's choice, box or span.
func (r *reader) label(get func(string) string) (err error) {
	rec := r.record
	if len(rec.Choices)+len(rec.Boxes)+len(rec.Spans) > exchange.MaxObjects {
		return invalid("its object has more than %d rows", exchange.MaxObjects)
	}
	switch rec.Kind {
	case exchange.Class, exchange.Verification:
		if len(rec.Choices) > 0 {
			return invalid("its object has a label already: a %s is one row", rec.Kind)
		}
		if s := get("worker-feedback"); s != "" && json.Unmarshal([]byte(s), &rec.Meta.Feedback) != nil {
			return invalid("worker-feedback: expected a JSON list of texts")
		}
		return r.choose(rec, get)
	case exchange.MultiLabel:
		if get("label") == "" && get("class_id") == "" {
			return nil
		}
		return r.choose(rec, get)
	case exchange.Boxes:
		return r.box(rec, get)
	case exchange.Mask:
		rec.Mask.Ref = get("mask-ref")
		if _, err := labeling.ParseS3Object(rec.Mask.Ref); err != nil {
			return err
		}
		rec.Mask.Colors, err = exchange.ParseColorMap([]byte(get("internal-color-map")))
		return err
	case exchange.Spans:
		return r.span(rec, get)
	}
	value := []byte(get("value"))
	if !json.Valid(value) {
		return invalid("value: expected JSON")
	}
	rec.Value = value
	return exchange.Shallow(value, exchange.MaxDepth)
}

func (r *reader) choose(rec *exchange.Record, get func(string) string) error {
	c, err := r.choice(get)
	rec.Choices = append(rec.Choices, c)
	return err
}

func (r *reader) choice(get func(string) string) (c exchange.Choice, err error) {
	if c.Name = get("label"); c.Name == "" {
		return c, invalid("label: expected the name of a class")
	}
	if id := get("class_id"); id != "" && !r.mapped {
		if c.ID, err = whole("class_id", id); err != nil {
			return c, err
		}
		err = r.classes.Set(c.ID, c.Name)
	} else {
		c.ID, err = r.classes.ID(c.Name)
	}
	if err != nil {
		return c, err
	}
	c.Confidence, err = parseConfidence(get("confidence"))
	return c, err
}

func parseConfidence(s string) (exchange.Confidence, error) {
	if s == "" {
		return exchange.Confidence{}, nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return exchange.Confidence{}, invalid("confidence: %s is not a number from 0 to 1", labeling.Quote(s))
	}
	return exchange.Sure(v), nil
}

func (r *reader) box(rec *exchange.Record, get func(string) string) (err error) {
	size, err := exchange.NewSize(float(get("image_width")), float(get("image_height")))
	if err != nil {
		return err
	}
	if s := get("image_depth"); s != "" {
		if size.Depth, err = whole("image_depth", s); err != nil {
			return err
		}
	}
	rec.Size = size
	if get("label") == "" && get("left") == "" {
		return nil
	}
	b := exchange.Box{Left: float(get("left")), Top: float(get("top")), Width: float(get("width")), Height: float(get("height"))}
	if b.Choice, err = r.choice(get); err != nil {
		return err
	}
	rec.Boxes = append(rec.Boxes, b)
	return b.Check()
}

func (r *reader) span(rec *exchange.Record, get func(string) string) (err error) {
	if s := get("labels"); s != "" && rec.SpanLabels == nil && json.Unmarshal([]byte(s), &rec.SpanLabels) != nil {
		return invalid("labels: expected a JSON list of labels")
	}
	s := exchange.Span{Label: get("label")}
	if s.Label == "" && get("start") == "" {
		return nil
	}
	if s.Start, err = whole("start", get("start")); err != nil {
		return err
	}
	if s.End, err = whole("end", get("end")); err != nil {
		return err
	}
	length := math.MaxInt32
	if rec.Ref == "" {
		length = utf8.RuneCountInString(rec.Text)
	}
	if s.Label == "" || s.End <= s.Start || s.End > length {
		return invalid("expected a label, and a stretch of the text from start to before end")
	}
	if s.Confidence, err = parseConfidence(get("confidence")); err != nil {
		return err
	}
	rec.Spans = append(rec.Spans, s)
	return nil
}

func (r *reader) finish() error {
	if r.record == nil {
		return nil
	}
	rec := r.record
	r.record = nil
	return r.yield(rec)
}

func whole(name, s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > exchange.MaxClassID {
		return 0, invalid("%s: %s is not a whole number from 0 to %d", name, labeling.Quote(s), exchange.MaxClassID)
	}
	return n, nil
}

func float(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func invalid(format string, args ...any) error {
	return fault.Newf("table", fault.Invalid, format, args...)
}
