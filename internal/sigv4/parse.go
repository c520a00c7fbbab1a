package sigv4

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const isoTime = "20060102T150405Z"

// Parse reads the signature of a request without judging it. A request that is
// not signed at all gives ErrAnonymous; one that is signed in a way that cannot
// be right, a fault with the code that S3 has for it.
func Parse(r *http.Request) (*Request, error) {
	q := &Request{}
	if err := q.Query.parse(r.URL.RawQuery); err != nil {
		return nil, err
	}
	inQuery, err := q.Query.authParams()
	if err != nil {
		return nil, err
	}
	headers := r.Header["Authorization"]
	switch {
	case len(headers) > 1 || inQuery && len(headers) > 0:
		return nil, invalid(CodeInvalidArgument, "a request is signed once: in one Authorization header or in the query")
	case inQuery:
		q.Presigned = true
		err = q.parsePresigned(r)
	case len(headers) == 1:
		err = q.parseHeader(r, headers[0])
	default:
		q.Anonymous = true
		if q.PayloadHash, err = payloadHash(r, ""); err == nil {
			err = ErrAnonymous
		}
		return q, err
	}
	if err != nil {
		return nil, err
	}
	return q, nil
}

// The parameters that a signature in the query consists of.
const (
	paramAlgorithm  = "X-Amz-Algorithm"
	paramCredential = "X-Amz-Credential"
	paramDate       = "X-Amz-Date"
	paramExpires    = "X-Amz-Expires"
	paramHeaders    = "X-Amz-SignedHeaders"
	paramSignature  = "X-Amz-Signature"
	paramToken      = "X-Amz-Security-Token"
)

var authNames = [...]string{paramAlgorithm, paramCredential, paramDate, paramExpires, paramHeaders, paramSignature, paramToken}

// authParams reports whether the query carries any part of a signature. Each
// part may be there once and in its own spelling only: where a second spelling
// would be let through, two readers could disagree about which one counts.
func (q *Query) authParams() (bool, error) {
	var seen [len(authNames)]bool
	found := false
	for i := range q.params {
		name := q.params[i].name
		if len(name) < len(paramDate) || name[0]|0x20 != 'x' || name[1] != '-' {
			if name == "AWSAccessKeyId" {
				return false, invalid(CodeInvalidRequest, "signature version 2 is not supported; use %s", Algorithm)
			}
			continue
		}
		for k, auth := range authNames {
			if len(name) != len(auth) || !strings.EqualFold(name, auth) {
				continue
			}
			if name != auth || seen[k] {
				return false, invalid(CodeQueryParameters, "%s must be given once, in this spelling", auth)
			}
			seen[k], found = true, true
		}
	}
	return found, nil
}

func (q *Request) parsePresigned(r *http.Request) error {
	const code = CodeQueryParameters
	var v [6]string
	for i, name := range authNames[:6] {
		var ok bool
		if v[i], ok = q.Query.Lookup(name); !ok || v[i] == "" {
			return invalid(code, "a presigned URL needs X-Amz-Algorithm, X-Amz-Credential, X-Amz-Date, X-Amz-Expires, X-Amz-SignedHeaders and X-Amz-Signature; %s is missing", name)
		}
	}
	if q.Query.loose {
		return invalid(code, "the query of a presigned URL is not as it was made: percent-escapes have upper-case digits, and no parameter is empty")
	}
	if v[0] != Algorithm {
		return invalid(code, "X-Amz-Algorithm must be %s", Algorithm)
	}
	if err := q.parseCredential(v[1], code); err != nil {
		return err
	}
	if err := q.parseTime(v[2], code, "X-Amz-Date"); err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(v[3], 10, 64)
	if err != nil || seconds < 1 || seconds > int64(MaxExpires/time.Second) {
		return invalid(code, "X-Amz-Expires must be a number of seconds from 1 to %d", int64(MaxExpires/time.Second))
	}
	q.Expires = time.Duration(seconds) * time.Second
	if err := q.parseSignedHeaders(v[4], code); err != nil {
		return err
	}
	var ok bool
	if q.Signature, ok = decodeSignature(v[5]); !ok {
		return refused(CodeSignatureDoesNotMatch, "X-Amz-Signature must be 64 lower-case hexadecimal digits")
	}
	inQuery, ok := q.Query.Lookup(paramToken)
	if err := q.parseToken(r, inQuery, ok); err != nil {
		return err
	}
	hoisted, _ := q.Query.LookupFold("x-amz-content-sha256")
	if q.PayloadHash, err = payloadHash(r, hoisted); err == nil && q.PayloadHash == "" && q.Service == "s3" {
		q.PayloadHash = UnsignedPayload
	}
	return err
}

