package stream_test

import (
	"encoding/json"
	"strings"
	"testing"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/output"
	"fiducial/internal/labeling/stream"
)

// envelope is a message as SNS puts it into a queue.
func envelope(text string) string {
	b, _ := json.Marshal(map[string]string{"Type": "Notification", "MessageId": "mid-1", "Message": text})
	return string(b)
}

func s3Event(name, key, sequencer string) string {
	b, _ := json.Marshal(map[string]any{"Records": []any{map[string]any{"eventSource": "aws:s3", "eventName": name,
		"s3": map[string]any{"bucket": map[string]string{"name": "input"}, "object": map[string]string{"key": key, "sequencer": sequencer}}}}})
	return string(b)
}

var (
	images = &labeling.Job{LabelAttributeName: "birds", TaskType: labeling.ObjectDetection}
	texts  = &labeling.Job{LabelAttributeName: "mood", TaskType: labeling.TextClassification}
)

// The rules of deduplication: SNS's message id, an own key, an existing key; and
// what of them the line, and so the output, has.
func TestParse(t *testing.T) {
	long := strings.Repeat("é", 1024)
	for _, c := range []struct {
		name, text, id, line string
		want                 string // in the refusal
	}{
		{"message id", `{"source-ref": "s3://bucket/k", "n": 1.50}`, "mid-1",
			`{"source-ref":"s3://bucket/k","n":1.50,"dataset-objectid-attribute-name":"$birds-object-id","$birds-object-id":"mid-1"}`, ""},
		{"own key", "{\"source-ref\":\"s3://bucket/k\",\n\"dataset-objectid-attribute-name\":\"byo-key\",\"byo-key\":\"UniqueId\"}", "UniqueId",
			`{"source-ref":"s3://bucket/k","dataset-objectid-attribute-name":"byo-key","byo-key":"UniqueId"}`, ""},
		{"existing key", `{"source-ref":"s3://bucket/k","dataset-objectid-attribute-name":"source-ref"}`, "s3://bucket/k",
			`{"source-ref":"s3://bucket/k","dataset-objectid-attribute-name":"source-ref"}`, ""},
		{"what another job labelled", `{"source-ref":"s3://bucket/k","dataset-objectid-attribute-name":"$dogs-object-id","$dogs-object-id":"x","dogs":1,"dogs-metadata":{},"$sequencer":"00"}`, "x",
			`{"source-ref":"s3://bucket/k","dataset-objectid-attribute-name":"$dogs-object-id","$dogs-object-id":"x","dogs":1,"dogs-metadata":{},"$sequencer":"00"}`, ""},
		{"the longest id", `{"source":"t","dataset-objectid-attribute-name":"k","k":"` + long + `"}`, long, `{"source":"t","dataset-objectid-attribute-name":"k","k":"` + long + `"}`, ""},
		{"id too long", `{"source":"t","dataset-objectid-attribute-name":"k","k":"` + long + `é"}`, "", "", "1-1024 characters"},
		{"id empty", `{"source":"t","dataset-objectid-attribute-name":"k","k":""}`, "", "", "1-1024 characters"},
		{"id a number", `{"source":"t","dataset-objectid-attribute-name":"k","k":1}`, "", "", "must be a string"},
		{"key is not there", `{"source":"t","dataset-objectid-attribute-name":"k"}`, "", "", `names the member "k"`},
		{"the longest key", `{"source":"t","dataset-objectid-attribute-name":"` + strings.Repeat("k", 140) + `","` + strings.Repeat("k", 140) + `":"i"}`, "i",
			`{"source":"t","dataset-objectid-attribute-name":"` + strings.Repeat("k", 140) + `","` + strings.Repeat("k", 140) + `":"i"}`, ""},
		{"key too long", `{"source":"t","dataset-objectid-attribute-name":"` + strings.Repeat("k", 141) + `"}`, "", "", "1-140 letters"},
		{"key of another shape", `{"source":"t","dataset-objectid-attribute-name":"a b","a b":"i"}`, "", "", "1-140 letters"},
		{"key no string", `{"source":"t","dataset-objectid-attribute-name":1}`, "", "", "1-140 letters"},
		{"has the job's label", `{"source":"t","birds":1,"birds-metadata":{}}`, "", "", "LabelAttributeName"},
		{"no source", `{"x":1}`, "", "", "neither source-ref nor source"},
		{"both sources", `{"source":"t","source-ref":"s3://bucket/k"}`, "", "", "more than once"},
		{"not an S3 URI", `{"source-ref":"https://bucket/k"}`, "", "", "source-ref"},
		{"not JSON", `text`, "", "", "expected a JSON object"},
		{"an array", `[{"source":"t"}]`, "", "", "expected a JSON object"},
		{"too long", `{"source":"t","x":"` + strings.Repeat("x", 20_001) + `"}`, "", "", "more than 20000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := stream.Parse(images, envelope(c.text))
			if c.want != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			if err != nil || len(got) != 1 || got[0].ID != c.id || string(got[0].Line) != c.line {
				t.Errorf("got %s %v\nwant %s %s", got, err, c.id, c.line)
			}
		})
	}
}

