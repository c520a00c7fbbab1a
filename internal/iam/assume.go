package iam

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// Durations of sessions.
const (
	minSession     = 15 * time.Minute
	defaultSession = time.Hour
	maxChained     = time.Hour
	serverName     = "sagemaker.amazonaws.com" // the principal this server is to trust policies
	assumeRole     = "sts:AssumeRole"
)

// AssumeRoleInput is what AssumeRole takes.
type AssumeRoleInput struct {
	RoleARN     string
	SessionName string
	ExternalID  string
	Policy      string        // session policy; empty for none
	Duration    time.Duration // zero for one hour
	Context     policy.Context
}

// Session is the answer to AssumeRole.
type Session struct {
	Credentials
	ARN              string // of the session
	ID               string // AROA…:session
	PackedPolicySize int    // percent of the permitted length of a session policy
}

// AssumeRole gives the caller a session of a role, if the role's trust policy
// (and, where that only names the account, the caller's own policies) allow it.
func (s *Service) AssumeRole(ctx context.Context, c *Caller, in AssumeRoleInput) (Session, error) {
	const op = "iam.AssumeRole"
	if err := in.check(); err != nil {
		return Session{}, err
	}
	if c.Type == identity.Root {
		return Session{}, fault.Coded(op, fault.Denied, "AccessDenied", "Roles may not be assumed by root accounts.")
	}
	h, err := s.trusted(ctx, in.RoleARN)
	if fault.Is(err, fault.NotFound) { // whether the role exists is nobody's business
		return Session{}, refuseAssume(c.ARN, in.RoleARN)
	}
	if err != nil {
		return Session{}, err
	}
	q := Question{Action: assumeRole, Resource: in.RoleARN, Context: in.Context, ResourcePolicy: h.trust, ResourceAccount: s.account}
	q.Context.Keys = append([]policy.Key{{Name: "sts:RoleSessionName", Value: in.SessionName}}, q.Context.Keys...)
	if in.ExternalID != "" {
		q.Context.Keys = append(q.Context.Keys, policy.Key{Name: "sts:ExternalId", Value: in.ExternalID})
	}
	d, err := s.Authorize(ctx, c, q)
	if err != nil {
		return Session{}, err
	}
	if !d.Allowed() {
		return Session{}, refuseAssume(c.ARN, in.RoleARN)
	}
	life, err := in.life(c, h.role)
	if err != nil {
		return Session{}, err
	}
	cl := s.claimsOf(h.role, in.SessionName, life)
	cl.policy = in.Policy
	cred, err := s.seal(cl)
	if err != nil {
		return Session{}, err
	}
	return Session{
		Credentials: cred, ARN: sessionARN(s.account, h.role.Name, in.SessionName), ID: h.role.ID + ":" + in.SessionName,
		PackedPolicySize: (utf8.RuneCountInString(in.Policy)*100 + policy.MaxSession - 1) / policy.MaxSession,
	}, nil
}

func (in *AssumeRoleInput) check() error {
	if err := checkRoleARN("roleArn", in.RoleARN); err != nil {
		return err
	}
	if err := checkText("roleSessionName", in.SessionName, nameShape, 2, 64); err != nil {
		return err
	}
	if in.ExternalID != "" {
		if err := checkText("externalId", in.ExternalID, externalIDShape, 2, 1224); err != nil {
			return err
		}
	}
	if in.Duration != 0 && (in.Duration < minSession || in.Duration > 12*time.Hour) {
		return validation("durationSeconds", fmt.Sprint(int64(in.Duration/time.Second)), "Member must have value between 900 and 43200")
	}
	if in.Policy == "" {
		return nil
	}
	if n := utf8.RuneCountInString(in.Policy); n > policy.MaxSession {
		return validation("policy", fmt.Sprintf("(%d characters)", n), fmt.Sprintf("Member must have length less than or equal to %d", policy.MaxSession))
	}
	_, err := policy.Parse([]byte(in.Policy), policy.Session)
	return err
}

func (in *AssumeRoleInput) life(c *Caller, r *Role) (time.Duration, error) {
	chained := c.Type == identity.AssumedRole
	switch {
	case in.Duration == 0:
		return min(defaultSession, r.MaxSession), nil
	case chained && in.Duration > maxChained:
		return 0, fault.Newf("iam.AssumeRole", fault.Invalid, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case in.Duration > r.MaxSession:
		return 0, fault.Newf("iam.AssumeRole", fault.Invalid, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return in.Duration, nil
}

func refuseAssume(who, role string) error {
	return fault.Coded("iam.AssumeRole", fault.Denied, "AccessDenied",
		fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", who, assumeRole, role))
}

// trusted returns the role of an ARN of this account.
func (s *Service) trusted(ctx context.Context, roleARN string) (*holder, error) {
	name := roleARN[strings.LastIndexByte(roleARN, '/')+1:]
	h, err := fresh(ctx, s, s.roles, name, s.loadRole)
	if err != nil {
		return nil, err
	}
	if h.arn != roleARN { // another path or account
		return nil, noEntity("role", name)
	}
	return h, h.unreadable
}

func (s *Service) claimsOf(r *Role, session string, life time.Duration) *claims {
	return &claims{issued: s.now().Unix(), life: int64(life / time.Second), path: r.Path, role: r.Name, id: r.ID, session: session}
}

// ServiceSession is what AssumeRoleForService takes.
type ServiceSession struct {
	RoleARN     string
	SessionName string // 1 to 64 of [\w+=,.@-]
	// Duration is one hour if zero, else at least a second. It is cut to the
	// role's MaxSessionDuration. It bounds the credentials; the Caller that is
	// returned beside them serves the server itself and lasts as its role does.
	Duration time.Duration
	// Policy is the session policy, empty for none. It is not read here, because
	// a media URL is made with every picture shown: one that cannot be read
	// allows nothing when the session is used.
	Policy string
	Grant  identity.Grant
	// SourceARN is the resource on whose behalf the server acts (aws:SourceArn
	// of the trust policy), such as the labeling job. Optional.
	SourceARN string
}

// AssumeRoleForService gives this server a session of a role whose trust policy
// names sagemaker.amazonaws.com. It writes nothing and looks nothing up that is
// not cached.
func (s *Service) AssumeRoleForService(ctx context.Context, in ServiceSession) (Credentials, *Caller, error) {
	all, err := s.ServiceSessions(ctx, in)
	if err != nil {
		return Credentials{}, nil, err
	}
	token, err := all.Token(nil, in.Grant.ID, in.Policy)
	if err != nil {
		return Credentials{}, nil, err
	}
	cred := all.Credentials
	cred.SessionToken = string(token)
	return cred, all.Caller(in.Grant.ID, in.Policy), nil
}

func (s *Service) askTrust(h *holder, in *ServiceSession) policy.Decision {
	if h.server != nil {
		return *h.server
	}
	keys := [3]policy.Key{{Name: "aws:SourceAccount", Value: s.account}, {Name: "sts:RoleSessionName", Value: in.SessionName}}
	n := 2
	if in.SourceARN != "" {
		keys[n] = policy.Key{Name: "aws:SourceArn", Value: in.SourceARN}
		n++
	}
	server := identity.Principal{Type: identity.Service, Account: s.account, ARN: serverName}
	return policy.Authorize(policy.Policies{Resource: h.trust}, &policy.Request{
		Principal: &server, Action: assumeRole, Resource: in.RoleARN,
		Context: policy.Context{Time: s.now(), SecureTransport: true, Keys: keys[:n]},
	})
}
