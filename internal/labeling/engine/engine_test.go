package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// TestEngine runs every case on both databases.
func TestEngine(t *testing.T) {
	storetest.PostgresURL(t) // one cluster for all cases
	for _, c := range []struct {
		name string
		run  func(*testing.T, *store.DB)
	}{
		{"from manifest to manifest", fromManifestToManifest},
		{"batches wait for company", batchesWaitForCompany},
		{"stop keeps what is answered", stopKeepsWhatIsAnswered},
		{"stop before it began", stopBeforeItBegan},
		{"objects nobody answers fail", objectsNobodyAnswersFail},
		{"useless answers fail the object", uselessAnswersFailTheObject},
		{"stopping conditions", stoppingConditions},
		{"labeled lines are kept", labeledLinesAreKept},
		{"job expires after 30 days", jobExpires},
		{"storage away", storageAway},
		{"failure reasons", failureReasons},
		{"two replicas", twoReplicas},
		{"lists", lists},
	} {
		t.Run(c.name, func(t *testing.T) { storetest.Each(t, c.run) })
	}
}

func fromManifestToManifest(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.create(spec("moods"), texts(3))
	w.pass()
	if j := w.describe("MOODS"); j.Status != labeling.InProgress || j.Counters != (labeling.Counters{Total: 3}) || j.Labels[1].Name != "dog" {
		t.Fatalf("after ingestion: %+v", j)
	}
	w.label("ann", "moods", 9, says("cat"))
	w.label("bob", "moods", 9, says("cat"))
	w.pass() // consolidates
	w.pass() // concludes
	j := w.describe("moods")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 3, HumanLabeled: 3}) {
		t.Errorf("at the end: %s %q, %+v", j.Status, j.FailureReason, j.Counters)
	}
	const root = "s3://out/jobs/moods/"
	if want := root + "manifests/output/output.manifest"; j.OutputManifestURI != want {
		t.Errorf("output manifest %q, want %q", j.OutputManifestURI, want)
	}
	const at = "2026-05-04_03:02:07.json"
	if d := cmp.Diff([]string{
		"annotation-tool/data.json", "annotation-tool/template.liquid",
		"annotations/consolidated-annotation/consolidation-request/iteration-1/" + at,
		"annotations/consolidated-annotation/consolidation-response/iteration-1/" + at,
		"annotations/intermediate/1/annotations.manifest",
		"annotations/worker-response/iteration-1/0/" + at, "annotations/worker-response/iteration-1/1/" + at,
		"annotations/worker-response/iteration-1/2/" + at, "manifests/output/output.manifest",
	}, w.storage.keys(root)); d != "" {
		t.Error(d)
	}
	if last := w.storage.order[len(w.storage.order)-1]; last != j.OutputManifestURI {
		t.Errorf("the last file is %s, want the output manifest", last)
	}
	lines := strings.Split(strings.TrimSpace(w.storage.get(j.OutputManifestURI)), "\n")
	const meta = `"mood-metadata":{"confidence":`
	if len(lines) != 3 || !strings.HasPrefix(lines[1], `{"source":"text 1","n":1.50,"mood":0,`+meta) ||
		!strings.Contains(lines[1], `"job-name":"labeling-job/moods","class-name":"cat","human-annotated":"yes","creation-date":"2026-05-04T03:02:07.123456","type":"groundtruth/text-classification"}`) {
		t.Errorf("output manifest:\n%s", strings.Join(lines, "\n"))
	}
	response := w.storage.get(root + "annotations/worker-response/iteration-1/0/" + at)
	if want := `{"answers":[{"acceptanceTime":"2026-05-04T03:02:01.123Z","answerContent":{"crowd-classifier":{"label":"cat"}},"submissionTime":"2026-05-04T03:02:02.123Z","timeSpentInSeconds":1,"workerId":"ann","workerMetadata":{"identityData":{"identityProviderType":"Cognito","issuer":"https://cognito-idp.us-east-1.amazonaws.com/pool","sub":"sub-ann"}}},`; !strings.HasPrefix(response, want) {
		t.Errorf("worker response:\n%s\nwant\n%s", response, want)
	}
	if d := cmp.Diff([]string{"Initializing", "InProgress", "Completed"}, w.heard.log); d != "" {
		t.Error(d)
	}
}

