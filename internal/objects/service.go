package objects

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/blob"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// Authorizer decides requests; iam.Service does.
type Authorizer interface {
	Authorize(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error)
}

// Revocations knows which media sessions have ended before their time. Check
// returns an error of kind Denied for those.
type Revocations interface {
	Check(p *identity.Principal) error
}

// Options is what a Service needs.
type Options struct {
	Store       Store
	Blobs       blob.Store
	IAM         Authorizer
	Audit       audit.Recorder
	Revocations Revocations // nil: no media sessions are ever made
	Elsewhere   Elsewhere   // nil: every bucket is kept here
	Region      string
	Account     string
	Now         func() time.Time
	Rand        io.Reader
	Log         *slog.Logger

	Own  *envelope.Keyset // seals the data keys of SSE-S3; nil: there is no SSE-S3
	Keys Keys             // of SSE-KMS; nil: there is no SSE-KMS

	Destinations Destinations // of event notifications; nil: there are none
	Nudge        func()       // event notifications were promised; may be nil

	// CacheRows is how many rows of objects are kept in memory for GET, at most.
	// Zero switches the caches of rows off: several replicas on one database
	// would not see each other's writes.
	CacheRows int
	// OrphanAge is how old bytes without a row must be to be removed; one hour if zero.
	OrphanAge time.Duration
	// LogInterval is how often access logs are delivered; five minutes if zero.
	LogInterval time.Duration
}

// Service is S3 without HTTP. Its methods are safe for concurrent use.
type Service struct {
	store       Store
	blobs       blob.Store
	iam         Authorizer
	audit       audit.Recorder
	revocations Revocations
	elsewhere   Elsewhere
	region      string
	account     string
	now         func() time.Time
	rand        io.Reader
	log         *slog.Logger
	orphanAge   time.Duration
	own         *envelope.Keyset
	keys        Keys

	destinations Destinations
	nudge        func()

	rows     *cache[*Object]
	buckets  *cache[*Bucket]
	policies *cache[*policy.Document]
	small    *cache[[]byte] // by blob id
	opened   openedObjects
	idle     idleBlobs
	readers  readers
	access   accessLog

	randMu sync.Mutex
}

// New makes a service. Run must be called for it to keep house.
func New(o Options) *Service {
	s := &Service{
		store: o.Store, blobs: o.Blobs, iam: o.IAM, audit: o.Audit, revocations: o.Revocations, elsewhere: o.Elsewhere,
		region: o.Region, account: o.Account, now: o.Now, rand: o.Rand, log: o.Log, orphanAge: o.OrphanAge,
		own: o.Own, keys: o.Keys, destinations: o.Destinations, nudge: o.Nudge,
		policies: newCache[*policy.Document](1024),
	}
	s.small = newCache[[]byte](smallTotal)
	s.small.weigh = func(b []byte) int { return len(b) + 256 }
	s.opened.init()
	if o.CacheRows > 0 {
		s.rows, s.buckets = newCache[*Object](o.CacheRows), newCache[*Bucket](4096)
	}
	if s.orphanAge == 0 {
		s.orphanAge = time.Hour
	}
	s.access.interval = o.LogInterval
	if s.access.interval == 0 {
		s.access.interval = 5 * time.Minute
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Region returns the region that every bucket is in.
func (s *Service) Region() string { return s.region }

// Account returns the account that owns every bucket.
func (s *Service) Account() string { return s.account }

// bucket reads a bucket's row.
func (s *Service) bucket(ctx context.Context, name string) (*Bucket, error) {
	if b, ok := s.abroad(name); ok {
		return b, nil
	}
	b, gen, ok := s.buckets.get(name)
	if ok {
		return b, nil
	}
	if len(name) > 63 {
		return nil, noSuchBucket()
	}
	b, err := s.store.Bucket(ctx, name)
	if err != nil {
		return nil, err
	}
	s.buckets.put(name, b, gen)
	return b, nil
}

// policyOf returns the bucket's policy, compiled. Compiled policies are found by
// their text, so one is never out of date.
func (s *Service) policyOf(b *Bucket) (*policy.Document, error) {
	if b.Policy == "" {
		return nil, nil
	}
	d, gen, ok := s.policies.get(b.Policy)
	if ok {
		return d, nil
	}
	d, err := policy.Parse([]byte(b.Policy), policy.Resource)
	if err != nil {
		// It was accepted once. Refusing everything is the only safe reading.
		return nil, fault.E("objects.policyOf", fault.Internal, "", err)
	}
	s.policies.put(b.Policy, d, gen)
	return d, nil
}

// row reads an object's row. The cache is not asked if fresh is set.
func (s *Service) row(ctx context.Context, bucket, key string, fresh bool) (*Object, error) {
	if _, ok := s.abroad(bucket); ok {
		return s.rowAbroad(ctx, bucket, key)
	}
	name := bucket + "/" + key
	o, gen, ok := s.rows.get(name)
	if ok && !fresh {
		return o, nil
	}
	o, err := s.store.Object(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	o.finish()
	s.rows.put(name, o, gen)
	return o, nil
}

// changed must be called after every write of a row, before it is acknowledged.
func (s *Service) changed(bucket, key string) { s.rows.drop(bucket + "/" + key) }

// remove takes freed bytes away, as soon as nobody reads them.
func (s *Service) remove(ids []blob.ID) {
	if len(ids) == 0 {
		return
	}
	unused := s.readers.doom(ids)
	if len(unused) > 0 {
		s.idle.drop(unused)
	}
	for _, id := range ids { // from memory, too
		s.small.drop(string(id))
		s.opened.kept.drop(string(id))
	}
	for _, id := range unused {
		if err := s.blobs.Delete(context.Background(), id); err != nil && !fault.Is(err, fault.NotFound) {
			s.log.Warn("bytes that nobody needs were not removed", "blob", string(id), "err", err)
		}
	}
	s.readers.forget(unused)
}

// readers knows which blobs are still needed by a reader that opens them one
// after the other: those of objects made of parts. A blob that is open needs
// no such care.
type readers struct {
	mu    sync.Mutex
	using map[blob.ID]int
	freed map[blob.ID]bool // in use or being removed; to be removed when no longer in use
}

// hold keeps the parts from being removed until release. It is false if one of
// them is already going: the row that named them is out of date.
func (r *readers) hold(parts []Segment) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range parts {
		if r.freed[p.Blob] {
			return false
		}
	}
	if r.using == nil {
		r.using = map[blob.ID]int{}
	}
	for _, p := range parts {
		r.using[p.Blob]++
	}
	return true
}

// release returns the blobs that may now be removed.
func (r *readers) release(parts []Segment) (free []blob.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range parts {
		if r.using[p.Blob]--; r.using[p.Blob] == 0 {
			delete(r.using, p.Blob)
			if r.freed[p.Blob] {
				free = append(free, p.Blob)
			}
		}
	}
	return free
}

// doom marks ids as going and returns those that nobody uses.
func (r *readers) doom(ids []blob.ID) (unused []blob.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.freed == nil {
		r.freed = map[blob.ID]bool{}
	}
	for _, id := range ids {
		r.freed[id] = true
		if r.using[id] == 0 {
			unused = append(unused, id)
		}
	}
	return unused
}

func (r *readers) forget(ids []blob.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		delete(r.freed, id)
	}
}

// random returns n bytes nobody can guess.
func (s *Service) random(n int) ([]byte, error) {
	b := make([]byte, n)
	s.randMu.Lock()
	defer s.randMu.Unlock()
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, fault.E("objects", fault.Internal, "", err)
	}
	return b, nil
}
