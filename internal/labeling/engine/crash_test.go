package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

var errCrash = errors.New("crashed")

// crash ends a process at the n-th of its effects on the world: before it (odd
// n) or right behind it (even n). Nothing gets through afterwards.
type crash struct {
	n, count int
}

func (c *crash) around(effect func() error) error {
	for _, do := range []func() error{func() error { return nil }, effect} {
		if c.count++; c.count > c.n {
			return errCrash
		}
		if err := do(); err != nil {
			return err
		}
	}
	if c.count >= c.n {
		return errCrash
	}
	return nil
}

// crashingStore and crashingRoles put a crash around every change.
type crashingStore struct {
	engine.Store
	*crash
}

func (s crashingStore) Restart(ctx context.Context, h engine.Hold, v string) error {
	return s.around(func() error { return s.Store.Restart(ctx, h, v) })
}

func (s crashingStore) Append(ctx context.Context, h engine.Hold, from int64, lines []engine.Line) error {
	return s.around(func() error { return s.Store.Append(ctx, h, from, lines) })
}

func (s crashingStore) Start(ctx context.Context, h engine.Hold, st engine.Started) error {
	return s.around(func() error { return s.Store.Start(ctx, h, st) })
}

func (s crashingStore) Prepared(ctx context.Context, h engine.Hold, list []engine.Prepared, now time.Time) error {
	return s.around(func() error { return s.Store.Prepared(ctx, h, list, now) })
}

func (s crashingStore) TopUp(ctx context.Context, h engine.Hold, now time.Time) error {
	return s.around(func() error { return s.Store.TopUp(ctx, h, now) })
}

func (s crashingStore) CloseOverdue(ctx context.Context, h engine.Hold, cutoff, now time.Time) error {
	return s.around(func() error { return s.Store.CloseOverdue(ctx, h, cutoff, now) })
}

func (s crashingStore) CloseAll(ctx context.Context, h engine.Hold, now time.Time) error {
	return s.around(func() error { return s.Store.CloseAll(ctx, h, now) })
}

func (s crashingStore) Batch(ctx context.Context, h engine.Hold, b engine.BatchBounds, now time.Time) (out *engine.Batch, err error) {
	err = s.around(func() (err error) { out, err = s.Store.Batch(ctx, h, b, now); return err })
	return out, err
}

func (s crashingStore) FinishBatch(ctx context.Context, h engine.Hold, n int64, r []labeling.Consolidated, now time.Time) error {
	return s.around(func() error { return s.Store.FinishBatch(ctx, h, n, r, now) })
}

func (s crashingStore) Arrive(ctx context.Context, job int64, o []labeling.Arrival, now time.Time) (out []labeling.Arrived, err error) {
	err = s.around(func() (err error) { out, err = s.Store.Arrive(ctx, job, o, now); return err })
	return out, err
}

func (s crashingStore) ToldResults(ctx context.Context, h engine.Hold, indexes []int64) error {
	return s.around(func() error { return s.Store.ToldResults(ctx, h, indexes) })
}

func (s crashingStore) End(ctx context.Context, h engine.Hold, to labeling.Status, reason string, now time.Time) error {
	return s.around(func() error { return s.Store.End(ctx, h, to, reason, now) })
}

func (s crashingStore) Finish(ctx context.Context, h engine.Hold, to labeling.Status, reason, uri string, now time.Time) error {
	return s.around(func() error { return s.Store.Finish(ctx, h, to, reason, uri, now) })
}

type crashingRoles struct {
	*storage
	*crash
}

func (r crashingRoles) Assume(context.Context, string, string, string) (engine.Bucket, error) {
	return r, nil
}

func (r crashingRoles) Put(ctx context.Context, bucket, key, contentType string, body io.Reader) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	return r.around(func() error { return r.storage.Put(ctx, bucket, key, contentType, strings.NewReader(string(b))) })
}

// TestCrashAtEveryStep ends the process before and behind each of its effects,
// one after the other, and lets another process go on. Whatever the instant,
// the job ends as if nothing had happened, and nothing is there twice.
func TestCrashAtEveryStep(t *testing.T) {
	for _, stop := range []bool{false, true} {
		t.Run(fmt.Sprintf("stop=%v", stop), func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				n, stride := 1, 1
				if db.Dialect() == store.Postgres {
					stride = 3 // the steps are the same; a third of them shows that so is the text
				}
				for ; crashAt(t, db, n, stop); n += stride {
					if t.Failed() {
						return
					}
				}
				if n < 20 {
					t.Errorf("only %d instants were tried", n)
				}
			})
		})
	}
}

