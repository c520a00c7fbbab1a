package sigv4

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The examples that AWS publishes: "Signature Calculations for the Authorization
// Header", "Using Query Parameters", "… Multiple Chunks" and "… Trailing headers"
// in the S3 API Reference, the IAM example of the signing process, and the cases
// of the general test suite. Only their inputs and results stand here.
const (
	exampleID     = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	suiteSecret   = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var exampleTime = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

// signedRequest is a request with an Authorization header that names the headers.
func signedRequest(method, target, host, credential, signature string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	names := []string{"host"}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
		names = append(names, strings.ToLower(headers[i]))
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s", credential, sortedUnique(names), signature))
	return r
}

func sortedUnique(names []string) string {
	var out []string
	for _, n := range names {
		i := 0
		for i < len(out) && out[i] < n {
			i++
		}
		if i < len(out) && out[i] == n {
			continue
		}
		out = append(out[:i], append([]string{n}, out[i:]...)...)
	}
	return strings.Join(out, ";")
}

func TestPublishedS3Examples(t *testing.T) {
	const host, credential = "examplebucket.s3.amazonaws.com", exampleID + "/20130524/us-east-1/s3/aws4_request"
	key := DeriveKey(exampleSecret, "20130524", "us-east-1", "s3")
	for _, tc := range []struct {
		name string
		r    *http.Request
	}{
		{"get with range", signedRequest("GET", "/test.txt", host, credential, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
			"Range", "bytes=0-9", "X-Amz-Content-Sha256", EmptyHash, "X-Amz-Date", "20130524T000000Z")},
		{"put with a dollar in the key", signedRequest("PUT", "/test$file.text", host, credential, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
			"Date", "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Content-Sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
			"X-Amz-Date", "20130524T000000Z", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY")},
		{"parameter without a value", signedRequest("GET", "/?lifecycle", host, credential, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
			"X-Amz-Content-Sha256", EmptyHash, "X-Amz-Date", "20130524T000000Z")},
		{"list", signedRequest("GET", "/?max-keys=2&prefix=J", host, credential, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
			"X-Amz-Content-Sha256", EmptyHash, "X-Amz-Date", "20130524T000000Z")},
		{"presigned", func() *http.Request {
			r := httptest.NewRequest("GET", "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", nil)
			r.Host = host
			return r
		}()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q, err := Parse(tc.r)
			if err != nil {
				t.Fatal(err)
			}
			if err := q.Verify(tc.r, key, exampleTime); err != nil {
				t.Fatal(err)
			}
			tc.r.Method = "DELETE"
			if err := q.Verify(tc.r, key, exampleTime); err == nil {
				t.Fatal("another method was accepted")
			}
		})
	}
}

func TestPublishedGeneralExamples(t *testing.T) {
	const host, credential = "example.amazonaws.com", "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
	key := DeriveKey(suiteSecret, "20150830", "us-east-1", "service")
	now := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	date := []string{"X-Amz-Date", "20150830T123600Z"}
	for _, tc := range []struct {
		name, method, target, signature, body string
		headers                               []string
	}{
		{name: "vanilla", method: "GET", target: "/", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "query order by key", method: "GET", target: "/?Param2=value2&Param1=value1", signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{name: "query in UTF-8", method: "GET", target: "/?%E1%88%B4=bar", signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{name: "repeated header", method: "GET", target: "/", signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
			headers: []string{"My-Header1", "value2", "My-Header1", "value2", "My-Header1", "value1"}},
		{name: "folded spaces", method: "GET", target: "/", signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
			headers: []string{"My-Header1", " value1", "My-Header2", ` "a   b   c"`}},
		{name: "post", method: "POST", target: "/", signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{name: "form", method: "POST", target: "/", signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a", body: "Param1=value1",
			headers: []string{"Content-Type", "application/x-www-form-urlencoded"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := signedRequest(tc.method, tc.target, host, credential, tc.signature, append(tc.headers, date...)...)
			q, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := q.VerifyBody(r, key, now, []byte(tc.body)); err != nil {
				t.Fatal(err)
			}
			if err := q.VerifyBody(r, key, now, []byte(tc.body+"x")); err == nil {
				t.Fatal("another body was accepted")
			}
		})
	}
}

func TestPublishedIAMExample(t *testing.T) {
	key := DeriveKey(suiteSecret, "20150830", "us-east-1", "iam")
	if got := hex.EncodeToString(key[:]); got != "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9" {
		t.Fatalf("derived key %s", got)
	}
	r := signedRequest("GET", "/?Action=ListUsers&Version=2010-05-08", "iam.amazonaws.com", "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request",
		"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
		"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "X-Amz-Date", "20150830T123600Z")
	q, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.VerifyBody(r, key, time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC), nil); err != nil {
		t.Fatal(err)
	}
}

func TestPublishedChunkExamples(t *testing.T) {
	const credential = exampleID + "/20130524/us-east-1/s3/aws4_request"
	key := DeriveKey(exampleSecret, "20130524", "us-east-1", "s3")
	chunk := func(n int, sig string) string {
		return fmt.Sprintf("%x;chunk-signature=%s\r\n%s\r\n", n, sig, strings.Repeat("a", n))
	}
	for _, tc := range []struct {
		name string
		r    *http.Request
		body string
		sum  Checksum
	}{
		{
			name: "signed chunks",
			r: signedRequest("PUT", "/examplebucket/chunkObject.txt", "s3.amazonaws.com", credential, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
				"Content-Encoding", "aws-chunked", "Content-Length", "66824", "X-Amz-Content-Sha256", StreamingSigned, "X-Amz-Date", "20130524T000000Z",
				"X-Amz-Decoded-Content-Length", "66560", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY"),
			body: chunk(65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
				chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
				chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
		},
		{
			name: "signed chunks and trailer",
			r: signedRequest("PUT", "/examplebucket/chunkObject.txt", "s3.amazonaws.com", credential, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
				"Content-Encoding", "aws-chunked", "X-Amz-Content-Sha256", StreamingSignedTrailer, "X-Amz-Date", "20130524T000000Z",
				"X-Amz-Decoded-Content-Length", "66560", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY", "X-Amz-Trailer", "x-amz-checksum-crc32c"),
			body: chunk(65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2") +
				chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7") +
				"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
				"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
			sum: Checksum{CRC32C, "sOO8/Q=="},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.r.Body = io.NopCloser(strings.NewReader(tc.body))
			q, err := Parse(tc.r)
			if err != nil {
				t.Fatal(err)
			}
			if err := q.Verify(tc.r, key, exampleTime); err != nil {
				t.Fatal(err)
			}
			b, err := q.Body(tc.r, key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(b)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, bytes.Repeat([]byte("a"), 66560)) {
				t.Fatalf("%d bytes, not what was sent", len(got))
			}
			if sum, ok := b.Checksum(); sum != tc.sum || ok != (tc.sum != Checksum{}) {
				t.Fatalf("checksum %v %v", sum, ok)
			}
		})
	}
}
