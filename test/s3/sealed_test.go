package s3

import (
	"strings"
	"testing"

	"fiducial/test/boot"
)

// Server-side encryption as the AWS CLI asks for it.
func TestSealedCLI(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	must := boot.Must(t)
	dir := t.TempDir()
	small, big := file(t, dir+"/small", 100_000), file(t, dir+"/big", 20<<20)
	key := strings.TrimSpace(must(s.AWS("kms", "create-key", "--query", "KeyMetadata.Arn", "--output", "text")))
	must(s.AWS("kms", "create-alias", "--alias-name", "alias/pictures", "--target-key-id", key))
	must(s.AWS("s3", "mb", "s3://media"))
	back := func(name, want string) {
		t.Helper()
		must(s.AWS("s3", "cp", "s3://media/"+name, dir+"/back"))
		if sum(t, dir+"/back") != want {
			t.Errorf("%s came back changed", name)
		}
	}
	must(s.AWS("s3", "cp", dir+"/small", "s3://media/small", "--sse", "aws:kms", "--sse-kms-key-id", key))
	back("small", small)
	must(s.AWS("s3", "cp", dir+"/big", "s3://media/big", "--sse", "aws:kms", "--sse-kms-key-id", "alias/pictures")) // in parts
	back("big", big)
	must(s.AWS("s3", "cp", dir+"/big", "s3://media/own", "--sse"))
	back("own", big)
	must(s.AWS("s3", "cp", "s3://media/own", "s3://media/copy", "--sse", "aws:kms", "--sse-kms-key-id", key)) // by copying parts
	back("copy", big)
	for name, want := range map[string]string{"small": key, "big": key, "copy": key, "own": "AES256"} {
		if out := must(s.AWS("s3api", "head-object", "--bucket", "media", "--key", name)); !strings.Contains(out, want) {
			t.Errorf("%s: %s", name, out)
		}
	}
	must(s.AWS("s3api", "put-bucket-encryption", "--bucket", "media", "--server-side-encryption-configuration",
		`{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"`+key+`"},"BucketKeyEnabled":true}]}`))
	if out := must(s.AWS("s3api", "get-bucket-encryption", "--bucket", "media")); !strings.Contains(out, key) {
		t.Errorf("get-bucket-encryption: %s", out)
	}
	must(s.AWS("s3", "cp", dir+"/small", "s3://media/default"))
	back("default", small)
	must(s.AWS("kms", "disable-key", "--key-id", key))
	if _, err := s.AWS("s3", "cp", "s3://media/default", dir+"/back"); err == nil || !strings.Contains(err.Error(), "KMS.DisabledException") {
		t.Errorf("under a disabled key: %v", err)
	}
	must(s.AWS("s3api", "delete-bucket-encryption", "--bucket", "media"))
	if _, err := s.AWS("s3api", "get-bucket-encryption", "--bucket", "media"); err == nil || !strings.Contains(err.Error(), "ServerSideEncryptionConfigurationNotFoundError") {
		t.Errorf("get-bucket-encryption of none: %v", err)
	}
	// After a restart the keys are there again: the root key opens them.
	must(s.AWS("kms", "enable-key", "--key-id", key))
	s.Stop()
	s.Boot()
	back("default", small)
	back("own", big)
}

// The same with boto3.
func TestSealedBoto3(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	dir := t.TempDir()
	file(t, dir+"/big", 20<<20)
	boot.Must(t)(s.Python(`
import boto3, botocore, sys, hashlib
s3, kms = boto3.client("s3"), boto3.client("kms")
key = kms.create_key()["KeyMetadata"]["Arn"]
s3.create_bucket(Bucket="media")
extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, "SSEKMSEncryptionContext": "eyJ0ZWFtIjoicmVkIn0="}
p = s3.put_object(Bucket="media", Key="k", Body=b"0123456789", **extra)
assert p["ServerSideEncryption"] == "aws:kms" and p["SSEKMSKeyId"] == key, p
assert p["ETag"] != '"%s"' % hashlib.md5(b"0123456789").hexdigest()
g = s3.get_object(Bucket="media", Key="k", Range="bytes=2-4")
assert g["Body"].read() == b"234" and g["SSEKMSKeyId"] == key, g
s3.upload_file(sys.argv[1], "media", "big", ExtraArgs=extra)
h = s3.head_object(Bucket="media", Key="big")
assert h["SSEKMSKeyId"] == key and h["ContentLength"] == 20 << 20, h
s3.download_file("media", "big", sys.argv[1] + ".back")
assert open(sys.argv[1], "rb").read() == open(sys.argv[1] + ".back", "rb").read()
for call, want in (
    (lambda: s3.put_object(Bucket="media", Key="c", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/none"), "KMS.NotFoundException"),
    (lambda: s3.put_object(Bucket="media", Key="c", Body=b"x", ServerSideEncryption="rot13"), "InvalidArgument"),
):
    try:
        call()
        raise SystemExit("not refused")
    except botocore.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == want, e
kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
try:
    s3.get_object(Bucket="media", Key="k")
    raise SystemExit("opens under a key that is to be deleted")
except botocore.exceptions.ClientError as e:
    assert e.response["Error"]["Code"] == "KMS.KMSInvalidStateException", e
kms.cancel_key_deletion(KeyId=key)
kms.enable_key(KeyId=key)
assert s3.get_object(Bucket="media", Key="k")["Body"].read() == b"0123456789"
`, dir+"/big"))
}
