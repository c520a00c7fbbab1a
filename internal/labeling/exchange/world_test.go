package exchange_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/coco"
	"fiducial/internal/labeling/exchange/conll"
	"fiducial/internal/labeling/exchange/folder"
	"fiducial/internal/labeling/exchange/hf"
	"fiducial/internal/labeling/exchange/mask"
	"fiducial/internal/labeling/exchange/table"
	"fiducial/internal/labeling/exchange/voc"
	"fiducial/internal/labeling/exchange/yolo"
)

const made = `"human-annotated":"yes","creation-date":"2026-03-01T10:20:30.123456","job-name":"labeling-job/j"`

// Manifests of every kind of label, as Ground Truth's documentation shows them.
// Two pictures have the same file name below different prefixes, and keys are
// of the kind that attackers choose.
var manifests = map[string]string{
	"boxes": `{"source-ref":"s3://photos/a/x.jpg","patient":17.50,"b":{"image_size":[{"width":500,"height":400,"depth":3}],"annotations":[{"class_id":0,"left":111,"top":134,"width":61,"height":128},{"class_id":5,"left":0,"top":0,"width":500,"height":400}]},"b-metadata":{"objects":[{"confidence":0.8},{"confidence":0.9}],"class-map":{"0":"dog","5":"bone \"x\" <y>"},"type":"groundtruth/object-detection",` + made + `}}
{"source-ref":"s3://photos/b/x.jpg","b":{"image_size":[{"width":7,"height":5,"depth":1}],"annotations":[]},"b-metadata":{"objects":[],"class-map":{},"type":"groundtruth/object-detection",` + made + `,"adjustment-status":"adjusted","worker-count":3}}
{"source-ref":"s3://photos/a/x.png","b":{"image_size":[{"width":333,"height":77,"depth":3}],"annotations":[{"class_id":0,"left":332,"top":76,"width":1,"height":1}]},"b-metadata":{"objects":[{"confidence":0}],"class-map":{"0":"dog"},"type":"groundtruth/object-detection",` + made + `}}
{"source-ref":"s3://photos/../../etc/pass wd:ü\\%.jpg","b":{"image_size":[{"width":10,"height":10,"depth":3}],"annotations":[{"class_id":0,"left":1,"top":2,"width":3,"height":4}]},"b-metadata":{"objects":[{"confidence":1}],"class-map":{"0":"dog"},"type":"groundtruth/object-detection",` + made + `}}
`,
	"class": `{"source-ref":"s3://photos/x.jpg","c":9,"c-metadata":{"class-name":"Canary","confidence":0.95,"type":"groundtruth/image-classification",` + made + `}}
{"source-ref":"s3://photos/y.jpg","c":0,"c-metadata":{"class-name":"Emu","confidence":0.5,"type":"groundtruth/image-classification",` + made + `,"own":{"a":[1,2.50]}}}
`,
	"text class": `{"source":"The food, \"delicious\"\nline two, ü 😀","mood":1,"mood-metadata":{"class-name":"positive","confidence":0.8,"type":"groundtruth/text-classification",` + made + `}}
`,
	"video class": `{"source-ref":"s3://films/x.mp4","c":1,"c-metadata":{"class-name":"goal","confidence":0.8,"type":"groundtruth/video-classification",` + made + `}}
`,
	"multi": `{"source-ref":"s3://photos/x.jpg","m":[1,0,8],"m-metadata":{"class-map":{"1":"bicycle","0":"person","8":"clothing"},"confidence-map":{"1":0.95,"0":0.77,"8":0.2},"type":"groundtruth/image-classification-multilabel",` + made + `}}
{"source-ref":"s3://photos/y.jpg","m":[],"m-metadata":{"class-map":{},"confidence-map":{},"type":"groundtruth/image-classification-multilabel",` + made + `}}
`,
	"verification": `{"source-ref":"s3://photos/x.jpg","v":"1","v-metadata":{"class-name":"bad","confidence":0.93,"type":"groundtruth/label-verification",` + made + `,"worker-feedback":[{"comment":"too wide"},{"comment":"one, missing"}]}}
`,
	"spans": `{"source":"Ann 😀 met Bob in New York.\nShe left Zoë-Lou.","n":{"annotations":{"labels":[{"label":"PER","shortDisplayName":"p"},{"label":"LOC"}],"entities":[{"label":"PER","startOffset":0,"endOffset":3},{"label":"PER","startOffset":10,"endOffset":13},{"label":"LOC","startOffset":17,"endOffset":25},{"label":"PER","startOffset":36,"endOffset":43}]}},"n-metadata":{"entities":[{"confidence":0.5},{"confidence":0.25},{"confidence":1},{"confidence":0}],"type":"groundtruth/text-span",` + made + `}}
{"source":"nobody","n":{"annotations":{"labels":[{"label":"PER"}],"entities":[]}},"n-metadata":{"entities":[],"type":"groundtruth/text-span",` + made + `}}
`,
	"mask": `{"source-ref":"s3://photos/a/street.png","s-ref":"s3://labels/m.png","s-ref-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0.9},"1":{"class-name":"road","hex-color":"#2acf59","confidence":0.8},"2":{"class-name":"house","hex-color":"#f28333","confidence":0.7}},"type":"groundtruth/semantic-segmentation",` + made + `}}
`,
	"custom": `{"source":"x","w":{"annotationsFromAllWorkers":[{"workerId":"a"},{"workerId":"b"}],"n":1.10},"w-metadata":{"type":"groundtruth/custom",` + made + `}}
`,
	"video frames": `{"source-ref":"s3://films/seq.json","f-ref":"s3://labels/0/SeqLabel.json","f-ref-metadata":{"class-map":{"0":"car"},"type":"groundtruth/video-object-tracking",` + made + `}}
`,
}

