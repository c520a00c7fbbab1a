package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/review"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

const (
	flowARN   = "arn:aws:sagemaker:us-east-1:000000000000:flow-definition/"
	taskUIARN = "arn:aws:sagemaker:us-east-1:000000000000:human-task-ui/"
)

// heardEvents keeps events, or refuses them.
type heardEvents struct {
	events []review.Event
	err    error
}

func (h *heardEvents) Emit(_ context.Context, e review.Event) error {
	if h.err == nil {
		h.events = append(h.events, e)
	}
	return h.err
}

// reviews is a world with human review.
type reviews struct {
	*world
	*review.Service
	told *heardEvents
}

func newReviews(t testing.TB, db *store.DB) *reviews {
	r := &reviews{world: newWorld(t, db), told: &heardEvents{}}
	r.Service = review.New(review.Config{Store: store.NewReviews(r.world.store), Workers: people{}, Events: r.told, Region: "us-east-1", Account: "000000000000",
		Now: r.clock.now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), MaxLoops: 3})
	o := r.options("first")
	o.Reviews, o.TaskUI = r.Service, r.Template
	r.world.engine = engine.New(o)
	if _, err := r.CreateTaskUI(context.Background(), "transcript", `<p>{{ task.input.original_words }}</p>{{ task.input.picture | default: "s3://input/x.jpg" | grant_read_access }}`); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reviews) spec(name string, count int) review.Spec {
	day := int64(86400)
	return review.Spec{Name: name, WorkteamARN: team, HumanTaskUIARN: taskUIARN + "transcript", TaskTitle: "Correct", TaskDescription: "Correct it", TaskCount: count,
		TaskAvailability: &day, S3OutputPath: "s3://out/reviews/", RoleARN: role, Request: json.RawMessage(`{"FlowDefinitionName":"` + name + `"}`)}
}

