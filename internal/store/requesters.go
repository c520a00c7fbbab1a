package store

import (
	"context"
	"database/sql"
	"time"

	"fiducial/internal/signin/accesskey"
)

// Requesters implements accesskey.Store.
type Requesters struct{ db *DB }

// NewRequesters keeps the sessions of requesters in db.
func NewRequesters(db *DB) *Requesters { return &Requesters{db} }

var _ accesskey.Store = (*Requesters)(nil)

// SaveRequesterSession implements accesskey.Store.
func (s *Requesters) SaveRequesterSession(ctx context.Context, hash []byte, n accesskey.Session) error {
	return s.write(ctx, "store.SaveRequesterSession",
		"insert into requester_sessions (token_hash, id, access_key_id, origin, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
		hash, n.ID, n.AccessKeyID, n.Origin, Micros(n.CreatedAt), Micros(n.ExpiresAt))
}

// RequesterSession implements accesskey.Store.
func (s *Requesters) RequesterSession(ctx context.Context, hash []byte) (accesskey.Session, error) {
	var out accesskey.Session
	var created, expires int64
	err := s.db.Read().QueryRowContext(ctx, "select id, access_key_id, origin, created_at, expires_at from requester_sessions where token_hash = $1", hash).
		Scan(&out.ID, &out.AccessKeyID, &out.Origin, &created, &expires)
	if err != nil {
		return out, notFound("store.RequesterSession", err, "there is no such session")
	}
	out.CreatedAt, out.ExpiresAt = Time(created), Time(expires)
	return out, nil
}

// EndRequesterSession implements accesskey.Store.
func (s *Requesters) EndRequesterSession(ctx context.Context, hash []byte) error {
	return s.write(ctx, "store.EndRequesterSession", "delete from requester_sessions where token_hash = $1", hash)
}

// DropRequesterSessions implements accesskey.Store.
func (s *Requesters) DropRequesterSessions(ctx context.Context, before time.Time) error {
	return s.write(ctx, "store.DropRequesterSessions", "delete from requester_sessions where expires_at < $1", Micros(before))
}

func (s *Requesters) write(ctx context.Context, op, query string, args ...any) error {
	return wrap(op, s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}))
}