// parseHeader reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
func (q *Request) parseHeader(r *http.Request, h string) error {
	const code = CodeHeaderMalformed
	if len(h) > maxAuthorization {
		return invalid(code, "the Authorization header is longer than %d bytes", maxAuthorization)
	}
	algorithm, rest, _ := strings.Cut(strings.TrimSpace(h), " ")
	switch {
	case algorithm == Algorithm:
	case algorithm == "AWS":
		return invalid(CodeInvalidRequest, "signature version 2 is not supported; use %s", Algorithm)
	case strings.HasPrefix(algorithm, "AWS4-"):
		return invalid(CodeInvalidRequest, "the signing algorithm %.32q is not supported; use %s", algorithm, Algorithm)
	default:
		return invalid(CodeInvalidArgument, "unsupported Authorization type; use %s", Algorithm)
	}
	var credential, headers, signature string
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var into *string
		switch name {
		case "Credential":
			into = &credential
		case "SignedHeaders":
			into = &headers
		case "Signature":
			into = &signature
		}
		if into == nil || *into != "" || value == "" {
			return invalid(code, "the Authorization header must consist of one each of Credential, SignedHeaders and Signature")
		}
		*into = value
	}
	if credential == "" || headers == "" || signature == "" {
		return invalid(code, "the Authorization header needs Credential, SignedHeaders and Signature")
	}
	if err := q.parseCredential(credential, code); err != nil {
		return err
	}
	if err := q.parseSignedHeaders(headers, code); err != nil {
		return err
	}
	var ok bool
	if q.Signature, ok = decodeSignature(signature); !ok {
		return refused(CodeSignatureDoesNotMatch, "Signature must be 64 lower-case hexadecimal digits")
	}
	if err := q.parseDateHeader(r); err != nil {
		return err
	}
	if err := q.parseToken(r, "", false); err != nil {
		return err
	}
	var err error
	if q.PayloadHash, err = payloadHash(r, ""); err == nil && q.PayloadHash == "" && q.Service == "s3" {
		return invalid(CodeMissingHeader, "the request needs the header x-amz-content-sha256")
	}
	return err
}

// parseCredential reads ID/YYYYMMDD/region/service/aws4_request.
func (q *Request) parseCredential(s, code string) error {
	if len(s) > maxScope {
		return invalid(code, "the credential is longer than %d bytes", maxScope)
	}
	rest := s
	var part [5]string
	for i := 4; i > 0; i-- {
		cut := strings.LastIndexByte(rest, '/')
		if cut < 0 {
			return invalid(code, "the credential must be <access key id>/YYYYMMDD/<region>/<service>/%s", terminator)
		}
		part[i], rest = rest[cut+1:], rest[:cut]
	}
	part[0] = rest
	for i, p := range part {
		if p == "" || i == 4 && p != terminator {
			return invalid(code, "the credential must be <access key id>/YYYYMMDD/<region>/<service>/%s", terminator)
		}
	}
	q.Scope = Scope{AccessKeyID: part[0], Date: part[1], Region: part[2], Service: part[3]}
	return nil
}

func (q *Request) parseTime(s, code, name string) error {
	t, ok := parseISO(s)
	if !ok {
		return invalid(code, "%s must be a time like 20130524T000000Z", name)
	}
	return q.setTime(t, s, code)
}

func (q *Request) setTime(t time.Time, stamp, code string) error {
	q.Time, q.timestamp = t, stamp
	if q.Date != stamp[:8] {
		return invalid(code, "the date %q in the credential is not the date of the request, %q", q.Date, stamp[:8])
	}
	return nil
}

