package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"fiducial/internal/labeling"
)

// Offers implements queue.Store. Its cost is bounded by how many objects are
// ready at once, not by the size of the jobs.
func (l *Labeling) Offers(ctx context.Context, worker string, teams []string, now time.Time) ([]labeling.Offer, error) {
	const op = "store.Labeling.Offers"
	list, args := placeholders([]any{worker}, teams)
	rows, err := l.db.Read().QueryContext(ctx, `select `+prefixed("j.", jobColumns)+`, coalesce(w.submitted, 0),
			coalesce((select a.id from assignments a where a.job = j.id and a.worker = $1 and a.state = 'active'), '')
		from labeling_jobs j left join labeling_workers w on w.job = j.id and w.worker = $1
		where j.workteam in (`+list+`) and j.status = 'InProgress' and j.ending = ''
		order by j.created_at, j.id`, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	var offers []labeling.Offer
	var jobs []*labeling.Job
	for rows.Next() {
		var o labeling.Offer
		j, err := scanJob(withMore{rows, []any{&o.Done, &o.Resume}})
		if err != nil {
			_ = rows.Close()
			return nil, wrap(op, err)
		}
		jobs, offers = append(jobs, j), append(offers, offerOf(j, o))
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, wrap(op, err)
	}
	for i, j := range jobs {
		if err := l.countWaiting(ctx, j, worker, now, &offers[i]); err != nil {
			return nil, wrap(op, err)
		}
		if j.Quality != nil {
			if err := l.disguise(ctx, j, worker, now, &offers[i]); err != nil {
				return nil, wrap(op, err)
			}
		}
	}
	return offers, nil
}

// withMore scans further columns after those that scanJob knows.
type withMore struct {
	rows *sql.Rows
	more []any
}

func (w withMore) Scan(into ...any) error { return w.rows.Scan(append(into, w.more...)...) }

func offerOf(j *labeling.Job, o labeling.Offer) labeling.Offer {
	o.JobName, o.JobARN, o.WorkteamARN, o.Title, o.Description = j.Name, j.ARN, j.Human.WorkteamARN, j.Human.Title, j.Human.Description
	o.Keywords, o.TaskType, o.TaskTimeLimit, o.Workers, o.CreatedAt = j.Human.Keywords, j.TaskType, j.Human.TaskTimeLimit, j.Human.Workers, j.CreatedAt
	o.Flow = j.Flow
	o.Total, o.Finished = j.Counters.Total, j.Counters.Labeled()+j.Counters.Failed+j.Counters.Excluded
	return o
}

// countWaiting counts what the worker could take now, and adds the objects not
// sent yet: those not finished and not in work.
func (l *Labeling) countWaiting(ctx context.Context, j *labeling.Job, worker string, now time.Time, o *labeling.Offer) error {
	var open, sent int64
	err := l.db.Read().QueryRowContext(ctx, `select count(*) from labeling_tasks t where t.job = $1 and `+available,
		j.ID, worker, Micros(now.Add(-j.Human.TaskAvailability))).Scan(&open)
	if err != nil {
		return err
	}
	if err := l.db.Read().QueryRowContext(ctx, `select count(*) from labeling_tasks where job = $1`, j.ID).Scan(&sent); err != nil {
		return err
	}
	limit := j.Stopping.Limit(j.Counters.Total) + j.Counters.Failed + j.Counters.Excluded
	queued := min(j.Counters.Total, limit) - o.Finished - sent
	o.HasWork, o.Waiting = open > 0, open+max(0, queued)
	return nil
}
