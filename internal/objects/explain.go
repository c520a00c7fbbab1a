package objects

import (
	"context"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
)

// Asked is what a GetObject asks before it answers: the question for the
// policies, and the object's row.
type Asked struct {
	Question iam.Question
	Missing  error   // there is no such bucket or no such object; Question is empty without a bucket
	Object   *Object // nil when missing
	Abroad   bool    // another store keeps the bucket, and may have a policy of its own
}

// Ask returns what GetObject would ask for the call, by the functions that it
// uses, and neither decides nor records anything. It is for explanations.
func (s *Service) Ask(ctx context.Context, call *Call, bucket, key string) (Asked, error) {
	if call.Time.IsZero() {
		call.Time = s.now()
	}
	o := &table[OpGetObject]
	b, err := s.bucket(ctx, bucket)
	if fault.Is(err, fault.NotFound) {
		return Asked{Missing: err}, nil
	}
	if err != nil {
		return Asked{}, err
	}
	doc, err := s.policyOf(b)
	if err != nil {
		return Asked{}, err
	}
	a := Asked{Question: s.question(call, o.Action, o.resource(bucket, key), doc)}
	_, a.Abroad = s.abroad(bucket)
	a.Object, err = s.row(ctx, bucket, key, false)
	if fault.Is(err, fault.NotFound) {
		a.Object, a.Missing, err = nil, err, nil
	}
	return a, err
}

// OpenKey opens the data key of a sealed object as GetObject does and throws it
// away: nil, or why the caller may not have it. It is for explanations.
func (s *Service) OpenKey(ctx context.Context, call *Call, o *Object) error {
	if !o.Encryption.sealed() {
		return nil
	}
	_, err := s.openKey(ctx, call, o.Bucket, o.Key, o.Encryption)
	return err
}

// MayPut decides what PutUnder would, without a body: nil, or the fault that it would
// end with. Nothing is recorded, and the KMS is not asked.
func (s *Service) MayPut(ctx context.Context, c *iam.Caller, keyID, bucket, key string) error {
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	call := Local(c)
	call.Time = s.now()
	s.sealUnder(call, keyID)
	o := &table[OpPutObject]
	d, err := s.allowed(ctx, call, o.Action, o.resource(bucket, key), b)
	if err == nil && d.Effect != policy.Allow {
		err = accessDenied()
	}
	return err
}
