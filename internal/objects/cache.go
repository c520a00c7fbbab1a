package objects

import (
	"hash/maphash"
	"sync"
)

const shards = 16

// cache is a bounded map of rows. A nil cache holds nothing.
//
// A row may be read from the store before a write and arrive here after it.
// So every look-up that misses returns a generation, every write raises it
// (drop), and put throws away a row that is older than the last write. A shard
// has one generation for all its names: a write costs others a miss, no more.
type cache[V any] struct {
	seed  maphash.Seed
	weigh func(V) int // nil: every row weighs 1
	shard [shards]cacheShard[V]
}

type cacheShard[V any] struct {
	mu   sync.RWMutex
	gen  uint64
	max  int          // weight of new, at most
	size int          // weight of new
	new  map[string]V // recently used
	aged map[string]V // not used since new was last full
}

// newCache makes a cache of rows of weight 1, at most that many.
func newCache[V any](rows int) *cache[V] {
	c := &cache[V]{seed: maphash.MakeSeed()}
	for i := range c.shard {
		// Two generations of half the size each come close to "least recently
		// used" without a list to keep under a lock.
		c.shard[i].max = max(1, rows/shards/2)
		c.shard[i].new = map[string]V{}
	}
	return c
}

func (c *cache[V]) of(name string) *cacheShard[V] {
	return &c.shard[maphash.String(c.seed, name)%shards]
}

func (c *cache[V]) get(name string) (v V, gen uint64, ok bool) {
	if c == nil {
		return v, 0, false
	}
	s := c.of(name)
	s.mu.RLock()
	gen = s.gen
	if v, ok = s.new[name]; ok {
		s.mu.RUnlock()
		return v, gen, true
	}
	v, ok = s.aged[name]
	s.mu.RUnlock()
	if ok {
		c.put(name, v, gen)
	}
	return v, gen, ok
}

func (c *cache[V]) put(name string, v V, gen uint64) {
	if c == nil {
		return
	}
	s := c.of(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gen != gen {
		return
	}
	weight := 1
	if c.weigh != nil {
		weight = c.weigh(v)
	}
	if old, ok := s.new[name]; ok {
		s.new[name] = v
		if c.weigh != nil {
			s.size += weight - c.weigh(old)
		}
		return
	}
	if s.size+weight > s.max && s.size > 0 {
		s.aged, s.new, s.size = s.new, map[string]V{}, 0
	}
	s.new[name] = v
	s.size += weight
}

func (c *cache[V]) drop(name string) {
	if c == nil {
		return
	}
	s := c.of(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gen++
	if v, ok := s.new[name]; ok {
		if s.size--; c.weigh != nil {
			s.size += 1 - c.weigh(v)
		}
		delete(s.new, name)
	}
	delete(s.aged, name)
}
