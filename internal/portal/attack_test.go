package portal_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/labeling"
	"fiducial/internal/workforce"
)

// These tests are arguments: each pins one way in that must stay shut.

// Another worker's assignment id opens nothing, and answers like one that does
// not exist.
func TestAnothersAssignment(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	eve := w.worker("eve@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	ada := w.browser().signIn("ada@example.com")
	id := ada.take("words")
	mallory := w.browser().signIn("eve@example.com")
	mallory.take("words")
	for _, try := range []string{id, "AAAAAAAAAAAAAAAAAAAAAAAA"} {
		var bodies []string
		for _, path := range []string{"", "/frame"} {
			r := mallory.get("/tasks/" + try + path)
			r.want(t, 404)
			bodies = append(bodies, strings.ReplaceAll(r.body, try, "ID"))
		}
		for _, path := range []string{"/draft", "/submit", "/probe", "/place", "/release", "/decline", "/stop"} {
			mallory.json("/tasks/"+try+path, `{"answer":{"x":1}}`).want(t, 404, `"error"`)
		}
		if strings.Contains(bodies[0]+bodies[1], "ada") {
			t.Error("whose it is can be read")
		}
	}
	if e, ok := w.record.find("portal:SubmitTask", audit.Deny); !ok || e.Worker != eve.ID {
		t.Errorf("the attempt is not on record: %+v", e)
	}
	ada.get("/tasks/"+id).want(t, 200, `type="application/json"> null <`)
}

// Every route but the table's open ones refuses who is not signed in.
func TestNoSession(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	id := w.browser().signIn("ada@example.com").take("words")
	for _, cookie := range []string{"", "x", strings.Repeat("A", 43)} {
		b := w.browser()
		b.cookie, b.csrf = cookie, "x"
		b.get("/").wantTo(t, "/signin")
		b.get("/tasks/"+id).wantTo(t, "/signin?next="+url.QueryEscape("/tasks/"+id))
		b.get("/tasks/"+id+"/frame").wantTo(t, "/signin")
		b.get("/new-password").wantTo(t, "/signin")
		b.form("/jobs/words/start").wantTo(t, "/signin")
		b.form("/signout").wantTo(t, "/signin")
		b.form("/new-password", "password", "Another-Horse-8", "again", "Another-Horse-8").wantTo(t, "/signin")
		for _, path := range []string{"/jobs/words/next", "/tasks/" + id + "/draft", "/tasks/" + id + "/submit", "/tasks/" + id + "/probe", "/tasks/" + id + "/place", "/tasks/" + id + "/release", "/tasks/" + id + "/decline", "/tasks/" + id + "/stop"} {
			b.json(path, `{"answer":{}}`).want(t, 401, `"code":"NoSession"`)
		}
	}
}

// A page elsewhere makes the worker's browser send requests.
func TestCSRF(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.worker("bob@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	ada := w.browser().signIn("ada@example.com")
	bob := w.browser().signIn("bob@example.com")
	id := ada.take("words")
	posts := []string{"/signout", "/jobs/words/start", "/jobs/words/next", "/tasks/" + id + "/draft", "/tasks/" + id + "/submit", "/tasks/" + id + "/probe", "/tasks/" + id + "/place", "/tasks/" + id + "/release", "/tasks/" + id + "/decline", "/tasks/" + id + "/stop"}
	good := ada.csrf
	for _, path := range posts {
		for name, csrf := range map[string]string{"none": "", "another session's": bob.csrf, "the cookie": ada.cookie} {
			ada.csrf = csrf // an error page brings the right one back
			if r := ada.json(path, `{"answer":{}}`); r.StatusCode != 403 {
				t.Errorf("%s with %s: %s", path, name, r.Status)
			}
			ada.csrf = csrf
			if r := ada.form(path); r.StatusCode != 403 {
				t.Errorf("%s as a form with %s: %s", path, name, r.Status)
			}
		}
		ada.csrf = good
		for name, h := range map[string]http.Header{
			"Sec-Fetch-Site: cross-site":   {"Sec-Fetch-Site": {"cross-site"}},
			"Sec-Fetch-Site: same-site":    {"Sec-Fetch-Site": {"same-site"}},
			"Origin of another":            {"Origin": {"http://evil.example"}},
			"the sandboxed frame's origin": {"Origin": {"null"}},
		} {
			ada.header = h
			if r := ada.json(path, `{"answer":{}}`); r.StatusCode != 403 {
				t.Errorf("%s with %s: %s", path, name, r.Status)
			}
			ada.header = nil
		}
	}
	// Signing somebody in as somebody else is an attack as well.
	stranger := w.browser()
	stranger.header = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	stranger.form("/signin", "email", "bob@example.com", "password", password).want(t, 403)
	ada.get("/tasks/"+id).want(t, 200)
}

// JSON routes take JSON only: a form of another site can send text/plain.
func TestContentType(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	for _, ct := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		r := b.do("POST", "/tasks/"+id+"/submit", ct, strings.NewReader(`{"answer":{}}`), http.Header{"X-Csrf-Token": {b.csrf}})
		r.want(t, 400)
	}
	for _, body := range []string{"", "null", "[]", `{"answer":`, `{"answer":[]}`, `{"answer":"x"}`, `{"answer":null}`, `{}`, `{"answer":` + strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1001)} {
		b.json("/tasks/"+id+"/submit", body).want(t, 400, `"error"`)
	}
	b.get("/tasks/"+id).want(t, 200)
}

