package kms

import (
	"context"
	"time"
)

// State is where a key is in its life.
type State string

// The states.
const (
	Enabled         State = "Enabled"
	Disabled        State = "Disabled"
	PendingDeletion State = "PendingDeletion"
	Deleted         State = "Deleted" // not on the wire: NotFoundException
)

// Manager is who manages a key.
type Manager string

// The managers.
const (
	Customer Manager = "CUSTOMER"
	AWS      Manager = "AWS" // made on demand for a service, under alias/aws/…
)

// Key is a KMS key as it is stored.
type Key struct {
	ID          string // a UUID
	Description string
	Manager     Manager
	State       State
	Policy      string // as it was given
	Tags        []Tag
	CreatedAt   time.Time
	DeletionAt  time.Time // of PendingDeletion and Deleted
	RotateDays  int       // 0: no automatic rotation
	RotatedAt   time.Time // or when it was created
	Material    string    // a keyset, sealed for this key; empty when deleted
}

// NextRotation is when automatic rotation is due; zero when there is none.
func (k *Key) NextRotation() time.Time {
	if k.RotateDays == 0 || k.State != Enabled {
		return time.Time{}
	}
	return k.RotatedAt.AddDate(0, 0, k.RotateDays)
}

// gone reports whether the key is deleted or its day has come.
func (k *Key) gone(now time.Time) bool {
	return k.State == Deleted || k.State == PendingDeletion && !now.Before(k.DeletionAt)
}

// Tag is a label on a key; policies see it as aws:ResourceTag/Key.
type Tag struct{ Key, Value string }

// Alias is another name of a key: alias/…
type Alias struct {
	Name      string
	KeyID     string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Grant lets a principal use a key.
type Grant struct {
	ID         string // 64 hexadecimal digits
	KeyID      string
	Token      string
	Name       string
	Grantee    string // ARN
	Retiring   string // ARN
	Issuer     string // ARN
	Operations []string
	Equals     map[string]string // EncryptionContextEquals; nil for none
	Subset     map[string]string // EncryptionContextSubset; nil for none
	CreatedAt  time.Time
}

// Store keeps keys, aliases and grants. Every method that changes something
// increases the generation in the same transaction. What is not there is a fault
// of kind NotFound, what is there already one of kind Exists; codes and words are
// the Service's.
type Store interface {
	Generation(ctx context.Context) (int64, error)

	// CreateKey adds a key and, unless it is empty, an alias of it. If the alias
	// is there already nothing is added.
	CreateKey(ctx context.Context, k *Key, alias string) error
	Key(ctx context.Context, id string) (*Key, error)
	// Keys lists at most limit keys after an id, the deleted ones left out.
	Keys(ctx context.Context, after string, limit int) ([]Key, error)
	// UpdateKey applies change in one transaction; change may run more than once.
	UpdateKey(ctx context.Context, id string, change func(*Key) error) error
	// DueKeys returns the ids of keys to be deleted or rotated by then.
	DueKeys(ctx context.Context, now time.Time) ([]string, error)

	CreateAlias(ctx context.Context, a *Alias, limit int) error
	Alias(ctx context.Context, name string) (*Alias, error)
	// Aliases lists aliases by name, of one key or (empty) of all.
	Aliases(ctx context.Context, keyID, after string, limit int) ([]Alias, error)
	UpdateAlias(ctx context.Context, name, keyID string, at time.Time) error
	DeleteAlias(ctx context.Context, name string) error

	CreateGrant(ctx context.Context, g *Grant, limit int) error
	// Grants lists grants by id. Empty members of the filter do not filter.
	Grants(ctx context.Context, f GrantFilter, after string, limit int) ([]Grant, error)
	DeleteGrant(ctx context.Context, keyID, id string) error
}

// GrantFilter chooses grants.
type GrantFilter struct{ KeyID, ID, Token, Grantee, Retiring string }
