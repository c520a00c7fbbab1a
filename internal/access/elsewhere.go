package access

import (
	"context"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/iam"
)

// Elsewhere makes media URLs that lead to another store, for the buckets that
// one keeps. What Mint checks and records is the same as for buckets kept here.
type Elsewhere interface {
	// Sign makes a URL for what the ticket says and for nothing more. False means
	// that the other store is not to be trusted with it: the URL leads here then,
	// and this server fetches the bytes.
	Sign(ctx context.Context, t *Ticket) (Signed, bool, error)
}

// Ticket is what a URL is to be good for.
type Ticket struct {
	Request             // with the grant's id
	Caller  *iam.Caller // a session of the execution role with the grant's session policy
	Begun   time.Time   // the second in which the grant begins
	Expires time.Time   // when the URL must end, or earlier
}

// Signed is a URL to another store.
type Signed struct {
	URL         string
	Expires     time.Time
	AccessKeyID string // of that store's session, for its own logs
	Bound       string // the origin that it is bound to, in words
	Note        string // for the record: where the bytes come from
}

// sign asks Elsewhere and writes into the record what it made.
func (s *Service) sign(ctx context.Context, t *Ticket, e *audit.Event) (string, bool, error) {
	u, ok, err := s.o.Elsewhere.Sign(ctx, t)
	if err != nil || !ok {
		return "", false, err
	}
	e.Expires, e.AccessKeyID, e.Bound, e.Reason = u.Expires, u.AccessKeyID, u.Bound, u.Note
	return u.URL, true, nil
}
