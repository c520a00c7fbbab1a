// Package sqsapi is the SQS API (AWS JSON 1.0; errors also in the words of the query
// protocol that it once spoke): queues and messages. It translates; package
// messaging knows the rules.
package sqsapi

import (
	"context"
	"slices"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/messaging"
	"fiducial/internal/policy"
)

// IAM decides.
type IAM interface {
	Authorize(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error)
}

// API translates.
type API struct {
	m   *messaging.Service
	iam IAM
}

// New makes the API of a service.
func New(m *messaging.Service, i IAM) *API { return &API{m, i} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	return &awsapi.Service{
		Name: "sqs", Protocol: awsapi.JSON11, JSON10: true, TargetPrefix: "AmazonSQS",
		Codes: map[fault.Kind]awsapi.Code{
			fault.Invalid:  {Name: "InvalidParameterValue", Status: 400},
			fault.NotFound: {Name: "QueueDoesNotExist", Status: 400},
			fault.Denied:   {Name: "AccessDeniedException", Status: 403},
		},
		QueryCodes: map[string]string{
			"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue", "QueueNameExists": "QueueAlreadyExists", "AccessDeniedException": "AccessDenied",
			"EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest", "TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
			"BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "InvalidBatchEntryId": "AWS.SimpleQueueService.InvalidBatchEntryId",
			"BatchRequestTooLong": "AWS.SimpleQueueService.BatchRequestTooLong", "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
		},
		Operations: slices.Concat(a.queues(), a.messages()),
		Planned: []string{"AddPermission", "CancelMessageMoveTask", "ListDeadLetterSourceQueues", "ListMessageMoveTasks",
			"ListQueueTags", "RemovePermission", "StartMessageMoveTask", "TagQueue", "UntagQueue"},
	}
}

// input is every member of every operation: one shape checks them all, and each
// operation requires its own.
type input struct {
	QueueUrl, QueueName, QueueNamePrefix, NextToken string
	QueueOwnerAWSAccountId                          string
	Attributes                                      map[string]string
	Tags                                            map[string]string `json:"tags"`
	AttributeNames, MessageSystemAttributeNames     []string
	MessageAttributeNames                           []string
	MessageBody, MessageGroupId                     string
	MessageDeduplicationId                          string
	DelaySeconds, MaxResults                        *int
	MaxNumberOfMessages, VisibilityTimeout          *int
	WaitTimeSeconds                                 *int
	MessageAttributes                               map[string]messaging.Attribute
	ReceiptHandle                                   string
	Entries                                         []entry
}

type entry struct {
	Id, MessageBody, ReceiptHandle         string
	MessageGroupId, MessageDeduplicationId string
	DelaySeconds, VisibilityTimeout        *int
	MessageAttributes                      map[string]messaging.Attribute
}

func text(most int64) *awsapi.Shape {
	return &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(most)}
}

func whole() *awsapi.Shape { return &awsapi.Shape{Type: awsapi.Integer} }

func list(of *awsapi.Shape, most int64) *awsapi.Shape {
	return &awsapi.Shape{Type: awsapi.List, Element: of, Max: awsapi.Bound(most)}
}

func dict(of *awsapi.Shape, most int64) *awsapi.Shape {
	return &awsapi.Shape{Type: awsapi.Map, Key: text(256), Element: of, Max: awsapi.Bound(most)}
}

// shapeOf is the shape of input, in which the members named are required.
func shapeOf(required ...string) *awsapi.Shape {
	attribute := &awsapi.Shape{Type: awsapi.Structure, Members: []awsapi.Member{
		{Name: "DataType", Shape: text(256), Required: true}, {Name: "StringValue", Shape: text(messaging.MaxMessage)},
		{Name: "BinaryValue", Shape: &awsapi.Shape{Type: awsapi.Blob, Max: awsapi.Bound(messaging.MaxMessage)}},
	}}
	attributes := dict(attribute, 100)
	body := &awsapi.Shape{Type: awsapi.String} // its bound is the queue's
	names := list(text(256), 100)
	members := []awsapi.Member{
		{Name: "QueueUrl", Shape: text(1024)}, {Name: "QueueName", Shape: text(80)}, {Name: "QueueNamePrefix", Shape: text(80)}, {Name: "NextToken", Shape: text(512)},
		{Name: "QueueOwnerAWSAccountId", Shape: text(12)}, {Name: "Attributes", Shape: dict(&awsapi.Shape{Type: awsapi.String}, 50)}, {Name: "tags", Shape: dict(text(256), 50)},
		{Name: "AttributeNames", Shape: names}, {Name: "MessageSystemAttributeNames", Shape: names}, {Name: "MessageAttributeNames", Shape: names},
		{Name: "MessageBody", Shape: body}, {Name: "MessageGroupId", Shape: text(128)}, {Name: "MessageDeduplicationId", Shape: text(128)},
		{Name: "DelaySeconds", Shape: whole()}, {Name: "MaxResults", Shape: whole()}, {Name: "MaxNumberOfMessages", Shape: whole()},
		{Name: "VisibilityTimeout", Shape: whole()}, {Name: "WaitTimeSeconds", Shape: whole()}, {Name: "MessageAttributes", Shape: attributes},
		{Name: "ReceiptHandle", Shape: text(1024)},
		{Name: "Entries", Shape: list(&awsapi.Shape{Type: awsapi.Structure, Members: []awsapi.Member{
			{Name: "Id", Shape: text(80), Required: true}, {Name: "MessageBody", Shape: body}, {Name: "ReceiptHandle", Shape: text(1024)},
			{Name: "MessageGroupId", Shape: text(128)}, {Name: "MessageDeduplicationId", Shape: text(128)},
			{Name: "DelaySeconds", Shape: whole()}, {Name: "VisibilityTimeout", Shape: whole()}, {Name: "MessageAttributes", Shape: attributes},
		}}, 100)},
	}
	for i := range members {
		members[i].Required = slices.Contains(required, members[i].Name)
	}
	return &awsapi.Shape{Type: awsapi.Structure, Members: members}
}

