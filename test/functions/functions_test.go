// Package functions_test runs labeling jobs whose functions are programs,
// HTTP servers and Lambda functions, through the real server.
package functions_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/sigv4"
	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

const (
	prefix       = "arn:aws:lambda:us-east-1:000000000000:function:"
	lambdaKey    = "AKIALAMBDATEST"
	lambdaSecret = "the-key-of-the-lambda-endpoint"
)

// emulator is a function behind the runtime interface emulator's protocol.
func emulator(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/function/invocations", func(w http.ResponseWriter, r *http.Request) {
		var e struct{ DataObject struct{ Source string } }
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"taskInput": map[string]string{"taskObject": e.DataObject.Source, "hint": "from afar"}, "humanAnnotationRequired": "true"})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// lambdaAPI is Lambda's Invoke operation. It answers only what is signed with
// the key that the server was given for it.
type lambdaAPI struct {
	*httptest.Server
	mu     sync.Mutex
	events []string
}

func newLambdaAPI(t *testing.T) *lambdaAPI {
	l := &lambdaAPI{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		q, err := sigv4.Parse(r)
		if err == nil {
			err = q.CheckScope("us-east-1", "lambda")
		}
		if err == nil {
			err = q.VerifyBody(r, sigv4.DeriveKey(lambdaSecret, q.Date, q.Region, q.Service), time.Now(), body)
		}
		if err != nil || q.AccessKeyID != lambdaKey || r.URL.Path != "/2015-03-31/functions/"+prefix+"team-lambda-post/invocations" {
			t.Errorf("%s: %v", r.URL.Path, err)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		l.mu.Lock()
		l.events = append(l.events, string(body))
		l.mu.Unlock()
		_, _ = io.WriteString(w, `[{"datasetObjectId":"0","consolidatedAnnotation":{"content":{"label":"from Lambda"}}}]`)
	}))
	t.Cleanup(l.Close)
	return l
}

func TestFunctions(t *testing.T) {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	away, err := newSettings(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	s := boot.Start(t, boot.Options{Args: []string{"--functions", away.file, "--log-level", "debug"},
		Env: []string{"AWS_ACCESS_KEY_ID=" + lambdaKey, "AWS_SECRET_ACCESS_KEY=" + lambdaSecret, "AWS_SESSION_TOKEN=", "AWS_PROFILE=", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}})
	s.Make(boot.Setup{Workers: []boot.Account{{Email: "ann@example.com", Password: "Correct-horse-1"}, {Email: "bob@example.com", Password: "Correct-horse-1"}}})
	program, err := os.ReadFile(filepath.Join(dir, "jobs.py"))
	if err != nil {
		t.Fatal(err)
	}
	said := boot.Must(t)(s.Python(string(program), prefix))
	if want := "ValidationException: HumanTaskConfig.PreHumanTaskLambdaArn: the setting functions does not say how to run " + prefix + "nobody-runs-this."; !strings.HasPrefix(said, want) {
		t.Errorf("an unmapped function: %s\nwant %s", said, want)
	}
	if st := s.AwaitJob("denied", time.Minute, "Failed", "Completed"); st.LabelingJobStatus != "Failed" ||
		!strings.HasPrefix(st.FailureReason, "ClientError: Exception invoking the Lambda function "+prefix+"other-pre. LambdaErrorCode: AccessDenied.") ||
		!strings.Contains(st.FailureReason, "lambda:InvokeFunction on "+prefix+"other-pre: no statement of the role's policies allows it") {
		t.Errorf("a role that may not invoke: %+v", st)
	}
	t.Run("local", func(t *testing.T) {
		label(t, s, "ann@example.com", "local", 2, "Read ", "good")
		label(t, s, "bob@example.com", "local", 2, "Read ", "good")
		st := s.AwaitJob("local", time.Minute, "Completed", "Failed")
		c := st.LabelCounters
		if st.LabelingJobStatus != "Completed" || c.HumanLabeled != 2 || c.FailedNonRetryableError != 1 || c.Unlabeled != 1 {
			t.Errorf("at the end: %+v", st)
		}
		lines := manifest(t, s, st)
		for i, want := range []string{
			`{"source":"first","label":{"mood":"good","votes":2,"of":"first"},"label-metadata":{"job-name":"labeling-job/local","type":"groundtruth/custom","human-annotated":"yes","creation-date":"`,
			`{"source":"nothing to see"}`,
			`{"source":"broken","label-metadata":{"failure-reason":"The pre-annotation function ` + prefix + `team-pre failed. ValueError: cannot read broken","job-name":"labeling-job/local"`,
			`{"source":"last","label":{"mood":"good","votes":2,"of":"last"},`,
		} {
			if i >= len(lines) || !strings.HasPrefix(strings.ReplaceAll(lines[i], `": `, `":`), want) {
				t.Errorf("manifest line %d of %q\nwant %s", i, lines, want)
			}
		}
	})
	t.Run("remote", func(t *testing.T) {
		label(t, s, "ann@example.com", "remote", 1, "from afar", "bad")
		st := s.AwaitJob("remote", time.Minute, "Completed", "Failed")
		if lines := manifest(t, s, st); st.LabelingJobStatus != "Completed" || len(lines) != 1 || !strings.Contains(lines[0], `"label":"from Lambda"`) {
			t.Errorf("at the end: %+v, %q", st, lines)
		}
		away.lambda.mu.Lock()
		defer away.lambda.mu.Unlock()
		want := `{"version":"2018-10-16","labelingJobArn":"arn:aws:sagemaker:us-east-1:000000000000:labeling-job/remote","labelCategories":null,"labelAttributeName":"label","roleArn":"arn:aws:iam::000000000000:role/GroundTruthExecution","payload":{"s3Uri":"s3://output/remote/annotations/consolidated-annotation/consolidation-request/iteration-1/`
		if len(away.lambda.events) != 1 || !strings.HasPrefix(away.lambda.events[0], want) {
			t.Errorf("Lambda got %q\nwant %s", away.lambda.events, want)
		}
	})
	record := recordOf(t, s)
	for name, times := range map[string]int{"team-pre": 4, "team-http-pre": 1, "team-lambda-post": 1} {
		if n := strings.Count(record, `"resource":"`+prefix+name+`"`); n < times {
			t.Errorf("%d invocations of %s are on record, want %d", n, name, times)
		}
	}
	for _, secret := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "Received event", lambdaSecret, "settings-secret"} {
		if strings.Contains(s.Log(), secret) || strings.Contains(record, secret) {
			t.Errorf("what a function printed, or a secret, is in the log or the record: %s", secret)
		}
	}
}

