package attack

import (
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

var names = []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token"}

func spellings() []attack {
	of := func(name string, want refusal, change func(s *scene) *request) attack {
		return attack{name, change, want}
	}
	rewrite := func(name string, want refusal, old, value string) attack {
		return of(name, want, func(s *scene) *request { return s.replace(old, value) })
	}
	out := []attack{
		rewrite("an escape in lower case", badQuery, "%2F", "%2f"),
		of("a letter escaped in lower case", badQuery, func(s *scene) *request { return s.with("X-Amz-SignedHeaders", "h%6fst") }),
		rewrite("a parameter in the path", mismatch, "?", "/?"),
		of("escaped twice", refusal{}, func(s *scene) *request { return s.replace("%2F", "%252F") }),
		of("a plus for an escape", refusal{}, func(s *scene) *request { return s.replace("%2F", "+") }),
		of("an escaped equals sign", refusal{}, func(s *scene) *request { return s.replace("X-Amz-Date=", "X-Amz-Date%3D") }),
		of("an escaped ampersand", refusal{}, func(s *scene) *request { return s.replace("&X-Amz-Date", "%26X-Amz-Date") }),
		of("a semicolon for an ampersand", refusal{}, func(s *scene) *request { return s.replace("&X-Amz-Date", ";X-Amz-Date") }),
		of("two equals signs", refusal{}, func(s *scene) *request { return s.replace("X-Amz-Date=", "X-Amz-Date==") }),
		of("an ampersand at the end", badQuery, func(s *scene) *request { return s.add("&") }),
		of("an ampersand at the beginning", badQuery, func(s *scene) *request { return s.replace("?", "?&") }),
		of("two ampersands", badQuery, func(s *scene) *request { return s.replace("&X-Amz-Date", "&&X-Amz-Date") }),
		of("a broken escape", refusal{error: "InvalidURI"}, func(s *scene) *request { return s.add("&x=%") }),
		of("an escape that is no number", refusal{error: "InvalidURI"}, func(s *scene) *request { return s.add("&x=%zz") }),
		of("a wide digit", refusal{}, func(s *scene) *request { return s.with("X-Amz-Expires", "%EF%BC%91") }),
		of("a raw byte that is no UTF-8", refusal{}, func(s *scene) *request { return s.add("&x=\xff") }),
		of("a zero-width space in a name", refusal{}, func(s *scene) *request { return s.replace("X-Amz-Date", "X-Amz-Date%E2%80%8B") }),
		of("a space before a value", refusal{}, func(s *scene) *request { return s.replace("X-Amz-Expires=", "X-Amz-Expires=%20") }),
		of("a NUL behind a value", refusal{}, func(s *scene) *request { return s.replace("&X-Amz-SignedHeaders", "%00&X-Amz-SignedHeaders") }),
		of("a line end behind a value", refusal{}, func(s *scene) *request { return s.replace("&X-Amz-SignedHeaders", "%0A&X-Amz-SignedHeaders") }),
		of("brackets behind a name", refusal{}, func(s *scene) *request { return s.replace("X-Amz-Expires=", "X-Amz-Expires[]=") }),
		of("a fragment at the end", refusal{status: []int{403, 400}}, func(s *scene) *request { return s.add("#x") }),
	}
	for _, n := range names {
		out = append(out,
			of(n+" in lower case", refusal{}, func(s *scene) *request { return s.replace(n+"=", strings.ToLower(n)+"=") }),
			of(n+" with an underscore", refusal{}, func(s *scene) *request { return s.replace(n+"=", strings.Replace(n, "-", "_", 1)+"=") }),
		)
	}
	return out
}

func parameters() []attack {
	var out []attack
	for _, n := range names {
		missing := badQuery
		if n == "X-Amz-Security-Token" {
			missing = refusal{error: "InvalidAccessKeyId"} // a session's key is none by itself
		}
		out = append(out,
			attack{n + " missing", func(s *scene) *request {
				r := s.get()
				r.target = strings.NewReplacer("&"+n+"="+s.param(n), "", "?"+n+"="+s.param(n)+"&", "?").Replace(r.target)
				return r
			}, missing},
			attack{n + " empty", func(s *scene) *request { return s.with(n, "") }, missing},
			attack{n + " twice", func(s *scene) *request { return s.add("&" + n + "=" + s.param(n)) }, badQuery},
			attack{n + " twice, another value first", func(s *scene) *request { return s.replace("?", "?"+n+"=x&") }, badQuery},
			attack{n + " twice, once in lower case", func(s *scene) *request { return s.add("&" + strings.ToLower(n) + "=" + s.param(n)) }, badQuery},
			attack{n + " twice, once escaped", func(s *scene) *request { return s.add("&%58" + n[1:] + "=" + s.param(n)) }, badQuery},
		)
	}
	for _, p := range []string{"X-Amz-Acl=public-read", "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", "X-Amz-Copy-Source=%2Finput%2Fboxes%2F0.jpg", "X-Amz-Expected-Bucket-Owner=000000000000",
		"X-Amz-Grant-Read=x", "X-Amz-Meta-A=b", "X-Amz-Target=SageMaker.ListWorkteams", "X-Amz-Request-Payer=requester", "X-Amz-Region-Set=*", "X-Amz-S3session-Token=x", "X-Amz-Foo",
		"x=y", "x", "=", "=x", "Action=ListUsers&Version=2010-05-08", "policy=x", "signature=x"} {
		want := mismatch
		if strings.HasPrefix(p, "=") {
			want = refusal{}
		}
		out = append(out, attack{"one more: " + p, func(s *scene) *request { return s.add("&" + p) }, want})
	}
	return append(out,
		attack{"a thousand more", func(s *scene) *request { return s.add(strings.Repeat("&a=b", 1000)) }, refusal{error: "InvalidURI"}},
		attack{"32 KiB more", func(s *scene) *request { return s.add("&a=" + strings.Repeat("b", 32<<10)) }, refusal{error: "InvalidURI"}},
	)
}

func scopes() []attack {
	scope := func(name string, want refusal, change func(parts []string)) attack {
		return attack{name, func(s *scene) *request {
			parts := strings.Split(s.param("X-Amz-Credential"), "%2F")
			change(parts)
			return s.with("X-Amz-Credential", strings.Join(parts, "%2F"))
		}, want}
	}
	algorithm := func(a string, want refusal) attack {
		return attack{"the algorithm " + a, func(s *scene) *request { return s.with("X-Amz-Algorithm", a) }, want}
	}
	return []attack{
		scope("another region", badQuery, func(p []string) { p[2] = "eu-west-1" }),
		scope("every region", badQuery, func(p []string) { p[2] = "%2A" }),
		scope("another service", badQuery, func(p []string) { p[3] = "sts" }),
		scope("the service in upper case", badQuery, func(p []string) { p[3] = "S3" }),
		scope("the day before", badQuery, func(p []string) { p[1] = "20200101" }),
		scope("another terminator", badQuery, func(p []string) { p[4] = "aws5_request" }),
		scope("no terminator", badQuery, func(p []string) { p[4] = "" }),
		scope("another key id", refusal{error: "InvalidClientTokenId"}, func(p []string) { p[0] = "ASIAAAAAAAAAAAAAAAAA" }),
		scope("the root's key id", refusal{}, func(p []string) { p[0] = "AKIAFIDUCIALTESTROOT" }),
		scope("no key id", badQuery, func(p []string) { p[0] = "" }),
		scope("a key id with a slash", refusal{}, func(p []string) { p[0] += "%2Fx" }),
		{"a scope with a part less", func(s *scene) *request {
			return s.with("X-Amz-Credential", strings.TrimSuffix(s.param("X-Amz-Credential"), "%2Faws4_request"))
		}, badQuery},
		{"a scope of ten thousand bytes", func(s *scene) *request {
			return s.with("X-Amz-Credential", strings.Repeat("a", 10000)+s.param("X-Amz-Credential"))
		}, badQuery},
		algorithm("AWS4-ECDSA-P256-SHA256", badQuery), algorithm("AWS4-HMAC-SHA1", badQuery), algorithm("AWS4-HMAC-SHA512", badQuery),
		algorithm("aws4-hmac-sha256", badQuery), algorithm("AWS3-HMAC-SHA256", badQuery), algorithm("none", badQuery),
		{"Signature Version 2 in the query", func(s *scene) *request {
			r := s.get()
			path, _, _ := strings.Cut(r.target, "?")
			key, _, _ := strings.Cut(s.param("X-Amz-Credential"), "%2F")
			r.target = path + "?AWSAccessKeyId=" + key + "&Expires=4102444800&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&x-amz-security-token=" + s.param("X-Amz-Security-Token")
			return r
		}, refusal{}},
		{"Signature Version 2 beside Version 4", func(s *scene) *request {
			return s.add("&AWSAccessKeyId=x&Expires=4102444800&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D")
		}, refusal{}},
	}
}

func times() []attack {
	set := func(name, param, value string, want refusal) attack {
		return attack{name, func(s *scene) *request { return s.with(param, value) }, want}
	}
	return []attack{
		set("a longer life", "X-Amz-Expires", "604800", mismatch),
		set("a life of over a week", "X-Amz-Expires", "604801", badQuery),
		set("no life", "X-Amz-Expires", "0", badQuery),
		set("a negative life", "X-Amz-Expires", "-1", badQuery),
		set("a life with a sign", "X-Amz-Expires", "%2B900", mismatch),
		set("a life as a power", "X-Amz-Expires", "1e3", badQuery),
		set("a life in hexadecimal", "X-Amz-Expires", "0x384", badQuery),
		set("a life beyond 64 bits", "X-Amz-Expires", "99999999999999999999", badQuery),
		{"a life with leading zeros", func(s *scene) *request { return s.with("X-Amz-Expires", "00"+s.param("X-Amz-Expires")) }, mismatch},
		set("another date", "X-Amz-Date", "20200101T000000Z", badQuery),
		{"a second later", func(s *scene) *request {
			d := s.param("X-Amz-Date")
			return s.with("X-Amz-Date", d[:14]+string('0'+(d[14]-'0'+1)%10)+"Z")
		}, mismatch},
		{"a date without its zone", func(s *scene) *request { return s.with("X-Amz-Date", strings.TrimSuffix(s.param("X-Amz-Date"), "Z")) }, badQuery},
		{"a date in another zone", func(s *scene) *request {
			return s.with("X-Amz-Date", strings.TrimSuffix(s.param("X-Amz-Date"), "Z")+"%2B0100")
		}, badQuery},
		{"a date with a fraction", func(s *scene) *request {
			return s.with("X-Amz-Date", strings.TrimSuffix(s.param("X-Amz-Date"), "Z")+".5Z")
		}, badQuery},
		{"a date with a month that is none", func(s *scene) *request { return s.with("X-Amz-Date", s.param("X-Amz-Date")[:4]+"1301T000000Z") }, badQuery},
		set("a date in seconds", "X-Amz-Date", "1772600767", badQuery),
		{"X-Amz-Date as a header as well", func(s *scene) *request { return s.add("", "X-Amz-Date: "+s.param("X-Amz-Date")) }, refusal{error: "AccessDenied", reason: "not among the signed headers"}},
	}
}

func signatures() []attack {
	set := func(name string, want refusal, change func(sig string) string) attack {
		return attack{name, func(s *scene) *request { return s.with("X-Amz-Signature", change(s.param("X-Amz-Signature"))) }, want}
	}
	to := func(sig string) func(string) string { return func(string) string { return sig } }
	return []attack{
		set("in upper case", mismatch, strings.ToUpper),
		set("of zeros", mismatch, to(strings.Repeat("0", 64))),
		set("of the letter f", mismatch, to(strings.Repeat("f", 64))),
		set("one digit less", mismatch, func(s string) string { return s[1:] }),
		set("one digit more", mismatch, func(s string) string { return s + "0" }),
		set("half of it", mismatch, func(s string) string { return s[:32] }),
		set("twice", mismatch, func(s string) string { return s + s }),
		set("backwards", mismatch, func(s string) string {
			b := []byte(s)
			for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
				b[i], b[j] = b[j], b[i]
			}
			return string(b)
		}),
		set("with 0x before it", mismatch, func(s string) string { return "0x" + s }),
		set("with a space behind it", mismatch, func(s string) string { return s + "%20" }),
		set("in base64", mismatch, to("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D")),
		set("of ten thousand digits", mismatch, to(strings.Repeat("0", 10000))),
		set("the first digit changed", mismatch, func(s string) string { return flip(s, 0) }),
		set("the last digit changed", mismatch, func(s string) string { return flip(s, 63) }),
		{"the colleague's", func(s *scene) *request { return s.with("X-Amz-Signature", param(s.t, s.others, "X-Amz-Signature")) }, mismatch},
		{"of an ended grant for the same worker", func(s *scene) *request {
			return s.with("X-Amz-Signature", param(s.t, s.dead["released"], "X-Amz-Signature"))
		}, mismatch},
		{"more signed headers than were signed", func(s *scene) *request { return s.with("X-Amz-SignedHeaders", "host%3Buser-agent") }, mismatch},
		{"no host among the signed headers", func(s *scene) *request { return s.with("X-Amz-SignedHeaders", "user-agent") }, refusal{}},
		{"signed headers in upper case", func(s *scene) *request { return s.with("X-Amz-SignedHeaders", "Host") }, refusal{}},
		{"signed headers that are not in order", func(s *scene) *request { return s.with("X-Amz-SignedHeaders", "user-agent%3Bhost") }, badQuery},
		{"the host signed twice", func(s *scene) *request { return s.with("X-Amz-SignedHeaders", "host%3Bhost") }, badQuery},
		{"a thousand signed headers", func(s *scene) *request { return s.with("X-Amz-SignedHeaders", strings.Repeat("host%3B", 1000)+"host") }, badQuery},
	}
}

