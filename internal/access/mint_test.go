package access_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
	"fiducial/internal/sigv4"
)

// TestGrantOpensOnlyWhereItWasMade is the product's promise, without HTTP.
func TestGrantOpensOnlyWhereItWasMade(t *testing.T) {
	w := newWorld(t, true)
	for _, tc := range []struct {
		name    string
		binding access.Binding
		made    origin.Origin
		opens   []origin.Origin
		not     []origin.Origin
	}{
		{"address", access.Binding{SourceIP: true}, from("192.0.2.7"),
			[]origin.Origin{from("192.0.2.7"), from("::ffff:192.0.2.7")},
			[]origin.Origin{from("192.0.2.8"), from("192.0.2.6"), from("127.0.0.1"), from("::1"), {}, through("192.0.2.7", "vpce-1")}},
		{"address of version 6", access.Binding{SourceIP: true}, from("2001:db8::7"),
			[]origin.Origin{from("2001:db8::7"), from("2001:db8:0:0::7")},
			[]origin.Origin{from("2001:db8::8"), from("2001:db8::"), from("192.0.2.7"), {}}},
		{"mapped address is the address", access.Binding{SourceIP: true}, from("::ffff:192.0.2.7"),
			[]origin.Origin{from("192.0.2.7")}, []origin.Origin{from("192.0.2.8"), from("::c000:207")}},
		{"address with a zone", access.Binding{SourceIP: true}, from("fe80::1%eth0"), []origin.Origin{from("fe80::1")}, []origin.Origin{from("fe80::2")}},
		{"endpoint", access.Binding{VpcSourceIP: true}, through("10.0.0.7", "vpce-1"),
			[]origin.Origin{through("10.0.0.7", "vpce-1")},
			[]origin.Origin{through("10.0.0.7", "vpce-2"), through("10.0.0.8", "vpce-1"), from("10.0.0.7"), {}, {VPCE: "vpce-1"}}},
		{"both, made outside", access.Binding{SourceIP: true, VpcSourceIP: true}, from("10.0.0.7"),
			[]origin.Origin{from("10.0.0.7"), through("10.0.0.7", "vpce-1")}, []origin.Origin{from("10.0.0.8"), through("10.0.0.8", "vpce-1"), {}}},
		{"both, made through an endpoint", access.Binding{SourceIP: true, VpcSourceIP: true}, through("10.0.0.7", "vpce-1"),
			[]origin.Origin{from("10.0.0.7"), through("10.0.0.7", "vpce-1")}, []origin.Origin{from("10.0.0.8"), through("10.0.0.7", "vpce-2"), {}}},
		{"no binding", access.Binding{}, from("192.0.2.7"), []origin.Origin{from("192.0.2.7"), from("192.0.2.8"), {}}, nil},
		{"no binding, unknown origin", access.Binding{}, origin.Origin{}, []origin.Origin{from("192.0.2.8"), {}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := w.request()
			r.Binding, r.Origin = tc.binding, tc.made
			u := w.mint(r)
			for _, o := range tc.opens {
				if err := w.open(w.Service, "GET", u, o); err != nil {
					t.Errorf("from %v: %v", o, err)
				}
			}
			for _, o := range tc.not {
				if err := w.open(w.Service, "GET", u, o); !fault.Is(err, fault.Denied) {
					t.Errorf("from %v: %v", o, err)
				}
			}
		})
	}
}

