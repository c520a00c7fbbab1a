package messaging

import (
	"context"
	"fmt"
	"strconv"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
)

// Client is topics and queues as one caller may use them: a part of this server
// acts for an execution role with it. Every change is decided and on record like
// one that comes by API; so is every refusal.
//
// Topics that are elsewhere are real SNS's, which is asked with this server's own
// credentials. So that nobody uses those for what he may not do himself, the
// caller's policies must allow the action on the topic all the same.
type Client struct {
	s      *Service
	caller *iam.Caller
	job    string // on whose behalf, for the record
}

// As makes a client.
func (s *Service) As(c *iam.Caller, job string) Client { return Client{s, c, job} }

// asked is one question of a client.
type asked struct {
	action, resource, policy string
	keys                     []policy.Key
	quiet                    bool // an Allow is not worth a record: it is asked every second
}

func (c Client) decide(ctx context.Context, a asked) error {
	const op = "messaging.Client"
	q := iam.Question{Action: a.action, Resource: a.resource, ResourceAccount: AccountOf(a.resource),
		Context: policy.Context{Time: c.s.o.Now(), SecureTransport: true, ViaAWSService: true, Keys: a.keys}}
	if c.s.elsewhere(a.resource) {
		q.ResourceAccount = "" // the other side decides for its account
	}
	if a.policy != "" {
		doc, err := policy.Parse([]byte(a.policy), policy.Resource)
		if err != nil {
			return fault.E(op, fault.Internal, "", err) // it was checked when it was set
		}
		q.ResourcePolicy = doc
	}
	d, err := c.s.o.IAM.Authorize(ctx, c.caller, q)
	if err != nil {
		return err
	}
	e := &audit.Event{Time: c.s.o.Now(), Kind: audit.API, RequestID: c.s.o.NewID(), Action: a.action, Resource: a.resource, Verdict: audit.Allow,
		Statement: d.By.String(), Reason: d.Reason, Principal: c.caller.ARN, AccessKeyID: c.caller.AccessKeyID, Job: c.job}
	if d.Allowed() {
		if a.quiet {
			return nil
		}
		return c.s.o.Audit.Record(ctx, e)
	}
	e.Verdict, e.Error = audit.Deny, "AccessDenied"
	if err := c.s.o.Audit.Record(ctx, e); err != nil {
		return err
	}
	return fault.Newf(op, fault.Denied, "%s may not %s on %s: %s", c.caller.ARN, a.action, a.resource, d.Reason)
}

func (s *Service) elsewhere(topicARN string) bool {
	return s.o.Elsewhere != nil && s.o.Elsewhere.Has(topicARN)
}

// topic decides an action on a topic and finds it.
func (c Client) topic(ctx context.Context, action, topicARN string, keys ...policy.Key) (Topic, error) {
	t, missing := c.s.Topic(ctx, topicARN)
	if missing != nil && !fault.Is(missing, fault.NotFound) {
		return t, missing
	}
	if err := c.decide(ctx, asked{action: action, resource: topicARN, policy: t.Attributes["Policy"], keys: keys}); err != nil {
		return t, err
	}
	if missing != nil && !c.s.elsewhere(topicARN) {
		return t, fault.Newf("messaging.Client", fault.NotFound, "the topic %s does not exist", topicARN)
	}
	return t, nil
}

// Publish publishes to a topic.
func (c Client) Publish(ctx context.Context, topicARN string, m Message) (string, error) {
	if _, err := CheckMessage(m, "Message"); err != nil {
		return "", err
	}
	t, err := c.topic(ctx, "sns:Publish", topicARN)
	if err != nil {
		return "", err
	}
	if c.s.elsewhere(topicARN) {
		return c.s.o.Elsewhere.Publish(ctx, topicARN, m)
	}
	return c.s.Publish(ctx, t, m)
}

