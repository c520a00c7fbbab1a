package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fiducial/internal/app"
)

func newDemo() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the service with sample photographs, two workers and two labeling jobs",
		Long:  "Starts the service as serve does and makes, through the same public APIs that you would use: buckets with photographs, an execution role,\na workforce, a work team whose media URLs are bound to the worker's address, and two labeling jobs.",
		Args:  cobra.NoArgs,
	}
	s := addSettings(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if _, err := s.load(); err != nil {
			return err
		}
		return runDemo(c.Context(), s, c.OutOrStdout())
	}
	return c
}

func runDemo(ctx context.Context, s *settingsFlags, out io.Writer) error {
	if err := os.MkdirAll(s.settings.DataDir, 0o700); err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(s.settings.DataDir, "demo.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	collectLess()
	a, err := app.New(ctx, &s.settings, version, s.logger(logFile))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- a.Run(ctx)
		stop()
	}()
	id, secret := a.Root()
	d := &demoSetup{
		client: newClient(a.LocalAPIURL(), s.settings.Region, id, secret), account: s.settings.AccountID,
		step:    func(name string) { fmt.Fprintf(out, "  making %s\n", name) },
		workers: []demoWorker{{Email: "ana@example.com"}, {Email: "ben@example.com"}},
	}
	fmt.Fprintln(out, "Fiducial demo")
	if err := d.run(ctx); err != nil {
		stop()
		<-served
		return fmt.Errorf("the demo could not be set up: %w", err)
	}
	summary(out, s, a, d)
	d.watch(ctx, out)
	fmt.Fprintln(out, "\nstopping")
	return <-served
}

func summary(out io.Writer, s *settingsFlags, a *app.App, d *demoSetup) {
	dir := filepath.Clean(s.settings.DataDir)
	fmt.Fprintf(out, `
Worker portal   %s
  sign in as    %s   password  %s
             or %s   password  %s

APIs            %s
  AWS CLI       export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=%s
                export AWS_SHARED_CREDENTIALS_FILE=%s
                aws sagemaker list-labeling-jobs
                aws s3 cp s3://%s/%s/manifests/output/output.manifest -

Try this: start a task, copy the address of the picture, and open it with
  curl --interface 127.0.0.2 -i '<address>'      403: not the worker's address
Every look is on record in %s.
Ctrl-C ends the demo; what was made stays in %s.

`, a.PortalURL(), d.workers[0].Email, d.workers[0].Password, d.workers[1].Email, d.workers[1].Password,
		a.APIURL(), a.APIURL(), s.settings.Region, absolute(filepath.Join(dir, "root-credentials")),
		demoOutput, demoJobs[0].Name, filepath.Join(dir, "audit"), dir)
}

func absolute(p string) string {
	if a, err := filepath.Abs(p); err == nil {
		return a
	}
	return p
}

// watch prints a line whenever the jobs get on, until ctx ends.
func (d *demoSetup) watch(ctx context.Context, out io.Writer) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := ""
	finished := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var parts []string
		for _, j := range demoJobs {
			var job struct {
				LabelingJobStatus string
				FailureReason     string
				LabelCounters     struct{ TotalLabeled, Unlabeled, FailedNonRetryableError int }
				LabelingJobOutput struct{ OutputDatasetS3Uri string }
			}
			if err := d.sagemaker(ctx, "DescribeLabelingJob", object{"LabelingJobName": j.Name}, &job); err != nil {
				if ctx.Err() == nil {
					slog.Debug("demo: describe", "job", j.Name, "error", err)
				}
				continue
			}
			n := job.LabelCounters
			parts = append(parts, fmt.Sprintf("%s %s %d/%d", j.Name, job.LabelingJobStatus, n.TotalLabeled, n.TotalLabeled+n.Unlabeled+n.FailedNonRetryableError))
			if done := job.LabelingJobStatus; (done == "Completed" || done == "Failed" || done == "Stopped") && !finished[j.Name] {
				finished[j.Name] = true
				switch done {
				case "Failed":
					fmt.Fprintf(out, "%s failed: %s\n", j.Name, job.FailureReason)
				default:
					fmt.Fprintf(out, "%s is %s: %s\n", j.Name, strings.ToLower(done), job.LabelingJobOutput.OutputDatasetS3Uri)
				}
			}
		}
		if line := strings.Join(parts, " · "); line != last && line != "" {
			fmt.Fprintf(out, "%s  %s\n", time.Now().Format("15:04:05"), line)
			last = line
		}
	}
}
