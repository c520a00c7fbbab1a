package policydiff

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// document is a policy as it is generated: a value to take apart, and JSON to
// hand to the engines.
type document struct {
	Version   string `json:",omitempty"`
	Statement []statement
}

type statement struct {
	Effect       string
	Principal    any                            `json:",omitempty"`
	NotPrincipal any                            `json:",omitempty"`
	Action       []string                       `json:",omitempty"`
	NotAction    []string                       `json:",omitempty"`
	Resource     []string                       `json:",omitempty"`
	NotResource  []string                       `json:",omitempty"`
	Condition    map[string]map[string][]string `json:",omitempty"`
}

func (d *document) json() string {
	if d == nil {
		return ""
	}
	b, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// question is one request with the documents that bear on it.
type question struct {
	principal principal
	action    string
	resource  string
	account   string // the resource's
	context   map[string][]string
	multi     map[string]bool // keys that are lists, whatever their length

	identity []*document
	session  *document
	policy   *document // the resource's
}

// principal is a caller that all engines know.
type principal struct {
	arn, role, account, userID, name, kind string
}

const home, away = "111122223333", "444455556666"

var callers = []principal{
	{arn: "arn:aws:iam::" + home + ":user/ann", account: home, userID: "AIDAANN", name: "ann", kind: "User"},
	{arn: "arn:aws:iam::" + home + ":user/team/bob", account: home, userID: "AIDABOB", name: "bob", kind: "User"},
	{arn: "arn:aws:sts::" + home + ":assumed-role/labeler/s1", role: "arn:aws:iam::" + home + ":role/labeler", account: home, userID: "AROAL:s1", kind: "AssumedRole"},
	{arn: "arn:aws:sts::" + home + ":assumed-role/deep/s2", role: "arn:aws:iam::" + home + ":role/a/b/deep", account: home, userID: "AROAD:s2", kind: "AssumedRole"},
	{arn: "arn:aws:iam::" + home + ":root", account: home, userID: home, kind: "Account"},
	{kind: "Anonymous", userID: "anonymous"},
}

type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

// some draws one to three.
func some[T any](g generator, draw func() T) []T {
	n := 1
	if g.chance(35) {
		n += 1 + g.IntN(2)
	}
	out := make([]T, n)
	for i := range out {
		out[i] = draw()
	}
	return out
}

func (g generator) question() question {
	q := question{principal: callers[0], action: g.requestedAction(), resource: g.requestedResource(), account: home, multi: map[string]bool{}}
	if g.chance(60) {
		q.principal = callers[g.IntN(len(callers))]
	}
	if g.chance(15) {
		q.account = away
	}
	q.context = g.contextKeys(&q)
	for range 1 + g.IntN(2) {
		q.identity = append(q.identity, g.document(&q, false))
	}
	if q.principal.kind == "AssumedRole" && g.chance(60) {
		q.session = g.document(&q, false)
	}
	if g.chance(55) {
		q.policy = g.document(&q, true)
	}
	return q
}

func (g generator) requestedAction() string {
	return pick(g, "s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation", "sagemaker:CreateLabelingJob", "dynamodb:Query")
}

func (g generator) requestedResource() string {
	switch g.IntN(100) {
	case 0:
		return "*"
	case 1:
		return "arn:aws:s3:::b/a*b"
	}
	return pick(g, "arn:aws:s3:::b", "arn:aws:s3:::b/x", "arn:aws:s3:::b/ann/x", "arn:aws:s3:::b/ann/y/z.jpg", "arn:aws:s3:::c/x", "arn:aws:s3:::b/a:b:c",
		"arn:aws:s3:::b/${x}?", "arn:aws:s3:::b/жук", "arn:aws:s3:::b/Ann/x", "arn:aws:s3:::b/a+(b).[c]^$|", "arn:aws:s3:::labels/2026/01/01",
		"arn:aws:sagemaker:us-east-1:"+home+":labeling-job/j1", "arn:aws:sagemaker:eu-west-1:"+away+":labeling-job/j/2", "arn:aws:dynamodb:us-east-1:"+home+":table/t:x")
}

func (g generator) document(q *question, resource bool) *document {
	d := &document{Version: "2012-10-17"}
	if g.chance(8) {
		d.Version = pick(g, "", "2008-10-17")
	}
	for range 1 + g.IntN(3) {
		d.Statement = append(d.Statement, g.statement(q, resource))
	}
	return d
}

func (g generator) statement(q *question, resource bool) statement {
	s := statement{Effect: pick(g, "Allow", "Allow", "Deny")}
	if list := some(g, func() string { return g.actionPattern(q) }); g.chance(85) {
		s.Action = list
	} else {
		s.NotAction = list
	}
	if list := some(g, func() string { return g.resourcePattern(q) }); g.chance(85) {
		s.Resource = list
	} else {
		s.NotResource = list
	}
	if resource {
		if g.chance(88) {
			s.Principal = g.principals()
		} else {
			s.NotPrincipal = g.principals()
		}
	}
	if n := pick(g, 0, 0, 1, 1, 1, 2); n > 0 {
		s.Condition = map[string]map[string][]string{}
		for range n {
			op, key, values := g.condition(q)
			if s.Condition[op] == nil {
				s.Condition[op] = map[string][]string{}
			}
			s.Condition[op][key] = values
		}
	}
	return s
}

func (g generator) actionPattern(q *question) string {
	if g.chance(45) {
		service, name, _ := strings.Cut(q.action, ":")
		return service + ":" + g.glob(name)
	}
	return pick(g, "*", "s3:*", "s3:Get*", "s3:Get?bject", "S3:getobject", "s3:*Object", "*:*", "s3:Put*", "sagemaker:*", "s3:getobject", "s3:????Bucket", "dynamodb:Q*y")
}

// glob replaces parts of a text by wildcards, so that it often still matches.
func (g generator) glob(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return "*"
	}
	i := g.IntN(len(r) + 1)
	j := i + g.IntN(len(r)-i+1)
	switch g.IntN(6) {
	case 0:
		return string(r[:i]) + "*"
	case 1:
		return string(r[:i]) + "*" + string(r[j:])
	case 2:
		return string(r[:i]) + strings.Repeat("?", j-i) + string(r[j:])
	case 3:
		return "*" + string(r[j:])
	case 4:
		return string(r[:i]) + "?" + string(r[j:])
	}
	return s
}

