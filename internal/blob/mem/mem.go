// Package mem is a blob.Store in memory, for tests and for small demonstrations.
package mem

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"maps"
	"sync"
	"time"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// Store is a blob.Store. Make it with New.
type Store struct {
	now  func() time.Time
	rand io.Reader

	mu    sync.Mutex
	blobs map[blob.ID]entry
}

type entry struct {
	data     []byte // never changed
	modified time.Time
}

// New makes an empty store. rand is where ids come from.
func New(now func() time.Time, rand io.Reader) *Store {
	return &Store{now: now, rand: rand, blobs: map[blob.ID]entry{}}
}

func notFound(op string) error { return fault.E(op, fault.NotFound, "there is no such blob", nil) }

// Create begins a blob.
func (s *Store) Create(ctx context.Context) (blob.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.E("mem.Create", fault.Unavailable, "the request was given up", err)
	}
	return &writer{s: s}, nil
}

// Open opens a blob for reading.
func (s *Store) Open(_ context.Context, id blob.ID) (blob.Blob, error) {
	e, ok := s.get(id)
	if !ok {
		return nil, notFound("mem.Open")
	}
	return reader{bytes.NewReader(e.data)}, nil
}

func (s *Store) get(id blob.ID) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.blobs[id]
	return e, ok
}

// Stat returns a blob's size.
func (s *Store) Stat(_ context.Context, id blob.ID) (int64, error) {
	e, ok := s.get(id)
	if !ok {
		return 0, notFound("mem.Stat")
	}
	return int64(len(e.data)), nil
}

// Delete takes a blob away.
func (s *Store) Delete(_ context.Context, id blob.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.blobs[id]; !ok {
		return notFound("mem.Delete")
	}
	delete(s.blobs, id)
	return nil
}

// List calls fn for every blob. fn may use the store.
func (s *Store) List(ctx context.Context, fn func(blob.ID, int64, time.Time) error) error {
	s.mu.Lock()
	all := maps.Clone(s.blobs)
	s.mu.Unlock()
	for id, e := range all {
		if err := ctx.Err(); err != nil {
			return fault.E("mem.List", fault.Unavailable, "the request was given up", err)
		}
		if err := fn(id, int64(len(e.data)), e.modified); err != nil {
			return err
		}
	}
	return nil
}

type reader struct{ *bytes.Reader }

func (r reader) Size() int64  { return r.Reader.Size() }
func (r reader) Close() error { return nil }

type writer struct {
	s     *Store
	buf   bytes.Buffer
	ended bool
}

func ended(op string) error {
	return fault.E(op, fault.Internal, "", io.ErrClosedPipe)
}

func (w *writer) Write(p []byte) (int, error) {
	if w.ended {
		return 0, ended("mem.Write")
	}
	return w.buf.Write(p)
}

func (w *writer) Commit(ctx context.Context) (blob.ID, int64, error) {
	if w.ended {
		return "", 0, ended("mem.Commit")
	}
	w.ended = true
	if err := ctx.Err(); err != nil {
		return "", 0, fault.E("mem.Commit", fault.Unavailable, "the request was given up", err)
	}
	var raw [16]byte
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if _, err := io.ReadFull(w.s.rand, raw[:]); err != nil {
		return "", 0, fault.E("mem.Commit", fault.Internal, "", err)
	}
	id := blob.ID(hex.EncodeToString(raw[:]))
	w.s.blobs[id] = entry{w.buf.Bytes(), w.s.now()}
	return id, int64(w.buf.Len()), nil
}

func (w *writer) Abort() { w.ended = true }
