package objects

import (
	"context"
	"io"

	"fiducial/internal/fault"
)

// Elsewhere is buckets that another store keeps. What is asked of them here is
// decided and put on record like everything else, with the caller's own
// policies; the other store is only asked for bytes. So a role can reach no
// more of such a bucket than its policies say, whatever the keys that this
// server holds for it could.
type Elsewhere interface {
	// Bucket stands for a bucket that another store keeps; false for all others.
	// It is called with every request and must not wait for anything.
	Bucket(name string) (*Bucket, bool)

	// Head describes an object. NotFound (NoSuchKey), or Unavailable.
	Head(ctx context.Context, bucket, key string) (*Object, error)

	// Open opens length bytes from start of the object that Head described.
	// NotFound if the object is another one by now.
	Open(ctx context.Context, o *Object, start, length int64) (io.ReadCloser, error)

	// Put writes an object whole or not at all and describes it. What sse asks
	// for is the other store's to do, with the other store's keys; it must not
	// write the object in any other way.
	Put(ctx context.Context, bucket, key string, h Headers, sse SSE, body io.Reader) (*Object, error)
}

// abroad returns the bucket if another store keeps it.
func (s *Service) abroad(name string) (*Bucket, bool) {
	if s.elsewhere == nil {
		return nil, false
	}
	return s.elsewhere.Bucket(name)
}

// checkAbroad refuses what cannot be done with a bucket that another store keeps.
func (s *Service) checkAbroad(op int, bucket string) error {
	if table[op].Target == OnAccount {
		return nil
	}
	if _, ok := s.abroad(bucket); !ok {
		return nil
	}
	switch op {
	case OpGetObject, OpHeadObject, OpPutObject, OpCopyObject, OpHeadBucket, OpGetBucketLocation, OpGetBucketCORS:
		return nil
	case OpCreateBucket:
		return fault.Coded("objects", fault.Exists, "BucketAlreadyExists", "The requested bucket name is not available: by the settings of this server another store keeps the bucket.")
	}
	return fault.Coded("objects", fault.Unsupported, "NotImplemented", table[op].Name+": another store keeps this bucket; ask that store.")
}

func (s *Service) rowAbroad(ctx context.Context, bucket, key string) (*Object, error) {
	o, err := s.elsewhere.Head(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	o.abroad = true
	return o.finish(), nil
}

// openAbroad opens the bytes of a content whose row came from rowAbroad.
func (s *Service) openAbroad(ctx context.Context, c *Content) (err error) {
	c.remote, err = s.elsewhere.Open(ctx, c.Object, c.Start, c.Length)
	return err
}

func (s *Service) putAbroad(ctx context.Context, in *PutInput) (*Object, error) {
	if in.Conditions != (Conditions{}) {
		return nil, fault.Coded("objects", fault.Unsupported, "NotImplemented", "Conditional writes: another store keeps this bucket; ask that store.")
	}
	if in.Size > MaxPut {
		return nil, tooLarge()
	}
	if len(in.SSE.Context) > 0 {
		return nil, fault.Coded("objects", fault.Unsupported, "NotImplemented", "An encryption context: another store keeps this bucket; ask that store.")
	}
	o, err := s.elsewhere.Put(ctx, in.Bucket, in.Key, in.Headers, in.SSE, &sizedBody{from: in.Body, size: in.Size})
	if err != nil {
		return nil, err
	}
	return o.finish(), nil
}

// sizedBody is a body that fails where it is shorter than was said, so that no
// part of one is taken for all of it.
type sizedBody struct {
	from io.Reader
	size int64 // -1 if not known
	got  int64
}

func (b *sizedBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.got += int64(n)
	switch {
	case b.got > MaxPut:
		return n, tooLarge()
	case err == io.EOF && b.size >= 0 && b.got != b.size:
		return n, fault.Coded("objects", fault.Invalid, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	return n, err
}

// sendRemote copies what another store sends.
func sendRemote(w io.Writer, r io.Reader, n int64) (int64, error) {
	buf := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	sent, err := io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(r, n), buf[:])
	if err == nil && sent < n {
		err = io.ErrUnexpectedEOF
	}
	return sent, err
}

// remoteReader is the bytes that another store sends, as a stream.
type remoteReader struct {
	content *Content
	got     int64
}

func (r *remoteReader) Read(p []byte) (int, error) {
	left := r.content.Length - r.got
	if left == 0 {
		return 0, io.EOF
	}
	n, err := r.content.remote.Read(p[:min(int64(len(p)), left)])
	r.got += int64(n)
	if err == io.EOF && r.got < r.content.Length {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (r *remoteReader) Close() error { return r.content.Close() }
