package s3api_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fiducial/internal/audit"
	"fiducial/internal/blob/disk"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/kms"
	"fiducial/internal/objects"
	"fiducial/internal/origin"
	"fiducial/internal/s3api"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

const (
	account    = "000000000000"
	region     = "us-east-1"
	rootKey    = "AKIAROOTROOTROOTROOT"
	rootSecret = "root-secret-of-the-tests"
)

// recorder is a record whose disk can be made to fail.
type recorder struct {
	audit.Recorder
	full atomic.Bool
}

func (r *recorder) Record(ctx context.Context, e *audit.Event) error {
	if r.full.Load() {
		return fault.E("test", fault.Unavailable, "the audit record could not be written", nil)
	}
	return r.Recorder.Record(ctx, e)
}

// endpoint is an S3 endpoint on a real listener with real parts.
type endpoint struct {
	t       testing.TB
	url     string
	iam     *iam.Service
	objects *objects.Service
	kms     *kms.Service
	dir     string
	record  *recorder
}

// settings of an endpoint.
type settings struct {
	rows        int // of the cache; 0 for 1000, negative for none
	domain      string
	trusted     []string
	revocations objects.Revocations
	now         func() time.Time
	keyNow      func() time.Time // of the KMS alone
}

func start(t testing.TB, set settings) *endpoint {
	t.Helper()
	e := &endpoint{t: t, dir: t.TempDir()}
	if set.now == nil {
		set.now = time.Now
	}
	if set.keyNow == nil {
		set.keyNow = set.now
	}
	if set.rows == 0 {
		set.rows = 1000
	}
	db := storetest.SQLite(t)
	keys, err := envelope.New()
	check(t, err)
	e.iam, err = iam.New(iam.Options{
		Account: account, Store: store.NewIAM(db), Keys: keys, RootAccessKeyID: rootKey, RootSecret: iam.NewSecret(rootSecret), Now: set.now, Rand: rand.Reader,
	})
	check(t, err)
	blobs, err := disk.Open(filepath.Join(e.dir, "objects"), set.now, rand.Reader)
	check(t, err)
	master, err := envelope.NewWrapping()
	check(t, err)
	e.kms = kms.New(kms.Options{Store: store.NewKMS(db), IAM: e.iam, Master: master, Region: region, Account: account, Alone: true, Now: set.keyNow, Rand: rand.Reader})
	record, err := audit.OpenFile(filepath.Join(e.dir, "audit"), set.now)
	check(t, err)
	t.Cleanup(func() { _ = record.Close() })
	e.record = &recorder{Recorder: record}
	e.objects = objects.New(objects.Options{
		Store: store.NewObjects(db), Blobs: blobs, IAM: e.iam, Audit: e.record, Revocations: set.revocations,
		Region: region, Account: account, Now: set.now, Rand: rand.Reader, CacheRows: max(set.rows, 0),
		Own: keys, Keys: objectKeys{e.kms.Via("s3")},
	})
	h := s3api.New(s3api.Options{Objects: e.objects, IAM: e.iam, Audit: e.record, Domain: set.domain, Now: set.now, Rand: rand.Reader})
	resolver, err := origin.NewResolver(set.trusted)
	check(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := resolver.Resolve(r.RemoteAddr, r.TLS != nil, r.Header)
		h.ServeHTTP(w, r.WithContext(origin.With(r.Context(), o)))
	}), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	e.url = "http://" + l.Addr().String()
	return e
}

// objectKeys lets S3 use the keys of the KMS.
type objectKeys struct{ via *kms.Via }

func (k objectKeys) GenerateDataKey(ctx context.Context, call *objects.Call, keyID string, ec map[string]string) (objects.DataKey, error) {
	d, err := k.via.GenerateDataKey(ctx, call.Caller, keyID, ec)
	return objects.DataKey{KeyARN: d.KeyARN, Plaintext: d.Plaintext, Sealed: d.Ciphertext}, err
}

func (k objectKeys) Decrypt(ctx context.Context, call *objects.Call, sealed []byte, ec map[string]string) (envelope.Secret, error) {
	d, err := k.via.Decrypt(ctx, call.Caller, sealed, ec)
	return d.Plaintext, err
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client is AWS's own client with the given credentials.
func (e *endpoint) client(key, secret, token string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(e.url), Region: region, UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token),
	})
}

func (e *endpoint) root() *s3.Client { return e.client(rootKey, rootSecret, "") }

// user makes an IAM user with one inline policy.
func (e *endpoint) user(name, policy string) *s3.Client {
	e.t.Helper()
	ctx := context.Background()
	_, err := e.iam.CreateUser(ctx, iam.NewUser{Name: name})
	check(e.t, err)
	if policy != "" {
		check(e.t, e.iam.PutPolicy(ctx, iam.Owner{Kind: iam.OfUser, Name: name}, iam.InlinePolicy{Name: "p", Document: policy}))
	}
	k, secret, err := e.iam.CreateAccessKey(ctx, name)
	check(e.t, err)
	return e.client(k.ID, secret.Reveal(), "")
}

// bucket makes a bucket with objects, key and content in turn.
func (e *endpoint) bucket(name string, pairs ...string) *s3.Client {
	e.t.Helper()
	c := e.root()
	_, err := c.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &name})
	check(e.t, err)
	for i := 0; i < len(pairs); i += 2 {
		check(e.t, e.objects.Put(context.Background(), e.iam.Root(), name, pairs[i], "text/plain", stringReader(pairs[i+1])))
	}
	return c
}

// records reads the audit record.
func (e *endpoint) records() []map[string]any {
	e.t.Helper()
	files, err := filepath.Glob(filepath.Join(e.dir, "audit", "*.jsonl"))
	check(e.t, err)
	var out []map[string]any
	for _, f := range files {
		file, err := os.Open(f)
		check(e.t, err)
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			var m map[string]any
			check(e.t, json.Unmarshal(lines.Bytes(), &m))
			out = append(out, m)
		}
		_ = file.Close()
	}
	return out
}
