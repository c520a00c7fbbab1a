package labeling

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
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
	// AuditLabelAttributeName names the label that an adjustment or verification
	// is about.
	AuditLabelAttributeName string
}

// labelFile is the file as it is written.
type labelFile struct {
	Labels []struct {
		Label            *string         `json:"label"`
		DisplayName      string          `json:"displayName"`
		FullDisplayName  string          `json:"fullDisplayName"`
		ShortDisplayName string          `json:"shortDisplayName"`
		Attributes       json.RawMessage `json:"categoryAttributes"`
		EditsAllowed     json.RawMessage `json:"editsAllowed"`
	} `json:"labels"`
	Instructions struct {
		Short string `json:"shortInstruction"`
		Full  string `json:"fullInstruction"`
	} `json:"instructions"`
	Audit            string          `json:"auditLabelAttributeName"`
	AnnotationType   json.RawMessage `json:"annotationType"`
	FrameAttributes  json.RawMessage `json:"frameAttributes"`
	GlobalAttributes json.RawMessage `json:"categoryGlobalAttributes"`
}

// forFrames names a member that would ask workers for something which the tools
// for images and texts do not have. Empty lists ask for nothing.
func (f *labelFile) forFrames() string {
	asks := func(v json.RawMessage) bool { return len(v) > 0 && string(v) != "null" && string(v) != "[]" }
	for i, l := range f.Labels {
		switch {
		case asks(l.Attributes):
			return fmt.Sprintf("categoryAttributes of label %d", i+1)
		case asks(l.EditsAllowed):
			return fmt.Sprintf("editsAllowed of label %d", i+1)
		}
	}
	switch {
	case asks(f.GlobalAttributes):
		return "categoryGlobalAttributes"
	case asks(f.FrameAttributes):
		return "frameAttributes"
	case asks(f.AnnotationType):
		return "annotationType"
	}
	return ""
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
	var file labelFile
	if err := json.Unmarshal(doc, &file); err != nil {
		return refuse(`it is not JSON of the form {"document-version": "2018-11-28", "labels": [{"label": "…"}]}: %v`, err)
	}
	if member := file.forFrames(); member != "" && t != Custom {
		return refuse("%s is for video frames and point clouds; %s has labels only", member, t)
	}
	c := LabelConfig{Instructions: Instructions(file.Instructions), AuditLabelAttributeName: file.Audit}
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
		c.Labels = append(c.Labels, Label{*l.Label, cmp.Or(l.FullDisplayName, l.DisplayName), l.ShortDisplayName})
	}
	if _, audits := t.Audits(); c.AuditLabelAttributeName != "" && !audits && t != Custom {
		return refuse("auditLabelAttributeName is for adjustment and verification; %s is neither", t)
	}
	if n := t.MinLabels(); len(c.Labels) < n {
		return refuse("it has %d labels; %s needs at least %d", len(c.Labels), t, n)
	}
	if n := t.MaxLabels(); n > 0 && len(c.Labels) > n {
		return refuse("it has %d labels; %s takes at most %d", len(c.Labels), t, n)
	}
	return c, nil
}