// A batch is begun when it is full, or when nobody joined it for a while.
func batchesWaitForCompany(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	s := spec("moods")
	s.NumberOfHumanWorkersPerDataObject = 1
	w.create(s, texts(60))
	w.pass()
	labeled := func(want int64) {
		t.Helper()
		w.pass()
		if got := w.describe("moods").Counters.HumanLabeled; got != want {
			t.Errorf("%d labelled, want %d", got, want)
		}
	}
	w.label("ann", "moods", 1, says("cat"))
	labeled(0)
	w.clock.add(2 * time.Second)
	labeled(1)
	w.label("ann", "moods", 1, says("cat"))
	labeled(1)
	w.label("ann", "moods", 50, says("cat"))
	w.clock.add(-52 * time.Second) // as if all had come at once
	labeled(51)
}

func stopKeepsWhatIsAnswered(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	w.create(spec("moods"), texts(4))
	w.pass()
	w.label("ann", "moods", 2, says("cat"))
	w.label("bob", "moods", 1, says("cat"))
	held, err := w.queue.Take(ctx, worker("cem"), "moods")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.engine.Stop(ctx, "moods"); err != nil {
			t.Fatal(err)
		}
	}
	if j := w.describe("moods"); j.Status != labeling.Stopping {
		t.Errorf("status %s, want Stopping", j.Status)
	}
	if err := w.queue.Submit(ctx, worker("cem"), held.ID, []byte(`{}`)); fault.CodeOf(err) != queueLeaseExpired {
		t.Errorf("a submit after the stop: %v", err)
	}
	w.pass()
	w.pass()
	j := w.describe("moods")
	if j.Status != labeling.Stopped || j.Counters != (labeling.Counters{Total: 4, HumanLabeled: 2}) || j.Counters.Unlabeled() != 2 {
		t.Errorf("at the end: %s, %+v", j.Status, j.Counters)
	}
	lines := strings.Split(strings.TrimSpace(w.storage.get(j.OutputManifestURI)), "\n")
	if len(lines) != 4 || !strings.Contains(lines[1], `"mood":0`) || lines[2] != `{"source":"text 2","n":2.50}` {
		t.Errorf("output manifest:\n%s", strings.Join(lines, "\n"))
	}
	if err := w.engine.Stop(ctx, "moods"); err != nil {
		t.Error(err)
	}
	if err := w.engine.Stop(ctx, "no-such-job"); !fault.Is(err, fault.NotFound) {
		t.Errorf("stopping what is not there: %v", err)
	}
	if d := cmp.Diff([]string{"Initializing", "InProgress", "Stopping", "Stopped"}, w.heard.log); d != "" {
		t.Error(d)
	}
}

const queueLeaseExpired = "LeaseExpired"

func stopBeforeItBegan(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.create(spec("moods"), texts(4))
	if err := w.engine.Stop(context.Background(), "moods"); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if j := w.describe("moods"); j.Status != labeling.Stopped || j.OutputManifestURI != "" {
		t.Errorf("%s with output %q, want Stopped without", j.Status, j.OutputManifestURI)
	}
}

func objectsNobodyAnswersFail(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	s := spec("moods")
	s.TaskAvailabilityLifetimeInSeconds = 3600
	w.create(s, texts(3))
	w.pass()
	w.label("ann", "moods", 1, says("dog")) // object 0: one answer of two
	for _, id := range []string{"bob", "cem"} {
		for range 2 { // objects 0 and 1
			a, err := w.queue.Take(ctx, worker(id), "moods")
			if err != nil {
				t.Fatal(err)
			}
			if err := w.queue.Decline(ctx, worker(id), a.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.clock.add(time.Hour)
	for range 3 {
		w.pass()
	}
	j := w.describe("moods")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 3, HumanLabeled: 1, Failed: 2}) {
		t.Errorf("at the end: %s, %+v", j.Status, j.Counters)
	}
	lines := strings.Split(w.storage.get(j.OutputManifestURI), "\n")
	for i, want := range []string{`"mood":1`, "Declined by 2 workers, as many as the job asks for.", "No worker answered within the task availability lifetime of 3600 seconds."} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %s, want %s in it", i, lines[i], want)
		}
	}
}

