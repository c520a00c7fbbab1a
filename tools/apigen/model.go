package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// model is the part of botocore's service-2.json that matters here.
type model struct {
	Operations map[string]operation
	Shapes     map[string]*shape
	Paginators map[string]struct {
		ResultKey string `json:"result_key"`
	} `json:"x-paginators"`
}

type operation struct {
	HTTP struct {
		Method     string
		RequestURI string
	}
	Input, Output ref
	Errors        []ref
}

type ref struct {
	Shape string
	Box   bool

	// Where REST puts a member of an input that is not in the body.
	Location     string
	LocationName string
}

type shape struct {
	Type      string
	Required  []string
	Members   members
	Member    ref // lists
	Key       ref // maps
	Value     ref
	Pattern   string
	Enum      []string
	Min, Max  *int64
	Box       bool
	Sensitive bool
	Exception bool

	TimestampFormat string
}

// members keeps the order in which the model lists them: errors are reported
// in it and the generated structs follow it.
type members []member

type member struct {
	Name string
	ref
}

func (m *members) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		one := member{Name: name.(string)}
		if err := dec.Decode(&one.ref); err != nil {
			return err
		}
		*m = append(*m, one)
	}
	return nil
}

var goTypes = map[string]string{
	"string": "string", "integer": "int64", "boolean": "bool", "timestamp": "awsapi.Time", "blob": "[]byte",
	"structure": "", "list": "", "map": "",
}

// check refuses a model that the generator does not wholly understand: a
// constraint that is silently dropped would be one that clients can break.
func (m *model) check() error {
	for name, s := range m.Shapes {
		if _, ok := goTypes[s.Type]; !ok {
			return fmt.Errorf("shape %s: type %q is not supported", name, s.Type)
		}
		for _, r := range s.refs() {
			if m.Shapes[r] == nil {
				return fmt.Errorf("shape %s refers to %q, which is not there", name, r)
			}
		}
		for _, m := range s.Members {
			// Under its own name: an input is put together by the names of members.
			if m.Location != "" && (m.Location != "uri" && m.Location != "querystring" || m.LocationName != m.Name) {
				return fmt.Errorf("shape %s: %s is at %s %q, which is not supported", name, m.Name, m.Location, m.LocationName)
			}
		}
		if f := s.TimestampFormat; f != "" && f != "iso8601" {
			return fmt.Errorf("shape %s: the timestamp format %q is not supported", name, f)
		}
		for _, r := range s.Required {
			if !slices.ContainsFunc(s.Members, func(m member) bool { return m.Name == r }) {
				return fmt.Errorf("shape %s requires %q, which is not a member", name, r)
			}
		}
		if s.Pattern != "" {
			if _, err := regexp.Compile(goPattern(s.Pattern)); err != nil {
				return fmt.Errorf("shape %s: %w", name, err)
			}
		}
	}
	for name, o := range m.Operations {
		for _, r := range append([]ref{o.Input, o.Output}, o.Errors...) {
			if r.Shape != "" && m.Shapes[r.Shape] == nil {
				return fmt.Errorf("operation %s refers to %q, which is not there", name, r.Shape)
			}
		}
	}
	return nil
}

// goName is the Go type of a scalar.
func (s *shape) goName() string {
	if s.TimestampFormat != "" {
		return "awsapi.ISOTime"
	}
	return goTypes[s.Type]
}

func (s *shape) refs() []string {
	var out []string
	for _, m := range s.Members {
		out = append(out, m.Shape)
	}
	for _, r := range []ref{s.Member, s.Key, s.Value} {
		if r.Shape != "" {
			out = append(out, r.Shape)
		}
	}
	return out
}

var javaRune = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// goPattern turns a Java expression into Go's: \uXXXX is \x{XXXX}.
func goPattern(p string) string {
	return javaRune.ReplaceAllString(p, `\x{$1}`)
}
