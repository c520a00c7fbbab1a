package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
)

// Batch implements engine.Work.
func (l *Labeling) Batch(ctx context.Context, h engine.Hold, bounds engine.BatchBounds, now time.Time) (*engine.Batch, error) {
	const op = "store.Labeling.Batch"
	b, err := l.openBatch(ctx, h.Job)
	if errors.Is(err, sql.ErrNoRows) {
		if err := l.beginBatch(ctx, h, bounds, now); err != nil {
			return nil, err
		}
		b, err = l.openBatch(ctx, h.Job)
	}
	if err != nil {
		return nil, notFoundBatch(op, err)
	}
	if err := l.readBatch(ctx, h.Job, b); err != nil {
		return nil, wrap(op, err)
	}
	return b, nil
}

func notFoundBatch(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return noBatch()
	}
	return wrap(op, err)
}

func (l *Labeling) openBatch(ctx context.Context, job int64) (*engine.Batch, error) {
	var b engine.Batch
	var made int64
	err := l.db.Read().QueryRowContext(ctx, `select batch, made_at from labeling_batches where job = $1 order by batch limit 1`, job).Scan(&b.Number, &made)
	b.MadeAt = Time(made)
	return &b, err
}

// beginBatch marks objects for the next batch. Its time is later than that of
// the batch before by a second at least: times name files.
func (l *Labeling) beginBatch(ctx context.Context, h engine.Hold, bounds engine.BatchBounds, now time.Time) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		chosen, err := chooseBatch(ctx, tx, h.Job, bounds)
		if err != nil || len(chosen) == 0 {
			return err
		}
		var number, made int64
		err = tx.QueryRowContext(ctx, `update labeling_jobs set batches = batches + 1,
				batch_time = case when batch_time + 1000000 > $1 then batch_time + 1000000 else $1 end
			where id = $2 returning batches, batch_time`, Micros(now.Truncate(time.Second)), h.Job).Scan(&number, &made)
		if err != nil {
			return err
		}
		// The names have whole seconds, the contents microseconds.
		if at := Micros(now); at > made {
			made = at
		}
		if _, err = tx.ExecContext(ctx, `insert into labeling_batches (job, batch, made_at) values ($1, $2, $3)`, h.Job, number, made); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `update labeling_tasks set batch = $1 where job = $2 and `+oneOf("idx", chosen), number, h.Job)
		return err
	})
}

func chooseBatch(ctx context.Context, tx *sql.Tx, job int64, bounds engine.BatchBounds) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, `select idx, answer_bytes from labeling_tasks
		where job = $1 and state = 'answered' order by idx limit $2`, job, bounds.Objects)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var chosen []int64
	var sum int64
	for rows.Next() {
		var idx, n int64
		if err := rows.Scan(&idx, &n); err != nil {
			return nil, err
		}
		if sum += n; sum > bounds.Bytes && len(chosen) > 0 {
			break
		}
		chosen = append(chosen, idx)
	}
	return chosen, errors.Join(rows.Err(), rows.Close())
}

// readBatch reads the objects of a batch with their answers.
func (l *Labeling) readBatch(ctx context.Context, job int64, b *engine.Batch) error {
	rows, err := l.db.Read().QueryContext(ctx, `select t.idx, t.wanted, t.answered, t.declined, o.line from labeling_tasks t
		`+joinObject("t")+`
		where t.job = $1 and t.state = 'answered' and t.batch = $2 order by t.idx`, job, b.Number)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		o := labeling.Answered{DataObject: labeling.DataObject{Job: job}}
		var answered, declined int
		if err := rows.Scan(&o.Index, &o.Wanted, &answered, &declined, &o.Line); err != nil {
			return err
		}
		if answered == 0 {
			b.Closed = append(b.Closed, engine.Closed{Index: o.Index, Declined: declined})
			continue
		}
		b.Objects = append(b.Objects, o)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	return l.readAnswers(ctx, job, b)
}

