// Package sagemakerapi is SageMaker's API as far as Ground Truth consists of it:
// workforces, work teams, labeling jobs, flow definitions, human task UIs, template
// rendering and tags. It
// translates between the wire (package wire, generated from the service model)
// and the packages that know the rules, and decides nothing itself.
package sagemakerapi

import (
	"context"
	"io"
	"strings"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/review"
	"fiducial/internal/policy"
	"fiducial/internal/workforce"
)

// Media makes a URL under which a caller may open one object, signed with a
// session of the role.
type Media interface {
	ReadURL(ctx context.Context, roleARN, bucket, key string) (string, error)
}

// Tags keeps the tags of resources by ARN.
type Tags interface {
	Tags(ctx context.Context, arn string) ([]labeling.Tag, error)
	PutTags(ctx context.Context, arn string, tags []labeling.Tag, most int) ([]labeling.Tag, error)
	DropTags(ctx context.Context, arn string, keys ...string) error
}

// Deps is what the service needs.
type Deps struct {
	Workforce *workforce.Service
	Jobs      Jobs
	Reviews   *review.Service
	Links     *Links
	Tags      Tags
	Media     Media
	Hosts     []string // further S3 hosts whose URLs grant_read_access takes
	Region    string
	Account   string
	Warnings  Warnings // nil: none are looked for
	Now       func() time.Time
	Random    io.Reader
}

// API translates.
type API struct{ Deps }

// New makes the API.
func New(d Deps) *API { return &API{d} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	s := &awsapi.Service{
		Name:          "sagemaker",
		Protocol:      awsapi.JSON11,
		TargetPrefix:  "SageMaker",
		MessageMember: "Message",
		Codes: map[fault.Kind]awsapi.Code{
			fault.NotFound: {Name: "ResourceNotFound", Status: 400},
			fault.Exists:   {Name: "ResourceInUse", Status: 400},
			fault.InUse:    {Name: "ResourceInUse", Status: 400},
			fault.Limit:    {Name: "ResourceLimitExceeded", Status: 400},
		},
	}
	s.Operations = append(s.Operations, a.workforces()...)
	s.Operations = append(s.Operations, a.workteams()...)
	s.Operations = append(s.Operations, a.labelingJobs()...)
	s.Operations = append(s.Operations, a.taskUIs()...)
	s.Operations = append(s.Operations, a.flowDefinitions()...)
	s.Operations = append(s.Operations, a.templates()...)
	s.Operations = append(s.Operations, a.tagging()...)
	built := make(map[string]bool, len(s.Operations))
	for _, o := range s.Operations {
		built[o.Name] = true
	}
	for _, o := range wire.Operations {
		if !built[o.Name] {
			s.Planned = append(s.Planned, o.Name)
		}
	}
	return s
}

// operation makes a row of the table out of typed functions.
func operation[In any](name string, input *awsapi.Shape, resource func(*In) string,
	handle func(context.Context, *awsapi.Call, *In) (any, error)) awsapi.Operation {
	return awsapi.Operation{
		Name: name, Action: "sagemaker:" + name, Decode: awsapi.DecodeAs[In](input),
		Resource: func(c *awsapi.Call) string { return resource(c.Input.(*In)) },
		Handle: func(ctx context.Context, c *awsapi.Call) (any, error) {
			return handle(ctx, c, c.Input.(*In))
		},
	}
}

// withContext adds condition keys to a row.
func withContext[In any](o awsapi.Operation, keys func(*In) []policy.Key) awsapi.Operation {
	o.Context = func(c *awsapi.Call) []policy.Key { return keys(c.Input.(*In)) }
	return o
}

// anything is the resource of actions that have none.
func anything[In any](*In) string { return "*" }

func (a *API) arn(kind, name string) string {
	return arn.ARN{Partition: "aws", Service: "sagemaker", Region: a.Region, Account: a.Account,
		Resource: kind + "/" + strings.ToLower(name)}.String()
}

// value is *p, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// optional is a pointer to v, nil for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func invalid(format string, args ...any) error {
	return fault.Newf("sagemakerapi", fault.Invalid, format, args...)
}
