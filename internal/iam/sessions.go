package iam

import (
	"context"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/policy"
)

// ServiceSessions are sessions of one role for one purpose of this server, such as
// the media of one task. They begin and end together and are signed for with one
// key; each has a token of its own, in which its policy and the id of its grant
// are sealed. The key is in this server's memory and inside the sealed tokens, and
// a signature covers the token, so that a URL made with one of the tokens is good
// for what that one permits and nothing else.
//
// They are for one goroutine at a time.
type ServiceSessions struct {
	Credentials        // of all of them; the token is each one's own
	ARN         string // of the role's session

	// Token appends the token of a session to b. The policy is not read; see
	// ServiceSession.
	Token func(b []byte, grantID, policy string) ([]byte, error)

	account string
	claims  claims
}

// ServiceSessions gives this server sessions of a role, if the role's trust policy
// lets sagemaker.amazonaws.com in. Policy and Grant.ID of in are left for Token.
func (s *Service) ServiceSessions(ctx context.Context, in ServiceSession) (*ServiceSessions, error) {
	const op = "iam.AssumeRoleForService"
	if in.Duration == 0 {
		in.Duration = defaultSession
	}
	if in.Duration < time.Second || !serverSessionName(in.SessionName) {
		return nil, fault.Newf(op, fault.Internal, "a session of the server needs a name and a life of at least a second")
	}
	h, err := s.trusted(ctx, in.RoleARN)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Newf(op, fault.NotFound, "The role %s does not exist.", in.RoleARN)
	}
	if err != nil {
		return nil, err
	}
	if d := s.askTrust(h, &in); !d.Allowed() {
		return nil, fault.Coded(op, fault.Denied, "AccessDenied",
			"The role "+in.RoleARN+" does not let "+serverName+" assume it: its trust policy must allow sts:AssumeRole to that service.")
	}
	out := &ServiceSessions{ARN: sessionARN(s.account, h.role.Name, in.SessionName), account: s.account}
	c := &out.claims
	*c = *s.claimsOf(h.role, in.SessionName, min(in.Duration, h.role.MaxSession))
	if err := s.fill(c); err != nil {
		return nil, err
	}
	c.grant = in.Grant
	out.Credentials = c.credentials()
	scratch := make([]byte, 0, 1024)
	out.Token = func(b []byte, grantID, document string) ([]byte, error) {
		if len(document) > 4*policy.MaxSession {
			return nil, fault.Newf(op, fault.Internal, "a session of the server has a policy of at most %d characters", policy.MaxSession)
		}
		c.grant.ID, c.policy = grantID, document
		scratch = c.append(scratch[:0])
		return s.keys.AppendSeal(b, scratch, s.purpose)
	}
	return out, nil
}

// Caller is the one whom a token of the sessions stands for.
func (s *ServiceSessions) Caller(grantID, policy string) *Caller {
	c := s.claims
	c.grant.ID, c.policy = grantID, policy
	return c.callerAs(s.account, s.AccessKeyID, s.SecretAccessKey)
}
