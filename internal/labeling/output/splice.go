package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"fiducial/internal/fault"
)

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Splice sets members of the JSON object that line is, by textual surgery:
// the value of a member that is there is replaced where it stands, any other
// member is appended, and every other byte stays as it was. Decoding and
// encoding instead would reorder keys, lose digits of large numbers and
// change foreign labels that the job has no business with.
//
// White space around the line (a \r, a newline) is dropped. A name that
// occurs twice in the line, which JSON readers resolve differently, gets the
// new value at each place, so that all of them read the same.
func Splice(line []byte, members ...Member) ([]byte, error) {
	const op = "output.Splice"
	line = trim(line)
	if !IsObject(line) {
		return nil, fault.Newf(op, fault.Invalid, "the manifest line is not a JSON object")
	}
	members, size, err := compacted(members)
	if err != nil {
		return nil, fault.E(op, fault.Invalid, err.Error(), err)
	}
	out := make([]byte, 0, len(line)+size)
	placed := make([]bool, len(members))
	copied, empty := 0, true
	for s := (scanner{line: line, at: 1}); s.next(); {
		empty = false
		for i, m := range members {
			if s.is(m.Name) {
				out = append(append(out, line[copied:s.start]...), m.Value...)
				copied, placed[i] = s.end, true
				break
			}
		}
	}
	last := len(bytes.TrimRight(line[:len(line)-1], " \t\r\n"))
	out = append(out, line[copied:last]...)
	for i, m := range members {
		if placed[i] {
			continue
		}
		if !empty {
			out = append(out, ',')
		}
		name, err := encode(op, m.Name)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), m.Value...)
		empty = false
	}
	return append(out, line[last:]...), nil
}

// Without is the JSON object that line is without the members named, and the
// values that they had. What stays is as it was written.
func Without(line []byte, names ...string) ([]byte, map[string]json.RawMessage, error) {
	line = trim(line)
	if !IsObject(line) {
		return nil, nil, fault.Newf("output.Without", fault.Invalid, "the manifest line is not a JSON object")
	}
	taken := map[string]json.RawMessage{}
	out := []byte{'{'}
	for s := (scanner{line: line, at: 1}); ; {
		s.skip(',')
		from := s.at
		if !s.next() {
			break
		}
		if name := s.name(); slices.Contains(names, name) {
			taken[name] = bytes.Clone(line[s.start:s.end])
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, line[from:s.end]...)
	}
	return append(out, '}'), taken, nil
}

// Has reports whether the JSON object that line is has a member of the name.
func Has(line []byte, name string) bool {
	line = trim(line)
	if !IsObject(line) {
		return false
	}
	for s := (scanner{line: line, at: 1}); s.next(); {
		if s.is(name) {
			return true
		}
	}
	return false
}

// IsObject reports whether text is one JSON object.
func IsObject(text []byte) bool {
	text = trim(text)
	return len(text) > 0 && text[0] == '{' && json.Valid(text)
}

// Members are the names and values of the JSON object that line is, which must
// be valid JSON, as they stand. The values are parts of line.
func Members(line []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for s := (scanner{line: trim(line), at: 1}); s.next(); {
			if !yield(s.name(), s.line[s.start:s.end]) {
				return
			}
		}
	}
}

func trim(text []byte) []byte { return bytes.Trim(text, " \t\r\n") }

// compacted takes the white space out of the members' values, because a line
// of a manifest is one line, and tells how much room they need.
func compacted(members []Member) ([]Member, int, error) {
	out := make([]Member, len(members))
	size := 0
	for i, m := range members {
		if !json.Valid(m.Value) {
			return nil, 0, fmt.Errorf("the value of %q is not JSON", m.Name)
		}
		value := m.Value
		if hasSpace(value) { // most have none, not even within strings
			var b bytes.Buffer
			if err := json.Compact(&b, value); err != nil {
				return nil, 0, fmt.Errorf("the value of %q is not JSON", m.Name)
			}
			value = b.Bytes()
		}
		out[i] = Member{m.Name, value}
		size += len(m.Name) + len(value) + len(`"":,`)
	}
	return out, size, nil
}

// scanner walks the members of an object already known to be valid JSON, so
// it only has to find where things end. It stays within the line whatever that
// is; behind the last member it stands at the brace that closes the object.
type scanner struct {
	line       []byte
	at         int
	quotedName []byte
	start, end int // of the member's value
}

func (s *scanner) next() bool {
	s.skip(',')
	if s.at >= len(s.line) || s.line[s.at] != '"' {
		return false // the closing brace
	}
	from := s.at
	s.quoted()
	s.quotedName = s.line[from:s.at]
	s.skip(':')
	s.start = s.at
	s.value()
	s.end = s.at
	return true
}

// name is the name of the member.
func (s *scanner) name() string { return unquote(s.quotedName) }

// is reports whether the member has the name, without making a string of it.
func (s *scanner) is(name string) bool {
	q := s.quotedName
	if bytes.IndexByte(q, '\\') >= 0 {
		return unquote(q) == name
	}
	return len(q) == len(name)+2 && string(q[1:len(q)-1]) == name
}

// skip moves behind white space, and what separates here.
func (s *scanner) skip(separator byte) {
	for ; s.at < len(s.line); s.at++ {
		if c := s.line[s.at]; c != separator && c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return
		}
	}
}

// quoted moves behind the string that starts here.
func (s *scanner) quoted() {
	for s.at++; s.at < len(s.line) && s.line[s.at] != '"'; s.at++ {
		if s.line[s.at] == '\\' {
			s.at++
		}
	}
	s.at = min(s.at+1, len(s.line))
}

// value moves behind the value that starts here: to the comma or bracket that
// closes it at its own depth.
func (s *scanner) value() {
	for depth := 0; s.at < len(s.line); {
		switch s.line[s.at] {
		case '"':
			s.quoted()
			if depth == 0 {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return // a number or word before the object's end
			}
			if depth--; depth == 0 {
				s.at++
				return
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return
			}
		}
		s.at++
	}
}

func unquote(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var name string
	if json.Unmarshal(quoted, &name) != nil {
		return ""
	}
	return name
}
