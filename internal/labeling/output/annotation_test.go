package output

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

var stamp = Stamp{Job: "job-1", Created: time.Date(2020, 2, 27, 21, 36, 25, 201e3, time.UTC)}

// Lines of a real output manifest are rebuilt byte for byte from their input
// line, the category and the time.
func TestClassificationLinesEqualARealManifest(t *testing.T) {
	f, err := os.Open("testdata/real-job/output.manifest")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); lines++ {
		var real struct {
			SourceRef string `json:"source-ref"`
			Label     int    `json:"birds-open-images-clone"`
			Metadata  struct {
				Confidence   float64
				ClassName    string `json:"class-name"`
				CreationDate string `json:"creation-date"`
			} `json:"birds-open-images-clone-metadata"`
		}
		if err := json.Unmarshal(s.Bytes(), &real); err != nil {
			t.Fatal(err)
		}
		created, err := time.Parse("2006-01-02T15:04:05.999999", real.Metadata.CreationDate)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Classification(labeling.ImageClassification, Stamp{"birds-open-images-clone", created},
			Category{real.Label, real.Metadata.ClassName, real.Metadata.Confidence})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Line([]byte(`{"source-ref":"`+real.SourceRef+`"}`), "birds-open-images-clone", a)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.Text(), string(got)); diff != "" {
			t.Errorf("(-real +got):\n%s", diff)
		}
	}
	if lines == 0 {
		t.Fatal("the sample is empty")
	}
}

func TestAnnotations(t *testing.T) {
	const tail = `"human-annotated":"yes","creation-date":"2020-02-27T21:36:25.000201"`
	multi, errMulti := MultiLabel(labeling.ImageClassificationMultiLabel, stamp, []Category{{8, "clothing", 0.2}, {0, "person", 0.77}, {1, "bicycle", 0.95}})
	none, errNone := MultiLabel(labeling.TextClassificationMultiLabel, stamp, nil)
	boxes, errBoxes := Detection(stamp, 500, 400, []Box{
		{Category{5, "bone", 0.9}, 161, 250, 30, 30}, {Category{0, "dog", 0.8}, 111, 134, 61, 128}, {Category{5, "bone", 0.9}, 20, 20, 30, 30}}, "")
	empty, errEmpty := Detection(stamp, 500, 400, nil, Adjusted)
	text, errText := Classification(labeling.TextClassification, stamp, Category{0, `a "b" <c>`, 0})
	custom, errCustom := Custom(stamp, json.RawMessage(`{"x": [1.50, 2]}`), nil)
	own, errOwn := Custom(stamp, json.RawMessage(`7`), json.RawMessage(`{"mine": 1.0, "type": "other"}`))
	raw, errRaw := PassThrough(stamp, []Answer{{WorkerID: "w", Content: json.RawMessage(`{"a": 1}`)}})
	failed, errFailed := Failed(labeling.ObjectDetection, stamp, "no worker answered")
	for _, c := range []struct {
		name            string
		got             Annotation
		err             error
		label, metadata string
	}{
		{"multi-label, most confident first as the documented sample", multi, errMulti, `[1,0,8]`,
			`{"job-name":"labeling-job/job-1","class-map":{"1":"bicycle","0":"person","8":"clothing"},` + tail + `,"confidence-map":{"1":0.95,"0":0.77,"8":0.2},"type":"groundtruth/image-classification-multilabel"}`},
		{"multi-label nobody picked", none, errNone, `[]`,
			`{"job-name":"labeling-job/job-1","class-map":{},` + tail + `,"confidence-map":{},"type":"groundtruth/text-classification-multilabel"}`},
		{"boxes", boxes, errBoxes,
			`{"image_size":[{"width":500,"height":400,"depth":3}],"annotations":[{"class_id":5,"left":161,"top":250,"width":30,"height":30},{"class_id":0,"left":111,"top":134,"width":61,"height":128},{"class_id":5,"left":20,"top":20,"width":30,"height":30}]}`,
			`{"objects":[{"confidence":0.9},{"confidence":0.8},{"confidence":0.9}],"class-map":{"0":"dog","5":"bone"},"type":"groundtruth/object-detection",` + tail + `,"job-name":"labeling-job/job-1"}`},
		{"no boxes, all taken away: lists, not null", empty, errEmpty, `{"image_size":[{"width":500,"height":400,"depth":3}],"annotations":[]}`,
			`{"objects":[],"class-map":{},"type":"groundtruth/object-detection",` + tail + `,"job-name":"labeling-job/job-1","adjustment-status":"adjusted"}`},
		{"text, one worker", text, errText, `0`,
			`{"confidence":0,"job-name":"labeling-job/job-1","class-name":"a \"b\" <c>",` + tail + `,"type":"groundtruth/text-classification"}`},
		{"custom keeps numbers as written", custom, errCustom, `{"x":[1.50,2]}`,
			`{"job-name":"labeling-job/job-1","type":"groundtruth/custom",` + tail + `}`},
		{"custom with metadata of its own", own, errOwn, `7`,
			`{"mine": 1.0, "type": "groundtruth/custom","job-name":"labeling-job/job-1",` + tail + `}`},
		{"pass-through", raw, errRaw, `{"annotationsFromAllWorkers":[{"workerId":"w","annotationData":{"content":"{\"a\":1}"}}]}`,
			`{"job-name":"labeling-job/job-1","type":"groundtruth/custom",` + tail + `}`},
		{"failed", failed, errFailed, ``,
			`{"failure-reason":"no worker answered","job-name":"labeling-job/job-1",` + tail + `,"type":"groundtruth/object-detection"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.err != nil {
				t.Fatal(c.err)
			}
			if diff := cmp.Diff([]string{c.label, compact(c.metadata)}, []string{string(c.got.Label), compact(string(c.got.Metadata))}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func compact(s string) string {
	m, _, err := compacted([]Member{{"", json.RawMessage(s)}})
	if err != nil {
		return err.Error()
	}
	return string(m[0].Value)
}

func TestConfidenceIsWrittenWithTwoDecimals(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 0.954: "0.95", 0.999: "1", 0.6: "0.6", -1: "0", 2: "1", math.NaN(): "0", 1e-9: "0"} {
		got, err := confidence(in).MarshalJSON()
		if err != nil || string(got) != want {
			t.Errorf("%v: %s, %v; want %s", in, got, err, want)
		}
	}
}

// Failure must not cost a chained job's line the label it came with.
func TestFailedLines(t *testing.T) {
	a, err := Failed(labeling.ImageClassification, stamp, "why")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, in, want string }{
		{"unlabelled", `{"source":"x"}`, `{"source":"x","l-metadata":` + string(a.Metadata) + `}`},
		{"labelled before", `{"source":"x","l":3,"l-metadata":{"old":1}}` + "\r\n", `{"source":"x","l":3,"l-metadata":{"old":1}}`},
		{"failed before", `{"l-metadata":{"old":1},"source":"x"}`, `{"l-metadata":` + string(a.Metadata) + `,"source":"x"}`},
	} {
		got, err := Line([]byte(c.in), "l", a)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

func TestCustomRefusesWhatCannotStandInAManifest(t *testing.T) {
	if _, err := Custom(stamp, json.RawMessage(`{`), nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("broken label: %v", err)
	}
	if _, err := Custom(stamp, json.RawMessage(`1`), json.RawMessage(`[]`)); !fault.Is(err, fault.Invalid) {
		t.Errorf("metadata that is no object: %v", err)
	}
}
