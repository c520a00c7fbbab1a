package workforce_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
	"fiducial/internal/workforce"
)

// announced remembers what the service said ended.
type announced struct {
	mu   sync.Mutex
	said []workforce.Change
	fail error
}

func (a *announced) Changed(_ context.Context, _ string, changes ...workforce.Change) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return a.fail
	}
	a.said = append(a.said, changes...)
	return nil
}

func (a *announced) take() []workforce.Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.said
	a.said = nil
	return out
}

// running is the set of work teams with a job that has not ended.
type running map[string]bool

func (r running) Running(_ context.Context, team string) (bool, error) { return r[team], nil }

type fixture struct {
	*workforce.Service
	said   *announced
	jobs   running
	pool   workforce.UserPool
	client workforce.UserPoolClient

	clock sync.Mutex
	now   time.Time
	tick  time.Duration // that passes whenever somebody looks
}

func (f *fixture) look() time.Time {
	f.clock.Lock()
	defer f.clock.Unlock()
	f.now = f.now.Add(f.tick)
	return f.now
}

// pass lets time pass, and from then on only when pass is called.
func (f *fixture) pass(d time.Duration) {
	f.clock.Lock()
	defer f.clock.Unlock()
	f.tick = 0
	f.now = f.now.Add(d)
}

var ctx = context.Background()

// each runs body on both databases with a service that has one pool, one client
// and two groups.
func each(t *testing.T, body func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Parallel() // so that all share one PostgreSQL
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := &fixture{said: &announced{}, jobs: running{}, tick: time.Second, now: time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)}
		f.Service = workforce.New(workforce.Config{
			Store: store.NewWorkforce(db), Changes: f.said, Jobs: f.jobs,
			Region: "eu-central-1", Account: "123456789012", PortalHost: "label.example.org",
			Networks: office(t), Now: f.look, Random: rand.Reader,
		})
		var err error
		if f.pool, err = f.CreatePool(ctx, workforce.UserPool{Name: "workers", Policy: workforce.DefaultPolicy}); err != nil {
			t.Fatal(err)
		}
		if f.client, err = f.CreateClient(ctx, workforce.UserPoolClient{Pool: f.pool.ID, Name: "portal"}, true); err != nil {
			t.Fatal(err)
		}
		for _, g := range []string{"birds", "cats"} {
			if _, err := f.CreateGroup(ctx, workforce.Group{Pool: f.pool.ID, Name: g}); err != nil {
				t.Fatal(err)
			}
		}
		body(t, f)
	})
}

func (f *fixture) workforce(t *testing.T) workforce.Workforce {
	t.Helper()
	w, err := f.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "People", UserPool: f.pool.ID, ClientID: f.client.ID})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (f *fixture) member(group string) []workforce.MemberDefinition {
	return []workforce.MemberDefinition{{UserPool: f.pool.ID, Group: group, ClientID: f.client.ID}}
}

func (f *fixture) team(t *testing.T, name, group string) workforce.Workteam {
	t.Helper()
	team, err := f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: name, Description: "d", Members: f.member(group)})
	if err != nil {
		t.Fatal(err)
	}
	return team
}

func (f *fixture) worker(t *testing.T, name string, groups ...string) workforce.Worker {
	t.Helper()
	w, err := f.CreateWorker(ctx, workforce.NewWorker{Pool: f.pool.ID, Username: name,
		Attributes: []workforce.Attribute{{Name: "email", Value: name + "@example.org"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if err := f.AddToGroup(ctx, f.pool.ID, name, g); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// refused checks kind and wording of an error.
func refused(t *testing.T, err error, kind fault.Kind, code, words string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.CodeOf(err) != code || !strings.Contains(fault.MessageOf(err), words) {
		t.Errorf("got %v; want kind %v, code %q, words %q", err, kind, code, words)
	}
}

func TestWorkforce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, err := f.DescribeWorkforce(ctx, "people")
		refused(t, err, fault.NotFound, "ValidationException", "No workforce")
		refused(t, f.DeleteWorkforce(ctx, "people"), fault.NotFound, "ValidationException", "No workforce")

		_, err = f.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "p", UserPool: "x_y", ClientID: f.client.ID})
		refused(t, err, fault.Invalid, "", "user pool x_y does not exist")
		_, err = f.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "p", UserPool: f.pool.ID, ClientID: "nobody"})
		refused(t, err, fault.Invalid, "", "has no client nobody")

		made := f.workforce(t)
		if made.ARN != "arn:aws:sagemaker:eu-central-1:123456789012:workforce/people" || made.SubDomain != "label.example.org" ||
			made.Status != "Active" || made.IPAddressType != "ipv4" {
			t.Errorf("workforce is %+v", made)
		}
		found, err := f.DescribeWorkforce(ctx, "PEOPLE") // names are one name whatever the case
		if diff := cmp.Diff(made, found); err != nil || diff != "" {
			t.Errorf("described otherwise than created: %v %s", err, diff)
		}

		_, err = f.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "people", UserPool: f.pool.ID, ClientID: f.client.ID})
		refused(t, err, fault.InUse, "", "already exists")
		_, err = f.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "others", UserPool: f.pool.ID, ClientID: f.client.ID})
		refused(t, err, fault.Limit, "", "one private workforce")

		f.team(t, "T", "birds")
		refused(t, f.DeleteWorkforce(ctx, "people"), fault.InUse, "", "1 work teams")
		_, err = f.DeletePool(ctx, f.pool.ID)
		refused(t, err, fault.InUse, "", "workforce People")
		if err := f.DeleteWorkteam(ctx, "t"); err != nil {
			t.Fatal(err)
		}
		if err := f.DeleteWorkforce(ctx, "people"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Workforce(ctx); !fault.Is(err, fault.NotFound) {
			t.Errorf("after deletion: %v", err)
		}
	})
}

