package objects

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"fiducial/internal/blob"
)

// Sealed objects of at most openedObject bytes that are asked for again and again
// are kept opened in memory, up to openedTotal bytes: the kernel keeps the pages
// of a file that is read often, but of a sealed one it keeps what must be opened
// each time, at about the cost of sending it. An object is kept from the second
// time on, for most pictures are looked at once.
//
// Nobody comes here without having been asked for the right to the key just
// before (see open), so what is kept opens for no longer than the key does.
const (
	openedObject = 256 << 10
	openedTotal  = 64 << 20
	openedPlaces = 8192
)

type openedObjects struct {
	kept *cache[[]byte] // by blob id
	seed maphash.Seed
	seen [openedPlaces]atomic.Uint64 // the hash of what was read last at this place
}

func (o *openedObjects) init() {
	o.kept, o.seed = newCache[[]byte](openedTotal), maphash.MakeSeed()
	o.kept.weigh = func(b []byte) int { return len(b) + 256 }
}

// again reports whether a blob was read before, as far as is remembered.
func (o *openedObjects) again(id blob.ID) bool {
	h := maphash.String(o.seed, string(id)) | 1
	return o.seen[h/2%openedPlaces].Swap(h) == h
}

// openOnce takes the bytes of a sealed object from memory, or puts them there.
// It is false if they are to be streamed: a first look, or one at a part.
func (s *Service) openOnce(ctx context.Context, c *Content) (bool, error) {
	kept, gen, ok := s.opened.kept.get(string(c.Blob))
	if ok {
		c.small = kept
		return true, nil
	}
	if c.Partial || !s.opened.again(c.Blob) {
		return false, nil
	}
	data, err := s.readSealed(ctx, c)
	if err != nil {
		return false, err
	}
	s.opened.kept.put(string(c.Blob), data, gen)
	c.small = data
	return true, nil
}
