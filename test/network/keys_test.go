package network

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What a bucket policy can see of where a request came from. Each object opens
// by exactly one value of one key, or by a key's absence; so that a request's
// whole context is read off from which objects it opens.
func TestWhatPoliciesSee(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	values := map[string][]string{
		"aws:SourceIp":    {outside, inVPC, "10.1.0.7", "203.0.113.7", "2001:db8::7", "2001:db8:1::7", hop, proxy, balancer, "198.51.100.9"},
		"aws:VpcSourceIp": {outside, inVPC, "10.1.0.7", "203.0.113.7", "2001:db8:1::7", hop, proxy},
		"aws:SourceVpc":   {"vpc-0a", "vpc-0b"},
		"aws:SourceVpce":  {"vpce-0s3", "vpce-0portal", "vpce-0hop", "vpce-0b"},
	}
	type statement map[string]any
	var statements []statement
	var objects []string
	allow := func(key string, condition map[string]any) {
		statements = append(statements, statement{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::keys/" + key, "Condition": condition})
		objects = append(objects, key)
	}
	for _, key := range []string{"aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce"} {
		for _, v := range values[key] {
			op := "StringEquals"
			if strings.HasSuffix(key, "Ip") {
				op = "IpAddress"
			}
			allow(strings.ReplaceAll(key+"="+v, ":", "_"), map[string]any{op: map[string]string{key: v}})
		}
		allow(strings.ReplaceAll("no "+key, ":", "_"), map[string]any{"Null": map[string]string{key: "true"}})
	}
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	program := `
import boto3, sys, json
s3 = boto3.client("s3")
s3.create_bucket(Bucket="keys")
for key in json.loads(sys.argv[1]):
    s3.put_object(Bucket="keys", Key=key, Body=b"open")
s3.put_bucket_policy(Bucket="keys", Policy=sys.argv[2])
`
	list, err := json.Marshal(objects)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := w.Python(program, string(list), string(policy)); err != nil {
		t.Fatal(out, err)
	}

	public := func(addr string) []string {
		return []string{"aws:SourceIp=" + addr, "no aws:VpcSourceIp", "no aws:SourceVpc", "no aws:SourceVpce"}
	}
	through := func(addr, vpc, vpce string) []string {
		return []string{"no aws:SourceIp", "aws:VpcSourceIp=" + addr, "aws:SourceVpc=" + vpc, "aws:SourceVpce=" + vpce}
	}
	unknown := []string{"no aws:SourceIp", "no aws:VpcSourceIp", "no aws:SourceVpc", "no aws:SourceVpce"}
	xff := func(s string) map[string]string { return map[string]string{"X-Forwarded-For": s} }
	std := func(s string) map[string]string { return map[string]string{"Forwarded": s} }
	for _, c := range []struct {
		name string
		way  way
		want []string // nil: refused before S3
	}{
		{"public", way{from: outside}, public(outside)},
		{"public, with a header of its own", way{from: outside, header: xff(inVPC)}, public(outside)},
		{"public, from an address of the VPC", way{from: inVPC}, public(inVPC)},
		{"the endpoint's listener", way{from: inVPC, to: w.s3}, through(inVPC, "vpc-0a", "vpce-0s3")},
		{"the endpoint's listener, with a header", way{from: inVPC, to: w.s3, header: xff("10.1.0.7")}, through(inVPC, "vpc-0a", "vpce-0s3")},
		{"the endpoint's listener, through a trusted proxy", way{from: proxy, to: w.s3, header: xff("10.1.0.7")}, through("10.1.0.7", "vpc-0a", "vpce-0s3")},
		{"the endpoint's listener, from outside the VPC", way{from: outside, to: w.s3}, nil},
		{"a load balancer", way{from: balancer, to: w.proxyAPI, before: header2("203.0.113.7", "")}, public("203.0.113.7")},
		{"a load balancer, IPv6", way{from: balancer, to: w.proxyAPI, before: header2("2001:db8::7", "")}, public("2001:db8::7")},
		{"a load balancer, version 1", way{from: balancer, to: w.proxyAPI, before: []byte("PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n")}, public("203.0.113.7")},
		{"a load balancer, with a header of the client's", way{from: balancer, to: w.proxyAPI, before: header2("203.0.113.7", ""), header: xff("10.1.0.7")}, public("203.0.113.7")},
		{"a load balancer behind a trusted proxy", way{from: balancer, to: w.proxyAPI, before: header2(proxy, ""), header: xff("198.51.100.9")}, public("198.51.100.9")},
		{"PrivateLink", way{from: balancer, to: w.proxyAPI, before: header2("10.1.0.7", "vpce-0s3")}, through("10.1.0.7", "vpc-0a", "vpce-0s3")},
		{"PrivateLink, IPv6", way{from: balancer, to: w.proxyAPI, before: header2("2001:db8:1::7", "vpce-0hop")}, through("2001:db8:1::7", "vpc-0a", "vpce-0hop")},
		{"PrivateLink, a portal's endpoint", way{from: balancer, to: w.proxyAPI, before: header2("10.1.0.7", "vpce-0portal")}, nil},
		{"PrivateLink, an undeclared endpoint", way{from: balancer, to: w.proxyAPI, before: header2("10.1.0.7", "vpce-0unknown")}, nil},
		{"PrivateLink, an address of another VPC", way{from: balancer, to: w.proxyAPI, before: header2("10.2.0.7", "vpce-0s3")}, nil},
		{"a peer that is no load balancer", way{from: outside, to: w.proxyAPI, before: header2("10.1.0.7", "vpce-0s3")}, nil},
		{"a load balancer without a header", way{from: balancer, to: w.proxyAPI}, nil},
		{"a hop", way{from: hop, header: xff("10.1.0.7")}, through("10.1.0.7", "vpc-0a", "vpce-0hop")},
		{"a hop, RFC 7239", way{from: hop, header: std(`for="[2001:db8:1::7]:80"`)}, through("2001:db8:1::7", "vpc-0a", "vpce-0hop")},
		{"a hop behind a trusted proxy", way{from: proxy, header: xff("10.1.0.7, " + hop)}, through("10.1.0.7", "vpc-0a", "vpce-0hop")},
		{"a hop, for an address outside", way{from: hop, header: xff("203.0.113.7")}, nil},
		{"a hop that says nothing", way{from: hop}, nil},
		{"a hop with garbage", way{from: hop, header: xff("10.1.0.7,")}, nil},
		{"a trusted proxy", way{from: proxy, header: xff("203.0.113.7")}, public("203.0.113.7")},
		{"a trusted proxy with garbage", way{from: proxy, header: xff("203.0.113.7, x")}, unknown},
		{"a trusted proxy that says nothing", way{from: proxy}, unknown},
		{"a trusted proxy whose headers disagree", way{from: proxy, header: map[string]string{"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=10.1.0.7"}}, unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			refused := 0
			for _, key := range objects {
				switch status, body := c.way.get(t, w.API+"/keys/"+strings.ReplaceAll(key, " ", "%20")); {
				case status == 200 && body == "open":
					got = append(got, strings.Replace(key, "aws_", "aws:", 1))
				case status == 403 && strings.Contains(body, "<Code>AccessDenied</Code>"):
				case status == 0 || status == 403 && strings.HasPrefix(body, "Refused:"):
					refused++
				default:
					t.Fatalf("%s: %d %s", key, status, body)
				}
				if c.want == nil && refused == 0 {
					t.Fatalf("%s was not refused at the door", key)
				}
				if refused > 0 {
					break
				}
			}
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], "_", ":")
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(c.want))
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("policies see %v, want %v", got, want)
			}
		})
	}
}

