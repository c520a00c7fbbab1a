package exchange_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"

	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/hf"
	"fiducial/internal/labeling/exchange/mask"
)

// A manifest that is read and written again is the manifest.
func TestManifestToManifest(t *testing.T) {
	for name, manifest := range manifests {
		var notes exchange.Notes
		for i, r := range read(t, manifest) {
			attribute := ""
			for _, a := range []string{"b", "c", "m", "v", "n", "s-ref", "w", "mood", "f-ref"} {
				if strings.Contains(manifest, `"`+a+`-metadata"`) {
					attribute = a
				}
			}
			line, err := exchange.Line(r, attribute, &notes)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(manifest, "\n")[i]
			if name == "custom" { // how many answers it is made of is told
				want = strings.Replace(want, `"type":"groundtruth/custom"`, `"type":"groundtruth/custom","worker-count":2`, 1)
			}
			if diff := gocmp.Diff(compact(t, want), compact(t, string(line))); diff != "" {
				t.Errorf("%s line %d:\n%s", name, i+1, diff)
			}
			if len(line) > 100 && !strings.HasPrefix(string(line), `{"source`) {
				t.Errorf("%s begins with %.20s", name, line)
			}
		}
		if n := notes.All(); len(n) > 0 {
			t.Errorf("%s: %v", name, n)
		}
	}
}

// held is what each format holds of a record: what it does not is set to what
// an import has there. docs/exchange.md lists the same.
var held = map[string]func(*exchange.Record){
	"coco":          func(r *exchange.Record) { r.Members, r.Size.Depth = nil, 0; onlyPainted(r) },
	"coco polygons": func(r *exchange.Record) { r.Members, r.Size.Depth = nil, 0; onlyPainted(r) },
	"yolo":          func(r *exchange.Record) { r.Members = nil; onlyPainted(r) },
	"voc": func(r *exchange.Record) {
		r.Members = nil
		for i := range r.Mask.Colors {
			r.Mask.Colors[i].Confidence = exchange.Confidence{}
		}
	},
	"conll": func(r *exchange.Record) {
		r.Meta, r.SpanLabels = exchange.Meta{Type: r.Meta.Type}, nil
		for i := range r.Spans {
			r.Spans[i].Confidence = exchange.Confidence{}
		}
	},
	"csv": func(*exchange.Record) {}, "jsonl": func(*exchange.Record) {}, "parquet": func(*exchange.Record) {},
}

// onlyPainted: colours and the background's confidence are not in formats that
// have one annotation for each class.
func onlyPainted(r *exchange.Record) {
	for i, c := range r.Mask.Colors {
		r.Mask.Colors[i].Hex = mask.Palette(c.ID)
		if c.ID == 0 {
			r.Mask.Colors[i].Hex, r.Mask.Colors[i].Confidence = "#ffffff", exchange.Confidence{}
		}
	}
}

// can is which kinds of label a format holds.
func can(format string, k exchange.Kind) bool {
	switch format {
	case "coco", "coco polygons", "yolo", "voc":
		return k == exchange.Boxes || k == exchange.Mask
	case "conll":
		return k == exchange.Spans
	}
	return true
}

