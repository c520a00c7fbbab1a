package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fiducial/internal/policy"
)

// NewRole is what CreateRole takes.
type NewRole struct {
	Name        string
	Path        string // "/" if empty
	Description string
	TrustPolicy string
	MaxSession  time.Duration // one hour if zero
	Tags        []Tag
}

// CreateRole adds a role without policies.
func (s *Service) CreateRole(ctx context.Context, in NewRole) (*Role, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	id, err := s.newID("AROA")
	if err != nil {
		return nil, err
	}
	r := &Role{
		Name: in.Name, Path: in.Path, ID: id, Description: in.Description, TrustPolicy: in.TrustPolicy,
		MaxSession: in.MaxSession, CreatedAt: s.now(), Tags: in.Tags,
	}
	if err := s.store.CreateRole(ctx, r); err != nil {
		return nil, err
	}
	s.changed()
	return r, nil
}

// Check fills in defaults and refuses what breaks a constraint.
func (in *NewRole) Check() error {
	if in.Path == "" {
		in.Path = "/"
	}
	if in.MaxSession == 0 {
		in.MaxSession = defaultSession
	}
	if err := checkName("roleName", in.Name, 64); err != nil {
		return err
	}
	if err := checkText("path", in.Path, pathShape, 1, 512); err != nil {
		return err
	}
	if err := checkRoleSettings(in.Description, in.MaxSession); err != nil {
		return err
	}
	if err := checkTrust(in.TrustPolicy); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

func checkRoleSettings(description string, maxSession time.Duration) error {
	if err := checkText("description", description, descriptionShape, 0, 1000); err != nil {
		return err
	}
	if maxSession < time.Hour || maxSession > 12*time.Hour {
		return validation("maxSessionDuration", fmt.Sprint(int64(maxSession/time.Second)), "Member must have value between 3600 and 43200")
	}
	return nil
}

func checkTrust(doc string) error {
	if doc == "" {
		return validation("assumeRolePolicyDocument", "null", "Member must not be null")
	}
	_, err := policy.Parse([]byte(doc), policy.Trust)
	return err
}

// Role returns a role.
func (s *Service) Role(ctx context.Context, name string) (*Role, error) {
	if err := checkName("roleName", name, 64); err != nil {
		return nil, err
	}
	return s.store.Role(ctx, name)
}

// Roles lists roles by name; more says that there are others after them.
func (s *Service) Roles(ctx context.Context, p Page) (roles []Role, more bool, err error) {
	if err := p.Check(); err != nil {
		return nil, false, err
	}
	roles, err = s.store.Roles(ctx, p.PathPrefix, p.After, p.Limit+1)
	return cut(roles, err, p.Limit)
}

// RoleChange is what UpdateRole changes; nil keeps what is there.
type RoleChange struct {
	Description *string
	MaxSession  *time.Duration
}

// UpdateRole changes a role's settings. Sessions that exist keep their life.
func (s *Service) UpdateRole(ctx context.Context, name string, in RoleChange) error {
	return s.updateRole(ctx, name, func(r *Role) error {
		if in.Description != nil {
			r.Description = *in.Description
		}
		if in.MaxSession != nil {
			r.MaxSession = *in.MaxSession
		}
		return checkRoleSettings(r.Description, r.MaxSession)
	})
}

// UpdateTrust replaces who may assume the role.
func (s *Service) UpdateTrust(ctx context.Context, name, doc string) error {
	if err := checkTrust(doc); err != nil {
		return err
	}
	return s.updateRole(ctx, name, func(r *Role) error {
		r.TrustPolicy = doc
		return nil
	})
}

// TagRole adds or replaces tags.
func (s *Service) TagRole(ctx context.Context, name string, tags []Tag) error {
	if err := checkTags(tags); err != nil {
		return err
	}
	return s.updateRole(ctx, name, func(r *Role) error {
		for _, t := range tags {
			r.Tags = append(withoutTag(r.Tags, t.Key), t)
		}
		slices.SortFunc(r.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
		return checkTags(r.Tags)
	})
}

// UntagRole removes tags; keys that are not there are no error.
func (s *Service) UntagRole(ctx context.Context, name string, keys []string) error {
	return s.updateRole(ctx, name, func(r *Role) error {
		for _, k := range keys {
			r.Tags = withoutTag(r.Tags, k)
		}
		return nil
	})
}

func withoutTag(tags []Tag, key string) []Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t Tag) bool { return strings.EqualFold(t.Key, key) })
}

func (s *Service) updateRole(ctx context.Context, name string, change func(*Role) error) error {
	if err := checkName("roleName", name, 64); err != nil {
		return err
	}
	defer s.changed()
	return s.store.UpdateRole(ctx, name, change)
}

// DeleteRole removes a role that has no policies. Its sessions lose every right.
func (s *Service) DeleteRole(ctx context.Context, name string) error {
	if err := checkName("roleName", name, 64); err != nil {
		return err
	}
	defer s.changed()
	return s.store.DeleteRole(ctx, name)
}
