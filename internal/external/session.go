package external

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/singleflight"

	"fiducial/internal/sigv4"
)

// sessions are the STS sessions that URLs of a bucket are signed with.
//
// A task's page asks for its objects one after the other, but they stand in the
// task's input, which is there before: the first one asked for brings a session
// that names them all, as far as they fit a session policy; those that do not
// get further sessions when they are asked for. An object that a template names
// by itself gets a session of its own.
type sessions struct {
	mu     sync.Mutex
	of     map[string]*holder
	swept  time.Time
	flight singleflight.Group
}

// holder is the sessions of one worker, origin and assignment.
type holder struct {
	parts []part
}

// part is one session and the objects that it opens.
type part struct {
	keys []string
	cred sigv4.Credentials
	ends time.Time
}

// maxHolders bounds the memory: about 4 KiB each.
const maxHolders = 20_000

// get returns a session that opens key until the instant at least.
func (s *sessions) get(id, key string, until time.Time) (part, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.of[id]; h != nil {
		for _, p := range h.parts {
			if !p.ends.Before(until) && slices.Contains(p.keys, key) {
				return p, true
			}
		}
	}
	return part{}, false
}

// add keeps a session, and drops those that have ended from time to time.
func (s *sessions) add(id string, p part, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]*holder{}
	}
	if now.Sub(s.swept) > time.Minute || len(s.of) >= maxHolders {
		s.swept = now
		for k, h := range s.of {
			h.parts = slices.DeleteFunc(h.parts, func(p part) bool { return !p.ends.After(now) })
			if len(h.parts) == 0 {
				delete(s.of, k)
			}
		}
		if len(s.of) >= maxHolders {
			clear(s.of) // new ones are made as they are needed
		}
	}
	h := s.of[id]
	if h == nil {
		h = &holder{}
		s.of[id] = h
	}
	h.parts = append(h.parts, p)
}

// order is a session to be made.
type order struct {
	id      string // of the worker, origin and assignment
	name    string // of the session, in the store's logs
	roleARN string
	key     string // must be among the objects
	others  func(context.Context) []string
	bound   condition
	life    time.Duration
}

// errTooLong says that an object's name does not fit a session policy.
var errTooLong = errors.New("the object's key does not fit a session policy")

// session returns a session that opens o.key until the instant, an old one or
// a new one.
func (s *Store) session(ctx context.Context, o order, until time.Time) (part, error) {
	if p, ok := s.sessions.get(o.id, o.key, until); ok {
		return p, nil
	}
	// One at a time for each worker and task: a page asks for many at once. The
	// session is everybody's, so no single request's end may spoil it.
	v, err, _ := s.sessions.flight.Do(o.id, func() (any, error) {
		if p, ok := s.sessions.get(o.id, o.key, until); ok {
			return p, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limit())
		defer cancel()
		p, err := s.assume(ctx, o, s.chunk(ctx, o))
		if err == nil {
			s.sessions.add(o.id, p, s.now())
		}
		return p, err
	})
	if err != nil {
		return part{}, err
	}
	p := v.(part)
	if !slices.Contains(p.keys, o.key) { // another's flight, for another object
		return s.session(ctx, o, until)
	}
	return p, nil
}

// chunk returns the objects of the task that share a session policy with the
// one asked for.
func (s *Store) chunk(ctx context.Context, o order) []string {
	keys := []string{o.key}
	if o.others != nil {
		if all := o.others(ctx); slices.Contains(all, o.key) {
			keys = slices.DeleteFunc(all, func(k string) bool { return !s.setting.expressible(k) })
			slices.Sort(keys)
			keys = slices.Compact(keys)
		}
	}
	for _, part := range divide(s.bucket, keys, o.bound) {
		if slices.Contains(part, o.key) {
			return part
		}
	}
	return nil
}

// assume asks the store's STS for a session. AWS also bounds a packed form of
// the policy, whose size cannot be known before: then half the objects are left
// out.
func (s *Store) assume(ctx context.Context, o order, keys []string) (part, error) {
	if len(keys) == 0 {
		return part{}, errTooLong
	}
	role := s.setting.RoleARN
	if role == "" {
		role = o.roleARN // MinIO wants one and reads none
	}
	in := &sts.AssumeRoleInput{
		RoleArn: &role, RoleSessionName: &o.name, Policy: aws.String(sessionPolicy(s.bucket, keys, o.bound)),
		DurationSeconds: aws.Int32(int32(o.life / time.Second)), ExternalId: text(s.setting.ExternalID),
	}
	out, err := s.clients.sts.AssumeRole(ctx, in)
	var api smithy.APIError
	if errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "PackedPolicyTooLarge") {
		if len(keys) == 1 {
			return part{}, errTooLong
		}
		i := slices.Index(keys, o.key)
		if half := len(keys) / 2; i < half {
			keys = keys[:half]
		} else {
			keys = keys[half:]
		}
		return s.assume(ctx, o, keys)
	}
	if err != nil {
		return part{}, s.failure("external.AssumeRole", err)
	}
	c := out.Credentials
	if c == nil || c.AccessKeyId == nil || c.SecretAccessKey == nil || c.SessionToken == nil {
		return part{}, s.failure("external.AssumeRole", errors.New("STS answers without credentials"))
	}
	ends := s.now().Add(o.life)
	if c.Expiration != nil && c.Expiration.Before(ends) {
		ends = *c.Expiration
	}
	return part{
		keys: slices.Clone(keys), ends: ends,
		cred: sigv4.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken},
	}, nil
}
