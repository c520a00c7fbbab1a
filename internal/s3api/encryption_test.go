package s3api_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"fiducial/internal/iam"
	"fiducial/internal/kms"
)

// key makes a KMS key; with a policy "" the account's policies decide.
func (e *endpoint) key(policy string) *kms.Target {
	e.t.Helper()
	k, err := e.kms.Create(context.Background(), e.iam.Root(), "", policy, nil, true)
	check(e.t, err)
	return k
}

// content is n bytes that look like themselves wherever they stand.
func content(n int) []byte {
	b := bytes.Repeat([]byte("the picture of patient 4711; "), n/29+1)
	for i := 29; i+8 < n; i += 29 {
		copy(b[i:], hex.EncodeToString([]byte{byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	return b[:n]
}

func get(t testing.TB, c *s3.Client, bucket, key, byteRange string) ([]byte, *s3.GetObjectOutput, error) {
	t.Helper()
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	if byteRange != "" {
		in.Range = &byteRange
	}
	o, err := c.GetObject(context.Background(), in)
	if err != nil {
		return nil, nil, err
	}
	defer o.Body.Close()
	b, err := io.ReadAll(o.Body)
	return b, o, err
}

// onDisk returns the bytes of every blob.
func (e *endpoint) onDisk() map[string][]byte {
	e.t.Helper()
	out := map[string][]byte{}
	names, err := filepath.Glob(filepath.Join(e.dir, "objects", "??", "??", "*"))
	check(e.t, err)
	for _, n := range names {
		if out[n], err = os.ReadFile(n); err != nil {
			e.t.Fatal(err)
		}
	}
	return out
}

func TestSealedObjects(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{})
	c := e.bucket("media")
	k := e.key("")
	check(t, e.kms.CreateAlias(ctx, "alias/pictures", k))
	managed, err := e.kms.Find(ctx, "alias/aws/s3")
	check(t, err)
	userContext := base64.StdEncoding.EncodeToString([]byte(`{"team":"red"}`))
	cases := []struct {
		name string
		in   s3.PutObjectInput
		arn  string // "" for none
	}{
		{"SSE-S3", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAes256}, ""},
		{"SSE-KMS, the default key", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms}, managed.ARN},
		{"SSE-KMS by id", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String(k.Key().ID)}, k.ARN},
		{"SSE-KMS by ARN, with a context", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &k.ARN, SSEKMSEncryptionContext: &userContext}, k.ARN},
		{"SSE-KMS by alias, with a bucket key", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("alias/pictures"), BucketKeyEnabled: aws.Bool(true)}, k.ARN},
	}
	for _, tc := range cases {
		for _, size := range []int{0, 1, 1000, 65479, 65480, 65481, 65536, 200_000} {
			t.Run(fmt.Sprintf("%s/%d", tc.name, size), func(t *testing.T) {
				want, name := content(size), tc.name+strconv.Itoa(size)
				in := tc.in
				in.Bucket, in.Key, in.Body = aws.String("media"), &name, bytes.NewReader(want)
				crc := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(want)))
				in.ChecksumCRC32 = &crc
				put, err := c.PutObject(ctx, &in)
				check(t, err)
				if put.ServerSideEncryption != tc.in.ServerSideEncryption || aws.ToString(put.SSEKMSKeyId) != tc.arn || aws.ToBool(put.BucketKeyEnabled) != aws.ToBool(in.BucketKeyEnabled) {
					t.Errorf("put says %+v", put)
				}
				sum := md5.Sum(want)
				if isMD5 := aws.ToString(put.ETag) == `"`+hex.EncodeToString(sum[:])+`"`; isMD5 != (tc.arn == "") {
					t.Errorf("the entity tag %s is the MD5: %v", aws.ToString(put.ETag), isMD5)
				}
				for range 2 { // from the disk, then perhaps from memory
					got, o, err := get(t, c, "media", name, "")
					check(t, err)
					if !bytes.Equal(got, want) || aws.ToInt64(o.ContentLength) != int64(size) || aws.ToString(o.ETag) != aws.ToString(put.ETag) {
						t.Fatalf("%d bytes come back as %d", size, len(got))
					}
					if o.ServerSideEncryption != tc.in.ServerSideEncryption || aws.ToString(o.SSEKMSKeyId) != tc.arn || aws.ToBool(o.BucketKeyEnabled) != aws.ToBool(in.BucketKeyEnabled) {
						t.Errorf("get says %v %v %v", o.ServerSideEncryption, aws.ToString(o.SSEKMSKeyId), aws.ToBool(o.BucketKeyEnabled))
					}
				}
				for _, r := range [][2]int{{0, 0}, {5, 9}, {65478, 65482}, {65535, 65537}, {131000, 131100}, {size - 1, size - 1}} {
					if r[0] < 0 || r[1] >= size {
						continue
					}
					got, _, err := get(t, c, "media", name, fmt.Sprintf("bytes=%d-%d", r[0], r[1]))
					check(t, err)
					if !bytes.Equal(got, want[r[0]:r[1]+1]) {
						t.Errorf("bytes %v are not those", r)
					}
				}
				head, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("media"), Key: &name, ChecksumMode: types.ChecksumModeEnabled})
				check(t, err)
				if head.ServerSideEncryption != tc.in.ServerSideEncryption || aws.ToInt64(head.ContentLength) != int64(size) || aws.ToString(head.ChecksumCRC32) != crc {
					t.Errorf("head says %v, %d bytes, checksum %q", head.ServerSideEncryption, aws.ToInt64(head.ContentLength), aws.ToString(head.ChecksumCRC32))
				}
			})
		}
	}
	for name, b := range e.onDisk() {
		if bytes.Contains(b, []byte("patient")) {
			t.Errorf("%s holds the plain text", name)
		}
	}
	check(t, e.objects.Put(ctx, e.iam.Root(), "media", "plain", "text/plain", bytes.NewReader(content(1000))))
	found := false
	for _, b := range e.onDisk() {
		found = found || bytes.Contains(b, []byte("patient"))
	}
	if !found {
		t.Error("an object that is not sealed is not found on the disk either: this test could not fail")
	}
}

