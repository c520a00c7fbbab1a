package browser_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"fiducial/test/boot"
	"fiducial/test/pin"
)

var update = flag.Bool("update", false, "write the list of attacks into docs/security.md")

// attackLibrary is what scripts of attacks use.
const attackLibrary = `
// The page loads a frame anew whose media would not open, which the attempts' do not.
const post = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (message, ...more) { if (message?.type !== "media-error") post.call(this, message, ...more); };
const denied = (what) => { try { what(); return "allowed"; } catch { return ""; } };
const rejects = async (what) => { try { await what(); return "allowed"; } catch { return ""; } };
const violates = (directive, act) => new Promise((ok) => {
  const heard = (e) => { if (e.effectiveDirective.startsWith(directive)) { document.removeEventListener("securitypolicyviolation", heard); ok(""); } };
  document.addEventListener("securitypolicyviolation", heard);
  setTimeout(ok, 10000, "the policy has nothing against it");
  act();
});
const loads = (tag, properties) => new Promise((ok) => {
  const e = Object.assign(document.createElement(tag), properties);
  e.onload = e.onloadeddata = () => ok("loaded");
  e.onerror = () => ok("");
  (tag === "link" || tag === "script" ? document.head : document.body).append(e);
});
const image = (url) => new Promise((ok) => { const i = new Image(); i.onload = () => ok("loaded"); i.onerror = () => ok(""); i.src = url; });
const add = (tag, properties) => { const e = Object.assign(document.createElement(tag), properties); document.body.append(e); return e; };
const frame = (properties) => add("iframe", properties);
const link = (properties) => add("a", { textContent: "x", ...properties });
const form = (properties) => { const f = add("form", properties); f.append(Object.assign(document.createElement("input"), { name: "secret", value: "x" })); f.submit(); };
const svg = (inner) => document.body.insertAdjacentHTML("beforeend", "<svg width='20' height='20'>" + inner + "</svg>");
const styled = (css) => violates("img-src", () => add("p", { textContent: "x", style: css }));
const sheet = (css, directive, html = "") => violates(directive, () => { document.body.insertAdjacentHTML("beforeend", html); add("style", { textContent: css }); });
const tells = (srcdoc, sandbox) => new Promise((ok) => {
  addEventListener("message", (e) => { if (e.data?.nested) ok(e.data.nested === "held" ? "" : e.data.nested); });
  const f = document.createElement("iframe");
  if (sandbox) f.sandbox = sandbox;
  f.srcdoc = srcdoc;
  document.body.append(f);
});
const worker = (text) => new Promise((ok, no) => { const w = new Worker(URL.createObjectURL(new Blob([text]))); w.onmessage = (e) => ok(e.data); w.onerror = no; });
`

// attackTemplate makes the attempts that its address names: a number of an attack
// that is alone, or of a group. What came of one it tells the page around, where
// the test listens; a template could tell it anything, so what the listeners
// outside heard counts besides.
func attackTemplate(stranger, udp string) string {
	var b strings.Builder
	b.WriteString(`<crowd-form><p>Label me</p><crowd-input name="x"></crowd-input></crowd-form><script>` + attackLibrary)
	fmt.Fprintf(&b, "const STRANGER = %q, UDP = %q, PORTAL = location.href.split('/tasks/')[0], GRANTED = \"{{ task.input.source-ref | grant_read_access | skip_autoescape }}\";\n", stranger, udp)
	b.WriteString("const OTHER = GRANTED.replace('/0.jpg', '/9.jpg'), BARE = OTHER.split('?')[0];\nconst attacks = {\n")
	b.WriteString(`"control: a medium that was granted": async () => image(GRANTED),` + "\n")
	b.WriteString(`"control: a worker of text": async () => worker("postMessage('works')"),` + "\n")
	names := map[string][]string{"control": {"control: a medium that was granted", "control: a worker of text"}}
	for i, g := range attackGroups() {
		for j, a := range g.attacks {
			fmt.Fprintf(&b, "%q: async () => { %s },\n", a.name, a.script)
			key := fmt.Sprint(i)
			if a.alone {
				key = fmt.Sprintf("%d.%d", i, j)
			}
			names[key] = append(names[key], a.name)
		}
	}
	list, err := json.Marshal(names)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(&b, "};\nconst runs = %s;\n", list)
	b.WriteString(`
const which = new URLSearchParams(location.search).get("attack") ?? "";
addEventListener("load", async () => {
  for (const name of runs[which] ?? []) {
    if (which.includes(".")) parent.postMessage({ attack: name, result: "begun" }, "*");
    const late = new Promise((ok) => setTimeout(ok, 15000, "neither allowed nor refused"));
    const result = await Promise.race([late, attacks[name]()]).catch((e) => String(e?.message ?? e ?? "failed"));
    if (!which.includes(".")) parent.postMessage({ attack: name, result: result ?? "" }, "*");
  }
});
</script>`)
	return b.String()
}

