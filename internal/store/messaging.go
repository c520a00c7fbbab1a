package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"fiducial/internal/envelope"
	"fiducial/internal/messaging"
)

// Messaging implements messaging.Store.
type Messaging struct {
	db    *DB
	seals columns
}

var _ messaging.Store = (*Messaging)(nil)

// NewMessaging returns the rows of topics, queues and messages in db. Messages are
// sealed under keys; nil: they are not.
func NewMessaging(db *DB, keys *envelope.Keyset) *Messaging {
	return &Messaging{db: db, seals: columns{keys}}
}

func scanTopic(row interface{ Scan(...any) error }) (*messaging.Topic, error) {
	var t messaging.Topic
	var attributes string
	var created int64
	if err := row.Scan(&t.Name, &attributes, &created); err != nil {
		return nil, err
	}
	t.CreatedAt = Time(created)
	return &t, json.Unmarshal([]byte(attributes), &t.Attributes)
}

const topicColumns = "name, attributes, created_at"

func topicRow(ctx context.Context, q querier, name string) (messaging.Topic, error) {
	const op = "store.Topic"
	t, err := scanTopic(q.QueryRowContext(ctx, "select "+topicColumns+" from sns_topics where name = $1", name))
	if err != nil {
		return messaging.Topic{}, notFound(op, err, "there is no such topic")
	}
	return *t, nil
}

// PutTopic implements messaging.Store.
func (s *Messaging) PutTopic(ctx context.Context, t messaging.Topic) (out messaging.Topic, err error) {
	attributes, err := json.Marshal(t.Attributes)
	if err != nil {
		return out, wrap("store.PutTopic", err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into sns_topics (name, attributes, created_at) values ($1, $2, $3) on conflict (name) do nothing",
			t.Name, string(attributes), Micros(t.CreatedAt))
		if err == nil {
			out, err = topicRow(ctx, tx, t.Name)
		}
		return err
	})
	return out, err
}

// Topic implements messaging.Store.
func (s *Messaging) Topic(ctx context.Context, name string) (messaging.Topic, error) {
	return topicRow(ctx, s.db.Read(), name)
}

// UpdateTopic implements messaging.Store.
func (s *Messaging) UpdateTopic(ctx context.Context, name string, change func(*messaging.Topic) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		t, err := topicRow(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := change(&t); err != nil {
			return err
		}
		attributes, err := json.Marshal(t.Attributes)
		if err == nil {
			_, err = tx.ExecContext(ctx, "update sns_topics set attributes = $1 where name = $2", string(attributes), name)
		}
		return err
	})
}

// DeleteTopic implements messaging.Store.
func (s *Messaging) DeleteTopic(ctx context.Context, name string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "delete from sns_subscriptions where topic = $1", name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "delete from sns_topics where name = $1", name)
		return err
	})
}

// Topics implements messaging.Store.
func (s *Messaging) Topics(ctx context.Context, after string, limit int) ([]messaging.Topic, error) {
	return listRows(ctx, s.db.Read(), "store.Topics", scanTopic, "select "+topicColumns+" from sns_topics where name > $1 order by name limit $2", after, limit)
}

const subscriptionColumns = "id, topic, protocol, endpoint, owner, raw, token, created_at"

func scanSubscription(row interface{ Scan(...any) error }) (*messaging.Subscription, error) {
	var b messaging.Subscription
	var raw, created int64
	err := row.Scan(&b.ID, &b.Topic, &b.Protocol, &b.Endpoint, &b.Owner, &raw, &b.Token, &created)
	b.Raw, b.CreatedAt = raw == 1, Time(created)
	return &b, err
}

func subscriptionRow(ctx context.Context, q querier, id string) (messaging.Subscription, error) {
	b, err := scanSubscription(q.QueryRowContext(ctx, "select "+subscriptionColumns+" from sns_subscriptions where id = $1", id))
	if err != nil {
		return messaging.Subscription{}, notFound("store.Subscription", err, "there is no such subscription")
	}
	return *b, nil
}

