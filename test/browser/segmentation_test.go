package browser_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fiducial/test/boot"
)

const segmentTemplate = `<crowd-form><crowd-semantic-segmentation name="segments" src="{{ task.input.source-ref | grant_read_access }}"
	labels="['Sign']" header="Paint the sign"></crowd-semantic-segmentation></crowd-form>`

// The tools that look at a picture's pixels work with granted media: where the
// bucket lets pages read them, as Ground Truth asks for, and, without such a rule,
// where URLs open in the worker's own browser only. The work is done in a worker.
func TestSegmentation(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	job := func(name string) boot.Job {
		return boot.Job{Name: name, Function: "PassThrough", Labels: []string{}, Objects: 1, Workers: 1, Template: segmentTemplate}
	}
	s.Make(boot.Setup{Workers: []boot.Account{ada}, SourceIP: true, Jobs: []boot.Job{job("strict"), job("cors"), job("bound")}})
	b := open(t, s.Portal)
	b.signIn(ada)

	// Without leave the picture can be painted on, and what cannot work is off.
	b.start("strict")
	f := b.frame()
	b.await(f, `document.querySelector("crowd-semantic-segmentation")?.state === "ready"`)
	if !eval[bool](b, f, deep+`("button[aria-label^='Automatic outline']").disabled`) {
		t.Error("the automatic outline is on, although no pixel can be read")
	}
	b.await(f, deep+`(".off")?.textContent.includes("CORS")`)

	rules := `{"CORSRules":[{"AllowedMethods":["GET"],"AllowedOrigins":["*"],"AllowedHeaders":[]}]}`
	boot.Must(t)(s.AWS("s3api", "put-bucket-cors", "--bucket", "input", "--cors-configuration", rules))
	b.segment("cors")
	boot.Must(t)(s.AWS("s3api", "delete-bucket-cors", "--bucket", "input"))
	bindToBrowsers(t, s)
	b.segment("bound")
	b.quiet("CORS policy", "ERR_FAILED")

	for _, name := range []string{"cors", "bound"} {
		st := s.AwaitJob(name, time.Minute, "Completed", "Failed")
		checkSegments(t, name, s.Manifest(st.LabelingJobOutput.OutputDatasetS3Uri))
	}
}

// segment finds the red rectangle of the test picture from its four sides, and submits.
func (b *browser) segment(job string) {
	b.t.Helper()
	b.start(job)
	f := b.frame()
	b.await(f, `document.querySelector("crowd-semantic-segmentation")?.state === "ready"`)
	b.do(chromedp.Click(chromedp.CSS(`#stage iframe:not(.coming)`)))
	b.do(chromedp.KeyEvent("a"))
	for _, at := range [][2]float64{{81, 90}, {120, 61}, {158, 90}, {120, 118}} {
		b.clickPixel(f, at[0], at[1])
	}
	b.await(f, `document.querySelector("crowd-semantic-segmentation").work === "" && document.querySelector("crowd-semantic-segmentation").map.countOf(1) > 2000`)
	if !eval[bool](b, f, `document.querySelector("crowd-semantic-segmentation").pixels.offload.beside`) {
		b.t.Errorf("%s: the worker was refused", job)
	}
	b.shot("segments-" + job)
	b.click(f, "footer .button")
	b.await(b.ctx, `document.querySelector(".finish")`)
}

// clickPixel clicks on a pixel of the picture.
func (b *browser) clickPixel(f context.Context, px, py float64) {
	b.t.Helper()
	x, y, _, _ := b.rect(f, ".stage")
	v := eval[[]float64](b, f, `(() => { const v = document.querySelector("crowd-semantic-segmentation").stage.view; return [v.x, v.y, v.scale]; })()`)
	b.do(chromedp.MouseClickXY(x+v[0]+(px+0.5)*v[2], y+v[1]+(py+0.5)*v[2]))
}

var pngData = regexp.MustCompile(`iVBOR[A-Za-z0-9+/=]+`)

// checkSegments reads the PNG of the answer with a decoder that is not ours.
func checkSegments(t *testing.T, job string, lines []map[string]any) {
	t.Helper()
	text, _ := json.Marshal(lines)
	raw, err := base64.StdEncoding.DecodeString(string(pngData.Find(text)))
	if err != nil || len(raw) == 0 {
		t.Fatalf("job %s: no picture of segments in %.400s (%v)", job, text, err)
	}
	decoded, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("job %s: %v", job, err)
	}
	img, ok := decoded.(*image.Paletted)
	if !ok || img.Bounds().Dx() != 320 || img.Bounds().Dy() != 240 {
		t.Fatalf("job %s: the picture is %T of %v", job, decoded, decoded.Bounds())
	}
	if got := fmt.Sprint(img.Palette[1].RGBA()); got != fmt.Sprint(0x1f1f, 0x7777, 0xb4b4, 0xffff) {
		t.Errorf("job %s: the label's colour is %s", job, got)
	}
	both, either := 0, 0
	for y := range 240 {
		for x := range 320 {
			want, got := x > 80 && x < 160 && y > 60 && y < 120, img.ColorIndexAt(x, y) == 1
			if want && got {
				both++
			}
			if want || got {
				either++
			}
		}
	}
	if agreement := float64(both) / float64(either); agreement < 0.9 {
		t.Errorf("job %s: what was painted agrees with the sign by %.2f", job, agreement)
	}
}
