package template

import (
	"context"
	"errors"
	"fmt"
	"html"
	"reflect"
	"strings"

	"github.com/osteele/liquid/filters"
	"github.com/osteele/liquid/render"
	"github.com/osteele/liquid/values"

	"fiducial/internal/fault"
)

// filter is one row of the table below.
type filter struct {
	// takes is what the input and the arguments are given as, a letter for each:
	// text, integer, number, list, array (a list that is one already), plain (any
	// value), or marked (the same, with the mark of markup). What follows a ? may be
	// left out.
	takes string
	// do makes the result, which is escaped when it is printed unless it is markup.
	// Without one the library's filter of the name does.
	do func(c call) (any, error)
	// named arguments.
	named []string
	// light: the filter looks at little of its input, and is not charged for it.
	light bool
}

func (f filter) arity() (least, most int) {
	must, may, _ := strings.Cut(f.takes, "?")
	return len(must) - 1, len(must) - 1 + len(may)
}

// standardFilters are all filters that a template may use: Ground Truth's own and
// standard Liquid's. Those of ours that the library has too read something
// differently there; docs/decisions/0015-liquid.md says what.
var standardFilters = map[string]filter{
	"grant_read_access": {takes: "m", do: grantReadAccess},
	"to_json":           {takes: "m", do: toJSON},
	"json":              {takes: "m", do: toJSON},
	"skip_autoescape":   {takes: "m", do: skipAutoescape},
	"escape":            {takes: "m", do: escape},
	"h":                 {takes: "m", do: escape},
	"escape_once":       {takes: "m", do: escapeOnce},

	"abs": {takes: "n", do: numeric(absolute)}, "ceil": {takes: "n", do: whole}, "floor": {takes: "n", do: whole}, "round": {takes: "n?i", do: round},
	"at_least": {takes: "nn"}, "at_most": {takes: "nn"},
	"plus": {takes: "nn", do: numeric(plus)}, "minus": {takes: "nn", do: numeric(minus)}, "times": {takes: "nn", do: numeric(times)},
	"divided_by": {takes: "nn", do: numeric(dividedBy)}, "modulo": {takes: "nn", do: numeric(modulo)},

	"append": {takes: "tt"}, "prepend": {takes: "tt"}, "capitalize": {takes: "t"}, "downcase": {takes: "t"}, "upcase": {takes: "t"},
	"newline_to_br": {takes: "t", do: newlineToBR}, "strip_newlines": {takes: "t", do: stripNewlines}, "strip_html": {takes: "t", do: stripHTML},
	"strip": {takes: "t"}, "lstrip": {takes: "t"}, "rstrip": {takes: "t"}, "squish": {takes: "t", do: squish},
	"remove": {takes: "tt"}, "remove_first": {takes: "tt"}, "remove_last": {takes: "tt"},
	"replace": {takes: "tt?t"}, "replace_first": {takes: "tt?t"}, "replace_last": {takes: "tt?t"},
	"split": {takes: "tt"}, "slice": {takes: "pi?i", do: slice},
	"truncate": {takes: "t?it"}, "truncatewords": {takes: "t?it"}, "url_encode": {takes: "t"}, "url_decode": {takes: "t"},
	"base64_encode": {takes: "t", do: base64Encode}, "base64_decode": {takes: "t", do: base64Decode},
	"base64_url_safe_encode": {takes: "t", do: base64URLEncode}, "base64_url_safe_decode": {takes: "t", do: base64URLDecode},

	"size": {takes: "p", do: sizeOf, light: true}, "first": {takes: "p", do: firstOf, light: true}, "last": {takes: "p", do: lastOf, light: true},
	"join": {takes: "l?t"}, "reverse": {takes: "l"}, "concat": {takes: "la"},
	"sort": {takes: "l?p", do: sortList}, "sort_natural": {takes: "l?p", do: sortNatural}, "uniq": {takes: "l?p", do: uniq},
	"compact": {takes: "l?p", do: compact}, "map": {takes: "lp", do: mapList}, "sum": {takes: "l?p", do: sum},
	"where": {takes: "lp?p", do: where(true)}, "reject": {takes: "lp?p", do: where(false)},
	"find": {takes: "lp?p", do: find}, "find_index": {takes: "lp?p", do: findIndex}, "has": {takes: "lp?p", do: has},

	"date": {takes: "pt", do: date}, "default": {takes: "m?p", do: defaultTo, named: []string{"allow_false"}, light: true},
}

