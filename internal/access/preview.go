package access

import (
	"context"
	"time"

	"fiducial/internal/iam"
)

// Preview is what Mint would do with a request: its steps, each with its own
// refusal. It is for explanations.
type Preview struct {
	Invalid error  // the object or the time: no grant can be made of it
	Ended   string // the kind of subject that has ended for good, "" if none
	Refused error  // the binding does not admit the origin
	Bound   string // the binding in words, "" for none

	// Session is what the role would be assumed with. It is complete if nothing
	// above refuses.
	Session iam.ServiceSession
}

// Preview asks the functions that Mint asks, records nothing and makes no URL.
func (s *Service) Preview(r Request) (Preview, error) {
	var p Preview
	now := s.o.Now().UTC()
	if p.Invalid = r.check(now); p.Invalid != nil {
		return p, nil
	}
	if err := s.upToDate(); err != nil {
		return p, err
	}
	if r.Since == 0 {
		r.Since = s.Epoch()
	}
	if over, why := s.over(&r.Grant, r.Since); over {
		p.Ended = why
	}
	conditions, bound, err := r.bind()
	if p.Refused, p.Bound = err, bound; err != nil {
		return p, nil
	}
	if r.Grant.ID, err = s.newID(r.Since); err != nil {
		return p, err
	}
	p.Session = iam.ServiceSession{
		RoleARN: r.RoleARN, SessionName: sessionName(&r.Grant), Duration: life(now, r.Expires),
		Policy: sessionPolicy(r.Bucket, r.Key, conditions), Grant: r.Grant, SourceARN: s.jobARN(r.Grant.Job),
	}
	return p, nil
}

// Concerning lists the live revocations that end grants like this one, for this
// object, that were made before them; newest first. It reads the store.
func (s *Service) Concerning(ctx context.Context, r Request) ([]Revocation, error) {
	wanted := map[Subject]bool{Object(r.Bucket, r.Key): true}
	for _, sub := range subjects(&r.Grant) {
		wanted[sub] = sub.ID != "" || sub.Kind == OfAll
	}
	var out []Revocation
	for after := int64(0); ; {
		rows, err := s.o.Store.Revocations(ctx, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			after = row.Seq
			if wanted[row.Subject] && row.Expires.After(s.o.Now().Add(-time.Second)) {
				out = append([]Revocation{row}, out...)
			}
		}
		if len(rows) < pageSize {
			return out, nil
		}
	}
}
