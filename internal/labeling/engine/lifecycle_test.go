package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// TestLifecycle runs every case on both databases.
func TestLifecycle(t *testing.T) {
	storetest.PostgresURL(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *store.DB)
	}{
		{"chained jobs", chainedJobs},
		{"a lease outlives the offer", aLeaseOutlivesTheOffer},
		{"a lease ends with its time limit", aLeaseEndsWithItsTimeLimit},
		{"stop while storage is away", stopWhileStorageIsAway},
		{"expiry ends what workers hold", expiryEndsWhatWorkersHold},
		{"output that may not be written", outputThatMayNotBeWritten},
		{"only so many are with the workers", onlySoManyAreWithTheWorkers},
	} {
		t.Run(c.name, func(t *testing.T) { storetest.Each(t, c.run) })
	}
}

func (w *world) lines(uri string) []string {
	return strings.Split(strings.TrimSpace(w.storage.get(uri)), "\n")
}

// The output of one job is the input of the next. With the same attribute only
// what has no label is sent, what failed among it; with another attribute all
// is, and the first label stays beside the second.
func chainedJobs(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	one := func(name, attribute string) labeling.Spec {
		s := spec(name)
		s.NumberOfHumanWorkersPerDataObject, s.LabelAttributeName = 1, attribute
		return s
	}
	first := one("first", "mood")
	first.Stopping.MaxHumanLabeledObjectCount = 2
	w.create(first, texts(4))
	w.pass()
	// Object 0 fails: nobody's answer is of use.
	w.label("ann", "first", 9, func(i int64) string { return says([]string{"horse", "cat", "cat", "cat"}[i])(i) })
	for range 4 {
		w.clock.add(3 * time.Second)
		w.pass()
		w.label("ann", "first", 9, says("cat"))
	}
	j := w.describe("first")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 4, HumanLabeled: 2, Failed: 1}) {
		t.Fatalf("first: %s %+v", j.Status, j.Counters)
	}
	output := w.storage.get(j.OutputManifestURI)
	if l := w.lines(j.OutputManifestURI); !strings.Contains(l[0], `"failure-reason":"No worker's answer could be used: \"horse\"`) || l[3] != `{"source":"text 3","n":3.50}` {
		t.Errorf("first:\n%s", output)
	}

	w.create(one("same", "mood"), output)
	w.pass()
	if n := w.label("ben", "same", 9, says("dog")); n != 2 {
		t.Errorf("with the same attribute %d objects are sent, want the one that failed and the one that was not sent", n)
	}
	w.pass()
	w.pass()
	j = w.describe("same")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 2, HumanLabeled: 2, Kept: 2}) {
		t.Errorf("same: %s %+v", j.Status, j.Counters)
	}
	l := w.lines(j.OutputManifestURI)
	if strings.Contains(l[0], "failure-reason") || !strings.Contains(l[0], `"mood":1`) || !strings.Contains(l[1], `"mood":0`) || !strings.Contains(l[1], "labeling-job/first") || !strings.Contains(l[3], "labeling-job/same") {
		t.Errorf("same:\n%s", strings.Join(l, "\n"))
	}

	w.create(one("other", "tone"), w.storage.get(j.OutputManifestURI))
	w.pass()
	if n := w.label("cem", "other", 9, says("cat")); n != 4 {
		t.Errorf("with another attribute %d objects are sent, want all 4", n)
	}
	w.pass()
	w.pass()
	j = w.describe("other")
	if l := w.lines(j.OutputManifestURI); j.Counters != (labeling.Counters{Total: 4, HumanLabeled: 4}) || !strings.Contains(l[1], `"mood":0,"mood-metadata"`) || !strings.Contains(l[1], `"tone":0,"tone-metadata"`) {
		t.Errorf("other: %+v\n%s", j.Counters, strings.Join(l, "\n"))
	}
}

// Who took a task before its offer ended may still answer it; nobody else gets
// it, and the object is labelled from what there is.
func aLeaseOutlivesTheOffer(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	s := spec("moods")
	s.TaskAvailabilityLifetimeInSeconds, s.TaskTimeLimitInSeconds = 60, 3600
	w.create(s, texts(1))
	w.pass()
	a, err := w.queue.Take(ctx, worker("ann"), "moods")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(2 * time.Minute)
	w.pass()
	if n := w.label("ben", "moods", 1, says("cat")); n != 0 {
		t.Error("an object is offered after its lifetime")
	}
	if j := w.describe("moods"); j.Status != labeling.InProgress {
		t.Errorf("%s while a worker is at work", j.Status)
	}
	if err := w.queue.Submit(ctx, worker("ann"), a.ID, []byte(says("dog")(0))); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.pass()
	}
	if j := w.describe("moods"); j.Status != labeling.Completed || j.Counters.HumanLabeled != 1 {
		t.Errorf("%s %+v", j.Status, j.Counters)
	}
}

