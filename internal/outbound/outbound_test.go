package outbound_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/outbound"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

// sender fails as it is told.
type sender struct {
	mu   sync.Mutex
	err  error
	sent []outbound.Delivery
}

func (s *sender) Send(_ context.Context, d outbound.Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.sent = append(s.sent, d)
	}
	return s.err
}

func service(db *store.DB, c *clock, s outbound.Sender, outcomes *[]string) *outbound.Service {
	return outbound.New(outbound.Options{Store: store.NewOutbound(db, nil), Senders: map[string]outbound.Sender{outbound.HTTP: s}, Now: c.now, Tries: 4,
		Watch: func(kind, outcome string) { *outcomes = append(*outcomes, outcome) }, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

// A delivery is tried with growing pauses until somebody takes it; one that nobody
// takes is given up and seen.
func TestRetries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
		s, outcomes := &sender{err: errors.New("away")}, []string(nil)
		o := service(db, c, s, &outcomes)
		d := outbound.Delivery{ID: "1", Kind: outbound.HTTP, Origin: "webhook x", Target: "http://host/", Header: map[string]string{"A": "b"}, Body: []byte(`{"a":1}`), CreatedAt: c.now()}
		pass := func(want int) {
			t.Helper()
			if n, err := o.Pass(ctx); err != nil || n != want {
				t.Fatalf("%d were tried, want %d; %v", n, want, err)
			}
		}
		for range 2 { // the same promise twice is one
			if err := o.Add(ctx, d); err != nil {
				t.Fatal(err)
			}
		}
		pass(1)
		pass(0)
		c.add(1250 * time.Millisecond) // a second, and up to a quarter more
		pass(1)
		c.add(1250 * time.Millisecond)
		pass(0) // two seconds now
		c.add(1250 * time.Millisecond)
		s.err = nil
		pass(1)
		if len(s.sent) != 1 || s.sent[0].ID != "1" || string(s.sent[0].Body) != `{"a":1}` || s.sent[0].Header["A"] != "b" || s.sent[0].Attempts != 2 {
			t.Errorf("sent %+v", s.sent)
		}
		c.add(24 * time.Hour)
		pass(0)

		s.err = errors.New("away")
		d.ID, d.CreatedAt = "2", c.now()
		if err := o.Add(ctx, d); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			pass(1)
			c.add(2 * time.Hour)
		}
		pass(0)
		if waiting, dead, err := store.NewOutbound(db, nil).Standing(ctx); err != nil || waiting != 0 || dead != 1 {
			t.Errorf("%d wait, %d are dead; %v", waiting, dead, err)
		}
		if want := "failed failed sent failed failed failed dead"; strings.Join(outcomes, " ") != want {
			t.Errorf("outcomes %v, want %s", outcomes, want)
		}
		// What is of no use to try again is given up at once; what a process had
		// claimed when it died is tried by the next.
		s.err = fault.Newf("test", fault.Denied, "no")
		d.ID, d.CreatedAt = "3", c.now()
		if err := o.Add(ctx, d); err != nil {
			t.Fatal(err)
		}
		if _, err := store.NewOutbound(db, nil).Claim(ctx, c.now(), c.now().Add(time.Minute), 10); err != nil {
			t.Fatal(err)
		}
		pass(0)
		c.add(time.Minute)
		pass(1)
		pass(0)
		if _, dead, _ := store.NewOutbound(db, nil).Standing(ctx); dead != 2 {
			t.Errorf("%d are dead, want 2", dead)
		}
		c.add(15 * 24 * time.Hour)
		d.ID, d.CreatedAt = "4", c.now()
		if err := o.Add(ctx, d); err != nil {
			t.Fatal(err)
		}
		pass(1)
		if _, dead, _ := store.NewOutbound(db, nil).Standing(ctx); dead != 1 {
			t.Errorf("%d are dead after two weeks, want the last alone", dead)
		}
	})
}

