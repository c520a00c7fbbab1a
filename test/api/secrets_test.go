package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"fiducial/test/boot"
)

// shows returns the form in which b holds the secret, "" if in none.
func shows(b []byte, secret string) string {
	raw := []byte(secret)
	forms := map[string]string{
		"as it is": secret, "hexadecimal": hex.EncodeToString(raw), "HEXADECIMAL": strings.ToUpper(hex.EncodeToString(raw)),
		"base64": strings.TrimRight(base64.StdEncoding.EncodeToString(raw), "="), "base64url": base64.RawURLEncoding.EncodeToString(raw),
	}
	for name, f := range forms {
		// A text may be cut at its end by what stands around it in a base64 stream.
		if bytes.Contains(b, []byte(f)) {
			return name
		}
	}
	return ""
}

func TestShows(t *testing.T) {
	for _, b := range []string{"x=secret!", "x=736563726574 ", "x=c2VjcmV0"} {
		if shows([]byte(b), "secret") == "" {
			t.Errorf("%q was overlooked", b)
		}
	}
	if shows([]byte("secre t"), "secret") != "" {
		t.Error("seen where it is not")
	}
}

// TestNoSecretShows runs everything that handles a secret, at the most talkative
// log level, and then looks for each of them in the log, in the audit record, in
// the database and in every other file. The root user's files are the exception:
// they are where the operator finds them.
func TestNoSecretShows(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const photograph = "not really a photograph, but nobody should read it in a file of the server"
	s := boot.Start(t, boot.Options{Args: []string{"--log-level", "debug"}})
	c := kmsClient(s)
	secrets := map[string]string{"the root user's secret access key": boot.SecretAccessKey}

	rootKey, err := os.ReadFile(filepath.Join(s.DataDir, "root-key"))
	must(t, err)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(rootKey)))
	must(t, err)
	secrets["the root key"] = string(raw)

	made, err := c.CreateKey(ctx, &awskms.CreateKeyInput{})
	must(t, err)
	dk, err := c.GenerateDataKey(ctx, &awskms.GenerateDataKeyInput{KeyId: made.KeyMetadata.KeyId, KeySpec: types.DataKeySpecAes256})
	must(t, err)
	secrets["a data key"] = string(dk.Plaintext)
	_, err = c.Encrypt(ctx, &awskms.EncryptInput{KeyId: made.KeyMetadata.KeyId, Plaintext: []byte("a plaintext that was encrypted")})
	must(t, err)
	secrets["a plaintext"] = "a plaintext that was encrypted"
	_, _ = c.Encrypt(ctx, &awskms.EncryptInput{KeyId: aws.String("alias/not-there"), Plaintext: []byte("a plaintext that was refused")})
	secrets["a refused plaintext"] = "a plaintext that was refused"
	random, err := c.GenerateRandom(ctx, &awskms.GenerateRandomInput{NumberOfBytes: aws.Int32(32)})
	must(t, err)
	secrets["random bytes"] = string(random.Plaintext)

	ann := user(t, s, "ann")
	secrets["a user's secret access key"] = ann[1]
	boot.Must(t)(s.AWS("iam", "create-role", "--role-name", "r", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"},"Action":"sts:AssumeRole"}]}`))
	session := strings.Fields(boot.Must(t)(s.AWSAs([]string{"AWS_ACCESS_KEY_ID=" + ann[0], "AWS_SECRET_ACCESS_KEY=" + ann[1]}, "sts", "assume-role",
		"--role-arn", "arn:aws:iam::000000000000:role/r", "--role-session-name", "session", "--query", "Credentials.[SecretAccessKey,SessionToken]", "--output", "text")))
	secrets["a session's secret access key"], secrets["a session token"] = session[0], session[1]

	const password = "Str0ng!passw0rd-of-ann"
	s.Make(boot.Setup{Workers: []boot.Account{{Email: "ann@example.org", Password: password}}})
	_, err = boot.NewWorker(s.Portal, "127.0.0.1", "ann@example.org", password)
	must(t, err)
	secrets["a worker's password"] = password

	photo := filepath.Join(t.TempDir(), "photo")
	must(t, os.WriteFile(photo, []byte(photograph), 0o600))
	boot.Must(t)(s.AWS("s3api", "create-bucket", "--bucket", "private"))
	boot.Must(t)(s.AWS("s3api", "put-object", "--bucket", "private", "--key", "sse-kms", "--body", photo,
		"--server-side-encryption", "aws:kms", "--ssekms-key-id", *made.KeyMetadata.KeyId))
	boot.Must(t)(s.AWS("s3api", "put-object", "--bucket", "private", "--key", "sse-s3", "--body", photo, "--server-side-encryption", "AES256"))
	for _, key := range []string{"sse-kms", "sse-s3"} {
		out := filepath.Join(t.TempDir(), "out")
		boot.Must(t)(s.AWS("s3api", "get-object", "--bucket", "private", "--key", key, out))
		if got, err := os.ReadFile(out); err != nil || string(got) != photograph {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
	secrets["an object"] = photograph
	s.Stop()

	log := []byte(s.Log())
	if !bytes.Contains(log, []byte("level=DEBUG")) && !bytes.Contains(log, []byte("level=INFO")) {
		t.Error("there is no log to look at")
	}
	for name, secret := range secrets {
		if form := shows(log, secret); form != "" {
			t.Errorf("the log shows %s (%s)", name, form)
		}
	}
	must(t, os.Remove(filepath.Join(s.DataDir, "root-key")))
	holds(t, s.DataDir, secrets)
}
