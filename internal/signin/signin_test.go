package signin_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/signin"
	"fiducial/internal/signin/local"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
	"fiducial/internal/workforce"
)

type nothingChanged struct{}

func (nothingChanged) Changed(context.Context, string, ...workforce.Change) error { return nil }
func (nothingChanged) Running(context.Context, string) (bool, error)              { return false, nil }

// counting counts how often a password is looked at.
type counting struct {
	signin.Passwords
	checks atomic.Int64
}

func (c *counting) Check(ctx context.Context, w string, p signin.Password) (signin.Verdict, error) {
	c.checks.Add(1)
	return c.Passwords.Check(ctx, w, p)
}

type record struct {
	mu     sync.Mutex
	events []audit.Event
	err    error
}

func (r *record) Record(_ context.Context, e *audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, *e)
	return r.err
}

type world struct {
	*signin.Service
	t         *testing.T
	workers   *workforce.Service
	passwords *counting
	record    *record
	pool      string
	now       time.Time
	ended     []string
}

const right = "Correct-Horse-9"

func newWorld(t *testing.T, db *store.DB, limits signin.Limits) *world {
	t.Helper()
	w := &world{t: t, record: &record{}, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	now := func() time.Time { return w.now }
	ctx := context.Background()
	w.workers = workforce.New(workforce.Config{Store: store.NewWorkforce(db), Changes: nothingChanged{}, Jobs: nothingChanged{},
		Region: "us-east-1", Account: "000000000000", PortalHost: "127.0.0.1", Now: now, Random: rand.Reader})
	pool, err := w.workers.CreatePool(ctx, workforce.UserPool{Name: "pool", Policy: workforce.DefaultPolicy})
	w.must(err)
	w.pool = pool.ID
	client, err := w.workers.CreateClient(ctx, workforce.UserPoolClient{Pool: pool.ID, Name: "portal"}, false)
	w.must(err)
	_, err = w.workers.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "wf", UserPool: pool.ID, ClientID: client.ID})
	w.must(err)
	passwords, err := local.New(local.Config{Store: store.NewSignin(db), Directory: w.workers, Now: now, Parameters: local.Parameters{Memory: 64, Time: 1, Threads: 1}})
	w.must(err)
	w.passwords = &counting{Passwords: passwords}
	w.Service = signin.New(signin.Config{Store: store.NewSignin(db), Workers: w.workers, Passwords: w.passwords, Recorder: w.record,
		Ended: func(_ context.Context, _ string, ids ...string) error { w.ended = append(w.ended, ids...); return nil },
		Now:   now, Random: rand.Reader, Limits: limits})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// worker makes a person with a password.
func (w *world) worker(email string, permanent bool) workforce.Worker {
	w.t.Helper()
	p, err := w.workers.CreateWorker(context.Background(), workforce.NewWorker{Pool: w.pool, Username: email})
	w.must(err)
	w.must(w.passwords.SetPassword(context.Background(), p.ID, right, permanent))
	return p
}

func from(addr string) context.Context {
	return origin.With(context.Background(), origin.Origin{Addr: netip.MustParseAddr(addr)})
}

func (w *world) try(ctx context.Context, email, password string) (signin.Session, signin.Token, error) {
	return w.SignIn(ctx, signin.Attempt{Email: email, Password: signin.Password(password)})
}

func TestSignIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, signin.Limits{})
		ctx := from("192.0.2.1")
		ada := w.worker("ada@example.com", true)
		session, token, err := w.try(ctx, " ADA@example.com ", right)
		w.must(err)
		if session.Stage != signin.SignedIn || session.Worker != ada.ID || session.Origin != "192.0.2.1" {
			t.Errorf("session %+v", session)
		}
		got, worker, err := w.Session(ctx, token)
		w.must(err)
		if d := cmp.Diff(session, got); d != "" || worker.ID != ada.ID {
			t.Errorf("another session came back: %s", d)
		}
		w.must(w.SignOut(ctx, token))
		w.must(w.SignOut(ctx, token)) // again is no error
		if _, _, err := w.Session(ctx, token); fault.CodeOf(err) != signin.CodeNoSession {
			t.Errorf("after sign-out: %v", err)
		}
		if d := cmp.Diff([]string{session.ID}, w.ended); d != "" {
			t.Errorf("who rests on the session was told: %s", d)
		}
		var actions []string
		for _, e := range w.record.events {
			actions = append(actions, e.Action+" "+string(e.Verdict)+" "+e.Reason)
		}
		want := []string{"portal:SignIn allow signed-in", "portal:SignOut allow signed out"}
		if d := cmp.Diff(want, actions); d != "" {
			t.Error(d)
		}
	})
}

