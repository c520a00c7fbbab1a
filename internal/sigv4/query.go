package sigv4

import (
	"iter"
	"strings"
)

// Query is a query string taken apart: decoded parameters in canonical order.
// A plus sign is a space, a parameter without an equals sign has an empty value.
type Query struct {
	params []param
	few    [10]param // most requests have no more, and then need no slice
	loose  bool      // written in a way that no presigner writes
}

// param is one parameter, decoded and in canonical encoding. Both are substrings
// of the raw query where that needs no change.
type param struct{ name, value, encName, encValue string }

// ParseQuery takes a raw query apart.
func ParseQuery(raw string) (*Query, error) {
	q := &Query{}
	return q, q.parse(raw)
}

func (q *Query) parse(raw string) error {
	if len(raw) > maxQuery {
		return invalid(CodeInvalidURI, "the query is longer than %d bytes", maxQuery)
	}
	q.params = q.few[:0]
	for raw != "" {
		pair, rest, more := strings.Cut(raw, "&")
		raw = rest
		if pair == "" || more && rest == "" {
			q.loose = true
		}
		if pair == "" {
			continue
		}
		if len(q.params) == maxParams {
			return invalid(CodeInvalidURI, "the query has more than %d parameters", maxParams)
		}
		name, value, _ := strings.Cut(pair, "=")
		var p param
		var okName, okValue bool
		p.name, p.encName, okName = q.component(name)
		p.value, p.encValue, okValue = q.component(value)
		if !okName || !okValue {
			return invalid(CodeInvalidURI, "the query has a malformed percent-escape")
		}
		q.insert(p)
	}
	return nil
}

// insert keeps the parameters sorted by encoded name, then value. Presigners
// write them almost sorted, so this is almost an append.
func (q *Query) insert(p param) {
	q.params = append(q.params, p)
	for i := len(q.params) - 1; i > 0; i-- {
		prev := &q.params[i-1]
		c := strings.Compare(prev.encName, p.encName)
		if c < 0 || c == 0 && prev.encValue <= p.encValue {
			return
		}
		q.params[i], q.params[i-1] = *prev, p
	}
}

// component decodes one name or value and gives its canonical encoding.
func (q *Query) component(raw string) (decoded, encoded string, ok bool) {
	i := 0
	for i < len(raw) && unreserved[raw[i]] { // a token is one long run of these
		i++
	}
	if i == len(raw) {
		return raw, raw, true
	}
	escaped, canonical := false, true
	for ; i < len(raw); i++ {
		c := raw[i]
		switch {
		case unreserved[c]:
		case c == '%':
			if i+2 >= len(raw) {
				return "", "", false
			}
			hi, lo := hexDigit(raw[i+1]), hexDigit(raw[i+2])
			if hi > 15 || lo > 15 {
				return "", "", false
			}
			if raw[i+1] >= 'a' || raw[i+2] >= 'a' {
				canonical, q.loose = false, true
			}
			canonical = canonical && !unreserved[hi<<4|lo]
			escaped = true
			i += 2
		case c == '+':
			escaped, canonical = true, false
		default:
			canonical = false
		}
	}
	decoded, encoded = raw, raw
	if escaped {
		decoded = unescape(raw)
	}
	if !canonical {
		encoded = string(appendEscaped(make([]byte, 0, len(raw)+16), decoded, false))
	}
	return decoded, encoded, true
}

// unescape decodes what component has checked.
func unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '%':
			b.WriteByte(hexDigit(s[i+1])<<4 | hexDigit(s[i+2]))
			i += 2
		case '+':
			b.WriteByte(' ')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// Get returns the first value of a parameter in canonical order, "" if there is none.
func (q *Query) Get(name string) string {
	v, _ := q.Lookup(name)
	return v
}

// Has reports whether the parameter is there, with or without a value.
func (q *Query) Has(name string) bool {
	_, ok := q.Lookup(name)
	return ok
}

// Lookup returns the first value of a parameter in canonical order.
func (q *Query) Lookup(name string) (string, bool) {
	for i := range q.params {
		if q.params[i].name == name {
			return q.params[i].value, true
		}
	}
	return "", false
}

// LookupFold is Lookup without regard to case. It is for x-amz-* headers, which
// presigners move into the query in whatever case they were set.
func (q *Query) LookupFold(name string) (string, bool) {
	for i := range q.params {
		if strings.EqualFold(q.params[i].name, name) {
			return q.params[i].value, true
		}
	}
	return "", false
}

// All yields every parameter in canonical order, decoded.
func (q *Query) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := range q.params {
			if !yield(q.params[i].name, q.params[i].value) {
				return
			}
		}
	}
}

// Len returns how many parameters there are.
func (q *Query) Len() int { return len(q.params) }

// appendCanonical writes the canonical query without the signature itself.
func (q *Query) appendCanonical(b []byte) []byte {
	first := true
	for i := range q.params {
		p := &q.params[i]
		if p.name == paramSignature {
			continue
		}
		if !first {
			b = append(b, '&')
		}
		first = false
		b = append(b, p.encName...)
		b = append(b, '=')
		b = append(b, p.encValue...)
	}
	return b
}

// unreserved are the characters that are never percent-encoded (RFC 3986, 2.3).
var unreserved = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" {
		t[c] = true
	}
	return t
}()

func hexDigit(c byte) byte {
	if 'A' <= c && c <= 'F' {
		return c - 'A' + 10
	}
	return lowerDigit(c)
}

// appendEscaped percent-encodes s in canonical form, keeping slashes in paths.
func appendEscaped(b []byte, s string, path bool) []byte {
	const digits = "0123456789ABCDEF"
	done := 0 // a token is one long run that needs nothing
	for i := range len(s) {
		c := s[i]
		if unreserved[c] || path && c == '/' {
			continue
		}
		b = append(b, s[done:i]...)
		b = append(b, '%', digits[c>>4], digits[c&15])
		done = i + 1
	}
	return append(b, s[done:]...)
}
