package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/workforce"
)

// Attempt is somebody who says who they are.
type Attempt struct {
	Email    string
	Password Password
	Agent    string // User-Agent, for the record
	Previous Token  // the browser's old session, which ends; may be empty
}

// Codes of faults that pages show in their own way.
const (
	CodeNotAuthorized = "NotAuthorized"   // wrong account or password: never says which
	CodeTooMany       = "TooManyFailures" // try again later
	CodeNoSession     = "NoSession"       // not signed in, or not any more
)

func notAuthorized() error {
	return fault.Coded("signin.SignIn", fault.Unauthenticated, CodeNotAuthorized, "The e-mail address or the password is not right.")
}

func noSession() error {
	return fault.Coded("signin.Session", fault.Unauthenticated, CodeNoSession, "You are not signed in.")
}

// SignIn checks an account and a password and starts a session. The session's
// stage says whether a new password is required first.
func (s *Service) SignIn(ctx context.Context, a Attempt) (Session, Token, error) {
	email := strings.ToLower(strings.TrimSpace(a.Email))
	if len(email) > MaxEmail || len(a.Password) > MaxPassword || !utf8.ValidString(email) {
		return Session{}, "", notAuthorized()
	}
	now := s.Now()
	counters := s.counters(email, origin.From(ctx))
	until, err := s.Store.Count(ctx, now, counters...)
	if err != nil {
		return Session{}, "", err
	}
	if !until.IsZero() {
		minutes := int((until.Sub(now) + time.Minute - 1) / time.Minute)
		err := fault.Coded("signin.SignIn", fault.Limit, CodeTooMany, fmt.Sprintf("There were too many attempts. Try again in %d min.", minutes))
		return Session{}, "", s.refuse(ctx, a, "", "too many failures", err)
	}
	worker, verdict, why, err := s.judge(ctx, email, a.Password)
	if err != nil {
		return Session{}, "", err
	}
	if verdict == Wrong {
		return Session{}, "", s.refuse(ctx, a, worker, why, notAuthorized())
	}
	if err := s.Store.Uncount(ctx, counters...); err != nil {
		return Session{}, "", err
	}
	stage := SignedIn
	if verdict == Temporary {
		stage = NewPassword
	}
	return s.start(ctx, worker, stage, a.Agent, a.Previous, "SignIn")
}

// judge looks the account up and checks the password. An account that is not
// there, or is disabled, goes the same way as one that is.
func (s *Service) judge(ctx context.Context, email string, p Password) (worker string, v Verdict, why string, err error) {
	w, err := s.Workers.WorkerByEmail(ctx, email)
	switch {
	case fault.Is(err, fault.NotFound):
		why = "no such account"
	case err != nil:
		return "", Wrong, "", err
	case !w.Enabled:
		why = "the account is disabled"
	}
	check := w.ID
	if err != nil {
		check = ""
	}
	v, err = s.Passwords.Check(ctx, check, p)
	if err != nil {
		return "", Wrong, "", err
	}
	if why != "" {
		return check, Wrong, why, nil
	}
	if v == Wrong {
		why = "wrong password"
	}
	return check, v, why, nil
}

// SetNewPassword replaces the temporary password that the session was started
// with, and starts a session that is signed in.
func (s *Service) SetNewPassword(ctx context.Context, t Token, p Password, agent string) (Session, Token, error) {
	const op = "signin.SetNewPassword"
	old, _, err := s.Session(ctx, t)
	if err != nil {
		return Session{}, "", err
	}
	if old.Stage != NewPassword {
		return Session{}, "", fault.Newf(op, fault.Invalid, "The password was set already.")
	}
	switch v, err := s.Passwords.Check(ctx, old.Worker, p); {
	case err != nil:
		return Session{}, "", err
	case v != Wrong:
		return Session{}, "", fault.Newf(op, fault.Invalid, "Choose a password other than the temporary one.")
	}
	if err := s.Passwords.SetPassword(ctx, old.Worker, p, true); err != nil {
		return Session{}, "", err
	}
	// Whoever else came in with the temporary password is out.
	if err := s.EndAll(ctx, old.Worker, "the password was changed"); err != nil {
		return Session{}, "", err
	}
	return s.start(ctx, old.Worker, SignedIn, agent, "", "SetNewPassword")
}

// start makes a session with a fresh token. The record is written first: what
// cannot be recorded does not happen.
func (s *Service) start(ctx context.Context, worker string, stage Stage, agent string, previous Token, action string) (Session, Token, error) {
	token, err := newToken(s.Random)
	if err != nil {
		return Session{}, "", err
	}
	id := make([]byte, 12)
	if _, err := io.ReadFull(s.Random, id); err != nil {
		return Session{}, "", fault.E("signin.start", fault.Internal, "", err)
	}
	now := s.Now()
	o := origin.From(ctx)
	session := Session{
		ID: "signin-" + hex.EncodeToString(id), Worker: worker, Stage: stage, Origin: o.String(),
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(s.Limits.Absolute),
	}
	if stage == NewPassword {
		session.ExpiresAt = now.Add(s.Limits.SetWithin)
	}
	if err := s.Recorder.Record(ctx, &audit.Event{
		Time: now, Kind: audit.SignIn, Action: "portal:" + action, Verdict: audit.Allow, Reason: string(stage),
		Worker: worker, SignInID: session.ID, Origin: o.String(), Expires: session.ExpiresAt, Agent: agent,
	}); err != nil {
		return Session{}, "", err
	}
	if err := s.end(ctx, previous, "signed in again"); err != nil && !fault.Is(err, fault.Unauthenticated) {
		return Session{}, "", err
	}
	removed, err := s.Store.SaveSession(ctx, token.hash(), session, s.Limits.Sessions)
	if err != nil {
		return Session{}, "", err
	}
	if len(removed) > 0 {
		if err := s.Ended(ctx, "too many sessions", removed...); err != nil {
			return Session{}, "", err
		}
	}
	return session, token, nil
}

