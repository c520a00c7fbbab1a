package iamapi

import (
	"context"

	"fiducial/internal/awsapi"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
)

type userXML struct {
	Path       string
	UserName   string `xml:",omitempty"`
	UserID     string `xml:"UserId"`
	ARN        string `xml:"Arn"`
	CreateDate string
	Tags       *list[tagXML]
}

type userResult struct{ User userXML }

func (a *API) userXML(u *iam.User) userXML {
	return userXML{Path: u.Path, UserName: u.Name, UserID: u.ID, ARN: u.ARN(a.iam.Account()), CreateDate: date(u.CreatedAt), Tags: optionalTags(u.Tags)}
}

func (a *API) users() []awsapi.Operation {
	create := operation("CreateUser", a.newUserARN, a.createUser)
	create.Context = tagContext
	return []awsapi.Operation{
		create,
		operation("GetUser", a.whoever, a.getUser),
		operation("ListUsers", a.all("user"), a.listUsers),
		operation("DeleteUser", a.aUser, a.deleteUser),
		operation("ListAttachedUserPolicies", a.aUser, a.noAttachedPolicies),
		operation("ListGroupsForUser", a.aUser, a.noGroups),
	}
}

func newUser(c *awsapi.Call) iam.NewUser {
	return iam.NewUser{Name: c.Form.Get("UserName"), Path: c.Form.Get("Path"), Tags: tags(c.Form)}
}

func (a *API) newUserARN(_ context.Context, c *awsapi.Call) (string, error) {
	in := newUser(c)
	if err := in.Check(); err != nil {
		return "", err
	}
	return (&iam.User{Name: in.Name, Path: in.Path}).ARN(a.iam.Account()), nil
}

func (a *API) createUser(ctx context.Context, c *awsapi.Call) (any, error) {
	u, err := a.iam.CreateUser(ctx, newUser(c))
	if err != nil {
		return nil, err
	}
	return userResult{a.userXML(u)}, nil
}

// whoever is ownUser that also takes the root user, who may look at itself.
func (a *API) whoever(ctx context.Context, c *awsapi.Call) (string, error) {
	if !c.Form.Has("UserName") && c.Caller.Type == identity.Root {
		return c.Caller.ARN, nil
	}
	return a.ownUser(ctx, c)
}

func (a *API) getUser(ctx context.Context, c *awsapi.Call) (any, error) {
	if !c.Form.Has("UserName") {
		return userResult{userXML{Path: "/", UserID: c.Caller.UserID, ARN: c.Caller.ARN, CreateDate: date(c.Time)}}, nil
	}
	u, err := a.iam.User(ctx, c.Form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	return userResult{a.userXML(u)}, nil
}

func (a *API) listUsers(ctx context.Context, c *awsapi.Call) (any, error) {
	p, err := page(c.Form)
	if err != nil {
		return nil, err
	}
	users, truncated, err := a.iam.Users(ctx, p)
	if err != nil {
		return nil, err
	}
	var out struct {
		Users list[userXML]
		more
	}
	last := ""
	for i := range users {
		x := a.userXML(&users[i])
		x.Tags = nil // lists do not have them
		out.Users.Members = append(out.Users.Members, x)
		last = users[i].Name
	}
	out.more = moreAfter(truncated, last)
	return out, nil
}

func (a *API) deleteUser(ctx context.Context, c *awsapi.Call) (any, error) {
	return nil, a.iam.DeleteUser(ctx, c.Form.Get("UserName"))
}

// noAttachedPolicies and noGroups: tools ask before they delete a user.
func (a *API) noAttachedPolicies(ctx context.Context, c *awsapi.Call) (any, error) {
	if _, err := a.iam.User(ctx, c.Form.Get("UserName")); err != nil {
		return nil, err
	}
	return attachedResult{}, nil
}

func (a *API) noGroups(ctx context.Context, c *awsapi.Call) (any, error) {
	if _, err := a.iam.User(ctx, c.Form.Get("UserName")); err != nil {
		return nil, err
	}
	return struct {
		Groups list[struct{}]
		more
	}{}, nil
}

// attachedResult is the empty list of managed policies: there are none here.
type attachedResult struct {
	AttachedPolicies list[struct{}]
	more
}

type keyXML struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

func (a *API) accessKeys() []awsapi.Operation {
	return []awsapi.Operation{
		operation("CreateAccessKey", a.ownUser, a.createAccessKey),
		operation("ListAccessKeys", a.ownUser, a.listAccessKeys),
		operation("UpdateAccessKey", a.ownUser, a.updateAccessKey),
		operation("DeleteAccessKey", a.ownUser, a.deleteAccessKey),
	}
}

func keyOf(k *iam.AccessKey) keyXML {
	status := "Inactive"
	if k.Active {
		status = "Active"
	}
	return keyXML{UserName: k.UserName, AccessKeyID: k.ID, Status: status, CreateDate: date(k.CreatedAt)}
}

func (a *API) createAccessKey(ctx context.Context, c *awsapi.Call) (any, error) {
	k, secret, err := a.iam.CreateAccessKey(ctx, c.Form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	x := keyOf(k)
	x.SecretAccessKey = secret.Reveal() // the one time it is shown
	return struct{ AccessKey keyXML }{x}, nil
}

func (a *API) listAccessKeys(ctx context.Context, c *awsapi.Call) (any, error) {
	keys, err := a.iam.AccessKeys(ctx, c.Form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	var out struct {
		AccessKeyMetadata list[keyXML]
		more
	}
	for i := range keys {
		out.AccessKeyMetadata.Members = append(out.AccessKeyMetadata.Members, keyOf(&keys[i]))
	}
	return out, nil
}

func (a *API) updateAccessKey(ctx context.Context, c *awsapi.Call) (any, error) {
	status := c.Form.Get("Status")
	if status != "Active" && status != "Inactive" {
		return nil, fault.Newf("iamapi.UpdateAccessKey", fault.Invalid,
			"1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]")
	}
	return nil, a.iam.UpdateAccessKey(ctx, c.Form.Get("UserName"), c.Form.Get("AccessKeyId"), status == "Active")
}

func (a *API) deleteAccessKey(ctx context.Context, c *awsapi.Call) (any, error) {
	return nil, a.iam.DeleteAccessKey(ctx, c.Form.Get("UserName"), c.Form.Get("AccessKeyId"))
}
