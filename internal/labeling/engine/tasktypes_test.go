package engine_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/labeling"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
	"fiducial/internal/template"
)

// A golden tree: what one object of a task type leaves in the bucket after three
// workers answered. The time of its batch is the same in all of them.
const (
	goldAt   = "2026-05-04_03:02:04"
	goldIn   = "2026-05-04T03:02:04.123456"
	goldTail = `"job-name":"labeling-job/gold","human-annotated":"yes","creation-date":"` + goldIn + `"`
)

// mask is an answer that paints rectangles of a picture of 6 by 4 pixels, one
// after another.
func mask(extra string, paint ...painted) string {
	img := image.NewPaletted(image.Rect(0, 0, 6, 4), color.Palette{color.White, color.RGBA{0x1f, 0x77, 0xb4, 255}, color.RGBA{0xff, 0x7f, 0x0e, 255}})
	used := map[string]map[string]string{}
	for _, p := range paint {
		for y := p.at.Min.Y; y < p.at.Max.Y; y++ {
			for x := p.at.Min.X; x < p.at.Max.X; x++ {
				img.SetColorIndex(x, y, p.class)
			}
		}
		used[[]string{"", "cat", "dog"}[p.class]] = map[string]string{"color": []string{"", "#1f77b4", "#ff7f0e"}[p.class]}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	mappings, _ := json.Marshal(used)
	return fmt.Sprintf(`{"annotatedResult":{"inputImageProperties":{"height":4,"width":6},"labelMappings":%s,"labeledImage":{"pngImageData":"%s"}%s}}`,
		mappings, base64.StdEncoding.EncodeToString(b.Bytes()), extra)
}

type painted struct {
	class uint8
	at    image.Rectangle
}

func boxes(extra string, lefts ...int) string {
	var list []string
	for _, left := range lefts {
		list = append(list, fmt.Sprintf(`{"height":10,"label":"dog","left":%d,"top":2,"width":10}`, left))
	}
	return `{"boundingBox":{"boundingBoxes":[` + strings.Join(list, ",") + `],"inputImageProperties":{"height":80,"width":100}` + extra + `}}`
}

const (
	priorBoxes = `"boxes":{"image_size":[{"width":100,"height":80,"depth":3}],"annotations":[{"class_id":1,"left":5,"top":2,"width":10,"height":10}]},"boxes-metadata":{"class-map":{"1":"dog"},"type":"groundtruth/object-detection","creation-date":"2026-01-01T00:00:00.000000"}`
	priorMask  = `"seg-ref":"s3://out/old.png","seg-ref-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0},"1":{"class-name":"cat","hex-color":"#1f77b4","confidence":0}},"type":"groundtruth/semantic-segmentation","creation-date":"2026-01-01T00:00:00.000000"}`
)

// golds are an object of each task type, what three workers answer to it, and
// what its line gets.
var golds = []struct {
	suffix, attribute string
	line              string
	labels            string // label category configuration; empty: cat and dog
	answers           [3]string
	label, metadata   string // what the line gets
	picture           string // the rows of the consolidated PNG, a digit a pixel
}{
	{suffix: "SemanticSegmentation", attribute: "seg-ref", line: `{"source-ref":"s3://input/0.jpg","n":1.50}`,
		answers: [3]string{mask("", painted{1, image.Rect(0, 0, 3, 4)}), mask("", painted{1, image.Rect(0, 0, 3, 4)}), mask("", painted{1, image.Rect(0, 0, 3, 4)}, painted{2, image.Rect(5, 0, 6, 1)})},
		label:   `"s3://out/jobs/gold/annotations/consolidated-annotation/output/0_` + goldIn + `.png"`,
		metadata: `{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0.99},"1":{"class-name":"cat","hex-color":"#1f77b4","confidence":0.99},"2":{"class-name":"dog","hex-color":"#ff7f0e","confidence":0.99}},` +
			`"type":"groundtruth/semantic-segmentation","human-annotated":"yes","creation-date":"` + goldIn + `","job-name":"labeling-job/gold"}`,
		picture: "111000 111000 111000 111000"},
	{suffix: "AdjustmentSemanticSegmentation", attribute: "adjusted-ref", line: `{"source-ref":"s3://input/0.jpg",` + priorMask + `}`,
		answers: [3]string{mask(`,"initialValueModified":false`, painted{1, image.Rect(0, 0, 3, 4)}), mask(`,"initialValueModified":true`, painted{2, image.Rect(0, 0, 3, 4)}), mask(`,"initialValueModified":true`, painted{2, image.Rect(0, 0, 3, 4)})},
		label:   `"s3://out/jobs/gold/annotations/consolidated-annotation/output/0_` + goldIn + `.png"`,
		metadata: `{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0.83},"1":{"class-name":"cat","hex-color":"#1f77b4","confidence":0.83},"2":{"class-name":"dog","hex-color":"#ff7f0e","confidence":0.83}},` +
			`"type":"groundtruth/semantic-segmentation","human-annotated":"yes","creation-date":"` + goldIn + `","job-name":"labeling-job/gold","adjustment-status":"adjusted"}`,
		picture: "222000 222000 222000 222000"},
	{suffix: "AdjustmentBoundingBox", attribute: "adjusted", line: `{"source-ref":"s3://input/0.jpg",` + priorBoxes + `}`,
		answers: [3]string{boxes(`,"initialValueModified":true`, 6), boxes(`,"initialValueModified":false`, 5), boxes(`,"initialValueModified":true`, 6)},
		label:   `{"image_size":[{"width":100,"height":80,"depth":3}],"annotations":[{"class_id":1,"left":6,"top":2,"width":10,"height":10}]}`,
		metadata: `{"objects":[{"confidence":0.94}],"class-map":{"1":"dog"},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"` + goldIn + `",` +
			`"job-name":"labeling-job/gold","adjustment-status":"adjusted"}`},
	{suffix: "VerificationBoundingBox", attribute: "verdict", line: `{"source-ref":"s3://input/0.jpg",` + priorBoxes + `}`,
		labels: `{"labels":[{"label":"good"},{"label":"bad"}],"auditLabelAttributeName":"boxes"}`,
		answers: [3]string{`{"crowd-image-classifier":{"label":"bad","workerComment":"Too \"wide\" & low."}}`, `{"crowd-image-classifier":{"label":"good"}}`,
			`{"crowd-image-classifier":{"label":"bad","workerComment":"The bird is not labeled."}}`},
		label: `1`, metadata: `{"class-name":"bad","confidence":0.73,"type":"groundtruth/label-verification",` + goldTail + `,"worker-feedback":[{"comment":"Too \"wide\" & low."},{"comment":"The bird is not labeled."}]}`},
	{suffix: "VerificationSemanticSegmentation", attribute: "verdict", line: `{"source-ref":"s3://input/0.jpg",` + priorMask + `}`,
		labels:  `{"labels":[{"label":"good"},{"label":"bad"}]}`,
		answers: [3]string{`{"c":{"label":"good"}}`, `{"c":{"label":"good"}}`, `{"c":{"label":"good"}}`},
		label:   `0`, metadata: `{"class-name":"good","confidence":1,"type":"groundtruth/label-verification",` + goldTail + `}`},
	{suffix: "NamedEntityRecognition", attribute: "names", line: `{"source":"Zoë met Bob."}`,
		labels: `{"document-version":"2018-11-28","labels":[{"label":"person","shortDisplayName":"per"},{"label":"place"}],"instructions":{"shortInstruction":"<p>Mark.</p>","fullInstruction":"<p>All.</p>"}}`,
		answers: [3]string{`{"crowd-entity-annotation":{"entities":[{"endOffset":3,"label":"person","startOffset":0},{"endOffset":11,"label":"person","startOffset":8}]}}`,
			`{"crowd-entity-annotation":{"entities":[{"endOffset":3,"label":"person","startOffset":0},{"endOffset":11,"label":"person","startOffset":8},{"endOffset":99,"label":"place","startOffset":90}]}}`,
			`{"crowd-entity-annotation":{"entities":[{"endOffset":3,"label":"person","startOffset":0}]}}`},
		label: `{"annotations":{"labels":[{"label":"person","shortDisplayName":"per"},{"label":"place"}],"entities":[{"label":"person","startOffset":0,"endOffset":3},{"label":"person","startOffset":8,"endOffset":11}]}}`,
		metadata: `{"job-name":"labeling-job/gold","type":"groundtruth/text-span","creation-date":"` + goldIn + `","human-annotated":"yes",` +
			`"entities":[{"confidence":1},{"confidence":0.83}]}`},
	{suffix: "VideoClassification", attribute: "scene", line: `{"source-ref":"s3://input/0.mp4"}`,
		answers: [3]string{`{"c":{"label":"dog"}}`, `{"c":{"label":"dog"}}`, `{"c":{"label":"dog"}}`},
		label:   `1`, metadata: `{"confidence":1,"job-name":"labeling-job/gold","class-name":"dog","human-annotated":"yes","creation-date":"` + goldIn + `","type":"groundtruth/video-classification"}`},
}

// builtins gives a job the two functions of a suffix.
func builtins(s *labeling.Spec, suffix string) {
	const f = "arn:aws:lambda:us-east-1:432418664414:function:"
	s.PreHumanTaskLambdaARN, s.AnnotationConsolidationLambdaARN = f+"PRE-"+suffix, f+"ACS-"+suffix
}

func TestGoldenTrees(t *testing.T) {
	for _, g := range golds {
		t.Run(g.suffix, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			w.engine.Template = func(t labeling.TaskType) (string, bool) { return template.Builtin(string(t)) }
			s := spec("gold")
			builtins(&s, g.suffix)
			s.LabelAttributeName, s.UITemplateS3URI, s.NumberOfHumanWorkersPerDataObject = g.attribute, "", 3
			if g.labels != "" {
				w.storage.set("s3://input/labels.json", g.labels)
			}
			w.storage.set("s3://input/0.jpg", "picture")
			w.storage.set("s3://input/0.mp4", "video")
			w.create(s, g.line+"\n")
			w.pass()
			for i, answer := range g.answers {
				if w.label(fmt.Sprint("w", i), "gold", 1, func(int64) string { return answer }) != 1 {
					t.Fatalf("no task: %+v", w.describe("gold"))
				}
			}
			w.pass()
			w.pass()
			j := w.describe("gold")
			if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 1, HumanLabeled: 1}) {
				t.Fatalf("%s %q %+v", j.Status, j.FailureReason, j.Counters)
			}
			const root = "s3://out/jobs/gold/"
			picture := "annotations/consolidated-annotation/output/0_" + goldIn + ".png"
			want := []string{"annotation-tool/data.json", "annotation-tool/template.liquid",
				"annotations/consolidated-annotation/consolidation-request/iteration-1/" + goldAt + ".json",
				"annotations/consolidated-annotation/consolidation-response/iteration-1/" + goldAt + ".json"}
			if g.picture != "" {
				want = append(want, picture)
			}
			want = append(want, "annotations/intermediate/1/annotations.manifest", "annotations/worker-response/iteration-1/0/"+goldAt+".json", "manifests/output/output.manifest")
			if d := cmp.Diff(want, w.storage.keys(root)); d != "" {
				t.Error(d)
			}
			if last := w.storage.order[len(w.storage.order)-1]; last != root+"manifests/output/output.manifest" {
				t.Errorf("the last file is %s", last)
			}
			members := fmt.Sprintf(`"%s":%s,"%[1]s-metadata":%[3]s`, g.attribute, g.label, g.metadata)
			line := strings.TrimSuffix(g.line, "}") + "," + members + "}\n"
			if d := cmp.Diff(line, w.storage.get(j.OutputManifestURI)); d != "" {
				t.Errorf("output manifest (-want +got):\n%s", d)
			}
			if d := cmp.Diff(line, w.storage.get(root+"annotations/intermediate/1/annotations.manifest")); d != "" {
				t.Errorf("intermediate manifest (-want +got):\n%s", d)
			}
			response := `[{"datasetObjectId":"0","consolidatedAnnotation":{"content":{` + members + `}}}]`
			if d := cmp.Diff(response, w.storage.get(root+"annotations/consolidated-annotation/consolidation-response/iteration-1/"+goldAt+".json")); d != "" {
				t.Errorf("consolidation response (-want +got):\n%s", d)
			}
			if src, _ := template.Builtin(string(j.TaskType)); w.storage.get(root+"annotation-tool/template.liquid") != src || src == "" {
				t.Error("the template in the tree is not the built-in one")
			}
			workers := w.storage.get(root + "annotations/worker-response/iteration-1/0/" + goldAt + ".json")
			for _, answer := range g.answers {
				if !strings.Contains(workers, `"answerContent":`+answer+`,"submissionTime"`) {
					t.Errorf("the worker response lacks %.200s", answer)
				}
			}
			if g.picture != "" {
				checkPicture(t, w.storage.get(root+picture), g.picture)
			}
		})
	}
}

