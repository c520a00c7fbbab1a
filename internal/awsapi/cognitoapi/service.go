// Package cognitoapi is as much of Cognito's user pool API as building a private
// workforce takes: pools, clients, groups and the people in them. Nobody signs
// in through it; that is the portal's. Members of requests that concern what is
// not here (messages, federation, tokens) are ignored, except where ignoring
// them would leave somebody less protected than they asked to be.
package cognitoapi

import (
	"context"
	"encoding/base64"
	"strings"

	"fiducial/internal/arn"
	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/signin"
	"fiducial/internal/workforce"
)

// Passwords keeps the passwords of workers.
type Passwords interface {
	// SetPassword replaces a worker's password. One that is not good enough is
	// an Invalid fault with Cognito's code InvalidPasswordException.
	SetPassword(ctx context.Context, workerID string, p signin.Password, permanent bool) error
	// Forget removes a worker's password; having none is no error.
	Forget(ctx context.Context, workerID string) error
}

// SignIns are the portal's sessions.
type SignIns interface {
	EndAll(ctx context.Context, workerID, reason string) error
}

// Deps is what the service needs.
type Deps struct {
	Workforce *workforce.Service
	Passwords Passwords
	SignIns   SignIns // nil: there is no portal
	Region    string
	Account   string
}

// API translates.
type API struct{ Deps }

// New makes the API.
func New(d Deps) *API { return &API{d} }

// Service is the operation table.
func (a *API) Service() *awsapi.Service {
	s := &awsapi.Service{
		Name:         "cognito-idp",
		Protocol:     awsapi.JSON11,
		TargetPrefix: "AWSCognitoIdentityProviderService",
		Codes: map[fault.Kind]awsapi.Code{
			fault.Internal: {Name: "InternalErrorException", Status: 500},
			fault.Invalid:  {Name: "InvalidParameterException", Status: 400},
			fault.InUse:    {Name: "InvalidParameterException", Status: 400},
		},
	}
	s.Operations = append(s.Operations, a.pools()...)
	s.Operations = append(s.Operations, a.groups()...)
	s.Operations = append(s.Operations, a.users()...)
	return s
}

// inPool is the input of every operation on one pool.
type inPool interface{ pool() string }

// operation makes a row of the table. Its resource is the pool.
func operation[In any, P interface {
	*In
	inPool
}](a *API, name string, input *awsapi.Shape, handle func(context.Context, *In) (any, error)) awsapi.Operation {
	return row(name, input, func(in *In) string { return a.poolARN(P(in).pool()) }, handle)
}

func row[In any](name string, input *awsapi.Shape, resource func(*In) string, handle func(context.Context, *In) (any, error)) awsapi.Operation {
	decode := awsapi.DecodeAs[In](input)
	return awsapi.Operation{
		Name: name, Action: "cognito-idp:" + name,
		Decode: func(c *awsapi.Call) error {
			err := decode(c)
			if fault.CodeOf(err) == "ValidationException" { // Cognito's word for it
				return fault.Coded("cognitoapi.decode", fault.Invalid, "InvalidParameterException", fault.MessageOf(err))
			}
			return err
		},
		Resource: func(c *awsapi.Call) string { return resource(c.Input.(*In)) },
		Handle:   func(ctx context.Context, c *awsapi.Call) (any, error) { return handle(ctx, c.Input.(*In)) },
	}
}

func (a *API) poolARN(id string) string {
	return arn.ARN{Partition: "aws", Service: "cognito-idp", Region: a.Region, Account: a.Account, Resource: "userpool/" + id}.String()
}

func invalid(message string) error {
	return fault.Newf("cognitoapi", fault.Invalid, "%s", message)
}

// nothing is an answer without members.
type nothing struct{}

const maxPage = 60

// pageSize reads Limit; 0 and absent mean the most.
func pageSize(limit int64) int {
	if limit == 0 {
		return maxPage
	}
	return int(limit)
}

// token names the last item of a page of a list.
func token(list, last string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + "\x1f" + last))
}

// after reads a token: the item that the page begins behind.
func after(list, token string) (string, error) {
	if token == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	last, ok := strings.CutPrefix(string(b), list+"\x1f")
	if err != nil || !ok {
		return "", invalid("Invalid pagination token: use the one of the previous answer to the same request.")
	}
	return last, nil
}

// cut takes the page out of items, of which one more than the page was asked
// for, and names the token of the next.
func cut[T any](items []T, size int, list string, name func(*T) string) ([]T, string) {
	if len(items) <= size {
		return items, ""
	}
	return items[:size], token(list, name(&items[size-1]))
}
