package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// explanation is the answer of ExplainAccess.
type explanation struct {
	Allowed     bool
	Summary     string
	Gates       []explainedGate
	Assumptions []string
}

type explainedGate struct{ Name, Title, Verdict, By, Detail, Change string }

func newAccessExplain() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain --worker W --job J --object s3://bucket/key --from ADDRESS [--via vpce-…]",
		Short: "Say why a worker can or cannot open an object: every gate, by which statement or setting, and what to change",
		Long: "Goes through every gate between a worker and an object of a labeling job, as if the worker asked now from the address given,\n" +
			"and says of each whether it passes or refuses, by which statement or setting, and what to change. Nothing is changed by asking.\n\n" +
			"The exit status is 0 if the worker can open the object, 3 if not.",
		Example: "  fiducial access explain --worker ana@example.com --job boxes --object s3://photos/1.jpg --from 203.0.113.7\n" +
			"  fiducial access explain --worker ana@example.com --job boxes --object s3://photos/1.jpg --from 10.0.1.7 --via vpce-0a1b2c3d\n" +
			"  fiducial access explain … --from 198.51.100.9 --opened-from 203.0.113.7   # a URL that was passed on",
		Args: cobra.NoArgs,
	}
	in := map[string]*string{}
	for _, f := range []struct{ flag, member, usage string }{
		{"worker", "Worker", "worker id, e-mail address or user name"},
		{"job", "LabelingJobName", "name of the labeling job"},
		{"object", "S3Uri", "s3://bucket/key"},
		{"from", "SourceIp", "address that the object is asked for from"},
		{"via", "VpcEndpointId", "VPC endpoint that the request comes through"},
		{"opened-from", "OpenedFromIp", "address that the task was opened from (default: the same)"},
		{"opened-via", "OpenedFromVpcEndpointId", "VPC endpoint that the task was opened through"},
	} {
		in[f.member] = c.Flags().String(f.flag, "", f.usage)
	}
	asJSON := c.Flags().Bool("json", false, "print the answer as JSON")
	r := addRemote(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		for _, f := range []string{"worker", "job", "object", "from"} {
			if c.Flag(f).Value.String() == "" {
				return &usageError{fmt.Errorf("--%s is missing (see fiducial access explain --help)", f)}
			}
		}
		request := map[string]string{}
		for member, value := range in {
			if *value != "" {
				request[member] = *value
			}
		}
		var raw json.RawMessage
		if err := r.call(c.Context(), "ExplainAccess", request, &raw); err != nil {
			return err
		}
		var x explanation
		if err := json.Unmarshal(raw, &x); err != nil {
			return err
		}
		if *asJSON {
			if err := printJSON(c.OutOrStdout(), raw); err != nil {
				return err
			}
		} else {
			x.print(c.OutOrStdout())
		}
		if !x.Allowed {
			return &refusedError{}
		}
		return nil
	}
	return c
}

// refusedError makes the exit status say that access is refused; the answer has
// been printed.
type refusedError struct{}

func (*refusedError) Error() string { return "access is refused" }

var marks = map[string]string{"passed": "ok", "refused": "NO", "not reached": "--"}

func (x *explanation) print(w io.Writer) {
	fmt.Fprintf(w, "%s\n\n", x.Summary)
	for i, g := range x.Gates {
		fmt.Fprintf(w, "%2d  %s  %s\n", i+1, marks[g.Verdict], g.Title)
		if g.Verdict == "not reached" {
			continue
		}
		paragraph(w, "", g.Detail)
		paragraph(w, "by: ", g.By)
		paragraph(w, "change: ", g.Change)
	}
	fmt.Fprintln(w, "\nTaken for granted:")
	for _, a := range x.Assumptions {
		paragraph(w, "- ", a)
	}
}

// paragraph prints a text under a gate, wrapped at spaces; nothing for no text.
func paragraph(w io.Writer, label, text string) {
	const indent, width = 8, 110
	if text == "" {
		return
	}
	words := strings.Fields(label + text)
	line := strings.Repeat(" ", indent)
	empty := true
	for _, word := range words {
		if !empty && len(line)+1+len(word) > width {
			fmt.Fprintln(w, line)
			line, empty = strings.Repeat(" ", indent+2), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(w, line)
}