func TestSourceIPConfig(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.workforce(t)
		tooMany := make([]string, 11)
		for i := range tooMany {
			tooMany[i] = fmt.Sprintf("10.0.%d.0/24", i)
		}
		for name, cidrs := range map[string][]string{
			"eleven":     tooMany,
			"no prefix":  {"10.0.0.1"},
			"long":       {"10.0.0.0/33"},
			"octet":      {"10.0.0.256/8"},
			"text":       {"office"},
			"v6 long":    {"2001:db8::/129"},
			"with zone":  {"fe80::1%eth0/64"},
			"second one": {"10.0.0.0/8", ""},
		} {
			_, err := f.UpdateWorkforce(ctx, "People", workforce.WorkforceUpdate{CIDRs: &cidrs})
			if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), "SourceIpConfig.Cidrs") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if said := f.said.take(); len(said) != 0 {
			t.Errorf("refused updates ended grants: %v", said)
		}

		cidrs := []string{"203.0.113.0/24", "2001:db8::/56", "::ffff:198.51.100.0/120"}
		if _, err := f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{CIDRs: &cidrs, VPC: inVPC("vpc-1")}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]workforce.Change{{Kind: workforce.AllChanged}, {Kind: workforce.AllChanged}}, f.said.take()); diff != "" {
			t.Error(diff)
		}
		for _, c := range []struct {
			name string
			from origin.Origin
			want bool
		}{
			{"inside v4", origin.Origin{Addr: netip.MustParseAddr("203.0.113.9")}, true},
			{"outside v4", origin.Origin{Addr: netip.MustParseAddr("203.0.114.9")}, false},
			{"inside v6", origin.Origin{Addr: netip.MustParseAddr("2001:db8::1")}, true},
			{"outside v6", origin.Origin{Addr: netip.MustParseAddr("2001:db9::1")}, false},
			{"network written as mapped", origin.Origin{Addr: netip.MustParseAddr("198.51.100.7")}, true},
			{"unknown address", origin.Origin{}, false},
			{"the workforce's VPC", origin.Origin{Addr: netip.MustParseAddr("10.0.0.1"), VPC: "vpc-1", VPCE: "vpce-1"}, true},
			{"another VPC", origin.Origin{Addr: netip.MustParseAddr("10.0.0.1"), VPC: "vpc-2", VPCE: "vpce-2"}, false},
		} {
			if got, err := f.Admits(ctx, c.from); err != nil || got != c.want {
				t.Errorf("%s: %v %v, want %v", c.name, got, err, c.want)
			}
		}
		none := []string{}
		w, err := f.UpdateWorkforce(ctx, "people", workforce.WorkforceUpdate{CIDRs: &none, VPC: &workforce.VPC{}})
		if err != nil || w.VPC != nil {
			t.Fatalf("%+v %v", w, err)
		}
		if ok, err := f.Admits(ctx, origin.Origin{}); !ok || err != nil {
			t.Errorf("without a restriction: %v %v", ok, err)
		}
	})
}