// listener hears whatever comes to it, and who it was for.
type listener struct {
	url, udp string

	mu    sync.Mutex
	heard []string
}

func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{}
	note := func(s string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, s)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r.Method + " " + r.URL.String() + " from " + r.Referer())
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}))
	// A connection without a request tells that somebody is there, too.
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			note("a connection")
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	go func() {
		for b := make([]byte, 2048); ; {
			if _, _, err := udp.ReadFrom(b); err != nil {
				return
			}
			note("a datagram")
		}
	}()
	l.url, l.udp = s.URL, udp.LocalAddr().String()
	return l
}

// take is what was heard since the last time.
func (l *listener) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = nil
	return heard
}

// TestTemplateIsCaged lets a worker task template try everything that stands in
// the table, in the frame that workers get it in.
func TestTemplateIsCaged(t *testing.T) {
	stranger := listen(t)
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ada}, Jobs: []boot.Job{
		{Name: "cage", Function: "PassThrough", Labels: []string{}, Objects: 10, Workers: 1, Template: attackTemplate(stranger.url, stranger.udp)},
	}})
	// Chromium makes calls by loopback as it does by other networks.
	b := open(t, s.Portal, chromedp.Flag("allow-loopback-in-peer-connection", true))
	b.signIn(ada)
	b.start("cage")
	id := b.assignment()
	c := &cage{b: b, stranger: stranger, path: "/tasks/" + id, cookies: b.cookies()}
	b.await(b.ctx, `document.querySelector("#stage iframe:not(.coming)")`)

	c.run("control", "control: a medium that was granted", "control: a worker of text")
	if r := c.results(); r["control: a medium that was granted"] != "loaded" || r["control: a worker of text"] != "works" {
		t.Fatalf("what a template may do does not work, so that it may not proves nothing: %v", r)
	}
	for i, g := range attackGroups() {
		t.Run(g.title, func(t *testing.T) { c.group(t, i, g) })
	}
	if got := b.assignment(); got != id {
		t.Errorf("the frame submitted: the page is at %s", got)
	}

	// Opened by itself the frame is sent back to the page around it.
	b.do(chromedp.Navigate(b.portal+c.path+"/frame"), chromedp.WaitVisible(chromedp.CSS(`#task`)))
	if got := eval[string](b, b.ctx, `location.pathname`); got != c.path {
		t.Errorf("the frame opened at the top: %s", got)
	}
	if got := stranger.take(); len(got) > 0 {
		t.Errorf("the stranger heard afterwards: %v", got)
	}
}

// cage is the page with the task whose frame makes the attempts.
type cage struct {
	b        *browser
	stranger *listener
	path     string
	cookies  []string
}