func uselessAnswersFailTheObject(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.create(spec("moods"), texts(1))
	w.pass()
	w.label("ann", "moods", 1, says("horse"))
	w.label("bob", "moods", 1, func(int64) string { return `{}` })
	w.pass()
	w.pass()
	j := w.describe("moods")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 1, Failed: 1}) {
		t.Errorf("at the end: %s, %+v", j.Status, j.Counters)
	}
	if line := w.storage.get(j.OutputManifestURI); !strings.Contains(line, `\"horse\" is not one of the job's label categories`) || strings.Contains(line, `"mood":`) {
		t.Errorf("output: %s", line)
	}
}

func stoppingConditions(t *testing.T, db *store.DB) {
	for i, c := range []struct {
		name       string
		conditions labeling.StoppingConditions
		decline    bool // the first object, in whose place another is sent
		want       labeling.Counters
	}{
		{"count", labeling.StoppingConditions{MaxHumanLabeledObjectCount: 2}, false, labeling.Counters{Total: 5, HumanLabeled: 2}},
		{"percentage, rounded up", labeling.StoppingConditions{MaxPercentageOfInputDatasetLabeled: 50}, false, labeling.Counters{Total: 5, HumanLabeled: 3}},
		{"more than there is", labeling.StoppingConditions{MaxHumanLabeledObjectCount: 9}, false, labeling.Counters{Total: 5, HumanLabeled: 5}},
		{"a failed object does not count", labeling.StoppingConditions{MaxHumanLabeledObjectCount: 2}, true, labeling.Counters{Total: 5, HumanLabeled: 2, Failed: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, db)
			name := fmt.Sprint("moods", i)
			s := spec(name)
			s.Stopping, s.NumberOfHumanWorkersPerDataObject = c.conditions, 1
			w.create(s, texts(5))
			w.pass()
			if c.decline {
				a, err := w.queue.Take(context.Background(), worker("ann"), name)
				if err != nil {
					t.Fatal(err)
				}
				if err := w.queue.Decline(context.Background(), worker("ann"), a.ID); err != nil {
					t.Fatal(err)
				}
			}
			for range 4 {
				w.label("ann", name, 9, says("cat"))
				w.clock.add(3 * time.Second)
				w.pass()
			}
			if j := w.describe(name); j.Status != labeling.Completed || j.Counters != c.want {
				t.Errorf("%s %+v, want Completed %+v", j.Status, j.Counters, c.want)
			}
		})
	}
}

// A line that brings a label of the job's attribute name along is not sent
// again: that is how a stopped job is gone on with.
func labeledLinesAreKept(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	s := spec("moods")
	s.NumberOfHumanWorkersPerDataObject = 1
	const first = `{"source":"a","mood":1,"mood-metadata":{"class-name":"dog"}}`
	w.create(s, first+"\n{\"source\":\"b\"}\n"+first+"\n")
	w.pass()
	if n := w.label("ann", "moods", 9, says("cat")); n != 1 {
		t.Errorf("%d objects were sent, want 1", n)
	}
	w.pass()
	w.pass()
	j := w.describe("moods")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 1, HumanLabeled: 1, Kept: 2}) {
		t.Errorf("%s %+v", j.Status, j.Counters)
	}
	if lines := strings.Split(w.storage.get(j.OutputManifestURI), "\n"); lines[0] != first || lines[2] != first || !strings.Contains(lines[1], `"mood":0`) {
		t.Errorf("output: %q", lines)
	}
}

func jobExpires(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.create(spec("moods"), texts(2))
	w.pass()
	w.label("ann", "moods", 1, says("cat"))
	w.clock.add(labeling.ExpiresAfter)
	for range 3 {
		w.pass()
	}
	j := w.describe("moods")
	if j.Status != labeling.Failed || j.Counters.HumanLabeled != 1 || !strings.Contains(j.FailureReason, "30 days") || j.OutputManifestURI == "" {
		t.Errorf("%s %q %+v %s", j.Status, j.FailureReason, j.Counters, j.OutputManifestURI)
	}
}

