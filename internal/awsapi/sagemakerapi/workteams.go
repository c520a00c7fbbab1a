package sagemakerapi

import (
	"context"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
	"fiducial/internal/policy"
	"fiducial/internal/workforce"
)

func (a *API) workteams() []awsapi.Operation {
	return []awsapi.Operation{
		withContext(operation("CreateWorkteam", wire.CreateWorkteamRequestShape,
			func(in *wire.CreateWorkteamRequest) string { return a.Workforce.TeamARN(in.WorkteamName) }, a.createWorkteam),
			func(in *wire.CreateWorkteamRequest) []policy.Key { return requestTags(in.Tags) }),
		operation("DescribeWorkteam", wire.DescribeWorkteamRequestShape,
			func(in *wire.DescribeWorkteamRequest) string { return a.Workforce.TeamARN(in.WorkteamName) }, a.describeWorkteam),
		operation("UpdateWorkteam", wire.UpdateWorkteamRequestShape,
			func(in *wire.UpdateWorkteamRequest) string { return a.Workforce.TeamARN(in.WorkteamName) }, a.updateWorkteam),
		operation("DeleteWorkteam", wire.DeleteWorkteamRequestShape,
			func(in *wire.DeleteWorkteamRequest) string { return a.Workforce.TeamARN(in.WorkteamName) }, a.deleteWorkteam),
		operation("ListWorkteams", wire.ListWorkteamsRequestShape, anything[wire.ListWorkteamsRequest], a.listWorkteams),
		operation("ListSubscribedWorkteams", wire.ListSubscribedWorkteamsRequestShape,
			anything[wire.ListSubscribedWorkteamsRequest], a.listSubscribedWorkteams),
		operation("DescribeSubscribedWorkteam", wire.DescribeSubscribedWorkteamRequestShape,
			func(in *wire.DescribeSubscribedWorkteamRequest) string { return in.WorkteamArn }, a.describeSubscribedWorkteam),
	}
}

func (a *API) createWorkteam(ctx context.Context, _ *awsapi.Call, in *wire.CreateWorkteamRequest) (any, error) {
	members, err := membersIn(in.MemberDefinitions)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	n := workforce.NewWorkteam{
		Name: in.WorkteamName, WorkforceName: value(in.WorkforceName), Description: in.Description,
		Members: members, Access: accessIn(in.WorkerAccessConfiguration),
	}
	if in.NotificationConfiguration != nil {
		n.NotificationTopicARN = value(in.NotificationConfiguration.NotificationTopicArn)
	}
	t, err := a.Workforce.CreateWorkteam(ctx, n)
	if err != nil {
		return nil, err
	}
	if err := a.tag(ctx, t.ARN, in.Tags); err != nil {
		return nil, err
	}
	return wire.CreateWorkteamResponse{WorkteamArn: &t.ARN}, nil
}

func (a *API) describeWorkteam(ctx context.Context, _ *awsapi.Call, in *wire.DescribeWorkteamRequest) (any, error) {
	t, err := a.Workforce.DescribeWorkteam(ctx, in.WorkteamName)
	if err != nil {
		return nil, err
	}
	return wire.DescribeWorkteamResponse{Workteam: workteamOut(t)}, nil
}

func (a *API) updateWorkteam(ctx context.Context, _ *awsapi.Call, in *wire.UpdateWorkteamRequest) (any, error) {
	members, err := membersIn(in.MemberDefinitions)
	if err != nil {
		return nil, err
	}
	u := workforce.WorkteamUpdate{Description: in.Description, Members: members, Access: accessIn(in.WorkerAccessConfiguration)}
	if in.NotificationConfiguration != nil {
		topic := value(in.NotificationConfiguration.NotificationTopicArn) // an empty configuration takes the topic away
		u.NotificationTopicARN = &topic
	}
	t, err := a.Workforce.UpdateWorkteam(ctx, in.WorkteamName, u)
	if err != nil {
		return nil, err
	}
	return wire.UpdateWorkteamResponse{Workteam: workteamOut(t)}, nil
}

func (a *API) deleteWorkteam(ctx context.Context, _ *awsapi.Call, in *wire.DeleteWorkteamRequest) (any, error) {
	if err := a.Workforce.DeleteWorkteam(ctx, in.WorkteamName); err != nil {
		return nil, err
	}
	return wire.DeleteWorkteamResponse{Success: true}, a.Tags.DropTags(ctx, a.Workforce.TeamARN(in.WorkteamName))
}

