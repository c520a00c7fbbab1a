// Package iam knows who may do what: users with access keys, roles with trust
// policies, sessions made by AssumeRole, and the decision about every request.
//
// # Callers
//
// Authenticate turns an access key id, and the session token where there is one,
// into a Caller. There are three sorts: the root user, whose key comes from the
// settings; users, whose secrets are sealed in the database; and role sessions,
// which are in no database. A session token is sealed (package envelope) and
// self-describing: it carries the role, the session's name, its life, its secret,
// its session policy and, for a media URL, the grant it was made for. Any replica
// with the keyset opens it without a look-up.
//
// # Decisions
//
// Authorize asks package policy with the documents that are in force now: a role's
// policies are not in the token, so changing or deleting a role reaches its live
// sessions. A session dies with its role: a role of the same name made later has
// another id, which the token does not carry.
//
// # Freshness
//
// Users, roles, policies and keys are read through caches. Every change to any of
// them increases one generation number in the same transaction, and a cached
// entry counts only while the generation it was read under is the present one.
// The present generation is read again when it is older than pollEvery, so a
// change reaches every replica within a second, and this process at once. When it
// cannot be read for maxStale, requests fail rather than go by old rights.
package iam