// flow makes an active flow definition and returns the name of its job.
func (r *reviews) flow(name string, count int) string {
	r.t.Helper()
	if _, err := r.CreateFlow(context.Background(), r.spec(name, count)); err != nil {
		r.t.Fatal(err)
	}
	r.pass()
	f, err := r.Flow(context.Background(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	if f.Status() != review.FlowActive {
		r.t.Fatalf("%s: %s", f.Status(), f.Job.FailureReason)
	}
	return f.Job.Name
}

func (r *reviews) begin(name, flow string) error {
	_, err := r.StartLoop(context.Background(), review.Start{Name: name, FlowARN: flowARN + flow, Input: `{"original_words": "but definitely",  "start_time": 948.50}`})
	return err
}

func (r *reviews) start(name, flow string) {
	r.t.Helper()
	if err := r.begin(name, flow); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reviews) loop(name string) *review.Loop {
	r.t.Helper()
	l, err := r.Loop(context.Background(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func (r *reviews) expect(name string, want labeling.Status, code string) {
	r.t.Helper()
	if l := r.loop(name); l.Status != want || l.FailureCode != code {
		r.t.Errorf("%s is %s (%s: %s), want %s %s", name, l.Status, l.FailureCode, l.FailureReason, want, code)
	}
}

func corrected(int64) string { return `{"transcription":"use lambda"}` }

// The life of a loop: its answer is written as documented, its end is told, and it
// can be forgotten.
func TestHumanLoop(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		r := newReviews(t, db)
		job := r.flow("transcripts", 2)
		r.start("loop-1", "transcripts")
		r.expect("loop-1", labeling.InProgress, "")
		r.start("loop-1", "transcripts") // again: nothing
		if _, err := r.StartLoop(ctx, review.Start{Name: "loop-1", FlowARN: flowARN + "transcripts", Input: `{}`}); !fault.Is(err, fault.Exists) {
			t.Errorf("another input under the same name: %v", err)
		}
		if done, err := r.world.store.InProgress(ctx, r.loop("loop-1").Job); err != nil || !done {
			t.Errorf("the job: %v %v", done, err)
		}
		if n := r.label("ann", job, 5, corrected); n != 1 {
			t.Fatalf("ann was given %d tasks", n)
		}
		r.pass()
		r.expect("loop-1", labeling.InProgress, "") // one of two
		if n := r.label("ben", job, 5, corrected); n != 1 {
			t.Fatalf("ben was given %d tasks", n)
		}
		r.pass()
		r.expect("loop-1", labeling.Completed, "")
		uri := "s3://out/reviews/transcripts/2026/05/04/03/02/01/loop-1/output.json"
		if l := r.loop("loop-1"); l.OutputURI != uri {
			t.Errorf("output at %s", l.OutputURI)
		}
		want := `{"flowDefinitionArn":"` + flowARN + `transcripts","humanAnswers":[` +
			`{"acceptanceTime":"2026-05-04T03:02:01.123Z","answerContent":{"transcription":"use lambda"},"submissionTime":"2026-05-04T03:02:02.123Z","timeSpentInSeconds":1,"workerId":"ann","workerMetadata":{"identityData":{"identityProviderType":"Cognito","issuer":"https://cognito-idp.us-east-1.amazonaws.com/pool","sub":"sub-ann"}}},` +
			`{"acceptanceTime":"2026-05-04T03:02:02.123Z","answerContent":{"transcription":"use lambda"},"submissionTime":"2026-05-04T03:02:03.123Z","timeSpentInSeconds":1,"workerId":"ben","workerMetadata":{"identityData":{"identityProviderType":"Cognito","issuer":"https://cognito-idp.us-east-1.amazonaws.com/pool","sub":"sub-ben"}}}],` +
			`"humanLoopName":"loop-1","inputContent":{"original_words":"but definitely","start_time":948.50}}`
		if got := r.storage.get(uri); got != want {
			t.Errorf("output.json:\n got %s\nwant %s", got, want)
		}
		r.pass()
		if len(r.told.events) != 1 {
			t.Fatalf("told %d times", len(r.told.events))
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r.told.events[0]); err != nil {
			t.Fatal(err)
		}
		wantEvent := `{"version":"0","id":"` + r.told.events[0].ID + `","detail-type":"SageMaker A2I HumanLoop Status Change","source":"aws.sagemaker","account":"000000000000","time":"2026-05-04T03:02:03Z","region":"us-east-1","resources":["arn:aws:sagemaker:us-east-1:000000000000:human-loop/loop-1"],"detail":{"creationTime":"2026-05-04T03:02:01.123Z","failureCode":null,"failureReason":null,"flowDefinitionArn":"` + flowARN + `transcripts","humanLoopArn":"arn:aws:sagemaker:us-east-1:000000000000:human-loop/loop-1","humanLoopName":"loop-1","humanLoopOutput":{"outputS3Uri":"` + uri + `"},"humanLoopStatus":"Completed"}}`
		if got := strings.TrimSpace(b.String()); got != wantEvent {
			t.Errorf("event:\n got %s\nwant %s", got, wantEvent)
		}
		if err := r.DeleteLoop(ctx, "loop-1"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Loop(ctx, "loop-1"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a deleted loop: %v", err)
		}
		r.start("loop-1", "transcripts") // the name is free again
		if jobs, _, err := r.engine.List(ctx, engine.Filter{}, ""); err != nil || len(jobs) != 0 {
			t.Errorf("a flow definition is listed as a labeling job: %v, %v", jobs, err)
		}
	})
}

// How loops end that are not answered, or not by everybody.
func TestHumanLoopEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		r := newReviews(t, db)
		job := r.flow("transcripts", 2)

		r.start("expires", "transcripts")
		r.clock.add(25 * time.Hour)
		r.pass()
		r.expect("expires", labeling.Failed, review.CodeExpired)

		r.start("partly", "transcripts")
		r.label("ann", job, 1, corrected)
		r.clock.add(25 * time.Hour)
		r.pass()
		r.expect("partly", labeling.Completed, "")

		r.start("declined", "transcripts")
		for _, who := range []string{"ann", "ben"} {
			a, err := r.queue.Take(ctx, worker(who), job)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.queue.Decline(ctx, worker(who), a.ID); err != nil {
				t.Fatal(err)
			}
		}
		r.pass()
		if r.expect("declined", labeling.Failed, review.CodeExpired); !strings.Contains(r.loop("declined").FailureReason, "Declined by 2") {
			t.Error(r.loop("declined").FailureReason)
		}

		// Nobody works on it: it stops at once.
		r.start("stopped", "transcripts")
		if err := r.DeleteLoop(ctx, "stopped"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a loop in progress was deleted: %v", err)
		}
		for range 2 {
			if err := r.StopLoop(ctx, "stopped"); err != nil {
				t.Fatal(err)
			}
		}
		r.expect("stopped", labeling.Stopping, "")
		r.pass()
		r.expect("stopped", labeling.Stopped, "")
		if err := r.StopLoop(ctx, "nothing"); !fault.Is(err, fault.NotFound) {
			t.Errorf("stop of nothing: %v", err)
		}

		// Two work on it: one answers, the other gives it back and does not get it again.
		r.start("stopping", "transcripts")
		ann, err := r.queue.Take(ctx, worker("ann"), job)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.StopLoop(ctx, "stopping"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.queue.Take(ctx, worker("ben"), job); !fault.Is(err, fault.NotFound) {
			t.Errorf("a stopping loop was handed out: %v", err)
		}
		r.pass()
		r.expect("stopping", labeling.Stopping, "")
		if err := r.queue.Submit(ctx, worker("ann"), ann.ID, json.RawMessage(`{"transcription":"late"}`)); err != nil {
			t.Fatal(err)
		}
		r.pass()
		r.expect("stopping", labeling.Stopped, "")
		if got := r.storage.get(r.loop("stopping").OutputURI); !strings.Contains(got, `"late"`) {
			t.Errorf("what was answered is lost: %q", got)
		}
		r.start("left", "transcripts")
		if ann, err = r.queue.Take(ctx, worker("ann"), job); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.StopLoop(ctx, "left"), r.queue.Release(ctx, worker("ann"), ann.ID)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.queue.Take(ctx, worker("ann"), job); !fault.Is(err, fault.NotFound) {
			t.Errorf("a stopping loop was handed out again: %v", err)
		}
		r.pass()
		r.expect("left", labeling.Stopped, "")

		// What the template cannot show is not offered to anybody.
		if _, err := r.StartLoop(ctx, review.Start{Name: "unshown", FlowARN: flowARN + "transcripts", Input: `{"picture":" "}`}); err != nil {
			t.Fatal(err)
		}
		r.expect("unshown", labeling.Failed, review.CodeValidation)

		statuses := map[string]labeling.Status{}
		r.pass()
		for _, e := range r.told.events {
			if _, twice := statuses[e.Detail.HumanLoopName]; twice {
				t.Errorf("%s was told of twice", e.Detail.HumanLoopName)
			}
			statuses[e.Detail.HumanLoopName] = e.Detail.HumanLoopStatus
			if failed := e.Detail.HumanLoopStatus == labeling.Failed; failed != (e.Detail.FailureCode != nil) || failed != (e.Detail.HumanLoopOutput == nil) {
				t.Errorf("event of %s: %+v", e.Detail.HumanLoopName, e.Detail)
			}
		}
		if len(statuses) != 7 {
			t.Errorf("told of %v", statuses)
		}
		all, more, err := r.Loops(ctx, flowARN+"transcripts", review.Filter{Limit: 5, Descending: true})
		if err != nil || len(all) != 5 || !more {
			t.Fatalf("%d loops, more: %v, %v", len(all), more, err)
		}
		last := all[4]
		rest, more, err := r.Loops(ctx, flowARN+"transcripts", review.Filter{Limit: 5, Descending: true, After: &review.Place{At: last.CreatedAt, Name: last.Name}})
		if err != nil || len(rest) != 2 || more {
			t.Fatalf("%d loops on the second page, more: %v, %v", len(rest), more, err)
		}
		seen := map[string]bool{}
		for _, l := range append(all, rest...) {
			seen[l.Name] = true
		}
		if len(seen) != 7 {
			t.Errorf("pages have %v", seen)
		}
	})
}

// A flow definition that is deleted lets those who work finish, and is then gone with
// all its loops; its name is free.
func TestDeleteFlow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		r := newReviews(t, db)
		if _, err := r.CreateFlow(ctx, r.spec("young", 1)); err != nil {
			t.Fatal(err)
		}
		if err := r.DeleteFlow(ctx, "young"); !fault.Is(err, fault.InUse) {
			t.Errorf("a flow that is initializing was deleted: %v", err)
		}
		job := r.flow("transcripts", 1)
		r.start("held", "transcripts")
		a, err := r.queue.Take(ctx, worker("ann"), job)
		if err != nil {
			t.Fatal(err)
		}
		r.start("waits", "transcripts")
		if _, err := r.CreateFlow(ctx, r.spec("transcripts", 1)); !fault.Is(err, fault.Exists) {
			t.Errorf("twice: %v", err)
		}
		for range 2 {
			if err := r.DeleteFlow(ctx, "transcripts"); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.begin("late", "transcripts"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a loop began: %v", err)
		}
		if _, _, err := r.Loops(ctx, flowARN+"transcripts", review.Filter{Limit: 1}); !fault.Is(err, fault.NotFound) {
			t.Errorf("list: %v", err)
		}
		r.pass()
		if f, err := r.Flow(ctx, "transcripts"); err != nil || f.Status() != review.FlowDeleting {
			t.Fatalf("%v, %v", f, err)
		}
		if _, err := r.Loop(ctx, "waits"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a loop that nobody began: %v", err)
		}
		uri := r.loop("held").OutputURI
		if err := r.queue.Submit(ctx, worker("ann"), a.ID, json.RawMessage(corrected(0))); err != nil {
			t.Fatal(err)
		}
		r.pass()
		r.pass()
		if _, err := r.Flow(ctx, "transcripts"); !fault.Is(err, fault.NotFound) {
			t.Errorf("it is still there: %v", err)
		}
		if _, err := r.Loop(ctx, "held"); !fault.Is(err, fault.NotFound) {
			t.Errorf("its loop is still there: %v", err)
		}
		if r.storage.get(uri) == "" {
			t.Error("what was answered is lost")
		}
		if ends, err := r.world.store.UntoldEnds(ctx, 9); err != nil || len(ends) > 0 {
			t.Errorf("the end of its job is told as a labeling job's: %v, %v", ends, err)
		}
		if again := r.flow("transcripts", 1); again == job {
			t.Errorf("the new flow's job has the old one's name, %s", job)
		}
	})
}

