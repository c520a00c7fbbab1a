package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

func TestSqueeze(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"indentation goes", "a\n    b", "a\nb"},
		{"words are not joined", "html`<p>one\n   two</p>`", "html`<p>one\ntwo</p>`"},
		{"css becomes one line", "css`\n  a { b: c; }\n  /* why */\n`;\nx", "css` a {b: c;}  `;\nx"},
		{"a value beside a placeholder keeps its distance", "css`a { b: ${x} ${y}, 1px; }`", "css`a {b: ${x} ${y},1px;}`"},
		{"an unfinished literal is left alone", "css`a", "css`a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := squeeze(c.in); got != c.want {
				t.Errorf("squeeze(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// What is committed is compared with what the sources give (make web-test); a file of
// another build does not pass, packed or not.
func TestCompare(t *testing.T) {
	committed := filepath.Join("..", "..", "web", "dist")
	var built []file
	for _, name := range []string{"portal.js", "portal.css", "probe.js", "workbench.js", firstPart, secondPart, "licenses.txt"} {
		b, err := os.ReadFile(filepath.Join(committed, name))
		if err != nil {
			t.Fatal(err)
		}
		built = append(built, file{name, b})
	}
	if err := compare(committed, built); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"portal.js", "portal.js.gz"} {
		dist := t.TempDir()
		if err := os.CopyFS(dist, os.DirFS(committed)); err != nil {
			t.Fatal(err)
		}
		old, err := os.ReadFile(filepath.Join(dist, strings.Replace(name, "portal", "probe", 1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dist, name), old, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := compare(dist, built); err == nil || !strings.Contains(err.Error(), name+" is not") {
			t.Errorf("compare did not notice a stale %s: %v", name, err)
		}
	}
}

// What a worker waits for before the first task, and what the shell and every kind
// of task together take, on the wire. A page loads the part for segments only where
// a template names one of its elements.
func TestSizes(t *testing.T) {
	dist := filepath.Join("..", "..", "web", "dist")
	size := func(name string) int {
		info, err := os.Stat(filepath.Join(dist, name+".gz"))
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Size())
	}
	const most = 90 << 10
	if all := size("portal.js") + size("portal.css") + size(firstPart) + size(secondPart); all > most {
		t.Errorf("the worker's shell and all crowd elements are %d bytes with gzip, more than %d", all, most)
	}
	if first := size("portal.js") + size("portal.css") + size(firstPart); first > 76_000 {
		t.Errorf("a first page loads %d bytes with gzip, more than %d", first, 76_000)
	}
}

// A module that both parts hold would have its state twice; what the second part
// takes from the first has to stand in shared.ts.
func TestPartsShareModules(t *testing.T) {
	abs, err := filepath.Abs(filepath.Join("..", "..", "web"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(abs, "node_modules", "lit")); err != nil {
		t.Skip("web/node_modules is not installed: run `npm ci` in web")
	}
	part, err := partOptions(abs)
	if err != nil {
		t.Fatal(err)
	}
	inFirst := modules(t, options(abs, nil), "crowd-html-elements.js")
	inPart := modules(t, part, "crowd-segmentation.js")
	if len(inFirst) < 80 || len(inPart) < 15 {
		t.Fatalf("%d modules in the first part and %d in the second", len(inFirst), len(inPart))
	}
	for m := range inPart {
		if inFirst[m] {
			t.Errorf("%s is in both parts", m)
		}
	}
}

func modules(t *testing.T, o api.BuildOptions, output string) map[string]bool {
	t.Helper()
	names, err := inputs(o, output)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, name := range names {
		out[name] = true
	}
	return out
}

// The same token has the same short name in every script, no other has it, and what
// a template may set keeps its name.
func TestShortTokens(t *testing.T) {
	files := []file{
		{name: "a.js", bytes: []byte("--crowd-ink-soft:1;--crowd-ink:2;var(--crowd-ink);var(--crowd-slider-secondary-color);var(--x)")},
		{name: "b.js", bytes: []byte("var(--crowd-ink-soft);var(--crowd-ink)")},
		{name: "c.css", bytes: []byte("--crowd-ink:3")},
	}
	shortTokens(files)
	for i, want := range []string{
		"--B:1;--A:2;var(--A);var(--crowd-slider-secondary-color);var(--x)",
		"var(--B);var(--A)",
		"--crowd-ink:3",
	} {
		if got := string(files[i].bytes); got != want {
			t.Errorf("%s: got %s, want %s", files[i].name, got, want)
		}
	}
	var many []byte
	for i := range 60 {
		many = append(many, "--crowd-"+string(rune('a'+i%26))+string(rune('a'+i/26))+";"...)
	}
	files = []file{{name: "a.js", bytes: many}}
	shortTokens(files)
	seen := map[string]bool{}
	for _, name := range strings.Split(strings.TrimSuffix(string(files[0].bytes), ";"), ";") {
		if seen[name] || len(name) > 4 {
			t.Errorf("the name %s is there twice or is long", name)
		}
		seen[name] = true
	}
}
