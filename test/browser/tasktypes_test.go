package browser_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"fiducial/test/boot"
)

const nerConfig = `{"document-version":"2018-11-28","labels":[{"label":"person","shortDisplayName":"per","fullDisplayName":"Person"},{"label":"place","shortDisplayName":"plc"}],
	"instructions":{"shortInstruction":"<p>Mark people and places.</p>","fullInstruction":"<p>All of them.</p>"}}`

// Two people work each built-in template of the task types for images, texts and
// videos, and the manifests say what they painted, marked, mended and judged.
// Segments that one job has made are mended and judged by the next.
func TestBuiltInTemplates(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ada, bob}, SourceIP: true})
	rules := `{"CORSRules":[{"AllowedMethods":["GET"],"AllowedOrigins":["*"],"AllowedHeaders":[]}]}`
	for _, bucket := range []string{"input", "output"} {
		boot.Must(t)(s.AWS("s3api", "put-bucket-cors", "--bucket", bucket, "--cors-configuration", rules))
	}
	people := []*browser{open(t, s.Portal), open(t, s.Portal)}
	people[0].signIn(ada)
	people[1].signIn(bob)
	boot.Must(t)(s.AWS("s3", "cp", people[0].film(), "s3://input/clip.webm", "--content-type", "video/webm"))
	boot.Must(t)(s.AWS("s3", "cp", boot.Picture(t, 320, 240), "s3://input/street.jpg", "--content-type", "image/jpeg"))

	const boxed = `{"source-ref":"s3://input/street.jpg","old":{"image_size":[{"width":320,"height":240,"depth":3}],"annotations":[{"class_id":0,"left":80,"top":60,"width":60,"height":60}]},` +
		`"old-metadata":{"objects":[{"confidence":0}],"class-map":{"0":"Sign"},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2026-01-01T00:00:00.000000","job-name":"labeling-job/old"}}`
	job := func(function, attribute, line string, labels ...string) boot.Job {
		return boot.Job{Name: function, Function: function, Attribute: attribute, Lines: []string{line}, Labels: labels, Workers: 2}
	}
	ner := job("NamedEntityRecognition", "names", `{"source":"Ada met Bob in Rome. They spoke of engines."}`)
	ner.LabelConfig, ner.HumanTaskUI = nerConfig, "arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/NamedEntityRecognition"
	s.Make(boot.Setup{Jobs: []boot.Job{
		job("SemanticSegmentation", "segments-ref", `{"source-ref":"s3://input/street.jpg"}`, "Sign", "Ground"),
		job("AdjustmentBoundingBox", "mended", boxed, "Sign"),
		job("VerificationBoundingBox", "verdict", boxed, "Right", "Wrong"),
		job("VideoMultiClass", "scene", `{"source-ref":"s3://input/clip.webm"}`, "Moving", "Still"),
		ner,
	}})
	for i, b := range people {
		b.paint("SemanticSegmentation")
		b.mend("AdjustmentBoundingBox", i == 0)
		b.judge("VerificationBoundingBox", "The box is too narrow.")
		b.watch("VideoMultiClass")
		b.mark("NamedEntityRecognition")
	}
	segments := line(t, s, "SemanticSegmentation")
	s.Make(boot.Setup{Jobs: []boot.Job{
		job("AdjustmentSemanticSegmentation", "mended-ref", segments, "Sign", "Ground"),
		job("VerificationSemanticSegmentation", "verdict", segments, "Right", "Wrong"),
	}})
	for _, b := range people {
		b.agree("AdjustmentSemanticSegmentation")
		b.judge("VerificationSemanticSegmentation", "")
		b.quiet()
	}

	for _, c := range []struct {
		job  string
		want []string // in the manifest's line
	}{
		{"SemanticSegmentation", []string{`"segments-ref":"s3://output/SemanticSegmentation/annotations/consolidated-annotation/output/0_`, `"1":{"class-name":"Sign","hex-color":"#1f77b4","confidence":`, `"type":"groundtruth/semantic-segmentation"`}},
		{"AdjustmentBoundingBox", []string{`"mended":{"image_size":[{"width":320,"height":240,"depth":3}],"annotations":[{"class_id":0,"left":80,"top":60,"width":60,"height":60},{`, `"adjustment-status":"adjusted"`}},
		{"VerificationBoundingBox", []string{`"verdict":0`, `"type":"groundtruth/label-verification"`, `"worker-feedback":[{"comment":"The box is too narrow."},{"comment":"The box is too narrow."}]`}},
		{"VideoMultiClass", []string{`"scene":0`, `"class-name":"Moving"`, `"type":"groundtruth/video-classification"`}},
		{"NamedEntityRecognition", []string{`"entities":[{"label":"person","startOffset":0,"endOffset":3},{"label":"place","startOffset":15,"endOffset":19}]`, `"type":"groundtruth/text-span"`}},
		{"AdjustmentSemanticSegmentation", []string{`"mended-ref":"s3://output/AdjustmentSemanticSegmentation/`, `"adjustment-status":"unadjusted"`}},
		{"VerificationSemanticSegmentation", []string{`"verdict":0`, `"class-name":"Right"`}},
	} {
		got := line(t, s, c.job)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %s in\n%s", c.job, want, got)
			}
		}
	}
	made, kept := picture(t, s, segments, "segments-ref"), picture(t, s, line(t, s, "AdjustmentSemanticSegmentation"), "mended-ref")
	if n := bytes.Count(made.Pix, []byte{1}); n < 300 || made.Bounds() != image.Rect(0, 0, 320, 240) {
		t.Errorf("%d pixels of %v are painted", n, made.Bounds())
	}
	if !bytes.Equal(made.Pix, kept.Pix) {
		t.Error("segments that nobody changed are others than before")
	}
}

