package iam

import (
	"encoding/base32"
	"hash/maphash"
	"io"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
)

// Options is what a Service is made of.
type Options struct {
	Account string // 12 digits
	Store   Store
	Keys    *envelope.Keyset
	// Root is the root user's key.
	RootAccessKeyID string
	RootSecret      Secret
	Now             func() time.Time
	Rand            io.Reader // of cryptographic quality
}

// Service is IAM and STS of one account. It is safe for concurrent use.
type Service struct {
	account string
	store   Store
	keys    *envelope.Keyset
	purpose string // of session tokens
	now     func() time.Time

	randMu sync.Mutex
	rand   io.Reader
	ahead  [512]byte // randomness that was read ahead: a media URL takes 40 bytes
	unused int       // of it, at the end

	root      *Caller
	anonymous *Caller

	generation atomic.Int64
	polledAt   atomic.Int64 // Unix nanoseconds; 0 or less means read before use
	changes    atomic.Int64 // of this process
	pollMu     sync.Mutex

	users    *otter.Cache[string, cached[*holder]]
	roles    *otter.Cache[string, cached[*holder]]
	byKey    *otter.Cache[string, cached[*Caller]]
	sessions *otter.Cache[string, *Caller] // by token: a token never changes its meaning
	tasks    tasks
}

// Sizes of the caches, in entries. A session entry is about 4 KiB with its
// token and its compiled policy.
const (
	maxHolders  = 4096
	maxKeys     = 4096
	maxSessions = 4096
)

var accountShape = regexp.MustCompile(`^[0-9]{12}$`)

// New makes a Service.
func New(o Options) (*Service, error) {
	const op = "iam.New"
	if !accountShape.MatchString(o.Account) {
		return nil, fault.Newf(op, fault.Invalid, "account-id must be 12 digits")
	}
	if !accessKeyShape.MatchString(o.RootAccessKeyID) || len(o.RootSecret.Reveal()) < 8 {
		return nil, fault.Newf(op, fault.Invalid, "the root user needs an access key id (3 to 128 letters, digits or _) and a secret access key of at least 8 characters")
	}
	s := &Service{
		account: o.Account, store: o.Store, keys: o.Keys, purpose: purposeOfSession(o.Account), now: o.Now, rand: o.Rand,
		root:      rootCaller(o.Account, o.RootAccessKeyID, o.RootSecret),
		anonymous: &Caller{},
	}
	s.tasks.seed = maphash.MakeSeed()
	s.generation.Store(-1)
	s.users = otter.Must(&otter.Options[string, cached[*holder]]{MaximumSize: maxHolders})
	s.roles = otter.Must(&otter.Options[string, cached[*holder]]{MaximumSize: maxHolders})
	s.byKey = otter.Must(&otter.Options[string, cached[*Caller]]{MaximumSize: maxKeys})
	s.sessions = otter.Must(&otter.Options[string, *Caller]{MaximumSize: maxSessions})
	return s, nil
}

// Account returns the account's number.
func (s *Service) Account() string { return s.account }

var idAlphabet = base32.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").WithPadding(base32.NoPadding)

// random fills b. A server without randomness must not go on.
func (s *Service) random(b []byte) error {
	s.randMu.Lock()
	defer s.randMu.Unlock()
	if len(b) > s.unused {
		if _, err := io.ReadFull(s.rand, s.ahead[:]); err != nil {
			return fault.E("iam.random", fault.Internal, "", err)
		}
		s.unused = len(s.ahead)
	}
	next := s.ahead[len(s.ahead)-s.unused:][:len(b)]
	s.unused -= copy(b, next)
	clear(next) // a secret stands in one place
	return nil
}

// newID makes AIDA…, AROA… and AKIA… ids: the prefix and 16 random characters.
func (s *Service) newID(prefix string) (string, error) {
	var b [10]byte
	if err := s.random(b[:]); err != nil {
		return "", err
	}
	return prefix + idAlphabet.EncodeToString(b[:]), nil
}
