package kmsapi

import (
	"context"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/kmswire"
	"fiducial/internal/kms"
)

// aliases need a right on the alias, which the pipeline asks for, and one on each
// key that gains or loses it.
func (a *API) aliases() []awsapi.Operation {
	return []awsapi.Operation{
		plain("CreateAlias", kmswire.CreateAliasRequestShape, func(in *kmswire.CreateAliasRequest) string { return a.nameOf(in.AliasName) }, nil,
			func(ctx context.Context, c *awsapi.Call, in *kmswire.CreateAliasRequest) (any, error) {
				if err := kms.CheckAlias(in.AliasName); err != nil {
					return nil, err
				}
				t, err := a.alsoNamed(ctx, c, in.TargetKeyId, "kms:CreateAlias")
				if err != nil {
					return nil, err
				}
				return nil, a.keys.CreateAlias(ctx, in.AliasName, t)
			}),
		plain("UpdateAlias", kmswire.UpdateAliasRequestShape, func(in *kmswire.UpdateAliasRequest) string { return a.nameOf(in.AliasName) }, nil,
			func(ctx context.Context, c *awsapi.Call, in *kmswire.UpdateAliasRequest) (any, error) {
				if err := a.alsoAliased(ctx, c, in.AliasName, "kms:UpdateAlias"); err != nil {
					return nil, err
				}
				t, err := a.alsoNamed(ctx, c, in.TargetKeyId, "kms:UpdateAlias")
				if err != nil {
					return nil, err
				}
				return nil, a.keys.UpdateAlias(ctx, in.AliasName, t)
			}),
		plain("DeleteAlias", kmswire.DeleteAliasRequestShape, func(in *kmswire.DeleteAliasRequest) string { return a.nameOf(in.AliasName) }, nil,
			func(ctx context.Context, c *awsapi.Call, in *kmswire.DeleteAliasRequest) (any, error) {
				if err := a.alsoAliased(ctx, c, in.AliasName, "kms:DeleteAlias"); err != nil {
					return nil, err
				}
				return nil, a.keys.DeleteAlias(ctx, in.AliasName)
			}),
		plain("ListAliases", kmswire.ListAliasesRequestShape, nil, nil, a.listAliases),
	}
}

// alsoNamed finds a key by id or ARN and asks for the action on it.
func (a *API) alsoNamed(ctx context.Context, c *awsapi.Call, key, action string) (*kms.Target, error) {
	t, err := a.keys.FindKey(ctx, key)
	if err != nil {
		return nil, a.keys.Hidden(ctx, err, a.nameOf(key), kms.Ask{Caller: c.Caller, Action: action, Context: c.Conditions()})
	}
	return t, a.also(ctx, c, t, action, nil)
}

// alsoAliased asks for the action on the key that an alias names now.
func (a *API) alsoAliased(ctx context.Context, c *awsapi.Call, alias, action string) error {
	if err := kms.CheckAlias(alias); err != nil {
		return err
	}
	t, err := a.keys.Find(ctx, alias)
	if err != nil {
		return err
	}
	return a.also(ctx, c, t, action, nil)
}

func (a *API) listAliases(ctx context.Context, _ *awsapi.Call, in *kmswire.ListAliasesRequest) (any, error) {
	p, err := readPage(in.Marker, in.Limit, 50)
	if err != nil {
		return nil, err
	}
	id := ""
	if in.KeyId != nil {
		t, err := a.keys.FindKey(ctx, *in.KeyId)
		if err != nil {
			return nil, err
		}
		id = t.Key().ID
	}
	list, err := a.keys.Aliases(ctx, id, p.after, p.limit+1)
	if err != nil {
		return nil, err
	}
	out := kmswire.ListAliasesResponse{Aliases: []kmswire.AliasListEntry{}}
	list, out.NextMarker, out.Truncated = cut(list, p, func(x *kms.Alias) string { return x.Name })
	for _, x := range list {
		created, updated := awsapi.At(x.CreatedAt), awsapi.At(x.UpdatedAt)
		out.Aliases = append(out.Aliases, kmswire.AliasListEntry{AliasName: &x.Name, AliasArn: optional(a.keys.AliasARN(x.Name)), TargetKeyId: &x.KeyID,
			CreationDate: &created, LastUpdatedDate: &updated})
	}
	return out, nil
}
