// Package identity says who is calling.
package identity

import (
	"crypto/subtle"
	"time"
)

// Type is what sort of principal is calling.
type Type uint8

// The sorts of principal. Anonymous is the zero value: a forgotten
// identity can do nothing.
const (
	Anonymous   Type = iota
	Root             // the account itself
	User             // an IAM user with a long-lived access key
	AssumedRole      // a role session made by STS
	Service          // this server acting for a labeling job, before it assumes the job's role
)

// Principal is an authenticated caller.
type Principal struct {
	Type    Type
	Account string // 12 digits
	// ARN as policies and GetCallerIdentity show it: arn:aws:iam::A:root,
	// arn:aws:iam::A:user/N, arn:aws:sts::A:assumed-role/R/S.
	ARN    string
	UserID string // aws:userid: AIDA…, AROA…:session, or the account for root
	Name   string // aws:username: users only

	// Role sessions only.
	RoleARN     string    // arn:aws:iam::A:role/path/R
	SessionName string    // RoleSessionName
	IssuedAt    time.Time // aws:TokenIssueTime
	ExpiresAt   time.Time
	Grant       Grant // set when the session was made for a media URL

	AccessKeyID string
}

// Grant is the reason a media session exists. It travels inside the sealed
// session token, so any replica knows it without a look-up.
type Grant struct {
	ID         string // unique, in the audit record
	Worker     string // worker id
	Job        string // labeling job name
	Team       string // work team ARN
	Assignment string // the lease whose end ends the grant
	SignIn     string // the portal session whose end ends the grant

	// Place is where the worker was, as the access package names it: a change of
	// place ends the grants of the old one and no others. Empty where media are
	// bound to no place.
	Place string

	// Browser is the digest of the secret that the worker's own browser holds
	// for the media endpoint, in hex SHA-256; a request must show the secret.
	// Empty where the team does not ask for it.
	Browser string
}

// IsGrant reports whether the session was made for a media URL.
func (p *Principal) IsGrant() bool { return p.Grant.ID != "" }

// OpensIn reports whether a request that shows the browser secret of that digest
// may use the grant. A grant that names no browser opens in any. It takes the
// same time whatever is shown.
func (g *Grant) OpensIn(digest string) bool {
	return g.Browser == "" || subtle.ConstantTimeCompare([]byte(g.Browser), []byte(digest)) == 1
}
