package objects

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
)

func TestCheckBucketName(t *testing.T) {
	for _, c := range []struct {
		name string
		ok   bool
	}{
		{"abc", true}, {"a-b.c", true}, {"0aa", true}, {strings.Repeat("a", 63), true}, {"a.b", true},
		{"ab", false}, {"", false}, {strings.Repeat("a", 64), false}, {"Abc", false}, {"a_bc", false}, {"-abc", false}, {"abc-", false},
		{".abc", false}, {"abc.", false}, {"a..b", false}, {"a.-b", false}, {"a-.b", false}, {"192.168.5.4", false}, {"xn--abc", false},
		{"sthree-x", false}, {"x-s3alias", false}, {"x--ol-s3", false}, {"a/b", false}, {"a b c", false}, {"aä-b", false}, {"abc\n", false},
	} {
		if err := CheckBucketName(c.name); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.name, err)
		} else if err != nil && fault.CodeOf(err) != "InvalidBucketName" {
			t.Errorf("%q: code %s", c.name, fault.CodeOf(err))
		}
	}
}

func TestParseRange(t *testing.T) {
	for _, c := range []struct {
		header        string
		size          int64
		start, length int64
		whole         bool
		bad           bool
	}{
		{"", 10, 0, 10, true, false},
		{"bytes=0-0", 10, 0, 1, false, false},
		{"bytes=2-5", 10, 2, 4, false, false},
		{"bytes=2-", 10, 2, 8, false, false},
		{"bytes=-3", 10, 7, 3, false, false},
		{"bytes=-30", 10, 0, 10, false, false},
		{"bytes=5-100", 10, 5, 5, false, false},
		{"bytes=9-9", 10, 9, 1, false, false},
		{"bytes=10-", 10, 0, 0, false, true},
		{"bytes=-0", 10, 0, 0, false, true},
		{"bytes=0-", 0, 0, 0, false, true},
		{"bytes=-1", 0, 0, 0, false, true},
		{"bytes=5-2", 10, 0, 10, true, false},
		{"bytes=0-1,3-4", 10, 0, 10, true, false}, // S3 serves no multipart ranges
		{"bytes=a-b", 10, 0, 10, true, false},
		{"bytes=+1-2", 10, 0, 10, true, false},
		{"bytes=-", 10, 0, 10, true, false},
		{"octets=0-1", 10, 0, 10, true, false},
		{"bytes=99999999999999999999-", 10, 0, 10, true, false},
	} {
		start, length, whole, err := parseRange(c.header, c.size)
		if (err != nil) != c.bad || err == nil && (start != c.start || length != c.length || whole != c.whole) {
			t.Errorf("%q of %d: %d+%d whole=%v %v", c.header, c.size, start, length, whole, err)
		}
	}
}

// Whatever the header says, what is served lies within the object.
func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=7-", "bytes=9223372036854775807-", "bytes=1-9223372036854775807", "bytes=--1"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		start, length, whole, err := parseRange(header, size)
		if err != nil {
			return
		}
		if start < 0 || length < 0 || start+length > size || start+length < start || whole && length != size {
			t.Errorf("%q of %d gives %d+%d", header, size, start, length)
		}
		if start, length, err := parseCopyRange(header, size); err == nil && (start < 0 || length < 0 || start+length > size) {
			t.Errorf("copy %q of %d gives %d+%d", header, size, start, length)
		}
	})
}