func TestRoundTrip(t *testing.T) {
	for name, manifest := range manifests {
		for _, format := range formats {
			t.Run(name+" as "+format, func(t *testing.T) {
				want := read(t, manifest)
				w, err := export(t, format, manifest, exchange.Names{})
				if !can(format, want[0].Kind) {
					if err == nil || !strings.Contains(err.Error(), "cannot hold "+string(want[0].Kind)) {
						t.Fatalf("a kind that the format cannot hold: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				var got []*exchange.Record
				masks := ""
				if format == "parquet" {
					got = readParquet(t, w.path, want[0].Kind)
				} else if got, masks, err = load(t, format, w.path, want[0].Kind, exchange.Names{}); err != nil {
					t.Fatal(err)
				}
				compare(t, format, want, got, w, masks)
			})
		}
	}
}

func compare(t *testing.T, format string, want, got []*exchange.Record, w written, masks string) {
	t.Helper()
	bySource := func(a, b *exchange.Record) int { return cmp.Compare(a.Source(), b.Source()) }
	for _, r := range want {
		held[format](r)
		if format == "conll" {
			r.Text, r.Spans = joined(r.Text, r.Spans)
		}
		if r.Kind == exchange.Mask && masks != "" && format != "csv" && format != "jsonl" {
			r.Mask.Ref = "s3://labels/masks/photos/a/street.png"
			comparePixels(t, format, filepath.Join(masks, "photos/a/street.png"), w)
		}
	}
	for _, r := range got {
		if r.Meta.Type == "" {
			stamp.On(r) // the type that the kind has
			r.Meta.Type = strings.Replace(r.Meta.Type, "text-span", "text-span", 1)
		}
		if format == "conll" {
			r.Meta = exchange.Meta{Type: r.Meta.Type}
		}
	}
	slices.SortFunc(want, bySource)
	slices.SortFunc(got, bySource)
	ignore := cmpopts.IgnoreFields(exchange.Record{}, "Line")
	if want[0].Kind == exchange.Mask {
		ignore = cmpopts.IgnoreFields(exchange.Record{}, "Line", "Size")
	}
	if diff := gocmp.Diff(want, got, ignore, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what was exported is not what was read (-want +got):\n%s", diff)
	}
}

// comparePixels: outlines have no holes, and that was told.
func comparePixels(t *testing.T, format, name string, w written) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := streetMask()
	got, err := mask.Read(f, exchange.Segmentation{Colors: read(t, manifests["mask"])[0].Mask.Colors})
	if err != nil {
		t.Fatal(err)
	}
	if format == "yolo" || format == "coco polygons" {
		for _, at := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {2, 2}} {
			want.Pix[at[1]*want.Width+at[0]] = 1
		}
		if !strings.Contains(w.said(), "filled in: holes of segmentations") {
			t.Errorf("nothing is said of the hole: %s", w.said())
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("pixels:\n%s", diff)
	}
}

// joined is a text as CoNLL gives it back: tokens with a space between them.
func joined(text string, spans []exchange.Span) (string, []exchange.Span) {
	switch {
	case strings.HasPrefix(text, "Ann"):
		return "Ann 😀 met Bob in New York .\nShe left Zoë - Lou .", []exchange.Span{{Label: "PER", Start: 0, End: 3}, {Label: "PER", Start: 10, End: 13}, {Label: "LOC", Start: 17, End: 25}, {Label: "PER", Start: 37, End: 46}}
	}
	return text, spans
}

func readParquet(t *testing.T, dir string, kind exchange.Kind) (out []*exchange.Record) {
	t.Helper()
	name := rowsFile(t, dir)
	add := func(row hf.Row) {
		r, err := row.Record(exchange.Names{})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	switch kind {
	case exchange.Class, exchange.Verification:
		for _, r := range parquetRows[hf.ClassRow](t, name) {
			add(hf.Row{Object: hf.Object{FileName: r.FileName, SourceRef: r.SourceRef, Text: r.Text}, Label: &r.Label, LabelName: &r.LabelName, Confidence: r.Confidence, Info: r.Info})
		}
	case exchange.MultiLabel:
		for _, r := range parquetRows[hf.MultiLabelRow](t, name) {
			add(hf.Row{Object: hf.Object{FileName: r.FileName, SourceRef: r.SourceRef, Text: r.Text}, Labels: r.Labels, LabelNames: r.LabelNames, Confidences: r.Confidences, Info: r.Info})
		}
	case exchange.Boxes:
		for _, r := range parquetRows[hf.BoxesRow](t, name) {
			add(hf.Row{Object: hf.Object{FileName: r.FileName, SourceRef: r.SourceRef, Text: r.Text}, Width: r.Width, Height: r.Height, Depth: r.Depth, Objects: &r.Objects, Info: r.Info})
		}
	case exchange.Mask:
		for _, r := range parquetRows[hf.MaskRow](t, name) {
			add(hf.Row{Object: hf.Object{FileName: r.FileName, SourceRef: r.SourceRef, Text: r.Text}, MaskRef: r.MaskRef, ColorMap: r.ColorMap, Info: r.Info})
		}
	case exchange.Spans:
		for _, r := range parquetRows[hf.SpansRow](t, name) {
			add(hf.Row{Object: hf.Object{FileName: r.FileName, SourceRef: r.SourceRef, Text: r.Text}, Entities: r.Entities, SpanLabels: r.SpanLabels, Info: r.Info})
		}
	default:
		for _, r := range parquetRows[hf.CustomRow](t, name) {
			add(hf.Row{Object: hf.Object{FileName: r.FileName, SourceRef: r.SourceRef, Text: r.Text}, Value: &r.Value, Info: r.Info})
		}
	}
	return out
}

func parquetRows[T any](t *testing.T, name string) []T {
	t.Helper()
	rows, err := parquet.ReadFile[T](name)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// The prefix that is taken off is put back, whatever the key.
func TestPrefix(t *testing.T) {
	names, err := exchange.NewNames("s3://photos")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"coco", "yolo", "voc", "jsonl"} {
		w, err := export(t, format, manifests["boxes"], names)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := load(t, format, w.path, exchange.Boxes, names)
		if err != nil {
			t.Fatal(err)
		}
		var refs []string
		for _, r := range got {
			refs = append(refs, r.Ref)
		}
		slices.Sort(refs)
		want := []string{`s3://photos/../../etc/pass wd:ü\%.jpg`, "s3://photos/a/x.jpg", "s3://photos/a/x.png", "s3://photos/b/x.jpg"}
		if diff := gocmp.Diff(want, refs); diff != "" {
			t.Errorf("%s:\n%s", format, diff)
		}
	}
	if _, err := export(t, "coco", manifests["boxes"], exchange.Names{Prefix: "s3://photos/a/"}); err == nil || !strings.Contains(err.Error(), `line 2: "s3://photos/b/x.jpg" is not below "s3://photos/a/"`) {
		t.Errorf("a picture outside of the prefix: %v", err)
	}
}
