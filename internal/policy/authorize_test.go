package policy

import (
	"net/netip"
	"strings"
	"testing"

	"fiducial/internal/identity"
)

const (
	anything = `"Action":"s3:*","Resource":"*"`
	nothing  = `"Action":"iam:*","Resource":"*"` // does not concern the request
)

// policies builds a Policies from statement elements; "" leaves a gate out.
func policies(t testing.TB, own, session, resource string) Policies {
	t.Helper()
	var p Policies
	if own != "" {
		p.Identity = []*Document{must(t, Identity, statementDoc(own)).WithName("own")}
	}
	if session != "" {
		p.HasSession = true
		p.Session = must(t, Session, statementDoc(session)).WithName("session")
	}
	if resource != "" {
		p.Resource = must(t, Resource, statementDoc(resource)).WithName("bucket")
	}
	return p
}

func named(effect, principal string) string {
	return `"Effect":"` + effect + `","Principal":` + principal + `,` + anything
}

func TestAuthorize(t *testing.T) {
	const (
		allow     = `"Effect":"Allow",` + anything
		deny      = `"Effect":"Deny",` + anything
		unrelated = `"Effect":"Allow",` + nothing
		everybody = `"*"`
		byAccount = `{"AWS":"111122223333"}`
		byRoot    = `{"AWS":"arn:aws:iam::111122223333:root"}`
		byUser    = `{"AWS":"arn:aws:iam::111122223333:user/ann"}`
		byRole    = `{"AWS":"arn:aws:iam::111122223333:role/labeler"}`
		bySession = `{"AWS":"arn:aws:sts::111122223333:assumed-role/labeler/s1"}`
		other     = `{"AWS":"arn:aws:iam::111122223333:user/bob"}`
	)
	ann, s1, anonymous := user("ann"), session("labeler", "s1"), &identity.Principal{}
	granted := session("labeler", "s1")
	granted.Grant.ID = "g1"
	sagemaker := service("sagemaker.amazonaws.com")

	cases := []struct {
		name                   string
		principal              *identity.Principal
		own, session, resource string
		want                   Effect
		gate                   Gate
	}{
		{"user, nothing", ann, "", "", "", NoMatch, IdentityGate},
		{"user, own allow", ann, allow, "", "", Allow, IdentityGate},
		{"user, own deny", ann, deny, "", "", Deny, IdentityGate},
		{"user, own allow, resource deny", ann, allow, "", named("Deny", everybody), Deny, ResourceGate},
		{"user, own deny, resource allow", ann, deny, "", named("Allow", byUser), Deny, IdentityGate},
		{"user, named by the resource", ann, "", "", named("Allow", byUser), Allow, ResourceGate},
		{"user, another is named", ann, "", "", named("Allow", other), NoMatch, IdentityGate},
		{"user, everybody is named", ann, "", "", named("Allow", everybody), Allow, ResourceGate},
		{"user, everybody is named as AWS", ann, "", "", named("Allow", `{"AWS":"*"}`), Allow, ResourceGate},
		// The account's name only delegates to the account's administrator.
		{"user, the account is named", ann, "", "", named("Allow", byAccount), NoMatch, IdentityGate},
		{"user, the account is named and own allow", ann, allow, "", named("Allow", byRoot), Allow, IdentityGate},
		{"user, the account is denied", ann, allow, "", named("Deny", byAccount), Deny, ResourceGate},
		{"user, another service is named", ann, "", "", named("Allow", `{"Service":"sagemaker.amazonaws.com"}`), NoMatch, IdentityGate},

		{"session, role allows, no session policy", s1, allow, "", "", Allow, IdentityGate},
		{"session, role and session policy allow", s1, allow, allow, "", Allow, IdentityGate},
		{"session, only the role allows", s1, allow, unrelated, "", NoMatch, SessionGate},
		{"session, only the session policy allows", s1, unrelated, allow, "", NoMatch, IdentityGate},
		{"session, neither allows", s1, unrelated, unrelated, "", NoMatch, IdentityGate},
		{"session, session policy denies", s1, allow, deny, "", Deny, SessionGate},
		{"session, session policy denies what the bucket gives", s1, "", deny, named("Allow", bySession), Deny, SessionGate},
		// Documented: a role's ARN is limited by the session policy, a session's ARN is not.
		{"session, role named", s1, "", "", named("Allow", byRole), Allow, ResourceGate},
		{"session, role named, session policy allows", s1, "", allow, named("Allow", byRole), Allow, ResourceGate},
		{"session, role named, session policy silent", s1, "", unrelated, named("Allow", byRole), NoMatch, SessionGate},
		{"session, session named, session policy silent", s1, "", unrelated, named("Allow", bySession), Allow, ResourceGate},
		{"session, everybody named, session policy silent", s1, "", unrelated, named("Allow", everybody), Allow, ResourceGate},
		{"session, account named, session policy allows", s1, "", allow, named("Allow", byAccount), NoMatch, IdentityGate},
		{"session, another session named", session("labeler", "s2"), "", "", named("Allow", bySession), NoMatch, IdentityGate},
		{"session, role denied", s1, allow, "", named("Deny", byRole), Deny, ResourceGate},
		{"session, session denied", s1, allow, "", named("Deny", bySession), Deny, ResourceGate},

		// Ours: nothing loosens the session policy of a media URL.
		{"grant, session named", granted, allow, unrelated, named("Allow", bySession), NoMatch, SessionGate},
		{"grant, everybody named", granted, allow, unrelated, named("Allow", everybody), NoMatch, SessionGate},
		{"grant, both allow", granted, allow, allow, "", Allow, IdentityGate},
		{"grant, everybody named, session allows", granted, "", allow, named("Allow", everybody), Allow, ResourceGate},

		{"root", rootUser(), "", "", "", Allow, IdentityGate},
		{"root, denied by the resource", rootUser(), "", "", named("Deny", everybody), Deny, ResourceGate},
		{"root, denied by the account's name", rootUser(), "", "", named("Deny", byRoot), Deny, ResourceGate},
		{"root, user denied", rootUser(), "", "", named("Deny", byUser), Allow, IdentityGate},

		{"anonymous, nothing", anonymous, "", "", "", NoMatch, ResourceGate},
		{"anonymous, everybody", anonymous, "", "", named("Allow", everybody), Allow, ResourceGate},
		{"anonymous, everybody denied", anonymous, "", "", named("Deny", everybody), Deny, ResourceGate},
		{"anonymous, account named", anonymous, "", "", named("Allow", byAccount), NoMatch, ResourceGate},
		{"anonymous has no documents", anonymous, allow, "", "", NoMatch, ResourceGate},
		{"service, named", sagemaker, "", "", named("Allow", `{"Service":["s3.amazonaws.com","sagemaker.amazonaws.com"]}`), Allow, ResourceGate},
		{"service, not named", sagemaker, "", "", named("Allow", `{"Service":"s3.amazonaws.com"}`), NoMatch, ResourceGate},
		{"service, account named", sagemaker, "", "", named("Allow", byAccount), NoMatch, ResourceGate},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := policies(t, tc.own, tc.session, tc.resource)
			req := get(tc.principal, Context{})
			got := Authorize(p, req)
			if got.Effect != tc.want || got.By.Gate != tc.gate {
				t.Errorf("got %v by %v (%s), want %v by %v", got.Effect, got.By.Gate, got.Reason, tc.want, tc.gate)
			}
			if got.Reason == "" {
				t.Error("no reason")
			}
			if ex := Explain(p, req); ex.Decision != got {
				t.Errorf("Explain decided %v", ex.Decision)
			}
		})
	}
}