// What keeps a flow definition from becoming active, and loops from starting.
func TestReviewRefusals(t *testing.T) {
	ctx := context.Background()
	r := newReviews(t, storetest.SQLite(t))
	for name, change := range map[string]func(*review.Spec){
		"no such UI": func(s *review.Spec) { s.HumanTaskUIARN = taskUIARN + "nothing" },
		"another account's UI": func(s *review.Spec) {
			s.HumanTaskUIARN = strings.Replace(s.HumanTaskUIARN, "000000000000", "394669845002", 1)
		},
		"no bucket":              func(s *review.Spec) { s.S3OutputPath = "https://example.org/x" },
		"nine hours":             func(s *review.Spec) { n := int64(9 * 3600); s.TaskTimeLimit = &n },
		"a year":                 func(s *review.Spec) { n := int64(365 * 86400); s.TaskAvailability = &n },
		"conditions of a custom": func(s *review.Spec) { c := `{"Conditions":[]}`; s.Conditions = &c },
	} {
		s := r.spec("refused", 1)
		change(&s)
		if _, err := r.CreateFlow(ctx, s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.storage.assume = fault.Newf("test", fault.NotFound, "no such role")
	if _, err := r.CreateFlow(ctx, r.spec("failed", 1)); err != nil {
		t.Fatal(err)
	}
	r.pass()
	f, err := r.Flow(ctx, "failed")
	if err != nil || f.Status() != review.FlowFailed || !strings.Contains(f.Job.FailureReason, role) {
		t.Errorf("%v %s %v", f.Status(), f.Job.FailureReason, err)
	}
	if err := r.begin("x", "failed"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a loop of a failed flow: %v", err)
	}
	if err := r.DeleteFlow(ctx, "failed"); err != nil {
		t.Error(err)
	}
	r.storage.assume = nil
	r.flow("transcripts", 1)
	for name, in := range map[string]string{"no JSON": "{", "a list": "[1]", "nothing": "", "too deep": strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70), "two": "{} {}"} {
		if _, err := r.StartLoop(ctx, review.Start{Name: "bad", FlowARN: flowARN + "transcripts", Input: in}); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), "InputContent") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.begin("x", "nothing"); !fault.Is(err, fault.Invalid) {
		t.Errorf("no such flow: %v", err)
	}
	for i := range 3 {
		r.start(fmt.Sprint("loop-", i), "transcripts")
	}
	if err := r.begin("one-more", "transcripts"); !fault.Is(err, fault.Limit) {
		t.Errorf("more than MaxLoops: %v", err)
	}
	for _, src := range []string{" ", "a\x00b", "{% if %}"} {
		if _, err := r.CreateTaskUI(ctx, "bad", src); !fault.Is(err, fault.Invalid) {
			t.Errorf("template %q: %v", src, err)
		}
	}
}

