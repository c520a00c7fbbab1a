package review

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
)

// FlowStatus is a flow definition's state, in AWS's words.
type FlowStatus string

// The states of a flow definition.
const (
	FlowInitializing FlowStatus = "Initializing"
	FlowActive       FlowStatus = "Active"
	FlowFailed       FlowStatus = "Failed"
	FlowDeleting     FlowStatus = "Deleting"
)

// Flow is a flow definition. Everything but the state of its job never changes.
type Flow struct {
	Name      string
	CreatedAt time.Time
	Job       *labeling.Job // runs its tasks; its ARN is the flow definition's
}

// Status is derived from the job's.
func (f *Flow) Status() FlowStatus {
	switch f.Job.Status {
	case labeling.Initializing:
		return FlowInitializing
	case labeling.InProgress:
		return FlowActive
	case labeling.Failed:
		return FlowFailed
	}
	return FlowDeleting
}

// Spec is what CreateFlowDefinition asks for, in the wire model's order.
type Spec struct {
	Name          string
	RequestSource string // HumanLoopRequestSource.AwsManagedHumanLoopRequestSource
	Conditions    *string

	WorkteamARN, HumanTaskUIARN string // HumanLoopConfig
	TaskTitle, TaskDescription  string
	TaskCount                   int
	TaskAvailability            *int64 // seconds
	TaskTimeLimit               *int64
	TaskKeywords                []string

	S3OutputPath, KMSKeyID string // OutputConfig
	RoleARN                string
	Request                json.RawMessage // the input as it was accepted, for Describe to echo
}

// Bounds and defaults that the wire model does not have.
const (
	defaultTimeLimit = 3600
	maxTimeLimit     = labeling.MaxTaskTimeLimit
	maxAvailability  = labeling.MaxTaskAvailability
	maxConcurrent    = 1 << 30 // every loop is offered at once
)

// request is what of a flow is kept in its job's Request.
type request struct {
	Source string          `json:"source,omitempty"`
	Input  json.RawMessage `json:"input"`
}

// Source is the AwsManagedHumanLoopRequestSource, "" for a custom task.
func (f *Flow) Source() string { return f.request().Source }

// Request is CreateFlowDefinition's input.
func (f *Flow) Request() json.RawMessage { return f.request().Input }

func (f *Flow) request() (r request) {
	_ = json.Unmarshal(f.Job.Request, &r) // we wrote it
	return r
}

// CreateFlow checks what the wire model cannot say and makes a flow definition,
// Initializing. The caller has looked at the work team.
func (s *Service) CreateFlow(ctx context.Context, spec Spec) (*Flow, error) {
	const op, config = "review.CreateFlow", "HumanLoopConfig."
	if spec.Conditions != nil {
		if err := CheckConditions(*spec.Conditions, spec.RequestSource); err != nil {
			return nil, err
		}
	}
	limit, available := int64(defaultTimeLimit), int64(labeling.DefaultTaskAvailability)
	for _, b := range []struct {
		member string
		given  *int64
		into   *int64
		most   int64
	}{
		{"TaskTimeLimitInSeconds", spec.TaskTimeLimit, &limit, maxTimeLimit},
		{"TaskAvailabilityLifetimeInSeconds", spec.TaskAvailability, &available, maxAvailability},
	} {
		if b.given == nil {
			continue
		}
		if *b.into = *b.given; *b.into > b.most {
			return nil, invalid(op, config+b.member, "must be at most %d, not %d", b.most, *b.into)
		}
	}
	if _, err := labeling.ParseS3URI(spec.S3OutputPath); err != nil {
		return nil, invalid(op, "OutputConfig.S3OutputPath", "%s", fault.MessageOf(err))
	}
	if _, err := s.Template(ctx, spec.HumanTaskUIARN); err != nil {
		if fault.Is(err, fault.NotFound) {
			return nil, invalid(op, config+"HumanTaskUiArn", "%s", fault.MessageOf(err))
		}
		return nil, err
	}
	kept, err := json.Marshal(request{spec.RequestSource, spec.Request})
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	now := s.now()
	j := &labeling.Job{
		ARN: s.arn("flow-definition", spec.Name), LabelAttributeName: "review", TaskType: labeling.Custom, Input: labeling.ManifestInput,
		OutputURI: spec.S3OutputPath, OutputKMSKeyID: spec.KMSKeyID, RoleARN: spec.RoleARN,
		Human: labeling.HumanTask{
			WorkteamARN: spec.WorkteamARN, HumanTaskUIARN: spec.HumanTaskUIARN,
			Title: spec.TaskTitle, Description: spec.TaskDescription, Keywords: spec.TaskKeywords, Workers: spec.TaskCount,
			TaskTimeLimit: time.Duration(limit) * time.Second, TaskAvailability: time.Duration(available) * time.Second, MaxConcurrent: maxConcurrent,
		},
		Request: kept, Status: labeling.Initializing, CreatedAt: now, ModifiedAt: now, Flow: spec.Name,
	}
	if err := j.Identify(s.Account, s.Random); err != nil {
		return nil, err
	}
	// A labeling job's name has no dot. A flow of a name that was used before gets
	// another job name: what was revoked or is remembered of the old one is not its.
	j.Name = "flow-definition." + spec.Name + "." + strings.ToLower(j.ReferenceCode[len(j.ReferenceCode)-8:])
	f := &Flow{Name: spec.Name, CreatedAt: now, Job: j}
	if err := s.Store.CreateFlow(ctx, f); err != nil {
		return nil, err
	}
	s.wake()
	return f, nil
}

func (s *Service) wake() {
	if s.Wake != nil {
		s.Wake()
	}
}

// Flow finds a flow definition by its name.
func (s *Service) Flow(ctx context.Context, name string) (*Flow, error) {
	return s.Store.Flow(ctx, name)
}

// Flows lists all flow definitions.
func (s *Service) Flows(ctx context.Context) ([]*Flow, error) { return s.Store.Flows(ctx) }

// FlowARN is the ARN of this account's flow definition of the name.
func (s *Service) FlowARN(name string) string { return s.arn("flow-definition", name) }

// DeleteFlow begins to delete a flow definition: loops on which nobody works end at
// once, the others when their workers are done, and then it is gone.
func (s *Service) DeleteFlow(ctx context.Context, name string) error {
	const op = "review.DeleteFlow"
	f, err := s.Store.Flow(ctx, name)
	if err != nil {
		return err
	}
	switch f.Status() {
	case FlowFailed:
		return s.Store.DropFlow(ctx, f.Job.ID)
	case FlowDeleting:
		return nil
	case FlowActive:
		if done, err := s.Store.DeletingFlow(ctx, f, s.now()); err != nil || done {
			return err
		}
	}
	return fault.Newf(op, fault.InUse, "The flow definition %s is %s. It can be deleted when it is Active.", labeling.Quote(name), f.Status())
}