func (s *Service) refuse(ctx context.Context, a Attempt, worker, why string, answer error) error {
	// The address that was tried is not recorded: people type passwords into
	// the wrong field.
	err := s.Recorder.Record(ctx, &audit.Event{
		Time: s.Now(), Kind: audit.SignIn, Action: "portal:SignIn", Verdict: audit.Deny, Reason: why,
		Error: fault.CodeOf(answer), Worker: worker, Origin: origin.From(ctx).String(), Agent: a.Agent,
	})
	if err != nil {
		return err
	}
	return answer
}

// Session returns the session of a token and its worker, both as they are now.
// A worker who was disabled or deleted has none.
func (s *Service) Session(ctx context.Context, t Token) (Session, workforce.Worker, error) {
	if !t.wellFormed() {
		return Session{}, workforce.Worker{}, noSession()
	}
	session, err := s.Store.Session(ctx, t.hash())
	if fault.Is(err, fault.NotFound) {
		return Session{}, workforce.Worker{}, noSession()
	}
	if err != nil {
		return Session{}, workforce.Worker{}, err
	}
	now := s.Now()
	if !now.Before(session.ExpiresAt) || now.Sub(session.SeenAt) >= s.Limits.Idle {
		return Session{}, workforce.Worker{}, orNoSession(s.end(ctx, t, "the session expired"))
	}
	worker, err := s.Workers.Worker(ctx, session.Worker)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Session{}, workforce.Worker{}, err
	}
	if err != nil || !worker.Enabled {
		return Session{}, workforce.Worker{}, orNoSession(s.EndAll(ctx, session.Worker, "the worker was disabled"))
	}
	if now.Sub(session.SeenAt) >= seenEvery {
		if err := s.Store.TouchSession(ctx, t.hash(), now); err != nil {
			return Session{}, workforce.Worker{}, err
		}
		session.SeenAt = now
	}
	return session, worker, nil
}

func orNoSession(err error) error {
	if err != nil {
		return err
	}
	return noSession()
}

// SignOut ends a session. One that is over already is no error.
func (s *Service) SignOut(ctx context.Context, t Token) error {
	err := s.end(ctx, t, "signed out")
	if fault.Is(err, fault.Unauthenticated) {
		return nil
	}
	return err
}

// EndAll ends all sessions of a worker.
func (s *Service) EndAll(ctx context.Context, worker, reason string) error {
	ids, err := s.Store.EndSessionsOf(ctx, worker)
	if err != nil || len(ids) == 0 {
		return err
	}
	return s.ended(ctx, worker, reason, ids...)
}

// Sweep ends the sessions whose time is over. Somebody calls it now and then.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Now()
	ids, err := s.Store.EndExpired(ctx, now, now.Add(-s.Limits.Idle))
	if err != nil || len(ids) == 0 {
		return err
	}
	return s.ended(ctx, "", "the session expired", ids...)
}

func (s *Service) end(ctx context.Context, t Token, reason string) error {
	if !t.wellFormed() {
		return noSession()
	}
	old, err := s.Store.EndSession(ctx, t.hash())
	if fault.Is(err, fault.NotFound) {
		return noSession()
	}
	if err != nil {
		return err
	}
	return s.ended(ctx, old.Worker, reason, old.ID)
}

// ended says that sessions are over. Grants are told first: a record that
// cannot be written must not keep them alive.
func (s *Service) ended(ctx context.Context, worker, reason string, ids ...string) error {
	if err := s.Ended(ctx, reason, ids...); err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.Recorder.Record(ctx, &audit.Event{
			Time: s.Now(), Kind: audit.SignIn, Action: "portal:SignOut", Verdict: audit.Allow, Reason: reason,
			Worker: worker, SignInID: id, Origin: origin.From(ctx).String(),
		}); err != nil {
			return err
		}
	}
	return nil
}

// counters are the three that an attempt counts on. Keys are hashes: they have
// one length, and the table tells nobody which accounts were tried.
func (s *Service) counters(email string, o origin.Origin) []Counter {
	address := network(o.Addr)
	key := func(parts ...string) string {
		h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
		return base64.RawURLEncoding.EncodeToString(h[:18])
	}
	l := s.Limits
	return []Counter{
		{key("pair", email, address), l.Pair, l.Window},
		{key("account", email), l.Account, l.Window},
		{key("address", address), l.Address, l.Window},
	}
}

// network is what counts as one address: of IPv6 the /64, which is one
// customer's and free to number as they like.
func network(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
