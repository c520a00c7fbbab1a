package template

import (
	"errors"
	"html"
	"net/url"
	"regexp"
	"strings"
)

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	// s3.amazonaws.com, s3.region.amazonaws.com, s3-region.…, s3.dualstack.region.…,
	// each also in China, with or without a bucket in front.
	amazonHost = regexp.MustCompile(`^(?:(.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?$`)
)

// maxKey is S3's limit on a key, in bytes.
const maxKey = 1024

// ParseObjectURL reads the forms that grant_read_access takes: s3://bucket/key,
// and http(s) URLs of an S3 host in path style or with the bucket in the host
// name. A URL with a query or a fragment is none of them: it is signed already
// or means something that a grant would lose.
func ParseObjectURL(s string, hosts []string) (bucket, key string, ok bool) {
	if rest, found := strings.CutPrefix(s, "s3://"); found {
		bucket, key, _ = strings.Cut(rest, "/")
		return bucket, key, validObject(bucket, key)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", "", false
	}
	path := strings.TrimPrefix(u.Path, "/")
	inHost, known := bucketInHost(strings.ToLower(u.Host), hosts)
	if !known {
		return "", "", false
	}
	if inHost != "" {
		return inHost, path, validObject(inHost, path)
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key, validObject(bucket, key)
}

// bucketInHost returns the bucket that stands in front of a known S3 host, ""
// for the bare host, and whether the host is known at all.
func bucketInHost(host string, hosts []string) (bucket string, known bool) {
	for _, h := range hosts {
		h = strings.ToLower(h)
		if host == h {
			return "", true
		}
		if b, ok := strings.CutSuffix(host, "."+h); ok && b != "" {
			return b, true
		}
	}
	if m := amazonHost.FindStringSubmatch(host); m != nil {
		return m[1], true
	}
	return "", false
}

func validObject(bucket, key string) bool {
	return bucketName.MatchString(bucket) && key != "" && len(key) <= maxKey && !strings.ContainsRune(key, 0)
}

// checkURL refuses a media URL that could not be printed raw into an attribute,
// a CSS url() and a script string. See the package documentation.
func checkURL(u string) error {
	for i := range len(u) {
		c := u[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"'`<>()\\{}", c) >= 0 {
			return errors.New("the media URL holds a character that is not fit for a page")
		}
	}
	if html.UnescapeString(u) != u {
		return errors.New("the media URL holds what a page would take for a character reference")
	}
	return nil
}
