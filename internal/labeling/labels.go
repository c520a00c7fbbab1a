package labeling

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"fiducial/internal/fault"
)

// Limits of a label category configuration file.
const (
	MaxLabelConfig = 1 << 20 // bytes
	MaxLabelName   = 256     // characters
	maxLabels      = 10_000
)

// LabelConfig is a label category configuration file.
type LabelConfig struct {
	Labels       []Label
	Instructions Instructions
}

// ParseLabelConfig reads a label category configuration file for the task type.
func ParseLabelConfig(doc []byte, t TaskType) (LabelConfig, error) {
	const op = "labeling.ParseLabelConfig"
	refuse := func(format string, args ...any) (LabelConfig, error) {
		return LabelConfig{}, fault.Newf(op, fault.Invalid, format, args...)
	}
	if len(doc) > MaxLabelConfig {
		return refuse("it is longer than %d bytes", MaxLabelConfig)
	}
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	if !utf8.Valid(doc) {
		return refuse("it is not UTF-8")
	}
	var file struct {
		Labels []struct {
			Label            *string `json:"label"`
			DisplayName      string  `json:"displayName"`
			ShortDisplayName string  `json:"shortDisplayName"`
		} `json:"labels"`
		Instructions struct {
			Short string `json:"shortInstruction"`
			Full  string `json:"fullInstruction"`
		} `json:"instructions"`
	}
	if err := json.Unmarshal(doc, &file); err != nil {
		return refuse(`it is not JSON of the form {"document-version": "2018-11-28", "labels": [{"label": "…"}]}: %v`, err)
	}
	c := LabelConfig{Instructions: Instructions(file.Instructions)}
	if n := len(file.Labels); n > maxLabels {
		return refuse("it has %d labels, more than %d", n, maxLabels)
	}
	seen := make(map[string]bool, len(file.Labels))
	for i, l := range file.Labels {
		switch {
		case l.Label == nil || *l.Label == "":
			return refuse(`label %d has no name: expected {"label": "…"}`, i+1)
		case utf8.RuneCountInString(*l.Label) > MaxLabelName:
			return refuse("the name of label %d is longer than %d characters", i+1, MaxLabelName)
		case seen[*l.Label]:
			return refuse("label %s is there twice", Quote(*l.Label))
		}
		seen[*l.Label] = true
		c.Labels = append(c.Labels, Label{*l.Label, l.DisplayName, l.ShortDisplayName})
	}
	if n := t.MinLabels(); len(c.Labels) < n {
		return refuse("it has %d labels; %s needs at least %d", len(c.Labels), t, n)
	}
	if n := t.MaxLabels(); n > 0 && len(c.Labels) > n {
		return refuse("it has %d labels; %s takes at most %d", len(c.Labels), t, n)
	}
	return c, nil
}
