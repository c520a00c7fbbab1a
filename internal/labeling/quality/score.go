package quality

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/boxes"
	"fiducial/internal/labeling/output"
)

// Scorer compares answers of a job with labels, and with each other. A score
// is 1 where they are the same and 0 where they have nothing in common:
//
//	one category     1 or 0
//	several          shared categories / categories of either (Jaccard)
//	boxes            overlaps (IoU) of boxes that belong together / objects that either sees
//	all else         elements whose values are the same JSON / elements of either
type Scorer struct {
	taskType   labeling.TaskType
	categories output.Categories
}

// NewScorer makes the scorer of a job.
func NewScorer(t labeling.TaskType, labelNames []string) *Scorer {
	return &Scorer{t, output.NewCategories(labelNames)}
}

// Known is a label or an answer to compare others with.
type Known struct {
	classes  []int // sorted
	boxes    []boxes.Box
	elements map[string]string
}

// minScore is from which score an answer to a gold question is right, unless
// the requester says so.
func minScore(t labeling.TaskType) float64 {
	if t == labeling.ObjectDetection {
		return 0.5
	}
	return 1
}

// Label reads a label as the job's output manifest has it: the value of the
// label attribute and of its metadata. Categories are told by their names in
// the metadata where they are there, else by their numbers; a gold question
// may also name them directly. An error says what was expected.
func (s *Scorer) Label(label, metadata json.RawMessage) (Known, error) {
	switch s.taskType {
	case labeling.ImageClassification, labeling.TextClassification:
		c, err := s.classLabel(label, metadata)
		return Known{classes: []int{c}}, err
	case labeling.ImageClassificationMultiLabel, labeling.TextClassificationMultiLabel:
		c, err := s.classesLabel(label, metadata)
		return Known{classes: c}, err
	case labeling.ObjectDetection:
		b, err := s.boxesLabel(label, metadata)
		return Known{boxes: b}, err
	}
	e, err := elementsOf(label)
	if err != nil {
		return Known{}, fmt.Errorf("expected an answer: an object keyed by element name")
	}
	return Known{elements: e}, nil
}

// Answer reads an answer.
func (s *Scorer) Answer(content json.RawMessage) (k Known, err error) {
	switch s.taskType {
	case labeling.ImageClassification, labeling.TextClassification:
		var c int
		c, err = output.ClassAnswer(content, s.categories)
		k.classes = []int{c}
	case labeling.ImageClassificationMultiLabel, labeling.TextClassificationMultiLabel:
		k.classes, _, err = output.LabelsAnswer(content, s.categories)
		slices.Sort(k.classes)
	case labeling.ObjectDetection:
		var a output.BoxesAnswer
		a, err = output.BoxAnswer(content, s.categories)
		for _, b := range a.Boxes {
			k.boxes = append(k.boxes, boxes.Box{Label: b.Category, Left: b.Left, Top: b.Top, Width: b.Width, Height: b.Height})
		}
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
	for i, a := range answers {
		known, err := s.Answer(a.Content)
		for j, b := range answers {
			if err == nil && i != j {
				out[i] += s.Score(known, b.Content) / float64(len(answers)-1)
			}
		}
	}
	return out
}

// labelsAreAnswers reports whether Label reads what consolidation makes.
func (s *Scorer) labelsAreAnswers() bool {
	switch s.taskType {
	case labeling.ImageClassification, labeling.TextClassification, labeling.ImageClassificationMultiLabel,
		labeling.TextClassificationMultiLabel, labeling.ObjectDetection:
		return true
	}
	return false
}

func (s *Scorer) alike(a, b Known) float64 {
	switch s.taskType {
	case labeling.ImageClassification, labeling.TextClassification, labeling.ImageClassificationMultiLabel, labeling.TextClassificationMultiLabel:
		both := 0
		for _, c := range a.classes {
			if slices.Contains(b.classes, c) {
				both++
			}
		}
		return share(both, len(a.classes)+len(b.classes)-both)
	case labeling.ObjectDetection:
		mean, pairs := boxes.Agreement([][]boxes.Box{a.boxes, b.boxes})
		if pairs == 0 { // neither sees anything
			return 1
		}
		return mean
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

func (s *Scorer) class(name string) (int, error) {
	c, ok := s.categories.Index(name)
	if !ok {
		return 0, fmt.Errorf("%s is not one of the job's label categories", labeling.Quote(short(name)))
	}
	return c, nil
}

func (s *Scorer) number(raw json.RawMessage) (int, error) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return s.class(name)
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(raw)))
	if err != nil || n < 0 || n >= s.categories.Len() {
		return 0, fmt.Errorf("expected the name of a label category, or its number from 0 to %d", s.categories.Len()-1)
	}
	return n, nil
}

func (s *Scorer) classLabel(label, metadata json.RawMessage) (int, error) {
	var m struct {
		Class *string `json:"class-name"`
	}
	if json.Unmarshal(metadata, &m) == nil && m.Class != nil {
		return s.class(*m.Class)
	}
	return s.number(label)
}

// classMap reads the names of categories by their numbers in metadata.
func classMap(metadata json.RawMessage) map[string]string {
	var m struct {
		Map map[string]string `json:"class-map"`
	}
	if json.Unmarshal(metadata, &m) != nil {
		return nil
	}
	return m.Map
}

func (s *Scorer) mapped(names map[string]string, raw json.RawMessage) (int, error) {
	if name, ok := names[string(bytes.TrimSpace(raw))]; ok {
		return s.class(name)
	}
	return s.number(raw)
}

func (s *Scorer) classesLabel(label, metadata json.RawMessage) ([]int, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(label, &list); err != nil {
		return nil, fmt.Errorf("expected a list of label categories")
	}
	names := classMap(metadata)
	out := []int{}
	for _, raw := range list {
		c, err := s.mapped(names, raw)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (s *Scorer) boxesLabel(label, metadata json.RawMessage) ([]boxes.Box, error) {
	var v struct {
		Annotations *[]struct {
			Class                    json.RawMessage `json:"class_id"`
			Left, Top, Width, Height float64
		}
	}
	if err := json.Unmarshal(label, &v); err != nil || v.Annotations == nil {
		return nil, fmt.Errorf(`expected {"annotations": [{"class_id", "left", "top", "width", "height"}]}`)
	}
	names := classMap(metadata)
	var out []boxes.Box
	for i, a := range *v.Annotations {
		c, err := s.mapped(names, a.Class)
		if err != nil {
			return nil, fmt.Errorf("box %d: %w", i+1, err)
		}
		b := boxes.Box{Label: c, Left: a.Left, Top: a.Top, Width: a.Width, Height: a.Height}
		if !b.Real() {
			return nil, fmt.Errorf("box %d has no area", i+1)
		}
		out = append(out, b)
	}
	return out, nil
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
