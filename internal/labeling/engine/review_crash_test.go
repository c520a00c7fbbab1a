package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/review"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// forgetful is a store whose process dies around the end of a batch.
type forgetful struct {
	review.Store
	before, after bool
}

func (f *forgetful) EndLoops(ctx context.Context, h engine.Hold, batch int64, loops []*review.Loop, now time.Time) error {
	if f.before {
		f.before = false
		return errCrash
	}
	err := f.Store.EndLoops(ctx, h, batch, loops, now)
	if f.after {
		f.after = false
		return errors.Join(err, errCrash)
	}
	return err
}

// A crash before or after the end of a loop is stored neither loses nor doubles it:
// the same file is written again, and one event told.
func TestReviewCrashes(t *testing.T) {
	ctx := context.Background()
	for name, f := range map[string]*forgetful{"before": {before: true}, "after": {after: true}} {
		r := newReviews(t, storetest.SQLite(t))
		f.Store = r.Service.Store
		r.Service.Store = f
		job := r.flow("transcripts", 1)
		r.start("loop", "transcripts")
		r.label("ann", job, 1, corrected)
		if err := r.engine.Pass(ctx); !errors.Is(err, errCrash) {
			t.Fatalf("%s: no crash: %v", name, err)
		}
		uri := r.loop("loop").OutputURI
		first := r.storage.get(uri)
		r.clock.add(time.Minute)
		o := r.options("next")
		o.Reviews, o.TaskUI = r.Service, r.Template
		r.world.engine = engine.New(o)
		r.pass()
		r.pass()
		r.expect("loop", labeling.Completed, "")
		if again := r.storage.get(uri); first == "" || again != first {
			t.Errorf("%s: output %q, then %q", name, first, again)
		}
		if len(r.told.events) != 1 {
			t.Errorf("%s: told %d times", name, len(r.told.events))
		}
	}
}

// Programs that start and stop loops, and workers who answer, all at once: every loop
// is started once, ends once, and has as many answers as it was answered.
func TestLoopsInParallel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		r := newReviews(t, db)
		r.MaxLoops = 1000
		job := r.flow("transcripts", 2)
		const loops = 24
		var wg sync.WaitGroup
		var answered atomic.Int64
		for range 2 { // two programs start the same loops
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range loops {
					if err := r.begin(fmt.Sprint("loop-", i), "transcripts"); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < loops; {
				err := r.StopLoop(ctx, fmt.Sprint("loop-", i))
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Error(err)
				}
				if err == nil {
					i += 3
				}
			}
		}()
		for w := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				who := worker(fmt.Sprint("worker-", w))
				for idle := 0; idle < 50; {
					a, err := r.queue.Take(ctx, who, job)
					if fault.Is(err, fault.NotFound) {
						idle++
						time.Sleep(time.Millisecond)
						continue
					}
					if err == nil {
						err = r.queue.Submit(ctx, who, a.ID, json.RawMessage(corrected(0)))
					}
					if err != nil {
						t.Error(err)
						return
					}
					answered.Add(1)
				}
			}()
		}
		wg.Wait()
		for who := range 2 { // whatever is left
			r.label(fmt.Sprint("last-", who), job, 2*loops, func(int64) string { answered.Add(1); return corrected(0) })
		}
		r.pass()
		written := int64(0)
		for i := range loops {
			l := r.loop(fmt.Sprint("loop-", i))
			n := int64(strings.Count(r.storage.get(l.OutputURI), `"workerId"`))
			if written += n; l.Status != labeling.Completed && l.Status != labeling.Stopped || l.Status == labeling.Completed && n != 2 {
				t.Errorf("%s is %s with %d answers", l.Name, l.Status, n)
			}
		}
		if written != answered.Load() {
			t.Errorf("%d answers were acknowledged, %d are written", answered.Load(), written)
		}
		if len(r.told.events) != loops {
			t.Errorf("%d ends were told, want %d", len(r.told.events), loops)
		}
	})
}
