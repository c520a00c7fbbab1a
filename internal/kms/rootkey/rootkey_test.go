package rootkey

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/kms"
)

var key = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))

func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// wraps checks what every root key must do.
func wraps(t *testing.T, r kms.Root) {
	t.Helper()
	ctx := context.Background()
	plain := envelope.NewSecret("a keyset\x00of any bytes")
	a, err := r.Wrap(ctx, plain, "keyset a")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(a, []byte(plain.Reveal())) {
		t.Error("wrapped is what it was")
	}
	if got, err := r.Unwrap(ctx, a, "keyset a"); err != nil || !got.Equal(plain) {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
	for name, try := range map[string]func() (envelope.Secret, error){
		"for another purpose": func() (envelope.Secret, error) { return r.Unwrap(ctx, a, "keyset b") },
		"cut":                 func() (envelope.Secret, error) { return r.Unwrap(ctx, a[:len(a)-1], "keyset a") },
		"empty":               func() (envelope.Secret, error) { return r.Unwrap(ctx, nil, "keyset a") },
		"changed": func() (envelope.Secret, error) {
			b := bytes.Clone(a)
			b[len(b)-2] ^= 1
			return r.Unwrap(ctx, b, "keyset a")
		},
	} {
		if got, err := try(); err == nil || !got.Empty() {
			t.Errorf("%s: opened as %q", name, got.Reveal())
		}
	}
}

// TestLocal pins that a key is the same root key wherever it comes from.
func TestLocal(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "root-key")
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var first kms.Root
	for _, source := range []Source{Source(key), "env:MY_KEY", Source("file:" + path)} {
		r, err := Open(ctx, source, Options{Lookup: environment("MY_KEY", key)})
		if err != nil {
			t.Fatal(err)
		}
		wraps(t, r)
		if first == nil {
			first = r
		}
		sealed, _ := first.Wrap(ctx, envelope.NewSecret("x"), "p")
		if got, err := r.Unwrap(ctx, sealed, "p"); r.ID() != first.ID() || err != nil || got.Reveal() != "x" {
			t.Errorf("%s is another key: %s %v", source[:4], r.ID(), err)
		}
		if s := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(s, key) || strings.Contains(s, "1, 1, 1, 1") || strings.Contains(s, "0x1, 0x1, 0x1") {
			t.Error("the key prints")
		}
	}
	if strings.Contains(first.ID(), key[:6]) {
		t.Error("the id tells the key")
	}
}

func TestFileMade(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "root-key")
	_, err := Open(ctx, Source("file:"+path), Options{Sealed: "local:abc"})
	if err == nil || !strings.Contains(fault.MessageOf(err), "local:abc") {
		t.Errorf("a key was made although data are sealed: %v", err)
	}
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			r, err := Open(ctx, Source("file:"+path), Options{MayCreate: true})
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = r.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("several keys: %v", ids)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, Source("file:"+path), Options{}); (err == nil) != want {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
}

func TestRefusedSources(t *testing.T) {
	env := environment("SHORT", "c2hvcnQ=", "EMPTY", "", "VAULT_TOKEN", "t")
	for source, want := range map[Source]string{
		"":                     "32 bytes",
		"nonsense!":            "expected file:PATH",
		"http://x":             "expected file:PATH",
		"c2hvcnQ=":             "32 bytes",
		"env:SHORT":            "32 bytes",
		"env:EMPTY":            "EMPTY",
		"env:NONE":             "NONE",
		"file:/nowhere/at/all": "is not there",
		"aws-kms:alias/x":      "the ARN of a key",
		"aws-kms:arn:aws:kms:us-east-1:111122223333:alias/x":                          "not an alias",
		"aws-kms:arn:aws:kms:us-east-1:111122223333:key/x?endpoint=ftp://x":           "https://host",
		"aws-kms:arn:aws:kms:us-east-1:111122223333:key/x?region=x":                   "nothing but endpoint",
		"aws-kms:arn:aws:kms:us-east-1:111122223333:key/x?endpoint=http://u:p@host/x": "without user and password",
		"vault:https://host":                "URL#MOUNT/KEY",
		"vault:https://host#transit":        "URL#MOUNT/KEY",
		"vault:https://host#transit/../key": "",
		"vault:ftp://host#transit/key":      "https://host",
		"vault:https://u:p@host#a/b":        "without user and password",
	} {
		_, err := Open(context.Background(), source, Options{Lookup: env})
		if want == "" {
			continue
		}
		if err == nil || !strings.Contains(fault.MessageOf(err), want) {
			t.Errorf("%q: %v, want %q", source, err, want)
		}
	}
	if _, err := Open(context.Background(), "vault:https://host#transit/key", Options{Lookup: environment()}); err == nil || !strings.Contains(fault.MessageOf(err), "VAULT_TOKEN") {
		t.Error(err)
	}
}

