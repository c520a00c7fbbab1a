package origin

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// The table, and before it what must be let in: a server that refuses
// everybody would pass the table too.
func TestAttackTable(t *testing.T) {
	w := start(t)
	in := "127.0.0.1"
	for _, c := range []attack{
		{name: "an allowed address", from: in},
		{name: "through the trusted proxy", from: proxy, head: "X-Forwarded-For: 127.0.0.1\r\n"},
		{name: "through the trusted proxy, RFC 7239", from: proxy, head: "Forwarded: for=127.0.0.1\r\n"},
		{name: "through the load balancer", to: behind, from: balancer, pre: client("203.0.113.64")},
		{name: "the last of the range", to: behind, from: balancer, pre: client("203.0.113.127")},
		{name: "mapped into IPv6", to: behind, from: balancer, pre: client("::ffff:203.0.113.100")},
		{name: "the first of the IPv6 range", to: behind, from: balancer, pre: client("2001:db8:3::")},
		{name: "the last of the IPv6 range", to: behind, from: balancer, pre: client("2001:db8:3::ffff:ffff:ffff:ffff")},
		{name: "PROXY version 1", to: behind, from: balancer, pre: "PROXY TCP4 203.0.113.100 127.0.0.1 1 2\r\n"},
		{name: "the endpoint", to: endpoint, from: inVPC},
		{name: "PrivateLink", to: behind, from: balancer, pre: client("10.1.0.7", vpce("vpce-0portal"))},
	} {
		answer, _ := w.send(t, c.to, c.from, c.request("control"))
		if !strings.HasPrefix(answer, "HTTP/1.1 303 See Other") {
			t.Fatalf("%s is not let in:\n%s", c.name, answer)
		}
	}

	cases := w.table()
	if len(cases) < 100 {
		t.Fatalf("%d cases", len(cases))
	}
	names := map[string]bool{}
	for i, c := range cases {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) { w.check(t, c, fmt.Sprintf("attack-%03d", i)) })
	}
	t.Logf("%d attacks, all refused and on record", len(cases))
}

func (w *world) check(t *testing.T, c attack, agent string) {
	answer, local := w.send(t, c.to, c.from, c.request(agent))
	status := ""
	if _, after, ok := strings.Cut(answer, " "); ok {
		status, _, _ = strings.Cut(after, " ")
	}
	if status != c.status || strings.Contains(answer, "csrf") || strings.Contains(answer, "Set-Cookie") || strings.Contains(answer, "Location:") {
		t.Errorf("answered %q, want status %q:\n%.600s", status, c.status, answer)
	}
	want := c.origin
	if want == "" {
		want = c.from
	}
	match := func(r record) bool { return r.Agent == agent }
	if c.status == "" {
		match = func(r record) bool { return r.Action == "server:Connect" && r.Origin == local }
		want = local
	}
	if c.status == "403" {
		want = local
	}
	r, ok := w.await(match)
	if !ok {
		t.Fatalf("no record")
	}
	if r.Verdict != "deny" || r.Origin != want || !strings.HasPrefix(r.Statement, c.statement) || r.Statement == "" || r.Reason == "" {
		t.Errorf("recorded %+v; want origin %s, statement %s", r, want, c.statement)
	}
	if host, _, _ := net.SplitHostPort(local); host != c.from {
		t.Errorf("the case came from %s", local)
	}
}

func (w *world) table() []attack {
	var out []attack
	for _, g := range w.groups() {
		out = append(out, g.cases...)
	}
	return out
}

// group is a family of cases. docs/security.md shows groups and names.
type group struct {
	title string
	cases []attack
}

func (w *world) groups() []group {
	return []group{
		{"Headers of a stranger", strangers()},
		{"Chains that a trusted proxy passes on", proxied()},
		{"Requests of unusual form, and sessions of others", w.forms()},
		{"PROXY headers", proxies()},
		{"Addresses beside the ranges", ranges()},
		{"Claims to have come through an endpoint", endpoints()},
	}
}

// strangers are headers that claim an allowed address.
func strangers() []attack {
	var out []attack
	for _, head := range claims {
		out = append(out, attack{name: "a stranger's header " + head, from: stranger, head: head + "\r\n", status: "404", statement: byCIDR})
	}
	return out
}

// proxied are chains whose nearest untrusted hop is not allowed.
func proxied() []attack {
	var out []attack
	for _, c := range chains {
		head := c.head
		if head != "" {
			head += "\r\n"
		}
		name := c.head
		if len(name) > 90 {
			name = name[:90] + "…"
		}
		out = append(out, attack{name: "a trusted proxy's chain " + name, from: proxy, head: head, status: "404", origin: c.origin, statement: byCIDR})
	}
	return out
}

