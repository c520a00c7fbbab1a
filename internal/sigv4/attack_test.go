package sigv4

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
)

// These tests are the security argument of presigned media URLs: a URL opens one
// path by one method on one host until one instant, and no other spelling of it,
// added header or second signature opens anything.

var attackTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const attackHost = "127.0.0.1:9000"

func presigned(t testing.TB, path string) string {
	t.Helper()
	e, err := NewEndpoint("http://"+attackHost, "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	return e.Presign("GET", path, Credentials{"ASIATEST", "secret", "token/+="}, attackTime, 15*time.Minute)
}

// send parses and verifies as an endpoint does, with the right key of whatever
// scope the request claims.
func send(r *http.Request, now time.Time) (*Request, error) {
	q, err := Parse(r)
	if err != nil {
		return nil, err
	}
	if q.AccessKeyID != "ASIATEST" || q.SessionToken != "token/+=" {
		return nil, fault.Coded("test", fault.Unauthenticated, "InvalidAccessKeyId", "")
	}
	return q, q.Verify(r, DeriveKey("secret", q.Date, q.Region, q.Service), now)
}

func get(t testing.TB, raw string) *http.Request {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	return &http.Request{Method: "GET", URL: u, Host: u.Host, Header: http.Header{}, Body: http.NoBody}
}

func TestPresignedOpens(t *testing.T) {
	r := get(t, presigned(t, "/bucket/a b/ü.png"))
	for _, now := range []time.Time{attackTime.Add(-15 * time.Minute), attackTime, attackTime.Add(15*time.Minute - time.Nanosecond)} {
		q, err := send(r, now)
		if err != nil {
			t.Fatalf("at %v: %v", now, err)
		}
		if !q.Presigned || q.Expires != 15*time.Minute || !q.Time.Equal(attackTime) || q.AuthType() != "REST-QUERY-STRING" {
			t.Fatalf("%+v", q)
		}
	}
}

// TestEveryByte changes every byte of path and query to every other byte.
func TestEveryByte(t *testing.T) {
	whole := presigned(t, "/bucket/key.png")
	start := len("http://" + attackHost)
	for i := start; i < len(whole); i++ {
		for c := 0x21; c < 0x7f; c++ {
			if byte(c) == whole[i] {
				continue
			}
			changed := whole[:i] + string(rune(c)) + whole[i+1:]
			r := get(t, changed)
			if r == nil {
				continue // no URL any more
			}
			if _, err := send(r, attackTime); err == nil {
				t.Errorf("accepted with byte %d %q changed to %q: %s", i, whole[i], rune(c), changed)
			}
		}
	}
}

func TestPresignedAttacks(t *testing.T) {
	whole := presigned(t, "/bucket/key.png")
	replace := func(old, new string) func(*http.Request) {
		if !strings.Contains(whole, old) {
			t.Fatalf("%s is not in the URL", old)
		}
		return func(r *http.Request) {
			r.URL, _ = url.Parse(strings.Replace(whole, old, new, 1))
		}
	}
	add := func(s string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery += s } }
	header := func(k, v string) func(*http.Request) { return func(r *http.Request) { r.Header.Set(k, v) } }
	path := func(p string) func(*http.Request) {
		return func(r *http.Request) { r.URL.Path, r.URL.RawPath = p, "" }
	}
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		code   string
	}{
		{"HEAD with a GET's URL", func(r *http.Request) { r.Method = "HEAD" }, CodeSignatureDoesNotMatch},
		{"PUT", func(r *http.Request) { r.Method = "PUT" }, CodeSignatureDoesNotMatch},
		{"DELETE", func(r *http.Request) { r.Method = "DELETE" }, CodeSignatureDoesNotMatch},
		{"method in lower case", func(r *http.Request) { r.Method = "get" }, CodeSignatureDoesNotMatch},
		{"another host", func(r *http.Request) { r.Host = "127.0.0.2:9000" }, CodeSignatureDoesNotMatch},
		{"another port", func(r *http.Request) { r.Host = "127.0.0.1:9001" }, CodeSignatureDoesNotMatch},
		{"another key", path("/bucket/key2.png"), CodeSignatureDoesNotMatch},
		{"another bucket", path("/bucket2/key.png"), CodeSignatureDoesNotMatch},
		{"a key below", path("/bucket/key.png/x"), CodeSignatureDoesNotMatch},
		{"doubled slash", path("/bucket//key.png"), CodeSignatureDoesNotMatch},
		{"leading slash doubled", path("//bucket/key.png"), CodeSignatureDoesNotMatch},
		{"dot segment", path("/bucket/./key.png"), CodeSignatureDoesNotMatch},
		{"dot-dot segment", path("/bucket/x/../key.png"), CodeSignatureDoesNotMatch},
		{"trailing slash", path("/bucket/key.png/"), CodeSignatureDoesNotMatch},
		{"backslash", path("/bucket\\key.png"), CodeSignatureDoesNotMatch},
		{"NUL", path("/bucket/key.png\x00"), CodeSignatureDoesNotMatch},
		{"key in another case", path("/bucket/Key.png"), CodeSignatureDoesNotMatch},
		{"percent-escape decoded twice", path("/bucket/key%2Epng"), CodeSignatureDoesNotMatch},
		{"longer life", replace("X-Amz-Expires=900", "X-Amz-Expires=901"), CodeSignatureDoesNotMatch},
		{"life with a leading zero", replace("X-Amz-Expires=900", "X-Amz-Expires=0900"), CodeSignatureDoesNotMatch},
		{"life with a sign", replace("X-Amz-Expires=900", "X-Amz-Expires=%2B900"), CodeSignatureDoesNotMatch},
		{"no life", replace("X-Amz-Expires=900", "X-Amz-Expires=0"), CodeQueryParameters},
		{"negative life", replace("X-Amz-Expires=900", "X-Amz-Expires=-1"), CodeQueryParameters},
		{"over a week", replace("X-Amz-Expires=900", "X-Amz-Expires=604801"), CodeQueryParameters},
		{"life that overflows", replace("X-Amz-Expires=900", "X-Amz-Expires=9223372036854775808"), CodeQueryParameters},
		{"life without end", replace("&X-Amz-Expires=900", ""), CodeQueryParameters},
		{"life emptied", replace("X-Amz-Expires=900", "X-Amz-Expires="), CodeQueryParameters},
		{"later date", replace("X-Amz-Date=20260301T120000Z", "X-Amz-Date=20260301T130000Z"), CodeSignatureDoesNotMatch},
		{"another day in the scope", replace("%2F20260301%2F", "%2F20260302%2F"), CodeQueryParameters},
		{"another region", replace("us-east-1", "eu-west-1"), CodeSignatureDoesNotMatch},
		{"another service", replace("%2Fs3%2F", "%2Fsts%2F"), CodeMissingHeader},
		{"scope with another end", replace("aws4_request", "aws4_requesu"), CodeQueryParameters},
		{"scope with a part more", replace("aws4_request", "x%2Faws4_request"), CodeQueryParameters},
		{"access key swapped", replace("ASIATEST", "ASIAELSE"), "InvalidAccessKeyId"},
		{"token taken out", replace("&X-Amz-Security-Token=token%2F%2B%3D", ""), "InvalidAccessKeyId"},
		{"token in the header too", header("X-Amz-Security-Token", "token/+="), CodeInvalidRequest},
		{"host not signed", replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=range"), CodeAccessDenied},
		{"signed headers emptied", replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="), CodeQueryParameters},
		{"a signed header more", replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host%3Brange"), CodeSignatureDoesNotMatch},
		{"signed header in upper case", replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=Host"), CodeQueryParameters},
		{"signed header doubled", replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host%3Bhost"), CodeQueryParameters},
		{"signature cut", func(r *http.Request) { r.URL.RawQuery = r.URL.RawQuery[:len(r.URL.RawQuery)-1] }, CodeSignatureDoesNotMatch},
		{"signature emptied", func(r *http.Request) { r.URL.RawQuery = r.URL.RawQuery[:len(r.URL.RawQuery)-64] }, CodeQueryParameters},
		{"signature longer", add("00"), CodeSignatureDoesNotMatch},
		{"signature doubled", add("&X-Amz-Signature=" + strings.Repeat("0", 64)), CodeQueryParameters},
		{"date doubled", add("&X-Amz-Date=20260301T130000Z"), CodeQueryParameters},
		{"expiry doubled in another case", add("&x-amz-expires=604800"), CodeQueryParameters},
		{"expiry doubled by escapes", add("&X%2DAmz%2DExpires=604800"), CodeQueryParameters},
		{"credential doubled", add("&X-AMZ-CREDENTIAL=x"), CodeQueryParameters},
		{"parameter added", add("&versionId=1"), CodeSignatureDoesNotMatch},
		{"parameter without value added", add("&acl"), CodeSignatureDoesNotMatch},
		{"response header added", add("&response-content-type=text/html"), CodeSignatureDoesNotMatch},
		{"ampersand added", add("&"), CodeQueryParameters},
		{"semicolon as separator", replace("&X-Amz-Expires", ";X-Amz-Expires"), CodeQueryParameters},
		{"bad escape added", add("&a=%zz"), CodeInvalidURI},
		{"cut escape added", add("&a=%2"), CodeInvalidURI},
		{"escape in lower case", replace("%2F", "%2f"), CodeQueryParameters},
		{"another algorithm", replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA257"), CodeQueryParameters},
		{"asymmetric algorithm", replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), CodeQueryParameters},
		{"signed in the header too", header("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260301/us-east-1/s3/aws4_request, SignedHeaders=host, Signature="+strings.Repeat("0", 64)), CodeInvalidArgument},
		{"any Authorization header too", header("Authorization", "Bearer x"), CodeInvalidArgument},
		{"header that is not signed", header("X-Amz-Acl", "public-read"), CodeAccessDenied},
		{"copy source that is not signed", header("X-Amz-Copy-Source", "/other/key"), CodeAccessDenied},
		{"address in a header of ours", header("X-Amz-Source-Ip", "127.0.0.1"), CodeAccessDenied},
		{"header with odd case in the map", func(r *http.Request) { r.Header["x-AMZ-acl"] = []string{"x"} }, CodeAccessDenied},
		{"payload hash that is not signed", header("X-Amz-Content-Sha256", EmptyHash), CodeAccessDenied},
		{"nonsense as payload hash", header("X-Amz-Content-Sha256", "nonsense"), CodeInvalidArgument},
		{"signature of version 2 added", add("&AWSAccessKeyId=x&Signature=y"), CodeInvalidRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := get(t, whole)
			tc.change(r)
			_, err := send(r, attackTime)
			if fault.CodeOf(err) != tc.code {
				t.Errorf("got %v, want %s", err, tc.code)
			}
		})
	}
}

// TestExpiry: the last instant is no longer good, and a URL from the future only
// as far as clocks may differ.
func TestExpiry(t *testing.T) {
	r := get(t, presigned(t, "/b/k"))
	for _, tc := range []struct {
		at   time.Duration
		want string
	}{
		{15 * time.Minute, "Request has expired"},
		{24 * time.Hour, "Request has expired"},
		{-15*time.Minute - time.Second, "Request is not yet valid"},
	} {
		_, err := send(r, attackTime.Add(tc.at))
		if fault.CodeOf(err) != CodeAccessDenied || fault.MessageOf(err) != tc.want {
			t.Errorf("%v later: %v", tc.at, err)
		}
	}
}

// TestSameMeaning: what a client or a proxy may do to a URL without changing what
// it means keeps it good, and handlers read the same from it.
func TestSameMeaning(t *testing.T) {
	whole := presigned(t, "/bucket/a b.png")
	base, query, _ := strings.Cut(whole, "?")
	parts := strings.Split(query, "&")
	reversed := make([]string, len(parts))
	for i, p := range parts {
		reversed[len(parts)-1-i] = p
	}
	for name, raw := range map[string]string{
		"reordered":                   base + "?" + strings.Join(reversed, "&"),
		"escapes that are not needed": strings.Replace(whole, "ASIATEST", "%41SIATEST", 1),
		"slash left as it is":         strings.Replace(whole, "ASIATEST%2F", "ASIATEST/", 1),
		"path with other escapes":     strings.Replace(whole, "/a%20b.png", "/%61%20b%2Epng", 1),
		"slash escaped in the path":   strings.Replace(whole, "/bucket/a", "/bucket%2Fa", 1),
	} {
		if raw == whole {
			t.Fatalf("%s: nothing changed", name)
		}
		r := get(t, raw)
		q, err := send(r, attackTime)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.URL.Path != "/bucket/a b.png" || q.Query.Get("X-Amz-Expires") != "900" || q.AccessKeyID != "ASIATEST" {
			t.Errorf("%s: read as %q", name, r.URL.Path)
		}
	}
}

// headerSigned is a request signed in its header with the given extra headers.
func headerSigned(t testing.TB, target string, now time.Time, extra ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequest("PUT", "http://"+attackHost+target, nil)
	r.Header.Set("X-Amz-Date", now.Format(isoTime))
	r.Header.Set("X-Amz-Content-Sha256", UnsignedPayload)
	r.Header.Set("X-Amz-Security-Token", "token/+=")
	names := []string{"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
	for i := 0; i < len(extra); i += 2 {
		r.Header.Add(extra[i], extra[i+1])
		names = append(names, strings.ToLower(extra[i]))
	}
	sign(t, r, "s3", sortedUnique(names))
	return r
}

// sign sets the Authorization header that is right for the request.
func sign(t testing.TB, r *http.Request, service, signed string) {
	t.Helper()
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		date = attackTime.Format(isoTime)
	}
	scope := "ASIATEST/" + date[:8] + "/us-east-1/" + service + "/aws4_request"
	auth := "AWS4-HMAC-SHA256 Credential=" + scope + ", SignedHeaders=" + signed + ", Signature="
	r.Header.Set("Authorization", auth+strings.Repeat("0", 64))
	q, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	canonical, ok := q.appendCanonical(nil, r, q.PayloadHash)
	if !ok {
		t.Fatal("a signed header is missing")
	}
	sig := q.sign(DeriveKey("secret", q.Date, q.Region, q.Service), sha256.Sum256(canonical))
	r.Header.Set("Authorization", auth+fmt.Sprintf("%x", sig))
}

func TestHeaderAttacks(t *testing.T) {
	auth := func(f func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", f(r.Header.Get("Authorization"))) }
	}
	replace := func(old, new string) func(*http.Request) {
		return auth(func(s string) string {
			if !strings.Contains(s, old) {
				panic(old)
			}
			return strings.Replace(s, old, new, 1)
		})
	}
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		code   string // "" for accepted
	}{
		{"as it is", func(*http.Request) {}, ""},
		{"without spaces", auth(func(s string) string { return strings.ReplaceAll(s, ", ", ",") }), ""},
		{"unsigned ordinary header", func(r *http.Request) { r.Header.Set("User-Agent", "x") }, ""},
		{"unsigned x-amz header", func(r *http.Request) { r.Header.Set("X-Amz-Acl", "x") }, CodeAccessDenied},
		{"signed header changed", func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "other") }, CodeSignatureDoesNotMatch},
		{"signed header doubled", func(r *http.Request) { r.Header.Add("X-Amz-Meta-A", "v") }, CodeSignatureDoesNotMatch},
		{"signed header emptied", func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "") }, CodeSignatureDoesNotMatch},
		{"signed header removed", func(r *http.Request) { r.Header.Del("X-Amz-Meta-A") }, CodeSignatureDoesNotMatch},
		{"more spaces at its ends", func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "  a b  ") }, ""},
		{"folded spaces within", func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "a    b") }, ""},
		{"space taken out", func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "ab") }, CodeSignatureDoesNotMatch},
		{"two Authorization headers", func(r *http.Request) { r.Header.Add("Authorization", "x") }, CodeInvalidArgument},
		{"two dates", func(r *http.Request) { r.Header.Add("X-Amz-Date", "20260301T120000Z") }, CodeAccessDenied},
		{"two payload hashes", func(r *http.Request) { r.Header.Add("X-Amz-Content-Sha256", UnsignedPayload) }, CodeInvalidRequest},
		{"two tokens", func(r *http.Request) { r.Header.Add("X-Amz-Security-Token", "x") }, CodeInvalidRequest},
		{"token too long", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", strings.Repeat("x", maxToken+1)) }, CodeInvalidRequest},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, CodeAccessDenied},
		{"unsigned Date instead", func(r *http.Request) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Date", attackTime.Format(http.TimeFormat))
		}, CodeAccessDenied},
		{"date in words", func(r *http.Request) { r.Header.Set("X-Amz-Date", attackTime.Format(http.TimeFormat)) }, CodeAccessDenied},
		{"date with a fraction", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260301T120000.0Z") }, CodeAccessDenied},
		{"no such date", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260231T120000Z") }, CodeAccessDenied},
		{"date of another day", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260302T000000Z") }, CodeHeaderMalformed},
		{"no payload hash", func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }, CodeMissingHeader},
		{"payload hash replaced", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", EmptyHash) }, CodeSignatureDoesNotMatch},
		{"payload hash cut", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", EmptyHash[:63]) }, CodeInvalidArgument},
		{"version 2", func(r *http.Request) { r.Header.Set("Authorization", "AWS AKID:c2ln") }, CodeInvalidRequest},
		{"version 4A", replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), CodeInvalidRequest},
		{"basic", func(r *http.Request) { r.Header.Set("Authorization", "Basic eDp5") }, CodeInvalidArgument},
		{"empty", func(r *http.Request) { r.Header.Set("Authorization", "") }, CodeInvalidArgument},
		{"algorithm alone", func(r *http.Request) { r.Header.Set("Authorization", Algorithm) }, CodeHeaderMalformed},
		{"without Signature", auth(func(s string) string { return s[:strings.Index(s, ", Signature")] }), CodeHeaderMalformed},
		{"Signature doubled", auth(func(s string) string { return s + ", Signature=" + strings.Repeat("0", 64) }), CodeHeaderMalformed},
		{"Credential doubled", auth(func(s string) string { return s + ", Credential=x" }), CodeHeaderMalformed},
		{"unknown part", auth(func(s string) string { return s + ", Extra=1" }), CodeHeaderMalformed},
		{"comma at the end", auth(func(s string) string { return s + ", x" }), CodeHeaderMalformed},
		{"signature in upper case", auth(func(s string) string { i := strings.LastIndexByte(s, '='); return s[:i+1] + strings.ToUpper(s[i+1:]) }), CodeSignatureDoesNotMatch},
		{"too long", auth(func(s string) string { return s + strings.Repeat(" ", 0) + strings.Repeat("x", maxAuthorization) }), CodeHeaderMalformed},
		{"scope too short", replace("/us-east-1/s3", "/s3"), CodeHeaderMalformed},
		{"scope without an access key", replace("ASIATEST/", "/"), CodeHeaderMalformed},
		{"scope without slashes", replace("ASIATEST/20260301/us-east-1/s3/aws4_request", "x"), CodeHeaderMalformed},
		{"scope too long", replace("us-east-1", strings.Repeat("r", maxScope)), CodeHeaderMalformed},
		{"headers out of order", replace("SignedHeaders=host;", "SignedHeaders=x;host;"), CodeHeaderMalformed},
		{"header name with a space", replace("SignedHeaders=host;", "SignedHeaders=a b;host;"), CodeHeaderMalformed},
		{"host taken out", replace("SignedHeaders=host;", "SignedHeaders="), CodeAccessDenied},
		{"too many headers", replace("SignedHeaders=host;", "SignedHeaders="+strings.Repeat("a;", maxSignedHeaders)), CodeHeaderMalformed},
		{"another method", func(r *http.Request) { r.Method = "POST" }, CodeSignatureDoesNotMatch},
		{"parameter added", func(r *http.Request) { r.URL.RawQuery = "acl" }, CodeSignatureDoesNotMatch},
		{"signature parameter added", func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=" + strings.Repeat("0", 64) }, CodeInvalidArgument},
		{"query too long", func(r *http.Request) { r.URL.RawQuery = strings.Repeat("x", maxQuery+1) }, CodeInvalidURI},
		{"too many parameters", func(r *http.Request) { r.URL.RawQuery = strings.Repeat("x&", maxParams+1) }, CodeInvalidURI},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := headerSigned(t, "/bucket/key", attackTime, "X-Amz-Meta-A", "a b")
			tc.change(r)
			q, err := send(r, attackTime)
			if fault.CodeOf(err) != tc.code || (err == nil) != (tc.code == "") {
				t.Fatalf("got %v, want %q", err, tc.code)
			}
			if err == nil && q.AuthType() != "REST-HEADER" {
				t.Error(q.AuthType())
			}
		})
	}
}

