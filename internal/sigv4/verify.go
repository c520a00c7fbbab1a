package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Verify checks the signature, its time and that it covers what it must. It
// needs the payload hash to be in the request, as S3's rules have it; other
// services use VerifyBody.
func (q *Request) Verify(r *http.Request, key SigningKey, now time.Time) error {
	if q.Anonymous {
		return refused(CodeAccessDenied, "the request is not signed")
	}
	if q.PayloadHash == "" {
		return invalid(CodeMissingHeader, "the request needs the header x-amz-content-sha256")
	}
	return q.verify(r, key, now, q.PayloadHash)
}

// VerifyBody is Verify for services whose requests are read whole before they
// are judged. The signature must cover the hash of this very body.
func (q *Request) VerifyBody(r *http.Request, key SigningKey, now time.Time, body []byte) error {
	if q.Anonymous {
		return refused(CodeAccessDenied, "the request is not signed")
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if q.PayloadHash != "" && q.PayloadHash != hash {
		return invalid(CodeContentMismatch, "x-amz-content-sha256 is not the SHA-256 of the body")
	}
	return q.verify(r, key, now, hash)
}

func (q *Request) verify(r *http.Request, key SigningKey, now time.Time, payloadHash string) error {
	if err := q.checkHeaders(r); err != nil {
		return err
	}
	if q.Service != "s3" && !plainPath(r.URL.Path) {
		return invalid(CodeInvalidURI, "the path must not contain empty, \".\" or \"..\" segments")
	}
	// The signature is judged before the time: only its owner learns that a
	// credential has expired.
	var stack [2048]byte
	canonical, ok := q.appendCanonical(stack[:0], r, payloadHash)
	if !ok {
		return mismatch()
	}
	want := q.sign(key, sha256.Sum256(canonical))
	if subtle.ConstantTimeCompare(want[:], q.Signature[:]) != 1 {
		return mismatch()
	}
	return q.checkTime(now)
}

// checkTime: a signed request is good for MaxSkew around its time; a presigned
// one from its time (allowing for a clock that is MaxSkew ahead) to its end,
// which is no longer good itself.
func (q *Request) checkTime(now time.Time) error {
	ahead := q.Time.Sub(now)
	if q.Presigned {
		switch {
		case ahead > MaxSkew:
			return refused(CodeAccessDenied, "Request is not yet valid")
		case ahead+q.Expires <= 0:
			return refused(CodeAccessDenied, "Request has expired")
		}
		return nil
	}
	if ahead > MaxSkew || ahead < -MaxSkew {
		return refused(CodeTimeTooSkewed, "The time of the request differs from the server's by more than 15 minutes.")
	}
	return nil
}

// checkHeaders refuses x-amz-* headers that the signature does not cover: they
// would be believed although anyone on the way could have added them.
func (q *Request) checkHeaders(r *http.Request) error {
	for name := range r.Header {
		if len(name) < 6 || name[0]|0x20 != 'x' || !strings.EqualFold(name[:6], "x-amz-") {
			continue
		}
		if !q.signs(strings.ToLower(name)) {
			return refused(CodeAccessDenied, "the header "+strings.ToLower(name)+" is in the request but not among the signed headers")
		}
	}
	return nil
}

// appendCanonical writes the canonical request. It is false when a signed header
// is not in the request.
func (q *Request) appendCanonical(b []byte, r *http.Request, payloadHash string) ([]byte, bool) {
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = appendPath(b, r, q.Service)
	b = append(b, '\n')
	b = q.Query.appendCanonical(b)
	b = append(b, '\n')
	for _, name := range q.SignedHeaders {
		b = append(b, name...)
		b = append(b, ':')
		var ok bool
		if b, ok = appendHeader(b, r, name); !ok {
			return b, false
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, q.signedHeaders...)
	b = append(b, '\n')
	return append(b, payloadHash...), true
}

// appendPath writes the canonical path. S3 encodes the decoded path once; every
// other service encodes the path as it is on the wire, so that escapes in it are
// encoded twice.
func appendPath(b []byte, r *http.Request, service string) []byte {
	p := r.URL.Path
	if service != "s3" {
		p = r.URL.EscapedPath()
	}
	if p == "" {
		return append(b, '/')
	}
	return appendEscaped(b, p, true)
}

// plainPath reports whether no two readers can disagree about the path. Signers
// for services other than S3 remove dot segments before they sign; the handler
// sees the path with them. Since no client has use for such a path there, it is
// refused rather than given two meanings.
func plainPath(p string) bool {
	p = strings.TrimPrefix(p, "/")
	for more := p != ""; more; {
		var segment string
		segment, p, more = strings.Cut(p, "/")
		if segment == "." || segment == ".." || segment == "" && (more || p != "") {
			return false
		}
	}
	return true
}

// appendHeader writes the canonical value of a header: all values joined by
// commas, each trimmed and with runs of spaces folded.
func appendHeader(b []byte, r *http.Request, name string) ([]byte, bool) {
	switch name {
	case "host":
		return appendFolded(b, r.Host), true
	case "content-length":
		// net/http may take the header out, and has checked the number.
		if len(r.Header["Content-Length"]) == 0 {
			return strconv.AppendInt(b, max(r.ContentLength, 0), 10), true
		}
	case "transfer-encoding":
		return append(b, strings.Join(r.TransferEncoding, ",")...), len(r.TransferEncoding) > 0
	}
	values, ok := r.Header[http.CanonicalHeaderKey(name)]
	if !ok {
		return b, false
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFolded(b, v)
	}
	return b, true
}

func appendFolded(b []byte, v string) []byte {
	v = strings.TrimSpace(v)
	for i := range len(v) {
		if v[i] == ' ' && v[i-1] == ' ' {
			continue
		}
		b = append(b, v[i])
	}
	return b
}

// sign makes the signature over the hash of a canonical request.
func (q *Request) sign(key SigningKey, canonical [32]byte) [32]byte {
	var stack [384]byte
	b := append(stack[:0], Algorithm...)
	b = append(b, '\n')
	b = q.appendScope(b)
	return mac(key[:], appendHex(b, canonical[:]))
}

// appendScope writes time \n date/region/service/aws4_request \n.
func (q *Request) appendScope(b []byte) []byte {
	b = append(b, q.timestamp...)
	b = append(b, '\n')
	b = append(b, q.Date...)
	b = append(b, '/')
	b = append(b, q.Region...)
	b = append(b, '/')
	b = append(b, q.Service...)
	b = append(b, '/')
	b = append(b, terminator...)
	return append(b, '\n')
}

// Header returns a header that says how to treat the request: the header itself
// or, in a presigned URL, the parameter that it was moved into. Only x-amz-*
// headers move.
func (q *Request) Header(r *http.Request, name string) string {
	if v := r.Header.Get(name); v != "" || !q.Presigned {
		return v
	}
	if len(name) < 6 || !strings.EqualFold(name[:6], "x-amz-") {
		return ""
	}
	v, _ := q.Query.LookupFold(name)
	return v
}
