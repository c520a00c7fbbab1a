package iamapi

import (
	"context"

	"fiducial/internal/awsapi"
	"fiducial/internal/iam"
)

// inline is the rows for the inline policies of users or roles. word is "User"
// or "Role", as it stands in the names of operations and members.
func (a *API) inline(kind iam.OwnerKind, word string) []awsapi.Operation {
	i := inlineAPI{a, kind, word}
	target := a.aRole
	if kind == iam.OfUser {
		target = a.aUser
	}
	return []awsapi.Operation{
		operation("Put"+word+"Policy", target, i.put),
		operation("Get"+word+"Policy", target, i.get),
		operation("List"+word+"Policies", target, i.list),
		operation("Delete"+word+"Policy", target, i.delete),
	}
}

type inlineAPI struct {
	*API
	kind iam.OwnerKind
	word string
}

func (i inlineAPI) owner(c *awsapi.Call) iam.Owner {
	return iam.Owner{Kind: i.kind, Name: c.Form.Get(i.word + "Name")}
}

func (i inlineAPI) put(ctx context.Context, c *awsapi.Call) (any, error) {
	p := iam.InlinePolicy{Name: c.Form.Get("PolicyName"), Document: c.Form.Get("PolicyDocument")}
	return nil, i.iam.PutPolicy(ctx, i.owner(c), p)
}

func (i inlineAPI) get(ctx context.Context, c *awsapi.Call) (any, error) {
	p, err := i.iam.Policy(ctx, i.owner(c), c.Form.Get("PolicyName"))
	if err != nil {
		return nil, err
	}
	out := struct {
		UserName       string `xml:",omitempty"`
		RoleName       string `xml:",omitempty"`
		PolicyName     string
		PolicyDocument string
	}{PolicyName: p.Name, PolicyDocument: document(p.Document)}
	if i.kind == iam.OfUser {
		out.UserName = c.Form.Get("UserName")
	} else {
		out.RoleName = c.Form.Get("RoleName")
	}
	return out, nil
}

func (i inlineAPI) list(ctx context.Context, c *awsapi.Call) (any, error) {
	all, err := i.iam.Policies(ctx, i.owner(c))
	if err != nil {
		return nil, err
	}
	var out struct {
		PolicyNames list[string]
		more
	}
	for _, p := range all {
		out.PolicyNames.Members = append(out.PolicyNames.Members, p.Name)
	}
	return out, nil
}

func (i inlineAPI) delete(ctx context.Context, c *awsapi.Call) (any, error) {
	return nil, i.iam.DeletePolicy(ctx, i.owner(c), c.Form.Get("PolicyName"))
}
