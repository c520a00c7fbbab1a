package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// Open opens a blob for reading. It reads the first window.
func (s *Store) Open(ctx context.Context, id blob.ID) (blob.Blob, error) {
	const op = "blob/s3.Open"
	if !id.Valid() || s.gone(id) {
		return nil, notFound(op, nil)
	}
	// A blob outlives the request that opened it: objects keeps it for the next.
	r := &reader{s: s, ctx: context.WithoutCancel(ctx), id: id}
	first, size, err := s.fetch(ctx, id, 0, window)
	if err != nil {
		return nil, err
	}
	r.size, r.kept = size, first
	return r, nil
}

// fetch reads at most n bytes from offset, and learns the size of all.
func (s *Store) fetch(ctx context.Context, id blob.ID, offset, n int64) ([]byte, int64, error) {
	const op = "blob/s3.Read"
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := s.o.Client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.o.Bucket, Key: s.key(id), Range: aws.String("bytes=" + strconv.FormatInt(offset, 10) + "-" + strconv.FormatInt(offset+n-1, 10)),
	})
	var res *awshttp.ResponseError
	if errors.As(err, &res) && res.HTTPStatusCode() == http.StatusRequestedRangeNotSatisfiable && offset == 0 {
		return nil, 0, nil // an empty object has no first byte
	}
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, n))
	if err != nil {
		return nil, 0, failure(op, err)
	}
	size := offset + int64(len(data))
	if r := aws.ToString(out.ContentRange); r != "" {
		_, total, _ := strings.Cut(r, "/")
		if size, err = strconv.ParseInt(total, 10, 64); err != nil {
			return nil, 0, fault.E(op, fault.Internal, "", err)
		}
	} else if offset != 0 {
		return nil, 0, fault.E(op, fault.Internal, "", errors.New("the store ignores ranges"))
	}
	if want := min(n, size-offset); int64(len(data)) != want {
		return nil, 0, failure(op, io.ErrUnexpectedEOF)
	}
	return data, size, nil
}

// reader is an open blob. What was fetched last is kept, for reading goes on
// where it stopped.
type reader struct {
	s    *Store
	ctx  context.Context
	id   blob.ID
	size int64
	at   int64 // of Read and Seek

	mu   sync.Mutex
	from int64 // where kept begins
	kept []byte
}

func (r *reader) Size() int64 { return r.size }

func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fault.E("blob/s3.ReadAt", fault.Internal, "", errors.New("negative offset"))
	}
	n := 0
	for n < len(p) && off < r.size {
		m, err := r.some(p[n:], off)
		n, off = n+m, off+int64(m)
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// some copies at least one byte from off on.
func (r *reader) some(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if off < r.from || off >= r.from+int64(len(r.kept)) {
		data, size, err := r.s.fetch(r.ctx, r.id, off, window)
		if err != nil {
			return 0, err
		}
		if size != r.size || len(data) == 0 {
			return 0, fault.E("blob/s3.Read", fault.Internal, "", errors.New("the blob has another size than before"))
		}
		r.from, r.kept = off, data
	}
	return copy(p, r.kept[off-r.from:]), nil
}

func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.at >= r.size {
		return 0, io.EOF
	}
	n, err := r.some(p, r.at)
	r.at += int64(n)
	return n, err
}

func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, fault.E("blob/s3.Seek", fault.Internal, "", errors.New("negative position"))
	}
	r.at = offset
	return offset, nil
}

func (r *reader) Close() error { return nil }
