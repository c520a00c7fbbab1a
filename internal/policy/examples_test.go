package policy

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"fiducial/internal/identity"
)

// The first of three readings of this engine: what the pages of AWS's
// documentation say by example, as cases of our own making. The other two are
// engines that others wrote; see test/policydiff.

// example is one situation from a page, and requests in it.
type example struct {
	page                   string // its title, and the guide if it is not the IAM User Guide
	name                   string
	own, session, resource []string // statements of each gate's document
	resourceAccount        string
	asks                   []ask
}

type ask struct {
	name     string
	by       *identity.Principal
	action   string
	resource string
	context  Context
	want     Effect
}

const otherAccount = "444455556666"

// abroad is a user of another account.
func abroad(name string) *identity.Principal {
	u := user(name)
	u.Account, u.ARN = otherAccount, "arn:aws:iam::"+otherAccount+":user/"+name
	return u
}

func at(s string) Context {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return Context{Time: t}
}

func ip(s string) Context { return Context{SourceIP: netip.MustParseAddr(s)} }

// endpoint is a request that came through a VPC endpoint.
func endpoint(vpc, vpce, addr string) Context {
	return Context{SourceVPC: vpc, SourceVPCE: vpce, VPCSourceIP: netip.MustParseAddr(addr)}
}

const (
	tls  = `"Condition":{"Bool":{"aws:SecureTransport":"false"}}`
	logs = "arn:aws:s3:::paulo-logs/2026"
)

