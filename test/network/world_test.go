// Package network tests, against the real server, what it knows about the
// networks that requests come through: VPC endpoints by their own listeners, by
// PROXY protocol headers and by trusted hops.
package network

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

// Who is who on the loopback interface.
const (
	inVPC    = "127.1.0.9" // of subnet-0a1
	outside  = "127.0.0.1"
	balancer = "127.8.0.1" // sends PROXY headers
	hop      = "127.9.0.1" // of vpce-0hop
	proxy    = "127.7.0.1" // trusted, of no endpoint
)

// world is a server with a VPC of loopback addresses.
type world struct {
	*boot.Server
	s3, portal            string // host:port of the endpoint's own listeners
	proxyAPI, proxyPortal string // of the PROXY protocol listeners
}

func newWorld(t testing.TB, args ...string) *world {
	t.Helper()
	w := &world{}
	own, behind := boot.FreePorts(t, "127.1.0.5", 2), boot.FreePorts(t, "127.0.0.1", 2)
	w.s3, w.portal, w.proxyAPI, w.proxyPortal = own[0], own[1], behind[0], behind[1]
	settings := filepath.Join(t.TempDir(), "networks.yaml")
	text := fmt.Sprintf(`
vpcs:
  - id: vpc-0a
    subnets:
      subnet-0a1: [127.1.0.0/24]
      subnet-0a2: [10.1.0.0/24, "2001:db8:1::/64"]
    security-groups:
      sg-0a: [127.1.0.0/25, 10.1.0.0/24]
    endpoints:
      - id: vpce-0s3
        api-addr: %s
      - id: vpce-0portal
        portal-addr: %s
      - id: vpce-0hop
        trusted-hops: [127.9.0.1]
  - id: vpc-0b
    subnets: {subnet-0b1: [10.2.0.0/24]}
    endpoints: [{id: vpce-0b}]
proxy-protocol:
  api-addr: %s
  portal-addr: %s
  from: [127.8.0.1]
`, w.s3, w.portal, w.proxyAPI, w.proxyPortal)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Server = boot.Start(t, boot.Options{Args: append([]string{"--networks", settings, "--trusted-proxies", proxy}, args...)})
	return w
}

// way is one way for a request to arrive.
type way struct {
	from   string // local address
	to     string // host:port; "" for the public API
	before []byte // sent first
	header map[string]string
}

// header2 is a PROXY protocol header of version 2 with AWS's endpoint TLV where
// there is an endpoint.
func header2(client, endpoint string) []byte {
	a := netip.MustParseAddr(client)
	over, to := byte(0x11), netip.MustParseAddr("127.0.0.1")
	if a.Is6() {
		over, to = 0x21, netip.MustParseAddr("::1")
	}
	body := append(append(a.AsSlice(), to.AsSlice()...), 0x30, 0x39, 0x23, 0x28)
	if endpoint != "" {
		value := "\x01" + endpoint
		body = append(body, 0xEA)
		body = binary.BigEndian.AppendUint16(body, uint16(len(value)))
		body = append(body, value...)
	}
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), 0x21, over)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(body))), body...)
}

// transport connects along the way, whatever the URL's host is.
func (w way) transport() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		if w.to != "" {
			addr = w.to
		}
		d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(w.from)}}
		c, err := d.DialContext(ctx, "tcp", addr)
		if err == nil && w.before != nil {
			_, err = c.Write(w.before)
		}
		return c, err
	}}
}

func (w way) client() *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: w.transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// get opens a URL along the way; status 0 where the connection was refused.
func (w way) get(t testing.TB, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range w.header {
		req.Header.Set(k, v)
	}
	res, err := w.client().Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

// record is a line of the audit record, as far as tests look at it.
type record struct {
	Kind, Verdict, Action, Resource, Origin, Statement, Reason, Agent string
	Status                                                            int
}

// records are the audit record so far.
func records(t testing.TB, dataDir string) []record {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dataDir, "audit", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []record
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var r record
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				continue // a line that is being written
			}
			out = append(out, r)
		}
	}
	return out
}

// root runs the AWS CLI.
func (w *world) aws(t testing.TB, args ...string) string {
	t.Helper()
	return strings.TrimSpace(boot.Must(t)(w.AWS(args...)))
}
