package engine_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/stream"
	"fiducial/internal/messaging"
	"fiducial/internal/policy"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

const account = "000000000000"

// permissive allows everything; package messaging asks it.
type permissive struct{}

func (permissive) Authorize(context.Context, *iam.Caller, iam.Question) (policy.Decision, error) {
	return policy.Decision{Effect: policy.Allow}, nil
}

func (permissive) Record(context.Context, *audit.Event) error { return nil }

// topics are topics and queues on the world's database, as a role may use them.
// around puts a crash around every use.
type topics struct {
	messaging.Client
	service *messaging.Service
	around  func(func() error) error
}

func newTopics(w *world, db *store.DB) *topics {
	s := messaging.New(messaging.Options{Store: store.NewMessaging(db, nil), IAM: permissive{}, Audit: permissive{}, Region: "us-east-1", Account: account,
		URL: "http://127.0.0.1", Now: w.clock.now, Random: rand.Reader, NewID: randomID, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	return &topics{s.As(&iam.Caller{Principal: identity.Principal{Account: account, ARN: role}}, "job"), s, func(do func() error) error { return do() }}
}

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func (c *topics) with(x *crash) *topics { return &topics{c.Client, c.service, x.around} }

type roleOf struct{ c *topics }

func (r roleOf) Client(context.Context, *labeling.Job) (stream.Client, error) { return r.c, nil }

func (c *topics) Publish(ctx context.Context, topicARN string, m messaging.Message) (id string, err error) {
	err = c.around(func() (err error) { id, err = c.Client.Publish(ctx, topicARN, m); return err })
	return id, err
}

func (c *topics) Subscribe(ctx context.Context, topicARN, queue string) error {
	return c.around(func() error { return c.Client.Subscribe(ctx, topicARN, queue) })
}

func (c *topics) Receive(ctx context.Context, topicARN, queue string, most int) (out []messaging.Queued, err error) {
	err = c.around(func() (err error) { out, err = c.Client.Receive(ctx, topicARN, queue, most); return err })
	return out, err
}

func (c *topics) Delete(ctx context.Context, topicARN, queue string, m messaging.Queued) error {
	return c.around(func() error { return c.Client.Delete(ctx, topicARN, queue, m) })
}

// streams makes the engine one whose process crashes at the n-th effect, and which
// takes objects from topics.
func (w *world) streams(owner string, c *topics, x *crash) {
	o := w.options(owner)
	if x != nil {
		o.Store, o.Roles = crashingStore{w.store, x}, crashingRoles{w.storage, x}
		c = c.with(x)
	}
	s := stream.New(stream.Options{Roles: roleOf{c}, Log: o.Log})
	o.Streams, o.Results = s, s
	w.engine = engine.New(o)
}

// streamingSpec is a job of one worker that takes one object at a time.
func streamingSpec(c *topics, name string) labeling.Spec {
	s := spec(name)
	s.NumberOfHumanWorkersPerDataObject, s.MaxConcurrentTaskCount, s.ManifestS3URI = 1, 2, ""
	s.InputSNSTopicARN, s.OutputSNSTopicARN = c.service.TopicARN("in"), c.service.TopicARN("out")
	return s
}

// outbox makes the topics, and a queue that gets what is published to the output.
func (c *topics) outbox(t *testing.T) messaging.Queue {
	t.Helper()
	ctx := context.Background()
	for _, name := range []string{"in", "out"} {
		if _, err := c.service.CreateTopic(ctx, name, nil); err != nil {
			t.Fatal(err)
		}
	}
	arn := c.service.QueueARN("labels")
	q, err := c.service.CreateQueue(ctx, "labels", map[string]string{"Policy": messaging.QueuePolicy(arn, c.service.TopicARN("out")), "MessageRetentionPeriod": "1209600"})
	if err == nil {
		var out messaging.Topic
		if out, err = c.service.Topic(ctx, c.service.TopicARN("out")); err == nil {
			_, err = c.service.Subscribe(ctx, out, "sqs", arn, map[string]string{"RawMessageDelivery": "true"})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// A process that dies between the acknowledged publishing of an object and the
// publishing of its label, at any of its effects, loses no object and has none
// labelled twice.
func TestCrashOfStreamingJob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		n, stride := 1, 7 // each instant takes a whole job; one in seven reaches every kind
		if db.Dialect() == store.Postgres {
			stride = 23
		}
		w := newWorld(t, db)
		c := newTopics(w, db)
		box := c.outbox(t)
		for ; streamAndCrash(t, w, c, box, n); n += stride {
			if t.Failed() {
				return
			}
		}
		if n < 40 {
			t.Errorf("only %d instants were tried", n)
		}
	})
}

func streamAndCrash(t *testing.T, w *world, c *topics, box messaging.Queue, n int) (crashed bool) {
	ctx := context.Background()
	x := &crash{n: n}
	w.streams(fmt.Sprint("crashing-", n), c, x)
	s := streamingSpec(c, fmt.Sprint("stream-", n))
	w.create(s, "")
	in, err := c.service.Topic(ctx, s.InputSNSTopicARN)
	if err != nil {
		t.Fatal(err)
	}
	const objects = 4
	for round := range 3 * objects {
		if err := w.engine.Pass(ctx); errors.Is(err, errCrash) {
			crashed = true
			w.clock.add(time.Minute) // leases of the dead, and messages that it had received
			w.streams(fmt.Sprint("after-", n), c, nil)
		} else if err != nil {
			t.Fatalf("instant %d: %v", n, err)
		}
		if round%2 == 1 && round/2 < objects && w.describe(s.LabelingJobName).Status == labeling.InProgress {
			for range 2 { // whoever publishes does not know either, and tries again
				if _, err := c.service.Publish(ctx, in, messaging.Message{Body: fmt.Sprintf(`{"source":"o%d","dataset-objectid-attribute-name":"source"}`, round/2)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.label("ann", s.LabelingJobName, 1, says("cat"))
		w.clock.add(3 * time.Second)
	}
	sent := map[string]int{}
	for {
		list, err := c.service.Receive(ctx, box, 10, 3600, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, m := range list {
			var line struct{ Source string }
			if err := json.Unmarshal([]byte(m.Body), &line); err != nil || !strings.Contains(m.Body, `"mood":0`) {
				t.Errorf("instant %d: published %s", n, m.Body)
			}
			sent[line.Source]++
			if err := c.service.Delete(ctx, box, messaging.ReceiptHandle(m)); err != nil {
				t.Fatal(err)
			}
		}
	}
	j := w.describe(s.LabelingJobName)
	want := int64(objects)
	if j.Counters.Total != want || j.Counters.HumanLabeled != want || int64(len(sent)) != want {
		t.Errorf("instant %d: %s %s %+v, published %v", n, j.Status, j.Note, j.Counters, sent)
	}
	for source, times := range sent {
		if times > 1 && !crashed || times > 2 {
			t.Errorf("instant %d: the label of %s was published %d times", n, source, times)
		}
	}
	w.clock.add(time.Minute)
	w.streams(fmt.Sprint("last-", n), c, nil)
	if err := w.engine.Stop(ctx, j.Name); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if j := w.describe(j.Name); j.Status != labeling.Stopped {
		t.Errorf("instant %d: %s %s", n, j.Status, j.Note)
	}
	return crashed
}

// No more objects are taken from the queue than may be with the workers: what waits
// is seen in the queue. A topic that is deleted ends the job.
func TestStreamingJobLeavesWhatWaitsInTheQueue(t *testing.T) {
	db := storetest.SQLite(t)
	w := newWorld(t, db)
	c := newTopics(w, db)
	c.outbox(t)
	w.streams("first", c, nil)
	s := streamingSpec(c, "Waiting-Job")
	w.create(s, "")
	w.pass()
	ctx := context.Background()
	in, err := c.service.Topic(ctx, s.InputSNSTopicARN)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := c.service.Publish(ctx, in, messaging.Message{Body: fmt.Sprintf(`{"source":"o%d"}`, i)}); err != nil {
			t.Fatal(err)
		}
	}
	w.pass()
	q, err := c.service.Queue(ctx, c.service.QueueARN("GroundTruth-waiting-job"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.service.QueueAttributes(ctx, q)
	if err != nil || a["ApproximateNumberOfMessages"] != "3" || w.describe(s.LabelingJobName).Counters.Total != 2 {
		t.Errorf("%s messages wait, %d objects came; %v", a["ApproximateNumberOfMessages"], w.describe(s.LabelingJobName).Counters.Total, err)
	}
	w.label("ann", s.LabelingJobName, 2, says("cat"))
	w.clock.add(3 * time.Second)
	w.pass()
	if err := c.service.DeleteTopic(ctx, in); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		w.label("ann", s.LabelingJobName, 2, says("cat"))
		w.clock.add(3 * time.Second)
		w.pass()
	}
	j := w.describe(s.LabelingJobName)
	if j.Status != labeling.Failed || !strings.Contains(j.FailureReason, "input topic") || j.Counters.HumanLabeled != 5 || j.OutputManifestURI == "" {
		t.Errorf("%s %q %+v, output %q", j.Status, j.FailureReason, j.Counters, j.OutputManifestURI)
	}
}
