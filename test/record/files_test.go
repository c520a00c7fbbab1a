package record

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/internal/audit"
	"fiducial/test/boot"
)

// A finished day is put into the bucket, and an old one is removed only after
// that; without the bucket nothing is removed.
func TestExportAndRetention(t *testing.T) {
	t.Parallel()
	s := &scene{t: t, dir: filepath.Join(t.TempDir(), "audit")}
	s.Server = boot.Start(t, boot.Options{Args: []string{"--audit-dir", s.dir, "--audit-retention-days", "30", "--audit-export", "s3://trail/fiducial"}})
	s.Stop()
	// What a server wrote forty and twenty days ago.
	now := time.Now().UTC().AddDate(0, 0, -40)
	oldest, later := now.Format("2006-01-02"), now.AddDate(0, 0, 20).Format("2006-01-02")
	f, err := audit.Open(audit.Options{Dir: s.dir, Heads: filepath.Join(s.DataDir, "audit-heads"), Now: func() time.Time { return now }})
	s.ok(err)
	// The chain of the server itself is taken up; it does not go back in time. A
	// second process makes its own.
	old, err := audit.Open(audit.Options{Dir: s.dir, Heads: filepath.Join(s.DataDir, "audit-heads"), Now: func() time.Time { return now }})
	s.ok(err)
	for range 2 {
		s.ok(old.Record(context.Background(), &audit.Event{Kind: audit.Access, Verdict: audit.Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::media/1.jpg", Origin: "192.0.2.1", Method: "GET"}))
		now = now.AddDate(0, 0, 20)
	}
	s.ok(old.Close())
	s.ok(f.Close())
	files := func(day string) int {
		list, _ := filepath.Glob(filepath.Join(s.dir, day+".*.jsonl"))
		return len(list)
	}
	s.Boot()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(s.Log(), "nothing of it is retired"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the log does not say that the bucket is missing")
		}
	}
	if files(oldest) != 1 {
		t.Error("a file was retired that had not been exported")
	}
	boot.Must(t)(s.AWS("s3api", "create-bucket", "--bucket", "trail"))
	s.Stop()
	s.Boot()
	for deadline := time.Now().Add(10 * time.Second); files(oldest) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is retired")
		}
	}
	if files(later) != 1 {
		t.Error("a file was retired before its time")
	}
	if out := s.verified(); !strings.Contains(out, "lines 1 to 2 are retired") {
		t.Errorf("verify does not say what was retired:\n%s", out)
	}
	var list struct{ Contents []struct{ Key string } }
	s.ok(json.Unmarshal([]byte(boot.Must(t)(s.AWS("s3api", "list-objects-v2", "--bucket", "trail", "--output", "json"))), &list))
	events := 0
	for _, o := range list.Contents {
		if !strings.HasPrefix(o.Key, "fiducial/AWSLogs/000000000000/CloudTrail/us-east-1/20") || !strings.HasSuffix(o.Key, ".json.gz") {
			t.Errorf("exported as %s", o.Key)
		}
		path := filepath.Join(t.TempDir(), "o")
		boot.Must(t)(s.AWS("s3api", "get-object", "--bucket", "trail", "--key", o.Key, path))
		b, err := os.ReadFile(path)
		s.ok(err)
		z, err := gzip.NewReader(bytes.NewReader(b))
		s.ok(err)
		var log struct{ Records []struct{ EventName string } }
		s.ok(json.NewDecoder(z).Decode(&log))
		for _, r := range log.Records {
			if r.EventName == "GetObject" {
				events++
			}
		}
	}
	if len(list.Contents) != 2 || events != 2 {
		t.Errorf("%d objects with %d looks, want the two old days with a look each", len(list.Contents), events)
	}
}
