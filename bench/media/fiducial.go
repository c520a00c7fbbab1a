package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/envelope"
	fidiam "fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/kms"
	"fiducial/internal/kms/rootkey"
	"fiducial/internal/origin"
	"fiducial/internal/sigv4"
	"fiducial/internal/store"
)

const (
	region  = "us-east-1"
	account = "000000000000"
	rootID  = "AKIABENCHBENCHBENCH1"
	roleARN = "arn:aws:iam::" + account + ":role/bench"
	trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	read    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","kms:Decrypt"],"Resource":"*"}]}`
)

// startFiducial starts the server as its users do, fills it through its public
// APIs, and makes grants as its portal does: with its keys and its rows.
func (b *bench) startFiducial(ctx context.Context, secure bool) error {
	addr, err := freePort()
	if err != nil {
		return err
	}
	ops, err := freePort()
	if err != nil {
		return err
	}
	data, base := filepath.Join(b.dir, "fiducial"), "http://"+addr
	args := []string{"serve", "--api-addr", addr, "--portal-addr", "127.0.0.1:0", "--ops-addr", ops, "--log-level", "warn"}
	if secure {
		data, base = data+"-tls", "https://"+addr
		args = append(args, "--tls-cert", filepath.Join(b.dir, "cert.pem"), "--tls-key", filepath.Join(b.dir, "key.pem"))
	}
	secret := rand.Text()
	p, err := b.start([]string{"FIDUCIAL_ROOT_ACCESS_KEY_ID=" + rootID, "FIDUCIAL_ROOT_SECRET_ACCESS_KEY=" + secret},
		b.fiducial, append(args, "--data-dir", data, "--public-api-url", base)...)
	if err != nil {
		return err
	}
	if err := await(ctx, addr, p); err != nil {
		return err
	}
	if err := b.fill(ctx, base, secret); err != nil {
		return fmt.Errorf("%w\n%s", err, p.log.String())
	}
	mint, closeDB, err := b.minter(ctx, data, base, secret)
	if err != nil {
		return err
	}
	defer closeDB()
	for _, size := range sizes {
		n := b.urls
		if size.bytes >= 1<<20 {
			n = 1 // the check of a URL is nothing beside 4 MiB
		}
		urls, err := mint(n, size.name)
		if err != nil {
			return err
		}
		sealed, err := mint(1, "sealed-"+size.name)
		if err != nil {
			return err
		}
		b.add("Fiducial grant", size, secure, p, urls[0]).ops = ops
		if n > 1 {
			b.add("Fiducial, new URLs", size, secure, p, urls...).ops = ops
		}
		b.add("Fiducial SSE-KMS", size, secure, p, sealed...).ops = ops
	}
	if secure {
		return nil
	}
	return b.many(p, ops, mint)
}

// many adds what needs many objects: new objects, and the crowd.
func (b *bench) many(p *process, ops string, mint minter) error {
	for _, kind := range []struct{ prefix, name string }{{"many/", "Fiducial"}, {"many-sealed/", "Fiducial SSE-KMS"}} {
		keys := make([]string, b.objects)
		for i := range keys {
			keys[i] = kind.prefix + strconv.Itoa(i)
		}
		urls, err := mint(b.objects, keys...)
		if err != nil {
			return err
		}
		b.add(kind.name+", new objects", picture, false, p, urls...).ops = ops
		if urls, err = mint(2*crowdWorkers*crowdPictures, keys...); err != nil {
			return err
		}
		b.crowd = append(b.crowd, crowd{name: kind.name, urls: urls, server: p, ops: ops})
	}
	return nil
}