// parseISO reads exactly YYYYMMDDThhmmssZ. time.Parse would take more (fractions
// of a second), and two spellings of one time have no place in a signature.
func parseISO(s string) (time.Time, bool) {
	if len(s) != len(isoTime) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	var n [14]int
	k := 0
	for i := range len(s) {
		if i == 8 || i == 15 {
			continue
		}
		if s[i] < '0' || s[i] > '9' {
			return time.Time{}, false
		}
		n[k] = int(s[i] - '0')
		k++
	}
	two := func(i int) int { return n[i]*10 + n[i+1] }
	year, month, day := two(0)*100+two(2), two(4), two(6)
	hour, minute, second := two(8), two(10), two(12)
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	y, m, d := t.Date()
	return t, y == year && int(m) == month && d == day && hour < 24 && minute < 60 && second < 60
}

// parseDateHeader takes the time from X-Amz-Date, or else from Date.
func (q *Request) parseDateHeader(r *http.Request) error {
	if v, ok := r.Header["X-Amz-Date"]; ok {
		if t, good := parseISO(v[0]); good && len(v) == 1 {
			return q.setTime(t, v[0], CodeHeaderMalformed)
		}
		return refused(CodeAccessDenied, "a signed request needs one X-Amz-Date header like 20130524T000000Z")
	}
	v := r.Header["Date"]
	if len(v) == 1 && q.signs("date") {
		if t, good := parseISO(v[0]); good {
			return q.setTime(t, v[0], CodeHeaderMalformed)
		}
		if t, err := http.ParseTime(v[0]); err == nil {
			t = t.UTC()
			return q.setTime(t, t.Format(isoTime), CodeHeaderMalformed)
		}
	}
	return refused(CodeAccessDenied, "a signed request needs an X-Amz-Date header, or a signed Date header")
}

// parseSignedHeaders reads a;b;c: lower case, strictly ascending, host among them.
func (q *Request) parseSignedHeaders(s, code string) error {
	q.signedHeaders = s
	n := strings.Count(s, ";") + 1
	if n > maxSignedHeaders {
		return invalid(code, "more than %d signed headers", maxSignedHeaders)
	}
	q.SignedHeaders = make([]string, 0, n)
	last := ""
	for rest, more := s, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, ";")
		if name <= last || !lowerToken(name) {
			return invalid(code, "SignedHeaders must be lower-case header names in ascending order, joined by semicolons")
		}
		q.SignedHeaders = append(q.SignedHeaders, name)
		last = name
	}
	if !q.signs("host") {
		return refused(CodeAccessDenied, "the host header must be signed")
	}
	return nil
}

// lowerToken reports whether s is a header name without upper-case letters.
func lowerToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func (q *Request) signs(name string) bool {
	for _, h := range q.SignedHeaders {
		if h == name {
			return true
		}
	}
	return false
}

func (q *Request) parseToken(r *http.Request, inQuery string, has bool) error {
	h := r.Header["X-Amz-Security-Token"]
	switch {
	case len(h) > 1 || has && len(h) > 0:
		return invalid(CodeInvalidRequest, "the session token must be given once")
	case len(h) == 1:
		inQuery = h[0]
	}
	if len(inQuery) > maxToken {
		return invalid(CodeInvalidRequest, "the session token is longer than %d bytes", maxToken)
	}
	q.SessionToken = inQuery
	return nil
}

// payloadHash reads x-amz-content-sha256 from the header, or as it was moved
// into the query of a presigned URL.
func payloadHash(r *http.Request, hoisted string) (string, error) {
	h := r.Header["X-Amz-Content-Sha256"]
	v := hoisted
	switch {
	case len(h) > 1 || hoisted != "" && len(h) > 0 && h[0] != hoisted:
		return "", invalid(CodeInvalidRequest, "x-amz-content-sha256 must be given once")
	case len(h) == 1:
		v = h[0]
	}
	switch v {
	case "", UnsignedPayload, StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer:
		return v, nil
	}
	if _, ok := decodeSignature(strings.ToLower(v)); !ok {
		return "", invalid(CodeInvalidArgument, "x-amz-content-sha256 must be the hexadecimal SHA-256 of the body, %s, %s, %s or %s", UnsignedPayload, StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer)
	}
	return v, nil
}
