package exchange

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

func invalid(format string, args ...any) error {
	return fault.Newf("exchange.decode", fault.Invalid, format, args...)
}

// known are the members of metadata that every label may have.
type known struct {
	Type       string `json:"type"`
	Job        string `json:"job-name"`
	Human      string `json:"human-annotated"`
	Created    string `json:"creation-date"`
	Adjustment string `json:"adjustment-status"`
	Failure    string `json:"failure-reason"`
	Workers    int    `json:"worker-count"`
	Feedback   []struct {
		Comment string `json:"comment"`
	} `json:"worker-feedback"`

	ClassName     *string            `json:"class-name"`
	Confidence    *float64           `json:"confidence"`
	ClassMap      map[string]string  `json:"class-map"`
	ConfidenceMap map[string]float64 `json:"confidence-map"`
	Objects       []scored           `json:"objects"`
	Entities      []scored           `json:"entities"`
	Colors        colorMap           `json:"internal-color-map"`
}

type colorMap map[string]struct {
	Name       string   `json:"class-name"`
	Hex        string   `json:"hex-color"`
	Confidence *float64 `json:"confidence"`
}

type scored struct {
	Confidence *float64 `json:"confidence"`
}

// decode understands a label and its metadata.
func decode(r *Record, label, metadata json.RawMessage) error {
	var k known
	if err := json.Unmarshal(metadata, &k); err != nil {
		return decodeCustom(r, label, metadata, err)
	}
	r.Meta = Meta{Type: k.Type, Job: k.Job, Human: k.Human, Created: k.Created, Adjustment: k.Adjustment, Workers: max(k.Workers, 0)}
	for _, f := range k.Feedback {
		r.Meta.Feedback = append(r.Meta.Feedback, f.Comment)
	}
	if label == nil {
		r.Failure = k.Failure
		return nil
	}
	r.Kind = KindOf(k.Type)
	if err := r.others(metadata); err != nil {
		return err
	}
	switch r.Kind {
	case Class, Verification:
		return decodeClass(r, label, &k)
	case MultiLabel:
		return decodeMultiLabel(r, label, &k)
	case Boxes:
		return decodeBoxes(r, label, &k)
	case Mask:
		return decodeMask(r, label, &k)
	case Spans:
		return decodeSpans(r, label, &k)
	}
	r.Value = bytes.Clone(label)
	r.Meta.Workers = max(r.Meta.Workers, answers(label))
	return nil
}

// decodeCustom takes metadata in which a member of a known name is something
// else: a post-annotation function's own.
func decodeCustom(r *Record, label, metadata json.RawMessage, cause error) error {
	var t struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(metadata, &t) != nil || KindOf(t.Type) != Custom {
		return invalid("its metadata cannot be read: %s", cause)
	}
	if label == nil {
		return nil
	}
	r.Kind, r.Meta.Type, r.Value = Custom, t.Type, bytes.Clone(label)
	return r.others(metadata)
}

// others keeps the members of metadata that are not understood; of a custom
// label's, all but those in Meta.
func (r *Record) others(metadata json.RawMessage) error {
	members, err := Members(metadata)
	if err != nil {
		return err
	}
	understood := []string{"type"}
	if r.Kind != Custom || r.Meta.Job != "" {
		understood = append(understood, "job-name", "human-annotated", "creation-date", "adjustment-status", "worker-count", "worker-feedback")
	}
	switch r.Kind {
	case Class, Verification:
		understood = append(understood, "class-name", "confidence")
	case MultiLabel:
		understood = append(understood, "class-map", "confidence-map")
	case Boxes:
		understood = append(understood, "class-map", "objects")
	case Mask:
		understood = append(understood, "internal-color-map")
	case Spans:
		understood = append(understood, "entities")
	}
	for _, m := range members {
		if !slices.Contains(understood, m.Name) {
			r.Meta.Others = append(r.Meta.Others, Member{m.Name, bytes.Clone(m.Value)})
		}
	}
	return nil
}

// answers is how many workers' answers a pass-through label lists.
func answers(label json.RawMessage) int {
	var v struct {
		All []json.RawMessage `json:"annotationsFromAllWorkers"`
	}
	_ = json.Unmarshal(label, &v) // another custom label has none
	return len(v.All)
}

