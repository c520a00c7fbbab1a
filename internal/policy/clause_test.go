package policy

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/identity"
)

func TestClausesSayWhatWasWantedAndFound(t *testing.T) {
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"OnlyVpc","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*",
		"Condition":{"StringNotEquals":{"aws:SourceVpc":["vpc-1","vpc-2"]},"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}]}`), Resource)
	if err != nil {
		t.Fatal(err)
	}
	x := Explain(Policies{Resource: d}, &Request{Principal: &identity.Principal{Type: identity.Root, Account: "000000000000"}, Action: "s3:GetObject",
		Resource: "arn:aws:s3:::b/k", Context: Context{SourceIP: netip.MustParseAddr("198.51.100.9")}})
	want := []Clause{
		{Operator: "StringNotEquals", Key: "aws:SourceVpc", Wanted: []string{"vpc-1", "vpc-2"}, Holds: true},
		{Operator: "NotIpAddress", Key: "aws:SourceIp", Wanted: []string{"192.0.2.0/24"}, Found: []string{"198.51.100.9"}, Holds: true},
	}
	if len(x.Statements) != 1 || !x.Statements[0].Applies {
		t.Fatalf("statements: %v", x.Statements)
	}
	if diff := cmp.Diff(want, x.Statements[0].Clauses); diff != "" {
		t.Errorf("clauses (-want +got):\n%s", diff)
	}
	if got := want[0].String(); got != "aws:SourceVpc StringNotEquals vpc-1, vpc-2 (the request has none)" {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"192.0.2.0/24"}, d.Prefixes("aws:sourceip")); diff != "" {
		t.Error(diff)
	}
}

// Every place where a document reads a key is found, each key once.
func TestContextKeys(t *testing.T) {
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b/${aws:username}/*","arn:aws:s3:*:*:c/${aws:userid}"],"Condition":{
			"StringEquals":{"aws:SourceVpc":"${aws:PrincipalTag/vpc, 'none'}"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${saml:sub}"}}},
		{"Effect":"Deny","NotAction":"s3:*","NotResource":"*","Condition":{"Bool":{"AWS:securetransport":"false"},"Null":{"aws:sourcevpc":"true"}}}]}`), Identity)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"aws:username", "aws:userid", "aws:SourceVpc", "aws:PrincipalTag/vpc", "aws:SourceArn", "saml:sub", "AWS:securetransport"}
	if diff := cmp.Diff(want, d.ContextKeys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}
