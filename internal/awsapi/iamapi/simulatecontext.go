package iamapi

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/awsapi"
	"fiducial/internal/policy"
)

// readContext reads ContextEntries. Keys that a request has of its own (addresses,
// time, transport) go where the policy engine looks for them; those that the
// engine derives from the caller alone are refused, since a value given for them
// would not count in a real request either.
func (s *simulation) readContext(form url.Values) error {
	entries := awsapi.Members(form, "ContextEntries")
	if len(entries) > maxContext {
		return invalidInput("ContextEntries: at most %d.", maxContext)
	}
	s.provided = map[string]bool{}
	for i, e := range entries {
		name, kind, values := e.Get("ContextKeyName"), e.Get("ContextKeyType"), awsapi.Strings(e, "ContextKeyValues")
		where := "ContextEntries." + strconv.Itoa(i+1)
		base, list := strings.CutSuffix(kind, "List")
		check, ok := contextTypes[base]
		switch {
		case len(name) < 5 || len(name) > 256 || !strings.Contains(name, ":"):
			return invalidInput("%s.ContextKeyName: %q: expected a key such as aws:SourceIp.", where, name)
		case !ok:
			return invalidInput("%s.ContextKeyType: %q: expected string, numeric, boolean, ip, binary, date, or one of them with List.", where, kind)
		case len(values) == 0 || !list && len(values) > 1:
			return invalidInput("%s.ContextKeyValues: %d values are given for the type %s.", where, len(values), kind)
		case s.provided[strings.ToLower(name)]:
			return invalidInput("%s.ContextKeyName: %s is given twice.", where, name)
		}
		for _, v := range values {
			if !check(v) {
				return invalidInput("%s.ContextKeyValues: %q is not of the type %s.", where, v, base)
			}
		}
		s.provided[strings.ToLower(name)] = true
		if err := s.set(where, name, values, list); err != nil {
			return err
		}
	}
	return nil
}

// contextTypes check a value of a type.
var contextTypes = map[string]func(string) bool{
	"string": func(string) bool { return true },
	"binary": func(string) bool { return true },
	"numeric": func(v string) bool {
		_, err := strconv.ParseFloat(v, 64)
		return err == nil
	},
	"boolean": func(v string) bool { return strings.EqualFold(v, "true") || strings.EqualFold(v, "false") },
	"ip": func(v string) bool {
		_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimSuffix(v, "/32"), "/128"))
		return err == nil
	},
	"date": func(v string) bool { _, ok := instant(v); return ok },
}

// instant reads a date as ISO 8601 or as seconds since 1970.
func instant(v string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, true
		}
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return time.Unix(n, 0).UTC(), err == nil
}

// set puts one entry where the engine reads the key.
func (s *simulation) set(where, name string, values []string, list bool) error {
	v := values[0]
	address := func(into *netip.Addr) error {
		a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimSuffix(v, "/32"), "/128"))
		if err != nil {
			return invalidInput("%s.ContextKeyValues: %q is not an address.", where, v)
		}
		*into = a.Unmap()
		return nil
	}
	c := &s.context
	switch key := strings.ToLower(name); key {
	case "aws:sourceip":
		return address(&c.SourceIP)
	case "aws:vpcsourceip":
		return address(&c.VPCSourceIP)
	case "aws:sourcevpc":
		c.SourceVPC = v
	case "aws:sourcevpce":
		c.SourceVPCE = v
	case "aws:securetransport":
		c.SecureTransport = strings.EqualFold(v, "true")
	case "aws:referer":
		c.Referer = v
	case "aws:useragent":
		c.UserAgent = v
	case "aws:currenttime", "aws:epochtime":
		t, ok := instant(v)
		if !ok {
			return invalidInput("%s.ContextKeyValues: %q is not a date.", where, v)
		}
		c.Time = t
		s.provided["aws:currenttime"], s.provided["aws:epochtime"] = true, true
	case "aws:username", "aws:userid", "aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:tokenissuetime", "aws:multifactorauthpresent",
		"aws:viaawsservice", "aws:principalisawsservice", "aws:principalservicename", "aws:federatedprovider":
		return invalidInput("%s.ContextKeyName: %s follows from who asks: give CallerArn or PolicySourceArn instead.", where, name)
	default:
		k := policy.Key{Name: name, Value: v}
		if list {
			k.Values = values
		}
		c.Keys = append(c.Keys, k)
	}
	return nil
}

// missing are the keys that the documents read and that have no value.
func (s *simulation) missing() []string {
	var out []string
	documents := s.identity
	if s.resource != nil {
		documents = append(documents[:len(documents):len(documents)], *s.resource)
	}
	for _, k := range keysOf(documents).ContextKeyNames.Members {
		if !s.provided[strings.ToLower(k)] && !s.known(strings.ToLower(k)) {
			out = append(out, k)
		}
	}
	return out
}

// known reports whether the caller alone gives a key its value.
func (s *simulation) known(key string) bool {
	p := &s.principal
	switch key {
	case "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice", "aws:viaawsservice":
		return true
	case "aws:username":
		return p.Name != ""
	case "aws:userid":
		return p.UserID != ""
	case "aws:principalarn":
		return p.ARN != ""
	}
	return false
}
