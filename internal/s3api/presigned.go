package s3api

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"fiducial/internal/fault"
	"fiducial/internal/sigv4"
)

// maxURLs bounds the presigned URLs whose signatures are known, each of about
// 2 KiB: those that browsers are reading media through at the moment.
const maxURLs = 4096

// urls is a table of known URLs, one place for each hash: to look and to keep
// costs nothing but the hash, and there is no order to maintain. A URL is kept
// when it is seen the second time, since most are used once.
type urls struct {
	seed  maphash.Seed
	seen  [maxURLs]atomic.Uint64 // the hash of what was verified last at this place
	known [maxURLs]atomic.Pointer[presignedURL]
}

func (t *urls) hash(query string) uint64 { return maphash.String(t.seed, query) }

func (t *urls) get(query string) *presignedURL {
	if u := t.known[t.hash(query)%maxURLs].Load(); u != nil && u.query == query {
		return u
	}
	return nil
}

// add keeps a URL that was verified before.
func (t *urls) add(u *presignedURL) {
	h := t.hash(u.query)
	if t.seen[h%maxURLs].Swap(h) == h {
		t.known[h%maxURLs].Store(u)
	}
}

// presignedURL is a presigned URL whose signature has been verified. A browser
// asks for a media file many times, range by range, and a signature over the
// same bytes under the same key has the same answer every time.
//
// What the answer depends on is the method, the host, the path, the query (the
// signature itself is in it) and the signed headers; so a request is "the same"
// only if the first four are equal byte for byte, host is the one signed header,
// and nothing x-amz-* or an Authorization comes beside it. Whatever may change
// between two uses is asked each time: the clock, whether the key or session is
// still good, and everything that objects asks.
type presignedURL struct {
	method, host, path, query string
	sig                       *sigv4.Request // read only from here on
}

// plain reports whether the request carries nothing but its URL that a
// signature or an operation would look at.
func (x *exchange) plain() bool {
	for name := range x.r.Header {
		if name == "Authorization" || len(name) >= 6 && strings.EqualFold(name[:6], "x-amz-") {
			return false
		}
	}
	return x.r.ContentLength == 0 && len(x.r.TransferEncoding) == 0
}

// remember keeps a verified presigned URL.
func (x *exchange) remember() {
	if q := x.sig; q.Presigned && !x.hoisted() && len(q.SignedHeaders) == 1 && q.SignedHeaders[0] == "host" && x.plain() {
		x.h.urls.add(&presignedURL{x.r.Method, x.r.Host, x.r.URL.Path, x.r.URL.RawQuery, q})
	}
}

// known authenticates the caller of a URL that was verified before. It is false
// if this is none; then the whole way must be gone.
func (x *exchange) known() (bool, error) {
	if x.r.URL.RawQuery == "" {
		return false, nil
	}
	u := x.h.urls.get(x.r.URL.RawQuery)
	if u == nil || u.method != x.r.Method || u.host != x.r.Host || u.path != x.r.URL.Path || !x.plain() {
		return false, nil
	}
	ahead := u.sig.Time.Sub(x.start)
	if ahead > sigv4.MaxSkew || ahead+u.sig.Expires <= 0 {
		return false, nil // which the whole way refuses in its own words
	}
	x.sig = u.sig
	c, err := x.h.iam.Authenticate(x.r.Context(), u.sig.AccessKeyID, u.sig.SessionToken)
	if err != nil {
		return false, err
	}
	if c.AccessKeyID != u.sig.AccessKeyID {
		return false, fault.E("s3api.known", fault.Internal, "", nil)
	}
	x.call.Caller = c
	x.call.AuthType, x.call.SignatureAge = u.sig.AuthType(), -ahead
	return true, nil
}
