package exchange

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"fiducial/internal/labeling/manifest"
)

// creationTime is how metadata writes an instant: UTC, microseconds, no zone.
const creationTime = "2006-01-02T15:04:05.000000"

// Stamp is what the metadata of imported labels says of their making.
type Stamp struct {
	Job   string // a name, without "labeling-job/"
	Human string // "yes" or "no"
	Now   time.Time
}

// On fills in what the record does not know of its making.
func (s Stamp) On(r *Record) {
	if r.Meta.Type == "" {
		r.Meta.Type = metadataType(r)
	}
	if r.Meta.Job == "" {
		r.Meta.Job = "labeling-job/" + s.Job
	}
	if r.Meta.Human == "" {
		r.Meta.Human = s.Human
	}
	if r.Meta.Created == "" {
		r.Meta.Created = s.Now.UTC().Format(creationTime)
	}
}

func metadataType(r *Record) string {
	data := "text"
	if r.Ref != "" {
		data = "image"
	}
	switch r.Kind {
	case Class:
		return metadataPrefix + data + "-classification"
	case MultiLabel:
		return metadataPrefix + data + "-classification-multilabel"
	case Boxes:
		return metadataPrefix + "object-detection"
	case Mask:
		return metadataPrefix + "semantic-segmentation"
	case Spans:
		return metadataPrefix + "text-span"
	case Verification:
		return metadataPrefix + "label-verification"
	}
	return metadataPrefix + "custom"
}

// Line is the line of an augmented manifest that has the record's label under
// the attribute. It tells in notes if a labeling job would refuse the line.
func Line(r *Record, attribute string, notes *Notes) ([]byte, error) {
	var o object
	if r.Ref != "" {
		o.add("source-ref", r.Ref)
	} else {
		o.add("source", r.Text)
	}
	for _, m := range r.Members {
		o.raw(m.Name, m.Value)
	}
	label, metadata := r.label()
	if r.Kind != "" {
		o.raw(attribute, label)
	}
	if r.Kind != "" || r.Failure != "" {
		o.raw(attribute+"-metadata", metadata)
	}
	line, err := o.bytes()
	if err != nil {
		return nil, err
	}
	switch {
	case utf8.RuneCount(label) > manifest.MaxAttribute || utf8.RuneCount(metadata) > manifest.MaxAttribute:
		notes.Line(r, "too long for a labeling job's input: labels of more than %d characters", manifest.MaxAttribute)
	case utf8.RuneCount(line) > manifest.MaxLine:
		notes.Line(r, "too long for a labeling job's input: lines of more than %d characters", manifest.MaxLine)
	}
	return line, nil
}

// label makes the label and its metadata, members in the order of Ground
// Truth's samples.
func (r *Record) label() (label, metadata json.RawMessage) {
	var m object
	switch r.Kind {
	case Class, Verification:
		c := r.Choices[0]
		if r.Kind == Class {
			label = encode(c.ID)
		} else {
			label = encode(strconv.Itoa(c.ID))
		}
		m.add("class-name", c.Name)
		m.add("confidence", c.Confidence.number())
	case MultiLabel:
		label = r.multiLabel(&m)
	case Boxes:
		label = r.boxes(&m)
	case Mask:
		label = encode(r.Mask.Ref)
		m.object("internal-color-map", colorObject(r.Mask))
	case Spans:
		label = r.spans(&m)
	case Custom:
		label = r.Value
	default:
		m.add("failure-reason", r.Failure)
	}
	m.add("type", r.Meta.Type)
	m.add("human-annotated", r.Meta.Human)
	m.add("creation-date", r.Meta.Created)
	m.add("job-name", r.Meta.Job)
	if r.Meta.Adjustment != "" {
		m.add("adjustment-status", r.Meta.Adjustment)
	}
	if r.Meta.Workers > 0 {
		m.add("worker-count", r.Meta.Workers)
	}
	if len(r.Meta.Feedback) > 0 {
		feedback := make([]map[string]string, len(r.Meta.Feedback))
		for i, f := range r.Meta.Feedback {
			feedback[i] = map[string]string{"comment": f}
		}
		m.add("worker-feedback", feedback)
	}
	for _, o := range r.Meta.Others {
		m.raw(o.Name, o.Value)
	}
	metadata, _ = m.bytes() // every value is JSON already
	return label, metadata
}

func (r *Record) multiLabel(m *object) json.RawMessage {
	ids := make([]int, len(r.Choices))
	var names, confidences object
	for i, c := range r.Choices {
		ids[i] = c.ID
		names.add(strconv.Itoa(c.ID), c.Name)
		confidences.add(strconv.Itoa(c.ID), c.Confidence.number())
	}
	m.object("class-map", &names)
	m.object("confidence-map", &confidences)
	return encode(ids)
}

