package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// backgroundColor is the colour of pixels without a label.
const backgroundColor = "#ffffff"

// firstColors are those that labels have, in their order, unless an answer says
// otherwise: the colours of Ground Truth's own tool.
var firstColors = [...]string{"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"}

// Palette has a colour for every category, no two alike, and none white: those
// that answers name (the earliest counts), then each label's usual one, then
// others round the wheel of hues.
func Palette(categories int, answers ...map[int]string) []string {
	out := make([]string, categories)
	taken := map[string]bool{backgroundColor: true}
	give := func(i int, c string) bool {
		if out[i] != "" || taken[c] {
			return false
		}
		out[i], taken[c] = c, true
		return true
	}
	for _, colors := range answers {
		for i := range out {
			if c, ok := colors[i]; ok {
				give(i, c)
			}
		}
	}
	for i := range min(categories, len(firstColors)) {
		give(i, firstColors[i])
	}
	n := 0
	for i := range out {
		for ; out[i] == ""; n++ {
			give(i, hue(n))
		}
	}
	return out
}

// hue is the n-th of colours that are far from those before them.
func hue(n int) string {
	const golden = 137.508
	h := math.Mod(float64(n)*golden, 360)
	light := 0.3 + 0.4*math.Mod(float64(n)/11, 1)
	strong := 0.45 + 0.4*math.Mod(float64(n)/7, 1)
	part := func(k float64) int {
		k = math.Mod(k+h/30, 12)
		v := light - strong*min(light, 1-light)*max(-1, min(k-3, 9-k, 1))
		return int(math.Round(255 * v))
	}
	return fmt.Sprintf("#%02x%02x%02x", part(0), part(8), part(4))
}

// SegmentsPNG is an indexed PNG of pixels, where 0 is the background and n the
// category with index n-1.
func SegmentsPNG(width, height int, pixels []uint8, colors []string) ([]byte, error) {
	const op = "output.SegmentsPNG"
	palette := color.Palette{color.RGBA{255, 255, 255, 255}}
	for _, c := range colors {
		rgb, _ := parseColor(c)
		palette = append(palette, rgb)
	}
	if len(palette) > 256 {
		return nil, fault.Newf(op, fault.Internal, "%d categories do not fit into a palette", len(colors))
	}
	var b bytes.Buffer
	img := &image.Paletted{Pix: pixels, Stride: width, Rect: image.Rect(0, 0, width, height), Palette: palette}
	if err := png.Encode(&b, img); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	return b.Bytes(), nil
}

// Members in the order of a real output manifest.
type segmentsMetadata struct {
	ColorMap       orderedMap       `json:"internal-color-map"`
	Type           string           `json:"type"`
	HumanAnnotated string           `json:"human-annotated"`
	CreationDate   string           `json:"creation-date"`
	JobName        string           `json:"job-name"`
	Adjustment     AdjustmentStatus `json:"adjustment-status,omitempty"`
}

type colorMeaning struct {
	ClassName  string     `json:"class-name"`
	HexColor   string     `json:"hex-color"`
	Confidence confidence `json:"confidence"`
}

// AdjustmentStatus says whether a label was mended. Empty: nobody was asked to.
type AdjustmentStatus string

// The statuses of an adjustment.
const (
	Adjusted   AdjustmentStatus = "adjusted"
	Unadjusted AdjustmentStatus = "unadjusted"
)

// Segmentation builds the label of a semantic segmentation: the S3 URI of its
// indexed PNG. The map has every category of the job under its index in the PNG,
// whether it occurs or not, so that it is the same for all objects of the job; the
// confidence is the image's, as Ground Truth has it.
func Segmentation(t labeling.TaskType, s Stamp, uri string, c Categories, colors []string, sure float64, a AdjustmentStatus) (Annotation, error) {
	m := segmentsMetadata{Type: t.MetadataType(), HumanAnnotated: "yes", CreationDate: s.created(), JobName: s.job(), Adjustment: a}
	m.ColorMap = append(m.ColorMap, entry{0, colorMeaning{labeling.Background, backgroundColor, confidence(sure)}})
	for i, color := range colors {
		m.ColorMap = append(m.ColorMap, entry{i + 1, colorMeaning{c.Name(i), color, confidence(sure)}})
	}
	return annotation("output.Segmentation", uri, m)
}

// SegmentsOf is the answer of a worker who painted what a label shows: a picture of
// segments and the label's metadata. Package quality compares answers with it.
func SegmentsOf(picture []byte, metadata json.RawMessage) (json.RawMessage, error) {
	var m struct {
		ColorMap map[string]struct {
			ClassName string `json:"class-name"`
			HexColor  string `json:"hex-color"`
		} `json:"internal-color-map"`
	}
	if err := json.Unmarshal(metadata, &m); err != nil || len(m.ColorMap) == 0 {
		return nil, errors.New(`expected {"internal-color-map": {"<number>": {"class-name", "hex-color"}}}`)
	}
	type mapping struct {
		Color string `json:"color"`
	}
	mappings := map[string]mapping{}
	for _, c := range m.ColorMap {
		if c.ClassName != labeling.Background {
			mappings[c.ClassName] = mapping{c.HexColor}
		}
	}
	var v struct {
		Element struct {
			LabeledImage struct {
				PNG []byte `json:"pngImageData"`
			} `json:"labeledImage"`
			LabelMappings map[string]mapping `json:"labelMappings"`
		} `json:"crowd-semantic-segmentation"`
	}
	v.Element.LabeledImage.PNG, v.Element.LabelMappings = picture, mappings
	return encode("output.SegmentsOf", v)
}

