package quality

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/boxes"
	"fiducial/internal/labeling/consolidate/spans"
	"fiducial/internal/labeling/output"
)

// Scorer compares answers of a job with labels, and with each other. A score
// is 1 where they are the same and 0 where they have nothing in common:
//
//	one category     1 or 0; also of a video, and a verification's verdict
//	several          shared categories / categories of either (Jaccard)
//	boxes            overlaps (IoU) of boxes that belong together / objects that either sees
//	segments         the mean over the categories that either painted of the
//	                 pixels that both gave it / pixels that either did (mean IoU)
//	entities         F1: twice those that both marked, from the same first to the same last
//	                 character and by category / those of one plus those of the other
//	all else         elements whose values are the same JSON / elements of either
//
// An adjustment is scored like what it adjusts.
type Scorer struct {
	form       form
	categories output.Categories
}

// form is what answers to a type of task are made of.
type form int

const (
	elements form = iota
	oneClass
	manyClasses
	drawnBoxes
	paintedMask
	markedSpans
)

func formOf(t labeling.TaskType) form {
	switch t {
	case labeling.ImageClassification, labeling.TextClassification, labeling.VideoClassification,
		labeling.ObjectDetectionVerification, labeling.SemanticSegmentationVerification:
		return oneClass
	case labeling.ImageClassificationMultiLabel, labeling.TextClassificationMultiLabel:
		return manyClasses
	case labeling.ObjectDetection, labeling.ObjectDetectionAdjustment:
		return drawnBoxes
	case labeling.SemanticSegmentation, labeling.SemanticSegmentationAdjustment:
		return paintedMask
	case labeling.NamedEntityRecognition:
		return markedSpans
	}
	return elements
}

// NewScorer makes the scorer of a job.
func NewScorer(t labeling.TaskType, labelNames []string) *Scorer {
	return &Scorer{formOf(t), output.NewCategories(labelNames)}
}

// Known is a label or an answer to compare others with.
type Known struct {
	classes  []int // sorted
	boxes    []boxes.Box
	mask     mask
	spans    []spans.Span // each once
	elements map[string]string
}

// minScore is from which score an answer to a gold question is right, unless
// the requester says so.
func minScore(t labeling.TaskType) float64 {
	switch formOf(t) {
	case drawnBoxes, paintedMask, markedSpans:
		return 0.5
	}
	return 1
}

// Label reads a label as the job's output manifest has it: the value of the
// label attribute and of its metadata. Categories are told by their names in
// the metadata where they are there, else by their numbers; a gold question
// may also name them directly, or be an answer. An error says what was expected.
//
// The label of a segmentation is the URI of a picture, which is not read here: see
// output.SegmentsOf.
func (s *Scorer) Label(label, metadata json.RawMessage) (Known, error) {
	k, err := s.label(label, metadata)
	if err != nil && s.form != elements && output.IsObject(label) {
		if a, e := s.Answer(label); e == nil {
			return a, nil
		}
	}
	return k, err
}

func (s *Scorer) label(label, metadata json.RawMessage) (k Known, err error) {
	switch s.form {
	case oneClass:
		var c int
		c, err = s.classLabel(label, metadata)
		k.classes = []int{c}
	case manyClasses:
		k.classes, err = s.classesLabel(label, metadata)
	case drawnBoxes:
		k.boxes, err = s.boxesLabel(label, metadata)
	case markedSpans:
		k.spans, err = s.spansLabel(label)
	case paintedMask:
		if k, err = s.Answer(label); err != nil {
			err = fmt.Errorf(`expected the S3 URI of a picture of segments, or an answer: {"<element>": {"labeledImage", "labelMappings"}}: %w`, err)
		}
	default:
		if k.elements, err = elementsOf(label); err != nil {
			err = fmt.Errorf("expected an answer: an object keyed by element name")
		}
	}
	return k, err
}

