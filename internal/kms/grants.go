package kms

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/policy"
)

// GrantOperations are what a grant on a symmetric key may allow.
var GrantOperations = []string{"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
	"CreateGrant", "RetireGrant", "DescribeKey"}

// compiledGrant is a grant as the engine reads it.
type compiledGrant struct {
	Grant
	doc *policy.Document
}

// compile writes a grant as a key policy. The version is the one
// without variables, and StringEquals has no wildcards, so the texts of a grant's
// constraints are what they are.
func compile(g *Grant) (*policy.Document, error) {
	// Constraints are about the encryption context, which the other operations
	// have none of.
	bound := statement{SID: g.ID, Effect: "Allow", Principal: map[string]string{"AWS": g.Grantee}, Resource: "*"}
	free := bound
	free.SID = "about" + g.ID
	for _, o := range g.Operations {
		if action := "kms:" + o; cryptographic[action] {
			bound.Action = append(bound.Action, action)
		} else {
			free.Action = append(free.Action, action)
		}
	}
	equals := map[string]string{}
	for k, v := range g.Subset {
		equals["kms:EncryptionContext:"+k] = v
	}
	for k, v := range g.Equals {
		equals["kms:EncryptionContext:"+k] = v
	}
	condition := map[string]any{}
	if len(equals) > 0 {
		condition["StringEquals"] = equals
	}
	switch {
	case g.Equals != nil && len(g.Equals) == 0:
		condition["Null"] = map[string]string{"kms:EncryptionContextKeys": "true"}
	case g.Equals != nil:
		condition["ForAllValues:StringEquals"] = map[string][]string{"kms:EncryptionContextKeys": slices.Sorted(maps.Keys(g.Equals))}
	}
	if len(condition) > 0 {
		bound.Condition = condition
	}
	var list []statement
	for _, st := range []statement{bound, free} {
		if len(st.Action) > 0 {
			list = append(list, st)
		}
	}
	d, err := policy.Parse([]byte(plainDocument(list...)), policy.KeyPolicy)
	if err != nil {
		return nil, err
	}
	return d.WithName("grant/" + g.ID), nil
}

// grantsTo returns the grants that name a principal.
func (s *Service) grantsTo(ctx context.Context, b *book, key, grantee string) ([]compiledGrant, error) {
	at := grantsOf{key, grantee}
	if v, ok := b.grants.Load(at); ok {
		return v.([]compiledGrant), nil
	}
	rows, err := s.o.Store.Grants(ctx, GrantFilter{KeyID: key, Grantee: grantee}, "", maxGrants)
	if err != nil {
		return nil, err
	}
	out := make([]compiledGrant, 0, len(rows))
	for i := range rows {
		d, err := compile(&rows[i])
		if err != nil {
			return nil, fault.E("kms.grantsTo", fault.Internal, "", err) // it was compiled when it was made
		}
		out = append(out, compiledGrant{rows[i], d})
	}
	b.grants.Store(at, out)
	return out, nil
}

// CreateGrant makes a grant on a key. by is the grant under which the caller was
// allowed to, nil if a policy allowed it: then the new one may allow no more.
func (s *Service) CreateGrant(ctx context.Context, t *Target, g Grant, by *Grant) (*Grant, error) {
	if err := t.usable(s.o.Now()); err != nil {
		return nil, err
	}
	if err := checkGrant(&g, by); err != nil {
		return nil, err
	}
	var err error
	if g.ID, g.Token, err = s.newGrantID(); err != nil {
		return nil, err
	}
	g.KeyID, g.CreatedAt = t.key.ID, s.o.Now()
	if _, err := compile(&g); err != nil {
		return nil, invalid("ValidationException", "GranteePrincipal: %s", fault.MessageOf(err))
	}
	if g.Name != "" { // the same grant asked for again is the one that is there
		same, err := s.sameGrant(ctx, &g)
		if same != nil || err != nil {
			return same, err
		}
	}
	err = s.o.Store.CreateGrant(ctx, &g, maxGrants)
	s.changed()
	if fault.Is(err, fault.Limit) {
		return nil, fault.Coded("kms.CreateGrant", fault.Limit, "LimitExceededException", fmt.Sprintf("A key has at most %d grants.", maxGrants))
	}
	return &g, err
}

