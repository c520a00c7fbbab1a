package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server on the first core.
type process struct {
	cmd *exec.Cmd
	log bytes.Buffer
}

// start runs a program pinned to the first core.
func start(env []string, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command("taskset", append([]string{"-c", "0", name}, args...)...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.Env = append(os.Environ(), env...)
	return p, p.cmd.Start()
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}

// cpu is the time that the process and its children have had of a core.
func (p *process) cpu() (time.Duration, error) {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, id := range append(strings.Fields(string(children)), pid) {
		stat, err := os.ReadFile("/proc/" + id + "/stat")
		if err != nil {
			return 0, err
		}
		// After the program's name in parentheses: utime and stime are the 12th
		// and 13th, in ticks of which Linux shows 100 a second.
		f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, ticks := range f[11:13] {
			n, err := strconv.ParseInt(ticks, 10, 64)
			if err != nil {
				return 0, err
			}
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum, nil
}

// freePort returns an address that nobody listens on at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// await waits until somebody listens.
func await(ctx context.Context, addr string, p *process) error {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("%v does not listen on %s:\n%s", p.cmd.Args[3:], addr, p.log.String())
}

// certificate writes a certificate for 127.0.0.1 and its key, and returns a pool
// that trusts it.
func certificate(dir string) (*x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return nil, err
	}
	return pool, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600)
}

// serveBare is the bare Go server: it opens the file and calls ServeContent.
// args are the plain and the TLS address.
func serveBare(dir string, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("expected two addresses")
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Base(r.URL.Path)
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		st, err := f.Stat()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		http.ServeContent(w, r, name, st.ModTime(), f)
	})
	failed := make(chan error, 2)
	parent := filepath.Dir(dir)
	go func() { failed <- (&http.Server{Addr: args[0], Handler: h}).ListenAndServe() }()
	go func() {
		failed <- (&http.Server{Addr: args[1], Handler: h}).ListenAndServeTLS(filepath.Join(parent, "cert.pem"), filepath.Join(parent, "key.pem"))
	}()
	return <-failed
}

// startBare starts this program again as the bare Go server.
func (b *bench) startBare(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	plain, secure, err := twoPorts()
	if err != nil {
		return err
	}
	p, err := b.start(nil, self, "-bare", b.files(), plain, secure)
	if err != nil {
		return err
	}
	for _, size := range sizes {
		b.add("bare Go", size, false, p, "http://"+plain+"/"+size.name)
		b.add("bare Go", size, true, p, "https://"+secure+"/"+size.name)
	}
	return await(ctx, secure, p)
}

func twoPorts() (plain, secure string, err error) {
	if plain, err = freePort(); err == nil {
		secure, err = freePort()
	}
	return plain, secure, err
}

const nginxConfig = `
daemon off;
%s
pid %[2]s/nginx.pid;
error_log stderr;
worker_processes 1;
events { worker_connections 1024; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 100000000;
	default_type image/jpeg;
	client_body_temp_path %[2]s/nginx-1; proxy_temp_path %[2]s/nginx-2; fastcgi_temp_path %[2]s/nginx-3;
	uwsgi_temp_path %[2]s/nginx-4; scgi_temp_path %[2]s/nginx-5;
	server {
		listen %[3]s;
		listen %[4]s ssl;
		ssl_certificate %[2]s/cert.pem;
		ssl_certificate_key %[2]s/key.pem;
		ssl_protocols TLSv1.2 TLSv1.3;
		root %[2]s/files;
		location / {
			secure_link $arg_md5,$arg_expires;
			secure_link_md5 "$secure_link_expires$uri$remote_addr bench-secret";
			if ($secure_link = "") { return 403; }
			if ($secure_link = "0") { return 410; }
		}
	}
}
`

func (b *bench) startNginx(ctx context.Context) error {
	plain, secure, err := twoPorts()
	if err != nil {
		return err
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // the files are in a folder of root's
	}
	config := filepath.Join(b.dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, user, b.dir, plain, secure), 0o600); err != nil {
		return err
	}
	p, err := b.start(nil, "nginx", "-c", config, "-p", b.dir)
	if err != nil {
		return err
	}
	expires := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	for _, size := range sizes {
		sum := md5.Sum([]byte(expires + "/" + size.name + "127.0.0.1 bench-secret"))
		query := "/" + size.name + "?md5=" + base64.RawURLEncoding.EncodeToString(sum[:]) + "&expires=" + expires
		b.add("nginx secure_link", size, false, p, "http://"+plain+query)
		b.add("nginx secure_link", size, true, p, "https://"+secure+query)
	}
	return await(ctx, secure, p)
}

// check makes sure that a URL answers with the whole file here and, if it is
// bound, not at all to another address.
func (b *bench) check(ctx context.Context, t *target) error {
	get := func(from string) (int, int64, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
			DialContext: d.DialContext, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: b.pool},
		}}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.urls[0], nil)
		if err != nil {
			return 0, 0, err
		}
		res, err := c.Do(r)
		if err != nil {
			return 0, 0, err
		}
		defer res.Body.Close()
		var body bytes.Buffer
		n, err := body.ReadFrom(res.Body)
		if res.StatusCode >= 400 {
			fmt.Fprintf(&t.refusal, "%d %s", res.StatusCode, body.String())
		}
		return res.StatusCode, n, err
	}
	status, n, err := get("127.0.0.1")
	if err != nil || status != http.StatusOK || n != int64(t.size.bytes) {
		return fmt.Errorf("%s: %d with %d bytes, %v\n%s\n%s", t.name, status, n, err, t.refusal.String(), t.server.log.String())
	}
	if t.name == "bare Go" {
		return nil
	}
	if status, _, err = get("127.0.0.2"); err != nil || status != http.StatusForbidden {
		return fmt.Errorf("%s is not bound to the address: %d to 127.0.0.2, %v", t.name, status, err)
	}
	return nil
}
