// Package stream is what makes a live job a streaming labeling job: data objects
// come from an SNS topic, and labels go to another.
//
// Like Ground Truth it makes a queue, GroundTruth- and the job's name in lower case,
// that is subscribed to the input topic, and takes messages from it when fewer than
// MaxConcurrentTaskCount objects are with the workers. What waits is therefore seen
// in the queue's attributes, and ends with the queue's retention period of 14 days.
//
// A message is deleted from the queue after its object is stored (engine.Arrive); a
// crash in between brings the message again, and its deduplication id is known then.
// So every object is labelled once. A label is published before the note that it
// was; so every label is published once at least.
package stream

import (
	"context"
	"log/slog"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/output"
	"fiducial/internal/messaging"
)

// Client is topics and queues as a job's execution role may use them.
type Client interface {
	Publish(ctx context.Context, topicARN string, m messaging.Message) (string, error)
	Subscribe(ctx context.Context, topicARN, queue string) error
	Unsubscribe(ctx context.Context, topicARN, queue string) error
	Receive(ctx context.Context, topicARN, queue string, most int) ([]messaging.Queued, error)
	Delete(ctx context.Context, topicARN, queue string, m messaging.Queued) error
}

// Roles make clients.
type Roles interface {
	Client(ctx context.Context, j *labeling.Job) (Client, error)
}

// Options are what a Service is made of. Count may be nil.
type Options struct {
	Roles Roles
	Count func(result string) // of every message: "arrived", "duplicate", "invalid", "published"
	Log   *slog.Logger
}

// Service moves messages. It implements engine.Streams and engine.Results.
type Service struct{ Options }

var (
	_ engine.Streams = (*Service)(nil)
	_ engine.Results = (*Service)(nil)
)

// New makes a service.
func New(o Options) *Service {
	if o.Count == nil {
		o.Count = func(string) {}
	}
	return &Service{o}
}

// QueueName is the name of a job's queue.
func QueueName(j *labeling.Job) string { return "GroundTruth-" + strings.ToLower(j.Name) }

// Open implements engine.Streams.
func (s *Service) Open(ctx context.Context, j *labeling.Job) error {
	c, err := s.Roles.Client(ctx, j)
	if err != nil {
		return err
	}
	return c.Subscribe(ctx, j.Live.InputTopicARN, QueueName(j))
}

// Close implements engine.Streams.
func (s *Service) Close(ctx context.Context, j *labeling.Job) error {
	c, err := s.Roles.Client(ctx, j)
	if err != nil {
		return err
	}
	return c.Unsubscribe(ctx, j.Live.InputTopicARN, QueueName(j))
}

// receiveMost is how many messages one receive brings.
const receiveMost = 10

// Pull implements engine.Streams. A message that is no data object is dropped, with
// a word in the log: to keep it would hold up those behind it.
func (s *Service) Pull(ctx context.Context, j *labeling.Job, most int, arrive func(context.Context, ...labeling.Arrival) ([]labeling.Arrived, error)) error {
	c, err := s.Roles.Client(ctx, j)
	if err != nil {
		return err
	}
	queue, topic := QueueName(j), j.Live.InputTopicARN
	for most > 0 {
		want := min(most, receiveMost)
		list, err := c.Receive(ctx, topic, queue, want)
		if err != nil {
			return err
		}
		for _, m := range list {
			objects, err := Parse(j, m.Body)
			switch {
			case fault.Is(err, fault.Invalid):
				s.Log.Warn("a message to a streaming labeling job is no data object", "job", j.Name, "message", m.ID, "why", fault.MessageOf(err))
				s.Count("invalid")
			case err != nil:
				return err
			case len(objects) > 0:
				arrived, err := arrive(ctx, objects...)
				if err != nil {
					return err
				}
				for _, a := range arrived {
					if a.Duplicate {
						s.Count("duplicate")
					} else {
						s.Count("arrived")
						most--
					}
				}
			}
			if err := c.Delete(ctx, topic, queue, m); err != nil {
				return err
			}
		}
		if len(list) < want {
			return nil
		}
	}
	return nil
}

// Labeled implements engine.Results: every labelled object's line of the output
// manifest goes to the output topic. A topic that refuses does not hold the job up:
// the label is in the output manifest all the same.
func (s *Service) Labeled(ctx context.Context, j *labeling.Job, rows []engine.Row) error {
	if j.Live.OutputTopicARN == "" {
		return nil
	}
	c, err := s.Roles.Client(ctx, j)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if len(r.Label) == 0 {
			continue
		}
		text, err := message(j, r)
		if err != nil {
			return err
		}
		_, err = c.Publish(ctx, j.Live.OutputTopicARN, messaging.Message{Body: string(text)})
		switch {
		case err == nil:
			s.Count("published")
		case fault.Is(err, fault.Denied), fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid):
			s.Log.Error("a label was not published", "job", j.Name, "object", r.Index, "topic", j.Live.OutputTopicARN, "error", err)
			s.Count("unpublished")
		default:
			return err
		}
	}
	return nil
}

// message is the line of the output manifest. One that is longer than a message may
// be goes without its label, and says so.
func message(j *labeling.Job, r engine.Row) ([]byte, error) {
	text, err := output.Line(r.Line, j.LabelAttributeName, output.Annotation{Label: r.Label, Metadata: r.Metadata})
	if err != nil || len(text) <= messaging.MaxMessage {
		return text, err
	}
	return output.Splice(r.Line, output.Member{Name: j.LabelAttributeName + "-metadata",
		Value: []byte(`{"failure-reason":"The label is longer than a message may be; it is in the output manifest."}`)})
}
