package objects

import (
	"context"
	"encoding/hex"
	"io"

	"fiducial/internal/blob"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/policy"
)

// PutInput is a new object.
type PutInput struct {
	Bucket, Key string
	Headers     Headers
	Conditions  Conditions // IfMatch and IfNoneMatch
	Body        io.Reader
	Size        int64 // -1 if not known
	Sum         Sum
	SSE         SSE
}

// Sum says what is known and wanted about additional checksums of a body.
type Sum struct {
	// Declared is the algorithm of the checksum that came with the body, and
	// Value returns it once the body has been read to its end: by then the
	// caller has verified it.
	Declared string
	Value    func() string
	// Compute is an algorithm to compute here, where none was declared.
	Compute string
}

// stored is a body that has been written.
type stored struct {
	blob     blob.ID
	size     int64
	etag     string
	checksum Checksum
}

// PutObject stores an object. When it returns nil the object is durable and
// every later read sees it.
func (s *Service) PutObject(ctx context.Context, call *Call, in PutInput) (*Object, error) {
	e, key, err := s.checkWrite(ctx, call, OpPutObject, in.Bucket, in.Key, &in.Headers, in.SSE)
	if err != nil {
		return nil, err
	}
	return s.putSealed(ctx, call, &in, e, key)
}

// checkWrite authorizes a write to a key, checks what comes with it and makes the
// data key of what is written.
func (s *Service) checkWrite(ctx context.Context, call *Call, op int, bucket, key string, h *Headers, sse SSE) (*Encryption, envelope.Secret, error) {
	b, err := s.decide(ctx, call, op, bucket, key)
	if err != nil {
		return nil, envelope.Secret{}, s.refuse(ctx, call, err)
	}
	bad := checkKey(key)
	if bad == nil {
		bad = h.check()
	}
	var e *Encryption
	var dataKey envelope.Secret
	if bad == nil {
		if e, dataKey, bad = s.newKey(ctx, call, b, key, sse); keyRefused(call, bad) {
			return nil, envelope.Secret{}, s.refuse(ctx, call, bad)
		}
	}
	if err := s.record(ctx, call); err != nil {
		return nil, envelope.Secret{}, err
	}
	return e, dataKey, bad
}

// put writes an object on the server's own behalf. Where the bucket asks for
// encryption it is SSE-S3: there is no caller whom a key of the KMS could know,
// and S3 delivers no access logs under one either.
func (s *Service) put(ctx context.Context, in *PutInput) (*Object, error) {
	b, err := s.bucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	var e *Encryption
	var key envelope.Secret
	if b.Encryption.Algorithm != "" {
		if e, key, err = s.newKey(ctx, nil, b, in.Key, SSE{Algorithm: AES256}); err != nil {
			return nil, err
		}
	}
	return s.putSealed(ctx, &Call{Operation: &table[OpPutObject], Bucket: b}, in, e, key)
}

// putSealed writes an object whose data key is made; e is nil for none.
func (s *Service) putSealed(ctx context.Context, call *Call, in *PutInput, e *Encryption, key envelope.Secret) (*Object, error) {
	if _, ok := s.abroad(in.Bucket); ok {
		return s.putAbroad(ctx, in)
	}
	// A condition that already fails spares the transfer. It is decided again
	// when the row is written.
	if in.Conditions != (Conditions{}) {
		if err := s.precheck(ctx, in); err != nil {
			return nil, err
		}
	}
	st, err := s.write(ctx, in.Body, in.Size, in.Sum, sealWith(e, key, wholeStream))
	if err != nil {
		return nil, err
	}
	o := &Object{
		Bucket: in.Bucket, Key: in.Key, Blob: st.blob, Size: st.size, ETag: st.etag,
		Modified: s.now().UTC(), Headers: in.Headers, Checksum: st.checksum,
		Encryption: e,
	}
	if o.Checksum.Algorithm != "" {
		o.Checksum.Type = FullObject
	}
	return o, s.commit(ctx, call, o, nil, in.Conditions.write)
}

