package functions

import (
	"encoding/json"
	"strings"
	"unicode"

	"fiducial/internal/envelope"
	"fiducial/internal/labeling/engine"
)

// How much of a function's own words is shown, in characters.
const (
	MaxMessage = 1000
	maxType    = 100
)

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{envelope.NewSecret(text)} }

// Cut makes a text fit to be shown: it has at most so many characters, and none
// that moves a cursor.
func Cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return strings.TrimSpace(s)
}

// maxReport bounds what is decoded of an answer to find an error in it.
const maxReport = 256 << 10

// Report reads the document with which Lambda's runtimes report an error:
//
//	{"errorMessage": "…", "errorType": "…", "stackTrace": […]}
//
// ok is false for any other answer. Answers of functions that did their work
// have members that this has not, so that one cannot be taken for the other.
func Report(answer []byte) (e *engine.FunctionError, ok bool) {
	if len(answer) > maxReport {
		return nil, false
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(answer, &m) != nil {
		return nil, false
	}
	if _, did := m["taskInput"]; did {
		return nil, false
	}
	e = &engine.FunctionError{}
	for name, into := range map[string]*string{"errorMessage": &e.Message, "errorType": &e.Type} {
		value, there := m[name]
		if !there {
			continue
		}
		ok = true
		_ = json.Unmarshal(value, into) // of another type: it stays empty
	}
	return e, ok
}

// Redact strikes secrets out of a text. Short ones would strike out words.
func Redact(s string, secrets ...Secret) string {
	const shortest = 8
	for _, secret := range secrets {
		if text := secret.Reveal(); len(text) >= shortest {
			s = strings.ReplaceAll(s, text, "(redacted)")
		}
	}
	return s
}
