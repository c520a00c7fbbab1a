package external

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fiducial/internal/blob"
	"fiducial/internal/blob/blobtest"
	s3blob "fiducial/internal/blob/s3"
	"fiducial/internal/external"
	"fiducial/internal/fault"
	"fiducial/internal/objects"
	"fiducial/test/boot"
)

// at opens what the settings of a file name, in this process.
func at(t *testing.T, file string, env []string, bucket string) *external.Store {
	t.Helper()
	var set external.Settings
	if err := set.Set(file); err != nil {
		t.Fatal(err)
	}
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	svc, err := external.New(t.Context(), external.Options{Settings: set, Account: "000000000000", Now: time.Now, Lookup: func(name string) (string, bool) {
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v, true
			}
		}
		return "", false
	}})
	if err != nil {
		t.Fatal(err)
	}
	st, ok := svc.For(bucket)
	if !ok {
		t.Fatalf("no setting names %s", bucket)
	}
	return st
}

// The bytes of embedded buckets in a bucket of another store: the suite that
// every blob.Store passes, against a real endpoint.
func TestBlobsInABucket(t *testing.T) {
	t.Parallel()
	store := boot.Start(t, boot.Options{})
	boot.Must(t)(store.AWS("s3api", "create-bucket", "--bucket", "input"))
	client := at(t, bucketsAt(t, "s3", store.API, ""), []string{"STORE_KEY=" + boot.AccessKeyID, "STORE_SECRET=" + boot.SecretAccessKey}, "input").Client()
	blobsConform(t, client)
}

func blobsConform(t *testing.T, client *s3.Client) {
	var n atomic.Int64
	open := func(grace time.Duration) *s3blob.Store {
		return s3blob.New(s3blob.Options{Client: client, Bucket: "input", Prefix: fmt.Sprintf("blobs-%d/", n.Add(1)), Now: time.Now, Rand: rand.Reader, Grace: grace})
	}
	blobtest.Run(t, func(*testing.T) blob.Store { return open(0) })

	t.Run("larger than a part", func(t *testing.T) {
		s := open(0)
		want := make([]byte, 20<<20+12345)
		_, _ = rand.Read(want)
		id := blobtest.Put(t, s, want)
		if !bytes.Equal(blobtest.Get(t, s, id), want) {
			t.Fatal("not what was written")
		}
		b, err := s.Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for _, off := range []int64{0, 1<<20 - 7, 8<<20 - 1, 20 << 20, int64(len(want)) - 5} {
			p := make([]byte, min(100, int64(len(want))-off))
			if _, err := b.ReadAt(p, off); err != nil || !bytes.Equal(p, want[off:off+int64(len(p))]) {
				t.Errorf("at %d: %v", off, err)
			}
		}
	})
	t.Run("an upload that is given up leaves nothing", func(t *testing.T) {
		s := open(0)
		w, err := s.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 9<<20)); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		bucket := "input"
		out, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err == nil && len(out.Uploads) != 0 {
			t.Errorf("%d uploads are left", len(out.Uploads))
		}
	})
	t.Run("bytes go after the time of grace", func(t *testing.T) {
		s := open(time.Millisecond)
		id := blobtest.Put(t, s, []byte("x"))
		if err := s.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
		if err := s.List(t.Context(), func(blob.ID, int64, time.Time) error { t.Error("it is listed"); return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Stat(t.Context(), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("stat: %v", err)
		}
	})
}

// A server whose objects' bytes are in a bucket of another store; nobody reaches
// that bucket through it.
func TestServerWithItsBytesElsewhere(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{})
	file := bucketsAt(t, "s3", store.API, storeRole)
	s := boot.Start(t, boot.Options{Args: []string{"--external-buckets", file, "--blobs-bucket", "s3://output/fiducial/bytes"}, Env: env})
	boot.Must(t)(s.AWS("s3api", "create-bucket", "--bucket", "mine"))
	body := filepath.Join(t.TempDir(), "body")
	want := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // 3.2 MB
	if err := os.WriteFile(body, want, 0o600); err != nil {
		t.Fatal(err)
	}
	boot.Must(t)(s.AWS("s3", "cp", body, "s3://mine/k"))
	if got := boot.Must(t)(s.AWS("s3", "cp", "s3://mine/k", "-")); got != string(want) {
		t.Errorf("%d bytes come back, want %d", len(got), len(want))
	}
	if files, _ := filepath.Glob(filepath.Join(s.DataDir, "blobs", "*", "*", "*")); len(files) != 0 {
		t.Errorf("bytes are here too: %v", files)
	}
	keys := boot.Must(t)(store.AWS("s3api", "list-objects-v2", "--bucket", "output", "--query", "Contents[].Key", "--output", "text"))
	if !strings.HasPrefix(keys, "fiducial/bytes/") {
		t.Errorf("the store has %q", keys)
	}
	if out, err := s.AWS("s3", "cp", "s3://output/"+strings.TrimSpace(keys), "-"); err == nil || len(out) != 0 {
		t.Error("the bytes can be read past their bucket's rules")
	}
}

