package functions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/policy"
)

// IAM is what the service asks of iam.Service.
type IAM interface {
	AssumeRoleForService(ctx context.Context, in iam.ServiceSession) (iam.Credentials, *iam.Caller, error)
	Authorize(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error)
}

// Options are what a Service is made of.
type Options struct {
	Settings Settings // that Check found good
	// Runner makes the runner of a setting.
	Runner func(Setting) (Runner, error)
	IAM    IAM
	Audit  audit.Recorder
	Log    *slog.Logger
	Now    func() time.Time
	// Pause waits between two tries, or until ctx ends.
	Pause func(ctx context.Context, d time.Duration) error
}

// Service runs functions. It implements engine.Functions.
type Service struct {
	o    Options
	list []*mapping
}

var _ engine.Functions = (*Service)(nil)

// mapping is a setting at work.
type mapping struct {
	Setting
	runner Runner
	places chan struct{} // one for each that may run at once
}

// New makes a Service.
func New(o Options) (*Service, error) {
	s := &Service{o: o}
	for _, f := range o.Settings {
		r, err := o.Runner(f)
		if err != nil {
			return nil, err
		}
		s.list = append(s.list, &mapping{f, r, make(chan struct{}, f.Concurrency)})
	}
	return s, nil
}

// target is a function as a job names it.
type target struct {
	arn         string
	unqualified string // without version or alias
	name        string
}

func targetOf(functionARN string) (target, error) {
	a, err := arn.Parse(functionARN)
	if err != nil || a.Service != "lambda" || a.Type() != "function" {
		return target{}, fault.Newf("functions.targetOf", fault.Invalid, "must be the ARN of a function (arn:aws:lambda:REGION:ACCOUNT:function:NAME), not %q", functionARN)
	}
	t := target{arn: functionARN, unqualified: functionARN}
	var qualifier string
	t.name, qualifier, _ = strings.Cut(strings.TrimPrefix(a.Resource, "function:"), ":")
	if qualifier != "" {
		t.unqualified = strings.TrimSuffix(functionARN, ":"+qualifier)
	}
	return t, nil
}

func (s *Service) find(functionARN string) (*mapping, target, error) {
	t, err := targetOf(functionARN)
	if err != nil {
		return nil, t, err
	}
	for _, m := range s.list {
		if m.match(t) {
			return m, t, nil
		}
	}
	return nil, t, fault.Newf("functions.find", fault.NotFound, "the setting functions does not say how to run %s. Whoever operates this server adds an entry such as"+
		" {arn: %s, command: [/usr/bin/python3], dir: /srv/functions, handler: %s.lambda_handler}, or one with url: or lambda:", functionARN, t.name, "post")
}

// Mapped implements engine.Functions.
func (s *Service) Mapped(functionARN string) error {
	_, _, err := s.find(functionARN)
	if fault.Is(err, fault.NotFound) {
		return fault.E("functions.Mapped", fault.Invalid, fault.MessageOf(err), err)
	}
	return err
}

// May implements engine.Functions. It is a question, not an invocation, and is
// not on record.
func (s *Service) May(ctx context.Context, c engine.Call) error {
	_, t, err := s.find(c.Function)
	if err != nil {
		return err
	}
	_, caller, err := s.session(ctx, c, defaultTimeout)
	if err != nil {
		return err
	}
	d, err := s.ask(ctx, caller, t)
	if err != nil || d.Allowed() {
		return err
	}
	return refusal(c, t, d)
}

// session is one of the job's execution role, that outlasts a try.
func (s *Service) session(ctx context.Context, c engine.Call, timeout time.Duration) (iam.Credentials, *iam.Caller, error) {
	cred, caller, err := s.o.IAM.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: c.RoleARN,
		SessionName: "GroundTruth-" + c.Job[:min(len(c.Job), 48)], Duration: timeout + time.Minute, SourceARN: c.JobARN})
	switch {
	case fault.Is(err, fault.NotFound):
		err = fault.E("functions.session", fault.NotFound, "The execution role "+c.RoleARN+" does not exist.", err)
	case fault.Is(err, fault.Denied):
		err = fault.E("functions.session", fault.Denied, "The execution role "+c.RoleARN+" cannot be assumed: its trust policy must allow sts:AssumeRole to the service sagemaker.amazonaws.com.", err)
	}
	return cred, caller, err
}

// invoke is the action that the execution role's policies are asked for.
const invoke = "lambda:InvokeFunction"

func (s *Service) ask(ctx context.Context, caller *iam.Caller, t target) (policy.Decision, error) {
	return s.o.IAM.Authorize(ctx, caller, iam.Question{Action: invoke, Resource: t.arn, Context: policy.Context{Time: s.o.Now(), SecureTransport: true}})
}

func refusal(c engine.Call, t target, d policy.Decision) error {
	reason := "no statement of the role's policies allows it"
	if d.Effect == policy.Deny {
		reason = d.By.String() + " denies it"
	}
	return fault.Newf("functions.refusal", fault.Denied, "The execution role %s may not invoke the function: %s on %s: %s.", c.RoleARN, invoke, t.arn, reason)
}

