package objects

import (
	"fmt"
	"testing"

	"fiducial/internal/blob"
)

type fakeBlob struct {
	blob.Blob
	closed bool
}

func (b *fakeBlob) Close() error {
	if b.closed {
		return fmt.Errorf("closed twice")
	}
	b.closed = true
	return nil
}

// A blob that is kept open has one user at a time, no more than maxIdle are kept,
// and one that was removed meanwhile is not kept: its space would not come free.
func TestIdleBlobs(t *testing.T) {
	var i idleBlobs
	var all []*fakeBlob
	for n := range maxIdle + 50 {
		_, gone := i.take("x")
		b := &fakeBlob{}
		all = append(all, b)
		if err := i.give(blob.ID(fmt.Sprint("b", n%100)), b, gone); err != nil {
			t.Fatal(err)
		}
	}
	open := 0
	for _, b := range all {
		if !b.closed {
			open++
		}
	}
	if open != maxIdle || i.n != maxIdle {
		t.Errorf("%d are open, %d are counted, %d at most", open, i.n, maxIdle)
	}
	// Which are closed is left to chance: one that is there for certain.
	_, gone := i.take("x")
	if err := i.give("b7", &fakeBlob{}, gone); err != nil {
		t.Fatal(err)
	}
	first, gone := i.take("b7")
	if second, _ := i.take("b7"); first == nil || first == second {
		t.Error("a blob was given to two users, or to none")
	}
	i.drop([]blob.ID{"b7"})
	if b, _ := i.take("b7"); b != nil {
		t.Error("a removed blob is kept open")
	}
	if err := i.give("b7", first, gone); err != nil || !first.(*fakeBlob).closed {
		t.Errorf("a blob that may have been removed was kept: %v", err)
	}
	i.drop(nil)
	for n, b := range all {
		if !b.closed && b != first && n%100 != 7 {
			t.Errorf("blob %d is open at the end", n)
		}
	}
	if i.n != 0 || len(i.open) != 0 {
		t.Errorf("%d left", i.n)
	}
}