// What the engine and media that pass through need of a store, beyond what a job
// happens to use: uploads of many parts, and objects that change while they are
// read.
func TestStore(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{})
	st := at(t, bucketsAt(t, "s3", store.API, storeRole), env, "input")
	ctx := context.Background()
	want := make([]byte, 17<<20)
	_, _ = rand.Read(want)
	meta := objects.Headers{ContentType: "image/x", CacheControl: "no-store", Meta: []objects.Meta{{Name: "who", Value: "ana"}}}
	if _, err := st.Put(ctx, "large", meta, objects.SSE{}, bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	o, err := st.Head(ctx, "large")
	if err != nil || o.Size != int64(len(want)) || o.Headers.ContentType != "image/x" || o.Headers.CacheControl != "no-store" || len(o.Headers.Meta) != 1 || o.Headers.Meta[0] != meta.Meta[0] {
		t.Fatalf("%+v, %v", o, err)
	}
	r, err := st.Open(ctx, o, 8<<20-10, 1000)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if cerr := r.Close(); err != nil || cerr != nil || !bytes.Equal(got, want[8<<20-10:8<<20+990]) {
		t.Errorf("%d bytes, %v, %v", len(got), err, cerr)
	}
	if _, err := st.Put(ctx, "large", meta, objects.SSE{}, strings.NewReader("short")); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Open(ctx, o, 0, o.Size); !fault.Is(err, fault.NotFound) {
		t.Errorf("an object that was replaced: %v", err)
	}
	if o, err := st.Head(ctx, "large"); err != nil || o.Size != 5 {
		t.Errorf("after that: %+v, %v", o, err)
	}
	if _, err := st.Put(ctx, "broken", meta, objects.SSE{}, io.MultiReader(bytes.NewReader(want), failing{})); err == nil {
		t.Error("a body that fails was stored")
	}
	if _, err := st.Head(ctx, "broken"); !fault.Is(err, fault.NotFound) {
		t.Errorf("what is left of it: %v", err)
	}
	if out := boot.Must(t)(store.AWS("s3api", "list-multipart-uploads", "--bucket", "input", "--query", "Uploads", "--output", "text")); strings.TrimSpace(out) != "None" {
		t.Errorf("uploads are left: %s", out)
	}
	if _, err := st.Put(ctx, "sealed", meta, objects.SSE{Algorithm: "aws:kms", KeyID: "no-such-key"}, strings.NewReader("x")); err == nil {
		t.Error("written although it cannot be sealed")
	}
	if _, err := at(t, bucketsAt(t, "s3", store.API, storeRole), []string{env[0], "STORE_SECRET=wrong-secret"}, "input").Head(ctx, "large"); !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), "credentials") {
		t.Errorf("with a wrong secret: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
