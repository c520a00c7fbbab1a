package server

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"strings"
	"testing"
)

// header2 builds a version 2 header by hand, so that it can lie.
func header2(command, over byte, address []byte, tlvs ...[]byte) []byte {
	body := append([]byte{}, address...)
	for _, t := range tlvs {
		body = append(body, t...)
	}
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, over)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...)
}

func tlv(kind byte, value string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value))), value...)
}

func vpce(id string) []byte { return tlv(0xEA, "\x01"+id) }

var (
	from4   = []byte{192, 0, 2, 7, 127, 0, 0, 1, 0x30, 0x39, 0, 80}
	from6   = append(append(netip.MustParseAddr("2001:db8::7").AsSlice(), netip.MustParseAddr("::1").AsSlice()...), 0x30, 0x39, 0, 80)
	mapped6 = append(append(netip.MustParseAddr("::ffff:192.0.2.7").AsSlice(), netip.MustParseAddr("::1").AsSlice()...), 0x30, 0x39, 0, 80)
)

var proxyCases = []struct {
	name string
	raw  []byte
	want string // "client endpoint secure", or "error: " and a part
}{
	{"version 2, IPv4", header2(0x21, 0x11, from4), "192.0.2.7  false"},
	{"version 2, IPv6", header2(0x21, 0x21, from6), "2001:db8::7  false"},
	{"version 2, mapped", header2(0x21, 0x21, mapped6), "192.0.2.7  false"},
	{"VPC endpoint", header2(0x21, 0x11, from4, vpce("vpce-08d2bf15fac5001c9")), "192.0.2.7 vpce-08d2bf15fac5001c9 false"},
	{"among other TLVs", header2(0x21, 0x11, from4, tlv(0x03, "crc!"), tlv(0x04, "\x00\x00"), vpce("vpce-1"), tlv(0xEA, "\x02x"), tlv(0xE0, "y")), "192.0.2.7 vpce-1 false"},
	{"the client's TLS", header2(0x21, 0x11, from4, tlv(0x20, "\x01\x00\x00\x00\x00"+string(tlv(0x21, "TLSv1.3")))), "192.0.2.7  true"},
	{"no TLS of the client", header2(0x21, 0x11, from4, tlv(0x20, "\x00\x00\x00\x00\x00")), "192.0.2.7  false"},
	{"LOCAL", header2(0x20, 0x00, nil), "invalid IP  false"},
	{"LOCAL with addresses", header2(0x20, 0x11, from4), "invalid IP  false"},
	{"LOCAL with an endpoint", header2(0x20, 0x11, from4, vpce("vpce-1")), "invalid IP  false"},
	{"version 1, IPv4", []byte("PROXY TCP4 192.0.2.7 127.0.0.1 12345 80\r\n"), "192.0.2.7  false"},
	{"version 1, IPv6", []byte("PROXY TCP6 2001:db8::7 ::1 12345 80\r\n"), "2001:db8::7  false"},
	{"version 1, unknown", []byte("PROXY UNKNOWN\r\n"), "invalid IP  false"},
	{"version 1, unknown with addresses", []byte("PROXY UNKNOWN 192.0.2.7 127.0.0.1 12345 80\r\n"), "invalid IP  false"},

	{"nothing", nil, "error: no PROXY header"},
	{"a request", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "error: no PROXY header"},
	{"TLS", []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdef"), "error: no PROXY header"},
	{"a POST request", []byte("POST / HTTP/1.1\r\nHost: x\r\n\r\n"), "error: no PROXY header"},
	{"another signature", append([]byte("\r\n\r\n\x00\r\nQUIS\n"), 0x21, 0x11, 0, 12), "error: signature"},
	{"half a signature", []byte("\r\n\r\n\x00"), "error: breaks off"},
	{"version 3", header2(0x31, 0x11, from4), "error: unknown version"},
	{"version 0", header2(0x01, 0x11, from4), "error: unknown version"},
	{"an unknown command", header2(0x22, 0x11, from4), "error: unknown version"},
	{"UDP", header2(0x21, 0x12, from4), "error: address family"},
	{"a unix socket", header2(0x21, 0x31, make([]byte, 216)), "error: address family"},
	{"an unspecified family", header2(0x21, 0x00, nil), "error: address family"},
	{"an undefined transport", header2(0x21, 0x13, from4), "error: address family"},
	{"an undefined family", header2(0x21, 0x41, from4), "error: address family"},
	{"no addresses", header2(0x21, 0x11, nil), "error: malformed"},
	{"addresses of the other family's length", header2(0x21, 0x21, from4), "error: malformed"},
	{"a length that is too large", append(header2(0x21, 0x11, from4)[:14], 0xff, 0xff), "error: announces 65535 bytes"},
	{"more announced than sent", append(header2(0x21, 0x11, from4)[:14], 0, 200), "error: shorter than it announces"},
	{"a TLV that overflows", header2(0x21, 0x11, from4, []byte{0xEA, 0xff, 0xff, 1}), "error: malformed TLV"},
	{"a TLV cut short", header2(0x21, 0x11, from4, []byte{0xEA, 0}), "error: malformed TLV"},
	{"an empty AWS TLV", header2(0x21, 0x11, from4, tlv(0xEA, "")), "error: empty AWS TLV"},
	{"an empty endpoint", header2(0x21, 0x11, from4, vpce("")), "error: malformed VPC endpoint"},
	{"an endpoint with strange bytes", header2(0x21, 0x11, from4, vpce("vpce-1\x00")), "error: malformed VPC endpoint"},
	{"an endpoint that is too long", header2(0x21, 0x11, from4, vpce(strings.Repeat("v", 65))), "error: malformed VPC endpoint"},
	{"two endpoints", header2(0x21, 0x11, from4, vpce("vpce-1"), vpce("vpce-2")), "error: two VPC endpoints"},
	{"one endpoint twice", header2(0x21, 0x11, from4, vpce("vpce-1"), vpce("vpce-1")), "error: two VPC endpoints"},
	{"nobody's address", header2(0x21, 0x11, make([]byte, 12)), "error: nobody's"},
	{"nobody's mapped address", header2(0x21, 0x21, append(append([]byte{}, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00"...), mapped6[16:]...)), "error: nobody's"},
	{"a multicast address", header2(0x21, 0x11, append([]byte{224, 0, 0, 1}, from4[4:]...)), "error: nobody's"},
	{"version 1 without an end", []byte("PROXY TCP4 " + strings.Repeat("1", 200)), "error: longer than 107"},
	{"version 1 that breaks off", []byte("PROXY TCP4 192.0.2.7"), "error: breaks off"},
	{"version 1 with LF alone", []byte("PROXY TCP4 192.0.2.7 127.0.0.1 12345 80\n"), "error: malformed"},
	{"version 1 with an address of the other family", []byte("PROXY TCP6 192.0.2.7 127.0.0.1 12345 80\r\n"), "error: malformed"},
	{"version 1 with a name", []byte("PROXY TCP4 localhost 127.0.0.1 12345 80\r\n"), "error: malformed"},
	{"version 1 with octal", []byte("PROXY TCP4 0300.0.2.7 127.0.0.1 12345 80\r\n"), "error: malformed"},
	{"version 1 with two spaces", []byte("PROXY TCP4  192.0.2.7 127.0.0.1 12345 80\r\n"), "error: malformed"},
	{"version 1 with a port too large", []byte("PROXY TCP4 192.0.2.7 127.0.0.1 65536 80\r\n"), "error: malformed"},
	{"version 1 with a zone", []byte("PROXY TCP6 fe80::1%eth0 ::1 12345 80\r\n"), "error: malformed"},
	{"version 1 in lower case", []byte("proxy TCP4 192.0.2.7 127.0.0.1 12345 80\r\n"), "error: no PROXY header"},
	{"a method that begins alike", []byte("PROPFIND / HTTP/1.1\r\n"), "error: no PROXY header"},
}

func TestReadProxy(t *testing.T) {
	for _, c := range proxyCases {
		t.Run(c.name, func(t *testing.T) {
			const after = "GET / HTTP/1.1\r\n"
			raw := c.raw
			whole := !strings.HasPrefix(c.want, "error")
			if whole {
				raw = append(append([]byte{}, raw...), after...)
			}
			r := bytes.NewReader(raw)
			p, err := readProxy(r)
			if part, ok := strings.CutPrefix(c.want, "error: "); ok {
				if err == nil || !strings.Contains(err.Error(), part) || p.client.IsValid() && p.endpoint != "" {
					t.Errorf("got %+v, %v", p, err)
				}
				return
			}
			got := p.client.String() + " " + p.endpoint + " " + map[bool]string{true: "true", false: "false"}[p.secure]
			if err != nil || got != c.want {
				t.Errorf("got %q, %v", got, err)
			}
			if rest, _ := io.ReadAll(r); string(rest) != after {
				t.Errorf("left %q: the header's end was missed", rest)
			}
		})
	}
}

// Whatever a balancer sends, what comes out is an error, nobody, or an address
// that stands in the header; an endpoint only if its bytes stand there too; and
// never more is read than a header may have.
func FuzzReadProxy(f *testing.F) {
	for _, c := range proxyCases {
		f.Add(c.raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bytes.NewReader(raw)
		p, err := readProxy(r)
		if read := len(raw) - r.Len(); read > fixedProxyV2+maxProxyV2 {
			t.Errorf("read %d bytes", read)
		}
		if err != nil {
			return
		}
		read := raw[:len(raw)-r.Len()]
		if p.client.IsValid() {
			if p.client.Is4In6() || p.client.Zone() != "" || p.client.IsUnspecified() {
				t.Errorf("client %v", p.client)
			}
			if read[0] != 'P' && !bytes.Contains(read, p.client.AsSlice()) {
				t.Errorf("client %v is not in the header", p.client)
			}
		}
		if p.endpoint != "" && !bytes.Contains(read, []byte("\x01"+p.endpoint)) {
			t.Errorf("endpoint %q is not in the header", p.endpoint)
		}
		if !p.client.IsValid() && (p.endpoint != "" || p.secure) {
			t.Errorf("a connection of nobody's came through %q", p.endpoint)
		}
	})
}
