package attack

import "strings"

func operations() []attack {
	var out []attack
	for _, q := range []string{
		"acl", "tagging", "versionId=null", "versionId=x", "versions", "uploads", "uploadId=x", "partNumber=1", "torrent", "attributes", "legal-hold", "retention", "restore",
		"select&select-type=2", "policy", "policyStatus", "cors", "logging", "location", "encryption", "lifecycle", "website", "notification", "replication", "publicAccessBlock",
		"ownershipControls", "object-lock", "requestPayment", "list-type=2", "list-type=2&prefix=", "prefix=boxes", "delimiter=%2F", "session", "x-id=GetObject", "x-id=PutObject", "renameObject",
		"response-content-type=text%2Fhtml", "response-content-disposition=attachment", "response-cache-control=no-store", "response-expires=0", "response-content-encoding=gzip", "response-content-language=de",
	} {
		out = append(out, attack{q, func(s *scene) *request { return s.add("&" + q) }, mismatch})
	}
	for _, q := range []string{"acl", "versionId=null", "response-content-type=text%2Fhtml"} {
		out = append(out, attack{q + " before the signature's own", func(s *scene) *request { return s.replace("?", "?"+q+"&") }, mismatch})
	}
	for _, m := range []string{"PUT", "DELETE", "POST"} {
		out = append(out, attack{m + " of the access control list", func(s *scene) *request { r := s.add("&acl"); r.method = m; return r }, mismatch})
	}
	return append(out, attack{"a copy of the picture by PUT", func(s *scene) *request {
		r := s.add("", "X-Amz-Copy-Source: /input/boxes/0.jpg", "Content-Length: 0")
		r.method = "PUT"
		return r
	}, refusal{}})
}

