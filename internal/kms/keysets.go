package kms

import (
	"context"
	"fmt"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
)

// Root is the key that everything else hangs on. It stays where it is and wraps
// what is given to it. The purpose is authenticated with it.
type Root interface {
	// ID names the key without telling it; the same key has the same name on
	// every replica. It is stored with all that the key wraps.
	ID() string
	Wrap(ctx context.Context, plain envelope.Secret, purpose string) ([]byte, error)
	Unwrap(ctx context.Context, wrapped []byte, purpose string) (envelope.Secret, error)
}

// SealedKeyset is a keyset that the root key wraps.
type SealedKeyset struct {
	Name      string
	Root      string // ID of the root key
	Wrapped   []byte
	CreatedAt time.Time
}

// KeysetStore keeps sealed keysets.
type KeysetStore interface {
	SealedKeysets(ctx context.Context) ([]SealedKeyset, error)
	// PutKeyset adds a keyset unless one of its name is there, and returns the one
	// that is there then.
	PutKeyset(ctx context.Context, k SealedKeyset) (SealedKeyset, error)
	// RewrapKeysets replaces keysets by name, all or none, if each still has the
	// root key old.
	RewrapKeysets(ctx context.Context, old string, list []SealedKeyset) error
}

// The names of keysets.
const (
	SessionKeyset = "sessions" // session tokens and secret access keys
	MasterKeyset  = "kms"      // the material of KMS keys
	ColumnKeyset  = "columns"  // columns of the database that hold answers or secrets
)

// Keysets are the keysets of one installation: in the database, sealed by the
// root key, and so the same for every replica.
type Keysets struct {
	store KeysetStore
	root  Root
	now   func() time.Time
	rows  map[string]SealedKeyset
}

func purposeOfKeyset(name string) string { return "fiducial keyset " + name }

// OpenKeysets makes sure that root is the key that the stored keysets are sealed
// under. If they are under old, they are sealed anew under root, which is how the
// root key is changed; old may be nil.
func OpenKeysets(ctx context.Context, store KeysetStore, root, old Root, now func() time.Time) (*Keysets, error) {
	k := &Keysets{store: store, root: root, now: now, rows: map[string]SealedKeyset{}}
	rows, err := store.SealedKeysets(ctx)
	if err != nil {
		return nil, err
	}
	if old != nil && old.ID() != root.ID() {
		if rows, err = k.rewrap(ctx, old, rows); err != nil {
			return nil, err
		}
	}
	for _, r := range rows {
		if r.Root != root.ID() {
			return nil, fault.Newf("kms.OpenKeysets", fault.Invalid,
				"root-key: the data are sealed under the root key %s, and the one given is %s. Give the former; or, to change over to the latter, give the former as root-key-old once. Without it the keys of this installation, and all that is encrypted under them, cannot be opened", r.Root, root.ID())
		}
		k.rows[r.Name] = r
	}
	return k, nil
}

func (k *Keysets) rewrap(ctx context.Context, old Root, rows []SealedKeyset) ([]SealedKeyset, error) {
	var changed []SealedKeyset
	for i, r := range rows {
		if r.Root != old.ID() {
			continue // changed already, or refused below
		}
		plain, err := old.Unwrap(ctx, r.Wrapped, purposeOfKeyset(r.Name))
		if err != nil {
			return nil, unopened(r, err)
		}
		if r.Wrapped, err = k.root.Wrap(ctx, plain, purposeOfKeyset(r.Name)); err != nil {
			return nil, err
		}
		r.Root = k.root.ID()
		rows[i], changed = r, append(changed, r)
	}
	if len(changed) == 0 {
		return rows, nil
	}
	return rows, k.store.RewrapKeysets(ctx, old.ID(), changed)
}

func unopened(r SealedKeyset, err error) error {
	return fault.E("kms.OpenKeysets", fault.Unavailable,
		fmt.Sprintf("root-key: the keyset %q cannot be opened with the root key %s that sealed it: the key cannot be reached, its use is not permitted, or the row was damaged. Nothing was changed", r.Name, r.Root), err)
}

// Open returns a keyset. If it is not there yet, the one that make makes is stored,
// unless another replica is first.
func (k *Keysets) Open(ctx context.Context, name string, make func() (*envelope.Keyset, error)) (*envelope.Keyset, error) {
	row, ok := k.rows[name]
	if !ok {
		fresh, err := make()
		if err != nil {
			return nil, err
		}
		plain, err := fresh.Bytes()
		if err != nil {
			return nil, err
		}
		wrapped, err := k.root.Wrap(ctx, plain, purposeOfKeyset(name))
		if err != nil {
			return nil, err
		}
		row, err = k.store.PutKeyset(ctx, SealedKeyset{Name: name, Root: k.root.ID(), Wrapped: wrapped, CreatedAt: k.now()})
		if err != nil {
			return nil, err
		}
		if row.Root != k.root.ID() {
			return nil, fault.Newf("kms.Keysets", fault.Invalid, "root-key: another replica has just begun with the root key %s, and this one has %s: give all replicas the same", row.Root, k.root.ID())
		}
		k.rows[name] = row
	}
	plain, err := k.root.Unwrap(ctx, row.Wrapped, purposeOfKeyset(name))
	if err != nil {
		return nil, unopened(row, err)
	}
	return envelope.FromBytes(plain)
}