func TestWorkteams(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, err := f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: "T", Members: f.member("birds")})
		refused(t, err, fault.Invalid, "", "No workforce")
		w := f.workforce(t)
		_, err = f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: "T", WorkforceName: "other", Members: f.member("birds")})
		refused(t, err, fault.NotFound, "ValidationException", "No workforce")
		_, err = f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: "T", Members: f.member("dogs")})
		refused(t, err, fault.Invalid, "", "no group dogs")
		stranger := append(f.member("birds"), workforce.MemberDefinition{UserPool: "x_y", Group: "birds", ClientID: f.client.ID})
		_, err = f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: "T", Members: stranger})
		refused(t, err, fault.Invalid, "", "MemberDefinitions[1]")

		made, err := f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: "Team-1", Description: "d", Members: f.member("birds"),
			NotificationTopicARN: "arn:aws:sns:eu-central-1:123456789012:t", Access: &workforce.WorkerAccess{SourceIP: "Enabled"}})
		if err != nil {
			t.Fatal(err)
		}
		if made.ARN != "arn:aws:sagemaker:eu-central-1:123456789012:workteam/private-crowd/team-1" || made.WorkforceARN != w.ARN {
			t.Errorf("team is %+v", made)
		}
		if !made.BindsSourceIP() || made.BindsVpcSourceIP() {
			t.Error("the access rules are not what was asked for")
		}
		found, err := f.Team(ctx, made.ARN)
		if diff := cmp.Diff(made, found); err != nil || diff != "" {
			t.Errorf("found by ARN: %v %s", err, diff)
		}
		for _, other := range []string{
			"arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/team-1",
			"arn:aws:sagemaker:eu-central-1:999999999999:workteam/private-crowd/team-1",
			"arn:aws:sagemaker:eu-central-1:123456789012:workteam/vendor-crowd/team-1",
		} {
			_, err := f.Team(ctx, other)
			refused(t, err, fault.NotFound, "ValidationException", "The work team")
		}
		_, err = f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: "team-1", Members: f.member("birds")})
		refused(t, err, fault.InUse, "", "already exists")
		_, err = f.DescribeWorkteam(ctx, "nobody")
		refused(t, err, fault.NotFound, "ValidationException", "The work team")
		refused(t, f.DeleteWorkteam(ctx, "nobody"), fault.NotFound, "ValidationException", "The work team")

		f.jobs[made.ARN] = true
		refused(t, f.DeleteWorkteam(ctx, "team-1"), fault.InUse, "", "has not ended")
		f.jobs[made.ARN] = false

		for i := 2; i <= workforce.MaxTeams; i++ {
			f.team(t, fmt.Sprint("team-", i), "birds")
		}
		_, err = f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: "one-more", Members: f.member("birds")})
		refused(t, err, fault.Limit, "", "25 work teams")
		if err := f.DeleteWorkteam(ctx, "team-9"); err != nil {
			t.Fatal(err)
		}
		f.team(t, "one-more", "birds")
	})
}

// What a grant rests on ends, and the package says so: before the commit and
// after it. This is what lets a grant die with its reason.
func TestChangesAreAnnounced(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.workforce(t)
		team := f.team(t, "T", "birds")
		f.team(t, "U", "cats")
		w := f.worker(t, "ann", "birds")
		f.said.take()
		text := "other"
		ofTeam := []workforce.Change{{Kind: workforce.TeamChanged, ID: team.ARN}, {Kind: workforce.TeamChanged, ID: team.ARN}}
		ofWorker := []workforce.Change{{Kind: workforce.WorkerChanged, ID: w.ID}, {Kind: workforce.WorkerChanged, ID: w.ID}}
		for _, c := range []struct {
			name string
			do   func() error
			want []workforce.Change
		}{
			{"a description changes nothing", func() error {
				_, err := f.UpdateWorkteam(ctx, "T", workforce.WorkteamUpdate{Description: &text})
				return err
			}, nil},
			{"access rules", func() error {
				_, err := f.UpdateWorkteam(ctx, "T", workforce.WorkteamUpdate{Access: &workforce.WorkerAccess{SourceIP: "Enabled"}})
				return err
			}, ofTeam},
			{"members", func() error {
				_, err := f.UpdateWorkteam(ctx, "T", workforce.WorkteamUpdate{Members: f.member("birds")})
				return err
			}, ofTeam},
			{"enabling changes nothing", func() error { return f.SetEnabled(ctx, f.pool.ID, "ann", true) }, nil},
			{"disabling", func() error { return f.SetEnabled(ctx, f.pool.ID, "ann", false) }, ofWorker},
			{"disabling again: the first answer may have been lost", func() error { return f.SetEnabled(ctx, f.pool.ID, "ann", false) }, ofWorker},
			{"leaving a group", func() error { return f.RemoveFromGroup(ctx, f.pool.ID, "ann", "birds") }, ofWorker},
			{"deleting a group", func() error { return f.DeleteGroup(ctx, f.pool.ID, "birds") }, ofTeam},
			{"deleting the worker", func() error { _, err := f.DeleteWorker(ctx, f.pool.ID, "ann"); return err }, ofWorker},
			{"deleting the team", func() error { return f.DeleteWorkteam(ctx, "T") }, ofTeam},
		} {
			if err := c.do(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if diff := cmp.Diff(c.want, f.said.take()); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}

		// When grants cannot be ended, nothing is changed.
		f.said.fail = fault.E("test", fault.Unavailable, "no", nil)
		if err := f.DeleteWorkteam(ctx, "U"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
		if _, err := f.DescribeWorkteam(ctx, "U"); err != nil {
			t.Errorf("the team is gone although its grants live: %v", err)
		}
	})
}

