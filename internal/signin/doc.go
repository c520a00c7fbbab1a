// Package signin establishes which worker is at the other end of a browser.
//
// It is a state machine. A browser without a session is nobody. A right
// password brings it to
//
//	nobody ──password──► signed in
//	   └──temporary password──► new password required ──new password──► signed in
//
// and every step to the right gives a new token, so that a token planted or
// seen before a step is worth nothing after it. Sign-out, a period without
// requests, the absolute end, and the worker being disabled or deleted lead
// back to nobody.
//
// # Sessions
//
// A token is 256 random bits, in the browser's cookie only. The database has
// its SHA-256, which is enough to recognise it and useless to whoever reads the
// database: with 256 bits of randomness there is nothing to guess, so a slow
// hash would add nothing. A session has a name besides (ID), for audit records
// and grants; it opens nothing.
//
// # Guessing
//
// Failures are counted, before the password is looked at, for the account from
// that address, for the account, and for the address (an IPv6 address by its
// /64). The first is strict and the second lenient, so that a stranger who
// hammers on an account does not lock its owner out at once. The counters live
// in the database: a restart or a second replica forgets none. An account that
// does not exist has counters, and costs a password hash, like any other;
// nothing in what is answered, or when, tells them apart.
//
// Children check credentials: local has passwords of its own.
package signin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"log/slog"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/workforce"
)

// Stage is how far a session has come.
type Stage string

// The stages of a session.
const (
	NewPassword Stage = "new-password" // may set a new password, and nothing else
	SignedIn    Stage = "signed-in"
)

// Session is one browser's.
type Session struct {
	ID        string // its name; no secret
	Worker    string
	Stage     Stage
	Origin    string // where it was made from
	CreatedAt time.Time
	SeenAt    time.Time // to within seenEvery
	ExpiresAt time.Time // whatever happens
}

// Token is the secret that stands for a session. It does not print.
type Token string

// tokenBytes make 256 bits.
const tokenBytes = 32

func (Token) String() string               { return "[token]" }
func (Token) GoString() string             { return "[token]" }
func (Token) LogValue() slog.Value         { return slog.StringValue("[token]") }
func (Token) MarshalText() ([]byte, error) { return []byte("[token]"), nil }
func (t Token) hash() []byte               { h := sha256.Sum256([]byte(t)); return h[:] }
func (t Token) wellFormed() bool {
	b, err := base64.RawURLEncoding.DecodeString(string(t))
	return err == nil && len(b) == tokenBytes
}
func newToken(random io.Reader) (Token, error) {
	b := make([]byte, tokenBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fault.E("signin.newToken", fault.Internal, "", err)
	}
	return Token(base64.RawURLEncoding.EncodeToString(b)), nil
}

