// Package browser_test works at the portal with a real browser: Debian's
// chromium, driven over the DevTools protocol.
//
// With FIDUCIAL_SCREENSHOTS=<folder> every page that is passed is photographed
// there, to be looked at.
package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

// browser is one person's browser with one tab.
type browser struct {
	t      *testing.T
	ctx    context.Context
	portal string

	mu      sync.Mutex
	console []string // errors that pages reported
}

// open starts a browser with a fresh profile.
func open(t *testing.T, portal string, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is not installed (Debian's package chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	opts = append(opts, flags...)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, portal: portal}
	// Not with a context of its own time: the browser would end with it.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	go b.listen()
	return b
}

func (b *browser) listen() {
	for m, err := range chromedp.Console(b.ctx) {
		if err != nil {
			return
		}
		if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException {
			b.mu.Lock()
			b.console = append(b.console, string(m.Type)+": "+m.Text+" "+m.URL)
			b.mu.Unlock()
		}
	}
}

// quiet fails the test if pages reported errors other than the expected ones.
func (b *browser) quiet(but ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.console {
		expected := false
		for _, e := range but {
			expected = expected || strings.Contains(m, e)
		}
		if !expected {
			b.t.Errorf("the console says: %s", m)
		}
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 40*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.shot("failed")
		b.t.Fatalf("browser: %v", err)
	}
}

// press clicks on an element of the page. A picture is taken first,
// which waits for a frame that shows the page as it is now: until the browser
// has shown one, it gives a click on a new dialog to the frame below it.
func (b *browser) press(selector string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	if _, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot()); err != nil {
		b.t.Fatalf("browser: no frame before the click on %s: %v", selector, err)
	}
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// eval runs a script in the page.
func eval[T any](b *browser, ctx context.Context, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("script %s: %v", script, err)
	}
	return v
}

// await waits until a script in the page says true.
func (b *browser) await(ctx context.Context, script string) {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		v, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!(`+script+`)`))
		if err == nil && v {
			return
		}
		if time.Now().After(deadline) {
			b.shot("failed")
			b.t.Fatalf("never true: %s (%v)", script, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// kept waits until the draft that the server would give back shows the text. What
// the page says of its saving is not enough: it may speak of an earlier save, such
// as the one when the picture has come and its size with it.
func (b *browser) kept(text string) {
	b.t.Helper()
	quoted, _ := json.Marshal(text)
	b.await(b.ctx, `(() => { const r = new XMLHttpRequest(); r.open("GET", location.href, false); r.send();
		return new DOMParser().parseFromString(r.responseText, "text/html").querySelector("#draft").textContent.includes(`+string(quoted)+`); })()`)
}

// shot photographs the page, if anybody wants to see it.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("FIDUCIAL_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("no picture of %s: %v", name, err)
		return
	}
	name = filepath.Join(dir, strings.ReplaceAll(b.t.Name(), "/", "-")+"-"+name+".png")
	if err := os.WriteFile(name, png, 0o644); err != nil {
		b.t.Error(err)
	}
}

// signIn signs in by keyboard alone.
func (b *browser) signIn(a boot.Account) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.portal+"/"), chromedp.WaitVisible(chromedp.CSS(`input[name=email]`)))
	b.shot("sign-in")
	b.do(chromedp.KeyEvent(a.Email+"\t"+a.Password+"\r"), chromedp.WaitVisible(chromedp.CSS(`.topbar`)))
}

// start takes a task of a job from the list.
func (b *browser) start(job string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.portal+"/"), chromedp.WaitVisible(chromedp.CSS(`.job-list`)))
	b.press(`li[data-job="` + job + `"] button`)
	b.do(chromedp.WaitVisible(chromedp.CSS(`#task`)))
}

// assignment is the task that the page shows.
func (b *browser) assignment() string {
	b.t.Helper()
	return eval[string](b, b.ctx, `document.querySelector("#task").dataset.assignment`)
}

