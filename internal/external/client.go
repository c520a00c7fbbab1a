package external

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"fiducial/internal/fault"
)

// maxBackoff bounds the pause between two attempts.
const maxBackoff = 5 * time.Second

// clients are what a store is talked to with.
type clients struct {
	s3   *s3.Client
	sts  *sts.Client
	http *http.Client
}

func newClients(ctx context.Context, b *Setting, lookup func(string) (string, bool)) (*clients, error) {
	hc, err := b.httpClient()
	if err != nil {
		return nil, err
	}
	base, err := b.credentials(ctx, lookup)
	if err != nil {
		return nil, err
	}
	cfg := aws.Config{
		Region: b.Region, HTTPClient: hc, Credentials: aws.NewCredentialsCache(base),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = b.Attempts, maxBackoff })
		},
		// Checksums beyond S3's own are refused by older stores.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	c := &clients{http: hc}
	c.sts = sts.NewFromConfig(cfg, func(o *sts.Options) {
		if b.STSEndpoint != "" {
			o.BaseEndpoint = &b.STSEndpoint
		}
	})
	own := cfg.Copy()
	if b.RoleARN != "" && b.Kind != MinIO { // MinIO has no roles; its users are what counts
		own.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(c.sts, b.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "fiducial"
			o.Duration = minSession
			if b.ExternalID != "" {
				o.ExternalID = &b.ExternalID
			}
		}))
	}
	c.s3 = s3.NewFromConfig(own, func(o *s3.Options) {
		if b.Endpoint != "" {
			o.BaseEndpoint = &b.Endpoint
		}
		o.UsePathStyle = *b.PathStyle
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	return c, nil
}

func (b *Setting) unusable(member, why string) error {
	return &fault.Error{Op: "external", Kind: fault.Invalid, Field: "external-buckets", Message: "external-buckets (" + b.Bucket + "): " + member + ": " + why}
}

// credentials are the keys that Fiducial itself holds for the store.
func (b *Setting) credentials(ctx context.Context, lookup func(string) (string, bool)) (aws.CredentialsProvider, error) {
	c := &b.Credentials
	if c.AccessKeyEnv == "" {
		var options []func(*config.LoadOptions) error
		if c.File != "" {
			if _, err := os.Stat(c.File); err != nil {
				return nil, b.unusable("credentials.file", "cannot be read")
			}
			options = append(options, config.WithSharedCredentialsFiles([]string{c.File}), config.WithSharedConfigFiles([]string{}))
			options = append(options, config.WithSharedConfigProfile(or(c.Profile, "default")))
		} else if c.Profile != "" {
			options = append(options, config.WithSharedConfigProfile(c.Profile))
		}
		cfg, err := config.LoadDefaultConfig(ctx, append(options, config.WithRegion(b.Region))...)
		if err != nil {
			return nil, b.unusable("credentials", "the profile cannot be read: "+err.Error())
		}
		return cfg.Credentials, nil
	}
	values := [3]string{}
	for i, name := range [...]string{c.AccessKeyEnv, c.SecretKeyEnv, c.SessionTokenEnv} {
		if name == "" {
			continue
		}
		v, ok := lookup(name)
		if !ok || v == "" {
			return nil, b.unusable("credentials", "the variable "+name+" is not set")
		}
		values[i] = v
	}
	return credentials.NewStaticCredentialsProvider(values[0], values[1], values[2]), nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// httpClient follows no redirect: a signature is for one host, and what a store
// answers with must not lead this server anywhere else.
func (b *Setting) httpClient() (*http.Client, error) {
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if b.CAFile != "" {
		pem, err := os.ReadFile(b.CAFile)
		if err != nil {
			return nil, b.unusable("ca-file", "cannot be read")
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, b.unusable("ca-file", "has no certificate in PEM")
		}
		tlsConfig.RootCAs = pool
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: min(b.Timeout, 10*time.Second), KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:       tlsConfig,
			TLSHandshakeTimeout:   min(b.Timeout, 10*time.Second),
			ResponseHeaderTimeout: b.Timeout,
			ExpectContinueTimeout: time.Second,
			MaxIdleConnsPerHost:   64,
			IdleConnTimeout:       90 * time.Second,
			ForceAttemptHTTP2:     true,
			DisableCompression:    true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
