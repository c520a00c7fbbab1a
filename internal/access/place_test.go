package access_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// networks admits addresses of some networks.
type networks []string

func (n networks) Admits(_ context.Context, o origin.Origin) (bool, error) {
	return slices.ContainsFunc(n, func(cidr string) bool { return netip.MustParsePrefix(cidr).Contains(o.Addr) }), nil
}

var everywhere = networks{"0.0.0.0/0", "::/0"}

func newKeys(t testing.TB) *envelope.Keyset {
	t.Helper()
	keys, err := envelope.New()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (w *world) places(keys access.Sealer, account string, admits access.Admitter) *access.Places {
	return access.NewPlaces(access.PlacesOptions{Store: store.NewPlaces(w.db), Keys: keys, Grants: w.Service, Admits: admits,
		Audit: w.audit, Account: account, Now: w.clock.now, Rand: rand.Reader})
}

func (w *world) arrival(statement string) access.Arrival {
	return access.Arrival{Worker: workerID, Job: "job-1", Team: "team", Assignment: "a-1", SignIn: "s-1", Agent: "test",
		Origin: from("2001:db8::7"), Statement: statement, Expires: w.clock.now().Add(time.Hour)}
}

func (w *world) statement(p *access.Places, o origin.Origin, browser string) string {
	w.t.Helper()
	ticket, err := p.Ticket("s-1", "a-1")
	w.ok(err)
	s, err := p.Witness(ticket, o, browser)
	w.ok(err)
	return s
}

// at is the request of a worker at a place.
func (w *world) at(p access.Place) access.Request {
	r := w.request()
	r.Origin, r.Media, r.Grant.Place, r.Grant.Browser = from("2001:db8::7"), p.Media, p.ID, p.Browser
	return r
}

// A worker reaches the portal by IPv6 and the media by IPv4: grants are bound to
// the latter, and both are on record.
func TestDualStackPlace(t *testing.T) {
	w := newWorld(t, true)
	p := w.places(newKeys(t), account, everywhere)
	place, moved, err := p.Arrive(context.Background(), w.arrival(w.statement(p, from("192.0.2.7"), "")))
	w.ok(err)
	if moved || !place.Probed || place.Media.Addr != netip.MustParseAddr("192.0.2.7") || place.Portal != "2001:db8::7" || !place.Fresh(w.clock.now()) {
		t.Errorf("%+v, moved %v", place, moved)
	}
	e := w.audit.last(t)
	if e.Verdict != audit.Allow || e.Action != "portal:LocateWorker" || e.Origin != "2001:db8::7" || e.MediaAddr != "192.0.2.7" || e.Place != place.ID || e.FormerMedia != "" {
		t.Errorf("recorded %+v", e)
	}
	u := w.mint(w.at(place))
	w.stands(w.Service, u)
	if err := w.open(w.Service, "GET", u, from("2001:db8::7")); !fault.Is(err, fault.Denied) {
		t.Errorf("opens at the portal's address: %v", err)
	}
	e = w.audit.last(t)
	if e.Kind != audit.Grant || e.Origin != "2001:db8::7" || e.MediaAddr != "192.0.2.7" || e.Bound != "aws:SourceIp 192.0.2.7/32" || e.Place != place.ID {
		t.Errorf("recorded %+v", e)
	}
	stored, err := p.Of(context.Background(), "a-1", "s-1")
	if err != nil || stored != place {
		t.Errorf("%+v, %v", stored, err)
	}
}

// A worker moves: what was made for the former place is over at every replica,
// what is made for the new one stands, at every replica.
func TestMovingEndsTheFormerPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := worldOn(t, db, false)
		p := w.places(newKeys(t), account, everywhere)
		ctx := context.Background()
		first, _, err := p.Arrive(ctx, w.arrival(w.statement(p, from("192.0.2.7"), "")))
		w.ok(err)
		old := w.mint(w.at(first))
		again, moved, err := p.Arrive(ctx, w.arrival(w.statement(p, from("192.0.2.7"), "")))
		if err != nil || moved || again.ID != first.ID {
			t.Fatalf("the same place again: %+v, %v, %v", again, moved, err)
		}
		w.stands(w.Service, old)

		second, moved, err := p.Arrive(ctx, w.arrival(w.statement(p, from("198.51.100.9"), "")))
		if err != nil || !moved || second.ID == first.ID {
			t.Fatalf("another place: %+v, %v, %v", second, moved, err)
		}
		if e := w.audit.last(t); e.FormerMedia != "192.0.2.7" || e.MediaAddr != "198.51.100.9" || e.Verdict != audit.Allow {
			t.Errorf("recorded %+v", e)
		}
		w.ended(w.Service, old)
		// A replica that has not heard of it yet makes grants for the new place all the same.
		behind := w.replica(w.store, false)
		u, err := behind.Mint(ctx, w.at(second))
		w.ok(err)
		for _, svc := range []*access.Service{w.Service, behind} {
			if err := w.open(svc, "GET", u, from("198.51.100.9")); err != nil {
				t.Errorf("the new place: %v", err)
			}
			w.ended(svc, old)
		}
		if _, err := w.Mint(ctx, w.at(first)); !fault.Is(err, fault.Denied) {
			t.Errorf("a grant for the former place: %v", err)
		}
	})
}

