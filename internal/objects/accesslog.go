package objects

import (
	"bytes"
	"context"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Access is one finished request, as the bucket's access log tells of it.
type Access struct {
	Call       *Call
	Bucket     string
	Key        string
	RequestURI string // "GET /bucket/key?query HTTP/1.1" without secrets: see RedactURI
	Status     int
	ErrorCode  string
	BytesSent  int64
	ObjectSize int64 // -1 if not known
	Total      time.Duration
	TurnAround time.Duration // until the first byte of the answer
	Host       string
	CipherSuite,
	TLSVersion string
}

// accessLog collects the lines of buckets that have logging on, until they are
// delivered as objects of the target bucket. Delivery is best effort, as S3's
// own is: lines that were not delivered when the process is killed are lost.
// The record that is never lost is audit's.
type accessLog struct {
	interval time.Duration

	mu    sync.Mutex
	batch map[Logging]*bytes.Buffer
	size  int
}

// maxLogBytes bounds the lines that wait. Beyond it new ones are dropped.
const maxLogBytes = 16 << 20

// LogAccess adds a line to the bucket's access log, if it has one.
func (s *Service) LogAccess(a *Access) {
	b := a.Call.Bucket
	if b == nil || !b.Logging.Enabled() {
		return
	}
	s.access.mu.Lock()
	defer s.access.mu.Unlock()
	if s.access.size > maxLogBytes {
		return
	}
	if s.access.batch == nil {
		s.access.batch = map[Logging]*bytes.Buffer{}
	}
	buf := s.access.batch[b.Logging]
	if buf == nil {
		buf = &bytes.Buffer{}
		s.access.batch[b.Logging] = buf
	}
	before := buf.Len()
	s.writeLine(buf, a)
	s.access.size += buf.Len() - before
}

// writeLine writes one line in the format of "Amazon S3 server access log
// format" (S3 User Guide).
func (s *Service) writeLine(w *bytes.Buffer, a *Access) {
	c := a.Call
	p := &c.Caller.Principal
	field := func(v string) {
		w.WriteByte(' ')
		if v == "" {
			v = "-"
		}
		w.WriteString(clean(v, true))
	}
	quoted := func(v string) {
		w.WriteByte(' ')
		if v == "" {
			v = "-" // in its quotes, unlike every other field's
		}
		w.WriteByte('"')
		w.WriteString(clean(v, false))
		w.WriteByte('"')
	}
	number := func(n int64, known bool) {
		if !known {
			field("")
			return
		}
		field(strconv.FormatInt(n, 10))
	}
	w.WriteString(OwnerID(s.account))
	field(a.Bucket)
	w.WriteString(s.now().UTC().Format(" [02/Jan/2006:15:04:05 -0700]"))
	if c.Origin.Addr.IsValid() {
		field(c.Origin.Addr.String())
	} else {
		field("")
	}
	field(p.ARN)
	field(c.RequestID)
	name := ""
	if c.Operation != nil {
		name = c.Operation.LogName
	}
	field(name)
	field(logKey(a.Key))
	quoted(a.RequestURI)
	number(int64(a.Status), true)
	field(a.ErrorCode)
	number(a.BytesSent, a.BytesSent > 0)
	number(a.ObjectSize, a.ObjectSize >= 0)
	number(a.Total.Milliseconds(), true)
	number(a.TurnAround.Milliseconds(), true)
	quoted(RedactURI(c.Referer)) // it may be a media URL itself
	quoted(c.UserAgent)
	field("") // version id
	field("") // host id
	sig, auth := "", ""
	switch c.AuthType {
	case "REST-HEADER":
		sig, auth = "SigV4", "AuthHeader"
	case "REST-QUERY-STRING":
		sig, auth = "SigV4", "QueryString"
	}
	if sig != "" && c.SignatureVersion == "AWS" {
		sig = "SigV2"
	}
	field(sig)
	field(a.CipherSuite)
	field(auth)
	field(a.Host)
	field(a.TLSVersion)
	field("") // access point
	field("") // whether an ACL was required
	w.WriteByte('\n')
}

// clean keeps what a client chose from looking like another field or line.
func clean(v string, bare bool) string {
	if len(v) > 2048 {
		v = v[:2048]
	}
	ok := true
	for i := range len(v) {
		if c := v[i]; c < 0x20 || c == 0x7f || c == '"' || bare && c == ' ' {
			ok = false
			break
		}
	}
	if ok {
		return v
	}
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		if c < 0x20 || c == 0x7f || c == '"' || bare && c == ' ' {
			b.WriteByte('%')
			b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// logKey is a key as the log shows it: percent-encoded, slashes kept.
func logKey(key string) string {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~/!'()*", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
	return b.String()
}

// RedactURI takes from a request URI what would let a reader of the log use it:
// the values of X-Amz-Signature, X-Amz-Security-Token and X-Amz-Credential's
// like. S3 itself logs the query as it came; a log that opens what it tells of
// is not wanted here.
func RedactURI(uri string) string {
	path, query, ok := strings.Cut(uri, "?")
	if !ok {
		return uri
	}
	parts := strings.Split(query, "&")
	for i, p := range parts {
		name, _, has := strings.Cut(p, "=")
		if has && secretParameter(name) {
			parts[i] = name + "=REDACTED"
		}
	}
	return path + "?" + strings.Join(parts, "&")
}

func secretParameter(name string) bool {
	// Anything that decodes to one of the names counts; a name with escapes is
	// rare enough to be hidden whatever it decodes to.
	return strings.ContainsAny(name, "%+") || strings.EqualFold(name, "X-Amz-Signature") ||
		strings.EqualFold(name, "X-Amz-Security-Token") || strings.EqualFold(name, "Signature")
}

// deliver writes the lines that wait into their target buckets.
func (s *Service) deliver(ctx context.Context) {
	s.access.mu.Lock()
	batch := s.access.batch
	s.access.batch, s.access.size = nil, 0
	s.access.mu.Unlock()
	for target, lines := range batch {
		id, err := s.newID()
		if err == nil {
			key := target.TargetPrefix + s.now().UTC().Format("2006-01-02-15-04-05-") + strings.ToUpper(id[:16])
			_, err = s.put(ctx, &PutInput{
				Bucket: target.TargetBucket, Key: key, Headers: Headers{ContentType: "text/plain"},
				Body: lines, Size: int64(lines.Len()),
			})
		}
		if err != nil {
			s.log.Warn("an access log was not delivered", "bucket", target.TargetBucket, "prefix", target.TargetPrefix, "err", err)
		}
	}
}
