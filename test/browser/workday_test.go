package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fiducial/test/boot"
)

var (
	ada = boot.Account{Email: "ada@example.com", Password: "Correct-Horse-9"}
	bob = boot.Account{Email: "bob@example.com", Password: "Battery-Staple-7"}
)

// Two people label every object of a bounding-box and of a classification job,
// and the output manifests say what they drew and chose.
func TestTwoWorkersLabelTwoJobs(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ada, bob}, SourceIP: true, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"Bird", "Cat"}, Objects: 3, Workers: 2},
		{Name: "classes", Function: "ImageMultiClass", Labels: []string{"Day", "Night"}, Objects: 3, Workers: 2},
	}})
	for _, who := range []boot.Account{ada, bob} {
		b := open(t, s.Portal)
		b.signIn(who)
		b.shot("jobs-" + who.Email)
		for _, job := range []struct {
			name string
			work func()
		}{
			{"boxes", func() {
				f := b.frame()
				b.box(f, 0.40, 0.40, 0.60, 0.60)
				b.shot("box-" + who.Email)
				b.click(f, "footer .button")
			}},
			{"classes", func() {
				f := b.frame()
				b.await(f, deep+`("img")?.complete`)
				b.click(f, "input[type=radio]")
				b.shot("class-" + who.Email)
				b.click(f, "footer .button")
			}},
		} {
			b.start(job.name)
			eval[bool](b, b.ctx, `window.samePage = true`)
			for i := range 3 {
				id := b.assignment()
				job.work()
				if i < 2 {
					b.await(b.ctx, fmt.Sprintf(`document.querySelector("#task").dataset.assignment !== %q && location.pathname === "/tasks/" + document.querySelector("#task").dataset.assignment && !document.querySelector("iframe.coming")`, id))
				} else {
					b.await(b.ctx, `document.querySelector(".finish")`)
					b.shot("finish-" + job.name + "-" + who.Email)
				}
			}
			if !eval[bool](b, b.ctx, `window.samePage === true`) {
				t.Error("the page was loaded anew between two tasks")
			}
		}
		b.quiet()
	}
	for _, job := range []string{"boxes", "classes"} {
		st := s.AwaitJob(job, time.Minute, "Completed", "Failed")
		if st.LabelingJobStatus != "Completed" || st.LabelCounters.HumanLabeled != 3 {
			t.Fatalf("job %s: %+v", job, st)
		}
		lines := s.Manifest(st.LabelingJobOutput.OutputDatasetS3Uri)
		if len(lines) != 3 {
			t.Fatalf("job %s: %d lines", job, len(lines))
		}
		for i, l := range lines {
			checkLine(t, job, i, l)
		}
	}
}

func checkLine(t *testing.T, job string, i int, l map[string]any) {
	t.Helper()
	if l["source-ref"] != fmt.Sprintf("s3://input/%s/%d.jpg", job, i) {
		t.Errorf("line %d of %s: source %v", i, job, l["source-ref"])
	}
	meta, _ := l["label-metadata"].(map[string]any)
	if job == "classes" {
		if l["label"] != 0.0 || meta["class-name"] != "Day" || meta["type"] != "groundtruth/image-classification" {
			t.Errorf("line %d of %s: %v", i, job, l)
		}
		return
	}
	label, _ := l["label"].(map[string]any)
	boxes, _ := label["annotations"].([]any)
	sizes, _ := label["image_size"].([]any)
	if len(boxes) != 1 || len(sizes) != 1 || meta["type"] != "groundtruth/object-detection" {
		t.Fatalf("line %d of %s: %v", i, job, l)
	}
	size, _ := sizes[0].(map[string]any)
	box, _ := boxes[0].(map[string]any)
	width, _ := box["width"].(float64)
	height, _ := box["height"].(float64)
	if size["width"] != 320.0 || size["height"] != 240.0 || box["class_id"] != 0.0 || width < 20 || width > 160 || height < 20 || height > 160 {
		t.Errorf("line %d of %s: box %v in %v", i, job, box, size)
	}
}

