// Package lambda runs a function by the Invoke operation of AWS Lambda's API, at
// AWS or at any endpoint that has it. Requests are signed with what AWS's own
// tools would use here: the AWS_* variables, the shared files, the container's
// or instance's role. That is the server's identity, not the execution role's,
// whose right to invoke was decided before.
package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/logging"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
	"fiducial/internal/functions"
	"fiducial/internal/labeling/engine"
)

// Runner runs the functions of one setting.
type Runner struct {
	setting functions.Lambda
	config  aws.Config
}

// New makes a runner. It finds out where credentials come from and asks nobody.
func New(ctx context.Context, f functions.Setting) (*Runner, error) {
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithLogger(logging.Nop{})} // it would write to stderr
	if f.Lambda.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(f.Lambda.Profile))
	}
	c, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fault.E("lambda.New", fault.Invalid, "functions ("+f.ARN+"): lambda: the AWS configuration cannot be read: "+err.Error(), err)
	}
	return &Runner{*f.Lambda, c}, nil
}

// client is for one function: its region is in its ARN, unless the setting has one.
func (r *Runner) client(functionARN string) *lambda.Client {
	return lambda.NewFromConfig(r.config, func(o *lambda.Options) {
		o.Region = cmp.Or(r.setting.Region, regionOf(functionARN), r.config.Region)
		if r.setting.Endpoint != "" {
			o.BaseEndpoint = &r.setting.Endpoint
		}
		o.Retryer = aws.NopRetryer{} // the service above tries again
		o.HTTPClient = bounded{cmp.Or[aws.HTTPClient](o.HTTPClient, http.DefaultClient)}
	})
}

func regionOf(functionARN string) string {
	a, err := arn.Parse(functionARN)
	if err != nil {
		return ""
	}
	return a.Region
}

// Run implements functions.Runner.
func (r *Runner) Run(ctx context.Context, req functions.Request) ([]byte, error) {
	name := cmp.Or(r.setting.Function, req.ARN)
	out, err := r.client(req.ARN).Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeRequestResponse, Payload: req.Event})
	if err != nil {
		return nil, explained(req.ARN, err)
	}
	if out.FunctionError == nil {
		return out.Payload, nil
	}
	own, reported := functions.Report(out.Payload)
	if !reported {
		own = &engine.FunctionError{Message: string(out.Payload[:min(len(out.Payload), functions.MaxMessage)])}
	}
	own.Type = cmp.Or(own.Type, *out.FunctionError)
	return nil, own
}

// explained says what went wrong in words that may be shown.
func explained(functionARN string, err error) error {
	const op = "lambda.Run"
	if errors.Is(err, errTooLong) {
		return functions.TooLarge()
	}
	kind, what := fault.Unavailable, "cannot be reached: "+err.Error()
	var api interface {
		ErrorCode() string
		ErrorMessage() string
	}
	if errors.As(err, &api) {
		what = fmt.Sprintf("cannot be invoked: Lambda answers %s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	var res *awshttp.ResponseError
	if errors.As(err, &res) {
		switch status := res.HTTPStatusCode(); {
		case status == http.StatusForbidden, status == http.StatusUnauthorized:
			kind = fault.Denied
		case status == http.StatusNotFound:
			kind = fault.NotFound
		case status == http.StatusRequestEntityTooLarge:
			return &engine.FunctionError{Type: "RequestTooLarge", Message: what}
		case status == http.StatusTooManyRequests, status == http.StatusConflict, status >= 500:
		case status >= 400:
			kind = fault.Invalid
		}
	}
	return fault.E(op, kind, functions.Cut("The function "+functionARN+" "+what, functions.MaxMessage), err)
}

// bounded keeps an endpoint from filling the memory: the client reads whole
// answers.
type bounded struct{ next aws.HTTPClient }

var errTooLong = errors.New("the answer is too long")

// Do implements aws.HTTPClient.
func (b bounded) Do(req *http.Request) (*http.Response, error) {
	res, err := b.next.Do(req)
	if err == nil {
		res.Body = &boundedBody{res.Body, functions.MaxPayload + 1}
	}
	return res, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
