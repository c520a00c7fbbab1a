package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

//go:embed testdata/conformance.py
var conformance string

// Both service models, operation by operation, with boto3; some of it with the AWS
// CLI; and one human loop from its start to its output. One server, one program.
func TestConformance(t *testing.T) {
	t.Parallel()
	picture := boot.Picture(t, 320, 240)
	s := boot.Start(t, boot.Options{})
	ann := boot.Account{Email: "ann@example.org", Password: "Str0ng!passw0rd"}
	s.Make(boot.Setup{Workers: []boot.Account{ann}, SourceIP: true})
	boot.Must(t)(s.AWS("s3", "cp", picture, "s3://input/picture.jpg", "--content-type", "image/jpeg"))
	model := func(name string) string {
		path, err := filepath.Abs("../../tools/apigen/model/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	template, err := filepath.Abs("testdata/transcript.liquid.html")
	if err != nil {
		t.Fatal(err)
	}
	boot.Must(t)(s.Python(common+conformance, model("groundtruth-api.json"), model("a2i-runtime-api.json"), template))

	run := func(args ...string) string {
		t.Helper()
		return strings.TrimSpace(boot.Must(t)(s.AWS(append(args, "--output", "text")...)))
	}
	if got := run("sagemaker", "list-flow-definitions", "--query", "FlowDefinitionSummaries[].[FlowDefinitionName,FlowDefinitionStatus]"); got != "transcripts\tActive" {
		t.Errorf("flow definitions: %q", got)
	}
	if got := run("sagemaker", "describe-human-task-ui", "--human-task-ui-name", "ui-0", "--query", "HumanTaskUiStatus"); got != "Active" {
		t.Errorf("human task UI: %q", got)
	}
	const loops = "sagemaker-a2i-runtime"
	flow := "arn:aws:sagemaker:" + boot.Region + ":000000000000:flow-definition/transcripts"
	if got := run(loops, "list-human-loops", "--flow-definition-arn", flow, "--max-results", "1", "--query", "HumanLoopSummaries[].HumanLoopName"); got != "loop-0" {
		t.Errorf("human loops: %q", got)
	}
	out, err := s.AWS(loops, "describe-human-loop", "--human-loop-name", "nothing")
	if err == nil || !strings.Contains(err.Error(), "(ResourceNotFoundException)") {
		t.Errorf("a loop that is not there: %v %s", err, out)
	}
	input := `{"InputContent":"{\"original_words\":\"from the CLI\",\"picture\":\"s3://input/picture.jpg\"}"}`
	run(loops, "start-human-loop", "--human-loop-name", "by-cli", "--flow-definition-arn", flow, "--human-loop-input", input)
	run(loops, "stop-human-loop", "--human-loop-name", "by-cli")

	linkIsBound(t, s)
	review(t, s, ann, picture)
	console(t, s)
}

// console reads the console's pages of human review as root.
func console(t *testing.T, s *boot.Server) {
	t.Helper()
	c := boot.From("127.0.0.1")
	defer c.CloseIdleConnections()
	res, err := c.PostForm(s.Portal+"/console/signin", url.Values{"access-key-id": {boot.AccessKeyID}, "secret-access-key": {boot.SecretAccessKey}})
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	var cookie string
	for _, k := range res.Cookies() {
		if k.Name == "__Host-fiducial-console" {
			cookie = k.Name + "=" + k.Value
		}
	}
	for path, words := range map[string][]string{
		"/console/reviews":             {`data-flow="transcripts"`, `data-ui="ui-0"`, "Active"},
		"/console/reviews/transcripts": {`data-loop="loop-0"`, "Completed", "ui-0", "s3://output/reviews", "The worker task template cannot show this input"},
		"/console/reviews/nothing":     {"does not exist"},
	} {
		req, err := http.NewRequest(http.MethodGet, s.Portal+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", cookie)
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !strings.Contains(string(page), w) {
				t.Errorf("%s (%d) does not say %q:\n%.3000s", path, res.StatusCode, w, page)
			}
		}
		if dir := os.Getenv("FIDUCIAL_SCREENSHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(strings.Trim(path, "/"), "/", "-")+".html"), page, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}

// linkIsBound opens the link to a template from elsewhere.
func linkIsBound(t *testing.T, s *boot.Server) {
	t.Helper()
	link := strings.TrimSpace(boot.Must(t)(s.AWS("sagemaker", "describe-human-task-ui", "--human-task-ui-name", "ui-0", "--query", "UiTemplate.Url", "--output", "text")))
	for from, want := range map[string]int{"127.0.0.1": 200, "127.0.0.2": 403} {
		if status, _ := open(t, from, link); status != want {
			t.Errorf("the link to the template from %s: status %d, want %d", from, status, want)
		}
	}
}

func open(t *testing.T, from, url string) (int, []byte) {
	t.Helper()
	c := boot.From(from)
	defer c.CloseIdleConnections()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b
}

var flowCard = regexp.MustCompile(`data-job="(flow-definition\.transcripts\.[a-z0-9]{8})"`)

// review answers the loop loop-0 at the portal. Its picture opens for the worker
// alone, and its output has the documented shape.
func review(t *testing.T, s *boot.Server, account boot.Account, picture string) {
	t.Helper()
	w, err := boot.NewWorker(s.Portal, "127.0.0.1", account.Email, account.Password)
	if err != nil {
		t.Fatal(err)
	}
	page, _, err := w.Page("/")
	card := flowCard.FindStringSubmatch(page)
	if err != nil || card == nil || !strings.Contains(page, "Correct a transcript") || !strings.Contains(page, "Human review") {
		t.Fatalf("the flow definition is not in the list of jobs (%v):\n%s", err, page)
	}
	assignment, err := w.Start(card[1])
	if err != nil || assignment == "" {
		t.Fatalf("start: %q %v", assignment, err)
	}
	frame, media, err := w.Frame(assignment)
	if err != nil || len(media) != 1 || !strings.Contains(frame, "but definitely use Lambda") {
		t.Fatalf("%v, %d media URLs:\n%s", err, len(media), frame)
	}
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if status, got := open(t, "127.0.0.1", media[0]); status != http.StatusOK || string(got) != string(want) {
		t.Errorf("the worker gets %d and %d bytes", status, len(got))
	}
	if status, _ := open(t, "127.0.0.2", media[0]); status != http.StatusForbidden {
		t.Errorf("another address gets %d, want 403", status)
	}
	if status, _, err := w.Post(assignment, "draft", map[string]any{"answer": map[string]string{"transcription": "use"}}); err != nil || status != http.StatusNoContent {
		t.Errorf("draft: %d %v", status, err)
	}
	if status, _, err := w.Submit(assignment, map[string]string{"transcription": "use lambda to turn your notebook"}); err != nil || status != http.StatusOK {
		t.Fatalf("submit: %d %v", status, err)
	}
	time.Sleep(time.Second) // grants end within one
	if status, _ := open(t, "127.0.0.1", media[0]); status != http.StatusForbidden {
		t.Errorf("after the answer the worker gets %d, want 403", status)
	}
	var loop struct {
		HumanLoopStatus string
		HumanLoopOutput struct{ OutputS3Uri string }
	}
	for deadline := time.Now().Add(time.Minute); loop.HumanLoopStatus != "Completed"; time.Sleep(300 * time.Millisecond) {
		if err := json.Unmarshal([]byte(boot.Must(t)(s.AWS("sagemaker-a2i-runtime", "describe-human-loop", "--human-loop-name", "loop-0", "--output", "json"))), &loop); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the loop is %s", loop.HumanLoopStatus)
		}
	}
	if page, _, err := w.Page("/"); err != nil || flowCard.MatchString(page) {
		t.Errorf("the flow definition is in the list of jobs although it has nothing for the worker (%v)", err)
	}
	var doc map[string]any
	text := boot.Must(t)(s.AWS("s3", "cp", loop.HumanLoopOutput.OutputS3Uri, "-"))
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	// The members of the documented output, and the three times of newer ones.
	shape := strings.Join(shapeOf("", doc), "\n")
	wanted := strings.Join([]string{
		".flowDefinitionArn string", ".humanAnswers[].acceptanceTime string", ".humanAnswers[].answerContent.transcription string",
		".humanAnswers[].submissionTime string", ".humanAnswers[].timeSpentInSeconds float64", ".humanAnswers[].workerId string",
		".humanAnswers[].workerMetadata.identityData.identityProviderType string", ".humanAnswers[].workerMetadata.identityData.issuer string",
		".humanAnswers[].workerMetadata.identityData.sub string", ".humanLoopName string",
		".inputContent.original_words string", ".inputContent.picture string", ".inputContent.start_time float64",
	}, "\n")
	if shape != wanted {
		t.Errorf("output.json has\n%s\nwant\n%s\nin %s", shape, wanted, text)
	}
	if !strings.Contains(text, `"use lambda to turn your notebook"`) || !strings.Contains(text, `"start_time": 948.51`) && !strings.Contains(text, `"start_time":948.51`) {
		t.Errorf("output.json: %s", text)
	}
}

// shapeOf lists the members of a document with their types.
func shapeOf(at string, v any) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			out = append(out, shapeOf(at+"."+k, e)...)
		}
	case []any:
		for _, e := range v {
			out = append(out, shapeOf(at+"[]", e)...)
		}
	default:
		return []string{fmt.Sprintf("%s %T", at, v)}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