type settings struct {
	file   string
	lambda *lambdaAPI
}

func newSettings(t *testing.T, dir string) (settings, error) {
	out := settings{filepath.Join(t.TempDir(), "functions.yaml"), newLambdaAPI(t)}
	python := boot.Python()
	text := fmt.Sprintf(`
- {arn: "%steam-pre", command: ["%s", -B], dir: "%s", handler: pre.lambda_handler, attempts: 2, env: {MINE: settings-secret}}
- {arn: team-post, command: ["%[2]s", -B], dir: "%[3]s", handler: post.lambda_handler}
- {arn: team-http-*, url: "%s"}
- {arn: team-lambda-*, lambda: {endpoint: "%s"}}
- {arn: other-*, command: [/bin/cat]}
`, prefix, python, dir, emulator(t).URL, out.lambda.URL)
	return out, os.WriteFile(out.file, []byte(text), 0o600)
}

// label answers n tasks of a job, each of which shows the hint.
func label(t *testing.T, s *boot.Server, email, job string, n int, hint, answer string) {
	t.Helper()
	w, err := boot.NewWorker(s.Portal, "", email, "Correct-horse-1")
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); n > 0; {
		id, err := w.Start(job)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d tasks of %s are missing, %v", n, job, err)
		}
		if id == "" { // it is being prepared
			time.Sleep(100 * time.Millisecond)
			continue
		}
		page, _, err := w.Frame(id)
		if err != nil || !strings.Contains(page, hint) {
			t.Fatalf("the page has no %q: %v\n%s", hint, err, page)
		}
		if status, _, err := w.Submit(id, map[string]any{"mood": map[string]string{"label": answer}}); status != http.StatusOK || err != nil {
			t.Fatalf("submit: status %d, %v", status, err)
		}
		n--
	}
}

func manifest(t *testing.T, s *boot.Server, st boot.JobStatus) []string {
	t.Helper()
	return strings.Split(strings.TrimSpace(boot.Must(t)(s.AWS("s3", "cp", "--quiet", st.LabelingJobOutput.OutputDatasetS3Uri, "-"))), "\n")
}

// recordOf is the audit record about invocations.
func recordOf(t *testing.T, s *boot.Server) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.DataDir, "audit", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no audit files: %v", err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, "lambda:InvokeFunction") {
				all.WriteString(line)
			}
		}
	}
	return all.String()
}
