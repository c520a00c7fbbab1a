package sigv4

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"
)

// ChecksumAlgorithm is one of S3's names for its additional checksums.
type ChecksumAlgorithm string

// The additional checksums.
const (
	CRC32     ChecksumAlgorithm = "CRC32"
	CRC32C    ChecksumAlgorithm = "CRC32C"
	CRC64NVME ChecksumAlgorithm = "CRC64NVME"
	SHA1      ChecksumAlgorithm = "SHA1"
	SHA256    ChecksumAlgorithm = "SHA256"
)

// ChecksumAlgorithms lists them all.
var ChecksumAlgorithms = [...]ChecksumAlgorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256}

// nvme is the table of CRC-64/NVME (NVM Express, NVM Command Set 5.2.1.3.4),
// its polynomial reversed.
var nvme = crc64.MakeTable(0x9a6c9329ac4bc9b5)

// New returns a fresh hash, nil for an unknown name. Its sum is big-endian, as
// S3 has it before base64.
func (a ChecksumAlgorithm) New() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64.New(nvme)
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	}
	return nil
}

// Header is the request and response header that carries the checksum, in lower case.
func (a ChecksumAlgorithm) Header() string {
	return "x-amz-checksum-" + strings.ToLower(string(a))
}

// ParseChecksumAlgorithm reads a name in any case.
func ParseChecksumAlgorithm(s string) (ChecksumAlgorithm, error) {
	for _, a := range ChecksumAlgorithms {
		if strings.EqualFold(s, string(a)) {
			return a, nil
		}
	}
	return "", invalid(CodeInvalidRequest, "the checksum algorithm %.32q must be CRC32, CRC32C, CRC64NVME, SHA1 or SHA256", s)
}

// Checksum is a computed checksum; Value is in base64.
type Checksum struct {
	Algorithm ChecksumAlgorithm
	Value     string
}

// sum is a digest under way, with what it must come to.
type sum struct {
	hash.Hash
	name string // for messages: the header that promised it
	code string // the fault's code when it does not match
	want []byte // nil while a trailer has yet to say
}

func (s *sum) check() error {
	if subtle.ConstantTimeCompare(s.Sum(nil), s.want) != 1 {
		return invalid(s.code, "%s does not match the body that was received", s.name)
	}
	return nil
}

// declaredSums are the digests that the headers promise, besides the payload
// hash: at most one additional checksum, by value or by trailer, and Content-MD5.
func (q *Request) declaredSums(r *http.Request, trailer ChecksumAlgorithm) (sums []*sum, additional *sum, algorithm ChecksumAlgorithm, err error) {
	for _, a := range ChecksumAlgorithms {
		v := q.Header(r, a.Header())
		if v == "" {
			continue
		}
		if additional != nil || trailer != "" {
			return nil, nil, "", invalid(CodeInvalidRequest, "only one x-amz-checksum- header or trailer may be given")
		}
		algorithm, additional = a, &sum{Hash: a.New(), name: a.Header(), code: CodeBadDigest}
		if additional.want, err = decodeDigest(v, additional); err != nil {
			return nil, nil, "", invalid(CodeInvalidRequest, "%s must be the base64 of %d bytes", a.Header(), additional.Size())
		}
	}
	if trailer != "" {
		algorithm, additional = trailer, &sum{Hash: trailer.New(), name: trailer.Header(), code: CodeBadDigest}
	}
	if err := q.checkNamedAlgorithm(r, algorithm); err != nil {
		return nil, nil, "", err
	}
	if additional != nil {
		sums = append(sums, additional)
	}
	if v := r.Header.Get("Content-Md5"); v != "" || len(r.Header["Content-Md5"]) > 0 {
		s := &sum{Hash: md5.New(), name: "Content-MD5", code: CodeBadDigest}
		if s.want, err = decodeDigest(v, s); err != nil {
			return nil, nil, "", invalid(CodeInvalidDigest, "Content-MD5 must be the base64 of 16 bytes")
		}
		sums = append(sums, s)
	}
	return sums, additional, algorithm, nil
}

// checkNamedAlgorithm: x-amz-sdk-checksum-algorithm announces a checksum that
// then has to be there.
func (q *Request) checkNamedAlgorithm(r *http.Request, have ChecksumAlgorithm) error {
	v := q.Header(r, "x-amz-sdk-checksum-algorithm")
	if v == "" {
		return nil
	}
	named, err := ParseChecksumAlgorithm(v)
	if err != nil {
		return err
	}
	// A presigned URL may name the algorithm and leave the choice to whoever
	// uses it: SDKs presign before they have seen the body.
	if have == "" && q.Presigned {
		return nil
	}
	if named != have {
		return invalid(CodeInvalidRequest, "x-amz-sdk-checksum-algorithm names %s, but there is no %s header or trailer", named, named.Header())
	}
	return nil
}

func decodeDigest(v string, h hash.Hash) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(v)
	if err == nil && len(b) != h.Size() {
		err = base64.CorruptInputError(0)
	}
	return b, err
}
