package queue_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// TestQualityControl runs every case on both databases.
func TestQualityControl(t *testing.T) {
	storetest.PostgresURL(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *store.DB)
	}{
		{"wanted grows under its guard", wantedGrowsUnderItsGuard},
		{"nobody wants more than the job asks for", nobodyWantsMoreThanTheJobAsksFor},
		{"exclusion in parallel", exclusionInParallel},
		{"pause and admit", pauseAndAdmit},
		{"gold at its rate", goldAtItsRate},
		{"gold that is given back comes back", goldThatIsGivenBackComesBack},
		{"a discarded answer is acknowledged again", discardedIsAcknowledged},
		{"declines count against what may be wanted", declinesCountAgainstWhatMayBeWanted},
	} {
		t.Run(c.name, func(t *testing.T) { storetest.Each(t, c.run) })
	}
}

func hold(j *labeling.Job) engine.Hold { return engine.Hold{Job: j.ID, Owner: "test"} }

// controlled makes a job under quality control with n objects.
func (w *world) controlled(n, workers, concurrent, gold int, q *labeling.Quality) *labeling.Job {
	w.t.Helper()
	ctx := context.Background()
	j, err := labeling.NewJob(labeling.Spec{
		Account: "000000000000", Region: "us-east-1", LabelingJobName: "reading", LabelAttributeName: "label",
		ManifestS3URI: "s3://bucket/in.manifest", S3OutputPath: "s3://bucket/out", RoleARN: "arn:aws:iam::000000000000:role/labeler",
		WorkteamARN: team, UITemplateS3URI: "s3://bucket/t.liquid", TaskTitle: "Read", TaskDescription: "Read it",
		NumberOfHumanWorkersPerDataObject: workers, TaskTimeLimitInSeconds: 60, MaxConcurrentTaskCount: concurrent,
	}, w.clock.now(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	j.Quality = q
	check := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	check(w.store.Create(ctx, j))
	_, err = w.store.Claim(ctx, "test", w.clock.now(), w.clock.now().Add(24*time.Hour))
	check(err)
	lines := make([]engine.Line, n)
	for i := range lines {
		lines[i].Text = fmt.Sprintf(`{"source":"text %d"}`, i)
	}
	check(w.store.Append(ctx, hold(j), 0, lines))
	var questions []engine.GoldQuestion
	for i := range gold {
		questions = append(questions, engine.GoldQuestion{Line: fmt.Appendf(nil, `{"source":"gold %d"}`, i), Label: []byte(`{}`)})
	}
	if gold > 0 {
		check(w.store.PutGold(ctx, hold(j), questions))
	}
	check(w.store.Start(ctx, hold(j), engine.Started{Template: "<p>", Total: int64(n), Now: w.clock.now()}))
	return j
}

func overlap(minimum int) *labeling.Quality {
	return &labeling.Quality{Overlap: &labeling.Overlap{MinWorkers: minimum, MinAgreement: 0.9}}
}

// Many workers answer while objects come back for more answers, and answers are
// discarded: live + answered <= wanted <= what the job asks for, always.
func wantedGrowsUnderItsGuard(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	const objects, workers = 40, 12
	j := w.controlled(objects, 5, 15, 0, overlap(2))
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			var bad, ready int
			err := db.Read().QueryRow(`select coalesce(sum(case when t.live + t.answered > t.wanted or t.wanted > t.most or t.most <> 5
					or t.live + t.answered <> (select count(*) from assignments a where a.job = t.job and a.idx = t.idx and a.state in ('active', 'submitted')) then 1 else 0 end), 0),
				coalesce(sum(case when t.state = 'ready' then 1 else 0 end), 0) from labeling_tasks t`).Scan(&bad, &ready)
			if err != nil || bad != 0 || ready > 15 {
				t.Errorf("%d objects have more answers than they want or want more than they may, %d are ready of 15: %v", bad, ready, err)
			}
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	var wg, driver sync.WaitGroup
	done := make(chan struct{})
	driver.Add(1)
	go func() { // what the engine does: every third object is labelled, the others come back
		defer driver.Done()
		for n := 0; ; n++ {
			w.driveOnce(j, n)
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	for i := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w.labelAll(w.replica(), j, fmt.Sprint("w", i), i)
		}()
	}
	time.Sleep(50 * time.Millisecond)
	if err := w.Bar(ctx, queue.Bar{Job: j.ID, Worker: "w3", Requeue: true}); err != nil { // discarded, not barred
		t.Error(err)
	}
	wg.Wait()
	close(done)
	driver.Wait()
	for n := range 10 {
		w.driveOnce(j, n)
	}
	close(stop)
	<-watched
	var most, labeled, open int
	if err := db.Read().QueryRow(`select (select coalesce(max(n), 0) from (select count(*) n from assignments where state = 'submitted' group by idx) x),
		(select count(*) from labeling_results), (select human_labeled from labeling_jobs)`).Scan(&most, &labeled, &open); err != nil {
		t.Fatal(err)
	}
	if most > 5 || labeled != objects || open != labeled {
		t.Errorf("at most %d answers of an object, %d of %d labelled, the job's counter says %d", most, labeled, objects, open)
	}
}

// A submit that comes again after its answer was discarded was made all the same.
func discardedIsAcknowledged(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	j := w.controlled(3, 3, 3, 0, overlap(2))
	a := w.take("ann", j.Name)
	w.submit(a)
	if err := w.Bar(ctx, queue.Bar{Job: j.ID, Worker: "ann", Requeue: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Requeue(ctx, hold(j), 10, w.clock.now()); err != nil {
		t.Fatal(err)
	}
	var discarded int
	if err := db.Read().QueryRow(`select count(*) from assignments where state = 'discarded'`).Scan(&discarded); err != nil || discarded != 1 {
		t.Fatalf("%d answers are discarded: %v", discarded, err)
	}
	w.submit(a)
}

// driveOnce consolidates a batch: objects whose place plus n is not divisible by
// three come back, if they may.
func (w *world) driveOnce(j *labeling.Job, n int) {
	ctx := context.Background()
	if _, err := w.store.Requeue(ctx, hold(j), 7, w.clock.now()); err != nil {
		w.t.Errorf("requeue: %v", err)
	}
	b, err := w.store.Batch(ctx, hold(j), engine.BatchBounds{Objects: 10, Bytes: 1 << 20}, w.clock.now())
	if err == nil {
		var results []labeling.Consolidated
		for _, o := range b.Objects {
			r := labeling.Consolidated{Index: o.Index, Label: json.RawMessage(`1`), Metadata: json.RawMessage(`{}`)}
			r.Again = (int(o.Index)+n)%3 != 0 && len(o.Answers) >= o.Wanted && len(o.Answers) < 5
			results = append(results, r)
		}
		err = w.store.FinishBatch(ctx, hold(j), b.Number, results, w.clock.now())
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		w.t.Errorf("consolidation: %v", err)
	}
	if err := w.store.TopUp(ctx, hold(j), w.clock.now()); err != nil {
		w.t.Errorf("top up: %v", err)
	}
}

// An object with as many answers as the job asks for does not come back,
// whoever wants it to.
func nobodyWantsMoreThanTheJobAsksFor(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	j := w.controlled(1, 2, 1, 0, overlap(1))
	again := func() error {
		b, err := w.store.Batch(ctx, hold(j), engine.BatchBounds{Objects: 10, Bytes: 1 << 20}, w.clock.now())
		if err != nil {
			return err
		}
		return w.store.FinishBatch(ctx, hold(j), b.Number, []labeling.Consolidated{{Index: 0, Again: true}}, w.clock.now())
	}
	want := func(when string, most int) {
		t.Helper()
		var wanted int
		if err := db.Read().QueryRow(`select wanted from labeling_tasks`).Scan(&wanted); err != nil || wanted != most {
			t.Errorf("%s: %d answers are wanted, want %d (%v)", when, wanted, most, err)
		}
	}
	w.submit(w.take("ann", "reading"))
	if err := again(); err != nil {
		t.Fatal(err)
	}
	want("after the first answer", 2)
	if err := w.store.TopUp(ctx, hold(j), w.clock.now()); err != nil {
		t.Fatal(err)
	}
	w.submit(w.take("ben", "reading"))
	facts, err := w.store.Facts(ctx, j.ID, 10)
	if err != nil || len(facts) != 2 {
		t.Fatal(facts, err)
	}
	if err := w.store.Judged(ctx, hold(j), engine.Verdict{Facts: []string{facts[0].ID}, Another: []int64{0}, Now: w.clock.now()}); err != nil {
		t.Fatal(err)
	}
	want("another opinion beyond the limit", 2)
	if err := again(); err == nil {
		t.Error("an object comes back for a third answer of two")
	}
	want("disagreement beyond the limit", 2)
	// Facts are judged once.
	if err := w.store.Judged(ctx, hold(j), engine.Verdict{Facts: []string{facts[0].ID}, Now: w.clock.now()}); err == nil {
		t.Error("a fact is judged twice")
	}
}

// A worker who takes tasks in many tabs is excluded at the same time: none of
// the leases survives, all ends are told, and no task follows.
func exclusionInParallel(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	j := w.controlled(30, 2, 30, 0, overlap(1))
	var mu sync.Mutex
	taken := map[string]bool{}
	var wg sync.WaitGroup
	barred := make(chan struct{})
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			q := w.replica()
			for {
				a, err := q.Take(ctx, worker("ann"), "reading")
				if err == nil {
					mu.Lock()
					taken[a.ID] = true
					mu.Unlock()
					err = q.Submit(ctx, worker("ann"), a.ID, json.RawMessage(`{}`))
				}
				if err != nil && fault.CodeOf(err) != queue.CodeNoTask && fault.CodeOf(err) != queue.CodeLeaseExpired {
					t.Errorf("%v", err)
				}
				select {
				case <-barred:
					return
				default:
				}
			}
		}()
	}
	time.Sleep(20 * time.Millisecond)
	if err := w.Bar(ctx, queue.Bar{Job: j.ID, Worker: "ann", Until: queue.Never, Requeue: true}); err != nil {
		t.Fatal(err)
	}
	var live int
	if err := db.Read().QueryRow(`select count(*) from assignments where worker = 'ann' and state = 'active'`).Scan(&live); err != nil || live != 0 {
		t.Errorf("%d leases are live after the exclusion: %v", live, err)
	}
	close(barred)
	wg.Wait()
	w.nothing("ann", "reading", queue.CodeNoTask)
	if err := db.Read().QueryRow(`select count(*) from assignments where worker = 'ann' and state = 'active'`).Scan(&live); err != nil || live != 0 {
		t.Errorf("%d leases are live at the end: %v", live, err)
	}
	for id := range taken {
		if len(w.news.of(id)) == 0 {
			t.Errorf("the end of %s was not told", id)
		}
	}
	for {
		n, err := w.store.Requeue(ctx, hold(j), 5, w.clock.now())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	var counted, off int
	if err := db.Read().QueryRow(`select (select count(*) from assignments where state = 'submitted'), (select count(*) from labeling_tasks where answered <> 0 or live <> 0)`).Scan(&counted, &off); err != nil || counted != 0 || off != 0 {
		t.Errorf("%d answers of an excluded worker count, %d objects think so: %v", counted, off, err)
	}
	if err := w.store.TopUp(ctx, hold(j), w.clock.now()); err != nil {
		t.Fatal(err)
	}
	got := map[int64]bool{}
	for range 30 {
		a := w.take("ben", "reading")
		got[a.Index] = true
		w.submit(a)
	}
	if len(got) != 30 {
		t.Errorf("%d objects were offered again, want all 30", len(got))
	}
}

func pauseAndAdmit(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	j := w.controlled(5, 1, 5, 0, overlap(1))
	a := w.take("ann", "reading")
	if err := w.Bar(ctx, queue.Bar{Job: j.ID, Worker: "ann", Until: w.clock.now().Add(30 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	if got := w.news.of(a.ID); !slices.Equal(got, []string{"barred from the job"}) {
		t.Errorf("told %v", got)
	}
	wantCode(t, w.Submit(ctx, worker("ann"), a.ID, json.RawMessage(`{}`)), fault.InUse, queue.CodeLeaseExpired)
	w.nothing("ann", "reading", queue.CodeNoTask)
	if o, err := w.Offers(ctx, worker("ann")); err != nil || len(o) != 1 || o[0].HasWork || o[0].Waiting != 0 || o[0].Resume != "" {
		t.Errorf("offers %+v, %v", o, err)
	}
	if b := w.take("ben", "reading"); b.Index != a.Index {
		t.Errorf("ben gets %d, want the object that ann held", b.Index)
	}
	w.clock.add(30 * time.Second)
	w.submit(w.take("ann", "reading")) // the pause is over
	// A bar that lasts longer stays, and Admit ends it.
	for _, until := range []time.Time{queue.Never, w.clock.now().Add(time.Second)} {
		if err := w.Bar(ctx, queue.Bar{Job: j.ID, Worker: "ann", Until: until}); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.add(time.Hour)
	w.nothing("ann", "reading", queue.CodeNoTask)
	for _, want := range []bool{true, false} {
		if was, err := w.Admit(ctx, j.ID, "ann"); err != nil || was != want {
			t.Errorf("admit: %v, %v; want %v", was, err, want)
		}
	}
	w.take("ann", "reading")
}

func goldJob(w *world, objects, gold, every int) *labeling.Job {
	return w.controlled(objects, 2, objects, gold, &labeling.Quality{Gold: &labeling.Gold{OneTaskIn: every}})
}

// Of every run of tasks of each worker one is gold, never the same twice; what
// the worker is told is waiting goes down by one with each, and gold questions
// are in no count of the job.
func goldAtItsRate(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	j := goldJob(w, 20, 9, 4)
	for _, who := range []string{"ann", "ben"} {
		seen := map[int64]bool{}
		var kinds strings.Builder
		waiting := int64(-1)
		for {
			o, err := w.Offers(ctx, worker(who))
			if err != nil || len(o) != 1 || o[0].Total != 0 || o[0].Finished != 0 || int(o[0].Done) != kinds.Len() {
				t.Fatalf("%s: offers %+v, %v", who, o, err)
			}
			if waiting >= 0 && o[0].Waiting != waiting-1 {
				t.Errorf("%s: waiting goes from %d to %d after %s", who, waiting, o[0].Waiting, kinds.String())
			}
			if waiting = o[0].Waiting; !o[0].HasWork {
				break
			}
			a := w.take(who, "reading")
			if seen[a.Index] {
				t.Errorf("%s gets object %d twice", who, a.Index)
			}
			seen[a.Index] = true
			kinds.WriteByte(map[bool]byte{true: 'g', false: '.'}[a.Index < 0])
			w.clock.add(time.Second)
			w.submit(a)
		}
		if waiting != 0 {
			t.Errorf("%s: %d are waiting at the end", who, waiting)
		}
		w.nothing(who, "reading", queue.CodeNoTask)
		for run := 0; run+4 <= kinds.Len(); run += 4 {
			if n := strings.Count(kinds.String()[run:run+4], "g"); n != 1 {
				t.Errorf("%s: %s: run %d has %d gold questions", who, kinds.String(), run/4, n)
			}
		}
		if n := strings.Count(kinds.String(), "."); n != 20 {
			t.Errorf("%s: %s: %d ordinary tasks, want all 20", who, kinds.String(), n)
		}
	}
	var tasks, queued int
	if err := db.Read().QueryRow(`select (select count(*) from labeling_tasks where idx < 0), (select total from labeling_jobs)`).Scan(&tasks, &queued); err != nil || tasks != 0 || queued != 20 {
		t.Errorf("%d gold questions are in work, %d objects in the job: %v", tasks, queued, err)
	}
	n := 0
	if err := w.store.Rows(ctx, j.ID, func(r engine.Row) error {
		n++
		if strings.Contains(string(r.Line), "gold") {
			t.Errorf("the output has %s", r.Line)
		}
		return nil
	}); err != nil || n != 20 {
		t.Errorf("%d lines, %v", n, err)
	}
}

// An ordinary object that a worker releases, or holds too long, is the next one
// they get. So is a gold question, or a worker could tell it by that.
func goldThatIsGivenBackComesBack(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	goldJob(w, 20, 9, 4)
	for range 12 {
		a := w.take("ann", "reading")
		if err := w.SaveDraft(ctx, worker("ann"), a.ID, json.RawMessage(`{"half":1}`)); err != nil {
			t.Fatal(err)
		}
		if r := w.take("ann", "reading"); r.ID != a.ID || string(r.Draft) != `{"half":1}` {
			t.Errorf("object %d is not resumed: %+v", a.Index, r)
		}
		if err := w.Release(ctx, worker("ann"), a.ID); err != nil {
			t.Fatal(err)
		}
		b := w.take("ann", "reading")
		if b.Index != a.Index || b.ID == a.ID || b.Draft != nil {
			t.Errorf("object %d was released, and object %d follows", a.Index, b.Index)
		}
		w.clock.add(time.Minute)
		if err := w.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		c := w.take("ann", "reading")
		if c.Index != b.Index {
			t.Errorf("object %d ran out of time, and object %d follows", b.Index, c.Index)
		}
		if a.Index%2 == 0 { // a decline is for good, of both kinds
			if err := w.Decline(ctx, worker("ann"), c.ID); err != nil {
				t.Fatal(err)
			}
		} else {
			w.submit(c)
		}
		if d := w.take("ann", "reading"); d.Index == c.Index {
			t.Errorf("object %d comes again", c.Index)
		}
	}
}

// An object that begins with one worker does not fail because one declines it:
// it fails when as many have as the job asks for.
func declinesCountAgainstWhatMayBeWanted(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	w.controlled(1, 3, 1, 0, overlap(1))
	for i := range 3 {
		a := w.take(fmt.Sprint("w", i), "reading")
		if err := w.Decline(ctx, worker(a.Worker), a.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.nothing("w9", "reading", queue.CodeNoTask)
	var state string
	if err := db.Read().QueryRow(`select state from labeling_tasks`).Scan(&state); err != nil || state != "answered" {
		t.Errorf("state %s, %v", state, err)
	}
}
