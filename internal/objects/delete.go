package objects

import (
	"context"

	"golang.org/x/sync/errgroup"

	"fiducial/internal/fault"
)

// DeleteInput names what to delete.
type DeleteInput struct {
	Key       string
	VersionID string // "", or "null": the only version there is
	IfMatch   string // the entity tag it must have
}

// Deleted is the outcome for one key of DeleteObjects.
type Deleted struct {
	Key       string
	VersionID string
	Err       error
}

// DeleteObject removes an object. That there is none is no error.
func (s *Service) DeleteObject(ctx context.Context, call *Call, bucket string, in DeleteInput) error {
	if _, err := s.begin(ctx, call, OpDeleteObject, bucket, in.Key, true); err != nil {
		return err
	}
	return s.delete(ctx, call, bucket, in)
}

// DeleteObjects removes up to MaxKeys objects; each key is decided and put on
// record for itself.
func (s *Service) DeleteObjects(ctx context.Context, call *Call, bucket string, in []DeleteInput) ([]Deleted, error) {
	if len(in) == 0 || len(in) > MaxKeys {
		return nil, fault.Coded("objects.DeleteObjects", fault.Invalid, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema: 1 to 1000 objects are expected")
	}
	if call.Caller.IsGrant() { // refused as a whole, once
		_, err := s.begin(ctx, call, OpDeleteObjects, bucket, in[0].Key, true)
		return nil, err
	}
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		s.describe(call, table[OpDeleteObjects].Action, table[OpDeleteObjects].resource(bucket, ""))
		call.Operation = &table[OpDeleteObjects]
		return nil, s.refuse(ctx, call, err)
	}
	out := make([]Deleted, len(in))
	for i, d := range in {
		out[i] = Deleted{Key: d.Key, VersionID: d.VersionID}
		_, out[i].Err = s.begin(ctx, call, OpDeleteObjects, bucket, d.Key, true)
	}
	// What is told goes by the bucket as it was found, however the last key fared.
	call.Bucket = b
	// Side by side, so that they share commits.
	var g errgroup.Group
	g.SetLimit(64)
	for i, d := range in {
		if out[i].Err == nil {
			g.Go(func() error {
				out[i].Err = s.delete(ctx, call, bucket, d)
				return nil
			})
		}
	}
	return out, g.Wait()
}

func (s *Service) delete(ctx context.Context, call *Call, bucket string, in DeleteInput) error {
	if in.VersionID != "" && in.VersionID != "null" {
		return fault.Coded("objects.DeleteObject", fault.Invalid, "InvalidArgument", "Invalid version id specified: versioning is not enabled")
	}
	if err := checkKey(in.Key); err != nil {
		return err
	}
	tell, err := s.telling(call, in.Key, nil)
	if err != nil {
		return err
	}
	c := Conditions{IfMatch: in.IfMatch}
	existed, freed, err := s.store.DeleteObject(ctx, bucket, in.Key, tell, c.write)
	s.changed(bucket, in.Key)
	if err != nil {
		return err
	}
	s.remove(freed)
	if existed {
		s.told(tell)
	}
	return nil
}
