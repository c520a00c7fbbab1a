// Package blobtest is the conformance suite of blob.Store: what every
// implementation must do, whatever it keeps its blobs in.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// Run runs the suite; open returns a fresh, empty store.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, blob.Store)
	}{
		{"what is committed can be read", readBack},
		{"an empty blob is a blob", empty},
		{"nothing is seen before commit", invisible},
		{"nothing is left after abort", aborted},
		{"a writer ends once", endsOnce},
		{"a request given up commits nothing", givenUp},
		{"reading at random", random},
		{"an open blob outlives its deletion", outlives},
		{"missing blobs are NotFound", missing},
		{"ids that are no ids are NotFound", badIDs},
		{"list", list},
		{"list stops at an error", listStops},
		{"ids differ", distinct},
		{"many at once", parallel},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// Put writes a blob.
func Put(t testing.TB, s blob.Store, data []byte) blob.ID {
	t.Helper()
	w, err := s.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	// In uneven pieces: writers must not depend on how the bytes arrive.
	for piece := 1; len(data) > 0; piece = piece*3 + 1 {
		n := min(piece, len(data))
		if m, err := w.Write(data[:n]); err != nil || m != n {
			t.Fatalf("write: %d, %v", m, err)
		}
		data = data[n:]
	}
	id, _, err := w.Commit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Get reads a blob.
func Get(t testing.TB, s blob.Store, id blob.ID) []byte {
	t.Helper()
	b, err := s.Open(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	data, err := io.ReadAll(b)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != b.Size() {
		t.Fatalf("read %d bytes of %d", len(data), b.Size())
	}
	return data
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func readBack(t *testing.T, s blob.Store) {
	for _, n := range []int{1, 100, 4096, 1 << 20} {
		want := pattern(n)
		id := Put(t, s, want)
		if !id.Valid() {
			t.Fatalf("%q is not a valid id", id)
		}
		if !bytes.Equal(Get(t, s, id), want) {
			t.Fatalf("%d bytes: not what was written", n)
		}
		if size, err := s.Stat(context.Background(), id); err != nil || size != int64(n) {
			t.Fatalf("stat: %d, %v; want %d", size, err, n)
		}
	}
}

func empty(t *testing.T, s blob.Store) {
	if got := Get(t, s, Put(t, s, nil)); len(got) != 0 {
		t.Fatalf("%d bytes", len(got))
	}
}

func count(t *testing.T, s blob.Store) int {
	t.Helper()
	n := 0
	if err := s.List(context.Background(), func(blob.ID, int64, time.Time) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func invisible(t *testing.T, s blob.Store) {
	w, err := s.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write(pattern(1 << 16)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 0 {
		t.Fatalf("%d blobs are listed before commit", n)
	}
	id, size, err := w.Commit(context.Background())
	if err != nil || size != 1<<16 {
		t.Fatalf("commit: %d, %v", size, err)
	}
	w.Abort() // after a commit it does nothing
	if len(Get(t, s, id)) != 1<<16 || count(t, s) != 1 {
		t.Fatal("the blob is not there after commit")
	}
}

func aborted(t *testing.T, s blob.Store) {
	w, err := s.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(pattern(100)); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	w.Abort()
	if n := count(t, s); n != 0 {
		t.Fatalf("%d blobs are left", n)
	}
}

func endsOnce(t *testing.T, s blob.Store) {
	w, err := s.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("late")); err == nil {
		t.Fatal("a write after commit was accepted")
	}
	if _, _, err := w.Commit(context.Background()); err == nil {
		t.Fatal("a second commit was accepted")
	}
	if n := count(t, s); n != 1 {
		t.Fatalf("%d blobs", n)
	}
}

func givenUp(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	w, err := s.Create(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	cancel()
	if _, _, err := w.Commit(ctx); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("commit: %v", err)
	}
	if _, err := s.Create(ctx); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("create: %v", err)
	}
	if n := count(t, s); n != 0 {
		t.Fatalf("%d blobs", n)
	}
	if err := s.List(ctx, func(blob.ID, int64, time.Time) error { return nil }); count(t, s) != 0 || err != nil && !fault.Is(err, fault.Unavailable) {
		t.Fatalf("list: %v", err)
	}
}

func random(t *testing.T, s blob.Store) {
	want := pattern(10_000)
	b, err := s.Open(context.Background(), Put(t, s, want))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	buf := make([]byte, 100)
	if n, err := b.ReadAt(buf, 5000); n != 100 || err != nil || !bytes.Equal(buf, want[5000:5100]) {
		t.Fatalf("ReadAt: %d, %v", n, err)
	}
	if n, err := b.ReadAt(buf, 9950); n != 50 || err != io.EOF {
		t.Fatalf("ReadAt over the end: %d, %v", n, err)
	}
	if at, err := b.Seek(-10, io.SeekEnd); at != 9990 || err != nil {
		t.Fatalf("Seek: %d, %v", at, err)
	}
	if rest, err := io.ReadAll(b); err != nil || !bytes.Equal(rest, want[9990:]) {
		t.Fatalf("after Seek: %d bytes, %v", len(rest), err)
	}
	if at, err := b.Seek(20, io.SeekStart); at != 20 || err != nil {
		t.Fatalf("Seek: %d, %v", at, err)
	}
	var all bytes.Buffer
	if n, err := io.Copy(&all, b); n != 9980 || err != nil || !bytes.Equal(all.Bytes(), want[20:]) {
		t.Fatalf("Copy: %d, %v", n, err)
	}
	if f, ok := b.(blob.Filer); ok {
		if n, err := f.File().ReadAt(buf, 0); n != 100 || err != nil || !bytes.Equal(buf, want[:100]) {
			t.Fatalf("the file: %d, %v", n, err)
		}
	}
}

func outlives(t *testing.T, s blob.Store) {
	id := Put(t, s, pattern(1000))
	b, err := s.Open(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := s.Delete(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, pattern(1000)) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	expectMissing(t, s, id)
}

func expectMissing(t *testing.T, s blob.Store, id blob.ID) {
	t.Helper()
	ctx := context.Background()
	if _, err := s.Open(ctx, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("open %q: %v", id, err)
	}
	if _, err := s.Stat(ctx, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("stat %q: %v", id, err)
	}
	if err := s.Delete(ctx, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("delete %q: %v", id, err)
	}
}

func missing(t *testing.T, s blob.Store) {
	expectMissing(t, s, "0123456789abcdef0123456789abcdef")
}

// badIDs pins that no id can name anything but a blob.
func badIDs(t *testing.T, s blob.Store) {
	id := Put(t, s, []byte("x"))
	for _, bad := range []blob.ID{
		"", ".", "..", "/", "tmp", "../../../../../../etc/passwd", "0123456789abcdef0123456789abcdeg",
		"0123456789ABCDEF0123456789ABCDEF", id + "0", id[:31], id + "\x00", id + "/", "./" + id, id[:2] + "/../" + id[:2] + "/" + id[2:],
		"../" + id[:29], "..%2f..%2f..%2f..%2f..%2fetc%2fpas", blob.ID(bytes.Repeat([]byte("../"), 11))[:32], "/" + id[1:],
	} {
		expectMissing(t, s, bad)
	}
	if string(Get(t, s, id)) != "x" {
		t.Fatal("the blob is gone")
	}
}

func list(t *testing.T, s blob.Store) {
	want := map[blob.ID]int64{}
	before := time.Now().Add(-time.Minute)
	for i := range 50 {
		want[Put(t, s, pattern(i))] = int64(i)
	}
	got := map[blob.ID]int64{}
	err := s.List(context.Background(), func(id blob.ID, size int64, modified time.Time) error {
		if _, twice := got[id]; twice {
			t.Errorf("%s is listed twice", id)
		}
		if modified.Before(before) || modified.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s was modified at %v", id, modified)
		}
		got[id] = size
		return nil
	})
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%v\n got %v\nwant %v", err, got, want)
	}
	// A sweep deletes while it lists.
	err = s.List(context.Background(), func(id blob.ID, _ int64, _ time.Time) error { return s.Delete(context.Background(), id) })
	if n := count(t, s); err != nil || n != 0 {
		t.Fatalf("%v; %d blobs are left", err, n)
	}
}

func listStops(t *testing.T, s blob.Store) {
	Put(t, s, nil)
	Put(t, s, nil)
	stop, n := errors.New("stop"), 0
	err := s.List(context.Background(), func(blob.ID, int64, time.Time) error { n++; return stop })
	if err != stop || n != 1 {
		t.Fatalf("%v after %d", err, n)
	}
}

func distinct(t *testing.T, s blob.Store) {
	seen := map[blob.ID]bool{}
	for range 100 {
		id := Put(t, s, []byte("same"))
		if seen[id] {
			t.Fatalf("%s twice", id)
		}
		seen[id] = true
	}
}

func parallel(t *testing.T, s blob.Store) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				want := pattern(g*1000 + i)
				id := Put(t, s, want)
				if !bytes.Equal(Get(t, s, id), want) {
					t.Errorf("goroutine %d: blob %d is not what was written", g, i)
				}
				if i%2 == 0 {
					if err := s.Delete(context.Background(), id); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, s); n != 80 {
		t.Fatalf("%d blobs, want 80", n)
	}
}
