package template

import (
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/osteele/liquid/values"
)

// The values of a template are nil, bool, int, float64, string, []any, *object,
// span, *loop, markup and the two words empty and blank. The library knows the
// first four; the others it sees as value.

// value gives the library a value of ours. It takes any values.Value at its word
// on comparison, membership and members. Interface is the value itself, so that
// it stays one when it is assigned, looped over or handed to a filter.
type value struct{ of any }

func (v value) Interface() any            { return v }
func (v value) Int() int                  { return integer(v.of) }
func (v value) Test() bool                { return true }
func (v value) Equal(o values.Value) bool { return equal(v.of, unwrap(o.Interface())) }
func (v value) Contains(o values.Value) bool {
	return contains(plain(v.of), plain(unwrap(o.Interface())))
}
func (v value) IndexValue(i values.Value) values.Value {
	return values.ValueOf(wrap(index(v.of, unwrap(i.Interface()))))
}
func (v value) PropertyValue(i values.Value) values.Value { return v.IndexValue(i) }
func (v value) Less(o values.Value) bool {
	a, b := plain(v.of), plain(unwrap(o.Interface()))
	return !isWord(a) && !isWord(b) && values.Less(a, b)
}

func wrap(v any) any {
	switch v.(type) {
	case nil, bool, int, float64, value:
		return v
	}
	return value{v}
}

func unwrap(v any) any {
	if w, ok := v.(value); ok {
		return w.of
	}
	return v
}

// object is a JSON object whose members keep their order.
type object struct {
	members []member
	at      map[string]int
}

type member struct {
	name  string
	value any
}

func (o *object) get(name string) (any, bool) {
	i, ok := o.at[name]
	if !ok {
		return nil, false
	}
	return o.members[i].value, true
}

// set keeps the place of a member that is there already, as JSON.parse does.
func (o *object) set(name string, v any) {
	if i, ok := o.at[name]; ok {
		o.members[i].value = v
		return
	}
	if o.at == nil {
		o.at = map[string]int{}
	}
	o.at[name] = len(o.members)
	o.members = append(o.members, member{name, v})
}

// span is a range: first..last, both within.
type span struct{ first, last int }

// length of a range; MaxInt where it would overflow.
func (s span) length() int {
	if s.last < s.first {
		return 0
	}
	if n := uint64(s.last) - uint64(s.first); n < math.MaxInt {
		return int(n) + 1
	}
	return math.MaxInt
}

// word is empty or blank, which are compared with and nothing else.
type word string

const (
	empty word = "empty"
	blank word = "blank"
)

func isWord(v any) bool { _, ok := v.(word); return ok }

// markup is text that is fit for its place in the page as it is.
type markup struct {
	text string
	// how it came to be fit: escaped text is not escaped again, and the text of a
	// capture block is seen by filters as what it says.
	escaped, captured bool
}

// plain takes the mark of fitness off: what a filter or a comparison sees. A
// filter on {% capture u %}s3://b/{{ key }}{% endcapture %} must see the key, not
// its escaped form.
func plain(v any) any {
	m, ok := v.(markup)
	if !ok {
		return v
	}
	if m.captured {
		return html.UnescapeString(m.text)
	}
	return m.text
}

func truthy(v any) bool {
	b, ok := v.(bool)
	return v != nil && (!ok || b)
}

// isEmpty is what equals empty: no number, and not nil.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case *object:
		return len(v.members) == 0
	}
	return false
}

func isBlank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return strings.TrimSpace(v) == ""
	}
	return isEmpty(v)
}

// equal compares as == does: numbers by value, arrays and objects by what they
// hold, everything else within its type.
func equal(a, b any) bool {
	a, b = plain(a), plain(b)
	if w, ok := a.(word); ok {
		a, b = b, w
	}
	switch y := b.(type) {
	case word:
		return a == b || y == empty && isEmpty(a) || y == blank && isBlank(a)
	case []any:
		x, ok := a.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case *object:
		x, ok := a.(*object)
		return ok && len(x.members) == len(y.members) && slices.EqualFunc(x.sorted(), y.sorted(), func(m, n member) bool { return m.name == n.name && equal(m.value, n.value) })
	case span, *loop:
		return a == b
	}
	return values.Equal(a, b)
}

// sorted are an object's members by name.
func (o *object) sorted() []member {
	return slices.SortedFunc(slices.Values(o.members), func(m, n member) int { return strings.Compare(m.name, n.name) })
}

// maxText bounds an array or object that stands where text is asked for.
const maxText = 1 << 20

func jsonOf(v any) (s string, ok bool) {
	e := encoder{max: maxText}
	err := e.value(v)
	return string(e.buf), err == nil
}

func contains(in, what any) bool {
	switch in := in.(type) {
	case string:
		return what != nil && strings.Contains(in, text(what))
	case []any:
		for _, v := range in {
			if equal(v, what) {
				return true
			}
		}
	case span:
		n, ok := what.(int)
		return ok && n >= in.first && n <= in.last
	case *object:
		_, ok := in.get(text(what))
		return ok
	}
	return false
}

// property is a.b, and a["b"].
func property(v any, name string) any {
	v = plain(v)
	switch v := v.(type) {
	case *object:
		if x, ok := v.get(name); ok {
			return x
		}
		switch name {
		case "size":
			return len(v.members)
		case "first":
			if len(v.members) > 0 {
				return pair(v.members[0])
			}
		}
	case []any:
		return propertyOfList(len(v), func(i int) any { return v[i] }, name)
	case span:
		return propertyOfList(v.length(), func(i int) any { return v.first + i }, name)
	case string:
		if name == "size" {
			return utf8.RuneCountInString(v)
		}
	case *loop:
		return v.property(name)
	}
	return nil
}

func propertyOfList(n int, at func(int) any, name string) any {
	switch {
	case name == "size":
		return n
	case name == "first" && n > 0:
		return at(0)
	case name == "last" && n > 0:
		return at(n - 1)
	}
	return nil
}

func pair(m member) any { return []any{m.name, m.value} }

// index is a[i].
func index(v, i any) any {
	i = plain(i)
	if s, ok := i.(string); ok {
		if list, ok := plain(v).([]any); ok { // digits of a captured index
			if n, err := strconv.Atoi(s); err == nil {
				return index(list, n)
			}
		}
		return property(v, s)
	}
	if f, ok := i.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		i = int(f)
	}
	n, ok := i.(int)
	if !ok {
		return nil
	}
	switch v := plain(v).(type) {
	case *object:
		return property(v, strconv.Itoa(n))
	case []any:
		if n < 0 {
			n += len(v)
		}
		if n >= 0 && n < len(v) {
			return v[n]
		}
	case span:
		if n < 0 {
			n += v.length()
		}
		if n >= 0 && n < v.length() {
			return v.first + n
		}
	}
	return nil
}

// decimal writes a float with the digits that it needs, and one after the point.
func decimal(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return ""
	}
	if a := math.Abs(f); a >= 1e16 || a != 0 && a < 1e-4 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