// Whatever is wrong, the answer is the same, and a password was hashed for it.
func TestNoEnumeration(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), signin.Limits{})
	w.worker("ada@example.com", true)
	out := w.worker("out@example.com", true)
	w.must(w.workers.SetEnabled(context.Background(), w.pool, out.Username, false))
	nobody, err := w.workers.CreateWorker(context.Background(), workforce.NewWorker{Pool: w.pool, Username: "nopassword@example.com"})
	w.must(err)
	for i, c := range []struct{ name, email, password string }{
		{"wrong password", "ada@example.com", "Wrong-Horse-9"},
		{"no such account", "eve@example.com", right},
		{"disabled, right password", "out@example.com", right},
		{"no password set", nobody.Email, right},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := w.passwords.checks.Load()
			_, token, err := w.try(from(fmt.Sprintf("192.0.2.%d", i+1)), c.email, c.password)
			if token != "" || fault.CodeOf(err) != signin.CodeNotAuthorized || fault.MessageOf(err) != "The e-mail address or the password is not right." {
				t.Errorf("got %v", err)
			}
			if n := w.passwords.checks.Load() - before; n != 1 {
				t.Errorf("%d password checks, want 1", n)
			}
		})
	}
	for _, e := range w.record.events {
		if b, _ := json.Marshal(e); strings.Contains(string(b), "eve@") {
			t.Error("what a stranger typed is on record")
		}
	}
}

func TestNewPassword(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), signin.Limits{})
	ctx := from("192.0.2.1")
	ada := w.worker("ada@example.com", false)
	first, temporary, err := w.try(ctx, "ada@example.com", right)
	w.must(err)
	_, other, err := w.try(ctx, "ada@example.com", right)
	w.must(err)
	if first.Stage != signin.NewPassword {
		t.Fatalf("stage %q, want a new password first", first.Stage)
	}
	if _, _, err := w.SetNewPassword(ctx, temporary, right, ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("the temporary password was taken again: %v", err)
	}
	if _, _, err := w.SetNewPassword(ctx, temporary, "short", ""); fault.CodeOf(err) != "InvalidPasswordException" {
		t.Errorf("a short password: %v", err)
	}
	session, token, err := w.SetNewPassword(ctx, temporary, "Another-Horse-8", "")
	w.must(err)
	if session.Stage != signin.SignedIn || token == temporary {
		t.Errorf("stage %q, same token: %v", session.Stage, token == temporary)
	}
	for name, old := range map[string]signin.Token{"the temporary session": temporary, "another with the temporary password": other} {
		if _, _, err := w.Session(ctx, old); fault.CodeOf(err) != signin.CodeNoSession {
			t.Errorf("%s lives on: %v", name, err)
		}
	}
	if got, _ := w.workers.Worker(ctx, ada.ID); got.Status != workforce.Confirmed {
		t.Errorf("status %q", got.Status)
	}
	if _, _, err := w.try(ctx, "ada@example.com", right); err == nil {
		t.Error("the temporary password still works")
	}
	if _, _, err := w.SetNewPassword(ctx, token, "Third-Horse-77", ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("a signed-in session set a password: %v", err)
	}
}

func TestTemporaryPasswordExpires(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), signin.Limits{})
	w.worker("ada@example.com", false)
	w.now = w.now.Add(7*24*time.Hour + time.Second)
	if _, _, err := w.try(from("192.0.2.1"), "ada@example.com", right); fault.CodeOf(err) != signin.CodeNotAuthorized {
		t.Errorf("got %v", err)
	}
}

func TestSessionEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, c := range []struct {
			name string
			do   func(*world, workforce.Worker, signin.Token)
			live bool
		}{
			{"nothing happens", func(*world, workforce.Worker, signin.Token) {}, true},
			{"used now and then", func(w *world, _ workforce.Worker, tk signin.Token) {
				for range 5 {
					w.now = w.now.Add(50 * time.Minute)
					_, _, err := w.Session(from("192.0.2.9"), tk)
					w.must(err)
				}
			}, true},
			{"idle", func(w *world, _ workforce.Worker, _ signin.Token) { w.now = w.now.Add(time.Hour) }, false},
			{"its end, though used", func(w *world, _ workforce.Worker, tk signin.Token) {
				for range 12 {
					w.now = w.now.Add(50 * time.Minute)
					_, _, _ = w.Session(from("192.0.2.9"), tk)
				}
			}, false},
			{"worker disabled", func(w *world, p workforce.Worker, _ signin.Token) {
				w.must(w.workers.SetEnabled(context.Background(), w.pool, p.Username, false))
			}, false},
			{"worker deleted", func(w *world, p workforce.Worker, _ signin.Token) {
				_, err := w.workers.DeleteWorker(context.Background(), w.pool, p.Username)
				w.must(err)
			}, false},
			{"ended by others", func(w *world, p workforce.Worker, _ signin.Token) {
				w.must(w.EndAll(context.Background(), p.ID, "test"))
			}, false},
			{"swept", func(w *world, _ workforce.Worker, _ signin.Token) {
				w.now = w.now.Add(time.Hour)
				w.must(w.Sweep(context.Background()))
				w.now = w.now.Add(-time.Hour)
			}, false},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := newWorld(t, storetest.SQLite(t), signin.Limits{Idle: time.Hour, Absolute: 8 * time.Hour})
				p := w.worker("ada@example.com", true)
				session, token, err := w.try(from("192.0.2.1"), "ada@example.com", right)
				w.must(err)
				c.do(w, p, token)
				_, _, err = w.Session(from("192.0.2.1"), token)
				if c.live != (err == nil) {
					t.Errorf("live: %v", err)
				}
				if told := len(w.ended) == 1 && w.ended[0] == session.ID; told == c.live {
					t.Errorf("told of the end: %v", w.ended)
				}
			})
		}
	})
}

// A token that a stranger planted or saw before is worth nothing after sign-in.
func TestFixation(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), signin.Limits{})
	w.worker("ada@example.com", true)
	w.worker("eve@example.com", true)
	ctx := from("192.0.2.1")
	_, planted, err := w.try(ctx, "eve@example.com", right)
	w.must(err)
	_, token, err := w.SignIn(ctx, signin.Attempt{Email: "ada@example.com", Password: right, Previous: planted})
	w.must(err)
	if token == planted {
		t.Error("the planted token was kept")
	}
	if _, _, err := w.Session(ctx, planted); err == nil {
		t.Error("the planted session lives on")
	}
	for _, odd := range []signin.Token{"", "x", signin.Token(strings.Repeat("A", 43)), signin.Token(strings.Repeat("A", 1<<16))} {
		if _, _, err := w.Session(ctx, odd); fault.CodeOf(err) != signin.CodeNoSession {
			t.Errorf("token of %d bytes: %v", len(odd), err)
		}
	}
}

