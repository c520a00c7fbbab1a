package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"fiducial/internal/identity"
)

// world draws small documents and requests from a small vocabulary, so that
// statements meet requests often.
type world struct{ r *rand.Rand }

func (w world) pick(s ...string) string { return s[w.r.IntN(len(s))] }

func (w world) statement(effect string, principal bool) string {
	s := `{"Effect":"` + effect + `",` +
		w.pick(`"Action":"s3:GetObject"`, `"Action":["s3:Get*","s3:List*"]`, `"Action":"*"`, `"NotAction":"s3:Put*"`) + `,` +
		w.pick(`"Resource":"*"`, `"Resource":"arn:aws:s3:::b/*"`, `"Resource":"arn:aws:s3:::b/${aws:username}/?"`, `"NotResource":"arn:aws:s3:::b/x"`, `"NotResource":"arn:aws:s3:::b/${s3:prefix}"`)
	if principal {
		s += `,` + w.pick(`"Principal":"*"`, `"Principal":{"AWS":"111122223333"}`, `"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"}`,
			`"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`, `"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/ann"}`)
	}
	if w.r.IntN(2) == 0 {
		s += `,"Condition":{` + w.pick(`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`, `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`,
			`"StringNotEquals":{"s3:prefix":"${aws:username}"}`, `"StringLikeIfExists":{"s3:prefix":"a*"}`, `"Null":{"s3:prefix":"true"}`,
			`"ForAllValues:StringEquals":{"s3:prefix":"a"}`, `"Bool":{"aws:SecureTransport":"true"}`) + `}`
	}
	return s + `}`
}

func (w world) document(t *testing.T, kind Kind, effects ...string) (*Document, []string) {
	var statements []string
	for range 1 + w.r.IntN(3) {
		statements = append(statements, w.statement(w.pick(effects...), kind == Resource))
	}
	return must(t, kind, list(statements)), statements
}

func list(statements []string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func (w world) request() *Request {
	p := []*identity.Principal{user("ann"), session("r", "s"), session("q", "s"), rootUser(), {}}[w.r.IntN(5)]
	req := &Request{Principal: p, Action: w.pick("s3:GetObject", "s3:PutObject", "s3:ListBucket"), Resource: w.pick("arn:aws:s3:::b", "arn:aws:s3:::b/x", "arn:aws:s3:::b/ann/x", "arn:aws:s3:::c/x")}
	if w.r.IntN(2) == 0 {
		req.Context.SourceIP = netip.MustParseAddr(w.pick("10.1.2.3", "192.0.2.1", "::ffff:10.9.9.9"))
	}
	if w.r.IntN(2) == 0 {
		req.Context.Keys = []Key{{Name: "s3:prefix", Value: w.pick("a", "ann", "b")}}
	}
	req.Context.SecureTransport = w.r.IntN(2) == 0
	return req
}

// TestProperties pins what must hold of any documents and any request.
func TestProperties(t *testing.T) {
	allowed := 0
	for seed := range uint64(6000) {
		w := world{rand.New(rand.NewPCG(seed, 1))}
		own, ownText := w.document(t, Identity, "Allow", "Allow", "Deny")
		sess, _ := w.document(t, Session, "Allow", "Deny")
		res, resText := w.document(t, Resource, "Allow", "Deny")
		req := w.request()
		p := Policies{Identity: []*Document{own}, Resource: res}
		if req.Principal.Type == identity.AssumedRole && w.r.IntN(3) > 0 {
			p.Session, p.HasSession = sess, true
		}
		if w.r.IntN(3) == 0 {
			p.Resource = nil
		}
		got := Authorize(p, req)
		describe := func() string {
			return fmt.Sprintf("seed %d: own %s, resource %s, %v %s %s: %s", seed, ownText, resText, req.Principal.Type, req.Action, req.Resource, got.Reason)
		}
		if got.Allowed() {
			allowed++
		}

		// A Deny that applies anywhere wins.
		gates := []*Document{p.Resource}
		if req.Principal.Type != identity.Anonymous {
			gates = append(gates, own)
			if p.HasSession {
				gates = append(gates, sess)
			}
		}
		denied := false
		for _, d := range gates {
			denied = denied || d != nil && Evaluate([]*Document{d}, req).Effect == Deny
		}
		if denied != (got.Effect == Deny) {
			t.Errorf("%s: denied %v", describe(), denied)
		}

		// One more Deny statement never allows more.
		extra := must(t, Identity, list(append([]string{w.statement("Deny", false)}, ownText...)))
		q := p
		q.Identity = []*Document{extra}
		if Authorize(q, req).Allowed() && !got.Allowed() {
			t.Errorf("%s: a Deny statement allowed", describe())
		}

		// One Allow statement less never allows more.
		q.Identity = nil
		if Authorize(q, req).Allowed() && !got.Allowed() && got.Effect != Deny {
			t.Errorf("%s: less Allow allowed more", describe())
		}

		// A session is never allowed more than its role without a session policy.
		q = p
		q.HasSession, q.Session = false, nil
		if got.Allowed() && !Authorize(q, req).Allowed() {
			t.Errorf("%s: a session policy allowed more than the role", describe())
		}

		// A grant does nothing that its session policy does not allow.
		if p.HasSession {
			g := *req.Principal
			g.Grant.ID = "g"
			greq := *req
			greq.Principal = &g
			if Authorize(p, &greq).Allowed() && Evaluate([]*Document{sess}, &greq).Effect != Allow {
				t.Errorf("%s: a grant escaped its session policy", describe())
			}
		}
	}
	if allowed < 500 {
		t.Errorf("only %d of the drawn requests were allowed: the drawing is too strict to show anything", allowed)
	}
}

// TestMatcherAgainstReference compares the matcher with the obvious recursive one.
func TestMatcherAgainstReference(t *testing.T) {
	var slow func(p, s []rune) bool
	slow = func(p, s []rune) bool {
		switch {
		case len(p) == 0:
			return len(s) == 0
		case p[0] == '*':
			return slow(p[1:], s) || len(s) > 0 && slow(p, s[1:])
		case len(s) == 0:
			return false
		}
		return (p[0] == '?' || p[0] == s[0]) && slow(p[1:], s[1:])
	}
	r := rand.New(rand.NewPCG(7, 7))
	draw := func(alphabet string, n int) string {
		letters := []rune(alphabet)
		var b strings.Builder
		for range r.IntN(n) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	for range 20000 {
		p, s := draw("aб**?", 7), draw("aбc", 8)
		c, err := compilePattern(p, style{wildcards: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := matchTokens(c.tokens, s, false), slow([]rune(p), []rune(s)); got != want {
			t.Fatalf("%q against %q: got %v, want %v", p, s, got, want)
		}
	}
}
