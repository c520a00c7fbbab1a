package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"fiducial/internal/audit"
)

// countingRecorder counts decisions by what the record says of them. It counts
// after the record is written: a number in a graph never says more than the
// record can show.
type countingRecorder struct {
	next      audit.Recorder
	decisions *prometheus.CounterVec
	failures  prometheus.Counter
}

func newCountingRecorder(next audit.Recorder, r *prometheus.Registry) *countingRecorder {
	c := &countingRecorder{
		next: next,
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "fiducial_decisions_total",
			Help: "Decisions on record, by kind of record, action and verdict."}, []string{"kind", "action", "verdict"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "fiducial_audit_failures_total",
			Help: "Records that could not be written; what they were about was refused."}),
	}
	r.MustRegister(c.decisions, c.failures)
	return c
}

func (c *countingRecorder) Record(ctx context.Context, e *audit.Event) error {
	if err := c.next.Record(ctx, e); err != nil {
		c.failures.Inc()
		return err
	}
	c.count(e)
	return nil
}

// RecordAll counts each of the events that are recorded together.
func (c *countingRecorder) RecordAll(ctx context.Context, events []audit.Event) error {
	if err := audit.RecordAll(ctx, c.next, events); err != nil {
		c.failures.Add(float64(len(events)))
		return err
	}
	for i := range events {
		c.count(&events[i])
	}
	return nil
}

func (c *countingRecorder) count(e *audit.Event) {
	c.decisions.WithLabelValues(string(e.Kind), e.Action, string(e.Verdict)).Inc()
}
