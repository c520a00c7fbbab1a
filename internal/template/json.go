package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode reads one JSON document, objects with their members in order.
func decode(raw []byte, depth int) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := decodeValue(d, depth)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	if depth <= 0 {
		return nil, errors.New("objects and arrays are nested too deeply")
	}
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Number:
		return jsonNumber(string(tok)), nil
	case json.Delim:
		if tok == '[' {
			return decodeArray(d, depth)
		}
		return decodeObject(d, depth)
	default:
		return tok, nil // string, bool, nil
	}
}

func decodeArray(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := decodeValue(d, depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func decodeObject(d *json.Decoder, depth int) (any, error) {
	o := &object{}
	for d.More() {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decodeValue(d, depth-1)
		if err != nil {
			return nil, err
		}
		key, _ := tok.(string)
		o.set(key, v)
	}
	_, err := d.Token()
	return o, err
}

func jsonNumber(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s // beyond a float's range: better its digits than infinity
	}
	return f
}

var errTooMuch = errors.New("too much output")

// encoder writes values as JSON within a budget.
type encoder struct {
	buf    []byte
	max    int
	script bool // also fit for a script element and a single-quoted attribute
}

func (e *encoder) value(v any) error {
	if len(e.buf) > e.max {
		return errTooMuch
	}
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, "null"...)
	case string:
		e.string(v)
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case int:
		e.buf = strconv.AppendInt(e.buf, int64(v), 10)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			e.buf = append(e.buf, "null"...)
			return nil
		}
		b, err := json.Marshal(v)
		e.buf = append(e.buf, b...)
		return err
	case *object:
		return e.object(v)
	case markup:
		e.string(v.text)
	case span:
		return e.list(v.length(), func(i int) any { return v.first + i })
	case []any:
		return e.list(len(v), func(i int) any { return v[i] })
	case *loop:
		return e.object(v.object())
	case word:
		e.string("")
	}
	return nil
}

func (e *encoder) object(o *object) error {
	e.buf = append(e.buf, '{')
	for i, m := range o.members {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.string(m.name)
		e.buf = append(e.buf, ':')
		if err := e.value(m.value); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

func (e *encoder) list(n int, at func(int) any) error {
	if n > e.max { // an element takes a byte at least
		return errTooMuch
	}
	e.buf = append(e.buf, '[')
	for i := range n {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.value(at(i)); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

const hexDigits = "0123456789abcdef"

func (e *encoder) string(s string) {
	e.buf = append(e.buf, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			e.buf = append(e.buf, '\\', byte(r))
		case r == '\n':
			e.buf = append(e.buf, `\n`...)
		case r == '\t':
			e.buf = append(e.buf, `\t`...)
		case r < 0x20, e.script && (strings.ContainsRune("<>&'", r) || r == 0x2028 || r == 0x2029):
			e.buf = append(e.buf, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			e.buf = utf8.AppendRune(e.buf, r)
		}
	}
	e.buf = append(e.buf, '"')
}
