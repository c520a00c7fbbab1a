package messaging

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/outbound"
	"fiducial/internal/policy"
)

// Topic finds a topic by its ARN; NotFound if there is none.
func (s *Service) Topic(ctx context.Context, topicARN string) (Topic, error) {
	name := s.here("sns", topicARN)
	if name == "" {
		return Topic{}, noTopic()
	}
	t, err := s.o.Store.Topic(ctx, name)
	if fault.Is(err, fault.NotFound) {
		err = noTopic()
	}
	return t, err
}

// CreateTopic makes a topic, or answers with the one of its name. Attributes of
// one that is there must be the same where they are given.
func (s *Service) CreateTopic(ctx context.Context, name string, attributes map[string]string) (Topic, error) {
	const op = "messaging.CreateTopic"
	if err := checkTopicName(name); err != nil {
		return Topic{}, err
	}
	for k, v := range attributes {
		if err := s.checkTopicAttribute(k, v); err != nil {
			return Topic{}, err
		}
	}
	if attributes == nil {
		attributes = map[string]string{}
	}
	t, err := s.o.Store.PutTopic(ctx, Topic{Name: name, Attributes: attributes, CreatedAt: s.o.Now()})
	if err != nil {
		return t, err
	}
	for k, v := range attributes {
		if t.Attributes[k] != v {
			return t, invalid(op, "Attributes", "the topic exists already with another "+k)
		}
	}
	return t, nil
}

func (s *Service) checkTopicAttribute(name, value string) error {
	const op, m = "messaging.SetTopicAttributes", "Attributes"
	switch name {
	case "DisplayName":
		if len(value) > 100 {
			return invalid(op, m, "DisplayName has more than 100 characters")
		}
		return checkText(op, m, value)
	case "Policy":
		return s.checkPolicy(op, value)
	case "FifoTopic":
		if value == "false" {
			return nil
		}
		return invalid(op, m, "FIFO topics are not built")
	}
	return invalid(op, m, name+" cannot be set on this server; it has Policy and DisplayName")
}

func (s *Service) checkPolicy(op, text string) error {
	if text == "" {
		return nil
	}
	if _, err := policy.Parse([]byte(text), policy.Resource); err != nil {
		return invalid(op, "Policy", "is not a policy: "+fault.MessageOf(err))
	}
	return nil
}

// SetTopicAttribute sets one attribute.
func (s *Service) SetTopicAttribute(ctx context.Context, t Topic, name, value string) error {
	if err := s.checkTopicAttribute(name, value); err != nil {
		return err
	}
	return s.o.Store.UpdateTopic(ctx, t.Name, func(t *Topic) error {
		if t.Attributes[name] = value; value == "" {
			delete(t.Attributes, name)
		}
		return nil
	})
}

// DeleteTopic deletes a topic and its subscriptions.
func (s *Service) DeleteTopic(ctx context.Context, t Topic) error {
	return s.o.Store.DeleteTopic(ctx, t.Name)
}

// Topics lists topics.
func (s *Service) Topics(ctx context.Context, after string, limit int) ([]Topic, error) {
	return s.o.Store.Topics(ctx, after, limit)
}

// Subscriptions lists the subscriptions of a topic, or all for "".
func (s *Service) Subscriptions(ctx context.Context, topic, after string, limit int) ([]Subscription, error) {
	return s.o.Store.Subscriptions(ctx, topic, after, limit)
}

// Subscribe subscribes a queue of this account, at once, or an http endpoint, which
// has to confirm: whoever receives the token there shows that he wants the
// messages. Only hosts that the configuration allows can be subscribed.
func (s *Service) Subscribe(ctx context.Context, t Topic, protocol, endpoint string, attributes map[string]string) (Subscription, error) {
	const op = "messaging.Subscribe"
	b := Subscription{ID: s.o.NewID(), Topic: t.Name, Protocol: protocol, Endpoint: endpoint, Owner: s.o.Account, CreatedAt: s.o.Now()}
	for k, v := range attributes {
		if err := setSubscription(&b, k, v); err != nil {
			return b, err
		}
	}
	switch protocol {
	case "sqs":
		if s.here("sqs", endpoint) == "" {
			return b, invalid(op, "Endpoint", "expected the ARN of a queue of this account and region, such as "+s.QueueARN("NAME"))
		}
	case "http", "https":
		if !strings.HasPrefix(endpoint, protocol+"://") || len(endpoint) > 2048 {
			return b, invalid(op, "Endpoint", "expected a URL that begins with "+protocol+"://, of at most 2048 bytes")
		}
		if err := s.o.Hosts.Check(endpoint); err != nil {
			return b, invalid(op, "Endpoint", fault.MessageOf(err))
		}
		var secret [32]byte
		if _, err := io.ReadFull(s.o.Random, secret[:]); err != nil {
			return b, fault.E(op, fault.Internal, "", err)
		}
		b.Token = base64.RawURLEncoding.EncodeToString(secret[:])
	default:
		return b, invalid(op, "Protocol", "must be sqs, http or https")
	}
	b, err := s.o.Store.PutSubscription(ctx, b)
	if fault.Is(err, fault.NotFound) {
		return b, noTopic()
	}
	if err != nil || b.Token == "" {
		return b, err
	}
	// Subscribing again sends the token again.
	return b, s.post(ctx, nil, []outbound.Delivery{s.confirmation(b)})
}

