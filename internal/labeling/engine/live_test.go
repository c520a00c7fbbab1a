package engine_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// results records what the engine tells of live jobs' objects.
type results struct {
	mu   sync.Mutex
	rows []engine.Row
}

func (r *results) Labeled(_ context.Context, _ *labeling.Job, rows []engine.Row) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, rows...)
	return nil
}

// live creates a live job of one worker without a manifest, and starts it.
func (w *world) live(name string, most int, l labeling.Live) *labeling.Job {
	w.t.Helper()
	s := spec(name)
	s.NumberOfHumanWorkersPerDataObject, s.MaxConcurrentTaskCount = 1, most
	j, err := labeling.NewJob(s, w.clock.now(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	j.ManifestURI, j.Live = "", &l
	w.start(j)
	w.pass()
	if j := w.describe(name); j.Status != labeling.InProgress || j.Live == nil || *j.Live != l {
		w.t.Fatalf("%s %s %+v", j.Status, j.FailureReason, j.Live)
	}
	return j
}

func (w *world) arrive(j *labeling.Job, ids ...string) []labeling.Arrived {
	w.t.Helper()
	out, err := w.engine.Arrive(context.Background(), j.ID, arrivals(ids...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func arrivals(ids ...string) []labeling.Arrival {
	var out []labeling.Arrival
	for _, id := range ids {
		out = append(out, labeling.Arrival{ID: id, Line: []byte(fmt.Sprintf(`{"source":%q}`, id))})
	}
	return out
}

// An object that arrives is with the workers at once, up to
// MaxConcurrentTaskCount; its result is told; and the job goes on.
func TestLiveJob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		j := w.live("live", 2, labeling.Live{})
		for range 3 {
			w.pass() // nothing to do is no reason to end
		}
		got := w.arrive(j, "a", "b", "c", "a")
		want := []labeling.Arrived{{Index: 0}, {Index: 1}, {Index: 2}, {Index: 0, Duplicate: true}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if n := w.label("ann", "live", 9, says("cat")); n != 3 {
			t.Errorf("%d objects were labelled, want 3", n)
		}
		w.clock.add(3 * time.Second)
		w.pass()
		if again := w.arrive(j, "b", "d"); !again[0].Duplicate || again[0].Index != 1 || again[1].Duplicate || again[1].Index != 3 {
			t.Errorf("after the labels: %v", again)
		}
		if n := w.label("ann", "live", 9, says("dog")); n != 1 {
			t.Errorf("%d objects were labelled, want 1", n)
		}
		w.clock.add(40 * 24 * time.Hour) // the 30 days of other jobs
		w.pass()
		w.pass()
		if j := w.describe("live"); j.Status != labeling.InProgress || j.Counters.Total != 4 || j.Counters.HumanLabeled != 4 {
			t.Errorf("%s, %+v", j.Status, j.Counters)
		}
		if err := w.engine.Stop(context.Background(), "live"); err != nil {
			t.Fatal(err)
		}
		_, err := w.engine.Arrive(context.Background(), j.ID, arrivals("e")...)
		if !fault.Is(err, fault.InUse) || fault.CodeOf(err) != engine.CodeNotInProgress {
			t.Errorf("a stopping job takes objects: %v", err)
		}
		w.pass()
		if lines := strings.Count(w.storage.get("s3://out/jobs/live/manifests/output/output.manifest"), `"mood":`); lines != 4 {
			t.Errorf("%d labels in the manifest, want 4", lines)
		}
		if len(w.told.rows) != 4 {
			t.Errorf("%d results were told, want 4", len(w.told.rows))
		}
		for i, r := range w.told.rows {
			if r.Index != int64(i) || len(r.Label) == 0 || len(r.Metadata) == 0 || r.Failure != "" {
				t.Errorf("told %d: %+v", i, r)
			}
		}
	})
}

// Only a live job in progress takes objects, and only whole ones.
func TestArriveRefuses(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ctx := context.Background()
	ordinary := w.create(spec("ordinary"), texts(1))
	w.pass()
	live := w.live("live", 5, labeling.Live{})
	young, err := labeling.NewJob(spec("young"), w.clock.now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	young.Live = &labeling.Live{}
	if err := w.engine.Create(ctx, young); err != nil {
		t.Fatal(err)
	}
	many := make([]string, engine.MaxArrivals+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for _, c := range []struct {
		name    string
		job     int64
		objects []labeling.Arrival
		kind    fault.Kind
	}{
		{"not live", ordinary.ID, arrivals("a"), fault.InUse},
		{"initializing", young.ID, arrivals("a"), fault.InUse},
		{"no such job", 1, arrivals("a"), fault.NotFound},
		{"no id", live.ID, []labeling.Arrival{{Line: []byte("{}")}}, fault.Invalid},
		{"long id", live.ID, arrivals(strings.Repeat("é", 1025)), fault.Invalid},
		{"NUL in the id", live.ID, arrivals("a\x00b"), fault.Invalid},
		{"no line", live.ID, []labeling.Arrival{{ID: "a"}}, fault.Invalid},
		{"not UTF-8", live.ID, []labeling.Arrival{{ID: "a", Line: []byte("{\"source\":\"\xff\"}")}}, fault.Invalid},
		{"one of two is bad", live.ID, append(arrivals("a"), labeling.Arrival{}), fault.Invalid},
		{"too many", live.ID, arrivals(many...), fault.Limit},
	} {
		if _, err := w.engine.Arrive(ctx, c.job, c.objects...); !fault.Is(err, c.kind) {
			t.Errorf("%s: got %v, want kind %v", c.name, err, c.kind)
		}
	}
	if j := w.describe("live"); j.Counters.Total != 0 {
		t.Errorf("%d objects were stored", j.Counters.Total)
	}
	if _, err := w.engine.Arrive(ctx, live.ID, arrivals(strings.Repeat("é", 1024))...); err != nil {
		t.Errorf("the longest id: %v", err)
	}
}

// Replicas that bring the same objects at once store each of them once, and give
// every one another index.
func TestArriveInParallel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		j := w.live("parallel", 7, labeling.Live{})
		const objects, senders = 30, 4
		var wg sync.WaitGroup
		seen := make([]map[string]int64, senders)
		fresh := make([]int, senders)
		for s := range senders {
			seen[s] = map[string]int64{}
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range objects {
					id := fmt.Sprint((i*7 + s*11) % objects)
					got, err := w.engine.Arrive(context.Background(), j.ID, arrivals(id)...)
					if err != nil {
						t.Error(err)
						return
					}
					if seen[s][id] = got[0].Index; !got[0].Duplicate {
						fresh[s]++
					}
				}
			}()
		}
		wg.Wait()
		sum, used := 0, map[int64]bool{}
		for s := range senders {
			sum += fresh[s]
			for id, index := range seen[s] {
				if index != seen[0][id] {
					t.Errorf("object %s is %d for one and %d for another", id, index, seen[0][id])
				}
				used[index] = true
			}
		}
		if sum != objects || len(used) != objects {
			t.Errorf("%d objects were new under %d indexes, want %d", sum, len(used), objects)
		}
		p, err := w.store.Progress(context.Background(), j.ID, w.clock.now())
		if err != nil || p.Ready != 7 || !p.Queued {
			t.Errorf("%+v, %v; want 7 ready and others queued", p, err)
		}
	})
}

// A live job ends when nothing came and nothing was to be done for too long, and
// not a moment before.
func TestIdleLiveJobStops(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	j := w.live("idle", 2, labeling.Live{IdleAfter: labeling.StreamingIdleAfter})
	w.arrive(j, "a")
	w.clock.add(11 * 24 * time.Hour) // an object is with the workers: not idle
	w.pass()
	if s := w.describe("idle").Status; s != labeling.InProgress {
		t.Fatalf("%s while there is work", s)
	}
	w.label("ann", "idle", 1, says("cat"))
	w.clock.add(3 * time.Second)
	w.pass()
	w.clock.add(10 * 24 * time.Hour)
	w.pass()
	if s := w.describe("idle").Status; s != labeling.InProgress {
		t.Fatalf("%s after ten days", s)
	}
	w.clock.add(time.Second)
	w.pass()
	w.pass()
	if j := w.describe("idle"); j.Status != labeling.Stopped || !strings.Contains(j.FailureReason, "idle for 10 days") || j.OutputManifestURI == "" {
		t.Errorf("%s, %q, output %q", j.Status, j.FailureReason, j.OutputManifestURI)
	}
}

// Objects that no worker was sent expire; what is with the workers does not.
func TestUnsentObjectsExpire(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		j := w.live("unsent", 1, labeling.Live{UnsentAfter: labeling.StreamingUnsentAfter})
		w.arrive(j, "a", "b", "c")
		w.clock.add(24 * time.Hour)
		w.arrive(j, "d")
		w.clock.add(13*24*time.Hour + time.Second)
		w.pass()
		w.pass()
		if j := w.describe("unsent"); j.Counters.Failed != 2 || j.Counters.Total != 4 {
			t.Errorf("%+v", j.Counters)
		}
		if n := w.label("ann", "unsent", 9, says("cat")); n != 2 {
			t.Errorf("%d objects were left to label, want a and d", n)
		}
		w.clock.add(3 * time.Second)
		w.pass()
		failed := 0
		for _, r := range w.told.rows {
			if r.Failure == "Not sent to a worker within 14 days." && len(r.Label) == 0 && strings.Contains(string(r.Metadata), "failure-reason") {
				failed++
			}
		}
		if len(w.told.rows) != 4 || failed != 2 {
			t.Errorf("told %+v", w.told.rows)
		}
	})
}

