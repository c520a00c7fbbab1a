package exchange_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"

	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/coco"
	"fiducial/internal/labeling/exchange/conll"
	"fiducial/internal/labeling/exchange/cvat"
	"fiducial/internal/labeling/exchange/folder"
	"fiducial/internal/labeling/exchange/hf"
	"fiducial/internal/labeling/exchange/labelstudio"
	"fiducial/internal/labeling/exchange/mask"
	"fiducial/internal/labeling/exchange/table"
	"fiducial/internal/labeling/exchange/voc"
	"fiducial/internal/labeling/exchange/yolo"
)

// imported is what one import made: lines of a manifest, and what was told.
type imported struct {
	lines []string
	said  string
	masks string
}

func (i imported) manifest() string { return strings.Join(i.lines, "\n") }

// importing reads any format from a text; the folders of YOLO and VOC have
// the files in it that the text's sections name.
func importing(t testing.TB, format, text string, kind exchange.Kind, prefix string) (out imported, err error) {
	t.Helper()
	var notes exchange.Notes
	classes := exchange.NewClasses(nil)
	names := exchange.Names{Prefix: prefix}
	out.masks = t.TempDir()
	files, ferr := folder.Open(out.masks)
	if ferr != nil {
		t.Fatal(ferr)
	}
	defer files.Close()
	sink := mask.Sink{Files: files, Prefix: "s3://labels/masks/"}
	yield := func(r *exchange.Record) error {
		if r.Kind != "" {
			stamp.On(r)
		}
		line, err := exchange.Line(r, "label", &notes)
		out.lines = append(out.lines, string(line))
		return err
	}
	in := io.Reader(strings.NewReader(text))
	switch format {
	case "coco":
		err = coco.Read(in, coco.ReadOptions{Names: names, Classes: classes, Kind: kind, Masks: sink, Notes: &notes}, yield)
	case "yolo":
		err = yolo.Read(sections(text), yolo.ReadOptions{Names: names, Classes: classes, Kind: kind, Masks: sink, Notes: &notes}, yield)
	case "voc":
		err = voc.Read(sections(text), voc.ReadOptions{Names: names, Classes: classes, Base: 1, Kind: kind, Masks: sink, Notes: &notes}, yield)
	case "label-studio":
		err = labelstudio.Read(in, labelstudio.Options{Names: names, Classes: classes, Kind: kind, Masks: sink, Notes: &notes}, yield)
	case "cvat":
		err = cvat.Read(in, cvat.Options{Names: names, Classes: classes, Kind: kind, Masks: sink, Notes: &notes}, yield)
	case "conll":
		err = conll.Read(in, &notes, yield)
	case "csv":
		err = table.Read(in, classes, false, &notes, yield)
	case "jsonl":
		err = hf.Read(in, names, yield)
	default:
		t.Fatalf("no format %s", format)
	}
	out.said = written{notes: notes.All()}.said()
	return out, err
}

// sections makes a folder of a text: "== name" begins a file.
func sections(text string) fstest.MapFS {
	m := fstest.MapFS{}
	for _, part := range strings.Split("\n"+text, "\n== ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		m[name] = &fstest.MapFile{Data: []byte(body)}
	}
	return m
}

const labelStudio = `[
{"id":1,"data":{"image":"s3://photos/x.jpg"},"annotations":[
 {"was_cancelled":true,"result":[]},
 {"id":5,"result":[
  {"type":"rectanglelabels","original_width":200,"original_height":100,"value":{"x":10,"y":20,"width":50,"height":30,"rotation":0,"rectanglelabels":["dog"]}},
  {"type":"rectanglelabels","original_width":200,"original_height":100,"score":0.5,"value":{"x":50,"y":50,"width":25,"height":10,"rotation":90,"rectanglelabels":["cat"]}},
  {"type":"brushlabels","original_width":200,"original_height":100,"value":{"format":"rle","rle":[1,2],"brushlabels":["dog"]}}]},
 {"id":6,"result":[]}]},
{"id":2,"data":{"image":"s3://photos/y.jpg"},"annotations":[],"predictions":[]}]`

const cvatXML = `<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>7</id><labels><label><name>car</name><attributes/></label><label><name>road &amp; sky</name></label></labels></task></meta>
  <image id="0" name="a/x.jpg" width="8" height="5">
    <box label="road &amp; sky" source="manual" occluded="1" xtl="0.40" ytl="1.00" xbr="7.60" ybr="9.00" z_order="0"><attribute name="n">1</attribute></box>
    <polygon label="car" points="1,1;4,1;4,3;1,3"/>
    <mask label="road &amp; sky" rle="1, 2, 1" left="5" top="3" width="2" height="2"/>
    <tag label="car"/>
  </image>
  <image id="1" name="b.jpg" width="3" height="3"></image>
</annotations>`