func TestSealedMultipart(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{})
	c := e.bucket("media")
	k := e.key("")
	first, second := content(5<<20+3), content(70_000)
	check(t, e.objects.Put(ctx, e.iam.Root(), "media", "source", "x/y", bytes.NewReader(append([]byte("head"), second...))))
	for _, alg := range []types.ServerSideEncryption{types.ServerSideEncryptionAes256, types.ServerSideEncryptionAwsKms} {
		name := "big " + string(alg)
		in := &s3.CreateMultipartUploadInput{Bucket: aws.String("media"), Key: &name, ServerSideEncryption: alg}
		if alg == types.ServerSideEncryptionAwsKms {
			in.SSEKMSKeyId = &k.ARN
		}
		u, err := c.CreateMultipartUpload(ctx, in)
		check(t, err)
		if u.ServerSideEncryption != alg || aws.ToString(u.SSEKMSKeyId) != aws.ToString(in.SSEKMSKeyId) {
			t.Errorf("create says %+v", u)
		}
		p1, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: in.Bucket, Key: &name, UploadId: u.UploadId, PartNumber: aws.Int32(3), Body: bytes.NewReader(first)})
		check(t, err)
		p2, err := c.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: in.Bucket, Key: &name, UploadId: u.UploadId, PartNumber: aws.Int32(7),
			CopySource: aws.String("media/source"), CopySourceRange: aws.String("bytes=4-70003")})
		check(t, err)
		if p1.ServerSideEncryption != alg || p2.ServerSideEncryption != alg {
			t.Errorf("the parts say %v and %v", p1.ServerSideEncryption, p2.ServerSideEncryption)
		}
		done, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: in.Bucket, Key: &name, UploadId: u.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{
				{PartNumber: aws.Int32(3), ETag: p1.ETag, ChecksumCRC32: p1.ChecksumCRC32}, {PartNumber: aws.Int32(7), ETag: p2.CopyPartResult.ETag}}}})
		check(t, err)
		if done.ServerSideEncryption != alg {
			t.Errorf("complete says %v", done.ServerSideEncryption)
		}
		whole := append(append([]byte{}, first...), second...)
		got, o, err := get(t, c, "media", name, "")
		check(t, err)
		if !bytes.Equal(got, whole) || o.ServerSideEncryption != alg {
			t.Errorf("%v: %d bytes come back as %d", alg, len(whole), len(got))
		}
		got, _, err = get(t, c, "media", name, "bytes=5242800-5243000")
		check(t, err)
		if !bytes.Equal(got, whole[5242800:5243001]) {
			t.Error("a range over the border of two parts is not those bytes")
		}
		part, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: in.Bucket, Key: &name, PartNumber: aws.Int32(2)})
		check(t, err)
		if b, err := io.ReadAll(part.Body); err != nil || !bytes.Equal(b, second) {
			t.Errorf("part 2 is not those bytes, %v", err)
		}
		// The engine reads by a stream.
		r, _, err := e.objects.Get(ctx, e.iam.Root(), "media", name)
		check(t, err)
		if b, err := io.ReadAll(io.MultiReader(io.LimitReader(r, 10), r)); err != nil || !bytes.Equal(b, whole) {
			t.Errorf("the stream gives %d bytes, %v", len(b), err)
		}
		check(t, r.Close())
	}
	sealed := 0
	for name, b := range e.onDisk() {
		if bytes.Contains(b, []byte("patient")) && len(b) != 70_004 {
			t.Errorf("%s holds the plain text", name)
		}
		sealed++
	}
	if sealed != 5 {
		t.Errorf("%d blobs, want the source and four parts", sealed)
	}
}

