package messaging

import (
	"context"
	"encoding/json"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/outbound"
	"fiducial/internal/policy"
)

// Publish sends a message to all subscriptions of a topic, and answers with its
// id after all of that is durable.
func (s *Service) Publish(ctx context.Context, t Topic, m Message) (string, error) {
	ids, err := s.PublishAll(ctx, t, []Message{m})
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// PublishAll publishes messages that CheckMessage has passed, all or none.
func (s *Service) PublishAll(ctx context.Context, t Topic, messages []Message) ([]string, error) {
	var queued []Queued
	var deliveries []outbound.Delivery
	ids := make([]string, len(messages))
	for i := range messages {
		ids[i] = s.o.NewID()
	}
	for after := ""; ; {
		list, err := s.o.Store.Subscriptions(ctx, t.Name, after, 100)
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			if after = b.ID; b.Token != "" {
				continue
			}
			var q *Queue
			if b.Protocol == "sqs" {
				if q, err = s.open(ctx, t, b); err != nil {
					return nil, err
				}
				if q == nil {
					continue
				}
			}
			for i, m := range messages {
				if q != nil {
					queued = append(queued, s.queued(q, b, ids[i], t, m))
				} else {
					deliveries = append(deliveries, s.notification(b, ids[i], m))
				}
			}
		}
		if len(list) < 100 {
			break
		}
	}
	return ids, s.post(ctx, queued, deliveries)
}

// post stores messages and deliveries, and wakes who waits for them.
func (s *Service) post(ctx context.Context, queued []Queued, deliveries []outbound.Delivery) error {
	if len(queued)+len(deliveries) == 0 {
		return nil
	}
	if err := s.o.Store.Post(ctx, queued, deliveries); err != nil {
		return err
	}
	s.news.tell()
	if len(deliveries) > 0 {
		s.o.Nudge()
	}
	return nil
}

// open finds the queue of a subscription, if its policy lets the topic send to it;
// nil if not. AWS drops such a message without a word; we log one.
func (s *Service) open(ctx context.Context, t Topic, b Subscription) (*Queue, error) {
	q, err := s.Queue(ctx, b.Endpoint)
	if fault.Is(err, fault.NotFound) {
		s.o.Log.Warn("a topic's message has no queue to go to", "subscription", s.SubscriptionARN(b), "queue", b.Endpoint)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := s.decideService(ServiceSNS, "sqs:SendMessage", b.Endpoint, q.Attributes["Policy"], s.TopicARN(t.Name))
	if err != nil {
		return nil, err
	}
	if !d.Allowed() {
		s.o.Log.Warn("a queue's policy does not let the topic send to it", "subscription", s.SubscriptionARN(b), "queue", b.Endpoint, "reason", d.Reason)
		return nil, nil
	}
	return &q, nil
}

// decideService decides what a service asks by itself, on behalf of source. Only
// the resource's policy can let it.
func (s *Service) decideService(service, action, resource, policyText, source string) (policy.Decision, error) {
	if policyText == "" {
		return policy.Decision{By: policy.Decider{Gate: policy.ResourceGate}, Reason: "the resource has no policy that lets " + service}, nil
	}
	doc, err := policy.Parse([]byte(policyText), policy.Resource)
	if err != nil {
		return policy.Decision{}, fault.E("messaging.decide", fault.Internal, "", err) // it was checked when it was set
	}
	account := AccountOf(source)
	if account == "" { // a bucket's ARN names none
		account = s.o.Account
	}
	caller := identity.Principal{Type: identity.Service, Account: s.o.Account, ARN: service}
	return policy.Authorize(policy.Policies{Resource: doc}, &policy.Request{Principal: &caller, Action: action, Resource: resource,
		Context: policy.Context{Time: s.o.Now(), SecureTransport: true, Keys: []policy.Key{
			{Name: "aws:SourceArn", Value: source}, {Name: "aws:SourceAccount", Value: account}}}}), nil
}

// queued is a message as it goes into a queue: as it is, or in SNS's envelope.
func (s *Service) queued(q *Queue, b Subscription, id string, t Topic, m Message) Queued {
	out := s.message(q, s.TopicARN(t.Name), m)
	if !b.Raw {
		out.Body, out.Attributes = string(s.envelope(b, id, m)), nil
	}
	return out
}

// message is a message of a queue.
func (s *Service) message(q *Queue, sender string, m Message) Queued {
	now := s.o.Now()
	return Queued{ID: s.o.NewID(), Queue: q.Name, Body: m.Body, Attributes: m.Attributes, Sender: sender, SentAt: now,
		VisibleAt: now.Add(q.seconds(delaySeconds)), ExpiresAt: now.Add(q.seconds(retention))}
}

// envelope is what SNS makes of a message for who did not ask for it raw. It has no
// Signature: SNS's is made with a certificate that nobody but AWS has. A queue needs
// none, and requests to endpoints have SignatureHeader.
func (s *Service) envelope(b Subscription, id string, m Message) []byte {
	type attribute struct{ Type, Value any }
	doc := struct {
		Type, MessageId, TopicArn string
		Subject                   string `json:",omitempty"`
		Message, Timestamp        string
		UnsubscribeURL            string
		MessageAttributes         map[string]attribute `json:",omitempty"`
	}{"Notification", id, s.TopicARN(b.Topic), m.Subject, m.Body, stamp(s.o.Now()),
		s.o.URL + "/?Action=Unsubscribe&SubscriptionArn=" + s.SubscriptionARN(b), nil}
	for name, a := range m.Attributes {
		if doc.MessageAttributes == nil {
			doc.MessageAttributes = map[string]attribute{}
		}
		v := attribute{a.DataType, a.StringValue}
		if len(a.BinaryValue) > 0 {
			v.Value = a.BinaryValue // base64, as SNS writes it
		}
		doc.MessageAttributes[name] = v
	}
	out, _ := json.Marshal(doc) // strings and bytes always marshal
	return out
}

// notification is a message to an http endpoint.
func (s *Service) notification(b Subscription, id string, m Message) outbound.Delivery {
	body := []byte(m.Body)
	if !b.Raw {
		body = s.envelope(b, id, m)
	}
	return s.delivery(b, id, "Notification", body)
}

func (s *Service) delivery(b Subscription, id, kind string, body []byte) outbound.Delivery {
	h := map[string]string{"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": kind, "x-amz-sns-message-id": id, "x-amz-sns-topic-arn": s.TopicARN(b.Topic)}
	if kind == "Notification" {
		h["x-amz-sns-subscription-arn"] = s.SubscriptionARN(b)
	}
	if b.Raw {
		h["x-amz-sns-rawdelivery"] = "true"
	}
	return outbound.Delivery{ID: s.o.NewID(), Kind: outbound.HTTP, Origin: s.SubscriptionARN(b), Target: b.Endpoint, Header: h, Body: body, CreatedAt: s.o.Now()}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
