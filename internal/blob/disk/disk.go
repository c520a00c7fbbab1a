// Package disk is a blob.Store in a folder.
//
//	<dir>/ab/cd/abcd…   a blob, named by its id (two levels of 256 folders)
//	<dir>/tmp/…         blobs being written
//
// A blob is written to tmp, synced, renamed to its name, and the folder synced:
// the rename is atomic, so at every instant a blob is there whole or not at all,
// and Commit returns when that is so for good. What a crash leaves in tmp is
// removed by Open and SweepTemp.
//
// Names come from ids alone, and ids are checked to be 32 hexadecimal digits
// before they become a path. dir and everything in it must be on one file system
// and belong to this program.
package disk

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// tempAge is how long a file in tmp must not have been written to before it
// counts as left behind.
const tempAge = time.Hour

// Store is a blob.Store. Make it with Open.
type Store struct {
	dir  string
	now  func() time.Time
	rand io.Reader

	mu     sync.Mutex // guards rand and synced
	synced map[string]bool

	idle idleFiles
}

// Open opens the store in dir, which it makes if need be (mode 0700), and sweeps
// what earlier crashes left in tmp. rand is where ids come from; it must be
// cryptographic.
func Open(dir string, now func() time.Time, rand io.Reader) (*Store, error) {
	s := &Store{dir: dir, now: now, rand: rand, synced: map[string]bool{}}
	if err := s.prepare(); err != nil {
		return nil, fault.E("disk.Open", fault.Unavailable, "the folder for objects cannot be made", err)
	}
	if _, err := s.SweepTemp(context.Background(), tempAge); err != nil {
		return nil, err
	}
	return s, nil
}

// prepare makes the first level of folders, all of it at once: a second level
// is made when it is first needed, and then one folder is to be synced, not two.
func (s *Store) prepare() error {
	if err := os.MkdirAll(filepath.Join(s.dir, "tmp"), 0o700); err != nil {
		return err
	}
	for i := range 256 {
		err := os.Mkdir(filepath.Join(s.dir, hex.EncodeToString([]byte{byte(i)})), 0o700)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return errors.Join(syncDir(s.dir), syncDir(filepath.Dir(filepath.Clean(s.dir))))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// path is where a blob is. The caller has checked the id.
func (s *Store) path(id blob.ID) string {
	return s.dir + "/" + string(id[:2]) + "/" + string(id[2:4]) + "/" + string(id)
}

// SweepTemp removes what has been lying in tmp untouched for longer than age,
// and returns how many files that were.
func (s *Store) SweepTemp(ctx context.Context, age time.Duration) (int, error) {
	tmp := filepath.Join(s.dir, "tmp")
	entries, err := os.ReadDir(tmp)
	if err != nil {
		return 0, fault.E("disk.SweepTemp", fault.Unavailable, "the folder for objects cannot be read", err)
	}
	n := 0
	for _, e := range entries {
		if ctx.Err() != nil {
			break
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || s.now().Sub(info.ModTime()) < age {
			continue
		}
		if os.Remove(filepath.Join(tmp, e.Name())) == nil {
			n++
		}
	}
	return n, nil
}

// Stat returns a blob's size.
func (s *Store) Stat(_ context.Context, id blob.ID) (int64, error) {
	if !id.Valid() {
		return 0, notFound("disk.Stat", nil)
	}
	info, err := os.Lstat(s.path(id))
	if err != nil {
		return 0, failure("disk.Stat", err)
	}
	return info.Size(), nil
}

// Delete takes a blob away. It does not sync the folder: a blob that comes back
// after a loss of power is one that nobody needs, and is swept like any other.
func (s *Store) Delete(_ context.Context, id blob.ID) error {
	if !id.Valid() {
		return notFound("disk.Delete", nil)
	}
	err := os.Remove(s.path(id))
	s.idle.drop(id)
	if err != nil {
		return failure("disk.Delete", err)
	}
	return nil
}

// List calls fn for every blob. What is not a blob is passed over.
func (s *Store) List(ctx context.Context, fn func(blob.ID, int64, time.Time) error) error {
	for i := range 256 {
		first := filepath.Join(s.dir, hex.EncodeToString([]byte{byte(i)}))
		seconds, err := os.ReadDir(first)
		if err != nil {
			return failure("disk.List", err)
		}
		for _, second := range seconds {
			if err := s.listFolder(ctx, filepath.Join(first, second.Name()), fn); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) listFolder(ctx context.Context, dir string, fn func(blob.ID, int64, time.Time) error) error {
	if err := ctx.Err(); err != nil {
		return fault.E("disk.List", fault.Unavailable, "the request was given up", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return failure("disk.List", err)
	}
	for _, e := range entries {
		id := blob.ID(e.Name())
		info, err := e.Info()
		if err != nil || !id.Valid() || !info.Mode().IsRegular() || s.path(id) != filepath.Join(dir, e.Name()) {
			continue
		}
		if err := fn(id, info.Size(), info.ModTime()); err != nil {
			return err
		}
	}
	return nil
}

func notFound(op string, err error) error {
	return fault.E(op, fault.NotFound, "there is no such blob", err)
}

// failure makes a fault of a file system's error.
func failure(op string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notFound(op, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.E(op, fault.Unavailable, "the disk for objects is full", err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fault.E(op, fault.Unavailable, "too many files are open", err)
	}
	return fault.E(op, fault.Internal, "", err)
}
