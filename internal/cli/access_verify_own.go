package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"fiducial/internal/external"
	"fiducial/internal/sigv4"
)

// ownTarget is what the server's own storage is tried with. What make makes,
// remove takes away.
type ownTarget struct {
	*client
	account, bucket string
	name            string // of the user, the role and, if none was given, the bucket
	made            bool   // the bucket is ours
	sts             *sts.Client
	keyID           string
}

const (
	verifyKey   = ".fiducial/probe"
	verifyOther = ".fiducial/probe-other"
)

func (t *ownTarget) make(ctx context.Context) error {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // it never fails; the process ends instead
	t.name = "fiducial-verify-" + hex.EncodeToString(b)
	if t.bucket == "" {
		t.bucket, t.made = t.name, true
		if err := t.put(ctx, t.bucket, "", "", nil); err != nil {
			return err
		}
	}
	for _, k := range []string{verifyKey, verifyOther} {
		if err := t.put(ctx, t.bucket, k, "text/plain", []byte("tried by fiducial access verify\n")); err != nil {
			return err
		}
	}
	user := "arn:aws:iam::" + t.account + ":user/" + t.name
	trust, _ := json.Marshal(object{"Version": "2012-10-17", "Statement": []object{{"Effect": "Allow", "Principal": object{"AWS": user}, "Action": "sts:AssumeRole"}}})
	rights, _ := json.Marshal(object{"Version": "2012-10-17", "Statement": []object{
		{"Effect": "Allow", "Action": []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, "Resource": "arn:aws:s3:::" + t.bucket + "/*"},
		{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::" + t.bucket}}})
	if err := t.iam(ctx, "CreateUser", "UserName", t.name); err != nil {
		return err
	}
	if err := t.iam(ctx, "CreateRole", "RoleName", t.name, "AssumeRolePolicyDocument", string(trust)); err != nil {
		return err
	}
	if err := t.iam(ctx, "PutRolePolicy", "RoleName", t.name, "PolicyName", "verify", "PolicyDocument", string(rights)); err != nil {
		return err
	}
	id, secret, err := t.iamKey(ctx)
	if err != nil {
		return err
	}
	t.keyID = id
	t.sts = sts.New(sts.Options{Region: t.region, BaseEndpoint: &t.base, Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
	return nil
}

func (t *ownTarget) iam(ctx context.Context, action string, pairs ...string) error {
	in := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		in[pairs[i]] = pairs[i+1]
	}
	if err := t.query(ctx, "iam", "2010-05-08", action, in); err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// target tries with sessions that say what a grant's session says: one object,
// one origin.
func (t *ownTarget) target() external.Target {
	return external.Target{
		Bucket: t.bucket, Kind: external.S3, Base: t.base + "/" + t.bucket, Region: t.region, Key: verifyKey, Other: verifyOther, Now: time.Now,
		Session: t.session, Revoke: t.removeRole,
	}
}

func (t *ownTarget) session(ctx context.Context, condition string) (sigv4.Credentials, error) {
	statement := object{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::" + t.bucket + "/" + verifyKey}
	if condition != "" {
		statement["Condition"] = json.RawMessage(condition)
	}
	doc, err := json.Marshal(object{"Version": "2012-10-17", "Statement": []object{statement}})
	if err != nil {
		return sigv4.Credentials{}, err
	}
	out, err := t.sts.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + t.account + ":role/" + t.name), RoleSessionName: aws.String("verify"), Policy: aws.String(string(doc)), DurationSeconds: aws.Int32(900),
	})
	if err != nil {
		return sigv4.Credentials{}, err
	}
	c := out.Credentials
	return sigv4.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}, nil
}

// removeRole ends the role's sessions.
func (t *ownTarget) removeRole(ctx context.Context) error {
	return errors.Join(t.iam(ctx, "DeleteRolePolicy", "RoleName", t.name, "PolicyName", "verify"), t.iam(ctx, "DeleteRole", "RoleName", t.name))
}

// remove takes away what is left. What was never made is no trouble.
func (t *ownTarget) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if t.name == "" {
		return
	}
	_ = t.removeRole(ctx)
	if t.keyID != "" {
		_ = t.iam(ctx, "DeleteAccessKey", "UserName", t.name, "AccessKeyId", t.keyID)
	}
	_ = t.iam(ctx, "DeleteUser", "UserName", t.name)
	for _, k := range []string{"/" + verifyKey, "/" + verifyKey + ".written", "/" + verifyOther, ""} {
		if k != "" || t.made {
			_, _ = t.do(ctx, "s3", http.MethodDelete, "/"+t.bucket+k, nil, nil)
		}
	}
}

// readRootCredentials reads the root key that a server made on its first start.
func readRootCredentials(dir string) (id, secret string, err error) {
	path := filepath.Join(dir, "root-credentials")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("there is no %s: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --data-dir to the server's", path)
	}
	if err != nil {
		return "", "", err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		k, v, _ := strings.Cut(line, "=")
		switch strings.TrimSpace(k) {
		case "aws_access_key_id":
			id = strings.TrimSpace(v)
		case "aws_secret_access_key":
			secret = strings.TrimSpace(v)
		}
	}
	if id == "" || secret == "" {
		return "", "", fmt.Errorf("%s has no key in it", path)
	}
	return id, secret, nil
}
