package kms

import (
	"context"
	"sync"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/policy"
)

// How long keys may lag behind the database. Their sum with one query stays
// under the second in which a disabled key must stop every use.
const (
	pollEvery = 400 * time.Millisecond
	maxStale  = 900 * time.Millisecond
	pollLimit = 2 * time.Second // of one query
)

// book is what is known of one generation. A change begins a new book; who still
// holds the old one writes into it in vain.
type book struct {
	generation int64
	keys       sync.Map // id → *loaded
	aliases    sync.Map // name → id
	grants     sync.Map // grantsOf → []compiledGrant
}

type grantsOf struct{ key, grantee string }

// loaded is a key made ready for use. Nothing of it may be changed.
type loaded struct {
	Key
	arn    string
	keys   *envelope.Keyset // nil when deleted
	policy *policy.Document
	facts  []policy.Key // condition keys that every request to it has
}

// current returns the present book, looking at the generation again if it may be
// old. While one request looks, others go on with a book younger than maxStale.
func (s *Service) current(ctx context.Context) (*book, error) {
	if s.o.Alone && s.polledAt.Load() > 0 {
		return s.book.Load(), nil
	}
	age := s.age()
	if age < pollEvery {
		return s.book.Load(), nil
	}
	if age < maxStale {
		if !s.pollMu.TryLock() {
			return s.book.Load(), nil
		}
	} else {
		s.pollMu.Lock()
	}
	defer s.pollMu.Unlock()
	if s.age() < pollEvery { // another request has looked meanwhile
		return s.book.Load(), nil
	}
	return s.poll(ctx)
}

// age is since when the generation is known. A clock that was set back makes it
// old, not young.
func (s *Service) age() time.Duration {
	at := s.polledAt.Load()
	age := time.Duration(s.o.Now().UnixNano() - at)
	if at <= 0 || age < 0 {
		return maxStale
	}
	return age
}

// poll reads the generation; pollMu is held.
func (s *Service) poll(ctx context.Context) (*book, error) {
	// The outcome is everybody's: one impatient client must not spoil it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pollLimit)
	defer cancel()
	last := s.polledAt.Load()
	start := s.o.Now().UnixNano() // before the query: what it answers is no younger
	n, err := s.o.Store.Generation(ctx)
	if err != nil {
		return nil, fault.E("kms.poll", fault.Unavailable, "The state of keys cannot be read at the moment. Please try again.", err)
	}
	b := s.book.Load()
	if b.generation != n {
		b = &book{generation: n}
		s.book.Store(b)
	}
	// If this process changed something meanwhile, the answer is already old.
	s.polledAt.CompareAndSwap(last, start)
	return b, nil
}

// changed makes a change of this process known to it at once. Every call stores
// another value, so that a poll under way cannot overlook it; the book is put
// away first, so that none who sees the value still reads from it.
func (s *Service) changed() {
	s.pollMu.Lock()
	defer s.pollMu.Unlock()
	s.book.Store(&book{generation: -1})
	s.polledAt.Store(-s.changes.Add(1))
}

// load returns a key. Deleted ones have no material.
func (s *Service) load(ctx context.Context, b *book, id string) (*loaded, error) {
	if v, ok := b.keys.Load(id); ok {
		return v.(*loaded), nil
	}
	k, err := s.o.Store.Key(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil, s.noKey(s.KeyARN(id))
	}
	if err != nil {
		return nil, err
	}
	l, err := s.prepare(ctx, k)
	if err != nil {
		return nil, err
	}
	b.keys.Store(id, l)
	return l, nil
}

func (s *Service) prepare(ctx context.Context, k *Key) (*loaded, error) {
	l := &loaded{Key: *k, arn: s.KeyARN(k.ID)}
	doc, err := policy.Parse([]byte(k.Policy), policy.KeyPolicy)
	if err != nil {
		return nil, fault.E("kms.load", fault.Internal, "", err) // it was checked when it was stored
	}
	l.policy = doc.WithName("key/" + k.ID)
	if k.Material != "" {
		if l.keys, err = s.openMaterial(k.ID, k.Material); err != nil {
			return nil, err
		}
	}
	aliases, err := s.o.Store.Aliases(ctx, k.ID, "", maxAliases)
	if err != nil {
		return nil, err
	}
	l.facts = facts(s.o.Account, k, aliases)
	return l, nil
}

// facts are the condition keys about a key.
func facts(account string, k *Key, aliases []Alias) []policy.Key {
	out := []policy.Key{
		{Name: "kms:KeySpec", Value: "SYMMETRIC_DEFAULT"}, {Name: "kms:KeyUsage", Value: "ENCRYPT_DECRYPT"},
		{Name: "kms:KeyOrigin", Value: "AWS_KMS"}, {Name: "kms:MultiRegion", Value: "false"},
		{Name: "aws:ResourceAccount", Value: account},
	}
	names := []string{}
	for _, a := range aliases {
		names = append(names, a.Name)
	}
	out = append(out, policy.Key{Name: "kms:ResourceAliases", Values: names})
	for _, t := range k.Tags {
		out = append(out, policy.Key{Name: "aws:ResourceTag/" + t.Key, Value: t.Value})
	}
	return out
}

func purposeOfMaterial(id string) string { return "fiducial kms key " + id }

// newMaterial makes a key's first keyset, sealed for it.
func (s *Service) newMaterial(id string) (string, error) {
	k, err := envelope.NewWrapping()
	if err != nil {
		return "", err
	}
	return s.sealMaterial(id, k)
}

func (s *Service) sealMaterial(id string, k *envelope.Keyset) (string, error) {
	b, err := k.Bytes()
	if err != nil {
		return "", err
	}
	return s.o.Master.Seal([]byte(b.Reveal()), purposeOfMaterial(id))
}

// openMaterial opens a stored keyset. A row's material moved to another row does
// not open there.
func (s *Service) openMaterial(id, sealed string) (*envelope.Keyset, error) {
	b, err := s.o.Master.Open(sealed, purposeOfMaterial(id))
	if err != nil {
		return nil, fault.E("kms.load", fault.Internal, "The key's material cannot be opened: its row in the database is damaged.", err)
	}
	return envelope.FromBytes(envelope.NewSecret(string(b)))
}
