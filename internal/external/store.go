package external

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fiducial/internal/fault"
	"fiducial/internal/objects"
	"fiducial/internal/sigv4"
)

// Sizes.
const (
	partSize = 8 << 20 // of an upload whose length is not known; held in memory
	maxParts = 10000
	maxRows  = 4096
)

// rowsFor is how long a description of an object is used again. Bytes are asked
// for with its entity tag, so that a description that is out of date is noticed
// before a byte is sent.
const rowsFor = 3 * time.Second

// Store is one bucket that another store keeps.
type Store struct {
	setting *Setting
	bucket  string
	origin  string // scheme://host[:port] of objects
	prefix  string // path before an object's key: "/bucket", or "" in virtual-host style
	signer  *sigv4.Endpoint
	clients *clients
	now     func() time.Time

	mu   sync.Mutex
	rows map[string]seenRow

	sessions sessions
	state    state
}

type seenRow struct {
	object *objects.Object
	until  time.Time
}

// Head describes an object.
func (s *Store) Head(ctx context.Context, key string) (*objects.Object, error) {
	s.mu.Lock()
	row, ok := s.rows[key]
	s.mu.Unlock()
	if ok && s.now().Before(row.until) {
		o := *row.object
		return &o, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit())
	defer cancel()
	out, err := s.clients.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return nil, s.failure("external.Head", err)
	}
	o := &objects.Object{
		Bucket: s.bucket, Key: key, Size: aws.ToInt64(out.ContentLength), ETag: strings.Trim(aws.ToString(out.ETag), `"`),
		Modified: aws.ToTime(out.LastModified),
		Headers: objects.Headers{
			ContentType: aws.ToString(out.ContentType), CacheControl: aws.ToString(out.CacheControl), ContentDisposition: aws.ToString(out.ContentDisposition),
			ContentEncoding: aws.ToString(out.ContentEncoding), ContentLanguage: aws.ToString(out.ContentLanguage), Expires: aws.ToString(out.ExpiresString),
		},
	}
	for name, value := range out.Metadata {
		o.Headers.Meta = append(o.Headers.Meta, objects.Meta{Name: strings.ToLower(name), Value: value})
	}
	sort.Slice(o.Headers.Meta, func(i, j int) bool { return o.Headers.Meta[i].Name < o.Headers.Meta[j].Name })
	s.keep(key, o)
	return o, nil
}

func (s *Store) keep(key string, o *objects.Object) {
	kept := *o
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil || len(s.rows) >= maxRows {
		s.rows = map[string]seenRow{}
	}
	s.rows[key] = seenRow{&kept, s.now().Add(rowsFor)}
}

func (s *Store) drop(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, key)
}

// limit is how long a request without a body may take, all attempts together.
func (s *Store) limit() time.Duration {
	return time.Duration(s.setting.Attempts) * (s.setting.Timeout + maxBackoff)
}

// Open opens bytes of the object that Head described.
func (s *Store) Open(ctx context.Context, o *objects.Object, start, length int64) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &o.Key}
	if o.ETag != "" {
		in.IfMatch = aws.String(`"` + o.ETag + `"`)
	}
	if start != 0 || length != o.Size {
		in.Range = aws.String("bytes=" + strconv.FormatInt(start, 10) + "-" + strconv.FormatInt(start+length-1, 10))
	}
	ctx, cancel := context.WithCancel(ctx)
	stall := time.AfterFunc(s.limit(), cancel)
	out, err := s.clients.s3.GetObject(ctx, in)
	if err == nil && out.ContentLength != nil && *out.ContentLength != length {
		_ = out.Body.Close()
		err = errors.New("it sends another length than was asked for")
	}
	if err != nil {
		stall.Stop()
		cancel()
		s.drop(o.Key)
		return nil, s.failure("external.Open", err)
	}
	return &body{ReadCloser: out.Body, stall: stall, patience: s.setting.Timeout, cancel: cancel}, nil
}

