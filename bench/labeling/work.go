package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/queue"
)

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

// shift is what workers and a requester were kept waiting for.
type shift struct{ next, draft, submit, list, describe times }

// work lets the workers take, draft and submit, while a requester looks at the
// jobs. It answers with the processor time that a task took.
func (b *bench) work(ctx context.Context, t *table, job, while string, length time.Duration) (time.Duration, error) {
	var s shift
	before, lost := cpu(), stolen()
	end := time.Now().Add(length)
	errs := make(chan error, b.workers+1)
	for i := range b.workers {
		go func() { errs <- b.worker(ctx, fmt.Sprint("worker-", i), job, end, &s) }()
	}
	go func() { errs <- b.requester(ctx, job, end, &s) }()
	var err error
	for range b.workers + 1 {
		err = errors.Join(err, <-errs)
	}
	if err != nil {
		return 0, err
	}
	const none = 0
	for _, k := range []struct {
		name string
		t    *times
		bar  time.Duration
	}{
		{"next task", &s.next, 20 * time.Millisecond}, {"save draft", &s.draft, none}, {"submit (durable)", &s.submit, 50 * time.Millisecond},
		{"list jobs", &s.list, 50 * time.Millisecond}, {"job and its counters", &s.describe, 50 * time.Millisecond},
	} {
		slices.Sort(k.t.all)
		bar, p99 := "", k.t.percentile(0.99)
		if k.bar > 0 {
			bar = k.bar.String()
		}
		t.line(k.name+while+" p50", k.t.percentile(0.5).Round(10*time.Microsecond).String(), "", true)
		t.line(k.name+while+" p99", p99.Round(10*time.Microsecond).String(), bar, p99 < k.bar)
	}
	each := (cpu() - before) / time.Duration(max(1, len(s.submit.all)))
	t.line("processor time a task"+while, each.Round(time.Microsecond).String(), "", true)
	t.line("tasks a second"+while, fmt.Sprintf("%.0f", float64(len(s.submit.all))/length.Seconds()), "", true)
	share := float64(stolen()-lost) / float64(length) / float64(runtime.NumCPU())
	t.line("processor taken by other machines"+while, fmt.Sprintf("%.0f %%", 100*share), "", true)
	return each, nil
}

// requester lists the jobs and describes one, ten times a second.
func (b *bench) requester(ctx context.Context, job string, end time.Time, s *shift) error {
	for time.Now().Before(end) {
		start := time.Now()
		if _, _, err := b.rows.List(ctx, engine.Filter{Limit: 100, Descending: true}); err != nil {
			return err
		}
		s.list.since(start)
		start = time.Now()
		if _, err := b.engine.Describe(ctx, job); err != nil {
			return err
		}
		s.describe.since(start)
		time.Sleep(100 * time.Millisecond)
	}
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

// stolen is the time, of all processors, that other machines on the same host had
// while this one wanted it: nothing here explains what is waited for then.
func stolen() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat)) // cpu user nice system idle iowait irq softirq steal, in hundredths of a second
	if len(fields) < 9 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[8], 10, 64)
	return time.Duration(n) * 10 * time.Millisecond
}

func (b *bench) worker(ctx context.Context, id, job string, end time.Time, s *shift) error {
	w := labeling.Worker{ID: id, Teams: []string{team}}
	answer := json.RawMessage(`{"annotatedResult":{"boundingBoxes":[{"height":133,"label":"bird","left":24,"top":42,"width":220}],"inputImageProperties":{"height":1200,"width":1600}}}`)
	time.Sleep(time.Duration(mathrand.Float64() * float64(b.think)))
	for time.Now().Before(end) {
		start := time.Now()
		a, err := b.queue.Take(ctx, w, job)
		if fault.CodeOf(err) == queue.CodeNoTask {
			time.Sleep(b.think)
			continue
		}
		if err != nil {
			return err
		}
		s.next.since(start)
		half := time.Duration((0.25 + mathrand.Float64()/2) * float64(b.think))
		time.Sleep(half)
		start = time.Now()
		if err := b.queue.SaveDraft(ctx, w, a.ID, answer); err != nil {
			return err
		}
		s.draft.since(start)
		time.Sleep(half)
		start = time.Now()
		if err := b.queue.Submit(ctx, w, a.ID, answer); err != nil {
			return err
		}
		s.submit.since(start)
	}
	return nil
}
