package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"io"
	"strconv"
	"strings"
)

// Limits of the framing.
const (
	maxChunkLine   = 256     // hex size, ;chunk-signature= and 64 digits are 98
	maxTrailerLine = 1 << 10 // a checksum trailer is under 100
	maxTrailers    = 8       // lines, blank ones included
)

// chunkReader takes the aws-chunked framing off:
//
//	hex-size[;chunk-signature=…]\r\n bytes \r\n … 0[;chunk-signature=…]\r\n
//	[name:value\r\n [x-amz-trailer-signature:…\r\n]] \r\n
//
// No chunk may take the body past its announced length, so that sizes are
// bounded before anything is read.
type chunkReader struct {
	src      *bufio.Reader
	signer   *chunkSigner // nil when chunks are not signed
	trailers bool         // a trailer section may follow
	trailer  string       // the trailer that was announced, lower case
	value    string       // its value
	chunk    int64        // bytes left in this chunk
	left     int64        // bytes left in the body
}

func malformed(what string) error {
	return invalid(CodeInvalidRequest, "the aws-chunked body is malformed: %s", what)
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.chunk == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if int64(len(p)) > c.chunk {
		p = p[:c.chunk]
	}
	n, err := c.src.Read(p)
	c.chunk -= int64(n)
	c.left -= int64(n)
	if c.signer != nil {
		_, _ = c.signer.data.Write(p[:n])
	}
	if err == io.EOF {
		return n, io.ErrUnexpectedEOF
	}
	if err == nil && c.chunk == 0 {
		err = c.endChunk()
	}
	return n, err
}

// next reads a chunk's first line; io.EOF after the last one and its trailers.
func (c *chunkReader) next() error {
	line, err := c.line(maxChunkLine)
	if err != nil {
		return err
	}
	digits, extension, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(digits, 16, 63)
	if err != nil {
		return malformed("a chunk must begin with its size in hexadecimal")
	}
	if int64(size) > c.left {
		return invalid(CodeIncompleteBody, "the chunks hold more than x-amz-decoded-content-length bytes")
	}
	if c.signer != nil {
		if err := c.signer.begin(extension); err != nil {
			return err
		}
	} else if extension != "" {
		return malformed("chunks of this body have no extensions")
	}
	if size > 0 {
		c.chunk = int64(size)
		return nil
	}
	return c.last()
}

// endChunk checks a chunk's signature and takes the line end after it.
func (c *chunkReader) endChunk() error {
	if c.signer != nil {
		if err := c.signer.end(); err != nil {
			return err
		}
	}
	line, err := c.line(maxChunkLine)
	if err == nil && line != "" {
		err = malformed("a chunk is longer than its size")
	}
	return err
}

// last takes what follows the empty chunk.
func (c *chunkReader) last() error {
	if c.left > 0 {
		return io.ErrUnexpectedEOF
	}
	if c.signer != nil {
		if err := c.signer.end(); err != nil {
			return err
		}
	}
	if c.trailers && c.trailer != "" {
		if err := c.readTrailers(); err != nil {
			return err
		}
	}
	// The closing line end; some clients leave it out.
	line, err := c.line(maxChunkLine)
	if err == io.ErrUnexpectedEOF && line == "" {
		return io.EOF
	}
	if err == nil && line != "" {
		err = malformed("there is more after the last chunk")
	}
	if err != nil {
		return err
	}
	if _, err := c.src.ReadByte(); err != io.EOF {
		if err == nil {
			err = malformed("there is more after the last chunk")
		}
		return err
	}
	return io.EOF
}

// readTrailers takes the announced trailer and, when chunks are signed, its
// signature. A blank line between the two is what AWS's own example shows.
func (c *chunkReader) readTrailers() error {
	bad := func(what string) error { return invalid(CodeMalformedTrailer, "the trailer is malformed: %s", what) }
	for range maxTrailers {
		line, err := c.line(maxTrailerLine)
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		switch {
		case line == "" && c.value != "":
		case !ok:
			return bad("expected " + c.trailer + ":value")
		case name == c.trailer && c.value == "" && value != "":
			c.value = value
			if c.signer == nil {
				return nil
			}
		case name == "x-amz-trailer-signature" && c.value != "" && c.signer != nil:
			return c.signer.endTrailer(c.trailer+":"+c.value+"\n", value)
		default:
			return bad("expected " + c.trailer + " and nothing else")
		}
	}
	return bad("it is too long")
}

// line reads one line of at most limit bytes, without its end: CRLF, or LF alone
// as some clients write in trailers. At the end of the body it returns what there
// is and io.ErrUnexpectedEOF.
func (c *chunkReader) line(limit int) (string, error) {
	var stack [maxChunkLine]byte
	b := stack[:0]
	for len(b) <= limit {
		ch, err := c.src.ReadByte()
		if err == io.EOF {
			return string(b), io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		if ch == '\n' {
			return string(bytes.TrimSuffix(b, []byte{'\r'})), nil
		}
		b = append(b, ch)
	}
	return "", malformed("a line is too long")
}

// chunkSigner checks the chain of signatures: each covers the one before it, the
// first of them the request's own.
type chunkSigner struct {
	q    *Request
	key  SigningKey
	prev [32]byte
	want [32]byte
	data hash.Hash
}

func newChunkSigner(q *Request, key SigningKey) *chunkSigner {
	return &chunkSigner{q: q, key: key, prev: q.Signature, data: sha256.New()}
}

func (s *chunkSigner) begin(extension string) error {
	v, ok := strings.CutPrefix(extension, "chunk-signature=")
	if ok {
		s.want, ok = decodeSignature(v)
	}
	if !ok {
		return malformed("a chunk of this body needs ;chunk-signature= and 64 lower-case hexadecimal digits")
	}
	s.data.Reset()
	return nil
}

func (s *chunkSigner) end() error {
	var sum [32]byte
	s.data.Sum(sum[:0])
	return s.check("AWS4-HMAC-SHA256-PAYLOAD\n", EmptyHash+"\n", sum)
}

func (s *chunkSigner) endTrailer(canonical, signature string) error {
	var ok bool
	if s.want, ok = decodeSignature(signature); !ok {
		return mismatch()
	}
	return s.check("AWS4-HMAC-SHA256-TRAILER\n", "", sha256.Sum256([]byte(canonical)))
}

// check compares the signature over kind, time, scope, the previous signature
// and the hash with the wanted one, which then is the previous one.
func (s *chunkSigner) check(kind, middle string, sum [32]byte) error {
	var stack [512]byte
	b := append(stack[:0], kind...)
	b = s.q.appendScope(b)
	b = appendHex(b, s.prev[:])
	b = append(b, '\n')
	b = append(b, middle...)
	b = appendHex(b, sum[:])
	s.prev = mac(s.key[:], b)
	if subtle.ConstantTimeCompare(s.prev[:], s.want[:]) != 1 {
		return mismatch()
	}
	return nil
}
