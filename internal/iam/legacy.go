package iam

import (
	"crypto/hmac"
	"crypto/sha1"
)

// SignV2 returns the HMAC-SHA1 of a text under the caller's secret: AWS
// Signature Version 2, which the AWS CLI and boto3 still use for presigned S3
// URLs of the older regions, us-east-1 among them. Nothing else may use it.
func (s *Service) SignV2(c *Caller, text []byte) [sha1.Size]byte {
	m := hmac.New(sha1.New, []byte(c.secret.Reveal()))
	m.Write(text)
	return [sha1.Size]byte(m.Sum(nil))
}
