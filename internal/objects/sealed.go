package objects

import (
	"context"
	"io"
	"strconv"

	"fiducial/internal/blob"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
)

// wholeStream and partStream are what streams under one data key are bound to,
// so that the parts of an upload cannot be put in another order on the disk.
const wholeStream = "object"

func partStream(number int) string { return "part " + strconv.Itoa(number) }

// sealing is how a body is to be sealed; the zero value leaves it as it is.
type sealing struct {
	on     bool
	key    envelope.Secret
	stream string
	secret bool // the entity tag must not tell the content
}

// sealWith is nothing for an object that is not to be sealed.
func sealWith(e *Encryption, key envelope.Secret, stream string) sealing {
	return sealing{on: e != nil, key: key, stream: stream, secret: e != nil && e.Algorithm == AWSKMS}
}

// storedSize is the size of the blob that holds a part of a content.
func (c *Content) storedSize(size int64) int64 {
	if c.Encryption.sealed() {
		return envelope.SealedSize(size)
	}
	return size
}

// unseal begins to read a blob of the content: segment i, or the only one if
// there are none. It reads the head of the stream alone.
func (c *Content) unseal(b blob.Blob, i int) (*envelope.Reader, error) {
	size, stream := c.Size, wholeStream
	if c.segments != nil {
		size, stream = c.segments[i].Size, partStream(c.segments[i].Number)
	}
	sealed := c.storedSize(size)
	if b.Size() != sealed {
		return nil, fault.E("objects.unseal", fault.Internal, "", io.ErrUnexpectedEOF)
	}
	return envelope.NewReader(c.key, stream, b, sealed)
}

// sendSealed writes n bytes from start of a sealed blob.
func (c *Content) sendSealed(w io.Writer, b blob.Blob, i int, start, n int64) (int64, error) {
	r, err := c.unseal(b, i)
	if err != nil {
		return 0, err
	}
	s := r.Range(start, n)
	sent, err := s.WriteTo(w)
	_ = s.Close()
	if err == nil && sent < n {
		err = io.ErrUnexpectedEOF
	}
	return sent, err
}

// section reads n bytes from start of a blob of the content, sealed or not.
func (c *Content) section(b blob.Blob, i int, start, n int64) (io.Reader, error) {
	if !c.Encryption.sealed() {
		return io.NewSectionReader(b, start, n), nil
	}
	r, err := c.unseal(b, i)
	if err != nil {
		return nil, err
	}
	return r.Range(start, n), nil
}

// readSealed reads all of a small object.
func (s *Service) readSealed(ctx context.Context, c *Content) ([]byte, error) {
	b, err := s.blobs.Open(ctx, c.Blob)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	r, err := c.unseal(b, 0)
	if err != nil {
		return nil, err
	}
	data := make([]byte, c.Size)
	if _, err := r.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, fault.E("objects.readSealed", fault.Internal, "", err)
	}
	return data, nil
}
