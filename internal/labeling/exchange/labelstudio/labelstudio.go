// Package labelstudio reads Label Studio's JSON export: a list of tasks, each
// with its annotations, each with its results.
//
// Of a task's annotations the first that was not cancelled counts; Label Studio
// does not make one label of several. Coordinates are per cent of the picture,
// of which a result has the size. Offsets in texts are code points, or UTF-16
// units where only these fit the text that the result quotes.
package labelstudio

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/mask"
)

// Options of Read.
type Options struct {
	Names   exchange.Names
	Classes *exchange.Classes
	Kind    exchange.Kind // "" is the kind of the first result
	Masks   mask.Sink
	Notes   *exchange.Notes
}

type task struct {
	ID          json.RawMessage            `json:"id"`
	Data        map[string]json.RawMessage `json:"data"`
	Annotations []annotation               `json:"annotations"`
}

type annotation struct {
	Cancelled bool     `json:"was_cancelled"`
	Result    []result `json:"result"`
}

type result struct {
	Type   string   `json:"type"`
	Width  float64  `json:"original_width"`
	Height float64  `json:"original_height"`
	Score  *float64 `json:"score"`
	Value  struct {
		X        *float64     `json:"x"`
		Y        *float64     `json:"y"`
		Width    *float64     `json:"width"`
		Height   *float64     `json:"height"`
		Rotation float64      `json:"rotation"`
		Boxes    []string     `json:"rectanglelabels"`
		Points   [][2]float64 `json:"points"`
		Polygons []string     `json:"polygonlabels"`
		Choices  []string     `json:"choices"`
		Start    *int         `json:"start"`
		End      *int         `json:"end"`
		Text     string       `json:"text"`
		Labels   []string     `json:"labels"`
	} `json:"value"`
}

// kindOf is what a type of result makes.
func kindOf(resultType string) exchange.Kind {
	switch resultType {
	case "choices":
		return exchange.Class
	case "rectanglelabels":
		return exchange.Boxes
	case "polygonlabels":
		return exchange.Mask
	case "labels":
		return exchange.Spans
	}
	return ""
}

type reader struct {
	Options
	yield func(*exchange.Record) error
	count int64
}

// Read reads an export and calls yield for each task.
func Read(in io.Reader, o Options, yield func(*exchange.Record) error) error {
	r := &reader{Options: o, yield: yield}
	return exchange.NewDocument(in).List(func(v json.RawMessage) error {
		r.count++
		var t task
		if err := json.Unmarshal(v, &t); err != nil {
			return invalid("task %d of the list: expected Label Studio's JSON export (not JSON-MIN): %s", r.count, err)
		}
		where := fmt.Sprintf("task %d of the list", r.count)
		if err := r.task(&t, where); err != nil {
			return exchange.Where(err, "%s", where)
		}
		return nil
	})
}

func (r *reader) task(t *task, where string) error {
	rec := &exchange.Record{Line: r.count}
	name, err := r.source(rec, t.Data)
	if err != nil {
		return err
	}
	a := r.choose(t, where)
	if a == nil {
		r.Notes.Add(where, "without a label: tasks without an annotation")
		return r.yield(rec)
	}
	if r.Kind == "" {
		for _, res := range a.Result {
			if r.Kind = kindOf(res.Type); r.Kind != "" {
				break
			}
		}
		if r.Kind == "" {
			return invalid("its annotation tells nothing of what kind the labels are: say it with --as")
		}
	}
	rec.Kind = r.Kind
	p := painting{colors: map[int]exchange.Color{}}
	for i := range a.Result {
		if err := r.result(rec, &p, &a.Result[i], where); err != nil {
			return exchange.Where(err, "result %d", i+1)
		}
	}
	return r.finish(rec, &p, name, where)
}

// choose is the annotation that counts.
func (r *reader) choose(t *task, where string) *annotation {
	var chosen *annotation
	for i := range t.Annotations {
		switch a := &t.Annotations[i]; {
		case a.Cancelled:
			r.Notes.Add(where, "not in the result: cancelled annotations")
		case chosen != nil:
			r.Notes.Add(where, "not in the result: further annotations of a task")
		default:
			chosen = a
		}
	}
	return chosen
}

