// Package manifest reads input manifests: JSON Lines, one data object a line.
//
// A line is a JSON object in UTF-8 with exactly one of "source-ref" (an S3 URI)
// and "source" (the object's own text), and whatever other members the
// requester wants to find again in the output. Limits are Ground Truth's: at
// most 100,000 characters a line and 20,000 a member, names that do not begin
// with "$". Tolerated: a byte order mark, CRLF, blank lines at the end, no
// newline after the last line.
//
// The reader holds one line in memory, whatever the size of the manifest.
package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/output"
)

// Limits of a manifest.
const (
	MaxLine      = 100_000 // characters
	MaxAttribute = 20_000  // characters
	MaxLines     = 10_000_000

	maxLineBytes = MaxLine * utf8.UTFMax
)

// Line is one line of a manifest.
type Line struct {
	Number    int64  // from 1
	Text      []byte // without the line end; good until the next call of Next
	SourceRef string // the S3 URI, or ""
	Labeled   bool   // has the attribute given to NewReader, and its metadata
}

// Reader reads a manifest line by line.
type Reader struct {
	in        *bufio.Reader
	attribute string
	buf       []byte
	number    int64
	blank     int64 // the first of the blank lines just read, or 0
	dollar    bool  // names may begin with $
}

// NewReader reads the manifest in r. attribute is the job's label attribute
// name, of which Line.Labeled speaks.
func NewReader(r io.Reader, attribute string) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 64<<10), attribute: attribute}
}

// Message reads a line by itself, which was sent to a streaming labeling job. It may
// have members that begin with "$": what another job has labelled has them.
func Message(text []byte, attribute string) (Line, error) {
	r := &Reader{attribute: attribute, number: 1, dollar: true}
	return r.parse(text)
}

// Skip reads n lines without looking at them.
func (r *Reader) Skip(n int64) error {
	for range n {
		if _, err := r.line(); err != nil {
			if err == io.EOF {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// Next answers with the next line, or io.EOF behind the last. An Invalid fault
// says what is wrong with which line; any other error is the underlying
// reader's.
func (r *Reader) Next() (Line, error) {
	for {
		text, err := r.line()
		if err != nil {
			return Line{}, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			if r.blank == 0 {
				r.blank = r.number
			}
			continue
		}
		if r.blank != 0 {
			return Line{}, refuse(r.blank, "it is blank; expected a JSON object (only the end of the manifest may have blank lines)")
		}
		return r.parse(text)
	}
}

// line reads one line without its end.
func (r *Reader) line() ([]byte, error) {
	r.buf = r.buf[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		r.buf = append(r.buf, part...)
		if len(r.buf) > maxLineBytes+2 {
			return nil, refuse(r.number+1, "it is longer than %d characters", MaxLine)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(r.buf) == 0:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		}
		break
	}
	if r.number++; r.number > MaxLines {
		return nil, refuse(r.number, "a manifest has at most %d lines", MaxLines)
	}
	text := r.buf
	if r.number == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	return bytes.TrimSuffix(text, []byte("\r")), nil
}

func (r *Reader) parse(text []byte) (Line, error) {
	l := Line{Number: r.number, Text: text}
	if !utf8.Valid(text) {
		return l, refuse(r.number, "it is not UTF-8")
	}
	if len(text) > MaxLine { // bytes, which are no fewer than characters
		if n := utf8.RuneCount(text); n > MaxLine {
			return l, refuse(r.number, "it has %d characters, more than %d", n, MaxLine)
		}
	}
	if !json.Valid(text) {
		return l, refuse(r.number, "it is not a JSON object: %s", syntax(text))
	}
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t"), []byte("{")) {
		return l, refuse(r.number, `expected a JSON object such as {"source-ref": "s3://bucket/key"}`)
	}
	return l, r.members(&l)
}

// members looks at the members of a line that is a JSON object.
func (r *Reader) members(l *Line) error {
	sources, label, metadata := 0, false, false
	for name, value := range output.Members(l.Text) {
		if err := r.member(l, name, value); err != nil {
			return err
		}
		switch {
		case name == "source" || name == "source-ref":
			sources++
		case r.attribute == "":
		case name == r.attribute:
			label = true
		case strings.TrimSuffix(name, "-metadata") == r.attribute:
			metadata = true
		}
	}
	l.Labeled = label && metadata
	switch sources {
	case 0:
		return refuse(l.Number, "it has neither source-ref nor source; expected exactly one of them")
	case 1:
		return nil
	}
	return refuse(l.Number, "it has source-ref or source more than once; expected exactly one of them")
}

func (r *Reader) member(l *Line, name string, value []byte) error {
	if strings.HasPrefix(name, "$") && !r.dollar {
		return refuse(l.Number, "the key %s begins with $", labeling.Quote(name))
	}
	source := name == "source" || name == "source-ref"
	if !source && len(value) <= MaxAttribute {
		return nil
	}
	text, isString := string(value), value[0] == '"'
	if isString {
		var err error
		if text, err = unquote(value); err != nil {
			return refuse(l.Number, "the value of %s is not JSON", labeling.Quote(name))
		}
	}
	if n := utf8.RuneCountInString(text); n > MaxAttribute {
		return refuse(l.Number, "the value of %s has %d characters, more than %d", labeling.Quote(name), n, MaxAttribute)
	}
	if !source {
		return nil
	}
	if !isString || text == "" {
		return refuse(l.Number, "the value of %s must be a string that is not empty", labeling.Quote(name))
	}
	if name == "source-ref" {
		if _, err := labeling.ParseS3Object(text); err != nil {
			return refuse(l.Number, "source-ref: %s", fault.MessageOf(err))
		}
		l.SourceRef = text
	}
	return nil
}

// unquote is the text of a JSON string; most have no escapes.
func unquote(value []byte) (text string, err error) {
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), nil
	}
	err = json.Unmarshal(value, &text)
	return text, err
}

// syntax says what is wrong with text that is not JSON.
func syntax(text []byte) string {
	var v json.RawMessage
	err := json.Unmarshal(text, &v)
	var s *json.SyntaxError
	if errors.As(err, &s) {
		return s.Error()
	}
	return "syntax error"
}

func refuse(line int64, format string, args ...any) error {
	return fault.Newf("manifest.Next", fault.Invalid, "line %d: "+format, append([]any{line}, args...)...)
}