// A job waits for storage that is away, says so, and goes on by itself.
func storageAway(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	away := fault.E("test", fault.Unavailable, "no route to the storage", nil)
	w.storage.deny["get s3://input/input.manifest"] = away
	w.storage.deny["put s3://out/jobs/moods/annotations"] = away
	s := spec("moods")
	s.NumberOfHumanWorkersPerDataObject = 1
	w.create(s, texts(2))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- w.engine.Run(ctx) }()
	const read = "Storage does not let us read the input manifest s3://input/input.manifest now: no route to the storage"
	w.until("moods", func(j *labeling.Job) bool { return j.Note == read && j.Status == labeling.Initializing })
	w.storage.mu.Lock()
	delete(w.storage.deny, "get s3://input/input.manifest")
	w.storage.mu.Unlock()
	w.until("moods", func(j *labeling.Job) bool { return j.Note == "" && j.Status == labeling.InProgress })
	w.label("ann", "moods", 9, says("cat"))
	w.until("moods", func(j *labeling.Job) bool { return strings.Contains(j.Note, "write the job's output") })
	w.storage.mu.Lock()
	delete(w.storage.deny, "put s3://out/jobs/moods/annotations")
	w.storage.mu.Unlock()
	w.until("moods", func(j *labeling.Job) bool { return j.Status == labeling.Completed && j.Note == "" })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func (w *world) until(job string, ok func(*labeling.Job) bool) {
	w.t.Helper()
	var j *labeling.Job
	for range 2000 {
		if j = w.describe(job); ok(j) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatalf("it never happened; the job is %s, note %q, reason %q, %+v", j.Status, j.Note, j.FailureReason, j.Counters)
}

func failureReasons(t *testing.T, db *store.DB) {
	denied := fault.Coded("objects.GetObject", fault.Denied, "AccessDenied", "Access Denied: statement NoReads of the role's policy denies s3:GetObject")
	for i, c := range []struct {
		name     string
		spoil    func(*world, *labeling.Spec)
		manifest string
		want     string
	}{
		{"missing manifest", func(_ *world, s *labeling.Spec) { s.ManifestS3URI = "s3://input/nothing" }, "",
			"There is no object at s3://input/nothing, where the input manifest should be."},
		{"missing bucket", func(w *world, s *labeling.Spec) {
			w.storage.deny["get s3://input/input"] = fault.Coded("test", fault.NotFound, "NoSuchBucket", "x")
		}, "",
			"The bucket of the input manifest s3://input/input.manifest does not exist."},
		{"role may not read the manifest", func(w *world, _ *labeling.Spec) { w.storage.deny["get s3://input/input"] = denied }, "",
			"The execution role " + role + " may not read the input manifest s3://input/input.manifest: Access Denied: statement NoReads of the role's policy denies s3:GetObject"},
		{"role may not write", func(w *world, _ *labeling.Spec) { w.storage.deny["put"] = denied }, texts(1),
			"The execution role " + role + " may not write the job's output s3://out/jobs/NAME/annotation-tool/data.json: Access Denied: statement NoReads of the role's policy denies s3:GetObject"},
		{"role cannot be assumed", func(w *world, _ *labeling.Spec) {
			w.storage.assume = fault.Coded("iam", fault.Denied, "AccessDenied", "No statement matched.")
		}, texts(1),
			"The execution role " + role + " cannot be assumed: its trust policy must allow sts:AssumeRole to the service sagemaker.amazonaws.com. No statement matched."},
		{"no such role", func(w *world, _ *labeling.Spec) { w.storage.assume = fault.Newf("iam", fault.NotFound, "x") }, texts(1),
			"The execution role " + role + " does not exist."},
		{"malformed line", nil, texts(2) + "{\"source\":\n",
			"The input manifest s3://input/input.manifest cannot be used: line 3: it is not a JSON object: unexpected end of JSON input."},
		{"empty manifest", nil, "\n", "The input manifest s3://input/input.manifest has no lines."},
		{"missing template", func(_ *world, s *labeling.Spec) { s.UITemplateS3URI = "s3://input/nothing" }, texts(1),
			"There is no object at s3://input/nothing, where the worker task template should be."},
		{"empty template", func(w *world, _ *labeling.Spec) { w.storage.set("s3://input/template.liquid", " \n") }, texts(1),
			"The worker task template s3://input/template.liquid is empty."},
		{"long template", func(w *world, _ *labeling.Spec) {
			w.storage.set("s3://input/template.liquid", strings.Repeat("é", 128_001))
		}, texts(1),
			"The worker task template s3://input/template.liquid has 128001 characters, more than 128000."},
		{"no built-in template", func(_ *world, s *labeling.Spec) { s.UITemplateS3URI = "" }, texts(1),
			"There is no built-in worker task template for text-classification; give one in UiTemplateS3Uri."},
		{"one label", func(w *world, _ *labeling.Spec) {
			w.storage.set("s3://input/labels.json", `{"labels":[{"label":"cat"}]}`)
		}, texts(1),
			"The label category configuration s3://input/labels.json cannot be used: it has 1 labels; text-classification needs at least 2."},
		{"data object missing", nil, `{"source-ref":"s3://pictures/a.jpg"}` + "\n",
			"None of the first 1 data objects that the input manifest names can be read. There is no object at s3://pictures/a.jpg, where the data object should be."},
		{"data object not readable", func(w *world, _ *labeling.Spec) { w.storage.deny["get s3://pictures"] = denied }, strings.Repeat(`{"source-ref":"s3://pictures/a.jpg"}`+"\n", 30),
			"None of the first 10 data objects that the input manifest names can be read. The execution role " + role + " may not read the data object s3://pictures/a.jpg: Access Denied: statement NoReads of the role's policy denies s3:GetObject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, db)
			s := spec(fmt.Sprint("job", i))
			if c.spoil != nil {
				c.spoil(w, &s)
			}
			w.create(s, c.manifest)
			w.pass()
			j := w.describe(s.LabelingJobName)
			want := strings.ReplaceAll(c.want, "NAME", s.LabelingJobName)
			if j.Status != labeling.Failed || j.FailureReason != want {
				t.Errorf("%s: %s\nwant   %s", j.Status, j.FailureReason, want)
			}
		})
	}
}

