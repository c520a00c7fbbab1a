package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/quality"
)

// What sealed columns of gold questions are bound to.
func goldOf(job, idx int64, what string) string {
	return fmt.Sprintf("%s of gold question %d of job %d", what, idx, job)
}

// PutGold implements engine.Control.
func (l *Labeling) PutGold(ctx context.Context, h engine.Hold, gold []engine.GoldQuestion) error {
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		for _, text := range []string{`delete from data_objects where job = $1 and idx < 0`, `delete from quality_gold where job = $1`} {
			if _, err := tx.ExecContext(ctx, text, h.Job); err != nil {
				return err
			}
		}
		for n, g := range gold {
			idx := int64(-1 - n)
			label, err := l.seals.seal(string(g.Label), goldOf(h.Job, idx, "label"))
			if err != nil {
				return err
			}
			metadata, err := l.seals.seal(string(g.Metadata), goldOf(h.Job, idx, "metadata"))
			if err != nil {
				return err
			}
			if _, err = tx.ExecContext(ctx, `insert into data_objects (job, idx, kept, line) values ($1, $2, 1, $3)`, h.Job, idx, string(g.Line)); err != nil {
				return err
			}
			if _, err = tx.ExecContext(ctx, `insert into quality_gold (job, idx, label, metadata) values ($1, $2, $3, $4)`, h.Job, idx, label, metadata); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `update labeling_jobs set gold = $1 where id = $2`, len(gold), h.Job)
		return err
	})
}

// GoldQuestions implements engine.Control.
func (l *Labeling) GoldQuestions(ctx context.Context, job int64) (out []engine.GoldQuestion, err error) {
	const op = "store.Labeling.GoldQuestions"
	rows, err := l.db.Read().QueryContext(ctx, `select g.idx, g.label, g.metadata, g.asked, g.answered_right, o.line from quality_gold g
		`+joinObject("g")+` where g.job = $1 order by g.idx desc`, job)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var g engine.GoldQuestion
		var idx int64
		var label, metadata string
		var scratch []byte
		if err := rows.Scan(&idx, &label, &metadata, &g.Asked, &g.Right, &g.Line); err != nil {
			return nil, wrap(op, err)
		}
		if g.Label, err = l.annotation(label, goldOf(job, idx, "label"), &scratch); err != nil {
			return nil, err
		}
		if g.Metadata, err = l.annotation(metadata, goldOf(job, idx, "metadata"), &scratch); err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, wrap(op, rows.Err())
}

// Facts implements engine.Control.
func (l *Labeling) Facts(ctx context.Context, job int64, limit int) (out []engine.Fact, err error) {
	const op = "store.Labeling.Facts"
	rows, err := l.db.Read().QueryContext(ctx, `select f.id, f.worker, f.idx, f.kind, f.score, coalesce(a.taken_at, 0), coalesce(a.ended_at, 0), coalesce(a.answer, '')
		from quality_facts f left join assignments a on a.id = f.id where f.job = $1 order by f.at, f.id limit $2`, job, limit)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var f engine.Fact
		var taken, ended int64
		var content string
		if err := rows.Scan(&f.ID, &f.Worker, &f.Index, &f.Kind, &f.Score, &taken, &ended, &content); err != nil {
			return nil, wrap(op, err)
		}
		if content, err = l.seals.open(content, answerOf(f.ID)); err != nil {
			return nil, err
		}
		f.Content, f.Took = json.RawMessage(content), time.Duration(ended-taken)*time.Microsecond
		out = append(out, f)
	}
	return out, wrap(op, rows.Err())
}

// States implements engine.Control.
func (l *Labeling) States(ctx context.Context, job int64, workers ...string) (map[string]*quality.State, error) {
	const op = "store.Labeling.States"
	out := make(map[string]*quality.State, len(workers))
	for _, w := range workers {
		out[w] = &quality.State{}
	}
	text, args := `select worker, state from quality_workers where job = $1`, []any{job}
	if len(workers) > 0 {
		var list string
		list, args = placeholders(args, workers)
		text += ` and worker in (` + list + `)`
	}
	rows, err := l.db.Read().QueryContext(ctx, text, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var worker, state string
		if err := rows.Scan(&worker, &state); err != nil {
			return nil, wrap(op, err)
		}
		s := &quality.State{}
		if state != "" {
			if err := json.Unmarshal([]byte(state), s); err != nil {
				return nil, fault.E(op, fault.Internal, "", err)
			}
		}
		out[worker] = s
	}
	return out, wrap(op, rows.Err())
}

