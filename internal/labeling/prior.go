package labeling

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"fiducial/internal/fault"
)

// Audits is the task type whose labels the job has adjusted or verified, as its
// functions say.
func (j *Job) Audits() (TaskType, bool) {
	if t, ok := j.TaskType.Audits(); ok {
		return t, true
	}
	return j.TemplateTaskType().Audits()
}

// Prior is a label that an earlier job gave to an object.
type Prior struct {
	Attribute string
	Label     json.RawMessage
	Metadata  json.RawMessage
	created   string
}

// Prior finds the label of a manifest line that the job adjusts or verifies:
// the one that auditLabelAttributeName names, or else the newest of the right
// type under another name than the job's own. The error says in words for the
// requester why there is none.
func (j *Job) Prior(line json.RawMessage) (Prior, error) {
	const op = "labeling.Prior"
	t, _ := j.Audits()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(line, &m); err != nil {
		return Prior{}, fault.E(op, fault.Invalid, "the manifest line is not a JSON object", err)
	}
	if name := j.AuditLabelAttributeName; name != "" {
		p, ok := prior(m, name, t)
		if !ok {
			return Prior{}, fault.Newf(op, fault.Invalid, "The object has no label %s of type %s to be adjusted or verified.", Quote(name), t.MetadataType())
		}
		return p, nil
	}
	var found []Prior
	for name := range m {
		if p, ok := prior(m, name, t); ok && name != j.LabelAttributeName {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return Prior{}, fault.Newf(op, fault.Invalid, "The object has no label of type %s to be adjusted or verified.", t.MetadataType())
	}
	return slices.MaxFunc(found, func(a, b Prior) int {
		return cmp.Or(strings.Compare(a.created, b.created), strings.Compare(a.Attribute, b.Attribute))
	}), nil
}

func prior(m map[string]json.RawMessage, name string, t TaskType) (Prior, bool) {
	p := Prior{Attribute: name, Label: m[name], Metadata: m[name+"-metadata"]}
	var meta struct {
		Type    string `json:"type"`
		Created string `json:"creation-date"`
	}
	if len(p.Label) == 0 || string(p.Label) == "null" || json.Unmarshal(p.Metadata, &meta) != nil {
		return p, false
	}
	p.created = meta.Created
	return p, meta.Type == t.MetadataType()
}

// CheckConfig holds a label category configuration to the rest of the job.
func (j *Job) CheckConfig(c LabelConfig) error {
	const op = "labeling.CheckConfig"
	switch {
	case c.AuditLabelAttributeName != "" && c.AuditLabelAttributeName == j.LabelAttributeName:
		return fault.Newf(op, fault.Invalid, "auditLabelAttributeName is %s, which is the job's own LabelAttributeName: labels are adjusted and verified under another name", Quote(j.LabelAttributeName))
	case j.TemplateTaskType() == NamedEntityRecognition && j.BuiltinTemplate() && c.Instructions == (Instructions{}):
		return fault.Newf(op, fault.Invalid, `it has no "instructions" ({"shortInstruction": "<p>…</p>", "fullInstruction": "<p>…</p>"}), which the human task UI of named entity recognition shows`)
	}
	return nil
}

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// CheckPrior refuses a prior label that workers could not be shown rightly, so
// that the job's set-up ends before anybody works: segments without colours, and
// categories that the job does not have and would lose.
func (j *Job) CheckPrior(p Prior) error {
	const op = "labeling.CheckPrior"
	refuse := func(format string, args ...any) error {
		return fault.Newf(op, fault.Invalid, "the label "+Quote(p.Attribute)+" "+format, args...)
	}
	names, err := p.categories(j)
	if err != nil {
		return refuse("%s", fault.MessageOf(err))
	}
	if !j.TaskType.Adjusts() {
		return nil
	}
	own := j.LabelNames()
	for _, name := range names {
		if !slices.Contains(own, name) {
			return refuse("has the category %s, which the label category configuration lacks: an adjustment needs all categories of the labels that it adjusts", Quote(name))
		}
	}
	return nil
}

// Background is what an internal-color-map calls pixels without a label.
const Background = "BACKGROUND"

// categories are the names of the label's categories.
func (p Prior) categories(j *Job) ([]string, error) {
	const op = "labeling.Prior"
	var meta struct {
		ClassMap map[string]string `json:"class-map"`
		ColorMap map[string]struct {
			Name  string `json:"class-name"`
			Color string `json:"hex-color"`
		} `json:"internal-color-map"`
	}
	if err := json.Unmarshal(p.Metadata, &meta); err != nil {
		return nil, fault.E(op, fault.Invalid, "has metadata that cannot be read: "+err.Error(), err)
	}
	var names []string
	if t, _ := j.Audits(); t != SemanticSegmentation {
		for _, name := range meta.ClassMap {
			names = append(names, name)
		}
		slices.Sort(names)
		return names, nil
	}
	var uri string
	if json.Unmarshal(p.Label, &uri) != nil {
		return nil, fault.Newf(op, fault.Invalid, "is not the S3 URI of a picture of segments")
	}
	if _, err := ParseS3Object(uri); err != nil {
		return nil, fault.Newf(op, fault.Invalid, "is not the S3 URI of a picture of segments: %s", fault.MessageOf(err))
	}
	if len(meta.ColorMap) == 0 {
		return nil, fault.Newf(op, fault.Invalid, "has no internal-color-map in its metadata, so its colours mean nothing")
	}
	for _, c := range meta.ColorMap {
		if !hexColor.MatchString(c.Color) {
			return nil, fault.Newf(op, fault.Invalid, "has no hex-color (#rrggbb) for the category %s in its internal-color-map", Quote(c.Name))
		}
		if c.Name != Background {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}