// PutSubscription implements messaging.Store.
func (s *Messaging) PutSubscription(ctx context.Context, b messaging.Subscription) (out messaging.Subscription, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := topicRow(ctx, tx, b.Topic); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "insert into sns_subscriptions ("+subscriptionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)
			on conflict (topic, protocol, endpoint) do nothing`, b.ID, b.Topic, b.Protocol, b.Endpoint, b.Owner, Bool(b.Raw), b.Token, Micros(b.CreatedAt))
		if err != nil {
			return err
		}
		there, err := scanSubscription(tx.QueryRowContext(ctx, "select "+subscriptionColumns+" from sns_subscriptions where topic = $1 and protocol = $2 and endpoint = $3",
			b.Topic, b.Protocol, b.Endpoint))
		if err == nil {
			out = *there
		}
		return err
	})
	return out, err
}

// Subscription implements messaging.Store.
func (s *Messaging) Subscription(ctx context.Context, id string) (messaging.Subscription, error) {
	return subscriptionRow(ctx, s.db.Read(), id)
}

// UpdateSubscription implements messaging.Store.
func (s *Messaging) UpdateSubscription(ctx context.Context, id string, change func(*messaging.Subscription) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		b, err := subscriptionRow(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := change(&b); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "update sns_subscriptions set raw = $1, token = $2 where id = $3", Bool(b.Raw), b.Token, id)
		return err
	})
}

// DeleteSubscription implements messaging.Store.
func (s *Messaging) DeleteSubscription(ctx context.Context, id string) error {
	return s.exec(ctx, "delete from sns_subscriptions where id = $1", id)
}

// Subscriptions implements messaging.Store.
func (s *Messaging) Subscriptions(ctx context.Context, topic, after string, limit int) ([]messaging.Subscription, error) {
	return listRows(ctx, s.db.Read(), "store.Subscriptions", scanSubscription, "select "+subscriptionColumns+` from sns_subscriptions
		where (topic = $1 or $1 = '') and id > $2 order by id limit $3`, topic, after, limit)
}

const queueColumns = "name, attributes, created_at, modified_at"

func scanQueue(row interface{ Scan(...any) error }) (*messaging.Queue, error) {
	var q messaging.Queue
	var attributes string
	var created, modified int64
	if err := row.Scan(&q.Name, &attributes, &created, &modified); err != nil {
		return nil, err
	}
	q.CreatedAt, q.ModifiedAt = Time(created), Time(modified)
	return &q, json.Unmarshal([]byte(attributes), &q.Attributes)
}

func queueRow(ctx context.Context, q querier, name string) (messaging.Queue, error) {
	out, err := scanQueue(q.QueryRowContext(ctx, "select "+queueColumns+" from sqs_queues where name = $1", name))
	if err != nil {
		return messaging.Queue{}, notFound("store.Queue", err, "there is no such queue")
	}
	return *out, nil
}

// PutQueue implements messaging.Store.
func (s *Messaging) PutQueue(ctx context.Context, q messaging.Queue) (out messaging.Queue, err error) {
	attributes, err := json.Marshal(q.Attributes)
	if err != nil {
		return out, wrap("store.PutQueue", err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into sqs_queues (name, attributes, created_at, modified_at) values ($1, $2, $3, $4) on conflict (name) do nothing",
			q.Name, string(attributes), Micros(q.CreatedAt), Micros(q.ModifiedAt))
		if err == nil {
			out, err = queueRow(ctx, tx, q.Name)
		}
		return err
	})
	return out, err
}

// Queue implements messaging.Store.
func (s *Messaging) Queue(ctx context.Context, name string) (messaging.Queue, error) {
	return queueRow(ctx, s.db.Read(), name)
}

// UpdateQueue implements messaging.Store.
func (s *Messaging) UpdateQueue(ctx context.Context, name string, change func(*messaging.Queue) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q, err := queueRow(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := change(&q); err != nil {
			return err
		}
		attributes, err := json.Marshal(q.Attributes)
		if err == nil {
			_, err = tx.ExecContext(ctx, "update sqs_queues set attributes = $1, modified_at = $2 where name = $3", string(attributes), Micros(q.ModifiedAt), name)
		}
		return err
	})
}

// DeleteQueue implements messaging.Store.
func (s *Messaging) DeleteQueue(ctx context.Context, name string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "delete from sqs_messages where queue = $1", name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "delete from sqs_queues where name = $1", name)
		return err
	})
}

// Queues implements messaging.Store.
func (s *Messaging) Queues(ctx context.Context, prefix, after string, limit int) ([]messaging.Queue, error) {
	like := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(prefix) + "%"
	list, err := listRows(ctx, s.db.Read(), "store.Queues", scanQueue, "select "+queueColumns+` from sqs_queues
		where name like $1 escape '\' and name > $2 order by name limit $3`, like, after, limit)
	// SQLite's like does not tell "A" from "a".
	out := list[:0]
	for _, q := range list {
		if strings.HasPrefix(q.Name, prefix) {
			out = append(out, q)
		}
	}
	return out, err
}

func (s *Messaging) exec(ctx context.Context, text string, args ...any) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, text, args...)
		return err
	})
}

// What sealed columns are bound to.
func messageOf(id string) string    { return "message " + id }
func attributesOf(id string) string { return "attributes of message " + id }
