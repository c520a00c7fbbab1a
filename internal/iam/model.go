package iam

import (
	"context"
	"time"

	"fiducial/internal/envelope"
)

// Secret is a text that does not print or marshal.
type Secret = envelope.Secret

// NewSecret wraps a secret text.
func NewSecret(s string) Secret { return envelope.NewSecret(s) }

// User is an IAM user.
type User struct {
	Name      string
	Path      string // "/" or "/a/b/"
	ID        string // AIDA…
	CreatedAt time.Time
	Tags      []Tag
}

// ARN returns the user's ARN.
func (u *User) ARN(account string) string { return iamARN(account, "user"+u.Path+u.Name) }

// Role is a set of rights that a trusted principal may take on for a while.
type Role struct {
	Name        string
	Path        string
	ID          string // AROA…
	Description string
	TrustPolicy string        // as it was given
	MaxSession  time.Duration // 1 to 12 hours
	CreatedAt   time.Time
	Tags        []Tag
}

// ARN returns the role's ARN.
func (r *Role) ARN(account string) string { return roleARN(account, r.Path, r.Name) }

func roleARN(account, path, name string) string {
	return "arn:aws:iam::" + account + ":role" + path + name
}

func iamARN(account, resource string) string {
	return "arn:aws:iam::" + account + ":" + resource
}

// Tag is a label on a user or a role; policies see it as aws:PrincipalTag/Key.
type Tag struct{ Key, Value string }

// AccessKey is a user's long-lived key without its secret.
type AccessKey struct {
	ID        string // AKIA…
	UserName  string
	Active    bool
	CreatedAt time.Time
}

// StoredKey is an access key as the store keeps it.
type StoredKey struct {
	AccessKey
	Sealed string // the secret, sealed for this key's id
}

// Owner is whom an inline policy belongs to.
type Owner struct {
	Kind OwnerKind
	Name string
}

// OwnerKind is the sort of an Owner.
type OwnerKind string

// The sorts of owner.
const (
	OfUser OwnerKind = "user"
	OfRole OwnerKind = "role"
)

// InlinePolicy is a named document of a user or a role, as it was given.
type InlinePolicy struct{ Name, Document string }

// Store keeps users, roles, policies and keys. Every method that changes
// something increases the generation in the same transaction. What is not there
// is a fault of kind NotFound with code NoSuchEntity, what is there already one of
// kind Exists, and what still has keys or policies one of kind InUse.
type Store interface {
	// Generation is how many changes there were.
	Generation(ctx context.Context) (int64, error)

	CreateUser(ctx context.Context, u *User) error
	User(ctx context.Context, name string) (*User, error)
	// Users returns at most limit users under the path, by name, after a name.
	Users(ctx context.Context, pathPrefix, after string, limit int) ([]User, error)
	DeleteUser(ctx context.Context, name string) error

	CreateRole(ctx context.Context, r *Role) error
	Role(ctx context.Context, name string) (*Role, error)
	Roles(ctx context.Context, pathPrefix, after string, limit int) ([]Role, error)
	// UpdateRole applies change to the role in one transaction; change may run
	// more than once.
	UpdateRole(ctx context.Context, name string, change func(*Role) error) error
	DeleteRole(ctx context.Context, name string) error

	// PutPolicy adds or replaces a policy; check sees all of the owner's
	// policies as they will be.
	PutPolicy(ctx context.Context, o Owner, p InlinePolicy, check func([]InlinePolicy) error) error
	// Policies returns the owner's policies by name.
	Policies(ctx context.Context, o Owner) ([]InlinePolicy, error)
	DeletePolicy(ctx context.Context, o Owner, name string) error

	// CreateAccessKey adds a key unless the user has limit keys.
	CreateAccessKey(ctx context.Context, k *StoredKey, limit int) error
	AccessKey(ctx context.Context, id string) (*StoredKey, error)
	AccessKeys(ctx context.Context, user string) ([]AccessKey, error)
	UpdateAccessKey(ctx context.Context, user, id string, active bool) error
	DeleteAccessKey(ctx context.Context, user, id string) error
}