func (l *Labeling) readAnswers(ctx context.Context, job int64, b *engine.Batch) error {
	if len(b.Objects) == 0 {
		return nil
	}
	place := make(map[int64]int, len(b.Objects))
	list := make([]int64, len(b.Objects))
	for i := range b.Objects {
		place[b.Objects[i].Index] = i
		list[i] = b.Objects[i].Index
	}
	// coalesce on purpose: "state = 'submitted'" has an index, and PostgreSQL would
	// read all the answers of a job that it has no statistics of yet.
	rows, err := l.db.Read().QueryContext(ctx, `select id, idx, worker, taken_at, ended_at, answer from assignments
		where job = $1 and `+oneOf("idx", list)+` and coalesce(state, '') = 'submitted' order by idx, ended_at, worker`, job)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var idx, taken, ended int64
		var a labeling.Answer
		var id, content string
		if err := rows.Scan(&id, &idx, &a.Worker, &taken, &ended, &content); err != nil {
			return err
		}
		if content, err = l.seals.open(content, answerOf(id)); err != nil {
			return err
		}
		a.Content, a.AcceptedAt, a.SubmittedAt = json.RawMessage(content), Time(taken), Time(ended)
		o := &b.Objects[place[idx]]
		o.Answers = append(o.Answers, a)
	}
	return errors.Join(rows.Err(), rows.Close())
}

// FinishBatch implements engine.Work.
func (l *Labeling) FinishBatch(ctx context.Context, h engine.Hold, number int64, results []labeling.Consolidated, now time.Time) error {
	j, err := l.begun(ctx, h.Job)
	if err != nil {
		return err
	}
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		return l.finishBatch(ctx, tx, h.Job, number, results, j.Live != nil, now)
	})
}

func (l *Labeling) finishBatch(ctx context.Context, tx *sql.Tx, job, number int64, results []labeling.Consolidated, live bool, now time.Time) error {
	n, err := exec(ctx, tx, `delete from labeling_batches where job = $1 and batch = $2`, job, number)
	if err != nil || n == 0 {
		return err
	}
	results, err = again(ctx, tx, job, number, results)
	if err != nil {
		return err
	}
	if err := compared(ctx, tx, job, number, results, now); err != nil {
		return err
	}
	labeled, failed := 0, 0
	for _, r := range results {
		if r.Failure != "" {
			failed++
		} else {
			labeled++
		}
	}
	if err := l.insertResults(ctx, tx, job, results, now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `delete from task_inputs where job = $1 and not exists (select 1 from quality_workers w where w.job = $1) -- whose objects may come back
		and idx in (select idx from labeling_tasks where job = $1 and state = 'answered' and batch = $2)`, job, number); err != nil {
		return err
	}
	if live {
		if err := insertUntold(ctx, tx, job, results); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `delete from labeling_tasks where job = $1 and state = 'answered' and batch = $2`, job, number); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `update labeling_jobs set human_labeled = human_labeled + $1, failed = failed + $2, modified_at = $3
		where id = $4`, labeled, failed, Micros(now), job)
	return err
}

// What sealed columns are bound to.
func labelOf(job, idx int64) string    { return "label of " + objectOf(job, idx) }
func metadataOf(job, idx int64) string { return "metadata of " + objectOf(job, idx) }

func objectOf(job, idx int64) string {
	return "object " + strconv.FormatInt(idx, 10) + " of job " + strconv.FormatInt(job, 10)
}

// resultChunk is how many results one insert carries: SQLite's driver looks each
// parameter up among all, and a short text is parsed once for ever.
const resultChunk = 10

func (l *Labeling) insertResults(ctx context.Context, tx *sql.Tx, job int64, results []labeling.Consolidated, now time.Time) error {
	for chunk := range slices.Chunk(results, resultChunk) {
		var text strings.Builder
		text.WriteString(`insert into labeling_results (job, idx, label, metadata, failure, ended_at) values `)
		args := make([]any, 0, 2+4*len(chunk))
		args = append(args, job, Micros(now))
		for i, r := range chunk {
			if i > 0 {
				text.WriteByte(',')
			}
			label, err := l.seals.seal(string(r.Label), labelOf(job, r.Index))
			if err != nil {
				return err
			}
			metadata, err := l.seals.seal(string(r.Metadata), metadataOf(job, r.Index))
			if err != nil {
				return err
			}
			n := len(args)
			fmt.Fprintf(&text, "($1,$%d,$%d,$%d,$%d,$2)", n+1, n+2, n+3, n+4)
			args = append(args, r.Index, label, metadata, r.Failure)
		}
		if _, err := tx.ExecContext(ctx, text.String(), args...); err != nil {
			return err
		}
	}
	return nil
}