// forms are requests of unusual form, and sessions that others use.
func (w *world) forms() []attack {
	const head = "User-Agent: %s\r\nConnection: close\r\n"
	form := url.Values{"email": {ana.Email}, "password": {ana.Password}}.Encode()
	session := "Cookie: " + w.cookie + "\r\n"
	var out []attack
	for name, raw := range map[string]string{
		"HTTP/1.0":                                "GET / HTTP/1.0\r\n" + head + "X-Forwarded-For: 127.0.0.1\r\n\r\n",
		"HTTP/1.0 kept alive":                     "GET / HTTP/1.0\r\nUser-Agent: %s\r\nConnection: close, keep-alive\r\nX-Real-IP: 127.0.0.1\r\n\r\n",
		"an absolute-form target":                 "GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"an absolute-form target with a user":     "GET http://127.0.0.1@x/ HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"an absolute-form target of another port": "GET http://127.0.0.1:9000/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + "\r\n",
		"Host: the allowed address":               "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + "\r\n",
		"Host: localhost":                         "GET / HTTP/1.1\r\nHost: localhost\r\n" + head + "\r\n",
		"Host: the portal":                        "GET / HTTP/1.1\r\nHost: " + w.at[public] + "\r\n" + head + "\r\n",
		"Host: empty":                             "GET / HTTP/1.1\r\nHost:\r\n" + head + "\r\n",
		"Host: an endpoint":                       "GET / HTTP/1.1\r\nHost: vpce-0portal.portal.vpce.amazonaws.com\r\n" + head + "\r\n",
		"OPTIONS *":                               "OPTIONS * HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"HEAD":                                    "HEAD / HTTP/1.1\r\nHost: x\r\n" + head + "X-Forwarded-For: 127.0.0.1\r\n\r\n",
		"a method of no name":                     "QUUX / HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"TRACE":                                   "TRACE / HTTP/1.1\r\nHost: x\r\n" + head + "X-Forwarded-For: 127.0.0.1\r\n\r\n",
		"a path out of the root":                  "GET /../../signin HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"a path with an escaped slash":            "GET /%2fsignin HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"a path with two slashes":                 "GET //signin HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"an address in the query":                 "GET /?X-Forwarded-For=127.0.0.1&aws:SourceIp=127.0.0.1 HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"an asset":                                "GET /assets/portal.css HTTP/1.1\r\nHost: x\r\n" + head + "\r\n",
		"a header in the trailer":                 "POST /signin HTTP/1.1\r\nHost: x\r\n" + head + "Transfer-Encoding: chunked\r\nTrailer: X-Forwarded-For\r\n\r\n0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n",
		"a header in a trailer not announced":     "POST /signin HTTP/1.1\r\nHost: x\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n0\r\nForwarded: for=127.0.0.1\r\n\r\n",
		"the right password":                      "POST /signin HTTP/1.1\r\nHost: x\r\n" + head + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " + fmt.Sprint(len(form)) + "\r\n\r\n" + form,
		"the right password and a forged address": "POST /signin HTTP/1.1\r\nHost: x\r\n" + head + "X-Forwarded-For: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " + fmt.Sprint(len(form)) + "\r\n\r\n" + form,
		"another's session":                       "GET / HTTP/1.1\r\nHost: x\r\n" + head + session + "\r\n",
		"another's session and a forged address":  "GET / HTTP/1.1\r\nHost: x\r\n" + head + session + "X-Real-IP: 127.0.0.1\r\n\r\n",
		"another's session, a task":               "GET /tasks/AAAAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\n" + head + session + "\r\n",
		"another's session, a task's frame":       "GET /tasks/AAAAAAAAAAAAAAAAAAAAAAAA/frame HTTP/1.1\r\nHost: x\r\n" + head + session + "Sec-Fetch-Dest: iframe\r\n\r\n",
		"another's session, an answer":            "POST /tasks/AAAAAAAAAAAAAAAAAAAAAAAA/submit HTTP/1.1\r\nHost: x\r\n" + head + session + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		"another's session, signing them out":     "POST /signout HTTP/1.1\r\nHost: x\r\n" + head + session + "Content-Length: 0\r\n\r\n",
		"an upgrade":                              "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n",
		"an upgrade to HTTP/2":                    "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
		"Expect: 100-continue":                    "POST /signin HTTP/1.1\r\nHost: x\r\n" + head + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nemail",
	} {
		out = append(out, attack{name: "a stranger with " + name, from: stranger, raw: raw, status: "404", statement: byCIDR})
	}
	out = append(out,
		attack{name: "the session from behind the trusted proxy, of a stranger", from: proxy, head: session + "X-Forwarded-For: 127.0.0.1, 127.0.0.2\r\n", status: "404", origin: stranger, statement: byCIDR},
		attack{name: "the session from the trusted proxy itself", from: proxy, head: session, status: "404", origin: "unknown", statement: byCIDR},
		attack{name: "the session from the load balancer's client", to: behind, from: balancer, pre: client("203.0.113.9"), head: session, status: "404", origin: "203.0.113.9", statement: byCIDR},
		attack{name: "the session on an endpoint that is not the portal's", to: behind, from: balancer, pre: client("10.1.0.7", vpce("vpce-0hop")), head: session, status: "404", origin: "10.1.0.7 via vpce-0hop", statement: byVPC},
	)
	return out
}

