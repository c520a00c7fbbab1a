// Package contract is what a labeling job and the functions that requesters
// write say to each other: the events that functions get and the answers that
// they give. It is pure; who carries them is the engine's business.
//
// A pre-annotation function is asked about one data object at a time:
//
//	{"version":"2018-10-16","labelingJobArn":"arn:…","dataObject":{ the manifest line }}
//
// and answers what the worker task template sees as task.input, and whether
// the object needs a human at all. The second member has two names, and its
// value is a boolean or a text, because both stand in AWS's own samples:
//
//	{"taskInput":{…},"isHumanAnnotationRequired":true}
//	{"taskInput":{…},"humanAnnotationRequired":"true"}
//
// A post-annotation (consolidation) function is asked about a batch of objects
// whose answers lie in a file (see output.ConsolidationRequest):
//
//	{"version":"2018-10-16","labelingJobArn":"arn:…","labelCategories":["…"],
//	 "labelAttributeName":"…","roleArn":"arn:…","payload":{"s3Uri":"s3://…"}}
//
// and answers a list, one or more results for each object:
//
//	[{"datasetObjectId":"0","consolidatedAnnotation":{"content":{"<labelAttributeName>": … }}}]
//
// Source: developer guide, sms-custom-templates-step3-lambda-requirements, and
// the demo functions of sms-custom-templates-step2-demo1 and -demo2.
package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"fiducial/internal/labeling"
)

// Version is the events' "version".
const Version = "2018-10-16"

// maxDepth bounds how deeply an answer nests.
const maxDepth = 200

// check reports whether an answer is JSON that can be kept.
func check(answer []byte) error {
	switch {
	case len(bytes.TrimSpace(answer)) == 0:
		return errors.New("the answer is empty")
	case !utf8.Valid(answer):
		return errors.New("the answer is not UTF-8")
	case !json.Valid(answer):
		return fmt.Errorf("the answer is not JSON: %s", excerpt(answer))
	case labeling.Deeper(answer, maxDepth):
		return fmt.Errorf("the answer nests deeper than %d levels", maxDepth)
	}
	return nil
}

// members are those of a JSON object; ok is false for any other value. A map,
// because the names of a struct's members would be taken in any case.
func members(value []byte) (m map[string]json.RawMessage, ok bool) {
	if kindOf(value) != "an object" {
		return nil, false
	}
	return m, json.Unmarshal(value, &m) == nil
}

// kindOf names what sort of value well-formed JSON is.
func kindOf(value []byte) string {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return "absent"
	}
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// excerpt is the beginning of what a function answered, for a message.
func excerpt(b []byte) string {
	const most = 200
	s := string(bytes.TrimSpace(b))
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// encode writes compact JSON in which <, > and & stand for themselves.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// compact is well-formed JSON without white space around its values.
func compact(value []byte) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return value // it was checked to be well-formed
	}
	return b.Bytes()
}
