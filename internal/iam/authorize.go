package iam

import (
	"context"
	"slices"

	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// Question is a request to be decided.
type Question struct {
	Action          string // service:Operation
	Resource        string // ARN, or "*" where the operation has none
	Context         policy.Context
	ResourcePolicy  *policy.Document // nil where the resource has none
	ResourceAccount string           // empty means the caller's own
	// PastSession leaves the session policy out: a service that has decided under
	// it asks what follows, such as the opening of an object's key.
	PastSession bool
}

// holder is a user or role with its compiled documents.
type holder struct {
	id         string
	documents  []*policy.Document
	trust      *policy.Document // roles only
	role       *Role            // roles only
	arn        string           // roles only
	server     *policy.Decision // roles only: whether the trust lets this server in, if no request matters to it
	tags       []policy.Key     // aws:PrincipalTag/…
	unreadable error
}

// Authorize decides a question by the documents in force. The error is for
// trouble (the database does not answer); a refusal is a Decision.
func (s *Service) Authorize(ctx context.Context, c *Caller, q Question) (policy.Decision, error) {
	p, req, gone, err := s.prepare(ctx, c, &q)
	if err != nil || gone != "" {
		return policy.Decision{By: policy.Decider{Gate: policy.IdentityGate}, Reason: gone}, err
	}
	return policy.Authorize(p, &req), nil
}

// Explain decides like Authorize and tells what every statement said.
func (s *Service) Explain(ctx context.Context, c *Caller, q Question) (policy.Explanation, error) {
	p, req, gone, err := s.prepare(ctx, c, &q)
	if err != nil || gone != "" {
		return policy.Explanation{Decision: policy.Decision{By: policy.Decider{Gate: policy.IdentityGate}, Reason: gone}}, err
	}
	return policy.Explain(p, &req), nil
}

// prepare gathers the documents. gone says that the caller's user or role is no
// longer there: then nothing is asked, not even the resource's policy.
func (s *Service) prepare(ctx context.Context, c *Caller, q *Question) (p policy.Policies, req policy.Request, gone string, err error) {
	p = policy.Policies{Resource: q.ResourcePolicy, ResourceAccount: q.ResourceAccount}
	req = policy.Request{Principal: &c.Principal, Action: q.Action, Resource: q.Resource, Context: q.Context}
	var h *holder
	switch c.Type {
	case identity.User:
		h, err = fresh(ctx, s, s.users, c.name, s.loadUser)
	case identity.AssumedRole:
		h, err = fresh(ctx, s, s.roles, c.name, s.loadRole)
	default:
		return p, req, "", nil
	}
	if fault.Is(err, fault.NotFound) || err == nil && h.id != c.id {
		return p, req, "the user or role of these credentials no longer exists", nil
	}
	if err == nil {
		err = h.unreadable
	}
	if err != nil {
		return p, req, "", err
	}
	p.Identity = h.documents
	if c.session != nil && !q.PastSession {
		p.HasSession, p.Session = true, c.session.document()
	}
	if len(h.tags) > 0 {
		// First, so that no key of a request can stand for a principal's tag.
		req.Context.Keys = slices.Concat(h.tags, q.Context.Keys)
	}
	return p, req, "", nil
}

func (s *Service) loadUser(ctx context.Context, name string) (*holder, error) {
	u, err := s.store.User(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.hold(ctx, Owner{OfUser, name}, &holder{id: u.ID, tags: tagKeys(u.Tags)})
}

func (s *Service) loadRole(ctx context.Context, name string) (*holder, error) {
	r, err := s.store.Role(ctx, name)
	if err != nil {
		return nil, err
	}
	h := &holder{id: r.ID, role: r, arn: r.ARN(s.account), tags: tagKeys(r.Tags)}
	trust, err := policy.Parse([]byte(r.TrustPolicy), policy.Trust)
	if err != nil {
		return nil, fault.E("iam.loadRole", fault.Internal, "", err) // it was checked when it was stored
	}
	h.trust = trust.WithName(name)
	if len(h.trust.ContextKeys()) == 0 { // nothing of a request counts: the server is let in always or never
		d := s.askTrust(h, &ServiceSession{RoleARN: h.arn})
		h.server = &d
	}
	return s.hold(ctx, Owner{OfRole, name}, h)
}

func (s *Service) hold(ctx context.Context, o Owner, h *holder) (*holder, error) {
	inline, err := s.store.Policies(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, p := range inline {
		d, err := policy.Parse([]byte(p.Document), policy.Identity)
		if err != nil {
			// It may hold a Deny, so going on without it could allow too much.
			h.unreadable = fault.E("iam.hold", fault.Internal, "", err)
			continue
		}
		h.documents = append(h.documents, d.WithName(o.Name+"/"+p.Name))
	}
	return h, nil
}

func tagKeys(tags []Tag) []policy.Key {
	var out []policy.Key
	for _, t := range tags {
		out = append(out, policy.Key{Name: "aws:PrincipalTag/" + t.Key, Value: t.Value})
	}
	return out
}
