// Package journey tests whole stories against the real server: what a user
// does with the AWS CLI and boto3, what a worker does at the portal, and what a
// stranger tries with a copied media URL.
package journey

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

var (
	ana = boot.Account{Email: "ana@example.com", Password: "Correct-horse-1"}
	ben = boot.Account{Email: "ben@example.com", Password: "Battery-staple-2"}
)

// scene is a server with one job, a worker at 127.0.0.1 who has opened a task,
// and the media URL in it.
type scene struct {
	*boot.Server
	worker     *boot.Worker
	assignment string
	media      string
	picture    []byte
}

func newScene(t *testing.T, timeLimit int, args ...string) *scene {
	t.Helper()
	picture := boot.Picture(t, 320, 240)
	s := &scene{Server: boot.Start(t, boot.Options{Args: args})}
	s.Make(boot.Setup{Workers: []boot.Account{ana, ben}, SourceIP: true, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 3, Workers: 1, Picture: picture, TimeLimit: timeLimit},
	}})
	var err error
	if s.picture, err = os.ReadFile(picture); err != nil {
		t.Fatal(err)
	}
	if s.worker, err = boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password); err != nil {
		t.Fatal(err)
	}
	s.open(t)
	return s
}

func (s *scene) open(t *testing.T) {
	t.Helper()
	var err error
	if s.assignment, err = s.worker.Start("boxes"); err != nil || s.assignment == "" {
		t.Fatalf("start a task: %q, %v", s.assignment, err)
	}
	page, media, err := s.worker.Frame(s.assignment)
	if err != nil || len(media) != 1 {
		t.Fatalf("the frame has %d media URLs (%v):\n%s", len(media), err, page)
	}
	s.media = media[0]
}

// get opens a URL from an address and returns the status and the body.
func get(t *testing.T, from, method, rawURL string, header map[string]string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, rawURL, nil)
	if err != nil {
		return 0, nil // not a URL any more: nobody can send it
	}
	for k, v := range header {
		req.Header[k] = []string{v}
	}
	c := boot.From(from)
	defer c.CloseIdleConnections()
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s from %s: %v", rawURL, from, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b
}

func TestGrantOpensOnlyForItsWorkersAddress(t *testing.T) {
	t.Parallel()
	s := newScene(t, 600)
	if status, body := get(t, "127.0.0.1", "GET", s.media, nil); status != 200 || !bytes.Equal(body, s.picture) {
		t.Fatalf("the worker gets %d and %d bytes, want 200 and the picture", status, len(body))
	}
	refused := func(name, from, method, u string, header map[string]string) {
		t.Helper()
		status, body := get(t, from, method, u, header)
		if status != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", name, status)
		}
		if bytes.Contains(body, s.picture[:64]) {
			t.Errorf("%s: the picture was sent", name)
		}
	}
	refused("another address", "127.0.0.2", "GET", s.media, nil)
	for _, name := range []string{
		"X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR", "X-Real-IP", "X-Real-Ip", "Forwarded", "forwarded", "True-Client-IP", "True-Client-Ip",
		"SourceIp", "Sourceip", "sourceip", "X-Amz-Source-Ip", "x-amz-source-ip", "X-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP",
		"X-Forwarded-Host", "X-Original-Forwarded-For", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "Client-IP", "Via",
	} {
		for _, value := range []string{"127.0.0.1", "for=127.0.0.1", "127.0.0.1, 127.0.0.1", `for="127.0.0.1:80"`, "::ffff:127.0.0.1"} {
			refused(name+": "+value, "127.0.0.2", "GET", s.media, map[string]string{name: value})
		}
	}
	u, err := url.Parse(s.media)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(u *url.URL)) string { c := *u; change(&c); return c.String() }
	refused("another key", "127.0.0.1", "GET", with(func(u *url.URL) { u.Path = "/input/boxes/2.jpg" }), nil)
	refused("another bucket", "127.0.0.1", "GET", with(func(u *url.URL) { u.Path = strings.Replace(u.Path, "/input/", "/output/", 1) }), nil)
	refused("the bucket itself", "127.0.0.1", "GET", with(func(u *url.URL) { u.Path = "/input" }), nil)
	refused("a dot path", "127.0.0.1", "GET", with(func(u *url.URL) { u.Path = "/input/boxes/./" + filepath.Base(u.Path) }), nil)
	refused("a parent path", "127.0.0.1", "GET", with(func(u *url.URL) { u.Path = "/input/x/../boxes/" + filepath.Base(u.Path) }), nil)
	for _, method := range []string{"PUT", "DELETE", "HEAD", "POST"} {
		refused("method "+method, "127.0.0.1", method, s.media, nil)
	}
	refused("a doubled parameter", "127.0.0.1", "GET", s.media+"&X-Amz-Expires=604800", nil)
	refused("a parameter more", "127.0.0.1", "GET", s.media+"&response-content-type=text/html", nil)
	refused("no query", "127.0.0.1", "GET", with(func(u *url.URL) { u.RawQuery = "" }), nil)
}

// Any byte of the query changed: 403, never the picture.
func TestGrantWithAnyByteChanged(t *testing.T) {
	t.Parallel()
	s := newScene(t, 600)
	u, err := url.Parse(s.media)
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[int]int{}
	for i := range len(u.RawQuery) {
		for _, delta := range []byte{1, 0x20} {
			b := []byte(u.RawQuery)
			b[i] ^= delta
			if b[i] <= ' ' || b[i] >= 0x7f || b[i] == '#' {
				continue
			}
			c := *u
			c.RawQuery = string(b)
			status, body := get(t, "127.0.0.1", "GET", c.String(), nil)
			statuses[status]++
			if status != 403 || bytes.Contains(body, s.picture[:64]) {
				t.Errorf("byte %d (%q became %q): status %d", i, u.RawQuery[i], b[i], status)
			}
		}
	}
	t.Logf("statuses: %v", statuses)
	if statuses[403] < 500 {
		t.Errorf("only %d of the changes were refused with 403", statuses[403])
	}
}

