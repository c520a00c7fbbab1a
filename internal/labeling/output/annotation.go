package output

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// creationTime is how label metadata writes an instant: UTC, microseconds,
// and no zone.
const creationTime = "2006-01-02T15:04:05.000000"

// Stamp is what the metadata of every label says about its making.
type Stamp struct {
	Job     string // the job's name, without "labeling-job/"
	Created time.Time
}

func (s Stamp) job() string     { return "labeling-job/" + s.Job }
func (s Stamp) created() string { return s.Created.UTC().Format(creationTime) }

// Annotation is what one manifest line gets: the label and its metadata. A
// failed object has no label.
type Annotation struct {
	Label    json.RawMessage
	Metadata json.RawMessage
}

func (a Annotation) members(attribute string) []Member {
	var members []Member
	if a.Label != nil {
		members = append(members, Member{attribute, a.Label})
	}
	return append(members, Member{attribute + "-metadata", a.Metadata})
}

// Line is the output manifest line for an input line.
//
// An object that failed keeps a label which it brought along: what is not
// labelled is written as it was read. Only a line without one gets the
// metadata that tells why it has none.
func Line(input []byte, attribute string, a Annotation) ([]byte, error) {
	if a.Label == nil && Has(input, attribute) {
		return Splice(input)
	}
	return Splice(input, a.members(attribute)...)
}

// Category is a label category with the confidence of its choice. Its index
// is its position in the label category file.
type Category struct {
	Index      int
	Name       string
	Confidence float64
}

// Members in the order of the one real output manifest at hand.
type classMetadata struct {
	Confidence     confidence `json:"confidence"`
	JobName        string     `json:"job-name"`
	ClassName      string     `json:"class-name"`
	HumanAnnotated string     `json:"human-annotated"`
	CreationDate   string     `json:"creation-date"`
	Type           string     `json:"type"`
}

// Classification builds the label of a single-label classification task: the
// category's index, as a number.
func Classification(t labeling.TaskType, s Stamp, c Category) (Annotation, error) {
	return annotation("output.Classification", c.Index, classMetadata{
		confidence(c.Confidence), s.job(), c.Name, "yes", s.created(), t.MetadataType()})
}

// Members in the order of the documented sample.
type multiLabelMetadata struct {
	JobName        string     `json:"job-name"`
	ClassMap       orderedMap `json:"class-map"`
	HumanAnnotated string     `json:"human-annotated"`
	CreationDate   string     `json:"creation-date"`
	ConfidenceMap  orderedMap `json:"confidence-map"`
	Type           string     `json:"type"`
}

// MultiLabel builds the label of a multi-label classification task: the
// indexes of every category that at least one worker picked, most confident
// first, as Ground Truth lists them. Who wants only what the workers agree on
// cuts at a confidence; confidence-map has it for each.
func MultiLabel(t labeling.TaskType, s Stamp, picked []Category) (Annotation, error) {
	picked = slices.Clone(picked)
	slices.SortStableFunc(picked, func(a, b Category) int {
		if a.Confidence != b.Confidence {
			if a.Confidence > b.Confidence {
				return -1
			}
			return 1
		}
		return a.Index - b.Index
	})
	label := make([]int, len(picked))
	m := multiLabelMetadata{JobName: s.job(), HumanAnnotated: "yes", CreationDate: s.created(), Type: t.MetadataType()}
	for i, c := range picked {
		label[i] = c.Index
		m.ClassMap = append(m.ClassMap, entry{c.Index, c.Name})
		m.ConfidenceMap = append(m.ConfidenceMap, entry{c.Index, confidence(c.Confidence)})
	}
	return annotation("output.MultiLabel", label, m)
}

// ImageSize is the size of the image that boxes are drawn on, in pixels.
type ImageSize struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	Depth  int `json:"depth"`
}

// Box is a consolidated box in whole pixels from the image's top left corner.
type Box struct {
	Category                 // with the box's confidence
	Left, Top, Width, Height int
}

type detectionLabel struct {
	ImageSize   []ImageSize    `json:"image_size"`
	Annotations []detectionBox `json:"annotations"`
}

type detectionBox struct {
	ClassID int `json:"class_id"`
	Left    int `json:"left"`
	Top     int `json:"top"`
	Width   int `json:"width"`
	Height  int `json:"height"`
}

type detectionMetadata struct {
	Objects        []detectionObject `json:"objects"`
	ClassMap       orderedMap        `json:"class-map"`
	Type           string            `json:"type"`
	HumanAnnotated string            `json:"human-annotated"`
	CreationDate   string            `json:"creation-date"`
	JobName        string            `json:"job-name"`
	Adjustment     AdjustmentStatus  `json:"adjustment-status,omitempty"`
}

type detectionObject struct {
	Confidence confidence `json:"confidence"`
}

