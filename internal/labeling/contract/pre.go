package contract

import (
	"encoding/json"
	"fmt"
	"strings"
)

// MaxTaskInput is the longest taskInput, in bytes: a worker's page is made of it.
const MaxTaskInput = 1 << 20

type preEvent struct {
	Version        string          `json:"version"`
	LabelingJobArn string          `json:"labelingJobArn"`
	DataObject     json.RawMessage `json:"dataObject"`
}

// PreAnnotationEvent is what a pre-annotation function is asked about a data
// object: the whole manifest line, as it stands there.
func PreAnnotationEvent(jobARN string, line []byte) ([]byte, error) {
	return encode(preEvent{Version, jobARN, line})
}

// Prepared is a pre-annotation function's answer.
type Prepared struct {
	// TaskInput is a JSON object; nil where no human is needed and the function
	// gave none.
	TaskInput json.RawMessage
	// Human: workers are to see the object.
	Human bool
}

// The names of the member that says whether workers are to see an object. The
// first, which is the documented one, wins.
var humanMembers = [...]string{"isHumanAnnotationRequired", "humanAnnotationRequired"}

// ParsePreAnnotation reads a pre-annotation function's answer. The error's text
// says what is wrong with it.
func ParsePreAnnotation(answer []byte) (Prepared, error) {
	if err := check(answer); err != nil {
		return Prepared{}, err
	}
	m, ok := members(answer)
	if !ok {
		return Prepared{}, fmt.Errorf("the answer must be an object with taskInput, not %s", kindOf(answer))
	}
	p := Prepared{Human: true}
	for _, name := range humanMembers {
		value, ok := m[name]
		if !ok || kindOf(value) == "null" {
			continue
		}
		var err error
		if p.Human, err = truth(name, value); err != nil {
			return Prepared{}, err
		}
		break
	}
	input := m["taskInput"]
	switch kind := kindOf(input); {
	case kind == "an object" && len(input) <= MaxTaskInput:
		p.TaskInput = compact(input)
	case !p.Human:
	case kind == "an object":
		return Prepared{}, fmt.Errorf("taskInput is longer than %d bytes", MaxTaskInput)
	case kind == "absent":
		return Prepared{}, fmt.Errorf("the answer has no taskInput")
	default:
		return Prepared{}, fmt.Errorf("taskInput must be an object, not %s", kind)
	}
	return p, nil
}

func truth(name string, value json.RawMessage) (bool, error) {
	var b bool
	if json.Unmarshal(value, &b) == nil {
		return b, nil
	}
	var s string
	if json.Unmarshal(value, &s) == nil {
		switch strings.ToLower(s) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	}
	return false, fmt.Errorf(`%s must be true, false, "true" or "false", not %s`, name, excerpt(value))
}