func TestSealedCopies(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{})
	want := content(100_000)
	c := e.bucket("media", "plain", string(want))
	one, two := e.key(""), e.key("")
	copyTo := func(from, to string, in s3.CopyObjectInput) *s3.CopyObjectOutput {
		t.Helper()
		in.Bucket, in.Key, in.CopySource = aws.String("media"), &to, aws.String("media/"+from)
		o, err := c.CopyObject(ctx, &in)
		check(t, err)
		got, _, err := get(t, c, "media", to, "")
		check(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("the copy of %s to %s is not the same", from, to)
		}
		return o
	}
	under := func(k *kms.Target) s3.CopyObjectInput {
		return s3.CopyObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &k.ARN}
	}
	if o := copyTo("plain", "sealed", under(one)); aws.ToString(o.SSEKMSKeyId) != one.ARN {
		t.Errorf("%+v", o)
	}
	if o := copyTo("sealed", "other", under(two)); aws.ToString(o.SSEKMSKeyId) != two.ARN {
		t.Errorf("%+v", o)
	}
	if o := copyTo("sealed", "opened", s3.CopyObjectInput{}); o.ServerSideEncryption != "" {
		t.Errorf("a copy takes over the encryption of its source: %+v", o)
	}
	if o := copyTo("sealed", "sealed", under(two)); aws.ToString(o.SSEKMSKeyId) != two.ARN {
		t.Errorf("sealed anew: %+v", o)
	}
	if o := copyTo("plain", "plain", s3.CopyObjectInput{ServerSideEncryption: types.ServerSideEncryptionAes256}); o.ServerSideEncryption != types.ServerSideEncryptionAes256 {
		t.Errorf("sealed in place: %+v", o)
	}
	check(t, e.kms.SetEnabled(ctx, two, false))
	_, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("media"), Key: aws.String("stolen"), CopySource: aws.String("media/other")})
	if code(err) != "KMS.DisabledException" {
		t.Errorf("a copy opens what is under a disabled key: %v", err)
	}
}

