package sigv4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fiducial/internal/sigv4"
)

const (
	testID     = "AKIDTEST"
	testSecret = "a secret that only this test knows"
	testToken  = "token/with+signs=="
	testRegion = "eu-central-1"
)

func testKey(q *sigv4.Request) sigv4.SigningKey {
	return sigv4.DeriveKey(testSecret, q.Date, q.Region, q.Service)
}

// server verifies every request as the S3 endpoint does and remembers the last.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	path     string
	query    map[string]string
	body     []byte
	checksum sigv4.Checksum
	hash     string
	err      error
}

func newServer(t *testing.T, tls bool) *server {
	s := &server{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err = s.accept(r); s.err != nil {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	if tls {
		s.Server = httptest.NewTLSServer(h)
	} else {
		s.Server = httptest.NewServer(h)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *server) accept(r *http.Request) error {
	q, err := sigv4.Parse(r)
	if err != nil {
		return err
	}
	if q.AccessKeyID != testID || q.SessionToken != testToken {
		return fmt.Errorf("access key %q, token %q", q.AccessKeyID, q.SessionToken)
	}
	if err := q.CheckScope(testRegion, "s3"); err != nil {
		return err
	}
	key := testKey(q)
	if err := q.Verify(r, key, time.Now()); err != nil {
		return err
	}
	b, err := q.Body(r, key)
	if err != nil {
		return err
	}
	if s.body, err = io.ReadAll(b); err != nil {
		return err
	}
	s.checksum, _ = b.Checksum()
	s.path, s.query, s.hash = r.URL.Path, map[string]string{}, q.PayloadHash
	for k, v := range q.Query.All() {
		s.query[k] = v
	}
	return nil
}

func (s *server) client() *s3.Client {
	return s3.New(s3.Options{
		Region: testRegion, BaseEndpoint: aws.String(s.URL), UsePathStyle: true, HTTPClient: s.Client(), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: testToken}, nil
		}),
	})
}

var awkwardKeys = []string{"plain", "a b+c", "a//b", "ü/ሴ", "100%", "a%2Fb", "x=y&z", "semi;colon", "~tilde'(star*)!", "dot.", "#?", "\"quoted\"", "trailing/", "new\nline"}

// TestSDKRequests: what AWS's own client signs is accepted, whatever the key and
// the parameters, and what handlers read is what the client meant.
func TestSDKRequests(t *testing.T) {
	s := newServer(t, false)
	c := s.client()
	ctx := context.Background()
	for _, key := range awkwardKeys {
		if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key)}); err != nil {
			t.Fatalf("key %q: %v: %v", key, err, s.err)
		}
		if s.path != "/bucket/"+key {
			t.Errorf("key %q arrived as %q", key, s.path)
		}
		_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("bucket"), Prefix: aws.String(key), Delimiter: aws.String("/")})
		if s.err != nil {
			t.Fatalf("prefix %q: %v: %v", key, err, s.err)
		}
		if s.query["prefix"] != key || s.query["delimiter"] != "/" {
			t.Errorf("prefix %q arrived as %q", key, s.query)
		}
	}
}

func TestSDKUploads(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 9000) // over two of the client's chunks
	for _, tls := range []bool{false, true} {
		s := newServer(t, tls)
		c := s.client()
		for _, size := range []int{0, 1, len(body)} {
			for _, alg := range append(types.ChecksumAlgorithm("").Values(), "") {
				if alg != "" {
					if _, err := sigv4.ParseChecksumAlgorithm(string(alg)); err != nil {
						continue // newer than this package
					}
				}
				for _, seekable := range []bool{true, false} {
					var r io.Reader = bytes.NewReader(body[:size])
					if !seekable {
						if !tls {
							continue // the client refuses it itself
						}
						r = io.MultiReader(r)
					}
					_, err := c.PutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: r,
						ContentLength: aws.Int64(int64(size)), ChecksumAlgorithm: alg})
					name := fmt.Sprintf("tls %v, %d bytes, %q, seekable %v", tls, size, alg, seekable)
					if err != nil {
						t.Fatalf("%s: %v: %v", name, err, s.err)
					}
					if !bytes.Equal(s.body, body[:size]) {
						t.Errorf("%s: %d bytes arrived", name, len(s.body))
					}
					if alg != "" && string(s.checksum.Algorithm) != string(alg) {
						t.Errorf("%s (%s): checksum %v", name, s.hash, s.checksum)
					}
				}
			}
		}
	}
}

func TestSDKPresigned(t *testing.T) {
	s := newServer(t, false)
	p := s3.NewPresignClient(s.client())
	ctx := context.Background()
	do := func(method, url string, h http.Header, body string) {
		t.Helper()
		r, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range h {
			if k != "Host" {
				r.Header[k] = v
			}
		}
		res, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if s.err != nil {
			t.Fatalf("%s %s: %v", method, url, s.err)
		}
	}
	for _, key := range awkwardKeys {
		get, err := p.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key), ResponseContentType: aws.String("image/png; x=\"a b\"")})
		if err != nil {
			t.Fatal(err)
		}
		do(get.Method, get.URL, get.SignedHeader, "")
		if s.path != "/bucket/"+key || s.query["response-content-type"] != "image/png; x=\"a b\"" {
			t.Errorf("key %q arrived as %q, %q", key, s.path, s.query)
		}
	}
	put, err := p.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), ContentType: aws.String("image/png")})
	if err != nil {
		t.Fatal(err)
	}
	do(put.Method, put.URL, put.SignedHeader, "bytes")
	if string(s.body) != "bytes" {
		t.Errorf("%q arrived", s.body)
	}
}

// TestSDKSigner: other services encode the path twice.
func TestSDKSigner(t *testing.T) {
	signer := v4.NewSigner()
	creds := aws.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, target := range []string{"/", "/human-loops/a%20b", "/human-loops/a%2Fb?x=1&x=0", "/ü", "/a+b?Action=GetCallerIdentity&Version=2011-06-15"} {
		r := httptest.NewRequest("POST", "http://127.0.0.1:9000"+target, nil)
		r.Header.Set("X-Amz-Target", "SageMaker.CreateLabelingJob")
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		body := []byte(`{"LabelingJobName":"x"}`)
		sum := sha256.Sum256(body)
		if err := signer.SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), "sagemaker", testRegion, now); err != nil {
			t.Fatal(err)
		}
		q, err := sigv4.Parse(r)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		if err := q.VerifyBody(r, testKey(q), now, body); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// TestPresignAgainstSDK: our presigner makes the very URL that AWS's signer makes.
func TestPresignAgainstSDK(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, token := range []string{"", testToken} {
		for _, key := range awkwardKeys {
			e, err := sigv4.NewEndpoint("http://127.0.0.1:9000", testRegion)
			if err != nil {
				t.Fatal(err)
			}
			got := e.Presign("GET", "/bucket/"+key, sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: token}, now, 15*time.Minute)
			r, err := http.NewRequest("GET", got[:strings.IndexByte(got, '?')]+"?X-Amz-Expires=900", nil)
			if err != nil {
				t.Fatal(err)
			}
			want, _, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).PresignHTTP(context.Background(),
				aws.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: token}, r, sigv4.UnsignedPayload, "s3", testRegion, now)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("key %q\n got %s\nwant %s", key, got, want)
			}
		}
	}
}
