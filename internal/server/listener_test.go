package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/origin"
)

// records keeps what listeners refuse.
type records struct {
	mu   sync.Mutex
	list []audit.Event
}

func (r *records) Record(_ context.Context, e *audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, *e)
	return nil
}

func (r *records) await(t *testing.T, n int) []audit.Event {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		list := append([]audit.Event{}, r.list...)
		r.mu.Unlock()
		if len(list) >= n {
			return list
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d records, want %d: %+v", len(list), n, list)
		}
	}
}

func networks(t *testing.T) *origin.Resolver {
	t.Helper()
	n, err := origin.NewNetworks(origin.Spec{VPCs: []origin.VPCSpec{{
		ID: "vpc-1", Subnets: map[string][]string{"subnet-a": {"192.0.2.0/24"}}, Endpoints: []origin.EndpointSpec{{ID: "vpce-1"}, {ID: "vpce-2"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := origin.New(nil, n)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// serve serves the listener until the test ends; it answers with the origin.
func serve(t *testing.T, o Options) (*Listener, *records) {
	t.Helper()
	rec := &records{}
	o.Recorder, o.Resolver = rec, networks(t)
	o.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, origin.From(r.Context()).String())
	})
	l := listen(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, time.Second, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l, rec
}

// dial connects; nil where the connection is refused while it is made.
func dial(t *testing.T, addr, from string) net.Conn {
	t.Helper()
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

const get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.99\r\n\r\n"

// ask sends raw bytes and returns what comes back, as text.
func ask(t *testing.T, l *Listener, from string, raw []byte) string {
	t.Helper()
	c := dial(t, l.Addr(), from)
	if c == nil {
		return ""
	}
	if _, err := c.Write(raw); err != nil {
		return ""
	}
	b, _ := io.ReadAll(c)
	return string(b)
}

func TestProxyListener(t *testing.T) {
	l, rec := serve(t, Options{From: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	for _, c := range []struct {
		name, from string
		raw        []byte
		want       string // in the answer; "" for none at all
		rule       string
	}{
		{"an address", "127.0.0.2", append(header2(0x21, 0x11, from4), get...), "192.0.2.7", ""},
		{"version 1", "127.0.0.2", []byte("PROXY TCP4 192.0.2.8 127.0.0.1 1 2\r\n" + get), "192.0.2.8", ""},
		{"an endpoint", "127.0.0.2", append(header2(0x21, 0x11, from4, vpce("vpce-1")), get...), "192.0.2.7 via vpce-1", ""},
		{"an undeclared endpoint", "127.0.0.2", append(header2(0x21, 0x11, from4, vpce("vpce-9")), get...), "403 Forbidden", "networks"},
		{"an address that the VPC has not", "127.0.0.2", append(header2(0x21, 0x21, from6, vpce("vpce-1")), get...), "403 Forbidden", "networks vpc-1 subnets"},
		{"a health check that asks", "127.0.0.2", append(header2(0x20, 0, nil), get...), "403 Forbidden", "proxy-protocol"},
		{"an untrusted peer", "127.0.0.3", append(header2(0x21, 0x11, from4), get...), "", "proxy-protocol from"},
		{"an untrusted peer without a header", "127.0.0.1", []byte(get), "", "proxy-protocol from"},
		{"no header", "127.0.0.2", []byte(get), "", "proxy-protocol"},
		{"two headers", "127.0.0.2", append(append(header2(0x21, 0x11, from4), header2(0x21, 0x11, from4)...), get...), "", "proxy-protocol"},
		{"a second header of version 1", "127.0.0.2", append(header2(0x21, 0x11, from4), "PROXY TCP4 192.0.2.9 127.0.0.1 1 2\r\n"+get...), "", "proxy-protocol"},
	} {
		before := len(rec.await(t, 0))
		got := ask(t, l, c.from, c.raw)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || c.rule == "" && !strings.HasSuffix(got, "\r\n\r\n"+c.want) {
			t.Errorf("%s: answered %q, want %q", c.name, got, c.want)
		}
		if c.rule == "" {
			if n := len(rec.await(t, 0)); n != before {
				t.Errorf("%s: recorded as refused", c.name)
			}
			continue
		}
		e := rec.await(t, before+1)[before]
		if e.Verdict != audit.Deny || e.Kind != Connection || e.Statement != c.rule || e.Reason == "" || !strings.HasPrefix(e.Origin, c.from+":") || e.Resource != "listener:test" {
			t.Errorf("%s: recorded %+v", c.name, e)
		}
	}
}

// A listener of an endpoint's own places every request there, and takes nobody
// who cannot be there.
func TestEndpointListener(t *testing.T) {
	n, err := origin.NewNetworks(origin.Spec{VPCs: []origin.VPCSpec{{ID: "vpc-1", Subnets: map[string][]string{"subnet-a": {"127.0.1.0/24"}}, Endpoints: []origin.EndpointSpec{{ID: "vpce-1"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := origin.New(nil, n)
	if err != nil {
		t.Fatal(err)
	}
	rec := &records{}
	l := listen(t, Options{Endpoint: "vpce-1", Resolver: r, Recorder: rec, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, origin.From(r.Context()).String())
	})})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, time.Second, l) }()
	if got := ask(t, l, "127.0.1.9", []byte(get)); !strings.HasSuffix(got, "127.0.1.9 via vpce-1") {
		t.Errorf("answered %q", got)
	}
	if got := ask(t, l, "127.0.2.9", []byte(get)); !strings.HasPrefix(got, "HTTP/1.1 403") {
		t.Errorf("answered %q", got)
	}
	if got := ask(t, l, "127.0.1.9", []byte("PROXY TCP4 127.0.1.1 127.0.0.1 1 2\r\n"+get)); got != "" {
		t.Errorf("a PROXY header where none may be: answered %q", got)
	}
	if list := rec.await(t, 2); list[0].Statement != "networks vpc-1 subnets" || list[1].Statement != "proxy-protocol" {
		t.Errorf("recorded %+v", list)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A balancer that sends no header holds up nobody, and Close waits for nobody.
func TestSlowHeaderHoldsUpNobody(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := &refusals{listener: "test", recorder: audit.Discard{}, log: quiet(), now: time.Now}
	l := newBehind(tcp.(*net.TCPListener), origin.Arrival{}, []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, refused)
	for range 50 {
		c := dial(t, tcp.Addr().String(), "127.0.0.2")
		_, _ = c.Write([]byte("\r\n\r\n\x00"))
	}
	start := time.Now()
	c := dial(t, tcp.Addr().String(), "127.0.0.2")
	if _, err := c.Write(header2(0x21, 0x11, from4)); err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil || unwrap(accepted).arrival.Peer.String() != "192.0.2.7" {
		t.Fatalf("%v %v", accepted, err)
	}
	_ = accepted.Close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Close again: %v", err)
	}
}

// Media go by sendfile, which needs the connection's own ReadFrom.
func TestConnectionKeepsReadFrom(t *testing.T) {
	var c net.Conn = &conn{}
	if _, ok := c.(io.ReaderFrom); !ok {
		t.Error("a connection without ReadFrom copies every byte through this process")
	}
}

// A flood of refusals fills no disk, and is not forgotten either.
func TestRefusalsAreBounded(t *testing.T) {
	rec := &records{}
	now := time.Unix(1000, 0)
	r := &refusals{listener: "x", recorder: rec, log: quiet(), now: func() time.Time { return now }}
	for range recordsPerSecond + 50 {
		r.connection("192.0.2.1:5", "rule", "reason")
	}
	if len(rec.list) != recordsPerSecond {
		t.Errorf("%d records", len(rec.list))
	}
	now = now.Add(time.Second)
	r.connection("192.0.2.1:5", "rule", "reason")
	if last := rec.list[len(rec.list)-1]; !strings.Contains(last.Reason, "and 50 more") {
		t.Errorf("the rest is not told: %q", last.Reason)
	}
}

// TestBodyFollows: an answer whose head is kept back for its body arrives whole and
// in order, from memory and from a file, over both protocols, and where it is more than
// the kernel takes at once.
func TestBodyFollows(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	body := make([]byte, 8<<20)
	for i := range body {
		body[i] = byte(i * 7 >> 8)
	}
	if _, err := file.Write(body); err != nil {
		t.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		w.Header().Set("Content-Type", "image/jpeg")
		BodyFollows(r.Context())
		if r.URL.Path == "/file" {
			_, _ = file.Seek(0, io.SeekStart)
			_, _ = io.Copy(w, &io.LimitedReader{R: file, N: int64(n)})
			return
		}
		_, _ = w.Write(body[:n])
	})
	for _, secure := range []bool{false, true} {
		o := Options{Name: "api"}
		scheme, client := "http", &http.Client{Transport: &http.Transport{}}
		if secure {
			s := httptest.NewUnstartedServer(nil)
			s.StartTLS()
			defer s.Close()
			o.TLS = &tls.Config{Certificates: s.TLS.Certificates}
			scheme, client = "https", s.Client()
		}
		l, _ := serve(t, o)
		l.server.Handler = handler
		for _, path := range []string{"memory", "file"} {
			for _, n := range []int{MinBody, MinBody + 1, 2*MinBody - 1, 100 << 10, len(body)} {
				res, err := client.Get(fmt.Sprintf("%s://%s/%s?n=%d", scheme, l.Addr(), path, n))
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || !bytes.Equal(got, body[:n]) {
					t.Fatalf("%s %s: %d bytes of %d, %v", scheme, path, len(got), n, err)
				}
			}
		}
	}
}