func TestSessionThatCannotBeRead(t *testing.T) {
	p := policies(t, `"Effect":"Allow",`+anything, "", "")
	p.HasSession = true
	if got := Authorize(p, get(session("labeler", "s1"), Context{})); got.Effect != NoMatch {
		t.Errorf("a session policy that is not there allowed: %v", got)
	}
}

func TestAcrossAccounts(t *testing.T) {
	const allow = `"Effect":"Allow",` + anything
	stranger := user("eve")
	cases := []struct {
		name          string
		principal     *identity.Principal
		own, resource string
		want          Effect
		gate          Gate
	}{
		{"own side alone", stranger, allow, "", NoMatch, ResourceGate},
		{"resource side alone", stranger, "", named("Allow", `{"AWS":"arn:aws:iam::111122223333:user/eve"}`), NoMatch, IdentityGate},
		{"everybody alone", stranger, "", named("Allow", `"*"`), NoMatch, IdentityGate},
		{"both, by user", stranger, allow, named("Allow", `{"AWS":"arn:aws:iam::111122223333:user/eve"}`), Allow, ResourceGate},
		{"both, by account", stranger, allow, named("Allow", `{"AWS":"111122223333"}`), Allow, ResourceGate},
		{"root of the other account", rootUser(), "", named("Allow", `{"AWS":"111122223333"}`), Allow, ResourceGate},
		{"root, not named", rootUser(), "", "", NoMatch, ResourceGate},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := policies(t, tc.own, "", tc.resource)
			p.ResourceAccount = "999999999999"
			if got := Authorize(p, get(tc.principal, Context{})); got.Effect != tc.want || got.By.Gate != tc.gate {
				t.Errorf("got %v by %v (%s), want %v by %v", got.Effect, got.By.Gate, got.Reason, tc.want, tc.gate)
			}
		})
	}
	p := policies(t, allow, `"Effect":"Allow",`+nothing, named("Allow", `{"AWS":"111122223333"}`))
	p.ResourceAccount = "999999999999"
	if got := Authorize(p, get(session("labeler", "s1"), Context{})); got.Effect != NoMatch || got.By.Gate != SessionGate {
		t.Errorf("session policy does not bind across accounts: %v", got)
	}
}

