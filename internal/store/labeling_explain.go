package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"fiducial/internal/labeling"
)

// Held returns the id of the worker's live assignment in a job, "" if there is none.
func (l *Labeling) Held(ctx context.Context, job int64, worker string, now time.Time) (id string, err error) {
	err = l.db.Read().QueryRowContext(ctx, `select id from assignments where job = $1 and worker = $2 and state = 'active' and expires_at > $3`,
		job, worker, Micros(now)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, wrap("store.Labeling.Held", err)
}

// Lines calls fn for every data object of a job in the manifest's order, until
// fn returns false.
func (l *Labeling) Lines(ctx context.Context, job int64, fn func(index int64, line json.RawMessage) bool) error {
	const page = 500
	for after := int64(-1); ; {
		n, last, err := l.lines(ctx, job, after, page, fn)
		if err != nil || n < page {
			return err
		}
		after = last
	}
}

// lines returns fewer lines than asked for at the end, and when fn had enough.
func (l *Labeling) lines(ctx context.Context, job, after int64, limit int, fn func(int64, json.RawMessage) bool) (n int, last int64, err error) {
	const op = "store.Labeling.Lines"
	rows, err := l.db.Read().QueryContext(ctx, `select idx, line from data_objects where job = $1 and idx > $2 order by idx limit $3`, job, after, limit)
	if err != nil {
		return 0, 0, wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&last, &line); err != nil {
			return 0, 0, wrap(op, err)
		}
		if !fn(last, json.RawMessage(line)) {
			return 0, 0, nil
		}
		n++
	}
	return n, last, wrap(op, rows.Err())
}

// Standing is how a data object stands for a worker.
type Standing struct {
	Available bool                     // the worker could be given it now
	Finished  bool                     // it is labelled, or failed
	Ready     bool                     // it is on offer
	Places    int                      // how many workers are wanted
	Taken     int                      // how many of the places are taken or answered
	Mine      labeling.AssignmentState // of the worker's own lease on it; "" for none ever
}

// Standing says whether a worker could be given an object, by the condition that
// Take has.
func (l *Labeling) Standing(ctx context.Context, j *labeling.Job, idx int64, worker string, now time.Time) (Standing, error) {
	const op = "store.Labeling.Standing"
	var s Standing
	var finished, free int
	err := l.db.Read().QueryRowContext(ctx, `select
			(select count(*) from labeling_results where job = $1 and idx = $4),
			(select count(*) from labeling_tasks t where t.job = $1 and t.idx = $4 and `+available+`),
			coalesce((select state from assignments where job = $1 and idx = $4 and worker = $2), '')`,
		j.ID, worker, Micros(now.Add(-j.Human.TaskAvailability)), idx).Scan(&finished, &free, &s.Mine)
	if err != nil {
		return s, wrap(op, err)
	}
	s.Finished, s.Available = finished > 0, free > 0
	var state string
	err = l.db.Read().QueryRowContext(ctx, `select state, wanted, live + answered from labeling_tasks where job = $1 and idx = $2`, j.ID, idx).Scan(&state, &s.Places, &s.Taken)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	}
	s.Ready = state == "ready"
	return s, wrap(op, err)
}