// street is the picture of the manifest "mask": a road with a hole in it, two
// houses that touch at a corner.
var street = []string{
	"11110000",
	"10010220",
	"10010220",
	"11112002",
	"00000022",
}

func streetMask() *mask.Mask {
	m, err := mask.New(len(street[0]), len(street))
	if err != nil {
		panic(err)
	}
	for y, row := range street {
		for x := range row {
			m.Pix[y*m.Width+x] = row[x] - '0'
		}
	}
	return m
}

// bucket has the PNG of the street.
func bucket(ref string) (io.ReadCloser, error) {
	if ref != "s3://labels/m.png" {
		return nil, fmt.Errorf("no object %s", ref)
	}
	m := streetMask()
	p := &image.Paletted{Pix: m.Pix, Stride: m.Width, Rect: image.Rect(0, 0, m.Width, m.Height),
		Palette: color.Palette{color.White, color.RGBA{0x2a, 0xcf, 0x59, 255}, color.RGBA{0xf2, 0x83, 0x33, 255}}}
	var b bytes.Buffer
	err := png.Encode(&b, p)
	return io.NopCloser(&b), err
}

// written is what an export made.
type written struct {
	path  string // of the file or folder
	notes []exchange.Note
}

func (w written) said() string {
	var b strings.Builder
	for _, n := range w.notes {
		fmt.Fprintln(&b, n)
	}
	return b.String()
}

// writers are the formats, as the command line makes them.
var formats = []string{"coco", "coco polygons", "yolo", "voc", "conll", "csv", "jsonl", "parquet"}

func export(t testing.TB, format, manifest string, names exchange.Names) (written, error) {
	t.Helper()
	dir := t.TempDir()
	var notes exchange.Notes
	classes := exchange.NewClasses(nil)
	name := map[string]string{"coco": "labels.json", "conll": "labels.txt", "csv": "labels.csv"}[strings.Fields(format)[0]]
	path := dir
	var w exchange.Writer
	var err error
	var file *os.File
	if name != "" {
		path = filepath.Join(dir, name)
		if file, err = os.Create(path); err != nil {
			t.Fatal(err)
		}
		defer file.Close()
	}
	files, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	switch format {
	case "coco", "coco polygons":
		w, err = coco.NewWriter(file, coco.Options{Names: names, Classes: classes, Masks: bucket, Polygons: format != "coco", Notes: &notes})
	case "yolo":
		w, err = yolo.NewWriter(files, yolo.Options{Names: names, Classes: classes, Masks: bucket, Notes: &notes})
	case "voc":
		w, err = voc.NewWriter(files, voc.Options{Names: names, Classes: classes, Masks: bucket, Base: 1, Notes: &notes})
	case "conll":
		w = conll.NewWriter(file, conll.Refuse, &notes)
	case "csv":
		w = table.NewWriter(file)
	default:
		w = hf.NewWriter(files, hf.Options{Format: hf.Format(format), Names: names, Classes: classes, Notes: &notes})
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = exchange.Copy(w, exchange.NewReader(strings.NewReader(manifest), ""), &notes)
	return written{path, notes.All()}, err
}

// load reads an export back, as the command line does.
func load(t testing.TB, format, path string, kind exchange.Kind, names exchange.Names) (records []*exchange.Record, masks string, err error) {
	t.Helper()
	masks = t.TempDir()
	files, ferr := folder.Open(masks)
	if ferr != nil {
		t.Fatal(ferr)
	}
	defer files.Close()
	sink := mask.Sink{Files: files, Prefix: "s3://labels/masks/"}
	var notes exchange.Notes
	classes := exchange.NewClasses(nil)
	keep := func(r *exchange.Record) error { records = append(records, r); return nil }
	var in io.Reader
	if format != "yolo" && format != "voc" {
		name := path
		if format == "jsonl" {
			name = rowsFile(t, path)
		}
		f, ferr := os.Open(name)
		if ferr != nil {
			t.Fatal(ferr)
		}
		defer f.Close()
		in = f
	}
	switch format {
	case "coco", "coco polygons":
		err = coco.Read(in, coco.ReadOptions{Names: names, Classes: classes, Kind: kind, Masks: sink, Notes: &notes}, keep)
	case "yolo":
		err = yolo.Read(os.DirFS(path), yolo.ReadOptions{Names: names, Classes: classes, Kind: kind, Masks: sink, Notes: &notes}, keep)
	case "voc":
		err = voc.Read(os.DirFS(path), voc.ReadOptions{Names: names, Classes: classes, Base: 1, Kind: kind, Masks: sink, Notes: &notes}, keep)
	case "conll":
		err = conll.Read(in, &notes, keep)
	case "csv":
		err = table.Read(in, classes, false, &notes, keep)
	case "jsonl":
		err = hf.Read(in, names, keep)
	}
	return records, masks, err
}

// rowsFile is the file of rows in a folder that hf wrote.
func rowsFile(t testing.TB, dir string) string {
	t.Helper()
	for _, name := range []string{"metadata.jsonl", "data.jsonl", "metadata.parquet", "data.parquet"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	t.Fatalf("no rows in %s", dir)
	return ""
}

// read reads a manifest.
func read(t testing.TB, manifest string) []*exchange.Record {
	t.Helper()
	var out []*exchange.Record
	r := exchange.NewReader(strings.NewReader(manifest), "")
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rec)
	}
}

var stamp = exchange.Stamp{Job: "import", Human: "no", Now: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}

// compact is JSON without white space and with its members in order.
func compact(t testing.TB, line string) string {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
