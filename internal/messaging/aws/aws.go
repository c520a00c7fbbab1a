// Package aws is topics and queues that real SNS and SQS keep. They are asked with
// the credentials that this server finds as AWS's own tools do: the AWS_* variables,
// the shared files, the container's or instance's role.
package aws

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
	"fiducial/internal/messaging"
)

// Options say which topics are there, and where there is.
type Options struct {
	Topics      []string // ARNs, * for any part
	SNSEndpoint string   // "": AWS's
	SQSEndpoint string
}

// Elsewhere implements messaging.Elsewhere.
type Elsewhere struct {
	o   Options
	sns *sns.Client
	sqs *sqs.Client
}

var _ messaging.Elsewhere = (*Elsewhere)(nil)

// New makes the clients. It asks nobody.
func New(ctx context.Context, o Options) (*Elsewhere, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fault.E("aws.New", fault.Invalid, "elsewhere-topics: the AWS settings of this machine cannot be read", err)
	}
	return &Elsewhere{o,
		sns.NewFromConfig(c, func(s *sns.Options) { s.BaseEndpoint = optional(o.SNSEndpoint) }),
		sqs.NewFromConfig(c, func(s *sqs.Options) { s.BaseEndpoint = optional(o.SQSEndpoint) })}, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Has implements messaging.Elsewhere.
func (e *Elsewhere) Has(topicARN string) bool {
	for _, p := range e.o.Topics {
		if match(p, topicARN) {
			return true
		}
	}
	return false
}

// match compares an ARN with a pattern part by part: a * never reaches over a colon.
func match(pattern, topicARN string) bool {
	ps, as := strings.Split(pattern, ":"), strings.Split(topicARN, ":")
	if len(ps) != len(as) {
		return false
	}
	for i, p := range ps {
		if !wild(p, as[i]) {
			return false
		}
	}
	return true
}

func wild(p, s string) bool {
	first, rest, ok := strings.Cut(p, "*")
	if !ok {
		return p == s
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	for i := 0; i <= len(s); i++ {
		if wild(rest, s[i:]) {
			return true
		}
	}
	return false
}

// in makes a request go to the region of the topic.
func in(topicARN string) string {
	a, err := arn.Parse(topicARN)
	if err != nil {
		return ""
	}
	return a.Region
}

func snsIn(topicARN string) func(*sns.Options) {
	return func(o *sns.Options) { o.Region = in(topicARN) }
}

func sqsIn(topicARN string) func(*sqs.Options) {
	return func(o *sqs.Options) { o.Region = in(topicARN) }
}

// Publish implements messaging.Elsewhere.
func (e *Elsewhere) Publish(ctx context.Context, topicARN string, m messaging.Message) (string, error) {
	attributes := map[string]snstypes.MessageAttributeValue{}
	for name, a := range m.Attributes {
		attributes[name] = snstypes.MessageAttributeValue{DataType: aws.String(a.DataType), StringValue: optional(a.StringValue), BinaryValue: a.BinaryValue}
	}
	out, err := e.sns.Publish(ctx, &sns.PublishInput{TopicArn: &topicARN, Message: &m.Body, Subject: optional(m.Subject), MessageAttributes: attributes}, snsIn(topicARN))
	if err != nil {
		return "", translate("sns:Publish", topicARN, err)
	}
	return aws.ToString(out.MessageId), nil
}

// Subscribe implements messaging.Elsewhere.
func (e *Elsewhere) Subscribe(ctx context.Context, topicARN, queue string) error {
	url, queueARN, err := e.queue(ctx, topicARN, queue)
	if fault.Is(err, fault.NotFound) {
		_, err = e.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &queue, Attributes: map[string]string{"MessageRetentionPeriod": "1209600"}}, sqsIn(topicARN))
		if err != nil {
			return translate("sqs:CreateQueue", queue, err)
		}
		url, queueARN, err = e.queue(ctx, topicARN, queue)
	}
	if err != nil {
		return err
	}
	if _, err := e.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": messaging.QueuePolicy(queueARN, topicARN)}}, sqsIn(topicARN)); err != nil {
		return translate("sqs:SetQueueAttributes", queueARN, err)
	}
	_, err = e.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topicARN, Protocol: aws.String("sqs"), Endpoint: &queueARN}, snsIn(topicARN))
	return translate("sns:Subscribe", topicARN, err)
}

