package console

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"fiducial/test/boot"
	"fiducial/web"
)

// Every example of the gallery is on the page and has a frame, which is foreign
// code as far as the console is concerned.
func TestElements(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newBrowser(t, s, "127.0.0.1")
	examples, err := fs.Glob(web.Gallery, "src/gallery/*.html")
	if err != nil || len(examples) < 30 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	b.get("/console/elements").want(t, "the page before signing in", http.StatusSeeOther, "/console/signin")
	b.get("/console/elements/crowd-form").want(t, "a frame before signing in", http.StatusSeeOther, "/console/signin")
	b.signIn(boot.AccessKeyID, boot.SecretAccessKey).want(t, "sign in", http.StatusSeeOther, "/console")

	page := b.get("/console/elements")
	page.want(t, "the page", 200, "Image tools", "&lt;crowd-form&gt;")
	for _, name := range examples {
		tag := strings.TrimSuffix(strings.TrimPrefix(name, "src/gallery/"), ".html")
		frame := `sandbox="allow-scripts allow-forms" src="/console/elements/` + tag + `"`
		if !strings.Contains(page.body, frame) {
			t.Errorf("the page has no frame of %s", tag)
		}
		a := b.get("/console/elements/" + tag)
		a.want(t, tag, 200, "<"+tag, "/assets/crowd-html-elements.js")
		if strings.Contains(a.body, "{{") {
			t.Errorf("%s: a picture is not there: %.400s", tag, a.body[strings.Index(a.body, "{{"):])
		}
		csp := a.header.Get("Content-Security-Policy")
		for _, want := range []string{"sandbox allow-scripts allow-forms;", "default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q lacks %q", tag, csp, want)
			}
		}
		if strings.Contains(csp, "allow-same-origin") || strings.Contains(csp, "connect-src") {
			t.Errorf("%s: the policy is %q", tag, csp)
		}
	}
	b.get("/console/elements/crowd-nothing").want(t, "an element that is not there", 404)
	b.get("/console/elements/picture.svg").want(t, "a file that is no example", 404)
}
