package iam_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
	"fiducial/internal/sigv4"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

const (
	account  = "000000000000"
	rootKey  = "AKIAROOT"
	labeler  = "arn:aws:iam::000000000000:role/labeler"
	trustAll = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"},
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"},"Action":"sts:AssumeRole"}]}`
	readPhotos = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}]}`
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
	*iam.Service
	clock *clock
	keys  *envelope.Keyset
	db    *store.DB
	t     testing.TB
}

func newWorld(t testing.TB) *world {
	t.Helper()
	keys, err := envelope.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{clock: &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, keys: keys, db: storetest.SQLite(t), t: t}
	w.Service = w.replica(store.NewIAM(w.db))
	return w
}

// replica is another process with the same database and keyset.
func (w *world) replica(s iam.Store) *iam.Service {
	w.t.Helper()
	svc, err := iam.New(iam.Options{
		Account: account, Store: s, Keys: w.keys, RootAccessKeyID: rootKey, RootSecret: iam.NewSecret("root-secret"), Now: w.clock.now, Rand: rand.Reader,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return svc
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// user makes a user with a key and returns its caller.
func (w *world) user(name string, documents ...string) *iam.Caller {
	w.t.Helper()
	ctx := context.Background()
	_, err := w.CreateUser(ctx, iam.NewUser{Name: name})
	w.ok(err)
	for i, d := range documents {
		w.ok(w.PutPolicy(ctx, iam.Owner{Kind: iam.OfUser, Name: name}, iam.InlinePolicy{Name: fmt.Sprint("p", i), Document: d}))
	}
	k, _, err := w.CreateAccessKey(ctx, name)
	w.ok(err)
	c, err := w.Authenticate(ctx, k.ID, "")
	w.ok(err)
	return c
}

func (w *world) role(name, trust string, documents ...string) {
	w.t.Helper()
	ctx := context.Background()
	_, err := w.CreateRole(ctx, iam.NewRole{Name: name, TrustPolicy: trust, MaxSession: 2 * time.Hour})
	w.ok(err)
	for i, d := range documents {
		w.ok(w.PutPolicy(ctx, iam.Owner{Kind: iam.OfRole, Name: name}, iam.InlinePolicy{Name: fmt.Sprint("p", i), Document: d}))
	}
}

func (w *world) decide(s *iam.Service, c *iam.Caller, q iam.Question) policy.Decision {
	w.t.Helper()
	d, err := s.Authorize(context.Background(), c, q)
	w.ok(err)
	return d
}

func getObject(key string) iam.Question {
	return iam.Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/" + key}
}

func wantFault(t testing.TB, err error, kind fault.Kind, code, message string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.CodeOf(err) != code || !strings.Contains(fault.MessageOf(err), message) {
		t.Errorf("got %v, want %v (%s) %q", err, kind, code, message)
	}
}

func TestAccessKeys(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	_, err := w.CreateUser(ctx, iam.NewUser{Name: "ann", Path: "/staff/"})
	w.ok(err)
	k, secret, err := w.CreateAccessKey(ctx, "ann")
	w.ok(err)
	if !strings.HasPrefix(k.ID, "AKIA") || len(k.ID) != 20 || len(secret.Reveal()) != 40 || strings.Contains(fmt.Sprintf("%+v %v", secret, k), secret.Reveal()) {
		t.Errorf("key %+v", k)
	}
	c, err := w.Authenticate(ctx, k.ID, "")
	w.ok(err)
	if c.Type != identity.User || c.ARN != "arn:aws:iam::000000000000:user/staff/ann" || c.Name != "ann" || !strings.HasPrefix(c.UserID, "AIDA") || c.AccessKeyID != k.ID {
		t.Errorf("%+v", c.Principal)
	}
	// The signing key is the one the client derives from the secret it was shown.
	if w.SigningKey(c, "20260102", "us-east-1", "s3") != sigv4.DeriveKey(secret.Reveal(), "20260102", "us-east-1", "s3") {
		t.Error("the signing key is another one")
	}
	for i := range 40 { // more scopes than are kept
		region := fmt.Sprint("r", i%20)
		if w.SigningKey(c, "20260102", region, "s3") != sigv4.DeriveKey(secret.Reveal(), "20260102", region, "s3") {
			t.Fatalf("wrong key for %s", region)
		}
	}
	w.ok(w.UpdateAccessKey(ctx, "ann", k.ID, false))
	_, err = w.Authenticate(ctx, k.ID, "")
	wantFault(t, err, fault.Unauthenticated, "InvalidAccessKeyId", "")
	w.ok(w.UpdateAccessKey(ctx, "ann", k.ID, true))
	_, err = w.Authenticate(ctx, k.ID, "")
	w.ok(err)
	list, err := w.AccessKeys(ctx, "ann")
	if err != nil || len(list) != 1 || list[0].ID != k.ID {
		t.Errorf("%v %v", list, err)
	}
	w.ok(w.DeleteAccessKey(ctx, "ann", k.ID))
	for _, id := range []string{k.ID, "AKIANOBODY", "ASIA234567ABCDEFGHIJ", "", "a b", "AKIA\x00"} {
		_, err = w.Authenticate(ctx, id, "")
		wantFault(t, err, fault.Unauthenticated, "InvalidAccessKeyId", "")
	}
	_, err = w.AccessKeys(ctx, "nobody")
	wantFault(t, err, fault.NotFound, "NoSuchEntity", "The user with name nobody cannot be found.")
}

func TestRootAndAnonymous(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	c, err := w.Authenticate(ctx, rootKey, "")
	w.ok(err)
	if c != w.Root() || c.Type != identity.Root || c.ARN != "arn:aws:iam::000000000000:root" {
		t.Errorf("%+v", c.Principal)
	}
	if d := w.decide(w.Service, c, getObject("a")); !d.Allowed() {
		t.Error(d.Reason)
	}
	if d := w.decide(w.Service, w.Anonymous(), getObject("a")); d.Effect != policy.NoMatch {
		t.Error(d.Reason)
	}
	bucket, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}`), policy.Resource)
	w.ok(err)
	q := getObject("a")
	q.ResourcePolicy = bucket
	if d := w.decide(w.Service, w.Anonymous(), q); !d.Allowed() {
		t.Error(d.Reason)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []iam.Options{
		{Account: "1", RootAccessKeyID: rootKey, RootSecret: iam.NewSecret("long enough")},
		{Account: account, RootAccessKeyID: "a b", RootSecret: iam.NewSecret("long enough")},
		{Account: account, RootAccessKeyID: rootKey, RootSecret: iam.NewSecret("short")},
	} {
		if _, err := iam.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("accepted %+v", o)
		}
	}
}