var examples = []example{
	{page: "Policy evaluation logic", name: "by default nobody but the root user",
		asks: []ask{
			{"a user", user("paulo"), "s3:GetObject", logs, Context{}, NoMatch},
			{"a role session", session("reader", "s"), "s3:GetObject", logs, Context{}, NoMatch},
			{"nobody", &identity.Principal{}, "s3:GetObject", logs, Context{}, NoMatch},
			{"the root user", rootUser(), "s3:GetObject", logs, Context{}, Allow},
		}},
	{page: "Policy evaluation logic", name: "an identity policy and a resource policy together",
		own: []string{
			`{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}`,
			`{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::paulo-files","arn:aws:s3:::paulo-files/*"]}`,
			`{"Sid":"NoLogs","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::*logs*"}`},
		resource: []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/paulo"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::shared/*"}`},
		asks: []ask{
			{"by the identity policy alone", user("paulo"), "s3:DeleteObject", "arn:aws:s3:::paulo-files/a", Context{}, Allow},
			{"by the resource policy alone", user("paulo"), "s3:PutObject", "arn:aws:s3:::shared/a", Context{}, Allow},
			{"by neither", user("paulo"), "s3:DeleteObject", "arn:aws:s3:::shared/a", Context{}, NoMatch},
			{"a Deny beats an Allow of the same document", user("paulo"), "s3:GetObject", logs, Context{}, Deny},
		}},
	{page: "Policy evaluation logic", name: "a Deny of the resource policy beats an Allow of the identity policy",
		own:      []string{`{"Effect":"Allow","Action":"*","Resource":"*"}`},
		resource: []string{`{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::kept/*"}`},
		asks: []ask{
			{"denied", user("paulo"), "s3:DeleteObject", "arn:aws:s3:::kept/a", Context{}, Deny},
			{"the root user too", rootUser(), "s3:DeleteObject", "arn:aws:s3:::kept/a", Context{}, Deny},
			{"another action", user("paulo"), "s3:GetObject", "arn:aws:s3:::kept/a", Context{}, Allow},
		}},

	// Within an account, whom a resource policy names decides how far implicit
	// denies elsewhere matter.
	{page: "Policy evaluation logic", name: "a resource policy that names a role",
		session:  []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/allowed"}`},
		resource: []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/reader"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`},
		asks: []ask{
			{"what the session policy allows", session("reader", "s"), "s3:GetObject", "arn:aws:s3:::b/allowed", Context{}, Allow},
			{"what it does not", session("reader", "s"), "s3:GetObject", "arn:aws:s3:::b/else", Context{}, NoMatch},
		}},
	{page: "Policy evaluation logic", name: "a resource policy that names a role session",
		session:  []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/allowed"}`},
		resource: []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/reader/s"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`},
		asks: []ask{
			{"is not limited by the session policy", session("reader", "s"), "s3:GetObject", "arn:aws:s3:::b/else", Context{}, Allow},
			{"another session of the role", session("reader", "t"), "s3:GetObject", "arn:aws:s3:::b/allowed", Context{}, NoMatch},
		}},
	{page: "Policy evaluation logic", name: "a resource policy that names a user",
		resource: []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/paulo"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`},
		asks: []ask{
			{"needs nothing of his own", user("paulo"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"another user", user("ines"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, NoMatch},
		}},
	{page: "Policies and permissions in IAM", name: "a session policy takes away and never gives",
		own:     []string{`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/*"}`},
		session: []string{`{"Effect":"Allow","Action":["s3:GetObject","s3:DeleteObject"],"Resource":"*"}`},
		asks: []ask{
			{"in both", session("r", "s"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"in the role's alone", session("r", "s"), "s3:PutObject", "arn:aws:s3:::b/a", Context{}, NoMatch},
			{"in the session's alone", session("r", "s"), "s3:DeleteObject", "arn:aws:s3:::b/a", Context{}, NoMatch},
		}},
	{page: "Policies and permissions in IAM", name: "a Deny in a session policy",
		own:      []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`},
		session:  []string{`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/secret"}`},
		resource: []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`},
		asks: []ask{
			{"is not passed by a resource policy", session("r", "s"), "s3:GetObject", "arn:aws:s3:::b/secret", Context{}, Deny},
			{"elsewhere", session("r", "s"), "s3:GetObject", "arn:aws:s3:::b/open", Context{}, Allow},
		}},

	{page: "Cross-account policy evaluation logic", name: "both sides must allow",
		own:             []string{`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}`, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::production/*"}`, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::production/secret*"}`},
		resource:        []string{`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/jiang"},"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::production/*"}`},
		resourceAccount: account,
		asks: []ask{
			{"both", abroad("jiang"), "s3:GetObject", "arn:aws:s3:::production/a", Context{}, Allow},
			{"the resource's alone", abroad("jiang"), "s3:PutObject", "arn:aws:s3:::production/a", Context{}, NoMatch},
			{"the caller's alone", abroad("jiang"), "s3:ListBucket", "arn:aws:s3:::production", Context{}, NoMatch},
			{"a Deny of the caller's", abroad("jiang"), "s3:GetObject", "arn:aws:s3:::production/secret1", Context{}, Deny},
			{"another user of that account", abroad("mei"), "s3:GetObject", "arn:aws:s3:::production/a", Context{}, NoMatch},
		}},
	{page: "Cross-account policy evaluation logic", name: "the account is named",
		own:             []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`},
		resource:        []string{`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`},
		resourceAccount: account,
		asks: []ask{
			{"whoever that account lets", abroad("jiang"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"and not what it does not", abroad("jiang"), "s3:PutObject", "arn:aws:s3:::b/a", Context{}, NoMatch},
		}},

	{page: "AWS JSON policy elements: NotPrincipal", name: "everybody but one user is denied",
		own:             []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`},
		resource:        []string{`{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::444455556666:user/bob","arn:aws:iam::444455556666:root"]},"Action":"s3:*","Resource":"*"}`, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}`},
		resourceAccount: account,
		asks: []ask{
			{"the one", abroad("bob"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"another of his account", abroad("mallory"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Deny},
			{"nobody", &identity.Principal{}, "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Deny},
		}},
	{page: "AWS JSON policy elements: NotPrincipal", name: "the account must be listed as well",
		own:             []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`},
		resource:        []string{`{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::444455556666:user/bob"},"Action":"s3:*","Resource":"*"}`},
		resourceAccount: otherAccount,
		asks:            []ask{{"else the user is denied", abroad("bob"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Deny}},
	},
	{page: "AWS JSON policy elements: NotPrincipal", name: "a role session needs session, role and account",
		own:      []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`},
		resource: []string{`{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:sts::111122223333:assumed-role/audit/app","arn:aws:iam::111122223333:role/audit","arn:aws:iam::111122223333:root"]},"Action":"s3:*","Resource":"*"}`},
		asks: []ask{
			{"all three", session("audit", "app"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"another session", session("audit", "else"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Deny},
		}},
	{page: "AWS JSON policy elements: NotPrincipal", name: "with Allow it lets the whole world in",
		resource: []string{`{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"s3:GetObject","Resource":"*"}`},
		asks: []ask{
			{"nobody", &identity.Principal{}, "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"the one", user("bob"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, NoMatch},
		}},

	{page: "IAM JSON policy elements: NotAction", name: "everything but one service",
		own: []string{`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`},
		asks: []ask{
			{"another service", user("paulo"), "s3:DeleteBucket", "arn:aws:s3:::b", Context{}, Allow},
			{"the service", user("paulo"), "iam:ListUsers", "*", Context{}, NoMatch},
		}},
	{page: "IAM JSON policy elements: NotAction", name: "with Deny, what is listed is not thereby allowed",
		own: []string{`{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}`},
		asks: []ask{
			{"listed", user("paulo"), "iam:ListUsers", "*", Context{}, NoMatch},
			{"not listed, a session without a second factor", session("r", "s"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Deny},
			{"not listed, and the key is not there: IfExists holds", user("paulo"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Deny},
		}},
	{page: "IAM JSON policy elements: NotResource", name: "Deny outside of one bucket",
		own: []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, `{"Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::hr","arn:aws:s3:::hr/*"]}`},
		asks: []ask{
			{"inside", user("paulo"), "s3:GetObject", "arn:aws:s3:::hr/a", Context{}, Allow},
			{"outside", user("paulo"), "s3:GetObject", "arn:aws:s3:::hrx/a", Context{}, Deny},
		}},
	{page: "IAM JSON policy elements: Action", name: "wildcards and case",
		own: []string{`{"Effect":"Allow","Action":["iam:*AccessKey*","S3:GETobject","sqs:Get?ueueUrl"],"Resource":"*"}`},
		asks: []ask{
			{"in the middle", user("a"), "iam:CreateAccessKey", "*", Context{}, Allow},
			{"in the middle and at the end", user("a"), "iam:UpdateAccessKeyLastUsed", "*", Context{}, Allow},
			{"no case", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"one character", user("a"), "sqs:GetQueueUrl", "*", Context{}, Allow},
			{"one character is not none", user("a"), "sqs:GetueueUrl", "*", Context{}, NoMatch},
		}},
	{page: "Amazon Resource Names (ARNs)", name: "wildcards stay within their segment",
		own: []string{`{"Effect":"Allow","Action":"*","Resource":["arn:aws:sns:us-east-?:*:alarm*","arn:aws:sqs:*:111122223333:*"]}`},
		asks: []ask{
			{"one character of the region", user("a"), "sns:Publish", "arn:aws:sns:us-east-1:111122223333:alarms", Context{}, Allow},
			{"two", user("a"), "sns:Publish", "arn:aws:sns:us-east-12:111122223333:alarms", Context{}, NoMatch},
			{"the resource segment takes the colons", user("a"), "sns:Publish", "arn:aws:sns:us-east-1:111122223333:alarm:x:y", Context{}, Allow},
			{"a region does not reach into the account", user("a"), "sqs:SendMessage", "arn:aws:sqs:us:east:111122223333:q", Context{}, NoMatch},
		}},

	{page: "IAM policy elements: Variables and tags", name: "a home folder for everybody",
		own: []string{
			`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::homes","Condition":{"StringLike":{"s3:prefix":["","home/","home/${aws:username}/*"]}}}`,
			`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::homes/home/${aws:username}/*"}`},
		asks: []ask{
			{"one's own", user("paulo"), "s3:PutObject", "arn:aws:s3:::homes/home/paulo/x", Context{}, Allow},
			{"somebody else's", user("paulo"), "s3:PutObject", "arn:aws:s3:::homes/home/ines/x", Context{}, NoMatch},
			{"a name that begins alike", user("paulo"), "s3:PutObject", "arn:aws:s3:::homes/home/paulo2/x", Context{}, NoMatch},
			{"listing one's own", user("paulo"), "s3:ListBucket", "arn:aws:s3:::homes", key("s3:prefix", "home/paulo/pictures"), Allow},
			{"listing the top", user("paulo"), "s3:ListBucket", "arn:aws:s3:::homes", key("s3:prefix", ""), Allow},
			{"listing somebody else's", user("paulo"), "s3:ListBucket", "arn:aws:s3:::homes", key("s3:prefix", "home/ines/"), NoMatch},
			{"a role session has no user name", session("r", "s"), "s3:PutObject", "arn:aws:s3:::homes/home//x", Context{}, NoMatch},
		}},
	{page: "IAM policy elements: Variables and tags", name: "a queue that is called after its user",
		own: []string{`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-2:*:${aws:username}-queue"}`},
		asks: []ask{
			{"one's own", user("paulo"), "sqs:SendMessage", "arn:aws:sqs:us-east-2:111122223333:paulo-queue", Context{}, Allow},
			{"another region", user("paulo"), "sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:paulo-queue", Context{}, NoMatch},
		}},
	{page: "IAM policy elements: Variables and tags", name: "defaults and escapes",
		own: []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::teams/${aws:PrincipalTag/team, 'company-wide'}/*","arn:aws:s3:::odd/${*}${?}${$}"]}`},
		asks: []ask{
			{"a tag", user("paulo"), "s3:GetObject", "arn:aws:s3:::teams/yellow/x", key("aws:PrincipalTag/team", "yellow"), Allow},
			{"no tag", user("paulo"), "s3:GetObject", "arn:aws:s3:::teams/company-wide/x", Context{}, Allow},
			{"a tag is not replaced by the default", user("paulo"), "s3:GetObject", "arn:aws:s3:::teams/company-wide/x", key("aws:PrincipalTag/team", "yellow"), NoMatch},
			{"the characters themselves", user("paulo"), "s3:GetObject", "arn:aws:s3:::odd/*?$", Context{}, Allow},
			{"are no wildcards", user("paulo"), "s3:GetObject", "arn:aws:s3:::odd/ab$", Context{}, NoMatch},
		}},

	{page: "IAM JSON policy elements: Condition operators", name: "tags as strings",
		own: []string{`{"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/job-category":["iamuser-admin","iamuser-auditor"]}}}`},
		asks: []ask{
			{"one of the values", user("a"), "iam:ListAccessKeys", "*", key("aws:PrincipalTag/job-category", "iamuser-auditor"), Allow},
			{"in another case", user("a"), "iam:ListAccessKeys", "*", key("aws:PrincipalTag/job-category", "IAMUser-admin"), NoMatch},
			{"no tag", user("a"), "iam:ListAccessKeys", "*", Context{}, NoMatch},
		}},
	{page: "IAM JSON policy elements: Condition operators", name: "at most ten keys",
		own: []string{`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"NumericLessThanEquals":{"s3:max-keys":"10"}}}`},
		asks: []ask{
			{"ten", user("a"), "s3:ListBucket", "arn:aws:s3:::b", key("s3:max-keys", "10"), Allow},
			{"nine, which as text is more", user("a"), "s3:ListBucket", "arn:aws:s3:::b", key("s3:max-keys", "9"), Allow},
			{"eleven", user("a"), "s3:ListBucket", "arn:aws:s3:::b", key("s3:max-keys", "11"), NoMatch},
			{"not said", user("a"), "s3:ListBucket", "arn:aws:s3:::b", Context{}, NoMatch},
		}},
	{page: "IAM JSON policy elements: Condition operators", name: "credentials of this year",
		own: []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"DateGreaterThan":{"aws:TokenIssueTime":"2026-01-01T00:00:01Z"}}}`},
		asks: []ask{
			{"a session of January 2nd", session("r", "s"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"a long-lived key has no such time", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, NoMatch},
		}},
	{page: "IAM JSON policy elements: Condition operators", name: "a time of day between two",
		own: []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2026-04-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2026-06-30T23:59:59Z"}}}`},
		asks: []ask{
			{"within", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", at("2026-05-01T12:00:00Z"), Allow},
			{"within, by another zone's clock", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", at("2026-04-01T01:30:00+01:00"), Allow},
			{"before", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", at("2026-04-01T00:30:00+01:00"), NoMatch},
			{"after", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", at("2026-07-01T00:00:00Z"), NoMatch},
		}},
	{page: "IAM JSON policy elements: Condition operators", name: "IPv4 and IPv6 together",
		own: []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:DB8:1234:5678::/64"]}}}`},
		asks: []ask{
			{"IPv4", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", ip("203.0.113.200"), Allow},
			{"IPv6", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", ip("2001:db8:1234:5678:9::1"), Allow},
			{"another network", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", ip("2001:db8:1234:5679::1"), NoMatch},
			{"through a VPC endpoint there is no such key", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", endpoint("vpc-1", "vpce-1", "203.0.113.200"), NoMatch},
		}},
	{page: "IAM JSON policy elements: Condition operators", name: "a key that need not be there",
		own: []string{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLikeIfExists":{"ec2:InstanceType":["t1.*","t2.*"]}}}`},
		asks: []ask{
			{"there and right", user("a"), "ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:instance/i", key("ec2:InstanceType", "t2.small"), Allow},
			{"there and wrong", user("a"), "ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:instance/i", key("ec2:InstanceType", "m5.large"), NoMatch},
			{"not there", user("a"), "ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:volume/v", Context{}, Allow},
		}},
	{page: "IAM JSON policy elements: Condition operators", name: "temporary credentials only, by Null",
		own: []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Null":{"aws:TokenIssueTime":"false"}}}`},
		asks: []ask{
			{"a session", session("r", "s"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Allow},
			{"a user's key", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, NoMatch},
		}},
	{page: "IAM JSON policy elements: Condition operators", name: "ARNs by pattern",
		resource: []string{`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:111122223333:q","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:*:111122223333:topic-*"}}}`},
		own:      []string{`{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`},
		asks: []ask{
			{"ArnEquals takes wildcards", user("a"), "sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q", key("aws:SourceArn", "arn:aws:sns:eu-west-1:111122223333:topic-7"), Allow},
		}},

	// The key that everything here stands on: a set operator over no values.
	{page: "Creating a condition with multiple keys or values", name: "only these attributes",
		own: []string{`{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"ForAllValues:StringLike":{"dynamodb:Attributes":["PostDateTime","Message","Tag*"]}}}`},
		asks: []ask{
			{"two of them", user("a"), "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", keys("dynamodb:Attributes", "Message", "Tags"), Allow},
			{"one that is not", user("a"), "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", keys("dynamodb:Attributes", "Message", "ID"), NoMatch},
			{"none at all is all of them", user("a"), "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", keys("dynamodb:Attributes"), Allow},
			{"nor is the key there", user("a"), "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", Context{}, Allow},
		}},
	{page: "Creating a condition with multiple keys or values", name: "only these, and some, by Null beside it",
		own: []string{`{"Effect":"Allow","Action":"sagemaker:AddTags","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]},"Null":{"aws:TagKeys":"false"}}}`},
		asks: []ask{
			{"some", user("a"), "sagemaker:AddTags", "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/t", keys("aws:TagKeys", "team"), Allow},
			{"none", user("a"), "sagemaker:AddTags", "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/t", keys("aws:TagKeys"), NoMatch},
			{"the key is not there", user("a"), "sagemaker:AddTags", "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/t", Context{}, NoMatch},
		}},
	{page: "Creating a condition with multiple keys or values", name: "none of these attributes",
		own: []string{`{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`, `{"Effect":"Deny","Action":"dynamodb:PutItem","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"dynamodb:Attributes":["ID","PostDateTime"]}}}`},
		asks: []ask{
			{"one of them among others", user("a"), "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", keys("dynamodb:Attributes", "Message", "PostDateTime"), Deny},
			{"others", user("a"), "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", keys("dynamodb:Attributes", "UserName"), Allow},
			{"none", user("a"), "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:111122223333:table/t", keys("dynamodb:Attributes"), Allow},
		}},
	{page: "Creating a condition with multiple keys or values", name: "operators and keys are all needed, values are alternatives",
		own: []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/dept":["finance","hr"],"aws:PrincipalTag/role":["audit"]},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`},
		asks: []ask{
			{"all", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{SourceIP: netip.MustParseAddr("10.1.2.3"), Keys: []Key{{Name: "aws:PrincipalTag/dept", Value: "hr"}, {Name: "aws:PrincipalTag/role", Value: "audit"}}}, Allow},
			{"one key less", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{SourceIP: netip.MustParseAddr("10.1.2.3"), Keys: []Key{{Name: "aws:PrincipalTag/dept", Value: "hr"}}}, NoMatch},
			{"another address", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{SourceIP: netip.MustParseAddr("11.1.2.3"), Keys: []Key{{Name: "aws:PrincipalTag/dept", Value: "hr"}, {Name: "aws:PrincipalTag/role", Value: "audit"}}}, NoMatch},
		}},
	{page: "AWS: Denies access to AWS based on the source IP", name: "Deny outside of the office",
		own: []string{`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]},"Bool":{"aws:ViaAWSService":"false"}}}`},
		asks: []ask{
			{"inside", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", ip("203.0.113.9"), Allow},
			{"outside", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", ip("198.51.100.9"), Deny},
			{"through an endpoint the key is not there, and Not holds", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", endpoint("vpc-1", "vpce-1", "203.0.113.9"), Deny},
		}},

	{page: "Bucket policy examples (Amazon S3 User Guide)", name: "only over TLS",
		own:      []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`},
		resource: []string{`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],` + tls + `}`},
		asks: []ask{
			{"with", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{SecureTransport: true}, Allow},
			{"without", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{}, Deny},
		}},
	{page: "Bucket policy examples (Amazon S3 User Guide)", name: "a network, but for one address",
		resource: []string{`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"NotIpAddress":{"aws:SourceIp":"192.0.2.188/32"}}}`},
		asks: []ask{
			{"in it", &identity.Principal{}, "s3:GetObject", "arn:aws:s3:::b/a", ip("192.0.2.1"), Allow},
			{"the one", &identity.Principal{}, "s3:GetObject", "arn:aws:s3:::b/a", ip("192.0.2.188"), NoMatch},
			{"outside", &identity.Principal{}, "s3:GetObject", "arn:aws:s3:::b/a", ip("192.0.3.1"), NoMatch},
		}},
	{page: "Bucket policy examples (Amazon S3 User Guide)", name: "by the page that refers to it",
		resource: []string{`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringLike":{"aws:Referer":["https://example.com/*"]}}}`},
		asks: []ask{
			{"the page", &identity.Principal{}, "s3:GetObject", "arn:aws:s3:::b/a", Context{Referer: "https://example.com/x"}, Allow},
			{"another", &identity.Principal{}, "s3:GetObject", "arn:aws:s3:::b/a", Context{Referer: "https://example.org/https://example.com/"}, NoMatch},
			{"none", &identity.Principal{}, "s3:GetObject", "arn:aws:s3:::b/a", Context{}, NoMatch},
		}},
	{page: "Bucket policy examples (Amazon S3 User Guide)", name: "uploads must hand the object over",
		resource: []string{`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}`},
		own:      []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`},
		asks: []ask{
			{"the account's name alone lets nobody in", user("a"), "s3:PutObject", "arn:aws:s3:::b/a", key("s3:x-amz-acl", "bucket-owner-full-control"), NoMatch},
		}},
	{page: "Bucket policy examples (Amazon S3 User Guide)", name: "uploads must be encrypted",
		own:      []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`},
		resource: []string{`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}`, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"Null":{"s3:x-amz-server-side-encryption":"true"}}}`},
		asks: []ask{
			{"so", user("a"), "s3:PutObject", "arn:aws:s3:::b/a", key("s3:x-amz-server-side-encryption", "aws:kms"), Allow},
			{"otherwise", user("a"), "s3:PutObject", "arn:aws:s3:::b/a", key("s3:x-amz-server-side-encryption", "AES256"), Deny},
			{"not at all", user("a"), "s3:PutObject", "arn:aws:s3:::b/a", Context{}, Deny},
		}},
	{page: "Controlling access from VPC endpoints with bucket policies (Amazon S3 User Guide)", name: "one endpoint",
		own:      []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`},
		resource: []string{`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}}`},
		asks: []ask{
			{"that one", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", endpoint("vpc-1", "vpce-1a2b3c4d", "10.0.0.1"), Allow},
			{"another one", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", endpoint("vpc-1", "vpce-2", "10.0.0.1"), Deny},
			{"none", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", ip("10.0.0.1"), Deny},
		}},
	{page: "Controlling access from VPC endpoints with bucket policies (Amazon S3 User Guide)", name: "one VPC",
		own:      []string{`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`},
		resource: []string{`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-111bbb22"}}}`},
		asks: []ask{
			{"that one", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", endpoint("vpc-111bbb22", "vpce-1", "10.0.0.1"), Allow},
			{"a worker at home", session("labeler", "w"), "s3:GetObject", "arn:aws:s3:::b/a", ip("203.0.113.7"), Deny},
		}},
	{page: "Amazon S3 Signature Version 4 authentication specific policy keys (Amazon S3 API Reference)", name: "presigned URLs only, and young ones",
		own: []string{`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`, `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"s3:authType":"REST-QUERY-STRING"}}}`, `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"NumericGreaterThan":{"s3:signatureAge":"600000"}}}`},
		asks: []ask{
			{"young", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{Keys: []Key{{Name: "s3:authType", Value: "REST-QUERY-STRING"}, {Name: "s3:signatureAge", Value: "599999"}}}, Allow},
			{"old", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{Keys: []Key{{Name: "s3:authType", Value: "REST-QUERY-STRING"}, {Name: "s3:signatureAge", Value: "600001"}}}, Deny},
			{"by header", user("a"), "s3:GetObject", "arn:aws:s3:::b/a", Context{Keys: []Key{{Name: "s3:authType", Value: "REST-HEADER"}, {Name: "s3:signatureAge", Value: "1"}}}, Deny},
		}},
}

func TestDocumentedExamples(t *testing.T) {
	asked := 0
	for _, e := range examples {
		t.Run(e.page+"/"+e.name, func(t *testing.T) {
			document := func(kind Kind, statements []string) *Document {
				if statements == nil {
					return nil
				}
				return must(t, kind, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
			}
			p := Policies{Session: document(Session, e.session), Resource: document(Resource, e.resource), ResourceAccount: e.resourceAccount, HasSession: e.session != nil}
			if d := document(Identity, e.own); d != nil {
				p.Identity = []*Document{d}
			}
			for _, a := range e.asks {
				asked++
				got := Authorize(p, &Request{Principal: a.by, Action: a.action, Resource: a.resource, Context: a.context})
				if got.Effect != a.want {
					t.Errorf("%s: %v (%s), want %v", a.name, got.Effect, got.Reason, a.want)
				}
			}
		})
	}
	if asked < 100 {
		t.Errorf("only %d requests", asked)
	}
}
