package s3api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fiducial/internal/audit"
	"fiducial/internal/blob"
	"fiducial/internal/blob/disk"
	"fiducial/internal/envelope"
	"fiducial/internal/iam"
	"fiducial/internal/objects"
	"fiducial/internal/store"
)

// A reader sees the old object or the new one, whole, while it is replaced and
// deleted as fast as can be.
func TestReadersSeeOldOrNew(t *testing.T) {
	for _, rows := range []int{1000, -1} {
		t.Run(fmt.Sprintf("cache of %d rows", rows), func(t *testing.T) {
			e := start(t, settings{rows: rows})
			c := e.bucket("media")
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			defer cancel()
			body := func(n int) []byte { return bytes.Repeat([]byte{byte('a' + n%26)}, 150000+n%1000) } // not kept in memory: read from its file
			put := func(n int) error {
				_, err := c.PutObject(context.Background(), &s3.PutObjectInput{Bucket: aws.String("media"), Key: aws.String("k"), Body: bytes.NewReader(body(n))})
				return err
			}
			check(t, put(0))
			var wg sync.WaitGroup
			wg.Add(1)
			go func() {
				defer wg.Done()
				for n := 1; ctx.Err() == nil; n++ {
					if err := put(n); err != nil {
						t.Error(err)
						return
					}
				}
			}()
			reads := 0
			for ctx.Err() == nil {
				out, err := c.GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("media"), Key: aws.String("k")})
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(out.Body)
				if err != nil {
					t.Fatal(err)
				}
				sum := md5.Sum(got)
				if `"`+hex.EncodeToString(sum[:])+`"` != *out.ETag {
					t.Fatalf("%d bytes are not the object of the entity tag %s", len(got), *out.ETag)
				}
				reads++
			}
			wg.Wait()
			if reads < 20 {
				t.Errorf("only %d reads", reads)
			}
		})
	}
}

// After a write is acknowledged nobody sees what was before it.
func TestReadYourWrites(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("media")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range 2 { // readers that fill the cache at the worst moment
		wg.Add(1)
		go func() {
			defer wg.Done()
			for ctx.Err() == nil {
				if rc, _, err := e.objects.Get(context.Background(), e.iam.Root(), "media", "k"); err == nil {
					_ = rc.Close()
				}
			}
		}()
	}
	for n := 0; ctx.Err() == nil; n++ {
		want := strconv.Itoa(n)
		check(t, e.objects.Put(context.Background(), e.iam.Root(), "media", "k", "", strings.NewReader(want)))
		if got := read(t, c, "media", "k"); got != want {
			t.Fatalf("wrote %s, read %s", want, got)
		}
	}
	wg.Wait()
}

// crashFolder names the folder for a child process of TestCrash.
const crashFolder = "FIDUCIAL_TEST_CRASH_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashFolder); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// parts opens the parts of a service on a folder.
func parts(dir string) (*objects.Service, *iam.Service, blob.Store, func(), error) {
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "f.db"))
	if err != nil {
		return nil, nil, nil, nil, err
	}
	keys, err := envelope.New()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	i, err := iam.New(iam.Options{Account: account, Store: store.NewIAM(db), Keys: keys, RootAccessKeyID: rootKey, RootSecret: iam.NewSecret(rootSecret), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, nil, nil, nil, err
	}
	blobs, err := disk.Open(filepath.Join(dir, "objects"), time.Now, rand.Reader)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	o := objects.New(objects.Options{
		Store: store.NewObjects(db), Blobs: blobs, IAM: i, Audit: audit.Discard{}, Region: region, Account: account, Now: time.Now, Rand: rand.Reader, CacheRows: 100, OrphanAge: time.Nanosecond,
	})
	return o, i, blobs, func() { _ = db.Close() }, nil
}

// writeUntilKilled writes objects from several goroutines and says which were
// acknowledged, key and content in turn, a line each.
func writeUntilKilled(dir string) {
	o, i, _, _, err := parts(dir)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	ctx := context.Background()
	_ = o.CreateBucket(ctx, objects.Local(i.Root()), "media", "")
	var mu sync.Mutex
	for w := range 4 {
		go func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("w%d/k%d", w, n%7) // overwritten again and again
				content := fmt.Sprintf("%d-%d-%s", w, n, strings.Repeat("x", n%3*100000))
				if err := o.Put(ctx, i.Root(), "media", key, "", strings.NewReader(content)); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Printf("%s %d-%d- %d\n", key, w, n, len(content))
				mu.Unlock()
			}
		}()
	}
	select {}
}

// What was acknowledged before kill -9 is there after it, whole; and nothing that
// is there is torn. Orphaned bytes are swept.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]string{} // key → prefix of the content
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashFolder+"="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		check(t, err)
		check(t, cmd.Start())
		lines := bufio.NewScanner(out)
		n, limit := 0, 20+round*17
		last := map[string]string{}
		for lines.Scan() {
			f := strings.Fields(lines.Text())
			if f[0] == "error" {
				t.Fatal(lines.Text())
			}
			last[f[0]] = f[1]
			if n++; n == limit {
				check(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait()
		if n < limit {
			t.Fatalf("only %d objects were written", n)
		}
		for k, v := range last {
			acknowledged[k] = v
		}
		verify(t, dir, acknowledged)
	}
}

func verify(t *testing.T, dir string, acknowledged map[string]string) {
	t.Helper()
	o, i, blobs, closeDB, err := parts(dir)
	check(t, err)
	defer closeDB()
	ctx := context.Background()
	for key, prefix := range acknowledged {
		rc, row, err := o.Get(ctx, i.Root(), "media", key)
		if err != nil {
			t.Errorf("%s was acknowledged: %v", key, err)
			continue
		}
		content, err := io.ReadAll(rc)
		_ = rc.Close()
		sum := md5.Sum(content)
		if err != nil || hex.EncodeToString(sum[:]) != row.ETag {
			t.Errorf("%s is torn: %d bytes, %v", key, len(content), err)
		}
		// A later write that was not heard of may have won; an earlier one may not.
		var w, n, got int
		if _, err := fmt.Sscanf(prefix, "%d-%d-", &w, &n); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(string(content), fmt.Sprintf("%d-%%d-", w), &got); err != nil || got < n {
			t.Errorf("%s: write %d was acknowledged, %d is there", key, n, got)
		}
		acknowledged[key] = fmt.Sprintf("%d-%d-", w, -1) // the next round counts from nought again
	}
	if _, err := o.Sweep(ctx); err != nil {
		t.Error(err)
	}
	list, err := o.ListObjectsV2(ctx, objects.Local(i.Root()), objects.ListInput{Bucket: "media", MaxKeys: 1000})
	check(t, err)
	left := 0
	check(t, blobs.List(ctx, func(blob.ID, int64, time.Time) error { left++; return nil }))
	if left != len(list.Objects) {
		t.Errorf("after the sweep there are %d blobs for %d objects", left, len(list.Objects))
	}
}

// The head of an answer is not sent before the decision is on record, and not at
// all if it cannot be put there.
func TestNoRecordNoBytes(t *testing.T) {
	e := start(t, settings{})
	e.bucket("media", "k", "meow")
	url := e.grant("k", "127.0.0.1", time.Now(), time.Minute)
	if code, _ := status(t, http.DefaultClient, "GET", url, nil); code != 200 {
		t.Fatal(code)
	}
	e.record.full.Store(true)
	code, body := status(t, http.DefaultClient, "GET", url, nil)
	if code != 503 || strings.Contains(body, "meow") {
		t.Errorf("%d %s", code, body)
	}
}
