package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fiducial/internal/identity"
)

const account = "111122223333"

func user(name string) *identity.Principal {
	return &identity.Principal{Type: identity.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name, UserID: "AIDAEXAMPLE", Name: name}
}

func session(role, name string) *identity.Principal {
	return &identity.Principal{
		Type: identity.AssumedRole, Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name,
		RoleARN: "arn:aws:iam::" + account + ":role/" + role, SessionName: name, UserID: "AROAEXAMPLE:" + name,
		IssuedAt: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC),
	}
}

func rootUser() *identity.Principal {
	return &identity.Principal{Type: identity.Root, Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account}
}

func service(name string) *identity.Principal {
	return &identity.Principal{Type: identity.Service, Account: account, ARN: name}
}

func must(t testing.TB, kind Kind, doc string) *Document {
	t.Helper()
	d, err := Parse([]byte(doc), kind)
	if err != nil {
		t.Fatalf("Parse(%s): %v", doc, err)
	}
	return d
}

// allowIf is an identity document that allows everything under a condition.
func allowIf(condition string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + condition + `}}`
}

func denyIf(condition string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":` + condition + `}}`
}

func get(p *identity.Principal, c Context) *Request {
	return &Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/cats/one.jpg", Context: c}
}

func key(name, v string) Context { return Context{Keys: []Key{{Name: name, Value: v}}} }

func keys(name string, vs ...string) Context {
	if vs == nil {
		vs = []string{}
	}
	return Context{Keys: []Key{{Name: name, Values: vs}}}
}

