package objects

import (
	"context"
	"io"
	"sync"

	"fiducial/internal/blob"
	"fiducial/internal/fault"
)

// An object of at most smallObject bytes is kept in memory once it was read,
// with others of its kind up to smallTotal bytes. A blob never changes and its
// id is never used again, so what is kept is never out of date: whoever may
// read the row may read these bytes. What was sealed is kept opened: whoever
// comes here has just been asked for the right to its key (see open).
const (
	smallObject = 64 << 10
	smallTotal  = 32 << 20
)

// smallBytes returns all the bytes of a small object.
func (s *Service) smallBytes(ctx context.Context, c *Content) ([]byte, error) {
	kept, gen, ok := s.small.get(string(c.Blob))
	if ok {
		return kept, nil
	}
	data, err := s.readSmall(ctx, c)
	if err != nil {
		return nil, err
	}
	s.small.put(string(c.Blob), data, gen)
	return data, nil
}

func (s *Service) readSmall(ctx context.Context, c *Content) ([]byte, error) {
	if c.Encryption.sealed() {
		return s.readSealed(ctx, c)
	}
	b, err := s.blobs.Open(ctx, c.Blob)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	data := make([]byte, c.Size)
	if n, err := b.ReadAt(data, 0); int64(n) < c.Size {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fault.E("objects.smallBytes", fault.Internal, "", err)
	}
	return data, nil
}

// copyBuffer is the size of the buffers that bytes pass through. A range that
// fits into one is read at once and written at once, which for small media
// costs less than asking the kernel to move it.
const copyBuffer = 64 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// sendRange writes n bytes of b from start. If b is a file and w can take from
// one (a network connection), the kernel moves them.
func sendRange(w io.Writer, b blob.Blob, start, n int64) (int64, error) {
	if n > copyBuffer {
		if f, ok := b.(blob.Filer); ok {
			file := f.File()
			if _, err := file.Seek(start, io.SeekStart); err != nil {
				return 0, err
			}
			sent, err := io.Copy(w, &io.LimitedReader{R: file, N: n})
			if err == nil && sent < n {
				err = io.ErrUnexpectedEOF
			}
			return sent, err
		}
	}
	buf := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	var sent int64
	for sent < n {
		chunk := buf[:min(copyBuffer, n-sent)]
		got, err := b.ReadAt(chunk, start+sent)
		if got < len(chunk) {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return sent, err
		}
		wrote, err := w.Write(chunk)
		sent += int64(wrote)
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}