// Members in the order of the documented sample.
type verificationMetadata struct {
	ClassName      string     `json:"class-name"`
	Confidence     confidence `json:"confidence"`
	Type           string     `json:"type"`
	JobName        string     `json:"job-name"`
	HumanAnnotated string     `json:"human-annotated"`
	CreationDate   string     `json:"creation-date"`
	Feedback       []feedback `json:"worker-feedback,omitempty"`
}

type feedback struct {
	Comment string `json:"comment"`
}

// Verification builds the label of a verification: the verdict's index, and what
// workers said besides.
func Verification(t labeling.TaskType, s Stamp, c Category, comments []string) (Annotation, error) {
	m := verificationMetadata{ClassName: c.Name, Confidence: confidence(c.Confidence), Type: t.MetadataType(), JobName: s.job(),
		HumanAnnotated: "yes", CreationDate: s.created()}
	for _, text := range comments {
		m.Feedback = append(m.Feedback, feedback{text})
	}
	return annotation("output.Verification", c.Index, m)
}

// Span is a labelled stretch of a text, in characters (Unicode code points).
type Span struct {
	Category   // with the span's confidence
	Start, End int
}

type entitiesLabel struct {
	Annotations struct {
		Labels   []entityName `json:"labels"`
		Entities []entity     `json:"entities"`
	} `json:"annotations"`
}

type entityName struct {
	Label            string `json:"label"`
	ShortDisplayName string `json:"shortDisplayName,omitempty"`
}

type entity struct {
	Label       string `json:"label"`
	StartOffset int    `json:"startOffset"`
	EndOffset   int    `json:"endOffset"`
}

// Members in the order of the documented sample.
type entitiesMetadata struct {
	JobName        string            `json:"job-name"`
	Type           string            `json:"type"`
	CreationDate   string            `json:"creation-date"`
	HumanAnnotated string            `json:"human-annotated"`
	Entities       []detectionObject `json:"entities"`
}

// Entities builds the label of a named entity recognition.
func Entities(s Stamp, labels []labeling.Label, spans []Span) (Annotation, error) {
	var label entitiesLabel
	label.Annotations.Labels = make([]entityName, len(labels))
	for i, l := range labels {
		label.Annotations.Labels[i] = entityName{l.Name, l.ShortDisplayName}
	}
	label.Annotations.Entities = make([]entity, len(spans))
	m := entitiesMetadata{JobName: s.job(), Type: labeling.NamedEntityRecognition.MetadataType(), CreationDate: s.created(),
		HumanAnnotated: "yes", Entities: make([]detectionObject, len(spans))}
	for i, x := range spans {
		label.Annotations.Entities[i] = entity{x.Name, x.Start, x.End}
		m.Entities[i] = detectionObject{confidence(x.Confidence)}
	}
	return annotation("output.Entities", label, m)
}

// MaxSpans is how many entities of one answer are used.
const MaxSpans = 20_000

// SpansAnswer finds the entities that a worker marked: the first element whose
// value has "entities". None is an answer. Entities with an unknown label are left
// out, and so are those that do not lie within a text of so many characters (0:
// any length).
func SpansAnswer(content json.RawMessage, c Categories, length int) ([]Span, error) {
	values, err := elements(content)
	if err != nil {
		return nil, err
	}
	for _, value := range values {
		var v struct {
			Entities *[]entity `json:"entities"`
		}
		if json.Unmarshal(value, &v) != nil || v.Entities == nil {
			continue
		}
		if n := len(*v.Entities); n > MaxSpans {
			return nil, fmt.Errorf("the answer has %d entities, more than %d", n, MaxSpans)
		}
		out := []Span{}
		for _, e := range *v.Entities {
			i, ok := c.Index(e.Label)
			if ok && e.StartOffset >= 0 && e.StartOffset < e.EndOffset && (length == 0 || e.EndOffset <= length) {
				out = append(out, Span{Category: Category{Index: i, Name: e.Label}, Start: e.StartOffset, End: e.EndOffset})
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("the answer has no element with entities")
}

// maxComment is how much of a worker's comment is kept, in characters.
const maxComment = 2000

// Comment is what a worker said besides the verdict, or "".
func Comment(content json.RawMessage) string {
	values, err := elements(content)
	if err != nil {
		return ""
	}
	for _, value := range values {
		var v struct {
			Comment string `json:"workerComment"`
		}
		if json.Unmarshal(value, &v) == nil && v.Comment != "" {
			if r := []rune(v.Comment); len(r) > maxComment {
				return string(r[:maxComment]) + "…"
			}
			return v.Comment
		}
	}
	return ""
}
