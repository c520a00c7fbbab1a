package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
)

// Arrive implements engine.Arrivals. The first update locks the job's row until
// the commit, so that arrivals of one job follow one another and each gets the
// next index.
func (l *Labeling) Arrive(ctx context.Context, job int64, objects []labeling.Arrival, now time.Time) ([]labeling.Arrived, error) {
	const op = "store.Labeling.Arrive"
	j, err := l.begun(ctx, job)
	if err != nil {
		return nil, err
	}
	closed := fault.Coded(op, fault.InUse, engine.CodeNotInProgress, fmt.Sprintf("The labeling job %s takes no data objects: it is not a live job that is in progress.", j.Name))
	if j.Live == nil {
		return nil, closed
	}
	var out []labeling.Arrived
	err = l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		out = make([]labeling.Arrived, len(objects))
		var next int64
		err := tx.QueryRowContext(ctx, `update labeling_jobs set modified_at = $1
			where id = $2 and status = 'InProgress' and ending = '' returning ingested`, Micros(now), job).Scan(&next)
		if errors.Is(err, sql.ErrNoRows) {
			return closed
		}
		if err != nil {
			return err
		}
		known, err := knownArrivals(ctx, tx, job, objects)
		if err != nil {
			return err
		}
		var lines []engine.Line
		at := next
		for i, o := range objects {
			idx, ok := known[o.ID]
			if !ok {
				idx = at + int64(len(lines))
				lines = append(lines, engine.Line{Text: string(o.Line)})
				known[o.ID] = idx
				if _, err := tx.ExecContext(ctx, `insert into labeling_arrivals (job, dedup, idx, arrived_at) values ($1, $2, $3, $4)`,
					job, o.ID, idx, Micros(now)); err != nil {
					return err
				}
			}
			out[i] = labeling.Arrived{Index: idx, Duplicate: ok}
		}
		if len(lines) == 0 {
			return nil
		}
		if err := l.insertLines(ctx, tx, job, next, lines); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `update labeling_jobs set ingested = ingested + $1, total = total + $1 where id = $2`, len(lines), job); err != nil {
			return err
		}
		return fill(ctx, tx, j, now)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// knownArrivals finds the objects that the job has already, by deduplication id.
func knownArrivals(ctx context.Context, tx *sql.Tx, job int64, objects []labeling.Arrival) (map[string]int64, error) {
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = o.ID
	}
	list, args := placeholders([]any{job}, ids)
	rows, err := tx.QueryContext(ctx, `select dedup, idx from labeling_arrivals where job = $1 and dedup in (`+list+`)`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]int64{}
	for rows.Next() {
		var id string
		var idx int64
		if err := rows.Scan(&id, &idx); err != nil {
			return nil, err
		}
		known[id] = idx
	}
	return known, errors.Join(rows.Err(), rows.Close())
}

// fill makes queued objects ready, up to the job's MaxConcurrentTaskCount.
func fill(ctx context.Context, tx *sql.Tx, j *labeling.Job, now time.Time) error {
	var ready int64
	err := tx.QueryRowContext(ctx, `select count(*) from labeling_tasks where job = $1 and state = 'ready'`, j.ID).Scan(&ready)
	if most := int64(j.Human.MaxConcurrent); err == nil && ready < most {
		err = promote(ctx, tx, j.ID, most-ready, now)
	}
	return err
}

// insertUntold notes results that are to be told.
func insertUntold(ctx context.Context, tx *sql.Tx, job int64, results []labeling.Consolidated) error {
	if len(results) == 0 {
		return nil
	}
	values := make([]string, len(results))
	for i, r := range results {
		values[i] = "($1," + strconv.FormatInt(r.Index, 10) + ")"
	}
	_, err := tx.ExecContext(ctx, `insert into labeling_untold_results (job, idx) values `+strings.Join(values, ",")+` on conflict do nothing`, job)
	return err
}

// UntoldResults implements engine.Work. Labels are sealed rows of labeling_results.
func (l *Labeling) UntoldResults(ctx context.Context, id int64, limit int) ([]engine.Row, error) {
	const op = "store.Labeling.UntoldResults"
	rows, err := l.db.Read().QueryContext(ctx, `select o.idx, o.line, o.kept, r.label, r.metadata, r.failure from labeling_untold_results u
		`+joinObject("u")+`
		join labeling_results r on r.job = u.job + 0 and r.idx = u.idx
		where u.job = $1 order by u.idx limit $2`, id, limit)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []engine.Row
	var scratch []byte
	for rows.Next() {
		sealed, err := scanSealed(rows)
		if err != nil {
			return nil, wrap(op, err)
		}
		r, err := l.openRow(id, &sealed, &scratch)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, wrap(op, rows.Err())
}

// ToldResults implements engine.Work.
func (l *Labeling) ToldResults(ctx context.Context, h engine.Hold, indexes []int64) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `delete from labeling_untold_results where job = $1 and `+oneOf("idx", indexes), h.Job)
		return err
	})
}

// unsentOf are the objects of job $1 that were never sent and arrived before $2.
// The lines of the manifest that a live job began with arrived when it was made.
var unsentOf = `select o.idx from labeling_jobs j join data_objects o on o.job = j.id
	left join labeling_arrivals a on a.job = o.job and a.idx = o.idx
	where j.id = $1 and coalesce(a.arrived_at, j.created_at) < $2
		and j.status = 'InProgress' and j.ending = '' and ` + neverSent("$1", "9223372036854775807") + `
	order by o.idx limit $3`

// FailUnsent implements engine.Work. What is queued is what comes after
// everything that has a result, so the oldest go first and without a gap.
func (l *Labeling) FailUnsent(ctx context.Context, h engine.Hold, cutoff time.Time, as labeling.Consolidated, limit int, now time.Time) error {
	var first int64
	err := l.db.Read().QueryRowContext(ctx, unsentOf, h.Job, Micros(cutoff), 1).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return wrap("store.Labeling.FailUnsent", err)
	}
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, unsentOf, h.Job, Micros(cutoff), limit)
		if err != nil {
			return err
		}
		var results []labeling.Consolidated
		for rows.Next() {
			r := as
			if err := rows.Scan(&r.Index); err != nil {
				_ = rows.Close()
				return err
			}
			results = append(results, r)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		if err := l.insertResults(ctx, tx, h.Job, results, now); err != nil {
			return err
		}
		if err := insertUntold(ctx, tx, h.Job, results); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `update labeling_jobs set failed = failed + $1, modified_at = $2 where id = $3`, len(results), Micros(now), h.Job)
		return err
	})
}
