// Package templates renders worker task templates that others have published,
// fills them in and submits them, in a real browser, behind the policy that the
// portal serves frames with. The templates are not ours and not kept here:
//
//	FIDUCIAL_TEMPLATES=<folder> go test -v ./test/templates
//
// The folder holds <owner>/<repository>/<path>, and known-templates.txt with one
// "owner/repository<tab>path" a line (or FIDUCIAL_TEMPLATES_LIST names that file).
package templates

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fiducial/internal/template"
	"fiducial/web"
)

//go:embed testdata/host.html
var hostPage []byte

//go:embed testdata/probe.js
var probe string

// result is a row of the table.
type result struct {
	rendered, ready, submitted bool
	errors                     []string
	note                       string
}

func TestKnownTemplates(t *testing.T) {
	folder := os.Getenv("FIDUCIAL_TEMPLATES")
	if folder == "" {
		t.Skip("NOT RUN: no known template was tried. FIDUCIAL_TEMPLATES names no folder with them")
	}
	name := os.Getenv("FIDUCIAL_TEMPLATES_LIST")
	if name == "" {
		name = filepath.Join(folder, "known-templates.txt")
	}
	list, err := readList(name)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t)
	tab := browser(t)
	var table strings.Builder
	good := 0
	for _, k := range list {
		r := s.try(t, tab, k, folder)
		needs, own := s.apart(r.errors)
		// What a missing library leaves undone is no failure of ours; which it is stands in the table.
		if r.rendered && r.ready && len(own) == 0 && (r.submitted || len(needs) > 0) {
			good++
		} else {
			t.Errorf("%s: rendered %v, ready %v, submitted %v: %s %s", k, r.rendered, r.ready, r.submitted, strings.Join(own, "; "), r.note)
		}
		fmt.Fprintf(&table, "%-8s %-9s %-9s %s", mark(r.rendered), mark(r.submitted), mark(len(own) == 0), k)
		if len(needs) > 0 {
			fmt.Fprintf(&table, "  needs %s", strings.Join(needs, " "))
		}
		table.WriteByte('\n')
	}
	t.Logf("rendered submitted quiet\n%s%d of %d", table.String(), good, len(list))
}

func mark(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}

// site serves one template at a time, as the portal would.
type site struct {
	*httptest.Server
	frame []byte
}

func serve(t *testing.T) *site {
	t.Helper()
	dist, err := fs.Sub(web.Dist, "dist")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /host", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(hostPage)
	})
	mux.HandleFunc("GET /frame", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy(s.URL))
		_, _ = w.Write(s.frame)
	})
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(dist)))
	mux.HandleFunc("GET /media/", media(picturePNG(), silence()))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// policy is the portal's for frames, with the media endpoint in this same place.
func policy(origin string) string {
	return strings.NewReplacer("<assets>", "'self' "+origin+"/assets/", "<media>", origin+"/media/").Replace(
		"sandbox allow-scripts allow-forms; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' <assets>; style-src 'unsafe-inline' <assets>; " +
			"img-src <media> data: blob:; media-src <media> data: blob:; font-src data: <assets>; frame-src <media>; connect-src <media>; " +
			"worker-src blob:; form-action 'none'; base-uri 'none'; object-src 'none'")
}

var (
	crowdScripts = regexp.MustCompile(`(?i)(?:https?:)?//assets\.crowd\.aws/crowd-html-elements(?:-v2)?\.js`)
	crowdStyles  = regexp.MustCompile(`(?i)<link\b[^>]*//assets\.crowd\.aws/[^>]*\.css[^>]*>`)
)