// body is bytes under way. A store that stops sending is given up.
type body struct {
	io.ReadCloser
	stall    *time.Timer
	patience time.Duration
	cancel   context.CancelFunc
}

func (b *body) Read(p []byte) (int, error) {
	b.stall.Reset(b.patience)
	n, err := b.ReadCloser.Read(p)
	// Whoever reads may take as long as they like; only the store is hurried.
	b.stall.Stop()
	return n, err
}

func (b *body) Close() error {
	b.stall.Stop()
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}

// Put writes an object whole or not at all.
func (s *Store) Put(ctx context.Context, key string, h objects.Headers, sse objects.SSE, from io.Reader) (*objects.Object, error) {
	defer s.drop(key)
	first, err := readPart(from)
	if err != nil {
		return nil, err
	}
	o := &objects.Object{Bucket: s.bucket, Key: key, Headers: h, Modified: s.now().UTC()}
	if len(first) < partSize {
		out, err := s.clients.s3.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(first), ContentLength: aws.Int64(int64(len(first))), ContentType: text(h.ContentType),
			CacheControl: text(h.CacheControl), ContentDisposition: text(h.ContentDisposition), ContentEncoding: text(h.ContentEncoding),
			ContentLanguage: text(h.ContentLanguage), Metadata: metadata(h),
			ServerSideEncryption: types.ServerSideEncryption(sse.Algorithm), SSEKMSKeyId: text(sse.KeyID),
		})
		if err != nil {
			return nil, s.failure("external.Put", err)
		}
		o.Size, o.ETag = int64(len(first)), strings.Trim(aws.ToString(out.ETag), `"`)
		return o, nil
	}
	return s.putParts(ctx, o, sse, first, from)
}

// putParts uploads what is longer than one part.
func (s *Store) putParts(ctx context.Context, o *objects.Object, sse objects.SSE, part []byte, from io.Reader) (_ *objects.Object, err error) {
	h := o.Headers
	up, err := s.clients.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: &o.Key, ContentType: text(h.ContentType), CacheControl: text(h.CacheControl), ContentDisposition: text(h.ContentDisposition),
		ContentEncoding: text(h.ContentEncoding), ContentLanguage: text(h.ContentLanguage), Metadata: metadata(h),
		ServerSideEncryption: types.ServerSideEncryption(sse.Algorithm), SSEKMSKeyId: text(sse.KeyID),
	})
	if err != nil {
		return nil, s.failure("external.Put", err)
	}
	defer func() {
		if err != nil { // leave nothing that is paid for and never used
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limit())
			defer cancel()
			_, _ = s.clients.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &o.Key, UploadId: up.UploadId})
		}
	}()
	var done []types.CompletedPart
	for n := int32(1); len(part) > 0; n++ {
		if n > maxParts {
			return nil, fault.Newf("external.Put", fault.Limit, "the object is larger than %d bytes", int64(maxParts)*partSize)
		}
		out, err := s.clients.s3.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &s.bucket, Key: &o.Key, UploadId: up.UploadId, PartNumber: aws.Int32(n), Body: bytes.NewReader(part), ContentLength: aws.Int64(int64(len(part))),
		})
		if err != nil {
			return nil, s.failure("external.Put", err)
		}
		done = append(done, types.CompletedPart{PartNumber: aws.Int32(n), ETag: out.ETag})
		o.Size += int64(len(part))
		if part, err = readPart(from); err != nil {
			return nil, err
		}
	}
	out, err := s.clients.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &s.bucket, Key: &o.Key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	})
	if err != nil {
		return nil, s.failure("external.Put", err)
	}
	o.ETag = strings.Trim(aws.ToString(out.ETag), `"`)
	return o, nil
}

// readPart reads up to partSize bytes. Small bodies take small buffers.
func readPart(from io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(from, partSize))
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func metadata(h objects.Headers) map[string]string {
	if len(h.Meta) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, e := range h.Meta {
		m[e.Name] = e.Value
	}
	return m
}
