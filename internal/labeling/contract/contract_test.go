package contract_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/labeling/contract"
)

const job = "arn:aws:sagemaker:us-east-2:123456789012:labeling-job/example-job"

func TestEvents(t *testing.T) {
	pre, err := contract.PreAnnotationEvent(job, []byte(`{"z":1.50,"source-ref":"s3://b/a&b.jpg","nested":{"<x>":[1e3]}}`))
	if want := `{"version":"2018-10-16","labelingJobArn":"` + job + `","dataObject":{"z":1.50,"source-ref":"s3://b/a&b.jpg","nested":{"<x>":[1e3]}}}`; string(pre) != want || err != nil {
		t.Errorf("got  %s, %v\nwant %s", pre, err, want)
	}
	c := contract.Consolidation{JobARN: job, Categories: []string{"a", "b<c"}, AttributeName: "attr", RoleARN: "arn:aws:iam::123456789012:role/r", PayloadURI: "s3://b/k 1:2.json"}
	for _, categories := range [][]string{{"a", "b<c"}, nil} {
		c.Categories = categories
		list := `["a","b<c"]`
		if categories == nil {
			list = "null"
		}
		post, err := c.Event()
		if want := `{"version":"2018-10-16","labelingJobArn":"` + job + `","labelCategories":` + list + `,"labelAttributeName":"attr","roleArn":"arn:aws:iam::123456789012:role/r","payload":{"s3Uri":"s3://b/k 1:2.json"}}`; string(post) != want || err != nil {
			t.Errorf("got  %s, %v\nwant %s", post, err, want)
		}
	}
}

