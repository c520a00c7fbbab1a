package engine_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/output"
	"fiducial/internal/labeling/quality"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// TestQuality runs every case on both databases.
func TestQuality(t *testing.T) {
	storetest.PostgresURL(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *store.DB)
	}{
		{"who fails gold is excluded and their answers are given again", whoFailsGoldIsExcluded},
		{"more workers where they disagree", moreWorkersWhereTheyDisagree},
		{"another opinion", anotherOpinion},
		{"stop while objects are to come back", stopWhileObjectsComeBack},
		{"excluded and admitted by the requester", excludedByTheRequester},
	} {
		t.Run(c.name, func(t *testing.T) { storetest.Each(t, c.run) })
	}
}

// officer hears what quality control is about to do.
type officer struct {
	heard []string
	err   error
}

func (o *officer) Acting(_ context.Context, j *labeling.Job, a quality.Acted) error {
	if o.err == nil {
		o.heard = append(o.heard, fmt.Sprintf("%s %s %s %s", a.Action, a.WorkerId, a.Rule, a.ObjectId))
	}
	return o.err
}

// controlled is a world whose engine has an officer.
func controlled(t *testing.T, db *store.DB) (*world, *officer) {
	w, o := newWorld(t, db), &officer{}
	opts := w.options("first")
	opts.Officer = o
	w.restart(opts)
	return w, o
}

const goldLines = `{"source":"text 900","n":1.0,"mood":0,"mood-metadata":{"class-name":"cat","type":"groundtruth/text-classification"}}
{"source":"text 901","n":1.0,"mood":1}
{"source":"text 902","n":1.0,"mood":"dog"}
`

// tagged is a job with the quality configuration.
func (w *world) tagged(name, config string) labeling.Spec {
	w.storage.set("s3://input/quality.json", config)
	w.storage.set("s3://input/gold.manifest", goldLines)
	s := spec(name)
	s.Tags = []labeling.Tag{{Key: labeling.QualityTag, Value: "s3://input/quality.json"}}
	return s
}

func (w *world) report(job string) *quality.Report {
	w.t.Helper()
	r, err := w.engine.Quality(context.Background(), job)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

const excluding = `{"Version":"2026-11-01","Gold":{"ManifestS3Uri":"s3://input/gold.manifest","OneTaskIn":2},
	"Rules":[{"Name":"spam","Collector":"GoldAccuracy","Window":3,"MinCount":3,"Below":0.9,"Actions":[{"Type":"ExcludeWorker"},{"Type":"RequeueAnswers"},{"Type":"Notify"}]}]}`

// right answers gold questions right, and says cat of everything else.
func right(index int64) string {
	label := "cat"
	if index == -2 || index == -3 {
		label = "dog"
	}
	return `{"crowd-classifier":{"label":"` + label + `"}}`
}

func whoFailsGoldIsExcluded(t *testing.T, db *store.DB) {
	w, o := controlled(t, db)
	w.create(w.tagged("moods", excluding), texts(8))
	w.pass()
	if j := w.describe("moods"); j.Status != labeling.InProgress || j.Counters != (labeling.Counters{Total: 8}) {
		t.Fatalf("after ingestion: %s %s %+v", j.Status, j.FailureReason, j.Counters)
	}
	if n := w.label("ann", "moods", 99, right); n != 11 {
		t.Errorf("ann did %d tasks, want 8 and 3 gold questions", n)
	}
	w.label("eve", "moods", 6, says("dog")) // 3 of them are gold: 2 right
	w.clock.add(3 * time.Second)
	o.err = errors.New("the record is away")
	if err := w.engine.Pass(context.Background()); err == nil {
		t.Error("an action that could not be recorded was taken")
	}
	if n := w.label("eve", "moods", 1, says("dog")); n != 1 {
		t.Error("eve was excluded without a record")
	}
	o.err = nil
	for range 3 {
		w.pass()
	}
	if d := cmp.Diff([]string{"ExcludeWorker eve spam ", "RequeueAnswers eve spam ", "Notify eve spam "}, o.heard); d != "" {
		t.Error(d)
	}
	if n := w.label("eve", "moods", 1, says("dog")); n != 0 {
		t.Error("eve is excluded and gets a task")
	}
	if j := w.describe("moods"); j.Counters.HumanLabeled != 0 || j.Status != labeling.InProgress {
		t.Errorf("objects that lost an answer are labelled: %s %+v", j.Status, j.Counters)
	}
	w.label("cem", "moods", 99, right)
	for range 3 {
		w.pass()
	}
	j := w.describe("moods")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 8, HumanLabeled: 8}) {
		t.Fatalf("at the end: %s %q %+v", j.Status, j.Note, j.Counters)
	}
	const root = "s3://out/jobs/moods/"
	lines := strings.Split(strings.TrimSpace(w.storage.get(j.OutputManifestURI)), "\n")
	for i, l := range lines {
		if !strings.HasPrefix(l, fmt.Sprintf(`{"source":"text %d",`, i)) || !strings.Contains(l, `"class-name":"cat"`) {
			t.Errorf("line %d: %s", i, l)
		}
	}
	if len(lines) != 8 {
		t.Errorf("%d lines", len(lines))
	}
	for _, key := range w.storage.keys(root) {
		if doc := w.storage.get(root + key); !strings.HasPrefix(key, "quality/") && (strings.Contains(doc, "text 90") || strings.Contains(doc, "eve") || strings.Contains(key, "/-")) {
			t.Errorf("%s has a gold question, or a discarded answer", key)
		}
	}
	r := w.report("moods")
	var who []string
	for _, x := range r.Workers {
		who = append(who, fmt.Sprintf("%s %s %d/%d %d", x.WorkerId, x.Status, x.Gold.Right, x.Gold.Asked, x.Compared))
	}
	if d := cmp.Diff([]string{"ann Admitted 3/3 8", "cem Admitted 3/3 8", "eve Excluded 2/3 0"}, who); d != "" {
		t.Error(d)
	}
	if r.Answers != 16 || r.Discarded == 0 || len(r.Gold) != 3 || r.Gold[1] != (quality.GoldReport{Line: 2, Source: "text 901", Share: *quality.ShareOf(3, 3)}) {
		t.Errorf("%d answers, %d discarded, gold %+v", r.Answers, r.Discarded, r.Gold)
	}
	if a := r.Actions[0]; a.Action != "ExcludeWorker" || a.Rule != "spam" || a.Detail != "GoldAccuracy is 0.667 over 3, below 0.9" || a.Number != 1 {
		t.Errorf("%+v", a)
	}
	var file quality.Report
	if err := json.Unmarshal([]byte(w.storage.get(root+"quality/report.json")), &file); err != nil || len(file.Workers) != 3 {
		t.Errorf("quality/report.json: %v, %+v", err, file)
	}
}

