// Package storetest gives tests a fresh database of each kind.
//
// PostgreSQL: the URL in FIDUCIAL_TEST_POSTGRES if it is set; otherwise a
// cluster of Debian's postgresql packages is started on a free loopback port in
// a temporary folder and ended with the test binary's last test that uses it.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fiducial/internal/store"
)

// Each runs body on a fresh SQLite file and on a fresh PostgreSQL database.
func Each(t *testing.T, body func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { body(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { body(t, Postgres(t)) })
}

// SQLite returns a fresh SQLite database that ends with the test.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	empty, err := migrated()
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	path := filepath.Join(t.TempDir(), "fiducial.db")
	if err := os.WriteFile(path, empty, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, "sqlite:"+path)
}

// migrated is the file of a database that has been migrated and holds nothing:
// to migrate one takes a second where races are looked for, and there are
// hundreds.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fiducial-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "fiducial.db")
	db, err := store.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Postgres returns a fresh PostgreSQL database that ends with the test.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	server := postgresServer(t)
	how := ""
	if os.Getenv("FIDUCIAL_TEST_POSTGRES") == "" { // somebody's own server is left as it was
		template, err := cluster.migrated()
		if err != nil {
			t.Fatalf("postgres: %v", err)
		}
		how = " template " + template
	}
	return open(t, freshDatabase(t, server, how))
}

func open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}

// PostgresURL returns the URL of a fresh, empty PostgreSQL database, for tests
// that open it more than once (replicas). It is dropped when the test ends.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return freshDatabase(t, postgresServer(t), "")
}

func postgresServer(t testing.TB) string {
	t.Helper()
	if server := os.Getenv("FIDUCIAL_TEST_POSTGRES"); server != "" {
		return server
	}
	return cluster.use(t)
}

// freshDatabase makes a database, as the rest of the statement says, that is
// dropped when the test ends.
func freshDatabase(t testing.TB, server, how string) string {
	t.Helper()
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatalf("postgres: %v", err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	name := "fiducial_" + random()
	if _, err := admin.Exec("create database " + name + how); err != nil {
		t.Fatalf("postgres: %v", err)
	}
	t.Cleanup(func() { _, _ = admin.Exec("drop database if exists " + name + " with (force)") })
	url, err := databaseURL(server, name)
	if err != nil {
		t.Fatalf("postgres: %v", err)
	}
	return url
}

func databaseURL(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

func random() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// cluster is this test binary's PostgreSQL, shared by its tests.
var cluster postgres

type postgres struct {
	mu    sync.Mutex
	users int
	dir   string
	url   string
	cmd   *exec.Cmd
	empty string // a database that has been migrated and holds nothing

	command func() *exec.Cmd
}

// use starts the cluster for its first user and stops it after its last.
func (p *postgres) use(t testing.TB) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users == 0 {
		if err := p.start(); err != nil {
			p.stop()
			t.Fatalf("postgres: %v (install Debian's postgresql, or set FIDUCIAL_TEST_POSTGRES)", err)
		}
	}
	p.users++
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.users--; p.users == 0 {
			p.stop()
		}
	})
	return p.url
}

func (p *postgres) start() error {
	bin, err := binaries()
	if err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp("", "fiducial-postgres-"); err != nil {
		return err
	}
	attr, err := owner(p.dir)
	if err != nil {
		return err
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "fiducial", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	initdb.Dir, initdb.SysProcAttr = p.dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	p.command = func() *exec.Cmd {
		c := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-k", p.dir,
			"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200")
		c.Dir, c.SysProcAttr = p.dir, attr
		return c
	}
	p.url = "postgres://fiducial@127.0.0.1:" + port + "/postgres?sslmode=disable"
	return p.launch()
}

// launch starts the server on what is in its folder.
func (p *postgres) launch() error {
	p.cmd = p.command()
	if err := p.cmd.Start(); err != nil {
		return err
	}
	return p.await()
}

func (p *postgres) await() error {
	db, err := sql.Open("pgx", p.url)
	if err != nil {
		return err
	}
	defer db.Close()
	for range 300 {
		if err = db.Ping(); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

func (p *postgres) stop() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(syscall.SIGINT) // "fast shutdown"
		_ = p.cmd.Wait()
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
	p.cmd, p.dir, p.url, p.empty = nil, "", "", ""
}

// migrated names a database that has been migrated and holds nothing: to copy it
// takes a third of the time that migrating another does.
func (p *postgres) migrated() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.empty != "" {
		return p.empty, nil
	}
	admin, err := sql.Open("pgx", p.url)
	if err != nil {
		return "", err
	}
	defer admin.Close()
	name := "fiducial_" + random()
	if _, err := admin.Exec("create database " + name); err != nil {
		return "", err
	}
	url, err := databaseURL(p.url, name)
	if err != nil {
		return "", err
	}
	db, err := store.Open(context.Background(), url)
	if err != nil {
		return "", err
	}
	if err := db.Close(); err != nil { // what is in use cannot be copied
		return "", err
	}
	p.empty = name
	return name, nil
}

// binaries finds the newest PostgreSQL server that Debian installed.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		if p, err := exec.LookPath("initdb"); err == nil {
			return filepath.Dir(p), nil
		}
		return "", fmt.Errorf("no PostgreSQL server is installed")
	}
	sort.Slice(found, func(i, j int) bool {
		return len(found[i]) < len(found[j]) || len(found[i]) == len(found[j]) && found[i] < found[j]
	})
	return filepath.Dir(found[len(found)-1]), nil
}

// owner makes dir usable by an account that PostgreSQL agrees to run as: it
// refuses root, so a test that runs as root uses Debian's postgres account.
func owner(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	out, err := exec.Command("id", "-u", "postgres").Output()
	if err != nil {
		return nil, fmt.Errorf("running as root needs an account named postgres: %w", err)
	}
	var uid int
	if _, err := fmt.Sscan(strings.TrimSpace(string(out)), &uid); err != nil {
		return nil, err
	}
	out, err = exec.Command("id", "-g", "postgres").Output()
	if err != nil {
		return nil, err
	}
	var gid int
	if _, err := fmt.Sscan(strings.TrimSpace(string(out)), &gid); err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