// Event notifications: the id is made of URI and sequencer, so that an object that
// is written again is another data object and a repeated event is not.
func TestParseS3Events(t *testing.T) {
	one := func(text string) labeling.Arrival {
		t.Helper()
		got, err := stream.Parse(images, envelope(text))
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %v, %v", text, got, err)
		}
		return got[0]
	}
	a := one(s3Event("ObjectCreated:Put", "a+b/%C3%A9.jpg", "0055"))
	if want := `{"source-ref":"s3://input/a b/é.jpg","dataset-objectid-attribute-name":"$birds-object-id","$birds-object-id":"` + a.ID + `","$sequencer":"0055"}`; string(a.Line) != want {
		t.Errorf("got  %s\nwant %s", a.Line, want)
	}
	if b := one(s3Event("ObjectCreated:CompleteMultipartUpload", "a+b/%C3%A9.jpg", "0055")); b.ID != a.ID {
		t.Error("the same object and sequencer have two ids")
	}
	if b := one(s3Event("ObjectCreated:Put", "a+b/%C3%A9.jpg", "0056")); b.ID == a.ID {
		t.Error("another sequencer has the same id")
	}
	if b := one(s3Event("ObjectCreated:Put", "c.jpg", "0055")); b.ID == a.ID {
		t.Error("another object has the same id")
	}
	for name, text := range map[string]string{"test event": `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"input"}`, "removal": s3Event("ObjectRemoved:Delete", "a", "1")} {
		if got, err := stream.Parse(images, envelope(text)); err != nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, c := range map[string]struct {
		job  *labeling.Job
		body string
	}{
		"text job":              {texts, envelope(s3Event("ObjectCreated:Put", "a", "1"))},
		"no sequencer":          {images, envelope(s3Event("ObjectCreated:Put", "a", ""))},
		"no key":                {images, envelope(s3Event("ObjectCreated:Put", "", "1"))},
		"bad escape":            {images, envelope(s3Event("ObjectCreated:Put", "%zz", "1"))},
		"no envelope":           {images, s3Event("ObjectCreated:Put", "a", "1")},
		"sent around the topic": {texts, `{"source":"t"}`},
	} {
		if got, err := stream.Parse(c.job, c.body); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// Whatever comes, what is taken is a line of a manifest with an id that is one.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "{}", envelope(`{"source":"t"}`), envelope(`{"source-ref":"s3://bucket/k","dataset-objectid-attribute-name":"source-ref"}`),
		envelope(s3Event("ObjectCreated:Put", "a%2Fb", "1")), envelope(`{"Records":[]}`), envelope(`{"Records":[{"eventSource":"aws:s3"}]}`), `{"Type":"Notification","MessageId":"m","Message":"{\"source\":\"\\u0000\"}"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		list, err := stream.Parse(images, body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		for _, a := range list {
			if err := labeling.CheckArrival(a); err != nil && !strings.Contains(err.Error(), "NUL") {
				t.Fatalf("%q became an arrival that none may be: %v", body, err)
			}
			if !output.IsObject(a.Line) || strings.ContainsAny(string(a.Line), "\n\r") {
				t.Fatalf("%q became %q, which is no line of a manifest", body, a.Line)
			}
		}
	})
}