func (s *Service) sameGrant(ctx context.Context, g *Grant) (*Grant, error) {
	rows, err := s.o.Store.Grants(ctx, GrantFilter{KeyID: g.KeyID, Grantee: g.Grantee}, "", maxGrants)
	for i := range rows {
		if o := &rows[i]; o.Name == g.Name && o.Retiring == g.Retiring && slices.Equal(o.Operations, g.Operations) &&
			maps.Equal(o.Equals, g.Equals) && maps.Equal(o.Subset, g.Subset) {
			return o, nil
		}
	}
	return nil, err
}

func checkGrant(g, by *Grant) error {
	if len(g.Operations) == 0 {
		return invalid("ValidationException", "Operations: expected at least one of %v", GrantOperations)
	}
	for _, o := range g.Operations {
		if !slices.Contains(GrantOperations, o) {
			return invalid("ValidationException", "Operations: %q: expected some of %v", printable(o), GrantOperations)
		}
	}
	if !strings.HasPrefix(g.Grantee, "arn:") {
		return invalid("InvalidArnException", "GranteePrincipal: %q: expected the ARN of a user, a role, a role session or an account's root", printable(g.Grantee))
	}
	if g.Equals != nil && g.Subset != nil {
		return invalid("ValidationException", "Constraints: either EncryptionContextEquals or EncryptionContextSubset, not both")
	}
	for _, ec := range []map[string]string{g.Equals, g.Subset} {
		if err := CheckContext(ec); err != nil {
			return err
		}
		for k := range ec {
			if len(k) > 384 { // the condition key must stay within a policy's limit
				return invalid("ValidationException", "Constraints: a key has more than 384 bytes")
			}
		}
	}
	if by == nil {
		return nil
	}
	for _, o := range g.Operations {
		if !slices.Contains(by.Operations, o) {
			return invalid("ValidationException", "Operations: %s: the grant that allows this call does not allow it", o)
		}
	}
	if !narrower(g, by) {
		return invalid("ValidationException", "Constraints: expected those of the grant that allows this call, or narrower ones")
	}
	return nil
}

// narrower reports whether every context that g accepts is one that by accepts.
func narrower(g, by *Grant) bool {
	if by.Equals != nil {
		return g.Equals != nil && maps.Equal(g.Equals, by.Equals)
	}
	has := g.Equals
	if has == nil {
		has = g.Subset
	}
	for k, v := range by.Subset {
		if got, ok := has[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// Grants lists grants by id.
func (s *Service) Grants(ctx context.Context, f GrantFilter, after string, limit int) ([]Grant, error) {
	return s.o.Store.Grants(ctx, f, after, limit)
}

// FindGrant returns the grant of an id or a token.
func (s *Service) FindGrant(ctx context.Context, f GrantFilter) (*Grant, error) {
	rows, err := s.o.Store.Grants(ctx, f, "", 1)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, noGrant(f)
	}
	return &rows[0], nil
}

func noGrant(f GrantFilter) error {
	if f.Token != "" {
		return invalid("InvalidGrantTokenException", "GrantToken: there is no grant of that token")
	}
	return notFound("Grant ID %s not found", printable(f.ID))
}

// DeleteGrant ends a grant, which RevokeGrant and RetireGrant both do.
func (s *Service) DeleteGrant(ctx context.Context, keyID, id string) error {
	err := s.o.Store.DeleteGrant(ctx, keyID, id)
	s.changed()
	if fault.Is(err, fault.NotFound) {
		return noGrant(GrantFilter{ID: id})
	}
	return err
}
