package journey

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

// The labels of a finished job are made again from the files it has left: with
// the same method they are what they were, and with another only those that it
// decides otherwise change, while all the rest of every line stays.
func TestConsolidateAFinishedJobAgain(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	workers := []boot.Account{{Email: "w0@example.com", Password: "Correct-horse-0"}, {Email: "w1@example.com", Password: "Correct-horse-1"}, {Email: "w2@example.com", Password: "Correct-horse-2"}}
	const objects = 6
	s.Make(boot.Setup{Workers: workers, Jobs: []boot.Job{{Name: "moods", Function: "TextMultiClass", Labels: []string{"glad", "sad", "cross"}, Objects: objects, Workers: len(workers), Text: true},
		{Name: "segments", Function: "SemanticSegmentation", Attribute: "label-ref", Labels: []string{"cat"}, Objects: 1, Workers: len(workers)}}})
	for i, account := range workers {
		w, err := boot.NewWorker(s.Portal, "127.0.0.1", account.Email, account.Password)
		if err != nil {
			t.Fatal(err)
		}
		for n := range objects {
			id, err := w.Start("moods")
			if err != nil || id == "" {
				t.Fatal(id, err)
			}
			label := []string{"glad", "sad", "cross"}[(i*n)%3]
			if status, _, err := w.Submit(id, map[string]any{"category": map[string]string{"label": label}}); err != nil || status != 200 {
				t.Fatal(status, err)
			}
		}
		id, err := w.Start("segments")
		if err != nil || id == "" {
			t.Fatal(id, err)
		}
		if status, _, err := w.Submit(id, map[string]any{"annotatedResult": map[string]any{
			"labeledImage":  map[string]string{"pngImageData": base64.StdEncoding.EncodeToString(segments(t, i > 0))},
			"labelMappings": map[string]any{"cat": map[string]string{"color": "#1f77b4"}}}}); err != nil || status != 200 {
			t.Fatal(status, err)
		}
	}
	consolidateSegments(t, s)
	j := s.AwaitJob("moods", time.Minute, "Completed", "Failed")
	before := boot.Must(t)(s.AWS("s3", "cp", j.LabelingJobOutput.OutputDatasetS3Uri, "-"))
	again := func(args ...string) (manifest, told string, err error) {
		c := boot.Command(context.Background(), append([]string{"job", "consolidate", "--job", "moods"}, args...)...)
		c.Env = append(c.Env, s.ClientEnv()...)
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		err = c.Run()
		return out.String(), errs.String(), err
	}
	// Times and confidences apart: a lone batch and the whole job are the same here.
	same, told, err := again()
	if err != nil || !strings.Contains(told, "6 objects have answers: 6 labels are the same, 0 are others, 0 objects have none") {
		t.Fatalf("%v: %s", err, told)
	}
	if a, b := undated(before), undated(same); a != b {
		t.Errorf("the same method: was\n%s\nis\n%s", a, b)
	}
	file := filepath.Join(t.TempDir(), "moods.manifest")
	if _, told, err = again("--method", "majority", "--out", file); err != nil {
		t.Fatalf("%v: %s", err, told)
	}
	majority, err := os.ReadFile(file)
	if err != nil || bytes.Count(majority, []byte("\n")) != objects || !bytes.Contains(majority, []byte(`"confidence":0.33`)) {
		t.Errorf("%v: %s", err, majority)
	}
	if _, told, err = again("--method", "best"); err == nil || !strings.Contains(told, `--method: "best" is not a consolidation method`) {
		t.Errorf("%v: %s", err, told)
	}
	c := boot.Command(context.Background(), "job", "consolidate", "--job", "none")
	c.Env = append(c.Env, s.ClientEnv()...)
	if out, err := c.CombinedOutput(); err == nil || !strings.Contains(string(out), "ResourceNotFound") {
		t.Errorf("a job that is not there: %v: %s", err, out)
	}
}

// segments is a picture of segments, whole or nothing.
func segments(t *testing.T, whole bool) []byte {
	t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, 4, 3), color.Palette{color.White, color.RGBA{0x1f, 0x77, 0xb4, 255}})
	for i := range img.Pix {
		if whole {
			img.Pix[i] = 1
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Labels that are pictures stay as they are while they would be the same; one
// that would not is put beside the old one.
func consolidateSegments(t *testing.T, s *boot.Server) {
	t.Helper()
	j := s.AwaitJob("segments", time.Minute, "Completed", "Failed")
	before := boot.Must(t)(s.AWS("s3", "cp", j.LabelingJobOutput.OutputDatasetS3Uri, "-"))
	uri := labelRef(t, before)
	again := func(args ...string) (manifest, told string) {
		c := boot.Command(context.Background(), append([]string{"job", "consolidate", "--job", "segments"}, args...)...)
		c.Env = append(c.Env, s.ClientEnv()...)
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		_ = c.Run()
		return out.String(), errs.String()
	}
	same, told := again()
	if !strings.Contains(told, "1 objects have answers: 1 labels are the same, 0 are others") || labelRef(t, same) != uri || undated(same) != undated(before) {
		t.Errorf("the same: %s\n%s", told, same)
	}
	other := filepath.Join(t.TempDir(), "other.png")
	if err := os.WriteFile(other, segments(t, false), 0o600); err != nil {
		t.Fatal(err)
	}
	made := boot.Must(t)(s.AWS("s3", "cp", uri, "-"))
	boot.Must(t)(s.AWS("s3", "cp", other, uri))
	changed, told := again()
	if !strings.Contains(told, "0 labels are the same, 1 are others") || labelRef(t, changed) == uri {
		t.Fatalf("another: %s\n%s", told, changed)
	}
	if boot.Must(t)(s.AWS("s3", "cp", labelRef(t, changed), "-")) != made {
		t.Error("the picture made again is another")
	}
	if _, told := again("--method", "majority"); !strings.Contains(told, "this job's labels are boxes or segments") {
		t.Errorf("a method: %s", told)
	}
}

func labelRef(t *testing.T, manifest string) string {
	t.Helper()
	_, uri, ok := strings.Cut(manifest, `"label-ref":"`)
	if !ok {
		t.Fatalf("no label-ref in %s", manifest)
	}
	uri, _, _ = strings.Cut(uri, `"`)
	return uri
}

// undated is a manifest without the dates of its labels.
func undated(manifest string) string {
	var out []string
	for _, line := range strings.Split(manifest, "\n") {
		if from := strings.Index(line, `"creation-date":"`); from >= 0 {
			line = fmt.Sprint(line[:from], line[from+len(`"creation-date":"2006-01-02T15:04:05.000000"`):])
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}
