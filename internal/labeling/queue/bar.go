package queue

import (
	"context"
	"time"
)

// Bar keeps a worker from the tasks of a job until an instant.
type Bar struct {
	Job     int64
	Worker  string
	Until   time.Time // not after Now: the worker is not kept from anything
	Requeue bool      // the worker's answers are to be discarded
	Now     time.Time
}

// Never is when a bar ends that does not end by itself.
var Never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Barrier is the part of a store that keeps workers from jobs. Both methods
// are atomic.
type Barrier interface {
	// Bar bars a worker and ends what the worker holds in the job; it says
	// which assignments those were. A bar that lasts longer stays.
	Bar(ctx context.Context, b Bar) (ended []string, err error)
	// Admit lets a worker in again. It reports whether the worker was barred.
	Admit(ctx context.Context, job int64, worker string, now time.Time) (bool, error)
}

// Bar bars a worker from a job. What the worker holds in it ends, and whoever
// must know of that is told, as of every other end.
func (s *Service) Bar(ctx context.Context, b Bar) error {
	b.Now = s.now()
	ids, err := s.store.Bar(ctx, b)
	if err != nil {
		return err
	}
	s.tell(ctx, "barred from the job", ids...)
	return nil
}

// Admit lets a worker in again. It reports whether the worker was barred.
func (s *Service) Admit(ctx context.Context, job int64, worker string) (bool, error) {
	return s.store.Admit(ctx, job, worker, s.now())
}
