package iam

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
	"fiducial/internal/sigv4"
)

// Caller is an authenticated principal with what is needed to verify its
// signatures and to decide its requests. It is shared between requests: nothing
// of it may be changed.
type Caller struct {
	identity.Principal

	secret  Secret
	name    string         // of the user or role whose documents count
	id      string         // of that user or role: a namesake made later is another
	session *sessionPolicy // nil when the session has none
	own     derivedKeys
	keys    *derivedKeys // of a session: its task's; nil for own
}

// derivedKeys are the signing keys of a secret, which the sessions of one task
// share.
type derivedKeys struct {
	accessKeyID string
	secret      Secret
	list        atomic.Pointer[derivedKey]
}

// maxTasks bounds the secrets whose derived keys are kept for the next session.
const maxTasks = 2048

// tasks finds the derived keys of a secret, one place for each hash.
type tasks struct {
	seed   maphash.Seed
	places [maxTasks]atomic.Pointer[derivedKeys]
}

// of returns the derived keys of an access key and its secret. The secret comes
// from a sealed token: what has the same id and another secret is another's.
func (t *tasks) of(accessKeyID string, secret Secret) *derivedKeys {
	place := &t.places[maphash.String(t.seed, accessKeyID)%maxTasks]
	if k := place.Load(); k != nil && k.accessKeyID == accessKeyID && k.secret.Equal(secret) {
		return k
	}
	k := &derivedKeys{accessKeyID: accessKeyID, secret: secret}
	place.Store(k)
	return k
}

// sessionPolicy is compiled when it is first asked: most URLs that are made are
// opened by another process or not at all.
type sessionPolicy struct {
	text string
	once sync.Once
	doc  *policy.Document
}

// document returns nil when the text is no policy; nothing passes then.
func (p *sessionPolicy) document() *policy.Document {
	p.once.Do(func() {
		if d, err := policy.Parse([]byte(p.text), policy.Session); err == nil {
			p.doc = d
		}
	})
	return p.doc
}

func rootCaller(account, key string, secret Secret) *Caller {
	return &Caller{
		Principal: identity.Principal{Type: identity.Root, Account: account, ARN: iamARN(account, "root"), UserID: account, AccessKeyID: key},
		secret:    secret,
	}
}

// Anonymous returns the caller of an unsigned request.
func (s *Service) Anonymous() *Caller { return s.anonymous }

// Root returns the root user, for what the operator does at the machine itself.
func (s *Service) Root() *Caller { return s.root }

// Authenticate returns the caller that an access key id and a session token
// stand for. It is the caller only after a signature verified under SigningKey:
// neither key id nor token is a proof. Faults: InvalidAccessKeyId for an unknown
// or inactive key, InvalidClientTokenId for a token that does not open or is
// another key's, ExpiredToken.
func (s *Service) Authenticate(ctx context.Context, accessKeyID, sessionToken string) (*Caller, error) {
	switch {
	case sessionToken != "":
		return s.openSession(accessKeyID, sessionToken)
	case accessKeyID == s.root.AccessKeyID:
		return s.root, nil
	case !accessKeyShape.MatchString(accessKeyID) || strings.HasPrefix(accessKeyID, sessionKeyPrefix):
		return nil, unknownKey()
	}
	return fresh(ctx, s, s.byKey, accessKeyID, s.loadKey)
}

func unknownKey() error {
	return fault.Coded("iam.Authenticate", fault.Unauthenticated, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
}

// purposeOfKey binds a sealed secret to its key: a row's secret moved to
// another row does not open.
func purposeOfKey(id string) string { return "fiducial access key " + id }

func (s *Service) loadKey(ctx context.Context, id string) (*Caller, error) {
	k, err := s.store.AccessKey(ctx, id)
	if fault.Is(err, fault.NotFound) || err == nil && !k.Active {
		return nil, unknownKey()
	}
	if err != nil {
		return nil, err
	}
	u, err := s.store.User(ctx, k.UserName)
	if fault.Is(err, fault.NotFound) {
		return nil, unknownKey()
	}
	if err != nil {
		return nil, err
	}
	secret, err := s.keys.Open(k.Sealed, purposeOfKey(id))
	if err != nil {
		return nil, fault.E("iam.Authenticate", fault.Internal, "", err)
	}
	return &Caller{
		Principal: identity.Principal{
			Type: identity.User, Account: s.account, ARN: u.ARN(s.account), UserID: u.ID, Name: u.Name, AccessKeyID: id,
		},
		secret: NewSecret(string(secret)), name: u.Name, id: u.ID,
	}, nil
}

// derivedKey is a signing key of a caller, in a short list of them.
type derivedKey struct {
	date, region, service string
	key                   sigv4.SigningKey
	next                  *derivedKey
	length                int
}

// maxDerived is enough for a caller of every service here on two days.
const maxDerived = 8

// SigningKey returns the key that the caller's signatures for a day, region and
// service verify under. Derived keys are kept with the caller.
func (s *Service) SigningKey(c *Caller, date, region, service string) sigv4.SigningKey {
	keys := c.keys
	if keys == nil {
		keys = &c.own
	}
	head := keys.list.Load()
	for k := head; k != nil; k = k.next {
		if k.date == date && k.region == region && k.service == service {
			return k.key
		}
	}
	k := &derivedKey{date: date, region: region, service: service, key: sigv4.DeriveKey(c.secret.Reveal(), date, region, service), length: 1}
	// The scope comes from the client, so the list is bounded: it begins anew.
	if head != nil && head.length < maxDerived {
		k.next, k.length = head, head.length+1
	}
	// The strings are parts of a request; keep them and not all of it.
	k.date, k.region, k.service = strings.Clone(date), strings.Clone(region), strings.Clone(service)
	keys.list.CompareAndSwap(head, k)
	return k.key
}

// sessionARN is arn:aws:sts::A:assumed-role/Role/Session; the role's path is
// not part of it.
func sessionARN(account, role, session string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + session
}
