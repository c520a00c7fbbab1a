package kms

import (
	"context"
	"regexp"
	"strings"

	"fiducial/internal/fault"
)

// Target is a key that was found by one of its names.
type Target struct {
	ARN   string
	Alias string // the alias it was asked for by; empty for none
	key   *loaded
}

// Key is the key. Its texts may be read and its slices not changed.
func (t *Target) Key() *Key { return &t.key.Key }

// Exists refuses a key that is deleted, saying what that means.
func (s *Service) Exists(t *Target) error {
	if t.key.gone(s.o.Now()) {
		return lost(t.ARN, t.key.DeletionAt)
	}
	return nil
}

// Usable refuses a key that is in no state to be used.
func (s *Service) Usable(t *Target) error { return t.usable(s.o.Now()) }

// Versions is how often the key's material was made, rotations included.
func (t *Target) Versions() int {
	if t.key.keys == nil {
		return 0
	}
	return t.key.keys.Versions()
}

var (
	keyShape   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	aliasShape = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`)
)

// Find returns the key of a name: its id, its ARN, an alias or an alias' ARN. An
// alias that AWS makes on demand (alias/aws/s3, alias/aws/sagemaker) is made.
func (s *Service) Find(ctx context.Context, name string) (*Target, error) {
	resource, err := s.local(name)
	if err != nil {
		return nil, err
	}
	b, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	alias := ""
	if strings.HasPrefix(resource, "alias/") {
		alias = resource
		if resource, err = s.aliased(ctx, b, alias); err != nil {
			return nil, err
		}
	}
	k, err := s.load(ctx, b, resource)
	if err != nil {
		return nil, err
	}
	return &Target{k.arn, alias, k}, nil
}

// FindKey is Find for operations that take no alias.
func (s *Service) FindKey(ctx context.Context, name string) (*Target, error) {
	if strings.Contains(name, "alias/") {
		return nil, notFound("Invalid keyId '%s': this operation takes a key's id or ARN, not an alias", printable(name))
	}
	return s.Find(ctx, name)
}

// local returns a key id or "alias/…" of this account and region.
func (s *Service) local(name string) (string, error) {
	resource := name
	if strings.HasPrefix(name, "arn:") {
		rest, ok := strings.CutPrefix(name, s.arn(""))
		switch {
		case ok && strings.HasPrefix(rest, "key/"):
			resource = strings.TrimPrefix(rest, "key/")
		case ok && strings.HasPrefix(rest, "alias/"):
			resource = rest
		case strings.HasPrefix(name, "arn:aws:kms:") && len(strings.SplitN(name, ":", 6)) == 6:
			return "", notFound("Key '%s' does not exist: this server has the keys of the account %s in %s", printable(name), s.o.Account, s.o.Region)
		default:
			return "", invalid("InvalidArnException", "%s is not a valid ARN of a key or an alias", printable(name))
		}
	}
	if keyShape.MatchString(resource) || aliasShape.MatchString(resource) {
		return resource, nil
	}
	return "", notFound("Invalid keyId '%s'", printable(name))
}

// aliased returns the key id of an alias.
func (s *Service) aliased(ctx context.Context, b *book, name string) (string, error) {
	if v, ok := b.aliases.Load(name); ok {
		return v.(string), nil
	}
	a, err := s.o.Store.Alias(ctx, name)
	if fault.Is(err, fault.NotFound) {
		if managed[name] == "" {
			return "", s.noAlias(name)
		}
		a, err = s.makeManaged(ctx, name)
	}
	if err != nil {
		return "", err
	}
	b.aliases.Store(name, a.KeyID)
	return a.KeyID, nil
}

// printable bounds and cleans what a caller sent before it is said back.
func printable(s string) string {
	if len(s) > 256 {
		s = s[:256]
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, s)
}
