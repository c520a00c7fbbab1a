package s3api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

func stringReader(s string) io.Reader { return strings.NewReader(s) }

// code returns the S3 code of an error of AWS's client.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// An object put by AWS's client, with every checksum that it can send, comes
// back with bytes, headers and metadata as they were.
func TestPutAndGet(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("pictures")
	ctx := context.Background()
	for _, alg := range append(types.ChecksumAlgorithm("").Values(), "") {
		switch alg {
		case "", types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256:
		default:
			continue // later additions of S3
		}
		t.Run("checksum "+string(alg), func(t *testing.T) {
			key := "a b/ü+%/" + string(alg)
			body := bytes.Repeat([]byte("0123456789abcdef"), 10000)
			put, err := c.PutObject(ctx, &s3.PutObjectInput{
				Bucket: aws.String("pictures"), Key: &key, Body: bytes.NewReader(body), ContentType: aws.String("image/png"),
				CacheControl: aws.String("no-store"), Metadata: map[string]string{"camera": "x", "place": "y z"}, ChecksumAlgorithm: alg,
			})
			check(t, err)
			got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("pictures"), Key: &key, ChecksumMode: types.ChecksumModeEnabled})
			check(t, err)
			data, err := io.ReadAll(got.Body) // the client verifies the checksum here
			check(t, err)
			if !bytes.Equal(data, body) {
				t.Errorf("got %d bytes that are not the %d that were put", len(data), len(body))
			}
			if c := aws.ToString(put.ChecksumCRC32) + aws.ToString(put.ChecksumCRC32C) + aws.ToString(put.ChecksumCRC64NVME) + aws.ToString(put.ChecksumSHA1) + aws.ToString(put.ChecksumSHA256); alg != "" && c == "" {
				t.Error("the checksum that was sent is not kept")
			}
			if *got.ETag != *put.ETag || *got.ContentType != "image/png" || *got.CacheControl != "no-store" || got.Metadata["place"] != "y z" || len(got.Metadata) != 2 {
				t.Errorf("headers differ: %+v", got)
			}
		})
	}
}

func TestMultipart(t *testing.T) {
	e := start(t, settings{})
	c := e.bucket("uploads")
	ctx := context.Background()
	const size = 5 << 20
	for _, alg := range []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmSha256, types.ChecksumAlgorithmCrc64nvme} {
		t.Run(string(alg), func(t *testing.T) {
			up, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String("uploads"), Key: aws.String("k"), ChecksumAlgorithm: alg})
			check(t, err)
			var whole []byte
			done := &types.CompletedMultipartUpload{}
			for n := int32(1); n <= 3; n++ {
				part := bytes.Repeat([]byte{byte('a' + n)}, size)
				if n == 3 {
					part = part[:100]
				}
				whole = append(whole, part...)
				out, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String("uploads"), Key: aws.String("k"), UploadId: up.UploadId, PartNumber: &n, Body: bytes.NewReader(part), ChecksumAlgorithm: alg})
				check(t, err)
				done.Parts = append(done.Parts, types.CompletedPart{
					PartNumber: aws.Int32(n), ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32, ChecksumSHA256: out.ChecksumSHA256, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
				})
			}
			fin, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String("uploads"), Key: aws.String("k"), UploadId: up.UploadId, MultipartUpload: done})
			check(t, err)
			// Again: the client may not have heard the first answer.
			again, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String("uploads"), Key: aws.String("k"), UploadId: up.UploadId, MultipartUpload: done})
			check(t, err)
			if *again.ETag != *fin.ETag || !strings.HasSuffix(*fin.ETag, `-3"`) {
				t.Errorf("entity tags %s and %s", *fin.ETag, *again.ETag)
			}
			got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("uploads"), Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
			check(t, err)
			data, err := io.ReadAll(got.Body)
			check(t, err)
			if !bytes.Equal(data, whole) {
				t.Error("the object is not its parts joined")
			}
			for _, r := range []struct {
				name, header string
				from, to     int
			}{
				{"across two parts", "bytes=5242870-5242889", 5242870, 5242890},
				{"the last part", "bytes=-100", len(whole) - 100, len(whole)},
				{"inside the second", "bytes=6000000-6000009", 6000000, 6000010},
				{"from the middle to the end", "bytes=10000000-", 10000000, len(whole)},
			} {
				got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("uploads"), Key: aws.String("k"), Range: &r.header})
				check(t, err)
				data, _ := io.ReadAll(got.Body)
				if !bytes.Equal(data, whole[r.from:r.to]) {
					t.Errorf("%s: %d bytes that are not the range", r.name, len(data))
				}
			}
		})
	}
}
