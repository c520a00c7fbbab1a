package config

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Audit is how the record of decisions is kept.
type Audit struct {
	Dir           string
	Sync          string // AuditSyncSecond or AuditSyncRecord
	RetentionDays int    // 0: for ever
	Export        string // s3://bucket/prefix; "" for none
}

// How often the record is made durable against loss of power.
const (
	AuditSyncSecond = "second"
	AuditSyncRecord = "record"
)

func (a *Audit) register(fs *pflag.FlagSet) {
	fs.StringVar(&a.Dir, "audit-dir", "", "folder of the record of decisions, best on a disk of its own (default: audit in the data folder)")
	fs.StringVar(&a.Sync, "audit-sync", AuditSyncSecond, "how often the record is made safe against loss of power: second, or record (before every answer)")
	fs.IntVar(&a.RetentionDays, "audit-retention-days", 0, "days after which verified files of the record are removed; 0 keeps them for ever")
	fs.StringVar(&a.Export, "audit-export", "", "s3://bucket/prefix where every finished day of the record is put in CloudTrail's form (default: nowhere)")
}

var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (a *Audit) check(bad func(name, expected string, got any) error) error {
	if a.Sync != AuditSyncSecond && a.Sync != AuditSyncRecord {
		return bad("audit-sync", "second or record", a.Sync)
	}
	if a.RetentionDays < 0 || a.RetentionDays > 100*366 {
		return bad("audit-retention-days", "0 (for ever) or a number of days", strconv.Itoa(a.RetentionDays))
	}
	if bucket, _ := a.Bucket(); a.Export != "" && (!strings.HasPrefix(a.Export, "s3://") || !bucketPattern.MatchString(bucket)) {
		return bad("audit-export", "s3://bucket or s3://bucket/prefix", a.Export)
	}
	return nil
}

// Bucket is where exports go: the bucket, and a prefix that is empty or ends
// with a slash.
func (a *Audit) Bucket() (bucket, prefix string) {
	bucket, prefix, _ = strings.Cut(strings.TrimPrefix(a.Export, "s3://"), "/")
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return bucket, prefix
}

// AuditDir is the folder of the record of decisions.
func (s *Settings) AuditDir() string {
	if s.Audit.Dir != "" {
		return s.Audit.Dir
	}
	return filepath.Join(s.DataDir, "audit")
}

// AuditHeads is the folder of the record's heads: never that of the record.
func (s *Settings) AuditHeads() string { return filepath.Join(s.DataDir, "audit-heads") }