// call is one use of a filter. Its input and arguments are of the types that the
// table asks for.
type call struct {
	r     *run
	name  string
	in    any
	args  []any
	named map[string]any
}

// arg is an argument, or nil.
func (c call) arg(i int) any {
	if i < len(c.args) {
		return c.args[i]
	}
	return nil
}

// dictionary takes the library's filters.
type dictionary map[string]reflect.Value

// AddFilter implements filters.FilterDictionary.
func (d dictionary) AddFilter(name string, fn any) { d[name] = reflect.ValueOf(fn) }

func (r *run) addFilters(cfg *render.Config) {
	r.library = dictionary{}
	filters.AddStandardFilters(dictionary(r.library))
	for name, f := range standardFilters {
		cfg.AddFilter(name, func(args ...any) (any, error) { return r.apply(name, f, args) })
	}
	one := func(name string, do func(v any) (any, error)) {
		cfg.AddFilter(name, func(v any) (any, error) { return do(unwrap(v)) })
	}
	two := func(name string, do func(a, b any) any) {
		cfg.AddFilter(name, func(a, b any) any { return do(unwrap(a), unwrap(b)) })
	}
	one(printFilter, r.print)
	one(notFilter, func(v any) (any, error) { return !truthy(v), nil })
	one(caseFilter, caseValue)
	two(rangeFilter, func(a, b any) any { return value{span{integer(plain(a)), integer(plain(b))}} })
	two(isFilter, func(a, b any) any { return equal(a, b) })
	two(isntFilter, func(a, b any) any { return !equal(a, b) })
	cfg.AddFilter(itemsFilter, func(over any, id int, mods map[string]any) (any, error) { return r.items(unwrap(over), id, mods) })
}

// caseValue makes a value one that the library's case tag can compare.
func caseValue(v any) (any, error) {
	switch v := plain(v).(type) {
	case []any, *object, *loop:
		s, _ := jsonOf(v)
		return "\x00" + s, nil
	default:
		return wrap(v), nil
	}
}

// print makes a value fit for the library to write.
func (r *run) print(v any) (any, error) {
	if m, ok := v.(markup); ok {
		return values.SafeValue{Value: m.text}, r.alive()
	}
	s, err := r.text(v)
	if err != nil {
		return nil, err
	}
	return s, r.alive()
}

// apply runs a filter within the budget.
func (r *run) apply(name string, f filter, args []any) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, errors.New("it cannot take this value")
		}
	}()
	if err := r.alive(); err != nil {
		return nil, err
	}
	c := call{r: r, name: name}
	if named, ok := args[len(args)-1].(map[string]any); ok {
		c.named, args = named, args[:len(args)-1]
	}
	given := strings.Replace(f.takes, "?", "", 1)
	for i, a := range args {
		a = unwrap(a)
		if i > 0 || !f.light {
			if err := r.chargeValue(a); err != nil {
				return nil, err
			}
		}
		if args[i], err = r.as(given[i], a); err != nil {
			return nil, err
		}
	}
	c.in, c.args = args[0], args[1:]
	if f.do == nil {
		f.do = library
	}
	if out, err = f.do(c); err != nil {
		return nil, err
	}
	if !f.light {
		err = r.chargeValue(out)
	}
	return wrap(out), err
}

// as makes out of a value what a filter asks for.
func (r *run) as(kind byte, v any) (any, error) {
	switch kind {
	case 't':
		return r.text(v)
	case 'i':
		return integer(plain(v)), nil
	case 'n':
		return number(v), nil
	case 'l':
		return r.list(plain(v))
	case 'a':
		switch v.(type) {
		case []any, span:
			return r.list(v)
		}
		return nil, errors.New("its argument is not an array")
	case 'm':
		return v, nil
	}
	return plain(v), nil
}

// library does what the library's filter of the same name does.
func library(c call) (any, error) {
	if err := c.foresee(); err != nil {
		return nil, err
	}
	out, err := values.Call(c.r.library[c.name], append([]any{c.in}, c.args...))
	switch out := out.(type) {
	case int64:
		return int(out), err
	case string:
		return strings.ToValidUTF8(out, "\uFFFD"), err
	case []string:
		list := make([]any, len(out))
		for i, s := range out {
			list[i] = s
		}
		return list, err
	}
	return out, err
}

