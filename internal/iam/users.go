package iam

import (
	"context"
	"encoding/base64"

	"fiducial/internal/fault"
)

// Page is a part of a list.
type Page struct {
	PathPrefix string // "/" if empty
	After      string // name of the last one seen
	Limit      int    // 1 to 1000; 0 means 100
}

// Check fills in defaults and refuses what breaks a constraint.
func (p *Page) Check() error {
	if p.PathPrefix == "" {
		p.PathPrefix = "/"
	}
	if p.Limit == 0 {
		p.Limit = 100
	}
	if len(p.PathPrefix) > 512 || !pathPrefixShape.MatchString(p.PathPrefix) {
		return validation("pathPrefix", p.PathPrefix, `Member must satisfy regular expression pattern: \/[\x21-\x7E]*`)
	}
	if p.Limit < 1 || p.Limit > 1000 {
		return fault.Newf("iam.list", fault.Invalid, "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000")
	}
	return nil
}

// cut returns at most limit elements and whether there were more.
func cut[T any](all []T, err error, limit int) ([]T, bool, error) {
	if err != nil || len(all) <= limit {
		return all, false, err
	}
	return all[:limit], true, nil
}

// NewUser is what CreateUser takes.
type NewUser struct {
	Name string
	Path string // "/" if empty
	Tags []Tag
}

// Check fills in defaults and refuses what breaks a constraint.
func (in *NewUser) Check() error {
	if in.Path == "" {
		in.Path = "/"
	}
	if err := checkName("userName", in.Name, 64); err != nil {
		return err
	}
	if err := checkText("path", in.Path, pathShape, 1, 512); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

// CreateUser adds a user without keys and policies.
func (s *Service) CreateUser(ctx context.Context, in NewUser) (*User, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	id, err := s.newID("AIDA")
	if err != nil {
		return nil, err
	}
	u := &User{Name: in.Name, Path: in.Path, ID: id, CreatedAt: s.now(), Tags: in.Tags}
	if err := s.store.CreateUser(ctx, u); err != nil {
		return nil, err
	}
	s.changed()
	return u, nil
}

// User returns a user.
func (s *Service) User(ctx context.Context, name string) (*User, error) {
	if err := checkName("userName", name, 128); err != nil {
		return nil, err
	}
	return s.store.User(ctx, name)
}

// Users lists users by name; more says that there are others after them.
func (s *Service) Users(ctx context.Context, p Page) (users []User, more bool, err error) {
	if err := p.Check(); err != nil {
		return nil, false, err
	}
	users, err = s.store.Users(ctx, p.PathPrefix, p.After, p.Limit+1)
	return cut(users, err, p.Limit)
}

// DeleteUser removes a user who has neither keys nor policies.
func (s *Service) DeleteUser(ctx context.Context, name string) error {
	if err := checkName("userName", name, 128); err != nil {
		return err
	}
	defer s.changed()
	return s.store.DeleteUser(ctx, name)
}

// maxKeysPerUser is AWS's quota: one in use and one to rotate to.
const maxKeysPerUser = 2

// CreateAccessKey makes a key for a user. Its secret is shown once, here.
func (s *Service) CreateAccessKey(ctx context.Context, user string) (*AccessKey, Secret, error) {
	if err := checkName("userName", user, 128); err != nil {
		return nil, Secret{}, err
	}
	id, err := s.newID("AKIA")
	if err != nil {
		return nil, Secret{}, err
	}
	var raw [secretBytes]byte
	if err := s.random(raw[:]); err != nil {
		return nil, Secret{}, err
	}
	secret := base64.StdEncoding.EncodeToString(raw[:])
	sealed, err := s.keys.Seal([]byte(secret), purposeOfKey(id))
	if err != nil {
		return nil, Secret{}, err
	}
	k := &StoredKey{AccessKey: AccessKey{ID: id, UserName: user, Active: true, CreatedAt: s.now()}, Sealed: sealed}
	if err := s.store.CreateAccessKey(ctx, k, maxKeysPerUser); err != nil {
		return nil, Secret{}, err
	}
	s.changed()
	return &k.AccessKey, NewSecret(secret), nil
}

// AccessKeys lists a user's keys.
func (s *Service) AccessKeys(ctx context.Context, user string) ([]AccessKey, error) {
	if err := checkName("userName", user, 128); err != nil {
		return nil, err
	}
	if _, err := s.store.User(ctx, user); err != nil {
		return nil, err
	}
	return s.store.AccessKeys(ctx, user)
}

// UpdateAccessKey turns a key on or off.
func (s *Service) UpdateAccessKey(ctx context.Context, user, id string, active bool) error {
	if err := checkKeyOf(user, id); err != nil {
		return err
	}
	defer s.changed()
	return s.store.UpdateAccessKey(ctx, user, id, active)
}

// DeleteAccessKey removes a key for good.
func (s *Service) DeleteAccessKey(ctx context.Context, user, id string) error {
	if err := checkKeyOf(user, id); err != nil {
		return err
	}
	defer s.changed()
	return s.store.DeleteAccessKey(ctx, user, id)
}

func checkKeyOf(user, id string) error {
	if err := checkName("userName", user, 128); err != nil {
		return err
	}
	return checkText("accessKeyId", id, accessKeyShape, 16, 128)
}
