package access_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// TestEveryReasonEnds: whatever a grant rests on, its end is the grant's, at once
// here and at the next reading elsewhere; grants that rest on others stand.
func TestEveryReasonEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := worldOn(t, db, false)
		other := w.replica(w.store, false)
		ctx := context.Background()
		for _, tc := range []struct {
			kind, id string
			final    bool
		}{
			{access.OfAssignment, "a-1", true}, {access.OfSignIn, "s-1", true}, {access.OfJob, "job-1", true}, {access.OfGrant, "", true},
			{access.OfWorker, workerID, false}, {access.OfTeam, w.request().Grant.Team, false}, {access.OfAll, "", false},
		} {
			t.Run(tc.kind, func(t *testing.T) {
				w := &world{Service: w.Service, t: t, clock: w.clock, iam: w.iam, db: w.db, store: w.store, audit: w.audit}
				r := w.request()
				// What this case ends is its own, so that earlier cases do not count.
				for _, m := range []*string{&r.Grant.Assignment, &r.Grant.SignIn, &r.Grant.Job} {
					*m += "-" + tc.kind
				}
				u := w.mint(r)
				e := w.audit.last(t)
				stranger := r
				stranger.Grant = identity.Grant{Worker: "other", Job: "other", Team: "other", Assignment: "other-" + tc.kind, SignIn: "other"}
				s := w.mint(stranger)
				w.stands(w.Service, u)
				w.stands(other, u)

				sub := access.Subject{Kind: tc.kind, ID: tc.id}
				switch tc.kind {
				case access.OfAssignment, access.OfSignIn, access.OfJob:
					sub.ID += "-" + tc.kind
				case access.OfGrant:
					sub.ID = e.GrantID
				}
				w.ok(w.Revoke(ctx, "because", sub))
				w.ended(w.Service, u)
				w.clock.add(time.Second)
				w.ended(other, u)
				if tc.kind == access.OfAll {
					w.ended(w.Service, s)
				} else {
					w.stands(w.Service, s)
					w.stands(other, s)
				}

				// New rights make new grants, unless the reason is gone for good.
				again, err := w.Mint(ctx, r)
				switch {
				case !tc.final || tc.kind == access.OfGrant:
					w.ok(err)
					w.stands(w.Service, again)
					w.stands(other, again)
				case !fault.Is(err, fault.Denied):
					t.Errorf("a grant was made again: %v", err)
				}
				w.ended(w.Service, u)
			})
		}
	})
}

// A grant made at the same instant as a revocation is judged by the order of
// commits; the clock does not matter, nor does one that is set back.
func TestOrderIsNotAMatterOfClocks(t *testing.T) {
	w := newWorld(t, false)
	worker := access.Subject{Kind: access.OfWorker, ID: workerID}
	before := w.mint(w.request())
	w.ok(w.Revoke(context.Background(), "removed", worker))
	after := w.mint(w.request())
	w.ended(w.Service, before)
	w.stands(w.Service, after)
	w.clock.add(-10 * time.Second)
	w.ok(w.Revoke(context.Background(), "removed again", worker))
	w.clock.add(10 * time.Second)
	w.ended(w.Service, after)
}

// A right that ends between the moment it was read and the grant ends the grant.
func TestSinceClosesTheGap(t *testing.T) {
	w := newWorld(t, true)
	r := w.request()
	r.Since = w.Epoch()
	w.ok(w.Revoke(context.Background(), "removed", access.Subject{Kind: access.OfWorker, ID: workerID}))
	if _, err := w.Mint(context.Background(), r); !fault.Is(err, fault.Denied) {
		t.Errorf("minted by rights that are gone: %v", err)
	}
	r.Since = w.Epoch()
	w.stands(w.Service, w.mint(r))
}

