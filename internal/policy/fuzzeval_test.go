package policy

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"fiducial/internal/identity"
)

// FuzzEvaluate: whatever a client puts into a request, a decision ends, is the
// same twice, and stays within what must hold of any request: a document of
// Deny statements allows nothing, and a grant does nothing that its session
// policy does not allow.
func FuzzEvaluate(f *testing.F) {
	f.Add("StringLike", "s3:prefix", "home/${aws:username}/*", "home/ann/x", "arn:aws:s3:::b/${s3:prefix}", "b/home/ann/x", []byte{127, 0, 0, 1})
	f.Add("ForAllValues:StringNotEqualsIfExists", "aws:TagKeys", "${x:y, 'd'}", "d", "arn:aws:s3:*:*:b", "b", []byte{})
	f.Add("IpAddress", "aws:SourceIp", "::ffff:10.0.0.0/104", "", "*", "b", []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1})
	f.Add("DateLessThan", "aws:CurrentTime", "2026-01", "", "arn:aws:s3:::?*", "a:b", []byte{10, 0, 0, 1})
	f.Add("NumericEquals", "x:n", "1e3", "1000", "arn:aws:s3:::${*}", "*", []byte{10, 0, 0, 1})
	f.Add("ArnLike", "x:arn", "arn:aws:s3:::${aws:userid}", "arn:aws:s3:::*:*", "arn:aws:s3:::*", "", []byte{1})
	f.Add("BinaryEquals", "x:b", "QQ==", "A", "*", "x", []byte{})
	f.Add("Null", "x:b", "true", "", "*", "x", []byte{})
	f.Fuzz(func(t *testing.T, operator, name, operand, value, resource, requested string, addr []byte) {
		statement := map[string]any{"Effect": "Allow", "Action": "s3:*", "Resource": resource, "Condition": map[string]any{operator: map[string]any{name: []string{operand}}}}
		document := func(effect, principal string) []byte {
			statement["Effect"] = effect
			delete(statement, "Principal")
			if principal != "" {
				statement["Principal"] = principal
			}
			b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statement})
			if err != nil {
				t.Skip()
			}
			return b
		}
		allow, err := Parse(document("Allow", ""), Session)
		if err != nil {
			return
		}
		deny, err := Parse(document("Deny", ""), Identity)
		if err != nil {
			t.Fatalf("Allow is accepted and Deny is not: %v", err)
		}
		open, err := Parse(document("Allow", "*"), Resource)
		if err != nil {
			t.Fatalf("accepted as session policy and not as resource policy: %v", err)
		}
		ip, _ := netip.AddrFromSlice(addr)
		p := session("r", "s")
		p.Grant = identity.Grant{ID: "g"}
		req := &Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::" + requested,
			Context: Context{Time: time.Unix(1772600767, 0), SourceIP: ip, Keys: []Key{{Name: name, Value: value}}}}
		every := must(t, Identity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
		held := Evaluate([]*Document{allow}, req)
		bound := Authorize(Policies{Identity: []*Document{every}, Session: allow, HasSession: true, Resource: open}, req)
		if bound.Allowed() && !held.Allowed() {
			t.Fatal("a grant escaped its session policy")
		}
		if again := Evaluate([]*Document{allow}, req); again != held {
			t.Fatalf("%v and %v of one request", held, again)
		}
		if Evaluate([]*Document{deny}, req).Effect == Allow {
			t.Fatal("a Deny statement allowed")
		}
		// What allows for sure denies as well: only doubt is read two ways.
		if held.Allowed() && Evaluate([]*Document{deny}, req).Effect != Deny {
			t.Fatal("the same statement allows and does not deny")
		}
	})
}
