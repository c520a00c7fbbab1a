package boot

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed setup.py
var setupProgram string

// Account is somebody who can sign in to the portal.
type Account struct{ Email, Password string }

// Job is a labeling job to make.
type Job struct {
	Name      string
	Function  string // suffix of PRE- and ACS-: "BoundingBox"
	Labels    []string
	Objects   int
	Workers   int
	Text      bool   // objects are inline text
	Picture   string // file of the picture that every object is a copy of
	Template  string // empty: the built-in one
	TimeLimit int    // seconds

	Attribute   string   // LabelAttributeName; empty: "label"
	Lines       []string // of the manifest, instead of Objects pictures or texts
	LabelConfig string   // the label category configuration, instead of Labels
	HumanTaskUI string   // ARN
}

// Setup is what is to be there before a test begins.
type Setup struct {
	Workers  []Account
	SourceIP bool // media URLs are bound to the worker's address
	Jobs     []Job
	KeyID    string // the KMS key that input and output are sealed under; empty for none
}

// Make makes it with boto3 and waits until the jobs are in progress.
func (s *Server) Make(setup Setup) {
	s.t.Helper()
	for i := range setup.Jobs {
		if !setup.Jobs[i].Text && len(setup.Jobs[i].Lines) == 0 && setup.Jobs[i].Picture == "" {
			setup.Jobs[i].Picture = Picture(s.t, 320, 240)
		}
	}
	b, err := json.Marshal(setup)
	if err != nil {
		s.t.Fatal(err)
	}
	Must(s.t)(s.Python(setupProgram, string(b)))
	for _, j := range setup.Jobs {
		if status := s.AwaitJob(j.Name, time.Minute, "InProgress", "Completed", "Failed"); status.LabelingJobStatus == "Failed" {
			s.t.Fatalf("job %s failed: %s", j.Name, status.FailureReason)
		}
	}
}

// JobStatus is what DescribeLabelingJob says.
type JobStatus struct {
	LabelingJobStatus, FailureReason string
	LabelCounters                    struct{ TotalLabeled, HumanLabeled, Unlabeled, FailedNonRetryableError int }
	LabelingJobOutput                struct{ OutputDatasetS3Uri string }
}

// Job asks the AWS CLI for a job's status.
func (s *Server) Job(name string) (JobStatus, error) {
	var st JobStatus
	out, err := s.AWS("sagemaker", "describe-labeling-job", "--labeling-job-name", name, "--output", "json")
	if err != nil {
		return st, err
	}
	return st, json.Unmarshal([]byte(out), &st)
}

// AwaitJob waits until a job has one of the statuses.
func (s *Server) AwaitJob(name string, within time.Duration, statuses ...string) JobStatus {
	s.t.Helper()
	deadline := time.Now().Add(within)
	for {
		st, err := s.Job(name)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, want := range statuses {
			if st.LabelingJobStatus == want {
				return st
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("job %s is %s %+v after %v, want one of %v", name, st.LabelingJobStatus, st, within, statuses)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// Manifest reads a job's output manifest with the AWS CLI, one object a line.
func (s *Server) Manifest(uri string) []map[string]any {
	s.t.Helper()
	out := Must(s.t)(s.AWS("s3", "cp", uri, "-"))
	var lines []map[string]any
	for _, l := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			s.t.Fatalf("manifest line %q: %v", l, err)
		}
		lines = append(lines, m)
	}
	return lines
}

// Picture writes a JPEG with something to see in it and returns its file name.
func Picture(t testing.TB, width, height int) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{uint8(x * 255 / width), uint8(y * 255 / height), 120, 255}
			if x > width/4 && x < width/2 && y > height/4 && y < height/2 {
				c = color.RGBA{230, 60, 40, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "picture.jpg")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