// crashAt runs a job in which the first process crashes at its n-th instant. It
// reports whether the process came so far.
func crashAt(t *testing.T, db *store.DB, n int, stop bool) (crashed bool) {
	w := newWorld(t, db)
	c := &crash{n: n}
	o := w.options(fmt.Sprint("crashing-", n))
	o.Store, o.Roles = crashingStore{w.store, c}, crashingRoles{w.storage, c}
	w.engine = engine.New(o)
	s := spec(fmt.Sprintf("job-%d-%v", n, stop))
	s.NumberOfHumanWorkersPerDataObject, s.MaxConcurrentTaskCount = 1, 2
	w.create(s, texts(5))
	ctx := context.Background()
	for round := range 12 {
		err := w.engine.Pass(ctx)
		if errors.Is(err, errCrash) {
			crashed = true
			w.clock.add(time.Minute) // the leases of the dead end
			w.engine = engine.New(w.options(fmt.Sprint("after-", n)))
		} else if err != nil {
			t.Fatalf("instant %d: %v", n, err)
		}
		w.label("ann", s.LabelingJobName, 1+round%2, says("cat"))
		if stop && round == 4 {
			if err := w.engine.Stop(ctx, s.LabelingJobName); err != nil {
				t.Fatal(err)
			}
		}
		w.clock.add(3 * time.Second)
	}
	w.checkWhole(s.LabelingJobName, n)
	return crashed
}

// checkWhole checks that the output of a job that has ended holds together.
func (w *world) checkWhole(name string, n int) {
	w.t.Helper()
	j := w.describe(name)
	wrong := func(format string, args ...any) {
		w.t.Helper()
		w.t.Errorf("instant %d: "+format, append([]any{n}, args...)...)
	}
	if !j.Status.Ended() || j.Status == labeling.Failed {
		wrong("the job is %s %s", j.Status, j.FailureReason)
		return
	}
	root := "s3://out/jobs/" + name + "/"
	labeled := int64(0)
	for i, line := range strings.Split(strings.TrimSpace(w.storage.get(root+"manifests/output/output.manifest")), "\n") {
		if !strings.HasPrefix(line, fmt.Sprintf(`{"source":"text %d"`, i)) {
			wrong("line %d is %s", i, line)
		}
		if strings.Contains(line, `"mood":0`) {
			labeled++
		}
	}
	if labeled != j.Counters.HumanLabeled || j.Counters.Total != 5 || j.Status == labeling.Completed && labeled != 5 {
		wrong("%s, %d labels in the manifest, counters %+v", j.Status, labeled, j.Counters)
	}
	const consolidated = "annotations/consolidated-annotation/"
	requests, responses := w.storage.keys(root+consolidated+"consolidation-request/"), w.storage.keys(root+consolidated+"consolidation-response/")
	if strings.Join(requests, " ") != strings.Join(responses, " ") {
		wrong("requests %v, responses %v", requests, responses)
	}
	seen := map[string]int{}
	for _, key := range requests {
		var objects []struct {
			ID          string `json:"datasetObjectId"`
			Annotations []any  `json:"annotations"`
		}
		if err := json.Unmarshal([]byte(w.storage.get(root+consolidated+"consolidation-request/"+key)), &objects); err != nil {
			wrong("%s: %v", key, err)
		}
		for _, o := range objects {
			seen[o.ID] += len(o.Annotations)
		}
	}
	answers := w.storage.keys(root + "annotations/worker-response/iteration-1/")
	if int64(len(answers)) != labeled || int64(len(seen)) != labeled {
		wrong("%d labels, worker responses %v, consolidated %v", labeled, answers, seen)
	}
	for id, times := range seen {
		if times != 1 {
			wrong("object %s was consolidated with %d answers, want 1", id, times)
		}
	}
}

// A process that dies while it reads a long manifest leaves what it stored;
// the next goes on behind it, or starts again if the manifest is another now.
func TestIngestionGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, changed := range []bool{false, true} {
			w := newWorld(t, db)
			c := &crash{n: 2 * 4} // two small files, Restart, the first batch
			o := w.options(fmt.Sprint("crashing-", changed))
			o.Store, o.Roles = crashingStore{w.store, c}, crashingRoles{w.storage, c}
			w.engine = engine.New(o)
			s := spec(fmt.Sprint("long-", changed))
			j := w.create(s, texts(2_600))
			if err := w.engine.Pass(context.Background()); !errors.Is(err, errCrash) {
				t.Fatalf("got %v, want a crash", err)
			}
			if _, n, err := w.store.Ingested(context.Background(), j.ID); err != nil || n != 500 {
				t.Fatalf("%d lines were stored, want 500; %v", n, err)
			}
			want := 2_600
			if changed {
				want = 2_700
				w.storage.set("s3://input/input.manifest", texts(want))
			}
			w.clock.add(time.Minute)
			counted := &countingStore{Store: w.store}
			o = w.options(fmt.Sprint("after-", changed))
			o.Store = counted
			w.engine = engine.New(o)
			w.pass()
			if j := w.describe(s.LabelingJobName); j.Status != labeling.InProgress || j.Counters.Total != int64(want) {
				t.Errorf("changed %v: %s with %d objects, want %d", changed, j.Status, j.Counters.Total, want)
			}
			if !changed {
				want -= 500
			}
			if counted.lines != want {
				t.Errorf("changed %v: %d lines were stored anew, want %d", changed, counted.lines, want)
			}
		}
	})
}

// countingStore counts the lines that are stored.
type countingStore struct {
	engine.Store
	lines int
}

func (s *countingStore) Append(ctx context.Context, h engine.Hold, from int64, lines []engine.Line) error {
	s.lines += len(lines)
	return s.Store.Append(ctx, h, from, lines)
}