func (r *Record) boxes(m *object) json.RawMessage {
	type size struct {
		Width  int `json:"width"`
		Height int `json:"height"`
		Depth  int `json:"depth"`
	}
	type box struct {
		ClassID int     `json:"class_id"`
		Left    float64 `json:"left"`
		Top     float64 `json:"top"`
		Width   float64 `json:"width"`
		Height  float64 `json:"height"`
	}
	type score struct {
		Confidence float64 `json:"confidence"`
	}
	boxes, scores := make([]box, len(r.Boxes)), make([]score, len(r.Boxes))
	classes := map[int]string{}
	for i, b := range r.Boxes {
		boxes[i] = box{b.ID, b.Left, b.Top, b.Width, b.Height}
		scores[i] = score{b.Confidence.number()}
		classes[b.ID] = b.Name
	}
	m.add("objects", scores)
	m.object("class-map", classObject(classes))
	depth := r.Size.Depth
	if depth == 0 {
		depth = 3 // readers expect the member
	}
	return encode(struct {
		ImageSize   []size `json:"image_size"`
		Annotations []box  `json:"annotations"`
	}{[]size{{r.Size.Width, r.Size.Height, depth}}, boxes})
}

func (r *Record) spans(m *object) json.RawMessage {
	type entity struct {
		Label string `json:"label"`
		Start int    `json:"startOffset"`
		End   int    `json:"endOffset"`
	}
	type score struct {
		Confidence float64 `json:"confidence"`
	}
	entities, scores := make([]entity, len(r.Spans)), make([]score, len(r.Spans))
	labels := slices.Clone(r.SpanLabels)
	for i, s := range r.Spans {
		entities[i] = entity{s.Label, s.Start, s.End}
		scores[i] = score{s.Confidence.number()}
		if !slices.ContainsFunc(labels, func(l SpanLabel) bool { return l.Label == s.Label }) {
			labels = append(labels, SpanLabel{Label: s.Label})
		}
	}
	if labels == nil {
		labels = []SpanLabel{}
	}
	m.add("entities", scores)
	type annotations struct {
		Labels   []SpanLabel `json:"labels"`
		Entities []entity    `json:"entities"`
	}
	return encode(struct {
		Annotations annotations `json:"annotations"`
	}{annotations{labels, entities}})
}

func colorObject(s Segmentation) *object {
	var colors object
	for _, c := range s.Colors {
		var e object
		e.add("class-name", c.Name)
		e.add("hex-color", c.Hex)
		if c.Confidence.Known {
			e.add("confidence", c.Confidence.number())
		}
		colors.object(strconv.Itoa(c.ID), &e)
	}
	return &colors
}

// ColorMap is the internal-color-map of a segmentation.
func ColorMap(s Segmentation) (json.RawMessage, error) { return colorObject(s).bytes() }

// Object is a JSON object of members, in their order.
func Object(members []Member) json.RawMessage {
	var o object
	for _, m := range members {
		o.raw(m.Name, m.Value)
	}
	b, _ := o.bytes() // values are JSON already
	return b
}

// number is the confidence as metadata writes it; 0 says that it is not known,
// as in Ground Truth's samples.
func (c Confidence) number() float64 {
	if !c.Known || math.IsNaN(c.Value) {
		return 0
	}
	return c.Value
}

func classObject(classes map[int]string) *object {
	ids := make([]int, 0, len(classes))
	for id := range classes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var o object
	for _, id := range ids {
		o.add(strconv.Itoa(id), classes[id])
	}
	return &o
}

// object is a JSON object whose members keep their order.
type object struct {
	buf bytes.Buffer
	err error
}

func (o *object) add(name string, value any) { o.raw(name, encode(value)) }

func (o *object) object(name string, value *object) {
	b, err := value.bytes()
	if err != nil {
		o.err = err
		return
	}
	o.raw(name, b)
}

func (o *object) raw(name string, value json.RawMessage) {
	if o.buf.Len() > 0 {
		o.buf.WriteByte(',')
	}
	o.buf.Write(encode(name))
	o.buf.WriteByte(':')
	if err := json.Compact(&o.buf, value); err != nil && o.err == nil {
		o.err = invalid("the value of %s is not JSON", quote(name))
	}
}

func (o *object) bytes() ([]byte, error) {
	b := append([]byte{'{'}, o.buf.Bytes()...)
	return append(b, '}'), o.err
}

// encode writes JSON as manifests have it, "<" as "<". Values here are of
// kinds that always have a JSON form.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