// frameOf puts a rendered template into a page of its own, behind the probe.
func (s *site) frameOf(page string) []byte {
	script := s.URL + "/assets/crowd-html-elements.js"
	own := ""
	if !crowdScripts.MatchString(page) {
		own = `<script src="` + script + `"></script>`
	}
	page = crowdStyles.ReplaceAllLiteralString(page, "")
	page = crowdScripts.ReplaceAllLiteralString(page, script)
	return []byte(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Task</title><script>` + probe + "</script>" + own + "</head><body>" + page + "</body></html>")
}

// media gives sound for sound, a page for a page, and a picture otherwise.
func media(picture, sound []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch dest := r.Header.Get("Sec-Fetch-Dest"); dest {
		case "audio", "video":
			w.Header().Set("Content-Type", "audio/wav")
			http.ServeContent(w, r, "sound.wav", time.Time{}, bytes.NewReader(sound))
		case "iframe", "object", "embed":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<p>A page.</p>"))
		default:
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(picture)
		}
	}
}

func picturePNG() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8((x / 20 % 2) * 120), 255})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // a buffer takes it
	return b.Bytes()
}

// silence is half a second of it, as a WAV file.
func silence() []byte {
	const samples = 4000
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00")
	put := func(at, n int) { b[at], b[at+1], b[at+2], b[at+3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24) }
	put(4, 36+samples)
	put(40, samples)
	return append(b, bytes.Repeat([]byte{128}, samples)...)
}

func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is not installed (Debian's package chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return ctx
}

func (s *site) try(t *testing.T, tab context.Context, k known, folder string) (r result) {
	t.Helper()
	src, err := k.read(folder)
	if err != nil {
		r.note = err.Error()
		return r
	}
	grant := func(_ context.Context, bucket, key string) (string, error) {
		return s.URL + "/media/" + bucket + "/" + key, nil
	}
	page, errs := template.Render(t.Context(), src, taskInput(src, s.URL+"/media/"), template.Functions{GrantReadAccess: grant, Now: time.Now}, template.Limits{})
	if len(errs) > 0 {
		r.note = errs[0].Error()
		return r
	}
	r.rendered = true
	s.frame = s.frameOf(page)
	if err := chromedp.Do(tab, chromedp.Navigate(s.URL+"/host")); err != nil {
		r.note = err.Error()
		return r
	}
	r.ready = wait(tab, `told.ready && port !== null`, "", 8*time.Second)
	if r.ready {
		wait(tab, `told.filled`, `told.filled || fill()`, 5*time.Second)
		// Some elements ask once more before they take an empty answer; pictures take their time.
		r.submitted = wait(tab, `told.answer !== null`, `told.answer === null && submit()`, 8*time.Second)
	}
	told, err := chromedp.Run(tab, chromedp.Evaluate[[]string](`[...new Set(told.errors)]`))
	if err != nil {
		r.note = err.Error()
	}
	r.errors = told
	return r
}

// wait asks until the page says yes, nudging it each time.
func wait(tab context.Context, question, nudge string, patience time.Duration) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if nudge != "" {
			_, _ = chromedp.Run(tab, chromedp.Evaluate[bool](`!!(`+nudge+`)`)) // asked again
		}
		if ok, err := chromedp.Run(tab, chromedp.Evaluate[bool](`!!(`+question+`)`)); err == nil && ok {
			return true
		}
	}
	return false
}

// apart tells what a template lacks here, hosts that are blocked and files of its
// own repository, from errors. What a lacking script leaves undefined is no error.
func (s *site) apart(errors []string) (needs, own []string) {
	for _, e := range errors {
		address, blocked := strings.CutPrefix(e, "blocked: ")
		file, lost := strings.CutPrefix(e, "did not load: "+s.URL+"/")
		switch {
		case blocked && strings.HasPrefix(address, "http") && !strings.HasPrefix(address, s.URL):
			_, rest, _ := strings.Cut(address, "://")
			needs = append(needs, strings.FieldsFunc(rest, func(r rune) bool { return r == '/' || r == ' ' })[0])
		case lost && !strings.HasPrefix(file, "assets/") && !strings.HasPrefix(file, "media/"):
			needs = append(needs, file)
		default:
			own = append(own, e)
		}
	}
	slices.Sort(needs)
	needs = slices.Compact(needs)
	if len(needs) > 0 {
		own = slices.DeleteFunc(own, func(e string) bool {
			return strings.Contains(e, "is not defined") || strings.Contains(e, "is not a function") || strings.HasPrefix(e, "did not load: http") || strings.HasPrefix(e, "no such element: crowd-2d-skeleton")
		})
	}
	return needs, own
}
