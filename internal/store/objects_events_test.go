package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/blob"
	"fiducial/internal/envelope"
	"fiducial/internal/objects"
	"fiducial/internal/outbound"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// telling tells of a write at an instant; got gets the sequencer of each try.
func telling(id string, at time.Time, got *int64) *objects.Telling {
	return &objects.Telling{At: at, Make: func(sequencer int64) (outbound.Delivery, error) {
		*got = sequencer
		return outbound.Delivery{ID: id, Kind: objects.EventNotification, Origin: "b", Target: "t", Body: fmt.Appendf(nil, "told %d", sequencer), CreatedAt: at}, nil
	}}
}

func TestBucketNotifications(t *testing.T) {
	eachObjects(t, func(t *testing.T, s *store.Objects) {
		want := []objects.Notification{{ID: "a", Topic: "arn:t", Events: []string{"s3:ObjectCreated:*"}, FilterRules: []objects.FilterRule{{Name: "prefix", Value: "p/"}}},
			{ID: "b", Queue: "arn:q", Events: []string{"s3:ObjectRemoved:Delete"}}}
		ok(t, s.UpdateBucket(bg, "b", func(b *objects.Bucket) { b.Notifications = want }))
		b, err := s.Bucket(bg, "b")
		ok(t, err)
		if d := cmp.Diff(want, b.Notifications); d != "" {
			t.Error(d)
		}
		ok(t, s.UpdateBucket(bg, "b", func(b *objects.Bucket) { b.Notifications = nil }))
		if b, err = s.Bucket(bg, "b"); err != nil || b.Notifications != nil {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

// What is told is promised if and only if the row is written, and the sequencer of a
// key goes up whatever the clock does and also when the object was gone.
func TestEventsAreToldWithTheRow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		keys, err := envelope.New()
		ok(t, err)
		s, events := store.NewObjects(db).Sealed(keys), store.NewEvents(db, keys)
		ok(t, s.CreateBucket(bg, objects.Bucket{Name: "b", CreatedAt: noon}))
		var seq [6]int64
		write := func(i int, at time.Time) {
			t.Helper()
			_, err := s.PutObject(bg, object("k", blob.ID(fmt.Sprint(i))), nil, telling(fmt.Sprint("put ", i), at, &seq[i]), nil)
			ok(t, err)
		}
		write(0, noon)
		write(1, noon)                 // within the same microsecond
		write(2, noon.Add(-time.Hour)) // a clock that was set back
		existed, _, err := s.DeleteObject(bg, "b", "k", telling("gone", noon, &seq[3]), nil)
		if err != nil || !existed {
			t.Fatal(existed, err)
		}
		write(4, noon.Add(-time.Minute))
		write(5, noon.Add(time.Minute))
		if !slices.IsSorted(seq[:]) || len(slices.Compact(slices.Clone(seq[:]))) != len(seq) {
			t.Errorf("the sequencers of a key do not go up: %v", seq)
		}
		if seq[5] != store.Micros(noon.Add(time.Minute)) {
			t.Errorf("the last sequencer is %d, want the time", seq[5])
		}

		// What is not written is not told.
		var none int64
		refused := errors.New("refused")
		if _, err := s.PutObject(bg, object("k", "x"), nil, telling("no put", noon, &none), func(*objects.Object) error { return refused }); !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
		_, err = s.PutObject(bg, &objects.Object{Bucket: "none", Key: "k"}, nil, telling("no bucket", noon, &none), nil)
		wantCode(t, err, "NoSuchBucket")
		if existed, _, err := s.DeleteObject(bg, "b", "another", telling("no delete", noon, &none), nil); existed || err != nil {
			t.Error(existed, err)
		}
		// And what cannot be told is not written.
		bad := &objects.Telling{At: noon, Make: func(int64) (outbound.Delivery, error) { return outbound.Delivery{}, refused }}
		if _, err := s.PutObject(bg, object("untold", "x"), nil, bad, nil); !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
		_, err = s.Object(bg, "b", "untold")
		wantCode(t, err, "NoSuchKey")

		list, err := events.Claim(bg, noon.Add(time.Hour), noon.Add(2*time.Hour), 99)
		ok(t, err)
		got := map[string]string{}
		for _, d := range list {
			got[d.ID] = string(d.Body)
		}
		want := map[string]string{}
		for i, id := range []string{"put 0", "put 1", "put 2", "gone", "put 4", "put 5"} {
			want[id] = fmt.Sprint("told ", seq[i])
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		// They are not what goes to somebody outside, and lie sealed.
		if waiting, _, err := store.NewOutbound(db, keys).Standing(bg); err != nil || waiting != 0 {
			t.Errorf("%d deliveries to somebody outside, %v", waiting, err)
		}
		var body string
		ok(t, db.Read().QueryRow("select body from s3_event_deliveries where id = 'gone'").Scan(&body))
		if strings.Contains(body, "told") {
			t.Errorf("the row has the message in the clear: %s", body)
		}

		// A sequencer that no clock can be behind is forgotten.
		ok(t, s.ForgetSequencers(bg, noon.Add(time.Minute)))
		var rows int
		count := func() int {
			ok(t, db.Read().QueryRow("select count(*) from s3_event_sequencers").Scan(&rows))
			return rows
		}
		if count() != 1 {
			t.Errorf("%d sequencers, want 1", rows)
		}
		ok(t, s.ForgetSequencers(bg, noon.Add(time.Hour)))
		if count() != 0 {
			t.Errorf("%d sequencers, want none", rows)
		}
	})
}

// Writers of one key at the same time get sequencers of their own, and the row that
// stands has the highest.
func TestSequencersInParallel(t *testing.T) {
	eachObjects(t, func(t *testing.T, s *store.Objects) {
		const writers = 8
		var seq [writers]int64
		var errs [writers]error
		var wg sync.WaitGroup
		for i := range writers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				_, errs[i] = s.PutObject(bg, object("k", blob.ID(fmt.Sprint(i))), nil, telling(fmt.Sprint(i), noon, &seq[i]), nil)
			}()
		}
		wg.Wait()
		ok(t, errors.Join(errs[:]...))
		o, err := s.Object(bg, "b", "k")
		ok(t, err)
		last := slices.Index(seq[:], slices.Max(seq[:]))
		if o.Blob != blob.ID(fmt.Sprint(last)) {
			t.Errorf("the object of writer %s stands; the highest sequencer is writer %d's: %v", o.Blob, last, seq)
		}
		all := slices.Sorted(slices.Values(seq[:]))
		if len(slices.Compact(all)) != writers {
			t.Errorf("a sequencer twice: %v", seq)
		}
	})
}