// CSRF is what forms of the session carry to show that one of its own pages
// made them. It is derived from the token, so it needs no place of its own, and
// it does not give the token away.
func (t Token) CSRF() string {
	m := hmac.New(sha256.New, []byte(t))
	m.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// CheckCSRF reports, in constant time, whether given is the token's CSRF value.
func (t Token) CheckCSRF(given string) bool {
	return subtle.ConstantTimeCompare([]byte(t.CSRF()), []byte(given)) == 1
}

// Password is a secret that a person typed. It does not print.
type Password string

func (Password) String() string               { return "[password]" }
func (Password) GoString() string             { return "[password]" }
func (Password) LogValue() slog.Value         { return slog.StringValue("[password]") }
func (Password) MarshalText() ([]byte, error) { return []byte("[password]"), nil }

// MaxPassword is the longest password looked at, in bytes: hashing is not for
// whoever sends a megabyte.
const MaxPassword = 256

// MaxEmail is the longest e-mail address looked at, in bytes.
const MaxEmail = 254

// Verdict is what a child says of a password.
type Verdict uint8

// The verdicts. The zero value lets nobody in.
const (
	Wrong     Verdict = iota
	Right             // it is the worker's password
	Temporary         // it is, and must be replaced before anything else
)

// Passwords checks and sets the passwords of workers.
type Passwords interface {
	// Check judges a password. An empty worker is nobody: the answer is Wrong
	// and takes as long as any other.
	Check(ctx context.Context, worker string, p Password) (Verdict, error)
	// SetPassword replaces a worker's password. One that is not good enough is
	// an Invalid fault with the reason. Unless permanent it must be replaced at
	// the next sign-in.
	SetPassword(ctx context.Context, worker string, p Password, permanent bool) error
}

// Workers is the directory.
type Workers interface {
	WorkerByEmail(ctx context.Context, email string) (workforce.Worker, error)
	Worker(ctx context.Context, id string) (workforce.Worker, error)
}

// Ended is told, with sessions' names, that sessions are over: grants that rest
// on them die with them. Nil: nobody needs to know.
type Ended func(ctx context.Context, reason string, ids ...string) error

// Store keeps sessions and counters. What is not there is a NotFound fault.
type Store interface {
	// SaveSession adds a session and removes the worker's oldest beyond most.
	// It returns the names of those removed.
	SaveSession(ctx context.Context, tokenHash []byte, s Session, most int) (removed []string, err error)
	Session(ctx context.Context, tokenHash []byte) (Session, error)
	TouchSession(ctx context.Context, tokenHash []byte, seen time.Time) error
	// EndSession removes one; it returns NotFound if it was not there.
	EndSession(ctx context.Context, tokenHash []byte) (Session, error)
	// EndSessionsOf removes all sessions of a worker and returns their names.
	EndSessionsOf(ctx context.Context, worker string) ([]string, error)
	// EndExpired removes sessions past their end or last seen before idle.
	EndExpired(ctx context.Context, now, idle time.Time) ([]string, error)

	// Count adds one to every counter unless one of them is at its limit. It
	// returns when the fullest one that is ends, or zero if all were counted.
	Count(ctx context.Context, now time.Time, counters ...Counter) (until time.Time, err error)
	// Uncount forgets the first counter and takes one off the others.
	Uncount(ctx context.Context, counters ...Counter) error
}

// Counter is one thing whose failures are counted, for as long as Window from
// the first one.
type Counter struct {
	Key    string
	Limit  int
	Window time.Duration
}

// Config is what a Service needs.
type Config struct {
	Store     Store
	Workers   Workers
	Passwords Passwords
	Recorder  audit.Recorder
	Ended     Ended
	Now       func() time.Time
	Random    io.Reader
	Limits    Limits
}

// Limits of sessions and of guessing. A zero member takes DefaultLimits'.
type Limits struct {
	Idle      time.Duration // without a request
	Absolute  time.Duration
	SetWithin time.Duration // to set a new password
	Sessions  int           // of one worker at a time

	Window  time.Duration // in which failures are counted
	Pair    int           // failures for one account from one address
	Account int           // for one account from anywhere
	Address int           // from one address for any account
}

// DefaultLimits suit a working day at a desk.
var DefaultLimits = Limits{
	Idle: 8 * time.Hour, Absolute: 24 * time.Hour, SetWithin: 15 * time.Minute, Sessions: 20,
	Window: 15 * time.Minute, Pair: 5, Account: 50, Address: 50,
}

// seenEvery is how often a session's last request is written down.
const seenEvery = time.Minute

// Service holds the rules.
type Service struct{ Config }

// New makes a Service.
func New(c Config) *Service {
	d := DefaultLimits
	l := &c.Limits
	orDuration := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orDuration(&l.Idle, d.Idle)
	orDuration(&l.Absolute, d.Absolute)
	orDuration(&l.SetWithin, d.SetWithin)
	orDuration(&l.Window, d.Window)
	orInt(&l.Sessions, d.Sessions)
	orInt(&l.Pair, d.Pair)
	orInt(&l.Account, d.Account)
	orInt(&l.Address, d.Address)
	if c.Ended == nil {
		c.Ended = func(context.Context, string, ...string) error { return nil }
	}
	return &Service{c}
}
