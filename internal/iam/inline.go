package iam

import (
	"context"
	"fmt"
	"unicode"

	"fiducial/internal/fault"
	"fiducial/internal/policy"
)

// Quotas of all inline policies of one owner together, in characters without
// white space.
const (
	maxUserPolicies = 2048
	maxRolePolicies = policy.MaxIdentity
)

func (o Owner) check() error { return checkName(string(o.Kind)+"Name", o.Name, 128) }

// PutPolicy adds or replaces an inline policy.
func (s *Service) PutPolicy(ctx context.Context, o Owner, p InlinePolicy) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := checkName("policyName", p.Name, 128); err != nil {
		return err
	}
	if p.Document == "" {
		return validation("policyDocument", "null", "Member must not be null")
	}
	if _, err := policy.Parse([]byte(p.Document), policy.Identity); err != nil {
		return err
	}
	defer s.changed()
	return s.store.PutPolicy(ctx, o, p, o.checkTotal)
}

func (o Owner) checkTotal(all []InlinePolicy) error {
	limit := maxRolePolicies
	if o.Kind == OfUser {
		limit = maxUserPolicies
	}
	total := 0
	for _, p := range all {
		for _, r := range p.Document {
			if !unicode.IsSpace(r) {
				total++
			}
		}
	}
	if total > limit {
		return fault.Coded("iam.PutPolicy", fault.Limit, "LimitExceeded", fmt.Sprintf("Maximum policy size of %d bytes exceeded for %s %s", limit, o.Kind, o.Name))
	}
	return nil
}

// Policy returns an inline policy.
func (s *Service) Policy(ctx context.Context, o Owner, name string) (InlinePolicy, error) {
	if err := checkName("policyName", name, 128); err != nil {
		return InlinePolicy{}, err
	}
	all, err := s.Policies(ctx, o)
	if err != nil {
		return InlinePolicy{}, err
	}
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
	}
	return InlinePolicy{}, noEntity(string(o.Kind)+" policy", name)
}

// Policies lists an owner's inline policies by name.
func (s *Service) Policies(ctx context.Context, o Owner) ([]InlinePolicy, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	var err error
	if o.Kind == OfUser {
		_, err = s.store.User(ctx, o.Name)
	} else {
		_, err = s.store.Role(ctx, o.Name)
	}
	if err != nil {
		return nil, err
	}
	return s.store.Policies(ctx, o)
}

// DeletePolicy removes an inline policy.
func (s *Service) DeletePolicy(ctx context.Context, o Owner, name string) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := checkName("policyName", name, 128); err != nil {
		return err
	}
	defer s.changed()
	return s.store.DeletePolicy(ctx, o, name)
}
