package envelope

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestWrapping(t *testing.T) {
	first, err := NewWrapping()
	if err != nil {
		t.Fatal(err)
	}
	old, err := first.Encrypt([]byte("old"), []byte("context"))
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := first.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	young, err := rotated.Encrypt([]byte("new"), []byte("context"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := rotated.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	stored, err := FromBytes(raw)
	if err != nil || stored.Versions() != 2 || first.Versions() != 1 {
		t.Fatal(err, stored.Versions(), first.Versions())
	}
	for sealed, want := range map[string]string{string(old): "old", string(young): "new"} {
		if got, err := stored.Decrypt([]byte(sealed), []byte("context")); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := stored.Decrypt([]byte(sealed), []byte("another")); !errors.Is(err, ErrOpen) {
			t.Errorf("opens for another context: %v", err)
		}
	}
	if _, err := first.Decrypt(young, []byte("context")); !errors.Is(err, ErrOpen) {
		t.Error("the keyset without the new key opens what it sealed")
	}
	if _, err := FromBytes(NewSecret("nonsense")); err == nil {
		t.Error("nonsense is a keyset")
	}
	if shown := fmt.Sprintf("%v %+v %#v %v", stored, stored, stored, raw); strings.Contains(shown, raw.Reveal()) {
		t.Error("the keyset prints")
	}
}
