package attack

import (
	"net/url"
	"strings"
)

func methods() []attack {
	by := func(method string, want refusal, header ...string) attack {
		name := method
		if len(header) > 0 {
			name += " with " + header[0]
		}
		return attack{name, func(s *scene) *request {
			r := s.add("", header...)
			r.method = method
			return r
		}, want}
	}
	return []attack{
		by("HEAD", mismatch), by("PUT", mismatch), by("POST", mismatch), by("DELETE", mismatch), by("PATCH", mismatch), by("TRACE", mismatch),
		by("PROPFIND", mismatch), by("GETT", mismatch), by("get", mismatch), by("Get", mismatch), by("QUERY", mismatch),
		by("HEAD", mismatch, "X-HTTP-Method-Override: GET"), by("POST", mismatch, "X-HTTP-Method-Override: GET"), by("PUT", mismatch, "X-Method-Override: GET"),
		by("DELETE", mismatch, "X-HTTP-Method: GET"),
		{"PUT with a body", func(s *scene) *request {
			r := s.add("", "Content-Length: 4")
			r.method, r.body = "PUT", "evil"
			return r
		}, mismatch},
		{"POST of a form that holds the query as well", func(s *scene) *request {
			r := s.get()
			_, query, _ := strings.Cut(r.target, "?")
			r.method, r.body = "POST", query
			r.header = []string{"Content-Type: application/x-www-form-urlencoded", "Content-Length: " + itoa(len(query))}
			return r
		}, mismatch},
		{"GET with a body that holds the query of a colleague", func(s *scene) *request {
			r := s.get().cut("?")
			_, r.body, _ = strings.Cut(s.others, "?")
			r.header = []string{"Content-Type: application/x-www-form-urlencoded", "Content-Length: " + itoa(len(r.body))}
			return r
		}, anonymous},
		{"_method as a parameter", func(s *scene) *request { r := s.add("&_method=GET"); r.method = "HEAD"; return r }, mismatch},
	}
}

func objects() []attack {
	other := func(name string, change func(s *scene, path string) string, want refusal) attack {
		return attack{name, func(s *scene) *request { return s.path(func(p string) string { return change(s, p) }) }, want}
	}
	to := func(path string) func(*scene, string) string { return func(*scene, string) string { return path } }
	return []attack{
		other("the next object", func(_ *scene, p string) string { return strings.TrimSuffix(p, ".jpg") + "0.jpg" }, mismatch),
		other("the colleague's object", func(s *scene, _ string) string { u, _ := url.Parse(s.others); return u.EscapedPath() }, mismatch),
		other("the job's manifest", to("/input/boxes.manifest"), mismatch),
		other("another bucket", to("/output/boxes/0.jpg"), mismatch),
		other("a bucket that does not exist", to("/nowhere/boxes/0.jpg"), mismatch),
		other("the bucket", to("/input"), mismatch),
		other("the bucket with a slash", to("/input/"), mismatch),
		other("all buckets", to("/"), mismatch),
		other("a key below", func(_ *scene, p string) string { return p + "/x" }, mismatch),
		other("a key that begins with it", func(_ *scene, p string) string { return p + "x" }, mismatch),
		other("a key that it begins with", func(_ *scene, p string) string { return p[:len(p)-1] }, mismatch),
		other("the key in upper case", func(_ *scene, p string) string { return strings.ToUpper(p) }, mismatch),
		other("a star for the key", to("/input/*"), mismatch),
		{"no query", func(s *scene) *request { return s.path(func(p string) string { return p }).cut("?") }, anonymous},
		{"an empty query", func(s *scene) *request {
			r := s.path(func(p string) string { return p }).cut("?")
			r.target += "?"
			return r
		}, anonymous},
		{"the query as a fragment", func(s *scene) *request { return s.replace("?", "#") }, refusal{status: []int{403, 400}}},
		{"the query as a path parameter", func(s *scene) *request { return s.replace("?", ";") }, refusal{status: []int{403}}},
		{"an escaped question mark", func(s *scene) *request { return s.replace("?", "%3F") }, refusal{status: []int{403}}},
		{"two question marks", func(s *scene) *request { return s.replace("?", "??") }, refusal{status: []int{403}}},
	}
}

