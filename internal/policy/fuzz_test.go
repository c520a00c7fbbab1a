package policy

import (
	"encoding/json"
	"net/netip"
	"testing"
)

func seeds(f *testing.F) {
	for _, s := range []string{
		`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["s3:Get*"],"Resource":["arn:aws:s3:::b/${aws:username}/*"],"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]}}}]}`,
		`{"Statement":{"Effect":"Deny","NotAction":"*","NotResource":"arn:aws:s3:*:*:x"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["*","111122223333"],"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ForAnyValue:StringLikeIfExists":{"x:y":["${a:b, 'c'}${*}"]},"NumericLessThan":{"x:n":1.5},"DateEquals":{"aws:CurrentTime":"2026-01"},"Null":{"x:z":true}}}}`,
		`{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}`,
		`[[[[[[[[[[`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${"}]}`,
	} {
		for k := range 4 {
			f.Add([]byte(s), uint8(k))
		}
	}
}

// FuzzParse: whatever is accepted is valid JSON, within its limits, and can be
// decided by and explained without a panic, the same way twice.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, doc []byte, kind uint8) {
		k := Kind(kind % 4)
		d, err := Parse(doc, k)
		if err != nil {
			if faultOf(t, err).Code != Malformed {
				t.Fatalf("refused without the code: %v", err)
			}
			return
		}
		if !json.Valid(doc) || len(doc) > MaxRaw {
			t.Fatalf("accepted %q", doc)
		}
		for _, c := range []Context{{}, {SourceIP: netip.MustParseAddr("10.0.0.1"), Keys: []Key{{Name: "x:y", Values: []string{"c*", "d"}}, {Name: "x:n", Value: "1"}}}} {
			req := get(session("r", "s"), c)
			p := Policies{Identity: []*Document{d}, Resource: d}
			if a, b := Authorize(p, req), Explain(p, req).Decision; a != b {
				t.Fatalf("Authorize %v, Explain %v", a, b)
			}
		}
	})
}

// FuzzMatch: the matcher ends and a pattern without wildcards matches itself only.
func FuzzMatch(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("*a*a*a*a*", "aaaaaaaaaaab")
	f.Add("?", "\xff")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		wild, err := compilePattern(pattern, style{wildcards: true})
		if err != nil {
			t.Fatal(err)
		}
		matchTokens(wild.tokens, s, false)
		exact, _ := compilePattern(pattern, style{})
		if got := matchTokens(exact.tokens, s, false); got != (pattern == s) {
			t.Fatalf("%q against %q: %v", pattern, s, got)
		}
	})
}
