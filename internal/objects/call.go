package objects

import (
	"context"
	"strconv"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
)

// Call is who asks, from where and how: what policies and records need to know
// about a request besides the operation's own input.
type Call struct {
	Caller *iam.Caller
	Origin origin.Origin

	Time         time.Time // when it came; the time of the clock if zero
	RequestID    string
	Method       string
	Referer      string
	UserAgent    string
	AuthType     string        // REST-HEADER, REST-QUERY-STRING; "" for none
	SignatureAge time.Duration // since it was signed; negative for unknown

	// Browser is the digest of the browser secret that came with the request
	// (lower-case hexadecimal SHA-256), which a media grant may demand; "" for none.
	Browser string

	SignatureVersion string       // "" for AWS4-HMAC-SHA256
	Keys             []policy.Key // further condition keys, such as s3:x-amz-acl

	// Set while the call is carried out, for the access log.
	Operation *Operation
	Bucket    *Bucket

	event audit.Event // the call's record, here to spare an allocation
	keys  [8]policy.Key
}

// Local makes the call of a part of this server that works with a role's
// session: there is no connection, so no address (conditions on one do not
// hold), and nothing that could be listened to.
func Local(c *iam.Caller) *Call {
	return &Call{Caller: c, Origin: origin.Origin{Secure: true}, SignatureAge: -1, UserAgent: "fiducial"}
}

// context makes what policy conditions see.
func (s *Service) context(call *Call, extra ...policy.Key) policy.Context {
	c := policy.Context{
		Time:            call.Time,
		SourceVPC:       call.Origin.VPC,
		SourceVPCE:      call.Origin.VPCE,
		SecureTransport: call.Origin.Secure,
		Referer:         call.Referer,
		UserAgent:       call.UserAgent,
	}
	// Through a VPC endpoint the address is one of the VPC, which may collide
	// with a public one: the two have keys of their own and never both.
	if call.Origin.VPCE != "" || call.Origin.VPC != "" {
		c.VPCSourceIP = call.Origin.Addr
	} else {
		c.SourceIP = call.Origin.Addr
	}
	keys := append(call.keys[:0], policy.Key{Name: "s3:ResourceAccount", Value: s.account})
	if call.AuthType != "" {
		version := call.SignatureVersion
		if version == "" {
			version = "AWS4-HMAC-SHA256"
		}
		keys = append(keys, policy.Key{Name: "s3:authType", Value: call.AuthType}, policy.Key{Name: "s3:signatureversion", Value: version})
		if call.SignatureAge >= 0 {
			keys = append(keys, policy.Key{Name: "s3:signatureAge", Value: strconv.FormatInt(call.SignatureAge.Milliseconds(), 10)})
		}
	}
	keys = append(keys, extra...)
	c.Keys = append(keys, call.Keys...)
	return c
}

// begin authorizes an operation on a bucket or key and returns the bucket. The
// decision is put on record when it is a refusal, or when now is set; an
// operation that sends bytes records later, when it knows how many.
func (s *Service) begin(ctx context.Context, call *Call, op int, bucket, key string, now bool, keys ...policy.Key) (*Bucket, error) {
	b, err := s.decide(ctx, call, op, bucket, key, keys...)
	if err != nil {
		return nil, s.refuse(ctx, call, err)
	}
	if now {
		if err := s.record(ctx, call); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// decide is begin without the record; it fills call.event.
func (s *Service) decide(ctx context.Context, call *Call, op int, bucket, key string, keys ...policy.Key) (*Bucket, error) {
	o := &table[op]
	call.Operation, call.Bucket = o, nil
	resource := o.resource(bucket, key)
	s.describe(call, o.Action, resource)
	p := &call.Caller.Principal
	if p.IsGrant() {
		if !o.Media {
			return nil, denied(call, "a session made for a media URL may only get an object")
		}
		if s.revocations != nil {
			if err := s.ended(p, bucket, key); err != nil {
				return nil, revoked(call, err)
			}
		}
		if !p.Grant.OpensIn(call.Browser) {
			call.event.Statement = "browser binding"
			return nil, denied(call, "the request does not come from the browser that the media URL was made for")
		}
	}
	var b *Bucket
	var doc *policy.Document
	if o.Target != OnAccount && op != OpCreateBucket {
		var err error
		if b, err = s.bucket(ctx, bucket); err != nil {
			call.event.Reason = "there is no such bucket"
			return nil, err
		}
		call.Bucket = b
		if doc, err = s.policyOf(b); err != nil {
			return nil, err
		}
	}
	d, err := s.iam.Authorize(ctx, call.Caller, s.question(call, o.Action, resource, doc, keys...))
	if err != nil {
		return nil, err
	}
	call.event.Statement, call.event.Reason = d.By.String(), d.Reason
	if d.Effect != policy.Allow {
		return nil, accessDenied()
	}
	if err := s.checkAbroad(op, bucket); err != nil {
		return nil, err
	}
	call.event.Verdict = audit.Allow
	return b, nil
}

// allowed asks a further question within a call without a record of its own.
func (s *Service) allowed(ctx context.Context, call *Call, action, resource string, b *Bucket, keys ...policy.Key) (policy.Decision, error) {
	doc, err := s.policyOf(b)
	if err != nil {
		return policy.Decision{}, err
	}
	return s.iam.Authorize(ctx, call.Caller, s.question(call, action, resource, doc, keys...))
}

func (s *Service) question(call *Call, action, resource string, doc *policy.Document, keys ...policy.Key) iam.Question {
	return iam.Question{
		Action: action, Resource: resource, Context: s.context(call, keys...),
		ResourcePolicy: doc, ResourceAccount: s.account,
	}
}

// describe begins the call's record; until something allows, it is a refusal.
func (s *Service) describe(call *Call, action, resource string) {
	if call.Time.IsZero() {
		call.Time = s.now()
	}
	p := &call.Caller.Principal
	call.event = audit.Event{
		Time: call.Time, Kind: audit.Access, RequestID: call.RequestID, Action: action, Verdict: audit.Deny,
		Principal: p.ARN, AccessKeyID: p.AccessKeyID,
		Worker: p.Grant.Worker, Job: p.Grant.Job, Team: p.Grant.Team, Assignment: p.Grant.Assignment,
		GrantID: p.Grant.ID, SignInID: p.Grant.SignIn,
		Resource: resource, Origin: call.Origin.String(), Method: call.Method, Agent: call.UserAgent,
	}
}

// refuse records a call that is not carried out and returns its error.
func (s *Service) refuse(ctx context.Context, call *Call, err error) error {
	call.event.Error = fault.CodeOf(err)
	if call.event.Error == "" {
		call.event.Error = fault.KindOf(err).String()
	}
	call.event.Status = 403
	if fault.Is(err, fault.NotFound) {
		call.event.Status = 404
	}
	// What cannot be recorded is refused all the same.
	_ = s.audit.Record(ctx, &call.event)
	return err
}

// record writes the call's record. An error means that the call must not go on.
func (s *Service) record(ctx context.Context, call *Call) error {
	return s.audit.Record(ctx, &call.event)
}

func accessDenied() error {
	return fault.Coded("objects", fault.Denied, "AccessDenied", "Access Denied")
}

func denied(call *Call, reason string) error {
	call.event.Reason = reason
	return accessDenied()
}

// revoked hides from the caller why a media URL has ended; the record tells.
func revoked(call *Call, err error) error {
	call.event.Reason, call.event.Statement = fault.MessageOf(err), "revocation"
	return accessDenied()
}
