package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/access"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

func TestAccess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewAccess(db)
		last, err := s.LastRevocation(ctx)
		if err != nil || last != 0 {
			t.Fatalf("%d, %v", last, err)
		}
		at := time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC)
		var want []access.Revocation
		for i := range 250 { // more than one statement's worth
			want = append(want, access.Revocation{Subject: access.Subject{Kind: access.OfAssignment, ID: fmt.Sprint("a-", i)}, Reason: "it's over", At: at, Expires: at.Add(time.Duration(i) * time.Minute)})
		}
		if last, err = s.AddRevocations(ctx, want[:240]); err != nil || last != 240 {
			t.Fatalf("%d, %v", last, err)
		}
		if last, err = s.AddRevocations(ctx, want[240:]); err != nil || last != 250 {
			t.Fatalf("%d, %v", last, err)
		}
		for i := range want {
			want[i].Seq = int64(i) + 1
		}
		got, err := s.Revocations(ctx, 0, 1000)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatal(err, diff)
		}
		if got, err = s.Revocations(ctx, 10, 5); err != nil || len(got) != 5 || got[0].Seq != 11 {
			t.Fatalf("%v, %v", got, err)
		}
		if err := s.DropRevocations(ctx, at.Add(100*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if got, err = s.Revocations(ctx, 0, 1000); err != nil || len(got) != 150 || got[0].Seq != 101 {
			t.Fatalf("%d rows, %v", len(got), err)
		}
		if last, err = s.LastRevocation(ctx); err != nil || last != 250 {
			t.Fatalf("%d, %v", last, err)
		}
	})
}

// TestAccessOrder pins that a reader who has seen a number never meets a smaller
// one later: what a replica skipped once it would never learn.
func TestAccessOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewAccess(db)
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for i := range 25 {
					row := access.Revocation{Subject: access.Subject{Kind: access.OfWorker, ID: fmt.Sprint(w, "-", i)}}
					if _, err := s.AddRevocations(ctx, []access.Revocation{row}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { writers.Wait(); close(done) }()
		seen := int64(0)
		for end := false; !end; {
			select {
			case <-done:
				end = true // once more after the last commit
			default:
			}
			rows, err := s.Revocations(ctx, seen, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				if r.Seq != seen+1 {
					t.Fatalf("number %d after %d", r.Seq, seen)
				}
				seen = r.Seq
			}
		}
		if seen != 100 {
			t.Fatalf("%d rows", seen)
		}
	})
}