// What was drawn is with the server within two seconds, and is there again after
// the page is loaded anew, in another browser, and after the server was killed.
func TestDraftSurvives(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ada}, SourceIP: true, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"Bird", "Cat"}, Objects: 2, Workers: 1},
	}})
	b := open(t, s.Portal)
	b.signIn(ada)
	b.start("boxes")
	f := b.frame()
	b.box(f, 0.30, 0.30, 0.45, 0.50)
	drawn := time.Now()
	b.kept(`"label":"Bird"`)
	if took := time.Since(drawn); took > 2*time.Second {
		t.Errorf("the draft was saved after %v, want at most 2 s", took)
	}
	before := fmt.Sprint(b.answer(f, "crowd-bounding-box"))
	restored := func(b *browser, when string) {
		t.Helper()
		f := b.frame()
		// The picture, whose size the answer has, may come after the draft.
		b.await(f, `(v => v?.boundingBoxes?.length === 1 && v.inputImageProperties.width > 0)(document.querySelector("crowd-bounding-box")?.value)`)
		if after := fmt.Sprint(b.answer(f, "crowd-bounding-box")); after != before {
			t.Errorf("%s: %s, want %s", when, after, before)
		}
	}
	b.do(chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(`#task`)))
	restored(b, "after a reload")
	b.shot("restored")

	s.Kill()
	s.Boot()
	b.do(chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS(`#task`)))
	restored(b, "after kill -9 of the server")

	c := open(t, s.Portal)
	c.signIn(ada)
	c.do(chromedp.WaitVisible(chromedp.CSS(`.badge.warning`)))
	c.start("boxes")
	if c.assignment() != b.assignment() {
		t.Error("another task was resumed")
	}
	restored(c, "in another browser")

	c.press(`[data-action=stop]`)
	c.do(chromedp.WaitVisible(chromedp.CSS(`.job-list`)))
	c.shot("stopped")
	c.start("boxes")
	restored(c, "after Stop and resume later")
}

// Release gives the task back, Decline brings another one.
func TestGivingBack(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ada}, Jobs: []boot.Job{
		{Name: "texts", Function: "TextMultiClass", Labels: []string{"News", "Fiction"}, Objects: 3, Workers: 1, Text: true},
	}})
	b := open(t, s.Portal)
	b.signIn(ada)
	b.start("texts")
	b.frame()
	b.shot("text")
	first := b.assignment()
	b.press(`[data-action=decline]`)
	b.do(chromedp.WaitVisible(chromedp.CSS(`dialog.ask`)))
	b.shot("decline")
	b.press(`dialog.ask button[value=yes]`)
	b.await(b.ctx, fmt.Sprintf(`document.querySelector("#task").dataset.assignment !== %q`, first))
	b.frame()
	b.press(`[data-action=release]`)
	b.await(b.ctx, `location.pathname === "/" && document.querySelector(".finish, .job-list")`)
	b.shot("released")
	b.quiet()
}

// Pages that nobody hopes to see are pages all the same.
func TestSadPages(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ada}, Jobs: []boot.Job{
		{Name: "broken", Function: "PassThrough", Labels: []string{}, Objects: 1, Workers: 1, Text: true, Template: `<p>{{ " " | grant_read_access }}</p>`},
	}})
	b := open(t, s.Portal)
	b.do(chromedp.Navigate(b.portal+"/signin"), chromedp.WaitVisible(chromedp.CSS(`input[name=email]`)),
		chromedp.KeyEvent("nobody@example.com\twrong\r"), chromedp.WaitVisible(chromedp.CSS(`.alert.error`)))
	b.shot("wrong-password")
	b.signIn(ada)
	b.do(chromedp.Navigate(b.portal+"/nothing"), chromedp.WaitVisible(chromedp.CSS(`.error-page`)))
	b.shot("not-found")
	b.start("broken")
	f := b.frame()
	b.await(f, `document.body.innerText.includes("InvalidParameters")`)
	b.shot("broken-template")
	b.press(`[data-action=release]`)
	b.await(b.ctx, `location.pathname === "/"`)
}
