// Package sigv4 reads, verifies and makes AWS Signature Version 4.
//
// A request is signed in its Authorization header or, when it is a presigned
// URL, in its query. Either way the signer and the verifier write the same
// canonical request
//
//	METHOD \n path \n sorted query \n header:value\n… \n signed;headers \n payload hash
//
// and the signature is an HMAC-SHA256 over its hash, the time and the scope
// (date/region/service/aws4_request), under a key derived from the secret and
// that scope. Sources: "Signature Version 4 signing process" in the IAM User
// Guide; "Authenticating Requests (AWS Signature Version 4)" in the S3 API
// Reference; RFC 3986 for the percent-encoding.
//
// What a caller may rely on:
//
//   - The query is taken apart once. Request.Query is what was verified, and it
//     is what handlers read; r.URL.Query() is not to be read beside it. The
//     order, the encoding and the spelling of parameters on the wire never
//     change what they mean: Query is sorted, and authentication parameters are
//     refused when they are doubled or spelled in another case.
//   - Path and host are r.URL.Path and r.Host as received. Nothing may rewrite
//     them before Verify.
//   - Every x-amz-* header in the request is covered by the signature, or the
//     request is refused.
//   - A body is accepted only when Body.Read has returned io.EOF: checksums,
//     the payload hash and the last chunk's signature are checked before that.
//
// The package is pure: it reads no clock and knows no key.
package sigv4

import (
	"fmt"
	"io"
	"time"
)

// The one algorithm, and the end of every scope.
const (
	Algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
)

// Values of x-amz-content-sha256 besides the hex SHA-256 of the body.
const (
	UnsignedPayload          = "UNSIGNED-PAYLOAD"
	StreamingSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// EmptyHash is the hex SHA-256 of no bytes.
const EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Limits.
const (
	MaxSkew    = 15 * time.Minute   // between a signed request's time and ours
	MaxExpires = 7 * 24 * time.Hour // life of a presigned URL

	maxQuery         = 32 << 10 // bytes
	maxParams        = 200
	maxAuthorization = 16 << 10 // bytes
	maxScope         = 256      // bytes of a credential
	maxSignedHeaders = 128
	maxToken         = 16 << 10 // bytes of a session token
)

// Scope is whose key signed what: the credential of a signature.
type Scope struct {
	AccessKeyID string
	Date        string // YYYYMMDD, UTC
	Region      string
	Service     string
}

// Request is what a request says about its own signature. Nothing in it is
// true before Verify or VerifyBody returned nil.
type Request struct {
	Scope
	Presigned     bool     // signed in the query
	Anonymous     bool     // not signed at all: only Query and Body are of use
	SignedHeaders []string // lower case, ascending
	Signature     [32]byte
	Time          time.Time     // when it was signed
	Expires       time.Duration // presigned only
	SessionToken  string
	PayloadHash   string // as signed: hex SHA-256, UNSIGNED-PAYLOAD or STREAMING-…; empty where the service leaves it to the body
	Query         Query

	timestamp     string // Time as it stands in the string to sign
	signedHeaders string // SignedHeaders as received, joined by ;
}

// ErrAnonymous is returned by Parse for a request without any signature. The
// Request beside it is usable for its Query and its Body.
var ErrAnonymous error = anonymous{}

type anonymous struct{}

func (anonymous) Error() string { return "sigv4: the request is not signed" }

// SigningKey is a key derived for one day, region and service. It does not print.
type SigningKey [32]byte

// Format prints nothing of the key, whatever the verb.
func (SigningKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "sigv4.SigningKey(redacted)") }

// MarshalText keeps the key out of JSON and of every other text encoding.
func (SigningKey) MarshalText() ([]byte, error) { return []byte("redacted"), nil }

// DeriveKey makes the signing key of a scope from a secret access key.
func DeriveKey(secret, date, region, service string) SigningKey {
	k := mac(append([]byte("AWS4"), secret...), date)
	k = mac(k[:], region)
	k = mac(k[:], service)
	return mac(k[:], terminator)
}

// CheckScope refuses a signature made for another region, or for a service that
// is none of the given ones.
func (q *Request) CheckScope(region string, services ...string) error {
	code := CodeHeaderMalformed
	if q.Presigned {
		code = CodeQueryParameters
	}
	if q.Region != region {
		return invalid(code, "the region %q in the credential is wrong; expected %q", q.Region, region)
	}
	for _, s := range services {
		if q.Service == s {
			return nil
		}
	}
	return invalid(code, "the service %q in the credential is wrong; expected %q", q.Service, services[0])
}

// AuthType is the value of the condition key s3:authType; empty when anonymous.
func (q *Request) AuthType() string {
	switch {
	case q.Anonymous:
		return ""
	case q.Presigned:
		return "REST-QUERY-STRING"
	}
	return "REST-HEADER"
}
