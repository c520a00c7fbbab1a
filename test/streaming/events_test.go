package streaming

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

//go:embed testdata/refused.py
var refusedProgram string

//go:embed testdata/pictures.py
var picturesProgram string

// event is a record of an event notification.
type event struct {
	EventVersion, EventSource, AWSRegion, EventTime, EventName string

	UserIdentity      struct{ PrincipalID string }
	RequestParameters struct{ SourceIPAddress string }
	ResponseElements  map[string]string
	S3                struct {
		S3SchemaVersion, ConfigurationID string
		Bucket                           struct {
			Name, ARN     string
			OwnerIdentity struct{ PrincipalID string }
		}
		Object struct {
			Key, ETag, Sequencer string
			Size                 *int64
		}
	}
}

// hearer drives the AWS CLI and reads one queue of events.
type hearer struct {
	t *testing.T
	*boot.Server
	queue string
}

func (h *hearer) aws(args ...string) string {
	h.t.Helper()
	// Version 1 of the CLI asks AWS itself for SQS, whatever AWS_ENDPOINT_URL says.
	return strings.TrimSpace(boot.Must(h.t)(h.AWS(append(args, "--output", "text", "--endpoint-url", h.API)...)))
}

const (
	account = "000000000000"
	snsARN  = "arn:aws:sns:us-east-1:" + account + ":"
	sqsARN  = "arn:aws:sqs:us-east-1:" + account + ":"
)

// allow is a policy that lets a service act on a resource for a source.
func allow(service, action, resource, source string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":%q,"Resource":%q,"Condition":{"ArnLike":{"aws:SourceArn":%q}}}]}`,
		service, action, resource, source)
}

// makeQueue makes the queue to be read.
func (h *hearer) makeQueue(name, policy string) {
	h.t.Helper()
	h.queue = h.aws("sqs", "create-queue", "--queue-name", name)
	quoted, _ := json.Marshal(map[string]string{"Policy": policy})
	h.aws("sqs", "set-queue-attributes", "--queue-url", h.queue, "--attributes", string(quoted))
}

// configure sets what a bucket tells.
func (h *hearer) configure(bucket, configuration string, more ...string) {
	h.t.Helper()
	h.aws(append([]string{"s3api", "put-bucket-notification-configuration", "--bucket", bucket, "--notification-configuration", configuration}, more...)...)
}

// bodies waits for n messages and takes them.
func (h *hearer) bodies(n int) []string {
	h.t.Helper()
	var got []string
	for end := time.Now().Add(time.Minute); len(got) < n && time.Now().Before(end); {
		var out struct {
			Messages []struct{ Body, ReceiptHandle string }
		}
		text := boot.Must(h.t)(h.AWS("sqs", "receive-message", "--queue-url", h.queue, "--max-number-of-messages", "10", "--wait-time-seconds", "2", "--output", "json", "--endpoint-url", h.API))
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			h.t.Fatalf("%q: %v", text, err)
		}
		for _, m := range out.Messages {
			got = append(got, m.Body)
			h.aws("sqs", "delete-message", "--queue-url", h.queue, "--receipt-handle", m.ReceiptHandle)
		}
	}
	if len(got) != n {
		h.t.Fatalf("%d messages, want %d: %q", len(got), n, got)
	}
	return got
}

// events waits for n events, in the order of their sequencers.
func (h *hearer) events(n int) []event {
	h.t.Helper()
	var out []event
	for _, body := range h.bodies(n) {
		out = append(out, parseEvent(h.t, body))
	}
	slices.SortFunc(out, func(a, b event) int { return strings.Compare(a.S3.Object.Sequencer, b.S3.Object.Sequencer) })
	return out
}

func parseEvent(t *testing.T, body string) event {
	t.Helper()
	var m struct{ Records []event }
	if err := json.Unmarshal([]byte(body), &m); err != nil || len(m.Records) != 1 {
		t.Fatalf("no event notification: %v\n%s", err, body)
	}
	return m.Records[0]
}

func (h *hearer) testEvent(body, bucket string) {
	h.t.Helper()
	var e struct{ Service, Event, Time, Bucket, RequestID, HostID string }
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.Service != "Amazon S3" || e.Event != "s3:TestEvent" || e.Bucket != bucket || e.RequestID == "" || e.HostID == "" {
		h.t.Errorf("no test event: %v\n%s", err, body)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", e.Time); err != nil {
		h.t.Error(err)
	}
}

