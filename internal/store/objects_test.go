package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
	"fiducial/internal/objects"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

var (
	bg   = context.Background()
	noon = time.Date(2026, 5, 1, 12, 0, 0, 123000, time.UTC)
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("got %v, want code %s", err, code)
	}
}

func eachObjects(t *testing.T, body func(t *testing.T, s *store.Objects)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := store.NewObjects(db)
		ok(t, s.CreateBucket(bg, objects.Bucket{Name: "b", Region: "r", Account: "1", CreatedBy: "arn", CreatedAt: noon}))
		body(t, s)
	})
}

func object(key string, id blob.ID) *objects.Object {
	return &objects.Object{Bucket: "b", Key: key, Blob: id, Size: 3, ETag: "e" + string(id), Modified: noon, Headers: objects.Headers{ContentType: "x/y"}}
}

func putObject(t *testing.T, s *store.Objects, key string, id blob.ID) []blob.ID {
	t.Helper()
	freed, err := s.PutObject(bg, object(key, id), nil, nil, nil)
	ok(t, err)
	return freed
}

func TestObjectsBuckets(t *testing.T) {
	eachObjects(t, func(t *testing.T, s *store.Objects) {
		err := s.CreateBucket(bg, objects.Bucket{Name: "b"})
		if !fault.Is(err, fault.Exists) {
			t.Errorf("a second bucket of one name: %v", err)
		}
		ok(t, s.UpdateBucket(bg, "b", func(b *objects.Bucket) {
			b.Policy, b.Logging = "{}", objects.Logging{TargetBucket: "t", TargetPrefix: "p/"}
			b.CORS = []objects.CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}}}
		}))
		got, err := s.Bucket(bg, "b")
		ok(t, err)
		want := &objects.Bucket{
			Name: "b", Region: "r", Account: "1", CreatedBy: "arn", CreatedAt: noon, Policy: "{}", Logging: objects.Logging{TargetBucket: "t", TargetPrefix: "p/"},
			CORS: []objects.CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}}},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		wantCode(t, s.UpdateBucket(bg, "none", func(*objects.Bucket) {}), "NoSuchBucket")
		_, err = s.Bucket(bg, "none")
		wantCode(t, err, "NoSuchBucket")
		for _, n := range []string{"a1", "a2", "a3", "c1"} {
			ok(t, s.CreateBucket(bg, objects.Bucket{Name: n, CreatedAt: noon}))
		}
		list, err := s.Buckets(bg, "a", "a1", 10)
		ok(t, err)
		if len(list) != 2 || list[0].Name != "a2" || list[1].Name != "a3" {
			t.Errorf("buckets a… after a1: %v", list)
		}

		putObject(t, s, "k", "x")
		_, err = s.DeleteBucket(bg, "b")
		wantCode(t, err, "BucketNotEmpty")
		_, _, err = s.DeleteObject(bg, "b", "k", nil, nil)
		ok(t, err)
		ok(t, s.CreateUpload(bg, objects.Upload{ID: "u", Bucket: "b", Key: "k", CreatedAt: noon}))
		_, err = s.PutPart(bg, "u", objects.Segment{Number: 1, Blob: "p1", Modified: noon})
		ok(t, err)
		freed, err := s.DeleteBucket(bg, "b")
		ok(t, err)
		if d := cmp.Diff([]blob.ID{"p1"}, freed); d != "" {
			t.Error(d)
		}
		_, err = s.PutObject(bg, object("k", "y"), nil, nil, nil)
		wantCode(t, err, "NoSuchBucket")
		wantCode(t, s.CreateUpload(bg, objects.Upload{ID: "v", Bucket: "b", Key: "k"}), "NoSuchBucket")
	})
}