// Answer reads an answer.
func (s *Scorer) Answer(content json.RawMessage) (k Known, err error) {
	switch s.form {
	case oneClass:
		var c int
		c, err = output.ClassAnswer(content, s.categories)
		k.classes = []int{c}
	case manyClasses:
		k.classes, _, err = output.LabelsAnswer(content, s.categories)
		slices.Sort(k.classes)
	case drawnBoxes:
		var a output.BoxesAnswer
		a, err = output.BoxAnswer(content, s.categories)
		for _, b := range a.Boxes {
			k.boxes = append(k.boxes, boxes.Box{Label: b.Category, Left: b.Left, Top: b.Top, Width: b.Width, Height: b.Height})
		}
	case paintedMask:
		var a output.Segments
		if a, err = output.SegmentsAnswer(content, s.categories); err == nil {
			k.mask = newMask(a.Width, a.Height, a.Pixels)
		}
	case markedSpans:
		var list []output.Span
		list, err = output.SpansAnswer(content, s.categories, 0)
		for _, x := range list {
			k.spans = append(k.spans, spans.Span{Start: x.Start, End: x.End, Label: x.Index})
		}
		k.spans = distinct(k.spans)
	default:
		k.elements, err = elementsOf(content)
	}
	return k, err
}

// Score compares an answer with what is known. An answer that cannot be used
// scores 0.
func (s *Scorer) Score(k Known, content json.RawMessage) float64 {
	a, err := s.Answer(content)
	if err != nil {
		return 0
	}
	return s.alike(k, a)
}

// Compare is how far each of the answers to an object agrees with the label
// that was made of them. Where a label is not of the form of an answer, as of
// custom tasks, it is the mean score against each other answer. Nothing is
// known of an object with one answer, or without a label: nil.
func (s *Scorer) Compare(label, metadata json.RawMessage, answers []labeling.Answer) []float64 {
	if len(answers) < 2 || len(label) == 0 {
		return nil
	}
	out := make([]float64, len(answers))
	if s.labelsAreAnswers() {
		known, err := s.Label(label, metadata)
		if err != nil {
			return nil
		}
		for i, a := range answers {
			out[i] = s.Score(known, a.Content)
		}
		return out
	}
	known := make([]*Known, len(answers))
	for i, a := range answers {
		if k, err := s.Answer(a.Content); err == nil {
			known[i] = &k
		}
	}
	for i, a := range known {
		for j, b := range known {
			if i != j && a != nil && b != nil {
				out[i] += s.alike(*a, *b) / float64(len(answers)-1)
			}
		}
	}
	return out
}

// labelsAreAnswers reports whether Label reads what consolidation makes.
func (s *Scorer) labelsAreAnswers() bool { return s.form != elements && s.form != paintedMask }

func (s *Scorer) alike(a, b Known) float64 {
	switch s.form {
	case oneClass, manyClasses:
		both := 0
		for _, c := range a.classes {
			if slices.Contains(b.classes, c) {
				both++
			}
		}
		return share(both, len(a.classes)+len(b.classes)-both)
	case drawnBoxes:
		mean, pairs := boxes.Agreement([][]boxes.Box{a.boxes, b.boxes})
		if pairs == 0 { // neither sees anything
			return 1
		}
		return mean
	case paintedMask:
		return a.mask.alike(b.mask)
	case markedSpans:
		return spansAlike(a.spans, b.spans)
	}
	same, all := 0, len(b.elements)
	for name, value := range a.elements {
		other, ok := b.elements[name]
		if !ok {
			all++
		} else if other == value {
			same++
		}
	}
	return share(same, all)
}

// share is a part of a whole; two that have nothing are the same.
func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// elementsOf are the members of an answer, each as JSON with sorted keys.
func elementsOf(content json.RawMessage) (map[string]string, error) {
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil || m == nil {
		return nil, fmt.Errorf("the answer is not a JSON object")
	}
	out := make(map[string]string, len(m))
	for name, value := range m {
		b, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		out[name] = string(b)
	}
	return out, nil
}