// source finds what the task is about: the only text among its data, or the one
// called image or text.
func (r *reader) source(rec *exchange.Record, data map[string]json.RawMessage) (name string, err error) {
	texts := map[string]string{}
	for k, v := range data {
		var s string
		if json.Unmarshal(v, &s) == nil && v[0] == '"' && s != "" {
			texts[k] = s
		}
	}
	value, key := "", ""
	for _, k := range []string{"image", "text"} {
		if s, ok := texts[k]; ok && key == "" {
			key, value = k, s
		}
	}
	if key == "" {
		if len(texts) != 1 {
			return "", invalid("its data has neither image nor text, nor one text alone")
		}
		for k, s := range texts {
			key, value = k, s
		}
	}
	isRef := strings.HasPrefix(value, "s3://")
	if key == "text" && !isRef {
		rec.Text = value
		return "", nil
	}
	if !isRef && key != "image" && r.Names.Prefix == "" {
		rec.Text = value
		return "", nil
	}
	if isRef {
		rec.Ref, err = r.Names.Ref(value, value)
		if r.Names.Prefix != "" && !strings.HasPrefix(value, r.Names.Prefix) {
			err = invalid("%q is not below the prefix %s", value, r.Names.Prefix)
		} else if r.Names.Prefix != "" {
			rec.Ref, err = value, nil
		}
		name, _ = exchange.Names{}.File(rec.Ref)
		return name, err
	}
	rec.Ref, err = r.Names.Ref(value, "")
	return value, err
}

// painting is what is drawn on the task's picture.
type painting struct {
	mask   *mask.Mask
	colors map[int]exchange.Color
}

func (r *reader) result(rec *exchange.Record, p *painting, res *result, where string) error {
	v := &res.Value
	kind := kindOf(res.Type)
	if kind != r.Kind && !(kind == exchange.Class && r.Kind == exchange.MultiLabel) {
		r.Notes.Add(where, "not in the result: results of the type %q", res.Type)
		return nil
	}
	c, err := confidence(res.Score)
	if err != nil {
		return err
	}
	if kind == exchange.Boxes || kind == exchange.Mask {
		size, err := exchange.NewSize(res.Width, res.Height)
		if err != nil {
			return err
		}
		if rec.Size.Width != 0 && rec.Size != size {
			return invalid("its picture is %d x %d, that of results before is %d x %d", size.Width, size.Height, rec.Size.Width, rec.Size.Height)
		}
		rec.Size = size
	}
	switch kind {
	case exchange.Class:
		for _, name := range v.Choices {
			if err := r.choice(rec, name, c); err != nil {
				return err
			}
		}
		return nil
	case exchange.Boxes:
		return r.box(rec, res, c, where)
	case exchange.Mask:
		return r.polygon(rec, p, res, c)
	}
	return r.span(rec, res, c)
}

func (r *reader) choice(rec *exchange.Record, name string, c exchange.Confidence) error {
	id, err := r.id([]string{name})
	if err != nil {
		return err
	}
	if r.Kind == exchange.Class && len(rec.Choices) > 0 {
		return invalid("it has more than one choice: --as multi-label imports them all")
	}
	if !slices.ContainsFunc(rec.Choices, func(x exchange.Choice) bool { return x.ID == id }) {
		rec.Choices = append(rec.Choices, exchange.Choice{ID: id, Name: name, Confidence: c})
	}
	return nil
}

// id is the class of a result that has one label.
func (r *reader) id(labels []string) (int, error) {
	if len(labels) != 1 || labels[0] == "" {
		return 0, invalid("it has %d labels: expected one", len(labels))
	}
	return r.Classes.ID(labels[0])
}

func (r *reader) box(rec *exchange.Record, res *result, c exchange.Confidence, where string) error {
	v := &res.Value
	if v.X == nil || v.Y == nil || v.Width == nil || v.Height == nil {
		return invalid("expected x, y, width and height in per cent")
	}
	id, err := r.id(v.Boxes)
	if err != nil {
		return err
	}
	b := exchange.Box{Choice: exchange.Choice{ID: id, Name: v.Boxes[0], Confidence: c},
		Left: *v.X / 100 * res.Width, Top: *v.Y / 100 * res.Height, Width: *v.Width / 100 * res.Width, Height: *v.Height / 100 * res.Height}
	if err := b.Check(); err != nil {
		return err
	}
	if v.Rotation != 0 {
		if !(math.Abs(v.Rotation) <= 360) {
			return invalid("a rotation of %g: expected degrees", v.Rotation)
		}
		r.Notes.Add(where, "taken as the upright box around them: boxes that are turned")
		b = around(b, v.Rotation)
	}
	if b, ok := exchange.Fit(b, rec.Size, where, r.Notes); ok {
		rec.Boxes = append(rec.Boxes, b)
	}
	return nil
}