// What happens in a bucket is told to a topic and a queue, from the AWS CLI's side.
func TestEventNotifications(t *testing.T) {
	h := &hearer{t: t, Server: boot.Start(t, boot.Options{})}
	h.aws("s3", "mb", "s3://told")
	t.Run("refused", func(t *testing.T) { boot.Must(t)(h.Python(refusedProgram)) })
	t.Run("queue", func(t *testing.T) { toQueue(t, h.Server) })
	t.Run("topic", func(t *testing.T) { toTopic(t, h.Server) })
	t.Run("kill", func(t *testing.T) { afterKill(t, h.Server) })
	t.Run("a job", func(t *testing.T) { picturesJob(t, h.Server) })
	t.Run("the documentation's transcript", func(t *testing.T) { transcript(t, h.Server) })
}

// transcript runs what docs/streaming.md shows.
func transcript(t *testing.T, s *boot.Server) {
	h := &hearer{t: t, Server: s}
	doc, err := os.ReadFile("../../docs/streaming.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(doc), "## From a bucket\n")
	_, rest, begins := strings.Cut(rest, "```console\n")
	shown, _, ends := strings.Cut(rest, "```")
	if !ok || !begins || !ends {
		t.Fatal("docs/streaming.md shows no bucket that tells a topic")
	}
	var script []string
	for _, line := range strings.Split(shown, "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			script = append(script, command)
		} else if strings.HasPrefix(line, "  ") {
			script = append(script, line)
		}
	}
	h.aws("sns", "create-topic", "--name", "objects")
	h.makeQueue("shown", allow("sns.amazonaws.com", "sqs:SendMessage", sqsARN+"shown", snsARN+"objects"))
	h.aws("sns", "subscribe", "--topic-arn", snsARN+"objects", "--protocol", "sqs", "--notification-endpoint", sqsARN+"shown", "--attributes", "RawMessageDelivery=true")
	c := exec.Command("bash", "-e", "-c", strings.Join(script, "\n"))
	c.Env, c.Dir = s.ClientEnv(), filepath.Dir(boot.Picture(t, 32, 24))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := h.bodies(2)
	if i := slices.IndexFunc(got, func(body string) bool { return strings.Contains(body, "Records") }); i < 0 {
		t.Errorf("heard %q", got)
	} else if e := parseEvent(t, got[i]); e.S3.Object.Key != "picture.jpg" || e.S3.Bucket.Name != "input" {
		t.Errorf("heard %+v", e)
	}
}