// The public question's bucket: whoever does not come through the VPC is
// refused. With one endpoint instead of the VPC, so is everybody else in it.
func TestBucketForOneVPC(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws(t, "s3api", "create-bucket", "--bucket", "private")
	w.aws(t, "s3api", "put-object", "--bucket", "private", "--key", "picture")
	for _, c := range []struct {
		condition string
		want      [3]int // public, vpce-0s3, vpce-0hop
	}{
		{`{"StringNotEquals":{"aws:SourceVpc":"vpc-0a"}}`, [3]int{403, 200, 200}},
		{`{"StringNotEquals":{"aws:SourceVpce":"vpce-0hop"}}`, [3]int{403, 403, 200}},
		{`{"NotIpAddress":{"aws:VpcSourceIp":"127.1.0.0/24"}}`, [3]int{403, 200, 403}},
		{`{"NotIpAddress":{"aws:SourceIp":"127.0.0.0/24"}}`, [3]int{200, 403, 403}},
	} {
		w.aws(t, "s3api", "put-bucket-policy", "--bucket", "private", "--policy", `{"Version":"2012-10-17","Statement":[`+
			`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::private/*"},`+
			`{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::private/*","Condition":`+c.condition+`}]}`)
		for i, by := range []way{{from: outside}, {from: inVPC, to: w.s3}, {from: hop, header: map[string]string{"X-Forwarded-For": "10.1.0.7"}}} {
			if status, body := by.get(t, w.API+"/private/picture"); status != c.want[i] {
				t.Errorf("%s: way %d: %d %s, want %d", c.condition, i, status, body, c.want[i])
			}
		}
	}
}
