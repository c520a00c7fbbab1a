package kms

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
)

// Limits, AWS's where it has one.
const (
	maxAliases     = 50 // of a key
	maxGrants      = 50_000
	maxTags        = 50
	defaultWindow  = 30 // days until a key is deleted
	minWindow      = 7
	maxWindow      = 30
	defaultDays    = 365 // between rotations
	minDays        = 90
	maxDays        = 2560
	maxRotations   = 64 // the material must fit a sealed text
	maxDescription = 8192
)

// Create makes a key. An empty policy means the default one. Unless bypass is set,
// the policy must let the caller change it again.
func (s *Service) Create(ctx context.Context, c *iam.Caller, description, doc string, tags []Tag, bypass bool) (*Target, error) {
	if doc == "" {
		doc = defaultPolicy(s.o.Account)
	}
	if len(description) > maxDescription {
		return nil, invalid("ValidationException", "Description: at most %d characters are accepted", maxDescription)
	}
	if err := checkTags(nil, tags); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	if err := s.checkPolicy(ctx, c, s.KeyARN(id), doc, bypass); err != nil {
		return nil, err
	}
	material, err := s.newMaterial(id)
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	k := &Key{ID: id, Description: description, Manager: Customer, State: Enabled, Policy: doc, Tags: tags, CreatedAt: now, RotatedAt: now, Material: material}
	if err := s.o.Store.CreateKey(ctx, k, ""); err != nil {
		return nil, err
	}
	s.changed()
	return s.Find(ctx, id)
}