// frame is a context inside the sandboxed frame of the task at hand.
func (b *browser) frame() context.Context {
	b.t.Helper()
	return b.frameAt("/tasks/" + b.assignment() + "/frame")
}

// frameAt is a context inside a sandboxed frame, by the end of its URL. Its origin
// is opaque, so the browser runs it in a process of its own.
func (b *browser) frameAt(want string) context.Context {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		infos, err := chromedp.CallBrowser(b.ctx, target.GetTargets, target.GetTargetsParams{})
		if err != nil {
			b.t.Fatal(err)
		}
		for _, i := range infos.TargetInfos {
			if i.Type == "iframe" && strings.HasSuffix(i.URL, want) {
				ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(i.TargetID), chromedp.WithDetachOnCancel())
				b.t.Cleanup(cancel)
				if err := chromedp.Do(ctx); err == nil {
					return ctx
				}
				cancel()
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.shot("failed")
	b.t.Fatalf("no frame %s", want)
	return nil
}

// deep finds an element of the frame, in shadow roots too.
const deep = `((sel) => { const find = (root) => { const f = root.querySelector(sel); if (f) return f;
	for (const e of root.querySelectorAll("*")) if (e.shadowRoot) { const r = find(e.shadowRoot); if (r) return r; } return null; }; return find(document); })`

// rect is where an element of the frame is on the page.
func (b *browser) rect(frame context.Context, selector string) (x, y, w, h float64) {
	b.t.Helper()
	quoted, _ := json.Marshal(selector)
	b.await(frame, deep+`(`+string(quoted)+`)`)
	r := eval[[]float64](b, frame, `(() => { const r = `+deep+`(`+string(quoted)+`).getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()`)
	o := eval[[]float64](b, b.ctx, `(() => { const r = document.querySelector("#stage iframe:not(.coming)").getBoundingClientRect(); return [r.x, r.y]; })()`)
	return r[0] + o[0], r[1] + o[1], r[2], r[3]
}

// click clicks in the middle of an element of the frame.
func (b *browser) click(frame context.Context, selector string) {
	b.t.Helper()
	x, y, w, h := b.rect(frame, selector)
	b.do(chromedp.MouseClickXY(x+w/2, y+h/2))
}

// drag draws from one point of the picture's place to another; points are
// fractions of it.
func (b *browser) drag(frame context.Context, x0, y0, x1, y1 float64) {
	b.t.Helper()
	x, y, w, h := b.rect(frame, ".stage")
	var steps []chromedp.Action[chromedp.Void]
	at := func(typ input.DispatchMouseEventType, f float64) {
		steps = append(steps, chromedp.MouseEvent(typ, x+(x0+(x1-x0)*f)*w, y+(y0+(y1-y0)*f)*h, chromedp.ButtonLeft))
	}
	steps = append(steps, chromedp.MouseEvent(chromedp.MouseMoved, x+x0*w, y+y0*h))
	at(chromedp.MousePressed, 0)
	for _, f := range []float64{0.2, 0.5, 0.8, 1} {
		at(chromedp.MouseMoved, f)
	}
	at(chromedp.MouseReleased, 1)
	b.do(steps...)
}

// box draws a box with the bounding-box tool. A tool whose picture has not come
// yet takes no notice, as a person would see: so it tries again.
func (b *browser) box(frame context.Context, x0, y0, x1, y1 float64) {
	b.t.Helper()
	for range 20 {
		b.drag(frame, x0, y0, x1, y1)
		if eval[bool](b, frame, `document.querySelector("crowd-bounding-box").value?.boundingBoxes?.length === 1`) {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	b.shot("failed")
	b.t.Fatal("no box was drawn")
}

// answer is what the frame would submit now.
func (b *browser) answer(frame context.Context, element string) map[string]any {
	b.t.Helper()
	text := eval[string](b, frame, fmt.Sprintf(`JSON.stringify(document.querySelector(%q).value ?? null)`, element))
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.t.Fatalf("%s has the value %s", element, text)
	}
	return v
}