// flip changes one letter into another of the same alphabet.
func flip(s string, i int) string {
	c := byte('0')
	if s[i] == c {
		c = '1'
	}
	return s[:i] + string(c) + s[i+1:]
}

func tokens() []attack {
	const name = "X-Amz-Security-Token"
	set := func(title string, want refusal, change func(token string) string) attack {
		return attack{title, func(s *scene) *request { return s.with(name, change(s.param(name))) }, want}
	}
	out := []attack{
		{"the colleague's", func(s *scene) *request { return s.with(name, param(s.t, s.others, name)) }, badToken},
		{"of a grant that has ended", func(s *scene) *request { return s.with(name, param(s.t, s.dead["released"], name)) }, badToken},
		{"the colleague's, with the colleague's key id", func(s *scene) *request {
			r := s.with(name, param(s.t, s.others, name))
			r.target = strings.Replace(r.target, s.param("X-Amz-Credential"), param(s.t, s.others, "X-Amz-Credential"), 1)
			return r
		}, mismatch},
		{"of an ended grant, with that grant's key id", func(s *scene) *request {
			r := s.with(name, param(s.t, s.dead["released"], name))
			r.target = strings.Replace(r.target, s.param("X-Amz-Credential"), param(s.t, s.dead["released"], "X-Amz-Credential"), 1)
			return r
		}, mismatch},
		set("one byte less", badToken, func(v string) string { return v[:len(v)-1] }),
		set("the first byte missing", badToken, func(v string) string { return v[1:] }),
		set("half of it", badToken, func(v string) string { return v[:len(v)/2] }),
		set("four bytes", badToken, func(v string) string { return v[:4] }),
		set("one byte more", badToken, func(v string) string { return v + "A" }),
		set("padding behind it", badToken, func(v string) string { return v + "%3D" }),
		set("a space before it", badToken, func(v string) string { return "%20" + v }),
		set("a line end behind it", badToken, func(v string) string { return v + "%0A" }),
		set("a NUL behind it", badToken, func(v string) string { return v + "%00" }),
		set("twice in a row", badToken, func(v string) string { return v + v }),
		set("in upper case", badToken, strings.ToUpper),
		set("of 20,000 bytes", refusal{}, func(v string) string { return strings.Repeat("A", 20000) }),
		set("a text that is no token", badToken, func(string) string { return "token" }),
		set("null", badToken, func(string) string { return "null" }),
		{"as a header", func(s *scene) *request {
			r := s.get()
			r.target = strings.Replace(r.target, "&"+name+"="+s.param(name), "", 1)
			r.header = []string{name + ": " + s.param(name)}
			return r
		}, refusal{}},
		{"as a header and as a parameter", func(s *scene) *request { return s.add("", name+": "+s.param(name)) }, refusal{}},
		{"the colleague's as a header", func(s *scene) *request { return s.add("", name+": "+param(s.t, s.others, name)) }, refusal{}},
	}
	for _, percent := range []int{0, 1, 5, 10, 25, 50, 75, 90, 99} {
		out = append(out, set("a byte changed at "+itoa(percent)+" %", badToken, func(v string) string { return flip(v, (len(v)-1)*percent/100) }))
	}
	return append(out, set("the last byte changed", badToken, func(v string) string { return flip(v, len(v)-1) }))
}
