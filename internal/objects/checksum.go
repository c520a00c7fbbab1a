package objects

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"strconv"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/sigv4"
)

// Checksum is one additional checksum of an object or part.
type Checksum struct {
	Algorithm string // CRC32, CRC32C, CRC64NVME, SHA1, SHA256; "" for none
	Type      string // FULL_OBJECT or COMPOSITE
	Value     string // base64; composite values end in "-" parts
}

// The types of checksum of an object made of parts.
const (
	FullObject = "FULL_OBJECT"
	Composite  = "COMPOSITE"
)

// polynomial returns the reversed polynomial of a CRC, 0 for other algorithms.
func polynomial(alg string) uint64 {
	switch sigv4.ChecksumAlgorithm(alg) {
	case sigv4.CRC32:
		return crc32.IEEE
	case sigv4.CRC32C:
		return crc32.Castagnoli
	case sigv4.CRC64NVME:
		return 0x9a6c9329ac4bc9b5
	}
	return 0
}

// checkAlgorithm refuses what is no checksum algorithm, and types it cannot have.
func checkAlgorithm(c *Checksum) error {
	if c.Algorithm == "" {
		if c.Type != "" {
			return fault.Coded("objects", fault.Invalid, "InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return nil
	}
	a, err := sigv4.ParseChecksumAlgorithm(c.Algorithm)
	if err != nil {
		return err
	}
	c.Algorithm = string(a)
	switch c.Type {
	case "":
		if c.Type = Composite; a == sigv4.CRC64NVME {
			c.Type = FullObject
		}
	case FullObject, Composite:
	default:
		return fault.Coded("objects", fault.Invalid, "InvalidRequest", "Value for x-amz-checksum-type header is invalid; expected FULL_OBJECT or COMPOSITE.")
	}
	if c.Type == FullObject && polynomial(c.Algorithm) == 0 || c.Type == Composite && a == sigv4.CRC64NVME {
		return fault.Coded("objects", fault.Invalid, "InvalidRequest", "The "+c.Type+" checksum type cannot be used with the "+strings.ToLower(c.Algorithm)+" checksum algorithm.")
	}
	return nil
}

// digest takes the sums of a body: MD5 for the entity tag and, if asked, one more.
type digest struct {
	md5   hash.Hash
	extra hash.Hash
	size  int64
}

func newDigest(alg string) (*digest, error) {
	d := &digest{md5: md5.New()}
	if alg == "" {
		return d, nil
	}
	a, err := sigv4.ParseChecksumAlgorithm(alg)
	if err != nil {
		return nil, err
	}
	d.extra = a.New()
	return d, nil
}

func (d *digest) Write(p []byte) (int, error) {
	d.size += int64(len(p))
	d.md5.Write(p)
	if d.extra != nil {
		d.extra.Write(p)
	}
	return len(p), nil
}

func (d *digest) etag() string { return hex.EncodeToString(d.md5.Sum(nil)) }

func (d *digest) value() string {
	if d.extra == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(d.extra.Sum(nil))
}

// multipartETag is the hex MD5 of the parts' MD5s and their number.
func multipartETag(parts []Segment) string {
	h := md5.New()
	for _, p := range parts {
		b, _ := hex.DecodeString(p.ETag)
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
}

// combine makes the checksum of an object from those of its parts.
func combine(alg, typ string, parts []Segment) (Checksum, error) {
	h := sigv4.ChecksumAlgorithm(alg).New()
	if h == nil {
		return Checksum{}, nil
	}
	size := h.Size()
	out := Checksum{Algorithm: alg, Type: typ}
	var sums [][]byte
	for _, p := range parts {
		b, err := base64.StdEncoding.DecodeString(p.Checksum.Value)
		if p.Checksum.Algorithm != alg || err != nil || len(b) != size {
			return Checksum{}, fault.Coded("objects", fault.Invalid, "InvalidRequest",
				"The upload was created using a "+strings.ToLower(alg)+" checksum. The complete request must include the checksum for each part.")
		}
		sums = append(sums, b)
	}
	if typ == FullObject {
		var crc uint64
		for i, b := range sums {
			c := uint64(0)
			for _, x := range b {
				c = c<<8 | uint64(x)
			}
			if i == 0 {
				crc = c
			} else {
				crc = combineCRC(polynomial(alg), size*8, crc, c, parts[i].Size)
			}
		}
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(crc >> (8 * (size - 1 - i)))
		}
		out.Value = base64.StdEncoding.EncodeToString(b)
		return out, nil
	}
	for _, b := range sums {
		h.Write(b)
	}
	out.Value = base64.StdEncoding.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
	return out, nil
}

// combineCRC returns the CRC of A‖B from those of A and B and B's length in
// bytes. Appending a zero bit to a message is a linear map of its CRC register
// (reflected form): a matrix over GF(2). The matrix for n bytes is made by
// squaring, and the initial and final inversions cancel.
func combineCRC(poly uint64, width int, a, b uint64, n int64) uint64 {
	if n == 0 {
		return a
	}
	m := make([]uint64, width) // column i: the image of bit i
	m[0] = poly
	for i := 1; i < width; i++ {
		m[i] = 1 << (i - 1)
	}
	for range 3 { // one bit → one byte
		m = square(m)
	}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			a = times(m, a)
		}
		m = square(m)
	}
	return a ^ b
}

func times(m []uint64, v uint64) uint64 {
	var out uint64
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 == 1 {
			out ^= m[i]
		}
	}
	return out
}

func square(m []uint64) []uint64 {
	out := make([]uint64, len(m))
	for i := range m {
		out[i] = times(m, m[i])
	}
	return out
}
