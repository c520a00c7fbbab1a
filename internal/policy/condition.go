package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

func parseConditions(n node, variables bool) ([]condition, error) {
	if n.kind != nodeObject {
		return nil, fmt.Errorf("expected an object, got %s", nodeNames[n.kind])
	}
	var out []condition
	for _, op := range n.members {
		c := condition{name: op.name}
		if err := c.parseOperator(op.name); err != nil {
			return nil, err
		}
		if op.value.kind != nodeObject || len(op.value.members) == 0 {
			return nil, fmt.Errorf("%s: expected an object of context keys and their values", op.name)
		}
		var seen map[string]bool // made where there is more than one
		for i, m := range op.value.members {
			if len(op.value.members) > 1 {
				if i == 0 {
					seen = map[string]bool{}
				}
				if seen[strings.ToLower(m.name)] {
					return nil, fmt.Errorf("%s: the key %q occurs twice", op.name, m.name)
				}
				seen[strings.ToLower(m.name)] = true
			}
			one, err := c.withKey(m, variables)
			if err != nil {
				return nil, fmt.Errorf("%s: %q: %w", op.name, m.name, err)
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// parseOperator reads [ForAllValues:|ForAnyValue:]Operator[IfExists].
func (c *condition) parseOperator(name string) error {
	base := name
	if rest, ok := strings.CutPrefix(base, "ForAllValues:"); ok {
		base, c.qualifier = rest, forAll
	} else if rest, ok := strings.CutPrefix(base, "ForAnyValue:"); ok {
		base, c.qualifier = rest, forAny
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")
	op, ok := operatorByName(base)
	if !ok {
		return fmt.Errorf("unknown operator %q", name)
	}
	if op.family == null && (c.ifExists || c.qualifier != plain) {
		return fmt.Errorf("%q: Null takes neither IfExists nor a set qualifier", name)
	}
	c.op = op
	return nil
}

func (c condition) withKey(m member, variables bool) (condition, error) {
	key, err := parseKey(m.name)
	if err != nil {
		return c, err
	}
	values, err := m.value.scalars()
	if err != nil {
		return c, err
	}
	c.key = key
	c.operands = make([]operand, 0, len(values))
	for _, raw := range values {
		o, err := parseOperand(c.op.family, raw, variables)
		if err != nil {
			return c, err
		}
		c.operands = append(c.operands, o)
	}
	return c, nil
}

// result of a condition. doubtful is enough for Deny and not for Allow: a
// variable without a value matched nothing under a negated operator, or the
// published rules leave the meaning open.
type result uint8

const (
	fails result = iota
	holds
	doubtful
)

func (c *condition) eval(ev *evaluation) result {
	v := ev.lookup(&c.key)
	n := v.count()
	if c.op.family == null {
		return c.evalNull(n > 0)
	}
	if n == 0 {
		return c.whenAbsent()
	}
	switch c.qualifier {
	case forAll:
		return c.everyValue(ev, &v, n)
	case forAny:
		return c.someValue(ev, &v, n)
	}
	return c.plainValues(ev, &v, n)
}

// plainValues is an operator without a qualifier. What it means for a key with
// several values is not documented: where they disagree the result is doubtful.
func (c *condition) plainValues(ev *evaluation, v *value, n int) result {
	first := c.judge(c.anyOperand(ev, v, 0))
	for i := 1; i < n; i++ {
		if c.judge(c.anyOperand(ev, v, i)) != first {
			return doubtful
		}
	}
	return first
}

func (c *condition) evalNull(present bool) result {
	for i := range c.operands {
		if c.operands[i].truth != present {
			return holds
		}
	}
	return fails
}

// whenAbsent: a positive operator fails, a negated one holds; ForAllValues
// holds of no values and ForAnyValue fails, negated or not. ForAnyValue with
// IfExists has two rules that contradict each other.
func (c *condition) whenAbsent() result {
	switch {
	case c.ifExists && c.qualifier == forAny:
		return doubtful
	case c.ifExists, c.qualifier == forAll:
		return holds
	case c.qualifier == forAny:
		return fails
	case c.op.negated:
		return holds
	}
	return fails
}

// judge turns "does any operand match" into the operator's result.
func (c *condition) judge(o outcome) result {
	switch {
	case !c.op.negated && o == matches:
		return holds
	case c.op.negated && o == differs:
		return holds
	case c.op.negated && o == unresolved:
		return doubtful
	}
	return fails
}

func (c *condition) everyValue(ev *evaluation, v *value, n int) result {
	all := holds
	for i := range n {
		switch c.judge(c.anyOperand(ev, v, i)) {
		case fails:
			return fails
		case doubtful:
			all = doubtful
		}
	}
	return all
}

func (c *condition) someValue(ev *evaluation, v *value, n int) result {
	best := fails
	for i := range n {
		switch c.judge(c.anyOperand(ev, v, i)) {
		case holds:
			return holds
		case doubtful:
			best = doubtful
		}
	}
	return best
}

// anyOperand says whether the i-th value matches one of the operands.
func (c *condition) anyOperand(ev *evaluation, v *value, i int) outcome {
	switch c.op.family {
	case ipAddress:
		return asOutcome(c.matchAddress(v, i))
	case date:
		return asOutcome(c.matchDate(v, i))
	case numeric:
		return asOutcome(c.matchNumber(v.at(i)))
	}
	text := v.at(i)
	result := differs
	for k := range c.operands {
		switch c.operands[k].matchText(c.op.family, text, ev) {
		case matches:
			return matches
		case unresolved:
			result = unresolved
		}
	}
	return result
}

func (o *operand) matchText(f family, text string, ev *evaluation) outcome {
	switch f {
	case boolean:
		return asOutcome(strings.EqualFold(text, "true") && o.truth || strings.EqualFold(text, "false") && !o.truth)
	case binary:
		return asOutcome(text == o.bytes)
	case arnLike:
		return matchParts(&o.parts, text, ev)
	case stringFold:
		want, ok := o.pattern.expand(ev)
		if !ok {
			return unresolved
		}
		return asOutcome(strings.EqualFold(text, want))
	}
	return o.pattern.match(text, ev)
}

func (c *condition) matchAddress(v *value, i int) bool {
	addr := v.addr
	if v.kind != addrValue {
		a, err := netip.ParseAddr(v.at(i))
		if err != nil {
			return false
		}
		addr = a.Unmap().WithZone("")
	}
	for k := range c.operands {
		if c.operands[k].prefix.Contains(addr) {
			return true
		}
	}
	return false
}

func (c *condition) matchDate(v *value, i int) bool {
	var t time.Time
	switch v.kind {
	case instantValue, epochValue:
		t = v.time
	default:
		var ok bool
		if t, ok = parseDate(v.at(i)); !ok {
			return false
		}
	}
	for k := range c.operands {
		if c.op.relation.holds(t.Compare(c.operands[k].time)) {
			return true
		}
	}
	return false
}

func (c *condition) matchNumber(text string) bool {
	n, ok := parseNumber(text)
	if !ok {
		return false
	}
	for k := range c.operands {
		if c.op.relation.holds(n.compare(c.operands[k].number)) {
			return true
		}
	}
	return false
}
