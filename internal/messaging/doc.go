// Package messaging is topics and queues: as much of SNS and SQS as labeling jobs
// and those who work with them need.
//
// A message that is published to a topic goes to every confirmed subscription: into
// a queue, as a row that is written before the publisher is answered, or to an http
// endpoint, as a promise (package outbound) that is written in the same
// transaction. What was acknowledged is therefore never lost, and a queue gets a
// message once.
//
// Who may do what is decided by the caller's own policies with the topic's or the
// queue's policy, as in AWS. A topic that puts a message into a queue is a caller
// too, the service sns.amazonaws.com, and needs a queue's policy that lets it;
// likewise the server itself: sagemaker.amazonaws.com where it tells a work team,
// s3.amazonaws.com where a bucket tells of its objects.
//
// A message in a queue is visible, or somebody has received it and has until the
// end of its visibility timeout to delete it:
//
//	visible ──► in flight ──► deleted
//	   ▲            │
//	   └────────────┘  the time is up
//
// Both end when the queue's retention period does. Order is by time, roughly;
// topics and queues in strict order (FIFO) are not built.
package messaging

import (
	"context"
	"io"
	"log/slog"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/iam"
	"fiducial/internal/outbound"
	"fiducial/internal/policy"
)

// Topic is an SNS topic.
type Topic struct {
	Name       string
	Attributes map[string]string // Policy, DisplayName
	CreatedAt  time.Time
}

// Subscription sends a topic's messages somewhere.
type Subscription struct {
	ID        string // the last part of the ARN
	Topic     string // name
	Protocol  string // sqs, http, https
	Endpoint  string // a queue's ARN, a URL
	Owner     string // account
	Raw       bool   // RawMessageDelivery
	Token     string // confirms it; empty: it is confirmed
	CreatedAt time.Time
}

// Queue is an SQS queue.
type Queue struct {
	Name                  string
	Attributes            map[string]string
	CreatedAt, ModifiedAt time.Time
}

// Attribute is a message attribute.
type Attribute struct {
	DataType    string
	StringValue string `json:",omitempty"`
	BinaryValue []byte `json:",omitempty"`
}

// Message is what is published or sent.
type Message struct {
	Subject    string // SNS only
	Body       string
	Attributes map[string]Attribute
}

// Queued is a message in a queue.
type Queued struct {
	ID         string
	Queue      string // name
	Body       string
	Attributes map[string]Attribute
	Sender     string
	SentAt     time.Time
	VisibleAt  time.Time
	ExpiresAt  time.Time

	Received      int // how often
	FirstReceived time.Time
	Receipt       string // of this receive
}

// Counts is how many messages a queue has, in each state.
type Counts struct{ Visible, InFlight, Delayed int64 }

// Store keeps topics, queues and messages. Every method is atomic. Lists are by
// name or id, and begin behind after.
type Store interface {
	// PutTopic adds a topic unless one of its name is there, and answers with the
	// one that is there then.
	PutTopic(ctx context.Context, t Topic) (Topic, error)
	Topic(ctx context.Context, name string) (Topic, error) // NotFound
	UpdateTopic(ctx context.Context, name string, change func(*Topic) error) error
	DeleteTopic(ctx context.Context, name string) error // with its subscriptions
	Topics(ctx context.Context, after string, limit int) ([]Topic, error)

	// PutSubscription adds a subscription unless the topic has one of its protocol
	// and endpoint, and answers with the one that is there then. NotFound: there is
	// no such topic.
	PutSubscription(ctx context.Context, s Subscription) (Subscription, error)
	Subscription(ctx context.Context, id string) (Subscription, error) // NotFound
	UpdateSubscription(ctx context.Context, id string, change func(*Subscription) error) error
	DeleteSubscription(ctx context.Context, id string) error
	// Subscriptions lists those of a topic, or of all for "".
	Subscriptions(ctx context.Context, topic, after string, limit int) ([]Subscription, error)

	PutQueue(ctx context.Context, q Queue) (Queue, error) // like PutTopic
	Queue(ctx context.Context, name string) (Queue, error)
	UpdateQueue(ctx context.Context, name string, change func(*Queue) error) error
	DeleteQueue(ctx context.Context, name string) error // with its messages
	Queues(ctx context.Context, prefix, after string, limit int) ([]Queue, error)

	// Post stores messages and deliveries, all or none. A message to a queue that
	// is not there any more is dropped.
	Post(ctx context.Context, messages []Queued, deliveries []outbound.Delivery) error
	// Receive answers with up to limit visible messages, the oldest first, and hides
	// them until the instant.
	Receive(ctx context.Context, queue, receipt string, now, until time.Time, limit int) ([]Queued, error)
	// DeleteMessage deletes a message if the receipt is of its last receive.
	DeleteMessage(ctx context.Context, queue, id, receipt string) error
	// Hide changes until when a message in flight is hidden; it reports whether
	// the receipt is of its last receive and the message in flight.
	Hide(ctx context.Context, queue, id, receipt string, now, until time.Time) (bool, error)
	Purge(ctx context.Context, queue string) error
	Counts(ctx context.Context, queue string, now time.Time) (Counts, error)
	// Expire deletes messages whose retention period is over.
	Expire(ctx context.Context, now time.Time) error
}

// IAM decides.
type IAM interface {
	Authorize(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error)
}

// Elsewhere are topics and queues that real SNS and SQS keep.
type Elsewhere interface {
	// Has reports whether a topic is there.
	Has(topicARN string) bool
	Publish(ctx context.Context, topicARN string, m Message) (id string, err error)
	// Subscribe makes the queue, if need be, and subscribes it to the topic.
	Subscribe(ctx context.Context, topicARN, queue string) error
	// Unsubscribe ends that. The queue stays.
	Unsubscribe(ctx context.Context, topicARN, queue string) error
	Receive(ctx context.Context, topicARN, queue string, most int) ([]Queued, error)
	Delete(ctx context.Context, topicARN, queue string, m Queued) error
}

// Options are what a Service is made of. Elsewhere and Nudge may be nil.
type Options struct {
	Store           Store
	IAM             IAM
	Audit           audit.Recorder
	Hosts           outbound.Hosts // where http subscriptions may go
	Elsewhere       Elsewhere
	Nudge           func() // deliveries were stored
	Region, Account string
	URL             string // of the API, as clients see it
	Now             func() time.Time
	Random          io.Reader
	NewID           func() string // a UUID
	Log             *slog.Logger
}

// Service knows the rules of topics and queues.
type Service struct {
	o     Options
	news  *news
	drain context.CancelFunc
	done  <-chan struct{} // closed by Drain
}

// New makes a service.
func New(o Options) *Service {
	if o.Nudge == nil {
		o.Nudge = func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Service{o: o, news: newNews(), drain: cancel, done: ctx.Done()}
}

// Drain ends the waiting of all who wait for messages: the server is stopping.
func (s *Service) Drain() { s.drain() }

// Account is the account that owns all topics and queues here.
func (s *Service) Account() string { return s.o.Account }