// One replica that was thought dead wakes up while another drives the job.
func twoReplicas(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	s := spec("moods")
	s.NumberOfHumanWorkersPerDataObject = 1
	j := w.create(s, texts(3))
	w.pass()
	other := engine.New(w.options("second"))
	if err := other.Pass(ctx); err != nil {
		t.Fatal(err)
	}
	h := engine.Hold{Job: j.ID, Owner: "second"}
	if err := w.store.Note(ctx, h, "mine"); err != engine.ErrLost && !strings.Contains(fmt.Sprint(err), engine.ErrLost.Error()) {
		t.Errorf("a replica that does not hold the job changed it: %v", err)
	}
	w.clock.add(time.Minute)
	w.label("ann", "moods", 9, says("cat"))
	for range 2 {
		if err := other.Pass(ctx); err != nil {
			t.Fatal(err)
		}
	}
	first := engine.Hold{Job: j.ID, Owner: "first"}
	if err := w.store.FinishBatch(ctx, first, 1, nil, w.clock.now()); err == nil {
		t.Error("the first replica still changes the job")
	}
	w.pass()
	if j := w.describe("moods"); j.Status != labeling.Completed || j.Counters.HumanLabeled != 3 {
		t.Errorf("%s %+v", j.Status, j.Counters)
	}
}

