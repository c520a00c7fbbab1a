package api

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/internal/envelope"
	"fiducial/test/boot"
)

// limit is how long a server may take to refuse to start.
const limit = 20 * time.Second

// TestRootKeyLost pins that a server without its root key does not start, says
// which key it wants, and leaves everything as it was.
func TestRootKeyLost(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	key := user(t, s, "ann")
	s.Stop()
	path := filepath.Join(s.DataDir, "root-key")
	text, err := os.ReadFile(path)
	must(t, err)
	other := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	for name, tc := range map[string]struct {
		prepare func() error
		env     string
		want    []string
	}{
		"the file is gone":        {func() error { return os.Remove(path) }, "", []string{"is not there", "sealed under the root key local:", "none is made"}},
		"another key in the file": {func() error { return os.WriteFile(path, []byte(other), 0o600) }, "", []string{"sealed under the root key local:", "the one given is local:", "root-key-old"}},
		"others can read it":      {func() error { return os.WriteFile(path, text, 0o600) }, "", []string{"0600"}},
		"half a key":              {func() error { return os.WriteFile(path, text[:20], 0o600) }, "", []string{"32 bytes in base64"}},
		"another in the variable": {func() error { return os.WriteFile(path, text, 0o600) }, "FIDUCIAL_ROOT_KEY=" + other, []string{"the one given is local:"}},
		"no such variable":        {func() error { return nil }, "FIDUCIAL_ROOT_KEY=env:NOT_THERE", []string{"NOT_THERE"}},
		"nonsense":                {func() error { return nil }, "FIDUCIAL_ROOT_KEY=vault", []string{"expected file:PATH"}},
	} {
		must(t, tc.prepare())
		if name == "others can read it" {
			must(t, os.Chmod(path, 0o640))
		} else if _, err := os.Stat(path); err == nil {
			must(t, os.Chmod(path, 0o600))
		}
		out, err := start(s.DataDir, tc.env)
		if err == nil {
			t.Errorf("%s: it started", name)
		}
		for _, w := range tc.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: %q does not say %q", name, out, w)
			}
		}
		if strings.Contains(out, strings.TrimSpace(string(text))) || strings.Contains(out, other) {
			t.Errorf("%s: it told a key", name)
		}
		must(t, os.RemoveAll(path))
		must(t, os.WriteFile(path, text, 0o600))
	}
	s.Boot()
	who(t, s, key, true)
}

// TestRootKeyChanged pins the change to another root key: once with both, and then
// the old one opens nothing.
func TestRootKeyChanged(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	key := user(t, s, "ann")
	s.Stop()
	path := filepath.Join(s.DataDir, "root-key")
	fresh := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))
	to := boot.Start(t, boot.Options{Args: []string{"--data-dir", s.DataDir, "--root-key-old", "file:" + path}, Env: []string{"FIDUCIAL_ROOT_KEY=" + fresh}})
	who(t, to, key, true)
	to.Stop()
	if out, err := start(s.DataDir); err == nil || !strings.Contains(out, "the one given is local:") {
		t.Errorf("the old root key still opens: %s", out)
	}
	again := boot.Start(t, boot.Options{Args: []string{"--data-dir", s.DataDir}, Env: []string{"FIDUCIAL_ROOT_KEY=" + fresh}})
	who(t, again, key, true)
}

// TestSessionKeysTakenOver pins that an installation whose session keys are in a
// file goes on with them, sealed, and that the file is gone then.
func TestSessionKeysTakenOver(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	must(t, os.Mkdir(dir, 0o700))
	file := filepath.Join(dir, "session-keyset.json")
	keys, err := envelope.LoadOrCreate(file)
	must(t, err)
	open, err := os.ReadFile(file)
	must(t, err)
	s := boot.Start(t, boot.Options{Args: []string{"--data-dir", dir}})
	s.DataDir = dir
	key := user(t, s, "ann")
	s.Stop()
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the open file is still there: %v", err)
	}
	// Another file that turns up later is not taken, and not overlooked.
	_, err = envelope.LoadOrCreate(file)
	must(t, err)
	if out, err := start(dir); err == nil || !strings.Contains(out, "holds other session keys") {
		t.Errorf("it started: %s", out)
	}
	must(t, os.WriteFile(file, open, 0o600)) // the same again: taken, and gone
	s.Boot()
	who(t, s, key, true)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the open file is still there: %v", err)
	}
	s.Stop()
	raw, err := keys.Bytes()
	must(t, err)
	holds(t, dir, map[string]string{"the session keys": raw.Reveal()})
}

// holds fails if a file below dir has one of the secrets, as it is or in one of
// the forms in which bytes are written.
func holds(t *testing.T, dir string, secrets map[string]string) {
	t.Helper()
	files := 0
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for name, s := range secrets {
			if form := shows(b, s); form != "" {
				t.Errorf("%s shows %s (%s)", strings.TrimPrefix(path, dir), name, form)
			}
		}
		return err
	}))
	if files < 3 {
		t.Errorf("only %d files were looked at", files)
	}
}