// checkPicture reads the PNG with a decoder that is not ours.
func checkPicture(t *testing.T, data, want string) {
	t.Helper()
	decoded, err := png.Decode(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	img, ok := decoded.(*image.Paletted)
	if !ok || img.Bounds() != image.Rect(0, 0, 6, 4) || len(img.Palette) != 3 {
		t.Fatalf("%T of %v", decoded, decoded.Bounds())
	}
	if d := cmp.Diff([]color.Color{color.RGBA{255, 255, 255, 255}, color.RGBA{0x1f, 0x77, 0xb4, 255}, color.RGBA{0xff, 0x7f, 0x0e, 255}}, []color.Color(img.Palette)); d != "" {
		t.Error(d)
	}
	var rows []string
	for y := range 4 {
		row := ""
		for x := range 6 {
			row += fmt.Sprint(img.ColorIndexAt(x, y))
		}
		rows = append(rows, row)
	}
	if got := strings.Join(rows, " "); got != want {
		t.Errorf("pixels %s, want %s", got, want)
	}
}

// Objects without the label that a job audits fail one by one, with the reason in
// the manifest; they cost no worker a look, and do not count as labelled where
// stopping conditions count. The job's own labels of an earlier run stay.
func TestObjectsWithoutThePriorLabelFail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		s := spec("gold")
		builtins(&s, "VerificationBoundingBox")
		s.LabelAttributeName, s.NumberOfHumanWorkersPerDataObject = "verdict", 1
		s.Stopping.MaxHumanLabeledObjectCount = 2
		w.storage.set("s3://input/0.jpg", "picture")
		const bare = `{"source-ref":"s3://input/0.jpg"}`
		const prior = `{"source-ref":"s3://input/0.jpg",` + priorBoxes + `}`
		const done = `{"source-ref":"s3://input/0.jpg","verdict":0,"verdict-metadata":{}}`
		w.create(s, strings.Join([]string{bare, prior, done, bare, prior, prior}, "\n")+"\n")
		w.pass()
		if j := w.describe("gold"); j.Counters != (labeling.Counters{Total: 5, Failed: 2, Kept: 1}) {
			t.Errorf("after ingestion: %s %q %+v", j.Status, j.FailureReason, j.Counters)
		}
		if n := w.label("ann", "gold", 9, says("dog")); n != 2 {
			t.Errorf("%d objects were sent to the worker, want 2", n)
		}
		w.pass()
		w.pass()
		j := w.describe("gold")
		if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 5, HumanLabeled: 2, Failed: 2, Kept: 1}) {
			t.Errorf("at the end: %s %q %+v", j.Status, j.FailureReason, j.Counters)
		}
		lines := strings.Split(strings.TrimSpace(w.storage.get(j.OutputManifestURI)), "\n")
		failed := strings.TrimSuffix(bare, "}") + `,"verdict-metadata":{"failure-reason":"The object has no label of type groundtruth/object-detection to be adjusted or verified.","job-name":"labeling-job/gold","human-annotated":"yes","creation-date":"2026-05-04T03:02:01.123456","type":"groundtruth/label-verification"}}`
		if len(lines) != 6 || lines[0] != failed || lines[3] != failed || lines[2] != done || lines[5] != prior || !strings.Contains(lines[1], `"verdict":1,`) {
			t.Errorf("output manifest:\n%s", strings.Join(lines, "\n"))
		}
	})
}

