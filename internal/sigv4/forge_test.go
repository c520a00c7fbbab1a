package sigv4

import (
	"bufio"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Random bytes hardly ever come near a signature. These fuzzers start from a
// request that is good and let the fuzzer edit it: whatever is still accepted
// must mean what was signed.

// edit applies a script to a text: position (2 bytes), bytes to delete, bytes to
// insert, and those bytes; at most four times.
func edit(text string, script []byte) string {
	for n := 0; n < 4 && len(script) >= 4; n++ {
		at := (int(script[0])<<8 | int(script[1])) % (len(text) + 1)
		end := min(at+int(script[2]), len(text))
		count := min(int(script[3]), len(script)-4)
		text = text[:at] + string(script[4:4+count]) + text[end:]
		script = script[4+count:]
	}
	return text
}

func pairs(q *Query) (out []string) {
	for k, v := range q.All() {
		out = append(out, k, v)
	}
	return out
}

// script puts text at a position after deleting some bytes.
func script(at, remove int, insert string) []byte {
	return append([]byte{byte(at >> 8), byte(at), byte(remove), byte(len(insert))}, insert...)
}

func FuzzPresignedURL(f *testing.F) {
	whole := presigned(f, "/bucket/a b/key.png")
	base := get(f, whole)
	want, err := send(base, attackTime)
	if err != nil {
		f.Fatal(err)
	}
	at := func(s string) int { return strings.Index(whole, s) }
	for _, s := range [][]byte{
		nil,
		script(len(whole), 0, "&X-Amz-Expires=604800"),
		script(len(whole), 0, "&a=b"),
		script(len(whole), 0, "#x"),
		script(at("?"), 0, "?x"),
		script(at("%20"), 3, "+"),
		script(at("key"), 0, "%2e%2e/"),
		script(at("key"), 3, "%6bey"),
		script(at("%2F"), 3, "%2f"),
		script(at("%2F"), 3, "/"),
		script(at("X-Amz-Date"), 0, "x-amz-date=20260301T120000Z&"),
		script(at("X-Amz-Expires=900"), 17, "X-Amz-Expires=9000"),
		script(at("us-east-1"), 9, "eu-west-1"),
		script(at("SignedHeaders=host"), 18, "SignedHeaders=host%3bx"),
		script(at("Signature="), 12, "Signature=FF"),
		script(7, 0, "user@"),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, edits []byte) {
		changed := edit(whole, edits)
		r := get(t, changed)
		if r == nil {
			return
		}
		got, err := send(r, attackTime)
		if err != nil {
			return
		}
		if r.URL.Path != base.URL.Path || r.Host != base.Host || !slices.Equal(pairs(&got.Query), pairs(&want.Query)) || got.Expires != want.Expires {
			t.Fatalf("accepted although it means something else: %q", changed)
		}
	})
}

func FuzzAuthorization(f *testing.F) {
	signed := headerSigned(f, "/bucket/key?partNumber=1&uploadId=u", attackTime, "Content-Type", "text/plain")
	var b strings.Builder
	if err := signed.Write(&b); err != nil {
		f.Fatal(err)
	}
	whole := b.String()
	base, err := http.ReadRequest(bufio.NewReader(strings.NewReader(whole)))
	if err != nil {
		f.Fatal(err)
	}
	want, err := send(base, attackTime)
	if err != nil {
		f.Fatal(err)
	}
	at := func(s string) int { return strings.Index(whole, s) }
	end := strings.Index(whole, "\r\n\r\n")
	for _, s := range [][]byte{
		nil,
		script(end, 0, "\r\nX-Amz-Acl: public-read"),
		script(end, 0, "\r\nX-Amz-Date: 20260301T120001Z"),
		script(end, 0, "\r\nAuthorization: AWS x:y"),
		script(end, 0, "\r\nTransfer-Encoding: chunked"),
		script(end, 0, "\r\n folded"),
		script(at("Signature="), 0, " "),
		script(at("SignedHeaders="), 0, "Credential=x,"),
		script(at(";host"), 5, ""),
		script(at("PUT"), 3, "GET"),
		script(at("uploadId=u"), 10, "uploadId=v"),
		script(at("text/plain"), 10, "text/html"),
	} {
		f.Add(s)
	}
	amz := func(r *http.Request) (out []string) {
		for name, values := range r.Header {
			if strings.HasPrefix(strings.ToLower(name), "x-amz-") || name == "Content-Type" {
				for _, v := range values {
					out = append(out, strings.ToLower(name)+":"+strings.Join(strings.Fields(v), " "))
				}
			}
		}
		slices.Sort(out)
		return out
	}
	f.Fuzz(func(t *testing.T, edits []byte) {
		changed := edit(whole, edits)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(changed)))
		if err != nil {
			return
		}
		got, err := send(r, attackTime)
		if err != nil {
			return
		}
		if r.Method != base.Method || r.URL.Path != base.URL.Path || r.Host != base.Host || !slices.Equal(pairs(&got.Query), pairs(&want.Query)) ||
			!slices.Equal(amz(r), amz(base)) || got.PayloadHash != want.PayloadHash || got.SessionToken != want.SessionToken {
			t.Fatalf("accepted although it means something else: %q", changed)
		}
	})
}
