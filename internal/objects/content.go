package objects

import (
	"bytes"
	"errors"
	"io"

	"fiducial/internal/blob"
)

// Close lets go of the bytes.
func (c *Content) Close() error {
	var err error
	if c.remote != nil {
		err = c.remote.Close()
	}
	if c.first != nil {
		err = c.service.idle.give(c.firstID, c.first, c.gone)
		c.first = nil
	}
	if c.held {
		c.held = false
		free := c.service.readers.release(c.segments)
		if len(free) > 0 {
			c.service.remove(free)
		}
	}
	return err
}

// AtHand reports whether the first bytes come at once: from this machine, and not
// from another store.
func (c *Content) AtHand() bool { return c.remote == nil }

// WriteTo sends the bytes. It may be called once.
func (c *Content) WriteTo(w io.Writer) (int64, error) {
	if c.Length == 0 {
		return 0, nil
	}
	if c.remote != nil {
		return sendRemote(w, c.remote, c.Length)
	}
	if c.small != nil {
		n, err := w.Write(c.small[c.Start : c.Start+c.Length])
		return int64(n), err
	}
	if c.segments == nil {
		return c.send(w, c.first, 0, c.Start, c.Length)
	}
	var sent int64
	for i := c.at; sent < c.Length; i++ {
		p := &c.segments[i]
		b := c.first
		if i > c.at {
			var err error
			if b, err = c.service.blobs.Open(c.ctx, p.Blob); err != nil {
				return sent, err
			}
		}
		from := c.Start + sent - p.Offset
		n, err := c.send(w, b, i, from, min(p.Size-from, c.Length-sent))
		if i > c.at {
			_ = b.Close()
		}
		sent += n
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// send writes n bytes from start of a blob of the content.
func (c *Content) send(w io.Writer, b blob.Blob, i int, start, n int64) (int64, error) {
	if c.Encryption.sealed() {
		return c.sendSealed(w, b, i, start, n)
	}
	return sendRange(w, b, start, n)
}

// Reader returns the bytes as a stream, for those who do not have a Writer.
// Closing it closes c.
func (c *Content) Reader() io.ReadCloser {
	if c.remote != nil {
		return &remoteReader{content: c}
	}
	return &contentReader{content: c, next: c.at}
}

type contentReader struct {
	content *Content
	got     int64
	next    int // segment to open next
	current io.Reader
	opened  blob.Blob // the segment under current, unless it is content.first
}

func (r *contentReader) Read(p []byte) (int, error) {
	for {
		if r.got == r.content.Length {
			return 0, io.EOF
		}
		if r.current == nil {
			if err := r.advance(); err != nil {
				return 0, err
			}
		}
		n, err := r.current.Read(p)
		r.got += int64(n)
		if err == io.EOF {
			if r.drop(); n == 0 {
				if r.content.segments == nil {
					return 0, io.ErrUnexpectedEOF
				}
				continue
			}
			err = nil
		}
		return n, err
	}
}

func (r *contentReader) advance() error {
	c := r.content
	if c.small != nil {
		r.current = io.NewSectionReader(bytes.NewReader(c.small), c.Start+r.got, c.Length-r.got)
		return nil
	}
	if c.segments == nil {
		var err error
		r.current, err = c.section(c.first, 0, c.Start+r.got, c.Length-r.got)
		return err
	}
	if r.next >= len(c.segments) {
		return io.ErrUnexpectedEOF
	}
	p := &c.segments[r.next]
	b := c.first
	if r.next > c.at {
		if err := r.closeOpened(); err != nil {
			return err
		}
		var err error
		if b, err = c.service.blobs.Open(c.ctx, p.Blob); err != nil {
			return err
		}
		r.opened = b
	}
	from := c.Start + r.got - p.Offset
	var err error
	r.current, err = c.section(b, r.next, from, min(p.Size-from, c.Length-r.got))
	r.next++
	return err
}

// drop lets go of the current section, which may hold a buffer.
func (r *contentReader) drop() {
	if c, ok := r.current.(io.Closer); ok {
		_ = c.Close()
	}
	r.current = nil
}

func (r *contentReader) closeOpened() error {
	if r.opened == nil {
		return nil
	}
	err := r.opened.Close()
	r.opened = nil
	return err
}

func (r *contentReader) Close() error {
	r.drop()
	return errors.Join(r.closeOpened(), r.content.Close())
}
