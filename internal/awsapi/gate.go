package awsapi

import (
	"context"
	"fmt"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
	"fiducial/internal/sigv4"
)

// IAM is what the pipeline asks of iam.Service.
type IAM interface {
	Authenticate(ctx context.Context, accessKeyID, sessionToken string) (*iam.Caller, error)
	SigningKey(c *iam.Caller, date, region, service string) sigv4.SigningKey
	Authorize(ctx context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error)
}

// gate decides and records.
type gate struct {
	iam   IAM
	audit audit.Recorder
}

// Authorize decides a further action of the call beyond its operation's own,
// such as iam:PassRole, and records the decision.
func (c *Call) Authorize(ctx context.Context, action, resource string, keys ...policy.Key) error {
	return c.gate.authorize(ctx, c, action, action, resource, keys)
}

// Settle records a decision about a further action that was made elsewhere (see
// Operation.Decide), and refuses the call unless it allows.
func (c *Call) Settle(ctx context.Context, action, resource string, d policy.Decision) error {
	return c.gate.settle(ctx, c, action, action, resource, d)
}

// authorize answers nil only after an Allow is on record.
func (g *gate) authorize(ctx context.Context, c *Call, name, action, resource string, keys []policy.Key) error {
	d, err := g.iam.Authorize(ctx, c.Caller, iam.Question{Action: action, Resource: resource, Context: c.Conditions(keys...)})
	if err != nil {
		return err
	}
	return g.settle(ctx, c, name, action, resource, d)
}

// settle records a decision and answers nil only after an Allow is on record.
func (g *gate) settle(ctx context.Context, c *Call, name, action, resource string, d policy.Decision) error {
	e := c.event(name, resource)
	e.Verdict, e.Statement, e.Reason = audit.Allow, d.By.String(), d.Reason
	if d.Allowed() {
		return g.audit.Record(ctx, e)
	}
	err := refusal(c, d, action, resource)
	e.Verdict, e.Error = audit.Deny, "AccessDenied"
	if bad := g.audit.Record(ctx, e); bad != nil {
		return bad
	}
	return err
}

// refusal is AWS's sentence for a denied action. It names the caller, the
// action and the resource, which the caller knows, and whether a statement
// forbade it or none allowed it, which tells where to repair.
func refusal(c *Call, d policy.Decision, action, resource string) error {
	kind := gateWords[d.By.Gate]
	why := fmt.Sprintf("because no %s allows the %s action", kind, action)
	if d.Effect == policy.Deny {
		why = "with an explicit deny in " + article(kind)
	}
	return fault.Newf("awsapi.authorize", fault.Denied, "User: %s is not authorized to perform: %s on resource: %s %s",
		c.Caller.ARN, action, resource, why)
}

// gateWords is what AWS calls the documents of each gate.
var gateWords = map[policy.Gate]string{
	policy.NoGate:       "identity-based policy",
	policy.IdentityGate: "identity-based policy",
	policy.SessionGate:  "session policy",
	policy.ResourceGate: "resource-based policy",
}

func article(s string) string {
	if s[0] == 'i' {
		return "an " + s
	}
	return "a " + s
}

// Conditions is the request's context for policies, with further keys.
func (c *Call) Conditions(keys ...policy.Key) policy.Context {
	out := policy.Context{
		Time:            c.Time,
		SecureTransport: c.Origin.Secure,
		UserAgent:       c.Agent,
		Keys:            keys,
	}
	// aws:SourceIp and aws:VpcSourceIp exclude each other: the first is absent
	// from a request that comes through a VPC endpoint.
	if c.Origin.VPCE != "" {
		out.VPCSourceIP, out.SourceVPC, out.SourceVPCE = c.Origin.Addr, c.Origin.VPC, c.Origin.VPCE
	} else {
		out.SourceIP = c.Origin.Addr
	}
	return out
}

// event is a record with everything that does not depend on the decision.
func (c *Call) event(name, resource string) *audit.Event {
	e := &audit.Event{
		Time: c.Time, Kind: audit.API, RequestID: c.RequestID, Action: name, Resource: resource,
		Origin: c.Origin.String(), Agent: c.Agent,
	}
	if c.Caller != nil {
		e.Principal, e.AccessKeyID = c.Caller.ARN, c.Caller.AccessKeyID
	}
	return e
}

// refused records a request that ended before its operation was authorized.
func (g *gate) refused(ctx context.Context, c *Call, name, code, reason string) error {
	e := c.event(name, "")
	e.Verdict, e.Error, e.Reason = audit.Deny, code, reason
	return g.audit.Record(ctx, e)
}

// outcome records what an operation decided that authorizes itself.
func (g *gate) outcome(ctx context.Context, c *Call, name, resource, code string, err error) error {
	e := c.event(name, resource)
	e.Verdict = audit.Allow
	if err != nil {
		e.Verdict, e.Error, e.Reason = audit.Deny, code, fault.MessageOf(err)
	}
	return g.audit.Record(ctx, e)
}
