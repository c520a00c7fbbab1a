package messaging

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"fiducial/internal/fault"
)

// The attributes of a queue that are numbers.
const (
	delaySeconds = "DelaySeconds"
	retention    = "MessageRetentionPeriod"
	waitSeconds  = "ReceiveMessageWaitTimeSeconds"
	visibility   = "VisibilityTimeout"
	maximumSize  = "MaximumMessageSize"
)

// bound is what a numeric attribute may be.
type bound struct{ low, high, otherwise int }

var bounds = map[string]bound{
	delaySeconds: {0, 900, 0},
	retention:    {60, 1_209_600, 345_600},
	waitSeconds:  {0, 20, 0},
	visibility:   {0, 43_200, 30},
	maximumSize:  {1024, MaxMessage, MaxMessage},
}

// number is a numeric attribute of the queue, or its default.
func (q *Queue) number(name string) int {
	if n, err := strconv.Atoi(q.Attributes[name]); err == nil {
		return n
	}
	return bounds[name].otherwise
}

func (q *Queue) seconds(name string) time.Duration {
	return time.Duration(q.number(name)) * time.Second
}

// WaitSeconds and Visibility are the queue's defaults for a receive.
func (q *Queue) WaitSeconds() int { return q.number(waitSeconds) }

// Visibility is how long a received message is hidden, in seconds.
func (q *Queue) Visibility() int { return q.number(visibility) }

// Queue finds a queue by its ARN; NotFound if there is none.
func (s *Service) Queue(ctx context.Context, queueARN string) (Queue, error) {
	name := s.here("sqs", queueARN)
	if name == "" {
		return Queue{}, noQueue()
	}
	q, err := s.o.Store.Queue(ctx, name)
	if fault.Is(err, fault.NotFound) {
		err = noQueue()
	}
	return q, err
}

// CreateQueue makes a queue, or answers with the one of its name, if the attributes
// that are given are the same.
func (s *Service) CreateQueue(ctx context.Context, name string, attributes map[string]string) (Queue, error) {
	const op = "messaging.CreateQueue"
	if err := checkQueueName(name); err != nil {
		return Queue{}, err
	}
	if attributes == nil {
		attributes = map[string]string{}
	}
	if err := s.checkQueueAttributes(attributes); err != nil {
		return Queue{}, err
	}
	now := s.o.Now()
	q, err := s.o.Store.PutQueue(ctx, Queue{Name: name, Attributes: attributes, CreatedAt: now, ModifiedAt: now})
	if err != nil {
		return q, err
	}
	for k, v := range attributes {
		had, ok := q.Attributes[k]
		if b, isNumber := bounds[k]; !ok && isNumber {
			had = strconv.Itoa(b.otherwise)
		}
		if had != v {
			return q, fault.Coded(op, fault.Exists, "QueueNameExists", "A queue already exists with the same name and a different value for attribute "+k)
		}
	}
	return q, nil
}

func (s *Service) checkQueueAttributes(attributes map[string]string) error {
	const op, m = "messaging.SetQueueAttributes", "Attributes"
	bad := func(code, format string, args ...any) error {
		return &fault.Error{Op: op, Kind: fault.Invalid, Field: m, Code: code, Message: m + ": " + fmt.Sprintf(format, args...)}
	}
	for name, v := range attributes {
		if b, ok := bounds[name]; ok {
			if n, err := strconv.Atoi(v); err != nil || n < b.low || n > b.high || strconv.Itoa(n) != v {
				return bad("InvalidAttributeValue", "%s must be a whole number from %d to %d", name, b.low, b.high)
			}
			continue
		}
		switch name {
		case "Policy":
			if err := s.checkPolicy(op, v); err != nil {
				return bad("InvalidAttributeValue", "%s", fault.MessageOf(err))
			}
		case "FifoQueue":
			if v != "false" {
				return bad("InvalidAttributeValue", "FIFO queues are not built")
			}
		case "SqsManagedSseEnabled": // messages are sealed in the database, whatever it says
			if v != "true" && v != "false" {
				return bad("InvalidAttributeValue", "SqsManagedSseEnabled must be true or false")
			}
		default:
			return bad("InvalidAttributeName", "%s cannot be set on this server", strconv.Quote(name[:min(len(name), 64)]))
		}
	}
	return nil
}

// SetQueueAttributes sets attributes.
func (s *Service) SetQueueAttributes(ctx context.Context, q Queue, attributes map[string]string) error {
	if err := s.checkQueueAttributes(attributes); err != nil {
		return err
	}
	return s.o.Store.UpdateQueue(ctx, q.Name, func(q *Queue) error {
		for k, v := range attributes {
			if q.Attributes[k] = v; v == "" {
				delete(q.Attributes, k)
			}
		}
		q.ModifiedAt = s.o.Now()
		return nil
	})
}

// QueueAttributes are all attributes of a queue.
func (s *Service) QueueAttributes(ctx context.Context, q Queue) (map[string]string, error) {
	n, err := s.o.Store.Counts(ctx, q.Name, s.o.Now())
	if err != nil {
		return nil, err
	}
	out := map[string]string{"QueueArn": s.QueueARN(q.Name), "SqsManagedSseEnabled": "true",
		"CreatedTimestamp": strconv.FormatInt(q.CreatedAt.Unix(), 10), "LastModifiedTimestamp": strconv.FormatInt(q.ModifiedAt.Unix(), 10),
		"ApproximateNumberOfMessages":           strconv.FormatInt(n.Visible, 10),
		"ApproximateNumberOfMessagesNotVisible": strconv.FormatInt(n.InFlight, 10),
		"ApproximateNumberOfMessagesDelayed":    strconv.FormatInt(n.Delayed, 10)}
	for name := range bounds {
		out[name] = strconv.Itoa(q.number(name))
	}
	if p := q.Attributes["Policy"]; p != "" {
		out["Policy"] = p
	}
	return out, nil
}

