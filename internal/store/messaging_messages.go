package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"fiducial/internal/messaging"
	"fiducial/internal/outbound"
)

// Post implements messaging.Store.
func (s *Messaging) Post(ctx context.Context, messages []messaging.Queued, deliveries []outbound.Delivery) error {
	const op = "store.Post"
	type row struct{ body, attributes string }
	rows := make([]row, len(messages))
	for i, m := range messages {
		attributes, err := json.Marshal(m.Attributes)
		if err != nil {
			return wrap(op, err)
		}
		if rows[i].body, err = s.seals.seal(m.Body, messageOf(m.ID)); err != nil {
			return err
		}
		if rows[i].attributes, err = s.seals.seal(string(attributes), attributesOf(m.ID)); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i, m := range messages {
			_, err := tx.ExecContext(ctx, `insert into sqs_messages (id, queue, body, attributes, sender, sent_at, visible_at, expires_at)
				select $1, q.name, $3, $4, $5, cast($6 as bigint), cast($7 as bigint), cast($8 as bigint) from sqs_queues q where q.name = $2`,
				m.ID, m.Queue, rows[i].body, rows[i].attributes, m.Sender, Micros(m.SentAt), Micros(m.VisibleAt), Micros(m.ExpiresAt))
			if err != nil {
				return err
			}
		}
		return addDeliveries(ctx, tx, outside, s.seals, deliveries)
	})
}

// Receive implements messaging.Store. The outer "where" repeats what another
// receive may have changed since the inner one looked.
func (s *Messaging) Receive(ctx context.Context, queue, receipt string, now, until time.Time, limit int) ([]messaging.Queued, error) {
	const op = "store.Receive"
	var some int
	err := s.db.Read().QueryRowContext(ctx, `select count(*) from (select 1 from sqs_messages where queue = $1 and visible_at <= $2 and expires_at > $2 limit 1) x`,
		queue, Micros(now)).Scan(&some)
	if err != nil || some == 0 {
		return nil, wrap(op, err)
	}
	var out []messaging.Queued
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		out = nil
		rows, err := tx.QueryContext(ctx, `update sqs_messages set visible_at = $1, received = received + 1, receipt = $2,
				first_received = case when first_received = 0 then $3 else first_received end
			where id in (select id from sqs_messages where queue = $4 and visible_at <= $3 and expires_at > $3 order by visible_at, sent_at, id limit $5)
				and visible_at <= $3
			returning id, body, attributes, sender, sent_at, expires_at, received, first_received`,
			Micros(until), receipt, Micros(now), queue, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m := messaging.Queued{Queue: queue, Receipt: receipt, VisibleAt: until}
			var attributes string
			var sent, expires, first int64
			if err := rows.Scan(&m.ID, &m.Body, &attributes, &m.Sender, &sent, &expires, &m.Received, &first); err != nil {
				return err
			}
			m.SentAt, m.ExpiresAt, m.FirstReceived = Time(sent), Time(expires), Time(first)
			if m.Body, err = s.seals.open(m.Body, messageOf(m.ID)); err != nil {
				return err
			}
			if attributes, err = s.seals.open(attributes, attributesOf(m.ID)); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(attributes), &m.Attributes); err != nil {
				return err
			}
			out = append(out, m)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return out, err
}

// DeleteMessage implements messaging.Store.
func (s *Messaging) DeleteMessage(ctx context.Context, queue, id, receipt string) error {
	return s.exec(ctx, "delete from sqs_messages where id = $1 and queue = $2 and receipt = $3 and receipt <> ''", id, queue, receipt)
}

// Hide implements messaging.Store.
func (s *Messaging) Hide(ctx context.Context, queue, id, receipt string, now, until time.Time) (ok bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, `update sqs_messages set visible_at = $1 where id = $2 and queue = $3 and receipt = $4 and receipt <> '' and visible_at > $5`,
			Micros(until), id, queue, receipt, Micros(now))
		ok = n > 0
		return err
	})
	return ok, err
}

// Purge implements messaging.Store.
func (s *Messaging) Purge(ctx context.Context, queue string) error {
	return s.exec(ctx, "delete from sqs_messages where queue = $1", queue)
}

// Counts implements messaging.Store.
func (s *Messaging) Counts(ctx context.Context, queue string, now time.Time) (messaging.Counts, error) {
	var c messaging.Counts
	err := s.db.Read().QueryRowContext(ctx, `select coalesce(sum(case when visible_at <= $2 then 1 else 0 end), 0),
			coalesce(sum(case when visible_at > $2 and received > 0 then 1 else 0 end), 0),
			coalesce(sum(case when visible_at > $2 and received = 0 then 1 else 0 end), 0)
		from sqs_messages where queue = $1 and expires_at > $2`, queue, Micros(now)).Scan(&c.Visible, &c.InFlight, &c.Delayed)
	return c, wrap("store.Counts", err)
}

// Expire implements messaging.Store.
func (s *Messaging) Expire(ctx context.Context, now time.Time) error {
	return s.exec(ctx, "delete from sqs_messages where expires_at <= $1", Micros(now))
}
