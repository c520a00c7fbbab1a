package snsapi

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/messaging"
	"fiducial/internal/policy"
)

type topicXML struct {
	TopicArn string
}

func (a *API) topics() []awsapi.Operation {
	return []awsapi.Operation{
		a.operation(row{name: "CreateTopic", do: a.createTopic}),
		a.operation(row{name: "DeleteTopic", member: "TopicArn", gone: true, do: func(ctx context.Context, r *request) (any, error) { return nil, a.m.DeleteTopic(ctx, r.topic) }}),
		{Name: "ListTopics", Action: "sns:ListTopics", Resource: anything, Handle: a.listTopics},
		a.operation(row{name: "GetTopicAttributes", member: "TopicArn", do: a.topicAttributes}),
		a.operation(row{name: "SetTopicAttributes", member: "TopicArn", do: func(ctx context.Context, r *request) (any, error) {
			return nil, a.m.SetTopicAttribute(ctx, r.topic, r.Form.Get("AttributeName"), r.Form.Get("AttributeValue"))
		}}),
	}
}

func anything(*awsapi.Call) string { return "*" }

func (a *API) createTopic(ctx context.Context, r *request) (any, error) {
	if len(awsapi.Members(r.Form, "Tags")) > 0 {
		return nil, invalid("Tags", "tags of topics are not built on this server")
	}
	attributes, err := attributesIn(r.Form)
	if err != nil {
		return nil, err
	}
	t, err := a.m.CreateTopic(ctx, r.Form.Get("Name"), attributes)
	return topicXML{a.m.TopicARN(t.Name)}, err
}

func (a *API) listTopics(ctx context.Context, c *awsapi.Call) (any, error) {
	after, err := page(c.Form)
	if err != nil {
		return nil, err
	}
	list, err := a.m.Topics(ctx, after, pageSize+1)
	if err != nil {
		return nil, err
	}
	var out struct {
		Topics    []topicXML `xml:"Topics>member"`
		NextToken string     `xml:",omitempty"`
	}
	list, out.NextToken = cut(list, func(t messaging.Topic) string { return t.Name })
	for _, t := range list {
		out.Topics = append(out.Topics, topicXML{a.m.TopicARN(t.Name)})
	}
	return out, nil
}

func (a *API) topicAttributes(ctx context.Context, r *request) (any, error) {
	confirmed, pending := 0, 0
	for after := ""; ; {
		list, err := a.m.Subscriptions(ctx, r.topic.Name, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			if after = b.ID; b.Token == "" {
				confirmed++
			} else {
				pending++
			}
		}
		if len(list) < pageSize {
			break
		}
	}
	out := map[string]string{"TopicArn": r.arn, "Owner": a.m.Account(), "DisplayName": r.topic.Attributes["DisplayName"],
		"SubscriptionsConfirmed": fmt.Sprint(confirmed), "SubscriptionsPending": fmt.Sprint(pending), "SubscriptionsDeleted": "0"}
	if p := r.topic.Attributes["Policy"]; p != "" {
		out["Policy"] = p
	}
	return attributesOut(out), nil
}

type subscriptionXML struct {
	SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string
}

func (a *API) subscriptionOut(b messaging.Subscription) subscriptionXML {
	out := subscriptionXML{a.m.SubscriptionARN(b), b.Owner, b.Protocol, b.Endpoint, a.m.TopicARN(b.Topic)}
	if b.Token != "" {
		out.SubscriptionArn = "PendingConfirmation"
	}
	return out
}

type subscribedXML struct{ SubscriptionArn string }

func (a *API) subscriptions() []awsapi.Operation {
	return []awsapi.Operation{
		a.operation(row{name: "Subscribe", member: "TopicArn", do: a.subscribe, keys: func(r *request) []policy.Key {
			return []policy.Key{{Name: "sns:Protocol", Value: r.Form.Get("Protocol")}, {Name: "sns:Endpoint", Value: r.Form.Get("Endpoint")}}
		}}),
		{
			// The token is the proof; whoever has it may ask, signed or not.
			Name: "ConfirmSubscription", Action: "sns:ConfirmSubscription", SelfAuthorized: true, Open: true, Handle: a.confirm,
			Resource: func(c *awsapi.Call) string {
				if arn := c.Form.Get("TopicArn"); topicARN.MatchString(arn) {
					return arn
				}
				return "*"
			},
		},
		a.operation(row{name: "Unsubscribe", member: "SubscriptionArn", do: func(ctx context.Context, r *request) (any, error) { return nil, a.m.Unsubscribe(ctx, r.subscription) }}),
		{Name: "ListSubscriptions", Action: "sns:ListSubscriptions", Resource: anything, Handle: func(ctx context.Context, c *awsapi.Call) (any, error) {
			return a.listSubscriptions(ctx, c, "")
		}},
		a.operation(row{name: "ListSubscriptionsByTopic", member: "TopicArn", do: func(ctx context.Context, r *request) (any, error) {
			return a.listSubscriptions(ctx, r.Call, r.topic.Name)
		}}),
		a.operation(row{name: "GetSubscriptionAttributes", member: "SubscriptionArn", do: func(_ context.Context, r *request) (any, error) {
			b := a.subscriptionOut(r.subscription)
			return attributesOut(map[string]string{"SubscriptionArn": a.m.SubscriptionARN(r.subscription), "TopicArn": b.TopicArn, "Owner": b.Owner, "Protocol": b.Protocol, "Endpoint": b.Endpoint,
				"RawMessageDelivery": fmt.Sprint(r.subscription.Raw), "PendingConfirmation": fmt.Sprint(r.subscription.Token != "")}), nil
		}}),
		a.operation(row{name: "SetSubscriptionAttributes", member: "SubscriptionArn", do: func(ctx context.Context, r *request) (any, error) {
			return nil, a.m.SetSubscriptionAttribute(ctx, r.subscription, r.Form.Get("AttributeName"), r.Form.Get("AttributeValue"))
		}}),
	}
}