func decodeClass(r *Record, label json.RawMessage, k *known) error {
	id, err := classID(label)
	if err != nil {
		return err
	}
	if k.ClassName == nil {
		return invalid("its metadata has no class-name")
	}
	c, err := confidence(k.Confidence)
	r.Choices = []Choice{{id, *k.ClassName, c}}
	return err
}

func decodeMultiLabel(r *Record, label json.RawMessage, k *known) error {
	var ids []json.RawMessage
	if json.Unmarshal(label, &ids) != nil || ids == nil {
		return invalid("expected a list of class ids")
	}
	if len(ids) > MaxObjects {
		return invalid("it has %d classes, more than %d", len(ids), MaxObjects)
	}
	for _, raw := range ids {
		id, err := classID(raw)
		if err != nil {
			return err
		}
		name, ok := k.ClassMap[strconv.Itoa(id)]
		if !ok {
			return invalid("the class %d is not in class-map", id)
		}
		var c Confidence
		if v, ok := k.ConfidenceMap[strconv.Itoa(id)]; ok {
			if c, err = confidence(&v); err != nil {
				return err
			}
		}
		r.Choices = append(r.Choices, Choice{id, name, c})
	}
	return nil
}

type boxesLabel struct {
	ImageSize []struct {
		Width  float64 `json:"width"`
		Height float64 `json:"height"`
		Depth  float64 `json:"depth"`
	} `json:"image_size"`
	Annotations *[]struct {
		ClassID json.RawMessage `json:"class_id"`
		Left    *float64        `json:"left"`
		Top     *float64        `json:"top"`
		Width   *float64        `json:"width"`
		Height  *float64        `json:"height"`
	} `json:"annotations"`
}

func decodeBoxes(r *Record, label json.RawMessage, k *known) error {
	var l boxesLabel
	if err := json.Unmarshal(label, &l); err != nil || l.Annotations == nil {
		return invalid(`expected {"image_size": [{"width", "height", "depth"}], "annotations": [{"class_id", "left", "top", "width", "height"}]}`)
	}
	if len(*l.Annotations) > MaxObjects {
		return invalid("it has %d boxes, more than %d", len(*l.Annotations), MaxObjects)
	}
	if len(l.ImageSize) > 0 {
		s := l.ImageSize[0]
		var err error
		if r.Size, err = NewSize(s.Width, s.Height); err != nil {
			return err
		}
		if s.Depth >= 0 && s.Depth <= 64 {
			r.Size.Depth = int(s.Depth)
		}
	}
	for i, a := range *l.Annotations {
		if a.Left == nil || a.Top == nil || a.Width == nil || a.Height == nil || a.ClassID == nil {
			return invalid("annotations[%d]: expected class_id, left, top, width and height", i)
		}
		b := Box{Left: *a.Left, Top: *a.Top, Width: *a.Width, Height: *a.Height}
		if err := b.Check(); err != nil {
			return invalid("annotations[%d]: %s", i, fault.MessageOf(err))
		}
		id, err := classID(a.ClassID)
		if err != nil {
			return invalid("annotations[%d]: %s", i, fault.MessageOf(err))
		}
		name, ok := k.ClassMap[strconv.Itoa(id)]
		if !ok {
			return invalid("annotations[%d]: the class %d is not in class-map", i, id)
		}
		b.ID, b.Name = id, name
		if i < len(k.Objects) {
			if b.Confidence, err = confidence(k.Objects[i].Confidence); err != nil {
				return err
			}
		}
		r.Boxes = append(r.Boxes, b)
	}
	return nil
}

// NewSize checks the size of a picture.
func NewSize(width, height float64) (Size, error) {
	if !(width >= 1 && height >= 1 && width <= MaxSide && height <= MaxSide) || width != math.Trunc(width) || height != math.Trunc(height) {
		return Size{}, invalid("the picture is %g x %g: expected whole pixels from 1 to %d", width, height, MaxSide)
	}
	return Size{Width: int(width), Height: int(height)}, nil
}

// Check refuses a box with coordinates that no picture has.
func (b *Box) Check() error {
	for _, v := range []float64{b.Left, b.Top, b.Width, b.Height} {
		if !(math.Abs(v) <= MaxSide) { // NaN too
			return invalid("the coordinate %g is not a number of pixels up to %d", v, MaxSide)
		}
	}
	if b.Width < 0 || b.Height < 0 {
		return invalid("the box is %g x %g: expected a width and height of 0 or more", b.Width, b.Height)
	}
	return nil
}

