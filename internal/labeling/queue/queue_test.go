package queue_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
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

const team = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/readers"

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// news records what the queue tells of ended assignments.
type news struct {
	mu    sync.Mutex
	ended map[string][]string // assignment -> reasons
	err   error
}

func (n *news) Ended(_ context.Context, reason string, ids ...string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return n.err
	}
	if n.ended == nil {
		n.ended = map[string][]string{}
	}
	for _, id := range ids {
		n.ended[id] = append(n.ended[id], reason)
	}
	return nil
}

func (n *news) of(id string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ended[id]
}

// world is a queue over a real database, with a clock of the test's.
type world struct {
	*queue.Service
	t     *testing.T
	store *store.Labeling
	clock *clock
	news  *news
}

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, store: store.NewLabeling(db), clock: newClock(), news: &news{}}
	w.Service = w.replica()
	return w
}

// replica is another process on the same database.
func (w *world) replica() *queue.Service {
	return queue.New(w.store, w.news, w.clock.now, rand.Reader, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// job makes a job in progress with n objects.
func (w *world) job(name string, n, workers, concurrent int) *labeling.Job {
	w.t.Helper()
	ctx := context.Background()
	j, err := labeling.NewJob(labeling.Spec{
		Account: "000000000000", Region: "us-east-1", LabelingJobName: name, LabelAttributeName: "label",
		ManifestS3URI: "s3://bucket/in.manifest", S3OutputPath: "s3://bucket/out", RoleARN: "arn:aws:iam::000000000000:role/labeler",
		WorkteamARN: team, UITemplateS3URI: "s3://bucket/t.liquid", TaskTitle: "Read", TaskDescription: "Read it",
		NumberOfHumanWorkersPerDataObject: workers, TaskTimeLimitInSeconds: 60, TaskAvailabilityLifetimeInSeconds: 3600,
		MaxConcurrentTaskCount: concurrent,
	}, w.clock.now(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Create(ctx, j); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.Claim(ctx, "test", w.clock.now(), w.clock.now().Add(24*time.Hour)); err != nil {
		w.t.Fatal(err)
	}
	lines := make([]engine.Line, n)
	for i := range lines {
		lines[i].Text = fmt.Sprintf(`{"source":"text %d"}`, i)
	}
	h := engine.Hold{Job: j.ID, Owner: "test"}
	if err := w.store.Append(ctx, h, 0, lines); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Start(ctx, h, engine.Started{Template: "<p>", Total: int64(n), Now: w.clock.now()}); err != nil {
		w.t.Fatal(err)
	}
	return j
}

func worker(id string) labeling.Worker { return labeling.Worker{ID: id, Teams: []string{team}} }

func (w *world) take(id, job string) labeling.Assignment {
	w.t.Helper()
	a, err := w.Take(context.Background(), worker(id), job)
	if err != nil {
		w.t.Fatalf("take for %s: %v", id, err)
	}
	return a
}

func (w *world) nothing(id, job, code string) {
	w.t.Helper()
	a, err := w.Take(context.Background(), worker(id), job)
	if !fault.Is(err, fault.NotFound) || fault.CodeOf(err) != code {
		w.t.Fatalf("take for %s: got object %d and error %v, want %s", id, a.Index, err, code)
	}
}

func (w *world) submit(a labeling.Assignment) {
	w.t.Helper()
	if err := w.Submit(context.Background(), worker(a.Worker), a.ID, json.RawMessage(`{"ok":true}`)); err != nil {
		w.t.Fatalf("submit %d by %s: %v", a.Index, a.Worker, err)
	}
}

func wantCode(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.CodeOf(err) != code {
		t.Errorf("got %v, want %v with code %q", err, kind, code)
	}
}

// TestQueue runs every case on both databases.
func TestQueue(t *testing.T) {
	storetest.PostgresURL(t) // one cluster for all cases
	for _, c := range []struct {
		name string
		run  func(*testing.T, *store.DB)
	}{
		{"take hands out objects in order", takeHandsOutObjectsInOrder},
		{"take resumes the live lease", takeResumesTheLiveLease},
		{"release gives the slot back", releaseGivesTheSlotBack},
		{"decline is for good", declineIsForGood},
		{"submit is idempotent", submitIsIdempotent},
		{"late and foreign", lateAndForeign},
		{"expiry frees the slot", expiryFreesTheSlot},
		{"availability ends the offer", availabilityEndsTheOffer},
		{"only so many are ready", onlySoManyAreReady},
		{"answers are checked", answersAreChecked},
		{"job that stops", jobThatStops},
		{"sweep tells what a crash left untold", sweepTellsWhatACrashLeftUntold},
		{"parallel workers", parallelWorkers},
		{"parallel takes of one worker", parallelTakesOfOneWorker},
	} {
		t.Run(c.name, func(t *testing.T) { storetest.Each(t, c.run) })
	}
}

func takeHandsOutObjectsInOrder(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.job("reading", 3, 1, 0)
	for want := range int64(3) {
		a := w.take(fmt.Sprint("w", want), "READING") // names match whatever the case
		if a.Index != want || string(a.Line) != fmt.Sprintf(`{"source":"text %d"}`, want) {
			t.Errorf("got object %d %s, want %d", a.Index, a.Line, want)
		}
		if got := a.ExpiresAt.Sub(w.clock.now()); got != time.Minute {
			t.Errorf("the lease lasts %v, want a minute", got)
		}
		if a.Job == nil || a.Job.Template != "<p>" {
			t.Errorf("the assignment has no job with its template: %+v", a.Job)
		}
	}
	w.nothing("w9", "reading", queue.CodeNoTask)
}

func takeResumesTheLiveLease(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	w.job("reading", 3, 1, 0)
	a := w.take("ann", "reading")
	if err := w.SaveDraft(ctx, worker("ann"), a.ID, json.RawMessage(`{"text": "half"}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.StopForNow(ctx, worker("ann"), a.ID); err != nil {
		t.Fatal(err)
	}
	again, err := w.replica().Take(ctx, worker("ann"), "reading")
	if err != nil || again.ID != a.ID || string(again.Draft) != `{"text":"half"}` {
		t.Errorf("got %s with draft %s, %v; want %s with the draft", again.ID, again.Draft, err, a.ID)
	}
	got, err := w.Get(ctx, worker("ann"), a.ID)
	if err != nil || string(got.Draft) != `{"text":"half"}` || got.Job.Name != "reading" {
		t.Errorf("Get: %+v, %v", got, err)
	}
}

func releaseGivesTheSlotBack(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	w.job("reading", 1, 1, 0)
	a := w.take("ann", "reading")
	if err := w.SaveDraft(ctx, worker("ann"), a.ID, json.RawMessage(`{"text":"half"}`)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // releasing twice is releasing
		if err := w.Release(ctx, worker("ann"), a.ID); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.news.of(a.ID); !slices.Equal(got, []string{"released"}) {
		t.Errorf("told %v, want released", got)
	}
	b := w.take("ann", "reading") // the same worker may get it again
	if b.ID == a.ID || b.Index != a.Index || b.Draft != nil {
		t.Errorf("got %+v, want a new lease on the same object without the old draft", b)
	}
	wantCode(t, w.Submit(ctx, worker("ann"), a.ID, json.RawMessage(`{}`)), fault.NotFound, "")
	w.submit(b)
	w.nothing("ann", "reading", queue.CodeNoTask)
}

func declineIsForGood(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	w.job("reading", 1, 2, 0)
	a := w.take("ann", "reading")
	if err := w.Decline(ctx, worker("ann"), a.ID); err != nil {
		t.Fatal(err)
	}
	w.nothing("ann", "reading", queue.CodeNoTask)
	b := w.take("bob", "reading")
	wantCode(t, w.Submit(ctx, worker("ann"), a.ID, json.RawMessage(`{}`)), fault.InUse, queue.CodeLeaseExpired)
	if err := w.Decline(ctx, worker("bob"), b.ID); err != nil {
		t.Fatal(err)
	}
	w.nothing("cem", "reading", queue.CodeNoTask) // as many declined as were wanted
}

func submitIsIdempotent(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	j := w.job("reading", 2, 2, 0)
	a := w.take("ann", "reading")
	for range 3 {
		w.submit(a)
	}
	w.clock.add(time.Minute * 30) // a retry that comes late is acknowledged as well
	w.submit(a)
	if got := w.news.of(a.ID); !slices.Equal(got, []string{"submitted"}) {
		t.Errorf("told %v, want submitted once", got)
	}
	b := w.take("ann", "reading")
	if b.Index == a.Index {
		t.Error("the worker got an object twice")
	}
	o, err := w.Offers(ctx, worker("ann"))
	if err != nil || len(o) != 1 || o[0].Done != 1 || o[0].Resume != b.ID || o[0].JobName != j.Name {
		t.Errorf("offers %+v, %v; want one done and one to resume", o, err)
	}
	wantCode(t, w.Release(ctx, worker("ann"), "nonsense"), fault.NotFound, "")
	if _, err := w.Get(ctx, worker("ann"), a.ID); fault.CodeOf(err) != queue.CodeLeaseExpired {
		t.Errorf("Get of a submitted assignment: %v", err)
	}
}

func lateAndForeign(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	w.job("reading", 1, 1, 0)
	a := w.take("ann", "reading")
	stranger := labeling.Worker{ID: "ann", Teams: []string{"arn:other"}}
	calls := map[string]func(labeling.Worker) error{
		"submit":  func(k labeling.Worker) error { return w.Submit(ctx, k, a.ID, json.RawMessage(`{}`)) },
		"draft":   func(k labeling.Worker) error { return w.SaveDraft(ctx, k, a.ID, json.RawMessage(`{}`)) },
		"release": func(k labeling.Worker) error { return w.Release(ctx, k, a.ID) },
		"decline": func(k labeling.Worker) error { return w.Decline(ctx, k, a.ID) },
		"stop":    func(k labeling.Worker) error { return w.StopForNow(ctx, k, a.ID) },
		"get":     func(k labeling.Worker) error { _, err := w.Get(ctx, k, a.ID); return err },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			wantCode(t, call(worker("bob")), fault.NotFound, "")
			wantCode(t, call(stranger), fault.Denied, "")
			wantCode(t, call(labeling.Worker{ID: "ann"}), fault.Denied, "")
		})
	}
	_, err := w.Take(ctx, stranger, "reading")
	wantCode(t, err, fault.NotFound, "")
	if o, err := w.Offers(ctx, stranger); err != nil || len(o) != 0 {
		t.Errorf("a stranger is offered %v, %v", o, err)
	}
	if o, err := w.Offers(ctx, labeling.Worker{ID: "x"}); err != nil || len(o) != 0 {
		t.Errorf("a worker without teams is offered %v, %v", o, err)
	}
	w.clock.add(time.Minute) // at the limit the time is up
	for _, name := range []string{"submit", "draft", "stop", "get"} {
		wantCode(t, calls[name](worker("ann")), fault.InUse, queue.CodeLeaseExpired)
	}
}

func expiryFreesTheSlot(t *testing.T, db *store.DB) {
	for i, how := range []string{"swept", "found by another's take", "found by one's own take"} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t, db)
			job := fmt.Sprint("reading", i)
			w.job(job, 1, 1, 0)
			a := w.take("ann", job)
			w.clock.add(time.Minute - time.Microsecond)
			w.nothing("bob", job, queue.CodeNoTask)
			w.clock.add(time.Microsecond)
			who := "bob"
			switch how {
			case "swept":
				if err := w.Sweep(context.Background()); err != nil {
					t.Fatal(err)
				}
			case "found by one's own take":
				who = "ann"
			}
			b := w.take(who, job)
			if b.Index != a.Index || b.ID == a.ID {
				t.Errorf("got %+v", b)
			}
			if got := w.news.of(a.ID); !slices.Equal(got, []string{"expired"}) {
				t.Errorf("told %v, want expired", got)
			}
			w.submit(b)
		})
	}
}

func availabilityEndsTheOffer(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.job("reading", 1, 2, 0)
	w.submit(w.take("ann", "reading"))
	w.clock.add(time.Hour)
	w.nothing("bob", "reading", queue.CodeNoTask)
}

func onlySoManyAreReady(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.job("reading", 5, 1, 2)
	a, b := w.take("ann", "reading"), w.take("bob", "reading")
	w.nothing("cem", "reading", queue.CodeNoTask)
	w.submit(b) // the next object takes its place at once
	if c := w.take("cem", "reading"); c.Index != 2 {
		t.Errorf("got object %d, want 2", c.Index)
	}
	w.nothing("dia", "reading", queue.CodeNoTask)
	w.submit(a)
	o, err := w.Offers(context.Background(), worker("dia"))
	if err != nil || o[0].Waiting != 2 || !o[0].HasWork || o[0].Total != 5 {
		t.Errorf("offers %+v, %v; want 2 waiting of 5", o, err)
	}
}

func answersAreChecked(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.job("reading", 1, 1, 0)
	a := w.take("ann", "reading")
	for _, c := range []struct {
		name, answer string
		kind         fault.Kind
	}{
		{"empty", ``, fault.Invalid},
		{"array", `[1]`, fault.Invalid},
		{"cut off", `{"a":`, fault.Invalid},
		{"two values", `{}{}`, fault.Invalid},
		{"not UTF-8", "{\"a\":\"\xff\"}", fault.Invalid},
		{"deep", `{"a":` + string(slices.Repeat([]byte(`[`), 100)), fault.Invalid},
		{"long", `{"a":"` + string(slices.Repeat([]byte(`x`), labeling.MaxAnswer)) + `"}`, fault.Limit},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantCode(t, w.Submit(context.Background(), worker("ann"), a.ID, json.RawMessage(c.answer)), c.kind, "")
			wantCode(t, w.SaveDraft(context.Background(), worker("ann"), a.ID, json.RawMessage(c.answer)), c.kind, "")
		})
	}
	w.submit(a)
}

func jobThatStops(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	j := w.job("reading", 2, 1, 0)
	a := w.take("ann", "reading")
	if err := w.ExpireJob(ctx, j.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get(ctx, worker("ann"), a.ID); err != nil {
		t.Errorf("a job in progress lost its assignment: %v", err)
	}
	if _, _, err := w.store.Stop(ctx, "reading", w.clock.now()); err != nil {
		t.Fatal(err)
	}
	if err := w.ExpireJob(ctx, j.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.Submit(ctx, worker("ann"), a.ID, json.RawMessage(`{}`)), fault.InUse, queue.CodeLeaseExpired)
	if got := w.news.of(a.ID); !slices.Equal(got, []string{"job ended"}) {
		t.Errorf("told %v", got)
	}
	w.nothing("ann", "reading", queue.CodeJobEnded)
	w.nothing("ann", "no-such-job", "")
}

// A process that crashed between the commit and the news left grants alive;
// another one tells of the end. Pins that no ended assignment stays untold.
func sweepTellsWhatACrashLeftUntold(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	ctx := context.Background()
	w.job("reading", 2, 1, 0)
	a, b := w.take("ann", "reading"), w.take("bob", "reading")
	w.news.err = errors.New("gone")
	w.submit(a)
	w.news.err = nil
	w.submit(b)
	w.clock.add(10 * time.Second)
	for range 2 {
		if err := w.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.news.of(a.ID); !slices.Equal(got, []string{"ended"}) {
		t.Errorf("told %v of the first, want ended once", got)
	}
	if got := w.news.of(b.ID); !slices.Equal(got, []string{"submitted"}) {
		t.Errorf("told %v of the second, want submitted once", got)
	}
}

// Many workers at once never exceed what an object wants, never answer an
// object twice, and between them answer everything: invariant 5.
func parallelWorkers(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	const objects, wanted, workers = 60, 3, 24
	j := w.job("reading", objects, wanted, 20)
	stop := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			var bad int
			err := db.Read().QueryRow(`select count(*) from labeling_tasks t where t.live + t.answered > t.wanted
				or t.live + t.answered <> (select count(*) from assignments a where a.job = t.job and a.idx = t.idx and a.state in ('active', 'submitted'))`).Scan(&bad)
			if err != nil || bad != 0 {
				t.Errorf("%d objects have more assignments than they want, or a wrong count: %v", bad, err)
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	var wg sync.WaitGroup
	for i := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w.labelAll(w.replica(), j, fmt.Sprint("w", i), i)
		}()
	}
	wg.Wait()
	close(stop)
	<-watched
	var answers, most, doubled int
	if err := db.Read().QueryRow(`select count(*), max(n), (select count(*) from (select 1 from assignments where state = 'submitted' group by idx, worker having count(*) > 1) x)
		from (select idx, count(*) n from assignments a where state = 'submitted' group by idx) y`).Scan(&answers, &most, &doubled); err != nil {
		t.Fatal(err)
	}
	if answers != objects || most != wanted || doubled != 0 {
		t.Errorf("%d objects answered, at most %d answers, %d doubled; want %d, %d, 0", answers, most, doubled, objects, wanted)
	}
	if err := db.Read().QueryRow(`select count(*) from assignments where state = 'submitted'`).Scan(&answers); err != nil || answers != objects*wanted {
		t.Errorf("%d answers, want %d", answers, objects*wanted)
	}
}

// labelAll takes and submits until nothing is left, releasing, declining and
// submitting twice at times.
func (w *world) labelAll(q *queue.Service, j *labeling.Job, id string, seed int) {
	ctx := context.Background()
	k := worker(id)
	seen := map[int64]bool{}
	for n, idle := seed, 0; idle < 20; n++ {
		a, err := q.Take(ctx, k, j.Name)
		if fault.CodeOf(err) == queue.CodeNoTask {
			idle++
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if err != nil {
			w.t.Errorf("take: %v", err)
			return
		}
		idle = 0
		if seen[a.Index] {
			w.t.Errorf("%s got object %d after answering it", id, a.Index)
		}
		if n%7 == 3 {
			if err := q.Release(ctx, k, a.ID); err != nil {
				w.t.Errorf("release: %v", err)
			}
			continue
		}
		var wg sync.WaitGroup
		for range 1 + n%2 { // a double click
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := q.Submit(ctx, k, a.ID, json.RawMessage(`{"n":1}`)); err != nil {
					w.t.Errorf("submit: %v", err)
				}
			}()
		}
		wg.Wait()
		seen[a.Index] = true
	}
}

// One worker who asks in many tabs at once holds one assignment.
func parallelTakesOfOneWorker(t *testing.T, db *store.DB) {
	w := newWorld(t, db)
	w.job("reading", 50, 1, 0)
	ids := make([]string, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a, err := w.replica().Take(context.Background(), worker("ann"), "reading")
			if err != nil {
				t.Errorf("take: %v", err)
			}
			ids[i] = a.ID
		}()
	}
	wg.Wait()
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) != 1 {
		t.Errorf("%d assignments, want 1", len(ids))
	}
}
