package output

import (
	"bytes"

	"fiducial/internal/fault"
)

// Lines makes the lines of a job's output manifest from what is stored: lines of
// the input, labels and metadata that were found to be JSON when they came in. It
// makes what Line makes and does not look again, which would take longer than all
// the rest; that a stored line is an object, from its first brace to the one that
// closes it, is still seen.
type Lines struct {
	attribute, metadata string
	names               [2][]byte // as they stand in a line, with the colon
}

// NewLines makes the lines of a job with the label attribute.
func NewLines(attribute string) (*Lines, error) {
	l := &Lines{attribute: attribute, metadata: attribute + "-metadata"}
	for i, name := range []string{l.attribute, l.metadata} {
		quoted, err := encode("output.NewLines", name)
		if err != nil {
			return nil, err
		}
		l.names[i] = append(quoted, ':')
	}
	return l, nil
}

// Append appends the output line of an input line, without a line end. Of an
// error nothing is appended.
func (l *Lines) Append(b, line []byte, a Annotation) ([]byte, error) {
	const op = "output.Lines.Append"
	if a.Label == nil {
		return l.appendFailed(b, line, a)
	}
	line = trim(line)
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return b, fault.Newf(op, fault.Invalid, "the manifest line is not a JSON object")
	}
	values := [2][]byte{a.Label, a.Metadata}
	for i, name := range []string{l.attribute, l.metadata} {
		if len(values[i]) == 0 {
			return b, fault.Newf(op, fault.Invalid, "the value of %q is not JSON", name)
		}
	}
	before := len(b)
	var placed [2]bool
	copied, empty := 0, true
	s := scanner{line: line, at: 1}
	for s.next() {
		empty = false
		i := 0
		switch {
		case s.is(l.attribute):
		case s.is(l.metadata):
			i = 1
		default:
			continue
		}
		b = appendCompact(append(b, line[copied:s.start]...), values[i])
		copied, placed[i] = s.end, true
	}
	if s.at != len(line)-1 {
		return b[:before], fault.Newf(op, fault.Invalid, "the manifest line is not a JSON object")
	}
	last := len(bytes.TrimRight(line[:len(line)-1], " \t\r\n"))
	b = append(b, line[copied:last]...)
	for i, value := range values {
		if placed[i] {
			continue
		}
		if !empty {
			b = append(b, ',')
		}
		b = appendCompact(append(b, l.names[i]...), value)
		empty = false
	}
	return append(b, line[last:]...), nil
}

// appendFailed appends the line of an object without a label: there are few.
func (l *Lines) appendFailed(b, line []byte, a Annotation) ([]byte, error) {
	made, err := Line(line, l.attribute, a)
	return append(b, made...), err
}

// appendCompact appends JSON without the white space between its parts.
func appendCompact(b, value []byte) []byte {
	if !hasSpace(value) { // most have none, not even within strings
		return append(b, value...)
	}
	inside := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case inside && c == '\\' && i+1 < len(value):
			b = append(b, c)
			i++
		case c == '"':
			inside = !inside
		case !inside && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			continue
		}
		b = append(b, value[i])
	}
	return b
}

// hasSpace looks for each kind by itself, which is many times faster than to look
// for any of them at once.
func hasSpace(b []byte) bool {
	return bytes.IndexByte(b, ' ') >= 0 || bytes.IndexByte(b, '\n') >= 0 || bytes.IndexByte(b, '\t') >= 0 || bytes.IndexByte(b, '\r') >= 0
}
