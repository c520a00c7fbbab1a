package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/labeling/notice"
	"fiducial/internal/messaging"
	"fiducial/internal/outbound"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

func posted(queue string, n int, at time.Time) []messaging.Queued {
	list := make([]messaging.Queued, n)
	for i := range list {
		list[i] = messaging.Queued{ID: fmt.Sprintf("%s-%03d", queue, i), Queue: queue, Body: fmt.Sprintf("body %d", i), Sender: "s", SentAt: at.Add(time.Duration(i)), VisibleAt: at, ExpiresAt: at.Add(time.Hour),
			Attributes: map[string]messaging.Attribute{"b": {DataType: "Binary", BinaryValue: []byte{0, 1}}}}
	}
	return list
}

// However many receive at once, each message is with one of them; and a receipt is
// good until somebody else has the message.
func TestReceiveInParallel(t *testing.T) {
	keys, err := envelope.NewWrapping()
	if err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		s := store.NewMessaging(db, keys)
		if _, err := s.PutQueue(ctx, messaging.Queue{Name: "q", Attributes: map[string]string{}, CreatedAt: now}); err != nil {
			t.Fatal(err)
		}
		const messages = 40
		if err := s.Post(ctx, append(posted("q", messages, now), posted("gone", 1, now)...), []outbound.Delivery{{ID: "d", Kind: outbound.HTTP, CreatedAt: now}}); err != nil {
			t.Fatal(err)
		}
		if list, err := store.NewOutbound(db, keys).Claim(ctx, now, now.Add(time.Minute), 9); err != nil || len(list) != 1 {
			t.Errorf("the delivery of the same transaction: %v, %v", list, err)
		}
		var mu sync.Mutex
		seen := map[string]messaging.Queued{}
		var wg sync.WaitGroup
		for r := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := 0; ; i++ {
					list, err := s.Receive(ctx, "q", fmt.Sprint("receipt-", r, "-", i), now, now.Add(30*time.Second), 3)
					if err != nil {
						t.Error(err)
						return
					}
					if len(list) == 0 {
						return
					}
					mu.Lock()
					for _, m := range list {
						if _, twice := seen[m.ID]; twice || m.Received != 1 || m.Attributes["b"].BinaryValue[1] != 1 {
							t.Errorf("%+v was received twice", m)
						}
						seen[m.ID] = m
					}
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
		if len(seen) != messages {
			t.Errorf("%d messages were received, want %d", len(seen), messages)
		}
		if c, err := s.Counts(ctx, "q", now); err != nil || c != (messaging.Counts{InFlight: messages}) {
			t.Errorf("%+v, %v", c, err)
		}
		old := seen["q-000"]
		if err := s.DeleteMessage(ctx, "q", "q-001", seen["q-001"].Receipt); err != nil {
			t.Fatal(err)
		}
		later := now.Add(31 * time.Second)
		again, err := s.Receive(ctx, "q", "later", later, later.Add(time.Minute), 1)
		if err != nil || len(again) != 1 || again[0].Received != 2 {
			t.Fatalf("%+v, %v", again, err)
		}
		if err := s.DeleteMessage(ctx, "q", old.ID, old.Receipt); err != nil {
			t.Fatal(err)
		}
		if ok, err := s.Hide(ctx, "q", again[0].ID, "not its receipt", later, later.Add(time.Hour)); err != nil || ok {
			t.Errorf("hidden by a wrong receipt: %v, %v", ok, err)
		}
		if err := s.DeleteMessage(ctx, "other", again[0].ID, "later"); err != nil {
			t.Fatal(err)
		}
		if c, _ := s.Counts(ctx, "q", later); c.Visible+c.InFlight != messages-1 {
			t.Errorf("%+v are left, want %d", c, messages-1)
		}
		if err := s.Expire(ctx, now.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if c, _ := s.Counts(ctx, "q", later); c != (messaging.Counts{}) {
			t.Errorf("%+v are left after the retention period", c)
		}
	})
}

