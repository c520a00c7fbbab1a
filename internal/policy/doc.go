// Package policy reads IAM policy documents and decides requests by them.
//
// It is pure: no clock, no network, no storage. A document is parsed once,
// strictly, and compiled; a decision is then a walk over compiled statements
// that allocates nothing in the usual case.
//
// # Decision
//
// A request is a principal, an action, a resource and a context. Documents come
// from up to three gates: the principal's own (identity) documents, the session
// policy its credentials were made with, and the policy of the resource or, for
// AssumeRole, the trust policy of the role.
//
//  1. A Deny statement that applies, at any gate, decides.
//  2. The resource's policy may allow by itself within one account. How far the
//     session policy limits it depends on whom the statement names: a role's ARN
//     is limited, a session's ARN, a user's ARN and "*" are not. Naming the
//     account only delegates: the principal's own documents must allow too.
//  3. Otherwise the identity documents must allow, and the session policy, where
//     there is one, must allow as well.
//  4. Across accounts both sides must allow.
//  5. A trust policy must allow in any case: rights of its own do not let a
//     caller into a role. Nor do they let one use a KMS key: its key policy must
//     name the caller or delegate to the account, the root user included.
//  6. The root user needs no document in its own account; Deny of the resource's
//     policy still binds it.
//
// NoMatch means that no statement allowed; it is not Allow, and it is told apart
// from Deny because the two are repaired differently.
//
// One rule is ours: a session made for a media URL (identity.Grant) is limited by
// its session policy whatever a resource policy says, so that no bucket policy
// can loosen the origin a grant is bound to. A Deny or a public bucket keeps its
// usual meaning for everybody else.
//
// # Where the published rules leave room
//
// A reading is chosen that never gives more access:
//
//   - A policy variable that has no value (and no default) matches nothing, and
//     an Allow statement in which that would make NotResource or a negated
//     operator true does not apply.
//   - A value put in place of a variable is literal: a star in a tag is a star.
//   - NotPrincipal with Deny spares a caller only when every level of it is
//     listed (account, user; account, role, session). NotPrincipal with Allow
//     leaves a caller out when any level is listed.
//   - Wildcards of a resource ARN stay inside the colon-separated segment they
//     stand in; the sixth segment is the whole rest, colons included. AWS lets a
//     star at the end of a segment reach further without saying how far: where a
//     resource would match only so, a Deny statement applies and an Allow does not.
//   - Under an operator without ForAllValues or ForAnyValue, a key with several
//     values lets an Allow statement apply only if each of them satisfies the
//     operator, and a Deny statement if one of them does.
//   - ForAnyValue with IfExists and a missing key is true in a Deny statement and
//     false in an Allow statement.
//
// Sources: "Policy evaluation logic", "IAM JSON policy elements reference" and
// "AWS global condition context keys" in the IAM User Guide.
package policy
