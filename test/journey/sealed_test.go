package journey

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

// A job whose pictures and whose output are sealed under a KMS key: the worker
// sees the picture, the key's state decides about every look, nothing that people
// answered lies open on the disk, and what the job wrote is under the key.
func TestSealedJob(t *testing.T) {
	t.Parallel()
	picture := boot.Picture(t, 320, 240)
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	s := boot.Start(t, boot.Options{})
	must := boot.Must(t)
	key := strings.TrimSpace(must(s.AWS("kms", "create-key", "--query", "KeyMetadata.Arn", "--output", "text")))
	s.Make(boot.Setup{Workers: []boot.Account{ana}, SourceIP: true, KeyID: key, Jobs: []boot.Job{
		{Name: "moods", Function: "ImageMultiClass", Labels: []string{"a-label-to-find", "another"}, Objects: 2, Workers: 1, Picture: picture},
	}})
	if out := must(s.AWS("sagemaker", "describe-labeling-job", "--labeling-job-name", "moods", "--query", "OutputConfig.KmsKeyId", "--output", "text")); strings.TrimSpace(out) != key {
		t.Errorf("DescribeLabelingJob shows the key %s", out)
	}
	w, err := boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		id, err := w.Start("moods")
		if err != nil || id == "" {
			t.Fatal(id, err)
		}
		_, media, err := w.Frame(id)
		if err != nil || len(media) != 1 {
			t.Fatal(media, err)
		}
		look := func(when, from string, status int, says string) {
			t.Helper()
			got, body := get(t, from, "GET", media[0], nil)
			if got != status || status == 200 && !bytes.Equal(body, want) || !bytes.Contains(body, []byte(says)) {
				t.Errorf("%s: %d, %d bytes", when, got, len(body))
			}
		}
		look("the worker", "127.0.0.1", 200, "")
		look("another address", "127.0.0.2", 403, "AccessDenied")
		must(s.AWS("kms", "disable-key", "--key-id", key))
		look("the key is disabled", "127.0.0.1", 400, "KMS.DisabledException")
		must(s.AWS("kms", "enable-key", "--key-id", key))
		look("the key is enabled", "127.0.0.1", 200, "")
		answer := map[string]any{"category": map[string]string{"label": "a-label-to-find"}, "id": "an-answer-to-find"}
		if status, _, err := w.Post(id, "draft", map[string]any{"answer": answer}); err != nil || status >= 300 {
			t.Errorf("draft %d: %d %v", i, status, err)
		}
		if status, _, err := w.Submit(id, answer); err != nil || status != 200 {
			t.Fatal(status, err)
		}
	}
	j := s.AwaitJob("moods", time.Minute, "Completed", "Failed")
	if j.LabelingJobStatus != "Completed" {
		t.Fatalf("%+v", j)
	}
	lines := s.Manifest(j.LabelingJobOutput.OutputDatasetS3Uri)
	if len(lines) != 2 || !strings.Contains(toJSON(t, lines), "a-label-to-find") {
		t.Errorf("the output manifest: %v", lines)
	}
	// Everything that the job wrote is under the key.
	var list struct{ Contents []struct{ Key string } }
	if err := json.Unmarshal([]byte(must(s.AWS("s3api", "list-objects-v2", "--bucket", "output"))), &list); err != nil || len(list.Contents) < 4 {
		t.Fatalf("%v: %d objects", err, len(list.Contents))
	}
	for _, o := range list.Contents {
		if out := must(s.AWS("s3api", "head-object", "--bucket", "output", "--key", o.Key)); !strings.Contains(out, key) {
			t.Errorf("%s is not sealed under the key: %s", o.Key, out)
		}
	}
	s.Stop()
	lie(t, s.DataDir, "an-answer-to-find", want[:64])
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lie fails if a text or the picture lies open anywhere in the data folder.
func lie(t *testing.T, dir, text string, picture []byte) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		if bytes.Contains(b, []byte(text)) || bytes.Contains(b, picture) {
			t.Errorf("%s holds an answer or the picture in the open", path)
		}
		return nil
	})
	if err != nil || seen < 5 {
		t.Errorf("looked through %d files, %v", seen, err)
	}
}
