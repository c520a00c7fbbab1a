package access_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/arn"
	"fiducial/internal/audit"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
	"fiducial/internal/sigv4"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

const (
	account  = "000000000000"
	region   = "us-east-1"
	apiURL   = "http://127.0.0.1:9000"
	roleARN  = "arn:aws:iam::000000000000:role/labeler"
	trust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	readAll  = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	workerID = "private.us-east-1.0123456789abcdef"
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

// recorder keeps records, or fails.
type recorder struct {
	mu     sync.Mutex
	events []audit.Event
	err    error
}

func (r *recorder) Record(_ context.Context, e *audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.events = append(r.events, *e)
	return nil
}

func (r *recorder) all() []audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

func (r *recorder) last(t testing.TB) audit.Event {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == 0 {
		t.Fatal("nothing is on record")
	}
	return r.events[len(r.events)-1]
}

// flaky is a store that can be made to fail, and counts.
type flaky struct {
	access.Store
	mu    sync.Mutex
	err   error
	adds  int
	polls int
	wait  chan struct{} // AddRevocations waits for it, if set
}

func (f *flaky) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *flaky) state(n *int) (chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*n++
	return f.wait, f.err
}

func (f *flaky) AddRevocations(ctx context.Context, rows []access.Revocation) (int64, error) {
	wait, err := f.state(&f.adds)
	if wait != nil {
		<-wait
	}
	if err != nil {
		return 0, err
	}
	return f.Store.AddRevocations(ctx, rows)
}

func (f *flaky) Revocations(ctx context.Context, after int64, limit int) ([]access.Revocation, error) {
	if _, err := f.state(&f.polls); err != nil {
		return nil, err
	}
	return f.Store.Revocations(ctx, after, limit)
}

func (f *flaky) LastRevocation(ctx context.Context) (int64, error) {
	var n int
	if _, err := f.state(&n); err != nil {
		return 0, err
	}
	return f.Store.LastRevocation(ctx)
}

func (f *flaky) DropRevocations(ctx context.Context, before time.Time) error {
	var n int
	if _, err := f.state(&n); err != nil {
		return err
	}
	return f.Store.DropRevocations(ctx, before)
}

// world is a server without HTTP: real IAM, real signatures, real database.
type world struct {
	*access.Service
	t     testing.TB
	clock *clock
	iam   *iam.Service
	db    *store.DB
	store *flaky
	audit *recorder
}

func newWorld(t testing.TB, alone bool) *world {
	t.Helper()
	return worldOn(t, storetest.SQLite(t), alone)
}

func worldOn(t testing.TB, db *store.DB, alone bool) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)}, db: db, audit: &recorder{}}
	keys, err := envelope.New()
	w.ok(err)
	w.iam, err = iam.New(iam.Options{
		Account: account, Store: store.NewIAM(db), Keys: keys, RootAccessKeyID: "AKIAROOT", RootSecret: iam.NewSecret("root-secret"), Now: w.clock.now, Rand: rand.Reader,
	})
	w.ok(err)
	ctx := context.Background()
	_, err = w.iam.CreateRole(ctx, iam.NewRole{Name: "labeler", TrustPolicy: trust, MaxSession: 2 * time.Hour})
	w.ok(err)
	w.ok(w.iam.PutPolicy(ctx, iam.Owner{Kind: iam.OfRole, Name: "labeler"}, iam.InlinePolicy{Name: "read", Document: readAll}))
	w.store = &flaky{Store: store.NewAccess(db)}
	w.Service = w.replica(w.store, alone)
	return w
}

// replica is another process on the same database.
func (w *world) replica(s access.Store, alone bool) *access.Service {
	w.t.Helper()
	e, err := sigv4.NewEndpoint(apiURL, region)
	w.ok(err)
	svc, err := access.New(context.Background(), access.Options{
		Store: s, Roles: w.iam, Audit: w.audit, Endpoint: e, Region: region, Account: account, Now: w.clock.now, Rand: rand.Reader, Alone: alone,
	})
	w.ok(err)
	return svc
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func from(addr string) origin.Origin { return origin.Origin{Addr: netip.MustParseAddr(addr)} }

func through(addr, endpoint string) origin.Origin {
	return origin.Origin{Addr: netip.MustParseAddr(addr), VPCE: endpoint, VPC: "vpc-1"}
}

// request is a worker's, bound to 192.0.2.7, with half an hour left.
func (w *world) request() access.Request {
	return access.Request{
		Grant:   identity.Grant{Worker: workerID, Job: "job-1", Team: "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team", Assignment: "a-1", SignIn: "s-1"},
		RoleARN: roleARN, Bucket: "media", Key: "images/1.jpg", Origin: from("192.0.2.7"), Binding: access.Binding{SourceIP: true},
		Expires: w.clock.now().Add(30 * time.Minute),
	}
}

func (w *world) mint(r access.Request) string {
	w.t.Helper()
	u, err := w.Mint(context.Background(), r)
	w.ok(err)
	return u
}

// open answers a request as the S3 endpoint does, without the bytes: signature,
// session, revocation, policies. It returns nil if the object may be read.
func (w *world) open(svc *access.Service, method, raw string, o origin.Origin) error {
	w.t.Helper()
	u, err := url.Parse(raw)
	w.ok(err)
	r := &http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}}
	q, err := sigv4.Parse(r)
	if err != nil {
		return err
	}
	ctx := context.Background()
	caller, err := w.iam.Authenticate(ctx, q.AccessKeyID, q.SessionToken)
	if err != nil {
		return err
	}
	if err := q.Verify(r, w.iam.SigningKey(caller, q.Date, q.Region, q.Service), w.clock.now()); err != nil {
		return err
	}
	if err := svc.Check(&caller.Principal); err != nil {
		return err
	}
	c := policy.Context{Time: w.clock.now(), SourceVPC: o.VPC, SourceVPCE: o.VPCE}
	if o.VPCE != "" {
		c.VPCSourceIP = o.Addr
	} else {
		c.SourceIP = o.Addr
	}
	d, err := w.iam.Authorize(ctx, caller, iam.Question{Action: actions[method], Resource: resource(r.URL.Path), Context: c, ResourceAccount: account})
	if err != nil {
		return err
	}
	if !d.Allowed() {
		return fault.Newf("test", fault.Denied, "policies: %s", d.Reason)
	}
	return nil
}

var actions = map[string]string{"GET": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject", "HEAD": "s3:GetObject"}

func resource(path string) string {
	i := slices.Index([]byte(path[1:]), '/')
	return arn.S3Object(path[1:i+1], path[i+2:])
}

// stands and ended check what a URL is worth at a replica.
func (w *world) stands(svc *access.Service, u string) {
	w.t.Helper()
	if err := w.open(svc, "GET", u, from("192.0.2.7")); err != nil {
		w.t.Errorf("the grant does not stand: %v", err)
	}
}

func (w *world) ended(svc *access.Service, u string) {
	w.t.Helper()
	if err := w.open(svc, "GET", u, from("192.0.2.7")); !fault.Is(err, fault.Denied) {
		w.t.Errorf("the grant did not end: %v", err)
	}
}

var errBroken = errors.New("broken")