// line is the only line of a job's output manifest.
func line(t *testing.T, s *boot.Server, job string) string {
	t.Helper()
	st := s.AwaitJob(job, time.Minute, "Completed", "Failed")
	if st.LabelingJobStatus != "Completed" || st.LabelCounters.HumanLabeled != 1 {
		t.Fatalf("job %s: %+v", job, st)
	}
	return strings.TrimSpace(boot.Must(t)(s.AWS("s3", "cp", st.LabelingJobOutput.OutputDatasetS3Uri, "-")))
}

// picture is the PNG that a line's label names, read with a decoder that is not ours.
func picture(t *testing.T, s *boot.Server, line, attribute string) *image.Paletted {
	t.Helper()
	_, uri, _ := strings.Cut(line, `"`+attribute+`":"`)
	uri, _, _ = strings.Cut(uri, `"`)
	file := filepath.Join(t.TempDir(), "label.png")
	boot.Must(t)(s.AWS("s3", "cp", uri, file))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	img, ok := decoded.(*image.Paletted)
	if !ok {
		t.Fatalf("the label is %T", decoded)
	}
	return img
}

// film records a second of moving picture, as no video is at hand.
func (b *browser) film() string {
	b.t.Helper()
	eval[bool](b, b.ctx, `(() => {
		const canvas = document.createElement("canvas");
		[canvas.width, canvas.height] = [320, 240];
		const pen = canvas.getContext("2d");
		const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
		const parts = [];
		recorder.ondataavailable = (event) => parts.push(event.data);
		recorder.onstop = async () => { window.film = await new Promise((done) => { const r = new FileReader(); r.onload = () => done(r.result); r.readAsDataURL(new Blob(parts)); }); };
		let n = 0;
		const timer = setInterval(() => {
			pen.fillStyle = "#234"; pen.fillRect(0, 0, 320, 240);
			pen.fillStyle = "#fc4"; pen.fillRect(20 + 8 * n, 90, 60, 60);
			if (++n === 20) { clearInterval(timer); recorder.stop(); }
		}, 50);
		recorder.start();
		return true;
	})()`)
	b.await(b.ctx, `typeof window.film === "string"`)
	_, text, _ := strings.Cut(eval[string](b, b.ctx, `window.film`), ",")
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) < 500 {
		b.t.Fatalf("%d bytes of video, %v", len(data), err)
	}
	name := filepath.Join(b.t.TempDir(), "clip.webm")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return name
}

