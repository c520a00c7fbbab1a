// Package streaming tests topics, queues, streaming labeling jobs and what tells
// people of them from outside: the real server, boto3, the AWS CLI, a webhook's
// receiver and a mail server.
package streaming

import (
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/outbound"
	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

//go:embed testdata/messaging.py
var messagingProgram string

//go:embed testdata/setup.py
var setupProgram string

//go:embed testdata/finish.py
var finishProgram string

var ana = boot.Account{Email: "ana@example.org", Password: "Correct-Horse-1"}

const hookSecret = "a webhook's secret of the test"

// receiver is an http endpoint that answers 500 to the first requests.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	fails int
	got   []request
}

type request struct {
	body   []byte
	header http.Header
	path   string
}

func newReceiver(t *testing.T, fails int) *receiver {
	r := &receiver{fails: fails}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.got = append(r.got, request{b, q.Header, q.URL.Path}); len(r.got) <= r.fails {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// await waits for a request to the path that is accepted by ok.
func (r *receiver) await(t *testing.T, path string, ok func(request) bool) request {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		r.mu.Lock()
		for _, q := range r.got {
			if q.path == path && ok(q) {
				r.mu.Unlock()
				return q
			}
		}
		r.mu.Unlock()
	}
	t.Fatalf("no such request came to %s; %d came", path, len(r.got))
	return request{}
}

func TestStreaming(t *testing.T) {
	hook, mails := newReceiver(t, 2), newMailServer(t)
	dir := t.TempDir()
	hooks := filepath.Join(dir, "hooks.yaml")
	if err := os.WriteFile(hooks, []byte("- name: pipeline\n  url: "+hook.URL+"/events\n  secret-env: HOOK_SECRET\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := boot.Start(t, boot.Options{Env: []string{"HOOK_SECRET=" + hookSecret}, Args: []string{"--webhooks", hooks, "--outbound-hosts", "127.0.0.1",
		"--event-topic", "arn:aws:sns:us-east-1:000000000000:events", "--smtp-addr", mails.addr, "--smtp-tls", "none", "--smtp-from", "labels@example.org"}})
	must := boot.Must(t)
	t.Run("boto3", func(t *testing.T) { boot.Must(t)(s.Python(messagingProgram)) })
	t.Run("AWS CLI", func(t *testing.T) { cli(t, s) })
	t.Run("doors", func(t *testing.T) { doors(t, s, hook) })
	t.Run("a job", func(t *testing.T) {
		s.Make(boot.Setup{Workers: []boot.Account{ana}})
		first := strings.TrimSpace(must(s.Python(setupProgram)))
		w, err := boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password)
		if err != nil {
			t.Fatal(err)
		}
		mails.await(t) // team and worker are told while there is work
		for n, end := 0, time.Now().Add(time.Minute); n < 2; {
			id, err := w.Start("Stream-1")
			if err != nil || id == "" {
				if time.Now().After(end) {
					t.Fatalf("task %d did not come: %v", n, err)
				}
				time.Sleep(200 * time.Millisecond)
				continue
			}
			if status, _, err := w.Submit(id, map[string]any{"c": map[string]string{"label": "cat"}}); err != nil || status != 200 {
				t.Fatalf("submit: %d, %v", status, err)
			}
			n++
		}
		must(s.Python(finishProgram, first))
	})
	t.Run("webhook", func(t *testing.T) {
		q := hook.await(t, "/events", func(q request) bool { return strings.Contains(string(q.body), "labeling-job/stream-1") })
		var e struct {
			SpecVersion, ID, Source, Type, Subject, DataContentType string
			Data                                                    struct {
				Detail map[string]string
			}
		}
		if err := json.Unmarshal(q.body, &e); err != nil {
			t.Fatal(err)
		}
		if e.SpecVersion != "1.0" || e.ID == "" || e.Type != "SageMaker Ground Truth Labeling Job State Change" || e.Data.Detail["LabelingJobStatus"] != "Stopped" ||
			e.Subject != "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/stream-1" || !strings.HasPrefix(q.header.Get("Content-Type"), "application/cloudevents+json") {
			t.Errorf("%+v, %v", e, q.header)
		}
		signature := q.header.Get(outbound.SignatureHeader)
		if !outbound.Verify([]byte(hookSecret), signature, q.body, time.Now(), 5*time.Minute) {
			t.Errorf("the signature %q is not right", signature)
		}
	})
	t.Run("topics elsewhere", func(t *testing.T) { elsewhere(t, s) })
	t.Run("the documentation's receiver", func(t *testing.T) { sample(t, s, hook) })
	t.Run("mail", func(t *testing.T) {
		m := mails.await(t)
		if !strings.Contains(m, "To: <ana@example.org>") || !strings.Contains(m, "Which animal") || !strings.Contains(m, s.Portal) {
			t.Errorf("the mail is\n%s", m)
		}
		time.Sleep(6 * time.Second) // longer than the pause between two looks
		if n := mails.count(); n != 1 {
			t.Errorf("%d mails within the hour, want 1", n)
		}
	})
}

