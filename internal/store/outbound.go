package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/outbound"
)

// Outbound implements outbound.Store.
type Outbound struct {
	db    *DB
	seals columns
	table string
}

// The tables of deliveries, which have the same columns.
const (
	outside  = "outbound_deliveries"
	ofEvents = "s3_event_deliveries"
)

var _ outbound.Store = (*Outbound)(nil)

// NewOutbound returns the rows of deliveries in db, sealed under keys; nil: not
// sealed.
func NewOutbound(db *DB, keys *envelope.Keyset) *Outbound {
	return &Outbound{db, columns{keys}, outside}
}

// NewEvents returns the rows of event notifications that buckets promised.
func NewEvents(db *DB, keys *envelope.Keyset) *Outbound {
	return &Outbound{db, columns{keys}, ofEvents}
}

func deliveryOf(id string) string { return "delivery " + id }

// Add implements outbound.Store.
func (s *Outbound) Add(ctx context.Context, list ...outbound.Delivery) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { return addDeliveries(ctx, tx, s.table, s.seals, list) })
}

func addDeliveries(ctx context.Context, tx *sql.Tx, table string, seals columns, list []outbound.Delivery) error {
	for _, d := range list {
		header, err := json.Marshal(d.Header)
		if err != nil {
			return err
		}
		body, err := seals.seal(string(d.Body), deliveryOf(d.ID))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `insert into `+table+` (id, kind, origin, target, header, body, created_at, next_at)
			values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (id) do nothing`, d.ID, d.Kind, d.Origin, d.Target, string(header), body, Micros(d.CreatedAt))
		if err != nil {
			return err
		}
	}
	return nil
}

// Claim implements outbound.Store.
func (s *Outbound) Claim(ctx context.Context, now, until time.Time, limit int) ([]outbound.Delivery, error) {
	var some int
	err := s.db.Read().QueryRowContext(ctx, `select count(*) from (select 1 from `+s.table+` where dead_at = 0 and next_at <= $1 limit 1) x`, Micros(now)).Scan(&some)
	if err != nil || some == 0 {
		return nil, wrap("store.Outbound.Claim", err)
	}
	var out []outbound.Delivery
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		out = nil
		rows, err := tx.QueryContext(ctx, `update `+s.table+` set next_at = $1
			where id in (select id from `+s.table+` where dead_at = 0 and next_at <= $2 order by next_at limit $3) and dead_at = 0 and next_at <= $2
			returning id, kind, origin, target, header, body, attempts, created_at`, Micros(until), Micros(now), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d outbound.Delivery
			var header, body string
			var created int64
			if err := rows.Scan(&d.ID, &d.Kind, &d.Origin, &d.Target, &header, &body, &d.Attempts, &created); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(header), &d.Header); err != nil {
				return err
			}
			if body, err = s.seals.open(body, deliveryOf(d.ID)); err != nil {
				return err
			}
			d.Body, d.CreatedAt = []byte(body), Time(created)
			out = append(out, d)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return out, err
}

func (s *Outbound) exec(ctx context.Context, text string, args ...any) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, text, args...)
		return err
	})
}

// Sent implements outbound.Store.
func (s *Outbound) Sent(ctx context.Context, id string) error {
	return s.exec(ctx, `delete from `+s.table+` where id = $1`, id)
}

// Failed implements outbound.Store.
func (s *Outbound) Failed(ctx context.Context, id, reason string, next time.Time) error {
	return s.exec(ctx, `update `+s.table+` set attempts = attempts + 1, last_error = $1, next_at = $2 where id = $3`, reason, Micros(next), id)
}

// Dead implements outbound.Store.
func (s *Outbound) Dead(ctx context.Context, id, reason string, now time.Time) error {
	return s.exec(ctx, `update `+s.table+` set attempts = attempts + 1, last_error = $1, dead_at = $2 where id = $3`, reason, Micros(now), id)
}

// Standing implements outbound.Store.
func (s *Outbound) Standing(ctx context.Context) (waiting, dead int64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `select coalesce(sum(case when dead_at = 0 then 1 else 0 end), 0), coalesce(sum(case when dead_at > 0 then 1 else 0 end), 0)
		from `+s.table).Scan(&waiting, &dead)
	return waiting, dead, wrap("store.Outbound.Standing", err)
}

// Retire implements outbound.Store.
func (s *Outbound) Retire(ctx context.Context, before time.Time) error {
	var some int
	err := s.db.Read().QueryRowContext(ctx, `select count(*) from (select 1 from `+s.table+` where dead_at > 0 and dead_at < $1 limit 1) x`, Micros(before)).Scan(&some)
	if err != nil || some == 0 {
		return wrap("store.Outbound.Retire", err)
	}
	return s.exec(ctx, `delete from `+s.table+` where dead_at > 0 and dead_at < $1`, Micros(before))
}