func TestOversize(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	big := func(n int) string { return `{"answer":{"x":"` + strings.Repeat("x", n) + `"}}` }
	b.json("/tasks/"+id+"/draft", big(labeling.MaxAnswer-100)).want(t, 204)
	b.json("/tasks/"+id+"/draft", big(labeling.MaxAnswer)).want(t, 413)
	b.json("/tasks/"+id+"/submit", big(4*labeling.MaxAnswer)).want(t, 413, `"RequestTooLarge"`)
	b.form("/signin", "email", strings.Repeat("x", 1<<20), "password", "y").want(t, 413)
	w.browser().form("/signin", "email", "a@example.com", "password", strings.Repeat("y", 10_000)).want(t, 401)
}

// SourceIpConfig.Cidrs holds for every route, and no header talks its way in.
func TestCIDR(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	inside, outside := w.browserFrom("127.0.0.1").signIn("ada@example.com"), w.browserFrom("127.0.0.2").signIn("ada@example.com")
	id := inside.take("words")
	cidrs := []string{"127.0.0.1/32", "2001:db8::/64"}
	_, err := w.workforce.UpdateWorkforce(context.Background(), "wf", workforce.WorkforceUpdate{CIDRs: &cidrs})
	w.must(err)
	forged := []http.Header{nil}
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "X-Amz-Source-Ip", "Sourceip", "Client-Ip", "X-Cluster-Client-Ip"} {
		value := "127.0.0.1"
		if name == "Forwarded" {
			value = "for=127.0.0.1"
		}
		forged = append(forged, http.Header{name: {value}}, http.Header{strings.ToLower(name): {value}})
	}
	for _, h := range forged {
		outside.header = h
		for _, path := range []string{"/", "/signin", "/tasks/" + id, "/tasks/" + id + "/frame", "/assets/portal.css", "/assets/crowd-html-elements.js", "/nothing"} {
			r := outside.get(path)
			r.want(t, 404, "127.0.0.2")
			if strings.Contains(r.body, "csrf") {
				t.Errorf("%s says more than that", path)
			}
		}
		outside.form("/signin", "email", "ada@example.com", "password", password).want(t, 404)
		outside.json("/tasks/"+id+"/submit", `{"answer":{}}`).want(t, 404)
	}
	inside.get("/tasks/"+id).want(t, 200)
}

// The origin that grants are bound to is the connection's, or what a trusted hop
// reports, and each rendering's own.
func TestGrantOrigin(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browserFrom("127.0.0.1").signIn("ada@example.com")
	id := b.take("words")
	elsewhere := w.browserFrom("127.0.0.3")
	elsewhere.cookie = b.cookie
	elsewhere.header = http.Header{"X-Forwarded-For": {"127.0.0.1"}}
	elsewhere.get("/tasks/"+id+"/frame").want(t, 200)
	if got := w.grants.last().Origin.Addr.String(); got != "127.0.0.3" {
		t.Errorf("bound to %s, want 127.0.0.3", got)
	}
	w.serve([]string{"127.0.0.3"})
	elsewhere.header = http.Header{"X-Forwarded-For": {"203.0.113.9"}}
	elsewhere.get("/tasks/"+id+"/frame").want(t, 200)
	if got := w.grants.last().Origin.Addr.String(); got != "203.0.113.9" {
		t.Errorf("bound to %s, want what the trusted hop says", got)
	}
}

func TestDisabledWorkerIsOut(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	w.must(w.workforce.SetEnabled(context.Background(), w.pool, "ada@example.com", false))
	b.json("/tasks/"+id+"/submit", `{"answer":{}}`).want(t, 401)
	b.get("/tasks/"+id).wantTo(t, "/signin?next="+url.QueryEscape("/tasks/"+id))
	w.must(w.workforce.SetEnabled(context.Background(), w.pool, "ada@example.com", true))
	b.get("/").wantTo(t, "/signin") // the old session does not come back
}

// A cookie of the same name from elsewhere on the site cannot shadow the real one.
func TestTwoCookies(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	b := w.browser().signIn("ada@example.com")
	good := b.cookie
	for _, both := range []string{good + "; __Host-fiducial=x", "x; __Host-fiducial=" + good} {
		b.cookie = both
		b.get("/").wantTo(t, "/signin")
	}
}