func TestSkew(t *testing.T) {
	r := headerSigned(t, "/b/k", attackTime)
	for _, d := range []time.Duration{-15 * time.Minute, 0, 15 * time.Minute} {
		if _, err := send(r, attackTime.Add(d)); err != nil {
			t.Errorf("%v: %v", d, err)
		}
	}
	for _, d := range []time.Duration{-15*time.Minute - 1, 15*time.Minute + 1, 24 * time.Hour} {
		if _, err := send(r, attackTime.Add(d)); fault.CodeOf(err) != CodeTimeTooSkewed {
			t.Errorf("%v: %v", d, err)
		}
	}
	// Whoever does not hold the key does not learn about times.
	q, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Verify(r, SigningKey{}, attackTime.Add(time.Hour)); fault.CodeOf(err) != CodeSignatureDoesNotMatch {
		t.Errorf("%v", err)
	}
}

// A signed Date header stands in for X-Amz-Date, in HTTP's form or ISO's.
func TestDateHeader(t *testing.T) {
	for _, date := range []string{attackTime.Format(http.TimeFormat), attackTime.Format(isoTime)} {
		r := httptest.NewRequest("GET", "http://"+attackHost+"/b/k", nil)
		r.Header.Set("Date", date)
		r.Header.Set("X-Amz-Content-Sha256", UnsignedPayload)
		r.Header.Set("X-Amz-Security-Token", "token/+=")
		sign(t, r, "s3", "date;host;x-amz-content-sha256;x-amz-security-token")
		if _, err := send(r, attackTime); err != nil {
			t.Errorf("%s: %v", date, err)
		}
	}
}

