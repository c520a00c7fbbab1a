package objects

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
)

// logLine takes a line apart as readers of S3's logs do: fields between blanks,
// in brackets or in quotes.
var logField = regexp.MustCompile(`\[[^\]]*\]|"[^"]*"|[^ ]+`)

// The line has S3's 26 fields in S3's order, whatever a client sends.
func TestAccessLogLine(t *testing.T) {
	s := &Service{account: "000000000000", now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }}
	caller := &iam.Caller{Principal: identity.Principal{ARN: "arn:aws:sts::000000000000:assumed-role/labeler/ana"}}
	full := &Access{
		Call: &Call{Caller: caller, Origin: origin.Origin{Addr: netip.MustParseAddr("192.0.2.7")}, RequestID: "R1", Operation: &table[OpGetObject], AuthType: "REST-QUERY-STRING",
			Referer: "https://media.example.com/a?X-Amz-Signature=0f0f", UserAgent: "Browser \"1\" [x]\n", Bucket: &Bucket{}},
		Bucket: "media", Key: "a b/é\".jpg", RequestURI: "GET " + RedactURI("/media/a?X-Amz-Signature=0f0f&X-Amz-Security-Token=t") + " HTTP/1.1",
		Status: 403, ErrorCode: "AccessDenied", BytesSent: 243, ObjectSize: 4096, Total: 7 * time.Millisecond, TurnAround: 5 * time.Millisecond,
		Host: "media.example.com", CipherSuite: "TLS_AES_128_GCM_SHA256", TLSVersion: "TLSv1.3",
	}
	empty := &Access{Call: &Call{Caller: &iam.Caller{}, Bucket: &Bucket{}}, Bucket: "media", ObjectSize: -1}
	for name, c := range map[string]struct {
		in   *Access
		want []string
	}{
		"a refused media URL": {full, []string{OwnerID(s.account), "media", "[01/Mar/2026:12:00:00 +0000]", "192.0.2.7", caller.ARN, "R1", "REST.GET.OBJECT", "a%20b/%C3%A9%22.jpg",
			`"GET /media/a?X-Amz-Signature=REDACTED&X-Amz-Security-Token=REDACTED HTTP/1.1"`, "403", "AccessDenied", "243", "4096", "7", "5",
			`"https://media.example.com/a?X-Amz-Signature=REDACTED"`, `"Browser %221%22 [x]%0A"`, "-", "-", "SigV4", "TLS_AES_128_GCM_SHA256", "QueryString", "media.example.com", "TLSv1.3", "-", "-"}},
		"nothing known": {empty, []string{OwnerID(s.account), "media", "[01/Mar/2026:12:00:00 +0000]", "-", "-", "-", "-", "-", `"-"`, "0", "-", "-", "-", "0", "0", `"-"`, `"-"`, "-", "-", "-", "-", "-", "-", "-", "-", "-"}},
	} {
		var b bytes.Buffer
		s.writeLine(&b, c.in)
		line, ok := strings.CutSuffix(b.String(), "\n")
		got := logField.FindAllString(line, -1)
		if !ok || len(got) != 26 || strings.Join(got, " ") != line {
			t.Fatalf("%s: %d fields in %q", name, len(got), b.String())
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: field %d is %s, want %s", name, i+1, got[i], c.want[i])
			}
		}
	}
}