func (s *Service) precheck(ctx context.Context, in *PutInput) error {
	o, err := s.row(ctx, in.Bucket, in.Key, true)
	if err != nil && fault.CodeOf(err) != "NoSuchKey" {
		return err
	}
	return in.Conditions.write(o)
}

// commit writes a row whose bytes are durable. If that fails its bytes go.
func (s *Service) commit(ctx context.Context, call *Call, o *Object, keep []Segment, check func(*Object) error) error {
	o.finish()
	tell, err := s.telling(call, o.Key, o)
	if err != nil {
		return err
	}
	freed, err := s.store.PutObject(ctx, o, keep, tell, check)
	s.changed(o.Bucket, o.Key)
	if err != nil {
		// If the store cannot say whether the row was written (the database
		// went away during the commit), the bytes may be in use: the sweep
		// will find out.
		if k := fault.KindOf(err); o.Blob != "" && k != fault.Internal && k != fault.Unavailable {
			s.remove([]blob.ID{o.Blob})
		}
		return err
	}
	s.remove(freed)
	s.told(tell)
	return nil
}

// write writes one body to one blob, sealed if so wanted, and returns once that
// is durable.
func (s *Service) write(ctx context.Context, body io.Reader, size int64, sum Sum, seal sealing) (stored, error) {
	if size > MaxPut {
		return stored{}, tooLarge()
	}
	d, err := newDigest(sum.Compute)
	if err != nil {
		return stored{}, err
	}
	w, err := s.blobs.Create(ctx)
	if err != nil {
		return stored{}, err
	}
	defer w.Abort() // does nothing after Commit
	out := io.WriteCloser(open{w})
	if seal.on {
		if out, err = envelope.NewWriter(seal.key, seal.stream, w); err != nil {
			return stored{}, err
		}
	}
	buf := copyBuffers.Get().(*[copyBuffer]byte)
	_, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(out, d)}, io.LimitReader(body, MaxPut+1), buf[:])
	copyBuffers.Put(buf)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
		return stored{}, err
	case d.size > MaxPut:
		return stored{}, tooLarge()
	case size >= 0 && d.size != size:
		return stored{}, fault.Coded("objects", fault.Invalid, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	st := stored{size: d.size, etag: d.etag()}
	if seal.secret {
		st.etag = secretETag(seal.key, d.md5.Sum(nil))
	}
	switch {
	case sum.Declared != "":
		st.checksum = Checksum{Algorithm: sum.Declared, Value: sum.Value()}
	case sum.Compute != "":
		st.checksum = Checksum{Algorithm: sum.Compute, Value: d.value()}
	}
	st.blob, _, err = w.Commit(ctx)
	return st, err
}

// open is a writer whose bytes lie as they are.
type open struct{ io.Writer }

func (open) Close() error { return nil }