// A replica that has not read for a while reads before it answers, and refuses if
// it cannot: a grant never outlives its reason because a database is away.
func TestStaleKnowledgeIsNotUsed(t *testing.T) {
	w := newWorld(t, false)
	other := w.replica(store.NewAccess(w.db), false)
	u := w.mint(w.request())
	w.ok(other.Revoke(context.Background(), "submitted", access.Subject{Kind: access.OfAssignment, ID: "a-1"}))
	polls := w.store.polls
	w.clock.add(600 * time.Millisecond)
	w.stands(w.Service, u) // not yet known, within the second
	if w.store.polls != polls {
		t.Error("every check reads")
	}
	w.clock.add(100 * time.Millisecond)
	w.ended(w.Service, u)

	w.store.fail(errBroken)
	w.stands(w.Service, w.mint(access.Request{Grant: identity.Grant{Worker: "w2", Assignment: "a-2"}, RoleARN: roleARN, Bucket: "media", Key: "k",
		Expires: w.clock.now().Add(time.Minute)}))
	w.clock.add(time.Second)
	if err := w.open(w.Service, "GET", u, from("192.0.2.7")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("answered without knowing: %v", err)
	}
	if _, err := w.Mint(context.Background(), w.request()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("minted without knowing: %v", err)
	}
	w.clock.add(-time.Hour) // a clock set back makes knowledge old, not young
	p := &identity.Principal{Grant: identity.Grant{ID: "x-1"}}
	if err := w.Check(p); !fault.Is(err, fault.Unavailable) {
		t.Errorf("answered without knowing: %v", err)
	}
}

// A replica that starts knows what ended before, and one alone never reads again.
func TestStart(t *testing.T) {
	w := newWorld(t, true)
	u := w.mint(w.request())
	w.ok(w.Revoke(context.Background(), "submitted", access.Subject{Kind: access.OfAssignment, ID: "a-1"}))
	w.ended(w.replica(w.store, true), u)
	polls := w.store.polls
	w.clock.add(10 * time.Minute)
	w.ended(w.Service, u)
	if w.store.polls != polls {
		t.Error("it reads although it is alone")
	}
	w.store.fail(errBroken)
	if _, err := access.New(context.Background(), access.Options{Store: w.store, Now: w.clock.now, Alone: true}); err == nil {
		t.Error("it started without knowing")
	}
}

// failsSecond fails from its second call on.
type failsRead struct{ access.Store }

func (failsRead) Revocations(context.Context, int64, int) ([]access.Revocation, error) {
	return nil, errBroken
}

