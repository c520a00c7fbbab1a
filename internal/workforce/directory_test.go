package workforce_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/workforce"
)

func TestIDs(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		w := f.worker(t, "ann")
		for name, c := range map[string]struct{ got, want string }{
			"pool":   {f.pool.ID, `^eu-central-1_[A-Za-z0-9]{9}$`},
			"arn":    {f.pool.ARN, `^arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_[A-Za-z0-9]{9}$`},
			"client": {f.client.ID, `^[a-z0-9]{26}$`},
			"worker": {w.ID, `^private\.eu-central-1\.[0-9a-f]{16}$`},
			"sub":    {w.Sub, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		} {
			if !regexp.MustCompile(c.want).MatchString(c.got) {
				t.Errorf("%s: %q", name, c.got)
			}
		}
		if s := fmt.Sprintf("%v %+v", f.client, f.client); strings.Contains(s, f.client.Secret.Reveal()) {
			t.Error("the client secret prints")
		}
		again, err := f.Client(ctx, f.pool.ID, f.client.ID)
		if err != nil || again.Secret.Reveal() != f.client.Secret.Reveal() || again.Secret.Empty() {
			t.Errorf("the client secret was not kept: %v", err)
		}
	})
}

func TestUsernamesAndAddresses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		byEmail, err := f.CreatePool(ctx, workforce.UserPool{Name: "e", Policy: workforce.DefaultPolicy, UsernameAttributes: []string{"email"}})
		if err != nil {
			t.Fatal(err)
		}
		email := func(s string) []workforce.Attribute {
			return []workforce.Attribute{{Name: "email", Value: s}}
		}
		for _, c := range []struct {
			name, pool, username string
			attributes           []workforce.Attribute
			email, refusal       string
		}{
			{"plain", f.pool.ID, "ann", nil, "", ""},
			{"with address", f.pool.ID, "bob", email("Bob@example.org"), "Bob@example.org", ""},
			{"address as name", f.pool.ID, "cat@example.org", nil, "cat@example.org", ""},
			{"bad address", f.pool.ID, "dan", email("dan example.org"), "", "Invalid email"},
			{"address taken, other case", f.pool.ID, "dan", email("BOB@example.org"), "", "given email already exists"},
			{"name taken, other case", f.pool.ID, "ANN", nil, "", "already exists"},
			{"named by address", byEmail.ID, "eve@example.org", nil, "eve@example.org", ""},
			{"named by address, not one", byEmail.ID, "eve", nil, "", "should be an email"},
			{"named by address, differs", byEmail.ID, "fay@example.org", email("gil@example.org"), "", "differ"},
			{"named by address, taken", byEmail.ID, "EVE@example.org", nil, "", "already exists"},
			{"no such pool", "eu_x", "ann", nil, "", "does not exist"},
		} {
			w, err := f.CreateWorker(ctx, workforce.NewWorker{Pool: c.pool, Username: c.username, Attributes: c.attributes})
			if c.refusal != "" {
				if err == nil || !strings.Contains(fault.MessageOf(err), c.refusal) {
					t.Errorf("%s: %v", c.name, err)
				}
				continue
			}
			if err != nil || w.Email != c.email {
				t.Errorf("%s: %q %v", c.name, w.Email, err)
				continue
			}
			if c.pool == byEmail.ID && w.Username != w.Sub {
				t.Errorf("%s: username is %q", c.name, w.Username)
			}
			for _, by := range []string{strings.ToUpper(c.username), w.Sub} {
				if found, err := f.FindWorker(ctx, c.pool, by); err != nil || found.ID != w.ID {
					t.Errorf("%s: by %q: %+v %v", c.name, by, found, err)
				}
			}
		}

		if _, err := f.WorkerByEmail(ctx, "bob@example.org"); !fault.Is(err, fault.NotFound) {
			t.Errorf("without a workforce nobody signs in: %v", err)
		}
		f.workforce(t)
		if w, err := f.WorkerByEmail(ctx, "bob@EXAMPLE.org"); err != nil || w.Username != "bob" {
			t.Errorf("by address: %+v %v", w, err)
		}
		if w, err := f.WorkerByEmail(ctx, "ann"); err != nil || w.Username != "ann" {
			t.Errorf("by username: %+v %v", w, err)
		}
		if _, err := f.WorkerByEmail(ctx, "eve@example.org"); !fault.Is(err, fault.NotFound) {
			t.Errorf("somebody of another pool: %v", err)
		}
	})
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		names := []string{"ann", "Bob", "cat", "Dan", "eve"}
		for i, n := range names {
			groups := []string{"birds"}
			if i == 2 {
				groups = nil
			}
			f.worker(t, n, groups...)
		}
		collect := func(list func(after string) ([]workforce.Worker, error)) []string {
			got := []string{}
			for after := ""; ; {
				page, err := list(after)
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range page {
					got = append(got, w.Username)
				}
				if len(page) < 2 {
					return got
				}
				after = page[len(page)-1].Username
			}
		}
		all := collect(func(after string) ([]workforce.Worker, error) {
			return f.Workers(ctx, f.pool.ID, workforce.Filter{}, after, 2)
		})
		if diff := cmp.Diff(names, all); diff != "" {
			t.Error(diff)
		}
		in := collect(func(after string) ([]workforce.Worker, error) { return f.WorkersIn(ctx, f.pool.ID, "birds", after, 2) })
		if diff := cmp.Diff([]string{"ann", "Bob", "Dan", "eve"}, in); diff != "" {
			t.Error(diff)
		}
		_, err := f.WorkersIn(ctx, f.pool.ID, "dogs", "", 2)
		refused(t, err, fault.NotFound, "ResourceNotFoundException", "Group not found")
		groups, err := f.GroupsOf(ctx, f.pool.ID, "ann")
		if err != nil || len(groups) != 1 || groups[0].Name != "birds" {
			t.Errorf("%v %v", groups, err)
		}
		if gone, err := f.DeletePool(ctx, f.pool.ID); err != nil || len(gone) != len(names) {
			t.Fatal(gone, err)
		}
		_, err = f.FindWorker(ctx, f.pool.ID, "ann")
		refused(t, err, fault.NotFound, "ResourceNotFoundException", "does not exist")
	})
}

