package iam

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/identity"
)

// Credentials are what signs requests.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    string
	Expiration      time.Time
}

// sessionKeyPrefix begins every access key id of a session, and of no other.
const sessionKeyPrefix = "ASIA"

const (
	keyBytes    = 10 // of the access key id, 16 characters after the prefix
	secretBytes = 30 // of the secret, 40 characters
)

// purposeOfSession binds tokens to the account: two installations that share a
// keyset by mistake do not accept each other's sessions.
func purposeOfSession(account string) string { return "fiducial session " + account }

// claims is the content of a session token.
//
//	format (1 byte, now 2) ‖ access key (10) ‖ secret (30) ‖
//	issued, lifetime (varints, seconds) ‖ strings, each with its length (varint):
//	role path, role name, role id, session name, grant id, worker, job, team,
//	assignment, sign-in, place, browser, policy
//
// Fixed order and no names keep a presigned URL short. Whether there is a
// policy is its being non-empty: an empty one is refused when a session is made.
type claims struct {
	key     [keyBytes]byte
	secret  [secretBytes]byte
	issued  int64 // Unix seconds
	life    int64 // seconds
	path    string
	role    string
	id      string
	session string
	grant   identity.Grant
	policy  string
}

const claimsFormat = 2

func (c *claims) texts() [13]*string {
	g := &c.grant
	return [...]*string{&c.path, &c.role, &c.id, &c.session, &g.ID, &g.Worker, &g.Job, &g.Team, &g.Assignment, &g.SignIn, &g.Place, &g.Browser, &c.policy}
}

func (c *claims) append(b []byte) []byte {
	texts := c.texts()
	b = append(b, claimsFormat)
	b = append(b, c.key[:]...)
	b = append(b, c.secret[:]...)
	b = binary.AppendVarint(b, c.issued)
	b = binary.AppendVarint(b, c.life)
	for _, t := range texts {
		b = binary.AppendUvarint(b, uint64(len(*t)))
		b = append(b, *t...)
	}
	return b
}

// decodeClaims reads what encode wrote. The bytes were sealed by a replica, so
// anything else is another version's.
func decodeClaims(b []byte) (*claims, bool) {
	if len(b) < 1+keyBytes+secretBytes || b[0] != claimsFormat {
		return nil, false
	}
	c := &claims{}
	b = b[1:]
	b = b[copy(c.key[:], b):]
	b = b[copy(c.secret[:], b):]
	for _, n := range [...]*int64{&c.issued, &c.life} {
		v, w := binary.Varint(b)
		if w <= 0 {
			return nil, false
		}
		*n, b = v, b[w:]
	}
	s := string(b) // one copy; the texts are slices of it
	for _, t := range c.texts() {
		n, w := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
		if w <= 0 || n > uint64(len(s)-w) {
			return nil, false
		}
		*t, s = s[w:w+int(n)], s[w+int(n):]
	}
	return c, s == ""
}

func (c *claims) accessKeyID() string {
	b := append(make([]byte, 0, 32), sessionKeyPrefix...)
	return string(idAlphabet.AppendEncode(b, c.key[:]))
}

func (c *claims) secretAccessKey() Secret {
	return NewSecret(string(base64.StdEncoding.AppendEncode(make([]byte, 0, 64), c.secret[:])))
}

// caller makes the caller that a token stands for.
func (c *claims) caller(account string) *Caller {
	return c.callerAs(account, c.accessKeyID(), c.secretAccessKey())
}

func (c *claims) callerAs(account, accessKeyID string, secret Secret) *Caller {
	issued := time.Unix(c.issued, 0).UTC()
	out := &Caller{
		Principal: identity.Principal{
			Type: identity.AssumedRole, Account: account, ARN: sessionARN(account, c.role, c.session),
			UserID: c.id + ":" + c.session, RoleARN: roleARN(account, c.path, c.role), SessionName: c.session,
			IssuedAt: issued, ExpiresAt: issued.Add(time.Duration(c.life) * time.Second), Grant: c.grant,
			AccessKeyID: accessKeyID,
		},
		secret: secret, name: c.role, id: c.id,
	}
	if c.policy != "" {
		out.session = &sessionPolicy{text: c.policy}
	}
	return out
}

// seal makes the credentials of a session. The claims' random parts are filled.
func (s *Service) seal(c *claims) (Credentials, error) {
	if err := s.fill(c); err != nil {
		return Credentials{}, err
	}
	out := c.credentials()
	var err error
	out.SessionToken, err = s.keys.Seal(c.append(nil), s.purpose)
	return out, err
}

// fill makes the claims' random parts.
func (s *Service) fill(c *claims) error {
	var r [keyBytes + secretBytes]byte
	if err := s.random(r[:]); err != nil {
		return err
	}
	copy(c.key[:], r[:])
	copy(c.secret[:], r[keyBytes:])
	return nil
}

// credentials are the claims' own, without the token.
func (c *claims) credentials() Credentials {
	return Credentials{AccessKeyID: c.accessKeyID(), SecretAccessKey: c.secretAccessKey(), Expiration: time.Unix(c.issued+c.life, 0).UTC()}
}

// openSession verifies a token. An opened token is kept: the same one comes
// with every range of a large object.
func (s *Service) openSession(accessKeyID, token string) (*Caller, error) {
	c, ok := s.sessions.GetIfPresent(token)
	if !ok {
		plain, err := s.keys.Open(token, s.purpose)
		if err != nil {
			return nil, badToken()
		}
		claims, ok := decodeClaims(plain)
		if !ok {
			return nil, badToken()
		}
		c = claims.caller(s.account)
		c.keys = s.tasks.of(c.AccessKeyID, c.secret)
	}
	if c.AccessKeyID != accessKeyID {
		return nil, badToken()
	}
	if !s.now().Before(c.ExpiresAt) {
		if ok {
			s.sessions.Invalidate(token)
		}
		return nil, fault.Coded("iam.Authenticate", fault.Unauthenticated, "ExpiredToken", "The security token included in the request is expired")
	}
	if !ok {
		// A clone: the token is part of a request line that need not stay.
		s.sessions.Set(strings.Clone(token), c)
	}
	return c, nil
}

func badToken() error {
	return fault.Coded("iam.Authenticate", fault.Unauthenticated, "InvalidClientTokenId", "The security token included in the request is invalid.")
}
