package exchange

import (
	"bufio"
	"encoding/xml"
	"io"

	"fiducial/internal/fault"
)

// maxXMLDepth is how deep elements of the formats here are nested, and more.
const maxXMLDepth = 32

// XML reads a foreign XML document element by element. There are no entities
// in it beyond those that XML itself has, since a document type is refused;
// encoding/xml knows no others and fetches nothing.
type XML struct {
	budget  *Budget
	decoder *xml.Decoder
	depth   int
}

// NewXML reads from r.
func NewXML(r io.Reader) *XML {
	b := NewBudget(r)
	// The decoder reads byte by byte from a reader that can do so, else through
	// a buffer of its own.
	return &XML{budget: b, decoder: xml.NewDecoder(bufio.NewReaderSize(b, 4<<10))}
}

// Next answers with the next start or end of an element, or io.EOF.
func (x *XML) Next() (xml.Token, error) {
	for {
		t, err := x.decoder.Token()
		if err == io.EOF {
			return nil, io.EOF
		}
		if err != nil {
			return nil, xmlSyntax(err)
		}
		switch t.(type) {
		case xml.Directive:
			return nil, broken("it has a document type (<!DOCTYPE …>), which is not accepted")
		case xml.StartElement:
			if x.depth++; x.depth > maxXMLDepth {
				return nil, broken("its elements are nested deeper than %d", maxXMLDepth)
			}
			return t, nil
		case xml.EndElement:
			x.depth--
			return t, nil
		}
		if x.depth <= 1 {
			x.budget.Reset() // between elements
		}
	}
}

// Element reads the element that start begins, of at most MaxElement bytes,
// into v.
func (x *XML) Element(start xml.StartElement, v any) error {
	x.depth--
	x.budget.Reset()
	if err := xml.NewTokenDecoder(&bounded{decoder: x.decoder, start: &start}).Decode(v); err != nil {
		return xmlSyntax(err)
	}
	x.budget.Reset()
	return nil
}

// bounded passes tokens on and refuses what Next refuses.
type bounded struct {
	decoder *xml.Decoder
	start   *xml.StartElement // the first token, already read
	depth   int
}

func (b *bounded) Token() (xml.Token, error) {
	if b.start != nil {
		t := *b.start
		b.start = nil
		return t, nil
	}
	t, err := b.decoder.Token()
	switch t.(type) {
	case xml.Directive:
		return nil, broken("it has a document type (<!DOCTYPE …>), which is not accepted")
	case xml.StartElement:
		if b.depth++; b.depth > maxXMLDepth {
			return nil, broken("its elements are nested deeper than %d", maxXMLDepth)
		}
	case xml.EndElement:
		b.depth--
	}
	return t, err
}

func xmlSyntax(err error) error {
	if f, ok := err.(*fault.Error); ok {
		return f
	}
	return broken("it is not XML as expected: %s", err)
}