func TestCookie(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	b := w.browser()
	b.cookie = strings.Repeat("A", 43)
	r := b.form("/signin", "email", "ada@example.com", "password", password)
	set := r.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-fiducial=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(set, want) {
			t.Errorf("no %s in %q", want, set)
		}
	}
	if strings.Contains(set, "Domain") || strings.Contains(set, strings.Repeat("A", 43)) {
		t.Errorf("cookie %q", set)
	}
}

// Where sign-in leads to is a path of ours, whatever a link says.
func TestOpenRedirect(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "/tasks/../signout", "/tasks/a?x=//evil", "/tasks/a\r\nX: y", "javascript:alert(1)", "/tasks/" + strings.Repeat("a", 100)} {
		b := w.browser()
		r := b.get("/signin?next=" + url.QueryEscape(next))
		r.want(t, 200, `name="next" value="/"`)
		b.form("/signin", "email", "ada@example.com", "password", password, "next", next).wantTo(t, "/")
		b.get("/signin?next="+url.QueryEscape(next)).wantTo(t, "/")
	}
	b := w.browser()
	b.form("/signin", "email", "ada@example.com", "password", password, "next", "/tasks/AAAAAAAAAA").wantTo(t, "/tasks/AAAAAAAAAA")
}

// Nothing of a request's path comes back unescaped or opens what it should not.
func TestPathTricks(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	for _, path := range []string{
		"/tasks/", "/tasks/" + id + "/", "/tasks/" + id + "/frame/", "/tasks/" + id + "%2fframe", "/tasks/%2e%2e", "/tasks/..%2f..%2fetc", "/tasks/" + id + "%00",
		"/tasks/<script>", "/jobs/words/start", "/console", "/healthz", "/tasks/" + id + "/submit",
	} {
		r := b.get(path)
		if r.StatusCode != 404 && r.StatusCode != 405 {
			t.Errorf("%s: %s", path, r.Status)
		}
		if strings.Contains(r.body, "<script>") {
			t.Errorf("%s is echoed", path)
		}
	}
	for _, job := range []string{"wo%2frds", "..%2f", "%3cb%3e", strings.Repeat("a", 300)} {
		b.form("/jobs/"+job+"/start").want(t, 404)
	}
}

// What every reply says to the browser.
func TestHeaders(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	for _, path := range []string{"/", "/signin", "/nothing", "/tasks/" + id, "/tasks/" + id + "/frame", "/tasks/AAAAAAAAAAAAAAA/frame", "/assets/portal.js"} {
		h := b.get(path).Header
		for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		private := !strings.HasPrefix(path, "/assets/")
		if private && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %q", path, h.Get("Cache-Control"))
		}
		csp := h.Get("Content-Security-Policy")
		if strings.HasSuffix(path, "/frame") {
			for _, want := range []string{"sandbox allow-scripts allow-forms;", "connect-src http://127.0.0.1:9000;", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'", "img-src http://127.0.0.1:9000 data: blob:", "worker-src blob:;"} {
				if !strings.Contains(csp, want) {
					t.Errorf("%s: no %q in %q", path, want, csp)
				}
			}
			for _, never := range []string{"allow-same-origin", "allow-top-navigation", "allow-popups", "*"} {
				if strings.Contains(csp, never) {
					t.Errorf("%s: %q in %q", path, never, csp)
				}
			}
			continue
		}
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "frame-src 'self'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: no %q in %q", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %q", path, csp)
		}
	}
}

// A browser that says it opens the frame at the top is sent to the task page,
// where the frame cannot navigate itself away; one that does not say so gets a
// document that sandboxes itself.
func TestFrameAtTheTop(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	b.header = http.Header{"Sec-Fetch-Dest": {"document"}}
	b.get("/tasks/"+id+"/frame").wantTo(t, "/tasks/"+id)
	b.header = nil
	r := b.get("/tasks/" + id + "/frame")
	r.want(t, 200)
	if !strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "sandbox allow-scripts allow-forms;") {
		t.Error("not sandboxed")
	}
}

// A body that never comes must not hold a connection for ever, and a request
// that is cut off must not be acted on.
func TestCutOffBody(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	c, err := net.Dial("tcp", w.server.Listener.Addr().String())
	w.must(err)
	fmt.Fprintf(c, "POST /tasks/%s/submit HTTP/1.1\r\nHost: x\r\nCookie: __Host-fiducial=%s\r\nX-CSRF-Token: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"answer\":{}}", id, b.cookie, b.csrf)
	w.must(c.(*net.TCPConn).CloseWrite())
	w.must(c.SetReadDeadline(time.Now().Add(10 * time.Second)))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil && res.StatusCode < 400 {
		t.Errorf("half an answer was taken: %s", res.Status)
	}
	_ = c.Close()
	b.get("/tasks/"+id).want(t, 200)
}
