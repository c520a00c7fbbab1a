package output

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
)

// A real worker-response file, rebuilt from its parts, is the same bytes but
// for the milliseconds that files have today.
func TestWorkerResponseEqualsARealFile(t *testing.T) {
	real, err := os.ReadFile("testdata/real-job/worker-response-95.json")
	if err != nil {
		t.Fatal(err)
	}
	var parts struct {
		Answers []struct {
			AnswerContent  json.RawMessage
			SubmissionTime time.Time
			WorkerID       string
		}
	}
	if err := json.Unmarshal(real, &parts); err != nil {
		t.Fatal(err)
	}
	var answers []Answer
	for _, a := range parts.Answers {
		answers = append(answers, Answer{WorkerID: a.WorkerID, Content: a.AnswerContent, Submitted: a.SubmissionTime})
	}
	got, err := WorkerResponse(answers)
	if err != nil {
		t.Fatal(err)
	}
	if got = bytes.ReplaceAll(got, []byte(".000Z"), []byte("Z")); !bytes.Equal(got, bytes.TrimSpace(real)) {
		t.Errorf("got  %s\nwant %s", got, real)
	}
}

var someAnswer = Answer{
	WorkerID:  "private.us-east-1.0123456789abcdef",
	Content:   json.RawMessage(`{ "b<&>": {"label": "café \"x\""}, "a": 1.0 }`),
	Accepted:  time.Date(2020, 12, 28, 18, 59, 15, 191e6, time.UTC),
	Submitted: time.Date(2020, 12, 28, 18, 59, 58, 321e6, time.UTC),
	Spent:     40543200 * time.Microsecond,
	Identity:  Identity{"Cognito", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_123456789", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"},
}

func TestWorkerResponseNewerForm(t *testing.T) {
	got, err := WorkerResponse([]Answer{someAnswer})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"answers":[{"acceptanceTime":"2020-12-28T18:59:15.191Z","answerContent":{"b<&>":{"label":"café \"x\""},"a":1.0},` +
		`"submissionTime":"2020-12-28T18:59:58.321Z","timeSpentInSeconds":40.543,"workerId":"private.us-east-1.0123456789abcdef",` +
		`"workerMetadata":{"identityData":{"identityProviderType":"Cognito","issuer":"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_123456789","sub":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}}}]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnswersThatAreNoObjectsAreRefused(t *testing.T) {
	for _, content := range []string{``, `null`, `[]`, `"x"`, `{`, `{"a":1}{}`} {
		a := []Answer{{WorkerID: "w", Content: json.RawMessage(content)}}
		if _, err := WorkerResponse(a); !fault.Is(err, fault.Invalid) {
			t.Errorf("worker response of %q: %v", content, err)
		}
		if _, err := ConsolidationRequest([]Object{{Answers: a}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("consolidation request of %q: %v", content, err)
		}
		if _, err := PassThrough(Stamp{}, a); !fault.Is(err, fault.Invalid) {
			t.Errorf("pass-through of %q: %v", content, err)
		}
	}
}

// The shapes are those of the post-annotation function's documented payload.
func TestConsolidationDocuments(t *testing.T) {
	request, err := ConsolidationRequest([]Object{
		{ID: "0", SourceRef: "s3://in/bird1.jpg", Answers: []Answer{{WorkerID: "w", Content: json.RawMessage(`{"x": {"label": "A&B"}}`)}}},
		{ID: "1", Source: ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"datasetObjectId":"0","dataObject":{"s3Uri":"s3://in/bird1.jpg"},"annotations":[{"workerId":"w","annotationData":{"content":"{\"x\":{\"label\":\"A&B\"}}"}}]},` +
		`{"datasetObjectId":"1","dataObject":{"content":""},"annotations":[]}]`
	if diff := cmp.Diff(want, string(request)); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	response, err := ConsolidationResponse("species", []Consolidated{{ID: "0", Annotation: Annotation{json.RawMessage("3"), json.RawMessage(`{"a":1}`)}}})
	if err != nil {
		t.Fatal(err)
	}
	want = `[{"datasetObjectId":"0","consolidatedAnnotation":{"content":{"species":3,"species-metadata":{"a":1}}}}]`
	if diff := cmp.Diff(want, string(response)); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
}

func TestToolData(t *testing.T) {
	got, err := ToolData([]string{"Cat", "R&D"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"document-version":"2018-11-28","labels":[{"label":"Cat"},{"label":"R&D"}]}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
