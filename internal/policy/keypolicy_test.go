package policy

import (
	"strings"
	"testing"

	"fiducial/internal/identity"
)

// TestKeyPolicy pins that a key's policy is a gate of its own: rights in the
// account count only as far as the key policy delegates to the account.
func TestKeyPolicy(t *testing.T) {
	const account = "111122223333"
	delegates := `{"Version":"2012-10-17","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`
	namesAnn := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"kms:Decrypt","Resource":"*"}]}`
	deniesAnn := strings.Replace(delegates, `]}`, `,{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"kms:Decrypt","Resource":"*"}]}`, 1)
	rights := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}`
	ann := &identity.Principal{Type: identity.User, Account: account, ARN: "arn:aws:iam::111122223333:user/ann", Name: "ann"}
	bob := &identity.Principal{Type: identity.User, Account: account, ARN: "arn:aws:iam::111122223333:user/bob", Name: "bob"}
	root := &identity.Principal{Type: identity.Root, Account: account, ARN: "arn:aws:iam::111122223333:root"}
	cases := []struct {
		name, key, identity string
		caller              *identity.Principal
		want                Effect
	}{
		{"delegated, with rights", delegates, rights, ann, Allow},
		{"delegated, without rights", delegates, "", ann, NoMatch},
		{"named, without rights", namesAnn, "", ann, Allow},
		{"not named, with rights", namesAnn, rights, bob, NoMatch},
		{"root, delegated", delegates, "", root, Allow},
		{"root, not delegated", namesAnn, "", root, NoMatch},
		{"denied, with rights", deniesAnn, rights, ann, Deny},
		{"another denied, with rights", deniesAnn, rights, bob, Allow},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			key, err := Parse([]byte(tc.key), KeyPolicy)
			if err != nil {
				t.Fatal(err)
			}
			p := Policies{Resource: key}
			if tc.identity != "" {
				d, err := Parse([]byte(tc.identity), Identity)
				if err != nil {
					t.Fatal(err)
				}
				p.Identity = []*Document{d}
			}
			d := Authorize(p, &Request{Principal: tc.caller, Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/k"})
			if d.Effect != tc.want {
				t.Errorf("got %v (%s), want %v", d.Effect, d.Reason, tc.want)
			}
			if e := Explain(p, &Request{Principal: tc.caller, Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/k"}); e.Decision.Effect != tc.want {
				t.Errorf("Explain says %v", e.Decision.Effect)
			}
		})
	}
	if _, err := Parse([]byte(strings.Repeat(" ", MaxKey)+delegates), KeyPolicy); err == nil {
		t.Error("a key policy of more than MaxKey bytes is taken")
	}
}
