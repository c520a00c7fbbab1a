package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

const (
	lambda = "arn:aws:lambda:us-east-1:000000000000:function:"
	preFn  = lambda + "pre"
	postFn = lambda + "post"
)

// functions are a test's own.
type functions struct {
	mu     sync.Mutex
	pre    func(line string) (string, error)
	post   func(request string) (string, error)
	may    error
	events []string
	calls  []engine.Call
	w      *world
}

func (f *functions) Mapped(arn string) error {
	if arn == preFn || arn == postFn {
		return nil
	}
	return fault.Newf("test", fault.Invalid, "nobody runs %s", arn)
}

func (f *functions) May(context.Context, engine.Call) error { return f.may }

func (f *functions) Invoke(_ context.Context, c engine.Call, event []byte) ([]byte, error) {
	f.mu.Lock()
	f.events, f.calls = append(f.events, string(event)), append(f.calls, c)
	f.mu.Unlock()
	var e struct {
		DataObject json.RawMessage `json:"dataObject"`
		Payload    struct {
			S3Uri string `json:"s3Uri"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	var answer string
	var err error
	if c.Function == preFn {
		answer, err = f.pre(string(e.DataObject))
	} else {
		answer, err = f.post(f.w.storage.get(e.Payload.S3Uri))
	}
	return []byte(answer), err
}

// prepared is how often the pre-annotation function was asked.
func (f *functions) prepared() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c.Function == preFn {
			n++
		}
	}
	return n
}

// passes is a pre-annotation function that answers with the line.
func passes(line string) (string, error) { return `{"taskInput":{"line":` + line + `}}`, nil }

// counts is a post-annotation function that answers with how many answers an
// object has.
func counts(request string) (string, error) {
	var objects []struct {
		ID          string `json:"datasetObjectId"`
		Annotations []any  `json:"annotations"`
	}
	if err := json.Unmarshal([]byte(request), &objects); err != nil {
		return "", err
	}
	var out []string
	for _, o := range objects {
		out = append(out, fmt.Sprintf(`{"datasetObjectId":"%s","consolidatedAnnotation":{"content":{"mood":{"answers":%d}}}}`, o.ID, len(o.Annotations)))
	}
	return "[" + strings.Join(out, ",") + "]", nil
}

func newFunctionWorld(t *testing.T, db *store.DB) (*world, *functions) {
	w := newWorld(t, db)
	f := &functions{pre: passes, post: counts, w: w}
	o := w.options("first")
	o.Functions = f
	w.engine = engine.New(o)
	return w, f
}

func ownSpec(name string) labeling.Spec {
	s := spec(name)
	s.PreHumanTaskLambdaARN, s.AnnotationConsolidationLambdaARN = preFn, postFn
	s.NumberOfHumanWorkersPerDataObject = 1
	return s
}

// TestFunctions runs on both databases what reads and writes rows of its own;
// what functions are asked and answer is the same on each.
func TestFunctions(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *store.DB)
		both bool
	}{
		{"events and answers", eventsAndAnswers, false},
		{"prepared ahead", preparedAhead, false},
		{"objects without humans and objects that fail", objectsThatLeave, true},
		{"results", resultsOfEverySort, false},
		{"stop", stopWhilePreparing, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.both {
				storetest.Each(t, c.run)
				return
			}
			c.run(t, storetest.SQLite(t))
		})
	}
}

func eventsAndAnswers(t *testing.T, db *store.DB) {
	w, f := newFunctionWorld(t, db)
	s := ownSpec("moods")
	s.NumberOfHumanWorkersPerDataObject = 2
	j := w.create(s, texts(1))
	w.pass()
	w.pass()
	a, err := w.queue.Take(context.Background(), worker("ann"), "moods")
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.queue.Get(context.Background(), worker("ann"), a.ID); err != nil {
		t.Fatal(err)
	}
	if in, err := a.TaskInput(); string(in) != `{"line":{"source":"text 0","n":0.50}}` || err != nil {
		t.Errorf("task input %s, %v", in, err)
	}
	w.label("ann", "moods", 1, says("cat"))
	w.label("bob", "moods", 1, says("dog"))
	w.pass()
	w.pass()
	j = w.describe(j.Name)
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 1, HumanLabeled: 1}) {
		t.Errorf("at the end: %s %q %+v", j.Status, j.FailureReason, j.Counters)
	}
	const at = "2026-05-04_03:02:03.json"
	const tree = "s3://out/jobs/moods/annotations/consolidated-annotation/"
	want := []string{
		`{"version":"2018-10-16","labelingJobArn":"` + j.ARN + `","dataObject":{"source":"text 0","n":0.50}}`,
		`{"version":"2018-10-16","labelingJobArn":"` + j.ARN + `","labelCategories":["cat","dog"],"labelAttributeName":"mood","roleArn":"` + role + `","payload":{"s3Uri":"` + tree + `consolidation-request/iteration-1/` + at + `"}}`,
	}
	if d := cmp.Diff(want, f.events); d != "" {
		t.Error(d)
	}
	wantCall := engine.Call{Function: preFn, RoleARN: role, Job: "moods", JobARN: j.ARN, ObjectID: "0"}
	if d := cmp.Diff(wantCall, f.calls[0]); d != "" {
		t.Error(d)
	}
	const metadata = `"mood-metadata":{"job-name":"labeling-job/moods","type":"groundtruth/custom","human-annotated":"yes","creation-date":"2026-05-04T03:02:03.123456"}`
	if got, want := w.storage.get(tree+"consolidation-response/iteration-1/"+at), `[{"datasetObjectId":"0","consolidatedAnnotation":{"content":{"mood":{"answers":2},`+metadata+`}}}]`; got != want {
		t.Errorf("response %s\nwant     %s", got, want)
	}
	if got, want := w.storage.get(j.OutputManifestURI), `{"source":"text 0","n":0.50,"mood":{"answers":2},`+metadata+"}\n"; got != want {
		t.Errorf("manifest %s\nwant     %s", got, want)
	}
}

// Not more than MaxConcurrentTaskCount objects are prepared ahead, and none
// twice.
func preparedAhead(t *testing.T, db *store.DB) {
	w, f := newFunctionWorld(t, db)
	s := ownSpec("moods")
	s.MaxConcurrentTaskCount = 3
	w.create(s, texts(7))
	for want := 3; want <= 7; want++ {
		w.pass()
		w.pass()
		if n := f.prepared(); n != want {
			t.Fatalf("the function was asked %d times, want %d", n, want)
		}
		if n := w.label("ann", "moods", 1, says("cat")); n != 1 {
			t.Fatalf("there is no task after %d", want)
		}
	}
	w.label("ann", "moods", 9, says("cat"))
	w.pass()
	w.pass()
	if j := w.describe("moods"); j.Status != labeling.Completed || j.Counters.HumanLabeled != 7 {
		t.Errorf("at the end: %s %+v", j.Status, j.Counters)
	}
	if n := f.prepared(); n != 7 {
		t.Errorf("the function was asked %d times, want 7", n)
	}
	var inputs int
	if err := db.Read().QueryRow(`select count(*) from task_inputs`).Scan(&inputs); err != nil || inputs != 0 {
		t.Errorf("%d task inputs are left behind, %v", inputs, err)
	}
}

func objectsThatLeave(t *testing.T, db *store.DB) {
	w, f := newFunctionWorld(t, db)
	f.pre = func(line string) (string, error) {
		switch {
		case strings.Contains(line, "text 1"):
			return `{"humanAnnotationRequired":"false"}`, nil
		case strings.Contains(line, "text 2"):
			return "", &engine.FunctionError{Type: "ValueError", Message: "no such text"}
		case strings.Contains(line, "text 3"):
			return `{"taskInput":"text"}`, nil
		}
		return passes(line)
	}
	s := ownSpec("moods")
	s.MaxConcurrentTaskCount = 2
	// Three labels are wanted; what has none does not count.
	s.Stopping.MaxHumanLabeledObjectCount = 3
	w.create(s, texts(9))
	for range 12 {
		w.pass()
		w.label("ann", "moods", 1, says("cat"))
		w.clock.add(3 * time.Second)
	}
	j := w.describe("moods")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 9, HumanLabeled: 3, Failed: 2, Excluded: 1}) || j.Counters.Unlabeled() != 4 {
		t.Errorf("at the end: %s %+v", j.Status, j.Counters)
	}
	lines := strings.Split(strings.TrimSpace(w.storage.get(j.OutputManifestURI)), "\n")
	for i, want := range []string{
		`"mood":{"answers":1}`, `{"source":"text 1","n":1.50}`,
		`"mood-metadata":{"failure-reason":"The pre-annotation function ` + preFn + ` failed. ValueError: no such text","job-name":"labeling-job/moods"`,
		`"failure-reason":"The answer of the pre-annotation function ` + preFn + ` cannot be used: taskInput must be an object, not a string."`,
		`"mood":{"answers":1}`, `"mood":{"answers":1}`, `{"source":"text 6","n":6.50}`,
	} {
		if !strings.Contains(lines[i], want) || i == 1 && lines[i] != want {
			t.Errorf("line %d: %s\nwant %s", i, lines[i], want)
		}
	}
}

func resultsOfEverySort(t *testing.T, db *store.DB) {
	w, f := newFunctionWorld(t, db)
	item := func(id, content string) string {
		return `{"datasetObjectId":"` + id + `","consolidatedAnnotation":{"content":` + content + `}}`
	}
	f.post = func(string) (string, error) {
		return "[" + strings.Join([]string{
			item("0", `{"mood":"first","extra":1}`), item("0", `{"mood":"last","mood-metadata":{"score":0.5,"type":"mine"}}`),
			item("2", `{"another":1}`), item("9", `{"mood":"of another job"}`), item("3", `{"mood":{"k":[1.50]}}`), `{"consolidatedAnnotation":{}}`,
		}, ",") + "]", nil
	}
	w.create(ownSpec("moods"), texts(4))
	w.pass()
	w.pass()
	w.label("ann", "moods", 9, says("cat"))
	w.pass()
	w.pass()
	j := w.describe("moods")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 4, HumanLabeled: 2, Failed: 2}) {
		t.Errorf("at the end: %s %+v", j.Status, j.Counters)
	}
	lines := strings.Split(strings.TrimSpace(w.storage.get(j.OutputManifestURI)), "\n")
	for i, want := range []string{
		`"mood":"last","mood-metadata":{"score":0.5,"type":"groundtruth/custom","job-name":"labeling-job/moods"`,
		`"failure-reason":"The post-annotation function ` + postFn + ` gave no result for this object; of its answer item 5 has no datasetObjectId."`,
		`"failure-reason":"The result of the post-annotation function ` + postFn + ` for this object cannot be used: consolidatedAnnotation.content has no member \"mood\", the job's label attribute name."`,
		`"mood":{"k":[1.50]}`,
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d: %s\nwant %s", i, lines[i], want)
		}
	}
	const tree = "s3://out/jobs/moods/annotations/consolidated-annotation/consolidation-response/iteration-1/"
	response := w.storage.get(tree + w.storage.keys(tree)[0])
	for _, want := range []string{`"mood":"first","extra":1,`, `"mood":"last"`} {
		if !strings.Contains(response, want) {
			t.Errorf("the response has no %s: %s", want, response)
		}
	}
	if strings.Contains(response, "another job") || strings.Contains(strings.Join(lines, ""), "another job") {
		t.Error("a result for an object that is not of the batch is in the output")
	}
}

func stopWhilePreparing(t *testing.T, db *store.DB) {
	w, f := newFunctionWorld(t, db)
	f.pre = func(line string) (string, error) {
		if strings.Contains(line, "text 1") {
			return "", fault.Newf("test", fault.Unavailable, "The function cannot be reached.")
		}
		return passes(line)
	}
	w.create(ownSpec("moods"), texts(3))
	w.pass()
	if err := w.engine.Pass(context.Background()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a function that is away: %v", err)
	}
	w.label("ann", "moods", 1, says("cat"))
	if err := w.engine.Stop(context.Background(), "moods"); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.pass()
	j := w.describe("moods")
	if j.Status != labeling.Stopped || j.Counters != (labeling.Counters{Total: 3, HumanLabeled: 1}) {
		t.Errorf("at the end: %s %+v", j.Status, j.Counters)
	}
	var left int
	if err := db.Read().QueryRow(`select (select count(*) from task_inputs) + (select count(*) from labeling_tasks)`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left behind, %v", left, err)
	}
}

// The whole job fails where Ground Truth's does: the function is of no use at
// all. These cases look at the engine alone.
func TestFunctionFailures(t *testing.T) {
	const client = "ClientError: Exception invoking the Lambda function " + preFn + ". LambdaErrorCode: "
	for _, c := range []struct {
		name   string
		change func(*functions)
		rounds int
		status labeling.Status
		reason string
		failed int64
	}{
		{"the role may not", func(f *functions) {
			f.may = fault.Newf("test", fault.Denied, "no statement allows it")
		}, 1, labeling.Failed, client + "AccessDenied. Ensure the Lambda function exists, that the role " + role + " has permissions to invoke it and try your request again. no statement allows it", 0},
		{"the function is not mapped any more", func(f *functions) {
			f.may = fault.Newf("test", fault.NotFound, "nobody runs it")
		}, 1, labeling.Failed, client + "ResourceNotFound.", 0},
		{"every one of the first objects", func(f *functions) {
			f.pre = func(string) (string, error) {
				return "", &engine.FunctionError{Type: "KeyError", Message: "'source-ref'"}
			}
		}, 4, labeling.Failed, client + "Unhandled. Ensure the Lambda function exists, that the role " + role + " has permissions to invoke it and try your request again. None of the first 10 data objects could be prepared; object 0: The pre-annotation function " + preFn + " failed. KeyError: 'source-ref'", 0},
		{"the batch", func(f *functions) {
			f.post = func(string) (string, error) {
				return "", &engine.FunctionError{Type: "Timeout", Message: "Task timed out after 3.00 seconds"}
			}
		}, 6, labeling.Completed, "", 12},
		{"an answer to the batch that is no list", func(f *functions) {
			f.post = func(string) (string, error) { return `{"0":"cat"}`, nil }
		}, 6, labeling.Completed, "", 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, f := newFunctionWorld(t, storetest.SQLite(t))
			c.change(f)
			w.create(ownSpec("moods"), texts(12))
			for range c.rounds {
				w.pass()
				if c.status == labeling.Completed {
					w.label("ann", "moods", 99, says("cat"))
				}
			}
			j := w.describe("moods")
			if j.Status != c.status || !strings.HasPrefix(j.FailureReason, c.reason) || j.Counters.Failed != c.failed {
				t.Errorf("%s, %d failed: %s\nwant %s", j.Status, j.Counters.Failed, j.FailureReason, c.reason)
			}
			if c.failed > 0 && !strings.Contains(w.storage.get(j.OutputManifestURI), `"failure-reason":"The `) {
				t.Errorf("the output does not say why: %s", w.storage.get(j.OutputManifestURI))
			}
		})
	}
}

func TestUnmappedFunctionsAreRefused(t *testing.T) {
	w, _ := newFunctionWorld(t, storetest.SQLite(t))
	for _, c := range []struct {
		engine *engine.Engine
		change func(*labeling.Spec)
		field  string
		want   string
	}{
		{w.engine, func(s *labeling.Spec) { s.PreHumanTaskLambdaARN = lambda + "other" }, "HumanTaskConfig.PreHumanTaskLambdaArn", "nobody runs"},
		{w.engine, func(s *labeling.Spec) { s.AnnotationConsolidationLambdaARN = lambda + "other" }, "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn", "nobody runs"},
		{engine.New(w.options("without")), func(*labeling.Spec) {}, "HumanTaskConfig.PreHumanTaskLambdaArn", "built-in"},
	} {
		s := ownSpec("refused")
		c.change(&s)
		j, err := labeling.NewJob(s, w.clock.now(), strings.NewReader(strings.Repeat("x", 99)))
		if err != nil {
			t.Fatal(err)
		}
		err = c.engine.Create(context.Background(), j)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Field != c.field || !strings.HasPrefix(f.Message, c.field+": ") || !strings.Contains(f.Message, c.want) {
			t.Errorf("got %v, want %s and %q", err, c.field, c.want)
		}
		if _, err := w.engine.Describe(context.Background(), "refused"); !fault.Is(err, fault.NotFound) {
			t.Errorf("the job is there: %v", err)
		}
	}
}

// TestFunctionsCrash ends the process at every third of its effects, before or
// behind it, and lets another go on. The job ends as if nothing had happened: every
// object was prepared and consolidated, the files of a batch that was done
// again are the same, and no answer that was stored was asked for again.
func TestFunctionsCrash(t *testing.T) {
	db := storetest.SQLite(t)
	n := 1
	for ; crashWithFunctions(t, db, n); n += 3 {
		if t.Failed() {
			return
		}
	}
	if n < 20 {
		t.Errorf("only %d instants were tried", n)
	}
}

func crashWithFunctions(t *testing.T, db *store.DB, n int) (crashed bool) {
	w, f := newFunctionWorld(t, db)
	c := &crash{n: n}
	o := w.options(fmt.Sprint("crashing-", n))
	o.Store, o.Roles, o.Functions = crashingStore{w.store, c}, crashingRoles{w.storage, c}, f
	w.engine = engine.New(o)
	s := ownSpec(fmt.Sprintf("job-%d", n))
	s.MaxConcurrentTaskCount = 2
	w.create(s, texts(3))
	written := map[string]string{}
	for round := range 12 {
		err := w.engine.Pass(context.Background())
		if errors.Is(err, errCrash) {
			crashed = true
			for _, key := range w.storage.keys("s3://out/") {
				written[key] = w.storage.get("s3://out/" + key)
			}
			w.clock.add(time.Minute)
			o := w.options(fmt.Sprint("after-", n))
			o.Functions = f
			w.engine = engine.New(o)
		} else if err != nil {
			t.Fatalf("instant %d: %v", n, err)
		}
		w.label("ann", s.LabelingJobName, 1+round%2, says("cat"))
		w.clock.add(3 * time.Second)
	}
	j := w.describe(s.LabelingJobName)
	if got := strings.Count(w.storage.get(j.OutputManifestURI), `"mood":{"answers":1}`); j.Status != labeling.Completed || got != 3 {
		t.Errorf("instant %d: %s with %d labels", n, j.Status, got)
	}
	for key, before := range written {
		if after := w.storage.get("s3://out/" + key); after != before && !strings.HasSuffix(key, ".manifest") {
			t.Errorf("instant %d: %s was\n%s\nand is\n%s", n, key, before, after)
		}
	}
	if asked := f.prepared(); asked > 3+2 { // what was under way when the process died
		t.Errorf("instant %d: the function was asked %d times about 3 objects", n, asked)
	}
	return crashed
}
