package api

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"fiducial/test/boot"
)

//go:embed testdata/kms.py
var kmsProgram string

func TestKMSBoto3(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	boot.Must(t)(s.Python("import json, boto3, botocore\n" + kmsProgram))
}

func kmsClient(s *boot.Server) *awskms.Client {
	return awskms.NewFromConfig(aws.Config{Region: boot.Region, BaseEndpoint: aws.String(s.API),
		Credentials: credentials.NewStaticCredentialsProvider(boot.AccessKeyID, boot.SecretAccessKey, "")})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The newest SDK's types of errors are what its users catch.
func TestKMSSDK(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := kmsClient(boot.Start(t, boot.Options{}))
	made, err := c.CreateKey(ctx, &awskms.CreateKeyInput{Description: aws.String("a key")})
	must(t, err)
	id := made.KeyMetadata.KeyId
	dk, err := c.GenerateDataKey(ctx, &awskms.GenerateDataKeyInput{KeyId: id, KeySpec: types.DataKeySpecAes256, EncryptionContext: map[string]string{"a": "b"}})
	must(t, err)
	got, err := c.Decrypt(ctx, &awskms.DecryptInput{CiphertextBlob: dk.CiphertextBlob, EncryptionContext: map[string]string{"a": "b"}})
	must(t, err)
	if string(got.Plaintext) != string(dk.Plaintext) || len(dk.Plaintext) != 32 || *got.KeyId != *made.KeyMetadata.Arn {
		t.Errorf("another key came back: %s", *got.KeyId)
	}
	_, err = c.Decrypt(ctx, &awskms.DecryptInput{CiphertextBlob: dk.CiphertextBlob})
	as[*types.InvalidCiphertextException](t, err)
	_, err = c.DisableKey(ctx, &awskms.DisableKeyInput{KeyId: id})
	must(t, err)
	_, err = c.Decrypt(ctx, &awskms.DecryptInput{CiphertextBlob: dk.CiphertextBlob, EncryptionContext: map[string]string{"a": "b"}})
	as[*types.DisabledException](t, err)
	_, err = c.ScheduleKeyDeletion(ctx, &awskms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)})
	must(t, err)
	_, err = c.Encrypt(ctx, &awskms.EncryptInput{KeyId: id, Plaintext: []byte("x")})
	as[*types.KMSInvalidStateException](t, err)
	_, err = c.DescribeKey(ctx, &awskms.DescribeKeyInput{KeyId: aws.String("alias/nothing")})
	as[*types.NotFoundException](t, err)
	_, err = c.CreateAlias(ctx, &awskms.CreateAliasInput{AliasName: aws.String("alias/aws/x"), TargetKeyId: id})
	as[*types.InvalidAliasNameException](t, err)
	_, err = c.ListKeys(ctx, &awskms.ListKeysInput{Marker: aws.String("!")})
	as[*types.InvalidMarkerException](t, err)
	_, err = c.PutKeyPolicy(ctx, &awskms.PutKeyPolicyInput{KeyId: id, Policy: aws.String("{}")})
	as[*types.MalformedPolicyDocumentException](t, err)
	_, err = c.DescribeKey(ctx, &awskms.DescribeKeyInput{KeyId: aws.String("arn:aws:s3:::x")})
	as[*types.InvalidArnException](t, err)
}

func as[E error](t *testing.T, err error) {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Errorf("got %v, want %T", err, want)
	}
}

