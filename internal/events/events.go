// Package events tells those outside what happens: that a labeling job has ended,
// that a human loop has. An event has the form in which Amazon EventBridge carries
// it, and the words of SageMaker's documentation.
//
// It goes to webhooks, wrapped as a CloudEvent (version 1.0, structured JSON), and to
// a topic as it is. Every event arrives once at least; a repeat has the same id.
package events

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/messaging"
	"fiducial/internal/outbound"
)

// The detail types of events, as SageMaker names them.
const (
	LabelingJobStateChange = "SageMaker Ground Truth Labeling Job State Change"
	HumanLoopStatusChange  = "SageMaker A2I HumanLoop Status Change"
)

// Event is what has happened.
type Event struct {
	ID         string    // the same when it is emitted again; empty: made
	DetailType string    // LabelingJobStateChange, …
	Time       time.Time // zero: now
	Resources  []string  // ARNs
	Detail     any       // marshals to a JSON object
}

// Sink takes events.
type Sink interface {
	// Emit returns after the event is stored for everyone who is to hear of it.
	Emit(ctx context.Context, e Event) error
}

// Webhook is an http endpoint that hears of events.
type Webhook struct {
	Name   string
	URL    string
	Events []string // detail types; empty: all
}

// Origin is what the webhook's deliveries are known by.
func (w Webhook) Origin() string { return "webhook " + w.Name }

// Promises keep deliveries.
type Promises interface {
	Add(ctx context.Context, list ...outbound.Delivery) error
}

// Publisher publishes to topics.
type Publisher interface {
	PublishFor(ctx context.Context, service, sourceARN, topicARN string, m messaging.Message) error
}

// Options are what a Service is made of. With neither Webhooks nor Topic events are
// only logged.
type Options struct {
	Webhooks        []Webhook
	Topic           string // ARN; "" for none
	Promises        Promises
	Publisher       Publisher
	Account, Region string
	Now             func() time.Time
	NewID           func() string // a UUID
	Log             *slog.Logger
}

// Service implements Sink.
type Service struct{ o Options }

var _ Sink = (*Service)(nil)

// New makes a service.
func New(o Options) *Service { return &Service{o} }

// envelope is the event as EventBridge carries it.
type envelope struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     any      `json:"detail"`
}

// cloudEvent wraps an envelope. "type" is the detail type, "source" names the account
// in which it happened, "subject" what it happened to.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            string          `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

// Emit implements Sink. A topic that refuses is logged: it does not keep the event
// from the webhooks, nor from being told.
func (s *Service) Emit(ctx context.Context, e Event) error {
	const op = "events.Emit"
	if e.ID == "" {
		e.ID = s.o.NewID()
	}
	if e.Time.IsZero() {
		e.Time = s.o.Now()
	}
	at := e.Time.UTC().Format(time.RFC3339)
	doc, err := json.Marshal(envelope{"0", e.ID, e.DetailType, "aws.sagemaker", s.o.Account, at, s.o.Region, e.Resources, e.Detail})
	if err != nil {
		return fault.E(op, fault.Internal, "", err)
	}
	subject := ""
	if len(e.Resources) > 0 {
		subject = e.Resources[0]
	}
	s.o.Log.Info("event", "type", e.DetailType, "id", e.ID, "resource", subject)
	if s.o.Topic != "" {
		err := s.o.Publisher.PublishFor(ctx, messaging.ServiceEvents, subject, s.o.Topic, messaging.Message{Body: string(doc)})
		if fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
			s.o.Log.Error("an event was not published", "topic", s.o.Topic, "id", e.ID, "error", err)
		} else if err != nil {
			return err
		}
	}
	var list []outbound.Delivery
	for _, w := range s.o.Webhooks {
		if len(w.Events) > 0 && !slices.Contains(w.Events, e.DetailType) {
			continue
		}
		body, err := json.Marshal(cloudEvent{"1.0", e.ID, "arn:aws:sagemaker:" + s.o.Region + ":" + s.o.Account, e.DetailType, subject, at, "application/json", doc})
		if err != nil {
			return fault.E(op, fault.Internal, "", err)
		}
		list = append(list, outbound.Delivery{ID: e.ID + "/" + w.Name, Kind: outbound.HTTP, Origin: w.Origin(), Target: w.URL,
			Header: map[string]string{"Content-Type": "application/cloudevents+json; charset=UTF-8"}, Body: body, CreatedAt: s.o.Now()})
	}
	return s.o.Promises.Add(ctx, list...)
}
