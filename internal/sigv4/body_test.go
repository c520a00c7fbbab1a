package sigv4

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"fiducial/internal/fault"
)

// The check values of the CRC catalogue, and of FIPS 180 for "123456789".
func TestChecksumValues(t *testing.T) {
	for a, want := range map[ChecksumAlgorithm]string{
		CRC32: "cbf43926", CRC32C: "e3069283", CRC64NVME: "ae8b14860a799888",
		SHA1:   "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		SHA256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	} {
		h := a.New()
		_, _ = h.Write([]byte("123456789"))
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: %s", a, got)
		}
		if p, err := ParseChecksumAlgorithm(strings.ToLower(string(a))); p != a || err != nil {
			t.Errorf("%s: %v, %v", a, p, err)
		}
	}
	if ChecksumAlgorithm("MD4").New() != nil {
		t.Error("an unknown algorithm has a hash")
	}
	if _, err := ParseChecksumAlgorithm("MD4"); err == nil {
		t.Error("an unknown algorithm has a name")
	}
}

// checksumOf is the base64 checksum of s.
func checksumOf(a ChecksumAlgorithm, s string) string {
	h := a.New()
	_, _ = io.WriteString(h, s)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// plain is a body sent as it is, with headers.
func plain(hash, body string, headers ...string) (*Request, *http.Request) {
	r := httptest.NewRequest("PUT", "/b/k", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return &Request{PayloadHash: hash}, r
}

func TestPlainBodies(t *testing.T) {
	const body = "the whole body"
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	m := md5.Sum([]byte(body))
	contentMD5 := base64.StdEncoding.EncodeToString(m[:])
	crc := checksumOf(CRC32, body)
	for _, tc := range []struct {
		name    string
		hash    string
		headers []string
		code    string
	}{
		{"unsigned", UnsignedPayload, nil, ""},
		{"no hash", "", nil, ""},
		{"hash", hash, nil, ""},
		{"hash in upper case", strings.ToUpper(hash), nil, ""},
		{"hash of something else", EmptyHash, nil, CodeContentMismatch},
		{"hash that is none", "xyz", nil, CodeInvalidArgument},
		{"Content-MD5", UnsignedPayload, []string{"Content-Md5", contentMD5}, ""},
		{"Content-MD5 of something else", UnsignedPayload, []string{"Content-Md5", "1B2M2Y8AsgTpgAmY7PhCfg=="}, CodeBadDigest},
		{"Content-MD5 too short", UnsignedPayload, []string{"Content-Md5", "AAAA"}, CodeInvalidDigest},
		{"Content-MD5 empty", UnsignedPayload, []string{"Content-Md5", ""}, CodeInvalidDigest},
		{"checksum", UnsignedPayload, []string{"X-Amz-Checksum-Crc32", crc}, ""},
		{"checksum and hash and MD5", hash, []string{"X-Amz-Checksum-Crc32", crc, "Content-Md5", contentMD5}, ""},
		{"checksum of something else", UnsignedPayload, []string{"X-Amz-Checksum-Crc32", "AAAAAA=="}, CodeBadDigest},
		{"checksum in hex", UnsignedPayload, []string{"X-Amz-Checksum-Crc32", "deadbeef"}, CodeInvalidRequest},
		{"checksum with junk bits", UnsignedPayload, []string{"X-Amz-Checksum-Crc32", "AAAAAB=="}, CodeInvalidRequest},
		{"two checksums", UnsignedPayload, []string{"X-Amz-Checksum-Crc32", crc, "X-Amz-Checksum-Sha1", checksumOf(SHA1, body)}, CodeInvalidRequest},
		{"algorithm named", UnsignedPayload, []string{"X-Amz-Checksum-Crc32", crc, "X-Amz-Sdk-Checksum-Algorithm", "CRC32"}, ""},
		{"another algorithm named", UnsignedPayload, []string{"X-Amz-Checksum-Crc32", crc, "X-Amz-Sdk-Checksum-Algorithm", "SHA1"}, CodeInvalidRequest},
		{"algorithm named without a checksum", UnsignedPayload, []string{"X-Amz-Sdk-Checksum-Algorithm", "CRC32"}, CodeInvalidRequest},
		{"unknown algorithm named", UnsignedPayload, []string{"X-Amz-Sdk-Checksum-Algorithm", "MD4"}, CodeInvalidRequest},
		{"trailer without trailers", UnsignedPayload, []string{"X-Amz-Trailer", "x-amz-checksum-crc32"}, CodeInvalidRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q, r := plain(tc.hash, body, tc.headers...)
			b, err := q.Body(r, SigningKey{})
			var got []byte
			if err == nil {
				got, err = io.ReadAll(b)
				if _, ok := b.Checksum(); ok != (err == nil && len(tc.headers) > 0 && tc.headers[0] == "X-Amz-Checksum-Crc32") {
					t.Errorf("checksum: %v", ok)
				}
			}
			if fault.CodeOf(err) != tc.code || (err == nil) != (tc.code == "") || err == nil && string(got) != body {
				t.Fatalf("got %v (%q), want %q", err, got, tc.code)
			}
		})
	}
}

func TestEveryChecksumHeader(t *testing.T) {
	for _, a := range ChecksumAlgorithms {
		q, r := plain(UnsignedPayload, "body", a.Header(), checksumOf(a, "body"))
		b, err := q.Body(r, SigningKey{})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := b.Checksum(); ok {
			t.Errorf("%s: a checksum before the end", a)
		}
		if _, err := io.ReadAll(b); err != nil {
			t.Error(err)
		}
		if c, ok := b.Checksum(); !ok || c != (Checksum{a, checksumOf(a, "body")}) {
			t.Errorf("%s: %v", a, c)
		}
		if b.Size() != 4 || b.Close() != nil {
			t.Error(b.Size())
		}
		// CompleteMultipartUpload's checksum is not its body's.
		q, r = plain(UnsignedPayload, "<xml/>", a.Header(), checksumOf(a, "body")+"-2")
		if b, err = q.BodyOnly(r, SigningKey{}); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(b); err != nil || string(got) != "<xml/>" {
			t.Error(err)
		}
	}
}

// A presigned URL may name an algorithm before there is a body.
func TestPresignedNamesAlgorithm(t *testing.T) {
	q, r := plain(UnsignedPayload, "body")
	q.Presigned = true
	if err := q.Query.parse("x-amz-sdk-checksum-algorithm=CRC32"); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Body(r, SigningKey{}); err != nil {
		t.Error(err)
	}
}

func TestBodyEnds(t *testing.T) {
	q, r := plain(UnsignedPayload, "short")
	r.ContentLength = 10
	b, err := q.Body(r, SigningKey{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(b); fault.CodeOf(err) != CodeIncompleteBody {
		t.Error(err)
	}
	if _, again := b.Read(make([]byte, 1)); fault.CodeOf(again) != CodeIncompleteBody {
		t.Errorf("the error did not stay: %v", again)
	}
	r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	if b, err = q.Body(r, SigningKey{}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(b); fault.CodeOf(err) != CodeIncompleteBody {
		t.Error(err)
	}
	broken := errors.New("connection reset")
	r.Body = io.NopCloser(iotest.ErrReader(broken))
	if b, err = q.Body(r, SigningKey{}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(b); !errors.Is(err, broken) {
		t.Error(err)
	}
	r.Body = nil
	if b, err = q.Body(r, SigningKey{}); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); len(got) != 0 || err != nil || b.Size() != 0 {
		t.Error(err)
	}
	// A body of unknown length ends where it ends.
	q, r = plain(UnsignedPayload, "body")
	r.ContentLength = -1
	if b, err = q.Body(r, SigningKey{}); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); string(got) != "body" || err != nil || b.Size() != -1 {
		t.Error(err)
	}
}

var chunkKey = DeriveKey("secret", "20260301", "us-east-1", "s3")

// chunked encodes body in chunks of n bytes as the mode says, with a trailer if
// algorithm is not empty, and returns request and encoding.
func chunked(mode string, body string, n int, a ChecksumAlgorithm) (*Request, *http.Request, string) {
	q := &Request{Scope: Scope{"ASIATEST", "20260301", "us-east-1", "s3"}, PayloadHash: mode, timestamp: attackTime.Format(isoTime)}
	q.Signature = sha256.Sum256([]byte("seed"))
	s := newChunkSigner(q, chunkKey)
	next := func(kind, middle string, data []byte) string {
		sum := sha256.Sum256(data)
		_ = s.check(kind, middle, sum) // sets prev
		return hex.EncodeToString(s.prev[:])
	}
	var b strings.Builder
	put := func(data string) {
		fmt.Fprintf(&b, "%x", len(data))
		if mode != StreamingUnsignedTrailer {
			b.WriteString(";chunk-signature=" + next("AWS4-HMAC-SHA256-PAYLOAD\n", EmptyHash+"\n", []byte(data)))
		}
		b.WriteString("\r\n" + data)
		if data != "" {
			b.WriteString("\r\n")
		}
	}
	for rest := body; rest != ""; {
		k := min(n, len(rest))
		put(rest[:k])
		rest = rest[k:]
	}
	put("")
	r := httptest.NewRequest("PUT", "/b/k", nil)
	r.Header.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(len(body)))
	if a != "" {
		line := a.Header() + ":" + checksumOf(a, body)
		b.WriteString(line + "\r\n")
		if mode == StreamingSignedTrailer {
			b.WriteString("x-amz-trailer-signature:" + next("AWS4-HMAC-SHA256-TRAILER\n", "", []byte(line+"\n")) + "\r\n")
		}
		r.Header.Set("X-Amz-Trailer", a.Header())
	}
	b.WriteString("\r\n")
	return q, r, b.String()
}

func decode(q *Request, r *http.Request, encoded io.Reader) ([]byte, *Body, error) {
	r.Body = io.NopCloser(encoded)
	b, err := q.Body(r, chunkKey)
	if err != nil {
		return nil, nil, err
	}
	got, err := io.ReadAll(b)
	return got, b, err
}

func TestChunkedRoundTrips(t *testing.T) {
	body := strings.Repeat("labelled bytes ", 10_000)
	for _, mode := range []string{StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer} {
		for _, a := range append(ChecksumAlgorithms[:], "") {
			if mode == StreamingSigned && a != "" {
				continue
			}
			for _, size := range []int{0, 1, 8192, 8193, len(body)} {
				for name, slow := range map[string]func(io.Reader) io.Reader{
					"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "EOF with data": iotest.DataErrReader,
				} {
					q, r, encoded := chunked(mode, body[:size], 8192, a)
					got, b, err := decode(q, r, slow(strings.NewReader(encoded)))
					if err != nil || string(got) != body[:size] {
						t.Fatalf("%s, %q, %d bytes, %s: %d bytes, %v", mode, a, size, name, len(got), err)
					}
					if c, ok := b.Checksum(); a != "" && c != (Checksum{a, checksumOf(a, body[:size])}) || ok != (a != "") {
						t.Errorf("%s, %q: %v", mode, a, c)
					}
				}
			}
		}
	}
}

// What other clients write besides the documented form.
func TestChunkedLiberties(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"no closing line end":             func(s string) string { return strings.TrimSuffix(s, "\r\n") },
		"bare LF in the trailer":          func(s string) string { return strings.Replace(s, "\r\nx-amz-trailer", "\nx-amz-trailer", 1) },
		"blank line before its signature": func(s string) string { return strings.Replace(s, "\r\nx-amz-trailer", "\n\r\nx-amz-trailer", 1) },
		"trailer name in capitals":        func(s string) string { return strings.Replace(s, "x-amz-checksum", "X-Amz-Checksum", 1) },
		"size with leading zeros":         func(s string) string { return "00" + s },
		"size in capitals":                func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	} {
		q, r, encoded := chunked(StreamingSignedTrailer, "twelve bytes", 100, CRC32)
		changed := change(encoded)
		if changed == encoded {
			t.Fatalf("%s: nothing changed", name)
		}
		if got, _, err := decode(q, r, strings.NewReader(changed)); err != nil || string(got) != "twelve bytes" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestChunkedEveryByte: no byte of a signed upload can change. The exceptions are
// spellings of the framing that carry no meaning.
func TestChunkedEveryByte(t *testing.T) {
	const body = "some bytes that are signed"
	q, r, encoded := chunked(StreamingSignedTrailer, body, 10, SHA256)
	for i := range len(encoded) {
		for _, flip := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
			changed := []byte(encoded)
			changed[i] ^= flip
			got, _, err := decode(q, r, bytes.NewReader(changed))
			if err == nil && string(got) != body {
				t.Errorf("byte %d %q→%q: another body was accepted", i, encoded[i], changed[i])
			}
		}
	}
	for i := range len(encoded) - 2 { // without its last line end it is whole
		if _, _, err := decode(q, r, strings.NewReader(encoded[:i])); err == nil {
			t.Errorf("accepted when cut after %d of %d bytes", i, len(encoded))
		}
	}
}

func TestChunkedAttacks(t *testing.T) {
	const body = "0123456789"
	replace := func(old, new string) func(string, *http.Request) string {
		return func(s string, _ *http.Request) string {
			if !strings.Contains(s, old) {
				panic(old + " is not in " + s)
			}
			return strings.Replace(s, old, new, 1)
		}
	}
	set := func(k string, v ...string) func(string, *http.Request) string {
		return func(s string, r *http.Request) string { r.Header[k] = v; return s }
	}
	first := func(s string) string { return s[:strings.Index(s, "\r\n01234")] }
	for _, tc := range []struct {
		name   string
		mode   string
		change func(string, *http.Request) string
		code   string
	}{
		{"data changed", StreamingSigned, replace("01234", "01235"), CodeSignatureDoesNotMatch},
		{"chunks swapped", StreamingSigned, func(s string, _ *http.Request) string {
			a, rest, _ := strings.Cut(s, "01234\r\n")
			b, c, _ := strings.Cut(rest, "56789\r\n")
			return b + "56789\r\n" + a + "01234\r\n" + c
		}, CodeSignatureDoesNotMatch},
		{"chunk left out", StreamingSigned, func(s string, _ *http.Request) string { return s[strings.Index(s, "01234\r\n")+7:] }, CodeSignatureDoesNotMatch},
		{"last chunk left out", StreamingSigned, func(s string, _ *http.Request) string { return s[:strings.Index(s, "\r\n0;")+2] }, CodeIncompleteBody},
		{"ended early", StreamingSigned, func(s string, _ *http.Request) string {
			return s[:strings.Index(s, "01234\r\n")+7] + s[strings.Index(s, "\r\n0;")+2:]
		}, CodeIncompleteBody},
		{"no signature", StreamingSigned, func(s string, _ *http.Request) string { return strings.Replace(s, first(s), "5", 1) }, CodeInvalidRequest},
		{"signature cut", StreamingSigned, func(s string, _ *http.Request) string { return strings.Replace(s, first(s), first(s)[:80], 1) }, CodeInvalidRequest},
		{"another extension", StreamingSigned, replace("chunk-signature", "chunk-signaturf"), CodeInvalidRequest},
		{"more after the end", StreamingSigned, func(s string, _ *http.Request) string { return s + "x" }, CodeInvalidRequest},
		{"another line after the end", StreamingSigned, func(s string, _ *http.Request) string { return s[:len(s)-2] + "x\r\n" }, CodeInvalidRequest},
		{"trailer nobody announced", StreamingSigned, func(s string, _ *http.Request) string { return s[:len(s)-2] + "a:b\r\n\r\n" }, CodeInvalidRequest},
		{"shorter than announced", StreamingUnsignedTrailer, set("X-Amz-Decoded-Content-Length", "11"), CodeIncompleteBody},
		{"longer than announced", StreamingUnsignedTrailer, set("X-Amz-Decoded-Content-Length", "9"), CodeIncompleteBody},
		{"length missing", StreamingUnsignedTrailer, set("X-Amz-Decoded-Content-Length"), CodeMissingLength},
		{"length doubled", StreamingUnsignedTrailer, set("X-Amz-Decoded-Content-Length", "10", "10"), CodeMissingLength},
		{"length negative", StreamingUnsignedTrailer, set("X-Amz-Decoded-Content-Length", "-1"), CodeInvalidArgument},
		{"length with a sign", StreamingUnsignedTrailer, set("X-Amz-Decoded-Content-Length", "+10"), CodeInvalidArgument},
		{"size beyond everything", StreamingUnsignedTrailer, replace("5\r\n", "ffffffffffffffff\r\n"), CodeInvalidRequest},
		{"size beyond the body", StreamingUnsignedTrailer, replace("5\r\n", "7fffffffffffffff\r\n"), CodeIncompleteBody},
		{"size with a sign", StreamingUnsignedTrailer, replace("5\r\n", "-5\r\n"), CodeInvalidRequest},
		{"size with a space", StreamingUnsignedTrailer, replace("5\r\n", " 5\r\n"), CodeInvalidRequest},
		{"size with a prefix", StreamingUnsignedTrailer, replace("5\r\n", "0x5\r\n"), CodeInvalidRequest},
		{"no size", StreamingUnsignedTrailer, replace("5\r\n", "\r\n"), CodeInvalidRequest},
		{"line without end", StreamingUnsignedTrailer, replace("5\r\n", strings.Repeat("0", 300)), CodeInvalidRequest},
		{"extension on unsigned chunks", StreamingUnsignedTrailer, replace("5\r\n", "5;a=b\r\n"), CodeInvalidRequest},
		{"chunk longer than its size", StreamingUnsignedTrailer, replace("5\r\n", "4\r\n"), CodeInvalidRequest},
		{"chunk shorter than its size", StreamingUnsignedTrailer, replace("5\r\n", "6\r\n"), CodeIncompleteBody},
		{"checksum of something else", StreamingUnsignedTrailer, replace(checksumOf(CRC32, body), "AAAAAA=="), CodeBadDigest},
		{"checksum too short", StreamingUnsignedTrailer, replace(checksumOf(CRC32, body), "AAAA"), CodeInvalidRequest},
		{"checksum emptied", StreamingUnsignedTrailer, replace(checksumOf(CRC32, body), ""), CodeMalformedTrailer},
		{"checksum left out", StreamingUnsignedTrailer, replace("x-amz-checksum-crc32:"+checksumOf(CRC32, body)+"\r\n", ""), CodeMalformedTrailer},
		{"another checksum", StreamingUnsignedTrailer, replace("x-amz-checksum-crc32:", "x-amz-checksum-sha1:"), CodeMalformedTrailer},
		{"checksum twice", StreamingUnsignedTrailer, replace("\r\nx-amz", "\r\nx-amz-checksum-crc32:"+checksumOf(CRC32, body)+"\r\nx-amz"), CodeInvalidRequest},
		{"line that is no trailer", StreamingUnsignedTrailer, replace("\r\nx-amz", "\r\nnothing\r\nx-amz"), CodeMalformedTrailer},
		{"trailer too long", StreamingUnsignedTrailer, replace("crc32:", "crc32:"+strings.Repeat("A", 2000)), CodeInvalidRequest},
		{"trailer cut", StreamingUnsignedTrailer, func(s string, _ *http.Request) string { return s[:len(s)-8] }, CodeIncompleteBody},
		{"trailer of an unknown name", StreamingUnsignedTrailer, set("X-Amz-Trailer", "x-amz-checksum-md4"), CodeMalformedTrailer},
		{"two trailers", StreamingUnsignedTrailer, set("X-Amz-Trailer", "x-amz-checksum-crc32", "x-amz-checksum-sha1"), CodeMalformedTrailer},
		{"trailer and header", StreamingUnsignedTrailer, set("X-Amz-Checksum-Sha1", checksumOf(SHA1, body)), CodeInvalidRequest},
		{"signed trailer changed", StreamingSignedTrailer, replace(checksumOf(CRC32, body), "AAAAAA=="), CodeSignatureDoesNotMatch},
		{"trailer's signature left out", StreamingSignedTrailer, func(s string, _ *http.Request) string { return s[:strings.Index(s, "x-amz-trailer")] + "\r\n" }, CodeIncompleteBody},
		{"trailer's signature cut", StreamingSignedTrailer, func(s string, _ *http.Request) string { return s[:len(s)-5] + "\r\n\r\n" }, CodeSignatureDoesNotMatch},
		{"blank lines without end", StreamingSignedTrailer, replace("\r\nx-amz-trailer", strings.Repeat("\r\n", 20)+"x-amz-trailer"), CodeMalformedTrailer},
		{"signature before the checksum", StreamingSignedTrailer, replace("x-amz-checksum", "x-amz-trailer-signature:00\r\nx-amz-checksum"), CodeMalformedTrailer},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := CRC32
			if tc.mode == StreamingSigned {
				a = ""
			}
			q, r, encoded := chunked(tc.mode, body, 5, a)
			encoded = tc.change(encoded, r)
			if got, _, err := decode(q, r, strings.NewReader(encoded)); fault.CodeOf(err) != tc.code {
				t.Fatalf("got %v (%q), want %s", err, got, tc.code)
			}
		})
	}
}