func decodeMask(r *Record, label json.RawMessage, k *known) error {
	if err := text1(label, &r.Mask.Ref); err != nil {
		return invalid("expected the S3 URI of an indexed PNG")
	}
	if _, err := labeling.ParseS3Object(r.Mask.Ref); err != nil {
		return err
	}
	if k.Colors == nil {
		return invalid("its metadata has no internal-color-map")
	}
	var err error
	r.Mask.Colors, err = k.Colors.list()
	return err
}

// ParseColorMap reads an internal-color-map.
func ParseColorMap(text []byte) ([]Color, error) {
	var m colorMap
	if err := json.Unmarshal(text, &m); err != nil || m == nil {
		return nil, invalid("expected an internal-color-map")
	}
	return m.list()
}

func (m colorMap) list() ([]Color, error) {
	if len(m) > 256 {
		return nil, invalid("internal-color-map has %d entries, more than 256", len(m))
	}
	var colors []Color
	for key, v := range m {
		id, err := strconv.Atoi(key)
		if err != nil || id < 0 || id > 255 {
			return nil, invalid("internal-color-map: %s is not an index from 0 to 255", quote(key))
		}
		c, err := confidence(v.Confidence)
		if err != nil {
			return nil, err
		}
		colors = append(colors, Color{Choice{id, v.Name, c}, v.Hex})
	}
	slices.SortFunc(colors, func(a, b Color) int { return a.ID - b.ID })
	return colors, nil
}

type spansLabel struct {
	Annotations *struct {
		Labels   []SpanLabel `json:"labels"`
		Entities []struct {
			Label string `json:"label"`
			Start *int   `json:"startOffset"`
			End   *int   `json:"endOffset"`
		} `json:"entities"`
	} `json:"annotations"`
}

func decodeSpans(r *Record, label json.RawMessage, k *known) error {
	var l spansLabel
	if json.Unmarshal(label, &l) != nil || l.Annotations == nil {
		return invalid(`expected {"annotations": {"labels": [{"label"}], "entities": [{"label", "startOffset", "endOffset"}]}}`)
	}
	if r.Ref == "" {
		if err := checkSpans(&l, utf8.RuneCountInString(r.Text)); err != nil {
			return err
		}
	} else if err := checkSpans(&l, math.MaxInt32); err != nil {
		return err
	}
	r.SpanLabels = l.Annotations.Labels
	for i, e := range l.Annotations.Entities {
		s := Span{Label: e.Label, Start: *e.Start, End: *e.End}
		if i < len(k.Entities) {
			var err error
			if s.Confidence, err = confidence(k.Entities[i].Confidence); err != nil {
				return err
			}
		}
		r.Spans = append(r.Spans, s)
	}
	return nil
}

func checkSpans(l *spansLabel, length int) error {
	if n := len(l.Annotations.Entities); n > MaxObjects {
		return invalid("it has %d entities, more than %d", n, MaxObjects)
	}
	for i, e := range l.Annotations.Entities {
		switch {
		case e.Start == nil || e.End == nil || e.Label == "":
			return invalid("entities[%d]: expected label, startOffset and endOffset", i)
		case *e.Start < 0 || *e.End <= *e.Start || *e.End > length:
			return invalid("entities[%d]: %d to %d is not a stretch of a text of %d characters", i, *e.Start, *e.End, length)
		}
	}
	return nil
}

// classID reads a class id, which real manifests write as a number and some
// documents as a string.
func classID(raw json.RawMessage) (int, error) {
	text := string(raw)
	if text[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, invalid("expected a class id")
		}
	}
	id, err := strconv.Atoi(text)
	if err != nil || id < 0 || id > MaxClassID {
		return 0, invalid("%s is not a class id: expected a whole number from 0 to %d", quote(text), MaxClassID)
	}
	return id, nil
}

func confidence(v *float64) (Confidence, error) {
	if v == nil {
		return Confidence{}, nil
	}
	if !(*v >= 0 && *v <= 1) {
		return Confidence{}, invalid("the confidence %g is not from 0 to 1", *v)
	}
	return Sure(*v), nil
}
