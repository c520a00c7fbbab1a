// Package functions runs the pre- and post-annotation functions of labeling
// jobs. A function is named by its Lambda ARN; the setting "functions" says
// what stands behind it:
//
//	lambda   Lambda's Invoke API, of AWS or of any endpoint
//	url      an HTTP server with the runtime interface emulator's protocol
//	command  a program of this machine: event on stdin, answer on stdout
//
// Children implement Runner for each. Service stands around them: it finds the
// setting, asks whether the job's execution role may invoke the function, has
// that on record, waits for a free place, bounds time and size, and tries again
// with pauses that double.
//
// # Who may
//
// As on AWS, the execution role invokes: its policies are asked for
// lambda:InvokeFunction on the function's ARN, at every try. Whoever creates a
// job needs iam:PassRole for the role and no right on the function. Which
// program runs is the operator's to say and never the requester's, who can but
// name an ARN that the configuration maps.
//
// # What is told of a failure
//
// A function's own error reaches whoever may describe the job, or read its
// output: type and message, cut to 1,000 characters; of a command the last five
// lines of stderr. The credentials and variables that were given to a command
// are struck out of it. Nothing else that a function writes is kept or logged.
package functions

import (
	"context"
	"time"
)

// MaxPayload is how long an event or an answer may be, in bytes, as Lambda
// bounds a synchronous invocation.
const MaxPayload = 6 << 20

// Request is one try to run a function.
type Request struct {
	ARN   string // as the job names it
	Name  string // the name in it, without version or alias
	Event []byte
	// Deadline is when the function is to have answered; the context ends then.
	Deadline time.Time
	// Credentials are a session of the job's execution role, for runners that
	// hand them on. The function is called when they are wanted.
	Credentials func(ctx context.Context) (Credentials, error)
}

// Credentials are AWS credentials to give to a function.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret
}

// Runner runs the functions of one setting. An error is
//
//	*engine.FunctionError              the function was run and did not succeed
//	Denied, NotFound, Invalid (faults) it cannot be run until something is changed
//	Unavailable (fault)                it cannot be run at the moment
//
// Run returns at the latest shortly after ctx ends, and leaves nothing running.
type Runner interface {
	Run(ctx context.Context, r Request) (answer []byte, err error)
}