func (e *Elsewhere) queue(ctx context.Context, topicARN, queue string) (url, queueARN string, err error) {
	found, err := e.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue}, sqsIn(topicARN))
	if err != nil {
		return "", "", translate("sqs:GetQueueUrl", queue, err)
	}
	out, err := e.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: found.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}}, sqsIn(topicARN))
	if err != nil {
		return "", "", translate("sqs:GetQueueAttributes", queue, err)
	}
	return aws.ToString(found.QueueUrl), out.Attributes["QueueArn"], nil
}

// Unsubscribe implements messaging.Elsewhere.
func (e *Elsewhere) Unsubscribe(ctx context.Context, topicARN, queue string) error {
	_, queueARN, err := e.queue(ctx, topicARN, queue)
	if err != nil {
		return err
	}
	pages := sns.NewListSubscriptionsByTopicPaginator(e.sns, &sns.ListSubscriptionsByTopicInput{TopicArn: &topicARN})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, snsIn(topicARN))
		if err != nil {
			return translate("sns:ListSubscriptionsByTopic", topicARN, err)
		}
		for _, s := range page.Subscriptions {
			if aws.ToString(s.Endpoint) == queueARN {
				_, err := e.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: s.SubscriptionArn}, snsIn(topicARN))
				return translate("sns:Unsubscribe", topicARN, err)
			}
		}
	}
	return nil
}

// Receive implements messaging.Elsewhere.
func (e *Elsewhere) Receive(ctx context.Context, topicARN, queue string, most int) ([]messaging.Queued, error) {
	found, err := e.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue}, sqsIn(topicARN))
	if err != nil {
		return nil, translate("sqs:GetQueueUrl", queue, err)
	}
	out, err := e.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: found.QueueUrl, MaxNumberOfMessages: int32(min(most, 10))}, sqsIn(topicARN)) //nolint:gosec // 1-10
	if err != nil {
		return nil, translate("sqs:ReceiveMessage", queue, err)
	}
	var list []messaging.Queued
	for _, m := range out.Messages {
		receipt, err := json.Marshal([]string{aws.ToString(found.QueueUrl), aws.ToString(m.ReceiptHandle)})
		if err != nil {
			return nil, fault.E("aws.Receive", fault.Internal, "", err)
		}
		list = append(list, messaging.Queued{ID: aws.ToString(m.MessageId), Queue: queue, Body: aws.ToString(m.Body), Receipt: string(receipt)})
	}
	return list, nil
}

// Delete implements messaging.Elsewhere.
func (e *Elsewhere) Delete(ctx context.Context, topicARN, _ string, m messaging.Queued) error {
	var receipt []string
	if err := json.Unmarshal([]byte(m.Receipt), &receipt); err != nil || len(receipt) != 2 {
		return fault.E("aws.Delete", fault.Internal, "", err)
	}
	_, err := e.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &receipt[0], ReceiptHandle: &receipt[1]}, sqsIn(topicARN))
	return translate("sqs:DeleteMessage", topicARN, err)
}

// translate makes a fault of the SDK's error.
func translate(action, what string, err error) error {
	if err == nil {
		return nil
	}
	kind, message := fault.Unavailable, "it does not answer"
	var api smithy.APIError
	if errors.As(err, &api) {
		message = api.ErrorCode() + ": " + api.ErrorMessage()
		switch code := api.ErrorCode(); {
		case strings.Contains(code, "NotFound"), strings.Contains(code, "NonExistent"), strings.Contains(code, "DoesNotExist"):
			kind = fault.NotFound
		case strings.Contains(code, "AccessDenied"), strings.Contains(code, "AuthorizationError"):
			kind = fault.Denied
		case api.ErrorFault() == smithy.FaultClient && !strings.Contains(code, "Throttl"):
			kind = fault.Invalid
		}
	}
	return fault.E("aws", kind, action+" on "+what+": "+message, err)
}
