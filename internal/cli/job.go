package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"fiducial/internal/labeling/consolidate/classes"
)

func newJob() *cobra.Command {
	c := &cobra.Command{
		Use:   "job",
		Short: "Work on labeling jobs beyond what the SageMaker API has",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newJobConsolidate(), newJobQuality(), newJobExclude(), newJobAdmit())
	return c
}

func newJobConsolidate() *cobra.Command {
	c := &cobra.Command{
		Use:   "consolidate --job NAME",
		Short: "Make the labels of a finished labeling job again from its workers' answers",
		Long: "Reads the answers that a job has left in its bucket and writes its output manifest again, with labels made with another method,\n" +
			"or with the same one from all answers at once: a job in progress learns about its workers in batches of 50 objects only.\n\n" +
			"The manifest goes to standard output or to a file; what is in the bucket stays as it is. Lines without answers stay as they are.\n" +
			"Where labels are pictures (semantic segmentation), those that have become others are put beside the old ones, under a new name.\n" +
			"Standard error says how many labels are others than before. It uses the S3 API and DescribeLabelingJob only, signed with the\n" +
			"AWS credentials of the environment, or else with the root credentials in the data folder.",
		Example: "  fiducial job consolidate --job birds --out birds.manifest\n  fiducial job consolidate --job birds --method ground-truth > birds.manifest",
		Args:    cobra.NoArgs,
	}
	name := c.Flags().String("job", "", "name of a labeling job that has ended")
	method := c.Flags().String("method", "", "of classifications, verifications and named entities: dawid-skene (default), majority or ground-truth")
	out := c.Flags().String("out", "-", "`file` to write; - is standard output")
	r := addRemote(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		m, err := classes.ParseMethod(*method)
		if err != nil {
			return &usageError{flag("method", err)}
		}
		if *name == "" {
			return &usageError{errors.New("--job is missing: expected the name of a labeling job that has ended")}
		}
		client, err := r.client()
		if err != nil {
			return err
		}
		a := &again{client: client, method: m, now: time.Now()}
		if err := a.read(c.Context(), *name); err != nil {
			return err
		}
		err = writeTo(*out, c.OutOrStdout(), func(w io.Writer) error { return a.write(c.Context(), w) })
		if err != nil {
			return err
		}
		fmt.Fprintf(c.ErrOrStderr(), "%d objects have answers: %d labels are the same, %d are others, %d objects have none\n", len(a.results), a.same, a.changed, a.failed)
		return nil
	}
	return c
}

// writeTo writes to a new file, whole or not at all, or to standard output.
func writeTo(name string, stdout io.Writer, fn func(io.Writer) error) error {
	if name == "-" {
		w := bufio.NewWriterSize(stdout, 1<<16)
		if err := fn(w); err != nil {
			return err
		}
		return w.Flush()
	}
	f, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	if err := errors.Join(fn(w), w.Flush(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), name)
}