func TestGrantDiesWithItsReason(t *testing.T) {
	t.Parallel()
	s := newScene(t, 600)
	check := func(cause string, end func()) {
		t.Helper()
		if status, _ := get(t, "127.0.0.1", "GET", s.media, nil); status != 200 {
			t.Fatalf("%s: before: status %d", cause, status)
		}
		end()
		deadline := time.Now().Add(time.Second)
		for {
			status, _ := get(t, "127.0.0.1", "GET", s.media, nil)
			if status == 403 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: the URL still answers %d after a second", cause, status)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	check("released", func() {
		if status, _, err := s.worker.Post(s.assignment, "release", struct{}{}); err != nil || status != 200 {
			t.Fatalf("release: %d, %v", status, err)
		}
	})
	s.open(t)
	check("submitted", func() {
		answer := map[string]any{"boundingBox": map[string]any{"boundingBoxes": []any{}, "inputImageProperties": map[string]int{"height": 240, "width": 320}}}
		if status, _, err := s.worker.Submit(s.assignment, answer); err != nil || status != 200 {
			t.Fatalf("submit: %d, %v", status, err)
		}
	})
	s.open(t)
	check("the worker is disabled", func() {
		pool := strings.TrimSpace(boot.Must(t)(s.AWS("cognito-idp", "list-user-pools", "--max-results", "1", "--query", "UserPools[0].Id", "--output", "text")))
		boot.Must(t)(s.AWS("cognito-idp", "admin-disable-user", "--user-pool-id", pool, "--username", ana.Email))
	})
}

func TestGrantExpires(t *testing.T) {
	t.Parallel()
	s := newScene(t, 30)
	if status, _ := get(t, "127.0.0.1", "GET", s.media, nil); status != 200 {
		t.Fatalf("before: status %d", status)
	}
	time.Sleep(31 * time.Second)
	status, body := get(t, "127.0.0.1", "GET", s.media, nil)
	if status != 403 {
		t.Errorf("after the lease: status %d, want 403: %s", status, body)
	}
}

// With --trusted-proxies the same header from that hop, and only from it, counts.
func TestTrustedProxySpeaksForTheWorker(t *testing.T) {
	t.Parallel()
	s := newScene(t, 600, "--trusted-proxies", "127.0.0.2")
	xff := map[string]string{"X-Forwarded-For": "127.0.0.1"}
	for _, c := range []struct {
		name, from string
		header     map[string]string
		want       int
	}{
		{"the worker", "127.0.0.1", nil, 200},
		{"the proxy for the worker", "127.0.0.2", xff, 200},
		{"the proxy for the worker, RFC 7239", "127.0.0.2", map[string]string{"Forwarded": "for=127.0.0.1"}, 200},
		{"the proxy itself", "127.0.0.2", nil, 403},
		{"the proxy for somebody else", "127.0.0.2", map[string]string{"X-Forwarded-For": "127.0.0.9"}, 403},
		{"somebody else who wrote the worker's address first", "127.0.0.2", map[string]string{"X-Forwarded-For": "127.0.0.1, 127.0.0.9"}, 403},
		{"the proxy with garbage", "127.0.0.2", map[string]string{"X-Forwarded-For": "127.0.0.1, x"}, 403},
		{"a stranger with the proxy's header", "127.0.0.3", xff, 403},
	} {
		if status, _ := get(t, c.from, "GET", s.media, c.header); status != c.want {
			t.Errorf("%s: status %d, want %d", c.name, status, c.want)
		}
	}
}

// Every grant and every look, allowed or denied, is on record.
func TestEveryLookIsOnRecord(t *testing.T) {
	t.Parallel()
	s := newScene(t, 600)
	get(t, "127.0.0.1", "GET", s.media, nil)
	get(t, "127.0.0.2", "GET", s.media, map[string]string{"X-Real-IP": "127.0.0.1"})
	files, _ := filepath.Glob(filepath.Join(s.DataDir, "audit", "*.jsonl"))
	var lines []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(string(b), "\n")...)
	}
	find := func(parts ...string) int {
		n := 0
	line:
		for _, l := range lines {
			for _, p := range parts {
				if !strings.Contains(l, p) {
					continue line
				}
			}
			n++
		}
		return n
	}
	object := `"resource":"arn:aws:s3:::input/boxes/`
	for name, n := range map[string]int{
		"grant":  find(`"kind":"grant"`, `"verdict":"allow"`, object, `"worker":"private.`, fmt.Sprintf(`"assignment":%q`, s.assignment), "127.0.0.1"),
		"look":   find(`"kind":"access"`, `"verdict":"allow"`, object, `"worker":"private.`, `"origin":"127.0.0.1"`, `"action":"s3:GetObject"`, fmt.Sprintf(`"assignment":%q`, s.assignment)),
		"denial": find(`"kind":"access"`, `"verdict":"deny"`, object, `"worker":"private.`, `"origin":"127.0.0.2"`, `"action":"s3:GetObject"`),
	} {
		if n == 0 {
			t.Errorf("no record of the %s", name)
		}
	}
	u, _ := url.Parse(s.media)
	for _, secret := range []string{u.Query().Get("X-Amz-Signature"), u.Query().Get("X-Amz-Security-Token")} {
		if secret == "" || find(secret) != 0 || strings.Contains(s.Log(), secret) {
			t.Errorf("a signature or token is in the record or the log")
		}
	}
}
