// Package s3 is a blob.Store in a bucket of an S3 store, so that replicas on
// several machines share the bytes of embedded buckets.
//
//	<prefix>ab/abcd…   a blob, named by its id
//
// A blob is one object, put whole: it is there or it is not, and S3 acknowledges
// it when it is durable. Larger ones are multipart uploads, which are nothing
// until they are completed; what a crash leaves of one must be removed by a
// lifecycle rule of the bucket (AbortIncompleteMultipartUpload).
//
// # Deleting
//
// An open blob stays readable when it is deleted, on every replica. S3 has no
// such thing, so a deleted blob is gone for this process at once and for the
// bucket after Grace, longer than any reading lasts. The process that deletes
// keeps the list in memory: what it had not removed when it ended is listed again
// as a blob that nobody needs, and swept like any other (objects.Run).
//
// # Reading
//
// Ranges are read ahead by window bytes, since each request to the store costs
// more than the bytes. Opening reads the first window, so that a small blob takes
// one request in all.
package s3

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// Sizes and times.
const (
	window   = 1 << 20 // read at once
	partSize = 8 << 20 // written at once
	maxParts = 10_000
	// Grace is how long the bytes of a deleted blob stay.
	Grace = 15 * time.Minute
	// patience is how long a request may take: none moves more than partSize.
	patience = 2 * time.Minute
)

// Options is what a Store needs.
type Options struct {
	Client *s3.Client
	Bucket string
	Prefix string // of every key: "" or one that ends in a slash
	Now    func() time.Time
	Rand   io.Reader     // where ids come from; cryptographic
	Grace  time.Duration // Grace if zero
}

// Store is a blob.Store. Make it with New.
type Store struct {
	o Options

	mu      sync.Mutex            // guards Rand and deleted
	deleted map[blob.ID]time.Time // when each is to be removed
}

// New makes a store. It asks nobody.
func New(o Options) *Store {
	if o.Grace == 0 {
		o.Grace = Grace
	}
	return &Store{o: o, deleted: map[blob.ID]time.Time{}}
}

func (s *Store) key(id blob.ID) *string {
	k := s.o.Prefix + string(id[:2]) + "/" + string(id)
	return &k
}

// gone reports whether the blob was deleted here.
func (s *Store) gone(id blob.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.deleted[id]
	return ok
}

func notFound(op string, err error) error {
	return fault.E(op, fault.NotFound, "there is no such blob", err)
}

func failure(op string, err error) error {
	var res *awshttp.ResponseError
	if errors.As(err, &res) && res.HTTPStatusCode() == 404 {
		return notFound(op, err)
	}
	if errors.Is(err, context.Canceled) {
		return fault.E(op, fault.Unavailable, "the request was given up", err)
	}
	return fault.E(op, fault.Unavailable, "the store of the objects' bytes does not answer", err)
}

// Stat returns a blob's size.
func (s *Store) Stat(ctx context.Context, id blob.ID) (int64, error) {
	const op = "blob/s3.Stat"
	if !id.Valid() || s.gone(id) {
		return 0, notFound(op, nil)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := s.o.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.o.Bucket, Key: s.key(id)})
	if err != nil {
		return 0, failure(op, err)
	}
	return aws.ToInt64(out.ContentLength), nil
}

// Delete takes a blob away: at once for this process, after Grace for all.
func (s *Store) Delete(ctx context.Context, id blob.ID) error {
	if _, err := s.Stat(ctx, id); err != nil {
		return err
	}
	now := s.o.Now()
	s.mu.Lock()
	if _, twice := s.deleted[id]; twice {
		s.mu.Unlock()
		return notFound("blob/s3.Delete", nil)
	}
	s.deleted[id] = now.Add(s.o.Grace)
	s.mu.Unlock()
	s.remove(ctx, now)
	return nil
}

// maxRemove bounds how much one call removes on the side.
const maxRemove = 100

// remove removes the bytes whose time has come. What fails is tried again later.
func (s *Store) remove(ctx context.Context, now time.Time) {
	var due []types.ObjectIdentifier
	var ids []blob.ID
	s.mu.Lock()
	for id, at := range s.deleted {
		if !now.Before(at) && len(due) < maxRemove {
			due, ids = append(due, types.ObjectIdentifier{Key: s.key(id)}), append(ids, id)
		}
	}
	s.mu.Unlock()
	for i := range due {
		// One by one: not every store has DeleteObjects without a checksum of its own.
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		_, err := s.o.Client.DeleteObject(rctx, &s3.DeleteObjectInput{Bucket: &s.o.Bucket, Key: due[i].Key})
		cancel()
		if err != nil {
			return
		}
		s.mu.Lock()
		delete(s.deleted, ids[i])
		s.mu.Unlock()
	}
}

// List calls fn for every blob. What is not a blob is passed over.
func (s *Store) List(ctx context.Context, fn func(blob.ID, int64, time.Time) error) error {
	s.remove(ctx, s.o.Now())
	in := &s3.ListObjectsV2Input{Bucket: &s.o.Bucket, Prefix: &s.o.Prefix}
	for {
		pctx, cancel := context.WithTimeout(ctx, patience)
		page, err := s.o.Client.ListObjectsV2(pctx, in)
		cancel()
		if err != nil {
			return failure("blob/s3.List", err)
		}
		for i := range page.Contents {
			o := &page.Contents[i]
			folder, name, _ := strings.Cut(strings.TrimPrefix(aws.ToString(o.Key), s.o.Prefix), "/")
			id := blob.ID(name)
			if !id.Valid() || folder != name[:2] || s.gone(id) {
				continue
			}
			if err := fn(id, aws.ToInt64(o.Size), aws.ToTime(o.LastModified)); err != nil {
				return err
			}
		}
		if !aws.ToBool(page.IsTruncated) || page.NextContinuationToken == nil {
			return nil
		}
		in.ContinuationToken = page.NextContinuationToken
	}
}

func (s *Store) newID() (blob.ID, error) {
	var raw [16]byte
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.o.Rand, raw[:]); err != nil {
		return "", fault.E("blob/s3.Create", fault.Internal, "", err)
	}
	return blob.ID(hex.EncodeToString(raw[:])), nil
}
