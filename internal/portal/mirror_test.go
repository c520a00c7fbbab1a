package portal

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// The mirror serves what templates load, and nothing else that lies about.
func TestMirror(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"mirror/cdn.example/lib.js": "1", "mirror/cdn.example/page.html": "<script>", "mirror/cdn.example/.secret.js": "2", "mirror/cdn.example/no-extension": "3", "outside.js": "4",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../outside.js", filepath.Join(dir, "mirror/cdn.example/link.js")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "mirror/cdn.example/folder.js"), 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "mirror"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	p := &Portal{Config: Config{Mirror: root.FS()}, origin: "https://portal"}
	for _, c := range []struct {
		file string
		ok   bool
	}{
		{"cdn.example/lib.js", true}, {"cdn.example/page.html", false}, {"cdn.example/.secret.js", false}, {"cdn.example/no-extension", false},
		{"cdn.example/link.js", false}, {"cdn.example/folder.js", false}, {"../outside.js", false}, {"cdn.example/../../outside.js", false}, {"cdn.example/none.js", false}, {"", false},
	} {
		if to, ok := p.mirrored(c.file); ok != c.ok || ok && to != "https://portal/mirror/"+c.file {
			t.Errorf("%s: %s, %v", c.file, to, ok)
		}
		r := httptest.NewRequest("GET", "/mirror/x", nil)
		r.SetPathValue("file", c.file)
		out, err := p.mirrorFile(&visit{Request: r})
		if (err == nil) != c.ok {
			t.Errorf("%s is served: %v", c.file, err)
			continue
		}
		if err != nil {
			continue
		}
		w := httptest.NewRecorder()
		if err := out.write(p, w, r); err != nil || w.Code != http.StatusOK || w.Body.String() != "1" || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Content-Security-Policy") != "sandbox; default-src 'none'" {
			t.Errorf("%s: %d %v %v", c.file, w.Code, w.Header(), err)
		}
	}
}