func extras() []attack {
	unsigned := refusal{error: "AccessDenied", reason: "not among the signed headers"}
	with := func(name string, want refusal, header ...string) attack {
		return attack{name, func(s *scene) *request { return s.add("", header...) }, want}
	}
	auth := func(v string) string { return "Authorization: " + v }
	both := refusal{error: "InvalidArgument", reason: "signed once"}
	out := []attack{
		with("an Authorization header of Version 4", both, auth("AWS4-HMAC-SHA256 Credential=AKIAFIDUCIALTESTROOT/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature="+strings.Repeat("0", 64))),
		with("an Authorization header of Version 2", both, auth("AWS AKIAFIDUCIALTESTROOT:AAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
		with("an Authorization header of Version 4A", both, auth("AWS4-ECDSA-P256-SHA256 Credential=x/20260101/s3/aws4_request, SignedHeaders=host;x-amz-region-set, Signature=00")),
		with("a bearer token", both, auth("Bearer x")),
		with("Basic credentials", both, auth("Basic YTpi")),
		with("an empty Authorization header", both, auth("")),
		with("two Authorization headers", both, auth("Bearer x"), auth("Bearer y")),
		with("a key of the sender's own", unsigned, "X-Amz-Server-Side-Encryption-Customer-Key: x"),
		{"an Authorization header in place of the query", func(s *scene) *request {
			r := s.get().cut("?")
			r.header = []string{auth("AWS4-HMAC-SHA256 Credential=" + strings.ReplaceAll(s.param("X-Amz-Credential"), "%2F", "/") + ", SignedHeaders=host, Signature=" + s.param("X-Amz-Signature")),
				"X-Amz-Date: " + s.param("X-Amz-Date"), "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD", "X-Amz-Security-Token: " + s.param("X-Amz-Security-Token")}
			return r
		}, refusal{}},
		{"the token as a cookie", func(s *scene) *request {
			r := s.get().cut("?")
			r.header = []string{"Cookie: X-Amz-Security-Token=" + s.param("X-Amz-Security-Token")}
			return r
		}, anonymous},
	}
	for _, h := range []string{"X-Amz-Acl: public-read", "X-Amz-Copy-Source: /input/boxes/0.jpg", "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD", "x-amz-content-sha256: " + strings.Repeat("0", 64), "X-Amz-Date: 20260101T000000Z",
		"X-Amz-Expected-Bucket-Owner: 000000000000", "X-Amz-Request-Payer: requester", "X-Amz-Grant-Full-Control: x", "X-Amz-Meta-A: b", "X-Amz-Checksum-Mode: ENABLED", "X-Amz-Security-Token:", "X-AMZ-FOO: x"} {
		want := unsigned
		if strings.HasPrefix(h, "X-Amz-Security-Token") {
			want = refusal{}
		}
		out = append(out, with(h, want, h))
	}
	return out
}

func ranges() []attack {
	var out []attack
	for _, h := range []string{"Range: bytes=0-0", "Range: bytes=0-", "Range: bytes=-1", "Range: bytes=0-0,1-1", "Range: bytes=9999999-", "Range: bytes=0-18446744073709551615", "Range: items=0-1",
		"Range: bytes=0-0\r\nIf-Range: x", "If-None-Match: *", "If-Match: *", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "If-Unmodified-Since: Thu, 01 Jan 2099 00:00:00 GMT",
		"Accept-Encoding: gzip", "Expect: 100-continue", "Cache-Control: only-if-cached", "Origin: http://127.0.0.1:9001", "Referer: http://127.0.0.1:9001/tasks/x", "Cookie: __Host-fiducial=x", "Upgrade: h2c", "Upgrade: websocket"} {
		out = append(out, stranger("from elsewhere with "+strings.ReplaceAll(h, "\r\n", " and "), strings.Split(h, "\r\n")...))
	}
	for _, h := range []string{"Range: bytes=0-0", "If-None-Match: *", "If-Range: x"} {
		out = append(out, attack{"the next object with " + h, func(s *scene) *request {
			r := s.path(func(p string) string { return strings.TrimSuffix(p, ".jpg") + "0.jpg" })
			r.header = []string{h}
			return r
		}, mismatch})
	}
	return out
}

func endings() []attack {
	var out []attack
	for _, c := range []struct{ name, reason string }{
		{"released", "assignment"}, {"declined", "assignment"}, {"submitted", "assignment"},
		{"the job was stopped", ""}, {"the worker was disabled", ""}, {"the worker left the group", ""},
	} {
		gone := refusal{error: "AccessDenied", reason: "revocation"}
		dead := func(s *scene) *request { return s.open(s.dead[c.name]) }
		out = append(out,
			attack{c.name, dead, gone},
			attack{c.name + ", once more", dead, gone},
			attack{c.name + ", a range of it", func(s *scene) *request { r := dead(s); r.header = []string{"Range: bytes=0-9"}; return r }, gone},
			attack{c.name + ", if it has changed", func(s *scene) *request { r := dead(s); r.header = []string{`If-None-Match: "x"`}; return r }, gone},
			attack{c.name + ", from elsewhere", func(s *scene) *request { return s.from(dead(s), elsewhere) }, refusal{error: "AccessDenied"}},
			attack{c.name + ", with the token of a grant that lives", func(s *scene) *request {
				r := dead(s)
				r.target = strings.Replace(r.target, param(s.t, s.dead[c.name], "X-Amz-Security-Token"), s.param("X-Amz-Security-Token"), 1)
				return r
			}, badToken},
		)
	}
	return out
}

func wire() []attack {
	as := func(name string, want refusal, change func(s *scene, r *request)) attack {
		return attack{name, func(s *scene) *request { r := s.from(s.get(), elsewhere); change(s, r); return r }, want}
	}
	header := func(lines ...string) func(*scene, *request) { return func(_ *scene, r *request) { r.header = lines } }
	raw := func(text string) func(*scene, *request) {
		return func(_ *scene, r *request) {
			whole := r.bytes("AGENT")
			r.raw = strings.ReplaceAll(text, "REQUEST", whole)
		}
	}
	reader := func(status ...int) refusal { return refusal{status: status, unheard: true} }
	return []attack{
		as("HTTP/1.0 from elsewhere", origin, func(_ *scene, r *request) { r.proto = "HTTP/1.0" }),
		as("HTTP/1.0 without a host", refusal{}, func(_ *scene, r *request) { r.proto, r.host = "HTTP/1.0", "" }),
		as("HTTP/0.9", reader(0, 400), raw("GET /input/boxes/0.jpg\r\n\r\n")),
		as("HTTP/1.1 in lower case", reader(400), func(_ *scene, r *request) { r.proto = "http/1.1" }),
		as("HTTP/2 by its preface", reader(0, 400, 505), raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
		as("HTTP/3.0", reader(505), func(_ *scene, r *request) { r.proto = "HTTP/3.0" }),
		as("a TLS greeting", reader(0, 400), raw("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n")),
		as("no method", reader(400), raw(" / HTTP/1.1\r\nHost: x\r\n\r\n")),
		as("a method with a control character", reader(400), raw("GE\x01T / HTTP/1.1\r\nHost: x\r\n\r\n")),
		as("CONNECT", reader(400, 403), raw("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")),
		as("a length and chunks", refusal{status: []int{400, 403}}, func(_ *scene, r *request) {
			r.header, r.body = []string{"Content-Length: 4", "Transfer-Encoding: chunked"}, "0\r\n\r\n"
		}),
		as("two lengths", reader(400), header("Content-Length: 0", "Content-Length: 5")),
		as("a length with a sign", reader(400), header("Content-Length: +0")),
		as("a length that is no number", reader(400), header("Content-Length: x")),
		as("an unknown transfer encoding", reader(501), header("Transfer-Encoding: gzip, chunked")),
		as("a transfer encoding in disguise", reader(400, 501), header("Transfer-Encoding: xchunked")),
		as("two transfer encodings", reader(400, 501), header("Transfer-Encoding: chunked", "Transfer-Encoding: identity")),
		as("a chunk size that is no number", refusal{}, func(_ *scene, r *request) {
			r.header, r.body = []string{"Transfer-Encoding: chunked"}, "zz\r\n\r\n"
		}),
		as("chunks in a GET", origin, func(_ *scene, r *request) {
			r.header, r.body = []string{"Transfer-Encoding: chunked"}, "4\r\nevil\r\n0\r\n\r\n"
		}),
		as("a second request in the body", origin, func(s *scene, r *request) {
			inner := s.get()
			r.body = inner.bytes("smuggled")
			r.header = []string{"Content-Length: " + itoa(len(r.body))}
		}),
		as("a folded header", origin, header("X-A: b\r\n c")),
		as("a header folded at once", reader(400), raw("GET / HTTP/1.1\r\n Host: x\r\n\r\n")),
		as("bare line feeds", refusal{}, func(_ *scene, r *request) { r.raw = strings.ReplaceAll(r.bytes("AGENT"), "\r\n", "\n") }),
		as("bare carriage returns", reader(0, 400), func(_ *scene, r *request) { r.raw = strings.ReplaceAll(r.bytes("AGENT"), "\r\n", "\r") + "\r\n\r\n" }),
		as("a header of 100 KiB", reader(431), header("X-A: "+strings.Repeat("a", 100<<10))),
		as("ten thousand headers", reader(431), header(strings.Split(strings.Repeat("X-A: aaaa\n", 10000), "\n")[:10000]...)),
		as("a target of 100 KiB", reader(431), func(_ *scene, r *request) { r.target += "&a=" + strings.Repeat("a", 100<<10) }),
		as("an empty line first", noRequest, func(_ *scene, r *request) { r.raw = "\r\n" + r.bytes("AGENT") }),
	}
}
