package policydiff

import (
	"encoding/base64"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// class is a known disagreement about one atom with one engine: what such an
// atom looks like, and, where effect is set, the one direction it goes in. Its
// name stands in docs/compatibility.md with the reason.
type class struct {
	name   string
	engine string
	// direction is "we apply", "they apply", or "" for both.
	direction string
	is        func(a *atom) bool
}

const weApply, theyApply = "we apply", "they apply"

// explain returns the names of the classes that an atom is of.
func explain(a *atom, engine string) (names []string) {
	direction := theyApply
	if a.applies[own] {
		direction = weApply
	}
	for _, c := range classes {
		if c.engine == engine && (c.direction == "" || c.direction == direction) && c.is(a) {
			names = append(names, c.name)
		}
	}
	return names
}

var classes = []class{
	{"base64", versity_, "", base64Operand},
	{"base64", simulate, "", base64Operand},

	{"several values without a set operator", versity_, "", func(a *atom) bool {
		return a.isCondition() && a.qualifier() == "" && len(a.contextValues()) > 1 && a.isList()
	}},
	{"several values without a set operator", simulate, weApply, func(a *atom) bool {
		return a.isCondition() && a.qualifier() == "" && len(a.contextValues()) > 0 && a.isList()
	}},

	{"a list without values", versity_, "", emptyList},
	{"a list without values", simulate, "", emptyList},

	{"ForAnyValue of a missing key", versity_, theyApply, func(a *atom) bool {
		return a.isCondition() && a.missing() && a.qualifier() == "ForAnyValue" && (a.negated() || a.ifExists() && a.effect == "Allow")
	}},
	{"ForAnyValue of a missing key", simulate, weApply, func(a *atom) bool {
		return a.isCondition() && a.missing() && a.qualifier() == "ForAnyValue" && a.ifExists() && a.effect == "Deny"
	}},

	{"a variable without a value", versity_, "", func(a *atom) bool {
		return a.takesVariables() && a.version == "2012-10-17" && a.hasVariable(unresolved)
	}},
	{"a variable without a value", simulate, weApply, func(a *atom) bool {
		return a.takesVariables() && a.effect == "Deny" && a.negated() && a.version == "2012-10-17" && a.hasVariable(unresolved)
	}},
	{"a variable without a value", simulate, theyApply, func(a *atom) bool {
		return a.what == "resource" && a.effect == "Allow" && a.not && a.version == "2012-10-17" && a.hasVariable(unresolved)
	}},
	{"a variable with a slash in its name", versity_, "", func(a *atom) bool { return a.takesVariables() && a.version == "2012-10-17" && a.hasVariable(hasSlash) }},
	{"a variable with an empty value", simulate, "", func(a *atom) bool { return a.takesVariables() && a.hasVariable(isEmptyValue) }},
	{"a default of a variable", versity_, "", func(a *atom) bool {
		return a.takesVariables() && a.version == "2012-10-17" && a.hasVariable(hasDefault)
	}},
	{"an escaped wildcard", versity_, "", func(a *atom) bool { return a.takesVariables() && a.version == "2012-10-17" && a.hasVariable(isEscape) }},
	{"an escaped wildcard", simulate, "", func(a *atom) bool {
		return a.isCondition() && a.family() == "String" && !strings.Contains(a.base(), "Like") && a.hasVariable(isEscape)
	}},
	{"a wildcard in a variable's value", versity_, "", func(a *atom) bool { return a.matchesWildcards() && a.hasVariable(hasWildcardValue) }},
	{"variables before version 2012-10-17", simulate, "", func(a *atom) bool { return a.takesVariables() && a.version != "2012-10-17" && a.hasVariable(always) }},

	{"segments of an ARN", versity_, "", func(a *atom) bool { return a.somePattern(crossesSegments) }},
	{"segments of an ARN", simulate, "", func(a *atom) bool {
		return a.what == "resource" && (a.effect == "Deny") == a.applies[own] && a.somePattern(crossesSegments)
	}},
	{"the kind of resource", simulate, "", func(a *atom) bool { return a.what == "resource" && a.somePattern(wildcardInKind) }},
	{"wide characters", versity_, "", func(a *atom) bool { return a.matchesWildcards() && a.somePattern(wideQuestion) }},
	{"a star in the requested resource", versity_, weApply, func(a *atom) bool { return a.what == "resource" && !a.not && strings.Contains(a.q.resource, "*") }},
	{"a star in the requested resource", versity_, theyApply, func(a *atom) bool { return a.what == "resource" && a.not && strings.Contains(a.q.resource, "*") }},
	{"a star in the requested resource", simulate, "", func(a *atom) bool { return a.what == "resource" && strings.Contains(a.q.resource, "*") }},

	{"every service", simulate, "", func(a *atom) bool { return a.what == "action" && slices.Contains(a.list, "*:*") }},

	{"epoch and partial dates", versity_, "", func(a *atom) bool { return a.family() == "Date" && a.someOf(partialDate) }},
	{"epoch and partial dates", simulate, "", func(a *atom) bool { return a.family() == "Date" && a.someOf(epochDate) }},
	{"an address as a date", simulate, "", func(a *atom) bool { return a.family() == "Date" && slices.ContainsFunc(a.contextValues(), isAddress) }},
	{"numbers", versity_, "", func(a *atom) bool { return a.family() == "Numeric" && a.someOf(inexactNumber) }},
	{"numbers", simulate, "", func(a *atom) bool { return a.family() == "Numeric" && a.someOf(looseNumber) }},
	{"booleans", versity_, theyApply, func(a *atom) bool {
		return a.family() == "Bool" && slices.ContainsFunc(a.contextValues(), func(v string) bool { return v == "1" || v == "t" || v == "0" || v == "f" })
	}},
	{"mapped addresses", versity_, "", func(a *atom) bool { return a.family() == "Ip" && a.someOf(mappedAddress) }},
	{"mapped addresses", simulate, "", func(a *atom) bool { return a.family() == "Ip" && a.someOf(mappedAddress) }},
	{"any IPv4 address", simulate, "", func(a *atom) bool { return a.family() == "Ip" && slices.Contains(a.values, "0.0.0.0/0") }},
	{"one address", simulate, "", func(a *atom) bool { return a.family() == "Ip" && a.somePair(oneAddress) }},
	{"a value of another kind", simulate, weApply, func(a *atom) bool {
		return a.isCondition() && a.negated() && slices.ContainsFunc(a.contextValues(), a.ofAnotherKind)
	}},

	{"NotPrincipal", simulate, weApply, func(a *atom) bool { return a.what == "principal" && a.not && a.effect == "Deny" }},
}

// outcome is a known disagreement about how gates combine that agree themselves.
type outcome struct {
	name string
	is   func(x *inquiry) bool
}

var outcomes = []outcome{
	{"the root user", func(x *inquiry) bool {
		return x.q.principal.kind == "Account" && x.q.account == home && x.mine.Final == "Allow" && x.sim.Final == "NoMatch"
	}},
	{"the root user of another account", func(x *inquiry) bool {
		return x.q.principal.kind == "Account" && x.q.account == away && x.mine.Final == "Allow" && x.sim.Final == "NoMatch" && x.mine.Resource == "Allow"
	}},
	{"a resource policy past the session policy", func(x *inquiry) bool {
		return x.namedItself() && x.q.session != nil && x.q.account == home && x.mine.Session == "NoMatch" && x.mine.Resource == "Allow" && x.mine.Final == "Allow" && x.sim.Final == "NoMatch"
	}},
}

// namedItself: a statement of the resource policy that allows names the session,
// or everybody, and not its role or account only.
func (x *inquiry) namedItself() bool {
	for _, d := range x.resource {
		for _, s := range d {
			if compose(own, [][][]*atom{{s}}) != "Allow" {
				continue
			}
			for _, a := range s {
				if a.what != "principal" || a.not {
					continue
				}
				aws := []string{}
				switch who := a.who.(type) {
				case string:
					aws = append(aws, who)
				case map[string]any:
					aws, _ = who["AWS"].([]string)
				}
				if slices.Contains(aws, "*") || slices.Contains(aws, x.q.principal.arn) {
					return true
				}
			}
		}
	}
	return false
}

// knownRefusal: what we refuse to read, on purpose. The generator makes a few.
func knownRefusal(err error) bool {
	for _, m := range []string{"is not a number", "is not a date", "occurs twice", "characters; at most 2048 are accepted"} {
		if strings.Contains(err.Error(), m) {
			return true
		}
	}
	return false
}

// versityRefuses: its partition is "aws" alone, and "*:*" no action to it.
func versityRefuses(d *document) bool {
	for _, s := range d.Statement {
		if slices.Contains(append(s.Action, s.NotAction...), "*:*") {
			return true
		}
		for _, r := range append(s.Resource, s.NotResource...) {
			if r != "*" && !strings.HasPrefix(r, "arn:aws:") {
				return true
			}
		}
	}
	return false
}

func (a *atom) isCondition() bool { return a.what == "condition" }

func (a *atom) qualifier() string {
	q, _, ok := strings.Cut(a.operator, ":")
	if !ok {
		return ""
	}
	return q
}

func (a *atom) ifExists() bool { return strings.HasSuffix(a.operator, "IfExists") }

// base is the operator without qualifier and suffix.
func (a *atom) base() string {
	return strings.TrimSuffix(a.operator[strings.IndexByte(a.operator, ':')+1:], "IfExists")
}

func (a *atom) negated() bool {
	if a.isCondition() {
		return strings.Contains(a.base(), "Not")
	}
	return a.not
}

func (a *atom) family() string {
	if !a.isCondition() {
		return ""
	}
	for _, f := range []string{"String", "Numeric", "Date", "Bool", "Binary", "Ip", "Arn", "Null"} {
		if strings.HasPrefix(strings.TrimPrefix(a.base(), "Not"), f) {
			return f
		}
	}
	return ""
}

func (a *atom) contextValues() []string {
	v, _ := a.q.value(a.key)
	return v
}

func (a *atom) missing() bool { return len(a.contextValues()) == 0 }
func (a *atom) isList() bool  { return a.q.isList(a.key) }

// emptyList: a key that is there and has no value is missing to us.
func emptyList(a *atom) bool {
	_, present := a.q.value(a.key)
	return a.isCondition() && a.isList() && present && a.missing() && a.qualifier() != "ForAllValues"
}

func base64Operand(a *atom) bool {
	return a.family() == "Binary" && a.somePair(func(operand, v string) bool {
		raw, _ := base64.StdEncoding.DecodeString(operand)
		return (string(raw) == v) != (operand == v)
	})
}

func (a *atom) takesVariables() bool {
	return a.what == "resource" || a.family() == "String" || a.family() == "Arn"
}

func (a *atom) matchesWildcards() bool {
	return a.what == "resource" || a.family() == "Arn" || strings.HasSuffix(a.base(), "Like")
}

// patterns of a resource or condition.
func (a *atom) patterns() []string {
	if a.what == "resource" {
		return a.list
	}
	return a.values
}

// targets are what the patterns are compared with.
func (a *atom) targets() []string {
	if a.what == "resource" {
		return []string{a.q.resource}
	}
	return a.contextValues()
}

func (a *atom) somePair(is func(operand, value string) bool) bool {
	for _, p := range a.patterns() {
		for _, v := range a.targets() {
			if is(p, v) {
				return true
			}
		}
	}
	return false
}

// someOf: an operand or a value that is so.
func (a *atom) someOf(is func(s string) bool) bool {
	return slices.ContainsFunc(a.values, is) || slices.ContainsFunc(a.contextValues(), is)
}

func (a *atom) somePattern(is func(a *atom, pattern, target string) bool) bool {
	return (a.what == "resource" || a.isCondition()) && a.somePair(func(p, v string) bool { return is(a, p, v) })
}

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

func (a *atom) hasVariable(is func(a *atom, body string) bool) bool {
	for _, p := range a.patterns() {
		for _, m := range variable.FindAllStringSubmatch(p, -1) {
			if is(a, m[1]) {
				return true
			}
		}
	}
	return false
}

func always(*atom, string) bool { return true }

func isEscape(_ *atom, body string) bool { return body == "*" || body == "?" || body == "$" }

func hasDefault(_ *atom, body string) bool { return strings.Contains(body, ",") }

func hasSlash(_ *atom, body string) bool {
	return strings.Contains(body, "/") && !strings.Contains(body, ",")
}

func unresolved(a *atom, body string) bool {
	if isEscape(a, body) || hasDefault(a, body) {
		return false
	}
	v, _ := a.q.value(body)
	return len(v) != 1 || a.q.isList(body)
}

func isEmptyValue(a *atom, body string) bool {
	name, _, _ := strings.Cut(body, ",")
	v, _ := a.q.value(name)
	return len(v) == 1 && v[0] == ""
}

func hasWildcardValue(a *atom, body string) bool {
	name, _, _ := strings.Cut(body, ",")
	v, _ := a.q.value(name)
	return len(v) == 1 && strings.ContainsAny(v[0], "*?")
}

// resolve puts values in place of variables, as text.
func (a *atom) resolve(p string) string {
	if a.version != "2012-10-17" {
		return p
	}
	return variable.ReplaceAllStringFunc(p, func(m string) string {
		if v, _ := a.q.value(m[2 : len(m)-1]); len(v) == 1 {
			return v[0]
		}
		return m
	})
}

// crossesSegments: the whole pattern matches the whole ARN, but a wildcard would
// have to match a colon between its segments.
func crossesSegments(a *atom, pattern, target string) bool {
	if pattern == "*" || a.what != "resource" && a.family() != "Arn" {
		return false
	}
	pattern = a.resolve(pattern)
	if !glob(pattern, target) {
		return false
	}
	p, t := strings.SplitN(pattern, ":", 6), strings.SplitN(target, ":", 6)
	if len(p) != len(t) {
		return true
	}
	for i := range p {
		if !glob(p[i], t[i]) {
			return true
		}
	}
	return false
}

// wildcardInKind: a wildcard or variable before the first slash or colon of a
// resource segment that is not S3's.
func wildcardInKind(_ *atom, pattern, _ string) bool {
	p := strings.SplitN(pattern, ":", 6)
	if len(p) < 6 || p[2] == "s3" && p[3] == "" && p[4] == "" {
		return false
	}
	cut := strings.IndexAny(p[5], "/:")
	return cut >= 0 && strings.ContainsAny(p[5][:cut], "*?$")
}

func wideQuestion(_ *atom, pattern, target string) bool {
	return strings.Contains(pattern, "?") && strings.ContainsFunc(target, func(r rune) bool { return r > 0x7f })
}

// glob is the matcher as it is written down everywhere: bytes, star, question mark.
func glob(p, s string) bool {
	if p == "" {
		return s == ""
	}
	if p[0] == '*' {
		return glob(p[1:], s) || s != "" && glob(p, s[1:])
	}
	return s != "" && (p[0] == '?' || p[0] == s[0]) && glob(p[1:], s[1:])
}

var (
	wholeDate = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
	someDate  = regexp.MustCompile(`^\d{4}(-\d\d(-\d\d(T\d\d:\d\d.*)?)?)?$`)
	digits    = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
)

// partialDate: a date without a time, or without seconds.
func partialDate(s string) bool { return someDate.MatchString(s) && !wholeDate.MatchString(s) }

// epochDate: a number where a date stands.
func epochDate(s string) bool { return digits.MatchString(s) }

// isAddress: JavaScript's reader of dates finds one in some addresses.
func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// inexactNumber: beyond the integers that a float64 holds, or none at all to us.
func inexactNumber(s string) bool {
	f, err := strconv.ParseFloat(s, 64)
	return err == nil && (f > 1<<53-1 || f < -(1<<53-1) || strings.ContainsAny(s, "xX"))
}

// looseNumber: JavaScript reads the digits that a text begins with.
func looseNumber(s string) bool {
	plain := regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)$`).MatchString(s)
	return inexactNumber(s) || !plain && regexp.MustCompile(`^\s*[+-]?\.?\d`).MatchString(s)
}

func mappedAddress(s string) bool { return strings.HasPrefix(strings.ToLower(s), "::ffff:") }

// oneAddress: an address without a prefix length is compared as text, and says
// nothing about the other family.
func oneAddress(operand, value string) bool {
	o, err := netip.ParseAddr(operand)
	v, err2 := netip.ParseAddr(value)
	return err == nil && err2 == nil && (o.Is4() != v.Is4() || o == v && operand != value)
}

// ofAnotherKind: a value that the operator's family cannot read.
func (a *atom) ofAnotherKind(v string) bool {
	switch a.family() {
	case "Date":
		return !someDate.MatchString(v) && !digits.MatchString(v)
	case "Numeric":
		return !regexp.MustCompile(`^\s*[+-]?\.?\d`).MatchString(v)
	case "Ip":
		_, err := netip.ParseAddr(v)
		return err != nil
	case "Arn":
		return strings.Count(v, ":") < 5
	}
	return false
}