// Detection builds the label of a bounding-box task. Objects in the metadata
// are in the order of the annotations; class-map has the classes that occur.
// An adjustment is the same with its status at the end. The depth is always written as 3: the workers' browsers report width and
// height only, and readers expect the member.
func Detection(s Stamp, width, height int, boxes []Box, a AdjustmentStatus) (Annotation, error) {
	label := detectionLabel{
		ImageSize:   []ImageSize{{Width: width, Height: height, Depth: 3}},
		Annotations: make([]detectionBox, 0, len(boxes)),
	}
	m := detectionMetadata{Objects: make([]detectionObject, 0, len(boxes)), Type: labeling.ObjectDetection.MetadataType(),
		HumanAnnotated: "yes", CreationDate: s.created(), JobName: s.job(), Adjustment: a}
	for _, b := range boxes {
		label.Annotations = append(label.Annotations, detectionBox{b.Index, b.Left, b.Top, b.Width, b.Height})
		m.Objects = append(m.Objects, detectionObject{confidence(b.Confidence)})
		if !slices.ContainsFunc(m.ClassMap, func(e entry) bool { return e.index == b.Index }) {
			m.ClassMap = append(m.ClassMap, entry{b.Index, b.Name})
		}
	}
	slices.SortFunc(m.ClassMap, func(a, b entry) int { return a.index - b.index })
	return annotation("output.Detection", label, m)
}

type customMetadata struct {
	JobName        string `json:"job-name"`
	Type           string `json:"type"`
	HumanAnnotated string `json:"human-annotated"`
	CreationDate   string `json:"creation-date"`
}

// Custom builds the label of a custom task: whatever the post-annotation
// function made of the answers. Members of its own metadata (may be nil, else
// an object) come first; the four that the service writes take precedence.
func Custom(s Stamp, label, own json.RawMessage) (Annotation, error) {
	const op = "output.Custom"
	if !json.Valid(label) {
		return Annotation{}, fault.Newf(op, fault.Invalid, "the consolidated annotation is not JSON")
	}
	a, err := annotation(op, label, customMetadata{s.job(), labeling.Custom.MetadataType(), "yes", s.created()})
	if err != nil || own == nil {
		return a, err
	}
	a.Metadata, err = Splice(own,
		Member{"job-name", quote(s.job())}, Member{"type", quote(labeling.Custom.MetadataType())},
		Member{"human-annotated", quote("yes")}, Member{"creation-date", quote(s.created())})
	if err != nil {
		return Annotation{}, fault.E(op, fault.Invalid, "the metadata of the consolidated annotation is not a JSON object", err)
	}
	return a, nil
}

type passThroughLabel struct {
	AnnotationsFromAllWorkers []requestAnnotation `json:"annotationsFromAllWorkers"`
}

// PassThrough builds the label of a custom task without a post-annotation
// function: every worker's answer, unchanged, in one list.
func PassThrough(s Stamp, answers []Answer) (Annotation, error) {
	const op = "output.PassThrough"
	annotations, err := requestAnnotations(op, answers)
	if err != nil {
		return Annotation{}, err
	}
	return annotation(op, passThroughLabel{annotations}, customMetadata{s.job(), labeling.Custom.MetadataType(), "yes", s.created()})
}

type failedMetadata struct {
	FailureReason  string `json:"failure-reason"`
	JobName        string `json:"job-name"`
	HumanAnnotated string `json:"human-annotated"`
	CreationDate   string `json:"creation-date"`
	Type           string `json:"type"`
}

// Failed builds what an object gets that could not be labelled: no label, and
// metadata that says why in words.
func Failed(t labeling.TaskType, s Stamp, reason string) (Annotation, error) {
	const op = "output.Failed"
	m, err := encode(op, failedMetadata{reason, s.job(), "yes", s.created(), t.MetadataType()})
	return Annotation{Metadata: m}, err
}

func annotation(op string, label, metadata any) (Annotation, error) {
	l, err := encode(op, label)
	if err != nil {
		return Annotation{}, err
	}
	m, err := encode(op, metadata)
	return Annotation{Label: l, Metadata: m}, err
}

// confidence is written with two decimals at most, within 0 and 1.
type confidence float64

func (c confidence) MarshalJSON() ([]byte, error) {
	v := min(max(float64(c), 0), 1)
	if math.IsNaN(v) {
		v = 0
	}
	return strconv.AppendFloat(nil, math.Round(v*100)/100, 'f', -1, 64), nil
}

// orderedMap is a JSON object keyed by category index, in its own order.
type orderedMap []entry

type entry struct {
	index int
	value any
}

func (m orderedMap) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, e := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		v, err := encode("output.orderedMap", e.value)
		if err != nil {
			return nil, err
		}
		b.WriteString(strconv.Quote(strconv.Itoa(e.index)))
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

func quote(s string) json.RawMessage {
	b, err := encode("output.quote", s)
	if err != nil {
		return json.RawMessage(`""`)
	}
	return b
}
