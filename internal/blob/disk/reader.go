package disk

import (
	"context"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"

	"fiducial/internal/blob"
)

// Open opens a blob for reading, or takes up again a file that an earlier reader
// of it has put aside.
func (s *Store) Open(_ context.Context, id blob.ID) (blob.Blob, error) {
	if !id.Valid() {
		return nil, notFound("disk.Open", nil)
	}
	f, seen := s.idle.take(id)
	if f == nil {
		var err error
		if f, err = openFile(s.path(id)); err != nil {
			return nil, failure("disk.Open", err)
		}
	} else if _, err := f.Seek(0, io.SeekStart); err != nil {
		_ = f.File.Close()
		return nil, failure("disk.Open", err)
	}
	return &reader{s: s, id: id, f: f, seen: seen}, nil
}

// openFile opens a file without offering it to the network poller, as os.Open
// does in five further system calls: a regular file is never accepted there.
// Links are not followed; the store makes none.
func openFile(path string) (*file, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	for err == syscall.EINTR {
		fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		_ = syscall.Close(fd)
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return &file{os.NewFile(uintptr(fd), path), st.Size}, nil
}

// file is an open blob's file; it has one reader at a time, since it has one
// position.
type file struct {
	*os.File
	size int64 // a blob never changes
}

// reader is an open blob. Its reads go straight to the file.
type reader struct {
	s  *Store
	id blob.ID
	f  *file // nil once closed

	seen int // how many deletions there had been when it was opened
}

func (r *reader) Read(p []byte) (int, error) {
	if r.f == nil {
		return 0, fs.ErrClosed
	}
	return r.f.Read(p)
}

func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if r.f == nil {
		return 0, fs.ErrClosed
	}
	return r.f.ReadAt(p, off)
}

func (r *reader) Seek(off int64, whence int) (int64, error) {
	if r.f == nil {
		return 0, fs.ErrClosed
	}
	return r.f.Seek(off, whence)
}

// WriteTo lets io.Copy hand the file itself to a connection.
func (r *reader) WriteTo(w io.Writer) (int64, error) {
	if r.f == nil {
		return 0, fs.ErrClosed
	}
	return io.Copy(w, r.f.File)
}

// File is the file itself, until Close.
func (r *reader) File() *os.File {
	if r.f == nil {
		return nil
	}
	return r.f.File
}

// Size returns the length in bytes.
func (r *reader) Size() int64 {
	if r.f == nil {
		return 0
	}
	return r.f.size
}

// Close puts the file aside for the next reader.
func (r *reader) Close() error {
	if r.f == nil {
		return fs.ErrClosed
	}
	f := r.f
	r.f = nil
	return r.s.idle.put(r.id, f, r.seen)
}

// maxIdle bounds the files that are kept open although nobody reads them.
const maxIdle = 128

// idleFiles are open files put aside. A picture is asked for by several workers
// and a film in many ranges; opening, measuring and closing its file each time
// costs as much as sending it.
//
// A deleted blob is not kept: its bytes would stay on disk.
type idleFiles struct {
	mu        sync.Mutex
	files     []idleFile // the longest idle first
	deletions int
}

type idleFile struct {
	id blob.ID
	f  *file
}

// take returns an idle file of the blob, nil if there is none, and how many
// deletions there have been.
func (x *idleFiles) take(id blob.ID) (*file, int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := len(x.files) - 1; i >= 0; i-- {
		if x.files[i].id == id {
			f := x.files[i].f
			x.files = slices.Delete(x.files, i, i+1)
			return f, x.deletions
		}
	}
	return nil, x.deletions
}

// put keeps a file, unless its blob was deleted while it was read. To ask the
// file costs a system call, which is spared as long as nothing is deleted.
func (x *idleFiles) put(id blob.ID, f *file, seen int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.deletions != seen && deleted(f) {
		return f.File.Close()
	}
	var err error
	if len(x.files) == maxIdle {
		err = x.files[0].f.File.Close()
		x.files = slices.Delete(x.files, 0, 1)
	}
	x.files = append(x.files, idleFile{id, f})
	return err
}

func deleted(f *file) bool {
	info, err := f.Stat()
	if err != nil {
		return true
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || st.Nlink == 0
}

// drop closes the idle files of a blob that has been deleted.
func (x *idleFiles) drop(id blob.ID) {
	x.mu.Lock()
	x.deletions++
	x.mu.Unlock()
	for f, _ := x.take(id); f != nil; f, _ = x.take(id) {
		_ = f.File.Close()
	}
}
