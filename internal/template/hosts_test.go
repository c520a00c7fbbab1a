package template_test

import (
	"strings"
	"testing"

	"fiducial/internal/template"

	"github.com/google/go-cmp/cmp"
)

func TestParseHosts(t *testing.T) {
	sha := "sha384-" + strings.Repeat("A", 64)
	got, err := template.ParseHosts("cdn.example.com https://d3js.org:8443 lib.example.com/npm/d3@7/  a.b.example/x.js=" + sha + " http://127.0.0.2:81/y.js 10.0.0.7")
	want := []template.Host{
		{Origin: "https://cdn.example.com"}, {Origin: "https://d3js.org:8443"}, {Origin: "https://lib.example.com", Path: "/npm/d3@7/"},
		{Origin: "https://a.b.example", Path: "/x.js", Integrity: sha}, {Origin: "http://127.0.0.2:81", Path: "/y.js"}, {Origin: "https://10.0.0.7"},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, c := range []struct{ value, says string }{
		{"*", "expected the name of a host"},
		{"*.example.com", "without a wildcard"},
		{"https:", "expected the name of a host"},
		{"CDN.example.com", "in lower case"},
		{"localhost", "expected the name of a host"},
		{"'self'", "expected the name of a host"},
		{"cdn.example.com;script-src", "expected"},
		{"cdn.example.com/a;b", "expected a path"},
		{"cdn.example.com/a,b", "expected a path"},
		{"cdn.example.com/../x", "expected a path"},
		{"cdn.example.com//x", "expected a path"},
		{"cdn.example.com:0", "expected a port"},
		{"cdn.example.com:x", "expected a port"},
		{"http://cdn.example.com", "expected https"},
		{"http://10.0.0.1", "expected https"},
		{"ftp://cdn.example.com", "expected the name of a host"},
		{"cdn.example.com=" + sha, "pins one file"},
		{"cdn.example.com/lib/=" + sha, "pins one file"},
		{"cdn.example.com/x.js=sha384-AAAA", "expected an integrity"},
		{"cdn.example.com/x.js=sha1-AAAA", "expected an integrity"},
		{strings.Repeat("a.example ", 21), "at most 20"},
	} {
		if got, err := template.ParseHosts(c.value); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, %v, want an error with %q", c.value, got, err, c.says)
		}
	}
}

func FuzzParseHosts(f *testing.F) {
	f.Add("cdn.example.com/x.js=sha256-" + strings.Repeat("A", 43) + "= http://127.0.0.1:1/")
	f.Fuzz(func(t *testing.T, value string) {
		hosts, err := template.ParseHosts(value)
		if err != nil {
			return
		}
		// Nothing that a policy would read as anything but a source.
		for _, h := range hosts {
			if strings.ContainsAny(h.String()+h.Integrity, " ;,'\"*\n") || !strings.HasPrefix(h.Origin, "http") {
				t.Errorf("%q is %+v", value, h)
			}
		}
	})
}

func TestFrame(t *testing.T) {
	sha := "sha256-" + strings.Repeat("A", 43) + "="
	f := template.Frame{Origin: "https://portal", Script: "/assets/crowd-html-elements.js?v=1", Media: []string{"https://api", "https://s3.elsewhere"}, Fetch: []string{"https://api"}}
	if p := f.Policy(); strings.Contains(p, "mirror") || !strings.Contains(p, "connect-src https://api;") || !strings.Contains(p, "worker-src blob:") || !strings.HasPrefix(p, "sandbox allow-scripts allow-forms; default-src 'none'") {
		t.Errorf("the policy is %s", p)
	}
	// The portal itself and the media are not to be allowed for scripts by a tag.
	f.Hosts = []template.Host{{Origin: "https://portal"}, {Origin: "https://api"}, {Origin: "https://cdn.example", Path: "/lib.js", Integrity: sha}}
	for _, directive := range strings.Split(f.Policy(), "; ") {
		name, sources, _ := strings.Cut(directive, " ")
		has := strings.Contains(sources, "https://cdn.example/lib.js")
		if want := strings.Contains("script-src style-src img-src media-src font-src frame-src connect-src", name); has != want {
			t.Errorf("%s: %s", name, sources)
		}
		if name == "script-src" && (strings.Contains(sources, "https://api") || strings.Contains(sources, "https://portal ")) {
			t.Errorf("%s: %s", name, sources)
		}
	}
	if got := f.Connections(); got != `(response-origin "https://api/*" "https://s3.elsewhere/*" "https://portal/*" "https://api/*" "https://cdn.example/*")` {
		t.Errorf("connections: %s", got)
	}
	f.Mirror = func(file string) (string, bool) {
		return "https://portal/mirror/" + file, file == "cdn.example/a/jquery.min.js" || file == "cdn.example/lib.js"
	}
	for _, c := range []struct{ name, in, want string }{
		{"elements", `<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>`, `<script src="/assets/crowd-html-elements.js?v=1"></script>`},
		{"elements, version 2, with its sheet", `<link rel="stylesheet" href="https://assets.crowd.aws/css/gen-ai-components.css"><script src='//assets.crowd.aws/crowd-html-elements-v2.js'></script>`, `<script src='/assets/crowd-html-elements.js?v=1'></script>`},
		{"mirrored", `<script src="//CDN.example/a/jquery.min.js"></script>`, `<script src="https://portal/mirror/cdn.example/a/jquery.min.js"></script>`},
		{"mirrored, named by a script", `load('https://cdn.example/a/jquery.min.js');`, `load('https://portal/mirror/cdn.example/a/jquery.min.js');`},
		{"mirrored and pinned", `<SCRIPT src="https://cdn.example/lib.js" integrity="sha256-other"></script>`, `<SCRIPT integrity="` + sha + `" crossorigin="anonymous" src="https://portal/mirror/cdn.example/lib.js" integrity="sha256-other"></script>`},
		{"not mirrored", `<script src="https://cdn.example/b.js"></script>`, `<script src="https://cdn.example/b.js"></script>`},
	} {
		got := string(f.Document(c.in))
		_, body, _ := strings.Cut(got, "<body>")
		if body = strings.TrimSuffix(body, "</body></html>"); body != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, body, c.want)
		}
	}
	if d := string(f.Document("<p>")); !strings.Contains(d, `<script src="/assets/crowd-html-elements.js?v=1"></script></head>`) {
		t.Errorf("a template without the elements gets none: %s", d)
	}
	// The part for segments comes with templates that name one of its elements.
	f.Segmentation = "/assets/crowd-segmentation.js?v=2"
	const part = `<script src="/assets/crowd-segmentation.js?v=2"></script></head>`
	for body, want := range map[string]bool{
		"<p>": false, "<crowd-bounding-box>": false, "<crowd-semantic-segmentation>": true, "<CROWD-Instance-Segmentation>": true,
		`<script>make("crowd-instance-segmentation")</script>`: true,
	} {
		if got := strings.Contains(string(f.Document(body)), part); got != want {
			t.Errorf("%s: the part for segments is named: %t", body, got)
		}
	}
	f.Origin = "http://[::1]:8080"
	if got := f.Connections(); got != "" {
		t.Errorf("with an IPv6 literal %q, which browsers take to allow nothing", got)
	}
}
