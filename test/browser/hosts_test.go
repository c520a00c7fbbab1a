package browser_test

import (
	"crypto/sha512"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"fiducial/test/boot"
)

// library is a host that templates load from. It remembers what was asked of it.
type library struct {
	url string

	mu    sync.Mutex
	asked []string
}

func newLibrary(t *testing.T, address string, files map[string]string) *library {
	t.Helper()
	lib := &library{}
	l, err := net.Listen("tcp", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lib.mu.Lock()
		lib.asked = append(lib.asked, r.URL.Path)
		lib.mu.Unlock()
		body, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", map[bool]string{true: "text/css", false: "text/javascript"}[strings.HasSuffix(r.URL.Path, ".css")])
		_, _ = w.Write([]byte(body))
	})}}
	s.Start()
	t.Cleanup(s.Close)
	lib.url = s.URL
	return lib
}

func (l *library) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := l.asked
	l.asked = nil
	slices.Sort(asked)
	return slices.Compact(asked)
}

func pinOf(text string) string {
	sum := sha512.Sum384([]byte(text))
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}

// loadingTemplate says what ran, and what of it came by fetch, in the order of the alphabet.
const loadingTemplate = `
<script>window.ran = []; window.refused = []; const no = (name) => refused.push(name);</script>
<script src="https://cdn.example.com/lib/mirrored.js"></script>
<link rel="stylesheet" href="ALLOWED/lib/look.css">
<script src="ALLOWED/lib/free.js" onerror="no('free')"></script>
<script src="ALLOWED/pinned.js" onerror="no('pinned')"></script>
<script src="ALLOWED/changed.js" onerror="no('changed')"></script>
<script src="ALLOWED/outside.js" onerror="no('outside')"></script>
<script src="STRANGER/lib/free.js" onerror="no('stranger')"></script>
<script src="https://cdn.example.com/lib/page.html" onerror="no('mirrored page')"></script>
<crowd-form><p id="styled">Label me</p></crowd-form>
<script>
	const tries = { "fetch free": "ALLOWED/lib/free.js", "fetch outside": "ALLOWED/outside.js", "fetch stranger": "STRANGER/lib/free.js" };
	addEventListener("load", () => Promise.all(Object.entries(tries).map(([name, url]) => fetch(url).then((r) => r.ok ? ran.push(name) : no(name), () => no(name)))).then(() => {
		if (getComputedStyle(styled).color === "rgb(1, 2, 3)") ran.push("look");
		window.told = ran.sort().join(", ") + " | " + refused.sort().join(", ");
	}));
</script>`

// TestTemplateHosts loads what the work team allows and what the mirror holds, and
// nothing else: by the path, by the pin, by the address.
func TestTemplateHosts(t *testing.T) {
	files := map[string]string{
		"/lib/free.js": `ran.push("free")`, "/lib/look.css": `#styled { color: rgb(1, 2, 3) }`, "/pinned.js": `ran.push("pinned")`, "/changed.js": `ran.push("changed")`, "/outside.js": `ran.push("outside")`,
	}
	allowed, stranger := newLibrary(t, "127.0.0.1", files), newLibrary(t, "127.0.0.2", files)
	mirror := t.TempDir()
	if err := os.MkdirAll(filepath.Join(mirror, "cdn.example.com", "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"mirrored.js": `ran.push("mirrored")`, "page.html": `ran.push("page")`} {
		if err := os.WriteFile(filepath.Join(mirror, "cdn.example.com", "lib", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := boot.Start(t, boot.Options{Args: []string{"--template-mirror", mirror}})
	template := strings.NewReplacer("ALLOWED", allowed.url, "STRANGER", stranger.url).Replace(loadingTemplate)
	s.Make(boot.Setup{Workers: []boot.Account{ada}, Jobs: []boot.Job{
		{Name: "loads", Function: "PassThrough", Labels: []string{}, Objects: 1, Workers: 1, Text: true, Template: template},
	}})
	b := open(t, s.Portal)
	b.signIn(ada)
	told := func() string {
		t.Helper()
		b.start("loads")
		f := b.frame()
		b.await(f, `window.told`)
		return eval[string](b, f, `window.told`)
	}

	const all = "changed, fetch free, fetch outside, fetch stranger, free, mirrored page, outside, pinned, stranger"
	if got := told(); got != "mirrored | "+all {
		t.Errorf("without a tag: %s", got)
	}
	if got := slices.Concat(allowed.take(), stranger.take()); len(got) > 0 {
		t.Errorf("without a tag %v were asked for", got)
	}

	tag := strings.Join([]string{allowed.url + "/lib/", allowed.url + "/pinned.js=" + pinOf(files["/pinned.js"]), allowed.url + "/changed.js=" + pinOf("what it was")}, " ")
	arn := "arn:aws:sagemaker:" + boot.Region + ":000000000000:workteam/private-crowd/team"
	boot.Must(t)(s.AWS("sagemaker", "add-tags", "--resource-arn", arn, "--tags", `[{"Key":"fiducial:TemplateHosts","Value":"`+tag+`"}]`))
	if got, want := told(), "fetch free, free, look, mirrored, pinned | changed, fetch outside, fetch stranger, mirrored page, outside, stranger"; got != want {
		t.Errorf("with the tag %s:\n got %s\nwant %s", tag, got, want)
	}
	b.shot("hosts")
	if got, want := allowed.take(), []string{"/changed.js", "/lib/free.js", "/lib/look.css", "/pinned.js"}; !slices.Equal(got, want) {
		t.Errorf("the allowed host was asked for %v, want %v", got, want)
	}
	if got := stranger.take(); len(got) > 0 {
		t.Errorf("the stranger was asked for %v", got)
	}
}