// proxies are forged and broken PROXY headers.
func proxies() []attack {
	good := "203.0.113.100"
	var out []attack
	for name, pre := range map[string]string{
		"no header":                             "",
		"a signature that is wrong":             strings.Replace(client(good), "QUIT", "QUIS", 1),
		"a signature cut short":                 "\r\n\r\n\x00",
		"version 1 in lower case":               "proxy TCP4 203.0.113.100 127.0.0.1 1 2\r\n",
		"version 1 without addresses":           "PROXY TCP4\r\n",
		"version 1 with LF alone":               "PROXY TCP4 203.0.113.100 127.0.0.1 1 2\n",
		"version 1 with a space too many":       "PROXY TCP4  203.0.113.100 127.0.0.1 1 2\r\n",
		"version 1 of another family":           "PROXY TCP6 203.0.113.100 127.0.0.1 1 2\r\n",
		"version 1 with an address in octal":    "PROXY TCP4 0313.0.113.100 127.0.0.1 1 2\r\n",
		"version 1 with a name":                 "PROXY TCP4 localhost 127.0.0.1 1 2\r\n",
		"version 1 over UDP":                    "PROXY UDP4 203.0.113.100 127.0.0.1 1 2\r\n",
		"version 1 that is too long":            "PROXY TCP4 " + strings.Repeat("2", 120) + "\r\n",
		"version 3":                             header2(0x31, 0x11, tcp(good)),
		"version 1 in binary":                   header2(0x11, 0x11, tcp(good)),
		"an unknown command":                    header2(0x2F, 0x11, tcp(good)),
		"an unknown family":                     header2(0x21, 0xF1, tcp(good)),
		"an unknown transport":                  header2(0x21, 0x13, tcp(good)),
		"UDP":                                   header2(0x21, 0x12, tcp(good)),
		"a unix socket":                         header2(0x21, 0x31, strings.Repeat("/", 216)),
		"an unspecified family":                 header2(0x21, 0x00, tcp(good)),
		"the other family's length":             header2(0x21, 0x21, tcp(good)),
		"no addresses":                          header2(0x21, 0x11),
		"a length that hides the request":       strings.Replace(client(good), "\x21\x11\x00\x0c", "\x21\x11\x01\x0c", 1),
		"a length of 65535":                     strings.Replace(client(good), "\x21\x11\x00\x0c", "\x21\x11\xff\xff", 1),
		"a length that is too short":            strings.Replace(client(good), "\x21\x11\x00\x0c", "\x21\x11\x00\x0b", 1),
		"a TLV that overflows":                  client(good, "\xEA\xff\xff\x01vpce-0portal"),
		"a TLV cut short":                       client(good, "\xEA\x00"),
		"an endpoint TLV that overflows by one": client("10.1.0.7", "\xEA\x00\x0e\x01vpce-0portal"),
		"an empty AWS TLV":                      client("10.1.0.7", tlv(0xEA, "")),
		"an empty endpoint":                     client("10.1.0.7", vpce("")),
		"an endpoint with a NUL":                client("10.1.0.7", vpce("vpce-0portal\x00")),
		"an endpoint with a line break":         client("10.1.0.7", vpce("vpce-0portal\r\n")),
		"two endpoints":                         client("10.1.0.7", vpce("vpce-0hop"), vpce("vpce-0portal")),
		"the endpoint twice":                    client("10.1.0.7", vpce("vpce-0portal"), vpce("vpce-0portal")),
		"nobody's address":                      client("0.0.0.0"),
		"a multicast address":                   client("224.0.0.1"),
		"two headers":                           client("203.0.113.9") + client(good),
		"two headers, of both versions":         client("203.0.113.9") + "PROXY TCP4 203.0.113.100 127.0.0.1 1 2\r\n",
		"two headers, the second LOCAL":         client("203.0.113.9") + header2(0x20, 0),
		"two headers of version 1":              "PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\nPROXY TCP4 203.0.113.100 127.0.0.1 1 2\r\n",
		"a LOCAL header and another":            header2(0x20, 0) + client(good),
	} {
		a := attack{name: "the load balancer's port, " + name, to: behind, from: balancer, pre: pre, statement: byProxy}
		if name == "a signature cut short" {
			a.raw = "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n"
		}
		out = append(out, a)
	}
	for name, pre := range map[string]string{
		"LOCAL":                   header2(0x20, 0),
		"LOCAL with an address":   header2(0x20, 0x11, tcp(good)),
		"LOCAL with an endpoint":  header2(0x20, 0x11, tcp("10.1.0.7"), vpce("vpce-0portal")),
		"UNKNOWN of version 1":    "PROXY UNKNOWN\r\n",
		"UNKNOWN with an address": "PROXY UNKNOWN 203.0.113.100 127.0.0.1 1 2\r\n",
	} {
		out = append(out, attack{name: "the load balancer's port, " + name, to: behind, from: balancer, pre: pre, status: "403", statement: byProxy})
	}
	for _, from := range []string{stranger, allowed, proxy, hop, "127.8.0.2", "127.8.0.0"} {
		out = append(out, attack{name: "the load balancer's port, from " + from, to: behind, from: from, pre: client(good), statement: byFrom})
	}
	out = append(out,
		attack{name: "the load balancer's port, an endpoint named by a stranger", to: behind, from: stranger, pre: client("10.1.0.7", vpce("vpce-0portal")), statement: byFrom},
		attack{name: "the load balancer's port, a plain request of a stranger", to: behind, from: stranger, statement: byFrom},
		attack{name: "a PROXY header at the public port", from: stranger, pre: client(allowed), statement: byProxy},
		attack{name: "a PROXY header of version 1 at the public port", from: stranger, pre: "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n", statement: byProxy},
		attack{name: "a PROXY header at the public port, from the load balancer", from: balancer, pre: client(allowed), statement: byProxy},
		attack{name: "a PROXY header at the public port, from the trusted proxy", from: proxy, pre: client(allowed), statement: byProxy},
		attack{name: "a PROXY header at the endpoint's port", to: endpoint, from: inVPC, pre: client("127.1.0.1"), statement: byProxy},
		attack{name: "the endpoint's port behind a load balancer, without a header", to: endpoint2, from: balancer, statement: byProxy},
		attack{name: "the endpoint's port behind a load balancer, from a stranger", to: endpoint2, from: inVPC, pre: client("10.1.0.7"), statement: byFrom},
		attack{name: "the endpoint's port behind a load balancer, naming another", to: endpoint2, from: balancer, pre: client("10.1.0.7", vpce("vpce-0portal")), status: "403", statement: "networks vpce-0second"},
		attack{name: "the endpoint's port behind a load balancer, for an address outside", to: endpoint2, from: balancer, pre: client("203.0.113.100"), status: "403", statement: bySubnets},
	)
	return out
}