// Subscribe makes a queue that keeps messages for 14 days, if it is not there, and
// subscribes it to the topic. Again it changes nothing.
func (c Client) Subscribe(ctx context.Context, topicARN, queue string) error {
	queueARN := c.s.QueueARN(queue)
	if err := c.decide(ctx, asked{action: "sqs:CreateQueue", resource: queueARN}); err != nil {
		return err
	}
	t, err := c.topic(ctx, "sns:Subscribe", topicARN, policy.Key{Name: "sns:Protocol", Value: "sqs"}, policy.Key{Name: "sns:Endpoint", Value: queueARN})
	if err != nil {
		return err
	}
	if c.s.elsewhere(topicARN) {
		return c.s.o.Elsewhere.Subscribe(ctx, topicARN, queue)
	}
	q, err := c.s.Queue(ctx, queueARN)
	if fault.Is(err, fault.NotFound) {
		q, err = c.s.CreateQueue(ctx, queue, map[string]string{retention: strconv.Itoa(bounds[retention].high), "Policy": QueuePolicy(queueARN, topicARN)})
	}
	if err != nil {
		return err
	}
	// A queue of the name that somebody else made may not let the topic: the job
	// would wait for ever.
	d, err := c.s.decideService(ServiceSNS, "sqs:SendMessage", queueARN, q.Attributes["Policy"], topicARN)
	if err != nil {
		return err
	}
	if !d.Allowed() {
		return fault.Newf("messaging.Client", fault.Denied, "the queue %s is there already, and its policy does not let the topic %s send to it: %s", queueARN, topicARN, d.Reason)
	}
	_, err = c.s.Subscribe(ctx, t, "sqs", queueARN, nil)
	return err
}