func TestGuessing(t *testing.T) {
	limits := signin.Limits{Window: 15 * time.Minute, Pair: 3, Account: 6, Address: 8}
	for _, c := range []struct {
		name  string
		tries func(w *world)
		email string
		addr  string
		open  bool
	}{
		{"below the limit", func(w *world) { w.fail("ada@example.com", "192.0.2.1", 2) }, "ada@example.com", "192.0.2.1", true},
		{"the pair is full", func(w *world) { w.fail("ada@example.com", "192.0.2.1", 3) }, "ada@example.com", "192.0.2.1", false},
		{"whatever the case of the address", func(w *world) { w.fail("ADA@example.com", "192.0.2.1", 3) }, "ada@example.com", "192.0.2.1", false},
		{"an account that is not there, too", func(w *world) { w.fail("no@example.com", "192.0.2.1", 3) }, "no@example.com", "192.0.2.1", false},
		{"a stranger does not lock the owner out at once", func(w *world) { w.fail("ada@example.com", "192.0.2.1", 5) }, "ada@example.com", "192.0.2.2", true},
		{"many strangers do", func(w *world) {
			for i := range 6 {
				w.fail("ada@example.com", fmt.Sprintf("198.51.100.%d", i+1), 1)
			}
		}, "ada@example.com", "192.0.2.2", false},
		{"one address tries many accounts", func(w *world) {
			for i := range 8 {
				w.fail(fmt.Sprintf("p%d@example.com", i), "192.0.2.1", 1)
			}
		}, "ada@example.com", "192.0.2.1", false},
		{"one IPv6 customer is one address", func(w *world) {
			for i := range 8 {
				w.fail(fmt.Sprintf("p%d@example.com", i), fmt.Sprintf("2001:db8::%d", i+1), 1)
			}
		}, "ada@example.com", "2001:db8::ffff", false},
		{"another IPv6 customer is not", func(w *world) {
			for i := range 8 {
				w.fail(fmt.Sprintf("p%d@example.com", i), fmt.Sprintf("2001:db8::%d", i+1), 1)
			}
		}, "ada@example.com", "2001:db8:0:1::1", true},
		{"time passes", func(w *world) {
			w.fail("ada@example.com", "192.0.2.1", 3)
			w.now = w.now.Add(15 * time.Minute)
		}, "ada@example.com", "192.0.2.1", true},
		{"success forgets", func(w *world) {
			for range 2 {
				w.fail("ada@example.com", "192.0.2.1", 2)
				_, _, err := w.try(from("192.0.2.1"), "ada@example.com", right)
				w.must(err)
			}
		}, "ada@example.com", "192.0.2.1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t), limits)
			w.worker("ada@example.com", true)
			c.tries(w)
			before := w.passwords.checks.Load()
			_, _, err := w.try(from(c.addr), c.email, right)
			if c.open {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if fault.CodeOf(err) != signin.CodeTooMany {
				t.Errorf("got %v, want too many", err)
			}
			if w.passwords.checks.Load() != before {
				t.Error("the password was looked at all the same")
			}
		})
	}
}

func (w *world) fail(email, addr string, times int) {
	for range times {
		if _, _, err := w.try(from(addr), email, "Wrong-Horse-9"); err == nil {
			w.t.Fatal("a wrong password signed in")
		}
	}
}

// Guesses made at once are counted before they are looked at.
func TestParallelGuessing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, signin.Limits{Pair: 5})
		w.worker("ada@example.com", true)
		var wg sync.WaitGroup
		for range 40 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				_, _, _ = w.try(from("192.0.2.1"), "ada@example.com", "Wrong-Horse-9")
			}()
		}
		wg.Wait()
		if n := w.passwords.checks.Load(); n > 5 {
			t.Errorf("%d guesses were looked at, want 5", n)
		}
	})
}

// What cannot be recorded is not done.
func TestNoRecordNoSession(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), signin.Limits{})
	w.worker("ada@example.com", true)
	w.record.err = errors.New("the disk is full")
	if _, token, err := w.try(from("192.0.2.1"), "ada@example.com", right); err == nil || token != "" {
		t.Error("signed in without a record")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, signin.Limits{Sessions: 3})
		w.worker("ada@example.com", true)
		var tokens []signin.Token
		for range 5 {
			w.now = w.now.Add(time.Second)
			_, token, err := w.try(from("192.0.2.1"), "ada@example.com", right)
			w.must(err)
			tokens = append(tokens, token)
		}
		for i, token := range tokens {
			if _, _, err := w.Session(from("192.0.2.1"), token); (err == nil) != (i >= 2) {
				t.Errorf("session %d: %v", i, err)
			}
		}
		if len(w.ended) != 2 {
			t.Errorf("told of %d ends, want 2", len(w.ended))
		}
	})
}

func TestSecretsDoNotPrint(t *testing.T) {
	token, password := signin.Token("secret-token"), signin.Password("secret-password")
	b, err := json.Marshal(map[string]any{"t": token, "p": password})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %s %q %+v %#v %v %s %#v %s", token, token, token, token, token, password, password, password, b)
	if strings.Contains(all, "secret") {
		t.Error(all)
	}
}

func TestCSRF(t *testing.T) {
	a, b := signin.Token(strings.Repeat("A", 43)), signin.Token(strings.Repeat("B", 43))
	if !a.CheckCSRF(a.CSRF()) || a.CheckCSRF(b.CSRF()) || a.CheckCSRF("") || strings.Contains(a.CSRF(), string(a)) {
		t.Error("the CSRF value does not tell sessions apart, or is the token")
	}
}
