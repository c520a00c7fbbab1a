package httpfn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/functions"
	"fiducial/internal/functions/httpfn"
	"fiducial/internal/labeling/engine"
)

func run(t *testing.T, url string, timeout time.Duration) (string, error) {
	t.Helper()
	list := functions.Settings{{ARN: "*", URL: url}}
	if err := list.Check(); err != nil {
		t.Fatal(err)
	}
	r, err := httpfn.New(list[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	got, err := r.Run(ctx, functions.Request{ARN: "arn:f", Event: []byte(`{"a":1}`)})
	return string(got), err
}

// The answers are those that the emulator gives.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		body    string
		header  string // X-Amz-Function-Error
		want    string // the answer
		own     string // the function's error
		kind    fault.Kind
		message string
	}{
		{"answer", 200, `{"taskInput":{}}`, "", `{"taskInput":{}}`, "", 0, ""},
		{"handled error", 200, `{"errorMessage":"'x'","errorType":"KeyError","stackTrace":[]}`, "", "", "KeyError: 'x'", 0, ""},
		{"error with a header", 200, `oops`, "Unhandled", "", "Unhandled: oops", 0, ""},
		{"crash", 502, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited"}`, "", "", "Runtime.ExitError: RequestId: 1 Error: Runtime exited", 0, ""},
		{"time-out of the emulator", 200, `Task timed out after 3.00 seconds`, "", `Task timed out after 3.00 seconds`, "", 0, ""},
		{"time-out of a gateway", 504, ``, "", "", "Timeout: the function's server answers 504 Gateway Timeout", 0, ""},
		{"server error", 500, `panic`, "", "", "HTTPStatus: the function's server answers 500 Internal Server Error: panic", 0, ""},
		{"busy emulator", 400, ``, "", "", "", fault.Unavailable, "busy"},
		{"bad request", 400, `no`, "", "", "HTTPStatus: the function's server answers 400 Bad Request: no", 0, ""},
		{"throttled", 429, `slow down`, "", "", "", fault.Unavailable, "busy"},
		{"away", 503, ``, "", "", "", fault.Unavailable, "busy"},
		{"no such path", 404, `<html>`, "", "", "", fault.NotFound, "There is no function at the URL"},
		{"forbidden", 403, ``, "", "", "", fault.Denied, "refuses"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				if r.Method != "POST" || r.URL.Path != httpfn.Path || string(b) != `{"a":1}` || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("%s %s %s", r.Method, r.URL, b)
				}
				if c.header != "" {
					w.Header().Set("X-Amz-Function-Error", c.header)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer s.Close()
			got, err := run(t, s.URL, time.Minute)
			var own *engine.FunctionError
			switch {
			case c.own != "":
				if !errors.As(err, &own) || own.Error() != c.own {
					t.Errorf("got %v, want %s", err, c.own)
				}
			case c.kind != 0:
				if !fault.Is(err, c.kind) || !strings.Contains(fault.MessageOf(err), c.message) {
					t.Errorf("got %v, want %v", err, c.kind)
				}
			case got != c.want || err != nil:
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func TestAttacks(t *testing.T) {
	elsewhere := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	defer other.Close()
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("x", 1<<16))
		for range 1600 { // 100 MiB
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/hangs", func(_ http.ResponseWriter, r *http.Request) { <-release })
	mux.HandleFunc("/trickles", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"taskInput":`)
		w.(http.Flusher).Flush()
		<-release
	})
	mux.HandleFunc("/redirects", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{}`)
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	letGo := sync.OnceFunc(func() { close(release) })
	defer letGo()
	for _, c := range []struct {
		path string
		want string
	}{
		{"/long", "Function.ResponseSizeTooLarge"},
		{"/hangs", "cannot be reached"}, // the service above makes a time-out of it
		{"/trickles", "cannot be reached"},
		{"/redirects", "307 Temporary Redirect"},
		{"/cut", "cannot be reached"},
	} {
		timeout := 30 * time.Second
		if c.path == "/hangs" || c.path == "/trickles" {
			timeout = 200 * time.Millisecond
		}
		if got, err := run(t, s.URL+c.path, timeout); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %.100s, %v, want %s", c.path, got, err, c.want)
		}
	}
	if elsewhere {
		t.Error("an event was sent to another server than the configuration names")
	}
	letGo()
	s.Close()
	if _, err := run(t, s.URL, time.Second); !fault.Is(err, fault.Unavailable) || strings.Contains(fault.MessageOf(err), "http://") {
		t.Errorf("a server that is away: %v", err)
	}
}
