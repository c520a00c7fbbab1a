package config

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestAuditSettings(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string // in the error; empty for none
	}{
		{"defaults", nil, ""},
		{"all of them", []string{"--audit-dir=/d", "--audit-sync=record", "--audit-retention-days=365", "--audit-export=s3://trail/a/b/"}, ""},
		{"a bucket alone", []string{"--audit-export=s3://trail"}, ""},
		{"sync", []string{"--audit-sync=never"}, "audit-sync"},
		{"days", []string{"--audit-retention-days=-1"}, "audit-retention-days"},
		{"no URL", []string{"--audit-export=trail"}, "audit-export"},
		{"no bucket", []string{"--audit-export=s3:///x"}, "audit-export"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Settings
			fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
			s.Register(fs)
			if err := fs.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			err := s.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	s := Settings{DataDir: "d", Audit: Audit{Export: "s3://trail/a/b/"}}
	if b, p := s.Audit.Bucket(); b != "trail" || p != "a/b/" {
		t.Errorf("got %q, %q", b, p)
	}
	if s.AuditDir() != "d/audit" || s.AuditHeads() != "d/audit-heads" {
		t.Errorf("got %q, %q", s.AuditDir(), s.AuditHeads())
	}
}
