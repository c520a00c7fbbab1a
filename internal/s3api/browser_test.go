package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
)

// TestBrowser pins whose digest a request is taken to carry: that of exactly
// one cookie of exactly that name, and nothing that merely looks like it.
func TestBrowser(t *testing.T) {
	sum := sha256.Sum256([]byte("s3cret"))
	digest := hex.EncodeToString(sum[:])
	const name = BrowserCookie
	cases := []struct {
		name  string
		lines []string
		want  string
	}{
		{"no header", nil, ""},
		{"the cookie alone", []string{name + "=s3cret"}, digest},
		{"among others", []string{"a=1; " + name + "=s3cret; b=2"}, digest},
		{"in a second line", []string{"a=1", name + "=s3cret"}, digest},
		{"twice", []string{name + "=s3cret; " + name + "=s3cret"}, ""},
		{"twice, in two lines", []string{name + "=s3cret", name + "=other"}, ""},
		{"twice, one of them empty", []string{name + "=; " + name + "=s3cret"}, ""},
		{"empty", []string{name + "="}, ""},
		{"no value", []string{name}, ""},
		{"another name", []string{"fiducial-browser=s3cret"}, ""},
		{"another case", []string{strings.ToLower(name) + "=s3cret"}, ""},
		{"a longer name", []string{name + "2=s3cret"}, ""},
		{"in another's value", []string{"a=" + name + "=s3cret"}, ""},
		{"quoted is another value", []string{name + `="s3cret"`}, hexSum(`"s3cret"`)},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got := browser(tc.lines); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	h := http.Header{"Accept": {"image/*"}}
	if n := testing.AllocsPerRun(100, func() { browser(h["Cookie"]) }); n != 0 {
		t.Errorf("a request without cookies costs %v allocations", n)
	}
}

func hexSum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func FuzzBrowser(f *testing.F) {
	f.Add("a=1; "+BrowserCookie+"=x", "")
	f.Add(BrowserCookie+"=x", BrowserCookie+"=y")
	f.Fuzz(func(t *testing.T, a, b string) {
		d := browser([]string{a, b})
		if d != "" && (len(d) != 64 || strings.Count(a+";"+b, BrowserCookie+"=") < 1) {
			t.Errorf("%q and %q give %q", a, b, d)
		}
	})
}
