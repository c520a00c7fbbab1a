package sqsapi

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/messaging"
)

func (a *API) messages() []awsapi.Operation {
	return []awsapi.Operation{
		a.operation(row{name: "SendMessage", required: []string{"MessageBody"}, do: a.send}),
		a.operation(row{name: "SendMessageBatch", action: "SendMessage", required: []string{"Entries"}, do: a.sendBatch}),
		a.operation(row{name: "ReceiveMessage", do: a.receive}),
		a.operation(row{name: "DeleteMessage", required: []string{"ReceiptHandle"}, do: func(ctx context.Context, r *request) (any, error) {
			return nil, a.m.Delete(ctx, r.queue, r.in.ReceiptHandle)
		}}),
		a.operation(row{name: "DeleteMessageBatch", action: "DeleteMessage", required: []string{"Entries"}, do: func(ctx context.Context, r *request) (any, error) {
			return batch(r, func(e *entry) error { return a.m.Delete(ctx, r.queue, e.ReceiptHandle) })
		}}),
		a.operation(row{name: "ChangeMessageVisibility", required: []string{"ReceiptHandle", "VisibilityTimeout"}, do: func(ctx context.Context, r *request) (any, error) {
			return nil, a.m.ChangeVisibility(ctx, r.queue, r.in.ReceiptHandle, *r.in.VisibilityTimeout)
		}}),
		a.operation(row{name: "ChangeMessageVisibilityBatch", action: "ChangeMessageVisibility", required: []string{"Entries"}, do: func(ctx context.Context, r *request) (any, error) {
			return batch(r, func(e *entry) error {
				if e.VisibilityTimeout == nil {
					return invalid("VisibilityTimeout", "is required")
				}
				return a.m.ChangeVisibility(ctx, r.queue, e.ReceiptHandle, *e.VisibilityTimeout)
			})
		}}),
	}
}

func refuseFIFO(group, deduplication string) error {
	if group != "" || deduplication != "" {
		return invalid("MessageGroupId", "MessageGroupId and MessageDeduplicationId are of FIFO queues, which are not built")
	}
	return nil
}

type sent struct {
	Id                     string `json:",omitempty"`
	MessageId              string
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
}

func sentOut(id string, m messaging.Queued) sent {
	return sent{id, m.ID, messaging.BodyMD5(m.Body), messaging.AttributesMD5(m.Attributes)}
}

func (a *API) send(ctx context.Context, r *request) (any, error) {
	if err := refuseFIFO(r.in.MessageGroupId, r.in.MessageDeduplicationId); err != nil {
		return nil, err
	}
	m := messaging.Sending{Message: messaging.Message{Body: r.in.MessageBody, Attributes: r.in.MessageAttributes}, Delay: r.in.DelaySeconds}
	if _, err := a.m.CheckSending(r.queue, m); err != nil {
		return nil, err
	}
	list, err := a.m.Send(ctx, r.queue, r.Caller.UserID, m)
	if err != nil {
		return nil, err
	}
	return sentOut("", list[0]), nil
}

type failed struct {
	Id, Code, Message string
	SenderFault       bool
}

var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkBatch(entries []entry) error {
	coded := func(code, why string) error { return fault.Coded("sqsapi.batch", fault.Invalid, code, why) }
	seen := map[string]bool{}
	switch {
	case len(entries) == 0:
		return coded("EmptyBatchRequest", "Entries: there must be at least one entry in the request.")
	case len(entries) > 10:
		return coded("TooManyEntriesInBatchRequest", "Entries: the maximum number of entries per request is 10.")
	}
	for _, e := range entries {
		if !batchID.MatchString(e.Id) {
			return coded("InvalidBatchEntryId", "Id: must be 1-80 letters, digits, hyphens and underscores.")
		}
		if seen[e.Id] {
			return coded("BatchEntryIdsNotDistinct", "Id: "+e.Id+" is repeated.")
		}
		seen[e.Id] = true
	}
	return nil
}

func failure(id string, err error) failed {
	code := fault.CodeOf(err)
	if code == "" {
		code = "InvalidParameterValue"
	}
	return failed{id, code, fault.MessageOf(err), true}
}

// own reports whether err is the sender's and so an entry's, not the whole batch's.
func own(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.Limit) || fault.Is(err, fault.NotFound)
}

type batched[T any] struct {
	Successful []T
	Failed     []failed `json:",omitempty"`
}

