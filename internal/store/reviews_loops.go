package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/review"
)

// EndLoops implements review.Loops.
func (r Reviews) EndLoops(ctx context.Context, h engine.Hold, batch int64, loops []*review.Loop, now time.Time) error {
	results := make([]labeling.Consolidated, len(loops))
	for i, l := range loops {
		results[i] = labeling.Consolidated{Index: l.Object}
		if l.Status == labeling.Failed {
			results[i].Failure = l.FailureCode
		}
	}
	return r.l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		if err := r.l.finishBatch(ctx, tx, h.Job, batch, results, false, now); err != nil {
			return err
		}
		for _, l := range loops {
			// A stop that came while the output was written does not count any more.
			if _, err := tx.ExecContext(ctx, `update human_loops set status = $1, failure_code = $2, failure_reason = $3, ended_at = $4
				where job = $5 and idx = $6 and ended_at = 0`, string(l.Status), l.FailureCode, l.FailureReason, Micros(now), h.Job, l.Object); err != nil {
				return err
			}
		}
		return nil
	})
}

const loopColumns = `l.name, l.flow, l.job, l.idx, l.digest, l.status, l.failure_code, l.failure_reason, l.created_at, l.ended_at`

// loops reads human loops by a query's end.
func (r Reviews) loops(ctx context.Context, q documents, op, rest string, args ...any) ([]*review.Loop, error) {
	rows, err := q.QueryContext(ctx, `select `+loopColumns+` from human_loops l where `+rest, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []*review.Loop
	for rows.Next() {
		var l review.Loop
		var created, ended int64
		if err := rows.Scan(&l.Name, &l.Flow, &l.Job, &l.Object, &l.Digest, &l.Status, &l.FailureCode, &l.FailureReason, &created, &ended); err != nil {
			return nil, wrap(op, err)
		}
		l.CreatedAt = Time(created)
		if ended > 0 {
			l.EndedAt = Time(ended)
		}
		out = append(out, &l)
	}
	return out, wrap(op, errors.Join(rows.Err(), rows.Close()))
}

// located is loops with where their output goes.
func (r Reviews) located(ctx context.Context, loops []*review.Loop, err error) ([]*review.Loop, error) {
	if err != nil {
		return nil, err
	}
	for _, l := range loops { // nearly always of one flow, whose job is in the cache
		j, err := r.l.begun(ctx, l.Job)
		if err != nil {
			return nil, err
		}
		review.Locate(j, l)
	}
	return loops, nil
}

// Loop implements review.Loops.
func (r Reviews) Loop(ctx context.Context, name string) (*review.Loop, error) {
	const op = "store.Loop"
	found, err := r.loops(ctx, r.l.db.Read(), op, `l.name = $1`, name)
	if found, err = r.located(ctx, found, err); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noLoop(op, name)
	}
	return found[0], nil
}

func noLoop(op, name string) error {
	return fault.Newf(op, fault.NotFound, "The human loop %s does not exist.", labeling.Quote(name))
}

// Loops implements review.Loops.
func (r Reviews) Loops(ctx context.Context, f review.Filter) ([]*review.Loop, bool, error) {
	var q listQuery
	q.add("l.job = %s", f.Job)
	q.between("l.created_at", f.CreatedAfter, f.CreatedBefore)
	direction, beyond := "asc", ">"
	if f.Descending {
		direction, beyond = "desc", "<"
	}
	if f.After != nil {
		q.args = append(q.args, Micros(f.After.At), f.After.Name)
		n := strconv.Itoa(len(q.args) - 1)
		q.where = append(q.where, "(l.created_at "+beyond+" $"+n+" or (l.created_at = $"+n+" and l.name "+beyond+" $"+strconv.Itoa(len(q.args))+"))")
	}
	rest := strings.Join(q.where, " and ") + " order by l.created_at " + direction + ", l.name " + direction + " limit " + strconv.Itoa(f.Limit+1)
	found, err := r.loops(ctx, r.l.db.Read(), "store.Loops", rest, q.args...)
	if found, err = r.located(ctx, found, err); err != nil {
		return nil, false, err
	}
	if len(found) > f.Limit {
		return found[:f.Limit], true, nil
	}
	return found, false, nil
}

// LoopsAt implements review.Loops.
func (r Reviews) LoopsAt(ctx context.Context, job int64, objects []int64) (map[int64]*review.Loop, error) {
	if len(objects) == 0 {
		return nil, nil
	}
	found, err := r.loops(ctx, r.l.db.Read(), "store.LoopsAt", `l.job = $1 and `+oneOf("l.idx", objects), job)
	if found, err = r.located(ctx, found, err); err != nil {
		return nil, err
	}
	out := make(map[int64]*review.Loop, len(found))
	for _, l := range found {
		out[l.Object] = l
	}
	return out, nil
}

// Untold implements review.Loops.
func (r Reviews) Untold(ctx context.Context, job int64, limit int) ([]*review.Loop, error) {
	found, err := r.loops(ctx, r.l.db.Read(), "store.Untold", `l.job = $1 and l.told = 0 and l.ended_at > 0 order by l.ended_at limit `+strconv.Itoa(limit), job)
	return r.located(ctx, found, err)
}

// Told implements review.Loops.
func (r Reviews) Told(ctx context.Context, names []string) error {
	list, args := placeholders(nil, names)
	return r.l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update human_loops set told = 1 where ended_at > 0 and name in (`+list+`)`, args...)
		return err
	})
}