// foresee charges beforehand for what a filter will make where that can be more
// than a few times what it is given, and prepares what the library takes amiss.
func (c *call) foresee() error {
	switch c.name {
	case "replace":
		by, _ := c.arg(1).(string)
		return c.r.charge(product(strings.Count(c.in.(string), c.args[0].(string)), len(by)))
	case "split":
		if c.args[0] == " " { // or the text before the first space would count
			c.in = strings.TrimLeft(c.in.(string), spaces)
		}
		return c.r.charge(16 * len(c.in.(string)))
	case "join":
		list := c.in.([]any)
		parts := make([]any, len(list))
		for i, v := range list {
			s, err := c.r.text(v)
			if err != nil {
				return err
			}
			parts[i] = s
		}
		sep, _ := c.arg(0).(string)
		c.in = parts
		return c.r.charge(product(len(list), len(sep)))
	}
	return nil
}

// text is a value as it is printed, before it is escaped.
func (r *run) text(v any) (string, error) {
	switch v := plain(v).(type) {
	case []any, *object, *loop:
		return r.json(v, false)
	default:
		return text(v), nil
	}
}

func (r *run) json(v any, script bool) (string, error) {
	e := encoder{max: r.lim.Work - r.work, script: script}
	if err := e.value(v); errors.Is(err, errTooMuch) {
		return "", r.charge(-1)
	} else if err != nil {
		return "", err
	}
	return string(e.buf), r.charge(len(e.buf))
}
func toJSON(c call) (any, error) {
	s, err := c.r.json(plain(c.in), true)
	return markup{text: s}, err
}

func skipAutoescape(c call) (any, error) {
	if m, ok := c.in.(markup); ok && m.captured {
		return markup{text: html.UnescapeString(m.text)}, nil
	}
	s, err := c.r.text(c.in)
	return markup{text: s}, err
}

func escape(c call) (any, error) {
	if m, ok := c.in.(markup); ok && m.escaped {
		return m, nil
	}
	s, err := c.r.text(c.in)
	return markup{text: html.EscapeString(s), escaped: true}, err
}

func escapeOnce(c call) (any, error) {
	s, err := c.r.text(c.in)
	return markup{text: html.EscapeString(html.UnescapeString(s)), escaped: true}, err
}

func grantReadAccess(c call) (any, error) {
	r := c.r
	s, err := r.text(c.in)
	if err != nil {
		return nil, err
	}
	bucket, key, ok := ParseObjectURL(s, r.fn.Hosts)
	if !ok {
		return nil, &RenderError{Code: CodeInvalidParameters,
			Message: fmt.Sprintf(`"grant_read_access" input is not a valid S3 URI: "%s".`, abbreviate(s, 300))}
	}
	id := [2]string{bucket, key}
	if u, ok := r.grants[id]; ok {
		return markup{text: u}, nil
	}
	if len(r.grants) >= r.lim.Grants {
		return nil, &RenderError{Code: CodeLimitExceeded, Message: fmt.Sprintf("the template grants access to more than %d objects", r.lim.Grants)}
	}
	u, err := r.grant(r.ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	r.grants[id] = u
	return markup{text: u}, nil
}

func (r *run) grant(ctx context.Context, bucket, key string) (string, error) {
	if r.fn.GrantReadAccess == nil {
		return "", &RenderError{Code: CodeAccessDenied, Message: "no access can be granted here"}
	}
	u, err := r.fn.GrantReadAccess(ctx, bucket, key)
	if err == nil {
		return u, checkURL(u)
	}
	// No more of a failed grant is said than may be shown.
	var own *RenderError
	if errors.As(err, &own) {
		return "", own
	}
	return "", &RenderError{Code: CodeAccessDenied,
		Message: fmt.Sprintf("access to s3://%s/%s could not be granted: %s", bucket, abbreviate(key, 300), fault.MessageOf(err))}
}

// defaultTo is for nil, false and what is empty.
func defaultTo(c call) (any, error) {
	in := plain(c.in)
	if in == false && truthy(c.named["allow_false"]) {
		return c.in, nil
	}
	if !truthy(in) || isEmpty(in) {
		return c.arg(0), nil
	}
	return c.in, nil
}