// QueuePolicy lets a topic send to a queue.
func QueuePolicy(queueARN, topicARN string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sqs:SendMessage","Resource":%q,"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`,
		ServiceSNS, queueARN, topicARN)
}

// Unsubscribe ends the subscription of the queue. The queue stays, with what is in
// it.
func (c Client) Unsubscribe(ctx context.Context, topicARN, queue string) error {
	if _, err := c.topic(ctx, "sns:Unsubscribe", topicARN); err != nil {
		return err
	}
	if c.s.elsewhere(topicARN) {
		return c.s.o.Elsewhere.Unsubscribe(ctx, topicARN, queue)
	}
	b, err := c.subscription(ctx, topicARN, queue)
	if err != nil || b == nil {
		return err
	}
	return c.s.Unsubscribe(ctx, *b)
}

// subscription is the queue's to the topic; nil if there is none.
func (c Client) subscription(ctx context.Context, topicARN, queue string) (*Subscription, error) {
	for after := ""; ; {
		list, err := c.s.o.Store.Subscriptions(ctx, c.s.here("sns", topicARN), after, 100)
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			if after = b.ID; b.Protocol == "sqs" && b.Endpoint == c.s.QueueARN(queue) {
				return &b, nil
			}
		}
		if len(list) < 100 {
			return nil, nil
		}
	}
}

// Receive answers with up to most messages that the topic put into the queue; with
// none if there are none now. NotFound: topic, queue or subscription is gone, and
// no message will come any more.
func (c Client) Receive(ctx context.Context, topicARN, queue string, most int) ([]Queued, error) {
	const op = "messaging.Client"
	q, err := c.s.Queue(ctx, c.s.QueueARN(queue))
	if err != nil && (!fault.Is(err, fault.NotFound) || !c.s.elsewhere(topicARN)) {
		if fault.Is(err, fault.NotFound) {
			err = fault.Newf(op, fault.NotFound, "the queue %s does not exist any more", queue)
		}
		return nil, err
	}
	if err := c.decide(ctx, asked{action: "sqs:ReceiveMessage", resource: c.s.QueueARN(queue), policy: q.Attributes["Policy"], quiet: true}); err != nil {
		return nil, err
	}
	if c.s.elsewhere(topicARN) {
		return c.s.o.Elsewhere.Receive(ctx, topicARN, queue, most)
	}
	list, err := c.s.Receive(ctx, q, min(most, 10), q.Visibility(), 0)
	if err != nil || len(list) > 0 {
		return list, err
	}
	b, err := c.subscription(ctx, topicARN, queue)
	if err == nil && b == nil {
		return nil, fault.Newf(op, fault.NotFound, "the queue %s is not subscribed to the topic %s any more, or the topic does not exist", queue, topicARN)
	}
	return nil, err
}

// Delete deletes a message that Receive answered with.
func (c Client) Delete(ctx context.Context, topicARN, queue string, m Queued) error {
	if c.s.elsewhere(topicARN) {
		return c.s.o.Elsewhere.Delete(ctx, topicARN, queue, m)
	}
	return c.s.o.Store.DeleteMessage(ctx, queue, m.ID, m.Receipt)
}

// PublishFor publishes as a service of this server on behalf of a resource, such as
// a work team: the topic's policy must let the service, for that resource.
func (s *Service) PublishFor(ctx context.Context, service, sourceARN, topicARN string, m Message) error {
	const op = "messaging.PublishFor"
	if _, err := CheckMessage(m, "Message"); err != nil {
		return err
	}
	if s.elsewhere(topicARN) {
		_, err := s.o.Elsewhere.Publish(ctx, topicARN, m)
		return err
	}
	t, err := s.Topic(ctx, topicARN)
	if err != nil {
		return fault.Newf(op, fault.KindOf(err), "the topic %s: %s", topicARN, fault.MessageOf(err))
	}
	if err := s.permitService(ctx, service, "sns:Publish", topicARN, t.Attributes["Policy"], sourceARN); err != nil {
		return err
	}
	_, err = s.Publish(ctx, t, m)
	return err
}

// SendFor sends to a queue as a service of this server on behalf of a resource,
// likewise. Queues of real SQS are none that a service here can name.
func (s *Service) SendFor(ctx context.Context, service, sourceARN, queueARN string, m Message) error {
	const op = "messaging.SendFor"
	q, err := s.Queue(ctx, queueARN)
	if err != nil {
		return fault.Newf(op, fault.KindOf(err), "the queue %s: %s", queueARN, fault.MessageOf(err))
	}
	if _, err := s.CheckSending(q, Sending{Message: m}); err != nil {
		return err
	}
	if err := s.permitService(ctx, service, "sqs:SendMessage", queueARN, q.Attributes["Policy"], sourceARN); err != nil {
		return err
	}
	_, err = s.Send(ctx, q, service, Sending{Message: m})
	return err
}

// permitService decides what a service asks on behalf of a resource, and puts it on
// record.
func (s *Service) permitService(ctx context.Context, service, action, resource, policyText, sourceARN string) error {
	d, err := s.decideService(service, action, resource, policyText, sourceARN)
	if err != nil {
		return err
	}
	e := &audit.Event{Time: s.o.Now(), Kind: audit.API, RequestID: s.o.NewID(), Action: action, Resource: resource, Verdict: audit.Allow,
		Statement: d.By.String(), Reason: d.Reason, Principal: service}
	if service == ServiceS3 {
		e.Reason += " (for " + sourceARN + ")"
	} else {
		e.Team = sourceARN
	}
	if !d.Allowed() {
		e.Verdict, e.Error = audit.Deny, "AccessDenied"
	}
	if err := s.o.Audit.Record(ctx, e); err != nil {
		return err
	}
	if !d.Allowed() {
		return fault.Newf("messaging.permitService", fault.Denied, "%s may not %s on %s for %s: %s", service, action, resource, sourceARN, d.Reason)
	}
	return nil
}

// Vouch refuses a caller who may not publish to the topic where nothing but the
// caller's own policies could say so: the topic is elsewhere, and what a part of this
// server publishes there on its own goes with this server's credentials.
func (c Client) Vouch(ctx context.Context, topicARN string) error {
	if !c.s.elsewhere(topicARN) {
		return nil
	}
	return c.decide(ctx, asked{action: "sns:Publish", resource: topicARN})
}