// Invoke implements engine.Functions.
func (s *Service) Invoke(ctx context.Context, c engine.Call, event []byte) ([]byte, error) {
	m, t, err := s.find(c.Function)
	if err != nil {
		return nil, err
	}
	if len(event) > MaxPayload {
		return nil, &engine.FunctionError{Type: "RequestTooLarge", Message: fmt.Sprintf("the event has %d bytes, more than the %d that a function takes", len(event), MaxPayload)}
	}
	select {
	case m.places <- struct{}{}:
		defer func() { <-m.places }()
	case <-ctx.Done():
		return nil, given(ctx.Err())
	}
	for try := 1; ; try++ {
		answer, err := s.try(ctx, m, t, c, event)
		switch {
		case err != nil && ctx.Err() != nil: // whatever the function said while it was killed
			return nil, given(ctx.Err())
		case err == nil, try >= m.Attempts, final(err):
			return answer, s.told(err, t)
		}
		s.o.Log.Warn("a function did not answer; it is asked again", "function", t.arn, "job", c.Job, "object", c.ObjectID, "try", try, "error", kindOf(err))
		if perr := s.o.Pause(ctx, pauseAfter(try)); perr != nil {
			return nil, given(perr)
		}
	}
}

// Pauses between tries: 200 ms, doubled each time, at most 10 s.
const (
	firstPause = 200 * time.Millisecond
	maxPause   = 10 * time.Second
)

func pauseAfter(try int) time.Duration { return min(maxPause, firstPause<<(try-1)) }

func given(err error) error {
	return fault.E("functions.Invoke", fault.Unavailable, "The invocation was given up because the server stops, or the job.", err)
}

// final reports whether another try would end like this one.
func final(err error) bool {
	switch fault.KindOf(err) {
	case fault.Denied, fault.NotFound, fault.Invalid:
		return true
	}
	var own *engine.FunctionError
	return errors.As(err, &own) && own.Type == ResponseTooLarge
}

// ResponseTooLarge is the type of the error of a function that answers more
// than MaxPayload bytes, in Lambda's word.
const ResponseTooLarge = "Function.ResponseSizeTooLarge"

// TooLarge is that error.
func TooLarge() *engine.FunctionError {
	return &engine.FunctionError{Type: ResponseTooLarge, Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxPayload)}
}

// kindOf is what the log says of an error: not what a function wrote.
func kindOf(err error) string {
	var own *engine.FunctionError
	if errors.As(err, &own) {
		return "the function's own"
	}
	return fault.KindOf(err).String()
}

// told makes the error one that may be shown: a fault, or a FunctionError that
// is not too long.
func (s *Service) told(err error, t target) error {
	var own *engine.FunctionError
	var f *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return &engine.FunctionError{Type: Cut(own.Type, maxType), Message: Cut(own.Message, MaxMessage)}
	case errors.As(err, &f):
		return err
	}
	return fault.E("functions.Invoke", fault.Unavailable, "The function "+t.arn+" cannot be reached.", err)
}

// timedOut is the error of a function that did not answer in time, in Lambda's
// words and with what its runner has to say.
func timedOut(err error, timeout time.Duration) error {
	message := fmt.Sprintf("Task timed out after %.2f seconds", timeout.Seconds())
	var own *engine.FunctionError
	if errors.As(err, &own) && own.Type == "Timeout" {
		message += ": " + own.Message
	}
	return &engine.FunctionError{Type: "Timeout", Message: message}
}

// try asks whether the role may, has it on record, and runs the function once.
func (s *Service) try(ctx context.Context, m *mapping, t target, c engine.Call, event []byte) ([]byte, error) {
	cred, caller, err := s.session(ctx, c, m.Timeout)
	if err != nil {
		return nil, err
	}
	d, err := s.ask(ctx, caller, t)
	if err != nil {
		return nil, err
	}
	e := &audit.Event{Time: s.o.Now(), Kind: audit.API, Action: invoke, Verdict: audit.Allow, Statement: d.By.String(), Reason: d.Reason,
		Principal: caller.ARN, Job: c.Job, Resource: t.arn, Size: int64(len(event))}
	if !d.Allowed() {
		e.Verdict, e.Error = audit.Deny, "AccessDenied"
	}
	if err := s.o.Audit.Record(ctx, e); err != nil {
		return nil, err
	}
	if !d.Allowed() {
		return nil, refusal(c, t, d)
	}
	begun := s.o.Now()
	limited, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	answer, err := m.runner.Run(limited, Request{ARN: t.arn, Name: t.name, Event: event, Deadline: begun.Add(m.Timeout),
		Credentials: func(context.Context) (Credentials, error) {
			return Credentials{cred.AccessKeyID, Secret{cred.SecretAccessKey}, NewSecret(cred.SessionToken)}, nil
		}})
	switch {
	case err == nil && len(answer) > MaxPayload:
		err = TooLarge()
	case err != nil && ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded):
		err = timedOut(err, m.Timeout)
	}
	s.o.Log.Debug("a function was invoked", "function", t.arn, "job", c.Job, "object", c.ObjectID, "took", s.o.Now().Sub(begun), "bytes", len(answer), "failed", err != nil)
	if err != nil {
		return nil, err
	}
	return answer, nil
}