// transit is a Transit engine as far as its documentation describes encrypt and
// decrypt: base64 in and out, associated data authenticated, ciphertexts that name
// their version. Keysets stand for its keys.
func transit(t *testing.T, broken *string) *httptest.Server {
	keys, err := envelope.NewWrapping()
	if err != nil {
		t.Fatal(err)
	}
	answer := func(w http.ResponseWriter, status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	h := http.NewServeMux()
	do := func(operation func(in map[string]string) (map[string]string, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var in map[string]string
			switch {
			case *broken == "redirect":
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			case *broken == "html":
				_, _ = w.Write([]byte("<html>"))
			case *broken == "sealed":
				answer(w, 503, map[string]any{"errors": []string{"Vault is sealed"}})
			case r.Header.Get("X-Vault-Token") != "s.token" || r.Header.Get("X-Vault-Namespace") != "team":
				answer(w, 403, map[string]any{"errors": []string{"permission denied"}})
			case json.NewDecoder(r.Body).Decode(&in) != nil:
				answer(w, 400, map[string]any{"errors": []string{"bad JSON"}})
			default:
				out, err := operation(in)
				if err != nil {
					answer(w, 400, map[string]any{"errors": []string{err.Error()}})
					return
				}
				answer(w, 200, map[string]any{"data": out})
			}
		}
	}
	decode := func(s string) []byte { b, _ := base64.StdEncoding.DecodeString(s); return b }
	h.HandleFunc("POST /v1/secrets/transit/encrypt/fiducial", do(func(in map[string]string) (map[string]string, error) {
		c, err := keys.Encrypt(decode(in["plaintext"]), decode(in["associated_data"]))
		return map[string]string{"ciphertext": "vault:v1:" + base64.StdEncoding.EncodeToString(c)}, err
	}))
	h.HandleFunc("POST /v1/secrets/transit/decrypt/fiducial", do(func(in map[string]string) (map[string]string, error) {
		c, ok := strings.CutPrefix(in["ciphertext"], "vault:v1:")
		if !ok {
			return nil, fmt.Errorf("invalid ciphertext: no prefix")
		}
		p, err := keys.Decrypt(decode(c), decode(in["associated_data"]))
		return map[string]string{"plaintext": base64.StdEncoding.EncodeToString(p)}, err
	}))
	h.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { t.Error("the token was carried to another place") })
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestVault(t *testing.T) {
	ctx := context.Background()
	broken := ""
	s := transit(t, &broken)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s.token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source := Source("vault:" + s.URL + "#secrets/transit/fiducial")
	for _, lookup := range []func(string) (string, bool){
		environment("VAULT_TOKEN", "s.token", "VAULT_NAMESPACE", "team"),
		environment("BAO_TOKEN", "s.token", "BAO_NAMESPACE", "team"),
		environment("VAULT_TOKEN_FILE", file, "VAULT_NAMESPACE", "team"),
	} {
		r, err := Open(ctx, source, Options{Lookup: lookup})
		if err != nil {
			t.Fatal(err)
		}
		wraps(t, r)
		if r.ID() != "vault:secrets/transit/fiducial" {
			t.Error(r.ID())
		}
		if s := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(s, "s.token") {
			t.Error("the token prints")
		}
		for _, broken = range []string{"redirect", "html", "sealed"} {
			if _, err := r.Wrap(ctx, envelope.NewSecret("x"), "p"); !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), "secrets/transit/fiducial") {
				t.Errorf("%s: %v", broken, err)
			}
		}
		broken = ""
	}
	r, err := Open(ctx, source, Options{Lookup: environment("VAULT_TOKEN", "s.other")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Wrap(ctx, envelope.NewSecret("x"), "p"); err == nil || !strings.Contains(err.Error(), "permission denied") || strings.Contains(err.Error(), "s.other") {
		t.Error(err)
	}
	s.Close()
	if _, err := r.Wrap(ctx, envelope.NewSecret("x"), "p"); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}