// A chained job under the same attribute sends only what has no label; under a
// new one everything.
func TestChaining(t *testing.T) {
	for _, c := range []struct {
		attribute string
		sent      int
	}{{"seg-ref", 1}, {"other-ref", 2}} {
		w := newWorld(t, storetest.SQLite(t))
		s := spec("gold")
		builtins(&s, "SemanticSegmentation")
		s.LabelAttributeName, s.NumberOfHumanWorkersPerDataObject = c.attribute, 1
		w.storage.set("s3://input/0.jpg", "picture")
		w.create(s, `{"source-ref":"s3://input/0.jpg",`+priorMask+"}\n"+`{"source-ref":"s3://input/0.jpg"}`+"\n")
		w.pass()
		if n := w.label("ann", "gold", 9, func(int64) string { return mask("") }); n != c.sent {
			t.Errorf("%s: %d objects were sent, want %d", c.attribute, n, c.sent)
		}
	}
}

// What would come out wrong ends the set-up, and says where it is wrong.
func TestSetUpsThatCannotWork(t *testing.T) {
	for _, c := range []struct{ name, suffix, attribute, labels, line, want string }{
		{"its own label", "VerificationBoundingBox", "boxes", `{"labels":[{"label":"good"}],"auditLabelAttributeName":"boxes"}`, `{"source-ref":"s3://input/0.jpg"}`, "auditLabelAttributeName is \"boxes\", which is the job's own LabelAttributeName"},
		{"segments without colours", "VerificationSemanticSegmentation", "verdict", "", `{"source-ref":"s3://input/0.jpg",` + strings.ReplaceAll(priorMask, "hex-color", "colour") + `}`, `line 1: the label "seg-ref" has no hex-color (#rrggbb) for the category`},
		{"a category too few", "AdjustmentBoundingBox", "adjusted", `{"labels":[{"label":"cat"}]}`, `{"source-ref":"s3://input/0.jpg",` + priorBoxes + `}`, `line 1: the label "boxes" has the category "dog"`},
		{"entities without instructions", "NamedEntityRecognition", "names", "", `{"source":"x"}`, `it has no "instructions"`},
		{"entities of a file", "NamedEntityRecognition", "names", `{"labels":[{"label":"a"}],"instructions":{"shortInstruction":"x"}}`, `{"source-ref":"s3://input/0.txt"}`, "line 1 has source-ref; named entity recognition takes its texts from source"},
		{"attributes", "SemanticSegmentation", "seg-ref", `{"labels":[{"label":"a"}],"categoryGlobalAttributes":[{"name":"x"}]}`, `{"source-ref":"s3://input/0.jpg"}`, "categoryGlobalAttributes is for video frames and point clouds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			w.engine.Template = func(t labeling.TaskType) (string, bool) { return template.Builtin(string(t)) }
			s := spec("gold")
			builtins(&s, c.suffix)
			s.LabelAttributeName, s.UITemplateS3URI = c.attribute, ""
			if c.labels != "" {
				w.storage.set("s3://input/labels.json", c.labels)
			}
			w.storage.set("s3://input/0.jpg", "picture")
			w.storage.set("s3://input/0.txt", "text")
			w.create(s, c.line+"\n")
			w.pass()
			if j := w.describe("gold"); j.Status != labeling.Failed || !strings.Contains(j.FailureReason, c.want) {
				t.Errorf("%s: %q, want %q", j.Status, j.FailureReason, c.want)
			}
		})
	}
}

