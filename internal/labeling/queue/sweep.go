package queue

import (
	"context"
	"time"
)

// sweepBatch bounds how many assignments one transaction of Sweep looks at.
const sweepBatch = 200

// tellAgain is how old an end must be before Sweep tells of it: whoever ended
// the assignment has told by then, or has crashed.
const tellAgain = 2 * time.Second

// Sweep ends the assignments whose time is up, and tells of ends that a
// process which crashed in between could not tell of. It is to be called all
// the time, by every replica.
func (s *Service) Sweep(ctx context.Context) error {
	for n := sweepBatch; n == sweepBatch; {
		ids, err := s.store.Expire(ctx, s.now(), sweepBatch)
		if err != nil {
			return err
		}
		s.tell(ctx, "expired", ids...)
		n = len(ids)
	}
	for n := sweepBatch; n == sweepBatch; {
		ids, err := s.store.Untold(ctx, s.now().Add(-tellAgain), sweepBatch)
		if err != nil {
			return err
		}
		if n = len(ids); n == 0 {
			return nil
		}
		if again := s.forget(ids); len(again) > 0 {
			if err := s.ended.Ended(ctx, "ended", again...); err != nil {
				return err
			}
		}
		if err := s.store.Told(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// forget drops ids from the told and returns those that were not among them.
func (s *Service) forget(ids []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var untold []string
	for _, id := range ids {
		if !s.told[id] {
			untold = append(untold, id)
		}
		delete(s.told, id)
	}
	return untold
}

func (s *Service) tell(ctx context.Context, reason string, ids ...string) {
	if len(ids) == 0 {
		return
	}
	// The change is durable, so the news must go out even if the caller left.
	if err := s.ended.Ended(context.WithoutCancel(ctx), reason, ids...); err != nil {
		s.log.Error("the end of assignments was not passed on yet", "reason", reason, "assignments", ids, "error", err)
		return // Sweep will try again
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.told) >= maxTold {
		clear(s.told) // another replica noted them; telling twice does no harm
	}
	for _, id := range ids {
		s.told[id] = true
	}
}

// maxTold bounds the memory of what was told.
const maxTold = 10_000