func TestForeignFiles(t *testing.T) {
	const rest = `,"human-annotated":"no","creation-date":"2026-05-01T00:00:00.000000","job-name":"labeling-job/import"}}`
	for _, c := range []struct {
		name, format string
		kind         exchange.Kind
		prefix, text string
		want         []string
		said         []string
	}{
		{"Label Studio boxes", "label-studio", "", "", labelStudio, []string{
			`{"source-ref":"s3://photos/x.jpg","label":{"image_size":[{"width":200,"height":100,"depth":3}],"annotations":[{"class_id":0,"left":20,"top":20,"width":100,"height":30},{"class_id":1,"left":90,"top":50,"width":10,"height":50}]},"label-metadata":{"objects":[{"confidence":0},{"confidence":0.5}],"class-map":{"0":"dog","1":"cat"},"type":"groundtruth/object-detection"` + rest,
			`{"source-ref":"s3://photos/y.jpg"}`},
			[]string{"cancelled annotations", "further annotations", `results of the type "brushlabels"`, "boxes that are turned", "tasks without an annotation"}},
		{"Label Studio polygons", "label-studio", exchange.Mask, "", `[{"data":{"image":"s3://photos/x.jpg"},"annotations":[{"result":[{"type":"polygonlabels","original_width":10,"original_height":10,"value":{"points":[[10,10],[50,10],[50,30],[10,30]],"polygonlabels":["car"]}}]}]}]`,
			[]string{`{"source-ref":"s3://photos/x.jpg","label":"s3://labels/masks/photos/x.png","label-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff"},"1":{"class-name":"car","hex-color":"#800000"}},"type":"groundtruth/semantic-segmentation"` + rest}, nil},
		{"Label Studio choices", "label-studio", exchange.MultiLabel, "", `[{"data":{"text":"hi"},"annotations":[{"result":[{"type":"choices","value":{"choices":["b","a","b"]}}]}]}]`,
			[]string{`{"source":"hi","label":[0,1],"label-metadata":{"class-map":{"0":"b","1":"a"},"confidence-map":{"0":0,"1":0},"type":"groundtruth/text-classification-multilabel"` + rest}, nil},
		{"Label Studio spans in code points and in UTF-16 units", "label-studio", "", "", `[{"data":{"text":"😀 Ann Bob"},"annotations":[{"result":[{"type":"labels","value":{"start":2,"end":5,"text":"Ann","labels":["PER"]}},{"type":"labels","value":{"start":7,"end":10,"text":"Bob","labels":["PER"]}}]}]}]`,
			[]string{`{"source":"😀 Ann Bob","label":{"annotations":{"labels":[{"label":"PER"}],"entities":[{"label":"PER","startOffset":2,"endOffset":5},{"label":"PER","startOffset":6,"endOffset":9}]}},"label-metadata":{"entities":[{"confidence":0},{"confidence":0}],"type":"groundtruth/text-span"` + rest}, nil},
		{"CVAT boxes", "cvat", exchange.Boxes, "s3://photos/", cvatXML, []string{
			`{"source-ref":"s3://photos/a/x.jpg","label":{"image_size":[{"width":8,"height":5,"depth":3}],"annotations":[{"class_id":1,"left":0,"top":1,"width":8,"height":4}]},"label-metadata":{"objects":[{"confidence":0}],"class-map":{"1":"road & sky"},"type":"groundtruth/object-detection"` + rest,
			`{"source-ref":"s3://photos/b.jpg","label":{"image_size":[{"width":3,"height":3,"depth":3}],"annotations":[]},"label-metadata":{"objects":[],"class-map":{},"type":"groundtruth/object-detection"` + rest},
			[]string{"cut to the picture", "rounded to whole pixels", "attributes of labels", "occluded", `elements "polygon"`, `elements "mask"`, `elements "tag"`}},
		{"CVAT tags", "cvat", exchange.Class, "s3://photos/", cvatXML, []string{
			`{"source-ref":"s3://photos/a/x.jpg","label":0,"label-metadata":{"class-name":"car","confidence":0,"type":"groundtruth/image-classification"` + rest,
			`{"source-ref":"s3://photos/b.jpg"}`}, []string{"pictures without a tag"}},
		{"COCO, lists in another order, fractions, keypoints", "coco", exchange.Boxes, "s3://photos/", `{"categories":[{"id":3,"name":"cat"}],"annotations":[{"id":9,"image_id":2,"category_id":3,"bbox":[-0.6,0.2,3,2],"keypoints":[1]},{"id":8,"image_id":1,"category_id":3,"bbox":[50,50,3,2]}],"extra":{"a":[1,{"b":2}]},"images":[{"id":2,"file_name":"y.jpg","width":10,"height":10},{"id":1,"file_name":"x.jpg","width":10,"height":10}]}`, []string{
			`{"source-ref":"s3://photos/x.jpg","label":{"image_size":[{"width":10,"height":10,"depth":3}],"annotations":[]},"label-metadata":{"objects":[],"class-map":{},"type":"groundtruth/object-detection"` + rest,
			`{"source-ref":"s3://photos/y.jpg","label":{"image_size":[{"width":10,"height":10,"depth":3}],"annotations":[{"class_id":3,"left":0,"top":0,"width":2,"height":2}]},"label-metadata":{"objects":[{"confidence":0}],"class-map":{"3":"cat"},"type":"groundtruth/object-detection"` + rest},
			[]string{"keypoints (annotation 9)", "without a pixel inside the picture (annotation 8)", "cut to the picture", "rounded"}},
		{"CoNLL in IOB1 without documents", "conll", "", "", "U.N. NNP I-NP I-ORG\nofficial NN I-NP O\n\nAnn x x I-PER\nBob x x B-PER\n", []string{
			`{"source":"U.N. official","label":{"annotations":{"labels":[{"label":"ORG"}],"entities":[{"label":"ORG","startOffset":0,"endOffset":4}]}},"label-metadata":{"entities":[{"confidence":0}],"type":"groundtruth/text-span"` + rest,
			`{"source":"Ann Bob","label":{"annotations":{"labels":[{"label":"PER"}],"entities":[{"label":"PER","startOffset":0,"endOffset":3},{"label":"PER","startOffset":4,"endOffset":7}]}},"label-metadata":{"entities":[{"confidence":0},{"confidence":0}],"type":"groundtruth/text-span"` + rest},
			[]string{"columns between token and tag"}},
		{"YOLO with names as a list, and a prediction", "yolo", exchange.Boxes, "s3://photos/", "== data.yaml\nnames: [cat, dog]\n== sources.jsonl\n{\"file\":\"a/x.jpg\",\"width\":10,\"height\":20}\n== labels/a/x.txt\n1 0.5 0.5 0.2 0.1 0.75\n0 0 0 0.5 0 0.5 0.5\n", []string{
			`{"source-ref":"s3://photos/a/x.jpg","label":{"image_size":[{"width":10,"height":20,"depth":3}],"annotations":[{"class_id":1,"left":4,"top":9,"width":2,"height":2},{"class_id":0,"left":0,"top":0,"width":5,"height":10}]},"label-metadata":{"objects":[{"confidence":0.75},{"confidence":0}],"class-map":{"0":"cat","1":"dog"},"type":"groundtruth/object-detection"` + rest},
			[]string{"outlines, of which their boxes are taken"}},
		{"VOC as the challenge wrote it", "voc", exchange.Boxes, "s3://photos/", "== Annotations/2007_000027.xml\n<annotation><folder>VOC2012</folder><filename>2007_000027.jpg</filename><source><database>The VOC2007 Database</database><annotation>PASCAL VOC2007</annotation><image>flickr</image></source><size><width>486</width><height>500</height><depth>3</depth></size><segmented>0</segmented><object><name>person</name><pose>Unspecified</pose><truncated>1</truncated><difficult>0</difficult><bndbox><xmin>174</xmin><ymin>101</ymin><xmax>349</xmax><ymax>351</ymax></bndbox><part><name>head</name><bndbox><xmin>169</xmin><ymin>104</ymin><xmax>209</xmax><ymax>146</ymax></bndbox></part></object></annotation>", []string{
			`{"source-ref":"s3://photos/2007_000027.jpg","label":{"image_size":[{"width":486,"height":500,"depth":3}],"annotations":[{"class_id":0,"left":173,"top":100,"width":176,"height":251}]},"label-metadata":{"objects":[{"confidence":0}],"class-map":{"0":"person"},"type":"groundtruth/object-detection"` + rest},
			[]string{"that an object is truncated"}},
	} {
		got, err := importing(t, c.format, c.text, c.kind, c.prefix)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := gocmp.Diff(c.want, got.lines); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		for _, s := range c.said {
			if !strings.Contains(got.said, s) {
				t.Errorf("%s: nothing is said of %q:\n%s", c.name, s, got.said)
			}
		}
		for _, r := range read(t, got.manifest()) {
			if r.Kind == "" && len(c.said) == 0 {
				t.Errorf("%s: line %d has no label", c.name, r.Line)
			}
		}
	}
}

// Polygons and masks of CVAT are painted where they are.
func TestCVATPixels(t *testing.T) {
	got, err := importing(t, "cvat", cvatXML, exchange.Mask, "s3://photos/")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(got.masks, "a/x.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := mask.Read(f, read(t, got.lines[0])[0].Mask)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for y := range m.Height {
		row := ""
		for x := range m.Width {
			row += string('0' + m.Pix[y*m.Width+x])
		}
		rows = append(rows, row)
	}
	want := []string{"00000000", "01110000", "01110000", "00000020", "00000200"}
	if diff := gocmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}
