package exchange_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"fiducial/internal/labeling/exchange"
)

// seen is what a reader that is not ours finds of one data object.
type seen struct {
	Source string  `json:"source"`
	Labels []label `json:"labels"`
}

type label struct {
	Label  string    `json:"label"`
	ID     *int      `json:"id,omitempty"`
	Box    []float64 `json:"box,omitempty"`
	Score  *float64  `json:"score,omitempty"`
	Pixels int       `json:"pixels,omitempty"`
	Text   []string  `json:"text,omitempty"`
}

// python is an interpreter, preferring one that has the named module.
func python(t *testing.T, module string) string {
	t.Helper()
	found := ""
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if found == "" {
			found = path
		}
		if module != "" && exec.Command(path, "-c", "import "+module).Run() == nil {
			return path
		}
	}
	if found == "" {
		t.Skip("SKIPPED: python3 is not installed, so nobody else reads what was written")
	}
	return found
}

// others lets testdata/readers.py read an export.
func others(t *testing.T, format, path, module string) []seen {
	t.Helper()
	c := exec.Command(python(t, module), "testdata/readers.py", format, path)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if strings.Contains(errs.String(), "is not installed") {
		t.Logf("read by the standard library's reader only: %s", strings.TrimSpace(errs.String()))
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", format, err, errs.String())
	}
	var found []seen
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// expected is the same, from the manifest. Regions are by class, as in run
// lengths.
func expected(t *testing.T, manifest string, ids, scores bool) []seen {
	t.Helper()
	var out []seen
	for _, r := range read(t, manifest) {
		s := seen{Source: r.Source(), Labels: []label{}}
		for _, b := range r.Boxes {
			l := label{Label: b.Name, Box: []float64{b.Left, b.Top, b.Width, b.Height}}
			if ids {
				l.ID = &b.ID
			}
			if scores {
				l.Score = &b.Confidence.Value
			}
			s.Labels = append(s.Labels, l)
		}
		for _, c := range r.Choices {
			l := label{Label: c.Name}
			if ids {
				l.ID = &c.ID
			}
			s.Labels = append(s.Labels, l)
		}
		for _, x := range r.Spans {
			s.Labels = append(s.Labels, label{Label: x.Label, Text: []string{string([]rune(r.Text)[x.Start:x.End])}})
		}
		out = append(out, s)
	}
	return out
}

func TestReadersThatAreNotOurs(t *testing.T) {
	id := func(n int) *int { return &n }
	score := func(x float64) *float64 { return &x }
	runs := []seen{{"s3://photos/a/street.png", []label{
		{Label: "road", ID: id(1), Box: []float64{0, 0, 4, 4}, Score: score(0.8), Pixels: 12},
		{Label: "house", ID: id(2), Box: []float64{4, 1, 4, 4}, Score: score(0.7), Pixels: 8}}}}
	outlines := []seen{{"s3://photos/a/street.png", []label{
		{Label: "road", ID: id(1), Box: []float64{0, 0, 4, 4}, Score: score(0.8), Pixels: 16},
		{Label: "house", ID: id(2), Box: []float64{4, 1, 4, 4}, Score: score(0.7), Pixels: 8}}}}
	tokens := []seen{
		{"Ann 😀 met Bob in New York . She left Zoë - Lou .", []label{{Label: "PER", Text: []string{"Ann"}}, {Label: "PER", Text: []string{"Bob"}}, {Label: "LOC", Text: []string{"New", "York"}}, {Label: "PER", Text: []string{"Zoë", "-", "Lou"}}}},
		{"nobody", []label{}}}
	for _, c := range []struct {
		name, format, reader, module, manifest string
		want                                   []seen
	}{
		{"COCO boxes", "coco", "coco", "pycocotools", "boxes", expected(t, manifests["boxes"], true, true)},
		{"COCO run lengths", "coco", "coco", "pycocotools", "mask", runs},
		{"COCO polygons", "coco polygons", "coco", "pycocotools", "mask", outlines},
		{"YOLO boxes", "yolo", "yolo", "", "boxes", expected(t, manifests["boxes"], true, false)},
		{"YOLO outlines", "yolo", "yolo", "", "mask", []seen{{"s3://photos/a/street.png", []label{
			{Label: "road", ID: id(1), Pixels: 16}, {Label: "house", ID: id(2), Pixels: 4}, {Label: "house", ID: id(2), Pixels: 1}, {Label: "house", ID: id(2), Pixels: 3}}}}},
		{"VOC boxes", "voc", "voc", "", "boxes", expected(t, manifests["boxes"], false, false)},
		{"CoNLL-2003", "conll", "conll", "nltk", "spans", tokens},
		{"CSV boxes", "csv", "csv", "", "boxes", expected(t, manifests["boxes"], false, false)},
		{"CSV spans", "csv", "csv", "", "spans", expected(t, manifests["spans"], false, false)},
		{"CSV classes", "csv", "csv", "", "text class", expected(t, manifests["text class"], false, false)},
		{"JSON Lines boxes", "jsonl", "jsonl", "", "boxes", expected(t, manifests["boxes"], true, false)},
		{"JSON Lines spans", "jsonl", "jsonl", "", "spans", expected(t, manifests["spans"], false, false)},
		{"JSON Lines classes", "jsonl", "jsonl", "", "class", expected(t, manifests["class"], true, false)},
		{"JSON Lines several classes", "jsonl", "jsonl", "", "multi", expected(t, manifests["multi"], true, false)},
		{"Parquet boxes", "parquet", "jsonl", "", "boxes", expected(t, manifests["boxes"], true, false)},
		{"Parquet spans", "parquet", "jsonl", "", "spans", expected(t, manifests["spans"], false, false)},
		{"Parquet several classes", "parquet", "jsonl", "", "multi", expected(t, manifests["multi"], true, false)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := export(t, c.format, manifests[c.manifest], exchange.Names{})
			if err != nil {
				t.Fatal(err)
			}
			path := w.path
			if c.format == "jsonl" {
				path = rowsFile(t, path)
			}
			if c.format == "parquet" {
				path = byHyparquet(t, rowsFile(t, path))
			}
			if diff := gocmp.Diff(c.want, others(t, c.reader, path, c.module)); diff != "" {
				t.Errorf("(-manifest +the other reader):\n%s", diff)
			}
		})
	}
}

// byHyparquet makes JSON Lines of Parquet by a reader in JavaScript.
func byHyparquet(t *testing.T, name string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	library, _ := filepath.Abs("../../../web/node_modules/hyparquet/src/node.js")
	if _, serr := os.Stat(library); err != nil || serr != nil {
		t.Skip("SKIPPED: node or web/node_modules/hyparquet is not there (npm ci in web), so nobody else reads the Parquet that was written")
	}
	c := exec.Command(node, "testdata/parquet.mjs", library, name)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
