package s3api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fiducial/internal/iam"
	"fiducial/internal/objects"
	"fiducial/internal/s3api"
)

func local(e *endpoint) *objects.Call            { return objects.Local(e.iam.Root()) }
func localAs(c *iam.Caller) *objects.Call        { return objects.Local(c) }
func listOf(bucket string) objects.ListInput     { return objects.ListInput{Bucket: bucket, MaxKeys: 10} }
func doc(effect, action, resource string) string { return docIf(effect, action, resource, "{}") }

func docIf(effect, action, resource, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `","Condition":` + condition + `}]}`
}

// Every route leads to an operation of the table, and every operation has a route.
func TestRoutesCoverOperations(t *testing.T) {
	reached := map[int]bool{}
	seen := map[string]bool{}
	for _, r := range s3api.Routes() {
		name := r.Method + " " + string('0'+rune(r.Level)) + " " + r.Sub
		if r.Copy {
			name += " copy"
		}
		if seen[name] {
			t.Errorf("two routes for %s", name)
		}
		seen[name], reached[r.Operation] = true, true
	}
	for i, op := range objects.Operations() {
		if !reached[i] {
			t.Errorf("no route leads to %s", op.Name)
		}
	}
}

// A missing key is told only to those who may list the bucket.
func TestMissingKey(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "there", "x")
	ctx := context.Background()
	reader := e.user("reader", doc("Allow", "s3:GetObject", "arn:aws:s3:::media/*"))
	lister := e.user("lister", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::media","arn:aws:s3:::media/*"]}]}`)
	nobody := e.user("nobody", "")
	for _, c := range []struct {
		name   string
		client *s3.Client
		bucket string
		key    string
		want   string
	}{
		{"who may read and list: there", lister, "media", "there", ""},
		{"who may read and list: missing", lister, "media", "missing", "NoSuchKey"},
		{"who may read: there", reader, "media", "there", ""},
		{"who may read: missing", reader, "media", "missing", "AccessDenied"},
		{"who may nothing: there", nobody, "media", "there", "AccessDenied"},
		{"who may nothing: missing", nobody, "media", "missing", "AccessDenied"},
		{"no such bucket", reader, "absent", "k", "NoSuchBucket"},
	} {
		_, err := c.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &c.bucket, Key: &c.key})
		if got := code(err); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if code, _ := status(t, http.DefaultClient, "GET", e.url+"/media/there", nil); code != 403 {
		t.Errorf("unsigned: %d", code)
	}
}

// What policies may ask about an S3 request is what the request is.
func TestConditionKeys(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "a/x", "1", "b/y", "2")
	ctx := context.Background()
	list := func(c *s3.Client, in s3.ListObjectsV2Input) string {
		in.Bucket = aws.String("media")
		_, err := c.ListObjectsV2(ctx, &in)
		return code(err)
	}
	prefix := e.user("prefix", docIf("Allow", "s3:ListBucket", "arn:aws:s3:::media", `{"StringLike":{"s3:prefix":"a/*"},"NumericLessThanEquals":{"s3:max-keys":"10"}}`))
	for _, c := range []struct {
		name string
		in   s3.ListObjectsV2Input
		want string
	}{
		{"within", s3.ListObjectsV2Input{Prefix: aws.String("a/"), MaxKeys: aws.Int32(10)}, ""},
		{"too many", s3.ListObjectsV2Input{Prefix: aws.String("a/"), MaxKeys: aws.Int32(11)}, "AccessDenied"},
		{"another prefix", s3.ListObjectsV2Input{Prefix: aws.String("b/"), MaxKeys: aws.Int32(1)}, "AccessDenied"},
		{"no prefix", s3.ListObjectsV2Input{MaxKeys: aws.Int32(1)}, "AccessDenied"},
	} {
		if got := list(prefix, c.in); got != c.want {
			t.Errorf("s3:prefix, %s: %q", c.name, got)
		}
	}
	get := func(c *s3.Client, edit func(*http.Request)) string {
		_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("media"), Key: aws.String("a/x")}, func(o *s3.Options) {
			o.HTTPClient = editor{edit}
		})
		return code(err)
	}
	for _, c := range []struct {
		name, condition string
		edit            func(*http.Request)
		want            string
	}{
		{"source address", `{"IpAddress":{"aws:SourceIp":"127.0.0.1"}}`, nil, ""},
		{"another source address", `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, nil, "AccessDenied"},
		{"TLS", `{"Bool":{"aws:SecureTransport":"true"}}`, nil, "AccessDenied"},
		{"no TLS", `{"Bool":{"aws:SecureTransport":"false"}}`, nil, ""},
		{"referer", `{"StringLike":{"aws:Referer":"https://portal/*"}}`, func(r *http.Request) { r.Header.Set("Referer", "https://portal/x") }, ""},
		{"another referer", `{"StringLike":{"aws:Referer":"https://portal/*"}}`, func(r *http.Request) { r.Header.Set("Referer", "https://evil/") }, "AccessDenied"},
		{"how it was signed", `{"StringEquals":{"s3:authType":"REST-HEADER","s3:signatureversion":"AWS4-HMAC-SHA256"}}`, nil, ""},
		{"how it was not signed", `{"StringEquals":{"s3:authType":"REST-QUERY-STRING"}}`, nil, "AccessDenied"},
		{"a fresh signature", `{"NumericLessThan":{"s3:signatureAge":"60000"}}`, nil, ""},
		{"whose bucket", `{"StringEquals":{"s3:ResourceAccount":"` + account + `"}}`, nil, ""},
		{"no VPC endpoint", `{"StringLike":{"aws:SourceVpce":"vpce-*"}}`, nil, "AccessDenied"},
		{"no header is an address in a VPC", `{"IpAddress":{"aws:VpcSourceIp":"127.0.0.1"}}`, func(r *http.Request) { r.Header.Set("VpcSourceIp", "127.0.0.1") }, "AccessDenied"},
	} {
		u := e.user("u"+strings.ReplaceAll(c.name, " ", "-"), docIf("Allow", "s3:GetObject", "arn:aws:s3:::media/*", c.condition))
		if got := get(u, c.edit); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// editor changes a request after it was signed.
type editor struct{ edit func(*http.Request) }

func (d editor) Do(r *http.Request) (*http.Response, error) {
	if d.edit != nil {
		d.edit(r)
	}
	return http.DefaultClient.Do(r)
}

// A bucket policy opens a bucket to another user and closes it to the owner;
// the account's root user can always repair it.
func TestBucketPolicy(t *testing.T) {
	e := start(t, settings{})
	root := e.bucket("media", "k", "x")
	ctx := context.Background()
	u := e.user("u", "")
	get := func(c *s3.Client) string {
		_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("media"), Key: aws.String("k")})
		return code(err)
	}
	put := func(c *s3.Client, policy string) string {
		_, err := c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("media"), Policy: &policy})
		return code(err)
	}
	if got := get(u); got != "AccessDenied" {
		t.Errorf("before: %s", got)
	}
	_, err := root.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String("media")})
	if got := code(err); got != "NoSuchBucketPolicy" {
		t.Errorf("no policy: %s", got)
	}
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:user/u"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"}]}`
	if got := put(root, open); got != "" {
		t.Fatal(got)
	}
	if got := get(u); got != "" {
		t.Errorf("opened: %s", got)
	}
	out, err := root.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String("media")})
	if err != nil || *out.Policy != open {
		t.Errorf("the policy came back as %v %v", out, err)
	}
	if got := put(root, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::media","arn:aws:s3:::media/*"]}]}`); got != "" {
		t.Fatal(got)
	}
	if got := get(root); got != "AccessDenied" {
		t.Errorf("closed to everybody: %q", got)
	}
	_, err = root.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String("media")})
	check(t, err)
	if got := get(root); got != "" {
		t.Errorf("repaired: %s", got)
	}
	for name, policy := range map[string]string{
		"not JSON":         `{`,
		"another bucket":   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}]}`,
		"a longer bucket":  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::media2/*"}]}`,
		"another service":  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"iam:GetUser","Resource":"arn:aws:s3:::media/*"}]}`,
		"no principal":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"}]}`,
		"unknown operator": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*","Condition":{"IpIsh":{"aws:SourceIp":"1.2.3.4"}}}]}`,
	} {
		if got := put(root, policy); got != "MalformedPolicy" {
			t.Errorf("%s: %q", name, got)
		}
	}
	admin := e.user("admin", doc("Allow", "s3:*", "*"))
	if got := put(admin, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutBucketPolicy","Resource":"arn:aws:s3:::media"}]}`); got != "AccessDenied" {
		t.Errorf("locking oneself out: %q", got)
	}
}

// Each decision is one record, written before bytes leave, and says who, what,
// from where, and which statement decided.
func TestRecords(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "k", "12345")
	ctx := context.Background()
	u := e.user("u", `{"Version":"2012-10-17","Statement":[{"Sid":"Reading","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/k"}]}`)
	before := len(e.records())
	_, err := u.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("media"), Key: aws.String("k"), Range: aws.String("bytes=1-2")})
	check(t, err)
	_, err = u.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("media"), Key: aws.String("k")})
	if code(err) != "AccessDenied" {
		t.Error(err)
	}
	url := e.grant("k", "127.0.0.1", time.Now(), time.Minute)
	status(t, http.DefaultClient, "GET", url[:len(url)-1]+"x", nil)
	got := e.records()[before:]
	if len(got) != 3 {
		t.Fatalf("%d records: %v", len(got), got)
	}
	has := func(i int, want map[string]any) {
		t.Helper()
		for k, v := range want {
			if got[i][k] != v {
				t.Errorf("record %d: %s is %v, want %v", i, k, got[i][k], v)
			}
		}
	}
	has(0, map[string]any{"verdict": "allow", "action": "s3:GetObject", "resource": "arn:aws:s3:::media/k", "origin": "127.0.0.1", "principal": "arn:aws:iam::" + account + ":user/u", "status": 206.0, "size": 2.0, "method": "GET"})
	if s, _ := got[0]["statement"].(string); !strings.Contains(s, "Reading") {
		t.Errorf("the statement is %q", s)
	}
	has(1, map[string]any{"verdict": "deny", "action": "s3:DeleteObject", "error": "AccessDenied"})
	has(2, map[string]any{"verdict": "deny", "error": "SignatureDoesNotMatch", "status": 403.0, "origin": "127.0.0.1"})
}
