package contract

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Consolidation is what a post-annotation function is asked.
type Consolidation struct {
	JobARN        string
	Categories    []string // nil: null, for a job without a label category configuration
	AttributeName string
	RoleARN       string
	PayloadURI    string // of the consolidation request
}

type postEvent struct {
	Version            string      `json:"version"`
	LabelingJobArn     string      `json:"labelingJobArn"`
	LabelCategories    []string    `json:"labelCategories"`
	LabelAttributeName string      `json:"labelAttributeName"`
	RoleArn            string      `json:"roleArn"`
	Payload            postPayload `json:"payload"`
}

type postPayload struct {
	S3Uri string `json:"s3Uri"`
}

// Event is the event.
func (c Consolidation) Event() ([]byte, error) {
	return encode(postEvent{Version, c.JobARN, c.Categories, c.AttributeName, c.RoleARN, postPayload{c.PayloadURI}})
}

// Result is one item of a post-annotation function's answer.
type Result struct {
	ObjectID string          // datasetObjectId
	Label    json.RawMessage // the content's member of the label attribute name
	Metadata json.RawMessage // its member <name>-metadata, an object; nil: none
	Content  json.RawMessage // all of it
	Problem  string          // not empty: why the item is of no use for its object
}

// Consolidated is a post-annotation function's answer.
type Consolidated struct {
	Results []Result // in the answer's order
	// Stray says what is wrong with items that name no object.
	Stray []string
}

// maxStray bounds how many stray items are told of.
const maxStray = 5

// ParseConsolidation reads a post-annotation function's answer, for a job with
// the label attribute name. An item that is of no use leaves the others alone;
// the error, whose text says what is wrong, is for an answer that is no list.
func ParseConsolidation(answer []byte, attribute string) (Consolidated, error) {
	var out Consolidated
	if err := check(answer); err != nil {
		return out, err
	}
	var items []json.RawMessage
	if kind := kindOf(answer); kind != "a list" {
		return out, fmt.Errorf("the answer must be a list of results with datasetObjectId and consolidatedAnnotation, not %s", kind)
	}
	if err := json.Unmarshal(answer, &items); err != nil {
		return out, fmt.Errorf("the answer is not JSON: %w", err)
	}
	for i, item := range items {
		r, stray := result(item, attribute)
		if stray == "" {
			out.Results = append(out.Results, r)
			continue
		}
		if len(out.Stray) < maxStray {
			out.Stray = append(out.Stray, fmt.Sprintf("item %d %s", i, stray))
		}
	}
	return out, nil
}

func result(item json.RawMessage, attribute string) (r Result, stray string) {
	m, ok := members(item)
	if !ok {
		return r, "is not an object but " + kindOf(item)
	}
	if r.ObjectID, ok = objectID(m["datasetObjectId"]); !ok {
		return r, "has no datasetObjectId"
	}
	annotation, ok := members(m["consolidatedAnnotation"])
	if !ok {
		r.Problem = "consolidatedAnnotation must be an object, but it is " + kindOf(m["consolidatedAnnotation"])
		return r, ""
	}
	content, ok := members(annotation["content"])
	if !ok {
		r.Problem = "consolidatedAnnotation.content must be an object, but it is " + kindOf(annotation["content"])
		return r, ""
	}
	label, metadata := content[attribute], content[attribute+"-metadata"]
	switch kindOf(label) {
	case "absent", "null":
		r.Problem = fmt.Sprintf("consolidatedAnnotation.content has no member %q, the job's label attribute name", attribute)
		return r, ""
	}
	switch kind := kindOf(metadata); kind {
	case "absent", "null":
	case "an object":
		r.Metadata = compact(metadata)
	default:
		r.Problem = fmt.Sprintf("consolidatedAnnotation.content[%q] must be an object, but it is %s", attribute+"-metadata", kind)
		return r, ""
	}
	r.Label, r.Content = compact(label), compact(annotation["content"])
	return r, ""
}

// objectID takes the number too, which functions make of it that calculate
// with it.
func objectID(value json.RawMessage) (string, bool) {
	var s string
	if kindOf(value) == "a string" && json.Unmarshal(value, &s) == nil && s != "" {
		return s, true
	}
	var n int64
	if kindOf(value) == "a number" && json.Unmarshal(value, &n) == nil {
		return strconv.FormatInt(n, 10), true
	}
	return "", false
}