func TestFilter(t *testing.T) {
	w := workforce.Worker{Username: "Ann", Email: "Ann@example.org", Sub: "s-1", Enabled: true, Status: workforce.Confirmed,
		Attributes: []workforce.Attribute{{Name: "given_name", Value: `An "n"`}}}
	for _, c := range []struct {
		filter string
		want   bool
	}{
		{``, true},
		{`email = "ann@example.org"`, true},
		{`email="ann@example.org"`, true},
		{`"email" = "ann@example.org"`, true},
		{`email = "bob@example.org"`, false},
		{`email ^= "ann@"`, true},
		{`email ^= "nn@"`, false},
		{`username = "ANN"`, true},
		{`sub = "s-1"`, true},
		{`status = "Enabled"`, true},
		{`cognito:user_status = "CONFIRMED"`, true},
		{`given_name = "An \"n\""`, true},
		{`given_name ^= ""`, true},
		{`family_name = "x"`, false},
	} {
		f, err := workforce.ParseFilter(c.filter)
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
		} else if got := f.Takes(&w); got != c.want {
			t.Errorf("%s: %v", c.filter, got)
		}
	}
	for _, bad := range []string{`email`, `email = ann`, `email = "ann`, `shoe_size = "1"`, `= "x"`, `email > "a"`} {
		if _, err := workforce.ParseFilter(bad); fault.CodeOf(err) != "InvalidParameterException" {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestPasswordPolicy(t *testing.T) {
	p := workforce.DefaultPolicy
	for password, lacks := range map[string]string{
		"Str0ng!pass":               "",
		"Str0ng pass":               "",
		"S0!a":                      "not long enough",
		"str0ng!pass":               "uppercase",
		"STR0NG!PASS":               "lowercase",
		"Strong!pass":               "numeric",
		"Str0ngpass1":               "symbol",
		" Str0ng!pass":              "space",
		strings.Repeat("aA1!", 100): "too long",
	} {
		err := p.Check(password)
		if lacks == "" && err != nil || lacks != "" && (fault.CodeOf(err) != "InvalidPasswordException" || !strings.Contains(fault.MessageOf(err), lacks)) {
			t.Errorf("%q: %v", password, err)
		}
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("the message holds the password %q", password)
		}
	}
}
