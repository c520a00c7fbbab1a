package sqsapi

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (a *API) queues() []awsapi.Operation {
	return []awsapi.Operation{
		a.operation(row{name: "CreateQueue", byName: true, creates: true, do: a.createQueue}),
		a.operation(row{name: "GetQueueUrl", byName: true, do: func(_ context.Context, r *request) (any, error) {
			return queueURL{a.m.QueueURL(r.queue.Name)}, nil
		}}),
		{
			Name: "ListQueues", Action: "sqs:ListQueues", Decode: awsapi.DecodeAs[input](shapeOf()), Handle: a.listQueues,
			Resource: func(*awsapi.Call) string { return "*" },
		},
		a.operation(row{name: "DeleteQueue", do: func(ctx context.Context, r *request) (any, error) { return nil, a.m.DeleteQueue(ctx, r.queue) }}),
		a.operation(row{name: "PurgeQueue", do: func(ctx context.Context, r *request) (any, error) { return nil, a.m.Purge(ctx, r.queue) }}),
		a.operation(row{name: "GetQueueAttributes", do: a.queueAttributes}),
		a.operation(row{name: "SetQueueAttributes", required: []string{"Attributes"}, do: func(ctx context.Context, r *request) (any, error) {
			return nil, a.m.SetQueueAttributes(ctx, r.queue, r.in.Attributes)
		}}),
	}
}

type queueURL struct{ QueueUrl string }

func (a *API) createQueue(ctx context.Context, r *request) (any, error) {
	if len(r.in.Tags) > 0 {
		return nil, invalid("tags", "tags of queues are not built on this server")
	}
	q, err := a.m.CreateQueue(ctx, r.in.QueueName, r.in.Attributes)
	return queueURL{a.m.QueueURL(q.Name)}, err
}

func (a *API) listQueues(ctx context.Context, c *awsapi.Call) (any, error) {
	in := c.Input.(*input)
	limit, err := within("MaxResults", in.MaxResults, 1, 1000, 1000)
	if err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(in.NextToken)
	if err != nil {
		return nil, invalid("NextToken", "expected the NextToken of the previous answer")
	}
	list, err := a.m.Queues(ctx, in.QueueNamePrefix, string(after), limit+1)
	if err != nil {
		return nil, err
	}
	out := struct {
		QueueUrls []string
		NextToken string `json:",omitempty"`
	}{QueueUrls: []string{}}
	if len(list) > limit {
		list = list[:limit]
		if in.MaxResults != nil { // without it clients do not look for more
			out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(list[limit-1].Name))
		}
	}
	for _, q := range list {
		out.QueueUrls = append(out.QueueUrls, a.m.QueueURL(q.Name))
	}
	return out, nil
}

func (a *API) queueAttributes(ctx context.Context, r *request) (any, error) {
	all, err := a.m.QueueAttributes(ctx, r.queue)
	if err != nil {
		return nil, err
	}
	out := struct {
		Attributes map[string]string `json:",omitempty"`
	}{map[string]string{}}
	for _, name := range r.in.AttributeNames {
		v, ok := all[name]
		switch {
		case name == "All":
			out.Attributes = all
			return out, nil
		case ok:
			out.Attributes[name] = v
		case !slices.Contains(unset, name):
			return nil, fault.Coded("sqsapi.GetQueueAttributes", fault.Invalid, "InvalidAttributeName", "AttributeNames: unknown attribute "+strconv.Quote(name[:min(len(name), 64)])+".")
		}
	}
	return out, nil
}

// unset are attributes that SQS knows and that no queue here has.
var unset = []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "FifoQueue", "ContentBasedDeduplication", "KmsMasterKeyId",
	"KmsDataKeyReusePeriodSeconds", "DeduplicationScope", "FifoThroughputLimit"}