func (g generator) resourcePattern(q *question) string {
	if g.chance(40) && strings.HasPrefix(q.resource, "arn:") && !strings.Contains(q.resource, "${") {
		p := strings.SplitN(q.resource, ":", 6)
		p[5] = g.glob(p[5])
		if p[5] == "" {
			p[5] = "*"
		}
		for i := 3; i < 5; i++ {
			if p[i] != "" && g.chance(30) {
				p[i] = g.glob(p[i])
			}
		}
		return strings.Join(p, ":")
	}
	return pick(g, "*", "arn:aws:s3:::*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'ann'}/*",
		"arn:aws:s3:::${s3:prefix}/x", "arn:aws:s3:::b/a${*}b", "arn:aws:s3:::b/${$}{x}${?}", "arn:aws:s3:::?/x", "arn:aws:s3:*:*:b/x", "arn:aws:s3:::*/x",
		"arn:*:s3:::b/*", "arn:aws:sagemaker:*:"+home+":labeling-job/*", "arn:aws:sagemaker:*:*:*", "arn:aws:sagemaker:us-*-1:*:labeling-job/j?", "arn:aws:s3:::b",
		"arn:aws:s3:::b/${x:absent}/*", "arn:aws:s3:::b/${aws:TagKeys}/*", "arn:aws:s3:::b/a:*", "arn:aws:s3:::*:*", "arn:aws:dynamodb:*:*:table/*:x", "arn:aws:s3:::labels/${aws:PrincipalTag/team}/*")
}

func (g generator) principals() any {
	one := func() string {
		return pick(g, "*", home, away, "arn:aws:iam::"+home+":root", "arn:aws:iam::"+home+":user/ann", "arn:aws:iam::"+home+":user/team/bob",
			"arn:aws:iam::"+home+":role/labeler", "arn:aws:iam::"+home+":role/a/b/deep", "arn:aws:sts::"+home+":assumed-role/labeler/s1", "arn:aws:sts::"+home+":assumed-role/labeler/s9")
	}
	if g.chance(15) {
		return "*"
	}
	list := some(g, one)
	m := map[string]any{"AWS": list}
	if g.chance(8) {
		m["Service"] = []string{"sagemaker.amazonaws.com"}
	}
	return m
}

// question as the line that simulate.mjs reads.
func (q *question) line(identity []*document, session, policy *document) []byte {
	context := map[string]any{}
	for k, v := range q.context {
		if q.multi[k] {
			context[k] = v
		} else {
			context[k] = v[0]
		}
	}
	b, err := json.Marshal(struct {
		Principal        string         `json:"principal"`
		Action           string         `json:"action"`
		Resource         string         `json:"resource"`
		Account          string         `json:"account"`
		Context          map[string]any `json:"context"`
		IdentityPolicies []*document    `json:"identityPolicies"`
		SessionPolicy    *document      `json:"sessionPolicy,omitempty"`
		ResourcePolicy   *document      `json:"resourcePolicy,omitempty"`
	}{q.principal.arn, q.action, q.resource, q.account, context, identity, session, policy})
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

func (q *question) String() string {
	docs := []string{}
	for _, d := range q.identity {
		docs = append(docs, "identity "+d.json())
	}
	return fmt.Sprintf("%s %s on %s of %s, context %v\n%s\nsession %s\nresource %s", q.principal.arn, q.action, q.resource, q.account, q.context, strings.Join(docs, "\n"), q.session.json(), q.policy.json())
}