func TestPreAnnotationAnswers(t *testing.T) {
	const input = `{"taskObject":"s3://b/k","n":1.50}`
	yes, no := contract.Prepared{TaskInput: json.RawMessage(input), Human: true}, contract.Prepared{TaskInput: json.RawMessage(input)}
	for _, c := range []struct {
		name, answer string
		want         contract.Prepared
		err          string
	}{
		{"documented", `{"taskInput":` + input + `,"isHumanAnnotationRequired":true}`, yes, ""},
		{"absent is true", ` {"taskInput": ` + input + `} `, yes, ""},
		{"null is absent", `{"taskInput":` + input + `,"isHumanAnnotationRequired":null}`, yes, ""},
		{"false", `{"taskInput":` + input + `,"isHumanAnnotationRequired":false}`, no, ""},
		{"as a text", `{"taskInput":` + input + `,"isHumanAnnotationRequired":"true"}`, yes, ""},
		{"the other dialect", `{"taskInput":` + input + `,"humanAnnotationRequired":"false"}`, no, ""},
		{"the other dialect as a boolean", `{"taskInput":` + input + `,"humanAnnotationRequired":true}`, yes, ""},
		{"as Python's str() writes it", `{"taskInput":` + input + `,"humanAnnotationRequired":"False"}`, no, ""},
		{"the documented name wins", `{"taskInput":` + input + `,"humanAnnotationRequired":"false","isHumanAnnotationRequired":true}`, yes, ""},
		{"no input needed without a human", `{"isHumanAnnotationRequired":false}`, contract.Prepared{}, ""},
		{"null input without a human", `{"taskInput":null,"humanAnnotationRequired":"false"}`, contract.Prepared{}, ""},
		{"empty object", `{"taskInput":{}}`, contract.Prepared{TaskInput: json.RawMessage(`{}`), Human: true}, ""},
		{"another member's case is another name", `{"TaskInput":{}}`, contract.Prepared{}, "no taskInput"},
		{"no input", `{"isHumanAnnotationRequired":true}`, contract.Prepared{}, "no taskInput"},
		{"input is a text", `{"taskInput":"s3://b/k"}`, contract.Prepared{}, "taskInput must be an object, not a string"},
		{"input is null", `{"taskInput":null}`, contract.Prepared{}, "taskInput must be an object, not null"},
		{"neither true nor false", `{"taskInput":{},"isHumanAnnotationRequired":"maybe"}`, contract.Prepared{}, `isHumanAnnotationRequired must be true, false`},
		{"a number", `{"taskInput":{},"humanAnnotationRequired":0}`, contract.Prepared{}, `humanAnnotationRequired must be true, false`},
		{"a list", `[]`, contract.Prepared{}, "must be an object with taskInput, not a list"},
		{"an object in a text", `"{\"taskInput\":{}}"`, contract.Prepared{}, "not a string"},
		{"null", `null`, contract.Prepared{}, "not null"},
		{"nothing", " \n", contract.Prepared{}, "the answer is empty"},
		{"a time-out of the emulator", `Task timed out after 3.00 seconds`, contract.Prepared{}, `not JSON: "Task timed out`},
		{"two values", `{}{}`, contract.Prepared{}, "not JSON"},
		{"not UTF-8", "{\"taskInput\":{\"a\":\"\xff\"}}", contract.Prepared{}, "not UTF-8"},
		{"deep", `{"taskInput":` + strings.Repeat(`{"a":`, 300) + `1` + strings.Repeat(`}`, 300) + `}`, contract.Prepared{}, "deeper than"},
		{"long", `{"taskInput":{"a":"` + strings.Repeat("x", contract.MaxTaskInput) + `"}}`, contract.Prepared{}, "longer than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := contract.ParsePreAnnotation([]byte(c.answer))
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("got error %v, want %q", err, c.err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestConsolidationAnswers(t *testing.T) {
	item := func(id, content string) string {
		return `{"datasetObjectId":` + id + `,"consolidatedAnnotation":{"content":` + content + `}}`
	}
	for _, c := range []struct {
		name, answer string
		want         []contract.Result // without Content
		stray, err   string
	}{
		{"documented", `[` + item(`"0"`, `{"attr":{"x": 1.50}}`) + `,` + item(`"7"`, `{"attr":"text"}`) + `]`,
			[]contract.Result{{ObjectID: "0", Label: json.RawMessage(`{"x":1.50}`)}, {ObjectID: "7", Label: json.RawMessage(`"text"`)}}, "", ""},
		{"one for each worker, as the demo function answers", `[` + item(`"0"`, `{"attr":1}`) + `,` + item(`"0"`, `{"attr":2}`) + `]`,
			[]contract.Result{{ObjectID: "0", Label: json.RawMessage(`1`)}, {ObjectID: "0", Label: json.RawMessage(`2`)}}, "", ""},
		{"a number for an id", `[` + item(`3`, `{"attr":false}`) + `]`, []contract.Result{{ObjectID: "3", Label: json.RawMessage(`false`)}}, "", ""},
		{"metadata of its own", `[` + item(`"0"`, `{"attr":1,"attr-metadata":{"a": 2},"other":3}`) + `]`,
			[]contract.Result{{ObjectID: "0", Label: json.RawMessage(`1`), Metadata: json.RawMessage(`{"a":2}`)}}, "", ""},
		{"empty list", `[]`, nil, "", ""},
		{"another attribute", `[` + item(`"0"`, `{"Attr":1}`) + `]`, []contract.Result{{ObjectID: "0", Problem: `no member "attr"`}}, "", ""},
		{"null label", `[` + item(`"0"`, `{"attr":null}`) + `]`, []contract.Result{{ObjectID: "0", Problem: `no member "attr"`}}, "", ""},
		{"metadata that is no object", `[` + item(`"0"`, `{"attr":1,"attr-metadata":[]}`) + `]`, []contract.Result{{ObjectID: "0", Problem: `"attr-metadata"] must be an object, but it is a list`}}, "", ""},
		{"content as a text", `[` + item(`"0"`, `"{}"`) + `]`, []contract.Result{{ObjectID: "0", Problem: "content must be an object, but it is a string"}}, "", ""},
		{"no annotation", `[{"datasetObjectId":"0"}]`, []contract.Result{{ObjectID: "0", Problem: "consolidatedAnnotation must be an object, but it is absent"}}, "", ""},
		{"strays", `[1,{"consolidatedAnnotation":{}},` + item(`""`, `{}`) + `,` + item(`1.5`, `{}`) + `,` + item(`null`, `{}`) + `]`, nil, "item 0 is not an object but a number|item 1 has no datasetObjectId|item 2 has no datasetObjectId|item 3 has no datasetObjectId|item 4 has no datasetObjectId", ""},
		{"an object", `{"0":{}}`, nil, "", "must be a list of results"},
		{"a text", `"[]"`, nil, "", "not a string"},
		{"nothing", ``, nil, "", "empty"},
		{"broken", `[{"datasetObjectId":`, nil, "", "not JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := contract.ParseConsolidation([]byte(c.answer), "attr")
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("got error %v, want %q", err, c.err)
			}
			if s := strings.Join(got.Stray, "|"); s != c.stray {
				t.Errorf("strays %s\nwant   %s", s, c.stray)
			}
			if len(got.Results) != len(c.want) {
				t.Fatalf("got %d results, want %d", len(got.Results), len(c.want))
			}
			for i, r := range got.Results {
				w := c.want[i]
				if r.ObjectID != w.ObjectID || string(r.Label) != string(w.Label) || string(r.Metadata) != string(w.Metadata) ||
					(r.Problem == "") != (w.Problem == "") || !strings.Contains(r.Problem, w.Problem) {
					t.Errorf("result %d: got %+v, want %+v", i, r, w)
				}
			}
		})
	}
}

func TestStraysAreNotAllTold(t *testing.T) {
	got, err := contract.ParseConsolidation([]byte(`[`+strings.Repeat(`1,`, 10_000)+`1]`), "attr")
	if err != nil || len(got.Stray) > 5 {
		t.Errorf("%d strays are told, %v", len(got.Stray), err)
	}
}

// Whatever a function answers is either refused or can be kept: it is JSON, and
// what is read of it does not change when it is read again.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"taskInput":{"a":1},"isHumanAnnotationRequired":"true"}`, `{"humanAnnotationRequired":false}`, `{"taskInput":{"taskInput":{}}}`,
		`[{"datasetObjectId":"0","consolidatedAnnotation":{"content":{"attr":1,"attr-metadata":{}}}}]`, `[{"datasetObjectId":0}]`, `[[]]`, `null`, `"x"`,
		`[{"datasetObjectId":"0","datasetObjectId":"1","consolidatedAnnotation":{"content":{"attr":1,"attr":2}}}]`, "\xff", `{"taskInput":{"\u0000":"\ud800"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if p, err := contract.ParsePreAnnotation(answer); err == nil {
			if p.Human && (len(p.TaskInput) == 0 || p.TaskInput[0] != '{') || len(p.TaskInput) > 0 && !json.Valid(p.TaskInput) {
				t.Fatalf("%q has the input %q", answer, p.TaskInput)
			}
			again, err := contract.ParsePreAnnotation([]byte(`{"taskInput":` + string(p.TaskInput) + `}`))
			if p.TaskInput != nil && (err != nil || string(again.TaskInput) != string(p.TaskInput)) {
				t.Fatalf("%q is not settled: %q, %v", p.TaskInput, again.TaskInput, err)
			}
		}
		c, err := contract.ParseConsolidation(answer, "attr")
		if err != nil {
			return
		}
		for _, r := range c.Results {
			if r.ObjectID == "" || r.Problem == "" && (!json.Valid(r.Label) || !json.Valid(r.Content) || len(r.Metadata) > 0 && !json.Valid(r.Metadata)) {
				t.Fatalf("%q has the result %+v", answer, r)
			}
		}
	})
}
