package mem_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"fiducial/internal/blob"
	"fiducial/internal/blob/blobtest"
	"fiducial/internal/blob/mem"
	"fiducial/internal/fault"
)

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Store { return mem.New(time.Now, rand.Reader) })
}

func TestNoRandomness(t *testing.T) {
	s := mem.New(time.Now, strings.NewReader("short"))
	w, err := s.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Commit(context.Background()); !fault.Is(err, fault.Internal) {
		t.Fatalf("%v", err)
	}
}