func TestConditions(t *testing.T) {
	o := &Object{ETag: "aa", Modified: time.Date(2026, 5, 1, 12, 0, 0, 500, time.UTC)}
	before, same, after := o.Modified.Add(-time.Hour), o.Modified.Truncate(time.Second), o.Modified.Add(time.Hour)
	for _, c := range []struct {
		name string
		cond Conditions
		want string
	}{
		{"none", Conditions{}, ""},
		{"match", Conditions{IfMatch: `"aa"`}, ""},
		{"match without quotes", Conditions{IfMatch: "aa"}, ""},
		{"match in a list", Conditions{IfMatch: `"bb", "aa"`}, ""},
		{"match anything", Conditions{IfMatch: "*"}, ""},
		{"match another", Conditions{IfMatch: `"bb"`}, "PreconditionFailed"},
		{"none-match", Conditions{IfNoneMatch: `"aa"`}, "NotModified"},
		{"none-match weak", Conditions{IfNoneMatch: `W/"aa"`}, "NotModified"},
		{"none-match another", Conditions{IfNoneMatch: `"bb"`}, ""},
		{"modified since before", Conditions{IfModifiedSince: before}, ""},
		{"modified since its own second", Conditions{IfModifiedSince: same}, "NotModified"},
		{"modified since later", Conditions{IfModifiedSince: after}, "NotModified"},
		{"unmodified since before", Conditions{IfUnmodifiedSince: before}, "PreconditionFailed"},
		{"unmodified since its own second", Conditions{IfUnmodifiedSince: same}, ""},
		{"a matching tag outweighs the date", Conditions{IfMatch: "aa", IfUnmodifiedSince: before}, ""},
		{"another tag outweighs the date", Conditions{IfNoneMatch: "bb", IfModifiedSince: after}, ""},
	} {
		if got := fault.CodeOf(c.cond.read(o)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		name    string
		cond    Conditions
		present *Object
		want    string
	}{
		{"create where nothing is", Conditions{IfNoneMatch: "*"}, nil, ""},
		{"create where something is", Conditions{IfNoneMatch: "*"}, o, "PreconditionFailed"},
		{"replace what is expected", Conditions{IfMatch: "aa"}, o, ""},
		{"replace what was changed", Conditions{IfMatch: "bb"}, o, "PreconditionFailed"},
		{"replace what is gone", Conditions{IfMatch: "aa"}, nil, "NoSuchKey"},
	} {
		if got := fault.CodeOf(c.cond.write(c.present)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMatchCORS(t *testing.T) {
	b := &Bucket{CORS: []CORSRule{
		{ID: "portal", AllowedOrigins: []string{"https://*.example.com"}, AllowedMethods: []string{"GET"}, AllowedHeaders: []string{"x-*", "range"}},
		{ID: "all", AllowedOrigins: []string{"*"}, AllowedMethods: []string{"HEAD"}},
	}}
	for _, c := range []struct {
		origin, method string
		headers        []string
		want           string
	}{
		{"https://a.example.com", "GET", nil, "portal"},
		{"https://a.example.com", "GET", []string{"Range", "X-Amz-Date"}, "portal"},
		{"https://a.example.com", "GET", []string{"authorization"}, ""},
		{"https://example.com", "GET", nil, ""},
		{"https://a.example.com.evil.org", "GET", nil, ""},
		{"http://a.example.com", "GET", nil, ""},
		{"null", "HEAD", nil, "all"},
		{"https://a.example.com", "PUT", nil, ""},
	} {
		got := ""
		if r := b.MatchCORS(c.origin, c.method, c.headers); r != nil {
			got = r.ID
		}
		if got != c.want {
			t.Errorf("%s %s %v: %q, want %q", c.origin, c.method, c.headers, got, c.want)
		}
	}
	if got := fault.CodeOf(checkCORS([]CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"PATCH"}}})); got != "InvalidRequest" {
		t.Errorf("an unsupported method is %q", got)
	}
	if checkCORS([]CORSRule{{AllowedOrigins: []string{"*a*"}, AllowedMethods: []string{"GET"}}}) == nil {
		t.Error("two stars in an origin were taken")
	}
}

// Every operation has what the pipeline, the policies and the logs need.
func TestOperationTable(t *testing.T) {
	names := map[string]bool{}
	for i, op := range Operations() {
		switch {
		case op.Name == "" || names[op.Name]:
			t.Errorf("operation %d: name %q", i, op.Name)
		case !strings.HasPrefix(op.Action, "s3:"):
			t.Errorf("%s: action %q", op.Name, op.Action)
		case !strings.HasPrefix(op.LogName, "REST."):
			t.Errorf("%s: log name %q", op.Name, op.LogName)
		case op.Media != (op.Name == "GetObject" || op.Name == "HeadObject"):
			t.Errorf("%s: may a session for a media URL do it? %v", op.Name, op.Media)
		case strings.Contains(op.Name, "Copy") != (op.Source == "s3:GetObject"):
			t.Errorf("%s: source action %q", op.Name, op.Source)
		}
		names[op.Name] = true
	}
	o := Operations()[OpGetObject]
	want := []string{"*", "arn:aws:s3:::b", "arn:aws:s3:::b/k/x"}
	got := []string{
		(&Operation{Target: OnAccount}).resource("b", "k/x"), (&Operation{Target: OnBucket}).resource("b", "k/x"), o.resource("b", "k/x"),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRedactURI(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"/b/k", "/b/k"},
		{"/b/k?a=b", "/b/k?a=b"},
		{"/b/k?X-Amz-Date=1&X-Amz-Signature=abc&X-Amz-Security-Token=t%2Ft", "/b/k?X-Amz-Date=1&X-Amz-Signature=REDACTED&X-Amz-Security-Token=REDACTED"},
		{"/b/k?x-amz-signature=abc", "/b/k?x-amz-signature=REDACTED"},
		{"/b/k?X-Amz-%53ignature=abc", "/b/k?X-Amz-%53ignature=REDACTED"},
	} {
		if got := RedactURI(c.in); got != c.want {
			t.Errorf("%s: %s", c.in, got)
		}
	}
}