func TestAssumeRole(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	ann, bob := w.user("ann"), w.user("bob", `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`)
	w.role("labeler", trustAll, readPhotos)
	w.role("delegated", `{"Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}}`)
	w.role("external", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"},"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}}`)

	in := func(role string) iam.AssumeRoleInput {
		return iam.AssumeRoleInput{RoleARN: "arn:aws:iam::000000000000:role/" + role, SessionName: "s1"}
	}
	with := func(role string, change func(*iam.AssumeRoleInput)) iam.AssumeRoleInput {
		i := in(role)
		change(&i)
		return i
	}
	refused := func(c *iam.Caller, in iam.AssumeRoleInput) string {
		return "User: " + c.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + in.RoleARN
	}
	cases := []struct {
		name string
		who  *iam.Caller
		in   iam.AssumeRoleInput
		kind fault.Kind
		code string
		want string // part of the message; empty when it succeeds
	}{
		{"named by the trust policy", ann, in("labeler"), 0, "", ""},
		{"not named", bob, in("labeler"), fault.Denied, "AccessDenied", refused(bob, in("labeler"))},
		{"the account is named, own policy allows", bob, in("delegated"), 0, "", ""},
		{"the account is named, own policy silent", ann, in("delegated"), fault.Denied, "AccessDenied", refused(ann, in("delegated"))},
		{"no such role says the same", ann, in("nobody"), fault.Denied, "AccessDenied", refused(ann, in("nobody"))},
		{"another path is another role", ann, in("x/labeler"), fault.Denied, "AccessDenied", "is not authorized"},
		{"root", w.Root(), in("labeler"), fault.Denied, "AccessDenied", "may not be assumed by root"},
		{"anonymous", w.Anonymous(), in("labeler"), fault.Denied, "AccessDenied", "is not authorized"},
		{"external id and session name", ann, with("external", func(i *iam.AssumeRoleInput) { i.ExternalID, i.SessionName = "42", "ann" }), 0, "", ""},
		{"external id, other name", ann, with("external", func(i *iam.AssumeRoleInput) { i.ExternalID = "42" }), fault.Denied, "AccessDenied", ""},
		{"no external id", ann, with("external", func(i *iam.AssumeRoleInput) { i.SessionName = "ann" }), fault.Denied, "AccessDenied", ""},
		// A context key from elsewhere must not stand for the parameter.
		{"session name cannot be shadowed", ann, with("external", func(i *iam.AssumeRoleInput) {
			i.ExternalID = "42"
			i.Context.Keys = []policy.Key{{Name: "sts:RoleSessionName", Value: "ann"}}
		}), fault.Denied, "AccessDenied", ""},
		{"longest life", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.Duration = 2 * time.Hour }), 0, "", ""},
		{"too long a life", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.Duration = 2*time.Hour + time.Second }), fault.Invalid, "", "exceeds the MaxSessionDuration set for this role"},
		{"too short a life", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.Duration = 899 * time.Second }), fault.Invalid, "", "'899' at 'durationSeconds'"},
		{"no session name", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.SessionName = "" }), fault.Invalid, "", "'roleSessionName' failed to satisfy constraint: Member must not be null"},
		{"short session name", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.SessionName = "a" }), fault.Invalid, "", "greater than or equal to 2"},
		{"bad session name", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.SessionName = "a/b" }), fault.Invalid, "", "regular expression pattern"},
		{"bad external id", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.ExternalID = "a b" }), fault.Invalid, "", "'externalId'"},
		{"no ARN", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.RoleARN = "" }), fault.Invalid, "", "'roleArn'"},
		{"short ARN", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.RoleARN = "arn:x" }), fault.Invalid, "", "greater than or equal to 20"},
		{"not a role's ARN", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.RoleARN = "arn:aws:iam::000000000000:user/ann" }), fault.Invalid, "", "expected the ARN of a role"},
		{"session policy too long", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.Policy = strings.Repeat(" ", 2049) }), fault.Invalid, "", "less than or equal to 2048"},
		{"session policy malformed", ann, with("labeler", func(i *iam.AssumeRoleInput) { i.Policy = "{}" }), fault.Invalid, "MalformedPolicyDocument", "Statement"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := w.AssumeRole(ctx, tc.who, tc.in)
			if tc.kind != 0 {
				wantFault(t, err, tc.kind, tc.code, tc.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(got.AccessKeyID, "ASIA") || len(got.AccessKeyID) != 20 || len(got.SecretAccessKey.Reveal()) != 40 || !strings.HasPrefix(got.ID, "AROA") {
				t.Errorf("%+v", got)
			}
			c, err := w.Authenticate(ctx, got.AccessKeyID, got.SessionToken)
			if err != nil {
				t.Fatal(err)
			}
			if c.ARN != got.ARN || c.UserID != got.ID || c.RoleARN != tc.in.RoleARN || !c.ExpiresAt.Equal(got.Expiration) || !c.IssuedAt.Equal(w.clock.now()) || c.IsGrant() {
				t.Errorf("%+v", c.Principal)
			}
			if w.SigningKey(c, "20260102", "us-east-1", "s3") != sigv4.DeriveKey(got.SecretAccessKey.Reveal(), "20260102", "us-east-1", "s3") {
				t.Error("the signing key is another one")
			}
		})
	}

	first, err := w.AssumeRole(ctx, bob, in("delegated"))
	w.ok(err)
	chain, err := w.Authenticate(ctx, first.AccessKeyID, first.SessionToken)
	w.ok(err)
	w.role("next", `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/delegated"},"Action":"sts:AssumeRole"}}`)
	_, err = w.AssumeRole(ctx, chain, with("next", func(i *iam.AssumeRoleInput) { i.Duration = time.Hour }))
	w.ok(err)
	_, err = w.AssumeRole(ctx, chain, with("next", func(i *iam.AssumeRoleInput) { i.Duration = time.Hour + time.Second }))
	wantFault(t, err, fault.Invalid, "", "role chaining")
}