// run loads the frame anew for the attempts under a key, and waits until it has
// told of all of them.
func (c *cage) run(key string, names ...string) {
	c.b.t.Helper()
	script := `(() => {
		if (!window.told) addEventListener("message", (e) => { if (e.source === document.querySelector("#stage iframe").contentWindow && typeof e.data?.attack === "string") told[e.data.attack] = String(e.data.result); });
		window.told = {};
		document.querySelector("#stage iframe").src = ` + fmt.Sprintf("%q", c.path+"/frame?attack="+url.QueryEscape(key)) + `;
		return true; })()`
	eval[bool](c.b, c.b.ctx, script)
	asked, err := json.Marshal(names)
	if err != nil {
		c.b.t.Fatal(err)
	}
	for i := range 600 {
		if eval[bool](c.b, c.b.ctx, string(asked)+`.every((name) => name in (window.told ?? {}))`) {
			return
		}
		// The attempt before may have gone back in the frame's own history meanwhile.
		if i%60 == 59 && strings.Contains(key, ".") && eval[bool](c.b, c.b.ctx, `!`+string(asked)+`.some((name) => name in (window.told ?? {}))`) {
			eval[bool](c.b, c.b.ctx, script)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *cage) results() map[string]string {
	c.b.t.Helper()
	var r map[string]string
	if err := json.Unmarshal([]byte(eval[string](c.b, c.b.ctx, `JSON.stringify(window.told ?? {})`)), &r); err != nil {
		c.b.t.Fatal(err)
	}
	return r
}

func (c *cage) group(t *testing.T, i int, g attackGroup) {
	var together []string
	for _, a := range g.attacks {
		if !a.alone {
			together = append(together, a.name)
		}
	}
	if len(together) > 0 {
		c.run(fmt.Sprint(i), together...)
		r := c.results()
		for _, a := range g.attacks {
			if got, made := r[a.name]; !a.alone && !made {
				t.Errorf("%s: the attempt was not made, or the frame did not live to tell", a.name)
			} else if got != "" {
				t.Errorf("%s: %s", a.name, got)
			}
		}
		c.held(t, "all of them")
	}
	for j, a := range g.attacks {
		if !a.alone {
			continue
		}
		c.run(fmt.Sprintf("%d.%d", i, j), a.name)
		if got := c.results()[a.name]; got != "begun" {
			t.Errorf("%s: the attempt was not made", a.name)
		}
		c.held(t, a.name)
	}
}

// held looks at what the attempt could have changed outside of the frame.
func (c *cage) held(t *testing.T, name string) {
	t.Helper()
	time.Sleep(400 * time.Millisecond)
	b := c.b
	if got := eval[string](b, b.ctx, `location.pathname + location.hash`); got != c.path {
		t.Fatalf("%s: the tab is at %s", name, got)
	}
	if got := eval[string](b, b.ctx, `document.querySelector("#task")?.dataset.assignment ?? "none"`); "/tasks/"+got != c.path {
		t.Errorf("%s: the page has the task %s", name, got)
	}
	infos, err := chromedp.CallBrowser(b.ctx, target.GetTargets, target.GetTargetsParams{})
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	for _, i := range infos.TargetInfos {
		switch {
		case i.Type == "page":
			pages++
		case i.Type == "iframe" && strings.HasPrefix(i.URL, b.portal) && !strings.HasPrefix(i.URL, b.portal+c.path+"/frame"):
			t.Errorf("%s: the frame shows %s", name, i.URL)
		case i.Type == "service_worker" || i.Type == "shared_worker":
			t.Errorf("%s: there is a %s of %s", name, i.Type, i.URL)
		}
	}
	if pages != 1 {
		t.Errorf("%s: there are %d tabs", name, pages)
	}
	if got := b.cookies(); !slices.Equal(got, c.cookies) {
		t.Errorf("%s: the cookies are %v, they were %v", name, got, c.cookies)
	}
	if got := c.stranger.take(); len(got) > 0 {
		t.Errorf("%s: the stranger heard %v", name, got)
	}
}

const (
	attacksBegin = "<!-- templates: begin; generated by go test ./test/browser -run TestDocument -update -->\n"
	attacksEnd   = "<!-- templates: end -->"
)

// TestDocument keeps the list in docs/security.md equal to the table, whose names
// tell attempts apart.
func TestDocument(t *testing.T) {
	var b strings.Builder
	seen := map[string]bool{}
	for _, g := range attackGroups() {
		names := make([]string, len(g.attacks))
		for i, a := range g.attacks {
			if seen[a.name] {
				t.Errorf("two attempts are called %q", a.name)
			}
			seen[a.name] = true
			names[i] = "`" + a.name + "`"
		}
		fmt.Fprintf(&b, "\n**%s** (%d)\n%s\n", g.title, len(names), strings.Join(names, " · "))
	}
	if n := len(slices.Collect(maps.Keys(seen))); n < 60 {
		t.Errorf("there are only %d attempts", n)
	}
	text := fmt.Sprintf("%d attempts.\n", len(seen)) + b.String()
	pin.Part(t, filepath.Join("..", "..", "docs", "security.md"), attacksBegin, attacksEnd, text, *update)
}
