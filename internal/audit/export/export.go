// Package export writes the record of decisions in forms that other programs
// read: the record's own lines, a table, and events shaped like AWS CloudTrail's,
// for what already reads those.
package export

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
)

// Format is a form of export.
type Format string

// The formats.
const (
	JSONL      Format = "jsonl"
	CSV        Format = "csv"
	CloudTrail Format = "cloudtrail"
)

// ParseFormat reads a format's name.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case JSONL, CSV, CloudTrail:
		return f, nil
	}
	return "", fault.Newf("export.ParseFormat", fault.Invalid, "format %.40q: expected jsonl, csv or cloudtrail", s)
}

// Options are of an export.
type Options struct {
	Format  Format
	Region  string // of CloudTrail events
	Account string
	Part    string // ends the names of CloudTrail files; default "fiducial"
}

// To writes the records of a time to w and returns how many there were.
func To(ctx context.Context, w io.Writer, dir string, when audit.Between, o Options) (int, error) {
	b := bufio.NewWriterSize(w, 64<<10)
	e, err := newEncoder(b, o)
	if err != nil {
		return 0, err
	}
	n := 0
	_, err = audit.Read(ctx, dir, when, func(r *audit.Record, line []byte) error {
		n++
		return e.record(r, line)
	})
	if err = errors.Join(err, e.end(), b.Flush()); err != nil {
		return n, fault.E("export.To", fault.KindOf(err), "the audit record could not be exported", err)
	}
	return n, nil
}

// Day is one day's export as a file.
type Day struct {
	Name    string // relative, with slashes
	Records int
}

// Name is that of the export of a day. CloudTrail's are where CloudTrail puts
// its own: tools that are pointed at a trail's bucket find them.
func (o *Options) Name(day time.Time, compressed bool) string {
	day = day.UTC()
	name := day.Format("2006-01-02") + "." + string(o.Format)
	if o.Format == CloudTrail {
		stamp := day.Format("20060102T0000Z")
		name = fmt.Sprintf("AWSLogs/%s/CloudTrail/%s/%s/%s_CloudTrail_%s_%s_%s.json",
			o.Account, o.Region, day.Format("2006/01/02"), o.Account, o.Region, stamp, cmp.Or(o.Part, "fiducial"))
	}
	if compressed {
		name += ".gz"
	}
	return name
}

