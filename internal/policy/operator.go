package policy

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// family is what an operator compares.
type family uint8

const (
	stringExact family = iota
	stringFold
	stringLike
	numeric
	date
	boolean
	binary
	ipAddress
	arnLike
	null
)

type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

type operator struct {
	family   family
	relation relation
	negated  bool
}

// qualifier is how a key with several values is compared.
type qualifier uint8

const (
	plain qualifier = iota
	forAll
	forAny
)

// operatorByName is a switch and not a map, so that nothing can change it.
func operatorByName(name string) (operator, bool) {
	switch name {
	case "StringEquals":
		return operator{family: stringExact}, true
	case "StringNotEquals":
		return operator{family: stringExact, negated: true}, true
	case "StringEqualsIgnoreCase":
		return operator{family: stringFold}, true
	case "StringNotEqualsIgnoreCase":
		return operator{family: stringFold, negated: true}, true
	case "StringLike":
		return operator{family: stringLike}, true
	case "StringNotLike":
		return operator{family: stringLike, negated: true}, true
	case "Bool":
		return operator{family: boolean}, true
	case "BinaryEquals":
		return operator{family: binary}, true
	case "IpAddress":
		return operator{family: ipAddress}, true
	case "NotIpAddress":
		return operator{family: ipAddress, negated: true}, true
	case "ArnEquals", "ArnLike":
		return operator{family: arnLike}, true
	case "ArnNotEquals", "ArnNotLike":
		return operator{family: arnLike, negated: true}, true
	case "Null":
		return operator{family: null}, true
	}
	if rest, ok := strings.CutPrefix(name, "Numeric"); ok {
		return ordered(numeric, rest)
	}
	if rest, ok := strings.CutPrefix(name, "Date"); ok {
		return ordered(date, rest)
	}
	return operator{}, false
}

func ordered(f family, name string) (operator, bool) {
	switch name {
	case "Equals":
		return operator{family: f}, true
	case "NotEquals":
		return operator{family: f, negated: true}, true
	case "LessThan":
		return operator{family: f, relation: less}, true
	case "LessThanEquals":
		return operator{family: f, relation: lessOrEqual}, true
	case "GreaterThan":
		return operator{family: f, relation: greater}, true
	case "GreaterThanEquals":
		return operator{family: f, relation: greaterOrEqual}, true
	}
	return operator{}, false
}

// condition is one operator applied to one key.
type condition struct {
	name      string // the operator as written, for messages
	op        operator
	qualifier qualifier
	ifExists  bool
	key       contextKey
	operands  []operand
}

// operand is one compiled value of a condition.
type operand struct {
	raw     string
	pattern pattern      // string families
	parts   [6]pattern   // arnLike
	number  number       // numeric
	time    time.Time    // date
	bytes   string       // binary
	prefix  netip.Prefix // ipAddress
	truth   bool         // boolean, null
}

func parseOperand(f family, raw string, variables bool) (operand, error) {
	o := operand{raw: raw}
	var err error
	switch f {
	case stringExact, stringFold:
		o.pattern, err = compilePattern(raw, style{variables: variables})
	case stringLike:
		o.pattern, err = compilePattern(raw, style{wildcards: true, variables: variables})
	case arnLike:
		var parts []string
		if parts, err = arnParts(raw, variables); err == nil {
			o.parts, err = compileParts(parts, style{wildcards: true, variables: variables})
		}
	case numeric:
		var ok bool
		if o.number, ok = parseNumber(raw); !ok {
			err = fmt.Errorf("%q is not a number", raw)
		}
	case date:
		var ok bool
		if o.time, ok = parseDate(raw); !ok {
			err = fmt.Errorf("%q is not a date: expected ISO 8601 such as 2026-01-31T12:00:00Z, or seconds since 1970", raw)
		}
	case boolean, null:
		switch strings.ToLower(raw) {
		case "true":
			o.truth = true
		case "false":
		default:
			err = fmt.Errorf("%q is neither true nor false", raw)
		}
	case binary:
		var b []byte
		if b, err = base64.StdEncoding.DecodeString(raw); err != nil {
			err = fmt.Errorf("%q is not base64", raw)
		}
		o.bytes = string(b)
	case ipAddress:
		if o.prefix, err = parsePrefix(raw); err != nil {
			err = fmt.Errorf("%q is not an IP address or a CIDR such as 203.0.113.0/24", raw)
		}
	}
	return o, err
}

// parsePrefix reads an address or CIDR; IPv4-mapped IPv6 becomes IPv4, so that
// one client has one address whatever the listener's family is.
func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("not an address: %q", s)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("mixes IPv4 and IPv6: %q", s)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// number keeps integers exact: a float64 alone would make 2^53 and 2^53+1 equal.
type number struct {
	whole bool
	n     int64
	f     float64
}

func parseNumber(s string) (number, bool) {
	if s == "" || len(s) > 64 || strings.Trim(s, "0123456789+-.eE") != "" {
		return number{}, false // also keeps out Inf, NaN, hexadecimal and underscores
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number{whole: true, n: n, f: float64(n)}, true
	}
	f, err := strconv.ParseFloat(s, 64)
	return number{f: f}, err == nil
}

func (a number) compare(b number) int {
	if a.whole && b.whole {
		switch {
		case a.n < b.n:
			return -1
		case a.n > b.n:
			return 1
		}
		return 0
	}
	switch {
	case a.f < b.f:
		return -1
	case a.f > b.f:
		return 1
	}
	return 0
}

var dateLayouts = [...]string{
	"2006-01-02T15:04:05Z07:00", // fractions of a second are accepted by Parse
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02",
	"2006-01",
	"2006",
}

// parseDate reads the W3C profile of ISO 8601, or seconds since 1970. Four
// digits are a year.
func parseDate(s string) (time.Time, bool) {
	if len(s) > 40 {
		return time.Time{}, false
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if n, ok := parseNumber(s); ok && n.f > -1e11 && n.f < 1e12 {
		if n.whole {
			return time.Unix(n.n, 0), true
		}
		return time.UnixMicro(int64(n.f * 1e6)), true
	}
	return time.Time{}, false
}

func (r relation) holds(cmp int) bool {
	switch r {
	case less:
		return cmp < 0
	case lessOrEqual:
		return cmp <= 0
	case greater:
		return cmp > 0
	case greaterOrEqual:
		return cmp >= 0
	}
	return cmp == 0
}
