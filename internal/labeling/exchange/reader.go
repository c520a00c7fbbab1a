package exchange

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
)

// Limits of an augmented manifest. Its lines are longer than an input
// manifest's, by their labels.
const (
	MaxLine  = 16 << 20 // bytes
	MaxDepth = 64       // brackets in brackets
)

// Reader reads an augmented manifest line by line.
type Reader struct {
	in        *bufio.Reader
	attribute string
	buf       []byte
	number    int64
}

// NewReader reads the labels that attribute names; "" is the one label that
// the manifest has.
func NewReader(r io.Reader, attribute string) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 64<<10), attribute: attribute}
}

// Attribute is the label attribute that is read, "" while it is not known.
func (r *Reader) Attribute() string { return r.attribute }

// Next answers with the next line, or io.EOF behind the last. Blank lines
// count and are skipped. The record is the caller's.
func (r *Reader) Next() (*Record, error) {
	for {
		text, err := r.line()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		return r.parse(text)
	}
}

// line reads one line, never more of it than MaxLine.
func (r *Reader) line() ([]byte, error) {
	r.buf = r.buf[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if len(r.buf)+len(part) > MaxLine+2 {
			return nil, refuse(r.number+1, "it is longer than %d bytes", MaxLine)
		}
		r.buf = append(r.buf, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (err != io.EOF || len(r.buf) == 0) {
			return nil, err
		}
		break
	}
	r.number++
	text := r.buf
	if r.number == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	return text, nil
}

func (r *Reader) parse(text []byte) (*Record, error) {
	if !utf8.Valid(text) {
		return nil, refuse(r.number, "it is not UTF-8")
	}
	if err := Shallow(text, MaxDepth); err != nil {
		return nil, refuse(r.number, "%s", fault.MessageOf(err))
	}
	members, err := Members(text)
	if err != nil {
		return nil, refuse(r.number, "%s", fault.MessageOf(err))
	}
	rec := &Record{Line: r.number}
	if err := r.choose(rec, members); err != nil {
		return nil, err
	}
	var label, metadata json.RawMessage
	for _, m := range members {
		switch m.Name {
		case "source-ref":
			err = text1(m.Value, &rec.Ref)
			if _, perr := labeling.ParseS3Object(rec.Ref); err == nil && perr != nil {
				return nil, refuse(r.number, "source-ref: %s", fault.MessageOf(perr))
			}
		case "source":
			err = text1(m.Value, &rec.Text)
		case r.attribute:
			label = m.Value
		case r.attribute + "-metadata":
			metadata = m.Value
		default:
			rec.Members = append(rec.Members, Member{m.Name, bytes.Clone(m.Value)})
		}
		if err != nil {
			return nil, refuse(r.number, "the value of %s must be a string", quote(m.Name))
		}
	}
	if (rec.Ref == "") == (rec.Text == "") {
		return nil, refuse(r.number, "expected exactly one of source-ref and source, and it not empty")
	}
	if metadata == nil {
		return rec, nil
	}
	if err := decode(rec, label, metadata); err != nil {
		return nil, refuse(r.number, "%s: %s", quote(r.attribute), fault.MessageOf(err))
	}
	return rec, nil
}

// choose settles which label is read, if nobody has said.
func (r *Reader) choose(rec *Record, members []Member) error {
	if r.attribute != "" {
		return nil
	}
	var found []string
	for _, m := range members {
		name, ok := strings.CutSuffix(m.Name, "-metadata")
		if ok && name != "source-ref" && name != "source" && m.Value[0] == '{' {
			found = append(found, name)
		}
	}
	if len(found) > 1 {
		return refuse(rec.Line, "it has the labels %s: say which one with --attribute", quote(strings.Join(found, ", ")))
	}
	if len(found) == 1 {
		r.attribute = found[0]
	}
	return nil
}

// Members are the members of the JSON object that text is, each once.
func Members(text []byte) ([]Member, error) {
	const op = "exchange.Members"
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fault.Newf(op, fault.Invalid, "expected a JSON object")
	}
	var members []Member
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, fault.Newf(op, fault.Invalid, "expected a JSON object")
		}
		if seen[name] {
			return nil, fault.Newf(op, fault.Invalid, "it has %s more than once", quote(name))
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fault.Newf(op, fault.Invalid, "the value of %s is not JSON", quote(name))
		}
		members = append(members, Member{name, value})
	}
	if _, err := d.Token(); err != nil {
		return nil, fault.Newf(op, fault.Invalid, "expected a JSON object")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.Newf(op, fault.Invalid, "expected one JSON object, and nothing after it")
	}
	return members, nil
}

// Shallow refuses JSON that is nested deeper than most brackets.
func Shallow(text []byte, most int) error {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return fault.Newf("exchange.Shallow", fault.Invalid, "it is nested deeper than %d brackets", most)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

func text1(value json.RawMessage, to *string) error {
	if value[0] != '"' {
		return errors.New("not a string")
	}
	return json.Unmarshal(value, to)
}

func quote(s string) string { return labeling.Quote(s) }
