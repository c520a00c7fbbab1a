package disk

import (
	"context"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// Create begins a blob in tmp.
func (s *Store) Create(ctx context.Context) (blob.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.E("disk.Create", fault.Unavailable, "the request was given up", err)
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	// The id is the temporary name too: it is unused, or O_EXCL says so.
	temp := filepath.Join(s.dir, "tmp", string(id))
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, failure("disk.Create", err)
	}
	return &writer{s: s, id: id, temp: temp, f: f}, nil
}

func (s *Store) newID() (blob.ID, error) {
	var raw [16]byte
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.rand, raw[:]); err != nil {
		return "", fault.E("disk.Create", fault.Internal, "", err)
	}
	return blob.ID(hex.EncodeToString(raw[:])), nil
}

type writer struct {
	s    *Store
	id   blob.ID
	temp string
	f    *os.File // nil once ended
	size int64
}

func (w *writer) Write(p []byte) (int, error) {
	if w.f == nil {
		return 0, fault.E("disk.Write", fault.Internal, "", os.ErrClosed)
	}
	n, err := w.f.Write(p)
	w.size += int64(n)
	if err != nil {
		return n, failure("disk.Write", err)
	}
	return n, nil
}

// Commit: bytes durable, then the name, then the folder that holds the name.
func (w *writer) Commit(ctx context.Context) (blob.ID, int64, error) {
	if w.f == nil {
		return "", 0, fault.E("disk.Commit", fault.Internal, "", os.ErrClosed)
	}
	defer w.Abort()
	if err := ctx.Err(); err != nil {
		return "", 0, fault.E("disk.Commit", fault.Unavailable, "the request was given up", err)
	}
	path := w.s.path(w.id)
	if err := w.f.Sync(); err != nil {
		return "", 0, failure("disk.Commit", err)
	}
	if err := w.s.makeFolder(path); err != nil {
		return "", 0, failure("disk.Commit", err)
	}
	if err := os.Rename(w.temp, path); err != nil {
		return "", 0, failure("disk.Commit", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		_ = os.Remove(path)
		return "", 0, failure("disk.Commit", err)
	}
	return w.id, w.size, nil
}

// makeFolder makes the folder of a blob and syncs the one that it stands in,
// once per folder and run of the program: a folder that is there may have been
// made by a run that died before it synced.
// Two writers may both do it; that costs one sync and no waiting.
func (s *Store) makeFolder(path string) error {
	dir := filepath.Dir(path)
	s.mu.Lock()
	done := s.synced[dir]
	s.mu.Unlock()
	if done {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	s.mu.Lock()
	s.synced[dir] = true
	s.mu.Unlock()
	return nil
}

func (w *writer) Abort() {
	if w.f == nil {
		return
	}
	_ = w.f.Close()
	_ = os.Remove(w.temp) // gone already after a commit
	w.f = nil
}
