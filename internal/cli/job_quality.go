package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fiducial/internal/labeling/quality"
)

func newJobQuality() *cobra.Command {
	c := &cobra.Command{
		Use:   "quality JOB",
		Short: "Show how the workers of a labeling job do, and what quality control has done",
		Long: "For every worker: right answers to gold questions with the interval where the true share lies with 95 % probability, agreement\n" +
			"with the labels that the answers went into, median seconds for an answer, and what was done. Then every gold question, and every\n" +
			"action. How a job gets quality control is in docs/quality.md.\n\n" +
			"It asks a running server (fiducial:GetLabelingJobQuality), signed with the AWS credentials of the environment, or else with the\n" +
			"root credentials in the data folder.",
		Example: "  fiducial job quality birds\n  fiducial job quality birds --json",
		Args:    cobra.ExactArgs(1),
	}
	asJSON := c.Flags().Bool("json", false, "print the answer as JSON")
	r := addRemote(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		var raw json.RawMessage
		if err := r.call(c.Context(), "GetLabelingJobQuality", map[string]string{"LabelingJobName": args[0]}, &raw); err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), raw)
		}
		var q quality.Report
		if err := json.Unmarshal(raw, &q); err != nil {
			return err
		}
		printQuality(c.OutOrStdout(), &q)
		return nil
	}
	return c
}

func printQuality(out io.Writer, q *quality.Report) {
	fmt.Fprintf(out, "%d answers count, %d were discarded\n\nWORKERS\n", q.Answers, q.Discarded)
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "  worker\tanswers\tskips\tgold\taccuracy\t95 % interval\tagreement\tmedian\tactions\tstatus")
	for _, x := range q.Workers {
		gold, accuracy, interval, agreement := "-", "-", "-", "-"
		if g := x.Gold; g != nil {
			gold, accuracy, interval = fmt.Sprintf("%d/%d", g.Right, g.Asked), fmt.Sprintf("%.2f", g.Value), fmt.Sprintf("%.2f-%.2f", g.Low, g.High)
		}
		if x.Agreement != nil {
			agreement = fmt.Sprintf("%.2f (%d)", *x.Agreement, x.Compared)
		}
		status := x.Status
		if x.Until != nil {
			status += " until " + x.Until.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "  %s\t%d\t%d\t%s\t%s\t%s\t%s\t%.1f s\t%d\t%s\n", plain(x.WorkerId), x.Answers, x.Skips, gold, accuracy, interval, agreement, x.MedianSeconds, x.Actions, status)
	}
	_ = w.Flush()
	if len(q.Gold) > 0 {
		fmt.Fprintln(out, "\nGOLD QUESTIONS")
		w = tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "  line\tright\tasked\tobject")
		for _, g := range q.Gold {
			fmt.Fprintf(w, "  %d\t%d\t%d\t%s\n", g.Line, g.Right, g.Asked, plain(cut(g.Source, 80)))
		}
		_ = w.Flush()
	}
	fmt.Fprintln(out, "\nACTIONS")
	if len(q.Actions) == 0 {
		fmt.Fprintln(out, "  none")
	}
	for _, a := range q.Actions {
		fmt.Fprintf(out, "  %s  %s of %s", a.Time.Format(time.RFC3339), a.Action, plain(a.WorkerId))
		if a.ObjectId != "" {
			fmt.Fprintf(out, ", object %s", a.ObjectId)
		}
		if a.Until != nil {
			fmt.Fprintf(out, ", until %s", a.Until.Format(time.RFC3339))
		}
		if a.Rule != "" {
			fmt.Fprintf(out, ", by the rule %q", plain(a.Rule))
		}
		if a.By != "" {
			fmt.Fprintf(out, ", by %s", plain(a.By))
		}
		fmt.Fprintf(out, ": %s\n", plain(a.Detail))
	}
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func newJobExclude() *cobra.Command {
	c := &cobra.Command{
		Use:     "exclude JOB --worker W --reason TEXT [--requeue]",
		Short:   "Keep a worker from the tasks of a labeling job",
		Long:    "The worker gets no task of the job any more; what they hold ends, and its media URLs within a second. With --requeue their answers\nare discarded and the objects offered again. The job must have quality control (docs/quality.md); fiducial job admit undoes it.",
		Example: "  fiducial job exclude birds --worker ana@example.com --reason 'labels without looking' --requeue",
		Args:    cobra.ExactArgs(1),
	}
	requeue := c.Flags().Bool("requeue", false, "discard the worker's answers and offer the objects again")
	return workerCommand(c, "ExcludeWorker", "excluded", func(in map[string]any) {
		if *requeue {
			in["RequeueAnswers"] = true
		}
	})
}

func newJobAdmit() *cobra.Command {
	c := &cobra.Command{
		Use:     "admit JOB --worker W --reason TEXT",
		Short:   "Let a worker who was paused or excluded work on a labeling job again",
		Long:    "Answers that were discarded stay so: others have been asked instead.",
		Example: "  fiducial job admit birds --worker ana@example.com --reason 'the gold question was wrong'",
		Args:    cobra.ExactArgs(1),
	}
	return workerCommand(c, "AdmitWorker", "admitted", func(map[string]any) {})
}

func workerCommand(c *cobra.Command, operation, done string, more func(map[string]any)) *cobra.Command {
	worker := c.Flags().String("worker", "", "worker id, e-mail address or user name")
	reason := c.Flags().String("reason", "", "why, for the audit record")
	r := addRemote(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *worker == "":
			return &usageError{errors.New("--worker is missing: expected a worker id, e-mail address or user name")}
		case *reason == "":
			return &usageError{errors.New("--reason is missing: it is what the audit record will say")}
		}
		in := map[string]any{"LabelingJobName": args[0], "Worker": *worker, "Reason": *reason}
		more(in)
		var out struct{ WorkerId string }
		if err := r.call(c.Context(), operation, in, &out); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", done, plain(out.WorkerId))
		return nil
	}
	return c
}