// around is the upright box around one turned clockwise about its top left
// corner.
func around(b exchange.Box, degrees float64) exchange.Box {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	left, top, right, bottom := b.Left, b.Top, b.Left, b.Top
	for _, p := range [][2]float64{{b.Width, 0}, {0, b.Height}, {b.Width, b.Height}} {
		x, y := b.Left+p[0]*cos-p[1]*sin, b.Top+p[0]*sin+p[1]*cos
		left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
	}
	return exchange.Box{Choice: b.Choice, Left: left, Top: top, Width: right - left, Height: bottom - top}
}

func (r *reader) polygon(rec *exchange.Record, p *painting, res *result, c exchange.Confidence) (err error) {
	id, err := r.id(res.Value.Polygons)
	if err != nil {
		return err
	}
	// Classes count from 0, which a PNG has where no class is.
	if id++; id > 255 {
		return invalid("there are more classes than the 255 that an indexed PNG has room for")
	}
	if p.mask == nil {
		if p.mask, err = mask.New(rec.Size.Width, rec.Size.Height); err != nil {
			return err
		}
	}
	ring := make([]mask.Point, len(res.Value.Points))
	for i, q := range res.Value.Points {
		ring[i] = mask.Point{X: q[0] / 100 * res.Width, Y: q[1] / 100 * res.Height}
	}
	p.colors[id] = exchange.Color{Choice: exchange.Choice{ID: id, Name: res.Value.Polygons[0], Confidence: c}, Hex: mask.Palette(id)}
	return p.mask.PaintPolygon(ring, uint8(id))
}

func (r *reader) span(rec *exchange.Record, res *result, c exchange.Confidence) error {
	v := &res.Value
	if v.Start == nil || v.End == nil || rec.Ref != "" {
		return invalid("expected start and end in a text that is in the task itself")
	}
	if len(v.Labels) != 1 || v.Labels[0] == "" {
		return invalid("it has %d labels: expected one", len(v.Labels))
	}
	start, end, ok := offsets(rec.Text, *v.Start, *v.End, v.Text)
	if !ok {
		return invalid("%d to %d is not the stretch of the text that it quotes", *v.Start, *v.End)
	}
	rec.Spans = append(rec.Spans, exchange.Span{Label: v.Labels[0], Start: start, End: end, Confidence: c})
	return nil
}

// offsets are code points.
func offsets(text string, start, end int, quoted string) (int, int, bool) {
	runes := []rune(text)
	if start >= 0 && start < end && end <= len(runes) && (quoted == "" || string(runes[start:end]) == quoted) {
		return start, end, true
	}
	units := utf16.Encode(runes)
	if quoted == "" || start < 0 || start >= end || end > len(units) || string(utf16.Decode(units[start:end])) != quoted {
		return 0, 0, false
	}
	start = len(utf16.Decode(units[:start]))
	return start, start + len([]rune(quoted)), true
}

// finish gives a record away, or as one without a label if it has none.
func (r *reader) finish(rec *exchange.Record, p *painting, name, where string) error {
	switch rec.Kind {
	case exchange.Class:
		if len(rec.Choices) == 0 {
			r.Notes.Add(where, "without a label: tasks whose annotation has no choice")
			rec.Kind = ""
		}
	case exchange.Boxes:
		if rec.Size.Width == 0 {
			r.Notes.Add(where, "without a label: tasks whose annotation has no box, since only boxes tell the picture's size")
			rec.Kind = ""
		}
	case exchange.Mask:
		if p.mask == nil {
			r.Notes.Add(where, "without a label: tasks whose annotation has no polygon, since only polygons tell the picture's size")
			rec.Kind = ""
			break
		}
		if exchange.CheckPath(name) != nil {
			name, _ = exchange.Names{}.File(rec.Ref)
		}
		if err := r.Masks.Put(rec, name, p.mask, mask.WithBackground(p.colors)); err != nil {
			return err
		}
	}
	if len(rec.Boxes)+len(rec.Spans)+len(rec.Choices) > exchange.MaxObjects {
		return invalid("it has more than %d results", exchange.MaxObjects)
	}
	return r.yield(rec)
}

func confidence(v *float64) (exchange.Confidence, error) {
	if v == nil {
		return exchange.Confidence{}, nil
	}
	if !(*v >= 0 && *v <= 1) {
		return exchange.Confidence{}, invalid("its score %g is not from 0 to 1", *v)
	}
	return exchange.Sure(*v), nil
}

func invalid(format string, args ...any) error {
	return fault.Newf("labelstudio", fault.Invalid, format, args...)
}