// A worker who was excluded when objects were labelled already: these are
// labelled again from what is left and one more answer.
func moreWorkersWhereTheyDisagree(t *testing.T, db *store.DB) {
	w, _ := controlled(t, db)
	s := w.tagged("moods", `{"Version":"2026-11-01","Overlap":{"MinWorkers":2,"MinAgreement":0.85}}`)
	s.NumberOfHumanWorkersPerDataObject, s.MaxConcurrentTaskCount = 4, 3
	w.create(s, texts(6))
	w.pass()
	split := func(label string) func(int64) string { // of objects 1 and 4 they disagree
		return func(i int64) string {
			if i%3 != 1 {
				label = "cat"
			}
			return says(label)(i)
		}
	}
	for range 4 {
		for i, id := range []string{"ann", "ben", "cem", "dia"} {
			w.label(id, "moods", 99, func(n int64) string { return split([]string{"cat", "dog"}[i%2])(n) })
			w.clock.add(3 * time.Second)
			w.pass()
			if p, err := w.store.Progress(context.Background(), w.describe("moods").ID, w.clock.now()); err != nil || p.Ready > 3 {
				t.Errorf("%d objects are ready, more than MaxConcurrentTaskCount: %v", p.Ready, err)
			}
		}
	}
	w.pass()
	j := w.describe("moods")
	if j.Status != labeling.Completed || j.Counters != (labeling.Counters{Total: 6, HumanLabeled: 6}) {
		t.Fatalf("at the end: %s %+v", j.Status, j.Counters)
	}
	var answers []string
	for i := range 6 {
		n := 0
		prefix := fmt.Sprintf("s3://out/jobs/moods/annotations/worker-response/iteration-1/%d/", i)
		keys := w.storage.keys(prefix)
		if len(keys) != 1 {
			t.Errorf("object %d has the worker responses %v, want one", i, keys)
			continue
		}
		n = strings.Count(w.storage.get(prefix+keys[0]), "answerContent")
		answers = append(answers, fmt.Sprint(n))
	}
	if got := strings.Join(answers, " "); got != "2 4 2 2 4 2" {
		t.Errorf("answers: %s, want two where they agree and four where they never do", got)
	}
}

