package review

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/template"
)

// The failure codes of a human loop.
const (
	CodeValidation = "ValidationError"
	CodeExpired    = "Expired"
)

// Loop is a human loop.
type Loop struct {
	Name          string
	Flow          string // name of its flow definition
	Job           int64  // which runs its task
	Object        int64  // its data object
	Digest        string // of all that it was started with
	Status        Status
	FailureCode   string
	FailureReason string
	CreatedAt     time.Time
	EndedAt       time.Time // zero: not yet
	OutputURI     string    // of output.json; there when the loop is Completed
}

// Start is what StartHumanLoop asks for.
type Start struct {
	Name        string
	FlowARN     string
	Input       string   // HumanLoopInput.InputContent
	Classifiers []string // DataAttributes.ContentClassifiers
}

// LoopARN is the ARN of this account's human loop of the name.
func (s *Service) LoopARN(name string) string { return s.arn("human-loop", name) }

// flowOf finds the flow definition that an ARN names.
func (s *Service) flowOf(ctx context.Context, flowARN string) (*Flow, error) {
	a, err := arn.Parse(flowARN)
	if err != nil || s.FlowARN(a.Name()) != flowARN {
		return nil, fault.Newf("review.flowOf", fault.NotFound, "The flow definition %s does not exist.", labeling.Quote(flowARN))
	}
	return s.Store.Flow(ctx, a.Name())
}

// StartLoop starts a human loop. Starting one again with the same input changes
// nothing; with another it is Exists.
func (s *Service) StartLoop(ctx context.Context, in Start) (*Loop, error) {
	const op = "review.StartLoop"
	f, err := s.flowOf(ctx, in.FlowARN)
	if fault.Is(err, fault.NotFound) { // this operation's model has no such error
		return nil, invalid(op, "FlowDefinitionArn", "%s", fault.MessageOf(err))
	}
	if err != nil {
		return nil, err
	}
	content, err := inputContent(in.Input)
	if err != nil {
		return nil, err
	}
	now := s.now()
	l := &Loop{Name: in.Name, Flow: f.Name, Job: f.Job.ID, Digest: in.digest(), Status: labeling.InProgress, CreatedAt: now}
	if f.Status() == FlowActive {
		if why := s.shows(ctx, f.Job, content); why != "" {
			l.Status, l.FailureCode, l.FailureReason, l.EndedAt = labeling.Failed, CodeValidation, cut(why), now
		}
	}
	l, err = s.Store.StartLoop(ctx, l, content, s.MaxLoops)
	if fault.Is(err, fault.InUse) {
		return nil, invalid(op, "FlowDefinitionArn", "the flow definition is %s; human loops start when it is Active", f.Status())
	}
	return l, err
}

// maxInput is how deep InputContent nests.
const maxInput = 64

// inputContent checks what the task will see as task.input.
func inputContent(s string) ([]byte, error) {
	const op, member = "review.inputContent", "HumanLoopInput.InputContent"
	b := []byte(strings.TrimSpace(s))
	if len(b) == 0 || b[0] != '{' {
		return nil, invalid(op, member, "must be a JSON object, whose members the template sees as task.input")
	}
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return nil, invalid(op, member, "is not well-formed JSON: %v", err)
	}
	if labeling.Deeper(b, maxInput) {
		return nil, invalid(op, member, "nests deeper than %d levels", maxInput)
	}
	return out.Bytes(), nil
}

// digest tells one start from another.
func (in *Start) digest() string {
	h := sha256.New()
	for _, part := range append([]string{in.FlowARN, in.Input}, in.Classifiers...) {
		fmt.Fprintf(h, "%d %s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// shows says why the template cannot show an input; "" if it can.
func (s *Service) shows(ctx context.Context, j *labeling.Job, input []byte) string {
	grant := func(_ context.Context, bucket, key string) (string, error) {
		return "https://" + bucket + "/" + key, nil
	}
	_, errs := template.Render(ctx, j.Template, json.RawMessage(input), template.Functions{GrantReadAccess: grant, Hosts: s.Hosts, Now: s.Now}, template.Limits{})
	if len(errs) == 0 || ctx.Err() != nil {
		return ""
	}
	return "The worker task template cannot show this input: " + errs[0].Error()
}

// maxReason is the wire model's bound on FailureReason.
const maxReason = 1024

func cut(s string) string {
	if r := []rune(s); len(r) > maxReason {
		return string(r[:maxReason-1]) + "…"
	}
	return s
}

// Loop finds a human loop by its name.
func (s *Service) Loop(ctx context.Context, name string) (*Loop, error) {
	return s.Store.Loop(ctx, name)
}

// Loops answers with a page of the loops of a flow definition, and whether there
// are more. f.Job is not looked at.
func (s *Service) Loops(ctx context.Context, flowARN string, f Filter) ([]*Loop, bool, error) {
	flow, err := s.flowOf(ctx, flowARN)
	if err != nil {
		return nil, false, err
	}
	if flow.Status() == FlowDeleting {
		return nil, false, fault.Newf("review.Loops", fault.NotFound, "The flow definition %s is being deleted.", labeling.Quote(flowARN))
	}
	f.Job = flow.Job.ID
	return s.Store.Loops(ctx, f)
}

// StopLoop stops a human loop. One that is stopping or has ended stays as it is.
func (s *Service) StopLoop(ctx context.Context, name string) error {
	return s.Store.StopLoop(ctx, name, s.now())
}

// DeleteLoop forgets a human loop that has ended. What was written stays.
func (s *Service) DeleteLoop(ctx context.Context, name string) error {
	l, err := s.Store.Loop(ctx, name)
	if err != nil {
		return err
	}
	done, err := s.Store.DeleteLoop(ctx, name)
	if err == nil && !done {
		err = fault.Newf("review.DeleteLoop", fault.Invalid, "The human loop %s is %s. Stop it first, and delete it when it is Stopped.", labeling.Quote(name), l.Status)
	}
	return err
}
