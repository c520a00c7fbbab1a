package attack

import (
	"context"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"fiducial/internal/sigv4"
)

// presign is a URL for the picture's path that eve signs with her own key.
func (s *scene) presign(path, region, token string, t time.Time, life time.Duration) *request {
	e, err := sigv4.NewEndpoint("http://127.0.0.1:"+s.port, region)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.open(e.Presign("GET", path, sigv4.Credentials{AccessKeyID: s.eve.key, SecretAccessKey: s.eve.secret, SessionToken: token}, t, life))
}

// sign is a request that eve signs in its headers.
func (s *scene) sign(method, target, service, region string, t time.Time, header map[string]string) *request {
	r, err := http.NewRequest(method, "http://127.0.0.1:"+s.port+target, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: s.eve.key, SecretAccessKey: s.eve.secret}, r, "UNSIGNED-PAYLOAD", service, region, t); err != nil {
		s.t.Fatal(err)
	}
	out := &request{method: method, target: target, host: r.URL.Host, proto: "HTTP/1.1"}
	for k := range r.Header {
		out.header = append(out.header, k+": "+r.Header.Get(k))
	}
	sort.Strings(out.header)
	return out
}

func (s *scene) picture() string {
	u, err := url.Parse(s.media)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.Path
}

// owners: somebody else of the account, with a good access key and rights on a
// bucket of her own. Her signatures are good; it is rights that she lacks.
func owners() []attack {
	noRight := refusal{error: "AccessDenied", reason: "no statement of the caller's policies"}
	now := time.Now
	return []attack{
		{"a presigned URL of her own", func(s *scene) *request { return s.presign(s.picture(), "us-east-1", "", now(), time.Hour) }, noRight},
		{"a signed request of her own", func(s *scene) *request { return s.sign("GET", s.picture(), "s3", "us-east-1", now(), nil) }, noRight},
		{"her own, from the worker's address, with a range", func(s *scene) *request {
			return s.sign("GET", s.picture(), "s3", "us-east-1", now(), map[string]string{"Range": "bytes=0-9"})
		}, noRight},
		{"a copy of the picture into her bucket", func(s *scene) *request {
			return s.sign("PUT", "/eves/stolen.jpg", "s3", "us-east-1", now(), map[string]string{"X-Amz-Copy-Source": s.picture()})
		}, refusal{error: "AccessDenied"}},
		{"a list of the bucket", func(s *scene) *request { return s.sign("GET", "/input?list-type=2", "s3", "us-east-1", now(), nil) }, noRight},
		{"the bucket's policy", func(s *scene) *request { return s.sign("GET", "/input?policy=", "s3", "us-east-1", now(), nil) }, refusal{}},
		{"her key with the worker's token", func(s *scene) *request {
			return s.presign(s.picture(), "us-east-1", s.token(), now(), time.Hour)
		}, badToken},
		{"the worker's key id and token over her signature", func(s *scene) *request {
			r := s.presign(s.picture(), "us-east-1", s.token(), now(), time.Hour)
			r.target = strings.Replace(r.target, "Credential="+s.eve.key, "Credential="+strings.Split(s.param("X-Amz-Credential"), "%2F")[0], 1)
			return r
		}, mismatch},
		{"her URL, not yet valid", func(s *scene) *request {
			return s.presign(s.picture(), "us-east-1", "", now().Add(20*time.Minute), time.Hour)
		}, refusal{error: "AccessDenied", reason: "not yet valid"}},
		{"her URL, expired", func(s *scene) *request {
			return s.presign(s.picture(), "us-east-1", "", now().Add(-2*time.Hour), time.Hour)
		}, refusal{error: "AccessDenied", reason: "expired"}},
		{"her URL for another region", func(s *scene) *request { return s.presign(s.picture(), "eu-west-1", "", now(), time.Hour) }, badQuery},
		{"her request for another service", func(s *scene) *request { return s.sign("GET", s.picture(), "iam", "us-east-1", now(), nil) }, refusal{status: []int{400, 403, 404}}},
		{"her request for another region", func(s *scene) *request { return s.sign("GET", s.picture(), "s3", "eu-west-1", now(), nil) }, refusal{status: []int{400, 403}}},
		{"her request of an hour ago", func(s *scene) *request {
			return s.sign("GET", s.picture(), "s3", "us-east-1", now().Add(-time.Hour), nil)
		}, refusal{error: "RequestTimeTooSkewed"}},
		{"her request beside the worker's query", func(s *scene) *request {
			r := s.sign("GET", s.picture(), "s3", "us-east-1", now(), nil)
			r.target = s.get().target
			return r
		}, refusal{error: "InvalidArgument"}},
		{"a session of the job's role by AssumeRole", func(s *scene) *request {
			return s.sign("GET", "/?Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2FGroundTruthExecution&RoleSessionName=eve&Version=2011-06-15", "sts", "us-east-1", now(), nil)
		}, refusal{status: []int{403, 405}}},
	}
}

func (s *scene) token() string {
	v, err := url.QueryUnescape(s.param("X-Amz-Security-Token"))
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}
