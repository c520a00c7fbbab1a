package s3api

import (
	"context"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/objects"
	"fiducial/internal/origin"
	"fiducial/internal/sigv4"
)

// Authenticator knows the callers; iam.Service does.
type Authenticator interface {
	Authenticate(ctx context.Context, accessKeyID, sessionToken string) (*iam.Caller, error)
	SigningKey(c *iam.Caller, date, region, service string) sigv4.SigningKey
	SignV2(c *iam.Caller, text []byte) [20]byte
	Anonymous() *iam.Caller
}

// Options is what a Handler needs.
type Options struct {
	Objects *objects.Service
	IAM     Authenticator
	Audit   audit.Recorder
	// Domain is the name below which every bucket has a host of its own:
	// bucket.Domain. Empty for path style only.
	Domain string
	Now    func() time.Time
	Rand   io.Reader // for request ids
	Log    *slog.Logger

	// BodyFollows is told before the head of an answer of HTTP/1 whose body of at
	// least minFollowing bytes is written right after it. Optional.
	BodyFollows func(ctx context.Context)
}

// Handler is the S3 endpoint.
type Handler struct {
	objects *objects.Service
	iam     Authenticator
	audit   audit.Recorder
	region  string
	domain  string
	now     func() time.Time
	log     *slog.Logger
	ids     ids
	routes  map[routeKey]*Route
	urls    urls
	follows func(ctx context.Context)
}

// minFollowing is the smallest body that is worth announcing; server.MinBody says
// why it may not be smaller.
const minFollowing = 4 << 10

// New makes the endpoint.
func New(o Options) *Handler {
	h := &Handler{
		objects: o.Objects, iam: o.IAM, audit: o.Audit, region: o.Objects.Region(),
		domain: strings.ToLower(strings.Trim(o.Domain, ".")), now: o.Now, log: o.Log, routes: routeMap(), follows: o.BodyFollows,
	}
	h.ids.rand = o.Rand
	h.urls.seed = maphash.MakeSeed()
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	return h
}

// ids makes request ids. They are only to be unlike each other, so randomness is
// fetched in larger pieces.
type ids struct {
	rand io.Reader
	mu   sync.Mutex
	buf  [512]byte
	left int
}

func (i *ids) next() string {
	var id [8]byte
	i.mu.Lock()
	if i.left < len(id) {
		if _, err := io.ReadFull(i.rand, i.buf[:]); err == nil {
			i.left = len(i.buf)
		}
	}
	if i.left >= len(id) {
		i.left -= len(id)
		copy(id[:], i.buf[i.left:])
	}
	i.mu.Unlock()
	var out [16]byte
	hex.Encode(out[:], id[:])
	for k, c := range out {
		if c >= 'a' {
			out[k] = c - 'a' + 'A'
		}
	}
	return string(out[:])
}

// exchange is one request and its answer.
type exchange struct {
	h      *Handler
	w      http.ResponseWriter
	r      *http.Request
	start  time.Time
	call   objects.Call
	sig    *sigv4.Request
	key    sigv4.SigningKey
	bucket string
	name   string // the object's key
	route  *Route
	legacy bool // presigned by Signature Version 2

	status     int
	errorCode  string
	sent       int64
	objectSize int64
	answered   time.Time
}

// exchanges spares every request an allocation of more than a kilobyte. Nothing
// may keep an exchange, or the call in it, after ServeHTTP.
var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchanges.Get().(*exchange)
	defer func() {
		*x = exchange{}
		exchanges.Put(x)
	}()
	x.h, x.w, x.r, x.start, x.objectSize = h, w, r, h.now(), -1
	x.call = objects.Call{
		Caller: h.iam.Anonymous(), Origin: origin.From(r.Context()), RequestID: h.ids.next(), Method: r.Method, Time: x.start,
		Referer: r.Header.Get("Referer"), UserAgent: r.Header.Get("User-Agent"), SignatureAge: -1,
		Browser: browser(r.Header["Cookie"]),
	}
	head := w.Header()
	id := []string{x.call.RequestID, x.call.RequestID}
	head["X-Amz-Request-Id"], head["X-Amz-Id-2"] = id[:1:1], id[1:]
	if err := x.serve(); err != nil {
		x.fail(err)
	}
	x.log()
	// A connection whose next request is there already would be served on and on
	// for as long as the scheduler lets it, and hundreds of others wait: each has
	// one answer at a time.
	runtime.Gosched()
}

func (x *exchange) serve() error {
	var err error
	if x.bucket, x.name, err = x.h.locate(x.r); err != nil {
		return err
	}
	if x.r.Method == http.MethodOptions {
		return x.preflight()
	}
	x.cors()
	if err := x.authenticate(); err != nil {
		return x.refused(err)
	}
	x.credentials()
	if x.route, err = x.h.match(x); err != nil {
		return err
	}
	if err := x.checkOwner(); err != nil {
		return err
	}
	return x.route.handle(x)
}