// checkPolicy refuses documents that do not parse and those that would lock their
// author out.
func (s *Service) checkPolicy(ctx context.Context, c *iam.Caller, arn, doc string, bypass bool) error {
	d, err := policy.Parse([]byte(doc), policy.KeyPolicy)
	if err != nil {
		return invalid("MalformedPolicyDocumentException", "Policy: %s", fault.MessageOf(err))
	}
	if bypass {
		return nil
	}
	answer, err := s.o.IAM.Authorize(ctx, c, iam.Question{Action: "kms:PutKeyPolicy", Resource: arn, ResourcePolicy: d,
		Context: policy.Context{Time: s.o.Now(), SecureTransport: true, Keys: []policy.Key{{Name: "kms:CallerAccount", Value: c.Account}}}})
	if err != nil {
		return err
	}
	if !answer.Allowed() {
		return invalid("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
	}
	return nil
}

// List returns at most limit keys after an id.
func (s *Service) List(ctx context.Context, after string, limit int) ([]Key, error) {
	return s.o.Store.Keys(ctx, after, limit)
}

// update changes a customer's key if the checks pass.
func (s *Service) update(ctx context.Context, t *Target, change func(*Key) error, checks ...func(*Key) error) error {
	if t.key.Manager != Customer {
		return invalid("ValidationException", "%s is managed by AWS: it cannot be changed.", t.ARN)
	}
	now := s.o.Now()
	err := s.o.Store.UpdateKey(ctx, t.key.ID, func(k *Key) error {
		if k.gone(now) {
			return lost(t.ARN, k.DeletionAt)
		}
		for _, check := range checks {
			if err := check(k); err != nil {
				return err
			}
		}
		return change(k)
	})
	s.changed()
	return err
}

// notPending refuses changes of a key that waits for its deletion.
func (t *Target) notPending(k *Key) error {
	if k.State == PendingDeletion {
		return invalid("KMSInvalidStateException", "%s is pending deletion.", t.ARN)
	}
	return nil
}

// SetEnabled enables or disables a key.
func (s *Service) SetEnabled(ctx context.Context, t *Target, on bool) error {
	return s.update(ctx, t, func(k *Key) error {
		k.State = map[bool]State{true: Enabled, false: Disabled}[on]
		return nil
	}, t.notPending)
}

// ScheduleDeletion begins the days after which a key and all that was sealed
// under it are lost. It answers when that is.
func (s *Service) ScheduleDeletion(ctx context.Context, t *Target, days int) (time.Time, error) {
	if days == 0 {
		days = defaultWindow
	}
	if days < minWindow || days > maxWindow {
		return time.Time{}, invalid("ValidationException", "PendingWindowInDays: %d: expected %d to %d", days, minWindow, maxWindow)
	}
	at := s.o.Now().AddDate(0, 0, days)
	return at, s.update(ctx, t, func(k *Key) error {
		k.State, k.DeletionAt = PendingDeletion, at
		return nil
	}, t.notPending)
}

// CancelDeletion brings a key back, disabled.
func (s *Service) CancelDeletion(ctx context.Context, t *Target) error {
	return s.update(ctx, t, func(k *Key) error {
		if k.State != PendingDeletion {
			return invalid("KMSInvalidStateException", "%s is not pending deletion.", t.ARN)
		}
		k.State, k.DeletionAt = Disabled, time.Time{}
		return nil
	})
}

// Describe changes a key's description.
func (s *Service) Describe(ctx context.Context, t *Target, description string) error {
	return s.update(ctx, t, func(k *Key) error {
		k.Description = description
		return nil
	}, t.notPending)
}

// PutPolicy replaces a key's policy.
func (s *Service) PutPolicy(ctx context.Context, c *iam.Caller, t *Target, doc string, bypass bool) error {
	if err := s.checkPolicy(ctx, c, t.ARN, doc, bypass); err != nil {
		return err
	}
	return s.update(ctx, t, func(k *Key) error {
		k.Policy = doc
		return nil
	})
}

// SetRotation turns automatic rotation on, every so many days (0: a year), or off.
func (s *Service) SetRotation(ctx context.Context, t *Target, on bool, days int) error {
	if days == 0 {
		days = defaultDays
	}
	if on && (days < minDays || days > maxDays) {
		return invalid("ValidationException", "RotationPeriodInDays: %d: expected %d to %d", days, minDays, maxDays)
	}
	return s.update(ctx, t, func(k *Key) error {
		if k.State == Disabled {
			return invalid("DisabledException", "%s is disabled.", t.ARN)
		}
		if k.RotateDays = days; !on {
			k.RotateDays = 0
		}
		return nil
	}, t.notPending)
}

// Rotate makes new material for a key. The earlier opens what it sealed.
func (s *Service) Rotate(ctx context.Context, t *Target) error {
	if err := t.usable(s.o.Now()); err != nil {
		return err
	}
	return s.update(ctx, t, s.rotated, t.notPending)
}

// rotated adds a version to a key's material.
func (s *Service) rotated(k *Key) error {
	keys, err := s.openMaterial(k.ID, k.Material)
	if err != nil {
		return err
	}
	if keys.Versions() >= maxRotations {
		return fault.Coded("kms.Rotate", fault.Limit, "LimitExceededException", fmt.Sprintf("The key has been rotated %d times; that is as often as a key may be.", maxRotations-1))
	}
	if keys, err = keys.Rotated(); err != nil {
		return err
	}
	if k.Material, err = s.sealMaterial(k.ID, keys); err != nil {
		return err
	}
	k.RotatedAt = s.o.Now()
	return nil
}

var tagShape = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// checkTags refuses tags that AWS refuses, added to those that are there.
func checkTags(there, added []Tag) error {
	seen := map[string]bool{}
	for _, t := range added {
		switch {
		case t.Key == "" || len([]rune(t.Key)) > 128 || len([]rune(t.Value)) > 256 || !tagShape.MatchString(t.Key) || !tagShape.MatchString(t.Value):
			return invalid("TagException", "Tags: %q: expected a key of 1 to 128 and a value of at most 256 letters, digits, spaces and _.:/=+-@", printable(t.Key))
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return invalid("TagException", "Tags: %q: keys that begin with aws: are reserved", printable(t.Key))
		case seen[t.Key]:
			return invalid("TagException", "Tags: %q stands there twice", printable(t.Key))
		}
		seen[t.Key] = true
	}
	for _, t := range there {
		seen[t.Key] = true
	}
	if len(seen) > maxTags {
		return invalid("TagException", "Tags: a key has at most %d tags", maxTags)
	}
	return nil
}

// Tag adds and replaces tags.
func (s *Service) Tag(ctx context.Context, t *Target, tags []Tag) error {
	return s.update(ctx, t, func(k *Key) error {
		if err := checkTags(k.Tags, tags); err != nil {
			return err
		}
		for _, n := range tags {
			if i := slices.IndexFunc(k.Tags, func(o Tag) bool { return o.Key == n.Key }); i >= 0 {
				k.Tags[i].Value = n.Value
			} else {
				k.Tags = append(k.Tags, n)
			}
		}
		return nil
	}, t.notPending)
}

// Untag removes tags by their keys.
func (s *Service) Untag(ctx context.Context, t *Target, keys []string) error {
	return s.update(ctx, t, func(k *Key) error {
		k.Tags = slices.DeleteFunc(k.Tags, func(o Tag) bool { return slices.Contains(keys, o.Key) })
		return nil
	}, t.notPending)
}
