package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// binary names the fiducial command that the tests run. make test builds it once
// for all of them; a package tested by itself builds its own.
const binary = "FIDUCIAL_TEST_COMMAND"

var built = sync.OnceValues(build)

// Main is a package's TestMain.
func Main(m *testing.M) {
	path, err := built()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if os.Getenv(binary) == "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// Command returns the fiducial command with the arguments, ready to run.
func Command(ctx context.Context, args ...string) *exec.Cmd {
	path, err := built()
	if err != nil {
		panic(err)
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Env = os.Environ()
	// A test binary that is killed must not leave a server behind.
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// build returns the path of the command, with the race detector in it if the
// test has it.
func build() (string, error) {
	if path := os.Getenv(binary); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", binary, err)
		}
		return path, nil
	}
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	dir, err := os.MkdirTemp("", "fiducial-command-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "fiducial")
	args := []string{"build", "-trimpath", "-o", path}
	if race {
		// As the Makefile builds it, so that what is compiled is shared.
		args = append(args, "-race", "-gcflags=modernc.org/...=-d=checkptr=0")
	}
	c := exec.Command("go", append(args, "./cmd/fiducial")...)
	c.Dir = filepath.Dir(strings.TrimSpace(string(mod)))
	if out, err := c.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("go build ./cmd/fiducial: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return path, nil
}