func TestObjectsRows(t *testing.T) {
	eachObjects(t, func(t *testing.T, s *store.Objects) {
		o := object("k\x00\xffé", "b1")
		o.Headers.Meta = []objects.Meta{{Name: "a", Value: "b"}}
		o.Checksum = objects.Checksum{Algorithm: "CRC32", Type: "FULL_OBJECT", Value: "AAAA"}
		freed, err := s.PutObject(bg, o, nil, nil, func(now *objects.Object) error {
			if now != nil {
				t.Errorf("something is there: %+v", now)
			}
			return nil
		})
		ok(t, err)
		got, err := s.Object(bg, "b", o.Key)
		ok(t, err)
		if d := cmp.Diff(o, got, cmpopts.IgnoreUnexported(objects.Object{})); d != "" || len(freed) != 0 {
			t.Error(d, freed)
		}
		// A refused condition changes nothing; a replaced object frees its bytes.
		refused := errors.New("no")
		_, err = s.PutObject(bg, object(o.Key, "b2"), nil, nil, func(now *objects.Object) error {
			return fault.E("t", fault.Precond, now.ETag, refused)
		})
		if !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
		if got, err = s.Object(bg, "b", o.Key); err != nil || got.Blob != "b1" {
			t.Errorf("%+v %v", got, err)
		}
		if d := cmp.Diff([]blob.ID{"b1"}, putObject(t, s, o.Key, "b3")); d != "" {
			t.Error(d)
		}
		// New metadata over the same bytes frees nothing.
		if freed := putObject(t, s, o.Key, "b3"); len(freed) != 0 {
			t.Errorf("freed %v of an object that keeps its bytes", freed)
		}
		unreferenced, err := s.Unreferenced(bg, []blob.ID{"b1", "b3", "zz"})
		ok(t, err)
		if d := cmp.Diff([]blob.ID{"b1", "zz"}, unreferenced); d != "" {
			t.Error(d)
		}
		existed, freed, err := s.DeleteObject(bg, "b", o.Key, nil, nil)
		if err != nil || !existed || len(freed) != 1 {
			t.Errorf("%v %v %v", existed, freed, err)
		}
		if existed, _, err = s.DeleteObject(bg, "b", o.Key, nil, nil); err != nil || existed {
			t.Errorf("deleted twice: %v %v", existed, err)
		}
		_, err = s.Object(bg, "b", o.Key)
		wantCode(t, err, "NoSuchKey")
	})
}

// Keys are in byte order on both databases, whatever their collation.
func TestObjectsRange(t *testing.T) {
	eachObjects(t, func(t *testing.T, s *store.Objects) {
		keys := []string{"\x00", "A", "B", "_", "a", "a\x00", "a/", "a/1", "a/2", "aé", "b", "é", "\xff"}
		for i, k := range keys {
			putObject(t, s, k, blob.ID(fmt.Sprint(i)))
		}
		for _, c := range []struct {
			q    objects.RangeQuery
			want []string
		}{
			{objects.RangeQuery{}, keys},
			{objects.RangeQuery{Prefix: "a/"}, []string{"a/", "a/1", "a/2"}},
			{objects.RangeQuery{Prefix: "a/", From: "a/1"}, []string{"a/1", "a/2"}},
			{objects.RangeQuery{Prefix: "a/", From: "a/1", After: true}, []string{"a/2"}},
			{objects.RangeQuery{Prefix: "a", From: "A", After: true}, []string{"a", "a\x00", "a/", "a/1", "a/2", "aé"}},
			{objects.RangeQuery{From: "b"}, []string{"b", "é", "\xff"}},
			{objects.RangeQuery{Prefix: "\xff"}, []string{"\xff"}},
			{objects.RangeQuery{Prefix: "nothing"}, nil},
		} {
			c.q.Bucket, c.q.Limit = "b", 100
			rows, err := s.Range(bg, c.q)
			ok(t, err)
			var got []string
			for _, r := range rows {
				got = append(got, r.Key)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%+v: %s", c.q, d)
			}
		}
		rows, err := s.Range(bg, objects.RangeQuery{Bucket: "b", Limit: 2})
		if err != nil || len(rows) != 2 {
			t.Errorf("limit 2: %d %v", len(rows), err)
		}
	})
}