func lists(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	for i := range 7 {
		w.clock.add(time.Second * time.Duration(i%2)) // some are made in one instant
		w.create(spec(fmt.Sprintf("Job-%c", 'g'-rune(i))), texts(1))
	}
	if err := w.engine.Stop(ctx, "job-c"); err != nil {
		t.Fatal(err)
	}
	start := newClock().now()
	all := func(f engine.Filter) string {
		t.Helper()
		var names []string
		f.Limit = 2
		for token, page := "", 0; page == 0 || token != ""; page++ {
			jobs, next, err := w.engine.List(ctx, f, token)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				names = append(names, strings.TrimPrefix(j.Name, "Job-"))
			}
			token = next
		}
		return strings.Join(names, "")
	}
	for _, c := range []struct {
		name   string
		filter engine.Filter
		want   string
	}{
		{"by name", engine.Filter{SortBy: engine.ByName}, "abcdefg"},
		{"by name, descending", engine.Filter{SortBy: engine.ByName, Descending: true}, "gfedcba"},
		{"by status", engine.Filter{SortBy: engine.ByStatus}, "abdefgc"},
		{"status", engine.Filter{Status: labeling.Stopping}, "c"},
		{"name contains, whatever the case", engine.Filter{NameContains: "JOB-B"}, "b"},
		{"name contains no pattern", engine.Filter{NameContains: "%"}, ""},
		{"team", engine.Filter{Workteam: team, SortBy: engine.ByName}, "abcdefg"},
		{"other team", engine.Filter{Workteam: "arn:other"}, ""},
		{"created after", engine.Filter{CreatedAfter: start, SortBy: engine.ByName}, "abcdef"},
		{"created before", engine.Filter{CreatedBefore: start.Add(time.Second), SortBy: engine.ByName}, "g"},
		{"modified before", engine.Filter{ModifiedBefore: start.Add(time.Microsecond)}, "g"},
		{"reference code", engine.Filter{ReferenceCodeContains: "000000000000", SortBy: engine.ByName}, "abcdefg"},
		{"reference code without", engine.Filter{ReferenceCodeContains: "_"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := all(c.filter); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if got := all(engine.Filter{}); len(got) != 7 {
		t.Errorf("by creation time: %s", got)
	}
	_, next, err := w.engine.List(ctx, engine.Filter{SortBy: engine.ByName, Limit: 1}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"!", "bm90IGpzb24", next} {
		if _, _, err := w.engine.ListForWorkteam(ctx, team, engine.Filter{}, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("token %q: %v, want Invalid", bad, err)
		}
	}
}

// A session is made on behalf of one job and serves no other: a trust policy with
// aws:SourceArn may admit the one and not the other.
func TestSessionsAreOfOneJob(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	first := w.create(spec("first"), texts(1))
	w.pass()
	second := w.create(spec("second"), texts(1))
	w.pass()
	w.pass()
	want := []string{role + " for " + first.ARN, role + " for " + second.ARN}
	if diff := cmp.Diff(want, w.storage.assumed); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
}

// Standing says of an object, before and while it is held and after the answer,
// what Take does with it, on both databases.
func TestStandingIsWhatTakeDoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		s := spec("standing")
		s.NumberOfHumanWorkersPerDataObject, s.MaxConcurrentTaskCount = 1, 2
		j := w.create(s, texts(3))
		w.pass()
		check := func(when, who string, index int64, want store.Standing) {
			t.Helper()
			got, err := w.store.Standing(ctx, j, index, who, w.clock.now())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, object %d for %s (-want +got):\n%s", when, index, who, diff)
			}
		}
		held := func(when, who, want string) {
			t.Helper()
			if got, err := w.store.Held(ctx, j.ID, who, w.clock.now()); err != nil || got != want {
				t.Errorf("%s: %s holds %q, want %q (%v)", when, who, got, want, err)
			}
		}
		free := store.Standing{Available: true, Ready: true, Places: 1}
		check("at first", "ana", 0, free)
		check("at first", "ana", 2, store.Standing{}) // not on offer yet
		held("at first", "ana", "")
		a, err := w.queue.Take(ctx, worker("ana"), "standing")
		if err != nil || a.Index != 0 {
			t.Fatalf("%+v, %v", a, err)
		}
		held("taken", "ana", a.ID)
		check("taken", "ana", 0, store.Standing{Ready: true, Places: 1, Taken: 1, Mine: labeling.Active})
		check("taken", "ben", 0, store.Standing{Ready: true, Places: 1, Taken: 1})
		check("taken", "ben", 1, free)
		if err := w.queue.Decline(ctx, worker("ana"), a.ID); err != nil {
			t.Fatal(err)
		}
		held("declined", "ana", "")
		if got, err := w.store.Standing(ctx, j, 0, "ana", w.clock.now()); err != nil || got.Available || got.Mine != labeling.Declined {
			t.Errorf("declined: %+v, %v", got, err)
		}
		if n := w.label("ben", "standing", 1, says("cat")); n != 1 {
			t.Fatalf("%d answers", n)
		}
		var seen []int64
		if err := w.store.Lines(ctx, j.ID, func(i int64, line json.RawMessage) bool {
			seen = append(seen, i)
			return i < 1
		}); err != nil || len(seen) != 2 {
			t.Errorf("lines %v, %v", seen, err)
		}
		w.clock.add(time.Hour)
		if b, err := w.queue.Take(ctx, worker("cleo"), "standing"); err == nil {
			w.clock.add(61 * time.Second)
			held("the time is up", "cleo", "")
			_ = b
		}
	})
}
