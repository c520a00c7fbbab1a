package policydiff

import (
	"strconv"
	"strings"
	"time"
)

// at is when every request is made.
var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// contextKeys draws what is known of a request. What a principal brings along
// follows from the principal, in every engine.
func (g generator) contextKeys(q *question) map[string][]string {
	c := map[string][]string{
		"aws:SecureTransport":       {strconv.FormatBool(g.chance(70))},
		"aws:PrincipalType":         {q.principal.kind},
		"aws:PrincipalIsAWSService": {"false"},
		"aws:ViaAWSService":         {"false"},
		"aws:userid":                {q.principal.userID},
	}
	p := q.principal
	if p.account != "" {
		c["aws:PrincipalAccount"] = []string{p.account}
	}
	switch {
	case p.role != "":
		c["aws:PrincipalArn"] = []string{p.role}
		c["aws:MultiFactorAuthPresent"] = []string{"false"}
		c["aws:TokenIssueTime"] = []string{at.Add(-time.Hour).Format(time.RFC3339)}
	case p.arn != "":
		c["aws:PrincipalArn"] = []string{p.arn}
	}
	if p.name != "" {
		c["aws:username"] = []string{p.name}
	}
	if g.chance(90) {
		c["aws:CurrentTime"] = []string{at.Format(time.RFC3339)}
		c["aws:EpochTime"] = []string{strconv.FormatInt(at.Unix(), 10)}
	}
	if g.chance(80) {
		c["aws:SourceIp"] = []string{g.address()}
	} else {
		c["aws:VpcSourceIp"], c["aws:SourceVpc"], c["aws:SourceVpce"] = []string{"10.1.2.3"}, []string{"vpc-1"}, []string{"vpce-1"}
	}
	for _, t := range texts {
		if g.chance(55) {
			c[t.key] = []string{t.draw(g)}
		}
	}
	for _, key := range lists {
		if g.chance(70) {
			q.multi[key] = true
			c[key] = []string{}
			for range g.IntN(4) {
				c[key] = append(c[key], pick(g, "a", "b", "c", "ab", "A"))
			}
		}
	}
	return c
}

// lists are keys with several values, none included.
var lists = []string{"aws:TagKeys", "x:several"}

// texts are a service's keys with one value.
var texts = []struct {
	key  string
	draw func(g generator) string
}{
	{"s3:prefix", func(g generator) string { return pick(g, "ann", "a", "b", "home/ann", "Ann", "*", "жук", "") }},
	{"aws:PrincipalTag/team", func(g generator) string { return pick(g, "ann", "b*", "x", "2026") }},
	{"s3:max-keys", func(g generator) string { return g.number() }},
	{"x:n", func(g generator) string { return g.number() }},
	{"x:flag", func(g generator) string { return pick(g, "true", "false", "TRUE", "1", "no") }},
	{"x:blob", func(g generator) string { return pick(g, "QUJD", "ABC", "") }},
	{"x:when", func(g generator) string { return g.date() }},
	{"x:peer", func(g generator) string { return g.address() }},
	{"x:arn", func(g generator) string { return g.arnValue() }},
}

func (g generator) number() string {
	return pick(g, "0", "1", "-1", "10", "10.0", "1e1", "0x10", "Inf", "1.5", "9007199254740993", "9007199254740992", "5x", "+3", "-0", ".5")
}

// operandNumber is mostly one that a document may hold.
func (g generator) operandNumber() string {
	if g.chance(2) {
		return g.number()
	}
	return pick(g, "0", "1", "-1", "10", "10.0", "1e1", "1.5", "9007199254740993", "9007199254740992", "+3", "-0", ".5")
}

func (g generator) operandDate() string {
	if g.chance(2) {
		return g.date()
	}
	return pick(g, "2026-03-04T05:06:07Z", "2026-03-04T06:06:07+01:00", "2026-03-04", "2026-03", "2026", "1772600767", "2026-03-04T05:06Z", "2026-03-04T05:06:07.5Z", "0", "1772600767.5", "1772600768", "2026-03-05")
}

func (g generator) date() string {
	return pick(g, "2026-03-04T05:06:07Z", "2026-03-04T06:06:07+01:00", "2026-03-04", "2026-03", "2026", "1772600767", "2026-03-04T05:06Z", "2026-03-04T05:06:07.5Z", "soon", "0", "1772600767.5")
}

func (g generator) address() string {
	return pick(g, "203.0.113.7", "203.0.113.8", "10.1.2.3", "192.0.2.1", "2001:db8::1", "2001:db8:0:1::1", "::ffff:203.0.113.7", "::1", "0.0.0.0", "255.255.255.255")
}

