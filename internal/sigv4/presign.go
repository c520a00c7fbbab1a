package sigv4

import (
	"crypto/sha256"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
)

// Endpoint is the S3 endpoint that presigned URLs lead to.
type Endpoint struct {
	origin string // scheme://host[:port]
	host   string // as clients send it
	region string
}

// NewEndpoint takes a base URL without a path: http://127.0.0.1:9000.
func NewEndpoint(base, region string) (*Endpoint, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fault.Newf("sigv4.NewEndpoint", fault.Invalid, "the public URL %q must be http(s)://host[:port] without a path", base)
	}
	// Clients leave the scheme's own port out of the Host header.
	host := strings.ToLower(u.Host)
	if u.Scheme == "http" {
		host = strings.TrimSuffix(host, ":80")
	} else {
		host = strings.TrimSuffix(host, ":443")
	}
	return &Endpoint{origin: u.Scheme + "://" + host, host: host, region: region}, nil
}

// Credentials sign. They do not print.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
}

// String shows whose they are and nothing else.
func (c Credentials) String() string { return "credentials of " + c.AccessKeyID }

// GoString is String, for %#v.
func (c Credentials) GoString() string { return c.String() }

// Presign makes a URL that permits one request: this method on this path, with
// no parameters but the signature's own, from t on for the given time (whole
// seconds, 1 s to MaxExpires; what is outside is cut to that).
func (e *Endpoint) Presign(method, path string, c Credentials, t time.Time, expires time.Duration) string {
	return e.Presigner(method, c, t, expires).URL(appendEscaped(nil, c.SessionToken, false), path)
}

// Presigner makes URLs that differ in nothing but their path and session token.
// It is for one goroutine at a time. It does not print.
type Presigner struct {
	e      *Endpoint
	key    SigningKey
	method string
	query  []byte // from the query's "?" to what follows the token
	sign   []byte // the string to sign, up to the canonical request's hash
	room   []byte // scratch
}

// String shows where its URLs lead and nothing else.
func (p *Presigner) String() string { return "presigner of " + p.e.origin }

// GoString is String, for %#v.
func (p *Presigner) GoString() string { return p.String() }

// Presigner makes a Presigner; see Presign. The credentials' session token is not
// read.
func (e *Endpoint) Presigner(method string, c Credentials, t time.Time, expires time.Duration) *Presigner {
	const service = "s3"
	expires = min(max(expires, time.Second), MaxExpires)
	stamp := t.UTC().Format(isoTime)
	date := stamp[:8]

	room := make([]byte, 0, 4096) // a media URL and its canonical request have about 1,100 bytes each
	q := append(room[:0:512], "?X-Amz-Algorithm="+Algorithm+"&X-Amz-Credential="...)
	q = appendEscaped(q, c.AccessKeyID, false)
	for _, s := range [...]string{date, e.region, service, terminator} {
		q = append(q, "%2F"...)
		q = appendEscaped(q, s, false)
	}
	q = append(q, "&X-Amz-Date="...)
	q = append(q, stamp...)
	q = append(q, "&X-Amz-Expires="...)
	q = strconv.AppendInt(q, int64(expires/time.Second), 10)

	r := Request{Scope: Scope{Date: date, Region: e.region, Service: service}, timestamp: stamp}
	sign := append(room[512:512:1024], Algorithm+"\n"...)
	return &Presigner{
		e: e, key: DeriveKey(c.SecretAccessKey, date, e.region, service), method: method,
		query: q, sign: r.appendScope(sign), room: room[1024:1024],
	}
}

// URL makes a URL of a path, which is given in one piece or several, and of a
// session token, which stands in it as it is: it must be of characters that a URL
// does not escape.
func (p *Presigner) URL(token []byte, path ...string) string {
	// The query is canonical as it is written, so the URL borrows path and query
	// from the canonical request.
	b := append(p.room[:0], p.method...)
	b = append(b, '\n')
	start := len(b)
	for _, s := range path {
		b = appendEscaped(b, s, true)
	}
	pathEnd := len(b)
	b = append(b, '\n')
	b = append(b, p.query[1:]...)
	if len(token) > 0 {
		b = append(b, "&X-Amz-Security-Token="...)
		b = append(b, token...)
	}
	b = append(b, "&X-Amz-SignedHeaders=host"...)
	end := len(b)
	b = append(b, "\nhost:"...)
	b = append(b, p.e.host...)
	b = append(b, "\n\nhost\n"+UnsignedPayload...)
	p.room = b

	canonical := sha256.Sum256(b)
	p.sign = appendHex(p.sign, canonical[:])
	sig := mac(p.key[:], p.sign)
	p.sign = p.sign[:len(p.sign)-2*len(canonical)]

	const member = "&X-Amz-Signature="
	var text [2 * len(sig)]byte
	var u strings.Builder
	u.Grow(len(p.e.origin) + end - start + len(member) + len(text))
	u.WriteString(p.e.origin)
	u.Write(b[start:pathEnd])
	u.WriteByte('?')
	u.Write(b[pathEnd+1 : end])
	u.WriteString(member)
	u.Write(appendHex(text[:0], sig[:]))
	return u.String()
}
