package external

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/objects"
	"fiducial/internal/sigv4"
)

// maxStores bounds the buckets that one pattern may stand for at a time.
const maxStores = 10_000

// Options is what a Service needs.
type Options struct {
	Settings Settings // checked
	Account  string
	Lookup   func(name string) (string, bool) // environment variables
	Hidden   string                           // a bucket that no request may reach: this server keeps its own bytes there
	IAM      Authorizer                       // not needed for probing alone
	Tasks    Tasks                            // nil: every object gets a session of its own
	Audit    audit.Recorder
	Now      func() time.Time
	Log      *slog.Logger // nil for none
}

// Service is the buckets that other stores keep. It implements objects.Elsewhere
// and access.Elsewhere. Run must be called for any of them to be trusted with
// direct URLs.
type Service struct {
	o       Options
	clients []*clients // by setting
	wake    chan struct{}

	mu     sync.RWMutex
	stores map[string]*Store
}

// New makes a Service. It reads credentials and certificates and asks nobody: a
// store that is away keeps nothing from starting.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{o: o, stores: map[string]*Store{}, wake: make(chan struct{}, 1)}
	if s.o.Log == nil {
		s.o.Log = slog.New(slog.DiscardHandler)
	}
	if s.o.Audit == nil {
		s.o.Audit = audit.Discard{}
	}
	for i := range o.Settings {
		b := &o.Settings[i]
		if o.Hidden != "" && b.Bucket == o.Hidden {
			b.Via = Fiducial // no URL leads there, and so nothing is probed
		}
		c, err := newClients(ctx, b, o.Lookup)
		if err != nil {
			return nil, err
		}
		s.clients = append(s.clients, c)
		if !b.pattern() {
			if s.stores[b.Bucket], err = s.newStore(i, b.Bucket); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func (s *Service) newStore(i int, bucket string) (*Store, error) {
	b := &s.o.Settings[i]
	st := &Store{setting: b, bucket: bucket, clients: s.clients[i], now: s.o.Now}
	st.origin, st.prefix = b.base(bucket)
	var err error
	st.signer, err = sigv4.NewEndpoint(st.origin, b.Region)
	return st, err
}

// setting finds the setting of a bucket: one that names it before patterns, and
// patterns in their order.
func (s *Service) setting(name string) int {
	found := -1
	for i := range s.o.Settings {
		switch b := &s.o.Settings[i]; {
		case b.Bucket == name:
			return i
		case found < 0 && b.pattern() && b.match(name):
			found = i
		}
	}
	return found
}

// store returns a bucket's store; nil if it is none of ours.
func (s *Service) store(name string) (*Store, error) {
	s.mu.RLock()
	st := s.stores[name]
	s.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	i := s.setting(name)
	if i < 0 || objects.CheckBucketName(name) != nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.stores[name]; st != nil {
		return st, nil
	}
	if len(s.stores) >= maxStores {
		return nil, fault.Newf("external", fault.Limit, "more than %d buckets of other stores are in use", maxStores)
	}
	st, err := s.newStore(i, name)
	if err != nil {
		return nil, err
	}
	s.stores[name] = st
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return st, nil
}

// For returns the store of a bucket; false for buckets that are kept here.
func (s *Service) For(bucket string) (*Store, bool) {
	st, err := s.store(bucket)
	return st, st != nil && err == nil
}

// Buckets are the stores that are in use, or that a setting names.
func (s *Service) Buckets() []*Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []*Store
	for _, st := range s.stores {
		list = append(list, st)
	}
	return list
}

// pages lets pages of any origin read media: the URL is what permits, and
// without it browsers turn pictures by their EXIF orientation.
func pages() []objects.CORSRule {
	return []objects.CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET", "HEAD"}, ExposeHeaders: []string{"Access-Control-Allow-Origin"}}}
}

// Bucket implements objects.Elsewhere.
func (s *Service) Bucket(name string) (*objects.Bucket, bool) {
	i := s.setting(name)
	if i < 0 || name == s.o.Hidden {
		return nil, false
	}
	return &objects.Bucket{Name: name, Region: s.o.Settings[i].Region, Account: s.o.Account, CORS: pages()}, true
}

// at returns the store of a bucket that is known to be one of ours.
func (s *Service) at(bucket string) (*Store, error) {
	st, err := s.store(bucket)
	if err == nil && st == nil {
		err = fault.Coded("external", fault.NotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	return st, err
}

// Head implements objects.Elsewhere.
func (s *Service) Head(ctx context.Context, bucket, key string) (*objects.Object, error) {
	st, err := s.at(bucket)
	if err != nil {
		return nil, err
	}
	return st.Head(ctx, key)
}

// Open implements objects.Elsewhere.
func (s *Service) Open(ctx context.Context, o *objects.Object, start, length int64) (io.ReadCloser, error) {
	st, err := s.at(o.Bucket)
	if err != nil {
		return nil, err
	}
	return st.Open(ctx, o, start, length)
}

// Put implements objects.Elsewhere.
func (s *Service) Put(ctx context.Context, bucket, key string, h objects.Headers, sse objects.SSE, body io.Reader) (*objects.Object, error) {
	st, err := s.at(bucket)
	if err != nil {
		return nil, err
	}
	return st.Put(ctx, key, h, sse, body)
}

// Sources are what pages must be let load direct media from, as sources of a
// Content-Security-Policy. A bucket that is named is all that its source
// permits; for a pattern it is all of the store.
func (s *Service) Sources() []string {
	var list []string
	for i := range s.o.Settings {
		b := &s.o.Settings[i]
		if b.Via != Direct {
			continue
		}
		name := b.Bucket
		if b.pattern() {
			name = "any"
		}
		origin, prefix := b.base(name)
		switch {
		case !b.pattern():
			list = append(list, origin+prefix+"/")
		case prefix == "":
			list = append(list, wildcardHost(origin), mustPathStyle(b))
		default:
			list = append(list, origin)
		}
	}
	return list
}
