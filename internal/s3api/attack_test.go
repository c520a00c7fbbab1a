package s3api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/sigv4"
)

// grant makes a media URL as the portal does: a session of a role, limited to
// one object and one address, signed for a GET.
func (e *endpoint) grant(key, address string, made time.Time, life time.Duration) string {
	e.t.Helper()
	ctx := context.Background()
	if _, err := e.iam.Role(ctx, "labeler"); err != nil {
		_, err := e.iam.CreateRole(ctx, iam.NewRole{Name: "labeler", TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
		check(e.t, err)
		check(e.t, e.iam.PutPolicy(ctx, iam.Owner{Kind: iam.OfRole, Name: "labeler"}, iam.InlinePolicy{Name: "all", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`}))
	}
	c, _, err := e.iam.AssumeRoleForService(ctx, iam.ServiceSession{
		RoleARN: "arn:aws:iam::" + account + ":role/labeler", SessionName: "worker", Duration: time.Hour,
		Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/` + key + `","Condition":{"IpAddress":{"aws:SourceIp":"` + address + `"}}}]}`,
		Grant:  identity.Grant{ID: "grant-1", Worker: "w", Job: "j", Team: "t", Assignment: "a", SignIn: "s"},
	})
	check(e.t, err)
	ep, err := sigv4.NewEndpoint(e.url, region)
	check(e.t, err)
	return ep.Presign("GET", "/media/"+key, sigv4.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), SessionToken: c.SessionToken}, made, life)
}

// from is a client whose connections come from the address.
func from(address string) *http.Client {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
}

func status(t *testing.T, c *http.Client, method, url string, header http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	check(t, err)
	for k, v := range header {
		req.Header[k] = v
	}
	res, err := c.Do(req)
	check(t, err)
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// A granted URL opens one object, from one address, for a while, and nothing
// else does. This table is the promise that the project is about.
func TestGrantedURL(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "cat.jpg", "meow", "dog.jpg", "woof")
	e.bucket("other", "cat.jpg", "hiss")
	url := e.grant("cat.jpg", "127.0.0.1", time.Now(), time.Minute)
	here, elsewhere := from("127.0.0.1"), from("127.0.0.2")

	if code, body := status(t, here, "GET", url, nil); code != 200 || body != "meow" {
		t.Fatalf("where it was made: %d %s", code, body)
	}
	forbidden := func(name string, c *http.Client, method, url string, h http.Header) {
		t.Helper()
		code, body := status(t, c, method, url, h)
		if code != 403 || strings.Contains(body, "meow") || strings.Contains(body, "woof") || strings.Contains(body, "hiss") {
			t.Errorf("%s: %d %.200s", name, code, body)
		}
	}
	forbidden("from another address", elsewhere, "GET", url, nil)
	// Once more from here: what a stranger tried must not have been remembered.
	if code, _ := status(t, here, "GET", url, nil); code != 200 {
		t.Errorf("afterwards, where it was made: %d", code)
	}
	for _, name := range []string{
		"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "Sourceip", "X-Amz-Source-Ip", "Cf-Connecting-Ip", "X-Client-Ip",
		"Client-Ip", "X-Cluster-Client-Ip", "X-Original-Forwarded-For", "X-Envoy-External-Address", "Fastly-Client-Ip", "Aws-Sourceip", "Aws:Sourceip", "X-Sourceip", "Via",
	} {
		for _, spelling := range []string{name, strings.ToLower(name), strings.ToUpper(name), strings.ReplaceAll(name, "-", "_"), "SourceIp", "sourceIp"} {
			for _, value := range []string{"127.0.0.1", "for=127.0.0.1", `for="127.0.0.1:1234"`, "127.0.0.1, 127.0.0.2", "::ffff:127.0.0.1"} {
				if strings.Contains(spelling, ":") {
					continue // no header can be spelled so
				}
				forbidden("from another address with "+spelling+": "+value, elsewhere, "GET", url, http.Header{spelling: {value}})
			}
		}
	}
	forbidden("another key", here, "GET", strings.Replace(url, "cat.jpg", "dog.jpg", 1), nil)
	forbidden("another bucket", here, "GET", strings.Replace(url, "/media/", "/other/", 1), nil)
	forbidden("a key below", here, "GET", strings.Replace(url, "cat.jpg", "cat.jpg/x", 1), nil)
	forbidden("the bucket", here, "GET", strings.Replace(url, "/cat.jpg", "", 1), nil)
	forbidden("without a query", here, "GET", url[:strings.Index(url, "?")], nil)
	for _, m := range []string{"PUT", "POST", "DELETE", "HEAD", "PATCH"} {
		forbidden("method "+m, here, m, url, nil)
	}
	for _, extra := range []string{"&acl", "&versionId=null", "&response-content-type=text/html", "&uploadId=1", "&X-Amz-Expires=600000", "&x-amz-expires=600000", "&a=b", "&"} {
		forbidden("with "+extra, here, "GET", url+extra, nil)
	}
	for _, h := range []http.Header{{"X-Amz-Security-Token": {"x"}}, {"X-Amz-Acl": {"private"}}, {"Authorization": {"AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00"}}, {"X-Amz-Copy-Source": {"/media/dog.jpg"}}} {
		forbidden("with another header", here, "GET", url, h)
	}
	req, err := http.NewRequest("GET", url, nil)
	check(t, err)
	req.Host = "localhost" + req.URL.Host[strings.LastIndexByte(req.URL.Host, ':'):]
	res, err := here.Do(req)
	check(t, err)
	_ = res.Body.Close()
	if res.StatusCode != 403 {
		t.Errorf("another host: %d", res.StatusCode)
	}
}

// Every byte of the query counts: whatever one is changed into, the URL is dead.
// A request that is sent with the byte as it was stays alive in between, so that
// a remembered verification cannot hide a hole.
func TestGrantedURLEveryByte(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "cat.jpg", "meow")
	url := e.grant("cat.jpg", "127.0.0.1", time.Now(), time.Minute)
	c := &http.Client{}
	at := strings.IndexByte(url, '?') + 1
	n := 0
	for i := at; i < len(url); i++ {
		for _, b := range []byte{url[i] ^ 1, url[i] ^ 0x20, '%', '&', '=', '+', 'A', '0'} {
			if b == url[i] || b <= ' ' || b == '#' || b >= 0x7f {
				continue
			}
			changed := url[:i] + string(b) + url[i+1:]
			req, err := http.NewRequest("GET", changed, nil)
			if err != nil {
				continue // nothing that a client could send
			}
			res, err := c.Do(req)
			check(t, err)
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			n++
			if res.StatusCode != 403 || strings.Contains(string(body), "meow") {
				t.Errorf("byte %d (%q for %q): %d %.150s", i, b, url[i], res.StatusCode, body)
			}
		}
		if code, _ := status(t, c, "GET", url, nil); code != 200 {
			t.Fatalf("the URL itself after byte %d: %d", i, code)
		}
	}
	for i := at; i < len(url); i++ {
		if code, body := status(t, c, "GET", url[:i]+url[i+1:], nil); code != 403 {
			t.Errorf("without byte %d: %d %.150s", i, code, body)
		}
	}
	if n < 2000 {
		t.Errorf("only %d changes were tried", n)
	}
}

// A URL dies at its end, to the second, also when it was in use until then.
func TestGrantedURLExpires(t *testing.T) {
	var offset atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	e := start(t, settings{now: now})
	e.bucket("media", "cat.jpg", "meow")
	url := e.grant("cat.jpg", "127.0.0.1", time.Now(), time.Minute)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 200}, {50 * time.Second, 200}, {61 * time.Second, 403}, {2 * time.Hour, 403}, {-20 * time.Minute, 403}, {0, 200}} {
		offset.Store(int64(c.after))
		if code, body := status(t, http.DefaultClient, "GET", url, nil); code != c.want {
			t.Errorf("after %v: %d %.150s", c.after, code, body)
		}
	}
}

