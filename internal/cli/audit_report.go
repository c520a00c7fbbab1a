package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fiducial/internal/audit"
	"fiducial/internal/audit/export"
	"fiducial/internal/audit/report"
)

// timeRange is --from and --to.
type timeRange struct{ from, to string }

func addTimeRange(c *cobra.Command) *timeRange {
	t := &timeRange{}
	c.Flags().StringVar(&t.from, "from", "", "from when on: 2026-03-01, 2026-03-01T12:00:00Z, or how long ago: 36h, 7d (default: the beginning)")
	c.Flags().StringVar(&t.to, "to", "", "until when, in the same forms; a day is included (default: now)")
	return t
}

func (t *timeRange) between(now time.Time) (b audit.Between, err error) {
	if b.From, err = parseTime("from", t.from, now, false); err != nil {
		return b, err
	}
	if b.To, err = parseTime("to", t.to, now, true); err != nil {
		return b, err
	}
	if !b.To.IsZero() && !b.From.Before(b.To) {
		return b, &usageError{fmt.Errorf("--from must be before --to")}
	}
	return b, nil
}

func parseTime(name, s string, now time.Time, end bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	if t, err := time.Parse("2006-01-02", s); err == nil {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(0, 0, -n).UTC(), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d).UTC(), nil
	}
	return time.Time{}, &usageError{fmt.Errorf("--%s %q: expected a day (2026-03-01), a time (2026-03-01T12:00:00Z) or how long ago (36h, 7d)", name, s)}
}

func newAuditReport() *cobra.Command {
	c := &cobra.Command{
		Use:     "report",
		Short:   "Who saw what from where, and what a person should look at",
		Example: "  fiducial audit report --from 7d\n  fiducial audit report --object s3://scans/patient-7.png\n  fiducial audit report --worker private.us-east-1.0123456789abcdef --json",
		Args:    cobra.NoArgs,
	}
	s := addAuditSettings(c)
	when := addTimeRange(c)
	var o report.Options
	var asJSON bool
	c.Flags().StringVar(&o.Worker, "worker", "", "only this worker (its id)")
	c.Flags().StringVar(&o.Object, "object", "", "only this object: s3://bucket/key")
	c.Flags().StringVar(&o.Job, "job", "", "only this labeling job (its name)")
	c.Flags().IntVar(&o.MaxRows, "max-rows", 100_000, "rows that are kept at most; what is left out is counted")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := s.loadAudit(); err != nil {
			return err
		}
		b, err := when.between(time.Now())
		if err != nil {
			return err
		}
		r, err := report.Build(c.Context(), report.Folder(s.settings.AuditDir(), b), o)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(c.OutOrStdout(), r)
		}
		w := bufio.NewWriter(c.OutOrStdout())
		printReport(w, r)
		return w.Flush()
	}
	return c
}

func printReport(out io.Writer, r *report.Report) {
	const at = "2006-01-02 15:04"
	if r.Records == 0 {
		fmt.Fprintln(out, "There are no records of that time.")
		return
	}
	fmt.Fprintf(out, "%d records, %s to %s UTC\n\n", r.Records, r.First.Format(at), r.Last.Format(at))
	if r.Unreadable > 0 {
		fmt.Fprintf(out, "%d lines could not be read: run fiducial audit verify\n\n", r.Unreadable)
	}
	fmt.Fprintf(out, "FINDINGS\n")
	if len(r.Findings) == 0 {
		fmt.Fprintln(out, "  none")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(out, "  %s\n", plain(f.Text))
		fmt.Fprintf(out, "    %s, %s", f.Kind, f.First.Format(at))
		if !f.Last.Equal(f.First) {
			fmt.Fprintf(out, " to %s", f.Last.Format(at))
		}
		if len(f.Objects) > 0 {
			fmt.Fprintf(out, ", such as %s", plain(strings.Join(f.Objects, " ")))
		}
		fmt.Fprintln(out)
	}
	if r.FindingsOmitted > 0 {
		fmt.Fprintf(out, "  and %d more that are not listed\n", r.FindingsOmitted)
	}
	fmt.Fprintf(out, "\nWORKERS\n")
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "  worker\tgrants\trefused\tlooks\tobjects\tdenied\tfirst\tlast\taddresses")
	for _, x := range r.Workers {
		fmt.Fprintf(w, "  %s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", x.Worker, x.Grants, x.Refused, x.Looks, x.Objects, x.Denied, x.First.Format(at), x.Last.Format(at), strings.Join(x.Addresses, " "))
	}
	_ = w.Flush()
	fmt.Fprintf(out, "\nOBJECTS\n")
	w = tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "  object\tseen by\tfrom\ttimes\tdenied\tfirst\tlast")
	for _, x := range r.Looks {
		who := x.Worker
		if who == "" {
			who = x.Principal
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%d\t%d\t%s\t%s\n", plain(x.Object), plain(who), x.Origin, x.Times, x.Denied, x.First.Format(at), x.Last.Format(at))
	}
	_ = w.Flush()
	if r.LooksOmitted > 0 {
		fmt.Fprintf(out, "  and %d looks that are not listed: narrow the report by --worker, --object, --job or --from, or raise --max-rows\n", r.LooksOmitted)
	}
}

// plain keeps what a client chose from writing to a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

func newAuditExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the record as its lines, as a table, or as events shaped like AWS CloudTrail's",
		Long: "To standard output, or with --out a file a day below a folder; CloudTrail's are below AWSLogs/ as CloudTrail puts its own.\n" +
			"A server exports finished days into a bucket by itself: see its setting --audit-export.",
		Example: "  fiducial audit export --format csv --from 7d > week.csv\n  fiducial audit export --format cloudtrail --gzip --out ./trail",
		Args:    cobra.NoArgs,
	}
	s := addAuditSettings(c)
	when := addTimeRange(c)
	var format, out string
	var compress bool
	c.Flags().StringVar(&format, "format", "jsonl", "jsonl, csv or cloudtrail")
	c.Flags().StringVar(&out, "out", "", "folder to write a file a day below (default: everything to standard output)")
	c.Flags().BoolVar(&compress, "gzip", false, "compress")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := s.loadAudit(); err != nil {
			return err
		}
		b, err := when.between(time.Now())
		if err != nil {
			return err
		}
		o := export.Options{Region: s.settings.Region, Account: s.settings.AccountID}
		if o.Format, err = export.ParseFormat(format); err != nil {
			return &usageError{err}
		}
		if out == "" {
			_, err := export.Write(c.Context(), c.OutOrStdout(), s.settings.AuditDir(), b, compress, o)
			return err
		}
		if err := os.MkdirAll(out, 0o700); err != nil {
			return err
		}
		days, err := export.Folder(c.Context(), out, s.settings.AuditDir(), b, compress, o)
		for _, d := range days {
			fmt.Fprintf(c.OutOrStdout(), "%s\t%d records\n", d.Name, d.Records)
		}
		return err
	}
	return c
}