// cli uses the surface with the AWS CLI, once.
func cli(t *testing.T, s *boot.Server) {
	aws := func(args ...string) string {
		t.Helper()
		// Version 1 of the CLI asks AWS itself for SQS, whatever AWS_ENDPOINT_URL says.
		return strings.TrimSpace(boot.Must(t)(s.AWS(append(args, "--output", "text", "--endpoint-url", s.API)...)))
	}
	topic := aws("sns", "create-topic", "--name", "cli")
	queue := aws("sqs", "create-queue", "--queue-name", "cli")
	arn := aws("sqs", "get-queue-attributes", "--queue-url", queue, "--attribute-names", "QueueArn", "--query", "Attributes.QueueArn")
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `"}]}`
	quoted, _ := json.Marshal(map[string]string{"Policy": policy})
	aws("sqs", "set-queue-attributes", "--queue-url", queue, "--attributes", string(quoted))
	aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", arn, "--attributes", "RawMessageDelivery=true")
	aws("sns", "publish", "--topic-arn", topic, "--message", "hello")
	aws("sns", "publish-batch", "--topic-arn", topic, "--publish-batch-request-entries", "Id=a,Message=one")
	aws("sqs", "send-message", "--queue-url", queue, "--message-body", "direct")
	if got := aws("sqs", "receive-message", "--queue-url", queue, "--max-number-of-messages", "10", "--query", "sort(Messages[].Body)"); got != "direct\thello\tone" {
		t.Errorf("received %q", got)
	}
	aws("sqs", "purge-queue", "--queue-url", queue)
	aws("sns", "delete-topic", "--topic-arn", topic)
	aws("sqs", "delete-queue", "--queue-url", queue)
}

// doors are requests that must not pass.
func doors(t *testing.T, s *boot.Server, hook *receiver) {
	topic := strings.TrimSpace(boot.Must(t)(s.AWS("sns", "create-topic", "--name", "doors", "--output", "text")))
	ask := func(method, target, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(method, s.API+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	for name, form := range map[string]url.Values{
		"unsigned publish":     {"Action": {"Publish"}, "TopicArn": {topic}, "Message": {"m"}},
		"unsigned subscribe":   {"Action": {"Subscribe"}, "TopicArn": {topic}, "Protocol": {"http"}, "Endpoint": {hook.URL}},
		"unsigned unsubscribe": {"Action": {"Unsubscribe"}, "SubscriptionArn": {topic + ":x"}},
	} {
		if status, body := ask("POST", "/", form.Encode()); status != 403 || !strings.Contains(body, "MissingAuthenticationToken") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if status, _ := ask("GET", "/?"+form.Encode(), ""); status != 403 {
			t.Errorf("%s by GET: %d", name, status)
		}
	}
	// Confirmation: only with the token that the endpoint was sent.
	boot.Must(t)(s.AWS("sns", "subscribe", "--topic-arn", topic, "--protocol", "http", "--notification-endpoint", hook.URL+"/sub"))
	confirm := func(token string) int {
		status, _ := ask("GET", "/?"+url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {topic}, "Token": {token}}.Encode(), "")
		return status
	}
	for _, token := range []string{"", "guess", strings.Repeat("A", 43)} {
		if status := confirm(token); status == 200 {
			t.Errorf("the token %q confirms", token)
		}
	}
	boot.Must(t)(s.AWS("sns", "publish", "--topic-arn", topic, "--message", "before"))
	q := hook.await(t, "/sub", func(q request) bool { return q.header.Get("x-amz-sns-message-type") == "SubscriptionConfirmation" })
	var c struct{ Token, SubscribeURL string }
	if err := json.Unmarshal(q.body, &c); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask("GET", "/?"+url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {topic + "x"}, "Token": {c.Token}}.Encode(), ""); status == 200 {
		t.Error("the token confirms a subscription of another topic")
	}
	res, err := http.Get(c.SubscribeURL)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("the SubscribeURL does not confirm: %v %v", res, err)
	}
	_ = res.Body.Close()
	if status := confirm(c.Token); status == 200 {
		t.Error("a token confirms twice")
	}
	boot.Must(t)(s.AWS("sns", "publish", "--topic-arn", topic, "--message", "after"))
	q = hook.await(t, "/sub", func(q request) bool { return q.header.Get("x-amz-sns-message-type") == "Notification" })
	if !strings.Contains(string(q.body), `"Message":"after"`) {
		t.Errorf("the first message is %s", q.body)
	}
}