// A hop that the configuration trusts speaks for the client; nobody else does.
func TestGrantedURLThroughTrustedProxy(t *testing.T) {
	e := start(t, settings{trusted: []string{"127.0.0.2"}})
	e.bucket("media", "cat.jpg", "meow")
	url := e.grant("cat.jpg", "127.0.0.1", time.Now(), time.Minute)
	proxy, stranger := from("127.0.0.2"), from("127.0.0.3")
	for _, c := range []struct {
		name   string
		client *http.Client
		header http.Header
		want   int
	}{
		{"the hop reports the client", proxy, http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 200},
		{"the hop reports another client", proxy, http.Header{"X-Forwarded-For": {"127.0.0.9"}}, 403},
		{"the client puts itself before the hop's entry", proxy, http.Header{"X-Forwarded-For": {"127.0.0.1, 127.0.0.9"}}, 403},
		{"the hop itself", proxy, nil, 403},
		{"a stranger reports", stranger, http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 403},
	} {
		if code, body := status(t, c.client, "GET", url, c.header); code != c.want {
			t.Errorf("%s: %d %.150s", c.name, code, body)
		}
	}
}

type revocations struct{ ended atomic.Bool }

func (r *revocations) Check(p *identity.Principal) error {
	if r.ended.Load() && p.Grant.ID == "grant-1" {
		return fault.Newf("test", fault.Denied, "the assignment has ended")
	}
	return nil
}