// Judged implements engine.Control.
func (l *Labeling) Judged(ctx context.Context, h engine.Hold, v engine.Verdict) error {
	list, args := placeholders([]any{h.Job}, v.Facts)
	return l.holding(ctx, h, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `delete from quality_facts where job = $1 and id in (`+list+`)`, args...)
		if err != nil || int(n) != len(v.Facts) {
			return errors.Join(err, engine.ErrLost) // somebody else has judged them
		}
		for worker, s := range v.States {
			text, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `update quality_workers set state = $1 where job = $2 and worker = $3`, string(text), h.Job, worker); err != nil {
				return err
			}
		}
		for idx, g := range v.Gold {
			if _, err := tx.ExecContext(ctx, `update quality_gold set asked = asked + $1, answered_right = answered_right + $2 where job = $3 and idx = $4`,
				g.Asked, g.Right, h.Job, idx); err != nil {
				return err
			}
		}
		for _, idx := range v.Another {
			if err := another(ctx, tx, h.Job, idx, v.Now); err != nil {
				return err
			}
		}
		for _, a := range v.Actions {
			if err := insertAction(ctx, tx, h.Job, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// Acted implements engine.Control.
func (l *Labeling) Acted(ctx context.Context, job int64, a quality.Acted) error {
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error { return insertAction(ctx, tx, job, a) })
}

func insertAction(ctx context.Context, tx *sql.Tx, job int64, a quality.Acted) error {
	idx, until := int64(-1), int64(0)
	if a.ObjectId != "" {
		if _, err := fmt.Sscan(a.ObjectId, &idx); err != nil {
			return err
		}
	}
	if a.Until != nil {
		until = Micros(*a.Until)
	}
	_, err := tx.ExecContext(ctx, `insert into quality_actions (job, number, at, action, rule, worker, idx, detail, until, actor)
		select cast($1 as bigint), coalesce(max(q.number), 0) + 1, cast($2 as bigint), cast($3 as text), cast($4 as text), cast($5 as text), cast($6 as bigint),
			cast($7 as text), cast($8 as bigint), cast($9 as text) from quality_actions q where q.job = $1`,
		job, Micros(a.Time), a.Action, a.Rule, a.WorkerId, idx, a.Detail, until, a.By)
	return err
}

// Actions implements engine.Control.
func (l *Labeling) Actions(ctx context.Context, job int64) (out []quality.Acted, err error) {
	const op = "store.Labeling.Actions"
	rows, err := l.db.Read().QueryContext(ctx, `select number, at, action, rule, worker, idx, detail, until, actor from quality_actions where job = $1 order by number`, job)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var a quality.Acted
		var at, idx, until int64
		if err := rows.Scan(&a.Number, &at, &a.Action, &a.Rule, &a.WorkerId, &idx, &a.Detail, &until, &a.By); err != nil {
			return nil, wrap(op, err)
		}
		a.Time = Time(at).UTC()
		if idx >= 0 {
			a.ObjectId = fmt.Sprint(idx)
		}
		if until > 0 {
			t := Time(until).UTC()
			a.Until = &t
		}
		out = append(out, a)
	}
	return out, wrap(op, rows.Err())
}

// Barred implements engine.Control.
func (l *Labeling) Barred(ctx context.Context, job int64, now time.Time) (map[string]time.Time, error) {
	const op = "store.Labeling.Barred"
	rows, err := l.db.Read().QueryContext(ctx, `select worker, barred_until from quality_workers where job = $1 and barred_until > $2`, job, Micros(now))
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	out := map[string]time.Time{}
	for rows.Next() {
		var worker string
		var until int64
		if err := rows.Scan(&worker, &until); err != nil {
			return nil, wrap(op, err)
		}
		out[worker] = Time(until).UTC()
	}
	return out, wrap(op, rows.Err())
}

// AnswerCounts implements engine.Control.
func (l *Labeling) AnswerCounts(ctx context.Context, job int64) (counted, discarded int64, err error) {
	err = l.db.Read().QueryRowContext(ctx, `select coalesce(sum(case when state = 'submitted' then 1 else 0 end), 0), coalesce(sum(case when state = 'discarded' then 1 else 0 end), 0)
		from assignments where job = $1 and idx >= 0`, job).Scan(&counted, &discarded)
	return counted, discarded, wrap("store.Labeling.AnswerCounts", err)
}

// compared notes how far answers agreed with the labels of a batch.
func compared(ctx context.Context, tx *sql.Tx, job, batch int64, results []labeling.Consolidated, now time.Time) error {
	const columns = 7
	var text strings.Builder
	var args []any
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, `insert into quality_facts (job, id, worker, idx, kind, score, at) values `+text.String(), args...)
		text.Reset()
		args = args[:0]
		return err
	}
	for _, r := range results {
		for _, s := range r.Scores {
			if len(args) > 0 {
				text.WriteByte(',')
			}
			n := len(args)
			fmt.Fprintf(&text, "($%d,$%d,$%d,$%d,$%d,$%d,$%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7)
			args = append(args, job, fmt.Sprintf("%d/%d/%s", batch, r.Index, s.Worker), s.Worker, r.Index, string(quality.Compared), s.Value, Micros(now))
			if len(args) >= columns*appendChunk {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}