// Folder writes a file a UTC day below out. A file is whole when it appears; one
// of an earlier export is replaced. Days without records have none.
func Folder(ctx context.Context, out, dir string, when audit.Between, compress bool, o Options) ([]Day, error) {
	days, err := Days(dir, when)
	if err != nil {
		return nil, err
	}
	var done []Day
	for _, day := range days {
		d := Day{Name: o.Name(day, compress)}
		path := filepath.Join(out, filepath.FromSlash(d.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return done, fault.E("export.Folder", fault.Unavailable, "the folder for the export cannot be made", err)
		}
		d.Records, err = file(ctx, path, dir, within(day, when), compress, o)
		if err != nil {
			return done, err
		}
		if d.Records > 0 {
			done = append(done, d)
		}
	}
	return done, nil
}

// within is the part of a day that is in the time.
func within(day time.Time, when audit.Between) audit.Between {
	b := audit.Between{From: day, To: day.AddDate(0, 0, 1), Chain: when.Chain}
	if when.From.After(b.From) {
		b.From = when.From
	}
	if !when.To.IsZero() && when.To.Before(b.To) {
		b.To = when.To
	}
	return b
}

// Days are the UTC days of which a folder may have records, in their order.
func Days(dir string, when audit.Between) ([]time.Time, error) {
	chains, _, err := audit.Files(dir)
	if err != nil {
		return nil, fault.E("export.Days", fault.Unavailable, "the audit folder cannot be read", err)
	}
	var first, last time.Time
	for name, files := range chains {
		if when.Chain != "" && when.Chain != name {
			continue
		}
		for _, f := range files {
			d, err := time.Parse("2006-01-02", f.Day)
			if err != nil {
				continue
			}
			if first.IsZero() || d.Before(first) {
				first = d
			}
			if d.After(last) {
				last = d
			}
		}
	}
	var days []time.Time
	// A file's first records may be of the day before.
	for d := first.AddDate(0, 0, -1); !first.IsZero() && !d.After(last); d = d.AddDate(0, 0, 1) {
		if b := within(d, when); b.From.Before(b.To) {
			days = append(days, d)
		}
	}
	return days, nil
}

func file(ctx context.Context, path, dir string, when audit.Between, compress bool, o Options) (n int, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, fault.E("export.Folder", fault.Unavailable, "the export cannot be written", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	n, err = Write(ctx, tmp, dir, when, compress, o)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil || n == 0 {
		return n, err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return n, fault.E("export.Folder", fault.Unavailable, "the export cannot be written", err)
	}
	return n, nil
}

// Write is To, compressed or not.
func Write(ctx context.Context, w io.Writer, dir string, when audit.Between, compress bool, o Options) (int, error) {
	if !compress {
		return To(ctx, w, dir, when, o)
	}
	z := gzip.NewWriter(w)
	n, err := To(ctx, z, dir, when, o)
	return n, errors.Join(err, z.Close())
}

// encoder writes records in one format.
type encoder interface {
	record(r *audit.Record, line []byte) error
	end() error
}

func newEncoder(w *bufio.Writer, o Options) (encoder, error) {
	switch o.Format {
	case JSONL:
		return jsonl{w}, nil
	case CSV:
		t := table{csv.NewWriter(w)}
		return t, t.w.Write(columns())
	case CloudTrail:
		return newTrail(w, o), nil
	}
	_, err := ParseFormat(string(o.Format))
	return nil, err
}

// jsonl copies the lines: they go on to verify where the files are put together again.
type jsonl struct{ w *bufio.Writer }

func (j jsonl) record(_ *audit.Record, line []byte) error {
	if _, err := j.w.Write(line); err != nil {
		return err
	}
	return j.w.WriteByte('\n')
}

func (j jsonl) end() error { return nil }

type table struct{ w *csv.Writer }

type column struct {
	name  string
	value func(*audit.Record) string
}

var tableColumns = []column{
	{"time", func(r *audit.Record) string { return r.Time.Format(time.RFC3339Nano) }},
	{"kind", func(r *audit.Record) string { return string(r.Kind) }},
	{"verdict", func(r *audit.Record) string { return string(r.Verdict) }},
	{"action", func(r *audit.Record) string { return r.Action }},
	{"resource", func(r *audit.Record) string { return r.Resource }},
	{"origin", func(r *audit.Record) string { return r.Origin }},
	{"media_address", func(r *audit.Record) string { return r.MediaAddr }},
	{"bound", func(r *audit.Record) string { return r.Bound }},
	{"principal", func(r *audit.Record) string { return r.Principal }},
	{"access_key_id", func(r *audit.Record) string { return r.AccessKeyID }},
	{"worker", func(r *audit.Record) string { return r.Worker }},
	{"job", func(r *audit.Record) string { return r.Job }},
	{"team", func(r *audit.Record) string { return r.Team }},
	{"assignment", func(r *audit.Record) string { return r.Assignment }},
	{"grant", func(r *audit.Record) string { return r.GrantID }},
	{"sign_in", func(r *audit.Record) string { return r.SignInID }},
	{"statement", func(r *audit.Record) string { return r.Statement }},
	{"reason", func(r *audit.Record) string { return r.Reason }},
	{"error", func(r *audit.Record) string { return r.Error }},
	{"method", func(r *audit.Record) string { return r.Method }},
	{"status", func(r *audit.Record) string { return number(int64(r.Status)) }},
	{"bytes", func(r *audit.Record) string { return number(r.Size) }},
	{"expires", func(r *audit.Record) string { return stamp(r.Expires) }},
	{"request_id", func(r *audit.Record) string { return r.RequestID }},
	{"agent", func(r *audit.Record) string { return r.Agent }},
	{"number", func(r *audit.Record) string { return number(int64(r.Seq)) }},
}

func columns() []string {
	names := make([]string, len(tableColumns))
	for i, c := range tableColumns {
		names[i] = c.name
	}
	return names
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (t table) record(r *audit.Record, _ []byte) error {
	row := make([]string, len(tableColumns))
	for i, c := range tableColumns {
		row[i] = inert(c.value(r))
	}
	return t.w.Write(row)
}

// inert keeps a spreadsheet from taking what a client chose for a formula.
func inert(s string) string {
	if s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		return "'" + s
	}
	return s
}

func (t table) end() error {
	t.w.Flush()
	return t.w.Error()
}
