package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// open reads an object as a stream, which takes as long as it takes.
func (c *client) open(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/"+bucket+"/"+escapeKey(key), nil)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(nil)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if err := c.signer.SignHTTP(ctx, c.creds, req, hash, "s3", c.region, time.Now()); err != nil {
		return nil, err
	}
	res, err := (&http.Client{Transport: c.http.Transport}).Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("s3://%s/%s: %w", bucket, key, parseError(res.StatusCode, b))
}

// list calls fn for every key with a prefix, in order.
func (c *client) list(ctx context.Context, bucket, prefix string, fn func(key string) error) error {
	after := ""
	for {
		query := url.Values{"list-type": {"2"}, "prefix": {prefix}, "encoding-type": {"url"}}
		if after != "" {
			query.Set("continuation-token", after)
		}
		b, err := c.do(ctx, "s3", http.MethodGet, "/"+bucket+"?"+query.Encode(), http.Header{}, nil)
		if err != nil {
			return fmt.Errorf("s3://%s/%s: %w", bucket, prefix, err)
		}
		var page struct {
			Contents              []struct{ Key string }
			NextContinuationToken string
		}
		if err := xml.Unmarshal(b, &page); err != nil {
			return err
		}
		for _, o := range page.Contents {
			key, err := url.QueryUnescape(o.Key)
			if err != nil {
				return err
			}
			if err := fn(key); err != nil {
				return err
			}
		}
		if after = page.NextContinuationToken; after == "" {
			return nil
		}
	}
}

// escapeKey escapes a key as signatures want it: all but letters, digits, -._~
// and slashes.
func escapeKey(key string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(key))
}