// Another browser at the same address is another place; so is another endpoint.
func TestWhatMakesAPlace(t *testing.T) {
	w := newWorld(t, true)
	p := w.places(newKeys(t), account, everywhere)
	seen := map[string]bool{}
	for _, s := range []struct {
		o       origin.Origin
		browser string
	}{
		{from("192.0.2.7"), "one"}, {from("192.0.2.7"), "two"}, {from("192.0.2.7"), ""}, {through("192.0.2.7", "vpce-1"), ""}, {through("192.0.2.7", "vpce-2"), ""},
	} {
		place, _, err := p.Arrive(context.Background(), w.arrival(w.statement(p, s.o, s.browser)))
		w.ok(err)
		if seen[place.ID] || place.Browser != s.browser || place.Media.VPCE != s.o.VPCE {
			t.Errorf("%+v for %+v", place, s)
		}
		seen[place.ID] = true
	}
	// Without a statement it is the portal's view.
	place, moved, err := p.Arrive(context.Background(), w.arrival(""))
	if err != nil || !moved || place.Probed || place.Media.Addr != netip.MustParseAddr("2001:db8::7") || place.Browser != "" {
		t.Errorf("%+v, %v, %v", place, moved, err)
	}
}

// What a statement is not taken for. Each refusal is on record.
func TestStatementsRefused(t *testing.T) {
	w := newWorld(t, true)
	keys := newKeys(t)
	inside := networks{"192.0.2.0/24"}
	p := w.places(keys, account, inside)
	ctx := context.Background()
	good := func() string { return w.statement(p, from("192.0.2.7"), "digest") }
	ticket := func(p *access.Places, signIn, assignment string) string {
		s, err := p.Ticket(signIn, assignment)
		w.ok(err)
		return s
	}
	witness := func(p *access.Places, ticket string) string {
		s, err := p.Witness(ticket, from("192.0.2.7"), "digest")
		w.ok(err)
		return s
	}
	other := w.places(newKeys(t), account, inside)
	elsewhere := w.places(keys, "111111111111", inside)
	used := good()
	if _, _, err := p.Arrive(ctx, w.arrival(used)); err != nil {
		t.Fatal(err)
	}
	twice := ticket(p, "s-1", "a-1")
	first, second := witness(p, twice), witness(p, twice)
	if _, _, err := p.Arrive(ctx, w.arrival(first)); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, statement, code string }{
		{"replayed", used, access.CodeStale},
		{"another statement of a ticket that was used", second, access.CodeStale},
		{"of another sign-in", witness(p, ticket(p, "s-2", "a-1")), "InvalidStatement"},
		{"of another assignment", witness(p, ticket(p, "s-1", "a-2")), "InvalidStatement"},
		{"of no sign-in", witness(p, ticket(p, "", "a-1")), "InvalidStatement"},
		{"the ticket itself", ticket(p, "s-1", "a-1"), "InvalidStatement"},
		{"sealed by a stranger", w.statement(other, from("192.0.2.7"), ""), "InvalidStatement"},
		{"of another account", w.statement(elsewhere, from("192.0.2.7"), ""), "InvalidStatement"},
		{"a session token's seal", mustSeal(t, keys, "x", "fiducial session "+account), "InvalidStatement"},
		{"sealed for the purpose, but nothing", mustSeal(t, keys, "", "fiducial probe statement "+account), "InvalidStatement"},
		{"sealed for the purpose, but more", mustSeal(t, keys, strings.Repeat("\x01", 200), "fiducial probe statement "+account), "InvalidStatement"},
		{"not base64", "%%%", "InvalidStatement"},
		{"long", strings.Repeat("A", 1<<20), "InvalidStatement"},
		{"cut", good()[:60], "InvalidStatement"},
		{"from outside the networks", w.statement(p, from("203.0.113.9"), ""), access.CodeNotAdmitted},
		{"from outside the networks by IPv6", w.statement(p, from("2001:db8::9"), ""), access.CodeNotAdmitted},
	}
	stands, err := p.Of(ctx, "a-1", "s-1")
	w.ok(err)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := p.Arrive(ctx, w.arrival(tc.statement))
			if !fault.Is(err, fault.Denied) || fault.CodeOf(err) != tc.code {
				t.Errorf("%v, want the code %s", err, tc.code)
			}
			if e := w.audit.last(t); e.Verdict != audit.Deny || e.Action != "portal:LocateWorker" || e.Error != tc.code || e.Worker != workerID {
				t.Errorf("recorded %+v", e)
			}
		})
	}
	t.Run("expired", func(t *testing.T) {
		s := good()
		w.clock.add(access.ProbeLife)
		if _, _, err := p.Arrive(ctx, w.arrival(s)); fault.CodeOf(err) != access.CodeStale {
			t.Errorf("%v", err)
		}
	})
	if now, err := p.Of(ctx, "a-1", "s-1"); err != nil || now != stands {
		t.Errorf("a refused statement moved the worker: %+v, %v", now, err)
	}
}

