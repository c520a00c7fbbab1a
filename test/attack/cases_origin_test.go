package attack

import (
	"fmt"
	"strings"
)

func stranger(name string, header ...string) attack {
	return attack{name, func(s *scene) *request { return s.from(s.add("", header...), elsewhere) }, origin}
}

func places() []attack {
	at := func(name, address string) attack {
		return attack{name, func(s *scene) *request { return s.from(s.get(), address) }, origin}
	}
	return []attack{
		at("another address", elsewhere),
		at("the address of a colleague", neighbour),
		at("an address of the same network", "127.0.1.1"),
		at("the last address of the network", "127.255.255.254"),
		{"an IPv6 address", func(s *scene) *request { r := s.get(); r.from, r.to = "::1", "::1"; return r }, origin},
		{"a colleague's URL from here", func(s *scene) *request { return s.open(s.others) }, origin},
		{"a colleague's URL from a third address", func(s *scene) *request { return s.from(s.open(s.others), elsewhere) }, origin},
	}
}

// claims are the headers by which proxies, clouds and object stores have been
// told a client's address.
var claims = []string{
	"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "SourceIp", "X-Amz-Source-Ip", "X-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP",
	"X-Original-Forwarded-For", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "Client-IP", "Via", "X-Forwarded", "Forwarded-For", "X-ProxyUser-Ip",
	"Fastly-Client-IP", "X-Envoy-External-Address", "X-Azure-ClientIP", "X-Appengine-User-IP", "X-Amz-Vpc-Source-Ip", "X-Source-Ip", "Proxy-Client-IP", "WL-Proxy-Client-IP",
}

func headers() []attack {
	var out []attack
	for _, h := range claims {
		out = append(out, stranger(h, h+": "+value(h)))
		out = append(out, stranger(h+" in lower case", strings.ToLower(h)+": "+value(h)))
		if strings.Contains(h, "-") {
			out = append(out, stranger(h+" with underscores", strings.ReplaceAll(h, "-", "_")+": "+value(h)))
		}
	}
	for _, h := range []string{"X-Forwarded-For", "Forwarded", "X-Real-IP"} {
		out = append(out,
			stranger(h+" in upper case", strings.ToUpper(h)+": "+value(h)),
			stranger(h+" twice", h+": "+value(h), h+": "+value(h)),
			stranger(h+" twice, the stranger last", h+": "+value(h), h+": 127.0.0.2"),
			stranger(h+" twice, the worker last", h+": 127.0.0.2", h+": "+value(h)),
			stranger(h+" in two spellings", h+": "+value(h), strings.ToLower(h)+": "+value(h)),
			stranger(h+" without a space", h+":"+value(h)),
			stranger(h+" with tabs around", h+":\t"+value(h)+"\t"),
			stranger(h+" empty", h+":"),
			stranger(h+" folded over two lines", h+": 127.0.0.2,\r\n "+value(h)),
			stranger(h+" with raw bytes", h+": \x80\xff"+value(h)),
			stranger(h+" with a port", h+": "+strings.Replace(value(h), here, here+":443", 1)),
			stranger(h+" in brackets", h+": [127.0.0.1]"),
			stranger(h+" as a mapped address", h+": ::ffff:127.0.0.1"),
			stranger(h+" as a number", h+": 2130706433"),
			stranger(h+" with leading zeros", h+": 127.000.000.001"),
			stranger(h+" as localhost", h+": localhost"),
			stranger(h+" with a list", h+": 127.0.0.1, 127.0.0.1, 127.0.0.1"),
			stranger(h+" with a thousand entries", h+": "+strings.Repeat("127.0.0.1, ", 999)+"127.0.0.1"),
		)
	}
	out = append(out,
		stranger("Forwarded with several parameters", `Forwarded: for="127.0.0.1";proto=http;by=127.0.0.1;host=x`),
		stranger("Forwarded with a quoted port", `Forwarded: for="127.0.0.1:1234"`),
		stranger("Forwarded with an obfuscated node", `Forwarded: for=_hidden, for=127.0.0.1`),
		stranger("all of them at once", all()...),
		attack{"a header name with a space before the colon", func(s *scene) *request { return s.from(s.add("", "X-Forwarded-For : 127.0.0.1"), elsewhere) }, noRequest},
		attack{"a header with a NUL", func(s *scene) *request { return s.from(s.add("", "X-Forwarded-For: 127.0.0.1\x00"), elsewhere) }, noRequest},
		attack{"a header without a name", func(s *scene) *request { return s.from(s.add("", ": 127.0.0.1"), elsewhere) }, noRequest},
		attack{"X-Forwarded-For in a trailer", func(s *scene) *request {
			r := s.from(s.add("", "Transfer-Encoding: chunked", "Trailer: X-Forwarded-For"), elsewhere)
			r.body = "0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"
			return r
		}, origin},
		attack{"a PROXY line before the request", func(s *scene) *request {
			r := s.from(s.get(), elsewhere)
			r.raw = "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + r.bytes("AGENT")
			return r
		}, noAnswer},
		attack{"a binary PROXY header before the request", func(s *scene) *request {
			r := s.from(s.get(), elsewhere)
			r.raw = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x00\x01\x00\x02" + r.bytes("AGENT")
			return r
		}, noAnswer},
		attack{"X-Amz-Source-Ip as a parameter", func(s *scene) *request { return s.from(s.add("&X-Amz-Source-Ip=127.0.0.1"), elsewhere) }, mismatch},
		attack{"aws:SourceIp as a parameter", func(s *scene) *request { return s.from(s.add("&aws%3ASourceIp=127.0.0.1"), elsewhere) }, mismatch},
		attack{"X-Amz-Vpc-Source-Ip as a parameter", func(s *scene) *request { return s.from(s.add("&X-Amz-Vpc-Source-Ip=127.0.0.1"), elsewhere) }, mismatch},
	)
	for i := range out {
		if strings.HasPrefix(out[i].name, "X-Amz-") && !strings.HasSuffix(out[i].name, "parameter") && !strings.HasSuffix(out[i].name, "underscores") || out[i].name == "all of them at once" {
			out[i].want = refusal{error: "AccessDenied", reason: "not among the signed headers"}
		}
	}
	return out
}

// value is how the header says 127.0.0.1.
func value(header string) string {
	switch header {
	case "Forwarded":
		return "for=127.0.0.1"
	case "Via":
		return "1.1 127.0.0.1"
	}
	return here
}

func all() (lines []string) {
	for _, h := range claims {
		lines = append(lines, fmt.Sprintf("%s: %s", h, value(h)))
	}
	return lines
}