func TestBucketEncryption(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{rows: -1})
	c := e.bucket("media")
	k := e.key("")
	get := &s3.GetBucketEncryptionInput{Bucket: aws.String("media")}
	if _, err := c.GetBucketEncryption(ctx, get); code(err) != "ServerSideEncryptionConfigurationNotFoundError" {
		t.Errorf("before: %v", err)
	}
	put := func(d types.ServerSideEncryptionByDefault, bucketKey bool) error {
		_, err := c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: aws.String("media"), ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &d, BucketKeyEnabled: &bucketKey}}}})
		return err
	}
	object := func(in s3.PutObjectInput) *s3.PutObjectOutput {
		t.Helper()
		in.Bucket, in.Key, in.Body = aws.String("media"), aws.String("k"), strings.NewReader("x")
		o, err := c.PutObject(ctx, &in)
		check(t, err)
		return o
	}
	if o := object(s3.PutObjectInput{}); o.ServerSideEncryption != "" {
		t.Errorf("without a default: %+v", o)
	}
	check(t, put(types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}, false))
	if o := object(s3.PutObjectInput{}); o.ServerSideEncryption != types.ServerSideEncryptionAes256 {
		t.Errorf("by default: %+v", o)
	}
	check(t, put(types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &k.ARN}, true))
	if o := object(s3.PutObjectInput{}); aws.ToString(o.SSEKMSKeyId) != k.ARN || !aws.ToBool(o.BucketKeyEnabled) {
		t.Errorf("by default: %+v", o)
	}
	if o := object(s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAes256}); o.ServerSideEncryption != types.ServerSideEncryptionAes256 {
		t.Errorf("the request's own: %+v", o)
	}
	b, err := c.GetBucketEncryption(ctx, get)
	check(t, err)
	if r := b.ServerSideEncryptionConfiguration.Rules; len(r) != 1 || aws.ToString(r[0].ApplyServerSideEncryptionByDefault.KMSMasterKeyID) != k.ARN || !aws.ToBool(r[0].BucketKeyEnabled) {
		t.Errorf("%+v", r)
	}
	for _, tc := range []struct {
		name, want string
		d          types.ServerSideEncryptionByDefault
	}{
		{"an unknown algorithm", "InvalidArgument", types.ServerSideEncryptionByDefault{SSEAlgorithm: "rot13"}},
		{"two layers", "NotImplemented", types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKmsDsse}},
		{"a key for AES256", "InvalidArgument", types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256, KMSMasterKeyID: &k.ARN}},
	} {
		if err := put(tc.d, false); code(err) != tc.want {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	_, err = c.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: aws.String("media")})
	check(t, err)
	if o := object(s3.PutObjectInput{}); o.ServerSideEncryption != "" {
		t.Errorf("afterwards: %+v", o)
	}
	other := e.user("nobody", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*Object","Resource":"*"}]}`)
	if _, err := other.GetBucketEncryption(ctx, get); code(err) != "AccessDenied" {
		t.Errorf("without s3:GetEncryptionConfiguration: %v", err)
	}
	if _, err := other.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: aws.String("media")}); code(err) != "AccessDenied" {
		t.Errorf("without s3:PutEncryptionConfiguration: %v", err)
	}
}

// message is what the server said.
func message(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorMessage()
	}
	return ""
}

