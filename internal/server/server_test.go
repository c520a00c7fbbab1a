package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/origin"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func listen(t *testing.T, o Options) *Listener {
	t.Helper()
	o.Name, o.Addr, o.Logger, o.Now = "test", "127.0.0.1:0", quiet(), time.Now
	if o.Recorder == nil {
		o.Recorder = audit.Discard{}
	}
	if o.Resolver == nil {
		o.Resolver = &origin.Resolver{}
	}
	l, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Every handler finds the origin of the connection, whatever headers say.
func TestOriginIsEstablishedBeforeHandlers(t *testing.T) {
	l := listen(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, origin.From(r.Context()).String())
	})})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, time.Second, l) }()
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext}}
	req, _ := http.NewRequest("GET", "http://"+l.Addr(), nil)
	req.Header.Set("X-Forwarded-For", "127.0.0.1")
	req.Header.Set("X-Real-IP", "127.0.0.1")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if string(b) != "127.0.0.2" {
		t.Errorf("origin %q, want 127.0.0.2", b)
	}
	client.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// A request in flight when the stop comes is finished.
func TestServeFinishesRequestsInFlight(t *testing.T) {
	entered := make(chan struct{})
	release := make(chan struct{})
	l := listen(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "whole")
	})})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, 10*time.Second, l) }()
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + l.Addr())
		if err != nil {
			got <- err.Error()
			return
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		got <- string(b)
	}()
	<-entered
	cancel()
	time.Sleep(50 * time.Millisecond)
	close(release)
	if s := <-got; s != "whole" {
		t.Errorf("got %q", s)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func writePair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	kder, _ := x509.MarshalPKCS8PrivateKey(k)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: kder}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func served(t *testing.T, addr string) string {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestCertificateIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, "first")
	now := time.Now()
	cfg, err := FilesTLS(cert, key, func() time.Time { return now }, quiet())
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, Options{TLS: cfg, Handler: http.NotFoundHandler()})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, time.Second, l) }()
	if got := served(t, l.Addr()); got != "first" {
		t.Errorf("served %q", got)
	}
	change := func(do func()) {
		do()
		later := time.Now().Add(time.Duration(now.Nanosecond()%1000+1) * time.Minute)
		_ = os.Chtimes(cert, later, later)
		now = now.Add(recheck + time.Second)
	}
	change(func() { writePair(t, dir, "second") })
	if got := served(t, l.Addr()); got != "second" {
		t.Errorf("served %q, want the new certificate", got)
	}
	change(func() { _ = os.WriteFile(cert, []byte("half writ"), 0o600) })
	if got := served(t, l.Addr()); got != "second" {
		t.Errorf("served %q, want the last good certificate", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFilesTLSRefusesAMissingFile(t *testing.T) {
	if _, err := FilesTLS("/nowhere/cert.pem", "/nowhere/key.pem", time.Now, quiet()); err == nil {
		t.Error("no error")
	}
}
