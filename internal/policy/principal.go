package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fiducial/internal/identity"
)

// principals is a compiled Principal or NotPrincipal element.
type principals struct {
	everybody bool     // "*" or {"AWS": "*"}
	accounts  []string // by 12 digits or the account's root ARN
	arns      []string // users, roles and role sessions
	services  []string // sagemaker.amazonaws.com
	// Federated and CanonicalUser entries are accepted and name nobody here:
	// there are no such callers.
}

// nearness says how closely a resource policy names a caller. The order
// matters: a higher value is limited by less.
type nearness uint8

const (
	notNamed    nearness = iota
	byAccount            // delegates to the account
	byRole               // the role of a session: limited by the session policy
	byItself             // the user, the root user, the session, or a service
	byEverybody          // "*"
)

var (
	accountID   = regexp.MustCompile(`^[0-9]{12}$`)
	serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*\.amazonaws\.com(\.cn)?$`)
	// A principal's ARN names exactly one account, user, role or session:
	// wildcards may not stand in it.
	principalARN = regexp.MustCompile(`^arn:aws[a-z-]*:(iam::[0-9]{12}:(root|(user|role)/[\w+=,.@/-]+)|sts::[0-9]{12}:(assumed-role/[\w+=,.@-]+/[\w+=,.@-]+|federated-user/[\w+=,.@-]+))$`)
)

func parsePrincipals(n node) (principals, error) {
	if n.kind == nodeText {
		if n.text != "*" {
			return principals{}, fmt.Errorf(`expected "*" or an object such as {"AWS": …}, got %q`, n.text)
		}
		return principals{everybody: true}, nil
	}
	if n.kind != nodeObject || len(n.members) == 0 {
		return principals{}, fmt.Errorf(`expected "*" or a non-empty object such as {"AWS": …}, got %s`, nodeNames[n.kind])
	}
	var p principals
	for _, m := range n.members {
		values, err := m.value.texts()
		if err != nil {
			return p, fmt.Errorf("%s: %w", m.name, err)
		}
		for _, v := range values {
			if err := p.add(m.name, v); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func (p *principals) add(kind, v string) error {
	switch kind {
	case "AWS":
		switch {
		case v == "*":
			p.everybody = true
		case accountID.MatchString(v):
			p.accounts = append(p.accounts, v)
		case !principalARN.MatchString(v):
			return fmt.Errorf(`AWS: invalid principal %q: expected "*", a 12-digit account or the ARN of an account's root, a user, a role or a role session, without wildcards`, v)
		case strings.HasSuffix(v, ":root"):
			p.accounts = append(p.accounts, strings.Split(v, ":")[4])
		default:
			p.arns = append(p.arns, v)
		}
	case "Service":
		if !serviceName.MatchString(v) {
			return fmt.Errorf("service: invalid principal %q: expected a service name such as sagemaker.amazonaws.com", v)
		}
		p.services = append(p.services, v)
	case "Federated", "CanonicalUser":
		if v == "" {
			return fmt.Errorf("%s: the principal is empty", kind)
		}
	default:
		return fmt.Errorf("unknown kind of principal %q: expected AWS, Service, Federated or CanonicalUser", kind)
	}
	return nil
}

// named says how closely the element names the caller.
func (p *principals) named(c *identity.Principal) nearness {
	if p.everybody {
		return byEverybody
	}
	switch c.Type {
	case identity.Anonymous:
		return notNamed
	case identity.Service:
		if slices.Contains(p.services, c.ARN) {
			return byItself
		}
		return notNamed
	}
	account := slices.Contains(p.accounts, c.Account)
	switch {
	case slices.Contains(p.arns, c.ARN), account && c.Type == identity.Root:
		return byItself
	case c.RoleARN != "" && slices.Contains(p.arns, c.RoleARN):
		return byRole
	case account:
		return byAccount
	}
	return notNamed
}

// namesEveryLevel says whether NotPrincipal with Deny spares the caller: all
// of account, user or role, and session must be listed.
func (p *principals) namesEveryLevel(c *identity.Principal) bool {
	if p.everybody {
		return true
	}
	switch c.Type {
	case identity.Anonymous:
		return false
	case identity.Service:
		return slices.Contains(p.services, c.ARN)
	case identity.Root:
		return slices.Contains(p.accounts, c.Account)
	}
	return slices.Contains(p.accounts, c.Account) && slices.Contains(p.arns, c.ARN) &&
		(c.RoleARN == "" || slices.Contains(p.arns, c.RoleARN))
}

// nearness returns how the statement names the caller; documents without
// principals belong to the caller, so they name it by definition.
func (s *statement) nearness(c *identity.Principal) nearness {
	switch {
	case !s.hasPrincipal:
		return byItself
	case !s.notPrincipal:
		return s.principals.named(c)
	case s.allow && s.principals.named(c) == notNamed:
		// Everybody but the listed. A role session stays limited by its
		// session policy: nothing named it.
		if c.RoleARN != "" {
			return byRole
		}
		return byEverybody
	case !s.allow && !s.principals.namesEveryLevel(c):
		return byEverybody
	}
	return notNamed
}