func TestEncryptionRefused(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{})
	c := e.bucket("media", "k", "x")
	b64 := func(s string) *string { return aws.String(base64.StdEncoding.EncodeToString([]byte(s))) }
	kmsPut := types.ServerSideEncryptionAwsKms
	for _, tc := range []struct {
		name string
		in   s3.PutObjectInput
		code string
		say  string
	}{
		{"an unknown method", s3.PutObjectInput{ServerSideEncryption: "rot13"}, "InvalidArgument", "x-amz-server-side-encryption"},
		{"two layers", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKmsDsse}, "NotImplemented", "aws:kms:dsse"},
		{"a key for AES256", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAes256, SSEKMSKeyId: aws.String("k")}, "InvalidArgument", "x-amz-server-side-encryption-aws-kms-key-id"},
		{"a key for nothing", s3.PutObjectInput{SSEKMSKeyId: aws.String("k")}, "InvalidArgument", "x-amz-server-side-encryption-aws-kms-key-id"},
		{"a context for nothing", s3.PutObjectInput{SSEKMSEncryptionContext: b64(`{}`)}, "InvalidArgument", "x-amz-server-side-encryption-context"},
		{"a context in clear", s3.PutObjectInput{ServerSideEncryption: kmsPut, SSEKMSEncryptionContext: aws.String(`{"a":"b"}`)}, "InvalidArgument", "x-amz-server-side-encryption-context"},
		{"a context of numbers", s3.PutObjectInput{ServerSideEncryption: kmsPut, SSEKMSEncryptionContext: b64(`{"a":1}`)}, "InvalidArgument", "x-amz-server-side-encryption-context"},
		{"a context for another object", s3.PutObjectInput{ServerSideEncryption: kmsPut, SSEKMSEncryptionContext: b64(`{"AWS:s3:arn":"arn:aws:s3:::media/other"}`)}, "InvalidArgument", "x-amz-server-side-encryption-context"},
		{"no such key", s3.PutObjectInput{ServerSideEncryption: kmsPut, SSEKMSKeyId: aws.String("00000000-0000-0000-0000-000000000000")}, "KMS.NotFoundException", "does not exist"},
		{"no such alias", s3.PutObjectInput{ServerSideEncryption: kmsPut, SSEKMSKeyId: aws.String("alias/none")}, "KMS.NotFoundException", "alias/none"},
		{"a key of another account", s3.PutObjectInput{ServerSideEncryption: kmsPut, SSEKMSKeyId: aws.String("arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000000")}, "KMS.NotFoundException", ""},
	} {
		in := tc.in
		in.Bucket, in.Key, in.Body = aws.String("media"), aws.String("k"), strings.NewReader("y")
		_, err := c.PutObject(ctx, &in)
		if code(err) != tc.code || !strings.Contains(message(err), tc.say) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if b, _, err := get(t, c, "media", "k", ""); err != nil || string(b) != "x" {
		t.Errorf("a refused write changed the object: %q %v", b, err)
	}
	for name, header := range map[string]string{
		"SSE-C on GET": "X-Amz-Server-Side-Encryption-Customer-Algorithm", "SSE-S3 on GET": "X-Amz-Server-Side-Encryption",
	} {
		url := e.grant("k", "127.0.0.1", time.Now(), time.Minute)
		status, body := status(t, http.DefaultClient, "GET", url, http.Header{header: {"AES256"}})
		if status < 400 || strings.Contains(body, ">x<") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// TestEncryptionDemanded pins the condition keys that bucket policies use to
// demand encryption.
func TestEncryptionDemanded(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{})
	k := e.key("")
	c := e.bucket("media")
	_, err := c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("media"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::media/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}},
		{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::media/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"` + k.ARN + `"}}}]}`)})
	check(t, err)
	user := e.user("writer", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}`)
	for _, tc := range []struct {
		name string
		in   s3.PutObjectInput
		want string
	}{
		{"nothing", s3.PutObjectInput{}, "AccessDenied"},
		{"SSE-S3", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAes256}, "AccessDenied"},
		{"another key", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms}, "AccessDenied"},
		{"the key by ARN", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &k.ARN}, ""},
		{"the key by id", s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String(k.Key().ID)}, ""},
	} {
		in := tc.in
		in.Bucket, in.Key, in.Body = aws.String("media"), aws.String("k"), strings.NewReader("y")
		if _, err := user.PutObject(ctx, &in); code(err) != tc.want {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	// What the server writes for a role is asked the same.
	check(t, e.objects.PutUnder(ctx, e.caller("engine", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}`), k.Key().ID, "media", "out", "x/y", strings.NewReader("z")))
	if _, o, err := get(t, c, "media", "out", ""); err != nil || aws.ToString(o.SSEKMSKeyId) != k.ARN {
		t.Errorf("%v", err)
	}
}

// caller makes a role with one policy and a session of it, as the engine has one.
func (e *endpoint) caller(name, policy string) *iam.Caller {
	e.t.Helper()
	ctx := context.Background()
	_, err := e.iam.CreateRole(ctx, iam.NewRole{Name: name, TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
	check(e.t, err)
	check(e.t, e.iam.PutPolicy(ctx, iam.Owner{Kind: iam.OfRole, Name: name}, iam.InlinePolicy{Name: "p", Document: policy}))
	_, c, err := e.iam.AssumeRoleForService(ctx, iam.ServiceSession{RoleARN: "arn:aws:iam::" + account + ":role/" + name, SessionName: "s", Duration: time.Hour})
	check(e.t, err)
	return c
}

// TestKeyState pins that the state of the key counts at every read, whatever is
// kept in memory, and what is said.
func TestKeyState(t *testing.T) {
	ctx := context.Background()
	now := time.Now()
	e := start(t, settings{keyNow: func() time.Time { return now }})
	c := e.bucket("media")
	k := e.key("")
	for _, size := range []int{100, 150_000} {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("media"), Key: aws.String(strconv.Itoa(size)), Body: bytes.NewReader(content(size)),
			ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &k.ARN})
		check(t, err)
	}
	expect := func(when, want, say string) {
		t.Helper()
		for _, size := range []int{100, 150_000} {
			name := strconv.Itoa(size)
			b, _, err := get(t, c, "media", name, "")
			if code(err) != want || !strings.Contains(message(err), say) || want == "" && !bytes.Equal(b, content(size)) {
				t.Errorf("%s: %d bytes: %v", when, size, err)
			}
			if _, _, err = get(t, c, "media", name, "bytes=1-2"); code(err) != want {
				t.Errorf("%s: a range: %v", when, err)
			}
			if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("media"), Key: &name}); err != nil {
				t.Errorf("%s: head: %v", when, err)
			}
		}
	}
	expect("enabled", "", "")
	check(t, e.kms.SetEnabled(ctx, k, false))
	expect("disabled", "KMS.DisabledException", "is disabled")
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("media"), Key: aws.String("new"), Body: strings.NewReader("x"),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &k.ARN})
	if code(err) != "KMS.DisabledException" {
		t.Errorf("a write under a disabled key: %v", err)
	}
	check(t, e.kms.SetEnabled(ctx, k, true))
	expect("enabled again", "", "")
	_, err = e.kms.ScheduleDeletion(ctx, k, 7)
	check(t, err)
	expect("to be deleted", "KMS.KMSInvalidStateException", "pending deletion")
	now = now.Add(8 * 24 * time.Hour)
	expect("deleted", "KMS.NotFoundException", "the object is lost")
	denied := 0
	for _, r := range e.records() {
		if r["verdict"] == "deny" && strings.HasPrefix(text(r["error"]), "KMS.") && r["action"] == "s3:GetObject" {
			denied++
		}
	}
	if denied != 12 {
		t.Errorf("%d refusals are on record, want 12", denied)
	}
}

func text(v any) string { s, _ := v.(string); return s }

// TestKeyPermission pins that s3:GetObject alone opens nothing.
func TestKeyPermission(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{})
	root := e.bucket("media")
	k := e.key("")
	put := func(c *s3.Client, name string) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("media"), Key: &name, Body: strings.NewReader("secret"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
			ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &k.ARN})
		return err
	}
	check(t, put(root, "k"))
	const s3only = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	outsider := e.user("outsider", s3only)
	if _, _, err := get(t, outsider, "media", "k", ""); code(err) != "AccessDenied" || !strings.Contains(message(err), "kms:Decrypt") {
		t.Errorf("get: %v", err)
	}
	if err := put(outsider, "other"); code(err) != "AccessDenied" || !strings.Contains(message(err), "kms:GenerateDataKey") {
		t.Errorf("put: %v", err)
	}
	if _, err := outsider.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("media"), Key: aws.String("k")}); err != nil {
		t.Errorf("head tells nothing of the content, and is refused: %v", err)
	}
	if o, err := outsider.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("media"), Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled}); err == nil {
		t.Errorf("head tells the checksum %s", aws.ToString(o.ChecksumSHA256))
	}
	if _, err := outsider.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("media"), Key: aws.String("copy"), CopySource: aws.String("media/k")}); code(err) != "AccessDenied" {
		t.Errorf("copy: %v", err)
	}
	if u, err := outsider.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String("media"), Key: aws.String("u"), ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &k.ARN}); code(err) != "AccessDenied" {
		t.Errorf("upload: %v %v", u, err)
	}
	for name, tc := range map[string]struct{ condition, want string }{
		"anywhere":           {`{}`, ""},
		"through S3":         {`{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`, ""},
		"through SageMaker":  {`{"StringEquals":{"kms:ViaService":"sagemaker.us-east-1.amazonaws.com"}}`, "AccessDenied"},
		"for this object":    {`{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::media/k"}}`, ""},
		"for another object": {`{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::media/l"}}`, "AccessDenied"},
	} {
		u := e.user("u-"+strings.ReplaceAll(name, " ", "-"), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+k.ARN+`","Condition":`+tc.condition+`}]}`)
		if b, _, err := get(t, u, "media", "k", ""); code(err) != tc.want || tc.want == "" && string(b) != "secret" {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	for _, r := range e.records() {
		if r["verdict"] == "deny" && r["action"] == "s3:GetObject" && (r["statement"] != "key" || !strings.Contains(text(r["reason"]), "kms:Decrypt")) {
			t.Errorf("the record does not tell the gate: %v", r)
		}
	}
}

// TestSealedMedia is a grant for an object under SSE-KMS: it opens from the one
// address, if the role may use the key and the key is enabled.
func TestSealedMedia(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{})
	c := e.bucket("media")
	k := e.key("")
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("media"), Key: aws.String("k"), Body: strings.NewReader("secret"),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &k.ARN})
	check(t, err)
	url := e.grant("k", "127.0.0.1", time.Now(), time.Minute)
	expect := func(when, address string, want int, body string) {
		t.Helper()
		for range 3 { // the third time the URL's signature is known
			if got, b := status(t, from(address), "GET", url, nil); got != want || !strings.Contains(b, body) || want != 200 && strings.Contains(b, "secret") {
				t.Errorf("%s: %d %s", when, got, b)
			}
		}
	}
	expect("a role without the key", "127.0.0.1", 403, "kms:Decrypt")
	check(t, e.iam.PutPolicy(ctx, iam.Owner{Kind: iam.OfRole, Name: "labeler"}, iam.InlinePolicy{Name: "key", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + k.ARN + `"}]}`}))
	expect("a role with the key", "127.0.0.1", 200, "secret")
	expect("another address", "127.0.0.2", 403, "AccessDenied")
	check(t, e.kms.SetEnabled(ctx, k, false))
	expect("disabled", "127.0.0.1", 400, "KMS.DisabledException")
	check(t, e.kms.SetEnabled(ctx, k, true))
	expect("enabled", "127.0.0.1", 200, "secret")
	check(t, e.iam.DeletePolicy(ctx, iam.Owner{Kind: iam.OfRole, Name: "labeler"}, "key"))
	expect("the role lost the key", "127.0.0.1", 403, "kms:Decrypt")
}

// TestSealedOnDisk pins what a hand on the disk can do: nothing but harm.
func TestSealedOnDisk(t *testing.T) {
	ctx := context.Background()
	e := start(t, settings{})
	c := e.bucket("media")
	want := map[string][]byte{"a": bytes.Repeat([]byte("a"), 300_000), "b": bytes.Repeat([]byte("b"), 300_000)}
	paths := map[string]string{}
	for name, b := range want {
		before := e.onDisk()
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("media"), Key: &name, Body: bytes.NewReader(b), ServerSideEncryption: types.ServerSideEncryptionAes256})
		check(t, err)
		for p := range e.onDisk() {
			if before[p] == nil {
				paths[name] = p
			}
		}
	}
	a, err := os.ReadFile(paths["a"])
	check(t, err)
	b, err := os.ReadFile(paths["b"])
	check(t, err)
	try := func(name string, bytesOfA []byte, byteRange string, opens bool) {
		t.Helper()
		check(t, os.WriteFile(paths["a"], bytesOfA, 0o600))
		got, _, err := get(t, c, "media", "a", byteRange)
		if bytes.Contains(got, []byte("b")) {
			t.Errorf("%s: shows bytes of another object", name)
		}
		if opens != (err == nil) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	flip := func(at int) []byte { c := bytes.Clone(a); c[at] ^= 1; return c }
	try("as it was", a, "", true)
	try("another object's bytes", b, "", false)
	try("a bit of the head", flip(7), "", false)
	try("a bit of the first segment", flip(100), "", false)
	try("a bit of the last segment", flip(len(a)-1), "", false)
	try("shortened by a segment", a[:4*65536], "", false)
	try("shortened by a byte", a[:len(a)-1], "", false)
	try("segments in another order", append(append(append(bytes.Clone(a[:65536]), a[2*65536:3*65536]...), a[65536:2*65536]...), a[3*65536:]...), "", false)
	// A range opens its own segments and no other.
	try("damaged behind the range", flip(len(a)-1), "bytes=0-99", true)
	try("damaged before the range", flip(100), "bytes=299000-299999", true)
	try("damaged in the range", flip(len(a)-1), "bytes=299000-299999", false)
}
