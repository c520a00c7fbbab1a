package labeling

import (
	"bytes"
	"encoding/json"

	"fiducial/internal/fault"
)

// TaskInput is what the job's template sees as task.input for a manifest line:
// for a built-in pre-annotation function {"taskObject": source-ref or source,
// "labels": […], "manifestLine": the line}, otherwise the line's own members.
// Labels are names; of named entities objects, with the names to show. Where
// labels are adjusted or verified, labelAttribute says which (see Prior).
// The result is JSON; numbers and the order of members are the manifest's.
func TaskInput(j *Job, line json.RawMessage) (json.RawMessage, error) {
	const op = "labeling.TaskInput"
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '{' || !json.Valid(line) {
		return nil, fault.Newf(op, fault.Invalid, "the manifest line is not a JSON object")
	}
	if j.Input == FunctionInput {
		return nil, fault.Newf(op, fault.Internal, "the task input of %s is what its pre-annotation function answered", j.Name)
	}
	if j.Input != TaskObjectInput {
		return line, nil
	}
	_, object, err := SourceOf(line)
	if err != nil {
		return nil, err
	}
	in := struct {
		TaskObject     string          `json:"taskObject"`
		Labels         any             `json:"labels"`
		LabelAttribute string          `json:"labelAttribute,omitempty"`
		ManifestLine   json.RawMessage `json:"manifestLine"`
	}{TaskObject: object, Labels: j.LabelNames(), ManifestLine: line}
	if j.TemplateTaskType() == NamedEntityRecognition {
		in.Labels = entityLabels(j.Labels)
	}
	if _, ok := j.Audits(); ok {
		prior, err := j.Prior(line)
		if err != nil {
			return nil, err
		}
		in.LabelAttribute = prior.Attribute
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(in); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// TaskInput is what the job's template sees as task.input of this assignment.
func (a *Assignment) TaskInput() (json.RawMessage, error) {
	if len(a.Input) > 0 {
		return a.Input, nil
	}
	return TaskInput(a.Job, a.Line)
}

// entityLabel is a label as crowd-entity-annotation takes it.
type entityLabel struct {
	Label            string `json:"label"`
	ShortDisplayName string `json:"shortDisplayName,omitempty"`
	FullDisplayName  string `json:"fullDisplayName,omitempty"`
}

func entityLabels(labels []Label) []entityLabel {
	out := make([]entityLabel, len(labels))
	for i, l := range labels {
		out[i] = entityLabel{l.Name, l.ShortDisplayName, l.DisplayName}
	}
	return out
}

// SourceOf is the data object of a manifest line: its S3 URI (ref) or its text.
func SourceOf(line json.RawMessage) (ref bool, object string, err error) {
	const op = "labeling.SourceOf"
	var m map[string]json.RawMessage // a struct would also take "Source" for "source"
	if err := json.Unmarshal(line, &m); err != nil {
		return false, "", fault.E(op, fault.Invalid, "the manifest line is not a JSON object", err)
	}
	for _, name := range []string{"source-ref", "source"} {
		v, ok := m[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(v, &object); err != nil {
			return false, "", fault.E(op, fault.Invalid, "the manifest line's "+name+" is not a string", err)
		}
		return name == "source-ref", object, nil
	}
	return false, "", fault.Newf(op, fault.Invalid, "the manifest line has neither source-ref nor source")
}
