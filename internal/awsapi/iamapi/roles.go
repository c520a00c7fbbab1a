package iamapi

import (
	"context"
	"time"

	"fiducial/internal/awsapi"
	"fiducial/internal/iam"
)

type roleXML struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	ARN                      string `xml:"Arn"`
	CreateDate               string
	AssumeRolePolicyDocument string
	Description              string `xml:",omitempty"`
	MaxSessionDuration       int64
	Tags                     *list[tagXML]
}

type roleResult struct{ Role roleXML }

func (a *API) roleXML(r *iam.Role) roleXML {
	return roleXML{
		Path: r.Path, RoleName: r.Name, RoleID: r.ID, ARN: r.ARN(a.iam.Account()), CreateDate: date(r.CreatedAt),
		AssumeRolePolicyDocument: document(r.TrustPolicy), Description: r.Description,
		MaxSessionDuration: int64(r.MaxSession / time.Second), Tags: optionalTags(r.Tags),
	}
}

func (a *API) roles() []awsapi.Operation {
	create, tag, untag := operation("CreateRole", a.newRoleARN, a.createRole), operation("TagRole", a.aRole, a.tagRole), operation("UntagRole", a.aRole, a.untagRole)
	create.Context, tag.Context, untag.Context = tagContext, tagContext, tagContext
	return []awsapi.Operation{
		create, tag, untag,
		operation("GetRole", a.aRole, a.getRole),
		operation("ListRoles", a.all("role"), a.listRoles),
		operation("UpdateRole", a.aRole, a.updateRole),
		operation("UpdateAssumeRolePolicy", a.aRole, a.updateTrust),
		operation("DeleteRole", a.aRole, a.deleteRole),
		operation("ListRoleTags", a.aRole, a.listRoleTags),
		operation("ListAttachedRolePolicies", a.aRole, a.noRolePolicies),
		operation("ListInstanceProfilesForRole", a.aRole, a.noInstanceProfiles),
	}
}

func newRole(c *awsapi.Call) (iam.NewRole, error) {
	seconds, given, err := integer(c.Form, "MaxSessionDuration")
	if given && seconds == 0 {
		seconds = -1 // refused, where a missing number means the default
	}
	return iam.NewRole{
		Name: c.Form.Get("RoleName"), Path: c.Form.Get("Path"), Description: c.Form.Get("Description"),
		TrustPolicy: c.Form.Get("AssumeRolePolicyDocument"), MaxSession: time.Duration(seconds) * time.Second, Tags: tags(c.Form),
	}, err
}

func (a *API) newRoleARN(_ context.Context, c *awsapi.Call) (string, error) {
	in, err := newRole(c)
	if err != nil {
		return "", err
	}
	if err := in.Check(); err != nil {
		return "", err
	}
	return (&iam.Role{Name: in.Name, Path: in.Path}).ARN(a.iam.Account()), nil
}

func (a *API) createRole(ctx context.Context, c *awsapi.Call) (any, error) {
	in, err := newRole(c)
	if err != nil {
		return nil, err
	}
	r, err := a.iam.CreateRole(ctx, in)
	if err != nil {
		return nil, err
	}
	return roleResult{a.roleXML(r)}, nil
}

func (a *API) getRole(ctx context.Context, c *awsapi.Call) (any, error) {
	r, err := a.iam.Role(ctx, c.Form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	return roleResult{a.roleXML(r)}, nil
}

func (a *API) listRoles(ctx context.Context, c *awsapi.Call) (any, error) {
	p, err := page(c.Form)
	if err != nil {
		return nil, err
	}
	roles, truncated, err := a.iam.Roles(ctx, p)
	if err != nil {
		return nil, err
	}
	var out struct {
		Roles list[roleXML]
		more
	}
	last := ""
	for i := range roles {
		x := a.roleXML(&roles[i])
		x.Tags = nil // lists do not have them
		out.Roles.Members = append(out.Roles.Members, x)
		last = roles[i].Name
	}
	out.more = moreAfter(truncated, last)
	return out, nil
}

func (a *API) updateRole(ctx context.Context, c *awsapi.Call) (any, error) {
	var change iam.RoleChange
	if c.Form.Has("Description") {
		text := c.Form.Get("Description")
		change.Description = &text
	}
	seconds, given, err := integer(c.Form, "MaxSessionDuration")
	if err != nil {
		return nil, err
	}
	if given {
		d := time.Duration(seconds) * time.Second
		change.MaxSession = &d
	}
	return struct{}{}, a.iam.UpdateRole(ctx, c.Form.Get("RoleName"), change)
}

func (a *API) updateTrust(ctx context.Context, c *awsapi.Call) (any, error) {
	doc := c.Form.Get("PolicyDocument")
	return nil, a.iam.UpdateTrust(ctx, c.Form.Get("RoleName"), doc)
}

func (a *API) deleteRole(ctx context.Context, c *awsapi.Call) (any, error) {
	return nil, a.iam.DeleteRole(ctx, c.Form.Get("RoleName"))
}

func (a *API) tagRole(ctx context.Context, c *awsapi.Call) (any, error) {
	return nil, a.iam.TagRole(ctx, c.Form.Get("RoleName"), tags(c.Form))
}

func (a *API) untagRole(ctx context.Context, c *awsapi.Call) (any, error) {
	return nil, a.iam.UntagRole(ctx, c.Form.Get("RoleName"), awsapi.Strings(c.Form, "TagKeys"))
}

func (a *API) listRoleTags(ctx context.Context, c *awsapi.Call) (any, error) {
	r, err := a.iam.Role(ctx, c.Form.Get("RoleName"))
	if err != nil {
		return nil, err
	}
	return struct {
		Tags list[tagXML]
		more
	}{Tags: tagList(r.Tags)}, nil
}

// noRolePolicies and noInstanceProfiles: tools ask before they delete a role.
func (a *API) noRolePolicies(ctx context.Context, c *awsapi.Call) (any, error) {
	if _, err := a.iam.Role(ctx, c.Form.Get("RoleName")); err != nil {
		return nil, err
	}
	return attachedResult{}, nil
}

func (a *API) noInstanceProfiles(ctx context.Context, c *awsapi.Call) (any, error) {
	if _, err := a.iam.Role(ctx, c.Form.Get("RoleName")); err != nil {
		return nil, err
	}
	return struct {
		InstanceProfiles list[struct{}]
		more
	}{}, nil
}
