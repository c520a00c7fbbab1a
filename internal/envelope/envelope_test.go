package envelope

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fiducial/internal/fault"
)

func newKeyset(t testing.TB) *Keyset {
	t.Helper()
	k, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t testing.TB, k *Keyset, plain, purpose string) string {
	t.Helper()
	s, err := k.Seal([]byte(plain), purpose)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealOpens(t *testing.T) {
	k := newKeyset(t)
	for _, plain := range []string{"", "x", strings.Repeat("long ", 1000)} {
		s := seal(t, k, plain, "session")
		got, err := k.Open(s, "session")
		if err != nil || string(got) != plain {
			t.Errorf("opened %q, %v", got, err)
		}
		if strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%q needs escaping in a URL", s)
		}
	}
	first, second := seal(t, k, "same", "p"), seal(t, k, "same", "p")
	if first == second {
		t.Error("two seals of one text are equal: the nonce repeats")
	}
	if _, err := k.Seal(make([]byte, MaxSealed), "p"); !fault.Is(err, fault.Limit) {
		t.Errorf("sealed more than can be opened: %v", err)
	}
}

// TestOpenRefuses pins that no other text, purpose or key opens.
func TestOpenRefuses(t *testing.T) {
	k := newKeyset(t)
	s := seal(t, k, "secret", "session")
	raw, _ := base64.RawURLEncoding.DecodeString(s)
	otherVersion := append([]byte{version + 1}, raw[1:]...)
	cases := []struct{ name, sealed, purpose string }{
		{"another purpose", s, "access key"},
		{"no purpose", s, ""},
		{"empty", "", "session"},
		{"too short", s[:20], "session"},
		{"too long", strings.Repeat("A", MaxSealed+1), "session"},
		{"another version", base64.RawURLEncoding.EncodeToString(otherVersion), "session"},
		{"standard alphabet", "+" + s[1:], "session"},
		{"padding", s + "=", "session"},
		{"line end", s[:10] + "\n" + s[10:], "session"},
		{"cut", s[:len(s)-4], "session"},
		{"longer", s + "AAAA", "session"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got, err := k.Open(tc.sealed, tc.purpose); !errors.Is(err, ErrOpen) {
				t.Errorf("opened %q, %v", got, err)
			}
		})
	}
	for i := range raw {
		for bit := range 8 {
			forged := append([]byte(nil), raw...)
			forged[i] ^= 1 << bit
			if _, err := k.Open(base64.RawURLEncoding.EncodeToString(forged), "session"); err == nil {
				t.Fatalf("opens with bit %d of byte %d changed", bit, i)
			}
		}
	}
	// The last character has unused bits: none of its aliases may open.
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if alias := s[:len(s)-1] + string(c); alias != s {
			if _, err := k.Open(alias, "session"); err == nil {
				t.Errorf("%q opens as well", alias)
			}
		}
	}
	if _, err := newKeyset(t).Open(s, "session"); err == nil {
		t.Error("another keyset opens it")
	}
}

func TestKeysetFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyset.json")
	var wg sync.WaitGroup
	keysets := make([]*Keyset, 8)
	for i := range keysets {
		wg.Go(func() {
			k, err := LoadOrCreate(path)
			if err != nil {
				t.Error(err)
			}
			keysets[i] = k
		})
	}
	wg.Wait()
	s := seal(t, keysets[0], "x", "p")
	for i, k := range keysets {
		if _, err := k.Open(s, "p"); err != nil {
			t.Errorf("process %d has another keyset", i)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", keysets[0], keysets[0], keysets[0]), "value") {
		t.Error("the keyset prints")
	}
}

func TestKeysetFileRefused(t *testing.T) {
	cases := []struct {
		name string
		make func(path string) error
		want string
	}{
		{"readable by others", func(p string) error {
			_, err := LoadOrCreate(p)
			return errors.Join(err, os.Chmod(p, 0o640))
		}, "0600"},
		{"not a keyset", func(p string) error { return os.WriteFile(p, []byte("{}"), 0o600) }, "not a Tink keyset"},
		{"too large", func(p string) error { return os.WriteFile(p, make([]byte, maxKeysetFile+1), 0o600) }, "larger than"},
		{"a folder", func(p string) error { return os.Mkdir(p, 0o700) }, "regular file"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k")
			if err := tc.make(path); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadOrCreate(path); err == nil || !strings.Contains(fault.MessageOf(err), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	if _, err := LoadOrCreate(filepath.Join(t.TempDir(), "no", "such", "folder")); err == nil {
		t.Error("made a keyset in a folder that is not there")
	}
}

// TestSecretDoesNotShow pins every way a value commonly reaches an eye.
func TestSecretDoesNotShow(t *testing.T) {
	s := NewSecret("hunter2")
	type holder struct{ Key Secret }
	j, _ := json.Marshal(holder{s})
	x, _ := xml.Marshal(holder{s})
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", s, "holder", holder{s})
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %d", s, holder{s}, holder{s}, s, s, s, s) + string(j) + string(x) + log.String() + s.String()
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("shown in %s", shown)
	}
	if s.Reveal() != "hunter2" || s.Empty() || !(Secret{}).Empty() || !s.Equal(NewSecret("hunter2")) || s.Equal(NewSecret("hunter3")) {
		t.Error("the secret is lost")
	}
}

func FuzzOpen(f *testing.F) {
	k := newKeyset(f)
	good := seal(f, k, "secret", "session")
	for _, s := range []string{"", good, good[:len(good)-1], "AQ", strings.Repeat("_", 100), good + "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if plain, err := k.Open(s, "session"); err == nil && (s != good || string(plain) != "secret") {
			t.Fatalf("%q opens as %q", s, plain)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k := newKeyset(b)
	plain := make([]byte, 400)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Seal(plain, "session"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAppendBase64 compares with encoding/base64.
func TestAppendBase64(t *testing.T) {
	b := make([]byte, 300)
	for i := range b {
		b[i] = byte(i * 151)
	}
	for n := range len(b) {
		for from := range 4 {
			part := b[min(from, n):n]
			if got, want := string(appendBase64([]byte("x"), part)), "x"+base64.RawURLEncoding.EncodeToString(part); got != want {
				t.Fatalf("%x: %s, want %s", part, got, want)
			}
		}
	}
}
