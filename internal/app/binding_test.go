package app

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/labeling"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// The tag says what a team's media are bound to, so a change of it ends the
// team's grants; other tags and other resources do not.
func TestBrowserBindingTag(t *testing.T) {
	ctx, db := context.Background(), storetest.SQLite(t)
	grants, err := access.New(ctx, access.Options{Store: store.NewAccess(db), Audit: audit.Discard{}, Now: time.Now, Rand: rand.Reader, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	a := &App{db: db, access: grants}
	tags := teamTags{store.NewTags(db), a}
	team := "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team"
	put := func(arn, key, value string) func() error {
		return func() error {
			_, err := tags.PutTags(ctx, arn, []labeling.Tag{{Key: key, Value: value}}, 50)
			return err
		}
	}
	drop := func(key string) func() error { return func() error { return tags.DropTags(ctx, team, key) } }
	for i, step := range []struct {
		name        string
		do          func() error
		ends, bound bool
	}{
		{"another tag", put(team, "cost", "center"), false, false},
		{"another resource", put("arn:aws:sagemaker:us-east-1:000000000000:labeling-job/x", access.BrowserBindingTag, "Enabled"), false, false},
		{"enabled", put(team, access.BrowserBindingTag, "Enabled"), true, true},
		{"disabled", put(team, access.BrowserBindingTag, "Disabled"), true, false},
		{"neither", put(team, access.BrowserBindingTag, "enabled"), true, true},
		{"another tag removed", drop("cost"), false, true},
		{"removed", drop(access.BrowserBindingTag), true, false},
	} {
		// A grant of an epoch that only this step's revocation can end.
		p := &identity.Principal{Grant: identity.Grant{ID: "x-" + string(rune('0'+grants.Epoch())), Team: team}}
		if err := grants.Check(p); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if ended := fault.Is(grants.Check(p), fault.Denied); ended != step.ends {
			t.Errorf("%s: grants ended %v, want %v", step.name, ended, step.ends)
		}
		if bound, err := a.browserBound(ctx, team); err != nil || bound != step.bound {
			t.Errorf("%s: bound %v, %v", step.name, bound, err)
		}
	}
}
