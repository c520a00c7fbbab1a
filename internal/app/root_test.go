package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fiducial/internal/config"
	"fiducial/internal/fault"
)

func TestRootKeyIsMadeOnce(t *testing.T) {
	s := &config.Settings{DataDir: t.TempDir()}
	id, secret, err := rootKey(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(id) != 20 || !strings.HasPrefix(id, "AKIA") || len(secret) != 40 {
		t.Errorf("made %q and a secret of %d characters", id, len(secret))
	}
	again, secretAgain, err := rootKey(s)
	if err != nil || again != id || secretAgain != secret {
		t.Errorf("second start: %q, %v; want the same key", again, err)
	}
	st, err := os.Stat(filepath.Join(s.DataDir, rootFile))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", st.Mode(), err)
	}
}

func TestConfiguredRootKeyWins(t *testing.T) {
	s := &config.Settings{DataDir: t.TempDir(), RootAccessKeyID: "AKIAX", RootSecretKey: "0123456789abcdef"}
	id, secret, err := rootKey(s)
	if err != nil || id != "AKIAX" || secret.Reveal() != "0123456789abcdef" {
		t.Errorf("got %q, %v", id, err)
	}
	if _, err := os.Stat(filepath.Join(s.DataDir, rootFile)); err == nil {
		t.Error("a key was written although one is configured")
	}
}

// A damaged file is an error, not a reason to make a key that nobody knows.
func TestDamagedRootFileIsRefused(t *testing.T) {
	s := &config.Settings{DataDir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.DataDir, rootFile), []byte("[default]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := rootKey(s); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want Invalid", err)
	}
}