func (g generator) network() string {
	return pick(g, "203.0.113.7", "203.0.113.0/24", "203.0.113.77/24", "10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1", "2001:0DB8:0:0:0:0:0:1",
		"::ffff:203.0.113.0/120", "::ffff:203.0.113.7", "203.0.113.7/32", "2001:db8::1/128", "128.0.0.0/1", "2001:DB8:0:1::/64", "2001:db8::/0")
}

func (g generator) arnValue() string {
	return pick(g, "arn:aws:s3:::b", "arn:aws:s3:::b/x", "arn:aws:s3:::a:b:b", "arn:aws:sagemaker:us-east-1:"+home+":labeling-job/j1", "arn:aws:sns:us-east-1:"+away+":t", "bucket", "arn:aws:s3", "arn:aws:s3:::b*")
}

func (g generator) arnPattern() string {
	return pick(g, "arn:aws:s3:::b", "arn:aws:s3:::b*", "arn:aws:s3:*:*:b", "arn:aws:s3:::*", "arn:aws:*:*:*:*", "arn:aws:sagemaker:*:"+home+":labeling-job/*", "arn:aws:sns:us-*:*:t", "arn:*:s3:::b/?",
		"arn:aws:s3:::${aws:PrincipalTag/team}", "arn:aws:iam::"+home+":user/*", "arn:aws:iam::"+home+":role/labeler", "arn:aws:iam::*:role/a/*", "arn:aws:s3:::${x:absent}", "arn:aws:s3:::a:*")
}

func (g generator) text() string {
	return pick(g, "a", "b", "ann", "a*", "?", "??", "home/*", "*", "${aws:username}", "home/${aws:username}", "${*}", "${x:absent}", "${x:absent, 'a'}", "${aws:TagKeys}", "ANN", "жук", "", "?ук", "${s3:prefix}", "a${$}", "true", "10", "${aws:PrincipalTag/team}")
}

// families are operators with the keys and values that suit them.
var families = []struct {
	operators []string
	keys      []string
	value     func(g generator) string
}{
	{[]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"},
		[]string{"s3:prefix", "aws:PrincipalTag/team", "aws:username", "aws:userid", "aws:PrincipalType", "aws:PrincipalAccount", "aws:SourceVpc", "x:absent"}, generator.text},
	{[]string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
		[]string{"s3:max-keys", "x:n", "aws:EpochTime"}, generator.operandNumber},
	{[]string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
		[]string{"aws:CurrentTime", "aws:EpochTime", "x:when", "aws:TokenIssueTime"}, generator.operandDate},
	{[]string{"Bool"}, []string{"aws:SecureTransport", "x:flag", "aws:ViaAWSService", "aws:MultiFactorAuthPresent"}, func(g generator) string { return pick(g, "true", "false", "TRUE", "False") }},
	{[]string{"BinaryEquals"}, []string{"x:blob"}, func(g generator) string { return pick(g, "QUJD", "QQ==", "") }},
	{[]string{"IpAddress", "NotIpAddress"}, []string{"aws:SourceIp", "aws:SourceIp", "aws:VpcSourceIp", "x:peer"}, generator.network},
	{[]string{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"}, []string{"x:arn", "aws:PrincipalArn"}, generator.arnPattern},
	{[]string{"Null"}, []string{"s3:prefix", "aws:SourceIp", "aws:TagKeys", "aws:username", "x:absent", "x:several"}, func(g generator) string { return pick(g, "true", "false") }},
}

// condition draws an operator, a key and operands. One in twenty keys is a list,
// which a set qualifier mostly goes with; one in ten has nothing to do with the
// operator, and any key may be spelled in another case.
func (g generator) condition(q *question) (op, key string, values []string) {
	f := families[pick(g, 0, 0, 0, 1, 2, 3, 4, 5, 5, 6, 7)]
	op, key, values = pick(g, f.operators...), pick(g, f.keys...), some(g, func() string { return f.value(g) })
	if f.operators[0] == "Null" {
		return op, key, values
	}
	several := g.chance(20) && (f.operators[0] == "StringEquals" || g.chance(20))
	if several {
		key = pick(g, lists...)
		if f.operators[0] == "StringEquals" {
			values = some(g, func() string { return pick(g, "a", "b", "c", "a*", "?", "${aws:username}") })
		}
	} else if g.chance(8) {
		other := families[g.IntN(len(families))]
		key = pick(g, other.keys...)
	}
	if several && g.chance(80) || g.chance(5) {
		op = pick(g, "ForAllValues:", "ForAnyValue:") + op
	}
	if g.chance(15) {
		op += "IfExists"
	}
	if g.chance(5) {
		key = pick(g, strings.ToLower, strings.ToUpper)(key)
	}
	return op, key, values
}

// value of a key, whatever the case it is written in.
func (q *question) value(key string) ([]string, bool) {
	for k, v := range q.context {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return nil, false
}

func (q *question) isList(key string) bool {
	for k := range q.multi {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}