func TestKMSCLI(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{})
	run := func(args ...string) string {
		t.Helper()
		return strings.TrimSpace(boot.Must(t)(s.AWS(append(append([]string{"kms"}, args...), "--output", "text")...)))
	}
	key := run("create-key", "--description", "a key", "--tags", "TagKey=team,TagValue=red", "--query", "KeyMetadata.KeyId")
	run("create-alias", "--alias-name", "alias/cli", "--target-key-id", key)
	hello := filepath.Join(t.TempDir(), "hello")
	must(t, os.WriteFile(hello, []byte("hello"), 0o600))
	blob := run("encrypt", "--key-id", "alias/cli", "--plaintext", "fileb://"+hello, "--encryption-context", "a=b", "--query", "CiphertextBlob")
	file := filepath.Join(t.TempDir(), "blob")
	raw, err := base64.StdEncoding.DecodeString(blob)
	must(t, err)
	must(t, os.WriteFile(file, raw, 0o600))
	if got := run("decrypt", "--ciphertext-blob", "fileb://"+file, "--encryption-context", "a=b", "--query", "Plaintext"); got != base64.StdEncoding.EncodeToString([]byte("hello")) {
		t.Errorf("decrypted %q", got)
	}
	if got := run("get-key-policy", "--key-id", key, "--policy-name", "default", "--query", "Policy"); !strings.Contains(got, "Enable IAM User Permissions") {
		t.Errorf("policy %q", got)
	}
	run("disable-key", "--key-id", key)
	if _, err := s.AWS("kms", "decrypt", "--ciphertext-blob", "fileb://"+file, "--encryption-context", "a=b"); err == nil || !strings.Contains(err.Error(), "(DisabledException)") {
		t.Errorf("with a disabled key: %v", err)
	}
}

// The root key of one server is a key in the KMS of another, which stands for AWS.
func TestRootKeyInKMS(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	far := boot.Start(t, boot.Options{})
	c := kmsClient(far)
	made, err := c.CreateKey(ctx, &awskms.CreateKeyInput{})
	must(t, err)
	arn := *made.KeyMetadata.Arn
	env := []string{"FIDUCIAL_ROOT_KEY=aws-kms:" + arn + "?endpoint=" + far.API,
		"AWS_ACCESS_KEY_ID=" + boot.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + boot.SecretAccessKey, "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=*", "no_proxy=*"}
	near := boot.Start(t, boot.Options{Env: env})
	key := user(t, near, "ann")
	near.Stop()
	if _, err := os.Stat(filepath.Join(near.DataDir, "root-key")); err == nil {
		t.Error("a root key file was made beside")
	}
	near.Boot()
	who(t, near, key, true)
	near.Stop()

	// Without the far key the server says so and does not start.
	_, err = c.DisableKey(ctx, &awskms.DisableKeyInput{KeyId: &arn})
	must(t, err)
	out, err := start(near.DataDir, env...)
	if err == nil || !strings.Contains(out, "AWS KMS does not use the key "+arn) && !strings.Contains(out, "cannot be opened with the root key") {
		t.Errorf("started without its root key: %v\n%s", err, out)
	}
	_, err = c.EnableKey(ctx, &awskms.EnableKeyInput{KeyId: &arn})
	must(t, err)
	near.Boot()
	who(t, near, key, true)
}

// user makes an IAM user with a key, whose secret is sealed in the database.
func user(t testing.TB, s *boot.Server, name string) [2]string {
	t.Helper()
	boot.Must(t)(s.AWS("iam", "create-user", "--user-name", name))
	out := strings.Fields(boot.Must(t)(s.AWS("iam", "create-access-key", "--user-name", name, "--query", "AccessKey.[AccessKeyId,SecretAccessKey]", "--output", "text")))
	return [2]string{out[0], out[1]}
}

// who checks whether a user's key still opens.
func who(t testing.TB, s *boot.Server, key [2]string, want bool) {
	t.Helper()
	out, err := s.AWSAs([]string{"AWS_ACCESS_KEY_ID=" + key[0], "AWS_SECRET_ACCESS_KEY=" + key[1]}, "sts", "get-caller-identity")
	if (err == nil) != want {
		t.Errorf("%v %s", err, out)
	}
}

// start runs serve on a data folder until it ends, which it is expected to.
func start(dir string, env ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := boot.Command(ctx, "serve", "--data-dir", dir, "--api-addr", "127.0.0.1:0", "--portal-addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0")
	c.Env = append(c.Env, env...)
	out, err := c.CombinedOutput()
	if ctx.Err() != nil {
		return string(out), nil // it serves
	}
	return string(out), err
}