// TestSessionPolicyIntersects pins that a session can do what the role and the
// session policy both allow, under the session policy's conditions.
func TestSessionPolicyIntersects(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	ann := w.user("ann")
	w.role("labeler", trustAll, readPhotos)
	sess, err := w.AssumeRole(ctx, ann, iam.AssumeRoleInput{RoleARN: labeler, SessionName: "s1",
		Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::photos/a","arn:aws:s3:::other/*"],"Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.1"}}}}`})
	w.ok(err)
	if sess.PackedPolicySize < 1 || sess.PackedPolicySize > 100 {
		t.Errorf("packed size %d", sess.PackedPolicySize)
	}
	c, err := w.Authenticate(ctx, sess.AccessKeyID, sess.SessionToken)
	w.ok(err)
	from := func(q iam.Question, addr string) iam.Question {
		q.Context.SourceIP = netip.MustParseAddr(addr)
		return q
	}
	cases := []struct {
		name string
		q    iam.Question
		want policy.Effect
		gate policy.Gate
	}{
		{"object and address", from(getObject("a"), "127.0.0.1"), policy.Allow, policy.IdentityGate},
		{"another address", from(getObject("a"), "127.0.0.2"), policy.NoMatch, policy.SessionGate},
		{"no address", getObject("a"), policy.NoMatch, policy.SessionGate},
		{"another object", from(getObject("b"), "127.0.0.1"), policy.NoMatch, policy.SessionGate},
		{"beyond the role", from(iam.Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::other/a"}, "127.0.0.1"), policy.NoMatch, policy.IdentityGate},
		{"another action", from(iam.Question{Action: "s3:PutObject", Resource: "arn:aws:s3:::photos/a"}, "127.0.0.1"), policy.NoMatch, policy.IdentityGate},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			d := w.decide(w.Service, c, tc.q)
			if d.Effect != tc.want || d.By.Gate != tc.gate {
				t.Errorf("got %v by %v: %s", d.Effect, d.By.Gate, d.Reason)
			}
			ex, err := w.Explain(ctx, c, tc.q)
			if err != nil || ex.Decision != d {
				t.Errorf("explained as %+v, %v", ex.Decision, err)
			}
		})
	}
}

// TestTokens pins what opens: this token, with its own key id, in its time, in
// this account, and nothing else.
func TestTokens(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	ann := w.user("ann")
	w.role("labeler", trustAll, readPhotos)
	in := iam.AssumeRoleInput{RoleARN: labeler, SessionName: "s1", Duration: 15 * time.Minute}
	a, err := w.AssumeRole(ctx, ann, in)
	w.ok(err)
	b, err := w.AssumeRole(ctx, ann, in)
	w.ok(err)
	refuse := func(name, key, token, code string) {
		t.Helper()
		for range 2 { // as it comes and as it is remembered
			if _, err := w.Authenticate(ctx, key, token); fault.CodeOf(err) != code {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := w.Authenticate(ctx, a.AccessKeyID, a.SessionToken); err != nil {
		t.Fatal(err)
	}
	refuse("another session's key id", b.AccessKeyID, a.SessionToken, "InvalidClientTokenId")
	refuse("root's key id", rootKey, a.SessionToken, "InvalidClientTokenId")
	refuse("without a token", a.AccessKeyID, "", "InvalidAccessKeyId")
	refuse("a changed token", a.AccessKeyID, a.SessionToken[:len(a.SessionToken)-2]+"AA", "InvalidClientTokenId")
	refuse("garbage", a.AccessKeyID, strings.Repeat("A", 400), "InvalidClientTokenId")
	sealedKey, err := w.keys.Seal([]byte("x"), "fiducial access key "+a.AccessKeyID)
	w.ok(err)
	refuse("a sealed access key", a.AccessKeyID, sealedKey, "InvalidClientTokenId")

	elsewhere, err := iam.New(iam.Options{Account: "111111111111", Store: store.NewIAM(w.db), Keys: w.keys, RootAccessKeyID: rootKey, RootSecret: iam.NewSecret("root-secret"), Now: w.clock.now, Rand: rand.Reader})
	w.ok(err)
	if _, err := elsewhere.Authenticate(ctx, a.AccessKeyID, a.SessionToken); fault.CodeOf(err) != "InvalidClientTokenId" {
		t.Errorf("another account accepts the session: %v", err)
	}
	// A replica that has never seen the token opens it.
	if c, err := w.replica(store.NewIAM(w.db)).Authenticate(ctx, a.AccessKeyID, a.SessionToken); err != nil || c.SessionName != "s1" {
		t.Errorf("replica: %v", err)
	}
	w.clock.add(15*time.Minute - time.Second)
	if _, err := w.Authenticate(ctx, a.AccessKeyID, a.SessionToken); err != nil {
		t.Errorf("expired early: %v", err)
	}
	w.clock.add(time.Second)
	refuse("expired", a.AccessKeyID, a.SessionToken, "ExpiredToken")
	refuse("expired, not remembered", b.AccessKeyID, b.SessionToken, "ExpiredToken")
}

func TestServiceSessions(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.role("labeler", trustAll, readPhotos)
	w.role("closed", `{"Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}}`)
	w.role("careful", `{"Statement":{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"000000000000"},"ArnLike":{"aws:SourceArn":"arn:aws:sagemaker:*:000000000000:labeling-job/cats"}}}}`)
	grant := identity.Grant{ID: "g1", Worker: "w1", Job: "cats", Team: "t", Assignment: "a", SignIn: "s"}
	in := iam.ServiceSession{RoleARN: labeler, SessionName: "cats", Duration: time.Minute, Grant: grant,
		Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/a","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.1/32"}}}}`}
	cred, direct, err := w.AssumeRoleForService(ctx, in)
	w.ok(err)
	c, err := w.Authenticate(ctx, cred.AccessKeyID, cred.SessionToken)
	w.ok(err)
	if c.Grant != grant || c.Principal != direct.Principal || !c.IsGrant() {
		t.Errorf("got %+v, made %+v", c.Principal, direct.Principal)
	}
	if !cred.Expiration.Equal(w.clock.now().Add(time.Minute)) {
		t.Errorf("expires %v", cred.Expiration)
	}
	q := getObject("a")
	q.Context.SourceIP = netip.MustParseAddr("127.0.0.1")
	for _, who := range []*iam.Caller{c, direct} {
		if d := w.decide(w.Service, who, q); !d.Allowed() {
			t.Error(d.Reason)
		}
		if d := w.decide(w.Service, who, getObject("a")); d.Allowed() {
			t.Error("allowed without an address")
		}
	}
	// What is no policy allows nothing.
	in.Policy = "{"
	_, broken, err := w.AssumeRoleForService(ctx, in)
	w.ok(err)
	if d := w.decide(w.Service, broken, q); d.Effect != policy.NoMatch || d.By.Gate != policy.SessionGate {
		t.Errorf("%+v", d)
	}
	in.Policy, in.Duration = "", 12*time.Hour
	cred, _, err = w.AssumeRoleForService(ctx, in)
	if err != nil || !cred.Expiration.Equal(w.clock.now().Add(2*time.Hour)) {
		t.Errorf("life is not cut to the role's: %v, %v", cred.Expiration, err)
	}
	in.RoleARN = "arn:aws:iam::000000000000:role/closed"
	_, _, err = w.AssumeRoleForService(ctx, in)
	wantFault(t, err, fault.Denied, "AccessDenied", "its trust policy must allow")
	in.RoleARN = "arn:aws:iam::000000000000:role/nobody"
	_, _, err = w.AssumeRoleForService(ctx, in)
	wantFault(t, err, fault.NotFound, "", "does not exist")
	in.RoleARN = "arn:aws:iam::000000000000:role/careful"
	if _, _, err = w.AssumeRoleForService(ctx, in); !fault.Is(err, fault.Denied) {
		t.Errorf("assumed for no job: %v", err)
	}
	in.SourceARN = "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/cats"
	_, _, err = w.AssumeRoleForService(ctx, in)
	w.ok(err)
	in.Duration = 0
	cred, _, err = w.AssumeRoleForService(ctx, in)
	if err != nil || !cred.Expiration.Equal(w.clock.now().Add(time.Hour)) {
		t.Errorf("usual life: %v, %v", cred.Expiration, err)
	}
	in.Duration = time.Millisecond
	if _, _, err = w.AssumeRoleForService(ctx, in); err == nil {
		t.Error("a session without a life")
	}
}

// TestChangesReachLiveSessions pins that rights are looked up and not carried.
func TestChangesReachLiveSessions(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	other := w.replica(store.NewIAM(w.db)) // another process
	ann := w.user("ann", readPhotos)
	w.role("labeler", trustAll, readPhotos)
	sess, err := w.AssumeRole(ctx, ann, iam.AssumeRoleInput{RoleARN: labeler, SessionName: "s1"})
	w.ok(err)
	c, err := w.Authenticate(ctx, sess.AccessKeyID, sess.SessionToken)
	w.ok(err)
	check := func(what string, want bool) {
		t.Helper()
		if got := w.decide(w.Service, c, getObject("a")).Allowed(); got != want {
			t.Errorf("%s: allowed %v here at once", what, got)
		}
		w.clock.add(time.Second)
		if got := w.decide(other, c, getObject("a")).Allowed(); got != want {
			t.Errorf("%s: allowed %v elsewhere a second later", what, got)
		}
	}
	role := iam.Owner{Kind: iam.OfRole, Name: "labeler"}
	check("as made", true)
	w.ok(w.DeletePolicy(ctx, role, "p0"))
	check("policy deleted", false)
	w.ok(w.PutPolicy(ctx, role, iam.InlinePolicy{Name: "p0", Document: readPhotos}))
	check("policy put", true)
	w.ok(w.PutPolicy(ctx, role, iam.InlinePolicy{Name: "revoke", Document: `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2030-01-01T00:00:00Z"}}}}`}))
	check("older sessions revoked", false)
	w.ok(w.DeletePolicy(ctx, role, "revoke"))
	check("no longer revoked", true)

	w.ok(w.DeletePolicy(ctx, role, "p0"))
	w.ok(w.DeleteRole(ctx, "labeler"))
	check("role deleted", false)
	public, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"`+labeler+`"},"Action":"s3:*","Resource":"*"}}`), policy.Resource)
	w.ok(err)
	q := getObject("a")
	q.ResourcePolicy = public
	if d := w.decide(w.Service, c, q); d.Allowed() || !strings.Contains(d.Reason, "no longer exists") {
		t.Errorf("a deleted role's session is allowed by a bucket: %s", d.Reason)
	}
	w.role("labeler", trustAll, readPhotos)
	check("a namesake", false)

	if d := w.decide(other, ann, getObject("a")); !d.Allowed() {
		t.Error("ann may not")
	}
	w.ok(w.DeletePolicy(ctx, iam.Owner{Kind: iam.OfUser, Name: "ann"}, "p0"))
	if d := w.decide(w.Service, ann, getObject("a")); d.Allowed() {
		t.Error("ann still may")
	}
	w.ok(w.DeleteAccessKey(ctx, "ann", ann.AccessKeyID))
	w.clock.add(time.Second)
	if _, err := other.Authenticate(ctx, ann.AccessKeyID, ""); err == nil {
		t.Error("a deleted key authenticates elsewhere")
	}
}

// deaf is a store whose database stops answering.
type deaf struct {
	iam.Store
	down bool
}

func (d *deaf) Generation(ctx context.Context) (int64, error) {
	if d.down {
		return 0, errors.New("no answer")
	}
	return d.Store.Generation(ctx)
}

// TestNoAnswerIsNoAccess pins that old rights are not used for longer than a second.
func TestNoAnswerIsNoAccess(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	ann := w.user("ann", readPhotos)
	db := &deaf{Store: store.NewIAM(w.db)}
	s := w.replica(db)
	if d := w.decide(s, ann, getObject("a")); !d.Allowed() {
		t.Fatal(d.Reason)
	}
	db.down = true
	if d := w.decide(s, ann, getObject("a")); !d.Allowed() {
		t.Error("a young cache is not used")
	}
	w.clock.add(time.Second)
	_, err := s.Authorize(ctx, ann, getObject("a"))
	wantFault(t, err, fault.Unavailable, "", "cannot be read")
	w.clock.add(-time.Hour) // a clock set back must not make the cache young
	_, err = s.Authorize(ctx, ann, getObject("a"))
	wantFault(t, err, fault.Unavailable, "", "cannot be read")
	db.down = false
	if d := w.decide(s, ann, getObject("a")); !d.Allowed() {
		t.Error("does not recover")
	}
}

func TestPrincipalTags(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.role("labeler", trustAll, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::photos/${aws:PrincipalTag/team}/*"}}`)
	w.ok(w.TagRole(ctx, "labeler", []iam.Tag{{Key: "team", Value: "red"}}))
	_, c, err := w.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: labeler, SessionName: "s1", Duration: time.Minute})
	w.ok(err)
	if !w.decide(w.Service, c, getObject("red/a")).Allowed() || w.decide(w.Service, c, getObject("blue/a")).Allowed() {
		t.Error("the tag does not decide")
	}
	forged := getObject("blue/a")
	forged.Context.Keys = []policy.Key{{Name: "aws:PrincipalTag/team", Value: "blue"}}
	if w.decide(w.Service, c, forged).Allowed() {
		t.Error("a request's key stands for the principal's tag")
	}
}

func TestConcurrentUse(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.role("labeler", trustAll, readPhotos)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 50 {
				cred, _, err := w.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: labeler, SessionName: "s1", Duration: time.Minute})
				if err != nil {
					t.Error(err)
					return
				}
				c, err := w.Authenticate(ctx, cred.AccessKeyID, cred.SessionToken)
				if err != nil {
					t.Error(err)
					return
				}
				w.SigningKey(c, "20260102", fmt.Sprint(k%10), "s3")
				if d, err := w.Authorize(ctx, c, getObject("a")); err != nil || !d.Allowed() {
					t.Errorf("%v %v", d.Reason, err)
				}
				if i == 0 {
					w.ok(w.TagRole(ctx, "labeler", []iam.Tag{{Key: "n", Value: fmt.Sprint(k)}}))
				}
			}
		})
	}
	wg.Wait()
}

func benchWorld(b *testing.B) (*world, iam.ServiceSession) {
	w := newWorld(b)
	w.Service, _ = iam.New(iam.Options{Account: account, Store: store.NewIAM(w.db), Keys: w.keys, RootAccessKeyID: rootKey, RootSecret: iam.NewSecret("root-secret"), Now: time.Now, Rand: rand.Reader})
	w.role("labeler", trustAll, readPhotos)
	return w, iam.ServiceSession{
		RoleARN: labeler, SessionName: "cats-task", Duration: 15 * time.Minute,
		Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/cats/one.jpg","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.7/32"}}}]}`,
		Grant:  identity.Grant{ID: "0123456789abcdef", Worker: "private.us-east-1.0123456789abcdef", Job: "cats", Team: "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team", Assignment: "0123456789abcdef", SignIn: "0123456789abcdef"},
	}
}

// BenchmarkAssumeRoleForService is the cost of a media URL's session.
func BenchmarkAssumeRoleForService(b *testing.B) {
	w, in := benchWorld(b)
	b.ReportAllocs()
	var cred iam.Credentials
	for b.Loop() {
		var err error
		if cred, _, err = w.AssumeRoleForService(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(cred.SessionToken)), "token-bytes")
}

// BenchmarkMediaRequest is authentication and decision of a media GET, for a
// token that was seen before and for one that was not.
func BenchmarkMediaRequest(b *testing.B) {
	for _, seen := range []bool{true, false} {
		b.Run(map[bool]string{true: "seen", false: "new"}[seen], func(b *testing.B) {
			w, in := benchWorld(b)
			ctx := context.Background()
			tokens := make([]iam.Credentials, 20000)
			for i := range tokens {
				tokens[i], _, _ = w.AssumeRoleForService(ctx, in)
			}
			q := iam.Question{Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/cats/one.jpg", Context: policy.Context{SourceIP: netip.MustParseAddr("203.0.113.7"), Time: time.Now()}}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				k := tokens[0]
				if !seen {
					k = tokens[i%len(tokens)]
					i++
				}
				c, err := w.Authenticate(ctx, k.AccessKeyID, k.SessionToken)
				if err != nil {
					b.Fatal(err)
				}
				w.SigningKey(c, "20260102", "us-east-1", "s3")
				if d, err := w.Authorize(ctx, c, q); err != nil || !d.Allowed() {
					b.Fatal(d.Reason, err)
				}
			}
		})
	}
}