// A picture is there before anything names it, and a try that could not write it
// is made again with the same bytes under the same key.
func TestPictureComesBeforeItsName(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	s := spec("gold")
	builtins(&s, "SemanticSegmentation")
	s.LabelAttributeName, s.NumberOfHumanWorkersPerDataObject = "seg-ref", 1
	w.storage.set("s3://input/0.jpg", "picture")
	w.create(s, `{"source-ref":"s3://input/0.jpg"}`+"\n")
	w.pass()
	w.label("ann", "gold", 1, func(int64) string { return mask("", painted{1, image.Rect(0, 0, 6, 4)}) })
	const pictures = "s3://out/jobs/gold/annotations/consolidated-annotation/output/"
	w.storage.deny["put "+pictures] = fmt.Errorf("storage is away")
	_ = w.engine.Pass(context.Background())
	for _, named := range []string{"annotations/consolidated-annotation/consolidation-response/", "annotations/intermediate/", "manifests/"} {
		if keys := w.storage.keys("s3://out/jobs/gold/" + named); len(keys) != 0 {
			t.Errorf("without the picture there is %v", keys)
		}
	}
	delete(w.storage.deny, "put "+pictures)
	w.pass()
	w.pass()
	if keys := w.storage.keys(pictures); len(keys) != 1 || w.describe("gold").Status != labeling.Completed {
		t.Errorf("then there is %v", keys)
	}
}
