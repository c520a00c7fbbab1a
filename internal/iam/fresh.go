package iam

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"fiducial/internal/fault"
)

// How long rights may lag behind the database. Their sum with one query stays
// under the second that the product promises.
const (
	pollEvery = 400 * time.Millisecond
	maxStale  = 900 * time.Millisecond
	pollLimit = 2 * time.Second // of one query
)

// cached is a value with the generation it was read under.
type cached[T any] struct {
	generation int64
	value      T
}

// current returns the present generation, reading it again if it may be old.
// While one request reads it, others go on with a value younger than maxStale.
func (s *Service) current(ctx context.Context) (int64, error) {
	age := s.age()
	if age < pollEvery {
		return s.generation.Load(), nil
	}
	if age < maxStale {
		if !s.pollMu.TryLock() {
			return s.generation.Load(), nil
		}
	} else {
		s.pollMu.Lock()
	}
	defer s.pollMu.Unlock()
	if s.age() < pollEvery { // another request has read it meanwhile
		return s.generation.Load(), nil
	}
	return s.poll(ctx)
}

// age is since when the generation is known. A clock that was set back makes
// it old, not young.
func (s *Service) age() time.Duration {
	at := s.polledAt.Load()
	age := time.Duration(s.now().UnixNano() - at)
	if at <= 0 || age < 0 {
		return maxStale
	}
	return age
}

// poll reads the generation; pollMu is held.
func (s *Service) poll(ctx context.Context) (int64, error) {
	// The outcome is everybody's: one impatient client must not spoil it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pollLimit)
	defer cancel()
	last := s.polledAt.Load()
	start := s.now().UnixNano() // before the query: what it answers is no younger
	n, err := s.store.Generation(ctx)
	if err != nil {
		return 0, fault.E("iam.poll", fault.Unavailable, "The rights of callers cannot be read at the moment. Please try again.", err)
	}
	s.generation.Store(n)
	// If this process changed something meanwhile, the answer is already old.
	s.polledAt.CompareAndSwap(last, start)
	return n, nil
}

// changed makes a change of this process known to it at once. Every call stores
// another value, so that a poll under way cannot overlook it.
func (s *Service) changed() { s.polledAt.Store(-s.changes.Add(1)) }

// fresh returns the cached value of key, loading it if it is of another
// generation. The generation is taken before the load: a change in between
// makes the entry count as old, never as new.
func fresh[T any](ctx context.Context, s *Service, cache *otter.Cache[string, cached[T]], key string, load func(context.Context, string) (T, error)) (T, error) {
	var none T
	gen, err := s.current(ctx)
	if err != nil {
		return none, err
	}
	if e, ok := cache.GetIfPresent(key); ok && e.generation == gen {
		return e.value, nil
	}
	v, err := load(ctx, key)
	if err != nil {
		return none, err
	}
	cache.Set(key, cached[T]{gen, v})
	return v, nil
}