// An anonymous request has no key: signed chunks prove nothing.
func TestAnonymousChunks(t *testing.T) {
	q, r, encoded := chunked(StreamingSigned, "x", 5, "")
	q.Anonymous = true
	if _, _, err := decode(q, r, strings.NewReader(encoded)); fault.CodeOf(err) != CodeAccessDenied {
		t.Error(err)
	}
	q, r, encoded = chunked(StreamingUnsignedTrailer, "x", 5, CRC64NVME)
	q.Anonymous = true
	if got, _, err := decode(q, r, strings.NewReader(encoded)); err != nil || string(got) != "x" {
		t.Error(err)
	}
}

func TestChunkConnectionBreaks(t *testing.T) {
	broken := errors.New("connection reset")
	q, r, encoded := chunked(StreamingSigned, "0123456789", 5, "")
	for i := range len(encoded) - 1 {
		if _, _, err := decode(q, r, io.MultiReader(strings.NewReader(encoded[:i]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", i, err)
		}
	}
}

func TestReadNothing(t *testing.T) {
	q, r, encoded := chunked(StreamingSigned, "0123456789", 5, "")
	r.Body = io.NopCloser(strings.NewReader(encoded))
	b, err := q.Body(r, chunkKey)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := b.Read(nil); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func FuzzChunked(f *testing.F) {
	for _, mode := range []string{StreamingSigned, StreamingSignedTrailer, StreamingUnsignedTrailer} {
		a := CRC32
		if mode == StreamingSigned {
			a = ""
		}
		_, _, encoded := chunked(mode, "some bytes, in chunks", 8, a)
		f.Add([]byte(encoded), mode == StreamingUnsignedTrailer, int64(21))
	}
	f.Fuzz(func(t *testing.T, data []byte, unsigned bool, length int64) {
		mode := StreamingSignedTrailer
		if unsigned {
			mode = StreamingUnsignedTrailer
		}
		q, r, _ := chunked(mode, "", 8, CRC32)
		r.Header.Set("X-Amz-Decoded-Content-Length", strconv.FormatInt(length, 10))
		got, b, err := decode(q, r, bytes.NewReader(data))
		if err != nil {
			return
		}
		if int64(len(got)) != length {
			t.Fatalf("%d bytes accepted where %d were announced", len(got), length)
		}
		c, ok := b.Checksum()
		if !ok || c.Value != checksumOf(CRC32, string(got)) {
			t.Fatalf("accepted with checksum %v", c)
		}
		if mode == StreamingSignedTrailer && string(got) != "some bytes, in chunks" && length > 0 {
			t.Fatal("a signature was forged")
		}
	})
}

func FuzzParse(f *testing.F) {
	whole := presigned(f, "/bucket/key.png")
	_, query, _ := strings.Cut(whole, "?")
	signed := headerSigned(f, "/b/k", attackTime)
	f.Add(query, "", "", "", "/bucket/key.png")
	f.Add("a=b&c", signed.Header.Get("Authorization"), "20260301T120000Z", UnsignedPayload, "/b/k")
	f.Add("x=%zz&+", "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request,SignedHeaders=host,Signature=", "", "", "")
	f.Fuzz(func(t *testing.T, query, auth, date, hash, path string) {
		r := get(t, "http://"+attackHost)
		r.URL.RawQuery, r.URL.Path = query, path
		for k, v := range map[string]string{"Authorization": auth, "X-Amz-Date": date, "X-Amz-Content-Sha256": hash} {
			if v != "" {
				r.Header.Set(k, v)
			}
		}
		q, err := Parse(r)
		if err != nil {
			if !errors.Is(err, ErrAnonymous) && fault.CodeOf(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		// A key nobody signed with: nothing may verify.
		if q.Verify(r, SigningKey{1}, attackTime) == nil {
			t.Fatal("a signature was forged")
		}
	})
}

// FuzzQuery: the canonical form of a query is a fixed point, and says the same.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "a=b&a=a&%41=c", "x=%2f+%2F&&y", "=", "é=%C3%A9", "a=b=c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := ParseQuery(raw)
		if err != nil {
			return
		}
		canonical := string(q.appendCanonical(nil))
		again, err := ParseQuery(canonical)
		if err != nil {
			t.Fatalf("%q: %v", canonical, err)
		}
		if twice := string(again.appendCanonical(nil)); twice != canonical {
			t.Fatalf("%q became %q and then %q", raw, canonical, twice)
		}
		if q.Has(paramSignature) {
			return
		}
		var a, b []string
		for k, v := range q.All() {
			a = append(a, k, v)
		}
		for k, v := range again.All() {
			b = append(b, k, v)
		}
		// A nameless parameter without a value vanishes from its own canonical form.
		if q.Len() == again.Len() && strings.Join(a, "\x00") != strings.Join(b, "\x00") {
			t.Fatalf("%q and %q differ", a, b)
		}
	})
}

func TestMAC(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		key, msg := make([]byte, rng.IntN(200)), make([]byte, rng.IntN(1200))
		for i := range key {
			key[i] = byte(rng.Uint32())
		}
		for i := range msg {
			msg[i] = byte(rng.Uint32())
		}
		if got := mac(key, msg); !bytes.Equal(got[:], reference(key, msg)) || mac(key, string(msg)) != got {
			t.Fatalf("key of %d, message of %d bytes", len(key), len(msg))
		}
	}
}
