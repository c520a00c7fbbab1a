package storetest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Cluster is a PostgreSQL of one test's own, which may be killed.
type Cluster struct{ postgres }

// NewCluster starts one. It ends with the test.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{}
	t.Cleanup(c.stop)
	if err := c.start(); err != nil {
		t.Fatalf("postgres: %v", err)
	}
	return c
}

// URL is the URL of its one database.
func (c *Cluster) URL() string { return c.url }

// Kill ends the server and all of its processes as kill -9 does.
func (c *Cluster) Kill() error {
	all, err := c.backends()
	if err != nil {
		return err
	}
	_ = c.cmd.Process.Kill() // first, so that it starts no more
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = c.cmd.Wait()
	time.Sleep(300 * time.Millisecond) // they let go of their shared memory, without which it does not start
	return nil
}

// KillBackend ends one of the server's processes as kill -9 does. The server
// then ends all others and recovers by itself.
func (c *Cluster) KillBackend(pick func(n int) int) error {
	all, err := c.backends()
	if err != nil || len(all) == 0 {
		return err
	}
	_ = syscall.Kill(all[pick(len(all))], syscall.SIGKILL)
	return nil
}

// Start starts it again on what Kill left.
func (c *Cluster) Start() error { return c.launch() }

// backends are the processes that the server has started.
func (c *Cluster) backends() ([]int, error) {
	pid := strconv.Itoa(c.cmd.Process.Pid)
	b, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("postgres %s is not there: %w", pid, err)
	}
	var all []int
	for _, f := range strings.Fields(string(b)) {
		n, err := strconv.Atoi(f)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, err
}
