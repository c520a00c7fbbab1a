package external

import (
	"context"
	"errors"
	"strings"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/arn"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// Authorizer decides what a role may do; iam.Service does.
type Authorizer interface {
	Authorize(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error)
}

// Tasks knows which objects of a bucket a worker's task names. It may leave some
// out, and return none where it cannot tell.
type Tasks interface {
	Objects(ctx context.Context, g *identity.Grant, bucket string) []string
}

// Sign implements access.Elsewhere: it makes a direct URL, or false where media
// are to pass through this server.
func (s *Service) Sign(ctx context.Context, t *access.Ticket) (access.Signed, bool, error) {
	store, err := s.store(t.Bucket)
	if store == nil || err != nil || store.setting.Via != Direct {
		return access.Signed{}, false, err
	}
	u, why, err := s.signDirect(ctx, store, t)
	if err != nil {
		return access.Signed{}, false, err
	}
	if u.URL != "" {
		return u, true, nil
	}
	if store.setting.Unbound == Refuse {
		return access.Signed{}, false, fault.Newf("external.Sign", fault.Denied, "Media of bucket %s are not shown: %s.", t.Bucket, why)
	}
	s.o.Log.Debug("media pass through this server", "bucket", t.Bucket, "grant", t.Grant.ID, "why", why)
	return access.Signed{}, false, nil
}

// signDirect makes a direct URL, or none and says why.
func (s *Service) signDirect(ctx context.Context, store *Store, t *access.Ticket) (u access.Signed, why string, err error) {
	b := store.setting
	bound, ok := b.bind(&t.Request)
	switch {
	case !ok:
		return u, "its store cannot bind to where the worker is", nil
	case t.Grant.Browser != "":
		return u, "its store cannot ask for the worker's browser", nil
	case !b.expressible(t.Key):
		return u, "the key has a character that is a wildcard to the store's policies", nil
	}
	if ok, why := store.state.trusts(bound.json != ""); !ok {
		return u, why, nil
	}
	// The store decides by the rights of one role for everybody. Whether this
	// job's role may is decided here. If it may not, the URL leads here, where
	// it is refused, and explained, like any other.
	allowed, err := s.allowed(ctx, t)
	if err != nil {
		return u, "", err
	}
	if !allowed {
		return u, "the execution role may not read the object", nil
	}
	ends := t.Begun.Add(b.Expires)
	if t.Expires.Before(ends) {
		ends = t.Expires
	}
	o := order{
		id: sessionID(t, bound), name: t.Caller.SessionName, roleARN: t.RoleARN, key: t.Key, bound: bound, life: b.Session,
		others: func(ctx context.Context) []string { return s.o.Tasks.Objects(ctx, &t.Grant, t.Bucket) },
	}
	if s.o.Tasks == nil {
		o.others = nil
	}
	p, err := store.session(ctx, o, ends)
	if errors.Is(err, errTooLong) {
		return u, errTooLong.Error(), nil
	}
	if err != nil {
		s.o.Log.Warn("the store's STS gave no session", "bucket", t.Bucket, "error", err)
		return u, "the store's STS gave no session", nil
	}
	if p.ends.Before(ends) {
		ends = p.ends
	}
	life := ends.Sub(t.Begun).Truncate(time.Second)
	if life < time.Second {
		return u, "the store's STS gave a session that has ended", nil
	}
	return access.Signed{
		URL:     store.signer.Presign("GET", store.prefix+"/"+t.Key, p.cred, t.Begun, life),
		Expires: t.Begun.Add(life), AccessKeyID: p.cred.AccessKeyID, Bound: bound.words,
		Note: "opens at " + store.origin + ", which keeps the object; it cannot be called back before it expires",
	}, "", nil
}

// sessionID tells sessions apart: by worker, origin and assignment, and by the
// role that was asked whether it may.
func sessionID(t *access.Ticket, bound condition) string {
	return strings.Join([]string{t.Grant.Worker, t.Grant.Assignment, t.Grant.SignIn, t.RoleARN, bound.json}, "\x00")
}

// allowed asks the execution role's policies, and the grant's session policy,
// about the request that the browser is going to make.
func (s *Service) allowed(ctx context.Context, t *access.Ticket) (bool, error) {
	at := t.Reach()
	c := policy.Context{
		Time: t.Begun, SourceVPC: at.VPC, SourceVPCE: at.VPCE, SecureTransport: at.Secure,
		Keys: []policy.Key{
			{Name: "s3:ResourceAccount", Value: s.o.Account}, {Name: "s3:authType", Value: "REST-QUERY-STRING"},
			{Name: "s3:signatureversion", Value: "AWS4-HMAC-SHA256"}, {Name: "s3:signatureAge", Value: "0"},
		},
	}
	if at.VPCE != "" || at.VPC != "" {
		c.VPCSourceIP = at.Addr
	} else {
		c.SourceIP = at.Addr
	}
	d, err := s.o.IAM.Authorize(ctx, t.Caller, iam.Question{
		Action: "s3:GetObject", Resource: arn.S3Object(t.Bucket, t.Key), Context: c, ResourceAccount: s.o.Account,
	})
	return d.Allowed(), err
}
