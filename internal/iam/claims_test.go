package iam

import (
	"strings"
	"testing"

	"fiducial/internal/identity"
)

func TestClaimsSurviveTheToken(t *testing.T) {
	in := &claims{
		issued: 1772600767, life: 900, path: "/service-role/", role: "labeler", id: "AROAX", session: "task-1",
		grant:  identity.Grant{ID: "g", Worker: "w", Job: "j", Team: "t", Assignment: "a", SignIn: "s"},
		policy: strings.Repeat("p", 2048),
	}
	in.key[9], in.secret[29] = 7, 9
	out, ok := decodeClaims(in.append(nil))
	if !ok || *out != *in {
		t.Errorf("got %+v", out)
	}
	for n := range len(in.append(nil)) {
		if _, ok := decodeClaims(in.append(nil)[:n]); ok {
			t.Fatalf("the first %d bytes decode", n)
		}
	}
	if _, ok := decodeClaims(append(in.append(nil), 0)); ok {
		t.Error("one byte more decodes")
	}
	other := in.append(nil)
	other[0] = claimsFormat + 1
	if _, ok := decodeClaims(other); ok {
		t.Error("another format decodes")
	}
}

func FuzzDecodeClaims(f *testing.F) {
	f.Add((&claims{}).append(nil))
	f.Add((&claims{role: "r", policy: "{}", issued: 1 << 40}).append(nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, ok := decodeClaims(b); ok {
			again, ok := decodeClaims(c.append(nil))
			if !ok || *again != *c {
				t.Fatalf("%+v does not survive", c)
			}
			c.caller("000000000000")
		}
	})
}
