package access

import (
	"fiducial/internal/fault"
	"fiducial/internal/identity"
)

// Object is the subject that grants for one object rest on.
func Object(bucket, key string) Subject { return Subject{OfObject, bucket + "/" + key} }

// CheckObject is Check for the object that a request is for: a grant does not say
// in its session what it was made for, its session policy does. Whoever serves
// objects asks it after Check.
func (s *Service) CheckObject(p *identity.Principal, bucket, key string) error {
	if !p.IsGrant() || s.index.counts[OfObject].Load() == 0 {
		return nil
	}
	epoch, ok := epochOf(p.Grant.ID)
	if !ok || Epoch(s.index.last(Object(bucket, key))) >= epoch {
		return fault.Coded("access.CheckObject", fault.Denied, "AccessDenied", "the grants for this object were ended")
	}
	return nil
}