// Messages are sealed: the database does not show them, and one that was moved to
// another row does not open.
func TestMessagesAreSealed(t *testing.T) {
	keys, err := envelope.NewWrapping()
	if err != nil {
		t.Fatal(err)
	}
	ctx, now := context.Background(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	db := storetest.SQLite(t)
	s := store.NewMessaging(db, keys)
	if _, err := s.PutQueue(ctx, messaging.Queue{Name: "q", Attributes: map[string]string{}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Post(ctx, posted("q", 2, now), nil); err != nil {
		t.Fatal(err)
	}
	var open int
	if err := db.Read().QueryRow(`select count(*) from sqs_messages where body not like 'sealed:%' or attributes not like 'sealed:%'`).Scan(&open); err != nil || open != 0 {
		t.Errorf("%d messages are open; %v", open, err)
	}
}

// Subscriptions go with their topic; a topic is updated only if it is there.
func TestTopics(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), store.NewMessaging(db, nil)
		sub := messaging.Subscription{ID: "1", Topic: "t", Protocol: "sqs", Endpoint: "e"}
		if _, err := s.PutSubscription(ctx, sub); !fault.Is(err, fault.NotFound) {
			t.Errorf("subscribed to nothing: %v", err)
		}
		for _, attributes := range []map[string]string{{"a": "1"}, {"a": "2"}} {
			if got, err := s.PutTopic(ctx, messaging.Topic{Name: "t", Attributes: attributes}); err != nil || got.Attributes["a"] != "1" {
				t.Errorf("%+v, %v", got, err)
			}
		}
		for _, id := range []string{"1", "2"} {
			sub.ID = id
			if got, err := s.PutSubscription(ctx, sub); err != nil || got.ID != "1" {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if err := s.UpdateSubscription(ctx, "1", func(b *messaging.Subscription) error { b.Raw = true; return nil }); err != nil {
			t.Error(err)
		}
		if list, err := s.Subscriptions(ctx, "", "", 9); err != nil || len(list) != 1 || !list[0].Raw {
			t.Errorf("%+v, %v", list, err)
		}
		if err := s.DeleteTopic(ctx, "t"); err != nil {
			t.Error(err)
		}
		if list, err := s.Subscriptions(ctx, "", "", 9); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		if err := s.UpdateTopic(ctx, "t", func(*messaging.Topic) error { return nil }); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

// A claim is all or nothing, with its delivery, and one of many at once.
func TestNoticeClaims(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		s := store.NewNotices(db, nil)
		claim := func(at time.Time, id string, claims ...notice.Claim) bool {
			ok, err := s.Claim(ctx, claims, at, outbound.Delivery{ID: id, Kind: outbound.Mail, CreatedAt: at})
			if err != nil {
				t.Error(err)
			}
			return ok
		}
		hour := notice.Claim{Subject: "mail/w", Again: time.Hour}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if claim(now, fmt.Sprint("a", i), hour, notice.Claim{Subject: "job/1/mail/w"}) {
					mu.Lock()
					won++
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d of four claims won", won)
		}
		if claim(now.Add(59*time.Minute), "b", hour, notice.Claim{Subject: "job/2/mail/w"}) {
			t.Error("a second mail within the hour")
		}
		if told, _ := s.Told(ctx, "job/2/"); len(told) != 0 {
			t.Errorf("a claim that lost left %v", told)
		}
		if !claim(now.Add(time.Hour), "c", hour, notice.Claim{Subject: "job/2/mail/w"}) || claim(now.Add(3*time.Hour), "d", hour, notice.Claim{Subject: "job/1/mail/w"}) {
			t.Error("after the hour the other job is told, and the first never again")
		}
		if err := s.Forget(ctx, "job/1/"); err != nil || !claim(now.Add(4*time.Hour), "e", hour, notice.Claim{Subject: "job/1/mail/w"}) {
			t.Errorf("after it was forgotten: %v", err)
		}
		if list, err := store.NewOutbound(db, nil).Claim(ctx, now.Add(5*time.Hour), now.Add(6*time.Hour), 99); err != nil || len(list) != 3 {
			t.Errorf("%d deliveries, want 3; %v", len(list), err)
		}
	})
}
