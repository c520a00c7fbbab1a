package kms

import (
	"context"
	"fmt"
	"strings"

	"fiducial/internal/fault"
)

// CheckAlias refuses names that no alias may have.
func CheckAlias(name string) error {
	if !aliasShape.MatchString(name) {
		return invalid("InvalidAliasNameException", "AliasName: %q: expected alias/ and 1 to 250 letters, digits and /_-", printable(name))
	}
	if strings.HasPrefix(name, "alias/aws/") {
		return invalid("InvalidAliasNameException", "AliasName: %q: names that begin with alias/aws/ are reserved", printable(name))
	}
	return nil
}

// AliasARN names an alias.
func (s *Service) AliasARN(name string) string { return s.arn(name) }

// CreateAlias gives a key another name.
func (s *Service) CreateAlias(ctx context.Context, name string, t *Target) error {
	if err := s.mayHaveAlias(t); err != nil {
		return err
	}
	now := s.o.Now()
	err := s.o.Store.CreateAlias(ctx, &Alias{Name: name, KeyID: t.key.ID, CreatedAt: now, UpdatedAt: now}, maxAliases)
	s.changed()
	switch {
	case fault.Is(err, fault.Exists):
		return fault.Coded("kms.CreateAlias", fault.Exists, "AlreadyExistsException", "An alias with the name "+s.arn(name)+" already exists")
	case fault.Is(err, fault.Limit):
		return fault.Coded("kms.CreateAlias", fault.Limit, "LimitExceededException", fmt.Sprintf("A key has at most %d aliases.", maxAliases))
	}
	return err
}

func (s *Service) mayHaveAlias(t *Target) error {
	if t.key.Manager != Customer {
		return invalid("ValidationException", "%s is managed by AWS: it cannot be changed.", t.ARN)
	}
	if t.key.gone(s.o.Now()) {
		return lost(t.ARN, t.key.DeletionAt)
	}
	return t.notPending(&t.key.Key)
}

// UpdateAlias lets an alias name another key.
func (s *Service) UpdateAlias(ctx context.Context, name string, t *Target) error {
	if err := s.mayHaveAlias(t); err != nil {
		return err
	}
	err := s.o.Store.UpdateAlias(ctx, name, t.key.ID, s.o.Now())
	s.changed()
	if fault.Is(err, fault.NotFound) {
		return s.noAlias(name)
	}
	return err
}

// DeleteAlias removes an alias; its key stays.
func (s *Service) DeleteAlias(ctx context.Context, name string) error {
	err := s.o.Store.DeleteAlias(ctx, name)
	s.changed()
	if fault.Is(err, fault.NotFound) {
		return s.noAlias(name)
	}
	return err
}

// Aliases lists aliases by name, of one key or (empty id) of all.
func (s *Service) Aliases(ctx context.Context, keyID, after string, limit int) ([]Alias, error) {
	return s.o.Store.Aliases(ctx, keyID, after, limit)
}
