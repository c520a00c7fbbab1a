package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// client calls the public APIs the way an SDK does, signed with a key pair. It
// knows nothing of the server's inside.
type client struct {
	base   string
	region string
	creds  aws.Credentials
	signer *signer.Signer
	http   *http.Client
}

func newClient(base, region, accessKeyID, secret string) *client {
	return &client{
		base: base, region: region, creds: aws.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: secret},
		signer: signer.NewSigner(func(o *signer.SignerOptions) { o.DisableURIPathEscaping = true }),
		http:   &http.Client{Timeout: time.Minute},
	}
}

// apiError is an error answer of any of the services.
type apiError struct {
	Status  int
	Code    string
	Message string
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

// do signs and sends one request and returns the body of a 2xx answer.
func (c *client) do(ctx context.Context, service, method, path string, header http.Header, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if err := c.signer.SignHTTP(ctx, c.creds, req, hash, service, c.region, time.Now()); err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		return nil, parseError(res.StatusCode, b)
	}
	return b, nil
}

func parseError(status int, b []byte) error {
	e := &apiError{Status: status, Code: fmt.Sprintf("HTTP %d", status)}
	var j struct {
		Type     string `json:"__type"`
		Message  string
		Message2 string `json:"message"`
	}
	var x struct {
		Code, Message string
		Error         struct{ Code, Message string }
	}
	switch {
	case json.Unmarshal(b, &j) == nil && j.Type != "":
		e.Code, e.Message = j.Type[strings.LastIndex(j.Type, "#")+1:], j.Message+j.Message2
	case xml.Unmarshal(b, &x) == nil:
		e.Code, e.Message = x.Code+x.Error.Code, x.Message+x.Error.Message
	}
	return e
}

// json calls an operation of a JSON 1.1 service; out may be nil.
func (c *client) json(ctx context.Context, service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	b, err := c.do(ctx, service, http.MethodPost, "/", http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {target}}, body)
	if err != nil || out == nil || len(b) == 0 {
		return err
	}
	return json.Unmarshal(b, out)
}

// query calls an operation of a query service (IAM).
func (c *client) query(ctx context.Context, service, version, action string, in map[string]string) error {
	form := url.Values{"Action": {action}, "Version": {version}}
	for k, v := range in {
		form.Set(k, v)
	}
	_, err := c.do(ctx, service, http.MethodPost, "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}, []byte(form.Encode()))
	return err
}

// put stores an object, or makes a bucket if key is empty.
func (c *client) put(ctx context.Context, bucket, key, contentType string, body []byte) error {
	path := "/" + bucket
	if key != "" {
		path += "/" + escapeKey(key)
	}
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	_, err := c.do(ctx, "s3", http.MethodPut, path, h, body)
	return err
}

// unless returns err, or nil if it is an API error with one of the codes: what
// the demo wants to make is already there from an earlier run.
func unless(err error, codes ...string) error {
	e, ok := err.(*apiError)
	if !ok {
		return err
	}
	for _, c := range codes {
		if e.Code == c {
			return nil
		}
	}
	return err
}