// Requests go to hosts that are allowed and to no others, whatever the URL is made
// to look like.
func TestHosts(t *testing.T) {
	h := outbound.Hosts{"hooks.example.com", "ports.example.com:8443", "*.wild.example", "127.0.0.1", "[::1]:80"}
	for _, u := range []string{"https://hooks.example.com/x", "http://HOOKS.example.com.:99/x?y=z", "https://ports.example.com:8443/", "http://a.b.wild.example/", "http://127.0.0.1:1/", "http://[::1]/"} {
		if err := h.Check(u); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	for u, kind := range map[string]fault.Kind{
		"https://ports.example.com/": fault.Denied, "http://wild.example/": fault.Denied, "http://evil.example/": fault.Denied, "http://hooks.example.com.evil.example/": fault.Denied,
		"http://evilhooks.example.com/": fault.Denied, "http://169.254.169.254/latest/meta-data": fault.Denied, "http://localhost/": fault.Denied, "http://[::1]:81/": fault.Denied,
		"http://2130706433/": fault.Denied, "http://[::ffff:127.0.0.1]/": fault.Denied, "http://notwild.example/": fault.Denied,
		"http://hooks.example.com@evil.example/": fault.Invalid, "file:///etc/passwd": fault.Invalid, "gopher://127.0.0.1/": fault.Invalid, "http:127.0.0.1": fault.Invalid,
		"http://": fault.Invalid, "": fault.Invalid, "http://127.0.0.1/#x": fault.Invalid, "http://127.0.0.1:x/": fault.Invalid, "//127.0.0.1/": fault.Invalid,
	} {
		if err := h.Check(u); !fault.Is(err, kind) {
			t.Errorf("%s: %v, want %v", u, err, kind)
		}
	}
	if err := (outbound.Hosts)(nil).Check("http://127.0.0.1/"); !fault.Is(err, fault.Denied) {
		t.Errorf("without a setting: %v", err)
	}
}

// A redirect is not followed, and an answer that is no 2xx is none.
func TestWebFollowsNoRedirect(t *testing.T) {
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer other.Close()
	var got http.Header
	var body []byte
	status := http.StatusTemporaryRedirect
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Location", other.URL)
		w.WriteHeader(status)
	}))
	defer s.Close()
	now := time.Unix(1_800_000_000, 0)
	w := outbound.NewWeb(outbound.Web{Hosts: outbound.Hosts{"127.0.0.1"}, Now: func() time.Time { return now }, Secret: func(origin string) []byte {
		if origin == "webhook x" {
			return []byte("secret")
		}
		return nil
	}})
	d := outbound.Delivery{Kind: outbound.HTTP, Origin: "webhook x", Target: s.URL + "/a", Header: map[string]string{"Content-Type": "a/b"}, Body: []byte("body")}
	if err := w.Send(context.Background(), d); !fault.Is(err, fault.Unavailable) || followed {
		t.Errorf("%v, followed: %v", err, followed)
	}
	status = 204
	if err := w.Send(context.Background(), d); err != nil || !bytes.Equal(body, d.Body) || got.Get("Content-Type") != "a/b" {
		t.Errorf("%v, %v", err, got)
	}
	if !outbound.Verify([]byte("secret"), got.Get(outbound.SignatureHeader), body, now, time.Minute) {
		t.Errorf("the signature is %q", got.Get(outbound.SignatureHeader))
	}
	d.Origin = "arn:aws:sns:us-east-1:000000000000:t:1"
	if err := w.Send(context.Background(), d); err != nil || got.Get(outbound.SignatureHeader) != "" {
		t.Errorf("%v, a signature without a secret: %v", err, got)
	}
}

func TestVerify(t *testing.T) {
	secret, body, now := []byte("secret"), []byte("body"), time.Unix(1_800_000_000, 0)
	good := outbound.Sign(secret, now, body)
	for name, c := range map[string]struct {
		secret, body, signature string
		at                      time.Time
		want                    bool
	}{
		"right":           {"secret", "body", good, now.Add(4 * time.Minute), true},
		"old":             {"secret", "body", good, now.Add(6 * time.Minute), false},
		"from the future": {"secret", "body", good, now.Add(-6 * time.Minute), false},
		"other body":      {"secret", "bodY", good, now, false},
		"other secret":    {"secreT", "body", good, now, false},
		"moved dot":       {"secret", "0.body", strings.Replace(good, "t=18", "t=1", 1), now, false},
		"empty":           {"secret", "body", "", now, false},
		"no time":         {"secret", "body", good[strings.Index(good, "v1="):], now, false},
		"cut":             {"secret", "body", good[:len(good)-2], now, false},
	} {
		if got := outbound.Verify([]byte(c.secret), c.signature, []byte(c.body), c.at, 5*time.Minute); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
