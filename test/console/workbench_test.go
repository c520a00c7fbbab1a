package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	renderers = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sagemaker:RenderUiTemplate","iam:PassRole"],"Resource":"*"}]}`
	lookers   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sagemaker:ListLabelingJobs","Resource":"*"}]}`
)

// What somebody who writes templates does: begins with a starter, sees what is
// wrong, and looks at the task in the frame that a worker has.
func TestWorkbench(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id, secret := key(t, s, "author", renderers)
	b := newBrowser(t, s, "127.0.0.1")
	b.signIn(id, secret)
	b.get("/console/workbench").want(t, "the workbench", http.StatusOK, "Template workbench", `name="template"`, "&lt;crowd-form&gt;", `<option value="bounding-box">`)
	b.get("/console/workbench?starter=polygon").want(t, "a starter", http.StatusOK, `<option value="polygon" selected>`, "&lt;crowd-polygon", "photographer.jpg")
	// That page's script may run, and nothing else; other pages have none.
	if p := b.get("/console/workbench").header.Get("Content-Security-Policy"); !strings.HasSuffix(p, "; script-src "+s.Portal+"/console/workbench.js") || !strings.HasPrefix(p, "default-src 'none';") {
		t.Errorf("the workbench's policy is %s", p)
	}
	b.get("/console/workbench.js").want(t, "the script", http.StatusOK, "workbench-source")
	if p := b.get("/console").header.Get("Content-Security-Policy"); strings.Contains(p, "script-src") || !strings.HasPrefix(p, "default-src 'none';") {
		t.Errorf("another page's policy is %s", p)
	}
	b.get("/console/workbench?starter=nope").want(t, "no starter", http.StatusNotFound, "There is no such starter template.")

	form := func(template, input string) url.Values {
		return url.Values{"csrf": {b.csrf}, "template": {template}, "input": {input}, "role": {"arn:aws:iam::000000000000:role/GroundTruth"}}
	}
	got := b.send("POST", "/console/workbench/preview", form("<crowd-form>{{ task.input.text }}</crowd-form>", `{"text":"<b>"}`), nil)
	got.want(t, "the preview", http.StatusOK, "<crowd-form>&lt;b&gt;</crowd-form>", "crowd-html-elements.js")
	policy := got.header.Get("Content-Security-Policy")
	for _, want := range []string{"sandbox allow-scripts allow-forms;", "default-src 'none'", "form-action 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the preview's policy has no %q: %s", want, policy)
		}
	}
	b.send("POST", "/console/workbench/preview", form("a\r\n  {{ b | nope }}\r\n{% if %}", `{}`), nil).
		want(t, "what is wrong", http.StatusUnprocessableEntity, `<li id="line-2" class="wrong"><code>  {{ b | nope }}</code><p>column 3: there is no filter &#34;nope&#34;</p>`, "line 3, column 1", "InvalidTemplate")
	b.send("POST", "/console/workbench/preview", form("<p>", `{,`), nil).want(t, "a wrong input", http.StatusUnprocessableEntity, "not valid JSON")
	b.send("POST", "/console/workbench/preview", url.Values{"template": {"<p>"}}, nil).want(t, "a forged form", http.StatusForbidden, "too old")

	// It is the policies of whoever asks that decide.
	id, secret = key(t, s, "looker", lookers)
	c := newBrowser(t, s, "127.0.0.1")
	c.signIn(id, secret)
	f := form("<p>", "{}")
	f.Set("csrf", c.csrf)
	c.send("POST", "/console/workbench/preview", f, nil).want(t, "without the action", http.StatusUnprocessableEntity, "sagemaker:RenderUiTemplate")
}