// While storage is away nothing is lost: the output is written when it is back. An
// end that could not be told is told again, as the same event.
func TestReviewWaits(t *testing.T) {
	ctx := context.Background()
	r := newReviews(t, storetest.SQLite(t))
	job := r.flow("transcripts", 1)
	r.start("loop", "transcripts")
	r.label("ann", job, 1, corrected)
	r.storage.deny["put "] = fault.Newf("test", fault.Denied, "Access Denied")
	if err := r.engine.Pass(ctx); err == nil || !strings.Contains(engine.Explain(err), "the output of the human loop loop") {
		t.Errorf("%v", err)
	}
	r.expect("loop", labeling.InProgress, "")
	delete(r.storage.deny, "put ")
	r.told.err = errors.New("nobody listens")
	r.pass()
	r.expect("loop", labeling.Completed, "")
	r.told.err = nil
	r.pass()
	if len(r.told.events) != 1 {
		t.Errorf("told %d times", len(r.told.events))
	}
}

// A labeling job may name a human task UI of the account.
func TestJobWithTaskUI(t *testing.T) {
	r := newReviews(t, storetest.SQLite(t))
	s := spec("with-ui")
	s.UITemplateS3URI, s.HumanTaskUIARN = "", taskUIARN+"transcript"
	r.create(s, texts(1))
	r.pass()
	if j := r.describe("with-ui"); j.Status != labeling.InProgress || !strings.Contains(j.Template, "original_words") {
		t.Errorf("%s %s %q", j.Status, j.FailureReason, j.Template)
	}
	s.LabelingJobName, s.HumanTaskUIARN = "without", taskUIARN+"nothing"
	r.create(s, texts(1))
	r.pass()
	if j := r.describe("without"); j.Status != labeling.Failed || !strings.Contains(j.FailureReason, "no human task UI") {
		t.Errorf("%s %s", j.Status, j.FailureReason)
	}
}
