package s3api

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/sigv4"
)

// Presigned URLs of AWS Signature Version 2.
//
// "aws s3 presign" and boto3's generate_presigned_url make them without being
// asked whenever the region is one of S3's older ones, us-east-1 among them,
// which is this server's default. So they are understood here, for what those
// tools make and no more: a GET, HEAD or PUT whose query carries AWSAccessKeyId,
// Signature and Expires.
//
// The scheme signs less than Version 4 does (not the host, and only a list of
// parameters), so whatever it does not sign is refused, and a URL may not live
// longer than one of Version 4. A session made for a media URL cannot use it.
// Policies see s3:signatureversion AWS and can refuse it.
// Source: "Signing and authenticating REST requests" (Signature Version 2),
// "Query string request authentication alternative", S3 User Guide.

// signedParameters are the parameters that the signature covers, in byte order.
var signedParameters = [...]string{
	"acl", "cors", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy",
	"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "restore", "tagging", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
}

const amz = "x-amz-"

// legacyURL is what the query of such a URL says.
type legacyURL struct {
	accessKeyID, signature, expires, token string

	amz      []string // "name:value" of x-amz-… parameters
	resource []string // signed parameters as they stand in the string to sign
	kind     string   // content-type
	md5      string
	rest     []string // the raw query without the signature's own parameters
}

// isLegacy reports whether the request is presigned in this way.
func isLegacy(r *http.Request) bool {
	return strings.Contains(r.URL.RawQuery, "AWSAccessKeyId=") && len(r.Header["Authorization"]) == 0
}

func legacyMismatch() error {
	return fault.Coded("s3api", fault.Unauthenticated, sigv4.CodeSignatureDoesNotMatch, "The signature does not match the request. Check the secret access key, and that the request arrives as it was signed.")
}

// parseLegacy takes the query apart. Each parameter is there once, and each is
// one that the signature covers.
func parseLegacy(raw string) (*legacyURL, error) {
	u := &legacyURL{}
	if len(raw) > 16<<10 {
		return nil, fault.Coded("s3api", fault.Invalid, "InvalidURI", "Couldn't parse the specified URI.")
	}
	for i := range len(raw) {
		// One spelling of an escape, so that no byte can be changed.
		if raw[i] == '%' && strings.ContainsAny(raw[i:min(i+3, len(raw))], "abcdef") {
			return nil, legacyMismatch()
		}
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(raw, "&") {
		q, err := sigv4.ParseQuery(pair)
		if err != nil || q.Len() != 1 {
			return nil, legacyMismatch()
		}
		var name, value string
		for name, value = range q.All() {
		}
		if seen[name] {
			return nil, legacyMismatch()
		}
		seen[name] = true
		if !u.take(name, value, strings.Contains(pair, "=")) {
			return nil, legacyMismatch()
		}
		switch name {
		case "AWSAccessKeyId", "Signature", "Expires", "x-amz-security-token":
		default:
			u.rest = append(u.rest, pair)
		}
	}
	slices.Sort(u.amz)
	slices.Sort(u.resource)
	return u, nil
}

func (u *legacyURL) take(name, value string, hasValue bool) bool {
	switch name {
	case "AWSAccessKeyId":
		u.accessKeyID = value
	case "Signature":
		u.signature = value
	case "Expires":
		u.expires = value
	case "content-type":
		u.kind = value
	case "content-md5":
		u.md5 = value
	default:
		if strings.HasPrefix(name, amz) && !strings.ContainsAny(value, "\r\n") {
			if name == "x-amz-security-token" {
				u.token = value
			}
			u.amz = append(u.amz, name+":"+value)
			return true
		}
		if !slices.Contains(signedParameters[:], name) {
			return false
		}
		if hasValue {
			name += "=" + value
		}
		u.resource = append(u.resource, name)
	}
	return true
}

// stringToSign is what the signer signed.
func (u *legacyURL) stringToSign(x *exchange) ([]byte, error) {
	kind, md5 := x.r.Header.Get("Content-Type"), x.r.Header.Get("Content-Md5")
	if len(x.r.Header["Content-Type"]) > 1 || len(x.r.Header["Content-Md5"]) > 1 || u.kind != "" && u.kind != kind || u.md5 != "" && u.md5 != md5 {
		return nil, legacyMismatch()
	}
	// Headers beside the URL that would be believed are not what was signed.
	for name := range x.r.Header {
		if len(name) >= len(amz) && strings.EqualFold(name[:len(amz)], amz) {
			return nil, legacyMismatch()
		}
	}
	b := []byte(x.r.Method + "\n" + md5 + "\n" + kind + "\n" + u.expires + "\n")
	for _, h := range u.amz {
		b = append(append(b, h...), '\n')
	}
	path := x.r.URL.EscapedPath()
	if full := "/" + x.bucket + "/" + x.name; x.bucket != "" && x.r.URL.Path != full && x.r.URL.Path != "/"+x.bucket {
		b = append(append(b, '/'), x.bucket...) // virtual-host style: the bucket is signed as if it stood in the path
	}
	b = append(b, path...)
	for i, p := range u.resource {
		b = append(append(b, "?&"[min(i, 1)]), p...)
	}
	return b, nil
}

// authenticateLegacy establishes the caller of a URL of Version 2.
func (x *exchange) authenticateLegacy() error {
	switch x.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut:
	default:
		return fault.Coded("s3api", fault.Invalid, "InvalidRequest", "Signature version 2 is understood in presigned URLs for GET, HEAD and PUT only")
	}
	u, err := parseLegacy(x.r.URL.RawQuery)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(u.expires, 10, 64)
	if err != nil || u.expires[0] == '+' {
		return fault.Coded("s3api", fault.Invalid, sigv4.CodeAccessDenied, "Expires must be a time in seconds since 1970")
	}
	c, err := x.h.iam.Authenticate(x.r.Context(), u.accessKeyID, u.token)
	if err != nil {
		return err
	}
	text, err := u.stringToSign(x)
	if err != nil {
		return err
	}
	want := x.h.iam.SignV2(c, text)
	got, err := base64.StdEncoding.Strict().DecodeString(u.signature)
	if err != nil || subtle.ConstantTimeCompare(want[:], got) != 1 {
		return legacyMismatch()
	}
	left := time.Unix(seconds, 0).Sub(x.start)
	switch {
	case left <= 0:
		return fault.Coded("s3api", fault.Unauthenticated, sigv4.CodeAccessDenied, "Request has expired")
	case left > sigv4.MaxExpires+sigv4.MaxSkew:
		return fault.Coded("s3api", fault.Unauthenticated, sigv4.CodeAccessDenied, "A presigned URL may not be valid for more than 7 days")
	case c.IsGrant():
		return legacyMismatch()
	}
	// The rest of the request is read as if it were not signed; nothing in it
	// belongs to a signature any more.
	plain := *x.r
	copied := *x.r.URL
	copied.RawQuery = strings.Join(u.rest, "&")
	plain.URL = &copied
	sig, err := sigv4.Parse(&plain)
	if !errors.Is(err, sigv4.ErrAnonymous) {
		return legacyMismatch()
	}
	sig.Anonymous, sig.Presigned = false, true
	x.sig, x.legacy = sig, true
	x.call.Caller, x.call.AuthType, x.call.SignatureVersion = c, sig.AuthType(), "AWS"
	x.call.SignatureAge = -1
	x.call.Keys = x.conditionKeys()
	return nil
}
