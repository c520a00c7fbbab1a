package soak

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fiducial/test/boot"
)

// fault is something that fails for a while and is well again when do returns.
type fault struct {
	name string
	do   func(hold time.Duration)
}

// How a store is.
const (
	well int32 = iota
	refusing
	hanging
	cutting
)

// kept is a store that another Fiducial plays, behind a proxy that can fail.
type kept struct {
	store    *boot.Server
	settings string // file for --external-buckets
	env      []string
	how      atomic.Int32
}

func keep(t *testing.T) *kept {
	t.Helper()
	k := &kept{store: boot.Start(t, boot.Options{}), env: []string{"STORE_KEY=" + boot.AccessKeyID, "STORE_SECRET=" + boot.SecretAccessKey}}
	for _, b := range []string{"input", "output"} {
		boot.Must(t)(k.store.AWS("s3api", "create-bucket", "--bucket", b))
	}
	to, err := url.Parse(k.store.API)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		ErrorLog: nil,
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch k.how.Load() {
		case refusing:
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
		case hanging:
			for k.how.Load() == hanging && r.Context().Err() == nil {
				time.Sleep(20 * time.Millisecond)
			}
			panic(http.ErrAbortHandler)
		case cutting:
			// Done there, but the answer does not get through.
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	t.Cleanup(func() { k.how.Store(well) })
	k.settings = filepath.Join(t.TempDir(), "buckets.yaml")
	list := ""
	for _, name := range []string{"input", "output"} {
		list += fmt.Sprintf("- {bucket: %s, kind: s3, endpoint: %q, via: fiducial, timeout: 1s, attempts: 2, credentials: {access-key-env: STORE_KEY, secret-key-env: STORE_SECRET}}\n", name, front.URL)
	}
	if err := os.WriteFile(k.settings, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *kept) is(how int32) func(time.Duration) {
	return func(hold time.Duration) {
		k.how.Store(how)
		time.Sleep(2 * hold)
		k.how.Store(well)
	}
}

// function is a pre-annotation function that can hang.
type function struct {
	arn, settings string
	hung          atomic.Bool
}

func newFunction(t *testing.T) *function {
	t.Helper()
	f := &function{arn: "arn:aws:lambda:us-east-1:000000000000:function:soak-pre"}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct{ DataObject struct{ Source string } }
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for f.hung.Load() && r.Context().Err() == nil {
			time.Sleep(20 * time.Millisecond)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"taskInput": map[string]string{"taskObject": e.DataObject.Source}})
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { f.hung.Store(false) })
	f.settings = filepath.Join(t.TempDir(), "functions.yaml")
	text := fmt.Sprintf("- {arn: soak-pre, url: %q, timeout: 1s, attempts: 2, concurrency: 8}\n", s.URL)
	if err := os.WriteFile(f.settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *function) hangs(hold time.Duration) {
	f.hung.Store(true)
	time.Sleep(2 * hold)
	f.hung.Store(false)
}

// small is a folder on a file system of its own, and what fills it up to the
// last left bytes; that answers with what gives the space back. Where nothing
// can be mounted there is an ordinary folder and nothing to fill it.
func small(t *testing.T) (dir string, full func(left int) (give func())) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		fmt.Fprintf(os.Stderr, "SKIPPED: no full disk: a file system cannot be mounted (%v); root can\n", err)
		return dir, nil
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	return dir, func(left int) func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b, written := make([]byte, 64<<10), int64(0)
		for {
			n, err := f.Write(b)
			written += int64(n)
			if errors.Is(err, syscall.ENOSPC) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Truncate(max(0, written-int64(left))); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.Remove(ballast); err != nil {
				t.Error(err)
			}
		}
	}
}

// grants are the access key ids of media URLs.
func grantOf(media string) string {
	u, err := url.Parse(media)
	if err != nil {
		return ""
	}
	id, _, _ := strings.Cut(u.Query().Get("X-Amz-Credential"), "/")
	return id
}
