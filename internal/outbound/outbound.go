// Package outbound sends what this server has promised to somebody outside: to
// http endpoints and to mail servers.
//
// A promise is a Delivery, a row that is written in the same transaction as the
// reason for it. It is tried until somebody took it, with growing pauses:
//
//	waiting ──► sent (the row is gone)
//	   └──────► dead (after Tries attempts, or at once where trying again is of no
//	            use: the host is not allowed); kept 14 days, counted and logged
//
// So a delivery arrives once at least, and perhaps again after a crash in between:
// whoever receives it goes by its id.
package outbound

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"fiducial/internal/fault"
)

// The kinds of delivery.
const (
	HTTP = "http"
	Mail = "mail"
)

// Delivery is something to be sent.
type Delivery struct {
	ID        string
	Kind      string
	Origin    string // on whose behalf: "webhook NAME", a subscription's ARN, "work is there"
	Target    string // a URL, a mail address
	Header    map[string]string
	Body      []byte
	CreatedAt time.Time
	Attempts  int // made so far
}

// Store keeps deliveries.
type Store interface {
	// Add stores deliveries, all or none. One whose id is there already is not
	// stored again.
	Add(ctx context.Context, list ...Delivery) error
	// Claim answers with up to limit deliveries that are due, and lets nobody
	// else have them before until.
	Claim(ctx context.Context, now, until time.Time, limit int) ([]Delivery, error)
	// Sent forgets a delivery.
	Sent(ctx context.Context, id string) error
	// Failed counts an attempt; the next one is not before the instant.
	Failed(ctx context.Context, id, reason string, next time.Time) error
	// Dead gives a delivery up.
	Dead(ctx context.Context, id, reason string, now time.Time) error
	// Standing counts the deliveries that wait and those that were given up.
	Standing(ctx context.Context) (waiting, dead int64, err error)
	// Retire forgets deliveries that were given up before the instant.
	Retire(ctx context.Context, before time.Time) error
}

// Sender sends deliveries of one kind. A fault of kind Denied or Invalid says
// that trying again is of no use.
type Sender interface {
	Send(ctx context.Context, d Delivery) error
}

// Watcher hears of every attempt: "sent", "failed" or "dead".
type Watcher func(kind, outcome string)

// Options are what a Service is made of. Watch may be nil.
type Options struct {
	Store   Store
	Senders map[string]Sender // by kind
	Watch   Watcher
	Now     func() time.Time
	Log     *slog.Logger

	Tries int           // attempts before a delivery is given up; default 12
	First time.Duration // pause after the first attempt, doubled after each; default 1 s
	Tick  time.Duration // pause between two looks; default 1 s
}

// Service sends deliveries. Make it with New, run it with Run.
type Service struct {
	Options
	wake chan struct{}
}

// Bounds of sending.
const (
	maxPause  = time.Hour
	batch     = 32
	lease     = time.Minute      // longer than one attempt takes
	attempt   = 20 * time.Second // of one attempt
	keepsDead = 14 * 24 * time.Hour
)

// New makes a service.
func New(o Options) *Service {
	if o.Tries == 0 {
		o.Tries = 12
	}
	if o.First == 0 {
		o.First = time.Second
	}
	if o.Tick == 0 {
		o.Tick = time.Second
	}
	if o.Watch == nil {
		o.Watch = func(string, string) {}
	}
	return &Service{Options: o, wake: make(chan struct{}, 1)}
}

// Add promises deliveries: when it returns they are stored.
func (s *Service) Add(ctx context.Context, list ...Delivery) error {
	if len(list) == 0 {
		return nil
	}
	if err := s.Store.Add(ctx, list...); err != nil {
		return err
	}
	s.Nudge()
	return nil
}

// Nudge makes Run look now: somebody has stored deliveries.
func (s *Service) Nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends. It returns when all attempts have.
func (s *Service) Run(ctx context.Context) error {
	for {
		n, err := s.Pass(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("deliveries cannot be read", "error", err)
		}
		if n == batch && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-time.After(s.Tick):
		}
	}
}

// Pass tries what is due once, and says how many deliveries that were.
func (s *Service) Pass(ctx context.Context) (int, error) {
	now := s.Now()
	due, err := s.Store.Claim(ctx, now, now.Add(lease), batch)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var wg sync.WaitGroup
	for _, d := range due {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s.try(ctx, d)
		}()
	}
	wg.Wait()
	return len(due), s.Store.Retire(ctx, now.Add(-keepsDead))
}

// try makes one attempt and notes how it ended.
func (s *Service) try(ctx context.Context, d Delivery) {
	trying, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	var err error = fault.Newf("outbound.try", fault.Invalid, "deliveries of kind %s are not set up", d.Kind)
	if sender := s.Senders[d.Kind]; sender != nil {
		err = sender.Send(trying, d)
	}
	// What was tried is noted even when the server is stopping.
	ctx = context.WithoutCancel(ctx)
	d.Attempts++
	var note error
	switch {
	case err == nil:
		note = s.Store.Sent(ctx, d.ID)
		s.Watch(d.Kind, "sent")
	case d.Attempts >= s.Tries || fault.Is(err, fault.Denied) || fault.Is(err, fault.Invalid):
		s.Log.Error("a delivery was given up", "id", d.ID, "origin", d.Origin, "target", d.Target, "attempts", d.Attempts, "error", err)
		note = s.Store.Dead(ctx, d.ID, cut(err.Error()), s.Now())
		s.Watch(d.Kind, "dead")
	default:
		next := s.Now().Add(s.pause(d.Attempts))
		s.Log.Warn("a delivery did not arrive", "id", d.ID, "origin", d.Origin, "target", d.Target, "attempts", d.Attempts, "next", next, "error", err)
		note = s.Store.Failed(ctx, d.ID, cut(err.Error()), next)
		s.Watch(d.Kind, "failed")
	}
	if note != nil {
		s.Log.Error("how a delivery went was not noted; it is tried again", "id", d.ID, "error", note)
	}
}

// pause is how long to wait after so many attempts, with up to a quarter more so
// that what failed together does not come again together.
func (s *Service) pause(attempts int) time.Duration {
	p := min(maxPause, s.First<<min(attempts-1, 20))
	return p + time.Duration(rand.Int64N(int64(p)/4+1))
}

func cut(reason string) string {
	if r := []rune(reason); len(r) > 500 {
		return string(r[:499]) + "…"
	}
	return reason
}