func TestStartNeedsTheRows(t *testing.T) {
	w := newWorld(t, true)
	if _, err := access.New(context.Background(), access.Options{Store: failsRead{w.store}, Now: w.clock.now}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

// Numbers that expired rows had are not given again: a restart does not make old
// grants young or new ones old.
func TestEpochSurvivesHousekeeping(t *testing.T) {
	w := newWorld(t, true)
	for range 5 {
		w.ok(w.Revoke(context.Background(), "removed", access.Subject{Kind: access.OfWorker, ID: workerID}))
	}
	w.clock.add(24 * time.Hour)
	w.ok(w.store.DropRevocations(context.Background(), w.clock.now()))
	svc := w.replica(w.store, true)
	if svc.Epoch() != w.Epoch() || svc.Epoch() != 6 {
		t.Errorf("epoch %d after a restart, %d before", svc.Epoch(), w.Epoch())
	}
}

// What cannot be written down is in force here all the same, and is written when
// that works again.
func TestRevokeWhenTheStoreFails(t *testing.T) {
	w := newWorld(t, false)
	r := w.request()
	u := w.mint(r)
	r2 := r
	r2.Grant = identity.Grant{Worker: "w2", Assignment: "a-2"}
	u2 := w.mint(r2)
	w.store.fail(errBroken)
	ctx := context.Background()
	if err := w.Revoke(ctx, "removed", access.Subject{Kind: access.OfWorker, ID: workerID}); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("%v", err)
	}
	w.ended(w.Service, u)
	w.stands(w.Service, u2)
	if e := w.audit.last(t); e.Kind != audit.Revoke || e.Worker != workerID {
		t.Errorf("recorded: %+v", e)
	}
	w.store.fail(nil)
	w.stands(w.replica(w.store, false), u)

	run, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() { done <- w.Run(run) }()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if last, err := w.store.LastRevocation(ctx); err == nil && last == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Run did not write the revocation")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.ended(w.replica(w.store, false), u)
	w.ended(w.Service, u)
}

func TestRevokeIsRecorded(t *testing.T) {
	w := newWorld(t, true)
	w.ok(w.Revoke(context.Background(), "nothing"))
	w.ok(w.Revoke(context.Background(), "submitted", access.Subject{Kind: access.OfAssignment, ID: "a-1"}, access.Subject{Kind: access.OfAssignment, ID: "a-2"},
		access.Subject{Kind: access.OfWorker, ID: "w"}, access.Subject{Kind: access.OfAll}))
	want := audit.Event{Time: w.clock.now(), Kind: audit.Revoke, Reason: "submitted", Assignment: "a-1 a-2", Worker: "w", Resource: "*"}
	if e := w.audit.last(t); e != want {
		t.Errorf("\n got %+v\nwant %+v", e, want)
	}
	w.audit.err = errBroken
	if err := w.Revoke(context.Background(), "submitted", access.Subject{Kind: access.OfAssignment, ID: "a-3"}); err == nil {
		t.Error("not recorded, and not said")
	}
	r := w.request()
	r.Grant.Assignment = "a-3"
	w.audit.err = nil
	if _, err := w.Mint(context.Background(), r); !fault.Is(err, fault.Denied) {
		t.Errorf("a revocation that was not recorded is not in force: %v", err)
	}
	for _, bad := range []access.Subject{{}, {Kind: "wroker", ID: "x"}, {Kind: access.OfWorker}, {Kind: access.OfAll, ID: "x"}} {
		if err := w.Revoke(context.Background(), "x", bad); !fault.Is(err, fault.Internal) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestCheckIsForGrants(t *testing.T) {
	w := newWorld(t, true)
	if err := w.Check(&identity.Principal{Type: identity.AssumedRole}); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"x", "x-", "x-0", "x--1", "-", "x-!", "x-zzzzzzzzzzzzzzzzzzzz"} {
		if err := w.Check(&identity.Principal{Type: identity.AssumedRole, Grant: identity.Grant{ID: id}}); !fault.Is(err, fault.Denied) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestRevokeInParallel: hundreds of workers who submit at once share commits, and
// what each is told is true.
func TestRevokeInParallel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := worldOn(t, db, false)
		other := w.replica(store.NewAccess(db), false)
		const n = 100
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				svc := w.Service
				if i%2 == 1 {
					svc = other
				}
				r := w.request()
				r.Grant = identity.Grant{Worker: fmt.Sprint("worker-", i), Assignment: fmt.Sprint("a-", i)}
				u, err := svc.Mint(context.Background(), r)
				if err != nil {
					t.Error(err)
					return
				}
				if err := svc.Revoke(context.Background(), "submitted", access.Subject{Kind: access.OfAssignment, ID: r.Grant.Assignment}, access.Subject{Kind: access.OfWorker, ID: r.Grant.Worker}); err != nil {
					t.Error(err)
					return
				}
				w.ended(svc, u)
			})
		}
		wg.Wait()
		last, err := w.store.LastRevocation(context.Background())
		if err != nil || last != 2*n {
			t.Errorf("%d numbers given, %v", last, err)
		}
		if w.store.adds >= n/2 {
			t.Errorf("%d writes for %d revocations: nothing is shared", w.store.adds, n/2)
		}
		rows, err := w.store.Revocations(context.Background(), 0, 10*n)
		w.ok(err)
		if len(rows) != 2*n {
			t.Fatalf("%d rows", len(rows))
		}
		for i, row := range rows {
			if row.Seq != int64(i)+1 {
				t.Fatalf("row %d has number %d", i, row.Seq)
			}
		}
	})
}

// Run reads what others write, within its interval, and ends when told.
func TestRun(t *testing.T) {
	w := newWorld(t, false)
	other := w.replica(store.NewAccess(w.db), false)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	w.ok(other.Revoke(ctx, "submitted", access.Subject{Kind: access.OfAssignment, ID: "a-1"}))
	start := time.Now()
	for w.Epoch() != other.Epoch() {
		if time.Since(start) > 10*time.Second {
			t.Fatal("Run did not read")
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.store.fail(errBroken)
	time.Sleep(2 * access.PollEvery) // a failure does not end it
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
