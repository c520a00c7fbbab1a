// Package objects keeps S3's rules once: buckets, objects, multipart uploads,
// listings, conditions, ranges, who may do what, and what is put on record.
// It knows nothing about HTTP; s3api translates, and the labelling engine calls
// it directly with the session of a job's role.
//
// # What is stored where
//
// An object is a row (Store) that names its bytes (blob.Store). The bytes are
// durable before the row is written, and the row is committed before the caller
// hears of success. So a reader sees the old object or the new one, and what was
// acknowledged survives kill -9. Bytes without a row are left behind by a crash
// between the two; Run removes them once they are older than OrphanAge.
//
// The bytes of an object made by a multipart upload stay in the blobs of its
// parts: completing an upload moves nothing.
//
// Bytes that are to be encrypted are sealed on the way to the blob and opened on
// the way back, segment by segment; see Encryption. Sizes, checksums and ranges
// are those of the content.
//
// # Deciding
//
// Every operation stands in Operations with its IAM action, its kind of
// resource and its name in logs. An operation first asks iam.Authorize (with
// the bucket's policy and the facts of the request), then acts. Each decision
// becomes one audit.Event, written before a byte leaves or a write begins.
// A session that was made for a media URL (identity.Grant) is also checked
// against Revocations, and may do nothing but get and head an object.
//
// A missing key is NoSuchKey only to callers who may list the bucket; to others
// it is AccessDenied, as in S3, so that keys cannot be guessed.
package objects
