package s3api

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
	"fiducial/internal/policy"
	"fiducial/internal/sigv4"
)

// Bounds of request documents, in bytes. They are S3's where S3 has one, and
// otherwise what the largest sensible document takes.
const (
	maxSmallXML    = 64 << 10
	maxPolicy      = policy.MaxResource
	maxDeleteXML   = 8 << 20 // 1000 keys of 1024 bytes, each byte perhaps an entity
	maxCompleteXML = 4 << 20 // 10000 parts with a checksum
)

func invalid(format string, args ...any) error {
	f := fault.Newf("s3api", fault.Invalid, format, args...)
	f.Code = "InvalidArgument"
	return f
}

// body returns the verified body.
func (x *exchange) body() (*sigv4.Body, error) { return x.sig.Body(x.r, x.key) }

// document reads a whole, verified body of at most limit bytes.
func (x *exchange) document(b *sigv4.Body, limit int64) ([]byte, error) {
	if b.Size() > limit {
		return nil, fault.Coded("s3api", fault.Limit, "MaxMessageLengthExceeded", "Your request was too big.")
	}
	data, err := io.ReadAll(io.LimitReader(b, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fault.Coded("s3api", fault.Limit, "MaxMessageLengthExceeded", "Your request was too big.")
	}
	return data, nil
}

// xml reads a verified document into v. An empty body is allowed if optional.
func (x *exchange) xml(limit int64, optional bool, v any) error {
	b, err := x.body()
	if err != nil {
		return err
	}
	data, err := x.document(b, limit)
	if err != nil {
		return err
	}
	if len(data) == 0 && optional {
		return nil
	}
	return parseXML(data, v)
}

func parseXML(data []byte, v any) error {
	if err := xml.Unmarshal(data, v); err != nil {
		return malformedXML()
	}
	return nil
}

func malformedXML() error {
	return fault.Coded("s3api", fault.Invalid, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

// number reads a query parameter that is a number.
func (x *exchange) number(name string, unset, lowest int) (int, error) {
	v, ok := x.sig.Query.Lookup(name)
	if !ok || v == "" {
		return unset, nil
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil {
		return 0, invalid("Provided %s not an integer or within integer range", name)
	}
	if int(n) < lowest {
		return 0, invalid("Argument %s must be an integer between %d and 2147483647", name, lowest)
	}
	return int(n), nil
}

// encoding reads encoding-type.
func (x *exchange) encoding() (string, error) {
	switch v := x.query("encoding-type"); v {
	case "", "url":
		return v, nil
	}
	return "", invalid("Invalid Encoding Method specified in Request")
}

// conditions reads the conditional headers. A date that is none is no condition,
// as HTTP has it.
func (x *exchange) conditions(prefix string) objects.Conditions {
	h := x.r.Header
	if prefix == "" && h["If-Match"] == nil && h["If-None-Match"] == nil && h["If-Modified-Since"] == nil && h["If-Unmodified-Since"] == nil {
		return objects.Conditions{}
	}
	date := func(name string) time.Time {
		t, err := http.ParseTime(x.header(prefix + name))
		if err != nil {
			return time.Time{}
		}
		return t
	}
	return objects.Conditions{
		IfMatch: x.header(prefix + "If-Match"), IfNoneMatch: x.header(prefix + "If-None-Match"),
		IfModifiedSince: date("If-Modified-Since"), IfUnmodifiedSince: date("If-Unmodified-Since"),
	}
}

const metaPrefix = "x-amz-meta-"

// stored reads what is kept with an object, and refuses headers that ask for
// what this server does not do.
func (x *exchange) stored() (objects.Headers, error) {
	if err := x.checkUnsupported(); err != nil {
		return objects.Headers{}, err
	}
	get := x.r.Header.Get
	h := objects.Headers{
		ContentType: get("Content-Type"), CacheControl: get("Cache-Control"), ContentDisposition: get("Content-Disposition"),
		ContentEncoding: contentEncoding(x.r.Header["Content-Encoding"]), ContentLanguage: get("Content-Language"), Expires: get("Expires"),
		RedirectLocation: x.header("X-Amz-Website-Redirect-Location"),
	}
	if l := h.RedirectLocation; l != "" && l[0] != '/' && !strings.HasPrefix(l, "http://") && !strings.HasPrefix(l, "https://") {
		return h, fault.Coded("s3api", fault.Invalid, "InvalidRedirectLocation", "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
	}
	for name, values := range x.r.Header {
		if rest, ok := cutPrefixFold(name, metaPrefix); ok {
			h.Meta = append(h.Meta, objects.Meta{Name: strings.ToLower(rest), Value: strings.Join(values, ",")})
		}
	}
	if x.hoisted() {
		for name, v := range x.sig.Query.All() {
			if rest, ok := cutPrefixFold(name, metaPrefix); ok {
				h.Meta = append(h.Meta, objects.Meta{Name: strings.ToLower(rest), Value: v})
			}
		}
	}
	return h, nil
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return "", false
}

// contentEncoding is the header without aws-chunked, which is how the body
// travelled and not what it is.
func contentEncoding(values []string) string {
	var keep []string
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" && !strings.EqualFold(part, "aws-chunked") {
				keep = append(keep, part)
			}
		}
	}
	return strings.Join(keep, ",")
}

// checkUnsupported refuses headers whose being ignored would be a broken promise.
func (x *exchange) checkUnsupported() error {
	for _, name := range [...]string{
		"X-Amz-Tagging", "X-Amz-Object-Lock-Mode",
		"X-Amz-Object-Lock-Retain-Until-Date", "X-Amz-Object-Lock-Legal-Hold", "X-Amz-Write-Offset-Bytes",
	} {
		if x.header(name) != "" {
			return notImplemented("the header " + strings.ToLower(name) + " is not supported by this server")
		}
	}
	if err := x.noCustomerKey(); err != nil {
		return err
	}
	if v := x.header("X-Amz-Storage-Class"); v != "" && v != "STANDARD" {
		return fault.Coded("s3api", fault.Invalid, "InvalidStorageClass", "The storage class you specified is not valid: this server has STANDARD only")
	}
	return x.checkACL()
}

// checkACL accepts the access control lists that say what is so anyway: the
// owner has full control, and nobody else anything.
func (x *exchange) checkACL() error {
	switch x.header("X-Amz-Acl") {
	case "", "private", "bucket-owner-full-control":
	default:
		return aclNotSupported()
	}
	for _, name := range [...]string{"X-Amz-Grant-Full-Control", "X-Amz-Grant-Read", "X-Amz-Grant-Read-Acp", "X-Amz-Grant-Write", "X-Amz-Grant-Write-Acp"} {
		if x.header(name) != "" {
			return aclNotSupported()
		}
	}
	return nil
}

func aclNotSupported() error {
	return fault.Coded("s3api", fault.Invalid, "AccessControlListNotSupported", "The bucket does not allow ACLs: access is decided by policies. Use private or bucket-owner-full-control, or no ACL.")
}

// checksumHeader is the header of a checksum in canonical form.
func checksumHeader(a sigv4.ChecksumAlgorithm) string { return http.CanonicalHeaderKey(a.Header()) }

// sum tells what the request says about an additional checksum of its body.
func (x *exchange) sum(b *sigv4.Body, compute string) objects.Sum {
	s := objects.Sum{Compute: compute}
	trailer := x.r.Header.Get("X-Amz-Trailer")
	for _, a := range sigv4.ChecksumAlgorithms {
		if x.header(checksumHeader(a)) != "" || strings.EqualFold(strings.TrimSpace(trailer), a.Header()) {
			s.Declared = string(a)
			s.Value = func() string {
				c, _ := b.Checksum()
				return c.Value
			}
		}
	}
	return s
}

// conditionKeys are the request headers that policies may ask for.
func (x *exchange) conditionKeys() []policy.Key {
	var keys []policy.Key
	add := func(name, value string) {
		switch lower := strings.ToLower(name); lower {
		case "x-amz-server-side-encryption-aws-kms-key-id":
			keys = append(keys, policy.Key{Name: "s3:" + lower, Value: x.h.objects.KeyARN(value)})
		case "x-amz-acl", "x-amz-content-sha256", "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write",
			"x-amz-grant-write-acp", "x-amz-metadata-directive", "x-amz-server-side-encryption",
			"x-amz-server-side-encryption-customer-algorithm", "x-amz-storage-class", "x-amz-website-redirect-location":
			keys = append(keys, policy.Key{Name: "s3:" + lower, Value: value})
		}
	}
	for name, v := range x.r.Header {
		if len(name) > 6 && name[:6] == "X-Amz-" && len(v) > 0 {
			add(name, v[0])
		}
	}
	if x.hoisted() {
		for name, v := range x.sig.Query.All() {
			if len(name) > 6 && strings.EqualFold(name[:6], "x-amz-") && x.r.Header.Get(name) == "" {
				add(name, v)
			}
		}
	}
	return keys
}

// copySource reads x-amz-copy-source: bucket/key or /bucket/key, percent-encoded,
// perhaps with a version.
func (x *exchange) copySource() (bucket, key string, err error) {
	v := x.header("X-Amz-Copy-Source")
	v, version, has := strings.Cut(v, "?versionId=")
	if has && version != "null" {
		return "", "", fault.Coded("s3api", fault.Invalid, "InvalidArgument", "Invalid version id specified")
	}
	// A plus sign in the header is a plus sign: clients encode a space as %20.
	if v, err = url.PathUnescape(v); err != nil {
		return "", "", invalid("Copy Source must be percent-encoded")
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(v, "/"), "/")
	if !ok || bucket == "" || key == "" {
		return "", "", invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	return bucket, key, nil
}

// checkVersion accepts the one version that every object has.
func (x *exchange) checkVersion() error {
	if v, ok := x.sig.Query.Lookup("versionId"); ok && v != "null" {
		if v == "" {
			return invalid("Version id cannot be the empty string")
		}
		return fault.Coded("s3api", fault.NotFound, "NoSuchVersion", "The specified version does not exist: versioning is not enabled")
	}
	return nil
}
