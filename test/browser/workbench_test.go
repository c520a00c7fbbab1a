package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fiducial/test/boot"
)

// Whoever writes a template sees, without pressing anything, what a worker will see,
// while they type: the mistake, the page, the answer. What the template does, it does
// to its frame alone.
func TestWorkbenchWhileTyping(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ada}, Jobs: []boot.Job{{Name: "one", Function: "TextMultiClass", Labels: []string{"a", "b"}, Objects: 1, Workers: 1, Text: true}}})
	b := open(t, s.Portal)
	b.do(chromedp.Navigate(b.portal+"/console/workbench"), chromedp.WaitVisible(chromedp.CSS(`input[name=access-key-id]`)),
		chromedp.KeyEvent(boot.AccessKeyID+"\t"+boot.SecretAccessKey+"\r"), chromedp.WaitVisible(chromedp.CSS(`.topbar`)))
	b.do(chromedp.Navigate(b.portal+"/console/workbench?starter=text-classification&role=arn:aws:iam::000000000000:role/GroundTruthExecution"),
		chromedp.WaitVisible(chromedp.CSS(`.workbench-preview`)))
	f := b.frameAt("/console/workbench/preview")
	b.await(f, `document.querySelector("crowd-classifier")?.shadowRoot`)
	b.shot("starter")

	write := func(text string) {
		t.Helper()
		eval[bool](b, b.ctx, `(() => { const a = document.querySelector("textarea[name=template]"); a.focus(); a.select(); return true; })()`)
		b.do(chromedp.KeyEvent(text))
	}
	write(`<p id="own">{{ task.input.nothing | nope }}</p>`)
	b.await(b.frameAt("/console/workbench/preview"), `document.body.textContent.includes('there is no filter "nope"')`)
	b.shot("mistake")
	write(`<crowd-form><input name="name" autofocus value="typed"></crowd-form><script>document.querySelector("input").focus(); try { top.location = "about:blank" } catch {}</script>`)
	f = b.frameAt("/console/workbench/preview")
	b.await(f, `document.querySelector("crowd-form")?.shadowRoot`)
	b.await(b.ctx, `document.activeElement === document.querySelector("textarea[name=template]")`) // the template does not keep the focus
	b.do(chromedp.KeyEvent("<b>more</b>"))
	b.await(b.frameAt("/console/workbench/preview"), `document.querySelector("b")?.textContent === "more"`)
	if u := eval[string](b, b.ctx, `location.pathname`); u != "/console/workbench" {
		t.Errorf("the template led the console to %s", u)
	}
	b.press("#live")
	write(`<i>not shown</i>`)
	time.Sleep(1500 * time.Millisecond)
	b.await(b.frameAt("/console/workbench/preview"), `document.querySelector("b")?.textContent === "more"`)
	b.press(`.workbench-source button`)
	b.await(b.frameAt("/console/workbench/preview"), `document.querySelector("i")?.textContent === "not shown"`)
	b.quiet()

}
