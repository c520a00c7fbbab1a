package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/labeling/notice"
	"fiducial/internal/outbound"
)

// Notices implements notice.Store.
type Notices struct {
	db    *DB
	seals columns
}

var _ notice.Store = (*Notices)(nil)

// NewNotices returns the rows of who was told of what; deliveries are sealed under
// keys, nil: they are not.
func NewNotices(db *DB, keys *envelope.Keyset) *Notices { return &Notices{db, columns{keys}} }

// JobsInProgress implements notice.Store.
func (s *Notices) JobsInProgress(ctx context.Context) ([]notice.Job, error) {
	const op = "store.Notices.JobsInProgress"
	rows, err := s.db.Read().QueryContext(ctx, `select `+prefixed("j.", jobColumns)+`,
			(select count(*) from labeling_tasks t where t.job = j.id and t.state = 'ready')
		from labeling_jobs j where j.status = 'InProgress' and j.ending = '' order by j.created_at, j.id`)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []notice.Job
	for rows.Next() {
		var ready int64
		j, err := scanJob(withMore{rows, []any{&ready}})
		if err != nil {
			return nil, wrap(op, err)
		}
		out = append(out, notice.Job{ID: j.ID, Name: j.Name, ARN: j.ARN, Title: j.Human.Title, Team: j.Human.WorkteamARN, CreatedAt: j.CreatedAt, Live: j.Live != nil || j.Flow != "", Flow: j.Flow != "", Ready: ready})
	}
	return out, wrap(op, rows.Err())
}

// like is a pattern for subjects that begin with the prefix, which has no wildcard.
func like(prefix string) string { return strings.NewReplacer("%", "", "_", "").Replace(prefix) + "%" }

// Told implements notice.Store.
func (s *Notices) Told(ctx context.Context, prefix string) ([]string, error) {
	const op = "store.Notices.Told"
	rows, err := s.db.Read().QueryContext(ctx, `select subject from notices where subject like $1`, like(prefix))
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var subject string
		if err := rows.Scan(&subject); err != nil {
			return nil, wrap(op, err)
		}
		out = append(out, subject)
	}
	return out, wrap(op, rows.Err())
}

// errTold rolls a claim back.
var errTold = errors.New("somebody was told already")

// Claim implements notice.Store.
func (s *Notices) Claim(ctx context.Context, claims []notice.Claim, now time.Time, list ...outbound.Delivery) (bool, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, c := range claims {
			since := int64(-1)
			if c.Again > 0 {
				since = Micros(now.Add(-c.Again))
			}
			n, err := exec(ctx, tx, `insert into notices (subject, told_at) values ($1, $2)
				on conflict (subject) do update set told_at = excluded.told_at where notices.told_at <= $3`, c.Subject, Micros(now), since)
			if err != nil {
				return err
			}
			if n == 0 {
				return errTold
			}
		}
		return addDeliveries(ctx, tx, outside, s.seals, list)
	})
	if errors.Is(err, errTold) {
		return false, nil
	}
	return err == nil, err
}

// Forget implements notice.Store.
func (s *Notices) Forget(ctx context.Context, prefix string) error {
	told, err := s.Told(ctx, prefix)
	if err != nil || len(told) == 0 {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `delete from notices where subject like $1`, like(prefix))
		return err
	})
}

// UntoldEnds lists jobs that have ended and whose end was not told of.
func (l *Labeling) UntoldEnds(ctx context.Context, limit int) ([]int64, error) {
	const op = "store.Labeling.UntoldEnds"
	rows, err := l.db.Read().QueryContext(ctx, `select job from labeling_untold_ends order by job limit $1`, limit)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, wrap(op, err)
		}
		out = append(out, id)
	}
	return out, wrap(op, rows.Err())
}

// ToldEnd notes that a job's end was told of.
func (l *Labeling) ToldEnd(ctx context.Context, job int64) error {
	return l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `delete from labeling_untold_ends where job = $1`, job)
		return err
	})
}
