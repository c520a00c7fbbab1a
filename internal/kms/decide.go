package kms

import (
	"context"
	"slices"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/policy"
)

// Ask is who wants to do what with a key, and what policies see of it.
type Ask struct {
	Caller            *iam.Caller
	Action            string // kms:Decrypt
	EncryptionContext map[string]string
	Via               string         // a service that asks on the caller's behalf: "s3"; empty for none
	Context           policy.Context // of the request; Keys are the operation's own
}

// Decision says whether, and under which grant if under one.
type Decision struct {
	policy.Decision
	Grant *Grant
}

// cryptographic operations have kms:EncryptionAlgorithm.
var cryptographic = map[string]bool{"kms:Encrypt": true, "kms:Decrypt": true, "kms:ReEncryptFrom": true, "kms:ReEncryptTo": true,
	"kms:GenerateDataKey": true, "kms:GenerateDataKeyWithoutPlaintext": true}

// question makes the engine's question of an Ask about a key.
func (s *Service) question(t *Target, a *Ask) iam.Question {
	keys := make([]policy.Key, 0, len(t.key.facts)+len(a.Context.Keys)+len(a.EncryptionContext)+5)
	keys = append(keys, t.key.facts...)
	if a.Caller.Account != "" {
		keys = append(keys, policy.Key{Name: "kms:CallerAccount", Value: a.Caller.Account})
	}
	q := iam.Question{Action: a.Action, Resource: t.ARN, ResourcePolicy: t.key.policy, Context: a.Context}
	if a.Via != "" {
		// What a service asks for a caller comes from the service: the caller's
		// address is not in it, as AWS has it.
		q.Context = policy.Context{Time: s.o.Now(), SecureTransport: true, ViaAWSService: true}
		keys = append(keys, policy.Key{Name: "kms:ViaService", Value: s.services[a.Via]})
		// A media URL's session policy names one object. The service has decided
		// under it that this object may be read; opening the object's key follows
		// from that, and is left to the role's policies and the key's.
		q.PastSession = a.Via == "s3" && a.Action == "kms:Decrypt" && a.Caller.IsGrant()
	}
	if t.Alias != "" {
		keys = append(keys, policy.Key{Name: "kms:RequestAlias", Value: t.Alias})
	}
	if cryptographic[a.Action] {
		keys = append(keys, policy.Key{Name: "kms:EncryptionAlgorithm", Value: "SYMMETRIC_DEFAULT"})
	}
	keys = appendContext(keys, a.EncryptionContext)
	q.Context.Keys = append(keys, a.Context.Keys...)
	return q
}

func appendContext(keys []policy.Key, ec map[string]string) []policy.Key {
	if len(ec) == 0 {
		return keys
	}
	names := make([]string, 0, len(ec))
	for k, v := range ec {
		names = append(names, k)
		keys = append(keys, policy.Key{Name: "kms:EncryptionContext:" + k, Value: v})
	}
	return append(keys, policy.Key{Name: "kms:EncryptionContextKeys", Values: names})
}

// Decide answers whether the caller may. It changes nothing and does not look at
// the key's state: who may not use a key need not know its state.
func (s *Service) Decide(ctx context.Context, t *Target, a Ask) (Decision, error) {
	if a.Caller.Type == identity.Anonymous {
		return Decision{Decision: policy.Decision{By: policy.Decider{Gate: policy.IdentityGate}, Reason: "keys are not for anonymous requests"}}, nil
	}
	q := s.question(t, &a)
	d, err := s.o.IAM.Authorize(ctx, a.Caller, q)
	if err != nil || d.Effect != policy.NoMatch {
		return Decision{Decision: d}, err
	}
	// No statement allows and none denies: a grant may. Which grant a caller may
	// retire is another question (DecideRetire).
	if a.Action == "kms:RetireGrant" {
		return Decision{Decision: d}, nil
	}
	b, err := s.current(ctx)
	if err != nil {
		return Decision{}, err
	}
	for _, grantee := range [...]string{a.Caller.ARN, a.Caller.RoleARN} {
		if grantee == "" {
			continue
		}
		grants, err := s.grantsTo(ctx, b, t.key.ID, grantee)
		if err != nil {
			return Decision{}, err
		}
		for i := range grants {
			q.ResourcePolicy = grants[i].doc
			g, err := s.o.IAM.Authorize(ctx, a.Caller, q)
			if err != nil {
				return Decision{}, err
			}
			if g.Allowed() {
				return Decision{g, &grants[i].Grant}, nil
			}
		}
	}
	return Decision{Decision: d}, nil
}