// A grant that was ended is refused at the next use, the reason is on record,
// and the answer does not tell it.
func TestGrantedURLRevoked(t *testing.T) {
	var r revocations
	e := start(t, settings{revocations: &r})
	e.bucket("media", "cat.jpg", "meow")
	url := e.grant("cat.jpg", "127.0.0.1", time.Now(), time.Minute)
	if code, _ := status(t, http.DefaultClient, "GET", url, nil); code != 200 {
		t.Fatalf("before: %d", code)
	}
	r.ended.Store(true)
	code, body := status(t, http.DefaultClient, "GET", url, nil)
	if code != 403 || strings.Contains(body, "assignment") {
		t.Errorf("after: %d %s", code, body)
	}
	last := e.records()
	m := last[len(last)-1]
	if m["verdict"] != "deny" || m["reason"] != "the assignment has ended" || m["grant"] != "grant-1" || m["worker"] != "w" || m["origin"] != "127.0.0.1" {
		t.Errorf("record: %v", m)
	}
}

// Not even a bucket that is open to everybody loosens a grant, and a session
// made for a media URL can do nothing but read an object.
func TestGrantSessionIsOnlyForMedia(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "cat.jpg", "meow")
	check(t, e.objects.PutBucketPolicy(context.Background(), local(e), "media", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::media","arn:aws:s3:::media/*"]}]}`), true))
	ctx := context.Background()
	e.grant("cat.jpg", "127.0.0.1", time.Now(), time.Minute) // makes the role
	_, caller, err := e.iam.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: "arn:aws:iam::" + account + ":role/labeler", SessionName: "w", Duration: time.Hour,
		Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, Grant: identity.Grant{ID: "g"}})
	check(t, err)
	if rc, _, err := e.objects.Get(ctx, caller, "media", "cat.jpg"); err != nil {
		t.Errorf("get: %v", err)
	} else {
		_ = rc.Close()
	}
	if err := e.objects.Put(ctx, caller, "media", "x", "", strings.NewReader("x")); fault.CodeOf(err) != "AccessDenied" {
		t.Errorf("put: %v", err)
	}
	if _, err := e.objects.ListObjectsV2(ctx, localAs(caller), listOf("media")); fault.CodeOf(err) != "AccessDenied" {
		t.Errorf("list: %v", err)
	}
	if err := e.objects.DeleteBucket(ctx, localAs(caller), "media"); fault.CodeOf(err) != "AccessDenied" {
		t.Errorf("delete bucket: %v", err)
	}
}
