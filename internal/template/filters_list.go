package template

import (
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/osteele/liquid/values"
)

// list is what the filters of arrays go over: arrays within the array are taken
// apart, a range is counted out, anything else is one item, nil none.
func (r *run) list(v any) ([]any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		return flatten(v), nil
	case span:
		n := v.length()
		if err := r.charge(product(16, n)); err != nil {
			return nil, err
		}
		list := make([]any, n)
		for i := range list {
			list[i] = v.first + i
		}
		return list, nil
	default:
		return []any{v}, nil
	}
}

// list is the input of a filter that asks for one.
func (c call) list() []any {
	list, _ := c.in.([]any)
	return list
}

func flatten(v []any) []any {
	nested := func(x any) bool { _, ok := x.([]any); return ok }
	if !slices.ContainsFunc(v, nested) {
		return v
	}
	var out []any
	for _, x := range v {
		if inner, ok := x.([]any); ok {
			out = append(out, flatten(inner)...)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// key is the member that a filter goes by; without one the item itself.
func (c call) key(item any) any {
	if len(c.args) == 0 {
		return plain(item)
	}
	return plain(index(item, c.args[0]))
}

func sizeOf(c call) (any, error) {
	if s, ok := c.in.(string); ok {
		return utf8.RuneCountInString(s), nil
	}
	if n := property(c.in, "size"); n != nil {
		return n, nil
	}
	return 0, nil
}

func firstOf(c call) (any, error) { return property(c.in, "first"), nil }
func lastOf(c call) (any, error)  { return property(c.in, "last"), nil }

// rank orders what cannot be compared: numbers, texts, the rest, nil last.
func rank(v any) int {
	switch v.(type) {
	case int, float64:
		return 0
	case string:
		return 1
	case nil:
		return 3
	}
	return 2
}

func sortBy(c call, order func(a, b any) int) (any, error) {
	list := slices.Clone(c.list())
	slices.SortStableFunc(list, func(x, y any) int {
		a, b := c.key(x), c.key(y)
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return order(a, b)
	})
	return list, nil
}

func sortList(c call) (any, error) {
	return sortBy(c, func(a, b any) int {
		switch {
		case values.Less(a, b):
			return -1
		case values.Less(b, a):
			return 1
		}
		return 0
	})
}

func sortNatural(c call) (any, error) {
	return sortBy(c, func(a, b any) int {
		return strings.Compare(strings.ToLower(text(a)), strings.ToLower(text(b)))
	})
}

func uniq(c call) (any, error) {
	list := c.list()
	out, seen := []any{}, map[string]bool{}
	for _, v := range list {
		id, err := c.r.json(c.key(v), false)
		if err != nil {
			return nil, err
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, v)
		}
	}
	return out, nil
}

func compact(c call) (any, error) {
	return filterList(c, func(v any) bool { return c.key(v) != nil })
}

func filterList(c call, keep func(any) bool) (any, error) {
	list := c.list()
	out := []any{}
	for _, v := range list {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out, nil
}

func mapList(c call) (any, error) {
	list := c.list()
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = c.key(v)
	}
	return out, nil
}

func sum(c call) (any, error) {
	list := c.list()
	total, ints := new(big.Rat), true
	for _, v := range list {
		n := number(c.key(v))
		_, whole := n.(int)
		ints = ints && whole
		total.Add(total, rational(n))
	}
	return result(total, ints), nil
}

// hit reports whether an item's member is what is asked for, or just true.
func (c call) hit(item any) bool {
	v := plain(index(item, c.args[0]))
	if len(c.args) > 1 {
		return equal(v, c.args[1])
	}
	return truthy(v)
}

func where(keep bool) func(call) (any, error) {
	return func(c call) (any, error) {
		return filterList(c, func(v any) bool { return c.hit(v) == keep })
	}
}

func find(c call) (any, error) {
	list := c.list()
	if i := slices.IndexFunc(list, c.hit); i >= 0 {
		return list[i], nil
	}
	return nil, nil
}

func findIndex(c call) (any, error) {
	list := c.list()
	if i := slices.IndexFunc(list, c.hit); i >= 0 {
		return i, nil
	}
	return nil, nil
}

func has(c call) (any, error) {
	list := c.list()
	return slices.ContainsFunc(list, c.hit), nil
}
