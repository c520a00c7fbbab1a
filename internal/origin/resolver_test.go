package origin

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func resolver(t testing.TB, trusted ...string) *Resolver {
	t.Helper()
	r, err := NewResolver(trusted)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Nobody who is not trusted can say anything about where they are, in any
// spelling that some server on the market believes.
func TestUntrustedHeadersAreIgnored(t *testing.T) {
	r := resolver(t, "10.0.0.1")
	for _, name := range []string{
		"X-Forwarded-For", "x-forwarded-for", "X-Forwarded-Host", "X-Real-IP", "X-Real-Ip", "Forwarded", "True-Client-IP",
		"CF-Connecting-IP", "X-Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP", "SourceIp", "Sourceip",
		"aws:SourceIp", "X-Amz-Source-Ip", "Via", "Client-IP", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "X-ProxyUser-Ip", "X-Forwarded-Proto",
	} {
		for _, value := range []string{"127.0.0.1", "for=127.0.0.1", "for=127.0.0.1;proto=https", "https"} {
			h := http.Header{name: {value}}
			if o := r.Resolve("127.0.0.2:5000", false, h); o.Addr.String() != "127.0.0.2" || o.Secure {
				t.Errorf("%s: %s made the origin %v (secure %v)", name, value, o, o.Secure)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	const unknown = "unknown"
	cases := []struct {
		name    string
		trusted []string
		peer    string
		header  http.Header
		want    string
	}{
		{name: "a plain peer", peer: "192.0.2.7:80", want: "192.0.2.7"},
		{name: "an IPv6 peer", peer: "[2001:db8::1]:80", want: "2001:db8::1"},
		{name: "IPv4 mapped into IPv6 is IPv4", peer: "[::ffff:192.0.2.7]:80", want: "192.0.2.7"},
		{name: "a zone is not part of an origin", peer: "[fe80::1%eth0]:80", want: "fe80::1"},
		{name: "no peer", peer: "", want: unknown},
		{name: "a unix socket", peer: "@", want: unknown},
		{name: "a trusted hop speaks for the client", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"192.0.2.7"}}, want: "192.0.2.7"},
		{name: "a trusted hop in mapped form", trusted: []string{"10.0.0.1"}, peer: "[::ffff:10.0.0.1]:1",
			header: http.Header{"X-Forwarded-For": {"192.0.2.7"}}, want: "192.0.2.7"},
		{name: "a trusted hop given in mapped form", trusted: []string{"::ffff:10.0.0.0/104"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"192.0.2.7"}}, want: "192.0.2.7"},
		{name: "what the client wrote further left does not count", trusted: []string{"10.0.0.0/8"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"127.0.0.1, 192.0.2.7, 10.0.0.9"}}, want: "192.0.2.7"},
		{name: "several header lines are one list", trusted: []string{"10.0.0.0/8"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"127.0.0.1", "192.0.2.7", "10.0.0.9"}}, want: "192.0.2.7"},
		{name: "a trusted hop that says nothing: its header may have been made to vanish", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1", want: unknown},
		{name: "only trusted hops", trusted: []string{"10.0.0.0/8"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"10.0.0.2"}}, want: "10.0.0.2"},
		{name: "ports are dropped", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"192.0.2.7:1234"}}, want: "192.0.2.7"},
		{name: "an IPv6 client with a port", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for="[2001:db8::7]:1234";proto=https`}}, want: "2001:db8::7"},
		{name: "RFC 7239 right to left", trusted: []string{"10.0.0.0/8"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for=127.0.0.1, for=192.0.2.7;by=10.0.0.3, for=10.0.0.3`}}, want: "192.0.2.7"},
		{name: "garbage is not a guess", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"127.0.0.1, nonsense"}}, want: unknown},
		{name: "an empty header", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {""}}, want: unknown},
		{name: "an empty entry", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"192.0.2.7,"}}, want: unknown},
		{name: "unknown and obfuscated identifiers", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"for=unknown"}}, want: unknown},
		{name: "an obfuscated identifier", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"for=_hidden"}}, want: unknown},
		{name: "an element without for", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"proto=https"}}, want: unknown},
		{name: "for twice in one element", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"for=127.0.0.1;for=192.0.2.7"}}, want: unknown},
		{name: "two headers that disagree", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"for=127.0.0.1"}, "X-Forwarded-For": {"192.0.2.7"}}, want: unknown},
		{name: "two headers that agree", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"for=192.0.2.7"}, "X-Forwarded-For": {"192.0.2.7"}}, want: "192.0.2.7"},
		{name: "a comma in quotation marks divides nothing", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for=192.0.2.7;host="a, for=127.0.0.1"`}}, want: "192.0.2.7"},
		{name: "a semicolon in quotation marks divides nothing", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`host="a;for=127.0.0.1";for=192.0.2.7`}}, want: "192.0.2.7"},
		{name: "a client's open quotation mark swallows the hop's entry", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for=127.0.0.1;host=", for=192.0.2.7`}}, want: unknown},
		{name: "a client's open quotation mark that the hop's closes", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for=127.0.0.1;host=", for="[2001:db8::7]:1"`}}, want: unknown},
		{name: "a client's open quotation mark on a line of its own", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for=127.0.0.1;host="`, `for=192.0.2.7`}}, want: "192.0.2.7"},
		{name: "an escape in a quoted string", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for="192.0.2.\7"`}}, want: unknown},
		{name: "IPv6 without brackets", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for="2001:db8::7"`}}, want: unknown},
		{name: "IPv6 without quotation marks", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for=[2001:db8::7]`}}, want: unknown},
		{name: "a port without quotation marks", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for=192.0.2.7:80`}}, want: unknown},
		{name: "an obfuscated port", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for="192.0.2.7:_x1"`}}, want: "192.0.2.7"},
		{name: "a port that is none", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {`for="192.0.2.7:"`}}, want: unknown},
		{name: "an empty element", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"for=192.0.2.7,"}}, want: unknown},
		{name: "an empty Forwarded", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {""}}, want: unknown},
		{name: "white space in a pair", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"for = 192.0.2.7"}}, want: unknown},
		{name: "white space around elements", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {"for=127.0.0.1 ,\tFOR=192.0.2.7 ; Proto=https "}}, want: "192.0.2.7"},
		{name: "brackets around IPv4", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"[192.0.2.7]"}}, want: unknown},
		{name: "a zone from elsewhere", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"fe80::1%eth0"}}, want: unknown},
		{name: "a zone in brackets", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"[fe80::1%eth0]:80"}}, want: unknown},
		{name: "nobody's address", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"0.0.0.0"}}, want: unknown},
		{name: "nobody's address, mapped", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"::ffff:0.0.0.0"}}, want: unknown},
		{name: "a multicast address", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"ff02::1"}}, want: unknown},
		{name: "a no-break space is not white space", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"192.0.2.7\u00a0"}}, want: unknown},
		{name: "64 entries", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {strings.Repeat("127.0.0.1,", 63) + "192.0.2.7"}}, want: "192.0.2.7"},
		{name: "65 entries", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {strings.Repeat("127.0.0.1,", 64) + "192.0.2.7"}}, want: unknown},
		{name: "65 elements", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": {strings.Repeat("for=127.0.0.1,", 64) + "for=192.0.2.7"}}, want: unknown},
		{name: "65 lines", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"Forwarded": slices.Repeat([]string{"for=192.0.2.7"}, 65)}, want: unknown},
		{name: "underscores make another header", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X_forwarded_for": {"192.0.2.7"}}, want: unknown},
		{name: "a key that is not canonical", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"x-forwarded-for": {"192.0.2.7"}}, want: unknown},
		{name: "octal is not decimal", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"0177.0.0.1"}}, want: unknown},
		{name: "mapped in the header is IPv4", trusted: []string{"10.0.0.1"}, peer: "10.0.0.1:1",
			header: http.Header{"X-Forwarded-For": {"::ffff:192.0.2.7"}}, want: "192.0.2.7"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := resolver(t, c.trusted...).Resolve(c.peer, false, c.header).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestSecureIsBelievedFromTrustedHopsOnly(t *testing.T) {
	r := resolver(t, "10.0.0.1")
	h := http.Header{"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"https"}}
	if o := r.Resolve("10.0.0.1:1", false, h); !o.Secure {
		t.Error("a trusted hop's https was not believed")
	}
	if o := r.Resolve("10.0.0.2:1", false, h); o.Secure {
		t.Error("a stranger's https was believed")
	}
	h.Set("X-Forwarded-Proto", "http")
	if o := r.Resolve("10.0.0.1:1", true, h); o.Secure {
		t.Error("TLS to the hop was taken for TLS to the client")
	}
}

// Where no hop says how the client came, TLS to the hop is not TLS to the client.
func TestSecureIsNotInherited(t *testing.T) {
	r := resolver(t, "10.0.0.1", "10.0.0.2")
	for _, c := range []struct {
		name string
		h    http.Header
		want bool
	}{
		{"nothing said", http.Header{"X-Forwarded-For": {"192.0.2.7"}}, false},
		{"two values", http.Header{"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"https", "https"}}, false},
		{"a list", http.Header{"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Proto": {"https,http"}}, false},
		{"another hop's scheme", http.Header{"Forwarded": {"for=192.0.2.7, for=10.0.0.2;proto=https"}}, false},
		{"the client's scheme", http.Header{"Forwarded": {"for=192.0.2.7;proto=HTTPS, for=10.0.0.2;proto=http"}}, true},
		{"the element wins over the header", http.Header{"Forwarded": {"for=192.0.2.7;proto=http"}, "X-Forwarded-Proto": {"https"}}, false},
	} {
		if o := r.Resolve("10.0.0.1:1", true, c.h); o.Addr.String() != "192.0.2.7" || o.Secure != c.want {
			t.Errorf("%s: %v, secure %v", c.name, o, o.Secure)
		}
	}
}

// Direct speaks only for peers whose headers are never read.
func TestDirect(t *testing.T) {
	r := resolver(t, "10.0.0.1")
	if o, ok := r.Direct(Arrival{Peer: netip.MustParseAddr("192.0.2.7"), Secure: true}); !ok || o.Addr.String() != "192.0.2.7" || !o.Secure {
		t.Errorf("a stranger: %v, %v", o, ok)
	}
	for _, peer := range []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::ffff:10.0.0.1"), {}} {
		if _, ok := r.Direct(Arrival{Peer: peer}); ok {
			t.Errorf("%q was decided without its headers", peer)
		}
	}
}

func TestNewResolverRefuses(t *testing.T) {
	for _, s := range []string{"", "localhost", "10.0.0.0/33", "10.0.0", "*", "0.0.0.0/0", "::/0"} {
		if _, err := NewResolver([]string{s}); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

// Whatever a client sends, the origin is its own address.
func FuzzResolveUntrusted(f *testing.F) {
	f.Add("X-Forwarded-For", "127.0.0.1")
	f.Add("Forwarded", `for="[::1]:80"`)
	r := resolver(f, "10.0.0.1")
	f.Fuzz(func(t *testing.T, name, value string) {
		if o := r.Resolve("127.0.0.2:1", false, http.Header{name: {value}}); o.Addr.String() != "127.0.0.2" {
			t.Errorf("origin became %v", o)
		}
	})
}

// Whatever a trusted hop passes on, the result is unknown or an address that
// stands in the header, never a zoned, mapped or unspecified one; and what a
// client wrote on lines before the hop's never changes it.
func FuzzResolveTrusted(f *testing.F) {
	for _, seed := range [][2]string{
		{"127.0.0.1, 192.0.2.7", "for=192.0.2.7"},
		{"::ffff:1.2.3.4", `for="[fe80::1%25eth0]:1";proto=https, for=1.2.3.4`},
		{"[2001:db8::7]:80,, 10.0.0.9", `for=127.0.0.1;host=", for="[2001:db8::7]:1"`},
		{"unknown, _hidden, 0177.0.0.1", `for=_hidden;by="[::1]:_p";proto=http ,for="1.2.3.4:_x"`},
		{" 1.2.3.4:99999 ", `for="\"1.2.3.4"`},
		{strings.Repeat("10.0.0.1,", 70), strings.Repeat("for=10.0.0.1,", 70)},
	} {
		f.Add(seed[0], seed[1])
	}
	r := resolver(f, "10.0.0.0/8")
	const hops = "192.0.2.7"
	f.Fuzz(func(t *testing.T, xff, std string) {
		for _, h := range []http.Header{{"X-Forwarded-For": {xff}}, {"Forwarded": {std}}, {"X-Forwarded-For": {xff}, "Forwarded": {std}}} {
			o := r.Resolve("10.0.0.1:1", false, h)
			if a := o.Addr; a.Is4In6() || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
				t.Errorf("origin is %v", o)
			}
			if o.VPC != "" || o.VPCE != "" {
				t.Errorf("origin is %v", o)
			}
		}
		// Unless there are too many, which makes it unknown.
		for _, h := range []http.Header{{"X-Forwarded-For": {xff, hops}}, {"Forwarded": {std, "for=" + hops}}} {
			if o := r.Resolve("10.0.0.1:1", false, h); o.Known() && o.Addr.String() != hops {
				t.Errorf("%v made the origin %v", h, o)
			}
		}
	})
}
