package disk_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/internal/blob"
	"fiducial/internal/blob/blobtest"
	"fiducial/internal/blob/disk"
	"fiducial/internal/fault"
)

func open(t testing.TB, dir string) *disk.Store {
	t.Helper()
	s, err := disk.Open(dir, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, filepath.Join(t.TempDir(), "objects")) })
}

func temps(t *testing.T, dir string) int {
	t.Helper()
	e, err := os.ReadDir(filepath.Join(dir, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	return len(e)
}

func TestSurvivesReopen(t *testing.T) {
	dir := t.TempDir()
	id := blobtest.Put(t, open(t, dir), []byte("kept"))
	if got := blobtest.Get(t, open(t, dir), id); string(got) != "kept" {
		t.Fatalf("%q", got)
	}
	if n := temps(t, dir); n != 0 {
		t.Fatalf("%d files are left in tmp", n)
	}
}

// What a crash leaves in tmp is swept once it is old; what is being written is not.
func TestSweepsOrphans(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	w, err := s.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "tmp", "left-by-a-crash")
	if err := os.WriteFile(old, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	s2 := open(t, dir)
	if n := temps(t, dir); n != 1 {
		t.Fatalf("%d files in tmp, want the one being written", n)
	}
	if n, err := s2.SweepTemp(context.Background(), time.Hour); n != 0 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if _, _, err := w.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.SweepTemp(cancelled, 0); err != nil {
		t.Fatal(err)
	}
}

func TestAbortRemovesTheFile(t *testing.T) {
	dir := t.TempDir()
	w, err := open(t, dir).Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if n := temps(t, dir); n != 0 {
		t.Fatalf("%d files are left in tmp", n)
	}
}

// Files are for their owner only, and nothing but blobs is listed.
func TestFilesAndStrangers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	id := blobtest.Put(t, s, []byte("secret"))
	folder := filepath.Join(dir, string(id[:2]), string(id[2:4]))
	info, err := os.Stat(filepath.Join(folder, string(id)))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	for _, name := range []string{"README", strings.Repeat("0", 32) + "x"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A blob's name in another blob's folder is no blob: it could not be opened.
	wrong := strings.Repeat("f", 32)
	if strings.HasPrefix(string(id), "ffff") {
		wrong = strings.Repeat("0", 32)
	}
	if err := os.WriteFile(filepath.Join(folder, wrong), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// A link out of the store is not followed.
	if err := os.Symlink("/etc/hostname", filepath.Join(folder, string(id[:31])+flip(id[31]))); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := s.List(context.Background(), func(got blob.ID, _ int64, _ time.Time) error {
		n++
		if got != id {
			t.Errorf("%s is listed", got)
		}
		return nil
	}); err != nil || n != 1 {
		t.Fatalf("%d listed, %v", n, err)
	}
}

func flip(c byte) string {
	if c == '0' {
		return "1"
	}
	return "0"
}

func TestFailuresAreFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(filepath.Join(file, "objects"), time.Now, rand.Reader); !fault.Is(err, fault.Unavailable) {
		t.Errorf("open in a file: %v", err)
	}
	dir := t.TempDir()
	s := open(t, dir)
	w, err := s.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Commit(context.Background()); err == nil {
		t.Error("a commit without a folder was acknowledged")
	}
	if _, err := s.Create(context.Background()); err == nil {
		t.Error("a blob was begun without a folder")
	}
	if err := s.List(context.Background(), func(blob.ID, int64, time.Time) error { return nil }); err == nil {
		t.Error("a missing folder was listed")
	}
	if _, err := s.SweepTemp(context.Background(), 0); err == nil {
		t.Error("a missing folder was swept")
	}
	bad, err := disk.Open(t.TempDir(), time.Now, strings.NewReader("short"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Create(context.Background()); !fault.Is(err, fault.Internal) {
		t.Errorf("no randomness: %v", err)
	}
}

// Should randomness ever repeat itself, the second writer fails: it does not
// write into the first one's file.
func TestRepeatedID(t *testing.T) {
	dir := t.TempDir()
	s, err := disk.Open(dir, time.Now, bytes.NewReader(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := s.Create(context.Background()); err == nil {
		t.Fatal("one id was used twice")
	}
}

// TestSendfile pins that a copy to a connection hands over the file itself, which
// is what lets the kernel move the bytes.
func TestSendfile(t *testing.T) {
	s := open(t, t.TempDir())
	want := bytes.Repeat([]byte("picture "), 20_000)
	id := blobtest.Put(t, s, want)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := s.Open(r.Context(), id)
		if err != nil {
			t.Error(err)
			return
		}
		defer b.Close()
		if _, err := io.Copy(w, b); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	res, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}

	b, err := s.Open(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var to spy
	if _, err := io.Copy(&to, b); err != nil {
		t.Fatal(err)
	}
	from, ok := to.from.(interface{ Name() string }) // *os.File, as package os wraps it
	if !ok || from.Name() != b.(blob.Filer).File().Name() {
		t.Fatalf("the copy read from a %T", to.from)
	}
}

// spy remembers what is copied into it, as a connection would see it.
type spy struct{ from io.Reader }

func (s *spy) Write([]byte) (int, error) { return 0, errors.New("bytes went through this program") }
func (s *spy) ReadFrom(r io.Reader) (int64, error) {
	s.from = r
	return 0, nil
}

func BenchmarkOpen(b *testing.B) {
	s := open(b, b.TempDir())
	id := blobtest.Put(b, s, make([]byte, 4096))
	b.ReportAllocs()
	for b.Loop() {
		f, err := s.Open(context.Background(), id)
		if err != nil {
			b.Fatal(err)
		}
		_ = f.Close()
	}
}

// openFiles is how many descriptors of this process lead into dir.
func openFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc")
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, dir) {
			n++
		}
	}
	return n
}

// Files are put aside for the next reader, each to one at a time, and not kept
// when their blob is deleted: its bytes would stay on disk.
func TestIdleFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := context.Background()
	id := blobtest.Put(t, s, []byte("0123456789"))
	first, err := s.Open(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Open(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if first.(blob.Filer).File() == second.(blob.Filer).File() {
		t.Fatal("two readers share a position")
	}
	buf := make([]byte, 4)
	if _, err := io.ReadFull(first, buf); err != nil {
		t.Fatal(err)
	}
	file := first.(blob.Filer).File()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := s.Open(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if third.(blob.Filer).File() != file || third.Size() != 10 {
		t.Error("the file was opened again")
	}
	if got, err := io.ReadAll(third); err != nil || string(got) != "0123456789" {
		t.Errorf("the next reader begins where the last one ended: %q, %v", got, err)
	}

	// A closed blob is closed, although its file is not.
	if _, err := first.Read(buf); err == nil {
		t.Error("read after close")
	}
	if _, err := first.ReadAt(buf, 0); err == nil {
		t.Error("ReadAt after close")
	}
	if _, err := first.Seek(0, io.SeekStart); err == nil {
		t.Error("seek after close")
	}
	if _, err := io.Copy(io.Discard, first); err == nil {
		t.Error("copy after close")
	}
	if first.(blob.Filer).File() != nil || first.Size() != 0 || first.Close() == nil {
		t.Error("closed twice")
	}

	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if n := openFiles(t, dir); n != 2 {
		t.Fatalf("%d files are open, want one idle and one that is read", n)
	}
	if err := s.Delete(ctx, id); err != nil {
		t.Fatal(err)
	}
	if n := openFiles(t, dir); n != 1 {
		t.Errorf("%d files are open after the deletion", n)
	}
	if err := third.Close(); err != nil {
		t.Fatal(err)
	}
	if n := openFiles(t, dir); n != 0 {
		t.Errorf("%d files of a deleted blob are open", n)
	}
	if _, err := s.Open(ctx, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("a deleted blob was opened: %v", err)
	}
}

func TestIdleFilesAreBounded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	other := blobtest.Put(t, s, nil)
	for range 150 {
		blobtest.Get(t, s, blobtest.Put(t, s, []byte("x")))
	}
	if n := openFiles(t, dir); n != 128 {
		t.Errorf("%d files are idle", n)
	}
	// A deletion elsewhere does not end a file that is in use.
	id := blobtest.Put(t, s, []byte("y"))
	b, err := s.Open(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(context.Background(), other); err != nil {
		t.Fatal(err)
	}
	file := b.(blob.Filer).File()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = s.Open(context.Background(), id); err != nil || b.(blob.Filer).File() != file {
		t.Errorf("the file was not kept: %v", err)
	}
}
