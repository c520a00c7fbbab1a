package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

// Takes at the same time look in different places, and one after the other all in
// the first.
func TestTakersKeepApart(t *testing.T) {
	k := takers{jobs: map[int64]*[maxCrowd]bool{}}
	for range 3 {
		place, skip := k.enter(1)
		if skip != 0 {
			t.Fatalf("a take by itself passes over %d objects", skip)
		}
		k.leave(1, place)
	}
	seen := map[int]bool{}
	var places []int
	for range maxCrowd {
		place, skip := k.enter(1)
		if seen[skip] {
			t.Fatalf("two takes pass over %d objects", skip)
		}
		seen[skip], places = true, append(places, place)
	}
	if place, skip := k.enter(1); place >= 0 || skip < 0 || skip >= maxCrowd {
		t.Errorf("when all places are taken it is %d, %d", place, skip)
	} else {
		k.leave(1, place)
	}
	if _, skip := k.enter(2); skip != 0 {
		t.Errorf("a take of another job passes over %d objects", skip)
	}
	k.leave(2, 0)
	k.leave(1, places[5])
	if place, _ := k.enter(1); place != places[5] {
		t.Errorf("the free place is %d, got %d", places[5], place)
	}
	for _, p := range places {
		k.leave(1, p)
	}
	if len(k.jobs) != 0 {
		t.Errorf("%d jobs are kept", len(k.jobs))
	}
}

// Texts that come once, as those with numbers in them, do not drive out statements
// that come again.
func TestTextsThatComeOnce(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, err := db.reader.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var n int
	for i := range 5 * maxStatements {
		for _, text := range []string{"select 1", fmt.Sprint("select ", i+2)} {
			if err := c.QueryRowContext(ctx, text).Scan(&n); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = c.Raw(func(d any) error {
		k := d.(*keptConn)
		if k.kept["select 1"] == nil || len(k.kept) > 8 || len(k.seen) > maxSeen {
			return fmt.Errorf("%d statements are kept, %d texts known, the one that came again: %v", len(k.kept), len(k.seen), k.kept["select 1"])
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