func (a *API) listWorkteams(ctx context.Context, _ *awsapi.Call, in *wire.ListWorkteamsRequest) (any, error) {
	teams, err := a.Workforce.Workteams(ctx)
	if err != nil {
		return nil, err
	}
	all := []workforce.Workteam{}
	for _, t := range teams {
		if containsFold(t.Name, value(in.NameContains)) {
			all = append(all, t)
		}
	}
	byName := value(in.SortBy) == "Name"
	key := func(t *workforce.Workteam) string { return nameOrTime(byName, t.Name, t.CreatedAt) }
	list := listID("workteams", value(in.SortBy), value(in.SortOrder), value(in.NameContains))
	found, next, err := page(all, key, descending(in.SortOrder), list, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := wire.ListWorkteamsResponse{Workteams: []wire.Workteam{}, NextToken: next}
	for _, t := range found {
		out.Workteams = append(out.Workteams, workteamOut(t))
	}
	return out, nil
}

// listSubscribedWorkteams is always empty: there is no marketplace to subscribe at.
func (a *API) listSubscribedWorkteams(context.Context, *awsapi.Call, *wire.ListSubscribedWorkteamsRequest) (any, error) {
	return wire.ListSubscribedWorkteamsResponse{SubscribedWorkteams: []wire.SubscribedWorkteam{}}, nil
}

// describeSubscribedWorkteam finds none. The model has no error for that; the words
// are those of DescribeWorkteam.
func (a *API) describeSubscribedWorkteam(_ context.Context, _ *awsapi.Call, in *wire.DescribeSubscribedWorkteamRequest) (any, error) {
	return nil, fault.Coded("sagemakerapi.describeSubscribedWorkteam", fault.NotFound, "ValidationException",
		"The work team "+in.WorkteamArn+" does not exist: there are no subscriptions with vendors.")
}

func membersIn(in []wire.MemberDefinition) ([]workforce.MemberDefinition, error) {
	var out []workforce.MemberDefinition
	for i, m := range in {
		switch c := m.CognitoMemberDefinition; {
		case m.OidcMemberDefinition != nil:
			return nil, invalid("MemberDefinitions[%d].OidcMemberDefinition: the workforce consists of the people of a user pool; use CognitoMemberDefinition.", i)
		case c == nil:
			return nil, invalid("MemberDefinitions[%d]: CognitoMemberDefinition is required.", i)
		default:
			out = append(out, workforce.MemberDefinition{UserPool: c.UserPool, Group: c.UserGroup, ClientID: c.ClientId})
		}
	}
	return out, nil
}

func accessIn(c *wire.WorkerAccessConfiguration) *workforce.WorkerAccess {
	switch {
	case c == nil:
		return nil
	case c.S3Presign == nil || c.S3Presign.IamPolicyConstraints == nil:
		return &workforce.WorkerAccess{}
	}
	p := c.S3Presign.IamPolicyConstraints
	return &workforce.WorkerAccess{SourceIP: value(p.SourceIp), VpcSourceIP: value(p.VpcSourceIp)}
}

func workteamOut(t workforce.Workteam) wire.Workteam {
	out := wire.Workteam{
		WorkteamName: t.Name, WorkteamArn: t.ARN, WorkforceArn: &t.WorkforceARN, Description: t.Description, SubDomain: &t.SubDomain,
		CreateDate: awsapi.AtOrNil(t.CreatedAt), LastUpdatedDate: awsapi.AtOrNil(t.UpdatedAt),
		MemberDefinitions:         []wire.MemberDefinition{},
		NotificationConfiguration: &wire.NotificationConfiguration{NotificationTopicArn: optional(t.NotificationTopicARN)},
	}
	for _, m := range t.Members {
		out.MemberDefinitions = append(out.MemberDefinitions, wire.MemberDefinition{
			CognitoMemberDefinition: &wire.CognitoMemberDefinition{UserPool: m.UserPool, UserGroup: m.Group, ClientId: m.ClientID}})
	}
	if t.Access != nil { // what was set is echoed, and nothing else
		out.WorkerAccessConfiguration = &wire.WorkerAccessConfiguration{S3Presign: &wire.S3Presign{
			IamPolicyConstraints: &wire.IamPolicyConstraints{SourceIp: optional(t.Access.SourceIP), VpcSourceIp: optional(t.Access.VpcSourceIP)}}}
	}
	return out
}
