package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"fiducial/internal/audit"
)

// Scripts with a record in $WORK/data/audit: two workers, one URL that was
// copied, over two days.
func TestAuditScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/audit", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error { return makeRecord(filepath.Join(e.WorkDir, "data", "audit")) },
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			// replace OLD NEW GLOB changes the text of files where they stand.
			"replace": func(ts *testscript.TestScript, _ bool, args []string) {
				files, _ := filepath.Glob(ts.MkAbs(args[2]))
				for _, f := range files {
					b, err := os.ReadFile(f)
					ts.Check(err)
					ts.Check(os.WriteFile(f, []byte(strings.Replace(string(b), args[0], args[1], 1)), 0o600))
				}
				if len(files) == 0 {
					ts.Fatalf("no file %s", args[2])
				}
			},
			// remove GLOB removes files.
			"remove": func(ts *testscript.TestScript, _ bool, args []string) {
				files, _ := filepath.Glob(ts.MkAbs(args[0]))
				for _, f := range files {
					ts.Check(os.Remove(f))
				}
				if len(files) == 0 {
					ts.Fatalf("no file %s", args[0])
				}
			},
		},
	})
}

func makeRecord(dir string) error {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	f, err := audit.OpenFile(dir, func() time.Time { return now })
	if err != nil {
		return err
	}
	const ana, ben = "private.us-east-1.000000000000000a", "private.us-east-1.000000000000000b"
	grant := func(id, worker, from string) audit.Event {
		return audit.Event{Kind: audit.Grant, Verdict: audit.Allow, Action: "s3:GetObject", Worker: worker, Job: "boxes", Team: "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/t",
			GrantID: id, AccessKeyID: "ASIA" + id, Principal: "arn:aws:sts::000000000000:assumed-role/labeler/" + worker, Resource: "arn:aws:s3:::media/1.jpg", Origin: from, Bound: "aws:SourceIp " + from + "/32", Expires: now.Add(time.Hour)}
	}
	look := func(id, worker, from string, v audit.Verdict) audit.Event {
		return audit.Event{Kind: audit.Access, Verdict: v, Action: "s3:GetObject", Worker: worker, Job: "boxes", GrantID: id, AccessKeyID: "ASIA" + id, Method: "GET",
			Principal: "arn:aws:sts::000000000000:assumed-role/labeler/" + worker, Resource: "arn:aws:s3:::media/1.jpg", Origin: from, Size: 4096, Agent: "Browser"}
	}
	for _, e := range []audit.Event{
		grant("g1", ana, "192.0.2.1"), look("g1", ana, "192.0.2.1", audit.Allow), look("g1", ana, "198.51.100.7", audit.Deny),
		{Kind: audit.API, Verdict: audit.Allow, Action: "sagemaker:DescribeLabelingJob", Principal: "arn:aws:iam::000000000000:root", Origin: "127.0.0.1"},
	} {
		if err := f.Record(context.Background(), &e); err != nil {
			return err
		}
	}
	now = now.Add(24 * time.Hour)
	for _, e := range []audit.Event{grant("g2", ben, "192.0.2.2"), look("g2", ben, "192.0.2.2", audit.Allow)} {
		if err := f.Record(context.Background(), &e); err != nil {
			return err
		}
	}
	return f.Close()
}
