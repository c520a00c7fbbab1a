package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling/manifest"
)

// read reads everything, up to the first error.
func read(r io.Reader, attribute string) (lines []string, labeled []bool, err error) {
	m := manifest.NewReader(r, attribute)
	for {
		l, err := m.Next()
		if err == io.EOF {
			return lines, labeled, nil
		}
		if err != nil {
			return lines, labeled, err
		}
		lines, labeled = append(lines, string(l.Text)), append(labeled, l.Labeled)
	}
}

func TestAccepted(t *testing.T) {
	const a, b = `{"source-ref":"s3://bucket/a.jpg"}`, `{"source": "two\nlines", "n": 1.50, "x":{"source":1}}`
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"only blank lines", "\n\r\n  \n", nil},
		{"newline at the end", a + "\n" + b + "\n", []string{a, b}},
		{"none at the end", a + "\n" + b, []string{a, b}},
		{"CRLF", a + "\r\n" + b + "\r\n", []string{a, b}},
		{"byte order mark", "\ufeff" + a + "\n", []string{a}},
		{"blank lines at the end", a + "\n\n \n\r\n", []string{a}},
		{"white space around", " " + a + " \n", []string{" " + a + " "}},
		{"longest line", longest(100_000), []string{longest(100_000)}},
		{"longest attribute, of long characters", `{"source":"` + strings.Repeat("🦉", 20_000) + `"}`, []string{`{"source":"` + strings.Repeat("🦉", 20_000) + `"}`}},
		{"a key with upper case is another key", `{"Source":1,"source":"x"}`, []string{`{"Source":1,"source":"x"}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
				got, _, err := read(r, "")
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(c.want, got); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// longest is a line of n characters, none of its members too long.
func longest(n int) string {
	var b strings.Builder
	b.WriteString(`{"source":"x"`)
	for i := 0; b.Len() < n-1; i++ {
		head := fmt.Sprintf(`,"k%d":"`, i)
		fill := min(15_000, n-1-b.Len()-len(head)-1)
		if rest := n - 1 - b.Len() - len(head) - 1 - fill; rest > 0 && rest < 20 {
			fill -= 20
		}
		b.WriteString(head + strings.Repeat("y", fill) + `"`)
	}
	return b.String() + "}"
}

func TestRefused(t *testing.T) {
	const good = `{"source":"x"}` + "\n"
	for _, c := range []struct{ name, in, want string }{
		{"not JSON", good + `{"source":"x"`, "line 2: it is not a JSON object: unexpected end of JSON input"},
		{"a word", good + good + "hello", "line 3: it is not a JSON object: invalid character 'h' looking for beginning of value"},
		{"an array", `["s3://bucket/key"]`, `line 1: expected a JSON object such as {"source-ref": "s3://bucket/key"}`},
		{"two objects", `{"source":"x"}{"source":"y"}`, "line 1: it is not a JSON object: invalid character '{' after top-level value"},
		{"blank line inside", good + "\n" + good, "line 2: it is blank; expected a JSON object (only the end of the manifest may have blank lines)"},
		{"no source", `{"image":"s3://bucket/key"}`, "line 1: it has neither source-ref nor source; expected exactly one of them"},
		{"both", `{"source":"x","source-ref":"s3://bucket/key"}`, "line 1: it has source-ref or source more than once; expected exactly one of them"},
		{"twice", `{"source":"x","source":"y"}`, "line 1: it has source-ref or source more than once; expected exactly one of them"},
		{"number as source", `{"source":5}`, `line 1: the value of "source" must be a string that is not empty`},
		{"null as source-ref", `{"source-ref":null}`, `line 1: the value of "source-ref" must be a string that is not empty`},
		{"empty source", `{"source":""}`, `line 1: the value of "source" must be a string that is not empty`},
		{"web address", `{"source-ref":"https://example.com/a.jpg"}`, `line 1: source-ref: "https://example.com/a.jpg" is not an S3 URI: expected s3://bucket/key`},
		{"bucket only", `{"source-ref":"s3://bucket/"}`, `line 1: source-ref: "s3://bucket/" names no object: expected s3://bucket/key`},
		{"bad bucket", `{"source-ref":"s3://Bu_cket/key"}`, `line 1: source-ref: "s3://Bu_cket/key" has no valid bucket name: expected s3://bucket/key`},
		{"dollar", `{"source":"x","$id":1}`, `line 1: the key "$id" begins with $`},
		{"dollar, escaped", `{"source":"x","\u0024id":1}`, `line 1: the key "$id" begins with $`},
		{"not UTF-8", "{\"source\":\"\xff\"}", "line 1: it is not UTF-8"},
		{"long attribute", `{"source":"` + strings.Repeat("x", 20_001) + `"}`, `line 1: the value of "source" has 20001 characters, more than 20000`},
		{"long line", longest(100_001), "line 1: it has 100001 characters, more than 100000"},
		{"endless line", `{"source":"` + strings.Repeat("x", 500_000), "line 1: it is longer than 100000 characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := read(strings.NewReader(c.in), "")
			if !fault.Is(err, fault.Invalid) || fault.MessageOf(err) != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestLabeled(t *testing.T) {
	_, got, err := read(strings.NewReader(`{"source":"x","mood":1,"mood-metadata":{}}
{"source":"x","mood":1}
{"source":"x","mood-metadata":{}}
`), "mood")
	if d := cmp.Diff([]bool{true, false, false}, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestSkip(t *testing.T) {
	m := manifest.NewReader(strings.NewReader("{\"source\":\"1\"}\n{\"source\":\"2\"}\n{\"source\":\"3\"}"), "")
	if err := m.Skip(2); err != nil {
		t.Fatal(err)
	}
	if l, err := m.Next(); err != nil || l.Number != 3 || string(l.Text) != `{"source":"3"}` {
		t.Errorf("got %d %s, %v", l.Number, l.Text, err)
	}
	if err := m.Skip(1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v behind the end", err)
	}
}

// An error of the storage is not the manifest's fault.
func TestReadError(t *testing.T) {
	broken := errors.New("connection reset")
	_, _, err := read(io.MultiReader(strings.NewReader("{\"source\":\"x\"}\n{\"sou"), iotest.ErrReader(broken)), "")
	if !errors.Is(err, broken) || fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// repeat gives the same line for ever, n times.
type repeat struct {
	line []byte
	n    int
	rest []byte
}

func (r *repeat) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.line
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Pins that memory does not grow with the manifest.
func TestConstantMemory(t *testing.T) {
	live := func(n int) uint64 {
		m := manifest.NewReader(&repeat{line: []byte(`{"source-ref":"s3://bucket/some/key/that/is/long/enough.jpg","id":12345}` + "\n"), n: n}, "label")
		for {
			if _, err := m.Next(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		runtime.KeepAlive(m)
		return s.HeapAlloc
	}
	small := live(100)
	if big := live(60_000); big > small+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", small, big)
	}
}

// Whatever the bytes, a line that is accepted is what it claims to be.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"", "\n", "\ufeff{}", `{"source":"x"}`, "{\"source-ref\":\"s3://bucket/k\"}\r\n\r\n", `{"source":"x","$a":1}`,
		`{"source":"x","source":"y"}`, "{\"source\":\"\xff\"}", `{"source":"\ud800","l":1,"l-metadata":{}}`, `[[[[`, `{"a":{"source":"x"}}`,
		"{\"source\":\"a\"}\n\n{\"source\":\"b\"}", `{"source-ref":"s3://b/k"}`, `{"source":1e999}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := manifest.NewReader(bytes.NewReader(b), "l")
		for number := int64(1); ; number++ {
			l, err := m.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(fault.MessageOf(err), "line ") {
					t.Fatalf("an error that names no line: %v", err)
				}
				return
			}
			var v map[string]any
			if err := json.Unmarshal(l.Text, &v); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
				t.Fatalf("accepted %q: %v", l.Text, err)
			}
			if l.Number != number {
				t.Fatalf("line %d is called %d", number, l.Number)
			}
			_, ref := v["source-ref"]
			_, text := v["source"]
			if v != nil && ref == text {
				t.Fatalf("accepted %q", l.Text)
			}
			if ref != (l.SourceRef != "") {
				t.Fatalf("SourceRef %q of %q", l.SourceRef, l.Text)
			}
		}
	})
}
