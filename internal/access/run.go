package access

import (
	"context"
	"time"
)

// pageSize bounds how many rows one query reads.
const pageSize = 10_000

// Run reads other replicas' revocations, goes on writing what could not be
// written, and drops what has expired. It returns when ctx ends, after the query
// at hand; then it has left no goroutine behind, and Revoke, Check and Mint still
// work, each reading for itself what it needs. Run may be started once more. The error
// is always nil.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(PollEvery)
	defer tick.Stop()
	house := time.NewTicker(houseEvery)
	defer house.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-house.C:
			s.keepHouse(ctx)
		case <-tick.C:
			s.writeMu.Lock()
			err := s.write(nil)
			s.writeMu.Unlock()
			if err == nil && !s.o.Alone {
				err = s.refresh(ctx)
			}
			if err != nil && ctx.Err() == nil {
				s.o.Log.Warn("revocations are not up to date", "error", err)
			}
		}
	}
}

// keepHouse drops what has expired, from memory and from the store.
func (s *Service) keepHouse(ctx context.Context) {
	now := s.o.Now()
	s.index.sweep(now)
	if err := s.o.Store.DropRevocations(ctx, now); err != nil && ctx.Err() == nil {
		s.o.Log.Warn("expired revocations were not dropped", "error", err)
	}
}

// upToDate makes sure that what is known is younger than maxStale. It waits for
// a query only if Run has fallen behind, and fails closed if that fails.
func (s *Service) upToDate() error {
	if s.o.Alone || s.young(maxStale) {
		return nil
	}
	// Not the request's context: one impatient client must not spoil it for all.
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	return s.refreshIf(ctx, maxStale)
}

func (s *Service) young(limit time.Duration) bool {
	age := s.o.Now().UnixNano() - s.polledAt.Load()
	return age >= 0 && age < int64(limit) // a clock set back makes it old
}

func (s *Service) refresh(ctx context.Context) error { return s.refreshIf(ctx, 0) }

// refreshIf reads new rows unless another goroutine has just done it.
func (s *Service) refreshIf(ctx context.Context, limit time.Duration) error {
	s.pollMu.Lock()
	defer s.pollMu.Unlock()
	if limit > 0 && s.young(limit) {
		return nil
	}
	start := s.o.Now().UnixNano() // before the query: what it answers is no younger
	for {
		rows, err := s.o.Store.Revocations(ctx, s.known.Load(), pageSize)
		if err != nil {
			return unavailable(err)
		}
		for i := range rows {
			s.index.add(&rows[i])
		}
		if len(rows) > 0 {
			s.learn(rows[len(rows)-1].Seq)
		}
		if len(rows) < pageSize {
			s.polledAt.Store(start)
			return nil
		}
	}
}
