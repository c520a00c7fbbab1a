// Package a2iapi is the Augmented AI runtime's API: human loops. It translates
// between the wire (package a2iwire, generated from the service model) and package
// review, and decides nothing itself.
//
// Its requests are signed for the service "sagemaker", as SageMaker's own are, and
// are told apart by their path (REST JSON, /human-loops).
package a2iapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/a2iwire"
	"fiducial/internal/fault"
	"fiducial/internal/labeling/review"
)

// ID is what other doors of this server call the service.
const ID = "sagemaker-a2i-runtime"

// maxBody lets InputContent have its 3,145,728 characters, with up to six bytes each
// in JSON.
const maxBody = 19 << 20

// API translates.
type API struct{ reviews *review.Service }

// New makes the API.
func New(r *review.Service) *API { return &API{r} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	loop := func(name string) string { return a.reviews.LoopARN(name) }
	return &awsapi.Service{
		Name: "sagemaker", ID: ID, Protocol: awsapi.REST, PathPrefix: "/human-loops", MessageMember: "Message", MaxBody: maxBody,
		Operations: []awsapi.Operation{
			operation("StartHumanLoop", func(in *a2iwire.StartHumanLoopRequest) string { return in.FlowDefinitionArn }, a.start),
			operation("DescribeHumanLoop", func(in *a2iwire.DescribeHumanLoopRequest) string { return loop(in.HumanLoopName) }, a.describe),
			operation("ListHumanLoops", func(in *a2iwire.ListHumanLoopsRequest) string { return in.FlowDefinitionArn }, a.list),
			operation("StopHumanLoop", func(in *a2iwire.StopHumanLoopRequest) string { return loop(in.HumanLoopName) }, a.stop),
			operation("DeleteHumanLoop", func(in *a2iwire.DeleteHumanLoopRequest) string { return loop(in.HumanLoopName) }, a.delete),
		},
	}
}

// operation makes a row of the table out of typed functions and what the model says
// of the operation.
func operation[In any](name string, resource func(*In) string, handle func(context.Context, *In) (any, error)) awsapi.Operation {
	o := awsapi.Operation{
		Name: name, Action: "sagemaker:" + name,
		Resource: func(c *awsapi.Call) string { return resource(c.Input.(*In)) },
		Handle:   func(ctx context.Context, c *awsapi.Call) (any, error) { return handle(ctx, c.Input.(*In)) },
	}
	for _, m := range a2iwire.Operations {
		if m.Name == name {
			o.HTTP, o.Input = m.HTTP, m.Input
			o.Decode = awsapi.DecodeAs[In](m.Input)
		}
	}
	return o
}

func (a *API) start(ctx context.Context, in *a2iwire.StartHumanLoopRequest) (any, error) {
	s := review.Start{Name: in.HumanLoopName, FlowARN: in.FlowDefinitionArn, Input: in.HumanLoopInput.InputContent}
	if in.DataAttributes != nil {
		s.Classifiers = in.DataAttributes.ContentClassifiers
	}
	l, err := a.reviews.StartLoop(ctx, s)
	if err != nil {
		return nil, err
	}
	arn := a.reviews.LoopARN(l.Name)
	return a2iwire.StartHumanLoopResponse{HumanLoopArn: &arn}, nil
}

func (a *API) describe(ctx context.Context, in *a2iwire.DescribeHumanLoopRequest) (any, error) {
	l, err := a.reviews.Loop(ctx, in.HumanLoopName)
	if err != nil {
		return nil, err
	}
	out := a2iwire.DescribeHumanLoopResponse{
		CreationTime: awsapi.ISOAt(l.CreatedAt), HumanLoopStatus: string(l.Status), HumanLoopName: l.Name,
		HumanLoopArn: a.reviews.LoopARN(l.Name), FlowDefinitionArn: a.reviews.FlowARN(l.Flow),
	}
	if l.FailureCode != "" {
		out.FailureCode, out.FailureReason = &l.FailureCode, &l.FailureReason
	} else { // clients read it before there is a file
		out.HumanLoopOutput = &a2iwire.HumanLoopOutput{OutputS3Uri: l.OutputURI}
	}
	return out, nil
}

const defaultPage = 100

// cursor is what a NextToken says: the list that it is of, and its last loop. It
// holds no secret and is no permission.
type cursor struct {
	Flow string `json:"f"`
	Desc bool   `json:"d,omitempty"`
	At   int64  `json:"t"`
	Name string `json:"n"`
}

func (a *API) list(ctx context.Context, in *a2iwire.ListHumanLoopsRequest) (any, error) {
	f := review.Filter{CreatedAfter: at(in.CreationTimeAfter), CreatedBefore: at(in.CreationTimeBefore), Limit: defaultPage,
		Descending: in.SortOrder != nil && *in.SortOrder == "Descending"}
	if in.MaxResults != nil {
		f.Limit = int(*in.MaxResults)
	}
	if in.NextToken != nil && *in.NextToken != "" {
		c, err := readCursor(*in.NextToken)
		if err != nil || c.Flow != in.FlowDefinitionArn || c.Desc != f.Descending {
			return nil, fault.Newf("a2iapi.list", fault.Invalid, "NextToken is not valid: use the one of the previous answer, with the same flow definition and sort order.")
		}
		f.After = &review.Place{At: time.UnixMicro(c.At), Name: c.Name}
	}
	loops, more, err := a.reviews.Loops(ctx, in.FlowDefinitionArn, f)
	if err != nil {
		return nil, err
	}
	out := a2iwire.ListHumanLoopsResponse{HumanLoopSummaries: []a2iwire.HumanLoopSummary{}}
	for _, l := range loops {
		created, status, flow := awsapi.ISOAt(l.CreatedAt), string(l.Status), a.reviews.FlowARN(l.Flow)
		s := a2iwire.HumanLoopSummary{HumanLoopName: &l.Name, HumanLoopStatus: &status, CreationTime: &created, FlowDefinitionArn: &flow}
		if l.FailureReason != "" {
			s.FailureReason = &l.FailureReason
		}
		out.HumanLoopSummaries = append(out.HumanLoopSummaries, s)
	}
	if more {
		last := loops[len(loops)-1]
		b, err := json.Marshal(cursor{in.FlowDefinitionArn, f.Descending, last.CreatedAt.UnixMicro(), last.Name})
		if err != nil {
			return nil, fault.E("a2iapi.list", fault.Internal, "", err)
		}
		next := base64.RawURLEncoding.EncodeToString(b)
		out.NextToken = &next
	}
	return out, nil
}

func readCursor(token string) (c cursor, err error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c, err
}

func at(t *awsapi.ISOTime) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

func (a *API) stop(ctx context.Context, in *a2iwire.StopHumanLoopRequest) (any, error) {
	return a2iwire.StopHumanLoopResponse{}, a.reviews.StopLoop(ctx, in.HumanLoopName)
}

func (a *API) delete(ctx context.Context, in *a2iwire.DeleteHumanLoopRequest) (any, error) {
	return a2iwire.DeleteHumanLoopResponse{}, a.reviews.DeleteLoop(ctx, in.HumanLoopName)
}
