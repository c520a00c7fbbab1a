package kms

import (
	"bytes"
	"strings"
	"testing"

	"fiducial/internal/envelope"
)

// FuzzBlob lets anything be a ciphertext: what opens is what was sealed, under its context.
func FuzzBlob(f *testing.F) {
	keys, err := envelope.NewWrapping()
	if err != nil {
		f.Fatal(err)
	}
	const id = "01234567-89ab-4def-8123-456789abcdef"
	good, err := sealBlob(id, keys, []byte("secret"), map[string]string{"k": "v"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "k", "v")
	f.Add(good[:len(good)-1], "k", "v")
	f.Add(good[:17], "", "")
	f.Add([]byte{1}, "k", "v")
	f.Add(bytes.Repeat([]byte{1}, MaxCiphertext+1), "k", "v")
	f.Add(good, "k", "v\x00")
	f.Fuzz(func(t *testing.T, blob []byte, k, v string) {
		got, err := keyOf(blob)
		if err != nil {
			return
		}
		if len(got) != 36 || !keyShape.MatchString(got) || strings.ToLower(got) != got {
			t.Fatalf("key id %q", got)
		}
		plain, err := openBlob(keys, blob, map[string]string{k: v})
		if err == nil && (!bytes.Equal(blob, good) || k != "k" || v != "v" || string(plain) != "secret" || got != id) {
			t.Fatalf("%x opens with %q=%q as %q", blob, k, v, plain)
		}
	})
}
