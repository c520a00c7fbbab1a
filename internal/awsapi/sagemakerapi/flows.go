package sagemakerapi

import (
	"context"
	"encoding/json"

	"fiducial/internal/arn"
	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/review"
	"fiducial/internal/policy"
)

func (a *API) flowDefinitions() []awsapi.Operation {
	named := func(name string) string { return a.arn("flow-definition", name) }
	return []awsapi.Operation{
		withContext(operation("CreateFlowDefinition", wire.CreateFlowDefinitionRequestShape,
			func(in *wire.CreateFlowDefinitionRequest) string { return named(in.FlowDefinitionName) }, a.createFlowDefinition),
			func(in *wire.CreateFlowDefinitionRequest) []policy.Key {
				keys := requestTags(in.Tags)
				if c := in.HumanLoopConfig; c != nil {
					keys = append(keys, policy.Key{Name: "sagemaker:WorkteamArn", Value: c.WorkteamArn},
						policy.Key{Name: "sagemaker:WorkteamType", Value: workteamType(c.WorkteamArn)})
				}
				return keys
			}),
		operation("DescribeFlowDefinition", wire.DescribeFlowDefinitionRequestShape,
			func(in *wire.DescribeFlowDefinitionRequest) string { return named(in.FlowDefinitionName) }, a.describeFlowDefinition),
		operation("DeleteFlowDefinition", wire.DeleteFlowDefinitionRequestShape,
			func(in *wire.DeleteFlowDefinitionRequest) string { return named(in.FlowDefinitionName) }, a.deleteFlowDefinition),
		operation("ListFlowDefinitions", wire.ListFlowDefinitionsRequestShape, anything[wire.ListFlowDefinitionsRequest], a.listFlowDefinitions),
	}
}

// createFlowDefinition checks what only this layer can see (the work team and the
// right to hand out the role); package review checks the rest of the rules.
func (a *API) createFlowDefinition(ctx context.Context, c *awsapi.Call, in *wire.CreateFlowDefinitionRequest) (any, error) {
	if err := c.Authorize(ctx, "iam:PassRole", in.RoleArn, passedTo()); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	h := in.HumanLoopConfig
	if h == nil {
		return nil, invalid("HumanLoopConfig is required: it says who reviews, and with which human task UI.")
	}
	if err := a.privateTeam(ctx, "HumanLoopConfig.WorkteamArn", h.WorkteamArn); err != nil {
		return nil, err
	}
	s := review.Spec{
		Name: in.FlowDefinitionName, WorkteamARN: h.WorkteamArn, HumanTaskUIARN: h.HumanTaskUiArn,
		TaskTitle: h.TaskTitle, TaskDescription: h.TaskDescription, TaskCount: int(h.TaskCount), TaskKeywords: h.TaskKeywords,
		TaskAvailability: h.TaskAvailabilityLifetimeInSeconds, TaskTimeLimit: h.TaskTimeLimitInSeconds,
		S3OutputPath: in.OutputConfig.S3OutputPath, KMSKeyID: value(in.OutputConfig.KmsKeyId), RoleARN: in.RoleArn,
	}
	if in.HumanLoopRequestSource != nil {
		s.RequestSource = in.HumanLoopRequestSource.AwsManagedHumanLoopRequestSource
	}
	if c := in.HumanLoopActivationConfig; c != nil {
		s.Conditions = &c.HumanLoopActivationConditionsConfig.HumanLoopActivationConditions
	}
	echo := *in
	echo.Tags = nil // they change; the tag store has them
	var err error
	if s.Request, err = json.Marshal(echo); err != nil {
		return nil, fault.E("sagemakerapi.createFlowDefinition", fault.Internal, "", err)
	}
	f, err := a.Reviews.CreateFlow(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := a.tag(ctx, f.Job.ARN, in.Tags); err != nil {
		return nil, err
	}
	return wire.CreateFlowDefinitionResponse{FlowDefinitionArn: f.Job.ARN}, nil
}

// privateTeam answers Invalid, naming the member, unless the work team is there and
// private.
func (a *API) privateTeam(ctx context.Context, member, team string) error {
	if parsed, err := arn.Parse(team); err != nil || workteamType(parsed.String()) != "private-crowd" {
		return invalid("%s: must be the ARN of a private work team (arn:aws:sagemaker:REGION:ACCOUNT:workteam/private-crowd/NAME), not %s.", member, labeling.Quote(team))
	}
	_, err := a.Workforce.Team(ctx, team)
	if fault.Is(err, fault.NotFound) {
		return invalid("%s: the work team %s does not exist.", member, team)
	}
	return err
}

func (a *API) describeFlowDefinition(ctx context.Context, _ *awsapi.Call, in *wire.DescribeFlowDefinitionRequest) (any, error) {
	f, err := a.Reviews.Flow(ctx, in.FlowDefinitionName)
	if err != nil {
		return nil, err
	}
	var made wire.CreateFlowDefinitionRequest
	if err := json.Unmarshal(f.Request(), &made); err != nil {
		return nil, fault.E("sagemakerapi.describeFlowDefinition", fault.Internal, "", err)
	}
	return wire.DescribeFlowDefinitionResponse{
		FlowDefinitionArn: f.Job.ARN, FlowDefinitionName: f.Name, FlowDefinitionStatus: string(f.Status()), CreationTime: awsapi.At(f.CreatedAt),
		HumanLoopRequestSource: made.HumanLoopRequestSource, HumanLoopActivationConfig: made.HumanLoopActivationConfig,
		HumanLoopConfig: made.HumanLoopConfig, OutputConfig: made.OutputConfig, RoleArn: f.Job.RoleARN, FailureReason: waiting(f),
	}, nil
}

// waiting is FailureReason: why the flow definition failed, or why its loops do not
// get on at the moment.
func waiting(f *review.Flow) *string {
	if f.Job.FailureReason == "" {
		return optional(f.Job.Note)
	}
	return failure(f.Job)
}

func (a *API) deleteFlowDefinition(ctx context.Context, _ *awsapi.Call, in *wire.DeleteFlowDefinitionRequest) (any, error) {
	if err := a.Reviews.DeleteFlow(ctx, in.FlowDefinitionName); err != nil {
		return nil, err
	}
	return wire.DeleteFlowDefinitionResponse{}, a.Tags.DropTags(ctx, a.Reviews.FlowARN(in.FlowDefinitionName))
}

func (a *API) listFlowDefinitions(ctx context.Context, _ *awsapi.Call, in *wire.ListFlowDefinitionsRequest) (any, error) {
	flows, err := a.Reviews.Flows(ctx)
	if err != nil {
		return nil, err
	}
	span := created{in.CreationTimeAfter, in.CreationTimeBefore}
	all := []*review.Flow{}
	for _, f := range flows {
		if span.has(f.CreatedAt) {
			all = append(all, f)
		}
	}
	found, next, err := page(all, func(f **review.Flow) string { return nameOrTime(false, (*f).Name, (*f).CreatedAt) }, descending(in.SortOrder),
		listID("flow-definitions", value(in.SortOrder), span.id()), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := wire.ListFlowDefinitionsResponse{FlowDefinitionSummaries: []wire.FlowDefinitionSummary{}, NextToken: next}
	for _, f := range found {
		out.FlowDefinitionSummaries = append(out.FlowDefinitionSummaries, wire.FlowDefinitionSummary{
			FlowDefinitionName: f.Name, FlowDefinitionArn: f.Job.ARN, FlowDefinitionStatus: string(f.Status()),
			CreationTime: awsapi.At(f.CreatedAt), FailureReason: waiting(f)})
	}
	return out, nil
}