// ranges are addresses beside what is allowed.
func ranges() []attack {
	var out []attack
	for _, addr := range []string{
		"203.0.113.63", "203.0.113.128", "203.0.112.100", "203.1.113.64", "127.0.0.0", "127.0.0.2", "255.255.255.255", "10.1.0.7", "127.1.0.9",
		"2001:db8:2:ffff:ffff:ffff:ffff:ffff", "2001:db8:3:1::", "2001:db8:4::", "2001:db8::3", "::1", "::203.0.113.100", "64:ff9b::203.0.113.100",
		"2002:cb00:7164::1", "2001:0:cb00:7164::1", "fe80::1", "fd00::203.0.113.100", "::ffff:0:203.0.113.100",
	} {
		out = append(out, attack{name: "beside the ranges: " + addr, to: behind, from: balancer, pre: client(addr), status: "404", origin: netipString(addr), statement: byCIDR})
	}
	for _, addr := range []string{"203.0.113.63", "203.0.113.128", "127.0.0.2"} {
		out = append(out, attack{name: "beside the ranges, mapped: " + addr, to: behind, from: balancer, pre: client("::ffff:" + addr), status: "404", origin: addr, statement: byCIDR})
	}
	return out
}

// endpoints are claims to have come through one.
func endpoints() []attack {
	return []attack{
		{name: "the endpoint's port, from outside the VPC", to: endpoint, from: stranger, status: "403", statement: bySubnets},
		{name: "the endpoint's port, from an address that the public side takes", to: endpoint, from: allowed, status: "403", statement: bySubnets},
		{name: "the endpoint's port, from outside with a header", to: endpoint, from: stranger, head: "X-Forwarded-For: 127.1.0.9\r\n", status: "403", statement: bySubnets},
		{name: "the endpoint's port, before the subnet", to: endpoint, from: "127.0.255.255", status: "403", statement: bySubnets},
		{name: "the endpoint's port, after the subnet", to: endpoint, from: "127.1.1.0", status: "403", statement: bySubnets},
		{name: "the endpoint's port, outside the security group", to: endpoint, from: "127.1.0.128", status: "404", origin: "127.1.0.128 via vpce-0portal", statement: byVPC},
		{name: "the endpoint's port, outside the security group with a header", to: endpoint, from: "127.1.0.128", head: "X-Forwarded-For: 127.1.0.9\r\n", status: "404", origin: "127.1.0.128 via vpce-0portal", statement: byVPC},
		{name: "the endpoint's port, a proxy that says nothing", to: endpoint, from: proxy, status: "403", statement: "networks vpce-0portal"},
		{name: "the endpoint's port, a proxy with garbage", to: endpoint, from: proxy, head: "X-Forwarded-For: 127.1.0.9,\r\n", status: "403", statement: "networks vpce-0portal"},
		{name: "the endpoint's port, a proxy for somebody outside", to: endpoint, from: proxy, head: "X-Forwarded-For: 127.0.0.1\r\n", status: "403", statement: bySubnets},
		{name: "the endpoint's port, another endpoint's hop", to: endpoint, from: hop, head: "X-Forwarded-For: 127.1.0.9\r\n", status: "403", statement: "networks"},
		{name: "an undeclared endpoint", to: behind, from: balancer, pre: client("10.1.0.7", vpce("vpce-0unknown")), status: "403", statement: "networks"},
		{name: "an endpoint's id in capitals", to: behind, from: balancer, pre: client("10.1.0.7", vpce("VPCE-0PORTAL")), status: "403", statement: "networks"},
		{name: "an endpoint of S3", to: behind, from: balancer, pre: client("10.1.0.7", vpce("vpce-0s3")), status: "403", statement: "networks vpce-0s3 services"},
		{name: "an endpoint of another VPC", to: behind, from: balancer, pre: client("10.2.0.7", vpce("vpce-0b")), status: "404", origin: "10.2.0.7 via vpce-0b", statement: byVPC},
		{name: "the endpoint for another VPC's address", to: behind, from: balancer, pre: client("10.2.0.7", vpce("vpce-0portal")), status: "403", statement: bySubnets},
		{name: "the endpoint for a public address", to: behind, from: balancer, pre: client("203.0.113.100", vpce("vpce-0portal")), status: "403", statement: bySubnets},
		{name: "the endpoint for an IPv6 address that the group lacks", to: behind, from: balancer, pre: client("2001:db8:2::1", vpce("vpce-0portal")), status: "404", origin: "2001:db8:2::1 via vpce-0portal", statement: byVPC},
		{name: "another endpoint of the VPC", to: behind, from: balancer, pre: client("10.1.0.7", vpce("vpce-0hop")), status: "404", origin: "10.1.0.7 via vpce-0hop", statement: byVPC},
		{name: "a hop, whose endpoint is not the portal's", from: hop, head: "X-Forwarded-For: 10.1.0.7\r\n", status: "404", origin: "10.1.0.7 via vpce-0hop", statement: byVPC},
		{name: "a hop that says nothing", from: hop, status: "403", statement: "networks vpce-0hop"},
		{name: "a hop with garbage", from: hop, head: "X-Forwarded-For: 10.1.0.7, x\r\n", status: "403", statement: "networks vpce-0hop"},
		{name: "a hop for a public address that is allowed", from: hop, head: "X-Forwarded-For: 127.0.0.1\r\n", status: "403", statement: bySubnets},
		{name: "a stranger who names a hop", from: stranger, head: "X-Forwarded-For: 10.1.0.7, 127.9.0.1\r\n", status: "404", statement: byCIDR},
		{name: "a stranger behind the trusted proxy who names a hop", from: proxy, head: "X-Forwarded-For: 10.1.0.7, 127.9.0.1, 127.0.0.2\r\n", status: "404", origin: stranger, statement: byCIDR},
		{name: "an address of the VPC without its endpoint", from: inVPC, status: "404", statement: byCIDR},
	}
}

// netipString is how an address is recorded.
func netipString(s string) string { return netip.MustParseAddr(s).Unmap().String() }
