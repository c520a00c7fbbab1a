package attack

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// attack is one case: a request that must be refused.
type attack struct {
	name string
	make func(s *scene) *request
	want refusal
}

// refusal is what a case must meet.
type refusal struct {
	status []int  // one of them; 403 alone if empty
	error  string // code in the record; any if empty
	reason string // part of the record's reason or statement
	origin string // the record's; the address that the request came from if empty
	// unheard: the bytes are no request that a handler sees, so there is nobody to
	// ask and nothing to record; the server's HTTP reader refuses them.
	unheard bool
}

func (r refusal) statuses() []int {
	if len(r.status) == 0 {
		return []int{403}
	}
	return r.status
}

// group is a family of cases. docs/security.md shows groups and names.
type group struct {
	title string
	cases []attack
}

// The refusals that most cases share.
var (
	mismatch  = refusal{error: "SignatureDoesNotMatch"}
	badQuery  = refusal{error: "AuthorizationQueryParametersError"}
	anonymous = refusal{error: "AccessDenied", reason: "anonymous"}
	badToken  = refusal{error: "InvalidClientTokenId", reason: "security token"}
	origin    = refusal{error: "AccessDenied", reason: "session policy"}
	noRequest = refusal{status: []int{400}, unheard: true}
	noAnswer  = refusal{status: []int{400, 0}, unheard: true} // or the connection is closed before all was sent
)

func groups() []group {
	return []group{
		{"From somewhere else", places()},
		{"From somewhere else, with a header that says otherwise", headers()},
		{"By another method", methods()},
		{"For another object", objects()},
		{"By another path", paths()},
		{"At another host", hosts()},
		{"With the query spelled otherwise", spellings()},
		{"With parameters missing, doubled or added", parameters()},
		{"For another scope or by another algorithm", scopes()},
		{"For another time", times()},
		{"With another signature", signatures()},
		{"With another token", tokens()},
		{"As another operation", operations()},
		{"With more headers", extras()},
		{"By ranges and conditions", ranges()},
		{"By somebody with an access key of their own", owners()},
		{"After its reason has ended", endings()},
		{"Below HTTP", wire()},
	}
}

// refused judges one answer and the record of it.
func (s *scene) refused(t *testing.T, want refusal, from string, a answer, agent string) {
	t.Helper()
	if s.leaks(a) {
		t.Errorf("the picture was sent (status %d)", a.status)
	}
	if !slices.Contains(want.statuses(), a.status) {
		t.Errorf("status %d, want one of %v\n%.400s", a.status, want.statuses(), a.raw)
	}
	s.records(t)
	got := s.byAgent[agent]
	if want.unheard {
		if len(got) != 0 {
			t.Errorf("there is a record of what the HTTP reader should have refused: %+v", got)
		}
		return
	}
	if len(got) != 1 {
		t.Errorf("%d records, want 1: %+v", len(got), got)
		return
	}
	r := got[0]
	if want.origin == "" {
		want.origin = from
	}
	if want.origin == "" {
		want.origin = here
	}
	if r.Verdict != "deny" || want.error != "" && r.Error != want.error || !strings.Contains(r.Reason+" "+r.Statement, want.reason) || r.Origin != want.origin || r.Reason == "" {
		t.Errorf("the record is %+v\nwant deny, error %q, reason with %q, origin %s", r, want.error, want.reason, want.origin)
	}
}

// TestAttacks runs the whole table against one server.
func TestAttacks(t *testing.T) {
	begin := time.Now()
	s := newScene(t)
	t.Logf("the scene stood after %v", time.Since(begin).Round(time.Millisecond))
	slow := make(chan string, 1)
	go func() { slow <- s.slow() }()
	n := 0
	start := time.Now()
	for gi, g := range groups() {
		for ci, c := range g.cases {
			n++
			t.Run(g.title+"/"+c.name, func(t *testing.T) {
				r := c.make(s)
				agent := fmt.Sprintf("attack-%d-%d", gi, ci)
				a, err := s.send(r, agent)
				if err != nil && !c.want.unheard {
					t.Fatal(err)
				}
				s.refused(t, c.want, r.from, a, agent)
			})
		}
		s.mustOpen(t, "after "+g.title)
	}
	t.Logf("%d cases in %v", n, time.Since(start).Round(time.Millisecond))
	t.Run("in another order", func(t *testing.T) { s.reordered(t) })
	t.Run("slowly", func(t *testing.T) {
		if wrong := <-slow; wrong != "" {
			t.Error(wrong)
		}
	})
	t.Run("after its time", func(t *testing.T) { s.expired(t) })
	s.mustOpen(t, "at the end")
	t.Run("while its reason ends", func(t *testing.T) { s.together(t) })
}
