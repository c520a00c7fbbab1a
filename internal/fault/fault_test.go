package fault

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestOutermostFaultCounts(t *testing.T) {
	inner := Coded("s3.Get", NotFound, "NoSuchKey", "The specified key does not exist.")
	err := fmt.Errorf("reading: %w", E("engine.read", Invalid, "the manifest cannot be read", inner))
	if KindOf(err) != Invalid || CodeOf(err) != "" || MessageOf(err) != "the manifest cannot be read" {
		t.Errorf("kind %v, code %q, message %q", KindOf(err), CodeOf(err), MessageOf(err))
	}
	if !errors.Is(err, inner) || !Is(err, Invalid) || Is(err, NotFound) || Is(nil, Internal) {
		t.Error("the chain is not what it should be")
	}
}

// What is not a fault is an internal error, and its text is not shown.
func TestForeignErrorsAreNotShown(t *testing.T) {
	err := fmt.Errorf("open /secret/path: %w", io.ErrUnexpectedEOF)
	if KindOf(err) != Internal || strings.Contains(MessageOf(err), "secret") {
		t.Errorf("kind %v, message %q", KindOf(err), MessageOf(err))
	}
	cause := E("x.Y", Unavailable, "", err)
	if strings.Contains(MessageOf(cause), "secret") || !strings.Contains(cause.Error(), "/secret/path") {
		t.Errorf("shown %q, logged %q", MessageOf(cause), cause.Error())
	}
}

func TestKindsHaveNames(t *testing.T) {
	for k := Internal; k <= Unsupported; k++ {
		if k.String() == "" || k.String() == "unknown" {
			t.Errorf("kind %d has no name", k)
		}
	}
	if Kind(200).String() != "unknown" {
		t.Error("a kind that does not exist has a name")
	}
}
