package workforce_test

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"fiducial/internal/origin"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
	"fiducial/internal/workforce"
)

// What the portal asks on every request.
func BenchmarkPortalQuestions(b *testing.B) {
	s := workforce.New(workforce.Config{Store: store.NewWorkforce(storetest.SQLite(b)), Changes: &announced{}, Jobs: running{},
		Region: "us-east-1", Account: "123456789012", Now: time.Now, Random: rand.Reader})
	pool, err := s.CreatePool(ctx, workforce.UserPool{Policy: workforce.DefaultPolicy})
	must(b, err)
	client, err := s.CreateClient(ctx, workforce.UserPoolClient{Pool: pool.ID}, false)
	must(b, err)
	_, err = s.CreateGroup(ctx, workforce.Group{Pool: pool.ID, Name: "g"})
	must(b, err)
	_, err = s.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "w", UserPool: pool.ID, ClientID: client.ID, CIDRs: []string{"10.0.0.0/8"}})
	must(b, err)
	for _, n := range []string{"t1", "t2", "t3"} {
		_, err = s.CreateWorkteam(ctx, workforce.NewWorkteam{Name: n, Members: []workforce.MemberDefinition{{UserPool: pool.ID, Group: "g", ClientID: client.ID}}})
		must(b, err)
	}
	w, err := s.CreateWorker(ctx, workforce.NewWorker{Pool: pool.ID, Username: "ann"})
	must(b, err)
	must(b, s.AddToGroup(ctx, pool.ID, "ann", "g"))
	from := origin.Origin{Addr: netip.MustParseAddr("10.1.2.3")}
	for b.Loop() {
		ok, err := s.Admits(ctx, from)
		teams, err2 := s.TeamsOf(ctx, w.ID)
		if err != nil || err2 != nil || !ok || len(teams) != 3 {
			b.Fatal(ok, teams, err, err2)
		}
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