func TestNotPrincipal(t *testing.T) {
	const (
		root = `"arn:aws:iam::111122223333:root"`
		ann  = `"arn:aws:iam::111122223333:user/ann"`
		role = `"arn:aws:iam::111122223333:role/labeler"`
		s1   = `"arn:aws:sts::111122223333:assumed-role/labeler/s1"`
	)
	cases := []struct {
		name      string
		effect    string
		listed    string
		principal *identity.Principal
		want      Effect
	}{
		{"deny, user and account listed", "Deny", `{"AWS":[` + ann + `,` + root + `]}`, user("ann"), Allow},
		{"deny, account not listed", "Deny", `{"AWS":[` + ann + `]}`, user("ann"), Deny},
		{"deny, only the account listed", "Deny", `{"AWS":[` + root + `]}`, user("ann"), Deny},
		{"deny, another user", "Deny", `{"AWS":[` + ann + `,` + root + `]}`, user("bob"), Deny},
		{"deny, session with every level", "Deny", `{"AWS":[` + s1 + `,` + role + `,` + root + `]}`, session("labeler", "s1"), Allow},
		{"deny, session without its role", "Deny", `{"AWS":[` + s1 + `,` + root + `]}`, session("labeler", "s1"), Deny},
		{"deny, root listed", "Deny", `{"AWS":` + root + `}`, rootUser(), Allow},
		{"deny, root not listed", "Deny", `{"AWS":` + ann + `}`, rootUser(), Deny},
		{"deny, anonymous", "Deny", `{"AWS":` + root + `}`, &identity.Principal{}, Deny},
		{"deny, everybody listed", "Deny", `"*"`, user("ann"), Allow},
		{"deny, service listed", "Deny", `{"Service":"sagemaker.amazonaws.com"}`, service("sagemaker.amazonaws.com"), NoMatch},
		{"deny, service not listed", "Deny", `{"Service":"sagemaker.amazonaws.com"}`, service("s3.amazonaws.com"), Deny},
		{"allow, not listed", "Allow", `{"AWS":` + ann + `}`, user("bob"), Allow},
		{"allow, anonymous", "Allow", `{"AWS":` + ann + `}`, &identity.Principal{}, Allow},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			own := ""
			if tc.effect == "Deny" {
				own = `"Effect":"Allow",` + anything
			}
			p := policies(t, own, "", `"Effect":"`+tc.effect+`","NotPrincipal":`+tc.listed+`,`+anything)
			if got := Authorize(p, get(tc.principal, Context{})); got.Effect != tc.want {
				t.Errorf("got %v (%s), want %v", got.Effect, got.Reason, tc.want)
			}
		})
	}
	for name, p := range map[string]*identity.Principal{"user": user("ann"), "session": session("labeler", "s1")} {
		listed := policies(t, "", "", `"Effect":"Allow","NotPrincipal":{"AWS":`+root+`},`+anything)
		if got := Authorize(listed, get(p, Context{})); got.Effect != NoMatch {
			t.Errorf("%s of a listed account is allowed: %v", name, got)
		}
	}
	p := policies(t, "", `"Effect":"Allow",`+nothing, `"Effect":"Allow","NotPrincipal":{"AWS":`+ann+`},`+anything)
	if got := Authorize(p, get(session("labeler", "s1"), Context{})); got.Effect != NoMatch {
		t.Errorf("being one of the others frees a session of its policy: %v", got)
	}
}

