package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/access"
)

// Access implements access.Store.
type Access struct{ db *DB }

// NewAccess returns the revocations of grants in db.
func NewAccess(db *DB) *Access { return &Access{db} }

var _ access.Store = (*Access)(nil)

// revocationsPerInsert keeps a statement's parameters under every database's limit.
const revocationsPerInsert = 100

// AddRevocations numbers and inserts rows.
func (s *Access) AddRevocations(ctx context.Context, rows []access.Revocation) (int64, error) {
	var last int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "update revocation_count set last = last + $1 where one = 1 returning last", len(rows)).Scan(&last)
		if err != nil {
			return err
		}
		seq := last - int64(len(rows)) + 1
		for rest := rows; len(rest) > 0; {
			n := min(len(rest), revocationsPerInsert)
			if err := insertRevocations(ctx, tx, seq, rest[:n]); err != nil {
				return err
			}
			seq, rest = seq+int64(n), rest[n:]
		}
		return nil
	})
	return last, err
}

func insertRevocations(ctx context.Context, tx *sql.Tx, seq int64, rows []access.Revocation) error {
	var text strings.Builder
	text.WriteString("insert into revocations (seq, kind, subject, reason, at, expires_at) values ")
	args := make([]any, 0, 6*len(rows))
	for i, r := range rows {
		for j := range 6 {
			text.WriteString([...]string{"($", ", $", ", $", ", $", ", $", ", $"}[j])
			text.WriteString(strconv.Itoa(6*i + j + 1))
		}
		text.WriteByte(')')
		if i < len(rows)-1 {
			text.WriteString(", ")
		}
		args = append(args, seq+int64(i), r.Subject.Kind, r.Subject.ID, r.Reason, Micros(r.At), Micros(r.Expires))
	}
	_, err := tx.ExecContext(ctx, text.String(), args...)
	return err
}

// Revocations returns rows in the order of their numbers.
func (s *Access) Revocations(ctx context.Context, after int64, limit int) ([]access.Revocation, error) {
	const op = "store.Revocations"
	rows, err := s.db.Read().QueryContext(ctx, "select seq, kind, subject, reason, at, expires_at from revocations where seq > $1 order by seq limit $2", after, limit)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []access.Revocation
	for rows.Next() {
		var r access.Revocation
		var at, expires int64
		if err := rows.Scan(&r.Seq, &r.Subject.Kind, &r.Subject.ID, &r.Reason, &at, &expires); err != nil {
			return nil, wrap(op, err)
		}
		r.At, r.Expires = Time(at), Time(expires)
		out = append(out, r)
	}
	return out, wrap(op, rows.Err())
}

// LastRevocation returns the highest number given.
func (s *Access) LastRevocation(ctx context.Context) (int64, error) {
	var last int64
	err := s.db.Read().QueryRowContext(ctx, "select last from revocation_count where one = 1").Scan(&last)
	return last, wrap("store.LastRevocation", err)
}

// DropRevocations removes what has expired.
func (s *Access) DropRevocations(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from revocations where expires_at < $1", Micros(before))
		return err
	})
}