func toQueue(t *testing.T, s *boot.Server) {
	h := &hearer{t: t, Server: s}
	dir := t.TempDir()
	small, large := filepath.Join(dir, "small"), filepath.Join(dir, "large")
	for name, size := range map[string]int{small: 1000, large: 9 << 20} { // above the CLI's threshold for multipart
		if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.makeQueue("events", allow("s3.amazonaws.com", "sqs:SendMessage", sqsARN+"events", "arn:aws:s3:*:*:told"))
	const configuration = `{"QueueConfigurations":[
		{"Id":"new","QueueArn":"` + sqsARN + `events","Events":["s3:ObjectCreated:*"],"Filter":{"Key":{"FilterRules":[{"Name":"prefix","Value":"in/"},{"Name":"suffix","Value":".jpg"}]}}},
		{"QueueArn":"` + sqsARN + `events","Events":["s3:ObjectRemoved:Delete"],"Filter":{"Key":{"FilterRules":[{"Name":"prefix","Value":"in/"}]}}}]}`
	h.configure("told", configuration, "--skip-destination-validation")
	h.configure("told", configuration)
	h.testEvent(h.bodies(1)[0], "told") // of the second put, once for both configurations
	ids := strings.Fields(h.aws("s3api", "get-bucket-notification-configuration", "--bucket", "told", "--query", "QueueConfigurations[].Id"))
	if len(ids) != 2 || ids[0] != "new" || ids[1] == "" {
		t.Errorf("the ids are %q", ids)
	}
	if got := h.aws("s3api", "get-bucket-notification-configuration", "--bucket", "told", "--query", "QueueConfigurations[0].[QueueArn,Events[0],Filter.Key.FilterRules[0].Name,Filter.Key.FilterRules[1].Value]"); strings.Join(strings.Fields(got), " ") != sqsARN+"events s3:ObjectCreated:* prefix .jpg" {
		t.Errorf("the configuration is %q", got)
	}

	h.aws("s3", "cp", small, "s3://told/out/a.jpg") // another prefix
	h.aws("s3", "cp", small, "s3://told/in/a.png")  // another suffix
	h.aws("s3", "cp", small, "s3://told/in/a b+ü.jpg")
	h.aws("s3", "cp", large, "s3://told/in/large.jpg")
	h.aws("s3", "cp", "s3://told/out/a.jpg", "s3://told/in/copy.jpg")
	h.aws("s3", "cp", small, "s3://told/in/copy.jpg")
	h.aws("s3api", "delete-object", "--bucket", "told", "--key", "in/copy.jpg")
	h.aws("s3api", "delete-object", "--bucket", "told", "--key", "in/never.jpg") // nothing is removed
	h.aws("s3api", "delete-objects", "--bucket", "told", "--delete", `{"Objects":[{"Key":"in/large.jpg"},{"Key":"out/a.jpg"}]}`)
	h.aws("s3", "cp", small, "s3://told/in/copy.jpg")
	got := h.events(7)
	var names []string
	sequencer := map[string]string{}
	for _, e := range got {
		size := int64(-1)
		if o := e.S3.Object; o.Size != nil {
			size = *o.Size
		}
		names = append(names, fmt.Sprintf("%s %s %d", e.EventName, e.S3.Object.Key, size))
		if key := e.S3.Object.Key; e.S3.Object.Sequencer <= sequencer[key] || strings.Trim(e.S3.Object.Sequencer, "0123456789ABCDEF") != "" {
			t.Errorf("sequencer %q after %q", e.S3.Object.Sequencer, sequencer[key])
		} else {
			sequencer[key] = e.S3.Object.Sequencer
		}
		if removed := strings.HasPrefix(e.EventName, "ObjectRemoved"); removed != (e.S3.Object.ETag == "") || removed == (e.S3.ConfigurationID == "new") {
			t.Errorf("%+v", e.S3)
		}
	}
	want := []string{"ObjectCreated:Put in/a+b%2B%C3%BC.jpg 1000", fmt.Sprintf("ObjectCreated:CompleteMultipartUpload in/large.jpg %d", 9<<20), "ObjectCreated:Copy in/copy.jpg 1000",
		"ObjectCreated:Put in/copy.jpg 1000", "ObjectRemoved:Delete in/copy.jpg -1", "ObjectRemoved:Delete in/large.jpg -1", "ObjectCreated:Put in/copy.jpg 1000"}
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
	e := got[0]
	if key, err := url.QueryUnescape(e.S3.Object.Key); err != nil || key != "in/a b+ü.jpg" {
		t.Errorf("the key reads as %q, %v", key, err)
	}
	if e.EventVersion != "2.1" || e.EventSource != "aws:s3" || e.AWSRegion != "us-east-1" || e.S3.S3SchemaVersion != "1.0" || e.S3.Bucket.Name != "told" || e.S3.Bucket.ARN != "arn:aws:s3:::told" ||
		e.S3.Bucket.OwnerIdentity.PrincipalID == "" || e.UserIdentity.PrincipalID != "AWS:"+account || e.RequestParameters.SourceIPAddress != "127.0.0.1" || e.ResponseElements["x-amz-request-id"] == "" ||
		"\""+e.S3.Object.ETag+"\"" != h.aws("s3api", "head-object", "--bucket", "told", "--key", "in/a b+ü.jpg", "--query", "ETag") {
		t.Errorf("%+v", e)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", e.EventTime); err != nil || time.Since(at) > 5*time.Minute {
		t.Errorf("the time is %s, %v", e.EventTime, err)
	}

	h.configure("told", "{}")
	if got := h.aws("s3api", "get-bucket-notification-configuration", "--bucket", "told"); got != "" {
		t.Errorf("an empty configuration leaves %q", got)
	}
	h.aws("s3", "cp", small, "s3://told/in/untold.jpg")
	h.configure("told", configuration)
	h.testEvent(h.bodies(1)[0], "told") // and nothing of what was written in between

	// Changes are on record, as are the messages that S3 sent.
	counts := map[string]int{}
	files, err := filepath.Glob(filepath.Join(s.DataDir, "audit", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(b), "\n") {
			switch {
			case strings.Contains(line, `"s3:PutBucketNotification"`) && strings.Contains(line, `"arn:aws:s3:::told"`):
				counts["put"]++
			case strings.Contains(line, `"s3.amazonaws.com"`) && strings.Contains(line, sqsARN+"events"):
				counts["sent"]++
			}
		}
	}
	if counts["put"] != 4 || counts["sent"] != 9 {
		t.Errorf("on record: %v, want 4 put and 9 sent", counts)
	}
}

func toTopic(t *testing.T, s *boot.Server) {
	h := &hearer{t: t, Server: s}
	topic := h.aws("sns", "create-topic", "--name", "told")
	h.aws("sns", "set-topic-attributes", "--topic-arn", topic, "--attribute-name", "Policy", "--attribute-value", allow("s3.amazonaws.com", "sns:Publish", topic, "arn:aws:s3:::told"))
	h.makeQueue("of-topic", allow("sns.amazonaws.com", "sqs:SendMessage", sqsARN+"of-topic", topic))
	h.aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", sqsARN+"of-topic")
	h.configure("told", `{"TopicConfigurations":[{"TopicArn":"`+topic+`","Events":["s3:ObjectCreated:Put"]}]}`)
	envelope := func() string {
		t.Helper()
		var m struct{ Type, Subject, Message, TopicARN string }
		if err := json.Unmarshal([]byte(h.bodies(1)[0]), &m); err != nil || m.Type != "Notification" || m.Subject != "Amazon S3 Notification" || m.TopicARN != topic {
			t.Errorf("%+v, %v", m, err)
		}
		return m.Message
	}
	h.testEvent(envelope(), "told")
	h.aws("s3api", "put-object", "--bucket", "told", "--key", "by topic")
	if e := parseEvent(t, envelope()); e.EventName != "ObjectCreated:Put" || e.S3.Object.Key != "by+topic" || *e.S3.Object.Size != 0 {
		t.Errorf("%+v", e)
	}
}

// What is promised is told after the process was killed, and after its destination
// came back.
func afterKill(t *testing.T, s *boot.Server) {
	h := &hearer{t: t, Server: s}
	policy := allow("s3.amazonaws.com", "sqs:SendMessage", sqsARN+"late", "arn:aws:s3:::told")
	h.configure("told", `{"QueueConfigurations":[{"QueueArn":"`+sqsARN+`late","Events":["s3:ObjectCreated:*"]}]}`, "--skip-destination-validation")
	const n = 5
	for i := range n {
		h.aws("s3api", "put-object", "--bucket", "told", "--key", fmt.Sprintf("late/%d", i))
	}
	s.Kill()
	s.Boot()
	h.makeQueue("late", policy)
	keys := map[string]bool{}
	for _, e := range h.events(n) {
		keys[e.S3.Object.Key] = true
	}
	if len(keys) != n {
		t.Errorf("told of %v, want %d keys", keys, n)
	}
}

// The tutorial for streaming labeling jobs: a picture that is put into the bucket
// becomes a task.
func picturesJob(t *testing.T, s *boot.Server) {
	h := &hearer{t: t, Server: s}
	s.Make(boot.Setup{Workers: []boot.Account{ana}})
	topic := h.aws("sns", "create-topic", "--name", "pictures")
	h.aws("sns", "set-topic-attributes", "--topic-arn", topic, "--attribute-name", "Policy", "--attribute-value", allow("s3.amazonaws.com", "sns:Publish", topic, "arn:aws:s3:*:*:input"))
	boot.Must(t)(s.Python(picturesProgram))
	h.configure("input", `{"TopicConfigurations":[{"TopicArn":"`+topic+`","Events":["s3:ObjectCreated:*"],"Filter":{"Key":{"FilterRules":[{"Name":"suffix","Value":".jpg"}]}}}]}`)
	h.aws("s3", "cp", boot.Picture(t, 320, 240), "s3://input/a cat.jpg")
	w, err := boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password)
	if err != nil {
		t.Fatal(err)
	}
	id := ""
	for end := time.Now().Add(time.Minute); id == ""; time.Sleep(200 * time.Millisecond) {
		if id, err = w.Start("pictures"); time.Now().After(end) {
			t.Fatalf("no task came: %v", err)
		}
	}
	if status, next, err := w.Submit(id, map[string]any{"crowd-image-classifier": map[string]string{"label": "cat"}}); err != nil || status != 200 {
		t.Fatalf("submit: %d %+v, %v", status, next, err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		st, err := s.Job("pictures")
		if err != nil {
			t.Fatal(err)
		}
		if st.LabelCounters.HumanLabeled == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the picture was not labelled: %+v", st)
		}
	}
	// What the job writes is told as well.
	h.makeQueue("written", allow("s3.amazonaws.com", "sqs:SendMessage", sqsARN+"written", "arn:aws:s3:::output"))
	h.configure("output", `{"QueueConfigurations":[{"QueueArn":"`+sqsARN+`written","Events":["s3:ObjectCreated:Put"],"Filter":{"Key":{"FilterRules":[{"Name":"suffix","Value":"output.manifest"}]}}}]}`, "--skip-destination-validation")
	h.aws("sagemaker", "stop-labeling-job", "--labeling-job-name", "pictures")
	s.AwaitJob("pictures", time.Minute, "Stopped")
	lines := s.Manifest("s3://output/pictures/manifests/output/output.manifest")
	if len(lines) != 1 || lines[0]["source-ref"] != "s3://input/a cat.jpg" || lines[0]["animal"] != 0.0 || lines[0]["$sequencer"] == nil {
		t.Errorf("the output is %v", lines)
	}
	if e := h.events(1)[0]; e.S3.Object.Key != "pictures/manifests/output/output.manifest" || e.RequestParameters.SourceIPAddress != "sagemaker.amazonaws.com" ||
		!strings.Contains(e.UserIdentity.PrincipalID, ":") || e.ResponseElements["x-amz-request-id"] == "" {
		t.Errorf("%+v", e)
	}
}
