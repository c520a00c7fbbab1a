package quality

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/boxes"
)

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
