package origin

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// attack is one case of the table. The request carries an agent of its own, by
// which its record is found; a refused connection is found by its address.
type attack struct {
	name string
	to   target
	from string
	raw  string // whole, %s is the agent; "" : a GET of / with the header lines below
	head string // header lines, each with CR LF
	pre  string // sent before the request

	status    string // "404", "403", or "" for a connection that is dropped
	origin    string // as recorded; "" : that of the connection
	statement string // the beginning of the recorded one
}

func (a *attack) request(agent string) string {
	raw := a.raw
	if raw == "" {
		raw = "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\nConnection: close\r\n" + a.head + "\r\n"
	}
	return a.pre + strings.Replace(raw, "%s", agent, 1)
}

const (
	byCIDR    = "SourceIpConfig"
	byVPC     = "WorkforceVpcConfig"
	byProxy   = "proxy-protocol"
	byFrom    = "proxy-protocol from"
	bySubnets = "networks vpc-0a subnets"
)

// claims are header lines with which some server or other can be told an address.
var claims = []string{
	"X-Forwarded-For: 127.0.0.1", "x-forwarded-for: 127.0.0.1", "X-FORWARDED-FOR: 127.0.0.1", "X_Forwarded_For: 127.0.0.1", "X-Forwarded_For: 127.0.0.1",
	"X-Forwarded-For: 127.0.0.1, 127.7.0.1", "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 127.7.0.1", "X-Forwarded-For:\t127.0.0.1\t", "X-Forwarded-For: 127.0.0.2,\r\n 127.0.0.1",
	"X-Forwarded-For: ::ffff:127.0.0.1", "X-Forwarded-For: 127.0.0.1:80", "X-Forwarded-For: ", "X-Forwarded-For: localhost",
	"X-Forwarded: 127.0.0.1", "X-Forwarded-By: 127.0.0.1", "X-Forwarded-Host: 127.0.0.1", "X-Forwarded-Server: 127.0.0.1", "X-Forwarded-For-Original: 127.0.0.1",
	"X-Forwarder-For: 127.0.0.1", "X-Forward-For: 127.0.0.1", "Forwarded-For: 127.0.0.1", "Forwarded-For-Ip: 127.0.0.1", "X-Original-Forwarded-For: 127.0.0.1",
	"Forwarded: for=127.0.0.1", "forwarded: FOR=127.0.0.1", "Forwarded: for=127.0.0.1;by=127.7.0.1;host=x;proto=https", `Forwarded: for="127.0.0.1:80"`, `Forwarded: for="[::1]"`,
	"Forwarded: for=127.0.0.2, for=127.0.0.1", "Forwarded: for=127.0.0.1\r\nForwarded: for=127.7.0.1", "Forwarded: for=127.0.0.1\r\nX-Forwarded-For: 127.0.0.1",
	"X-Real-IP: 127.0.0.1", "x-real-ip: 127.0.0.1", "X_Real_IP: 127.0.0.1", "X-Real-Ip: 127.0.0.1\r\nX-Real-Ip: 127.0.0.1",
	"True-Client-IP: 127.0.0.1", "CF-Connecting-IP: 127.0.0.1", "CF-Connecting-IPv6: ::1", "CF-Pseudo-IPv4: 127.0.0.1", "X-Client-IP: 127.0.0.1", "Client-IP: 127.0.0.1",
	"X-Cluster-Client-IP: 127.0.0.1", "Cluster-Client-IP: 127.0.0.1", "Fastly-Client-IP: 127.0.0.1", "X-Azure-ClientIP: 127.0.0.1", "X-Azure-SocketIP: 127.0.0.1", "X-Appengine-User-Ip: 127.0.0.1",
	"Fly-Client-IP: 127.0.0.1", "Do-Connecting-Ip: 127.0.0.1", "X-Envoy-External-Address: 127.0.0.1", "X-Envoy-Original-Dst-Host: 127.0.0.1", "X-Original-Remote-Addr: 127.0.0.1",
	"X-Remote-IP: 127.0.0.1", "X-Remote-Addr: 127.0.0.1", "Remote-Addr: 127.0.0.1", "Remote_Addr: 127.0.0.1", "REMOTE-ADDR: 127.0.0.1", "X-ProxyUser-Ip: 127.0.0.1", "X-Originating-IP: [127.0.0.1]",
	"X-Host: 127.0.0.1", "X-Custom-IP-Authorization: 127.0.0.1", "X-Source-IP: 127.0.0.1", "Source-IP: 127.0.0.1", "SourceIp: 127.0.0.1", "Via: 1.1 127.0.0.1", "Z-Forwarded-For: 127.0.0.1", "Proxy-Client-IP: 127.0.0.1",
	"WL-Proxy-Client-IP: 127.0.0.1", "Ali-CDN-Real-IP: 127.0.0.1", "CDN-Src-IP: 127.0.0.1", "X-Tencent-Ua: 127.0.0.1", "Incap-Client-IP: 127.0.0.1", "X-Sucuri-ClientIP: 127.0.0.1", "Akamai-Origin-Hop: 127.0.0.1",
	"X-Amz-Source-Ip: 127.0.0.1", "X-Amzn-Source-Ip: 127.0.0.1", "aws-SourceIp: 127.0.0.1", "CloudFront-Viewer-Address: 127.0.0.1:80", "X-Amz-Cf-Id: 127.0.0.1",
	"X-Amz-Vpc-Endpoint-Id: vpce-0portal", "X-Amzn-Vpce-Id: vpce-0portal\r\nX-Amzn-Vpc-Id: vpc-0a", "X-Amzn-Vpce-Config: vpce-0portal", "X-Amz-Vpc-Source-Ip: 127.1.0.9\r\nX-Amz-Source-Vpce: vpce-0portal", "SourceVpce: vpce-0portal",
	"PROXY: TCP4 127.0.0.1 127.0.0.1 1 2", "X-Forwarded-Proto: https\r\nX-Forwarded-For: 127.0.0.1", "Connection: X-Forwarded-For\r\nX-Forwarded-For: 127.0.0.1",
}

