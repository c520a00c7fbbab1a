package access

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// houseStore notes what is dropped.
type houseStore struct {
	Store
	before time.Time
	err    error
}

func (h *houseStore) DropRevocations(_ context.Context, before time.Time) error {
	h.before = before
	return h.err
}

// Revocations are forgotten when every session they could concern has expired.
func TestKeepHouse(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	h := &houseStore{}
	s := &Service{o: Options{Store: h, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}}
	s.index.init()
	gone := Subject{OfAssignment, "gone"}
	s.index.add(&Revocation{Seq: 1, Subject: gone, Expires: now.Add(LongestSession)})
	s.index.add(&Revocation{Seq: 2, Subject: Subject{OfWorker, "w"}, Expires: now.Add(LongestSession + time.Hour)})
	s.index.add(&Revocation{Seq: 3, Subject: Subject{"newer", "x"}, Expires: now.Add(time.Hour)}) // of a newer version
	now = now.Add(LongestSession)
	s.keepHouse(context.Background())
	if s.index.last(gone) != 1 {
		t.Error("forgotten too early")
	}
	now = now.Add(time.Second)
	h.err = errors.New("broken") // is logged
	s.keepHouse(context.Background())
	if s.index.last(gone) != 0 || s.index.last(Subject{OfWorker, "w"}) != 2 || !h.before.Equal(now) {
		t.Error("not forgotten, or too much")
	}
	if n := s.index.sweep(now.Add(24 * time.Hour)); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// An earlier row that arrives later does not make a subject's end younger.
func TestIndexKeepsTheHighest(t *testing.T) {
	var x index
	x.init()
	sub := Subject{OfTeam, "t"}
	far := time.Unix(2000, 0)
	x.add(&Revocation{Seq: 7, Subject: sub, Expires: far})
	x.add(&Revocation{Seq: 3, Subject: sub, Expires: time.Unix(1000, 0)})
	if x.last(sub) != 7 || x.sweep(time.Unix(1500, 0)) != 1 {
		t.Error(x.last(sub))
	}
	if x.last(Subject{OfTeam, "u"}) != 0 {
		t.Error("another team's")
	}
}