// A crash around arrival, telling or batch neither loses an object nor labels one
// twice: whoever sends it sends it again, and is told which it was.
func TestCrashOfLiveJob(t *testing.T) {
	db := storetest.SQLite(t)
	for n := 1; ; n += 2 {
		w := newWorld(t, db)
		name := fmt.Sprint("live-", n)
		j := w.live(name, 2, labeling.Live{})
		c := &crash{n: n}
		told := map[int64]int{}
		o := w.options(fmt.Sprint("crashing-", n))
		o.Store, o.Roles, o.Results = crashingStore{w.store, c}, crashingRoles{w.storage, c}, counted{told, c}
		w.clock.add(time.Minute) // the lease of who started the job
		w.engine = engine.New(o)
		ctx := context.Background()
		crashed := false
		restart := func(err error) bool {
			if err == nil {
				return false
			}
			if !errors.Is(err, errCrash) {
				t.Fatalf("instant %d: %v", n, err)
			}
			crashed = true
			w.clock.add(time.Minute)
			o := w.options(fmt.Sprint("after-", n))
			o.Results = counted{told, &crash{n: 1 << 30}}
			w.engine = engine.New(o)
			return true
		}
		for i := range 4 {
			for {
				_, err := w.engine.Arrive(ctx, j.ID, arrivals(fmt.Sprint("object ", i))...)
				if !restart(err) {
					break
				}
			}
			restart(w.engine.Pass(ctx))
			w.label("ann", name, 2, says("cat"))
			w.clock.add(3 * time.Second)
		}
		for range 3 {
			restart(w.engine.Pass(ctx))
			w.clock.add(3 * time.Second)
		}
		if j := w.describe(name); j.Status != labeling.InProgress || j.Counters.Total != 4 || j.Counters.HumanLabeled != 4 {
			t.Errorf("instant %d: %s, %+v", n, j.Status, j.Counters)
		}
		for i := range int64(4) {
			if told[i] < 1 || told[i] > 2 || told[i] > 1 && !crashed {
				t.Errorf("instant %d: object %d was told %d times", n, i, told[i])
			}
		}
		if t.Failed() || !crashed {
			if n < 15 {
				t.Errorf("only %d instants were tried", n)
			}
			return
		}
	}
}

// counted counts how often each object was told of, and may crash around that.
type counted struct {
	times map[int64]int
	*crash
}

func (t counted) Labeled(_ context.Context, _ *labeling.Job, rows []engine.Row) error {
	return t.around(func() error {
		for _, r := range rows {
			t.times[r.Index]++
		}
		return nil
	})
}
