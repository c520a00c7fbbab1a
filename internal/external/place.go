package external

import (
	"errors"
	"strings"

	"fiducial/internal/objects"
)

// Place is a prefix in a bucket: s3://bucket/prefix. It implements pflag.Value.
type Place struct {
	Name   string // of the bucket; "" for none
	Prefix string // "" or one that ends in a slash
}

// Set implements pflag.Value.
func (p *Place) Set(uri string) error {
	if uri == "" {
		*p = Place{}
		return nil
	}
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, prefix, _ := strings.Cut(rest, "/")
	prefix = strings.Trim(prefix, "/")
	if !ok || objects.CheckBucketName(bucket) != nil || len(prefix) > 900 || strings.ContainsFunc(prefix, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		return errors.New("expected s3://bucket or s3://bucket/prefix")
	}
	if prefix != "" {
		prefix += "/"
	}
	*p = Place{bucket, prefix}
	return nil
}

// Type implements pflag.Value.
func (p *Place) Type() string { return "string" }

// String implements pflag.Value.
func (p *Place) String() string {
	if p.Name == "" {
		return ""
	}
	return "s3://" + p.Name + "/" + p.Prefix
}

// Names reports whether a setting names the bucket; patterns do not count.
func (s Settings) Names(bucket string) bool {
	for i := range s {
		if s[i].Bucket == bucket && !s[i].pattern() {
			return true
		}
	}
	return false
}
