package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/iotest"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/store/storetest"
)

// broken is a store of which some methods fail, as if the database were away.
type broken struct {
	queue.Store
	failing map[string]bool
}

var errAway = errors.New("database is away")

func (b broken) fails(method string) error {
	if b.failing[method] {
		return errAway
	}
	return nil
}

func (b broken) Assignment(ctx context.Context, id string) (labeling.Assignment, error) {
	if err := b.fails("Assignment"); err != nil {
		return labeling.Assignment{}, err
	}
	return b.Store.Assignment(ctx, id)
}

func (b broken) InProgress(ctx context.Context, job int64) (bool, error) {
	if err := b.fails("InProgress"); err != nil {
		return false, err
	}
	return b.Store.InProgress(ctx, job)
}

func (b broken) EndLease(ctx context.Context, e queue.End) (bool, error) {
	if err := b.fails("EndLease"); err != nil {
		return false, err
	}
	return b.Store.EndLease(ctx, e)
}

func (b broken) Expire(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if err := b.fails("Expire"); err != nil {
		return nil, err
	}
	return b.Store.Expire(ctx, now, limit)
}

func (b broken) ExpireJob(ctx context.Context, job int64, now time.Time) ([]string, error) {
	if err := b.fails("ExpireJob"); err != nil {
		return nil, err
	}
	return b.Store.ExpireJob(ctx, job, now)
}

func (b broken) Untold(ctx context.Context, before time.Time, limit int) ([]string, error) {
	if err := b.fails("Untold"); err != nil {
		return nil, err
	}
	return b.Store.Untold(ctx, before, limit)
}

func (b broken) Told(ctx context.Context, ids []string) error {
	if err := b.fails("Told"); err != nil {
		return err
	}
	return b.Store.Told(ctx, ids)
}

// What the database could not do is never reported as done.
func TestDatabaseAway(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ctx := context.Background()
	w.job("reading", 1, 1, 0)
	a := w.take("ann", "reading")
	for _, c := range []struct {
		method string
		call   func(*queue.Service) error
	}{
		{"Assignment", func(q *queue.Service) error { _, err := q.Get(ctx, worker("ann"), a.ID); return err }},
		{"EndLease", func(q *queue.Service) error { return q.Submit(ctx, worker("ann"), a.ID, json.RawMessage(`{}`)) }},
		{"EndLease", func(q *queue.Service) error { return q.Release(ctx, worker("ann"), a.ID) }},
		{"Assignment", func(q *queue.Service) error { return q.Submit(ctx, worker("ann"), "x", json.RawMessage(`{}`)) }},
		{"InProgress", func(q *queue.Service) error { _, err := q.Take(ctx, worker("bob"), "reading"); return err }},
		{"Expire", func(q *queue.Service) error { return q.Sweep(ctx) }},
		{"Untold", func(q *queue.Service) error { return q.Sweep(ctx) }},
		{"ExpireJob", func(q *queue.Service) error { return q.ExpireJob(ctx, 1) }},
	} {
		q := queue.New(broken{w.store, map[string]bool{c.method: true}}, w.news, w.clock.now, sevens{}, slog.New(slog.DiscardHandler))
		if err := c.call(q); !errors.Is(err, errAway) {
			t.Errorf("%s: got %v", c.method, err)
		}
	}
	dry := queue.New(w.store, w.news, w.clock.now, iotest.ErrReader(errAway), slog.New(slog.DiscardHandler))
	if _, err := dry.Take(ctx, worker("bob"), "reading"); !errors.Is(err, errAway) {
		t.Errorf("without randomness: %v", err)
	}
	// News that cannot be passed on stays to be passed on.
	w.submit(a)
	w.clock.add(time.Minute)
	again := w.replica()
	w.news.err = errAway
	if err := again.Sweep(ctx); !errors.Is(err, errAway) {
		t.Errorf("news away: %v", err)
	}
	w.news.err = nil
	q := queue.New(broken{w.store, map[string]bool{"Told": true}}, w.news, w.clock.now, sevens{}, slog.New(slog.DiscardHandler))
	if err := q.Sweep(ctx); !errors.Is(err, errAway) {
		t.Errorf("Told away: %v", err)
	}
	if err := again.Sweep(ctx); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(w.news.of(a.ID)); got != "[submitted ended ended]" {
		t.Errorf("told %s", got)
	}
}

// sevens is a source of randomness that has none.
type sevens struct{}

func (sevens) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}
