package external

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
)

// stsStub answers AssumeRole and notes what it was asked for.
type stsStub struct {
	mu       sync.Mutex
	requests []url.Values
	refuse   func(form url.Values) (status int, code string) // nil: never
	ends     func() time.Time
}

func (s *stsStub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.PostForm)
	if s.refuse != nil {
		if status, code := s.refuse(r.PostForm); status != 0 {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>`, code)
			return
		}
	}
	fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA%d</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		len(s.requests), s.ends().UTC().Format(time.RFC3339))
}

// resources returns what the n-th session policy names.
func (s *stsStub) resources(t *testing.T, n int) []string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var doc struct {
		Statement []struct {
			Resource  []string
			Condition map[string]map[string]any
		}
	}
	if n >= len(s.requests) {
		t.Fatalf("%d sessions were asked for", len(s.requests))
	}
	if err := json.Unmarshal([]byte(s.requests[n].Get("Policy")), &doc); err != nil || len(doc.Statement) != 1 {
		t.Fatalf("%s: %v", s.requests[n].Get("Policy"), err)
	}
	var keys []string
	for _, r := range doc.Statement[0].Resource {
		keys = append(keys, strings.TrimPrefix(r, "arn:aws:s3:::lab/"))
	}
	return keys
}

func (s *stsStub) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

type yes struct{ verdict policy.Effect }

func (y yes) Authorize(context.Context, *iam.Caller, iam.Question) (policy.Decision, error) {
	return policy.Decision{Effect: y.verdict}, nil
}

type task []string

func (t task) Objects(context.Context, *identity.Grant, string) []string { return t }

// signing is a service with one bucket whose store is trusted.
type signing struct {
	*Service
	sts *stsStub
	now time.Time
	t   *testing.T
}

func newSigning(t *testing.T, more string, objects ...string) *signing {
	t.Helper()
	s := &signing{sts: &stsStub{}, now: time.Now().UTC().Truncate(time.Second), t: t}
	s.sts.ends = func() time.Time { return s.now.Add(15 * time.Minute) }
	server := httptest.NewServer(s.sts)
	t.Cleanup(server.Close)
	var set Settings
	text := "- {bucket: lab, kind: minio, endpoint: '" + server.URL + "', credentials: {access-key-env: K, secret-key-env: S}, attempts: 1" + more + "}"
	if err := set.SetYAML([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	o := Options{Settings: set, Account: "000000000000", Lookup: func(string) (string, bool) { return "x", true }, IAM: yes{policy.Allow},
		Now: func() time.Time { return s.now }}
	if objects != nil {
		o.Tasks = task(objects)
	}
	var err error
	if s.Service, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	s.stores["lab"].state.learn(&Report{Holds: true, Binds: true}, s.now)
	return s
}

func (s *signing) ticket(worker, assignment, addr, key string) *access.Ticket {
	return &access.Ticket{
		Request: access.Request{
			Grant: identity.Grant{ID: "g", Worker: worker, Assignment: assignment}, RoleARN: "arn:aws:iam::000000000000:role/r", Bucket: "lab", Key: key,
			Origin: origin.Origin{Addr: at(addr, "", "").Addr}, Binding: access.Binding{SourceIP: true},
		},
		Caller: &iam.Caller{Principal: identity.Principal{SessionName: worker}}, Begun: s.now, Expires: s.now.Add(time.Hour),
	}
}

func (s *signing) sign(t *access.Ticket) access.Signed {
	s.t.Helper()
	u, ok, err := s.Sign(s.t.Context(), t)
	if err != nil || !ok {
		s.t.Fatalf("%v, %v", ok, err)
	}
	return u
}

// One session for each worker, origin and assignment; it names the objects of
// the task, and is used until it nears its end.
func TestOneSessionForATask(t *testing.T) {
	s := newSigning(t, "", "b.jpg", "a.jpg", "c.jpg", "a.jpg")
	first := s.sign(s.ticket("ana", "t1", "192.0.2.1", "a.jpg"))
	if got := s.sts.resources(t, 0); !slices.Equal(got, []string{"a.jpg", "b.jpg", "c.jpg"}) {
		t.Errorf("the session names %v", got)
	}
	if f := s.sts.requests[0]; f.Get("RoleSessionName") != "ana" || f.Get("DurationSeconds") != "900" || !strings.Contains(f.Get("Policy"), `"aws:SourceIp":["192.0.2.1/32"]`) {
		t.Errorf("asked for %v", f)
	}
	if first.AccessKeyID != "ASIA1" || first.Expires != s.now.Add(5*time.Minute) || first.Bound != "aws:SourceIp 192.0.2.1/32" || !strings.Contains(first.Note, "cannot be called back") {
		t.Errorf("%+v", first)
	}
	for _, key := range []string{"a.jpg", "b.jpg", "c.jpg"} {
		s.sign(s.ticket("ana", "t1", "192.0.2.1", key))
	}
	if n := s.sts.count(); n != 1 {
		t.Errorf("%d sessions for one task", n)
	}
	for _, other := range []*access.Ticket{
		s.ticket("ben", "t1", "192.0.2.1", "a.jpg"), s.ticket("ana", "t2", "192.0.2.1", "a.jpg"), s.ticket("ana", "t1", "192.0.2.2", "a.jpg"),
	} {
		before := s.sts.count()
		s.sign(other)
		if s.sts.count() != before+1 {
			t.Errorf("%s shares a session", sessionID(other, condition{}))
		}
	}
	s.now = s.now.Add(10 * time.Minute) // a URL of 5 minutes ends with the session
	before := s.sts.count()
	s.sign(s.ticket("ana", "t1", "192.0.2.1", "a.jpg"))
	if s.sts.count() != before {
		t.Error("a session that lasts as long as the URL was not used")
	}
	s.now = s.now.Add(time.Second)
	s.sign(s.ticket("ana", "t1", "192.0.2.1", "a.jpg"))
	if s.sts.count() != before+1 {
		t.Error("a session that ends before the URL was used")
	}
}

// An object that the task's input does not name gets a session of its own, and
// so does each where the input is not known.
func TestObjectsFoundLater(t *testing.T) {
	s := newSigning(t, "", "a.jpg", "b.jpg")
	for _, key := range []string{"a.jpg", "legend.png", "b.jpg", "legend.png"} {
		s.sign(s.ticket("ana", "t1", "192.0.2.1", key))
	}
	if s.sts.count() != 2 || !slices.Equal(s.sts.resources(t, 1), []string{"legend.png"}) {
		t.Errorf("%d sessions", s.sts.count())
	}
	s = newSigning(t, "")
	s.sign(s.ticket("ana", "t1", "192.0.2.1", "a.jpg"))
	if !slices.Equal(s.sts.resources(t, 0), []string{"a.jpg"}) {
		t.Errorf("%v", s.sts.resources(t, 0))
	}
}

// What does not fit one policy gets further sessions, each when it is needed.
func TestManyObjects(t *testing.T) {
	keys := many(60, 80)
	s := newSigning(t, "", keys...)
	s.sign(s.ticket("ana", "t1", "192.0.2.1", keys[59]))
	if s.sts.count() != 1 || !slices.Contains(s.sts.resources(t, 0), keys[59]) {
		t.Fatalf("%d sessions", s.sts.count())
	}
	for _, k := range keys {
		s.sign(s.ticket("ana", "t1", "192.0.2.1", k))
	}
	if n := s.sts.count(); n != 4 {
		t.Errorf("%d sessions for 60 objects, want 4", n)
	}
	for i := range s.sts.count() {
		if n := len(s.sts.requests[i].Get("Policy")); n > 2048 {
			t.Errorf("a policy of %d characters", n)
		}
	}
}

// AWS also bounds the packed form of a policy, which nobody can compute.
func TestPackedPolicyTooLarge(t *testing.T) {
	s := newSigning(t, "", "a", "b", "c", "d", "e")
	s.sts.refuse = func(f url.Values) (int, string) {
		if strings.Count(f.Get("Policy"), "arn:aws:s3") > 2 {
			return 400, "PackedPolicyTooLarge"
		}
		return 0, ""
	}
	s.sign(s.ticket("ana", "t1", "192.0.2.1", "d"))
	if got := s.sts.resources(t, s.sts.count()-1); !slices.Contains(got, "d") || len(got) > 2 {
		t.Errorf("the session names %v", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	keys := []string{"a", "b", "c", "d"}
	s := newSigning(t, "", keys...)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if _, ok, err := s.Sign(t.Context(), s.ticket("ana", "t1", "192.0.2.1", keys[i%4])); !ok || err != nil {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
	wg.Wait()
	if n := s.sts.count(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// When a URL leads through this server after all, or nowhere.
func TestNoDirectURL(t *testing.T) {
	for _, c := range []struct {
		name   string
		more   string
		change func(*signing, *access.Ticket)
	}{
		{"another bucket", "", func(_ *signing, t *access.Ticket) { t.Bucket = "own" }},
		{"via fiducial", ", via: fiducial", func(*signing, *access.Ticket) {}},
		{"the store was not probed", "", func(s *signing, _ *access.Ticket) { s.stores["lab"].state.report = nil }},
		{"the store does not bind", "", func(s *signing, _ *access.Ticket) { s.stores["lab"].state.report = &Report{Holds: true} }},
		{"it cannot be known whether the store binds", "", func(s *signing, _ *access.Ticket) {
			s.stores["lab"].state.report = &Report{Holds: true, Binds: true, Err: errTooLong}
		}},
		{"bound to the browser", "", func(_ *signing, t *access.Ticket) { t.Grant.Browser = strings.Repeat("0", 64) }},
		{"through an endpoint", "", func(_ *signing, t *access.Ticket) {
			t.Origin.VPC, t.Origin.VPCE, t.Binding = "vpc-1", "vpce-1", access.Binding{VpcSourceIP: true}
		}},
		{"unknown origin", "", func(_ *signing, t *access.Ticket) { t.Origin = origin.Origin{} }},
		{"a key with a wildcard", "", func(_ *signing, t *access.Ticket) { t.Key = "a*.jpg" }},
		{"a key with a variable", "", func(_ *signing, t *access.Ticket) { t.Key = "${aws:userid}" }},
		{"the role may not", "", func(s *signing, _ *access.Ticket) { s.o.IAM = yes{policy.Deny} }},
		{"nothing allows it to the role", "", func(s *signing, _ *access.Ticket) { s.o.IAM = yes{policy.NoMatch} }},
		{"STS refuses", "", func(s *signing, _ *access.Ticket) {
			s.sts.refuse = func(url.Values) (int, string) { return 403, "AccessDenied" }
		}},
		{"STS gives what has ended", "", func(s *signing, _ *access.Ticket) { s.sts.ends = func() time.Time { return s.now } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSigning(t, c.more, "a.jpg")
			k := s.ticket("ana", "t1", "192.0.2.1", "a.jpg")
			c.change(s, k)
			if u, ok, err := s.Sign(t.Context(), k); ok || err != nil || u.URL != "" {
				t.Errorf("%+v, %v, %v; want to pass through", u, ok, err)
			}
			if c.more != "" || k.Bucket != "lab" {
				return
			}
			s.o.Settings[0].Unbound = Refuse
			if u, ok, err := s.Sign(t.Context(), k); ok || !fault.Is(err, fault.Denied) || u.URL != "" {
				t.Errorf("unbound: refuse: %+v, %v, %v", u, ok, err)
			}
		})
	}
	s := newSigning(t, "", "a.jpg")
	s.stores["lab"].state.report = &Report{Holds: true}
	k := s.ticket("ana", "t1", "192.0.2.1", "a.jpg")
	k.Binding = access.Binding{}
	if u := s.sign(k); u.Bound != "" {
		t.Errorf("%+v", u)
	}
}

// A URL ends with the lease.
func TestEndsWithTheLease(t *testing.T) {
	s := newSigning(t, "", "a.jpg")
	k := s.ticket("ana", "t1", "192.0.2.1", "a.jpg")
	k.Expires = s.now.Add(90 * time.Second)
	u := s.sign(k)
	if u.Expires != k.Expires || !strings.Contains(u.URL, "X-Amz-Expires=90&") || strings.Contains(u.URL, "secret") {
		t.Errorf("%+v", u)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	var s sessions
	now := time.Unix(1_700_000_000, 0)
	for i := range maxHolders + 10 {
		s.add(fmt.Sprint(i), part{keys: []string{"a"}, ends: now.Add(time.Hour)}, now)
	}
	if len(s.of) > maxHolders {
		t.Errorf("%d are kept", len(s.of))
	}
	s.add("late", part{ends: now.Add(3 * time.Hour)}, now.Add(2*time.Hour))
	if len(s.of) != 1 {
		t.Errorf("%d are kept after they ended", len(s.of))
	}
}