func (a *API) subscribe(ctx context.Context, r *request) (any, error) {
	attributes, err := attributesIn(r.Form)
	if err != nil {
		return nil, err
	}
	b, err := a.m.Subscribe(ctx, r.topic, r.Form.Get("Protocol"), r.Form.Get("Endpoint"), attributes)
	if err != nil {
		return nil, err
	}
	out := subscribedXML{a.m.SubscriptionARN(b)}
	if b.Token != "" && !strings.EqualFold(r.Form.Get("ReturnSubscriptionArn"), "true") {
		out.SubscriptionArn = "pending confirmation"
	}
	return out, nil
}

func (a *API) confirm(ctx context.Context, c *awsapi.Call) (any, error) {
	if len(c.Form["Token"]) > 1 || len(c.Form["TopicArn"]) > 1 {
		return nil, invalid("Token", "is given twice")
	}
	b, err := a.m.Confirm(ctx, c.Form.Get("TopicArn"), c.Form.Get("Token"))
	return subscribedXML{a.m.SubscriptionARN(b)}, err
}

func (a *API) listSubscriptions(ctx context.Context, c *awsapi.Call, topic string) (any, error) {
	after, err := page(c.Form)
	if err != nil {
		return nil, err
	}
	list, err := a.m.Subscriptions(ctx, topic, after, pageSize+1)
	if err != nil {
		return nil, err
	}
	var out struct {
		Subscriptions []subscriptionXML `xml:"Subscriptions>member"`
		NextToken     string            `xml:",omitempty"`
	}
	list, out.NextToken = cut(list, func(b messaging.Subscription) string { return b.ID })
	for _, b := range list {
		out.Subscriptions = append(out.Subscriptions, a.subscriptionOut(b))
	}
	return out, nil
}

type publishedXML struct{ MessageId string }

func (a *API) publishing() []awsapi.Operation {
	return []awsapi.Operation{
		a.operation(row{name: "Publish", member: "TopicArn", do: func(ctx context.Context, r *request) (any, error) {
			m, err := messageIn(r.Form)
			if err != nil {
				return nil, err
			}
			if _, err := messaging.CheckMessage(m, "Message"); err != nil {
				return nil, err
			}
			id, err := a.m.Publish(ctx, r.topic, m)
			return publishedXML{id}, err
		}}),
		a.operation(row{name: "PublishBatch", member: "TopicArn", do: a.publishBatch}),
	}
}

var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

type batchXML struct {
	Successful []struct{ Id, MessageId string } `xml:"Successful>member"`
	Failed     []batchFailureXML                `xml:"Failed>member"`
}

type batchFailureXML struct {
	Id, Code, Message string
	SenderFault       bool
}

// publishBatch publishes what is right of a batch, all of it or nothing, and names
// what is wrong.
func (a *API) publishBatch(ctx context.Context, r *request) (any, error) {
	coded := func(code, why string) error {
		return fault.Coded("snsapi.PublishBatch", fault.Invalid, code, why)
	}
	entries := awsapi.Members(r.Form, "PublishBatchRequestEntries")
	switch {
	case len(entries) == 0:
		return nil, coded("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case len(entries) > 10:
		return nil, coded("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible: 10.")
	}
	var out batchXML
	var messages []messaging.Message
	var ids []string
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		id := e.Get("Id")
		if !batchID.MatchString(id) {
			return nil, coded("InvalidBatchEntryId", "Id: must be 1-80 letters, digits, hyphens and underscores")
		}
		if seen[id] {
			return nil, coded("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[id] = true
		m, err := messageIn(e)
		var n int
		if err == nil {
			n, err = messaging.CheckMessage(m, "Message")
		}
		if err != nil {
			out.Failed = append(out.Failed, batchFailureXML{id, "InvalidParameter", fault.MessageOf(err), true})
			continue
		}
		size += n
		messages, ids = append(messages, m), append(ids, id)
	}
	if size > messaging.MaxMessage {
		return nil, coded("BatchRequestTooLong", fmt.Sprintf("The messages of the batch have %d bytes, more than %d.", size, messaging.MaxMessage))
	}
	if len(messages) == 0 {
		return out, nil
	}
	published, err := a.m.PublishAll(ctx, r.topic, messages)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		out.Successful = append(out.Successful, struct{ Id, MessageId string }{id, published[i]})
	}
	return out, nil
}
