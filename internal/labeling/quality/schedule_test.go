package quality

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
)

// One task of every run is gold, at a place that differs from run to run, from
// worker to worker and from job to job.
func TestOneTaskOfEveryRunIsGold(t *testing.T) {
	for _, every := range []int{2, 3, 10, 37} {
		places := map[int64]int{}
		for w := range 20 {
			s := Slots{Secret: 7, Worker: fmt.Sprint("w", w), Every: every}
			for run := range int64(50) {
				gold := 0
				for i := range int64(every) {
					if s.Due(run*int64(every) + i) {
						gold++
						places[i]++
					}
				}
				if gold != 1 {
					t.Fatalf("run %d of %d tasks has %d gold questions", run, every, gold)
				}
			}
		}
		for i := range int64(every) {
			if got, even := places[i], 1000/every; got < even/3 || got > even*3 {
				t.Errorf("one task in %d: place %d is gold %d times of 1000", every, i, got)
			}
		}
	}
	a, b := Slots{7, "w", 10}, Slots{8, "w", 10}
	same := 0
	for run := range int64(100) {
		if a.place(run) == b.place(run) {
			same++
		}
	}
	if same > 30 {
		t.Errorf("two jobs have the same places in %d of 100 runs", same)
	}
}

// What a worker is told is waiting goes down by one with every task, whether
// it was gold or not: no counter tells the one from the other.
func TestAheadGoesDownByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		s := Slots{Secret: r.Int64(), Worker: "ann", Every: 2 + r.IntN(9)}
		ordinary, left, n := int64(r.IntN(60)), int64(r.IntN(12)), int64(r.IntN(30))
		for waiting := ordinary + s.Ahead(n, ordinary, left); ordinary > 0; n++ {
			if left > 0 && s.Due(n) {
				left--
			} else {
				ordinary--
			}
			now := ordinary + s.Ahead(n+1, ordinary, left)
			if now != waiting-1 {
				t.Fatalf("one task in %d, task %d: waiting goes from %d to %d", s.Every, n, waiting, now)
			}
			waiting = now
		}
	}
}

func TestTells(t *testing.T) {
	d := func(lines int, line func(i int) string, gold ...string) *Disguise {
		var raw []json.RawMessage
		for _, g := range gold {
			raw = append(raw, json.RawMessage(g))
		}
		out := NewDisguise(raw)
		for i := range lines {
			out.Line(json.RawMessage(line(i)))
		}
		return out
	}
	shuffled := rand.New(rand.NewPCG(3, 4)).Perm(100)
	pictures := func(i int) string {
		return fmt.Sprintf(`{"source-ref":"s3://b/scans/img-%04d.jpg","ward":%d}`, shuffled[i], i)
	}
	for _, c := range []struct {
		name, gold string
		lines      func(int) string
		accept     []string
		want       string
	}{
		{"like all others", `{"source-ref":"s3://b/scans/img-4711.jpg","ward":3}`, pictures, nil, ""},
		{"a member more", `{"source-ref":"s3://b/scans/img-4711.jpg","ward":3,"gold":true}`, pictures, nil, TellMembers},
		{"a member less", `{"source-ref":"s3://b/scans/img-4711.jpg"}`, pictures, nil, TellMembers},
		{"in another order", `{"ward":3,"source-ref":"s3://b/scans/img-4711.jpg"}`, pictures, nil, TellMembers},
		{"in a folder of its own", `{"source-ref":"s3://b/gold/img-4711.jpg","ward":3}`, pictures, nil, TellFolder},
		{"in another bucket", `{"source-ref":"s3://gold/scans/img-4711.jpg","ward":3}`, pictures, nil, TellFolder},
		{"a name of another make", `{"source-ref":"s3://b/scans/gold-4711.jpg","ward":3}`, pictures, nil, TellName},
		{"another ending", `{"source-ref":"s3://b/scans/img-4711.png","ward":3}`, pictures, nil, TellName},
		{"in the manifest too", `{"source-ref":"s3://b/scans/img-0007.jpg","ward":3}`, pictures, nil, TellDuplicate},
		{"as the requester knows", `{"source-ref":"s3://b/gold/img-4711.jpg","ward":3}`, pictures, []string{TellFolder}, ""},
		{"sorted, by number", `{"source":"text 207"}`, func(i int) string { return fmt.Sprintf(`{"source":"text %d"}`, i) }, nil, TellOrder},
		{"sorted, and known", `{"source":"text 207"}`, func(i int) string { return fmt.Sprintf(`{"source":"text %d"}`, i) }, []string{TellOrder}, ""},
		{"names are words", `{"source-ref":"s3://b/oak.jpg"}`, func(i int) string {
			return fmt.Sprintf(`{"source-ref":"s3://b/%c%c.jpg"}`, 'a'+shuffled[i]%26, 'a'+shuffled[i]/26)
		}, nil, ""},
	} {
		if got, words := d(100, c.lines, c.gold).Tell(1, json.RawMessage(c.gold), c.accept); got != c.want {
			t.Errorf("%s: %q (%s), want %q", c.name, got, words, c.want)
		}
	}
}
