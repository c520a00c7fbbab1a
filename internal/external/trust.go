package external

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fiducial/internal/arn"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/objects"
	"fiducial/internal/sigv4"
)

// How often stores are probed: stores are upgraded, and proxies before them are
// changed, without a word.
const (
	probeEvery = time.Hour
	retryFirst = 5 * time.Second // where it could not be found out
	retryMost  = 5 * time.Minute
	lookEvery  = time.Second
	probeLimit = 3 * time.Minute
)

// state is what is known of a bucket's store.
type state struct {
	mu     sync.Mutex
	report *Report
	next   time.Time     // when it is to be probed
	retry  time.Duration // until the next time, if it cannot be found out
}

// trusts reports whether direct URLs may be made, and if not, why.
func (s *state) trusts(bound bool) (ok bool, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r := s.report; {
	case r == nil:
		return false, "its store has not been probed yet"
	case r.Err != nil || !r.Holds, bound && !r.Binds:
		return false, r.Verdict()
	}
	return true, ""
}

// due reports whether it is time to probe, and takes the turn.
func (s *state) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.next) {
		return false
	}
	s.next = now.Add(probeLimit)
	return true
}

// learn keeps a report. It tells whether it says anything new.
func (s *state) learn(r *Report, now time.Time) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Err == nil {
		s.next, s.retry = now.Add(probeEvery), 0
	} else {
		s.retry = min(max(2*s.retry, retryFirst), retryMost)
		s.next = now.Add(s.retry)
	}
	old := s.report
	news = old == nil || old.Holds != r.Holds || old.Binds != r.Binds || old.Verdict() != r.Verdict()
	s.report = r
	return news
}

// Report is what the last probe of the store found; nil if there was none.
func (s *Store) Report() *Report {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.report
}

// Client talks to the store with the rights that this server has there.
func (s *Store) Client() *s3.Client { return s.clients.s3 }

// Name is the bucket's.
func (s *Store) Name() string { return s.bucket }

// Setting is what the configuration says of the bucket.
func (s *Store) Setting() Setting { return *s.setting }

// Run probes the stores that direct URLs are to lead to, now and then again. It
// returns when ctx ends, with the probes that are under way.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		for _, st := range s.Buckets() {
			if st.setting.Via == Direct && st.state.due(s.o.Now()) {
				wg.Go(func() { s.look(ctx, st) })
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// look probes a store and says what came of it.
func (s *Service) look(ctx context.Context, st *Store) {
	r := st.Probe(ctx)
	if ctx.Err() != nil || !st.state.learn(r, s.o.Now()) {
		return
	}
	e := &audit.Event{Time: r.At, Kind: audit.Server, Action: "external:Probe", Verdict: audit.Allow, Resource: arn.S3Object(st.bucket, ""), Reason: r.Verdict()}
	log := s.o.Log.With("bucket", st.bucket, "store", st.origin)
	switch {
	case r.Err == nil && r.Holds && r.Binds:
		log.Info("media of the bucket open at its store, which binds them", "attempts", len(r.Rows), "expires", st.setting.Expires)
	case r.Err == nil && r.Holds && st.setting.Unbound == Pass:
		log.Error("the store does not bind media to an address: bound media pass through this server", "why", r.Verdict(), "fix", r.Fix())
	default:
		what := "media of the bucket pass through this server"
		if st.setting.Unbound == Refuse {
			what = "media of the bucket are not shown"
		}
		log.Error("the store is not trusted with direct URLs: "+what, "why", r.Verdict(), "fix", r.Fix())
	}
	if r.Err != nil || !r.Holds || !r.Binds {
		e.Verdict = audit.Deny
	}
	if err := s.o.Audit.Record(ctx, e); err != nil {
		log.Error("a probe was not recorded", "error", err)
	}
}

// Keys of the objects that probes are made with. They are written once, where
// they are not there, and never removed.
const (
	probeKey   = ".fiducial/probe"
	probeOther = ".fiducial/probe-other"
	probeText  = "Fiducial tries with this object whether the store opens what it must not.\n"
)

// Probe tries the store.
func (s *Store) Probe(ctx context.Context) *Report {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	t := Target{
		Bucket: s.bucket, Kind: s.setting.Kind, Base: s.origin + s.prefix, Region: s.setting.Region, Key: probeKey, Other: probeOther, Now: s.now,
	}
	if tr, ok := s.clients.http.Transport.(*http.Transport); ok {
		t.TLS = tr.TLSClientConfig.Clone()
	}
	if s.setting.ProbeKey != "" {
		t.Key, t.Other = s.setting.ProbeKey, s.setting.ProbeKey+".other"
	} else if err := s.prepare(ctx); err != nil {
		return &Report{Bucket: s.bucket, Base: t.Base, Kind: t.Kind, At: s.now().UTC(), Err: err}
	}
	t.Session = func(ctx context.Context, c string) (sigv4.Credentials, error) {
		p, err := s.assume(ctx, order{name: "fiducial-probe", roleARN: placeholderRole, key: t.Key, bound: condition{json: c}, life: minSession}, []string{t.Key})
		return p.cred, err
	}
	return Probe(ctx, t)
}

// placeholderRole is for MinIO, whose sessions are of its users.
const placeholderRole = "arn:aws:iam::000000000000:role/fiducial"

// prepare writes the objects to probe with, if need be.
func (s *Store) prepare(ctx context.Context) error {
	for _, key := range []string{probeKey, probeOther} {
		_, err := s.Head(ctx, key)
		if err == nil {
			continue
		}
		if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied) {
			return err
		}
		if _, err := s.Put(ctx, key, objects.Headers{ContentType: "text/plain"}, objects.SSE{}, strings.NewReader(probeText)); err != nil {
			return fault.E("external.Probe", fault.KindOf(err), fault.MessageOf(err)+" (writing "+key+"; with probe-key, an object that is there is used)", err)
		}
	}
	return nil
}

// wildcardHost is the source of all buckets of a store in virtual-host style.
func wildcardHost(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return origin
	}
	_, rest, _ := strings.Cut(u.Host, ".")
	return u.Scheme + "://*." + rest
}

// mustPathStyle is the source of those buckets whose names have a period.
func mustPathStyle(b *Setting) string {
	origin, _ := b.base("a.b")
	return origin
}