// request is one call about a queue.
type request struct {
	*awsapi.Call
	in      *input
	arn     string
	queue   messaging.Queue
	missing error
}

// row is how an operation differs from the next.
type row struct {
	name     string
	action   string // without service, if not name
	byName   bool   // the queue is named by QueueName, not by QueueUrl
	creates  bool   // the queue need not be there
	required []string
	do       func(context.Context, *request) (any, error)
}

func (a *API) operation(o row) awsapi.Operation {
	action := "sqs:" + o.name
	if o.action != "" {
		action = "sqs:" + o.action
	}
	first := "QueueUrl"
	if o.byName {
		first = "QueueName"
	}
	shape := shapeOf(append(o.required, first)...)
	return awsapi.Operation{
		Name: o.name, Action: action, Audit: "sqs:" + o.name,
		Decode: func(c *awsapi.Call) (err error) {
			r := &request{Call: c, in: new(input)}
			c.Input = r
			if err := awsapi.DecodeJSON(c.Body, shape, r.in); err != nil {
				return err
			}
			if !o.byName {
				r.arn, err = a.m.QueueOfURL(r.in.QueueUrl)
				return err
			}
			r.arn, err = a.m.QueueOfURL("/" + a.account(r.in) + "/" + r.in.QueueName)
			if err != nil {
				return invalid("QueueName", "must be 1-80 letters, digits, hyphens and underscores; FIFO queues are not built")
			}
			return nil
		},
		Resource: func(c *awsapi.Call) string { return c.Input.(*request).arn },
		Decide: func(ctx context.Context, c *awsapi.Call) (string, policy.Decision, error) {
			r := c.Input.(*request)
			r.queue, r.missing = a.m.Queue(ctx, r.arn)
			if r.missing != nil && !fault.Is(r.missing, fault.NotFound) {
				return "", policy.Decision{}, r.missing
			}
			q := iam.Question{Action: action, Resource: r.arn, ResourceAccount: messaging.AccountOf(r.arn), Context: c.Conditions()}
			if text := r.queue.Attributes["Policy"]; text != "" {
				doc, err := policy.Parse([]byte(text), policy.Resource)
				if err != nil {
					return "", policy.Decision{}, fault.E("sqsapi.decide", fault.Internal, "", err)
				}
				q.ResourcePolicy = doc
			}
			d, err := a.iam.Authorize(ctx, c.Caller, q)
			return r.arn, d, err
		},
		Handle: func(ctx context.Context, c *awsapi.Call) (any, error) {
			r := c.Input.(*request)
			if r.missing != nil && !o.creates {
				return nil, r.missing
			}
			return o.do(ctx, r)
		},
	}
}

func (a *API) account(in *input) string {
	if in.QueueOwnerAWSAccountId != "" {
		return in.QueueOwnerAWSAccountId
	}
	return a.m.Account()
}

func invalid(field, why string) error {
	return &fault.Error{Op: "sqsapi", Kind: fault.Invalid, Field: field, Message: field + ": " + why}
}

// within is an optional number that must be in a range.
func within(name string, p *int, low, high, otherwise int) (int, error) {
	if p == nil {
		return otherwise, nil
	}
	if *p < low || *p > high {
		return 0, &fault.Error{Op: "sqsapi", Kind: fault.Invalid, Field: name, Message: "Value for parameter " + name + " is invalid. Reason: Must be >= " + itoa(low) + " and <= " + itoa(high) + ", if provided."}
	}
	return *p, nil
}
