package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"fiducial/internal/fault"
)

// DecodeJSON reads body as shape into out, a pointer to the shape's struct.
// Wrong JSON types answer SerializationException; broken constraints answer
// ValidationException with every one of them named. Members that the shape does
// not have are ignored, as AWS does.
//
// The struct is filled from the members that were checked and from nothing
// else: encoding/json matches names without regard to case and keeps the last
// of two equal ones, so decoding body itself a second time could fill the
// struct with what nobody looked at.
func DecodeJSON(body []byte, shape *Shape, out any) error {
	tree, err := readTree(body)
	if err != nil {
		return err
	}
	v := validator{}
	checked, err := v.value(shape, tree, "")
	if err != nil {
		return err
	}
	if err := v.result(); err != nil {
		return err
	}
	clean, err := json.Marshal(checked)
	if err != nil {
		return fault.E("awsapi.DecodeJSON", fault.Internal, "", err)
	}
	if err := json.Unmarshal(clean, out); err != nil {
		return serialization("The request cannot be read.")
	}
	return nil
}

// DecodeAs makes an Operation.Decode for an input struct.
func DecodeAs[In any](shape *Shape) func(*Call) error {
	return func(c *Call) error {
		in := new(In)
		if err := DecodeJSON(c.Body, shape, in); err != nil {
			return err
		}
		c.Input = in
		return nil
	}
}

// maxDepth bounds nesting. The deepest legal input has eight levels.
const maxDepth = 32

func readTree(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	if depth(body) > maxDepth {
		return nil, serialization("The request is nested too deeply.")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, serialization("The request body is not valid JSON.")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, serialization("The request body has text after its end.")
	}
	return tree, nil
}

// depth is the deepest nesting of body, without building anything.
func depth(body []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

func serialization(message string) error {
	return fault.Coded("awsapi.DecodeJSON", fault.Invalid, "SerializationException", message)
}

// maxViolations bounds an error's text.
const maxViolations = 20

// validator collects violations.
type validator struct {
	found []string
	field string // the first member at fault
}

func (v *validator) result() error {
	if len(v.found) == 0 {
		return nil
	}
	noun := "errors"
	if len(v.found) == 1 {
		noun = "error"
	}
	return &fault.Error{Op: "awsapi.DecodeJSON", Kind: fault.Invalid, Code: "ValidationException", Field: v.field,
		Message: fmt.Sprintf("%d validation %s detected: %s", len(v.found), noun, strings.Join(v.found, "; "))}
}

func (v *validator) violation(path, value, constraint string) {
	if v.field == "" {
		v.field = path
	}
	if len(v.found) < maxViolations {
		v.found = append(v.found, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, path, constraint))
	}
}

// value checks x against s and returns the part of it that s knows. The error
// is for a wrong JSON type; violations are collected.
func (v *validator) value(s *Shape, x any, path string) (any, error) {
	switch s.Type {
	case Structure:
		return v.structure(s, x, path)
	case List:
		return v.list(s, x, path)
	case Map:
		return v.dict(s, x, path)
	}
	if err := scalarType(s, x); err != nil {
		return nil, err
	}
	for _, constraint := range s.broken(x) {
		v.violation(path, quote(s, x), constraint)
	}
	return x, nil
}

func (v *validator) structure(s *Shape, x any, path string) (any, error) {
	in, ok := x.(map[string]any)
	if !ok {
		return nil, mismatch(x, "a structure")
	}
	out := make(map[string]any, len(in))
	for i := range s.Members {
		m := &s.Members[i]
		at := join(path, m.Name)
		value, ok := in[m.Name]
		if !ok || value == nil { // null is absent, as AWS reads it
			if m.Required {
				v.violation(at, "null", "Member must not be null")
			}
			continue
		}
		checked, err := v.value(m.Shape, value, at)
		if err != nil {
			return nil, err
		}
		out[m.Name] = checked
	}
	return out, nil
}

func (v *validator) list(s *Shape, x any, path string) (any, error) {
	in, ok := x.([]any)
	if !ok {
		return nil, mismatch(x, "a list")
	}
	v.size(s, x, len(in), path)
	if s.Max != nil && int64(len(in)) > *s.Max {
		return in[:0], nil // already refused; do not walk what is too long
	}
	scalars := s.Element.Type < List
	for i, e := range in {
		if scalars {
			if err := scalarType(s.Element, e); err != nil {
				return nil, err
			}
			continue
		}
		checked, err := v.value(s.Element, e, path+"."+strconv.Itoa(i+1)+".member")
		if err != nil {
			return nil, err
		}
		in[i] = checked
	}
	if scalars {
		v.elements(s, in, path)
	}
	return in, nil
}

// elements reports a list of scalars once, with all constraints of its element,
// which is how AWS words it.
func (v *validator) elements(s *Shape, in []any, path string) {
	for _, e := range in {
		if len(s.Element.broken(e)) > 0 {
			v.violation(path, quote(s, in), "Member must satisfy constraint: ["+strings.Join(s.Element.constraints(), ", ")+"]")
			return
		}
	}
}

func (v *validator) dict(s *Shape, x any, path string) (any, error) {
	in, ok := x.(map[string]any)
	if !ok {
		return nil, mismatch(x, "a map")
	}
	v.size(s, x, len(in), path)
	for k, e := range in {
		for _, constraint := range s.Key.broken(k) {
			v.violation(path, quote(s.Key, k), "Map keys must satisfy constraint: ["+constraint+"]")
		}
		checked, err := v.value(s.Element, e, path+"."+printable(k)+".value")
		if err != nil {
			return nil, err
		}
		in[k] = checked
	}
	return in, nil
}

func (v *validator) size(s *Shape, x any, n int, path string) {
	if s.Min != nil && int64(n) < *s.Min {
		v.violation(path, quote(s, x), atLeastLength(*s.Min))
	}
	if s.Max != nil && int64(n) > *s.Max {
		v.violation(path, quote(s, x), atMostLength(*s.Max))
	}
}

func atLeastLength(n int64) string {
	return fmt.Sprintf("Member must have length greater than or equal to %d", n)
}

func atMostLength(n int64) string {
	return fmt.Sprintf("Member must have length less than or equal to %d", n)
}
