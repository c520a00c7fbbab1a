package access_test

import (
	"context"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
)

// principal is a session of a grant that was made just now.
func (w *world) principal(r access.Request) *identity.Principal {
	w.t.Helper()
	w.mint(r)
	g := r.Grant
	g.ID = w.audit.last(w.t).GrantID
	return &identity.Principal{Type: identity.AssumedRole, Grant: g}
}

// Ending the grants of an object ends those made before, of that object alone,
// here at once and elsewhere within a second.
func TestObjectEnds(t *testing.T) {
	w := newWorld(t, false)
	other := w.replica(w.store, false)
	ctx := context.Background()
	p := w.principal(w.request())
	check := func(svc *access.Service, key string) error {
		if err := svc.Check(p); err != nil {
			return err
		}
		return svc.CheckObject(p, "media", key)
	}
	for _, svc := range []*access.Service{w.Service, other} {
		if err := check(svc, "images/1.jpg"); err != nil {
			t.Fatal(err)
		}
	}
	w.ok(w.Revoke(ctx, "leaked", access.Object("media", "images/1.jpg")))
	if err := check(w.Service, "images/1.jpg"); !fault.Is(err, fault.Denied) {
		t.Errorf("it did not end here: %v", err)
	}
	w.clock.add(time.Second)
	if err := check(other, "images/1.jpg"); !fault.Is(err, fault.Denied) {
		t.Errorf("it did not end elsewhere: %v", err)
	}
	if err := check(w.Service, "images/10.jpg"); err != nil {
		t.Errorf("another object's ended: %v", err)
	}
	if e := w.audit.last(t); e.Resource != "arn:aws:s3:::media/images/1.jpg" || e.Reason != "leaked" {
		t.Errorf("recorded: %+v", e)
	}
	p = w.principal(w.request())
	if err := check(w.Service, "images/1.jpg"); err != nil {
		t.Errorf("a grant made later does not stand: %v", err)
	}
	root := &identity.Principal{Type: identity.Root}
	if err := w.CheckObject(root, "media", "images/1.jpg"); err != nil {
		t.Errorf("who has no grant is not concerned: %v", err)
	}
	p.Grant.ID = "forged"
	if err := w.CheckObject(p, "media", "images/1.jpg"); !fault.Is(err, fault.Denied) {
		t.Errorf("a grant of unknown age: %v", err)
	}
}

// The media of a job so far end; the job goes on and makes new grants.
func TestJobMediaEnds(t *testing.T) {
	w := newWorld(t, true)
	r := w.request()
	u := w.mint(r)
	w.ok(w.Revoke(context.Background(), "leaked", access.Subject{Kind: access.OfJobMedia, ID: r.Grant.Job}))
	w.ended(w.Service, u)
	w.stands(w.Service, w.mint(r))
}

// A preview says what Mint then does, and leaves nothing behind.
func TestPreviewIsWhatMintDoes(t *testing.T) {
	w := newWorld(t, true)
	for _, tc := range []struct {
		name   string
		change func(*access.Request)
	}{
		{"plain", func(*access.Request) {}},
		{"no binding", func(r *access.Request) { r.Binding = access.Binding{} }},
		{"both bindings", func(r *access.Request) { r.Binding.VpcSourceIP = true }},
		{"the other side", func(r *access.Request) { r.Binding = access.Binding{VpcSourceIP: true} }},
		{"through an endpoint", func(r *access.Request) {
			r.Binding.VpcSourceIP, r.Origin = true, through("10.0.0.7", "vpce-1")
		}},
		{"through an endpoint, bound outside", func(r *access.Request) { r.Origin = through("10.0.0.7", "vpce-1") }},
		{"no address", func(r *access.Request) { r.Origin = origin.Origin{} }},
		{"a key that no browser asks for", func(r *access.Request) { r.Key = "a/../b" }},
		{"time is up", func(r *access.Request) { r.Expires = w.clock.now() }},
		{"ended", func(r *access.Request) { r.Grant.Assignment = "over" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.ok(w.Revoke(context.Background(), "over", access.Subject{Kind: access.OfAssignment, ID: "over"}))
			r := w.request()
			tc.change(&r)
			records := len(w.audit.events)
			p, err := w.Preview(r)
			w.ok(err)
			if len(w.audit.events) != records {
				t.Error("a preview was recorded")
			}
			_, err = w.Mint(context.Background(), r)
			refused := p.Invalid != nil || p.Ended != "" || p.Refused != nil
			if refused != (err != nil) {
				t.Fatalf("the preview %+v, Mint: %v", p, err)
			}
			for _, said := range []error{p.Invalid, p.Refused} {
				if said != nil && said.Error() != err.Error() {
					t.Errorf("the preview says %v, Mint %v", said, err)
				}
			}
			if e := w.audit.last(t); !refused && p.Bound != e.Bound {
				t.Errorf("the preview is bound to %q, the grant to %q", p.Bound, e.Bound)
			}
			if refused {
				return
			}
			// The session is Mint's: it opens where the URL does.
			_, caller, err := w.iam.AssumeRoleForService(context.Background(), p.Session)
			w.ok(err)
			if !caller.IsGrant() || caller.Grant.Worker != r.Grant.Worker {
				t.Errorf("the session is %+v", caller.Principal)
			}
		})
	}
}

func TestConcerning(t *testing.T) {
	w := newWorld(t, true)
	ctx := context.Background()
	r := w.request()
	w.ok(w.Revoke(ctx, "one", access.Subject{Kind: access.OfWorker, ID: r.Grant.Worker}, access.Subject{Kind: access.OfWorker, ID: "another"}))
	w.clock.add(time.Second)
	w.ok(w.Revoke(ctx, "two", access.Object(r.Bucket, r.Key), access.Object(r.Bucket, r.Key+"x")))
	w.ok(w.Revoke(ctx, "three", access.Subject{Kind: access.OfAll}))
	rows, err := w.Concerning(ctx, r)
	w.ok(err)
	var got []string
	for _, row := range rows {
		got = append(got, row.Reason)
	}
	if len(got) != 3 || got[0] != "three" || got[1] != "two" || got[2] != "one" {
		t.Errorf("concerning: %v", got)
	}
}
