package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
)

// Ingested implements engine.Work.
func (l *Labeling) Ingested(ctx context.Context, id int64) (version string, lines int64, err error) {
	err = l.db.Read().QueryRowContext(ctx, `select manifest_version, ingested from labeling_jobs where id = $1`, id).Scan(&version, &lines)
	return version, lines, wrap("store.Labeling.Ingested", err)
}

// Kept implements engine.Work.
func (l *Labeling) Kept(ctx context.Context, id int64) (n int64, err error) {
	err = l.db.Read().QueryRowContext(ctx, `select kept from labeling_jobs where id = $1`, id).Scan(&n)
	return n, wrap("store.Labeling.Kept", err)
}

// Restart implements engine.Work.
func (l *Labeling) Restart(ctx context.Context, h engine.Hold, version string) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `delete from data_objects where job = $1`, h.Job); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `update labeling_jobs set manifest_version = $1, ingested = 0, kept = 0 where id = $2`, version, h.Job)
		return err
	})
}

// appendChunk is how many lines one insert carries: SQLite's driver looks each
// parameter up among all, so that long inserts take the square of their length.
const appendChunk = 100

// Append implements engine.Work.
func (l *Labeling) Append(ctx context.Context, h engine.Hold, from int64, lines []engine.Line) error {
	kept := 0
	for _, line := range lines {
		kept += Bool(line.Kept)
	}
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `update labeling_jobs set ingested = ingested + $1, kept = kept + $2 where id = $3 and ingested = $4`,
			len(lines), kept, h.Job, from)
		if err != nil {
			return err
		}
		if n == 0 {
			return engine.ErrLost // somebody else is ahead of us
		}
		at := from
		for chunk := range slices.Chunk(lines, appendChunk) {
			text, args := insertLines(h.Job, at, chunk)
			if _, err := tx.ExecContext(ctx, text, args...); err != nil {
				return err
			}
			at += int64(len(chunk))
		}
		return nil
	})
}

// insertLines makes a text that is the same for most chunks, so that
// PostgreSQL plans it once.
func insertLines(job, from int64, lines []engine.Line) (string, []any) {
	var text strings.Builder
	text.WriteString(`insert into data_objects (job, idx, kept, line) values `)
	args := make([]any, 2, 2+len(lines))
	args[0], args[1] = job, from
	for i, line := range lines {
		if i > 0 {
			text.WriteByte(',')
		}
		args = append(args, line.Text)
		fmt.Fprintf(&text, "($1,cast($2 as bigint)+%d,%d,$%d)", i, keptAs(line), len(args))
	}
	return text.String(), args
}

// What the column kept says: a line is for the workers, or has its label, or
// lacks the one that the job adjusts or verifies.
const (
	keptNot   = 0
	keptLabel = 1
	keptUnfit = 2
)

func keptAs(l engine.Line) int {
	switch {
	case l.Kept:
		return keptLabel
	case l.Unfit:
		return keptUnfit
	}
	return keptNot
}

// Start implements engine.Work.
func (l *Labeling) Start(ctx context.Context, h engine.Hold, s engine.Started) error {
	j, err := l.JobByID(ctx, h.Job)
	if err != nil {
		return err
	}
	var unfit int64
	if err := l.db.Read().QueryRowContext(ctx, `select count(*) from data_objects where job = $1 and kept = $2`, h.Job, keptUnfit).Scan(&unfit); err != nil {
		return wrap("store.Labeling.Start", err)
	}
	below, err := l.sendBelow(ctx, j, s.Total, unfit)
	if err != nil {
		return err
	}
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `update labeling_jobs set status = 'InProgress', status_key = $1, template = $2, label_config = $3,
			total = $4, send_below = $5, modified_at = $6, note = '', failed = $7 where id = $8 and status = 'Initializing'`,
			statusKey(labeling.InProgress, j.Name), s.Template, string(s.LabelConfig), s.Total, below, Micros(s.Now), unfit, h.Job)
		if err != nil || n == 0 {
			return err
		}
		return promote(ctx, tx, h.Job, int64(j.Human.MaxConcurrent), s.Now)
	})
}

// Rows implements engine.Work. It reads in pages: one long query would keep
// SQLite from checkpointing for as long as the output takes.
func (l *Labeling) Rows(ctx context.Context, id int64, fn func(engine.Row) error) error {
	const page = 500
	for after := int64(-1); ; {
		n, last, err := l.rows(ctx, id, after, page, fn)
		if err != nil || n < page {
			return err
		}
		after = last
	}
}

func (l *Labeling) rows(ctx context.Context, id, after int64, limit int, fn func(engine.Row) error) (n int, last int64, err error) {
	const op = "store.Labeling.Rows"
	rows, err := l.db.Read().QueryContext(ctx, `select o.idx, o.line, o.kept, coalesce(r.label, ''), coalesce(r.metadata, ''), coalesce(r.failure, '')
		from data_objects o left join labeling_results r on r.job = o.job and r.idx = o.idx
		where o.job = $1 and o.idx > $2 order by o.idx limit $3`, id, after, limit)
	if err != nil {
		return 0, 0, wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := l.scanRow(rows, id)
		if err != nil {
			return 0, 0, wrap(op, err)
		}
		if err := fn(r); err != nil {
			return 0, 0, err
		}
		n, last = n+1, r.Index
	}
	return n, last, wrap(op, rows.Err())
}

// scanRow reads a line with its result, and opens the annotations.
func (l *Labeling) scanRow(rows *sql.Rows, job int64) (r engine.Row, err error) {
	var kept int
	var label, metadata string
	if err := rows.Scan(&r.Index, &r.Line, &kept, &label, &metadata, &r.Failure); err != nil {
		return r, err
	}
	if r.Label, err = l.annotation(label, labelOf(job, r.Index)); err != nil {
		return r, err
	}
	r.Metadata, err = l.annotation(metadata, metadataOf(job, r.Index))
	r.Kept, r.Unfit = kept == keptLabel, kept == keptUnfit
	return r, err
}

// annotation opens a column of labeling_results.
func (l *Labeling) annotation(text, of string) ([]byte, error) {
	text, err := l.seals.open(text, of)
	return []byte(text), err
}
