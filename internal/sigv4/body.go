package sigv4

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Body is the decoded body of a request. Read returns io.EOF only after
// everything that was promised about the body has been found true: its length,
// its hash, its checksums and the signature of every chunk. Until then the bytes
// are not to be acted upon; a reader that stops short of io.EOF knows nothing.
type Body struct {
	src       io.Reader
	close     io.Closer
	chunks    *chunkReader // nil unless the body is aws-chunked
	size      int64
	got       int64
	sums      []*sum
	extra     *sum
	algorithm ChecksumAlgorithm
	err       error
}

// Body returns the reader of the request's body. The key is the one that
// Verify was given; an anonymous request has none.
func (q *Request) Body(r *http.Request, key SigningKey) (*Body, error) {
	return q.body(r, key, true)
}

// BodyOnly is Body for operations whose x-amz-checksum-* headers speak of the
// object and not of the body: CompleteMultipartUpload.
func (q *Request) BodyOnly(r *http.Request, key SigningKey) (*Body, error) {
	return q.body(r, key, false)
}

func (q *Request) body(r *http.Request, key SigningKey, checksums bool) (*Body, error) {
	b := &Body{src: r.Body, close: r.Body, size: r.ContentLength}
	if r.Body == nil {
		b.src, b.close, b.size = http.NoBody, http.NoBody, 0
	}
	trailer, err := q.trailer(r)
	if err != nil {
		return nil, err
	}
	if checksums || trailer != "" {
		if b.sums, b.extra, b.algorithm, err = q.declaredSums(r, trailer); err != nil {
			return nil, err
		}
	}
	switch q.PayloadHash {
	case "", UnsignedPayload:
	case StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer:
		return b, b.chunked(q, r, key, trailer)
	default:
		want, err := hex.DecodeString(q.PayloadHash)
		if err != nil {
			return nil, invalid(CodeInvalidArgument, "x-amz-content-sha256 is not hexadecimal")
		}
		b.sums = append(b.sums, &sum{Hash: sha256.New(), name: "x-amz-content-sha256", code: CodeContentMismatch, want: want})
	}
	return b, nil
}

// trailer reads x-amz-trailer: the checksum that will follow the body.
func (q *Request) trailer(r *http.Request) (ChecksumAlgorithm, error) {
	h := r.Header["X-Amz-Trailer"]
	if len(h) == 0 {
		return "", nil
	}
	if q.PayloadHash != StreamingSignedTrailer && q.PayloadHash != StreamingUnsignedTrailer {
		return "", invalid(CodeInvalidRequest, "x-amz-trailer needs a x-amz-content-sha256 that ends in -TRAILER")
	}
	for _, a := range ChecksumAlgorithms {
		if len(h) == 1 && strings.EqualFold(strings.TrimSpace(h[0]), a.Header()) {
			return a, nil
		}
	}
	return "", invalid(CodeMalformedTrailer, "x-amz-trailer must name one x-amz-checksum- header")
}

func (b *Body) chunked(q *Request, r *http.Request, key SigningKey, trailer ChecksumAlgorithm) error {
	signed := q.PayloadHash != StreamingUnsignedTrailer
	if signed && q.Anonymous {
		return refused(CodeAccessDenied, "the request is not signed, so its chunks cannot be")
	}
	v := r.Header["X-Amz-Decoded-Content-Length"]
	if len(v) != 1 {
		return invalid(CodeMissingLength, "an aws-chunked body needs one x-amz-decoded-content-length header")
	}
	n, err := strconv.ParseInt(v[0], 10, 64)
	if err != nil || n < 0 || v[0][0] == '+' {
		return invalid(CodeInvalidArgument, "x-amz-decoded-content-length must be a number of bytes")
	}
	b.size = n
	b.chunks = &chunkReader{src: bufio.NewReaderSize(b.src, 32<<10), left: n, trailers: q.PayloadHash != StreamingSigned}
	if trailer != "" {
		b.chunks.trailer = trailer.Header()
	}
	if signed {
		b.chunks.signer = newChunkSigner(q, key)
	}
	b.src = b.chunks
	return nil
}

// Read returns decoded bytes. See Body for what io.EOF means.
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.src.Read(p)
	b.got += int64(n)
	for _, s := range b.sums {
		_, _ = s.Write(p[:n])
	}
	switch {
	case err == io.EOF:
		b.err = b.finish()
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.err = invalid(CodeIncompleteBody, "the body ended before its length was reached")
	default:
		b.err = err
	}
	return n, b.err
}

// finish returns io.EOF when every promise was kept.
func (b *Body) finish() error {
	if b.size >= 0 && b.got != b.size {
		return invalid(CodeIncompleteBody, "the body has %d bytes; %d were announced", b.got, b.size)
	}
	if b.extra != nil && b.extra.want == nil {
		want, err := decodeDigest(b.chunks.value, b.extra)
		if err != nil {
			return invalid(CodeInvalidRequest, "the trailer %s must be the base64 of %d bytes", b.extra.name, b.extra.Size())
		}
		b.extra.want = want
	}
	for _, s := range b.sums {
		if err := s.check(); err != nil {
			return err
		}
	}
	return io.EOF
}

// Close closes the request's body.
func (b *Body) Close() error { return b.close.Close() }

// Size is the length of the decoded body, -1 when the request does not say.
func (b *Body) Size() int64 { return b.size }

// Checksum returns the additional checksum that the client declared, checked,
// once Read has returned io.EOF.
func (b *Body) Checksum() (Checksum, bool) {
	if b.err != io.EOF || b.extra == nil {
		return Checksum{}, false
	}
	return Checksum{b.algorithm, base64.StdEncoding.EncodeToString(b.extra.want)}, true
}