func (a *API) sendBatch(ctx context.Context, r *request) (any, error) {
	if err := checkBatch(r.in.Entries); err != nil {
		return nil, err
	}
	out := batched[sent]{Successful: []sent{}}
	var list []messaging.Sending
	var ids []string
	size := 0
	for _, e := range r.in.Entries {
		m := messaging.Sending{Message: messaging.Message{Body: e.MessageBody, Attributes: e.MessageAttributes}, Delay: e.DelaySeconds}
		err := refuseFIFO(e.MessageGroupId, e.MessageDeduplicationId)
		n := 0
		if err == nil {
			n, err = a.m.CheckSending(r.queue, m)
		}
		if err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		size += n
		list, ids = append(list, m), append(ids, e.Id)
	}
	if size > messaging.MaxMessage {
		return nil, fault.Coded("sqsapi.SendMessageBatch", fault.Invalid, "BatchRequestTooLong",
			fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", messaging.MaxMessage, size))
	}
	if len(list) == 0 {
		return out, nil
	}
	stored, err := a.m.Send(ctx, r.queue, r.Caller.UserID, list...)
	if err != nil {
		return nil, err
	}
	for i, m := range stored {
		out.Successful = append(out.Successful, sentOut(ids[i], m))
	}
	return out, nil
}

// batch does each entry by itself.
func batch(r *request, do func(*entry) error) (any, error) {
	if err := checkBatch(r.in.Entries); err != nil {
		return nil, err
	}
	type done struct{ Id string }
	out := batched[done]{Successful: []done{}}
	for i := range r.in.Entries {
		e := &r.in.Entries[i]
		switch err := do(e); {
		case err == nil:
			out.Successful = append(out.Successful, done{e.Id})
		case own(err):
			out.Failed = append(out.Failed, failure(e.Id, err))
		default:
			return nil, err
		}
	}
	return out, nil
}

type received struct {
	MessageId              string
	ReceiptHandle          string
	MD5OfBody              string
	Body                   string
	Attributes             map[string]string              `json:",omitempty"`
	MD5OfMessageAttributes string                         `json:",omitempty"`
	MessageAttributes      map[string]messaging.Attribute `json:",omitempty"`
}

func (a *API) receive(ctx context.Context, r *request) (any, error) {
	most, err := within("MaxNumberOfMessages", r.in.MaxNumberOfMessages, 1, 10, 1)
	if err != nil {
		return nil, err
	}
	hide, err := within("VisibilityTimeout", r.in.VisibilityTimeout, 0, 43_200, r.queue.Visibility())
	if err != nil {
		return nil, err
	}
	wait, err := within("WaitTimeSeconds", r.in.WaitTimeSeconds, 0, 20, r.queue.WaitSeconds())
	if err != nil {
		return nil, err
	}
	list, err := a.m.Receive(ctx, r.queue, most, hide, wait)
	if err != nil {
		return nil, err
	}
	var out struct {
		Messages []received `json:",omitempty"`
	}
	system := append(r.in.AttributeNames, r.in.MessageSystemAttributeNames...)
	for _, m := range list {
		one := received{MessageId: m.ID, ReceiptHandle: messaging.ReceiptHandle(m), MD5OfBody: messaging.BodyMD5(m.Body), Body: m.Body, Attributes: systemAttributes(m, system)}
		for name, v := range m.Attributes {
			if !wanted(name, r.in.MessageAttributeNames) {
				continue
			}
			if one.MessageAttributes == nil {
				one.MessageAttributes = map[string]messaging.Attribute{}
			}
			one.MessageAttributes[name] = v
		}
		one.MD5OfMessageAttributes = messaging.AttributesMD5(one.MessageAttributes)
		out.Messages = append(out.Messages, one)
	}
	return out, nil
}

func systemAttributes(m messaging.Queued, names []string) map[string]string {
	all := map[string]string{"SenderId": m.Sender, "SentTimestamp": strconv.FormatInt(m.SentAt.UnixMilli(), 10),
		"ApproximateReceiveCount": strconv.Itoa(m.Received), "ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.FirstReceived.UnixMilli(), 10)}
	if slices.Contains(names, "All") {
		return all
	}
	out := map[string]string{}
	for _, n := range names {
		if v, ok := all[n]; ok {
			out[n] = v
		}
	}
	return out
}

// wanted reports whether an attribute is among those named: by name, by a prefix
// ("bar.*"), or all ("All", ".*").
func wanted(name string, names []string) bool {
	for _, n := range names {
		prefix, wild := strings.CutSuffix(n, ".*")
		if n == "All" || n == ".*" || n == name || wild && strings.HasPrefix(name, prefix+".") {
			return true
		}
	}
	return false
}
