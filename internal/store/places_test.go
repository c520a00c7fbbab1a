package store_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

func TestPlaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewPlaces(db)
		at := time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC)
		if _, err := s.Place(ctx, "a", "s"); !fault.Is(err, fault.NotFound) {
			t.Fatalf("nothing there: %v", err)
		}
		never := func(*access.Place) bool { return false }
		first := access.Place{ID: "p1", Assignment: "a", SignIn: "s", Portal: "2001:db8::1 via vpce-9", Probed: true, Browser: "digest", At: at, Expires: at.Add(time.Hour),
			Media: origin.Origin{Addr: netip.MustParseAddr("192.0.2.7"), VPC: "vpc-1", VPCE: "vpce-1"}}
		now, former, err := s.SavePlace(ctx, first, "n1", never)
		if err != nil || now != first || former.ID != "" {
			t.Fatalf("%+v, %+v, %v", now, former, err)
		}
		if got, err := s.Place(ctx, "a", "s"); err != nil || got != first {
			t.Fatalf("%+v, %v", got, err)
		}
		second := access.Place{ID: "p2", Assignment: "a", SignIn: "s", At: at.Add(time.Minute), Expires: at.Add(2 * time.Hour)}
		if _, _, err := s.SavePlace(ctx, second, "n1", never); !fault.Is(err, fault.Exists) {
			t.Fatalf("a nonce twice: %v", err)
		}
		if got, err := s.Place(ctx, "a", "s"); err != nil || got != first {
			t.Fatalf("a refused nonce changed the place: %+v, %v", got, err)
		}
		if now, former, err = s.SavePlace(ctx, second, "", func(p *access.Place) bool { return p.ID == "p1" }); err != nil || now.ID != "p1" || former.ID != "" || !now.At.Equal(second.At) {
			t.Fatalf("kept: %+v, %+v, %v", now, former, err)
		}
		if now, former, err = s.SavePlace(ctx, second, "n2", never); err != nil || now != second || former.ID != "p1" {
			t.Fatalf("moved: %+v, %+v, %v", now, former, err)
		}
		// Another sign-in of the same assignment has a place of its own.
		if _, former, err = s.SavePlace(ctx, access.Place{ID: "p3", Assignment: "a", SignIn: "other", At: at, Expires: at}, "", never); err != nil || former.ID != "" {
			t.Fatalf("%+v, %v", former, err)
		}
		if err := s.DropPlaces(ctx, at.Add(30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Place(ctx, "a", "other"); !fault.Is(err, fault.NotFound) {
			t.Errorf("expired: %v", err)
		}
		if got, err := s.Place(ctx, "a", "s"); err != nil || got != second {
			t.Errorf("lives: %+v, %v", got, err)
		}
		if _, _, err := s.SavePlace(ctx, second, "n1", never); err != nil {
			t.Errorf("a nonce that was forgotten after its time: %v", err)
		}
	})
}
