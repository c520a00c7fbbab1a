package kms_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/kms"
	"fiducial/internal/store"
)

const (
	account = "111122223333"
	region  = "us-east-1"
	trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type world struct {
	*kms.Service
	t      testing.TB
	db     *store.DB
	iam    *iam.Service
	clock  *clock
	master *envelope.Keyset
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	keys, err := envelope.New()
	must(t, err)
	master, err := envelope.New()
	must(t, err)
	w := &world{t: t, db: db, clock: &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, master: master}
	w.iam, err = iam.New(iam.Options{Account: account, Store: store.NewIAM(db), Keys: keys, RootAccessKeyID: "AKIAROOT", RootSecret: iam.NewSecret("root-secret"),
		Now: w.clock.now, Rand: rand.Reader})
	must(t, err)
	w.Service = w.replica(w.clock.now)
	return w
}

// replica is another process over the same database.
func (w *world) replica(now func() time.Time) *kms.Service {
	return kms.New(kms.Options{Store: store.NewKMS(w.db), IAM: w.iam, Master: w.master, Region: region, Account: account, Now: now, Rand: rand.Reader,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks the kind and AWS's code of an error.
func refused(t testing.TB, err error, kind fault.Kind, code string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.CodeOf(err) != code {
		t.Errorf("got %v, want %v (%s)", err, kind, code)
	}
}

func (w *world) user(name string, documents ...string) *iam.Caller {
	w.t.Helper()
	ctx := context.Background()
	_, err := w.iam.CreateUser(ctx, iam.NewUser{Name: name})
	must(w.t, err)
	for i, d := range documents {
		must(w.t, w.iam.PutPolicy(ctx, iam.Owner{Kind: iam.OfUser, Name: name}, iam.InlinePolicy{Name: fmt.Sprint("p", i), Document: d}))
	}
	k, _, err := w.iam.CreateAccessKey(ctx, name)
	must(w.t, err)
	c, err := w.iam.Authenticate(ctx, k.ID, "")
	must(w.t, err)
	return c
}

// session is a session of a role that has the documents.
func (w *world) session(role, sessionPolicy string, grant identity.Grant, documents ...string) *iam.Caller {
	w.t.Helper()
	ctx := context.Background()
	_, err := w.iam.CreateRole(ctx, iam.NewRole{Name: role, TrustPolicy: trust})
	if !fault.Is(err, fault.Exists) {
		must(w.t, err)
	}
	for i, d := range documents {
		must(w.t, w.iam.PutPolicy(ctx, iam.Owner{Kind: iam.OfRole, Name: role}, iam.InlinePolicy{Name: fmt.Sprint("p", i), Document: d}))
	}
	cred, _, err := w.iam.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: "arn:aws:iam::" + account + ":role/" + role, SessionName: "s", Policy: sessionPolicy, Grant: grant})
	must(w.t, err)
	c, err := w.iam.Authenticate(ctx, cred.AccessKeyID, cred.SessionToken)
	must(w.t, err)
	return c
}

// key makes a key as root.
func (w *world) key(policy string) *kms.Target {
	w.t.Helper()
	k, err := w.Create(context.Background(), w.iam.Root(), "a key", policy, nil, true)
	must(w.t, err)
	return k
}

// fresh finds the key again, in its present state.
func (w *world) fresh(t *kms.Target) *kms.Target {
	w.t.Helper()
	f, err := w.Find(context.Background(), t.ARN)
	must(w.t, err)
	return f
}

func statement(effect, actions, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":` + actions + `,"Resource":"*"` + condition + `}]}`
}

// keyPolicy is a key policy of one statement, after the default one if with is set.
func keyPolicy(with bool, effect, principal, actions, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	first := ""
	if with {
		first = `{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"},`
	}
	return `{"Version":"2012-10-17","Statement":[` + first + `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":` + actions + `,"Resource":"*"` + condition + `}]}`
}
