package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"fiducial/internal/fault"
)

// Sealed streams hold the bytes of objects: any part of one can be read without
// opening the rest. The format is Tink's AES256-GCM-HKDF with segments of 64 KiB,
// so that a stream can be opened without this program (and tests open ours with
// Tink and Tink's with ours):
//
//	header   = 40 (1 byte) ‖ salt (32) ‖ nonce prefix (7)
//	sealed   = header ‖ segment 0 ‖ segment 1 ‖ …
//	segment  = AES-256-GCM(key, nonce prefix ‖ index (4) ‖ last (1), plaintext) ‖ tag (16)
//	key      = HKDF-SHA256(data key, salt, context)
//
// The header and segment 0 fill the first 64 KiB together; every segment but the
// last is full, and the last may be empty only if it is the first.
//
// Why no segment passes for another: the nonce holds the segment's index, so one
// that was moved does not open; it holds whether the segment is the last, and the
// reader takes the last one's place from the sealed size, so a stream that was
// shortened or extended does not open at its end; the key comes from a salt of
// its own and the context, so a segment of another stream opens in none, not even
// under the same data key. This is the STREAM construction of Hoang, Reyhanitabar,
// Rogaway and Vizár (CRYPTO 2015).
//
// A range that does not touch the end of a shortened stream still opens: what
// opens is authentic, but only the size tells that more was there. Whoever knows
// the size compares it (Reader.Size) before serving anything.
const (
	segmentSize  = 64 << 10 // sealed
	headerSize   = 1 + saltSize + prefixSize
	saltSize     = 32
	prefixSize   = 7
	tagSize      = 16
	dataKeySize  = 32
	segmentPlain = segmentSize - tagSize
)

// MaxStream is the largest plaintext of a stream, in bytes: 2^32 segments would
// be 256 TiB, and an object has at most 5 TiB.
const MaxStream = 5 << 40

// ErrStream is why a stream does not open, whatever the reason.
var ErrStream error = &fault.Error{Op: "envelope.Reader", Kind: fault.Internal, Message: "The stored data are damaged or were sealed under another key."}

// SealedSize is how many bytes sealing makes of plain bytes.
func SealedSize(plain int64) int64 {
	segments := max(1, (plain+headerSize+segmentPlain-1)/segmentPlain)
	return headerSize + plain + segments*tagSize
}

// PlainSize is the reverse of SealedSize; false when no stream has that size.
func PlainSize(sealed int64) (int64, bool) {
	if sealed < headerSize+tagSize || sealed > SealedSize(MaxStream) {
		return 0, false
	}
	segments := (sealed + segmentSize - 1) / segmentSize
	plain := sealed - headerSize - segments*tagSize
	return plain, plain >= 0 && SealedSize(plain) == sealed
}

// segments keeps buffers of one segment. They hold plaintext; a stream that ends
// hands its buffer on to the next, which overwrites it before it reads from it.
var segments = sync.Pool{New: func() any { b := make([]byte, segmentSize); return &b }}

// streamKey derives a stream's cipher.
func streamKey(key Secret, salt []byte, context string) (cipher.AEAD, error) {
	if len(key.text) != dataKeySize {
		return nil, errors.New("a data key has 32 bytes")
	}
	derived, err := hkdf.Key(sha256.New, []byte(key.text), salt, context, dataKeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// nonce is the nonce of one segment.
type nonce [prefixSize + 5]byte

func (n *nonce) at(index int64, last bool) []byte {
	binary.BigEndian.PutUint32(n[prefixSize:], uint32(index))
	n[prefixSize+4] = 0
	if last {
		n[prefixSize+4] = 1
	}
	return n[:]
}

// Writer seals a stream. Close ends it: without Close the stream does not open.
type Writer struct {
	dst   io.Writer
	aead  cipher.AEAD
	nonce nonce
	index int64
	buf   *[]byte // plaintext from start to used; nil once closed
	start int     // headerSize in the first segment, else 0
	used  int
	err   error
}

// NewWriter begins a stream under a data key of 32 bytes. The context is bound to
// the stream and must be given again to open it; what is sealed under one key for
// two purposes should have two contexts.
func NewWriter(key Secret, context string, dst io.Writer) (*Writer, error) {
	var header [headerSize]byte
	header[0] = headerSize
	_, _ = rand.Read(header[1:]) // crypto/rand does not fail: it ends the program
	aead, err := streamKey(key, header[1:1+saltSize], context)
	if err != nil {
		return nil, fault.E("envelope.NewWriter", fault.Internal, "", err)
	}
	w := &Writer{dst: dst, aead: aead, buf: segments.Get().(*[]byte), start: headerSize, used: headerSize}
	copy(w.nonce[:], header[1+saltSize:])
	copy(*w.buf, header[:])
	return w, nil
}

// Write seals p. The last full segment is held back until more comes or the
// stream is closed, for only then is it known whether it is the last.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.buf == nil {
		return 0, errors.New("write to a closed stream")
	}
	n := 0
	for {
		c := copy((*w.buf)[w.used:segmentPlain], p[n:])
		w.used, n = w.used+c, n+c
		if n == len(p) {
			return n, nil
		}
		if err := w.flush(false); err != nil {
			return n, err
		}
	}
}

// flush seals the buffer where it is and writes it out.
func (w *Writer) flush(last bool) error {
	b := *w.buf
	sealed := w.aead.Seal(b[w.start:w.start], w.nonce.at(w.index, last), b[w.start:w.used], nil)
	_, w.err = w.dst.Write(b[:w.start+len(sealed)])
	w.index, w.start, w.used = w.index+1, 0, 0
	return w.err
}

// Close seals the last segment. It does not close the writer below.
func (w *Writer) Close() error {
	if w.buf == nil {
		return w.err
	}
	err := w.err
	if err == nil {
		err = w.flush(true)
	}
	segments.Put(w.buf)
	w.buf = nil
	return err
}