// work takes the job's task, and hands it in after do.
func (b *browser) work(job string, do func(f context.Context)) {
	b.t.Helper()
	b.start(job)
	f := b.frame()
	do(f)
	b.shot(job)
	b.click(f, "footer .button")
	b.await(b.ctx, `document.querySelector(".finish")`)
}

const segmentationReady = `document.querySelector("crowd-semantic-segmentation")?.state === "ready"`

func (b *browser) paint(job string) {
	b.work(job, func(f context.Context) {
		b.await(f, segmentationReady)
		b.drag(f, 0.4, 0.5, 0.6, 0.5)
		b.await(f, `document.querySelector("crowd-semantic-segmentation").map.countOf(1) > 300`)
	})
}

// agree leaves an earlier segmentation as it is.
func (b *browser) agree(job string) {
	b.work(job, func(f context.Context) {
		b.await(f, segmentationReady)
		b.await(f, `document.querySelector("crowd-semantic-segmentation").map.countOf(1) > 300`)
	})
}

// mend leaves the box of an earlier job, and adds one that it has missed.
func (b *browser) mend(job string, add bool) {
	b.work(job, func(f context.Context) {
		const boxes = `document.querySelector("crowd-bounding-box")?.value?.boundingBoxes?.length`
		b.await(f, `document.querySelector("crowd-bounding-box")?.state === "ready" && `+boxes+` === 1`)
		if add {
			b.drag(f, 0.62, 0.6, 0.75, 0.7)
			b.await(f, boxes+` === 2`)
		}
	})
}

// judge says that the labels are right, with a comment or without.
func (b *browser) judge(job, comment string) {
	b.work(job, func(f context.Context) {
		b.await(f, `document.querySelector("crowd-image-classifier")?.state === "ready"`)
		b.await(f, `document.querySelector("crowd-image-classifier").shadowRoot.querySelectorAll(".legend li").length > 0`)
		if comment != "" {
			b.click(f, ".side p button.link")
			b.await(f, deep+`("textarea")?.offsetParent`)
			b.do(chromedp.KeyEvent(comment))
			b.shot(job + "-comment")
			b.click(f, "dialog.comment button.primary")
		}
		b.click(f, "input[type=radio]")
		b.await(f, `document.querySelector("crowd-image-classifier").value?.label === "Right"`)
	})
}

func (b *browser) watch(job string) {
	b.work(job, func(f context.Context) {
		b.await(f, `document.querySelector("video")?.readyState >= 2`)
		b.click(f, "input[type=radio]")
	})
}

// mark labels the first word and the fifth by keyboard alone.
func (b *browser) mark(job string) {
	b.work(job, func(f context.Context) {
		b.await(f, deep+`("fiducial-annotated-text")`)
		b.await(f, `document.querySelector("short-instructions").textContent.includes("Mark people and places.")`)
		b.do(chromedp.Click(chromedp.CSS(`#stage iframe:not(.coming)`)))
		eval[bool](b, f, `(document.querySelector("crowd-entity-annotation").focus(), true)`)
		// Ctrl and an arrow key go by words, and spaces at the ends of what is
		// chosen do not count.
		choose := func(before int, key string) {
			b.do(chromedp.KeyEvent(kb.Home, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
			for range before {
				b.do(chromedp.KeyEvent(kb.ArrowRight, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
			}
			b.do(chromedp.KeyEvent(kb.ArrowRight, chromedp.KeyModifiers(chromedp.ModifierCtrl, chromedp.ModifierShift)), chromedp.KeyEvent(key))
		}
		choose(0, "1")
		choose(4, "2")
		b.await(f, `document.querySelector("crowd-entity-annotation").value.entities.length === 2`)
		if got := fmt.Sprint(b.answer(f, "crowd-entity-annotation")["entities"]); !strings.Contains(got, "startOffset:15") {
			b.t.Errorf("marked %s", got)
		}
	})
}
