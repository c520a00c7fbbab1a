package engine

import (
	"errors"
	"fmt"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// ErrLost says that another replica drives the job now.
var ErrLost = errors.New("engine: another replica holds the job")

// failure ends a job: its text is the FailureReason. The requester must be
// able to mend the job from it alone.
type failure struct{ reason string }

func (f *failure) Error() string { return f.reason }

func fail(format string, args ...any) error {
	return &failure{fmt.Sprintf(format, args...)}
}

// maxReason is the wire model's bound on FailureReason.
const maxReason = 1024

func cut(reason string) string {
	if r := []rune(reason); len(r) > maxReason {
		return string(r[:maxReason-1]) + "…"
	}
	return reason
}

// roleError is a role that could not be assumed.
type roleError struct {
	role string
	err  error
}

func (r *roleError) Error() string { return "assume " + r.role + ": " + r.err.Error() }
func (r *roleError) Unwrap() error { return r.err }

// objectError is an object that could not be read or written.
type objectError struct {
	role  string
	verb  string // "read", "write"
	what  string // "the input manifest"
	where labeling.S3URI
	err   error
}

func (o *objectError) Error() string { return o.verb + " " + o.where.String() + ": " + o.err.Error() }
func (o *objectError) Unwrap() error { return o.err }

// inputError is an input topic that could not be used.
type inputError struct {
	role, topic string
	err         error
}

func (i *inputError) Error() string { return "input topic " + i.topic + ": " + i.err.Error() }
func (i *inputError) Unwrap() error { return i.err }

// permanent reports whether trying again is of no use until somebody changes
// something, as against storage or database being away.
func permanent(err error) bool {
	switch fault.KindOf(err) {
	case fault.Denied, fault.NotFound, fault.Invalid:
		return true
	}
	return false
}

// explain says in words for a requester why a step did not succeed.
func explain(err error) string {
	var r *roleError
	if errors.As(err, &r) {
		switch fault.KindOf(err) {
		case fault.NotFound:
			return fmt.Sprintf("The execution role %s does not exist.", r.role)
		case fault.Denied:
			return fmt.Sprintf("The execution role %s cannot be assumed: its trust policy must allow sts:AssumeRole to the service sagemaker.amazonaws.com. %s", r.role, fault.MessageOf(err))
		}
		return fmt.Sprintf("The execution role %s cannot be assumed now: %s", r.role, fault.MessageOf(err))
	}
	var o *objectError
	if errors.As(err, &o) {
		switch fault.KindOf(err) {
		case fault.NotFound:
			if fault.CodeOf(err) == "NoSuchBucket" {
				return fmt.Sprintf("The bucket of %s %s does not exist.", o.what, o.where)
			}
			return fmt.Sprintf("There is no object at %s, where %s should be.", o.where, o.what)
		case fault.Denied:
			return fmt.Sprintf("The execution role %s may not %s %s %s: %s", o.role, o.verb, o.what, o.where, fault.MessageOf(err))
		}
		return fmt.Sprintf("Storage does not let us %s %s %s now: %s", o.verb, o.what, o.where, fault.MessageOf(err))
	}
	var in *inputError
	if errors.As(err, &in) {
		if permanent(err) {
			return fmt.Sprintf("The input topic %s of the labeling job is not accessible as the execution role %s: %s", in.topic, in.role, fault.MessageOf(err))
		}
		return fmt.Sprintf("The input topic %s cannot be read now: %s", in.topic, fault.MessageOf(err))
	}
	return fault.MessageOf(err)
}
