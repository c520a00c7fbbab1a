package exchange

import (
	"encoding/json"
	"io"
	"unicode/utf8"

	"fiducial/internal/fault"
)

// MaxElement is the longest element of a foreign document, in bytes: one
// picture's annotations in most formats.
const MaxElement = 16 << 20

// Document reads a large JSON document element by element.
type Document struct {
	budget  *Budget
	decoder *json.Decoder
}

// NewDocument reads from r.
func NewDocument(r io.Reader) *Document {
	b := NewBudget(r)
	return &Document{b, json.NewDecoder(b)}
}

// Fields reads an object: fn is called with the name of each member and must
// read its value by Elements, Value or Skip. Behind the object must be nothing.
func (d *Document) Fields(fn func(name string) error) error {
	t, err := d.token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return broken("expected a JSON object")
	}
	for d.decoder.More() {
		t, err := d.token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if err := fn(name); err != nil {
			return err
		}
	}
	return d.end()
}

// List reads a document that is one array.
func (d *Document) List(fn func(element json.RawMessage) error) error {
	if err := d.Elements(fn); err != nil {
		return err
	}
	if _, err := d.decoder.Token(); err != io.EOF {
		return broken("expected nothing after the JSON array")
	}
	return nil
}

func (d *Document) end() error {
	if _, err := d.token(); err != nil {
		return err
	}
	if _, err := d.decoder.Token(); err != io.EOF {
		return broken("expected nothing after the JSON object")
	}
	return nil
}

// Elements reads an array.
func (d *Document) Elements(fn func(element json.RawMessage) error) error {
	t, err := d.token()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return broken("expected a JSON array")
	}
	for d.decoder.More() {
		v, err := d.Value()
		if err != nil {
			return err
		}
		if err := fn(v); err != nil {
			return err
		}
	}
	_, err = d.token()
	return err
}

// Value reads one value of at most MaxElement bytes.
func (d *Document) Value() (json.RawMessage, error) {
	d.budget.Reset()
	var v json.RawMessage
	if err := d.decoder.Decode(&v); err != nil {
		return nil, syntax(err)
	}
	if !utf8.Valid(v) {
		return nil, broken("it is not UTF-8")
	}
	return v, Shallow(v, MaxDepth)
}

// Skip passes over one value of any length.
func (d *Document) Skip() error {
	for depth := 0; ; {
		t, err := d.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > MaxDepth {
				return broken("it is nested deeper than %d brackets", MaxDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func (d *Document) token() (json.Token, error) {
	d.budget.Reset()
	t, err := d.decoder.Token()
	if err != nil {
		return nil, syntax(err)
	}
	return t, nil
}

func syntax(err error) error {
	if _, ok := err.(*fault.Error); ok {
		return err
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return broken("it is not JSON: %s", err)
}

func broken(format string, args ...any) error {
	return fault.Newf("exchange", fault.Invalid, format, args...)
}

// Budget is a reader that lets so much pass until it is reset: what an element
// is read through, so that none of them fills the memory.
type Budget struct {
	in   io.Reader
	left int
}

// NewBudget has MaxElement bytes to begin with.
func NewBudget(r io.Reader) *Budget { return &Budget{r, MaxElement} }

// Reset begins a new element.
func (b *Budget) Reset() { b.left = MaxElement }

// Read implements io.Reader.
func (b *Budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fault.Newf("exchange", fault.Invalid, "one of its elements is longer than %d bytes", MaxElement)
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
