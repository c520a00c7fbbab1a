package attack

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// request is one attempt, as bytes: nothing between the case and the wire puts
// anything right.
type request struct {
	from   string // address to come from; the worker's own if empty
	to     string // address of the server to go to
	method string
	target string // as it stands in the request line
	host   string
	proto  string
	header []string // lines
	body   string
	raw    string // if set, sent instead of all this, with AGENT replaced
}

func (r *request) bytes(agent string) string {
	if r.raw != "" {
		return strings.ReplaceAll(r.raw, "AGENT", agent)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", r.method, r.target, r.proto)
	if r.host != "" {
		fmt.Fprintf(&b, "Host: %s\r\n", r.host)
	}
	fmt.Fprintf(&b, "User-Agent: %s\r\nConnection: close\r\n", agent)
	for _, h := range r.header {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n" + r.body
}

// answer is everything that came back.
type answer struct {
	status int
	raw    []byte
}

// send opens a connection, sends and reads until the server closes it.
func (s *scene) send(r *request, agent string) (answer, error) {
	from, to := r.from, r.to
	if from == "" {
		from = here
	}
	if to == "" {
		to = "127.0.0.1"
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
	c, err := d.Dial("tcp", net.JoinHostPort(to, s.port))
	if err != nil {
		return answer{}, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.WriteString(c, r.bytes(agent)) }()
	raw, err := io.ReadAll(c)
	if len(raw) == 0 && err != nil {
		return answer{}, err
	}
	a := answer{raw: raw}
	if res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(raw))), &http.Request{Method: r.method}); err == nil {
		a.status = res.StatusCode
	}
	return a, nil
}

// get is the request that opens the picture; cases change it.
func (s *scene) get() *request { return s.open(s.media) }

// open is the request of a browser that follows a URL.
func (s *scene) open(media string) *request {
	u, err := url.Parse(media)
	if err != nil {
		s.t.Fatal(err)
	}
	return &request{method: "GET", target: u.RequestURI(), host: u.Host, proto: "HTTP/1.1"}
}

// record is a line of the audit log, as far as cases look at it.
type record struct {
	Kind, Verdict, Error, Reason, Statement, Origin, Grant, Worker, Resource, Agent, Method string
	Status                                                                                  int
}

// records reads what the server has written since the last time.
func (s *scene) records(t testing.TB) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(s.DataDir, "audit", "*.jsonl"))
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(s.read[name], io.SeekStart); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		end := strings.LastIndexByte(string(b), '\n') + 1
		s.read[name] += int64(end)
		for _, line := range strings.Split(string(b[:end]), "\n") {
			var r record
			if line != "" && json.Unmarshal([]byte(line), &r) == nil && r.Agent != "" {
				s.byAgent[r.Agent] = append(s.byAgent[r.Agent], r)
			}
		}
	}
}
