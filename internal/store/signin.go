package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"fiducial/internal/signin"
	"fiducial/internal/signin/local"
)

// Signin implements signin.Store and local.Store.
type Signin struct{ db *DB }

// NewSignin keeps sign-in state in db.
func NewSignin(db *DB) *Signin { return &Signin{db} }

var (
	_ signin.Store = (*Signin)(nil)
	_ local.Store  = (*Signin)(nil)
)

const signinSession = "id, worker, stage, origin, created_at, seen_at, expires_at"

func scanSignin(row interface{ Scan(...any) error }) (signin.Session, error) {
	var s signin.Session
	var stage string
	var created, seen, expires int64
	err := row.Scan(&s.ID, &s.Worker, &stage, &s.Origin, &created, &seen, &expires)
	s.Stage, s.CreatedAt, s.SeenAt, s.ExpiresAt = signin.Stage(stage), Time(created), Time(seen), Time(expires)
	return s, err
}

// SaveSession implements signin.Store.
func (s *Signin) SaveSession(ctx context.Context, hash []byte, n signin.Session, most int) (removed []string, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "insert into signin_sessions (token_hash, "+signinSession+") values ($1, $2, $3, $4, $5, $6, $7, $8)",
			hash, n.ID, n.Worker, string(n.Stage), n.Origin, Micros(n.CreatedAt), Micros(n.SeenAt), Micros(n.ExpiresAt)); err != nil {
			return err
		}
		removed, err = texts(ctx, tx, `delete from signin_sessions where worker = $1 and id not in
			(select id from signin_sessions where worker = $1 order by created_at desc, id desc limit $2) returning id`, n.Worker, most)
		return err
	})
	return removed, wrap("store.SaveSession", err)
}

// Session implements signin.Store.
func (s *Signin) Session(ctx context.Context, hash []byte) (signin.Session, error) {
	out, err := scanSignin(s.db.Read().QueryRowContext(ctx, "select "+signinSession+" from signin_sessions where token_hash = $1", hash))
	if err != nil {
		return out, notFound("store.Session", err, "there is no such session")
	}
	return out, nil
}

// TouchSession implements signin.Store.
func (s *Signin) TouchSession(ctx context.Context, hash []byte, seen time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "update signin_sessions set seen_at = $1 where token_hash = $2 and seen_at < $1", Micros(seen), hash)
		return err
	})
}

// EndSession implements signin.Store.
func (s *Signin) EndSession(ctx context.Context, hash []byte) (out signin.Session, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		out, err = scanSignin(tx.QueryRowContext(ctx, "delete from signin_sessions where token_hash = $1 returning "+signinSession, hash))
		if err != nil {
			return notFound("store.EndSession", err, "there is no such session")
		}
		return nil
	})
	return out, err
}

// EndSessionsOf implements signin.Store.
func (s *Signin) EndSessionsOf(ctx context.Context, worker string) (ids []string, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ids, err = texts(ctx, tx, "delete from signin_sessions where worker = $1 returning id", worker)
		return err
	})
	return ids, wrap("store.EndSessionsOf", err)
}

// EndExpired implements signin.Store.
func (s *Signin) EndExpired(ctx context.Context, now, idle time.Time) (ids []string, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ids, err = texts(ctx, tx, "delete from signin_sessions where expires_at <= $1 or seen_at <= $2 returning id", Micros(now), Micros(idle))
		return err
	})
	return ids, wrap("store.EndExpired", err)
}

func texts(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// maxSigninCounters bounds the table of failures: whoever has many addresses
// can make many rows, but not endlessly many.
const maxSigninCounters = 100_000

// Count implements signin.Store.
func (s *Signin) Count(ctx context.Context, now time.Time, counters ...signin.Counter) (until time.Time, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		until = time.Time{}
		for _, c := range counters {
			var end int64
			err := tx.QueryRowContext(ctx, "select until from signin_failures where key = $1 and failures >= $2 and until > $3", c.Key, c.Limit, Micros(now)).Scan(&end)
			if err == nil && Time(end).After(until) {
				until = Time(end)
			} else if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if !until.IsZero() {
			return nil
		}
		for _, c := range counters {
			if _, err := tx.ExecContext(ctx, `insert into signin_failures (key, failures, until) values ($1, 1, $2)
				on conflict (key) do update set
					failures = case when signin_failures.until <= $3 then 1 else signin_failures.failures + 1 end,
					until = case when signin_failures.until <= $3 then $2 else signin_failures.until end`,
				c.Key, Micros(now.Add(c.Window)), Micros(now)); err != nil {
				return err
			}
		}
		return pruneFailures(ctx, tx, now)
	})
	return until, wrap("store.Count", err)
}

func pruneFailures(ctx context.Context, tx *sql.Tx, now time.Time) error {
	if _, err := tx.ExecContext(ctx, "delete from signin_failures where until <= $1", Micros(now)); err != nil {
		return err
	}
	var n int64
	if err := tx.QueryRowContext(ctx, "select count(*) from signin_failures").Scan(&n); err != nil || n <= maxSigninCounters {
		return err
	}
	_, err := tx.ExecContext(ctx, "delete from signin_failures where key in (select key from signin_failures order by failures, until limit $1)", n-maxSigninCounters)
	return err
}

// Uncount implements signin.Store.
func (s *Signin) Uncount(ctx context.Context, counters ...signin.Counter) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i, c := range counters {
			query := "update signin_failures set failures = failures - 1 where key = $1 and failures > 0"
			if i == 0 {
				query = "delete from signin_failures where key = $1"
			}
			if _, err := tx.ExecContext(ctx, query, c.Key); err != nil {
				return err
			}
		}
		return nil
	})
}

// Password implements local.Store.
func (s *Signin) Password(ctx context.Context, worker string) (local.Record, error) {
	r := local.Record{Worker: worker}
	var temporary int
	var at int64
	err := s.db.Read().QueryRowContext(ctx, "select hash, temporary, set_at from signin_passwords where worker = $1", worker).Scan(&r.Hash, &temporary, &at)
	if err != nil {
		return r, notFound("store.Password", err, "the worker has no password")
	}
	r.Temporary, r.SetAt = temporary != 0, Time(at)
	return r, nil
}

// SavePassword implements local.Store.
func (s *Signin) SavePassword(ctx context.Context, r local.Record) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into signin_passwords (worker, hash, temporary, set_at) values ($1, $2, $3, $4)
			on conflict (worker) do update set hash = excluded.hash, temporary = excluded.temporary, set_at = excluded.set_at`,
			r.Worker, r.Hash, Bool(r.Temporary), Micros(r.SetAt))
		return err
	})
}

// DropPassword implements local.Store.
func (s *Signin) DropPassword(ctx context.Context, worker string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from signin_passwords where worker = $1", worker)
		return err
	})
}
