package objects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/policy"
)

// Run keeps house until ctx ends: it delivers access logs and sweeps orphaned
// bytes. On the way out it delivers what is left, which takes one write per
// target, at most ten seconds in all.
func (s *Service) Run(ctx context.Context) {
	logs := time.NewTicker(s.access.interval)
	defer logs.Stop()
	sweep := time.NewTimer(time.Minute)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			s.deliver(last)
			cancel()
			s.idle.drop(nil)
			return
		case <-logs.C:
			s.deliver(ctx)
		case <-sweep.C:
			if n, err := s.Sweep(ctx); err != nil {
				s.log.Warn("the sweep for orphaned bytes failed", "err", err)
			} else if n > 0 {
				s.log.Info("removed orphaned bytes", "blobs", n)
			}
			if err := s.store.ForgetSequencers(ctx, s.now().Add(-sequencersKept)); err != nil && ctx.Err() == nil {
				s.log.Warn("sequencers of event notifications were not forgotten", "err", err)
			}
			sweep.Reset(6 * time.Hour)
		}
	}
}

// Sweep removes blobs that no row names and that are older than OrphanAge: what
// a crash left between storing bytes and writing their row. A younger blob may
// belong to a write that is under way.
func (s *Service) Sweep(ctx context.Context) (removed int, err error) {
	const batch = 200
	limit := s.now().Add(-s.orphanAge)
	var old []blob.ID
	flush := func() error {
		orphans, err := s.store.Unreferenced(ctx, old)
		if err != nil {
			return err
		}
		s.remove(orphans)
		removed += len(orphans)
		old = old[:0]
		return nil
	}
	err = s.blobs.List(ctx, func(id blob.ID, _ int64, modified time.Time) error {
		if modified.After(limit) {
			return nil
		}
		if old = append(old, id); len(old) < batch {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return removed, err
}

// Get reads an object for a part of this server that works with c's rights.
// The caller closes the reader.
func (s *Service) Get(ctx context.Context, c *iam.Caller, bucket, key string) (io.ReadCloser, *Object, error) {
	content, err := s.GetObject(ctx, Local(c), GetInput{Bucket: bucket, Key: key})
	if err != nil {
		return nil, nil, err
	}
	return content.Reader(), content.Object, nil
}

// Head looks at an object with c's rights.
func (s *Service) Head(ctx context.Context, c *iam.Caller, bucket, key string) (*Object, error) {
	content, err := s.HeadObject(ctx, Local(c), GetInput{Bucket: bucket, Key: key})
	if err != nil {
		return nil, err
	}
	return content.Object, nil
}

// Put stores an object of at most MaxPut bytes with c's rights.
func (s *Service) Put(ctx context.Context, c *iam.Caller, bucket, key, contentType string, body io.Reader) error {
	return s.PutUnder(ctx, c, "", bucket, key, contentType, body)
}

// PutUnder is Put for an object that is sealed under a key of the KMS, if keyID
// names one. Policies see the request as if it had come with the headers.
func (s *Service) PutUnder(ctx context.Context, c *iam.Caller, keyID, bucket, key, contentType string, body io.Reader) error {
	call := Local(c)
	in := PutInput{Bucket: bucket, Key: key, Headers: Headers{ContentType: contentType}, Body: body, Size: -1}
	if keyID != "" {
		in.SSE = SSE{Algorithm: AWSKMS, KeyID: keyID}
		s.sealUnder(call, keyID)
	}
	_, err := s.PutObject(ctx, call, in)
	return err
}

// sealUnder gives a call the condition keys of a write that is sealed under a key.
func (s *Service) sealUnder(call *Call, keyID string) {
	if keyID == "" {
		return
	}
	call.Keys = []policy.Key{
		{Name: "s3:x-amz-server-side-encryption", Value: AWSKMS},
		{Name: "s3:x-amz-server-side-encryption-aws-kms-key-id", Value: s.KeyARN(keyID)},
	}
}

// OwnerID is the canonical user id of an account: 64 hexadecimal digits that
// are the same everywhere.
func OwnerID(account string) string {
	sum := sha256.Sum256([]byte("fiducial canonical user " + account))
	return hex.EncodeToString(sum[:])
}

// IsMissing reports whether err says that a bucket or key is not there.
func IsMissing(err error) bool { return fault.Is(err, fault.NotFound) }