// TestGrantIsForOneObject: not for another method, key or bucket, and whatever a
// policy would read into a key's characters.
func TestGrantIsForOneObject(t *testing.T) {
	w := newWorld(t, true)
	u := w.mint(w.request())
	for _, method := range []string{"HEAD", "PUT", "DELETE"} {
		if err := w.open(w.Service, method, u, from("192.0.2.7")); err == nil {
			t.Errorf("%s was let through", method)
		}
	}
	for _, old := range []string{"/media/", "1.jpg"} {
		if err := w.open(w.Service, "GET", strings.Replace(u, old, strings.ToUpper(old), 1), from("192.0.2.7")); fault.CodeOf(err) != sigv4.CodeSignatureDoesNotMatch {
			t.Errorf("%s: %v", old, err)
		}
	}
	for _, key := range []string{"*", "a*b", "a?b", "${aws:userid}", "${*}", "$", "$$", "${", "a:b", `"quoted"\`, "new\nline\x01", "ü/ሴ/😀", "a b+c%2F", strings.Repeat("k", 1024)} {
		r := w.request()
		r.Key = key
		u := w.mint(r)
		if err := w.open(w.Service, "GET", u, from("192.0.2.7")); err != nil {
			t.Errorf("key %q: %v", key, err)
		}
		// The policy in the session, not the signature, must keep to the key: sign
		// other keys with the very credentials of the grant.
		for _, other := range []string{"x", "axb", "a/b", "axxb", "ab", "*x", "$x", workerID, key + "x", "x" + key} {
			if other == key {
				continue
			}
			if err := w.open(w.Service, "GET", w.resign(r, other), from("192.0.2.7")); !fault.Is(err, fault.Denied) {
				t.Errorf("a grant for %q opens %q: %v", key, other, err)
			}
		}
	}
}

// thief remembers the credentials of the session that a grant was made with.
type thief struct {
	access.RoleSessions
	cred iam.Credentials
}

func (f *thief) ServiceSessions(ctx context.Context, in iam.ServiceSession) (*iam.ServiceSessions, error) {
	all, err := f.RoleSessions.ServiceSessions(ctx, in)
	if err != nil {
		return nil, err
	}
	f.cred = all.Credentials
	token := all.Token
	all.Token = func(b []byte, grantID, policy string) ([]byte, error) {
		sealed, err := token(nil, grantID, policy)
		f.cred.SessionToken = string(sealed)
		return append(b, sealed...), err
	}
	return all, nil
}

// resign makes a grant by r and signs another key with its credentials.
func (w *world) resign(r access.Request, key string) string {
	w.t.Helper()
	e, err := sigv4.NewEndpoint(apiURL, region)
	w.ok(err)
	f := &thief{RoleSessions: w.iam}
	svc, err := access.New(context.Background(), access.Options{Store: w.store, Roles: f, Audit: w.audit, Endpoint: e, Region: region, Account: account, Now: w.clock.now, Rand: rand.Reader, Alone: true})
	w.ok(err)
	_, err = svc.Mint(context.Background(), r)
	w.ok(err)
	return e.Presign("GET", "/"+r.Bucket+"/"+key, sigv4.Credentials{
		AccessKeyID: f.cred.AccessKeyID, SecretAccessKey: f.cred.SecretAccessKey.Reveal(), SessionToken: f.cred.SessionToken,
	}, w.clock.now(), time.Minute)
}

// TestGrantEndsWithItsTime: with the lease, the role's longest session or twelve
// hours, whichever is first.
func TestGrantEndsWithItsTime(t *testing.T) {
	w := newWorld(t, true)
	for _, tc := range []struct{ lease, life time.Duration }{
		{30 * time.Minute, 30 * time.Minute},
		{1500 * time.Millisecond, 1750 * time.Millisecond}, // from the second that has begun, a quarter ago
		{1900 * time.Millisecond, 2 * time.Second},
		{100 * time.Hour, 2 * time.Hour}, // MaxSessionDuration
	} {
		r := w.request()
		start := w.clock.now()
		r.Expires = start.Add(tc.lease)
		u := w.mint(r)
		e := w.audit.last(t)
		if e.Expires.After(r.Expires) {
			t.Errorf("lease of %v: the grant ends %v after it", tc.lease, e.Expires.Sub(r.Expires))
		}
		w.stands(w.Service, u)
		w.clock.add(e.Expires.Sub(start) - time.Nanosecond)
		w.stands(w.Service, u)
		w.clock.add(time.Nanosecond)
		if err := w.open(w.Service, "GET", u, from("192.0.2.7")); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("lease of %v: still open after %v: %v", tc.lease, e.Expires.Sub(start), err)
		}
		if got := w.clock.now().Sub(start); got < tc.life-1251*time.Millisecond {
			t.Errorf("lease of %v: the grant ended after %v", tc.lease, got)
		}
	}
	w.clock.add(200 * 24 * time.Hour)
	if _, err := w.iam.CreateRole(context.Background(), iam.NewRole{Name: "long", TrustPolicy: trust, MaxSession: 12 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	r := w.request()
	r.RoleARN, r.Expires = "arn:aws:iam::000000000000:role/long", w.clock.now().Add(1000*time.Hour)
	w.mint(r)
	if got := w.audit.last(t).Expires.Sub(w.clock.now()); got > 12*time.Hour || got < 12*time.Hour-2*time.Second {
		t.Errorf("a session of %v", got)
	}
}

func TestMintRefuses(t *testing.T) {
	w := newWorld(t, true)
	for _, tc := range []struct {
		name   string
		change func(*access.Request)
		kind   fault.Kind
		words  string
	}{
		{"unknown origin", func(r *access.Request) { r.Origin = origin.Origin{} }, fault.Denied, "not known"},
		{"unknown origin through an endpoint", func(r *access.Request) {
			r.Origin, r.Binding = origin.Origin{VPCE: "vpce-1"}, access.Binding{VpcSourceIP: true}
		}, fault.Denied, "not known"},
		{"endpoint where addresses are wanted", func(r *access.Request) { r.Origin = through("10.0.0.1", "vpce-1") }, fault.Denied, "SourceIp"},
		{"no endpoint where one is wanted", func(r *access.Request) { r.Binding = access.Binding{VpcSourceIP: true} }, fault.Denied, "VpcSourceIp"},
		{"lease over", func(r *access.Request) { r.Expires = w.clock.now() }, fault.Denied, "time is up"},
		{"lease that never was", func(r *access.Request) { r.Expires = time.Time{} }, fault.Denied, "time is up"},
		{"under a second left", func(r *access.Request) { r.Expires = w.clock.now().Add(500 * time.Millisecond) }, fault.Denied, "time is up"},
		{"no role", func(r *access.Request) { r.RoleARN = "" }, fault.Internal, "role"},
		{"unknown role", func(r *access.Request) { r.RoleARN += "x" }, fault.NotFound, "does not exist"},
		{"role of another account", func(r *access.Request) { r.RoleARN = strings.Replace(roleARN, account, "111111111111", 1) }, fault.NotFound, "does not exist"},
		{"no worker", func(r *access.Request) { r.Grant.Worker = "" }, fault.Internal, "worker"},
		{"no assignment", func(r *access.Request) { r.Grant.Assignment = "" }, fault.Internal, "assignment"},
		{"id from outside", func(r *access.Request) { r.Grant.ID = "mine" }, fault.Internal, "grant"},
		{"no key", func(r *access.Request) { r.Key = "" }, fault.Invalid, "key"},
		{"key too long", func(r *access.Request) { r.Key = strings.Repeat("k", 1025) }, fault.Invalid, "key"},
		{"key that is no text", func(r *access.Request) { r.Key = "\xff" }, fault.Invalid, "UTF-8"},
		{"key that climbs", func(r *access.Request) { r.Key = "a/../b" }, fault.Invalid, "segment"},
		{"key with a dot segment", func(r *access.Request) { r.Key = "a/./b" }, fault.Invalid, "segment"},
		{"no bucket", func(r *access.Request) { r.Bucket = "" }, fault.Invalid, "bucket"},
		{"bucket with a star", func(r *access.Request) { r.Bucket = "me*" }, fault.Invalid, "bucket"},
		{"bucket with a slash", func(r *access.Request) { r.Bucket = "media/images" }, fault.Invalid, "bucket"},
		{"bucket with a variable", func(r *access.Request) { r.Bucket = "${aws:userid}" }, fault.Invalid, "bucket"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := w.request()
			tc.change(&r)
			u, err := w.Mint(context.Background(), r)
			if u != "" || !fault.Is(err, tc.kind) || !strings.Contains(fault.MessageOf(err), tc.words) {
				t.Fatalf("%q, %v; want %v with %q", u, err, tc.kind, tc.words)
			}
			if e := w.audit.last(t); e.Kind != audit.Grant || e.Verdict != audit.Deny || e.Reason == "" || e.Error == "" {
				t.Errorf("the refusal is recorded as %+v", e)
			}
		})
	}
	// A role that does not trust the service.
	if err := w.iam.UpdateTrust(context.Background(), "labeler", strings.Replace(trust, "sagemaker", "ec2", 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Mint(context.Background(), w.request()); !fault.Is(err, fault.Denied) {
		t.Error(err)
	}
}

// TestRecordedBeforeHandedOut: the record says all there is to know, and where it
// cannot be written there is no URL.
func TestRecordedBeforeHandedOut(t *testing.T) {
	w := newWorld(t, true)
	r := w.request()
	u := w.mint(r)
	e := w.audit.last(t)
	parsed, err := url.Parse(u)
	w.ok(err)
	q, err := sigv4.ParseQuery(parsed.RawQuery)
	w.ok(err)
	caller, err := w.iam.Authenticate(context.Background(), e.AccessKeyID, q.Get("X-Amz-Security-Token"))
	w.ok(err)
	want := audit.Event{
		Time: w.clock.now(), Kind: audit.Grant, Action: "s3:GetObject", Verdict: audit.Allow, Method: "GET",
		Worker: workerID, Job: "job-1", Team: r.Grant.Team, Assignment: "a-1", SignInID: "s-1", GrantID: caller.Grant.ID,
		Principal: "arn:aws:sts::000000000000:assumed-role/labeler/" + workerID, AccessKeyID: caller.AccessKeyID,
		Resource: "arn:aws:s3:::media/images/1.jpg", Origin: "192.0.2.7", Bound: "aws:SourceIp 192.0.2.7/32",
		Expires: r.Expires.Truncate(time.Second),
	}
	if e != want {
		t.Errorf("\n got %+v\nwant %+v", e, want)
	}
	if caller.Grant.Worker != workerID || caller.Grant.Job != "job-1" || caller.Grant.Assignment != "a-1" || caller.Grant.SignIn != "s-1" || caller.Grant.Team != r.Grant.Team {
		t.Errorf("the token says %+v", caller.Grant)
	}
	w.audit.err = fault.E("test", fault.Unavailable, "the audit record could not be written", errBroken)
	if u, err := w.Mint(context.Background(), r); u != "" || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%q, %v", u, err)
	}
	r.Key = ""
	if u, err := w.Mint(context.Background(), r); u != "" || err == nil {
		t.Errorf("%q, %v", u, err)
	}
}

func TestSessionIsNamedAfterTheWorker(t *testing.T) {
	w := newWorld(t, true)
	for worker, want := range map[string]string{"ann@example.com": "ann@example.com", "x": "worker", "ann smith": "worker", strings.Repeat("w", 65): "worker"} {
		r := w.request()
		r.Grant.Worker = worker
		w.mint(r)
		if got := w.audit.last(t).Principal; !strings.HasSuffix(got, "/labeler/"+want) {
			t.Errorf("worker %q: %s", worker, got)
		}
	}
}

// A trust policy may tie the role to labeling jobs by aws:SourceArn.
func TestTrustBySourceARN(t *testing.T) {
	w := newWorld(t, true)
	for source, ok := range map[string]bool{"labeling-job/job-1": true, "labeling-job/job-2": false} {
		doc := strings.Replace(trust, `"Action"`, `"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sagemaker:us-east-1:000000000000:`+source+`"}},"Action"`, 1)
		w.ok(w.iam.UpdateTrust(context.Background(), "labeler", doc))
		if _, err := w.Mint(context.Background(), w.request()); (err == nil) != ok {
			t.Errorf("%s: %v", source, err)
		}
	}
	r := w.request()
	r.Grant.Job = ""
	if _, err := w.Mint(context.Background(), r); err == nil {
		t.Error("a grant of no job came from some job")
	}
}

func TestNoRandomness(t *testing.T) {
	w := newWorld(t, true)
	e, err := sigv4.NewEndpoint(apiURL, region)
	w.ok(err)
	svc, err := access.New(context.Background(), access.Options{
		Store: w.store, Roles: w.iam, Audit: w.audit, Endpoint: e, Now: w.clock.now, Rand: iotest.ErrReader(errBroken), Alone: true,
	})
	w.ok(err)
	if _, err := svc.Mint(context.Background(), w.request()); !fault.Is(err, fault.Internal) {
		t.Error(err)
	}
}

// FuzzKey: whatever the key, the session policy is a policy, allows that key and
// no other.
func FuzzKey(f *testing.F) {
	w := newWorld(f, true)
	for _, k := range []string{"a", "*", "${aws:username}", "a?b", "$", "\"\\\n", "ü"} {
		f.Add(k, "other")
	}
	var seen string
	svc := w.spy(&seen)
	f.Fuzz(func(t *testing.T, key, other string) {
		r := w.request()
		r.Key = key
		if _, err := svc.Mint(context.Background(), r); err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		doc, err := policy.Parse([]byte(seen), policy.Session)
		if err != nil {
			t.Fatalf("%q: %v", seen, err)
		}
		decide := func(key string) bool {
			return policy.Evaluate([]*policy.Document{doc}, &policy.Request{
				Principal: &identity.Principal{Type: identity.AssumedRole, UserID: "AROA:x"}, Action: "s3:GetObject", Resource: "arn:aws:s3:::media/" + key,
				Context: policy.Context{SourceIP: r.Origin.Addr},
			}).Effect == policy.Allow
		}
		if !decide(key) {
			t.Fatalf("%q is not allowed by %s", key, seen)
		}
		if other != key && decide(other) {
			t.Fatalf("%q is allowed by a grant for %q: %s", other, key, seen)
		}
	})
}

// policySpy notes session policies.
type policySpy struct {
	access.RoleSessions
	seen *string
}

func (p policySpy) ServiceSessions(ctx context.Context, in iam.ServiceSession) (*iam.ServiceSessions, error) {
	all, err := p.RoleSessions.ServiceSessions(ctx, in)
	if err != nil {
		return nil, err
	}
	token := all.Token
	all.Token = func(b []byte, grantID, policy string) ([]byte, error) {
		*p.seen = policy
		return token(b, grantID, policy)
	}
	return all, nil
}

func (w *world) spy(seen *string) *access.Service {
	w.t.Helper()
	e, err := sigv4.NewEndpoint(apiURL, region)
	w.ok(err)
	svc, err := access.New(context.Background(), access.Options{
		Store: w.store, Roles: policySpy{w.iam, seen}, Audit: audit.Discard{}, Endpoint: e, Region: region, Account: account, Now: w.clock.now, Rand: rand.Reader, Alone: true,
	})
	w.ok(err)
	return svc
}

func BenchmarkMint(b *testing.B) {
	w := newWorld(b, true)
	r := w.request()
	b.ReportAllocs()
	for b.Loop() {
		w.mint(r)
	}
	b.ReportMetric(float64(len(w.mint(r))), "URL-bytes")
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("%d revoked", n), func(b *testing.B) {
			w := newWorld(b, true)
			subjects := make([]access.Subject, 0, n)
			for i := range n {
				subjects = append(subjects, access.Subject{Kind: access.OfAssignment, ID: fmt.Sprint("gone-", i)})
			}
			w.ok(w.Revoke(context.Background(), "bench", subjects...))
			r := w.request()
			p := &identity.Principal{Type: identity.AssumedRole, Grant: r.Grant}
			p.Grant.ID = "abcdefghijklmnop-zz"
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Check(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
