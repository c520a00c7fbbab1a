package store

import (
	"context"
	"database/sql"
	"errors"
)

// resealed is the setting that says that no column is left unsealed.
const resealed = "columns sealed"

// resealChunk is how many rows one transaction seals.
const resealChunk = 200

// unsealed is a column that may hold texts from before sealing.
type unsealed struct {
	table, column string
	keys          string // the columns that tell the row
	of            func(row keyed) string
}

// keyed is a row by its key: an assignment's id, or an object's job and index.
type keyed struct {
	id       string
	job, idx int64
	text     string
}

var unsealedColumns = []unsealed{
	{"assignments", "answer", "id, job, idx", func(r keyed) string { return answerOf(r.id) }},
	{"assignments", "draft", "id, job, idx", func(r keyed) string { return draftOf(r.id) }},
	{"labeling_results", "label", "'', job, idx", func(r keyed) string { return labelOf(r.job, r.idx) }},
	{"labeling_results", "metadata", "'', job, idx", func(r keyed) string { return metadataOf(r.job, r.idx) }},
}

// Reseal seals what was written before there was sealing, a few rows at a time
// so that nobody waits for it, and returns how many rows that were. It may be
// stopped and run again at any time; once everything is sealed it does nothing.
// On SQLite the file is then written anew, for the old texts would stay in pages
// that are free; PostgreSQL does the like by itself (vacuum) in its own time.
func (l *Labeling) Reseal(ctx context.Context) (rows int, err error) {
	const op = "store.Labeling.Reseal"
	if l.seals.keys == nil {
		return 0, nil
	}
	var done string
	err = l.db.Read().QueryRowContext(ctx, `select value from setting where name = $1`, resealed).Scan(&done)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return 0, wrap(op, err)
	}
	for _, c := range unsealedColumns {
		last := keyed{job: -1}
		for {
			n, err := l.resealSome(ctx, c, &last)
			if rows += n; err != nil {
				return rows, wrap(op, err)
			}
			if n == 0 {
				break
			}
		}
	}
	if rows > 0 {
		if err := l.db.compact(ctx); err != nil {
			return rows, wrap(op, err)
		}
	}
	return rows, l.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into setting (name, value) values ($1, '1') on conflict (name) do nothing`, resealed)
		return err
	})
}

// resealSome seals some rows from last on, which it moves.
func (l *Labeling) resealSome(ctx context.Context, c unsealed, last *keyed) (int, error) {
	var found []keyed
	err := l.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if found, err = unsealedRows(ctx, tx, c, last); err != nil {
			return err
		}
		for _, r := range found {
			text, err := l.seals.seal(r.text, c.of(r))
			if err != nil {
				return err
			}
			where, args := "id = $3", []any{text, r.text, r.id}
			if r.id == "" {
				where, args = "job = $3 and idx = $4", []any{text, r.text, r.job, r.idx}
			}
			if _, err := tx.ExecContext(ctx, `update `+c.table+` set `+c.column+` = $1 where `+c.column+` = $2 and `+where, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(found) > 0 {
		*last = found[len(found)-1]
	}
	return len(found), err
}

func unsealedRows(ctx context.Context, tx *sql.Tx, c unsealed, last *keyed) (found []keyed, err error) {
	rows, err := tx.QueryContext(ctx, `select `+c.keys+`, `+c.column+` from `+c.table+`
		where `+c.column+` <> '' and substr(`+c.column+`, 1, 7) <> $1 and (job, idx) >= ($2, $3)
		order by job, idx limit $4`, sealedPrefix, last.job, last.idx, resealChunk)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r keyed
		if err := rows.Scan(&r.id, &r.job, &r.idx, &r.text); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, errors.Join(rows.Err(), rows.Close())
}

// compact writes a SQLite file anew, without what was deleted. It does nothing
// on PostgreSQL.
func (db *DB) compact(ctx context.Context) error {
	if db.dialect != SQLite {
		return nil
	}
	// The writer has one connection: this waits for its turn like any write.
	if _, err := db.writer.ExecContext(ctx, "vacuum"); err != nil {
		return err
	}
	_, err := db.writer.ExecContext(ctx, "pragma wal_checkpoint(truncate)")
	return err
}