func (r *request) cut(at string) *request {
	r.target, _, _ = strings.Cut(r.target, at)
	return r
}

func paths() []attack {
	of := func(name string, want refusal, change func(bucket, key string) string) attack {
		return attack{name, func(s *scene) *request {
			return s.path(func(p string) string {
				bucket, key, _ := strings.Cut(p[1:], "/")
				return change(bucket, key)
			})
		}, want}
	}
	// dir and file of the key.
	split := func(key string) (string, string) {
		i := strings.LastIndexByte(key, '/')
		return key[:i], key[i+1:]
	}
	return []attack{
		of("a dot segment", mismatch, func(b, k string) string { return "/" + b + "/./" + k }),
		of("a dot segment before the bucket", mismatch, func(b, k string) string { return "/./" + b + "/" + k }),
		of("a parent segment", mismatch, func(b, k string) string { return "/" + b + "/x/../" + k }),
		of("a parent segment before the bucket", mismatch, func(b, k string) string { return "/x/../" + b + "/" + k }),
		of("a parent segment above the root", mismatch, func(b, k string) string { return "/../" + b + "/" + k }),
		of("an escaped dot segment", mismatch, func(b, k string) string { return "/" + b + "/%2e/" + k }),
		of("an escaped parent segment", mismatch, func(b, k string) string { return "/" + b + "/x/%2e%2e/" + k }),
		of("a half-escaped parent segment", mismatch, func(b, k string) string { return "/" + b + "/x/.%2E/" + k }),
		of("an escaped slash behind a parent segment", mismatch, func(b, k string) string { return "/" + b + "/x/..%2f" + k }),
		of("two slashes", mismatch, func(b, k string) string { return "/" + b + "//" + k }),
		of("two slashes before the bucket", mismatch, func(b, k string) string { return "//" + b + "/" + k }),
		of("a trailing slash", mismatch, func(b, k string) string { return "/" + b + "/" + k + "/" }),
		of("a trailing escaped slash", mismatch, func(b, k string) string { return "/" + b + "/" + k + "%2F" }),
		of("a trailing dot", mismatch, func(b, k string) string { return "/" + b + "/" + k + "." }),
		of("a trailing space", mismatch, func(b, k string) string { return "/" + b + "/" + k + "%20" }),
		of("a trailing plus", mismatch, func(b, k string) string { return "/" + b + "/" + k + "+" }),
		of("a path parameter", mismatch, func(b, k string) string { return "/" + b + "/" + k + ";x=y" }),
		of("a path parameter in the middle", mismatch, func(b, k string) string { d, f := split(k); return "/" + b + "/" + d + ";x/" + f }),
		of("a backslash", mismatch, func(b, k string) string { d, f := split(k); return "/" + b + "/" + d + `\` + f }),
		of("an escaped backslash", mismatch, func(b, k string) string { d, f := split(k); return "/" + b + "/" + d + "%5C" + f }),
		of("an escaped NUL at the end", mismatch, func(b, k string) string { return "/" + b + "/" + k + "%00" }),
		of("an escaped NUL and an extension", mismatch, func(b, k string) string { return "/" + b + "/" + k + "%00.png" }),
		of("an escaped line end", mismatch, func(b, k string) string { return "/" + b + "/" + k + "%0d%0aX-Forwarded-For:%20127.0.0.1" }),
		of("an overlong slash", mismatch, func(b, k string) string { d, f := split(k); return "/" + b + "/" + d + "%c0%af" + f }),
		of("an overlong dot", mismatch, func(b, k string) string { return "/" + b + "/x/%c0%ae%c0%ae/" + k }),
		of("a wide slash", mismatch, func(b, k string) string { d, f := split(k); return "/" + b + "/" + d + "%EF%BC%8F" + f }),
		of("a letter in full width", mismatch, func(b, k string) string { return "/" + b + "/" + strings.Replace(k, "b", "%EF%BD%82", 1) }),
		of("a combining accent", mismatch, func(b, k string) string { return "/" + b + "/" + k + "%CC%81" }),
		of("escaped twice", mismatch, func(b, k string) string { return "/" + b + "/" + strings.Replace(k, "b", "%2562", 1) }),
		of("a raw byte that is no UTF-8", mismatch, func(b, k string) string { return "/" + b + "/" + k + "\xff" }),
		of("the bucket in upper case", mismatch, func(b, k string) string { return "/" + strings.ToUpper(b) + "/" + k }),
		of("the bucket with a dot", mismatch, func(b, k string) string { return "/" + b + "./" + k }),
		of("the bucket twice", mismatch, func(b, k string) string { return "/" + b + "/" + b + "/" + k }),
		of("a broken escape", noRequest, func(b, k string) string { return "/" + b + "/" + k + "%" }),
		of("an escape that is no number", noRequest, func(b, k string) string { return "/" + b + "/" + k + "%zz" }),
		of("no slash at the beginning", noRequest, func(b, k string) string { return b + "/" + k }),
		of("a space", noRequest, func(b, k string) string { return "/" + b + "/" + k + " x" }),
		of("a raw control character", noRequest, func(b, k string) string { return "/" + b + "/" + k + "\x01" }),
	}
}

func hosts() []attack {
	at := func(name string, want refusal, host func(s *scene) string, header ...string) attack {
		return attack{name, func(s *scene) *request {
			r := s.add("", header...)
			r.host = host(s)
			return r
		}, want}
	}
	same := func(s *scene) string { return s.get().host }
	is := func(h string) func(*scene) string {
		return func(s *scene) string { return strings.ReplaceAll(h, "PORT", s.port) }
	}
	return []attack{
		at("localhost", mismatch, is("localhost:PORT")),
		at("the host without its port", mismatch, is("127.0.0.1")),
		at("another port", mismatch, is("127.0.0.1:1")),
		at("the port with a zero before it", mismatch, is("127.0.0.1:0PORT")),
		at("the address as a number", mismatch, is("2130706433:PORT")),
		at("the address as a mapped one", mismatch, is("[::ffff:127.0.0.1]:PORT")),
		at("a trailing dot", mismatch, is("127.0.0.1.:PORT")),
		at("a stranger's host", mismatch, is("example.com")),
		at("the bucket as a subdomain", mismatch, is("input.127.0.0.1:PORT")),
		at("an empty host", refusal{status: []int{403, 400}, unheard: true}, is("")),
		at("a host with a user", noRequest, is("user@127.0.0.1:PORT")),
		at("a host with a slash", noRequest, is("127.0.0.1:PORT/x y")),
		at("X-Forwarded-Host beside a stranger's host", mismatch, is("example.com"), "X-Forwarded-Host: 127.0.0.1"),
		{"Host twice", func(s *scene) *request { return s.add("", "Host: "+same(s)) }, noRequest},
		{"the whole URL in the request line, with another host", func(s *scene) *request {
			r := s.get()
			r.target = "http://example.com" + r.target
			return r
		}, mismatch},
		{"the whole URL in the request line, from elsewhere", func(s *scene) *request {
			r := s.from(s.get(), elsewhere)
			r.target = "http://" + r.host + r.target
			return r
		}, origin},
		{"a URL with a user in the request line", func(s *scene) *request {
			r := s.from(s.get(), elsewhere)
			r.target = "http://127.0.0.1@" + r.host + r.target
			return r
		}, origin},
	}
}