// Queues lists queues whose name begins with the prefix.
func (s *Service) Queues(ctx context.Context, prefix, after string, limit int) ([]Queue, error) {
	return s.o.Store.Queues(ctx, prefix, after, limit)
}

// DeleteQueue deletes a queue with its messages.
func (s *Service) DeleteQueue(ctx context.Context, q Queue) error {
	return s.o.Store.DeleteQueue(ctx, q.Name)
}

// Purge deletes all messages of a queue.
func (s *Service) Purge(ctx context.Context, q Queue) error { return s.o.Store.Purge(ctx, q.Name) }

// Sending is a message that somebody sends to a queue.
type Sending struct {
	Message
	Delay *int // seconds; nil: the queue's
}

// Send puts messages into a queue, all or none, and answers with them after that
// is durable. CheckSending has passed each.
func (s *Service) Send(ctx context.Context, q Queue, sender string, list ...Sending) ([]Queued, error) {
	out := make([]Queued, len(list))
	for i, m := range list {
		out[i] = s.message(&q, sender, m.Message)
		if m.Delay != nil {
			out[i].VisibleAt = out[i].SentAt.Add(time.Duration(*m.Delay) * time.Second)
		}
	}
	return out, s.post(ctx, out, nil)
}

// CheckSending says what is wrong with a message for the queue, and how long it is.
func (s *Service) CheckSending(q Queue, m Sending) (int, error) {
	const op = "messaging.Send"
	size, err := CheckMessage(m.Message, "MessageBody")
	if err != nil {
		return size, err
	}
	if most := q.number(maximumSize); size > most {
		return size, invalid(op, "MessageBody", fmt.Sprintf("body and attributes have %d bytes, more than the %d of the queue", size, most))
	}
	if d := m.Delay; d != nil && (*d < 0 || *d > 900) {
		return size, invalid(op, "DelaySeconds", "must be from 0 to 900")
	}
	return size, nil
}

// news tells who waits for messages that some were posted in this process. Those
// of other replicas are seen at the next look.
type news struct {
	mu sync.Mutex
	ch chan struct{}
}

func newNews() *news { return &news{ch: make(chan struct{})} }

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.ch)
	n.ch = make(chan struct{})
}

func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ch
}

// look is the pause between two looks of who waits for messages.
const look = 500 * time.Millisecond

// Receive answers with up to most messages (1-10), hides them for so many seconds,
// and waits for the first of them as long as it was asked to.
func (s *Service) Receive(ctx context.Context, q Queue, most, hide, wait int) ([]Queued, error) {
	const op = "messaging.Receive"
	var secret [12]byte
	if _, err := io.ReadFull(s.o.Random, secret[:]); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	receipt := hex.EncodeToString(secret[:])
	end := time.NewTimer(time.Duration(wait) * time.Second)
	defer end.Stop()
	for {
		posted := s.news.next()
		now := s.o.Now()
		list, err := s.o.Store.Receive(ctx, q.Name, receipt, now, now.Add(time.Duration(hide)*time.Second), most)
		if err != nil || len(list) > 0 || wait == 0 {
			return list, err
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-end.C:
			return nil, nil
		case <-s.done:
			return nil, nil
		case <-posted:
		case <-time.After(look):
		}
	}
}

// ReceiptHandle names one receive of a message.
func ReceiptHandle(m Queued) string {
	return base64.RawURLEncoding.EncodeToString([]byte(m.ID + " " + m.Receipt))
}

func parseReceipt(handle string) (id, receipt string, err error) {
	b, derr := base64.RawURLEncoding.DecodeString(handle)
	id, receipt, ok := strings.Cut(string(b), " ")
	if derr != nil || !ok || len(handle) > 1024 {
		return "", "", fault.Coded("messaging.parseReceipt", fault.Invalid, "ReceiptHandleIsInvalid", "ReceiptHandle: expected what ReceiveMessage answered")
	}
	return id, receipt, nil
}

// Delete deletes a message by the handle of its last receive. An older handle
// deletes nothing: somebody else has the message.
func (s *Service) Delete(ctx context.Context, q Queue, handle string) error {
	id, receipt, err := parseReceipt(handle)
	if err != nil {
		return err
	}
	return s.o.Store.DeleteMessage(ctx, q.Name, id, receipt)
}

// ChangeVisibility hides a message that is in flight for so many seconds from now.
func (s *Service) ChangeVisibility(ctx context.Context, q Queue, handle string, seconds int) error {
	const op = "messaging.ChangeVisibility"
	if seconds < 0 || seconds > bounds[visibility].high {
		return invalid(op, "VisibilityTimeout", "must be from 0 to 43200")
	}
	id, receipt, err := parseReceipt(handle)
	if err != nil {
		return err
	}
	now := s.o.Now()
	ok, err := s.o.Store.Hide(ctx, q.Name, id, receipt, now, now.Add(time.Duration(seconds)*time.Second))
	if err == nil && !ok {
		err = fault.Coded(op, fault.Invalid, "MessageNotInflight", "The message referred to is not in flight.")
	}
	return err
}

// Run deletes messages whose retention period is over, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	for {
		if err := s.o.Store.Expire(ctx, s.o.Now()); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("expired messages remain for now", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Minute):
		}
	}
}
