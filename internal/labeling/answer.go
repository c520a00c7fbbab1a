package labeling

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"fiducial/internal/fault"
)

// MaxAnswer is the longest answer or draft, in bytes. What needs it are pictures
// of segments: one of 24 megapixels with 3,000 areas of jagged outlines takes
// 2.6 MB as Base64, and grows with the length of the outlines, not with the area.
// Nine such answers to one object are 36 MB, which a batch of consolidation holds
// a few times over while it writes its files.
const MaxAnswer = 4 << 20

// maxDepth bounds how deeply an answer nests; the deepest crowd element needs
// six levels.
const maxDepth = 64

// CheckAnswer reports whether b is an answer: one JSON object in UTF-8 of at
// most MaxAnswer bytes. It returns the object without needless white space.
func CheckAnswer(b json.RawMessage) (json.RawMessage, error) {
	const op = "labeling.CheckAnswer"
	if len(b) > MaxAnswer {
		return nil, fault.Newf(op, fault.Limit, "the answer is longer than %d bytes", MaxAnswer)
	}
	if t := bytes.TrimSpace(b); len(t) == 0 || t[0] != '{' {
		return nil, fault.Newf(op, fault.Invalid, "the answer must be a JSON object keyed by element name")
	}
	if !utf8.Valid(b) {
		return nil, fault.Newf(op, fault.Invalid, "the answer is not UTF-8")
	}
	if Deeper(b, maxDepth) {
		return nil, fault.Newf(op, fault.Invalid, "the answer nests deeper than %d levels", maxDepth)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return nil, fault.E(op, fault.Invalid, "the answer is not well-formed JSON", err)
	}
	return out.Bytes(), nil
}

// Deeper reports whether brackets outside strings nest deeper than most.
func Deeper(b []byte, most int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
