package envelope

import (
	"crypto/cipher"
	"errors"
	"io"
)

// Reader opens a sealed stream at any place. It holds no buffer and is safe for
// concurrent use.
type Reader struct {
	src    io.ReaderAt
	aead   cipher.AEAD
	prefix [prefixSize]byte
	sealed int64
	size   int64
}

// NewReader opens the stream that src holds in its first sealed bytes. It reads
// the header alone. Errors: ErrStream for a size or a header that no stream has,
// or src's own.
func NewReader(key Secret, context string, src io.ReaderAt, sealed int64) (*Reader, error) {
	size, ok := PlainSize(sealed)
	if !ok {
		return nil, ErrStream
	}
	var header [headerSize]byte
	if _, err := readAtFull(src, header[:], 0); err != nil {
		return nil, err
	}
	if header[0] != headerSize {
		return nil, ErrStream
	}
	aead, err := streamKey(key, header[1:1+saltSize], context)
	if err != nil {
		return nil, ErrStream
	}
	r := &Reader{src: src, aead: aead, sealed: sealed, size: size}
	copy(r.prefix[:], header[1+saltSize:])
	return r, nil
}

// readAtFull reads all of p. What ends early is damaged: the size was known.
func readAtFull(src io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := src.ReadAt(p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = ErrStream
	}
	return n, err
}

// Size is the plaintext's size in bytes, as the sealed size says. It is proven
// when the last segment was read, and not before.
func (r *Reader) Size() int64 { return r.size }

// With is the same stream read from another handle, without deriving its key
// again: for whoever keeps opened streams and not their files.
func (r *Reader) With(src io.ReaderAt) *Reader {
	other := *r
	other.src = src
	return &other
}

// segmentOf says which segment holds the byte at off and where in its plaintext.
func segmentOf(off int64) (index int64, within int) {
	off += headerSize
	return off / segmentPlain, int(off % segmentPlain)
}

// open reads and opens a segment within the buffer and returns its plaintext. In the
// first segment the plaintext begins after the header; open leaves the header's
// place before it, so that `within` of segmentOf counts from the slice's start.
func (s *Range) open(index int64) ([]byte, error) {
	r, buf := s.r, *s.buf
	from := index * segmentSize
	n := int(min(segmentSize, r.sealed-from))
	start := 0
	if index == 0 {
		start = headerSize
	}
	if _, err := readAtFull(r.src, buf[start:n], from+int64(start)); err != nil {
		return nil, err
	}
	plain, err := r.aead.Open(buf[start:start], s.nonce.at(index, from+segmentSize >= r.sealed), buf[start:n], nil)
	if err != nil {
		return nil, ErrStream
	}
	return buf[:start+len(plain)], nil
}

// ReadAt opens the segments that hold the bytes asked for, and no other. For
// reading on and on, Range opens each segment once.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	s := r.Range(off, int64(len(p)))
	defer s.Close()
	n, err := io.ReadFull(s, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// Range reads n bytes from off, or as many as there are. Close it: it gives a
// buffer back. It is for one goroutine.
func (r *Reader) Range(off, n int64) *Range {
	off = min(max(off, 0), r.size)
	n = min(max(n, 0), r.size-off)
	index, within := segmentOf(off)
	// An empty range of an empty stream still proves that the stream is empty.
	s := &Range{r: r, index: index, within: within, left: n, empty: r.size == 0}
	copy(s.nonce[:], r.prefix[:])
	return s
}

// Range is a part of a stream being read.
type Range struct {
	r      *Reader
	nonce  nonce
	index  int64 // the next segment
	within int   // where in it the range goes on
	left   int64 // plaintext bytes not yet in plain
	plain  []byte
	buf    *[]byte
	empty  bool
	err    error
}

// next opens the next segment into plain.
func (s *Range) next() error {
	if s.err != nil {
		return s.err
	}
	if s.left == 0 && !s.empty {
		s.err = io.EOF
		return s.err
	}
	if s.buf == nil {
		s.buf = segments.Get().(*[]byte)
	}
	plain, err := s.open(s.index)
	if err != nil {
		s.err = err
		return err
	}
	if s.empty {
		s.empty, s.err = false, io.EOF
		return io.EOF
	}
	plain = plain[s.within:]
	plain = plain[:min(int64(len(plain)), s.left)]
	s.left -= int64(len(plain))
	s.index, s.within, s.plain = s.index+1, 0, plain
	return nil
}

// Read implements io.Reader.
func (s *Range) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(s.plain) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.plain)
	s.plain = s.plain[n:]
	return n, nil
}

// WriteTo implements io.WriterTo: each segment goes out as it was opened, without
// another copy.
func (s *Range) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		if len(s.plain) == 0 {
			if err := s.next(); err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				return total, err
			}
		}
		n, err := w.Write(s.plain)
		total, s.plain = total+int64(n), s.plain[n:]
		if err != nil {
			return total, err
		}
	}
}

// Close gives the buffer back. The Range reads nothing any more.
func (s *Range) Close() error {
	if s.buf != nil {
		segments.Put(s.buf)
		s.buf, s.plain = nil, nil
	}
	s.err = errors.New("read from a closed range")
	return nil
}
