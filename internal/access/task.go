package access

import (
	"context"
	"errors"
	"sync"
	"time"

	"fiducial/internal/arn"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/sigv4"
)

// Minter makes the grant of one object and returns its URL.
type Minter func(ctx context.Context, bucket, key string) (url string, err error)

// Mint makes a grant and returns its URL. The grant is on record when it
// returns; if it cannot be recorded there is none. A refusal is recorded too.
func (s *Service) Mint(ctx context.Context, r Request) (url string, err error) {
	t := s.newTask(r)
	url, err = t.mint(ctx, r.Bucket, r.Key)
	if bad := t.record(ctx); bad != nil {
		if err != nil {
			bad = errors.Join(bad, err)
		}
		return "", bad
	}
	return url, err
}

// ForTask lets render make the grants of one task; r's Bucket and Key are not
// read. What render makes with the URLs may be handed out if ForTask returns nil:
// then all the grants, and all refusals, are on record. It returns render's
// error, or that they could not be recorded. The Minter is for render's goroutine,
// and for the time that render takes.
//
// What the grants have in common is found out once, with the first: that the
// worker's rights stand (see Request.Since: a revocation that comes in between
// ends the grants that are made after it as well), that the role can be assumed,
// and the key that the URLs are signed with. Each has an id, a session policy and
// a record of its own.
func (s *Service) ForTask(ctx context.Context, r Request, render func(Minter) error) error {
	t := s.newTask(r)
	kept := pendings.Get().(*[]audit.Event)
	t.pending = (*kept)[:0]
	defer func() {
		*kept = t.pending
		pendings.Put(kept)
	}()
	err := render(t.mint)
	if bad := t.record(ctx); bad != nil {
		return errors.Join(bad, err)
	}
	return err
}

// pendings are records that are on record, whose memory the next take.
var pendings = sync.Pool{New: func() any { return &[]audit.Event{} }}

// maxPending bounds the records that wait for the end of a task.
const maxPending = 256

// task makes grants that differ in their object alone.
type task struct {
	s       *Service
	r       Request
	pending []audit.Event // not yet on record
	failed  error         // of the record

	begun      bool
	refused    error    // why there can be no grant
	conditions []string // of the session policies
	sessions   *iam.ServiceSessions
	token      []byte // scratch
	signer     *sigv4.Presigner
	event      audit.Event // what their records have in common
	start, end time.Time   // of the URLs
}

func (s *Service) newTask(r Request) *task {
	t := &task{s: s, r: r, event: audit.Event{
		Kind: audit.Grant, Action: "s3:GetObject", Verdict: audit.Deny, Method: "GET",
		Worker: r.Grant.Worker, Job: r.Grant.Job, Team: r.Grant.Team, Assignment: r.Grant.Assignment, SignInID: r.Grant.SignIn,
		Origin: r.Origin.String(), Place: r.Grant.Place,
	}}
	if r.Media.Known() {
		t.event.MediaAddr = r.Media.String()
	}
	return t
}

// mint makes a URL and the record of it.
func (t *task) mint(ctx context.Context, bucket, key string) (string, error) {
	if t.failed != nil {
		return "", t.failed
	}
	now := t.s.o.Now().UTC()
	t.r.Bucket, t.r.Key = bucket, key
	err := t.r.check(now)
	if err == nil && !t.begun {
		t.begun = true
		t.refused = t.begin(ctx, now)
	}
	e := t.next(now)
	url := ""
	if err == nil {
		if err = t.refused; err == nil {
			url, err = t.sign(ctx, e)
		}
	}
	if err == nil {
		e.Verdict = audit.Allow
	} else {
		e.Reason, e.Error = fault.MessageOf(err), fault.KindOf(err).String()
	}
	if len(t.pending) >= maxPending {
		if bad := t.record(ctx); bad != nil {
			return "", bad
		}
	}
	return url, err
}

// next adds a record: that nothing was granted, so far.
func (t *task) next(now time.Time) *audit.Event {
	t.pending = append(t.pending, t.event)
	e := &t.pending[len(t.pending)-1]
	e.Time, e.Resource = now, arn.S3Object(t.r.Bucket, t.r.Key)
	return e
}

// record puts on record what is not there yet. What cannot be recorded ends the
// task.
func (t *task) record(ctx context.Context) error {
	if t.failed == nil && len(t.pending) > 0 {
		t.failed = audit.RecordAll(context.WithoutCancel(ctx), t.s.o.Audit, t.pending)
		clear(t.pending)
		t.pending = t.pending[:0]
	}
	return t.failed
}

// begin finds out what the grants have in common, or why there can be none.
func (t *task) begin(ctx context.Context, now time.Time) error {
	s, r := t.s, &t.r
	if err := s.upToDate(); err != nil {
		return err
	}
	if r.Since == 0 {
		r.Since = s.Epoch()
	}
	if over, why := s.over(&r.Grant, r.Since); over {
		return fault.Newf("access.Mint", fault.Denied, "the %s has ended", why)
	}
	conditions, bound, err := r.bind()
	if err != nil {
		return err
	}
	if t.sessions, err = s.o.Roles.ServiceSessions(ctx, iam.ServiceSession{
		RoleARN: r.RoleARN, SessionName: sessionName(&r.Grant), Duration: life(now, r.Expires), Grant: r.Grant, SourceARN: s.jobARN(r.Grant.Job),
	}); err != nil {
		return err
	}
	// The URLs end with the lease or with the sessions, whichever is first. Both
	// count in whole seconds from the second that has begun.
	t.start = now.Truncate(time.Second)
	expires := min(r.Expires.Sub(t.start), t.sessions.Expiration.Sub(t.start)).Truncate(time.Second)
	if expires < time.Second {
		return timeIsUp()
	}
	t.conditions, t.end = conditions, t.start.Add(expires)
	t.event.Bound, t.event.Principal, t.event.AccessKeyID, t.event.Expires = bound, t.sessions.ARN, t.sessions.AccessKeyID, t.end
	t.signer = s.o.Endpoint.Presigner("GET", sigv4.Credentials{
		AccessKeyID: t.sessions.AccessKeyID, SecretAccessKey: t.sessions.SecretAccessKey.Reveal(),
	}, t.start, expires)
	return nil
}

func timeIsUp() error {
	return fault.Newf("access.Mint", fault.Denied, "the task's time is up")
}

// sign makes the URL of the request's object and fills the record with what it is.
func (t *task) sign(ctx context.Context, e *audit.Event) (string, error) {
	id, err := t.s.newID(t.r.Since)
	if err != nil {
		return "", err
	}
	e.GrantID = id
	document := sessionPolicy(t.r.Bucket, t.r.Key, t.conditions)
	if t.s.o.Elsewhere != nil {
		r := t.r
		r.Grant.ID = id
		ticket := &Ticket{Request: r, Caller: t.sessions.Caller(id, document), Begun: t.start, Expires: t.end}
		if url, ok, err := t.s.sign(ctx, ticket, e); ok || err != nil {
			return url, err
		}
	}
	if t.token, err = t.sessions.Token(t.token[:0], id, document); err != nil {
		return "", err
	}
	return t.signer.URL(t.token, "/", t.r.Bucket, "/", t.r.Key), nil
}
