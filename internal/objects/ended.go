package objects

import "fiducial/internal/identity"

// objectRevocations are Revocations that also know which objects' grants have
// ended: a session does not name its object, its session policy does.
type objectRevocations interface {
	CheckObject(p *identity.Principal, bucket, key string) error
}

// ended returns why a media session opens this object no more, nil if it does.
func (s *Service) ended(p *identity.Principal, bucket, key string) error {
	if err := s.revocations.Check(p); err != nil {
		return err
	}
	if r, ok := s.revocations.(objectRevocations); ok {
		return r.CheckObject(p, bucket, key)
	}
	return nil
}