func TestConditionOperators(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	ip := func(s string) Context { return Context{SourceIP: netip.MustParseAddr(s)} }
	cases := []struct {
		name      string
		condition string
		context   Context
		want      bool
	}{
		{"string equals", `{"StringEquals":{"s3:prefix":"a"}}`, key("s3:prefix", "a"), true},
		{"string equals is case sensitive", `{"StringEquals":{"s3:prefix":"a"}}`, key("s3:prefix", "A"), false},
		{"keys are not case sensitive", `{"StringEquals":{"S3:PREFIX":"a"}}`, key("s3:prefix", "a"), true},
		{"a star under equals is a star", `{"StringEquals":{"s3:prefix":"*"}}`, key("s3:prefix", "a"), false},
		{"empty string is a value", `{"StringEquals":{"s3:prefix":""}}`, key("s3:prefix", ""), true},
		{"values are alternatives", `{"StringEquals":{"s3:prefix":["a","b"]}}`, key("s3:prefix", "b"), true},
		{"keys are all needed", `{"StringEquals":{"s3:prefix":"a","s3:delimiter":"/"}}`, key("s3:prefix", "a"), false},
		{"operators are all needed", `{"StringEquals":{"s3:prefix":"a"},"Bool":{"aws:SecureTransport":true}}`, key("s3:prefix", "a"), false},
		{"positive operator, missing key", `{"StringEquals":{"s3:prefix":"a"}}`, Context{}, false},
		{"if exists, missing key", `{"StringEqualsIfExists":{"s3:prefix":"a"}}`, Context{}, true},
		{"if exists, other value", `{"StringEqualsIfExists":{"s3:prefix":"a"}}`, key("s3:prefix", "b"), false},
		{"not equals", `{"StringNotEquals":{"s3:prefix":"a"}}`, key("s3:prefix", "b"), true},
		{"not equals is none of", `{"StringNotEquals":{"s3:prefix":["a","b"]}}`, key("s3:prefix", "b"), false},
		{"not equals, missing key", `{"StringNotEquals":{"s3:prefix":"a"}}`, Context{}, true},
		{"ignore case", `{"StringEqualsIgnoreCase":{"s3:prefix":"ABC"}}`, key("s3:prefix", "abC"), true},
		{"not equals ignore case", `{"StringNotEqualsIgnoreCase":{"s3:prefix":"ABC"}}`, key("s3:prefix", "abc"), false},
		{"like", `{"StringLike":{"s3:prefix":"home/*/x?"}}`, key("s3:prefix", "home/a/b/x1"), true},
		{"like is case sensitive", `{"StringLike":{"s3:prefix":"Home/*"}}`, key("s3:prefix", "home/a"), false},
		{"question mark is one character, not one byte", `{"StringLike":{"s3:prefix":"?"}}`, key("s3:prefix", "世"), true},
		{"two question marks are not one wide character", `{"StringLike":{"s3:prefix":"*??"}}`, key("s3:prefix", "世"), false},
		{"not like", `{"StringNotLike":{"s3:prefix":"home/*"}}`, key("s3:prefix", "home/a"), false},
		{"not like, missing key", `{"StringNotLike":{"s3:prefix":"home/*"}}`, Context{}, true},

		{"numeric equals across spellings", `{"NumericEquals":{"s3:max-keys":10.0}}`, key("s3:max-keys", "10"), true},
		{"numeric less", `{"NumericLessThan":{"s3:signatureAge":"600000"}}`, key("s3:signatureAge", "599999"), true},
		{"numeric less is strict", `{"NumericLessThan":{"s3:signatureAge":600000}}`, key("s3:signatureAge", "600000"), false},
		{"numeric less or equal", `{"NumericLessThanEquals":{"s3:max-keys":"10"}}`, key("s3:max-keys", "10"), true},
		{"numeric greater", `{"NumericGreaterThan":{"s3:max-keys":"10"}}`, key("s3:max-keys", "10.5"), true},
		{"numeric greater or equal", `{"NumericGreaterThanEquals":{"s3:max-keys":"10"}}`, key("s3:max-keys", "9"), false},
		{"numeric not equals", `{"NumericNotEquals":{"s3:max-keys":"10"}}`, key("s3:max-keys", "9"), true},
		{"not a number matches nothing", `{"NumericLessThan":{"s3:max-keys":"10"}}`, key("s3:max-keys", "1x"), false},
		{"infinity is not a number", `{"NumericGreaterThan":{"s3:max-keys":"10"}}`, key("s3:max-keys", "Inf"), false},
		{"big integers stay exact", `{"NumericEquals":{"s3:max-keys":"9007199254740993"}}`, key("s3:max-keys", "9007199254740992"), false},
		{"numbers compare without string order", `{"NumericLessThan":{"s3:max-keys":"10"}}`, key("s3:max-keys", "9"), true},

		{"date less", `{"DateLessThan":{"aws:CurrentTime":"2026-03-04T05:06:08Z"}}`, Context{Time: at}, true},
		{"date in another zone", `{"DateEquals":{"aws:CurrentTime":"2026-03-04T06:06:07+01:00"}}`, Context{Time: at}, true},
		{"date by the day", `{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-03-04"}}`, Context{Time: at}, true},
		{"date as epoch", `{"DateGreaterThan":{"aws:CurrentTime":"1772600767"}}`, Context{Time: at}, false},
		{"epoch time is a date", `{"DateLessThanEquals":{"aws:EpochTime":"2026-03-04T05:06:07Z"}}`, Context{Time: at.Add(time.Millisecond)}, true},
		{"epoch time is a number", `{"NumericEquals":{"aws:EpochTime":1772600767}}`, Context{Time: at}, true},
		{"current time is no number", `{"NumericGreaterThan":{"aws:CurrentTime":1}}`, Context{Time: at}, false},
		{"date not equals", `{"DateNotEquals":{"aws:CurrentTime":"2026-03-04"}}`, Context{Time: at}, true},
		{"date from the service's key", `{"DateEquals":{"x:when":"2026-03"}}`, key("x:when", "2026-03-01T00:00:00Z"), true},
		{"a text that is no date", `{"DateLessThan":{"x:when":"2026-03"}}`, key("x:when", "soon"), false},
		{"no clock, no date", `{"DateLessThan":{"aws:CurrentTime":"2999-01-01"}}`, Context{}, false},

		{"bool true", `{"Bool":{"aws:SecureTransport":"true"}}`, Context{SecureTransport: true}, true},
		{"bool false is present", `{"Bool":{"aws:SecureTransport":"false"}}`, Context{}, true},
		{"bool of a json boolean", `{"Bool":{"aws:SecureTransport":false}}`, Context{SecureTransport: true}, false},
		{"bool any case", `{"Bool":{"x:flag":"TRUE"}}`, key("x:flag", "True"), true},
		{"bool of another text", `{"Bool":{"x:flag":"false"}}`, key("x:flag", "no"), false},
		{"binary", `{"BinaryEquals":{"x:blob":"QmluAA=="}}`, key("x:blob", "Bin\x00"), true},
		{"binary differs", `{"BinaryEquals":{"x:blob":"QmluAA=="}}`, key("x:blob", "Bin"), false},

		{"address", `{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, ip("203.0.113.7"), true},
		{"other address", `{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, ip("203.0.113.8"), false},
		{"cidr", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, ip("203.0.113.255"), true},
		{"cidr edge", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, ip("203.0.114.0"), false},
		{"cidr with host bits", `{"IpAddress":{"aws:SourceIp":"203.0.113.77/24"}}`, ip("203.0.113.1"), true},
		{"mapped address is IPv4", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, ip("::ffff:203.0.113.9"), true},
		{"mapped cidr is IPv4", `{"IpAddress":{"aws:SourceIp":"::ffff:203.0.113.0/120"}}`, ip("203.0.113.9"), true},
		{"mapped single is IPv4", `{"IpAddress":{"aws:SourceIp":"::ffff:203.0.113.9"}}`, ip("203.0.113.9"), true},
		{"IPv6", `{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}`, ip("2001:db8:1::1"), true},
		{"IPv6 spelled otherwise", `{"IpAddress":{"aws:SourceIp":"2001:0DB8:0:0:0:0:0:1"}}`, ip("2001:db8::1"), true},
		{"any IPv6 is not any IPv4", `{"IpAddress":{"aws:SourceIp":"::/0"}}`, ip("203.0.113.9"), false},
		{"zone does not matter", `{"IpAddress":{"aws:SourceIp":"fe80::/10"}}`, ip("fe80::1%eth0"), true},
		{"several cidrs", `{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}`, ip("203.0.113.9"), true},
		{"not address", `{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}`, ip("203.0.113.9"), false},
		{"not address elsewhere", `{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, ip("203.0.113.9"), true},
		{"not address, missing key", `{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, Context{}, true},
		{"address, missing key", `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, Context{}, false},
		{"vpc address is another key", `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, Context{VPCSourceIP: netip.MustParseAddr("10.0.0.1")}, false},
		{"vpc address", `{"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"},"StringEquals":{"aws:SourceVpce":"vpce-1"}}`, Context{VPCSourceIP: netip.MustParseAddr("10.0.0.1"), SourceVPCE: "vpce-1"}, true},
		{"address of a service's key", `{"IpAddress":{"x:peer":"10.0.0.0/8"}}`, key("x:peer", "10.1.1.1"), true},
		{"garbage in an address key", `{"IpAddress":{"x:peer":"10.0.0.0/8"}}`, key("x:peer", "10.1.1"), false},
		{"address as text", `{"StringLike":{"aws:SourceIp":"203.0.113.*"}}`, ip("203.0.113.9"), true},
		// A header or parameter that is called like a global key must not become it.
		{"service keys do not shadow global keys", `{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, Context{SourceIP: netip.MustParseAddr("198.51.100.1"), Keys: []Key{{Name: "aws:SourceIp", Value: "203.0.113.7"}}}, false},

		{"arn like", `{"ArnLike":{"aws:SourceArn":"arn:aws:sagemaker:*:111122223333:labeling-job/*"}}`, key("aws:SourceArn", "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/x"), true},
		{"arn equals takes wildcards too", `{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::b*"}}`, key("aws:SourceArn", "arn:aws:s3:::bucket"), true},
		{"arn segments do not leak", `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:b"}}`, key("aws:SourceArn", "arn:aws:s3:::a:b:b"), false},
		{"arn value that is none", `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}`, key("aws:SourceArn", "bucket"), false},
		{"arn not like", `{"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::b*"}}`, key("aws:SourceArn", "arn:aws:s3:::c"), true},
		{"arn not equals, missing key", `{"ArnNotEquals":{"aws:SourceArn":"arn:aws:s3:::b"}}`, Context{}, true},

		{"null true, missing", `{"Null":{"s3:prefix":"true"}}`, Context{}, true},
		{"null true, present", `{"Null":{"s3:prefix":true}}`, key("s3:prefix", ""), false},
		{"null false, present", `{"Null":{"s3:prefix":"false"}}`, key("s3:prefix", "a"), true},
		{"null false, missing", `{"Null":{"s3:prefix":"false"}}`, Context{}, false},
		{"null, empty list is missing", `{"Null":{"aws:TagKeys":"true"}}`, keys("aws:TagKeys"), true},
		{"null either way", `{"Null":{"s3:prefix":["true","false"]}}`, Context{}, true},

		{"for all", `{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`, keys("aws:TagKeys", "a", "b"), true},
		{"for all, one outside", `{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`, keys("aws:TagKeys", "a", "c"), false},
		{"for all, missing", `{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}`, Context{}, true},
		{"for all, empty", `{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}`, keys("aws:TagKeys"), true},
		{"for all, negated", `{"ForAllValues:StringNotEquals":{"aws:TagKeys":["a"]}}`, keys("aws:TagKeys", "b", "a"), false},
		{"for all, negated, none", `{"ForAllValues:StringNotEquals":{"aws:TagKeys":["a"]}}`, keys("aws:TagKeys", "b", "c"), true},
		{"for any", `{"ForAnyValue:StringLike":{"aws:TagKeys":["a*"]}}`, keys("aws:TagKeys", "c", "ab"), true},
		{"for any, none", `{"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}}`, keys("aws:TagKeys", "b"), false},
		{"for any, missing", `{"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}}`, Context{}, false},
		{"for any, negated", `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}}`, keys("aws:TagKeys", "a", "b"), true},
		{"for any, negated, missing", `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}}`, Context{}, false},

		{"unqualified, every value", `{"StringLike":{"aws:TagKeys":["a","b*"]}}`, keys("aws:TagKeys", "a", "bc"), true},
		{"unqualified, no value", `{"StringEquals":{"aws:TagKeys":"c"}}`, keys("aws:TagKeys", "a", "b"), false},
		{"unqualified negated, no value", `{"StringNotEquals":{"aws:TagKeys":"c"}}`, keys("aws:TagKeys", "a", "b"), true},
		{"unqualified negated, every value", `{"StringNotEquals":{"aws:TagKeys":["a","b"]}}`, keys("aws:TagKeys", "a", "b"), false},

		{"no condition in it", `{}`, Context{}, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			d := must(t, Identity, allowIf(tc.condition))
			if got := Evaluate([]*Document{d}, get(user("ann"), tc.context)); got.Allowed() != tc.want {
				t.Errorf("allow under %s: got %v, want %v", tc.condition, got.Effect, tc.want)
			}
			d = must(t, Identity, denyIf(tc.condition))
			if got := Evaluate([]*Document{d}, get(user("ann"), tc.context)); (got.Effect == Deny) != tc.want {
				t.Errorf("deny under %s: got %v, want %v", tc.condition, got.Effect, tc.want)
			}
		})
	}
}

// TestOpenMeanings pins that what the published rules leave open denies and
// does not allow.
func TestOpenMeanings(t *testing.T) {
	cases := []struct {
		name      string
		condition string
		context   Context
	}{
		{"one value of several", `{"StringEquals":{"aws:TagKeys":"b"}}`, keys("aws:TagKeys", "a", "b")},
		{"all but one value", `{"StringNotEquals":{"aws:TagKeys":"b"}}`, keys("aws:TagKeys", "a", "b")},
		{"one number of several", `{"NumericLessThan":{"x:n":"5"}}`, keys("x:n", "1", "9")},
		{"any of none, if exists", `{"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":["a"]}}`, Context{}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got := Evaluate([]*Document{must(t, Identity, allowIf(tc.condition))}, get(user("ann"), tc.context)); got.Effect != NoMatch {
				t.Errorf("allow: %v", got.Effect)
			}
			if got := Evaluate([]*Document{must(t, Identity, denyIf(tc.condition))}, get(user("ann"), tc.context)); got.Effect != Deny {
				t.Errorf("deny: %v", got.Effect)
			}
		})
	}
}

func TestPrincipalKeys(t *testing.T) {
	annSession := session("labeler", "ann")
	cases := []struct {
		name      string
		condition string
		principal *identity.Principal
		want      bool
	}{
		{"username of a user", `{"StringEquals":{"aws:username":"ann"}}`, user("ann"), true},
		{"username of a session is missing", `{"Null":{"aws:username":"true"}}`, annSession, true},
		{"userid of a session", `{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}`, annSession, true},
		{"userid of root", `{"StringEquals":{"aws:userid":"111122223333"}}`, rootUser(), true},
		{"principal arn of a session is the role", `{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/labeler"}}`, annSession, true},
		{"principal arn of a user", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a*"}}`, user("ann"), true},
		{"account", `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, annSession, true},
		{"type of root", `{"StringEquals":{"aws:PrincipalType":"Account"}}`, rootUser(), true},
		{"token issue time", `{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T04:00:00Z"}}`, annSession, true},
		{"token issue time of a user is missing", `{"Null":{"aws:TokenIssueTime":"true"}}`, user("ann"), true},
		{"mfa of a session is false", `{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`, annSession, true},
		{"mfa of a user is missing", `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}`, user("ann"), true},
		{"not a service", `{"Bool":{"aws:PrincipalIsAWSService":"false"}}`, user("ann"), true},
		{"not through a service", `{"Bool":{"aws:ViaAWSService":"false"}}`, user("ann"), true},
		{"service name of a user is missing", `{"Null":{"aws:PrincipalServiceName":"true"}}`, user("ann"), true},
		{"federated provider is never known", `{"Null":{"aws:FederatedProvider":"true"}}`, user("ann"), true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			d := must(t, Identity, allowIf(tc.condition))
			if got := Evaluate([]*Document{d}, get(tc.principal, Context{})); got.Allowed() != tc.want {
				t.Errorf("got %v, want %v", got.Effect, tc.want)
			}
		})
	}
	for _, p := range []*identity.Principal{{}, service("sagemaker.amazonaws.com")} {
		d := must(t, Resource, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Null":{"aws:PrincipalArn":"true"}}}}`)
		if got := Authorize(Policies{Resource: d}, get(p, Context{})); !got.Allowed() {
			t.Errorf("%v has a principal ARN", p.Type)
		}
	}
	for condition, p := range map[string]*identity.Principal{
		`{"StringEquals":{"aws:userid":"anonymous"}}`:                             {},
		`{"StringEquals":{"aws:PrincipalServiceName":"sagemaker.amazonaws.com"}}`: service("sagemaker.amazonaws.com"),
	} {
		d := must(t, Resource, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":`+condition+`}}`)
		if got := Authorize(Policies{Resource: d}, get(p, Context{})); !got.Allowed() {
			t.Errorf("%s does not hold of %v", condition, p.Type)
		}
	}
}

func TestActionsAndResources(t *testing.T) {
	cases := []struct {
		name             string
		elements         string
		action, resource string
		want             bool
	}{
		{"star", `"Action":"*","Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"star of star", `"Action":"*:*","Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"actions ignore case", `"Action":"S3:getobject","Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"action wildcards ignore case", `"Action":"s3:get*","Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"action question mark", `"Action":"s3:?etObject","Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"action list", `"Action":["s3:PutObject","s3:GetObject"],"Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"prefix is not enough", `"Action":"s3:GetObject","Resource":"*"`, "s3:GetObjectVersion", "arn:aws:s3:::b/k", false},
		{"service of the action counts", `"Action":"sts:*","Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", false},
		{"not action", `"NotAction":"iam:*","Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"not action, listed", `"NotAction":["iam:*","s3:*"],"Resource":"*"`, "s3:GetObject", "arn:aws:s3:::b/k", false},
		{"resource equal", `"Action":"*","Resource":"arn:aws:s3:::b/k"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"resources are case sensitive", `"Action":"*","Resource":"arn:aws:s3:::b/K"`, "s3:GetObject", "arn:aws:s3:::b/k", false},
		{"resource wildcard", `"Action":"*","Resource":"arn:aws:s3:::b/*"`, "s3:GetObject", "arn:aws:s3:::b/x/y:z", true},
		{"bucket is not its objects", `"Action":"*","Resource":"arn:aws:s3:::b/*"`, "s3:ListBucket", "arn:aws:s3:::b", false},
		{"bucket name prefix does not leak", `"Action":"*","Resource":"arn:aws:s3:::b/*"`, "s3:GetObject", "arn:aws:s3:::bb/k", false},
		{"wildcards in the middle", `"Action":"*","Resource":"arn:aws:s3:::*/labels/?.json"`, "s3:GetObject", "arn:aws:s3:::b/x/labels/1.json", true},
		{"region wildcard", `"Action":"*","Resource":"arn:aws:sagemaker:*:111122223333:workteam/*"`, "sagemaker:DescribeWorkteam", "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/t", true},
		{"segments do not leak", `"Action":"*","Resource":"arn:aws:s3:*:*:mine/k"`, "s3:GetObject", "arn:aws:s3:::other/a:b:mine/k", false},
		{"segment wildcard, last segment has colons", `"Action":"*","Resource":"arn:aws:s3:*:*:mine/*"`, "s3:GetObject", "arn:aws:s3:::mine/a:b", true},
		{"not an ARN at all", `"Action":"*","Resource":"arn:aws:s3:*:*:mine/*"`, "s3:GetObject", "mine/a", false},
		{"no resource needs star", `"Action":"*","Resource":"arn:aws:s3:::*"`, "s3:ListAllMyBuckets", "*", false},
		{"not resource", `"Action":"*","NotResource":"arn:aws:s3:::b/secret/*"`, "s3:GetObject", "arn:aws:s3:::b/k", true},
		{"not resource, listed", `"Action":"*","NotResource":["arn:aws:s3:::x","arn:aws:s3:::b/secret/*"]`, "s3:GetObject", "arn:aws:s3:::b/secret/k", false},
		{"other partition", `"Action":"*","Resource":"arn:aws-cn:s3:::b/k"`, "s3:GetObject", "arn:aws:s3:::b/k", false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			d := must(t, Identity, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+tc.elements+`}]}`)
			got := Evaluate([]*Document{d}, &Request{Principal: user("ann"), Action: tc.action, Resource: tc.resource})
			if got.Allowed() != tc.want {
				t.Errorf("got %v, want %v", got.Effect, tc.want)
			}
		})
	}
}

// TestWildcardsOverColons pins that what matches only by a wildcard that reaches
// over a colon denies and does not allow.
func TestWildcardsOverColons(t *testing.T) {
	for _, tc := range []struct {
		name, element, pattern, resource string
		allow, deny                      Effect
	}{
		{"five segments are none of an ARN", "Resource", "arn:aws:sns:*:t", "arn:aws:sns:us-east-1:111122223333:t", NoMatch, NoMatch},
		{"a star over two segments", "Resource", "arn:aws:sns:*:x:t", "arn:aws:sns:us:111122223333:a:x:t", NoMatch, Deny},
		{"the same, NotResource", "NotResource", "arn:aws:sns:*:x:t", "arn:aws:sns:us:111122223333:a:x:t", NoMatch, Deny},
		{"no way to match", "Resource", "arn:aws:sns:*:x:t", "arn:aws:sns:us:111122223333:a:x:u", NoMatch, NoMatch},
		{"no way to match, NotResource", "NotResource", "arn:aws:sns:*:x:t", "arn:aws:sns:us:111122223333:a:x:u", Allow, Deny},
		{"within segments", "Resource", "arn:aws:sns:*:*:t", "arn:aws:sns:us:111122223333:t", Allow, Deny},
		{"the last segment has colons of its own", "Resource", "arn:aws:sns:*:*:t*", "arn:aws:sns:us:111122223333:t:u", Allow, Deny},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for effect, want := range map[string]Effect{"Allow": tc.allow, "Deny": tc.deny} {
				d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"`+effect+`","Action":"*","`+tc.element+`":"`+tc.pattern+`"}}`), Identity)
				if strings.Count(tc.pattern, ":") < 5 {
					if err == nil {
						t.Error("a short ARN is accepted")
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := Evaluate([]*Document{d}, &Request{Principal: user("ann"), Action: "sns:Publish", Resource: tc.resource}); got.Effect != want {
					t.Errorf("%s: got %v, want %v", effect, got.Effect, want)
				}
			}
		})
	}
}

func TestVariables(t *testing.T) {
	cases := []struct {
		name      string
		version   string
		elements  string
		principal *identity.Principal
		resource  string
		context   Context
		want      Effect
	}{
		{"in a resource", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/home/${aws:username}/*"`, user("ann"), "arn:aws:s3:::b/home/ann/x", Context{}, Allow},
		{"another user's", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/home/${aws:username}/*"`, user("bob"), "arn:aws:s3:::b/home/ann/x", Context{}, NoMatch},
		{"names ignore case", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${AWS:UserName}"`, user("ann"), "arn:aws:s3:::b/ann", Context{}, Allow},
		{"the old version has none", "2008-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${aws:username}"`, user("ann"), "arn:aws:s3:::b/ann", Context{}, NoMatch},
		{"the old version takes them literally", "2008-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${aws:username}"`, user("ann"), "arn:aws:s3:::b/${aws:username}", Context{}, Allow},
		{"missing, in Resource", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/home/${aws:username}/*"`, session("r", "s"), "arn:aws:s3:::b/home//x", Context{}, NoMatch},
		{"default", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'shared'}/*"`, user("ann"), "arn:aws:s3:::b/shared/x", Context{}, Allow},
		{"default not needed", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'shared'}/*"`, user("ann"), "arn:aws:s3:::b/shared/x", key("aws:PrincipalTag/team", "red"), NoMatch},
		{"default with a brace", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${x:y,'}'}"`, user("ann"), "arn:aws:s3:::b/}", Context{}, Allow},
		{"escaped star", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${*}"`, user("ann"), "arn:aws:s3:::b/*", Context{}, Allow},
		{"escaped star is one character", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${*}"`, user("ann"), "arn:aws:s3:::b/x", Context{}, NoMatch},
		{"escaped question mark and dollar", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${?}${$}"`, user("ann"), "arn:aws:s3:::b/?$", Context{}, Allow},
		{"a star in a value is a star", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${x:y}"`, user("ann"), "arn:aws:s3:::b/secret", key("x:y", "*"), NoMatch},
		{"several values have no text", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${aws:TagKeys}"`, user("ann"), "arn:aws:s3:::b/a", keys("aws:TagKeys", "a", "b"), NoMatch},
		{"a list of one value has no text", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${aws:TagKeys}"`, user("ann"), "arn:aws:s3:::b/a", keys("aws:TagKeys", "a"), NoMatch},
		{"a list has the default's text", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${aws:TagKeys, 'a'}"`, user("ann"), "arn:aws:s3:::b/a", keys("aws:TagKeys", "z"), Allow},
		{"in a wildcard segment ARN", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:*:*:b/${aws:username}"`, user("ann"), "arn:aws:s3:::b/ann", Context{}, Allow},
		{"in a condition", "2012-10-17", `"Effect":"Allow","Resource":"*","Condition":{"StringLike":{"s3:prefix":"home/${aws:username}/*"}}`, user("ann"), "arn:aws:s3:::b", key("s3:prefix", "home/ann/x"), Allow},
		{"in a case-blind condition", "2012-10-17", `"Effect":"Allow","Resource":"*","Condition":{"StringEqualsIgnoreCase":{"s3:prefix":"HOME/${aws:username}"}}`, user("ann"), "arn:aws:s3:::b", key("s3:prefix", "home/ANN"), Allow},
		{"missing, in a case-blind condition", "2012-10-17", `"Effect":"Allow","Resource":"*","Condition":{"StringEqualsIgnoreCase":{"s3:prefix":"${aws:username}"}}`, session("r", "s"), "arn:aws:s3:::b", key("s3:prefix", "x"), NoMatch},
		{"in an ARN condition", "2012-10-17", `"Effect":"Allow","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:iam::${aws:PrincipalAccount}:role/*"}}`, user("ann"), "arn:aws:s3:::b", key("aws:SourceArn", "arn:aws:iam::111122223333:role/x"), Allow},
		{"address as text", "2012-10-17", `"Effect":"Allow","Resource":"arn:aws:s3:::b/${aws:SourceIp}"`, user("ann"), "arn:aws:s3:::b/10.0.0.1", Context{SourceIP: netip.MustParseAddr("10.0.0.1")}, Allow},

		// What would be true only for want of a value allows nothing and denies.
		{"missing, Allow NotResource", "2012-10-17", `"Effect":"Allow","NotResource":"arn:aws:s3:::b/${aws:username}/*"`, session("r", "s"), "arn:aws:s3:::b/x", Context{}, NoMatch},
		{"missing, Deny NotResource", "2012-10-17", `"Effect":"Deny","NotResource":"arn:aws:s3:::b/${aws:username}/*"`, session("r", "s"), "arn:aws:s3:::b/x", Context{}, Deny},
		{"missing, Allow under a negated operator", "2012-10-17", `"Effect":"Allow","Resource":"*","Condition":{"StringNotEquals":{"s3:prefix":"${aws:username}"}}`, session("r", "s"), "arn:aws:s3:::b", key("s3:prefix", "x"), NoMatch},
		{"missing, Deny under a negated operator", "2012-10-17", `"Effect":"Deny","Resource":"*","Condition":{"StringNotEquals":{"s3:prefix":"${aws:username}"}}`, session("r", "s"), "arn:aws:s3:::b", key("s3:prefix", "x"), Deny},
		{"missing, Allow, for all values negated", "2012-10-17", `"Effect":"Allow","Resource":"*","Condition":{"ForAllValues:StringNotEquals":{"s3:prefix":"${aws:username}"}}`, session("r", "s"), "arn:aws:s3:::b", key("s3:prefix", "x"), NoMatch},
		{"missing, Deny, for any value negated", "2012-10-17", `"Effect":"Deny","Resource":"*","Condition":{"ForAnyValue:StringNotEquals":{"s3:prefix":"${aws:username}"}}`, session("r", "s"), "arn:aws:s3:::b", key("s3:prefix", "x"), Deny},
		{"missing beside a match", "2012-10-17", `"Effect":"Allow","Resource":["arn:aws:s3:::b/${aws:username}","arn:aws:s3:::b/x"]`, session("r", "s"), "arn:aws:s3:::b/x", Context{}, Allow},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			d := must(t, Identity, `{"Version":"`+tc.version+`","Statement":[{"Action":"s3:*",`+tc.elements+`}]}`)
			got := Evaluate([]*Document{d}, &Request{Principal: tc.principal, Action: "s3:GetObject", Resource: tc.resource, Context: tc.context})
			if got.Effect != tc.want {
				t.Errorf("got %v, want %v", got.Effect, tc.want)
			}
		})
	}
}

func statementDoc(elements string) string {
	return `{"Version":"2012-10-17","Statement":[{` + elements + `}]}`
}

func TestParseRefuses(t *testing.T) {
	good := `"Effect":"Allow","Action":"s3:*","Resource":"*"`
	cases := []struct {
		name string
		kind Kind
		doc  string
		want string // part of the message
	}{
		{"empty", Identity, ``, "not valid JSON"},
		{"not JSON", Identity, `{`, "not valid JSON"},
		{"text after the end", Identity, statementDoc(good) + `{}`, "after its end"},
		{"invalid UTF-8", Identity, "{\"Id\":\"\xff\"}", "UTF-8"},
		{"not an object", Identity, `[]`, "expected a JSON object, got a list"},
		{"too deep", Identity, strings.Repeat(`[`, 100), "nested"},
		{"list does not end", Identity, `{"Statement":["a"`, "not valid JSON"},
		{"list ends with a comma", Identity, `{"Statement":["a",]}`, "not valid JSON"},
		{"object does not end", Identity, `{"Statement":{"a":1`, "not valid JSON"},
		{"object ends with a comma", Identity, `{"Id":"a",}`, "not valid JSON"},
		{"string does not end", Identity, `{"Id":"a`, "not valid JSON"},
		{"escaped string does not end", Identity, `{"Id":"a\n`, "not valid JSON"},
		{"bad escape", Identity, `{"Id":"\x"}`, "not valid JSON"},
		{"line end in a string", Identity, "{\"Id\":\"a\n\"}", "not valid JSON"},
		{"leading zero", Identity, `{"Id":01}`, "not valid JSON"},
		{"nul after the end", Identity, statementDoc(good) + "\x00", "after its end"},
		{"duplicate among many", Identity, `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"a":1}`, `"a" occurs twice`},
		{"duplicate by an escape", Identity, `{"Id":"a","\u0049d":"b"}`, `"Id" occurs twice`},
		{"broken member", Identity, `{"a" "b"}`, "not valid JSON"},
		{"broken key", Identity, `{1:2}`, "not valid JSON"},
		{"duplicate key", Identity, `{"Version":"2012-10-17","Version":"2008-10-17"}`, `"Version" occurs twice`},
		{"duplicate key in a statement", Identity, statementDoc(good + `,"Effect":"Deny"`), `"Effect" occurs twice`},
		{"unknown element", Identity, `{"Versions":"2012-10-17"}`, "Versions: unknown element"},
		{"elements are case sensitive", Identity, `{"statement":[]}`, "statement: unknown element"},
		{"bad version", Identity, `{"Version":"2012-10-18","Statement":[]}`, "Version: expected"},
		{"version of a number", Identity, `{"Version":2012}`, "Version: expected"},
		{"id of a number", Identity, `{"Id":1}`, "Id: expected a string"},
		{"no statement", Identity, `{"Version":"2012-10-17"}`, "Statement: expected at least one"},
		{"empty statements", Identity, `{"Statement":[]}`, "Statement: expected at least one"},
		{"statement of a string", Identity, `{"Statement":"x"}`, "Statement: expected an object or a list"},
		{"statements of strings", Identity, `{"Statement":["x"]}`, "Statement[0]: expected an object"},
		{"unknown statement element", Identity, statementDoc(good + `,"Conditions":{}`), "Statement[0] Conditions: unknown element"},
		{"no effect", Identity, statementDoc(`"Action":"*","Resource":"*"`), "Statement[0] Effect: missing"},
		{"effect in another case", Identity, statementDoc(`"Effect":"allow","Action":"*","Resource":"*"`), `Effect: expected "Allow"`},
		{"no action", Identity, statementDoc(`"Effect":"Allow","Resource":"*"`), "Action: missing"},
		{"both actions", Identity, statementDoc(good + `,"NotAction":"iam:*"`), "either Action or NotAction"},
		{"no resource", Identity, statementDoc(`"Effect":"Allow","Action":"*"`), "Resource: missing"},
		{"both resources", Identity, statementDoc(good + `,"NotResource":"*"`), "either Resource or NotResource"},
		{"bad action", Identity, statementDoc(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), `"GetObject" is not an action`},
		{"wildcard service", Identity, statementDoc(`"Effect":"Allow","Action":"s*:Get","Resource":"*"`), "is not an action"},
		{"empty action list", Identity, statementDoc(`"Effect":"Allow","Action":[],"Resource":"*"`), "empty list"},
		{"action of a number", Identity, statementDoc(`"Effect":"Allow","Action":1,"Resource":"*"`), "got a number"},
		{"action list with null", Identity, statementDoc(`"Effect":"Allow","Action":[null],"Resource":"*"`), "got null in it"},
		{"bad resource", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"bucket"`), `must be "*" or an ARN`},
		{"short ARN", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:*"`), `must be "*" or an ARN`},
		{"empty ARN segment", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::"`), "empty partition, service or resource"},
		{"wildcard service in an ARN", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:*:::b"`), "service segment"},
		{"long ARN", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::` + strings.Repeat("b", 2100) + `"`), "longer than 2048"},
		{"resource of an object", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":{}`), "got an object"},
		{"variable before the resource segment", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3::${aws:PrincipalAccount}:b"`), "variable before"},
		{"open variable", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username"`), "does not end with }"},
		{"open variable in a wildcard ARN", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:*:*:${aws:username"`), "does not end with }"},
		{"variable without service", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${username}"`), "expected a context key"},
		{"variable with an unquoted default", Identity, statementDoc(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username, x}"`), "single quotes"},
		{"bad sid", Identity, statementDoc(good + `,"Sid":"a b"`), "other than letters and digits"},
		{"sid of a number", Identity, statementDoc(good + `,"Sid":1`), "Sid: expected a string"},
		{"duplicate sid", Identity, `{"Statement":[{"Sid":"a",` + good + `},{"Sid":"a",` + good + `}]}`, `Statement[1] (Sid "a") Sid: another statement`},
		{"sid in messages", Identity, statementDoc(`"Sid":"mine","Effect":"x"`), `Statement[0] (Sid "mine") Effect`},

		{"principal in an identity policy", Identity, statementDoc(good + `,"Principal":"*"`), "Principal: a principal may not stand"},
		{"principal in a session policy", Session, statementDoc(good + `,"NotPrincipal":"*"`), "NotPrincipal: a principal may not stand"},
		{"no principal in a resource policy", Resource, statementDoc(good), "Principal: missing"},
		{"both principals", Resource, statementDoc(good + `,"Principal":"*","NotPrincipal":"*"`), "either Principal or NotPrincipal"},
		{"resource in a trust policy", Trust, statementDoc(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"`), "Resource: a resource may not stand in a trust policy"},
		{"other action in a trust policy", Trust, statementDoc(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject"`), "only sts actions"},
		{"star in a trust policy", Trust, statementDoc(`"Effect":"Allow","Principal":"*","Action":"*"`), "only sts actions"},
		{"principal text", Resource, statementDoc(good + `,"Principal":"ann"`), `expected "*" or an object`},
		{"principal list", Resource, statementDoc(good + `,"Principal":["*"]`), "got a list"},
		{"principal empty", Resource, statementDoc(good + `,"Principal":{}`), "non-empty object"},
		{"principal kind", Resource, statementDoc(good + `,"Principal":{"Aws":"*"}`), `unknown kind of principal "Aws"`},
		{"principal wildcard", Resource, statementDoc(good + `,"Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}`), "invalid principal"},
		{"principal group", Resource, statementDoc(good + `,"Principal":{"AWS":"arn:aws:iam::111122223333:group/g"}`), "invalid principal"},
		{"principal service wildcard", Resource, statementDoc(good + `,"Principal":{"Service":"*"}`), "invalid principal"},
		{"principal service", Resource, statementDoc(good + `,"Principal":{"Service":"sagemaker"}`), "invalid principal"},
		{"principal values", Resource, statementDoc(good + `,"Principal":{"AWS":[]}`), "AWS: expected at least one value"},
		{"federated empty", Resource, statementDoc(good + `,"Principal":{"Federated":""}`), "is empty"},

		{"condition list", Identity, statementDoc(good + `,"Condition":[]`), "Condition: expected an object"},
		{"unknown operator", Identity, statementDoc(good + `,"Condition":{"StringMatches":{"s3:prefix":"a"}}`), `Condition: unknown operator "StringMatches"`},
		{"operators are case sensitive", Identity, statementDoc(good + `,"Condition":{"stringEquals":{"s3:prefix":"a"}}`), "unknown operator"},
		{"unknown ordered operator", Identity, statementDoc(good + `,"Condition":{"NumericLess":{"s3:max-keys":1}}`), "unknown operator"},
		{"unknown qualifier", Identity, statementDoc(good + `,"Condition":{"ForSomeValues:StringEquals":{"s3:prefix":"a"}}`), "unknown operator"},
		{"null if exists", Identity, statementDoc(good + `,"Condition":{"NullIfExists":{"s3:prefix":"true"}}`), "Null takes neither"},
		{"null for all", Identity, statementDoc(good + `,"Condition":{"ForAllValues:Null":{"s3:prefix":"true"}}`), "Null takes neither"},
		{"operator without keys", Identity, statementDoc(good + `,"Condition":{"StringEquals":{}}`), "expected an object of context keys"},
		{"operator of a string", Identity, statementDoc(good + `,"Condition":{"StringEquals":"a"}`), "expected an object of context keys"},
		{"key without service", Identity, statementDoc(good + `,"Condition":{"StringEquals":{"prefix":"a"}}`), "expected a context key"},
		{"key with odd service", Identity, statementDoc(good + `,"Condition":{"StringEquals":{"s 3:prefix":"a"}}`), "expected a context key"},
		{"long key", Identity, statementDoc(good + `,"Condition":{"StringEquals":{"s3:` + strings.Repeat("p", 600) + `":"a"}}`), "longer than 512"},
		{"same key twice in other case", Identity, statementDoc(good + `,"Condition":{"StringEquals":{"s3:prefix":"a","s3:Prefix":"b"}}`), "occurs twice"},
		{"no values", Identity, statementDoc(good + `,"Condition":{"StringEquals":{"s3:prefix":[]}}`), "empty list"},
		{"null value", Identity, statementDoc(good + `,"Condition":{"StringEquals":{"s3:prefix":null}}`), "got null"},
		{"bad number", Identity, statementDoc(good + `,"Condition":{"NumericEquals":{"s3:max-keys":"ten"}}`), `"ten" is not a number`},
		{"hexadecimal", Identity, statementDoc(good + `,"Condition":{"NumericEquals":{"s3:max-keys":"0x10"}}`), "is not a number"},
		{"variable as a number", Identity, statementDoc(good + `,"Condition":{"NumericEquals":{"s3:max-keys":"${x:y}"}}`), "is not a number"},
		{"bad date", Identity, statementDoc(good + `,"Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`), "is not a date"},
		{"long date", Identity, statementDoc(good + `,"Condition":{"DateLessThan":{"aws:CurrentTime":"` + strings.Repeat("1", 50) + `"}}`), "is not a date"},
		{"bad bool", Identity, statementDoc(good + `,"Condition":{"Bool":{"aws:SecureTransport":"yes"}}`), "neither true nor false"},
		{"bad null", Identity, statementDoc(good + `,"Condition":{"Null":{"s3:prefix":"a"}}`), "neither true nor false"},
		{"bad base64", Identity, statementDoc(good + `,"Condition":{"BinaryEquals":{"x:y":"%"}}`), "is not base64"},
		{"bad address", Identity, statementDoc(good + `,"Condition":{"IpAddress":{"aws:SourceIp":"300.1.1.1"}}`), "is not an IP address"},
		{"bad cidr", Identity, statementDoc(good + `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}`), "is not an IP address"},
		{"zone", Identity, statementDoc(good + `,"Condition":{"IpAddress":{"aws:SourceIp":"fe80::1%eth0"}}`), "is not an IP address"},
		{"cidr over both families", Identity, statementDoc(good + `,"Condition":{"IpAddress":{"aws:SourceIp":"::ffff:10.0.0.0/90"}}`), "is not an IP address"},
		{"bad ARN in a condition", Identity, statementDoc(good + `,"Condition":{"ArnLike":{"aws:SourceArn":"*"}}`), `or an ARN`},
		{"open variable in a condition", Identity, statementDoc(good + `,"Condition":{"StringLike":{"s3:prefix":"${aws:username"}}`), "does not end with }"},
		{"open variable in an exact condition", Identity, statementDoc(good + `,"Condition":{"StringEquals":{"s3:prefix":"${aws:username"}}`), "does not end with }"},

		{"raw size", Identity, statementDoc(good) + strings.Repeat(" ", MaxRaw), "at most 131072"},
		{"identity size", Identity, statementDoc(good + `,"Condition":{"StringEquals":{"s3:prefix":"` + strings.Repeat("a", MaxIdentity) + `"}}`), "at most 10240"},
		{"session size", Session, statementDoc(good) + strings.Repeat(" ", MaxSession), "at most 2048"},
		{"trust size", Trust, `{"Id":"` + strings.Repeat("a", MaxTrust) + `"}`, "at most 4096"},
		{"resource size", Resource, strings.Repeat(" ", MaxResource+1), "at most 20480"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse([]byte(tc.doc), tc.kind)
			if err == nil {
				t.Fatalf("accepted %s", tc.doc)
			}
			if got := faultOf(t, err); got.Code != Malformed || !strings.Contains(got.Message, tc.want) {
				t.Errorf("got %s %q, want %s with %q", got.Code, got.Message, Malformed, tc.want)
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	cases := []struct {
		name string
		kind Kind
		doc  string
	}{
		{"white space does not count", Identity, statementDoc(`"Effect":"Allow","Action":"s3:*","Resource":"*"`) + strings.Repeat(" \n", MaxIdentity)},
		{"no version is the old version", Identity, `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${x"}}`},
		{"trust of a service", Trust, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`},
		{"principals of every kind", Resource, statementDoc(`"Effect":"Deny","Action":"s3:*","Resource":"*","NotPrincipal":{"AWS":["111122223333","arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:user/a/b","arn:aws:iam::111122223333:role/r","arn:aws:sts::111122223333:assumed-role/r/s"],"Service":["s3.amazonaws.com"],"Federated":"cognito-identity.amazonaws.com","CanonicalUser":"79a5"}`)},
		{"sid of a bucket policy", Resource, statementDoc(`"Sid":"allow all of it, please","Effect":"Allow","Action":"s3:*","Resource":"*","Principal":{"AWS":"*"}`)},
		{"characters, not bytes", Session, statementDoc(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/` + strings.Repeat("ж", 1900) + `"`)},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) { must(t, tc.kind, tc.doc) })
	}
}

func TestDocumentAccessors(t *testing.T) {
	d := must(t, Resource, `{"Id":"doc","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/*"},{"Effect":"Deny","Principal":"*","NotAction":"s3:*","NotResource":"arn:aws:s3:::b"}]}`)
	if got := fmt.Sprintln(d.Actions(), d.Resources(), d.ID, d.Public()); got != "[s3:GetObject s3:PutObject s3:*] [arn:aws:s3:::b/* arn:aws:s3:::b] doc true\n" {
		t.Error(got)
	}
	for doc, want := range map[string]bool{
		`"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"`:                                      false,
		`"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"`:                                                          false,
		`"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"`:                                   true,
		`"Effect":"Allow","NotPrincipal":"*","Action":"*","Resource":"*"`:                                                      false,
		`"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`: false,
	} {
		if got := must(t, Resource, statementDoc(doc)).Public(); got != want {
			t.Errorf("%s: public %v", doc, got)
		}
	}
}
