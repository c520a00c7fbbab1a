package objects

import (
	"context"
	"sync"

	"fiducial/internal/blob"
)

// maxIdle bounds the blobs that are kept open between reads.
const maxIdle = 256

// idleBlobs keeps blobs open that were just read: a browser reads a video range by
// range, and to open a file costs as much as to check who may. A blob has one
// user at a time, for it has one position.
type idleBlobs struct {
	mu   sync.Mutex
	open map[blob.ID][]blob.Blob
	n    int
	gone uint64 // how often blobs were removed
}

// take returns an open blob that nobody uses, nil if there is none, and what
// give must be told.
func (i *idleBlobs) take(id blob.ID) (blob.Blob, uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := i.open[id]
	if len(list) == 0 {
		return nil, i.gone
	}
	b := list[len(list)-1]
	if list = list[:len(list)-1]; len(list) == 0 {
		delete(i.open, id)
	} else {
		i.open[id] = list
	}
	i.n--
	return b, i.gone
}

// give keeps a blob that its user is done with, in place of another if need be.
// If anything was removed since it was taken, it may be this one: it is closed.
func (i *idleBlobs) give(id blob.ID, b blob.Blob, gone uint64) error {
	i.mu.Lock()
	if gone != i.gone {
		i.mu.Unlock()
		return b.Close()
	}
	var out blob.Blob
	if i.open == nil {
		i.open = map[blob.ID][]blob.Blob{}
	}
	if i.n >= maxIdle {
		for other, list := range i.open { // any one: a map begins somewhere else each time
			out = list[0]
			if list = list[1:]; len(list) == 0 {
				delete(i.open, other)
			} else {
				i.open[other] = list
			}
			i.n--
			break
		}
	}
	i.open[id] = append(i.open[id], b)
	i.n++
	i.mu.Unlock()
	if out != nil {
		return out.Close()
	}
	return nil
}

// drop closes what is kept of blobs that are removed, so that their space on
// disk is free, and of all blobs if ids is nil.
func (i *idleBlobs) drop(ids []blob.ID) {
	i.mu.Lock()
	i.gone++
	var out []blob.Blob
	if ids == nil {
		for _, list := range i.open {
			out = append(out, list...)
		}
		i.open, i.n = nil, 0
	}
	for _, id := range ids {
		out = append(out, i.open[id]...)
		i.n -= len(i.open[id])
		delete(i.open, id)
	}
	i.mu.Unlock()
	for _, b := range out {
		_ = b.Close()
	}
}

// openBlob opens a blob, or takes one that is open.
func (s *Service) openBlob(ctx context.Context, id blob.ID) (blob.Blob, uint64, error) {
	b, gone := s.idle.take(id)
	if b != nil {
		return b, gone, nil
	}
	b, err := s.blobs.Open(ctx, id)
	return b, gone, err
}
