// Package arn parses and prints Amazon Resource Names.
//
// Format: arn:partition:service:region:account:resource, where the resource may
// itself contain colons and slashes. Source: "Amazon Resource Names (ARNs)" in
// the AWS General Reference.
package arn

import (
	"strings"

	"fiducial/internal/fault"
)

// ARN is a parsed resource name. The zero value is not a valid ARN.
type ARN struct {
	Partition string // "aws"
	Service   string // "s3", "iam", "sagemaker"
	Region    string // empty for global services
	Account   string // 12 digits; empty for S3
	Resource  string
}

// MaxLen is the longest ARN accepted, in bytes (IAM's limit).
const MaxLen = 2048

// Parse reads an ARN. It refuses anything without six parts, a partition, a
// service and a resource.
func Parse(s string) (ARN, error) {
	if len(s) > MaxLen {
		return ARN{}, fault.Newf("arn.Parse", fault.Invalid, "ARN is longer than %d characters", MaxLen)
	}
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, fault.Newf("arn.Parse", fault.Invalid, "%q is not an ARN: expected arn:partition:service:region:account:resource", s)
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, nil
}

func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// Type returns the part of the resource before the first slash or colon:
// "role" for "role/x", "function" for "function:PRE-BoundingBox".
func (a ARN) Type() string {
	if i := strings.IndexAny(a.Resource, "/:"); i >= 0 {
		return a.Resource[:i]
	}
	return ""
}

// Name returns the part of the resource after the last slash or colon.
func (a ARN) Name() string {
	if i := strings.LastIndexAny(a.Resource, "/:"); i >= 0 {
		return a.Resource[i+1:]
	}
	return a.Resource
}

// S3Object returns the ARN of a bucket (key empty) or an object.
func S3Object(bucket, key string) string {
	if key == "" {
		return "arn:aws:s3:::" + bucket
	}
	return "arn:aws:s3:::" + bucket + "/" + key
}
