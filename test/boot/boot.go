// Package boot starts the real server for black-box tests, as a process of its
// own with its own data folder and loopback ports, the way a user starts it.
//
// The process is the fiducial command, built with the race detector if the test
// is; a test package calls Main from its TestMain to have it built.
package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Options change how the server is started.
type Options struct {
	Args []string // more flags for serve
	Env  []string // more variables
	Host string   // where it listens; default 127.0.0.1
	Data string   // the data folder; default one of the test's
}

// Root credentials of every server under test.
const (
	AccessKeyID     = "AKIAFIDUCIALTESTROOT"
	SecretAccessKey = "test-root-secret-access-key-0123456789abc"
	Region          = "us-east-1"
)

// Server is a running server.
type Server struct {
	API, Portal, Ops string // URLs
	DataDir          string

	t    testing.TB
	data string // for AWS_DATA_PATH
	args []string
	env  []string
	log  *logBuffer
	cmd  *exec.Cmd
	done chan error
}

// Start starts a server and waits until it is ready. It is stopped with the
// test; its log is printed if the test failed.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	host := o.Host
	if host == "" {
		host = "127.0.0.1"
	}
	s := &Server{t: t, data: dataPath(t), DataDir: o.Data, log: &logBuffer{}}
	if s.DataDir == "" {
		s.DataDir = filepath.Join(t.TempDir(), "data")
	}
	ports := FreePorts(t, host, 3)
	s.API, s.Portal, s.Ops = "http://"+ports[0], "http://"+ports[1], "http://"+ports[2]
	s.args = append([]string{"serve", "--data-dir", s.DataDir, "--api-addr", ports[0], "--portal-addr", ports[1], "--ops-addr", ports[2]}, o.Args...)
	for _, a := range o.Args {
		if strings.HasPrefix(a, "--tls-cert") {
			s.API, s.Portal = "https://"+ports[0], "https://"+ports[1]
		}
	}
	s.env = append([]string{"FIDUCIAL_ROOT_ACCESS_KEY_ID=" + AccessKeyID, "FIDUCIAL_ROOT_SECRET_ACCESS_KEY=" + SecretAccessKey}, o.Env...)
	s.Boot()
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("server log:\n%s", s.log.tail(20000))
		}
		if strings.Contains(s.log.String(), "WARNING: DATA RACE") {
			t.Errorf("the server has a data race:\n%s", s.log.tail(20000))
		}
	})
	return s
}

// Boot starts the process (again, after Stop or Kill) on the same data and ports.
func (s *Server) Boot() {
	s.t.Helper()
	s.cmd = Command(context.Background(), s.args...)
	s.cmd.Env = append(s.cmd.Env, s.env...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start the server: %v", err)
	}
	s.done = make(chan error, 1)
	cmd, done := s.cmd, s.done
	go func() { done <- cmd.Wait() }()
	deadline := time.Now().Add(60 * time.Second)
	for {
		res, err := http.Get(s.Ops + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-done:
			done <- err
			s.t.Fatalf("the server ended before it was ready: %v\n%s", err, s.log.tail(20000))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server is not ready after a minute:\n%s", s.log.tail(20000))
		}
	}
}

// PID is the server's process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Log is what the server has written so far.
func (s *Server) Log() string { return s.log.String() }

// Kill ends the process as kill -9 does.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
	s.done <- nil
}

// Stop ends the process with SIGTERM and waits. It is an error of the test if
// the process does not end by itself, or not with status 0.
func (s *Server) Stop() {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.done:
		s.done <- err
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() >= 0 {
			s.t.Errorf("the server ended with status %d:\n%s", exit.ExitCode(), s.log.tail(4000))
		}
	case <-time.After(40 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
		s.done <- nil
		s.t.Errorf("the server did not stop within 40 s of SIGTERM")
	}
}

// ClientEnv is the environment in which the AWS CLI and boto3 talk to this
// server as root, and to nobody else.
func (s *Server) ClientEnv() []string {
	env := []string{
		"AWS_ENDPOINT_URL=" + s.API, "AWS_ACCESS_KEY_ID=" + AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + SecretAccessKey,
		"AWS_DEFAULT_REGION=" + Region, "AWS_REGION=" + Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_CLI_AUTO_PROMPT=off", "PYTHONWARNINGS=ignore", "NO_PROXY=*", "no_proxy=*",
	}
	if s.data != "" {
		env = append(env, "AWS_DATA_PATH="+s.data)
	}
	for _, name := range []string{"PATH", "HOME", "PYENV_ROOT", "PYENV_VERSION", "LANG", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// AWS runs the AWS CLI as root and returns its standard output.
func (s *Server) AWS(args ...string) (string, error) { return s.AWSAs(nil, args...) }

// AWSAs runs the AWS CLI with more variables, which win over the default ones.
func (s *Server) AWSAs(env []string, args ...string) (string, error) {
	return s.run(awsCLI(), env, args...)
}

// Python runs a Python program with boto3 on standard input.
func (s *Server) Python(program string, args ...string) (string, error) {
	s.t.Helper()
	f := filepath.Join(s.t.TempDir(), "program.py")
	if err := os.WriteFile(f, []byte(program), 0o600); err != nil {
		return "", err
	}
	return s.run(python(), nil, append([]string{f}, args...)...)
}

// Python is a Python that has boto3: the interpreter itself, for what stands for it
// on the PATH may be a script that looks for it anew each time.
func Python() string { return python() }

var python = sync.OnceValue(func() string {
	for _, p := range []string{"python3", "/usr/bin/python3"} {
		if out, err := exec.Command(p, "-c", "import boto3, sys; print(sys.executable)").Output(); err == nil {
			return strings.TrimSpace(string(out))
		}
	}
	return "python3"
})

// awsCLI is the AWS CLI beside that Python, or else the one on the PATH.
var awsCLI = sync.OnceValue(func() string {
	if p := filepath.Join(filepath.Dir(python()), "aws"); filepath.IsAbs(p) {
		if _, err := exec.LookPath(p); err == nil {
			return p
		}
	}
	return "aws"
})

func (s *Server) run(name string, env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(s.ClientEnv(), env...)
	c.Dir = s.t.TempDir()
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, errOut.String())
	}
	return out.String(), nil
}

// Must fails the test on an error.
func Must(t testing.TB) func(out string, err error) string {
	return func(out string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// FreePorts finds n addresses whose ports nobody listens on. They are below those that the
// kernel gives to outgoing connections: a server that is started again needs its
// port again, and a client that dials it meanwhile could be given that very port
// and be connected to itself.
func FreePorts(t testing.TB, host string, n int) []string {
	t.Helper()
	addrs := make([]string, n)
	for i := range addrs {
		for try := 0; ; try++ {
			l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(firstPort+rand.IntN(lastPort-firstPort))))
			if err == nil {
				defer l.Close()
				addrs[i] = l.Addr().String()
				break
			}
			if try == 100 {
				t.Fatal(err)
			}
		}
	}
	return addrs
}

const (
	firstPort = 15000
	lastPort  = 32000
)

// logBuffer keeps what the server writes.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*logBuffer)(nil)

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) tail(n int) string {
	s := l.String()
	return s[max(0, len(s)-n):]
}
