package labeling

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"fiducial/internal/fault"
)

// S3URI names an object, or a prefix, in a bucket.
type S3URI struct{ Bucket, Key string }

func (u S3URI) String() string { return "s3://" + u.Bucket + "/" + u.Key }

// bucketName is the name that a bucket may have, without the rarer rules (no
// two dots in a row, no address): those buckets cannot exist, so they fail as
// missing.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// maxKey is the longest object key, in bytes of UTF-8.
const maxKey = 1024

// ParseS3URI reads s3://bucket/key. The key may be empty.
func ParseS3URI(s string) (S3URI, error) {
	const op = "labeling.ParseS3URI"
	rest, ok := strings.CutPrefix(s, "s3://")
	if !ok {
		return S3URI{}, fault.Newf(op, fault.Invalid, "%s is not an S3 URI: expected s3://bucket/key", Quote(s))
	}
	bucket, key, _ := strings.Cut(rest, "/")
	switch {
	case !bucketName.MatchString(bucket):
		return S3URI{}, fault.Newf(op, fault.Invalid, "%s has no valid bucket name: expected s3://bucket/key", Quote(s))
	case len(key) > maxKey:
		return S3URI{}, fault.Newf(op, fault.Invalid, "the key in %s is longer than %d bytes", Quote(s), maxKey)
	case !utf8.ValidString(key):
		return S3URI{}, fault.Newf(op, fault.Invalid, "the key in %s is not UTF-8", Quote(s))
	}
	return S3URI{bucket, key}, nil
}

// ParseS3Object reads s3://bucket/key where the key must not be empty.
func ParseS3Object(s string) (S3URI, error) {
	u, err := ParseS3URI(s)
	if err == nil && u.Key == "" {
		err = fault.Newf("labeling.ParseS3Object", fault.Invalid, "%s names no object: expected s3://bucket/key", Quote(s))
	}
	return u, err
}

// Quote is s in quotes, cut so that a message with it stays readable.
func Quote(s string) string {
	const most = 120
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return `"` + s + `"`
}
