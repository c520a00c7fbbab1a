package kms

import (
	"fmt"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
)

func invalid(code, format string, args ...any) error {
	return fault.Coded("kms", fault.Invalid, code, fmt.Sprintf(format, args...))
}

func notFound(format string, args ...any) error {
	return fault.Coded("kms", fault.NotFound, "NotFoundException", fmt.Sprintf(format, args...))
}

func (s *Service) noKey(arn string) error { return notFound("Key '%s' does not exist", arn) }

// lost says of a deleted key that nothing brings back what it sealed.
func lost(arn string, at time.Time) error {
	return notFound("Key '%s' does not exist: it was deleted on %s, and what was encrypted under it can no longer be decrypted by anyone", arn, at.UTC().Format(time.DateOnly))
}

func (s *Service) noAlias(name string) error {
	return notFound("Alias %s is not found.", s.arn(name))
}

// usable refuses keys that are in no state to be used.
func (t *Target) usable(now time.Time) error {
	switch k := &t.key.Key; {
	case k.gone(now):
		return lost(t.ARN, k.DeletionAt)
	case k.State == Disabled:
		return invalid("DisabledException", "%s is disabled.", t.ARN)
	case k.State != Enabled:
		return invalid("KMSInvalidStateException", "%s is pending deletion.", t.ARN)
	}
	return nil
}

// refusal is AWS's sentence for a denied action.
func refusal(c *iam.Caller, d policy.Decision, action, resource string) error {
	kind := "identity-based policy"
	switch d.By.Gate {
	case policy.SessionGate:
		kind = "session policy"
	case policy.ResourceGate:
		kind = "resource-based policy"
	}
	why := fmt.Sprintf("because no %s allows the %s action", kind, action)
	if d.Effect == policy.Deny {
		why = "with an explicit deny in " + strings.Replace("a "+kind, "a i", "an i", 1)
	}
	who := c.ARN
	if who == "" {
		who = "Anonymous"
	}
	return fault.Newf("kms.authorize", fault.Denied, "User: %s is not authorized to perform: %s on resource: %s %s", who, action, resource, why)
}
