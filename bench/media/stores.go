package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"fiducial/internal/sigv4"
)

const storeRole = "arn:aws:iam::" + account + ":role/store"

// startStores starts the other stores that can be had.
func (b *bench) startStores(ctx context.Context) error {
	for _, s := range []struct {
		name, given, binary, hint string
		start                     func(ctx context.Context, bin, secret string) (*process, string, error)
	}{
		{"MinIO", b.minio, "minio", "-minio or FIDUCIAL_MINIO", b.startMinIO},
		{"SeaweedFS", b.weed, "weed", "-weed or FIDUCIAL_WEED", b.startWeed},
	} {
		bin, err := exec.LookPath(cmp.Or(s.given, s.binary))
		if err != nil {
			b.absent = append(b.absent, fmt.Sprintf("%s is not installed (%s); nothing is claimed about it", s.name, s.hint))
			continue
		}
		secret := rand.Text()
		p, base, err := s.start(ctx, bin, secret)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := b.addStore(ctx, s.name, p, base, secret); err != nil {
			return fmt.Errorf("%s: %w\n%s", s.name, err, p.log.String())
		}
	}
	return nil
}

// addStore fills a store and makes one session of its STS for each object, bound
// to 127.0.0.1 as Fiducial's are.
func (b *bench) addStore(ctx context.Context, name string, p *process, base, secret string) error {
	cred := credentials.NewStaticCredentialsProvider(rootID, secret, "")
	bucket := s3.New(s3.Options{BaseEndpoint: &base, Region: region, UsePathStyle: true, Credentials: cred})
	var err error
	for range 60 { // a store that listens is not always ready
		if _, err = bucket.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("media")}); err == nil {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	roles := sts.New(sts.Options{BaseEndpoint: &base, Region: region, Credentials: cred})
	endpoint, err := sigv4.NewEndpoint(base, region)
	if err != nil {
		return err
	}
	for _, size := range sizes {
		data, err := os.ReadFile(filepath.Join(b.files(), size.name))
		if err != nil {
			return err
		}
		if _, err := bucket.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("media"), Key: aws.String(size.name), ContentType: aws.String("image/jpeg"), Body: bytes.NewReader(data)}); err != nil {
			return err
		}
		out, err := roles.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(storeRole), RoleSessionName: aws.String("bench"), DurationSeconds: aws.Int32(3600),
			Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::media/` + size.name +
				`"],"Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.1/32"}}}]}`)})
		if err != nil {
			return err
		}
		c := out.Credentials
		b.add(name, size, false, p, endpoint.Presign(http.MethodGet, "/media/"+size.name, sigv4.Credentials{
			AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}, time.Now(), time.Hour))
	}
	return nil
}

func (b *bench) startMinIO(ctx context.Context, bin, secret string) (*process, string, error) {
	addr, err := freePort()
	if err != nil {
		return nil, "", err
	}
	p, err := b.start([]string{"MINIO_UPDATE=off", "MINIO_BROWSER=off", "MINIO_ROOT_USER=" + rootID, "MINIO_ROOT_PASSWORD=" + secret, "HOME=" + b.dir},
		bin, "server", "--quiet", "--address", addr, filepath.Join(b.dir, "minio"))
	if err != nil {
		return nil, "", err
	}
	return p, "http://" + addr, await(ctx, addr, p)
}

// weedRoles is SeaweedFS's configuration of one role that the bench may assume.
const weedRoles = `{"sts":{"tokenDuration":"1h","maxSessionLength":"12h","issuer":"bench","signingKey":"YmVuY2gtc2lnbmluZy1rZXktdGhpcnR5LXR3by1jaGFycw=="},
"policy":{"defaultEffect":"Deny","storeType":"memory"},
"policies":[{"name":"Read","document":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*","arn:aws:s3:::*/*"]}]}}],
"roles":[{"roleName":"store","roleArn":"` + storeRole + `","trustPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["sts:AssumeRole"]}]},"attachedPolicies":["Read"]}]}`

func (b *bench) startWeed(ctx context.Context, bin, secret string) (*process, string, error) {
	dir := filepath.Join(b.dir, "weed")
	users := fmt.Sprintf(`{"identities":[{"name":"bench","credentials":[{"accessKey":%q,"secretKey":%q}],"actions":["Admin","Read","Write","List"]}]}`, rootID, secret)
	err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "s3.json"), []byte(users), 0o600), os.WriteFile(filepath.Join(dir, "iam.json"), []byte(weedRoles), 0o600))
	if err != nil {
		return nil, "", err
	}
	args := []string{"server", "-dir=" + dir, "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-volume.max=20", "-master.volumeSizeLimitMB=64",
		"-s3", "-s3.config=" + filepath.Join(dir, "s3.json"), "-s3.iam.config=" + filepath.Join(dir, "iam.json")}
	at := ""
	for _, flag := range []string{"-master.port", "-master.port.grpc", "-volume.port", "-volume.port.grpc", "-filer.port", "-filer.port.grpc", "-s3.port.grpc", "-s3.port"} {
		if at, err = freePort(); err != nil {
			return nil, "", err
		}
		_, port, _ := net.SplitHostPort(at)
		args = append(args, flag+"="+port)
	}
	p, err := b.start([]string{"HOME=" + dir}, bin, args...)
	if err != nil {
		return nil, "", err
	}
	return p, "http://" + at, await(ctx, at, p)
}
