package cognitoapi

import (
	"context"

	"fiducial/internal/awsapi"
	"fiducial/internal/workforce"
)

func (a *API) groups() []awsapi.Operation {
	return []awsapi.Operation{
		operation(a, "CreateGroup", structure(need("UserPoolId", poolID), need("GroupName", groupName),
			may("Description", &awsapi.Shape{Type: awsapi.String, Max: awsapi.Bound(2048)}),
			may("RoleArn", &awsapi.Shape{Type: awsapi.String, Min: awsapi.Bound(20), Max: awsapi.Bound(2048), Pattern: awsapi.NewPattern(`arn:.+`)}),
			may("Precedence", &awsapi.Shape{Type: awsapi.Integer, Min: awsapi.Bound(0)})), a.createGroup),
		operation(a, "GetGroup", ofGroup, a.getGroup),
		operation(a, "DeleteGroup", ofGroup, a.deleteGroup),
		operation(a, "ListGroups", structure(need("UserPoolId", poolID), may("Limit", pageLimit), may("NextToken", pageToken)), a.listGroups),
		operation(a, "ListUsersInGroup", structure(need("UserPoolId", poolID), need("GroupName", groupName), may("Limit", pageLimit), may("NextToken", pageToken)), a.listUsersInGroup),
	}
}

type groupRef struct {
	poolRef
	GroupName string
}

type createGroupIn struct {
	groupRef
	Description string
	RoleArn     string
	Precedence  *int64
}

type groupOut struct {
	GroupName, UserPoolId          string
	Description                    string `json:",omitempty"`
	RoleArn                        string `json:",omitempty"`
	Precedence                     *int64 `json:",omitempty"`
	CreationDate, LastModifiedDate awsapi.Time
}

type oneGroup struct{ Group groupOut }

func groupOf(g workforce.Group) groupOut {
	return groupOut{g.Name, g.Pool, g.Description, g.RoleARN, g.Precedence, awsapi.At(g.CreatedAt), awsapi.At(g.UpdatedAt)}
}

func (a *API) createGroup(ctx context.Context, in *createGroupIn) (any, error) {
	g, err := a.Workforce.CreateGroup(ctx, workforce.Group{Pool: in.UserPoolId, Name: in.GroupName,
		Description: in.Description, RoleARN: in.RoleArn, Precedence: in.Precedence})
	if err != nil {
		return nil, err
	}
	return oneGroup{groupOf(g)}, nil
}

func (a *API) getGroup(ctx context.Context, in *groupRef) (any, error) {
	g, err := a.Workforce.Group(ctx, in.UserPoolId, in.GroupName)
	if err != nil {
		return nil, err
	}
	return oneGroup{groupOf(g)}, nil
}

func (a *API) deleteGroup(ctx context.Context, in *groupRef) (any, error) {
	return nil, a.Workforce.DeleteGroup(ctx, in.UserPoolId, in.GroupName)
}

type listGroupsIn struct {
	poolRef
	Limit     int64
	NextToken string
}

type groupsOut struct {
	Groups    []groupOut
	NextToken string `json:",omitempty"`
}

func (a *API) listGroups(ctx context.Context, in *listGroupsIn) (any, error) {
	list := "groups " + in.UserPoolId
	from, err := after(list, in.NextToken)
	if err != nil {
		return nil, err
	}
	size := pageSize(in.Limit)
	found, err := a.Workforce.Groups(ctx, in.UserPoolId, from, size+1)
	if err != nil {
		return nil, err
	}
	return groupPage(found, size, list), nil
}

func groupPage(found []workforce.Group, size int, list string) groupsOut {
	found, next := cut(found, size, list, func(g *workforce.Group) string { return g.Name })
	out := groupsOut{[]groupOut{}, next}
	for _, g := range found {
		out.Groups = append(out.Groups, groupOf(g))
	}
	return out
}

type listUsersInGroupIn struct {
	groupRef
	Limit     int64
	NextToken string
}

func (a *API) listUsersInGroup(ctx context.Context, in *listUsersInGroupIn) (any, error) {
	list := "users in " + in.UserPoolId + " " + in.GroupName
	from, err := after(list, in.NextToken)
	if err != nil {
		return nil, err
	}
	size := pageSize(in.Limit)
	found, err := a.Workforce.WorkersIn(ctx, in.UserPoolId, in.GroupName, from, size+1)
	if err != nil {
		return nil, err
	}
	found, next := cut(found, size, list, nameOf)
	return struct {
		Users     []userOut
		NextToken string `json:",omitempty"`
	}{usersOf(found, nil), next}, nil
}
