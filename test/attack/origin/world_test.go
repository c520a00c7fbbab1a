// Package origin is the attack table for where a portal request comes from: every
// way known to claim an address or an endpoint that is not one's own, against one
// real server. Each case must be refused, and must leave its record.
package origin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

var ana = boot.Account{Email: "ana@example.com", Password: "Correct-horse-1"}

// Who is who on the loopback interface. The workforce may come from 127.0.0.1,
// 203.0.113.64/26 and 2001:db8:3::/64, and from vpc-0a through vpce-0portal.
const (
	allowed  = "127.0.0.1"
	stranger = "127.0.0.2"
	proxy    = "127.7.0.1" // trusted
	balancer = "127.8.0.1" // sends PROXY headers
	hop      = "127.9.0.1" // of vpce-0hop, which is not the portal's endpoint
	inVPC    = "127.1.0.9"
)

// target is a listener.
type target int

// The listeners.
const (
	public    target = iota // the portal's own port
	behind                  // PROXY protocol
	endpoint                // vpce-0portal's own
	endpoint2               // vpce-0second's own, with PROXY protocol
)

type world struct {
	*boot.Server
	at     map[target]string // host:port
	cookie string            // of a session signed in from an allowed address
}

func start(t *testing.T) *world {
	t.Helper()
	own, other := boot.FreePorts(t, "127.1.0.5", 2), boot.FreePorts(t, "127.0.0.1", 1)
	settings := filepath.Join(t.TempDir(), "networks.yaml")
	text := fmt.Sprintf(`
vpcs:
  - id: vpc-0a
    subnets: {subnet-0a1: [127.1.0.0/24, "2001:db8:1::/64"], subnet-0a2: [10.1.0.0/24, "2001:db8:2::/64"]}
    security-groups: {sg-0a: [127.1.0.0/25, 10.1.0.0/24, "2001:db8:1::/64"]}
    endpoints:
      - {id: vpce-0portal, portal-addr: "%s"}
      - {id: vpce-0hop, trusted-hops: [127.9.0.1]}
      - {id: vpce-0second, portal-addr: "%s", proxy-protocol: [127.8.0.1]}
      - {id: vpce-0s3, services: [api]}
  - {id: vpc-0b, subnets: {subnet-0b1: [10.2.0.0/24]}, endpoints: [{id: vpce-0b}]}
proxy-protocol: {portal-addr: "%s", from: [127.8.0.1]}
`, own[0], own[1], other[0])
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{Server: boot.Start(t, boot.Options{Args: []string{"--networks", settings, "--trusted-proxies", proxy}})}
	w.at = map[target]string{public: strings.TrimPrefix(w.Portal, "http://"), behind: other[0], endpoint: own[0], endpoint2: own[1]}
	w.Make(boot.Setup{Workers: []boot.Account{ana}})
	boot.Must(t)(w.AWS("sagemaker", "update-workforce", "--workforce-name", "workforce", "--ip-address-type", "dualstack",
		"--source-ip-config", "Cidrs=127.0.0.1/32,203.0.113.64/26,2001:db8:3::/64",
		"--workforce-vpc-config", `{"VpcId":"vpc-0a","Subnets":["subnet-0a1"],"SecurityGroupIds":["sg-0a"]}`))
	for status := ""; status != "Active"; time.Sleep(100 * time.Millisecond) {
		status = strings.TrimSpace(boot.Must(t)(w.AWS("sagemaker", "describe-workforce", "--workforce-name", "workforce", "--query", "Workforce.Status", "--output", "text")))
	}
	w.signIn(t)
	return w
}

// signIn makes the session that is replayed from elsewhere.
func (w *world) signIn(t *testing.T) {
	t.Helper()
	form := url.Values{"email": {ana.Email}, "password": {ana.Password}}.Encode()
	answer, _ := w.send(t, public, allowed, "POST /signin HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "+
		fmt.Sprint(len(form))+"\r\n\r\n"+form)
	for line := range strings.SplitSeq(answer, "\r\n") {
		if c, ok := strings.CutPrefix(line, "Set-Cookie: "); ok {
			w.cookie, _, _ = strings.Cut(c, ";")
		}
	}
	if w.cookie == "" {
		t.Fatalf("nobody signed in:\n%s", answer)
	}
}

// send writes raw bytes from the address to the listener, and returns all that
// comes back and who sent it. Nothing comes back from a refused connection.
func (w *world) send(t *testing.T, to target, from, raw string) (answer, local string) {
	t.Helper()
	d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	// The address is fixed before connecting: a connection may be reset before
	// Dial returns, and its record is found by the address.
	port := freePort(t, from)
	d.LocalAddr.(*net.TCPAddr).Port = port
	local = net.JoinHostPort(from, fmt.Sprint(port))
	c, err := d.Dial("tcp", w.at[to])
	if err != nil {
		if errors.Is(err, syscall.ECONNRESET) {
			return "", local
		}
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	_, _ = io.WriteString(c, raw)
	// A header that announces more than is sent waits; a balancer that has gone does not.
	if !strings.Contains(raw, "HTTP/1.") {
		_ = c.(*net.TCPConn).CloseWrite()
	}
	b, _ := io.ReadAll(c)
	return string(b), local
}

// freePort finds a port of the address.
func freePort(t *testing.T, addr string) int {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// record is a line of the audit record, as far as this table looks at it.
type record struct {
	Kind, Verdict, Action, Origin, Statement, Reason, Agent string
	Status                                                  int
}

// await finds the record of a case, which is written before the answer is, or
// with a refused connection at the same time.
func (w *world) await(match func(record) bool) (record, bool) {
	for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		files, _ := filepath.Glob(filepath.Join(w.DataDir, "audit", "*.jsonl"))
		for _, f := range files {
			b, _ := os.ReadFile(f)
			lines := bufio.NewScanner(bytes.NewReader(b))
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				var r record
				if json.Unmarshal(lines.Bytes(), &r) == nil && match(r) {
					return r, true
				}
			}
		}
		if time.Now().After(deadline) {
			return record{}, false
		}
	}
}
