// Package awsapi is the AWS-shaped API port: it reads a request in one of AWS's
// two RPC protocols, establishes who asks, decides whether they may, hands the
// call to an operation and writes what the operation returned.
//
// A service is a table of operations. The pipeline stands once around all
// tables, so that no operation can be reached past it:
//
//	read body (bounded) → signature and caller → operation → decode and check
//	the input → authorize (IAM action on a resource) → record the decision →
//	handle → write
//
// The input is checked before it is authorized because its names become part of
// the ARN that policies are matched against; a name that breaks its pattern must
// not reach the policy engine. The decision is recorded before the operation
// runs: what cannot be recorded is not done, and a crash between the two leaves
// a record too many, never one too few.
//
// Protocols: "AWS JSON 1.1" (X-Amz-Target names the operation, body and answer
// are JSON; SageMaker, Cognito; SQS calls the same 1.0), "AWS query" (the form member Action names
// the operation, the answer is XML; IAM, STS, SNS) and "REST JSON" (method and path
// name the operation; the Augmented AI runtime). S3 is not spoken here: Mux hands
// its requests to another handler.
package awsapi

import (
	"context"
	"net/url"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
)

// Protocol is how a service speaks.
type Protocol uint8

// The protocols.
const (
	JSON11 Protocol = iota
	Query
	REST
)

// Service is one AWS service: a name, a protocol and a table.
type Service struct {
	Name         string // in the credential scope: "sagemaker", "sts"
	Protocol     Protocol
	TargetPrefix string // JSON11: X-Amz-Target is TargetPrefix.Operation
	PathPrefix   string // REST: what all of its paths begin with; another service may have the same Name
	ID           string // what Mux.Do calls it; Name if empty
	MaxBody      int64  // bytes of a request; 4 MiB if zero
	Version      string // Query: the API version, for information
	Namespace    string // Query: the XML namespace of answers
	Operations   []Operation

	// Planned names operations of the service's model that are not built:
	// they get their own message, so nobody looks for a misspelling.
	Planned []string

	// Codes overrides the protocol's error code for a kind of fault:
	// SageMaker says ResourceInUse where IAM says EntityAlreadyExists.
	Codes map[fault.Kind]Code

	// JSON10 says that a JSON11 service speaks AWS JSON 1.0, which is the same but
	// for its content type.
	JSON10 bool

	// QueryCodes are the codes that a JSON service had while it spoke the query
	// protocol, by its code now: clients that know the old ones are told both
	// (x-amzn-query-error). nil: it never did.
	QueryCodes map[string]string

	// MessageMember is the name of the message in a JSON error. SageMaker's
	// modelled errors spell it "Message". Default "message".
	MessageMember string
}

// Operation is one row of a service's table.
type Operation struct {
	Name   string
	Action string // IAM action: "sagemaker:CreateLabelingJob"
	Audit  string // name in the audit record; Action if empty

	HTTP  string // REST: method and path, "GET /human-loops/{HumanLoopName}"
	Input *Shape // REST: says which members are in the path and the query

	// Decode reads Body or Form into Call.Input and checks it. Optional.
	Decode func(*Call) error

	// Resource returns the ARN that Action is asked for, "*" where the
	// action has no resource.
	Resource func(*Call) string

	// Context returns condition keys beyond the global ones, such as
	// sagemaker:WorkteamArn. Optional.
	Context func(*Call) []policy.Key

	// SelfAuthorized says that Handle makes the decision itself, as AssumeRole
	// does with the role's trust policy, or that everybody who is known may
	// ask (GetCallerIdentity). The record is then written after Handle and
	// before its answer leaves.
	SelfAuthorized bool

	// Open says that the operation may be asked without a signature, by GET: what
	// it is asked with is its own proof, such as a token that was sent to whoever
	// may ask. It is SelfAuthorized, and Call.Caller is nil then. Query only.
	Open bool

	// Decide makes the decision where it rests on more than the caller's own
	// policies, such as a KMS key's policy and grants, and says what was decided
	// about. It changes nothing. Optional; in place of Context, and Resource then
	// only names what could not be found.
	Decide func(context.Context, *Call) (resource string, d policy.Decision, err error)

	// Handle does it. The result is marshalled by its json or xml tags; nil is
	// an empty answer. Errors are faults.
	Handle func(context.Context, *Call) (any, error)
}

// AuditName is the operation's name in the audit record.
func (o *Operation) AuditName() string {
	if o.Audit != "" {
		return o.Audit
	}
	return o.Action
}

// Call is one authenticated request.
type Call struct {
	Caller    *iam.Caller
	Operation string
	Origin    origin.Origin
	RequestID string
	Agent     string     // User-Agent
	Time      time.Time  // when the request arrived
	Form      url.Values // Query
	Body      []byte     // JSON11, REST: all members of the input
	Input     any        // what Decode made of it

	gate *gate
}