func TestObjectsMultipart(t *testing.T) {
	eachObjects(t, func(t *testing.T, s *store.Objects) {
		u := objects.Upload{ID: "u1", Bucket: "b", Key: "k", Initiator: "arn", CreatedAt: noon, Headers: objects.Headers{ContentType: "x/y"}, Checksum: objects.Checksum{Algorithm: "CRC32", Type: "COMPOSITE"}}
		ok(t, s.CreateUpload(bg, u))
		got, err := s.Upload(bg, "b", "k", "u1")
		ok(t, err)
		if d := cmp.Diff(&u, got); d != "" {
			t.Error(d)
		}
		_, err = s.Upload(bg, "b", "other", "u1")
		wantCode(t, err, "NoSuchUpload")
		_, err = s.PutPart(bg, "none", objects.Segment{Number: 1})
		wantCode(t, err, "NoSuchUpload")
		for n := range 4 {
			_, err := s.PutPart(bg, "u1", objects.Segment{Number: n + 1, Blob: blob.ID(fmt.Sprint("p", n+1)), Size: 10, ETag: "e", Modified: noon})
			ok(t, err)
		}
		freed, err := s.PutPart(bg, "u1", objects.Segment{Number: 2, Blob: "p2b", Size: 10, ETag: "e", Modified: noon})
		ok(t, err)
		if d := cmp.Diff([]blob.ID{"p2"}, freed); d != "" {
			t.Error(d)
		}
		page, err := s.PartsOf(bg, "u1", 1, 2)
		if err != nil || len(page) != 2 || page[0].Number != 2 || page[0].Blob != "p2b" || page[1].Number != 3 {
			t.Errorf("%+v %v", page, err)
		}
		putObject(t, s, "k", "old")
		o := object("k", "")
		o.Upload, o.Parts, o.Size = "u1", 2, 20
		// A part that was sent again meanwhile is not what the client completes.
		_, err = s.PutObject(bg, o, []objects.Segment{{Number: 2, Blob: "p2"}, {Number: 3, Blob: "p3", Offset: 10}}, nil, nil)
		wantCode(t, err, "InvalidPart")
		freed, err = s.PutObject(bg, o, []objects.Segment{{Number: 2, Blob: "p2b"}, {Number: 3, Blob: "p3", Offset: 10}}, nil, nil)
		ok(t, err)
		if d := cmp.Diff([]blob.ID{"old", "p1", "p4"}, freed); d != "" {
			t.Error(d)
		}
		if _, err := s.Object(bg, "b", "k"); err != nil {
			t.Error(err)
		}
		parts, err := s.PartsOf(bg, "u1", 0, 10)
		if err != nil || len(parts) != 2 || parts[1].Offset != 10 {
			t.Errorf("%+v %v", parts, err)
		}
		_, err = s.Upload(bg, "b", "k", "u1")
		wantCode(t, err, "NoSuchUpload")
		_, err = s.DeleteUpload(bg, "b", "k", "u1")
		wantCode(t, err, "NoSuchUpload")
		unreferenced, err := s.Unreferenced(bg, []blob.ID{"p2b", "p3", "p4"})
		if err != nil || len(unreferenced) != 1 {
			t.Errorf("%v %v", unreferenced, err)
		}
		_, freed, err = s.DeleteObject(bg, "b", "k", nil, nil)
		ok(t, err)
		if d := cmp.Diff([]blob.ID{"p2b", "p3"}, freed); d != "" {
			t.Error(d)
		}

		for _, k := range []string{"a", "m", "z"} {
			for _, id := range []string{"1", "2"} {
				ok(t, s.CreateUpload(bg, objects.Upload{ID: k + id, Bucket: "b", Key: k, CreatedAt: noon}))
			}
		}
		list, err := s.Uploads(bg, objects.RangeQuery{Bucket: "b", From: "a", After: true, Limit: 3}, "a1")
		ok(t, err)
		var ids []string
		for _, u := range list {
			ids = append(ids, u.ID)
		}
		if d := cmp.Diff([]string{"a2", "m1", "m2"}, ids); d != "" {
			t.Error(d)
		}
		freed, err = s.DeleteUpload(bg, "b", "m", "m1")
		if err != nil || len(freed) != 0 {
			t.Errorf("%v %v", freed, err)
		}
	})
}

// Of many that create one key "if it is not there", one does.
func TestObjectsCreateOnce(t *testing.T) {
	eachObjects(t, func(t *testing.T, s *store.Objects) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for i := range 30 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				_, err := s.PutObject(bg, object("k", blob.ID(fmt.Sprint(i))), nil, nil, func(now *objects.Object) error {
					if now != nil {
						return fault.Coded("t", fault.Precond, "PreconditionFailed", "")
					}
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made++
				} else if fault.CodeOf(err) != "PreconditionFailed" {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
		if made != 1 {
			t.Errorf("%d made the object", made)
		}
	})
}
