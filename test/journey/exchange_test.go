package journey

import (
	"bytes"
	"context"
	"encoding/json"
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

// Labels of a finished job leave for another tool and come back as a manifest
// that a new job starts from; masks are read from the bucket.
func TestExportAndImport(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ana}, Jobs: []boot.Job{{Name: "birds", Function: "BoundingBox", Labels: []string{"Owl", "Robin", "Wren"}, Objects: 2, Workers: 1}}})
	dir := t.TempDir()
	fiducial := func(args ...string) (out, told string, err error) {
		c := boot.Command(context.Background(), args...)
		c.Env = append(c.Env, s.ClientEnv()...)
		c.Dir = dir
		var o, e bytes.Buffer
		c.Stdout, c.Stderr = &o, &e
		err = c.Run()
		return o.String(), e.String(), err
	}
	if _, told, err := fiducial("export", "--job", "birds", "--to", "coco", "--out", "early.json"); err == nil || !strings.Contains(told, "only a job that has ended can be exported") {
		t.Errorf("a job in progress: %v: %s", err, told)
	}
	if _, told, err := fiducial("export", "--job", "none", "--to", "coco", "--out", "none.json"); err == nil || !strings.Contains(told, "ResourceNotFound") {
		t.Errorf("a job that is not there: %v: %s", err, told)
	}
	w, err := boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		id, err := w.Start("birds")
		if err != nil || id == "" {
			t.Fatal(id, err)
		}
		answer := map[string]any{"annotatedResult": map[string]any{
			"boundingBoxes":        []any{map[string]any{"label": "Robin", "left": 80, "top": 60, "width": 40, "height": 30}},
			"inputImageProperties": map[string]int{"width": 320, "height": 240}}}
		if status, _, err := w.Submit(id, answer); err != nil || status != 200 {
			t.Fatal(status, err)
		}
	}
	job := s.AwaitJob("birds", time.Minute, "Completed", "Failed")

	_, told, err := fiducial("export", "--job", "birds", "--to", "coco", "--prefix", "s3://input/", "--out", "birds.json")
	if err != nil || !strings.Contains(told, "2 labels exported") {
		t.Fatalf("%v: %s", err, told)
	}
	var document struct {
		Images      []struct{ File string } `json:"images"`
		Annotations []struct {
			Box      []float64 `json:"bbox"`
			Category int       `json:"category_id"`
		} `json:"annotations"`
		Categories []struct{ Name string } `json:"categories"`
	}
	b, err := os.ReadFile(filepath.Join(dir, "birds.json"))
	if err == nil {
		err = json.Unmarshal(b, &document)
	}
	if err != nil || len(document.Images) != 2 || len(document.Annotations) != 2 || len(document.Categories) != 3 || document.Annotations[0].Category != 1 || document.Annotations[0].Box[2] != 40 {
		t.Errorf("%v: %s", err, b)
	}
	table, told, err := fiducial("export", "--manifest", job.LabelingJobOutput.OutputDatasetS3Uri, "--to", "csv", "--out", "-")
	if err != nil || !strings.Contains(table, "1,s3://input/birds/0.jpg,,groundtruth/object-detection,Robin,1,") {
		t.Errorf("%v: %s%s", err, told, table)
	}

	// Back, and into a job.
	if _, told, err = fiducial("import", "--from", "coco", "--in", "birds.json", "--prefix", "s3://input/", "--attribute", "earlier", "--out", "again.manifest"); err != nil {
		t.Fatalf("%v: %s", err, told)
	}
	boot.Must(t)(s.AWS("s3", "cp", filepath.Join(dir, "again.manifest"), "s3://input/again.manifest"))
	described := boot.Must(t)(s.AWS("sagemaker", "describe-labeling-job", "--labeling-job-name", "birds", "--query", "[HumanTaskConfig]"))
	var human []json.RawMessage
	if err := json.Unmarshal([]byte(described), &human); err != nil {
		t.Fatal(err)
	}
	boot.Must(t)(s.AWS("sagemaker", "create-labeling-job", "--labeling-job-name", "again", "--label-attribute-name", "label",
		"--input-config", `{"DataSource":{"S3DataSource":{"ManifestS3Uri":"s3://input/again.manifest"}}}`, "--output-config", "S3OutputPath=s3://output/",
		"--role-arn", "arn:aws:iam::000000000000:role/GroundTruthExecution", "--label-category-config-s3-uri", "s3://input/birds.labels.json", "--human-task-config", string(human[0])))
	if st := s.AwaitJob("again", time.Minute, "InProgress", "Failed"); st.LabelingJobStatus != "InProgress" {
		t.Errorf("the job from the imported manifest is %+v", st)
	}
	if id, err := w.Start("again"); err != nil || id == "" {
		t.Errorf("no task of the imported manifest: %q, %v", id, err)
	}

	// A segmentation whose PNG is in the bucket.
	picture := image.NewPaletted(image.Rect(0, 0, 4, 3), color.Palette{color.White, color.RGBA{0x2a, 0xcf, 0x59, 255}})
	picture.Pix[5], picture.Pix[6] = 1, 1
	var body bytes.Buffer
	if err := png.Encode(&body, picture); err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("m.png", body.Bytes())
	write("s.manifest", []byte(`{"source-ref":"s3://input/birds/0.jpg","s-ref":"s3://output/m.png","s-ref-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff"},"1":{"class-name":"road","hex-color":"#2acf59"}},"type":"groundtruth/semantic-segmentation"}}`))
	boot.Must(t)(s.AWS("s3", "cp", filepath.Join(dir, "m.png"), "s3://output/m.png"))
	out, told, err := fiducial("export", "--manifest", "s.manifest", "--to", "coco", "--out", "-")
	if err != nil || !strings.Contains(out, `"bbox":[1,1,2,1],"area":2,"segmentation":{"size":[3,4],"counts":"`) {
		t.Errorf("%v: %s%s", err, told, out)
	}
	boot.Must(t)(s.AWS("s3", "rm", "s3://output/m.png"))
	if _, told, err = fiducial("export", "--manifest", "s.manifest", "--to", "coco", "--out", "gone.json"); err == nil || !strings.Contains(told, "line 1: the mask s3://output/m.png") || !strings.Contains(told, "NoSuchKey") {
		t.Errorf("a mask that is not there: %v: %s", err, told)
	}
}
