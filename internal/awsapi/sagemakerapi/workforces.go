package sagemakerapi

import (
	"context"
	"strings"
	"time"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/wire"
	"fiducial/internal/fault"
	"fiducial/internal/policy"
	"fiducial/internal/workforce"
)

func (a *API) workforces() []awsapi.Operation {
	return []awsapi.Operation{
		withContext(operation("CreateWorkforce", wire.CreateWorkforceRequestShape,
			func(in *wire.CreateWorkforceRequest) string { return a.arn("workforce", in.WorkforceName) }, a.createWorkforce),
			func(in *wire.CreateWorkforceRequest) []policy.Key { return requestTags(in.Tags) }),
		operation("DescribeWorkforce", wire.DescribeWorkforceRequestShape,
			func(in *wire.DescribeWorkforceRequest) string { return a.arn("workforce", in.WorkforceName) }, a.describeWorkforce),
		operation("UpdateWorkforce", wire.UpdateWorkforceRequestShape,
			func(in *wire.UpdateWorkforceRequest) string { return a.arn("workforce", in.WorkforceName) }, a.updateWorkforce),
		operation("DeleteWorkforce", wire.DeleteWorkforceRequestShape,
			func(in *wire.DeleteWorkforceRequest) string { return a.arn("workforce", in.WorkforceName) }, a.deleteWorkforce),
		operation("ListWorkforces", wire.ListWorkforcesRequestShape, anything[wire.ListWorkforcesRequest], a.listWorkforces),
	}
}

const noOIDC = "OidcConfig: workforces of an OpenID Connect identity provider are not available in this version; use CognitoConfig with a user pool of this server."

func (a *API) createWorkforce(ctx context.Context, _ *awsapi.Call, in *wire.CreateWorkforceRequest) (any, error) {
	switch {
	case in.OidcConfig != nil && in.CognitoConfig != nil:
		return nil, invalid("CognitoConfig and OidcConfig exclude each other.")
	case in.OidcConfig != nil:
		return nil, invalid(noOIDC)
	case in.CognitoConfig == nil:
		return nil, invalid("CognitoConfig is required: a private workforce consists of the people of a user pool.")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	n := workforce.NewWorkforce{
		Name: in.WorkforceName, UserPool: in.CognitoConfig.UserPool, ClientID: in.CognitoConfig.ClientId,
		VPC: vpcOf(in.WorkforceVpcConfig), IPAddressType: value(in.IpAddressType),
	}
	if in.SourceIpConfig != nil {
		n.CIDRs = in.SourceIpConfig.Cidrs
	}
	w, err := a.Workforce.CreateWorkforce(ctx, n)
	if err != nil {
		return nil, err
	}
	if err := a.tag(ctx, w.ARN, in.Tags); err != nil {
		return nil, err
	}
	return wire.CreateWorkforceResponse{WorkforceArn: w.ARN}, nil
}

func vpcOf(v *wire.WorkforceVpcConfigRequest) *workforce.VPC {
	if v == nil {
		return nil
	}
	return &workforce.VPC{ID: value(v.VpcId), SecurityGroups: v.SecurityGroupIds, Subnets: v.Subnets}
}

func (a *API) describeWorkforce(ctx context.Context, _ *awsapi.Call, in *wire.DescribeWorkforceRequest) (any, error) {
	w, err := a.Workforce.DescribeWorkforce(ctx, in.WorkforceName)
	if err != nil {
		return nil, err
	}
	return wire.DescribeWorkforceResponse{Workforce: workforceOut(w)}, nil
}

func (a *API) updateWorkforce(ctx context.Context, _ *awsapi.Call, in *wire.UpdateWorkforceRequest) (any, error) {
	if in.OidcConfig != nil {
		return nil, invalid(noOIDC)
	}
	u := workforce.WorkforceUpdate{VPC: vpcOf(in.WorkforceVpcConfig), IPAddressType: value(in.IpAddressType)}
	if in.SourceIpConfig != nil {
		u.CIDRs = &in.SourceIpConfig.Cidrs
	}
	w, err := a.Workforce.UpdateWorkforce(ctx, in.WorkforceName, u)
	if err != nil {
		return nil, err
	}
	return wire.UpdateWorkforceResponse{Workforce: workforceOut(w)}, nil
}

func (a *API) deleteWorkforce(ctx context.Context, _ *awsapi.Call, in *wire.DeleteWorkforceRequest) (any, error) {
	if err := a.Workforce.DeleteWorkforce(ctx, in.WorkforceName); err != nil {
		return nil, err
	}
	return wire.DeleteWorkforceResponse{}, a.Tags.DropTags(ctx, a.arn("workforce", in.WorkforceName))
}

func (a *API) listWorkforces(ctx context.Context, _ *awsapi.Call, in *wire.ListWorkforcesRequest) (any, error) {
	all := []workforce.Workforce{}
	w, err := a.Workforce.Workforce(ctx)
	switch {
	case err == nil && containsFold(w.Name, value(in.NameContains)):
		all = append(all, w)
	case err != nil && !fault.Is(err, fault.NotFound):
		return nil, err
	}
	byName := value(in.SortBy) == "Name"
	key := func(w *workforce.Workforce) string { return nameOrTime(byName, w.Name, w.CreatedAt) }
	list := listID("workforces", value(in.SortBy), value(in.SortOrder), value(in.NameContains))
	found, next, err := page(all, key, descending(in.SortOrder), list, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := wire.ListWorkforcesResponse{Workforces: []wire.Workforce{}, NextToken: next}
	for _, w := range found {
		out.Workforces = append(out.Workforces, workforceOut(w))
	}
	return out, nil
}

func workforceOut(w workforce.Workforce) wire.Workforce {
	out := wire.Workforce{
		WorkforceName: w.Name, WorkforceArn: w.ARN, SubDomain: &w.SubDomain, Status: &w.Status, IpAddressType: &w.IPAddressType,
		CreateDate: awsapi.AtOrNil(w.CreatedAt), LastUpdatedDate: awsapi.AtOrNil(w.UpdatedAt),
		CognitoConfig: &wire.CognitoConfig{UserPool: w.UserPool, ClientId: w.ClientID},
		// Present and empty even if it was never set, as clients have seen it.
		SourceIpConfig: &wire.SourceIpConfig{Cidrs: append([]string{}, w.CIDRs...)},
	}
	out.FailureReason = optional(w.FailureReason)
	if w.VPC != nil {
		out.WorkforceVpcConfig = &wire.WorkforceVpcConfigResponse{VpcId: w.VPC.ID, SecurityGroupIds: w.VPC.SecurityGroups, Subnets: w.VPC.Subnets,
			VpcEndpointId: optional(w.VPC.EndpointID)}
	}
	return out
}

func containsFold(name, part string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(part))
}

func descending(order *string) bool { return value(order) == "Descending" }

// nameOrTime is a sort key. Names are unique, so a time with a name is too.
func nameOrTime(byName bool, name string, t time.Time) string {
	name = strings.ToLower(name)
	if byName {
		return name
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000") + " " + name
}

// listID names a list with its filters, for cursors.
func listID(parts ...string) string { return strings.Join(parts, "\x1f") }