// locate tells bucket and key from host and path.
func (h *Handler) locate(r *http.Request) (bucket, key string, err error) {
	path := r.URL.Path
	if path == "" || path[0] != '/' {
		return "", "", fault.Coded("s3api", fault.Invalid, "InvalidURI", "Couldn't parse the specified URI.")
	}
	path = path[1:]
	if h.domain != "" {
		if b, ok := h.hostBucket(r.Host); ok {
			return b, path, nil
		}
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key, nil
}

// hostBucket tells the bucket from a host below the domain.
func (h *Handler) hostBucket(host string) (string, bool) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.ToLower(host)
	if len(host) <= len(h.domain)+1 || !strings.HasSuffix(host, h.domain) {
		return "", false
	}
	b := host[:len(host)-len(h.domain)]
	return strings.CutSuffix(b, ".")
}

// authenticate establishes the caller.
func (x *exchange) authenticate() error {
	if ok, err := x.known(); ok || err != nil {
		return err
	}
	if isLegacy(x.r) {
		return x.authenticateLegacy()
	}
	sig, err := sigv4.Parse(x.r)
	x.sig = sig
	if errors.Is(err, sigv4.ErrAnonymous) {
		return nil
	}
	if err != nil {
		return err
	}
	x.call.AuthType = sig.AuthType()
	x.call.SignatureAge = x.start.Sub(sig.Time)
	if err := sig.CheckScope(x.h.region, "s3"); err != nil {
		return err
	}
	c, err := x.h.iam.Authenticate(x.r.Context(), sig.AccessKeyID, sig.SessionToken)
	if err != nil {
		return err
	}
	x.key = x.h.iam.SigningKey(c, sig.Date, sig.Region, sig.Service)
	if err := sig.Verify(x.r, x.key, x.start); err != nil {
		return err
	}
	x.call.Caller = c
	x.call.Keys = x.conditionKeys()
	x.remember()
	return nil
}

// refused records a request whose caller could not be established. For a
// presigned URL every such failure is "forbidden": S3 itself has 400 for some
// of them, but nothing about a URL that was changed should look like an
// invitation to change it again.
func (x *exchange) refused(err error) error {
	e := audit.Event{
		Time: x.start, Kind: audit.Access, RequestID: x.call.RequestID, Verdict: audit.Deny,
		Reason: fault.MessageOf(err), Error: fault.CodeOf(err), Resource: x.resource(),
		Origin: x.call.Origin.String(), Method: x.r.Method, Status: statusOf(err), Agent: x.call.UserAgent,
	}
	if x.sig != nil {
		e.AccessKeyID = x.sig.AccessKeyID
	}
	if presigned(x.r) && e.Status < 500 {
		e.Status = http.StatusForbidden
		err = &forbidden{err}
	}
	if rerr := x.h.audit.Record(x.r.Context(), &e); rerr != nil {
		return rerr
	}
	return err
}

// presigned reports whether the query holds a signature or what is left of one.
func presigned(r *http.Request) bool {
	q := strings.ToLower(r.URL.RawQuery)
	return strings.Contains(q, "x-amz-") || strings.Contains(q, "awsaccesskeyid=") || strings.Contains(q, "signature=")
}

func (x *exchange) resource() string {
	if x.bucket == "" {
		return ""
	}
	s := "arn:aws:s3:::" + x.bucket
	if x.name != "" {
		s += "/" + x.name
	}
	return s
}

// checkOwner compares the account that the caller expects to own the buckets.
func (x *exchange) checkOwner() error {
	for _, name := range [...]string{"X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner"} {
		if v := x.header(name); v != "" && v != x.h.objects.Account() {
			return fault.Coded("s3api", fault.Denied, "AccessDenied", "Access Denied")
		}
	}
	return nil
}

// header returns a request header, or the query parameter that a presigner made
// of it. The name must be in canonical form, which spares an allocation.
func (x *exchange) header(name string) string {
	if v := x.r.Header[name]; len(v) > 0 {
		return v[0]
	}
	if !x.hoisted() {
		return ""
	}
	return x.sig.Header(x.r, name)
}

// hoisted reports whether a presigned URL has parameters beside the signature's
// own, among which there may be headers.
func (x *exchange) hoisted() bool {
	if x.sig == nil || !x.sig.Presigned {
		return false
	}
	if x.legacy {
		return x.sig.Query.Len() > 0
	}
	own := 6
	if x.sig.SessionToken != "" {
		own++
	}
	return x.sig.Query.Len() > own
}

func (x *exchange) query(name string) string { return x.sig.Query.Get(name) }