// Headers that net/http takes out of the map can be signed all the same.
func TestHopHeaders(t *testing.T) {
	r := httptest.NewRequest("PUT", "http://"+attackHost+"/b/k", strings.NewReader("12345"))
	r.Header.Set("X-Amz-Content-Sha256", UnsignedPayload)
	r.Header.Set("X-Amz-Security-Token", "token/+=")
	r.Header.Set("X-Amz-Date", attackTime.Format(isoTime))
	r.TransferEncoding = []string{"chunked"}
	sign(t, r, "s3", "content-length;host;transfer-encoding;x-amz-content-sha256;x-amz-date;x-amz-security-token")
	if _, err := send(r, attackTime); err != nil {
		t.Error(err)
	}
	r.ContentLength = 6
	if _, err := send(r, attackTime); fault.CodeOf(err) != CodeSignatureDoesNotMatch {
		t.Errorf("another length: %v", err)
	}
	r.ContentLength, r.TransferEncoding = 5, nil
	if _, err := send(r, attackTime); fault.CodeOf(err) != CodeSignatureDoesNotMatch {
		t.Errorf("transfer encoding removed: %v", err)
	}
}

// Paths with dot segments have two meanings outside S3 and are refused there.
func TestPlainPath(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, "/": true, "/a": true, "/a/": true, "/a/b.c": true, "/a/..b": true,
		"/..": false, "/a/../b": false, "/a/./b": false, "//": false, "/a//b": false, "//a": false, ".": false,
	} {
		if got := plainPath(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
	r := httptest.NewRequest("POST", "http://"+attackHost+"/a/../b", nil)
	r.Header.Set("X-Amz-Date", attackTime.Format(isoTime))
	sign(t, r, "sagemaker", "host;x-amz-date")
	q, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.VerifyBody(r, DeriveKey("secret", q.Date, q.Region, q.Service), attackTime, nil); fault.CodeOf(err) != CodeInvalidURI {
		t.Error(err)
	}
}

func TestAnonymous(t *testing.T) {
	r := httptest.NewRequest("GET", "http://"+attackHost+"/b?prefix=a%20b&prefix=A", nil)
	q, err := Parse(r)
	if !errors.Is(err, ErrAnonymous) || !q.Anonymous || q.Query.Get("prefix") != "A" || q.AuthType() != "" {
		t.Fatalf("%v, %+v", err, q)
	}
	if ErrAnonymous.Error() == "" {
		t.Error("no words")
	}
	// The zero key must not turn an anonymous request into a verified one.
	if err := q.Verify(r, SigningKey{}, attackTime); fault.CodeOf(err) != CodeAccessDenied {
		t.Error(err)
	}
	if err := q.VerifyBody(r, SigningKey{}, attackTime, nil); fault.CodeOf(err) != CodeAccessDenied {
		t.Error(err)
	}
	r.Header.Set("X-Amz-Content-Sha256", "nonsense")
	if _, err := Parse(r); fault.CodeOf(err) != CodeInvalidArgument {
		t.Error(err)
	}
}

// The payload hash of a service other than S3 is that of the body, whatever a
// header says about it.
func TestBodyIsCovered(t *testing.T) {
	r := httptest.NewRequest("POST", "http://"+attackHost+"/", nil)
	r.Header.Set("X-Amz-Date", attackTime.Format(isoTime))
	r.Header.Set("X-Amz-Content-Sha256", UnsignedPayload)
	sign(t, r, "sagemaker", "host;x-amz-content-sha256;x-amz-date")
	q, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.VerifyBody(r, DeriveKey("secret", q.Date, q.Region, q.Service), attackTime, []byte("{}")); fault.CodeOf(err) != CodeContentMismatch {
		t.Error(err)
	}
	r.Header.Del("X-Amz-Content-Sha256")
	if q, err = Parse(r); err != nil {
		t.Fatal(err)
	}
	if err := q.Verify(r, SigningKey{}, attackTime); fault.CodeOf(err) != CodeMissingHeader {
		t.Error(err)
	}
}

func TestCheckScope(t *testing.T) {
	q, err := Parse(get(t, presigned(t, "/b/k")))
	if err != nil {
		t.Fatal(err)
	}
	if err := q.CheckScope("us-east-1", "sts", "s3"); err != nil {
		t.Error(err)
	}
	if err := q.CheckScope("eu-west-1", "s3"); fault.CodeOf(err) != CodeQueryParameters {
		t.Error(err)
	}
	q.Presigned = false
	if err := q.CheckScope("us-east-1", "sts"); fault.CodeOf(err) != CodeHeaderMalformed {
		t.Error(err)
	}
}

// Headers that presigners move into the query are read from there, x-amz-* only.
func TestHoistedHeaders(t *testing.T) {
	r := get(t, "http://"+attackHost+"/b/k?x-amz-checksum-mode=ENABLED&content-type=text/html")
	q := &Request{Presigned: true}
	if err := q.Query.parse(r.URL.RawQuery); err != nil {
		t.Fatal(err)
	}
	if v := q.Header(r, "X-Amz-Checksum-Mode"); v != "ENABLED" {
		t.Errorf("%q", v)
	}
	if v := q.Header(r, "Content-Type"); v != "" {
		t.Errorf("%q", v)
	}
	r.Header.Set("X-Amz-Checksum-Mode", "header")
	if v := q.Header(r, "x-amz-checksum-mode"); v != "header" {
		t.Errorf("%q", v)
	}
	q.Presigned = false
	r.Header = http.Header{}
	if v := q.Header(r, "X-Amz-Checksum-Mode"); v != "" {
		t.Errorf("%q: a parameter was read as a header although the request is not presigned", v)
	}
}
