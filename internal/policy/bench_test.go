package policy

import (
	"net/netip"
	"testing"
	"time"
)

// typical is a media GET: a role for labelling, a session policy for one
// object and one address, and a bucket policy that insists on TLS.
func typical(t testing.TB) (Policies, *Request) {
	p := Policies{
		Identity: []*Document{must(t, Identity, `{"Version":"2012-10-17","Statement":[
			{"Sid":"Bucket","Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::photos"},
			{"Sid":"Objects","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:AbortMultipartUpload"],"Resource":["arn:aws:s3:::photos/*","arn:aws:s3:::labels/*"]}]}`)},
		Session: must(t, Session, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/cats/one.jpg",
			"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.7/32"}}}]}`),
		HasSession: true,
		Resource: must(t, Resource, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::photos","arn:aws:s3:::photos/*"],
			"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`),
		ResourceAccount: account,
	}
	return p, get(session("labeler", "task-1"), Context{
		Time: time.Unix(1772600767, 0), SourceIP: netip.MustParseAddr("203.0.113.7"), SecureTransport: true,
		Keys: []Key{{Name: "s3:signatureAge", Value: "1200"}, {Name: "s3:authType", Value: "REST-QUERY-STRING"}},
	})
}

// TestAuthorizeDoesNotAllocate holds the request path to no garbage.
func TestAuthorizeDoesNotAllocate(t *testing.T) {
	p, req := typical(t)
	if d := Authorize(p, req); !d.Allowed() {
		t.Fatal(d.Reason)
	}
	if n := testing.AllocsPerRun(100, func() { Authorize(p, req) }); n != 0 {
		t.Errorf("%v allocations per decision, want none", n)
	}
}

func BenchmarkAuthorize(b *testing.B) {
	p, req := typical(b)
	b.ReportAllocs()
	for b.Loop() {
		if !Authorize(p, req).Allowed() {
			b.Fatal("not allowed")
		}
	}
}

func BenchmarkParseSession(b *testing.B) {
	doc := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/cats/one.jpg","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.7/32"}}}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(doc, Session); err != nil {
			b.Fatal(err)
		}
	}
}