func tooLarge() error {
	return fault.Coded("objects", fault.Limit, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
}

// CopyInput copies an object.
type CopyInput struct {
	Bucket, Key             string
	SourceBucket, SourceKey string
	Source                  Conditions // on the source
	Conditions              Conditions // on the destination
	Replace                 bool       // metadata directive REPLACE: Headers instead of the source's
	Headers                 Headers
	Compute                 string // checksum algorithm of the copy; "" keeps the source's
	SSE                     SSE    // of the copy, which takes nothing of the source's
}

// CopyObject copies an object of at most MaxPut bytes.
func (s *Service) CopyObject(ctx context.Context, call *Call, in CopyInput) (*Object, error) {
	src, b, err := s.beginCopy(ctx, call, OpCopyObject, &in, "")
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	self := in.Bucket == in.SourceBucket && in.Key == in.SourceKey
	if self && !in.Replace && in.SSE.Algorithm == "" {
		return nil, fault.Coded("objects", fault.Invalid, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	h := src.Headers
	if in.Replace {
		h = in.Headers
	} else {
		h.RedirectLocation = in.Headers.RedirectLocation
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	if src.Size > MaxPut {
		return nil, fault.Coded("objects", fault.Invalid, "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	}
	plain := !src.Encryption.sealed() && in.SSE.choose(b).Algorithm == ""
	if self && plain && (in.Compute == "" || in.Compute == src.Checksum.Algorithm) {
		return s.replaceMetadata(ctx, call, src.Object, h, &in)
	}
	alg := in.Compute
	if alg == "" {
		alg = src.Checksum.Algorithm
	}
	e, key, err := s.newKey(ctx, call, b, in.Key, in.SSE)
	if err != nil {
		if keyRefused(call, err) { // a second record: the copy itself was permitted
			return nil, s.refuse(ctx, call, err)
		}
		return nil, err
	}
	body := src.Reader()
	defer body.Close()
	return s.putSealed(ctx, call, &PutInput{
		Bucket: in.Bucket, Key: in.Key, Headers: h, Conditions: in.Conditions,
		Body: body, Size: src.Size, Sum: Sum{Compute: alg},
	}, e, key)
}

// replaceMetadata writes a new row over the same bytes.
func (s *Service) replaceMetadata(ctx context.Context, call *Call, src *Object, h Headers, in *CopyInput) (*Object, error) {
	o := *src
	o.Headers, o.Modified = h, s.now().UTC()
	same := func(now *Object) error {
		if now == nil || now.Blob != src.Blob || now.Upload != src.Upload {
			return fault.Coded("objects", fault.Precond, "ConditionalRequestConflict", "The object was changed during the copy. Please try again.")
		}
		return in.Conditions.write(now)
	}
	o.finish()
	tell, err := s.telling(call, o.Key, &o)
	if err != nil {
		return nil, err
	}
	freed, err := s.store.PutObject(ctx, &o, nil, tell, same)
	s.changed(o.Bucket, o.Key)
	if err != nil {
		return nil, err
	}
	s.remove(freed)
	s.told(tell)
	return &o, nil
}

// beginCopy authorizes both sides of a copy, puts the decision on record and
// opens the source.
func (s *Service) beginCopy(ctx context.Context, call *Call, op int, in *CopyInput, byteRange string) (*Content, *Bucket, error) {
	source := policy.Key{Name: "s3:x-amz-copy-source", Value: in.SourceBucket + "/" + in.SourceKey}
	dst, err := s.decide(ctx, call, op, in.Bucket, in.Key, source)
	if err != nil {
		return nil, nil, s.refuse(ctx, call, err)
	}
	src, err := s.source(ctx, call, table[op].Source, in, byteRange)
	if err != nil && (keyRefused(call, err) || fault.Is(err, fault.Denied)) {
		return nil, nil, s.refuse(ctx, call, err)
	}
	if rerr := s.record(ctx, call); rerr != nil {
		if err == nil {
			_ = src.Close()
		}
		return nil, nil, rerr
	}
	return src, dst, err
}

func (s *Service) source(ctx context.Context, call *Call, action string, in *CopyInput, byteRange string) (*Content, error) {
	b, err := s.bucket(ctx, in.SourceBucket)
	if err != nil {
		return nil, err
	}
	op := &table[OpGetObject]
	d, err := s.allowed(ctx, call, action, op.resource(in.SourceBucket, in.SourceKey), b)
	if err != nil {
		return nil, err
	}
	if d.Effect != policy.Allow {
		call.event.Statement = d.By.String()
		return nil, denied(call, "the source of the copy: "+d.Reason)
	}
	c, err := s.open(ctx, call, &GetInput{Bucket: in.SourceBucket, Key: in.SourceKey, Range: byteRange, Conditions: in.Source, copying: true})
	if fault.CodeOf(err) == "NoSuchKey" {
		return nil, s.hide(ctx, call, b, err)
	}
	return c, err
}

// newID returns an unguessable name of 32 hexadecimal digits.
func (s *Service) newID() (string, error) {
	b, err := s.random(16)
	return hex.EncodeToString(b), err
}
