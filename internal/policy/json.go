package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds nesting; a valid document needs five levels.
const maxDepth = 8

type nodeKind uint8

const (
	nodeText nodeKind = iota
	nodeNumber
	nodeBool
	nodeNull
	nodeList
	nodeObject
)

var nodeNames = [...]string{"a string", "a number", "a boolean", "null", "a list", "an object"}

// node is a JSON value that remembers the order of members, so messages can
// name statements by index and duplicates can be refused: encoding/json's maps
// would silently keep the last of two equal keys, which lets two readers of one
// document see two different policies.
type node struct {
	kind    nodeKind
	text    string // strings, numbers as written, "true" or "false"
	items   []node
	members []member
}

type member struct {
	name  string
	value node
}

// parseJSON reads one JSON text. It is a reader of its own because a session
// policy is read on the first use of every media URL, and because a document
// must have one meaning: equal keys, text after the end and invalid UTF-8 are
// refused.
func parseJSON(doc []byte) (node, error) {
	if !utf8.Valid(doc) {
		return node{}, errors.New("the document is not valid UTF-8")
	}
	r := jsonReader{s: string(doc)}
	n, err := r.value(0)
	if err != nil {
		return node{}, err
	}
	if r.peek() != 0 || r.i < len(r.s) {
		return node{}, errors.New("the document has text after its end")
	}
	return n, nil
}

type jsonReader struct {
	s string
	i int
}

// peek skips white space and returns the next byte, 0 at the end.
func (r *jsonReader) peek() byte {
	for ; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (r *jsonReader) invalid() error {
	return fmt.Errorf("the document is not valid JSON at byte %d", r.i)
}

func (r *jsonReader) value(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("the document is nested more than %d levels deep", maxDepth)
	}
	switch c := r.peek(); c {
	case '{':
		return r.object(depth)
	case '[':
		return r.list(depth)
	case '"':
		text, err := r.text()
		return node{kind: nodeText, text: text}, err
	}
	return r.word()
}

func (r *jsonReader) list(depth int) (node, error) {
	n := node{kind: nodeList}
	r.i++
	if r.peek() == ']' {
		r.i++
		return n, nil
	}
	for {
		item, err := r.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
		if more, err := r.more(']'); !more {
			return n, err
		}
	}
}

func (r *jsonReader) object(depth int) (node, error) {
	n := node{kind: nodeObject}
	r.i++
	if r.peek() == '}' {
		r.i++
		return n, nil
	}
	if depth < 3 {
		n.members = make([]member, 0, 4) // as many as a statement has
	}
	for {
		if r.peek() != '"' {
			return node{}, r.invalid()
		}
		name, err := r.text()
		if err != nil {
			return node{}, err
		}
		if r.peek() != ':' {
			return node{}, r.invalid()
		}
		r.i++
		value, err := r.value(depth + 1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name, value})
		if more, err := r.more('}'); err != nil {
			return node{}, err
		} else if !more {
			return n, n.refuseDuplicates()
		}
	}
}

// more reads a comma or the closing byte.
func (r *jsonReader) more(end byte) (bool, error) {
	switch r.peek() {
	case ',':
		r.i++
		return true, nil
	case end:
		r.i++
		return false, nil
	}
	return false, r.invalid()
}

func (n *node) refuseDuplicates() error {
	// Objects of a policy are small; a map is for the hostile ones.
	if len(n.members) <= 8 {
		for i := range n.members {
			for k := range i {
				if n.members[i].name == n.members[k].name {
					return duplicate(n.members[i].name)
				}
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(n.members))
	for i := range n.members {
		if seen[n.members[i].name] {
			return duplicate(n.members[i].name)
		}
		seen[n.members[i].name] = true
	}
	return nil
}

func duplicate(name string) error {
	return fmt.Errorf("the key %q occurs twice in one object", name)
}

// text reads a string. One without escapes is a slice of the document.
func (r *jsonReader) text() (string, error) {
	start := r.i
	for i := r.i + 1; i < len(r.s); i++ {
		switch c := r.s[i]; {
		case c == '"':
			r.i = i + 1
			return r.s[start+1 : i], nil
		case c == '\\':
			return r.escapedText()
		case c < ' ':
			r.i = i
			return "", r.invalid()
		}
	}
	return "", r.invalid()
}

func (r *jsonReader) escapedText() (string, error) {
	for i := r.i + 1; i < len(r.s); i++ {
		if r.s[i] == '\\' {
			i++
			continue
		}
		if r.s[i] == '"' {
			var out string
			if json.Unmarshal([]byte(r.s[r.i:i+1]), &out) != nil {
				return "", r.invalid()
			}
			r.i = i + 1
			return out, nil
		}
	}
	return "", r.invalid()
}

// word reads a number, true, false or null.
func (r *jsonReader) word() (node, error) {
	start := r.i
	for r.i < len(r.s) && strings.IndexByte("+-.0123456789abcdefghijklmnopqrstuvwxyzE", r.s[r.i]) >= 0 {
		r.i++
	}
	switch w := r.s[start:r.i]; {
	case w == "true" || w == "false":
		return node{kind: nodeBool, text: w}, nil
	case w == "null":
		return node{kind: nodeNull}, nil
	case w != "" && json.Valid([]byte(w)):
		return node{kind: nodeNumber, text: w}, nil
	}
	r.i = start
	return node{}, r.invalid()
}

// texts returns the strings of a string or a non-empty list of strings.
func (n node) texts() ([]string, error) {
	switch n.kind {
	case nodeText:
		return []string{n.text}, nil
	case nodeList:
		if len(n.items) == 0 {
			return nil, errors.New("expected at least one value, got an empty list")
		}
		out := make([]string, 0, len(n.items))
		for _, it := range n.items {
			if it.kind != nodeText {
				return nil, fmt.Errorf("expected a list of strings, got %s in it", nodeNames[it.kind])
			}
			out = append(out, it.text)
		}
		return out, nil
	}
	return nil, fmt.Errorf("expected a string or a list of strings, got %s", nodeNames[n.kind])
}

// scalars is texts that also takes numbers and booleans, as condition values may be.
func (n node) scalars() ([]string, error) {
	items := []node{n}
	if n.kind == nodeList {
		items = n.items
	}
	if len(items) == 0 {
		return nil, errors.New("expected at least one value, got an empty list")
	}
	out := make([]string, 0, len(items))
	for _, it := range items {
		if it.kind > nodeBool {
			return nil, fmt.Errorf("expected a string, a number or a boolean, got %s", nodeNames[it.kind])
		}
		out = append(out, it.text)
	}
	return out, nil
}