// fill makes bucket, objects and execution role.
func (b *bench) fill(ctx context.Context, base, secret string) error {
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: b.pool}}}
	cred := credentials.NewStaticCredentialsProvider(rootID, secret, "")
	bucket := s3.New(s3.Options{BaseEndpoint: &base, Region: region, UsePathStyle: true, Credentials: cred, HTTPClient: hc})
	if _, err := bucket.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("media")}); err != nil {
		return err
	}
	put := func(file, key string, sse types.ServerSideEncryption) error {
		data, err := os.ReadFile(filepath.Join(b.files(), file))
		if err == nil {
			_, err = bucket.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("media"), Key: &key, ContentType: aws.String("image/jpeg"),
				Body: bytes.NewReader(data), ServerSideEncryption: sse})
		}
		return err
	}
	for _, size := range sizes {
		if err := errors.Join(put(size.name, size.name, ""), put(size.name, "sealed-"+size.name, types.ServerSideEncryptionAwsKms)); err != nil {
			return err
		}
	}
	if strings.HasPrefix(base, "http:") {
		if err := fillMany(b.objects, func(i int) error {
			key := strconv.Itoa(i)
			return errors.Join(put(picture.name, "many/"+key, ""), put(picture.name, "many-sealed/"+key, types.ServerSideEncryptionAwsKms))
		}); err != nil {
			return err
		}
	}
	roles := iam.New(iam.Options{BaseEndpoint: &base, Region: region, Credentials: cred, HTTPClient: hc})
	if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("bench"), AssumeRolePolicyDocument: aws.String(trust), MaxSessionDuration: aws.Int32(7200)}); err != nil {
		return err
	}
	_, err := roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("bench"), PolicyName: aws.String("read"), PolicyDocument: aws.String(read)})
	return err
}

// fillMany calls put for each number below n, several at a time.
func fillMany(n int, put func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for w := range errs {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += len(errs) {
				errs[w] = put(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// minter mints n URLs bound to 127.0.0.1, each for an assignment of its own, for
// the keys in turn.
type minter func(n int, keys ...string) ([]string, error)

// minter opens the keys and rows of the server, as its replicas do.
func (b *bench) minter(ctx context.Context, data, base, secret string) (minter, func() error, error) {
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(data, "fiducial.db"))
	if err != nil {
		return nil, nil, err
	}
	m, err := b.minterOf(ctx, db, data, base, secret)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return m, db.Close, nil
}

func (b *bench) minterOf(ctx context.Context, db *store.DB, data, base, secret string) (minter, error) {
	root, err := rootkey.Open(ctx, rootkey.Source("file:"+filepath.Join(data, "root-key")), rootkey.Options{})
	if err != nil {
		return nil, err
	}
	keysets, err := kms.OpenKeysets(ctx, store.NewKMS(db), root, nil, time.Now)
	if err != nil {
		return nil, err
	}
	keys, err := keysets.Open(ctx, kms.SessionKeyset, envelope.New)
	if err != nil {
		return nil, err
	}
	sessions, err := fidiam.New(fidiam.Options{Account: account, Store: store.NewIAM(db), Keys: keys, RootAccessKeyID: rootID,
		RootSecret: fidiam.NewSecret(secret), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	endpoint, err := sigv4.NewEndpoint(base, region)
	if err != nil {
		return nil, err
	}
	grants, err := access.New(ctx, access.Options{Store: store.NewAccess(db), Roles: sessions, Audit: audit.Discard{}, Endpoint: endpoint,
		Region: region, Account: account, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	return func(n int, objects ...string) ([]string, error) {
		urls := make([]string, n)
		start := time.Now()
		for i := range urls {
			urls[i], err = grants.Mint(ctx, access.Request{
				Grant:   identity.Grant{Worker: "private.us-east-1.0123456789abcdef", Job: "bench", Team: "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/bench", Assignment: rand.Text(), SignIn: rand.Text()},
				RoleARN: roleARN, Bucket: "media", Key: objects[i%len(objects)], Origin: origin.Origin{Addr: netip.MustParseAddr("127.0.0.1")},
				Binding: access.Binding{SourceIP: true}, Expires: time.Now().Add(time.Hour),
			})
			if err != nil {
				return nil, err
			}
		}
		b.mint = time.Since(start) / time.Duration(n)
		return urls, nil
	}, nil
}