func mustSeal(t *testing.T, keys *envelope.Keyset, plain, purpose string) string {
	t.Helper()
	s, err := keys.Seal([]byte(plain), purpose)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Not one bit of a statement or of a ticket can be changed.
func TestStatementsTampered(t *testing.T) {
	w := newWorld(t, true)
	p := w.places(newKeys(t), account, everywhere)
	ticket, err := p.Ticket("s-1", "a-1")
	w.ok(err)
	statement, err := p.Witness(ticket, from("192.0.2.7"), "digest")
	w.ok(err)
	flips := func(sealed string, try func(string) error) {
		raw, err := base64.RawURLEncoding.DecodeString(sealed)
		w.ok(err)
		for i := range raw {
			for bit := range 8 {
				forged := slices.Clone(raw)
				forged[i] ^= 1 << bit
				if err := try(base64.RawURLEncoding.EncodeToString(forged)); !fault.Is(err, fault.Denied) {
					t.Fatalf("bit %d of byte %d: %v", bit, i, err)
				}
			}
		}
	}
	flips(ticket, func(s string) error { _, err := p.Witness(s, from("192.0.2.7"), ""); return err })
	flips(statement, func(s string) error {
		_, _, err := p.Arrive(context.Background(), w.arrival(s))
		return err
	})
	if _, _, err := p.Arrive(context.Background(), w.arrival(statement)); err != nil {
		t.Errorf("untouched: %v", err)
	}
}

func TestTicketsRefused(t *testing.T) {
	w := newWorld(t, true)
	p := w.places(newKeys(t), account, everywhere)
	ticket, err := p.Ticket("s-1", "a-1")
	w.ok(err)
	if _, err := p.Witness(ticket, origin.Origin{}, ""); fault.CodeOf(err) != "UnknownOrigin" {
		t.Errorf("from nowhere: %v", err)
	}
	for _, bad := range []string{"", "x", strings.Repeat("A", 10_000), w.statement(p, from("192.0.2.7"), "")} {
		if _, err := p.Witness(bad, from("192.0.2.7"), ""); fault.CodeOf(err) != "InvalidTicket" {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	w.clock.add(access.ProbeLife)
	if _, err := p.Witness(ticket, from("192.0.2.7"), ""); fault.CodeOf(err) != "ExpiredTicket" {
		t.Errorf("late: %v", err)
	}
}

// One statement, brought many times at once to many replicas, counts once.
func TestStatementCountsOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := worldOn(t, db, false)
		p := w.places(newKeys(t), account, everywhere)
		s := w.statement(p, from("192.0.2.7"), "")
		var taken atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				switch _, _, err := p.Arrive(context.Background(), w.arrival(s)); {
				case err == nil:
					taken.Add(1)
				case fault.CodeOf(err) != access.CodeStale:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := taken.Load(); n != 1 {
			t.Errorf("taken %d times", n)
		}
	})
}

// An arrival that cannot be recorded is none.
func TestArrivalIsRecordedOrRefused(t *testing.T) {
	w := newWorld(t, true)
	p := w.places(newKeys(t), account, everywhere)
	s := w.statement(p, from("192.0.2.7"), "")
	w.audit.err = errBroken
	if place, _, err := p.Arrive(context.Background(), w.arrival(s)); err == nil || place.ID != "" {
		t.Errorf("%+v, %v", place, err)
	}
}

func FuzzWitness(f *testing.F) {
	w := newWorld(f, true)
	p := w.places(newKeys(f), account, everywhere)
	ticket, err := p.Ticket("s-1", "a-1")
	w.ok(err)
	statement, err := p.Witness(ticket, from("192.0.2.7"), "digest")
	w.ok(err)
	for _, s := range []string{ticket, statement, "", "AQ", ticket[:40]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := p.Witness(s, from("192.0.2.7"), ""); (err == nil) != (s == ticket) {
			t.Errorf("%q: %v", s, err)
		}
	})
}
