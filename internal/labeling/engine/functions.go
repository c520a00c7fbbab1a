package engine

import (
	"context"
	"fmt"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// Functions run the functions that requesters wrote. The same event may be
// given to a function more than once: after a crash, after a time-out, after
// an error. So functions must be idempotent, as Ground Truth's must.
type Functions interface {
	// Mapped is nil if the configuration says how a function is run. Otherwise
	// it is Invalid, and the message says how to map it.
	Mapped(functionARN string) error
	// May is nil if the configuration says how the function is run and the
	// job's execution role may invoke it. Denied: the message names the
	// statement. NotFound: the function, or the role, is not there.
	May(ctx context.Context, c Call) error
	// Invoke runs the function with an event and returns its answer. An error
	// is a *FunctionError where the function was run and did not succeed,
	// whatever was tried; or a fault: what May answers, or Unavailable (it
	// cannot be reached at the moment).
	Invoke(ctx context.Context, c Call, event []byte) (answer []byte, err error)
}

// Call says who invokes which function, for what.
type Call struct {
	Function string // its ARN
	RoleARN  string // the execution role, whose policies decide
	Job      string // its name
	JobARN   string
	ObjectID string // the data object; "" for a batch
}

// FunctionError is a function's own failure.
type FunctionError struct {
	Type    string // errorType, or what stands for it: "Timeout", "ExitStatus"
	Message string // errorMessage, cut to a length that may be shown
}

func (f *FunctionError) Error() string {
	if f.Type == "" {
		return f.Message
	}
	return f.Type + ": " + f.Message
}

func callOf(j *labeling.Job, functionARN, objectID string) Call {
	return Call{Function: functionARN, RoleARN: j.RoleARN, Job: j.Name, JobARN: j.ARN, ObjectID: objectID}
}

// mapped refuses a job with a function that nobody can run.
func (e *Engine) mapped(j *labeling.Job) error {
	for _, f := range j.OwnFunctions() {
		err := fault.Newf("engine.Create", fault.Invalid, "this server runs no functions but the built-in ones")
		if e.Functions != nil {
			mapped := e.Functions.Mapped(f.ARN)
			if mapped == nil {
				continue
			}
			err = fault.E("engine.Create", fault.KindOf(mapped), fault.MessageOf(mapped), mapped)
		}
		err.Field, err.Message = f.Member, f.Member+": "+err.Message
		return err
	}
	return nil
}

// mayInvoke fails a job whose role may not invoke its functions, before anybody
// works for it in vain.
func (e *Engine) mayInvoke(ctx context.Context, j *labeling.Job) error {
	for _, f := range j.OwnFunctions() {
		if e.Functions == nil {
			return fail("%s", uninvoked(j, f.ARN, "NotFound", "This server runs no functions but the built-in ones."))
		}
		err := e.Functions.May(ctx, callOf(j, f.ARN, ""))
		switch {
		case err == nil:
		case permanent(err):
			return fail("%s", uninvoked(j, f.ARN, refusalCode(err), fault.MessageOf(err)))
		default:
			return err
		}
	}
	return nil
}

func refusalCode(err error) string {
	switch fault.KindOf(err) {
	case fault.Denied:
		return "AccessDenied"
	case fault.NotFound:
		return "ResourceNotFound"
	}
	return "Unhandled"
}

// uninvoked is the FailureReason of a job whose function is of no use, in
// Ground Truth's words and with the reason that those leave out.
func uninvoked(j *labeling.Job, functionARN, code, reason string) string {
	return fmt.Sprintf("ClientError: Exception invoking the Lambda function %s. LambdaErrorCode: %s. Ensure the Lambda function exists, that the role %s has permissions to invoke it and try your request again. %s",
		functionARN, code, j.RoleARN, reason)
}

// hopeless reports whether a function that could not be invoked will not be
// waited for any longer: somebody would have to mend something and did not, or
// the job is to end.
func hopeless(j *labeling.Job, err error, attempts int) bool {
	return attempts >= giveUp && (permanent(err) || j.Ending != "")
}
