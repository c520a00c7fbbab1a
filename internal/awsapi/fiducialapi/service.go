// Package fiducialapi is the administrators' API for what AWS has no operation
// for: why a worker can or cannot open an object, the end of media URLs, and the
// quality control of labeling jobs. It
// speaks JSON 1.1 like SageMaker (target prefix Fiducial, service name fiducial in
// the signature), so that any AWS client library can be pointed at it, and is
// decided and recorded like every other operation.
package fiducialapi

import (
	"context"

	"fiducial/internal/access"
	"fiducial/internal/access/explain"
	"fiducial/internal/audit/report"
	"fiducial/internal/awsapi"
	"fiducial/internal/workforce"
)

// Explainer explains; *explain.Service.
type Explainer interface {
	Explain(ctx context.Context, q explain.Question) (explain.Answer, error)
	FindWorker(ctx context.Context, name string) (workforce.Worker, error)
}

// Revoker ends grants; *access.Service.
type Revoker interface {
	Revoke(ctx context.Context, reason string, subjects ...access.Subject) error
}

// Teams knows work teams; *workforce.Service.
type Teams interface {
	DescribeWorkteam(ctx context.Context, name string) (workforce.Workteam, error)
	Team(ctx context.Context, teamARN string) (workforce.Workteam, error)
}

// Deps is what the service needs.
type Deps struct {
	Explain Explainer
	Revoke  Revoker
	Teams   Teams
	Jobs    func(ctx context.Context, name string) (string, error) // a job's own name; NotFound if there is none
	Quality Quality
	Report  func(ctx context.Context, q ReportQuery) (*report.Report, error)
	Region  string
	Account string
}

// API translates.
type API struct{ Deps }

// New makes the API.
func New(d Deps) *API { return &API{d} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	return &awsapi.Service{
		Name: "fiducial", Protocol: awsapi.JSON11, TargetPrefix: "Fiducial",
		Operations: append([]awsapi.Operation{a.explainAccess(), a.revokeAccess(), a.getAccessReport()}, a.quality()...),
	}
}

// operation makes a row of the table.
func operation[In any](name string, input *awsapi.Shape, resource func(*In) string, handle func(context.Context, *In) (any, error)) awsapi.Operation {
	return awsapi.Operation{
		Name: name, Action: "fiducial:" + name, Decode: awsapi.DecodeAs[In](input),
		Resource: func(c *awsapi.Call) string { return resource(c.Input.(*In)) },
		Handle:   func(ctx context.Context, c *awsapi.Call) (any, error) { return handle(ctx, c.Input.(*In)) },
	}
}

func structure(members ...awsapi.Member) *awsapi.Shape {
	return &awsapi.Shape{Type: awsapi.Structure, Members: members}
}

func need(name string, s *awsapi.Shape) awsapi.Member {
	return awsapi.Member{Name: name, Shape: s, Required: true}
}

func may(name string, s *awsapi.Shape) awsapi.Member { return awsapi.Member{Name: name, Shape: s} }

// text is a string of 1 to most characters.
func text(most int64) *awsapi.Shape {
	return &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(most)}
}

var (
	jobName  = &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(1), Max: awsapi.Bound(88), Pattern: awsapi.NewPattern(`[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}|flow-definition\.[a-z0-9-]{1,63}\.[a-z0-9]{8}`)}
	endpoint = &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(64), Pattern: awsapi.NewPattern(`vpce-[0-9a-z]+`)}
	uri      = &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(1100), Pattern: awsapi.NewPattern(`s3://[^/]+/(?s:.+)`)}
	address  = text(64)
	who      = text(320)
)