// DecideRetire answers whether the caller may retire a grant: by a policy, or
// because the grant names it.
func (s *Service) DecideRetire(ctx context.Context, t *Target, g *Grant, a Ask) (Decision, error) {
	d, err := s.Decide(ctx, t, a)
	if err != nil || d.Effect != policy.NoMatch {
		return d, err
	}
	for _, who := range [...]string{a.Caller.ARN, a.Caller.RoleARN} {
		if who == "" || who != g.Retiring && (who != g.Grantee || !slices.Contains(g.Operations, "RetireGrant")) {
			continue
		}
		doc, err := compile(&Grant{ID: g.ID, Grantee: who, Operations: []string{"RetireGrant"}})
		if err != nil {
			return d, fault.E("kms.DecideRetire", fault.Internal, "", err)
		}
		q := s.question(t, &a)
		q.ResourcePolicy = doc
		if by, err := s.o.IAM.Authorize(ctx, a.Caller, q); err != nil || by.Allowed() {
			return Decision{Decision: by, Grant: g}, err
		}
	}
	return d, nil
}

// check decides and answers the refusal, or the reason why the key is not usable.
func (s *Service) check(ctx context.Context, t *Target, a Ask) error {
	d, err := s.Decide(ctx, t, a)
	if err != nil {
		return err
	}
	if !d.Allowed() {
		return refusal(a.Caller, d.Decision, a.Action, t.ARN)
	}
	return t.usable(s.o.Now())
}

// Explanation is what every gate said about an Ask.
type Explanation struct {
	KeyARN string
	State  State
	policy.Explanation
	Grant *Grant
	// Usable is why the key cannot be used by anybody; nil if it can.
	Usable error
}

// Explain tells whether the caller may use the key that a name stands for, by
// which statement, and whether the key is in a state to be used. No side effect.
func (s *Service) Explain(ctx context.Context, name string, a Ask) (Explanation, error) {
	t, err := s.Find(ctx, name)
	if err != nil {
		return Explanation{}, err
	}
	d, err := s.Decide(ctx, t, a)
	if err != nil {
		return Explanation{}, err
	}
	e, err := s.o.IAM.Explain(ctx, a.Caller, s.question(t, &a))
	if err != nil {
		return Explanation{}, err
	}
	e.Decision = d.Decision
	return Explanation{KeyARN: t.ARN, State: t.key.State, Explanation: e, Grant: d.Grant, Usable: t.usable(s.o.Now())}, nil
}

// AuthorizeDecrypt decides whether the caller may have S3 decrypt under a key. No
// side effect.
func (s *Service) AuthorizeDecrypt(ctx context.Context, c *iam.Caller, keyID string, ec map[string]string) (policy.Decision, error) {
	t, err := s.Find(ctx, keyID)
	if err != nil {
		return policy.Decision{}, err
	}
	d, err := s.Decide(ctx, t, Ask{Caller: c, Action: "kms:Decrypt", EncryptionContext: ec, Via: "s3"})
	return d.Decision, err
}

// Hidden turns "no such key" into a refusal for those who may not ask about it.
func (s *Service) Hidden(ctx context.Context, missing error, arn string, a Ask) error {
	if !fault.Is(missing, fault.NotFound) {
		return missing
	}
	q := iam.Question{Action: a.Action, Resource: arn, Context: a.Context}
	if d, err := s.o.IAM.Authorize(ctx, a.Caller, q); err != nil || !d.Allowed() {
		if err != nil {
			return err
		}
		return refusal(a.Caller, d, a.Action, arn)
	}
	return missing
}
