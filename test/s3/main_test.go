// Package s3 drives the S3 endpoint of the real server with the clients people
// use: the AWS CLI and boto3, unchanged.
package s3

import (
	"testing"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }
