package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fiducial/internal/audit"
	"fiducial/internal/config"
)

func newAudit() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Verify, read and export the record of every decision",
		Long: "Commands for whoever answers for the data. They read the files in the data folder and need no running server;\n" +
			"one may be at work meanwhile. On another machine they work on a copy of the folders audit and audit-heads.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newAuditVerify(), newAuditHead(), newAuditReport(), newAuditExport())
	return c
}

// addAuditSettings gives a command the settings that say where the record is;
// the others are understood, so that the server's own settings file will do.
func addAuditSettings(c *cobra.Command) *settingsFlags {
	s := addSettings(c)
	c.Flags().VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "data-dir", "audit-dir", "region", "account-id", config.ConfigFlag:
		default:
			f.Hidden = true
		}
	})
	return s
}

// loadAudit reads the settings and looks that there is a record at all.
func (s *settingsFlags) loadAudit() error {
	if _, err := s.load(); err != nil {
		return err
	}
	if st, err := os.Stat(s.settings.AuditDir()); errors.Is(err, fs.ErrNotExist) || err == nil && !st.IsDir() {
		return fmt.Errorf("there is no record of decisions in %s: --data-dir or --audit-dir must name the server's", s.settings.AuditDir())
	}
	return nil
}

// errAuditBroken is the exit of a verification that found something.
var errAuditBroken = errors.New("the record is not whole: see above")

func newAuditVerify() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check that the record is what was written: nothing changed, removed, moved or added",
		Long: "Follows every chain of the record line by line and compares its end with the signed head. Says which line of which file is not\n" +
			"what was written. With --head, compares with heads that were kept elsewhere too: only those show what somebody did who has all of this machine.",
		Example: "  fiducial audit verify\n  fiducial audit verify --head abcdefghij:1234:0f3c…\n  fiducial audit verify --audit-dir ./copy --no-heads",
		Args:    cobra.NoArgs,
	}
	s := addAuditSettings(c)
	var known []string
	var noHeads, asJSON bool
	c.Flags().StringArrayVar(&known, "head", nil, "a head that was kept, as `audit head` prints it (repeatable), or - for one a line on standard input")
	c.Flags().BoolVar(&noHeads, "no-heads", false, "do not compare with the heads in the data folder: for a copy of the record alone; an end that was cut off does not show then")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := s.loadAudit(); err != nil {
			return err
		}
		o := audit.VerifyOptions{Dir: s.settings.AuditDir(), Heads: s.settings.AuditHeads(), NoHeads: noHeads}
		var err error
		if o.Known, err = readHeads(known, c.InOrStdin()); err != nil {
			return &usageError{err}
		}
		v, err := audit.Verify(c.Context(), o)
		if err != nil {
			return err
		}
		if asJSON {
			err = writeJSON(c.OutOrStdout(), verificationJSON(v))
		} else {
			printVerification(c.OutOrStdout(), v, len(o.Known))
		}
		if err == nil && !v.OK() {
			err = errAuditBroken
		}
		return err
	}
	return c
}

func readHeads(args []string, in io.Reader) ([]audit.Head, error) {
	var texts []string
	for _, a := range args {
		if a != "-" {
			texts = append(texts, a)
			continue
		}
		b, err := io.ReadAll(io.LimitReader(in, 1<<20))
		if err != nil {
			return nil, err
		}
		texts = append(texts, strings.Fields(string(b))...)
	}
	var heads []audit.Head
	for _, text := range texts {
		h, err := audit.ParseHead(text)
		if err != nil {
			return nil, fmt.Errorf("--head: %s", describe(err))
		}
		heads = append(heads, h)
	}
	return heads, nil
}

func printVerification(w io.Writer, v *audit.Verification, known int) {
	for _, c := range v.Chains {
		if c.Files == 0 {
			continue
		}
		fmt.Fprintf(w, "chain %s: %d lines, number %d (%s) to %d (%s), in %d files\n", c.Chain, c.Lines,
			c.First, c.FirstTime.Format(time.RFC3339), c.Last, c.LastTime.Format(time.RFC3339), c.Files)
	}
	for _, n := range v.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	for _, p := range v.Problems {
		fmt.Fprintln(w, "PROBLEM:", p)
	}
	if v.More > 0 {
		fmt.Fprintf(w, "PROBLEM: and %d more\n", v.More)
	}
	switch {
	case !v.OK():
	case known > 0:
		fmt.Fprintf(w, "ok: every line is what was written, and the record still has the %d heads that were kept\n", known)
	default:
		fmt.Fprintln(w, "ok: every line is what was written, as far as this machine can know (compare with heads kept elsewhere: --head)")
	}
}

func verificationJSON(v *audit.Verification) any {
	type chain struct {
		Chain  string `json:"chain"`
		Files  int    `json:"files"`
		Lines  uint64 `json:"lines"`
		First  uint64 `json:"first"`
		Last   uint64 `json:"last"`
		HeadAt string `json:"head,omitempty"`
	}
	type problem struct {
		File string `json:"file,omitempty"`
		Line int    `json:"line,omitempty"`
		What string `json:"what"`
	}
	out := struct {
		OK       bool      `json:"ok"`
		Chains   []chain   `json:"chains"`
		Problems []problem `json:"problems"`
		More     int       `json:"more,omitempty"`
		Notes    []string  `json:"notes"`
	}{OK: v.OK(), Chains: []chain{}, Problems: []problem{}, More: v.More, Notes: append([]string{}, v.Notes...)}
	for _, c := range v.Chains {
		head := ""
		if c.Head != nil {
			head = c.Head.String()
		}
		out.Chains = append(out.Chains, chain{c.Chain, c.Files, c.Lines, c.First, c.Last, head})
	}
	for _, p := range v.Problems {
		out.Problems = append(out.Problems, problem(p))
	}
	return out
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func newAuditHead() *cobra.Command {
	c := &cobra.Command{
		Use:   "head",
		Short: "Print the heads of the record, to be kept where nobody of this machine reaches them",
		Long: "Prints one line for every chain: its name, the number of its last line, that line's hash. Whoever keeps a head can tell for ever\n" +
			"whether the record up to it is still the same: fiducial audit verify --head <line>. A server at work writes its head anew every second.",
		Args: cobra.NoArgs,
	}
	s := addAuditSettings(c)
	var long bool
	c.Flags().BoolVar(&long, "long", false, "print the time of each head too")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := s.loadAudit(); err != nil {
			return err
		}
		heads, err := audit.Heads(s.settings.AuditHeads())
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
		for _, h := range heads {
			switch {
			case h.Seq == 0: // begun and not written to
			case long:
				fmt.Fprintf(w, "%s\t%s\n", h, h.Time.Format(time.RFC3339))
			default:
				fmt.Fprintln(w, h)
			}
		}
		return errors.Join(w.Flush(), err)
	}
	return c
}
