package objects

import (
	"context"
	"time"

	"fiducial/internal/blob"
)

// Store keeps the rows. What a method has returned nil for is durable. Not
// found is a fault of kind NotFound with S3's code (NoSuchBucket, NoSuchKey,
// NoSuchUpload). Methods that free blobs return their ids; the caller removes
// the bytes.
type Store interface {
	// CreateBucket adds a bucket; kind Exists if there is one of that name.
	CreateBucket(ctx context.Context, b Bucket) error
	Bucket(ctx context.Context, name string) (*Bucket, error)
	// Buckets lists by name, at most limit, after the given name.
	Buckets(ctx context.Context, prefix, after string, limit int) ([]Bucket, error)
	// UpdateBucket changes the configuration as change says, in one transaction.
	UpdateBucket(ctx context.Context, name string, change func(*Bucket)) error
	// DeleteBucket removes an empty bucket and its uploads in progress; kind
	// InUse (BucketNotEmpty) if it has objects.
	DeleteBucket(ctx context.Context, name string) (freed []blob.ID, err error)

	// Object reads a row with its segments.
	Object(ctx context.Context, bucket, key string) (*Object, error)
	// PutObject writes a row if the bucket is there and check, called with the
	// present row (nil if there is none), agrees. Both in one transaction. If o
	// has an Upload, that upload ends: the parts numbered keep (in order)
	// become the object's segments, the others are freed.
	// What tell makes, if it is not nil, is promised in the same transaction.
	PutObject(ctx context.Context, o *Object, keep []Segment, tell *Telling, check func(*Object) error) (freed []blob.ID, err error)
	// DeleteObject removes a row under the same kind of check. existed is false
	// if there was none, which is no error and is not told.
	DeleteObject(ctx context.Context, bucket, key string, tell *Telling, check func(*Object) error) (existed bool, freed []blob.ID, err error)
	// ForgetSequencers forgets those from before the instant.
	ForgetSequencers(ctx context.Context, before time.Time) error
	// Range lists rows (without segments) in key order: keys that begin with
	// prefix and are >= from, or > from if after is set; at most limit.
	Range(ctx context.Context, q RangeQuery) ([]*Object, error)

	CreateUpload(ctx context.Context, u Upload) error
	Upload(ctx context.Context, bucket, key, id string) (*Upload, error)
	// PutPart adds a part or replaces the one of the same number, if the upload
	// is still in progress.
	PutPart(ctx context.Context, upload string, p Segment) (freed []blob.ID, err error)
	// PartsOf lists an upload's parts by number, at most limit, after a number.
	PartsOf(ctx context.Context, upload string, after, limit int) ([]Segment, error)
	DeleteUpload(ctx context.Context, bucket, key, id string) (freed []blob.ID, err error)
	// Uploads lists uploads in progress by key, then id, like Range; with
	// afterID the rest of the uploads of key from come first.
	Uploads(ctx context.Context, q RangeQuery, afterID string) ([]Upload, error)

	// Unreferenced returns those of ids that no row names.
	Unreferenced(ctx context.Context, ids []blob.ID) ([]blob.ID, error)
}

// RangeQuery asks for a range of a bucket's keys.
type RangeQuery struct {
	Bucket string
	Prefix string
	From   string
	After  bool // leave out From itself
	Limit  int
}

// End returns the first key in byte order that does not begin with prefix and
// is not before it; "" if there is none.
func (q RangeQuery) End() string { return prefixEnd(q.Prefix) }

// prefixEnd returns the least string greater than every string that begins
// with p, "" if there is none.
func prefixEnd(p string) string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			return p[:i] + string([]byte{p[i] + 1})
		}
	}
	return ""
}

// Upload is a multipart upload in progress.
type Upload struct {
	ID        string
	Bucket    string
	Key       string
	Initiator string // ARN
	CreatedAt time.Time
	Headers   Headers
	Checksum  Checksum // Algorithm and Type; no Value

	Encryption *Encryption // of its parts; nil if they are not sealed
}