func anotherOpinion(t *testing.T, db *store.DB) {
	w, o := controlled(t, db)
	s := w.tagged("moods", `{"Version":"2026-11-01","Overlap":{"MinWorkers":1,"MinAgreement":0},
		"Rules":[{"Name":"hasty","Collector":"AnswerSeconds","Below":2,"Actions":[{"Type":"AnotherOpinion"}]}]}`)
	w.create(s, texts(2))
	w.pass()
	ctx := context.Background()
	for i, seconds := range []int{9, 1} {
		a, err := w.queue.Take(ctx, worker("ann"), "moods")
		if err != nil {
			t.Fatal(err)
		}
		w.clock.add(time.Duration(seconds) * time.Second)
		if err := w.queue.Submit(ctx, worker("ann"), a.ID, []byte(says("cat")(int64(i)))); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.add(3 * time.Second)
	w.pass()
	w.pass()
	if d := cmp.Diff([]string{"AnotherOpinion ann hasty 1"}, o.heard); d != "" {
		t.Error(d)
	}
	if j := w.describe("moods"); j.Counters.HumanLabeled != 1 {
		t.Errorf("%+v, want one labelled and one that waits", j.Counters)
	}
	if n := w.label("ben", "moods", 9, says("cat")); n != 1 {
		t.Errorf("ben gets %d tasks, want the one", n)
	}
	w.clock.add(3 * time.Second)
	w.pass()
	w.pass()
	if j := w.describe("moods"); j.Status != labeling.Completed {
		t.Errorf("%s %+v", j.Status, j.Counters)
	}
}

// Stopping takes what waits to come back out of the way: with answers it is
// labelled from them, without it stays unlabelled.
func stopWhileObjectsComeBack(t *testing.T, db *store.DB) {
	w, _ := controlled(t, db)
	s := w.tagged("moods", `{"Version":"2026-11-01","Overlap":{"MinWorkers":2,"MinAgreement":1}}`)
	s.NumberOfHumanWorkersPerDataObject, s.MaxConcurrentTaskCount = 4, 1
	w.create(s, texts(3))
	w.pass()
	w.label("ann", "moods", 1, says("cat"))
	w.label("ben", "moods", 1, says("dog"))
	w.clock.add(3 * time.Second)
	w.pass() // object 0 is to come back while object 1 is with the workers
	j := w.describe("moods")
	if p, err := w.store.Progress(context.Background(), j.ID, w.clock.now()); err != nil || p.Requeued != 1 || p.Ready != 1 {
		t.Fatalf("%+v %v", p, err)
	}
	if err := w.engine.Stop(context.Background(), "moods"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.pass()
	}
	if j := w.describe("moods"); j.Status != labeling.Stopped || j.Counters != (labeling.Counters{Total: 3, HumanLabeled: 1}) {
		t.Errorf("%s %+v", j.Status, j.Counters)
	}
}

// The requester's word is enough, also after objects have their labels.
func excludedByTheRequester(t *testing.T, db *store.DB) {
	w, o := controlled(t, db)
	ctx := context.Background()
	w.create(w.tagged("moods", excluding), texts(5))
	w.pass()
	w.label("eve", "moods", 3, right)
	w.label("ann", "moods", 4, right)
	w.clock.add(3 * time.Second)
	w.pass()
	before := w.describe("moods").Counters.HumanLabeled
	if before == 0 {
		t.Fatal("nothing is labelled")
	}
	if err := w.engine.Exclude(ctx, "MOODS", "eve", true, "she said so", "arn:aws:iam::000000000000:user/officer"); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if j := w.describe("moods"); j.Counters.HumanLabeled != 0 || j.Counters.Unlabeled() != 5 {
		t.Errorf("labels that rest on discarded answers stand: %+v", j.Counters)
	}
	if n := w.label("eve", "moods", 1, right); n != 0 {
		t.Error("eve gets a task")
	}
	for _, want := range []fault.Kind{fault.Internal, fault.InUse} {
		if err := w.engine.Admit(ctx, "moods", "eve", "a mistake", "arn"); (err != nil) != (want == fault.InUse) || err != nil && !fault.Is(err, want) {
			t.Errorf("admit: %v", err)
		}
	}
	if n := w.label("eve", "moods", 1, right); n != 1 {
		t.Error("eve was admitted and gets no task")
	}
	if err := w.engine.Stop(ctx, "moods"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.pass()
	}
	if err := w.engine.Exclude(ctx, "moods", "eve", true, "x", "y"); !fault.Is(err, fault.InUse) {
		t.Errorf("excluding from a job that has ended: %v", err)
	}
	w.create(spec("plain"), texts(1))
	for _, err := range []error{w.engine.Exclude(ctx, "plain", "eve", false, "x", "y"), w.engine.Admit(ctx, "plain", "eve", "x", "y")} {
		if !fault.Is(err, fault.InUse) || !strings.Contains(fault.MessageOf(err), labeling.QualityTag) {
			t.Errorf("a job without quality control: %v", err)
		}
	}
	if _, err := w.engine.Quality(ctx, "nothing"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such job: %v", err)
	}
	if d := cmp.Diff([]string{"ExcludeWorker eve  ", "RequeueAnswers eve  ", "AdmitWorker eve  "}, o.heard); d != "" {
		t.Error(d)
	}
}

// What is wrong with the configuration is said by CreateLabelingJob, which
// names the member; nothing is created.
func TestQualityIsCheckedAtCreation(t *testing.T) {
	w, _ := controlled(t, storetest.SQLite(t))
	denied := fault.Coded("objects.GetObject", fault.Denied, "AccessDenied", "Access Denied: no statement allows it")
	for i, c := range []struct {
		spoil func()
		kind  fault.Kind
		want  string
	}{
		{func() { w.storage.set("s3://input/quality.json", `{"Version":"2026-11-01","Gold":{"OneTaskIn":0}}`) }, fault.Invalid,
			"Tags[fiducial:QualityConfigS3Uri]: s3://input/quality.json: Gold.ManifestS3Uri: is missing."},
		{func() { w.storage.deny["get s3://input/quality"] = denied }, fault.Invalid,
			"Tags[fiducial:QualityConfigS3Uri]: The execution role " + role + " may not read the quality configuration s3://input/quality.json: Access Denied"},
		{func() { w.storage.deny["get s3://input/quality"] = fault.Newf("x", fault.NotFound, "x") }, fault.Invalid,
			"Tags[fiducial:QualityConfigS3Uri]: There is no object at s3://input/quality.json, where the quality configuration should be."},
		{func() { w.storage.deny["get s3://input/quality"] = fault.Newf("x", fault.Unavailable, "no route") }, fault.Unavailable,
			"Storage does not let us read the quality configuration"},
		{func() { w.storage.set("s3://input/quality.json", strings.Repeat(" ", quality.MaxDocument+1)) }, fault.Invalid, "is longer than 65536 bytes"},
	} {
		clear(w.storage.deny)
		s := w.tagged(fmt.Sprint("job", i), excluding)
		c.spoil()
		j, err := labeling.NewJob(s, w.clock.now(), rand.Reader)
		if err == nil {
			err = w.engine.Create(context.Background(), j)
		}
		if !fault.Is(err, c.kind) || !strings.Contains(fault.MessageOf(err), c.want) {
			t.Errorf("%v\nwant %s", err, c.want)
		}
		if _, err := w.engine.Describe(context.Background(), s.LabelingJobName); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s exists: %v", s.LabelingJobName, err)
		}
	}
	s := w.tagged("x", excluding)
	s.Tags[0].Value = "quality.json"
	if _, err := labeling.NewJob(s, w.clock.now(), rand.Reader); !fault.Is(err, fault.Invalid) || !strings.HasPrefix(fault.MessageOf(err), "Tags[fiducial:QualityConfigS3Uri]: ") {
		t.Errorf("no URI: %v", err)
	}
}