func aLeaseEndsWithItsTimeLimit(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	s := spec("moods")
	s.NumberOfHumanWorkersPerDataObject, s.TaskTimeLimitInSeconds = 1, 30
	w.create(s, texts(1))
	w.pass()
	a, err := w.queue.Take(ctx, worker("ann"), "moods")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(30 * time.Second)
	w.pass() // the engine ends it, without anybody asking for a task
	if err := w.queue.Submit(ctx, worker("ann"), a.ID, []byte(says("dog")(0))); fault.CodeOf(err) != queueLeaseExpired {
		t.Errorf("an answer after the time limit: %v", err)
	}
	if n := w.label("ben", "moods", 1, says("cat")); n != 1 {
		t.Error("the object does not come back")
	}
}

// A stop loses nothing, whatever storage does: the job is Stopping and says why
// until its output is written.
func stopWhileStorageIsAway(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	s := spec("moods")
	s.NumberOfHumanWorkersPerDataObject = 1
	w.create(s, texts(3))
	w.pass()
	w.label("ann", "moods", 2, says("cat"))
	w.storage.deny["put s3://out/jobs/moods/"] = fault.Newf("test", fault.Unavailable, "no route to the storage")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.engine.Run(ctx) }()
	if err := w.engine.Stop(ctx, "moods"); err != nil {
		t.Fatal(err)
	}
	w.until("moods", func(j *labeling.Job) bool {
		return j.Status == labeling.Stopping && strings.Contains(j.Note, "no route to the storage") && j.FailureReason == ""
	})
	w.storage.mu.Lock()
	clear(w.storage.deny)
	w.storage.mu.Unlock()
	w.until("moods", func(j *labeling.Job) bool { return j.Status == labeling.Stopped && j.Note == "" })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	j := w.describe("moods")
	if l := w.lines(j.OutputManifestURI); j.Counters.HumanLabeled != 2 || len(l) != 3 || !strings.Contains(l[1], `"mood":0`) || strings.Contains(l[2], "mood") {
		t.Errorf("%+v\n%s", j.Counters, strings.Join(l, "\n"))
	}
}

func expiryEndsWhatWorkersHold(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	w.create(spec("moods"), texts(2))
	w.pass()
	w.label("ann", "moods", 1, says("cat"))
	a, err := w.queue.Take(ctx, worker("ben"), "moods")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(labeling.ExpiresAfter - 2*time.Second)
	w.pass()
	if j := w.describe("moods"); j.Status != labeling.InProgress {
		t.Fatalf("%s a second before 30 days are over", j.Status)
	}
	if a, err = w.queue.Take(ctx, worker("ben"), "moods"); err != nil {
		t.Fatal(err)
	}
	// At that instant the offers of the first objects end as well, whose lifetime
	// is as long: the job fails all the same and does not complete.
	w.clock.add(time.Second)
	for range 3 {
		w.pass()
	}
	j := w.describe("moods")
	if j.Status != labeling.Failed || !strings.Contains(j.FailureReason, "was not complete 30 days after its creation") || len(w.lines(j.OutputManifestURI)) != 2 {
		t.Errorf("%s %s", j.Status, j.FailureReason)
	}
	if err := w.queue.Submit(ctx, worker("ben"), a.ID, []byte(says("cat")(0))); fault.CodeOf(err) != queueLeaseExpired {
		t.Errorf("an answer to an expired job: %v", err)
	}
	if _, err := w.queue.Take(ctx, worker("ben"), "moods"); fault.CodeOf(err) != "JobEnded" {
		t.Errorf("a task of an expired job: %v", err)
	}
}

// A refusal does not mend itself: after some tries the job fails and says who
// may not write what. Until then it waits with that reason.
func outputThatMayNotBeWritten(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	s := spec("moods")
	s.NumberOfHumanWorkersPerDataObject = 1
	w.create(s, texts(1))
	w.pass()
	w.label("ann", "moods", 1, says("cat"))
	w.storage.deny["put s3://out/jobs/moods/manifests"] = fault.Coded("x", fault.Denied, "AccessDenied", "Access Denied: no statement allows it")
	o := w.options("first")
	o.Tick = 100 * time.Microsecond
	w.restart(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.engine.Run(ctx) }()
	w.until("moods", func(j *labeling.Job) bool { return strings.Contains(j.Note, "may not write the output manifest") })
	w.until("moods", func(j *labeling.Job) bool { return j.Status == labeling.Failed })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	want := fmt.Sprintf("The output manifest cannot be written. The execution role %s may not write the output manifest s3://out/jobs/moods/manifests/output/output.manifest: Access Denied: no statement allows it", role)
	if j := w.describe("moods"); j.FailureReason != want || j.Counters.HumanLabeled != 1 {
		t.Errorf("%q %+v", j.FailureReason, j.Counters)
	}
}

// Never more than MaxConcurrentTaskCount objects are with the workers, and as
// long as there are objects never fewer for long.
func onlySoManyAreWithTheWorkers(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	s := spec("moods")
	s.NumberOfHumanWorkersPerDataObject, s.MaxConcurrentTaskCount = 1, 2
	j := w.create(s, texts(7))
	w.pass()
	for i := range 7 {
		p, err := w.store.Progress(ctx, j.ID, w.clock.now())
		if want := min(2, int64(7-i)); err != nil || p.Ready != want {
			t.Errorf("after %d answers %d objects are ready, want %d (%v)", i, p.Ready, want, err)
		}
		if n := w.label("ann", "moods", 1, says("cat")); n != 1 {
			t.Fatalf("after %d answers there is no task", i)
		}
	}
}