func TestTeamsOf(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.workforce(t)
		f.team(t, "Flying", "birds")
		f.team(t, "Furry", "cats")
		if _, err := f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: "all", Members: append(f.member("birds"), f.member("cats")...)}); err != nil {
			t.Fatal(err)
		}
		ann, bob := f.worker(t, "ann", "birds", "cats"), f.worker(t, "bob", "cats")
		eve := f.worker(t, "eve")
		// Somebody of another pool, in a group of the same name.
		other, err := f.CreatePool(ctx, workforce.UserPool{Name: "other", Policy: workforce.DefaultPolicy})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.CreateGroup(ctx, workforce.Group{Pool: other.ID, Name: "birds"}); err != nil {
			t.Fatal(err)
		}
		mal, err := f.CreateWorker(ctx, workforce.NewWorker{Pool: other.ID, Username: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.AddToGroup(ctx, other.ID, "ann", "birds"); err != nil {
			t.Fatal(err)
		}
		check := func(name, id string, want ...string) {
			t.Helper()
			teams, err := f.TeamsOf(ctx, id)
			got := []string{}
			for _, team := range teams {
				got = append(got, team.Name)
			}
			if want == nil {
				want = []string{}
			}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: %v %s", name, err, diff)
			}
		}
		check("both groups", ann.ID, "all", "Flying", "Furry")
		check("one group", bob.ID, "all", "Furry")
		check("no group", eve.ID)
		check("another pool", mal.ID)
		if err := f.SetEnabled(ctx, f.pool.ID, "ann", false); err != nil {
			t.Fatal(err)
		}
		check("disabled", ann.ID)
		if _, err := f.TeamsOf(ctx, "private.x.y"); !fault.Is(err, fault.NotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}

// Two requests at once: one workforce, one team of a name, never more than 25
// teams, one user of a name and of an address.
func TestParallelCreation(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		race := func(n int, do func(i int) error) (won int, kinds map[fault.Kind]int) {
			var wg sync.WaitGroup
			errs := make([]error, n)
			for i := range n {
				wg.Add(1)
				go func() {
					defer wg.Done()
					errs[i] = do(i)
				}()
			}
			wg.Wait()
			kinds = map[fault.Kind]int{}
			for _, err := range errs {
				if err == nil {
					won++
				} else {
					kinds[fault.KindOf(err)]++
				}
			}
			return won, kinds
		}
		won, kinds := race(16, func(i int) error {
			_, err := f.CreateWorkforce(ctx, workforce.NewWorkforce{Name: fmt.Sprint("w", i), UserPool: f.pool.ID, ClientID: f.client.ID})
			return err
		})
		if won != 1 || kinds[fault.Limit] != 15 {
			t.Errorf("workforces: %d made, %v", won, kinds)
		}
		won, kinds = race(16, func(i int) error {
			_, err := f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: []string{"Same", "same"}[i%2], Members: f.member("birds")})
			return err
		})
		if won != 1 || kinds[fault.InUse] != 15 {
			t.Errorf("teams of one name: %d made, %v", won, kinds)
		}
		won, kinds = race(40, func(i int) error {
			_, err := f.CreateWorkteam(ctx, workforce.NewWorkteam{Name: fmt.Sprint("t", i), Members: f.member("birds")})
			return err
		})
		if won != 24 || kinds[fault.Limit] != 16 {
			t.Errorf("teams: %d made, %v", won, kinds)
		}
		won, kinds = race(16, func(i int) error {
			_, err := f.CreateWorker(ctx, workforce.NewWorker{Pool: f.pool.ID, Username: []string{"Ann", "ann"}[i%2]})
			return err
		})
		if won != 1 || kinds[fault.Exists] != 15 {
			t.Errorf("users of one name: %d made, %v", won, kinds)
		}
		won, kinds = race(16, func(i int) error {
			_, err := f.CreateWorker(ctx, workforce.NewWorker{Pool: f.pool.ID, Username: fmt.Sprint("u", i),
				Attributes: []workforce.Attribute{{Name: "email", Value: "One@example.org"}}})
			return err
		})
		if won != 1 || kinds[fault.Exists] != 15 {
			t.Errorf("users of one address: %d made, %v", won, kinds)
		}
	})
}
