package kms

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"hash/maphash"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
)

// Authorizer decides by the documents in force: iam.Service.
type Authorizer interface {
	Authorize(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error)
	Explain(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Explanation, error)
}

// Options is what a Service is made of.
type Options struct {
	Store   Store
	IAM     Authorizer
	Master  *envelope.Keyset // seals the material of keys
	Region  string
	Account string
	// Alone says that no other process uses the database.
	Alone bool
	Now   func() time.Time
	Rand  io.Reader // of cryptographic quality
	Log   *slog.Logger
}

// Service is KMS of one account and region. It is safe for concurrent use.
type Service struct {
	o Options

	services map[string]string // kms:ViaService by the service's name

	randMu sync.Mutex

	book     atomic.Pointer[book]
	polledAt atomic.Int64 // Unix nanoseconds; 0 or less means read before use
	changes  atomic.Int64 // of this process
	pollMu   sync.Mutex

	opened openedKeys
}

// New makes a Service.
func New(o Options) *Service {
	s := &Service{o: o, services: map[string]string{}}
	for _, service := range managed {
		s.services[service] = service + "." + o.Region + ".amazonaws.com"
	}
	s.opened.seed = maphash.MakeSeed()
	s.book.Store(&book{generation: -1})
	return s
}

// Account and Region are those of every key here.
func (s *Service) Account() string { return s.o.Account }

// Region is the region of every key here.
func (s *Service) Region() string { return s.o.Region }

// arn names a resource of this service: "key/…" or "alias/…".
func (s *Service) arn(resource string) string {
	return "arn:aws:kms:" + s.o.Region + ":" + s.o.Account + ":" + resource
}

// KeyARN names a key.
func (s *Service) KeyARN(id string) string { return s.arn("key/" + id) }

// Random returns n bytes.
func (s *Service) Random(n int) ([]byte, error) {
	b := make([]byte, n)
	s.randMu.Lock()
	defer s.randMu.Unlock()
	if _, err := io.ReadFull(s.o.Rand, b); err != nil {
		return nil, fault.E("kms.Random", fault.Internal, "", err)
	}
	return b, nil
}

// newID makes a UUID (version 4).
func (s *Service) newID() (string, error) {
	b, err := s.Random(16)
	if err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return uuid(b), nil
}

// newGrantID makes the id and the token of a grant.
func (s *Service) newGrantID() (id, token string, err error) {
	b, err := s.Random(32 + 96)
	if err != nil {
		return "", "", err
	}
	return hex.EncodeToString(b[:32]), base64.StdEncoding.EncodeToString(b[32:]), nil
}
