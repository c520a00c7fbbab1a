package kmsapi

import (
	"context"
	"strings"

	"fiducial/internal/awsapi"
	"fiducial/internal/awsapi/kmswire"
	"fiducial/internal/kms"
	"fiducial/internal/policy"
)

func (a *API) grants() []awsapi.Operation {
	return []awsapi.Operation{a.createGrant(), a.listGrants(), a.revokeGrant(), a.retireGrant(),
		plain("ListRetirableGrants", kmswire.ListRetirableGrantsRequestShape, nil, nil,
			func(ctx context.Context, _ *awsapi.Call, in *kmswire.ListRetirableGrantsRequest) (any, error) {
				return a.listed(ctx, kms.GrantFilter{Retiring: in.RetiringPrincipal}, in.Marker, in.Limit)
			})}
}

// grantKeys are the condition keys of CreateGrant. Nobody here asks on behalf of
// an AWS resource: kms:GrantIsForAWSResource is for services.
func grantKeys(in *kmswire.CreateGrantRequest) []policy.Key {
	keys := []policy.Key{
		{Name: "kms:GrantOperations", Values: in.Operations}, {Name: "kms:GranteePrincipal", Value: in.GranteePrincipal},
		{Name: "kms:GrantIsForAWSResource", Value: "false"},
	}
	if in.RetiringPrincipal != nil {
		keys = append(keys, policy.Key{Name: "kms:RetiringPrincipal", Value: *in.RetiringPrincipal})
	}
	if c := in.Constraints; c != nil {
		switch {
		case c.EncryptionContextEquals != nil:
			keys = append(keys, policy.Key{Name: "kms:GrantConstraintType", Value: "EncryptionContextEquals"})
		case c.EncryptionContextSubset != nil:
			keys = append(keys, policy.Key{Name: "kms:GrantConstraintType", Value: "EncryptionContextSubset"})
		}
	}
	return keys
}

func (a *API) createGrant() awsapi.Operation {
	key := func(in *kmswire.CreateGrantRequest) string { return in.KeyId }
	return onKey(a, about[kmswire.CreateGrantRequest]{
		name: "CreateGrant", shape: kmswire.CreateGrantRequestShape, key: key, find: named(a, key), keys: grantKeys,
		do: func(ctx context.Context, r *request[kmswire.CreateGrantRequest]) (any, error) {
			if err := a.dry(r.target, r.in.DryRun); err != nil {
				return nil, err
			}
			if p := value(r.in.RetiringPrincipal); p != "" && !strings.HasPrefix(p, "arn:") {
				return nil, invalid("InvalidArnException", "RetiringPrincipal: expected the ARN of a principal")
			}
			g := kms.Grant{Name: value(r.in.Name), Grantee: r.in.GranteePrincipal, Retiring: value(r.in.RetiringPrincipal), Issuer: r.Caller.ARN, Operations: r.in.Operations}
			if c := r.in.Constraints; c != nil {
				g.Equals, g.Subset = c.EncryptionContextEquals, c.EncryptionContextSubset
			}
			made, err := a.keys.CreateGrant(ctx, r.target, g, r.by)
			if err != nil {
				return nil, err
			}
			return kmswire.CreateGrantResponse{GrantId: &made.ID, GrantToken: &made.Token}, nil
		},
	})
}

func (a *API) listGrants() awsapi.Operation {
	key := func(in *kmswire.ListGrantsRequest) string { return in.KeyId }
	return onKey(a, about[kmswire.ListGrantsRequest]{
		name: "ListGrants", shape: kmswire.ListGrantsRequestShape, key: key, find: named(a, key),
		do: func(ctx context.Context, r *request[kmswire.ListGrantsRequest]) (any, error) {
			return a.listed(ctx, kms.GrantFilter{KeyID: r.target.Key().ID, ID: value(r.in.GrantId), Grantee: value(r.in.GranteePrincipal)}, r.in.Marker, r.in.Limit)
		},
	})
}

func (a *API) listed(ctx context.Context, f kms.GrantFilter, marker *string, limit int64) (any, error) {
	p, err := readPage(marker, limit, 50)
	if err != nil {
		return nil, err
	}
	list, err := a.keys.Grants(ctx, f, p.after, p.limit+1)
	if err != nil {
		return nil, err
	}
	out := kmswire.ListGrantsResponse{Grants: []kmswire.GrantListEntry{}}
	list, out.NextMarker, out.Truncated = cut(list, p, func(g *kms.Grant) string { return g.ID })
	for _, g := range list {
		created := awsapi.At(g.CreatedAt)
		e := kmswire.GrantListEntry{KeyId: optional(a.keys.KeyARN(g.KeyID)), GrantId: &g.ID, Name: &g.Name, CreationDate: &created, GranteePrincipal: &g.Grantee,
			RetiringPrincipal: optional(g.Retiring), IssuingAccount: optional("arn:aws:iam::" + a.keys.Account() + ":root"), Operations: g.Operations}
		if g.Equals != nil || g.Subset != nil {
			e.Constraints = &kmswire.GrantConstraints{EncryptionContextEquals: g.Equals, EncryptionContextSubset: g.Subset}
		}
		out.Grants = append(out.Grants, e)
	}
	return out, nil
}

func (a *API) revokeGrant() awsapi.Operation {
	return simple(a, "RevokeGrant", kmswire.RevokeGrantRequestShape, func(in *kmswire.RevokeGrantRequest) string { return in.KeyId }, nil,
		func(ctx context.Context, r *request[kmswire.RevokeGrantRequest]) error {
			if err := dryRun(r.in.DryRun); err != nil {
				return err
			}
			return a.keys.DeleteGrant(ctx, r.target.Key().ID, r.in.GrantId)
		})
}

// retireGrant is for whom the grant names; it goes by its token, or by key and id.
func (a *API) retireGrant() awsapi.Operation {
	return onKey(a, about[kmswire.RetireGrantRequest]{
		name: "RetireGrant", shape: kmswire.RetireGrantRequestShape,
		key:  func(in *kmswire.RetireGrantRequest) string { return value(in.KeyId) },
		find: a.findRetired,
		decide: func(ctx context.Context, r *request[kmswire.RetireGrantRequest], ask kms.Ask) (kms.Decision, error) {
			return a.keys.DecideRetire(ctx, r.target, r.grant, ask)
		},
		do: func(ctx context.Context, r *request[kmswire.RetireGrantRequest]) (any, error) {
			if err := dryRun(r.in.DryRun); err != nil {
				return nil, err
			}
			return nil, a.keys.DeleteGrant(ctx, r.grant.KeyID, r.grant.ID)
		},
	})
}

func (a *API) findRetired(ctx context.Context, r *request[kmswire.RetireGrantRequest]) (*kms.Target, error) {
	f := kms.GrantFilter{Token: value(r.in.GrantToken)}
	switch {
	case f.Token != "":
	case r.in.KeyId == nil || r.in.GrantId == nil:
		return nil, invalid("ValidationException", "GrantToken: expected it, or both KeyId and GrantId")
	default:
		t, err := a.keys.FindKey(ctx, *r.in.KeyId)
		if err != nil {
			return nil, err
		}
		f = kms.GrantFilter{KeyID: t.Key().ID, ID: *r.in.GrantId}
	}
	g, err := a.keys.FindGrant(ctx, f)
	if err != nil {
		return nil, err
	}
	r.grant = g
	return a.keys.FindKey(ctx, g.KeyID)
}
