// Package accesskey signs requesters in at the console with an access key of the
// account, root's or an IAM user's, and knows them again.
//
// The secret is compared and forgotten: it is in no session, cookie or record. A
// session is 256 random bits, of which only the SHA-256 is stored. It lives for
// at most Lasts, is valid only at the address that it began from, and ends at
// once when its key is made inactive or deleted, or the key's user is. Attempts
// are limited for each key and each address.
package accesskey

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
	"fiducial/internal/sigv4"
)

// Lasts is how long somebody stays signed in at most.
const Lasts = 12 * time.Hour

// Attempts that are allowed within attemptsWithin. A key has many, so that
// nobody elsewhere can lock its owner out with a few.
const (
	attemptsFromAddress = 10
	attemptsWithKey     = 100
	attemptsWithin      = 5 * time.Minute
)

// Keys knows access keys. *iam.Service is one.
type Keys interface {
	Authenticate(ctx context.Context, accessKeyID, sessionToken string) (*iam.Caller, error)
	SigningKey(c *iam.Caller, date, region, service string) sigv4.SigningKey
}

// Session is somebody's visit.
type Session struct {
	ID          string // a name for the record that is not its secret
	AccessKeyID string
	Origin      string // where it began, and the only place where it is valid
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// Store keeps sessions by the SHA-256 of their secret.
type Store interface {
	SaveRequesterSession(ctx context.Context, hash []byte, s Session) error
	// RequesterSession is NotFound if there is none.
	RequesterSession(ctx context.Context, hash []byte) (Session, error)
	// EndRequesterSession removes a session; having none is no error.
	EndRequesterSession(ctx context.Context, hash []byte) error
	// DropRequesterSessions removes those that expired before an instant.
	DropRequesterSessions(ctx context.Context, before time.Time) error
}

// Config is what a Service needs.
type Config struct {
	Keys     Keys
	Store    Store
	Recorder audit.Recorder
	Now      func() time.Time
	Rand     io.Reader // of cryptographic quality; safe for concurrent use
}

// Service signs requesters in. It is safe for concurrent use.
type Service struct {
	Config
	tries limiter
}

// New makes a Service.
func New(c Config) *Service { return &Service{Config: c} }

// Attempt is somebody who wants to sign in.
type Attempt struct {
	AccessKeyID, SecretAccessKey string
	Origin                       origin.Origin
	Agent                        string
}

// Token is a session's secret, as the browser keeps it.
type Token string

// String hides the token.
func (Token) String() string { return "(token)" }

// GoString hides the token.
func (Token) GoString() string { return "(token)" }

// tokenLength is that of 32 bytes in base64 without padding.
const tokenLength = 43

// CSRF is what the forms of the session carry. It tells nothing about the token.
func (t Token) CSRF() string {
	sum := sha256.Sum256([]byte("console form " + string(t)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// CheckCSRF compares in constant time.
func (t Token) CheckCSRF(given string) bool {
	return t != "" && subtle.ConstantTimeCompare([]byte(given), []byte(t.CSRF())) == 1
}

func (t Token) hash() []byte {
	sum := sha256.Sum256([]byte(t))
	return sum[:]
}

// What somebody is told who is not let in.
const (
	wrongKey = "There is no such access key, or the secret is another's."
	tooMany  = "There were too many attempts. Try again in a few minutes."
	nowhere  = "The address that you come from is not known."
)

// CodeTooMany is the code of the fault for too many attempts.
const CodeTooMany = "TooManyRequests"

// SignIn begins a session. Whether it may is on record before it is told.
func (s *Service) SignIn(ctx context.Context, a Attempt) (Token, error) {
	const op = "accesskey.SignIn"
	if len(a.AccessKeyID) > 128 || len(a.SecretAccessKey) > 256 {
		a.AccessKeyID, a.SecretAccessKey = "", ""
	}
	e := s.event("console:SignIn", a.AccessKeyID, a.Origin, a.Agent)
	caller, err := s.who(ctx, a)
	if err != nil {
		e.Verdict, e.Reason = audit.Deny, fault.MessageOf(err)
		if bad := s.Recorder.Record(ctx, e); bad != nil {
			return "", bad
		}
		return "", err
	}
	token, err := s.random()
	if err != nil {
		return "", err
	}
	name, err := s.random()
	if err != nil {
		return "", err
	}
	now := s.Now()
	session := Session{ID: name[:16], AccessKeyID: a.AccessKeyID, Origin: a.Origin.String(), CreatedAt: now, ExpiresAt: now.Add(Lasts)}
	e.Verdict, e.Principal, e.SignInID = audit.Allow, caller.ARN, session.ID
	if err := s.Recorder.Record(ctx, e); err != nil {
		return "", err
	}
	if err := s.Store.DropRequesterSessions(ctx, now); err != nil {
		return "", fault.E(op, fault.KindOf(err), fault.MessageOf(err), err)
	}
	if err := s.Store.SaveRequesterSession(ctx, Token(token).hash(), session); err != nil {
		return "", err
	}
	return Token(token), nil
}

// who is behind an attempt. Both secrets become a signing key first: nobody here
// holds the secret of a user, and an unknown key costs the same work as a wrong
// secret.
func (s *Service) who(ctx context.Context, a Attempt) (*iam.Caller, error) {
	const op = "accesskey.SignIn"
	if !a.Origin.Known() {
		return nil, fault.Newf(op, fault.Denied, nowhere)
	}
	now := s.Now()
	if !s.tries.allow(now, counted{"address " + a.Origin.String(), attemptsFromAddress}, counted{"key " + a.AccessKeyID, attemptsWithKey}) {
		return nil, fault.Coded(op, fault.Limit, CodeTooMany, tooMany)
	}
	const region, service = "console", "console" // a scope that no request is signed for
	date := now.UTC().Format("20060102")
	given := sigv4.DeriveKey(a.SecretAccessKey, date, region, service)
	caller, err := s.Keys.Authenticate(ctx, a.AccessKeyID, "")
	var want sigv4.SigningKey
	switch {
	case err == nil:
		want = s.Keys.SigningKey(caller, date, region, service)
	case fault.Is(err, fault.Unauthenticated):
		want = sigv4.DeriveKey("no such key", date, region, service)
	default:
		return nil, err
	}
	if subtle.ConstantTimeCompare(given[:], want[:]) != 1 || caller == nil {
		return nil, fault.Newf(op, fault.Unauthenticated, wrongKey)
	}
	return caller, nil
}

// Session finds whose session a browser has, if it comes from where the session
// began. It is Unauthenticated where there is none.
func (s *Service) Session(ctx context.Context, t Token, o origin.Origin) (Session, *iam.Caller, error) {
	none := fault.Newf("accesskey.Session", fault.Unauthenticated, "Sign in first.")
	if len(t) != tokenLength {
		return Session{}, nil, none
	}
	session, err := s.Store.RequesterSession(ctx, t.hash())
	if fault.Is(err, fault.NotFound) {
		return Session{}, nil, none
	}
	if err != nil {
		return Session{}, nil, err
	}
	if !s.Now().Before(session.ExpiresAt) || !o.Known() || session.Origin != o.String() {
		return Session{}, nil, none
	}
	// The key may have been taken away since.
	caller, err := s.Keys.Authenticate(ctx, session.AccessKeyID, "")
	if err != nil {
		return Session{}, nil, err
	}
	return session, caller, nil
}

// SignOut ends a session.
func (s *Service) SignOut(ctx context.Context, t Token, session Session, caller *iam.Caller, o origin.Origin, agent string) error {
	if err := s.Store.EndRequesterSession(ctx, t.hash()); err != nil {
		return err
	}
	e := s.event("console:SignOut", session.AccessKeyID, o, agent)
	e.Verdict, e.Principal, e.SignInID = audit.Allow, caller.ARN, session.ID
	return s.Recorder.Record(ctx, e)
}

func (s *Service) event(action, accessKeyID string, o origin.Origin, agent string) *audit.Event {
	return &audit.Event{Time: s.Now(), Kind: audit.SignIn, Action: action, AccessKeyID: accessKeyID, Origin: o.String(), Agent: agent}
}

func (s *Service) random() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return "", fault.E("accesskey.random", fault.Internal, "", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}