func TestTrust(t *testing.T) {
	trust := must(t, Trust, `{"Version":"2012-10-17","Statement":[
		{"Sid":"server","Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"},
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"}}}]}`).WithName("labeler")
	ask := func(p *identity.Principal, c Context) Decision {
		return Authorize(Policies{Resource: trust}, &Request{Principal: p, Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/labeler", Context: c})
	}
	if d := ask(service("sagemaker.amazonaws.com"), Context{}); !d.Allowed() || d.By.Gate != ResourceGate || d.By.Policy != "labeler" || d.By.String() != `trust policy "labeler" statement 1 (Sid "server")` {
		t.Errorf("service: %+v", d)
	}
	if d := ask(user("ann"), key("sts:ExternalId", "42")); !d.Allowed() || d.Reason != `allowed by trust policy "labeler" statement 2` {
		t.Errorf("user with the external id: %+v", d)
	}
	// Rights of its own do not let a caller into a role that does not trust it.
	own := must(t, Identity, `{"Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}`)
	delegating := must(t, Trust, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`)
	for _, tc := range []struct {
		name  string
		p     Policies
		who   *identity.Principal
		want  Effect
		gated Gate
	}{
		{"not named, own allow", Policies{Identity: []*Document{own}, Resource: trust}, user("bob"), NoMatch, ResourceGate},
		{"root, not named", Policies{Resource: trust}, rootUser(), NoMatch, ResourceGate},
		{"account named, own allow", Policies{Identity: []*Document{own}, Resource: delegating}, user("bob"), Allow, IdentityGate},
		{"account named, own silent", Policies{Resource: delegating}, user("bob"), NoMatch, IdentityGate},
	} {
		if d := Authorize(tc.p, &Request{Principal: tc.who, Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/labeler"}); d.Effect != tc.want || d.By.Gate != tc.gated {
			t.Errorf("%s: %v by %v (%s)", tc.name, d.Effect, d.By.Gate, d.Reason)
		}
	}
	if d := ask(user("ann"), Context{}); d.Effect != NoMatch {
		t.Errorf("user without the external id: %+v", d)
	}
}

func TestEvaluateOneSet(t *testing.T) {
	a := must(t, Identity, statementDoc(`"Sid":"a","Effect":"Allow",`+anything)).WithName("first")
	d := must(t, Identity, statementDoc(`"Sid":"d","Effect":"Deny",`+anything)).WithName("second")
	if got := Evaluate([]*Document{a, d}, get(user("ann"), Context{})); got.Effect != Deny || got.By.Policy != "second" || got.By.Sid != "d" {
		t.Errorf("%+v", got)
	}
	if got := Evaluate(nil, get(user("ann"), Context{})); got.Effect != NoMatch || got.Reason == "" {
		t.Errorf("%+v", got)
	}
}

func TestExplain(t *testing.T) {
	p := policies(t,
		`"Sid":"media","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"`,
		`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/cats/one.jpg","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.7/32"},"Bool":{"aws:SecureTransport":"true"}}`,
		`"Effect":"Deny","Principal":"*","Action":"s3:GetObject","NotResource":"arn:aws:s3:::photos/*"`)
	cases := []struct {
		name string
		req  *Request
		want []string
	}{
		{"wrong address", get(session("labeler", "s1"), Context{SourceIP: netip.MustParseAddr("198.51.100.1"), SecureTransport: true}), []string{
			`identity policy "own" statement 1 (Sid "media") [Allow]: applies`,
			`session policy "session" statement 1 [Allow]: does not apply: Condition IpAddress wants aws:SourceIp [203.0.113.7/32], which is 198.51.100.1`,
			`resource policy "bucket" statement 1 [Deny]: does not apply: NotResource is arn:aws:s3:::photos/*, the request is for arn:aws:s3:::photos/cats/one.jpg`,
		}},
		{"no address", get(session("labeler", "s1"), Context{}), []string{"wants aws:SourceIp [203.0.113.7/32], which is not present"}},
		{"no TLS", get(session("labeler", "s1"), Context{SourceIP: netip.MustParseAddr("203.0.113.7")}), []string{"Condition Bool wants aws:SecureTransport [true], which is false"}},
		{"another object", &Request{Principal: session("labeler", "s1"), Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/dogs"}, []string{"Resource is arn:aws:s3:::photos/cats/one.jpg, the request is for arn:aws:s3:::photos/dogs"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			ex := Explain(p, tc.req)
			var b strings.Builder
			for _, s := range ex.Statements {
				b.WriteString(s.String() + "\n")
			}
			for _, w := range tc.want {
				if !strings.Contains(b.String(), w) {
					t.Errorf("want %q in\n%s", w, b.String())
				}
			}
			if ex.Decision.Effect != NoMatch || ex.Decision.By.Gate != SessionGate {
				t.Errorf("decision %+v", ex.Decision)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		NoMatch.String(): "NoMatch", Allow.String(): "Allow", Deny.String(): "Deny",
		NoGate.String(): "none", SessionGate.String(): "session",
		Decider{Gate: SessionGate}.String(): "no statement of the session policy", Decider{}.String(): "", rootDecision().By.String(): "root user",
		Trust.String(): "trust policy", Kind(9).String(): "policy",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