// The label of a segmentation is a picture, which becomes what a worker who painted
// just that would have answered.
func TestGoldPicture(t *testing.T) {
	names := []string{"cat", "dog"}
	colors := output.Palette(len(names))
	picture, err := output.SegmentsPNG(2, 2, []uint8{1, 2, 0, 2}, colors)
	if err != nil {
		t.Fatal(err)
	}
	a, err := output.Segmentation(labeling.SemanticSegmentation, output.Stamp{}, "s3://output/1.png", output.NewCategories(names), colors, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	scorer := quality.NewScorer(labeling.SemanticSegmentation, names)
	gold := &labeling.Gold{LabelAttributeName: "l-ref"}
	read := func(line string, get func(string) ([]byte, error)) ([]engine.GoldQuestion, error) {
		return engine.ReadGold([]byte(line), gold, scorer, get)
	}
	line := `{"source-ref":"s3://input/1.jpg","l-ref":"s3://output/1.png","l-ref-metadata":` + string(a.Metadata) + `}`
	asked := ""
	list, err := read(line, func(uri string) ([]byte, error) { asked = uri; return picture, nil })
	if err != nil || len(list) != 1 || asked != "s3://output/1.png" {
		t.Fatalf("%d questions, the picture %s: %v", len(list), asked, err)
	}
	k, err := scorer.Label(list[0].Label, list[0].Metadata)
	if err != nil {
		t.Fatal(err)
	}
	other, err := output.SegmentsPNG(2, 2, []uint8{1, 1, 0, 2}, colors)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := output.SegmentsOf(other, a.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	if got := scorer.Score(k, list[0].Label); got != 1 {
		t.Errorf("the label scores %v against itself", got)
	}
	if got := scorer.Score(k, answer); got != 0.5 {
		t.Errorf("half of each category scores %v", got)
	}
	away := errors.New("storage is away")
	if _, err := read(line, func(string) ([]byte, error) { return nil, away }); !errors.Is(err, away) {
		t.Errorf("a picture that cannot be read: %v", err)
	}
	for name, c := range map[string]struct{ line, want string }{
		"no colours":    {`{"source-ref":"s3://input/1.jpg","l-ref":"s3://output/1.png"}`, `line 1: l-ref-metadata: expected {"internal-color-map"`},
		"not a picture": {line, "line 1: l-ref: expected the S3 URI of a picture of segments, or an answer"},
	} {
		if _, err := read(c.line, func(string) ([]byte, error) { return []byte("text"), nil }); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A gold manifest that cannot be used, or whose questions workers could tell
// from others, fails the job with words that help to mend it.
func TestGoldThatCannotBeUsed(t *testing.T) {
	const config = `{"Version":"2026-11-01","Gold":{"ManifestS3Uri":"s3://input/gold.manifest"}}`
	for i, c := range []struct {
		name, gold, manifest, want string
	}{
		{"no label", `{"source":"text 900","n":1}`, "", `cannot be used: line 1: it has no "mood", which is its known answer`},
		{"label of another job", `{"source":"text 900","n":1,"mood":7}`, "", `cannot be used: line 1: mood: expected the name of a label category, or its number from 0 to 1`},
		{"malformed", `{"source":`, "", "cannot be used: line 1: it is not a JSON object"},
		{"empty", "\n", "", "cannot be used: it has no lines"},
		{"too long", strings.Repeat(`{"source":"text 900","n":1,"mood":1}`+"\n", quality.MaxGold+1), "", "cannot be used: it has more than 1000 lines"},
		{"a member more", `{"source":"text 900","n":1,"gold":true,"mood":1}`, "", `Workers could tell gold questions from others (Members): line 1 has the members source, n, gold beside its label`},
		{"twice", `{"source":"text 1","n":1,"mood":1}`, "", "(Duplicate): the data object of line 1 is in the input manifest too"},
		{"sorted manifest", goldLines, texts(30), `(Order): the input manifest is sorted, so that a gold question stands out by its place; shuffle its lines. Mend the gold manifest s3://input/gold.manifest, or put "Order" into Gold.AcceptTells.`},
		{"picture of another folder", `{"source-ref":"s3://gold/1.jpg","mood":1}`, `{"source-ref":"s3://pictures/a/1.jpg"}` + "\n", "(Folder): the data object s3://gold/1.jpg of line 1 is in a folder where the input manifest has none"},
		{"picture that is not there", `{"source-ref":"s3://pictures/a/2.jpg","mood":1}`, `{"source-ref":"s3://pictures/a/1.jpg"}` + "\n", "There is no object at s3://pictures/a/2.jpg, where the data object of a gold question should be."},
	} {
		w, _ := controlled(t, storetest.SQLite(t))
		s := w.tagged(fmt.Sprint("job", i), config)
		w.storage.set("s3://input/gold.manifest", c.gold)
		w.storage.set("s3://pictures/a/1.jpg", "x")
		if c.manifest == "" {
			c.manifest = texts(3)
		}
		w.create(s, c.manifest)
		w.pass()
		if j := w.describe(s.LabelingJobName); j.Status != labeling.Failed || !strings.Contains(j.FailureReason, c.want) {
			t.Errorf("%s: %s: %s\nwant %s", c.name, j.Status, j.FailureReason, c.want)
		}
	}
}
