package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/store"
)

const team = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/bench"

type bench struct {
	settings
	queue  *queue.Service
	engine *engine.Engine
}

func newBench(s settings, db *store.DB) *bench {
	rows := store.NewLabeling(db)
	b := &bench{settings: s, queue: queue.New(rows, nobody{}, time.Now, rand.Reader, quiet())}
	b.engine = engine.New(engine.Options{
		Store: rows, Queue: b.queue, Roles: bucket{s.lines}, Owner: rand.Text(), Alone: db.Dialect() == store.SQLite,
		Template: func(labeling.TaskType) (string, bool) { return "", false }, Now: time.Now, Log: quiet(),
	})
	return b
}

// nobody wants to know of ended assignments here.
type nobody struct{}

func (nobody) Ended(context.Context, string, ...string) error { return nil }

// bucket makes the manifest while it is read, so that the memory measured is
// the engine's.
type bucket struct{ lines int }

func (b bucket) Assume(context.Context, string, string, string) (engine.Bucket, error) { return b, nil }

func (b bucket) Get(_ context.Context, _, key string) (io.ReadCloser, engine.ObjectInfo, error) {
	if key != "input.manifest" {
		return io.NopCloser(strings.NewReader("<crowd-form></crowd-form>")), engine.ObjectInfo{}, nil
	}
	return io.NopCloser(&lines{left: b.lines}), engine.ObjectInfo{ETag: "bench"}, nil
}

func (b bucket) Put(_ context.Context, _, _, _ string, body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

type lines struct {
	left int
	buf  bytes.Buffer
}

func (l *lines) Read(p []byte) (int, error) {
	for l.buf.Len() < len(p) && l.left > 0 {
		l.left--
		fmt.Fprintf(&l.buf, "{\"source-ref\":\"s3://bench/photographs/2026/holiday/%08d.jpg\",\"id\":%d}\n", l.left, l.left)
	}
	return l.buf.Read(p)
}

// ingest times CreateLabelingJob to InProgress.
func (b *bench) ingest(ctx context.Context, t *table) error {
	j, err := labeling.NewJob(b.spec(), time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := b.engine.Create(ctx, j); err != nil {
		return err
	}
	for {
		if j, err = b.engine.Describe(ctx, "bench"); err != nil {
			return err
		}
		if j.Status != labeling.Initializing {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if j.Status != labeling.InProgress {
		return fmt.Errorf("the job is %s: %s", j.Status, j.FailureReason)
	}
	took := time.Since(start)
	t.line("manifest to InProgress", took.Round(10*time.Millisecond).String(), "20s", took < 20*time.Second)
	t.line("lines a second", fmt.Sprintf("%.0f", float64(b.lines)/took.Seconds()), "", true)
	peak, err := peakRSS()
	if err != nil {
		return err
	}
	t.line("resident memory, peak", fmt.Sprintf("%.0f MB", float64(peak)/1e6), "200 MB", peak < 200e6)
	return nil
}

// peakRSS is the most memory that this process ever had resident, in bytes.
func peakRSS() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	var kb int64
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, err := fmt.Sscan(rest, &kb)
			return kb << 10, err
		}
	}
	return 0, errors.New("no VmHWM in /proc/self/status")
}

// times are durations of one kind of call, from many workers.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

func (t *times) since(start time.Time) {
	d := time.Since(start)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, d)
}

func (t *times) percentile(p float64) time.Duration {
	if len(t.all) == 0 {
		return 0
	}
	return t.all[min(len(t.all)-1, int(p*float64(len(t.all))))]
}

// work lets the workers take, draft and submit.
func (b *bench) work(ctx context.Context, t *table) error {
	var next, draft, submit times
	before := cpu()
	end := time.Now().Add(b.length)
	errs := make(chan error, b.workers)
	for i := range b.workers {
		go func() { errs <- b.worker(ctx, fmt.Sprint("worker-", i), end, &next, &draft, &submit) }()
	}
	var err error
	for range b.workers {
		err = errors.Join(err, <-errs)
	}
	if err != nil {
		return err
	}
	for _, k := range []struct {
		name string
		t    *times
		bar  time.Duration
	}{{"next task", &next, 20 * time.Millisecond}, {"save draft", &draft, 0}, {"submit (durable)", &submit, 50 * time.Millisecond}} {
		slices.Sort(k.t.all)
		bar := ""
		if k.bar > 0 {
			bar = k.bar.String()
		}
		t.line(k.name+" p50", k.t.percentile(0.5).Round(10*time.Microsecond).String(), "", true)
		t.line(k.name+" p99", k.t.percentile(0.99).Round(10*time.Microsecond).String(), bar, k.t.percentile(0.99) < k.bar)
	}
	t.line("processor time a task", ((cpu() - before) / time.Duration(max(1, len(submit.all)))).Round(time.Microsecond).String(), "", true)
	t.line("tasks a second", fmt.Sprintf("%.0f", float64(len(submit.all))/b.length.Seconds()), "", true)
	return nil
}

// cpu is the processor time that this process has used: what is left of the
// figures when the machine is busy with something else.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (b *bench) worker(ctx context.Context, id string, end time.Time, next, draft, submit *times) error {
	w := labeling.Worker{ID: id, Teams: []string{team}}
	answer := json.RawMessage(`{"annotatedResult":{"boundingBoxes":[{"height":133,"label":"bird","left":24,"top":42,"width":220}],"inputImageProperties":{"height":1200,"width":1600}}}`)
	time.Sleep(time.Duration(mathrand.Float64() * float64(b.think)))
	for time.Now().Before(end) {
		start := time.Now()
		a, err := b.queue.Take(ctx, w, "bench")
		if fault.CodeOf(err) == queue.CodeNoTask {
			time.Sleep(b.think)
			continue
		}
		if err != nil {
			return err
		}
		next.since(start)
		half := time.Duration((0.25 + mathrand.Float64()/2) * float64(b.think))
		time.Sleep(half)
		start = time.Now()
		if err := b.queue.SaveDraft(ctx, w, a.ID, answer); err != nil {
			return err
		}
		draft.since(start)
		time.Sleep(half)
		start = time.Now()
		if err := b.queue.Submit(ctx, w, a.ID, answer); err != nil {
			return err
		}
		submit.since(start)
	}
	return nil
}
