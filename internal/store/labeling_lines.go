package store

import (
	"context"
	"database/sql"
	"errors"
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
const appendChunk = 50

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
		return l.insertLines(ctx, tx, h.Job, from, lines)
	})
}

// insertLines stores lines, whose indexes begin with from.
func (l *Labeling) insertLines(ctx context.Context, tx *sql.Tx, job, from int64, lines []engine.Line) error {
	if l.db.dialect != Postgres {
		return insertChunks(ctx, tx, job, from, lines)
	}
	// One statement, short and always the same, with the lines as two arrays.
	kept, texts := make([]int16, len(lines)), make([]string, len(lines))
	for i, line := range lines {
		kept[i], texts[i] = int16(keptAs(line)), line.Text
	}
	_, err := tx.ExecContext(ctx, `insert into data_objects (job, idx, kept, line)
		select cast($1 as bigint), cast($2 as bigint) + n - 1, kept, line
		from unnest(cast($3 as smallint[]), cast($4 as text[])) with ordinality as l (kept, line, n)`, job, from, kept, texts)
	return err
}

// insertChunks is insertLines on SQLite. To parse an insert of many rows takes longer
// than to carry it out, so that its text is prepared once.
func insertChunks(ctx context.Context, tx *sql.Tx, job, from int64, lines []engine.Line) (err error) {
	inserts := map[int]*sql.Stmt{} // of whole chunks, by what the column kept says of their lines
	defer func() {
		for _, s := range inserts {
			err = errors.Join(err, s.Close())
		}
	}()
	for chunk := range slices.Chunk(lines, appendChunk) {
		args := make([]any, 0, 2+appendChunk)
		args = append(args, job, from)
		for _, line := range chunk {
			args = append(args, line.Text)
		}
		from += int64(len(chunk))
		if len(lines) < 2*appendChunk || len(chunk) < appendChunk || !alike(chunk) {
			if _, err := tx.ExecContext(ctx, insertText(chunk), args...); err != nil {
				return err
			}
			continue
		}
		s := inserts[keptAs(chunk[0])]
		if s == nil {
			if s, err = tx.PrepareContext(ctx, insertText(chunk)); err != nil {
				return err
			}
			inserts[keptAs(chunk[0])] = s
		}
		if _, err := s.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// alike reports whether the column kept says the same of all lines.
func alike(lines []engine.Line) bool {
	return !slices.ContainsFunc(lines, func(l engine.Line) bool { return keptAs(l) != keptAs(lines[0]) })
}

// insertText is the insert of the lines: of job $1, at $2, texts from $3 on.
func insertText(lines []engine.Line) string {
	var text strings.Builder
	text.WriteString(`insert into data_objects (job, idx, kept, line) values `)
	for i, line := range lines {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "($1,cast($2 as bigint)+%d,%d,$%d)", i, keptAs(line), i+3)
	}
	return text.String()
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
