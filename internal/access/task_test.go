package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
)

// render makes the grants of some keys, as a template does.
func render(urls *[]string, keys ...string) func(access.Minter) error {
	return func(mint access.Minter) error {
		for _, key := range keys {
			u, err := mint(context.Background(), "media", key)
			if err != nil {
				return err
			}
			*urls = append(*urls, u)
		}
		return nil
	}
}

// TestTaskGrantsAreEachTheirOwn: the grants of one task share a signing key, and
// nothing of what they permit.
func TestTaskGrantsAreEachTheirOwn(t *testing.T) {
	w := newWorld(t, true)
	r := w.request()
	var urls []string
	keys := []string{"a.jpg", "b.jpg", "c.jpg"}
	w.ok(w.ForTask(context.Background(), r, render(&urls, keys...)))
	events := w.audit.all()
	if len(events) != len(keys) {
		t.Fatalf("%d records, want %d", len(events), len(keys))
	}
	ids := map[string]bool{}
	for i, e := range events {
		if e.Verdict != audit.Allow || e.Resource != "arn:aws:s3:::media/"+keys[i] || e.Bound != "aws:SourceIp 192.0.2.7/32" || e.Assignment != "a-1" ||
			e.GrantID == "" || e.Expires.IsZero() || !strings.Contains(urls[i], "X-Amz-Credential="+e.AccessKeyID+"%2F") {
			t.Errorf("record %+v", e)
		}
		ids[e.GrantID] = true
	}
	if len(ids) != len(keys) {
		t.Errorf("ids %v", ids)
	}
	for i, u := range urls {
		w.stands(w.Service, u)
		if err := w.open(w.Service, "GET", u, from("192.0.2.8")); !fault.Is(err, fault.Denied) {
			t.Errorf("opened elsewhere: %v", err)
		}
		// With the key or the token of another grant of the task it opens nothing.
		other := urls[(i+1)%len(urls)]
		for _, mixed := range []string{
			strings.Replace(u, keys[i], keys[(i+1)%len(keys)], 1),
			strings.Replace(u, token(t, u), token(t, other), 1),
			strings.Replace(strings.Replace(u, token(t, u), token(t, other), 1), keys[i], keys[(i+1)%len(keys)], 1),
		} {
			if err := w.open(w.Service, "GET", mixed, from("192.0.2.7")); err == nil && mixed != other {
				t.Errorf("a mixture opens: %s", mixed)
			}
		}
	}
	// Each can be ended without the others.
	w.ok(w.Revoke(context.Background(), "test", access.Subject{Kind: access.OfGrant, ID: events[1].GrantID}))
	w.stands(w.Service, urls[0])
	w.ended(w.Service, urls[1])
	w.stands(w.Service, urls[2])
}

func token(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("X-Amz-Security-Token")
}

// TestTaskRefusesWhatEndedMeanwhile: a revocation between two grants of a task
// ends both, and that of the object alone the ones before it.
func TestTaskRefusesWhatEndedMeanwhile(t *testing.T) {
	w := newWorld(t, true)
	var urls []string
	w.ok(w.ForTask(context.Background(), w.request(), func(mint access.Minter) error {
		if err := render(&urls, "a.jpg")(mint); err != nil {
			return err
		}
		if err := w.Revoke(context.Background(), "test", access.Subject{Kind: access.OfWorker, ID: workerID}); err != nil {
			return err
		}
		return render(&urls, "b.jpg")(mint)
	}))
	w.ended(w.Service, urls[0])
	w.ended(w.Service, urls[1])
	urls = nil
	w.ok(w.ForTask(context.Background(), w.request(), render(&urls, "a.jpg")))
	w.stands(w.Service, urls[0])
}

// TestTaskRecordsRefusals: a picture that cannot be granted leaves a record, and
// the others their grants.
func TestTaskRecordsRefusals(t *testing.T) {
	w := newWorld(t, true)
	var urls []string
	w.ok(w.ForTask(context.Background(), w.request(), func(mint access.Minter) error {
		if _, err := mint(context.Background(), "media", "../a.jpg"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a key that no browser can ask for: %v", err)
		}
		return render(&urls, "b.jpg")(mint)
	}))
	events := w.audit.all()
	if len(events) != 2 || events[0].Verdict != audit.Deny || events[0].Reason == "" || events[0].GrantID != "" || events[1].Verdict != audit.Allow || events[1].Error != "" {
		t.Errorf("records %+v", events)
	}
	w.stands(w.Service, urls[0])
	// No role: every picture is refused, and each refusal is on record.
	r := w.request()
	r.RoleARN = "arn:aws:iam::000000000000:role/nobody"
	w.ok(w.ForTask(context.Background(), r, func(mint access.Minter) error {
		for range 2 {
			if u, err := mint(context.Background(), "media", "a.jpg"); !fault.Is(err, fault.NotFound) || u != "" {
				t.Errorf("%q, %v", u, err)
			}
		}
		return nil
	}))
	if events = w.audit.all()[2:]; len(events) != 2 || events[0].Verdict != audit.Deny || events[1].Verdict != audit.Deny {
		t.Errorf("records %+v", events)
	}
}

// TestTaskRecordedBeforeHandedOut: if a record of the task is lost, ForTask says
// so, however many grants there were.
func TestTaskRecordedBeforeHandedOut(t *testing.T) {
	w := newWorld(t, true)
	var many []string
	for i := range 600 {
		many = append(many, fmt.Sprint(i, ".jpg"))
	}
	var urls []string
	w.ok(w.ForTask(context.Background(), w.request(), render(&urls, many...)))
	if n := len(w.audit.all()); n != len(many) || len(urls) != len(many) {
		t.Errorf("%d URLs, %d records", len(urls), n)
	}
	w.audit.err = fault.E("test", fault.Unavailable, "the audit record could not be written", errBroken)
	for _, keys := range [][]string{many[:1], many} {
		urls = nil
		if err := w.ForTask(context.Background(), w.request(), render(&urls, keys...)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%d pictures: %v", len(keys), err)
		}
	}
	// A renderer that fails does not keep its grants off the record.
	w.audit.err = nil
	before, failed := len(w.audit.all()), errors.New("the template is wrong")
	if err := w.ForTask(context.Background(), w.request(), func(mint access.Minter) error {
		return errors.Join(render(&urls, "a.jpg")(mint), failed)
	}); !errors.Is(err, failed) {
		t.Error(err)
	}
	if n := len(w.audit.all()) - before; n != 1 {
		t.Errorf("%d records", n)
	}
}
