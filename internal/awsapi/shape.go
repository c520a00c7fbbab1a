package awsapi

import (
	"regexp"
	"sync"
)

// ShapeType is the JSON type of a shape.
type ShapeType uint8

// The types of a service model.
const (
	String ShapeType = iota
	Integer
	Boolean
	Timestamp
	Blob // base64 in JSON
	List
	Map
	Structure
)

// Shape is a shape of a service model, reduced to what decides whether a value
// is legal. Shapes are made at build time and never change.
type Shape struct {
	Type      ShapeType
	Pattern   *Pattern // strings
	Enum      []string // strings
	Min, Max  *int64   // characters of a string, bytes of a blob, elements of a list or map, value of an integer
	Sensitive bool     // the value is never said back
	ISO       bool     // timestamps: a text (ISO 8601) and not a number of seconds

	Members []Member // structures, in the model's order
	Key     *Shape   // maps
	Element *Shape   // lists and maps
}

// Member is one member of a structure.
type Member struct {
	Name     string
	Shape    *Shape
	Required bool
	In       string // REST: "uri" or "querystring"; else it is in the body
}

// ModelOperation is an operation as the service model describes it.
type ModelOperation struct {
	Name      string
	HTTP      string // REST: method and path, as Operation.HTTP
	Input     *Shape
	Errors    []string // modelled error codes
	ResultKey string   // of paged operations: the member that holds the page
}

// Bound is n for Shape.Min and Shape.Max.
func Bound(n int64) *int64 { return &n }

// Pattern is a regular expression that a whole string must match. It is
// compiled when it is first needed: a command that serves nothing should not
// pay for fifty of them.
type Pattern struct {
	Source  string // as the model spells it, for messages
	compile func() *regexp.Regexp
}

// NewPattern makes a pattern from an expression that is the same in the model's
// language (Java) and in Go.
func NewPattern(source string) *Pattern { return NewPatternAs(source, source) }

// NewPatternAs makes a pattern: source for messages, expr in Go's syntax.
func NewPatternAs(source, expr string) *Pattern {
	return &Pattern{Source: source, compile: sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:` + expr + `)$`)
	})}
}

// Match reports whether all of s matches.
func (p *Pattern) Match(s string) bool { return p.compile().MatchString(s) }
