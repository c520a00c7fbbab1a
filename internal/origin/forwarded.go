package origin

import (
	"net/netip"
	"strings"
)

// maxHops bounds how many forwarding entries are read from one request.
const maxHops = 64

// hop is one entry of a forwarding header: who connected, and over what.
// A broken one says nothing that can be relied on.
type hop struct {
	addr   netip.Addr
	proto  string // "", "http", "https"
	broken bool
}

var broken = hop{broken: true}

// forwardedFor reads X-Forwarded-For values; several header lines are one list.
// The header has no grammar but this: addresses, with or without a port, with
// commas between them.
func forwardedFor(values []string) []hop {
	var hops []hop
	for _, line := range values {
		for part := range strings.SplitSeq(line, ",") {
			if len(hops) > maxHops {
				return hops
			}
			a, ok := parseEntry(trim(part))
			hops = append(hops, hop{addr: a, broken: !ok})
		}
	}
	return hops
}

// forwarded reads RFC 7239 Forwarded values. A line that breaks the grammar is
// one broken entry: where a quotation mark is missing, nobody can say which
// comma ends an element, and so who wrote it.
func forwarded(values []string) []hop {
	var hops []hop
	for _, line := range values {
		read, ok := forwardedLine(line)
		if !ok {
			read = []hop{broken}
		}
		if hops = append(hops, read...); len(hops) > maxHops {
			return hops
		}
	}
	return hops
}

// forwardedLine reads the elements of one line (RFC 7239 section 4).
func forwardedLine(s string) (hops []hop, ok bool) {
	p := parser{s}
	for {
		h, ok := p.element()
		if !ok || len(hops) > maxHops {
			return nil, false
		}
		hops = append(hops, h)
		switch {
		case p.rest == "":
			return hops, true
		case !p.skip(','):
			return nil, false
		}
	}
}

type parser struct{ rest string }

func (p *parser) skip(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// element reads pairs with semicolons between them, up to a comma or the end.
// An element without "for", or with a parameter twice, is broken but does not
// break its neighbours: its end is known.
func (p *parser) element() (h hop, ok bool) {
	h.broken = true
	seen := map[string]bool{}
	again := false
	for {
		p.space()
		name := strings.ToLower(p.token())
		if name == "" || !p.skip('=') {
			return h, false
		}
		value, ok := p.value()
		if !ok {
			return h, false
		}
		again = again || seen[name]
		seen[name] = true
		switch name {
		case "for":
			var known bool
			h.addr, known = parseNode(value)
			h.broken = !known
		case "proto":
			h.proto = strings.ToLower(value)
		}
		p.space()
		if !p.skip(';') {
			if again {
				h = broken
			}
			return h, true
		}
	}
}

// token reads as many token characters (RFC 9110 section 5.6.2) as there are.
func (p *parser) token() string {
	n := 0
	for n < len(p.rest) && isToken(p.rest[n]) {
		n++
	}
	t := p.rest[:n]
	p.rest = p.rest[n:]
	return t
}

func isToken(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// value reads a token or a quoted string. A backslash in one is taken for
// broken: no address needs one.
func (p *parser) value() (string, bool) {
	if !p.skip('"') {
		t := p.token()
		return t, t != ""
	}
	end := strings.IndexAny(p.rest, `"\`)
	if end < 0 || p.rest[end] == '\\' {
		return "", false
	}
	v := p.rest[:end]
	p.rest = p.rest[end+1:]
	return v, true
}

// parseNode reads a node of RFC 7239 section 6: an IPv4 address or an IPv6
// address in brackets, and perhaps a port. "unknown" and obfuscated
// identifiers are nodes too, and tell no address.
func parseNode(s string) (netip.Addr, bool) {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return netip.Addr{}, false
		}
		host, port = s[:end+1], s[end+1:]
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i:]
	}
	if port != "" && !isPort(port[1:]) || strings.HasPrefix(host, "[") != strings.Contains(host, ":") {
		return netip.Addr{}, false
	}
	if port != "" && port[0] != ':' {
		return netip.Addr{}, false
	}
	return parseEntry(host)
}

// isPort takes a port number, or an obfuscated one ("_" and letters).
func isPort(s string) bool {
	if len(s) > 1 && s[0] == '_' {
		for i := range len(s) {
			if c := s[i]; !isToken(c) {
				return false
			}
		}
		return true
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 5
}

// parseEntry reads "1.2.3.4", "1.2.3.4:80", "::1", "[::1]" or "[::1]:80".
// A zone has a meaning on one machine only, and the unspecified and multicast
// addresses are nobody's: with them the entry is malformed.
func parseEntry(s string) (netip.Addr, bool) {
	a, ok := parseAddr(s)
	if !ok || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		return netip.Addr{}, false
	}
	if a = a.Unmap(); a.IsUnspecified() || a.IsMulticast() {
		return netip.Addr{}, false
	}
	return a, true
}

func parseAddr(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr(), true
	}
	inner, bracketed := s, false
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		inner, bracketed = s[1:len(s)-1], true
	}
	a, err := netip.ParseAddr(inner)
	return a, err == nil && (!bracketed || a.Is6())
}

// trim takes away the white space that HTTP allows around list elements, and
// no other: a form feed or a no-break space is part of a malformed entry.
func trim(s string) string { return strings.Trim(s, " \t") }