// chains are what a trusted proxy passes on when a client, or the proxy, got it wrong.
var chains = []struct{ head, origin string }{
	{"", "unknown"},
	{"X-Forwarded-For: ", "unknown"},
	{"X-Forwarded-For: ,", "unknown"},
	{"X-Forwarded-For: 127.0.0.1,", "unknown"},
	{"X-Forwarded-For: ,127.0.0.2", "127.0.0.2"},
	{"X-Forwarded-For: 127.0.0.1, 127.0.0.2", "127.0.0.2"},
	{"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 127.0.0.2", "127.0.0.2"},
	{"X-Forwarded-For: 127.0.0.1, 127.0.0.2, 127.7.0.1", "127.0.0.2"},
	{"X-Forwarded-For: 127.0.0.1;", "unknown"},
	{"X-Forwarded-For: 127.0.0.1 127.0.0.2", "unknown"},
	{"X-Forwarded-For: 127.0.0.01", "unknown"},
	{"X-Forwarded-For: 0177.0.0.1", "unknown"},
	{"X-Forwarded-For: 0x7f.0.0.1", "unknown"},
	{"X-Forwarded-For: 2130706433", "unknown"},
	{"X-Forwarded-For: 127.1", "unknown"},
	{"X-Forwarded-For: 127.0.0.1/32", "unknown"},
	{"X-Forwarded-For: 127.0.0.1:99999", "unknown"},
	{"X-Forwarded-For: [127.0.0.1]", "unknown"},
	{"X-Forwarded-For: \"127.0.0.1\"", "unknown"},
	{"X-Forwarded-For: localhost", "unknown"},
	{"X-Forwarded-For: unknown", "unknown"},
	{"X-Forwarded-For: 127.0.0.1, unknown", "unknown"},
	{"X-Forwarded-For: ::1%lo", "unknown"},
	{"X-Forwarded-For: fe80::1%eth0", "unknown"},
	{"X-Forwarded-For: 0.0.0.0", "unknown"},
	{"X-Forwarded-For: ::", "unknown"},
	{"X-Forwarded-For: ::ffff:127.0.0.2", "127.0.0.2"},
	{"X-Forwarded-For: 127.0.0.1\u00a0", "unknown"},
	{"X-Forwarded-For: " + strings.Repeat("127.0.0.1,", 64) + "127.0.0.1", "unknown"},
	{"Forwarded: for=unknown", "unknown"},
	{"Forwarded: for=_hidden", "unknown"},
	{"Forwarded: proto=https", "unknown"},
	{"Forwarded: for=127.0.0.1;for=127.0.0.1", "unknown"},
	{"Forwarded: for=127.0.0.1:80", "unknown"},
	{"Forwarded: for=\"127.0.0.1", "unknown"},
	{"Forwarded: for=127.0.0.1;host=\", for=127.0.0.2", "unknown"},
	{"Forwarded: for=127.0.0.1;host=\", for=\"127.0.0.2:80\"", "unknown"},
	{"Forwarded: for=127.0.0.2;host=\"a, for=127.0.0.1\"", "127.0.0.2"},
	{"Forwarded: for=127.0.0.1, for=127.0.0.2", "127.0.0.2"},
	{"Forwarded: for=\"127.0.0.\\1\"", "unknown"},
	{"Forwarded: for=\"2001:db8:3::1\"", "unknown"},
	{"Forwarded: for=127.0.0.1\r\nX-Forwarded-For: 127.0.0.2", "unknown"},
	{"Forwarded: for=127.0.0.2\r\nX-Forwarded-For: 127.0.0.1", "unknown"},
	{"X-Real-IP: 127.0.0.1", "unknown"},
	{"x_forwarded_for: 127.0.0.1", "unknown"},
	{"Connection: X-Forwarded-For, close", "unknown"},
}

// header2 builds a PROXY header of version 2 that may lie.
func header2(command, over byte, body ...string) string {
	all := strings.Join(body, "")
	return "\r\n\r\n\x00\r\nQUIT\n" + string(binary.BigEndian.AppendUint16([]byte{command, over}, uint16(len(all)))) + all
}

// tcp is the address block of a connection from the client.
func tcp(client string) string {
	a := netip.MustParseAddr(client)
	to := netip.MustParseAddr("127.0.0.1")
	if a.Is6() {
		to = netip.MustParseAddr("::1")
	}
	return string(a.AsSlice()) + string(to.AsSlice()) + "\x30\x39\x00\x50"
}

func tlv(kind byte, value string) string {
	return string(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value)))) + value
}

func vpce(id string) string { return tlv(0xEA, "\x01"+id) }

// client is a whole header for the client.
func client(addr string, tlvs ...string) string {
	over := byte(0x11)
	if netip.MustParseAddr(addr).Is6() {
		over = 0x21
	}
	return header2(0x21, over, append([]string{tcp(addr)}, tlvs...)...)
}