// confirmation asks an endpoint whether it wants the messages.
func (s *Service) confirmation(b Subscription) outbound.Delivery {
	id, topic := s.o.NewID(), s.TopicARN(b.Topic)
	doc, _ := json.Marshal(map[string]string{ // strings always marshal
		"Type": "SubscriptionConfirmation", "MessageId": id, "Token": b.Token, "TopicArn": topic, "Timestamp": stamp(s.o.Now()),
		"Message":      "You have chosen to subscribe to the topic " + topic + ".\nTo confirm the subscription, visit the SubscribeURL included in this message.",
		"SubscribeURL": s.o.URL + "/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=" + b.Token,
	})
	return s.delivery(b, id, "SubscriptionConfirmation", doc)
}

// Confirm confirms the subscription of the topic that has the token. Whoever knows
// the token may: it is 32 random bytes that only the endpoint was sent.
func (s *Service) Confirm(ctx context.Context, topicARN, token string) (Subscription, error) {
	const op = "messaging.ConfirmSubscription"
	bad := invalid(op, "Token", "is not the token of a subscription of the topic "+topicARN)
	t, err := s.Topic(ctx, topicARN)
	if fault.Is(err, fault.NotFound) || token == "" {
		return Subscription{}, bad
	}
	if err != nil {
		return Subscription{}, err
	}
	for after := ""; ; {
		list, err := s.o.Store.Subscriptions(ctx, t.Name, after, 100)
		if err != nil {
			return Subscription{}, err
		}
		for _, b := range list {
			after = b.ID
			if b.Token == "" || subtle.ConstantTimeCompare([]byte(b.Token), []byte(token)) != 1 {
				continue
			}
			b.Token = ""
			return b, s.o.Store.UpdateSubscription(ctx, b.ID, func(b *Subscription) error { b.Token = ""; return nil })
		}
		if len(list) < 100 {
			return Subscription{}, bad
		}
	}
}

// Subscription finds a subscription by its ARN; NotFound if there is none.
func (s *Service) Subscription(ctx context.Context, subscriptionARN string) (Subscription, error) {
	const op = "messaging.Subscription"
	none := fault.Coded(op, fault.NotFound, "", "Subscription does not exist")
	topic, id, ok := strings.Cut(s.here("sns", subscriptionARN), ":")
	if !ok {
		return Subscription{}, none
	}
	b, err := s.o.Store.Subscription(ctx, id)
	if fault.Is(err, fault.NotFound) || err == nil && b.Topic != topic {
		return Subscription{}, none
	}
	return b, err
}

// Unsubscribe ends a subscription.
func (s *Service) Unsubscribe(ctx context.Context, b Subscription) error {
	return s.o.Store.DeleteSubscription(ctx, b.ID)
}

// SetSubscriptionAttribute sets one attribute.
func (s *Service) SetSubscriptionAttribute(ctx context.Context, b Subscription, name, value string) error {
	return s.o.Store.UpdateSubscription(ctx, b.ID, func(b *Subscription) error { return setSubscription(b, name, value) })
}

func setSubscription(b *Subscription, name, value string) error {
	const op, m = "messaging.SetSubscriptionAttributes", "Attributes"
	if name != "RawMessageDelivery" {
		return invalid(op, m, name+" cannot be set on this server; it has RawMessageDelivery")
	}
	switch strings.ToLower(value) {
	case "true":
		b.Raw = true
	case "false":
		b.Raw = false
	default:
		return invalid(op, m, "RawMessageDelivery must be true or false")
	}
	return nil
}
