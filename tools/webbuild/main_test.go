package main

import (
	"encoding/json"
	"os"
	"path/filepath"
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

// Two builds of the same sources must be the same bytes, or a committed dist
// could not be checked against them.
func TestBuildIsDeterministic(t *testing.T) {
	root := filepath.Join("..", "..", "web")
	if _, err := os.Stat(filepath.Join(root, "node_modules", "lit")); err != nil {
		t.Skip("web/node_modules is not installed: run `npm ci` in web")
	}
	first, err := build(root)
	if err != nil {
		t.Fatal(err)
	}
	dist := t.TempDir()
	if err := write(dist, first); err != nil {
		t.Fatal(err)
	}
	second, err := build(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := compare(dist, second); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dist, "portal.js"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := compare(dist, second); err == nil {
		t.Error("compare did not notice a stale portal.js")
	}
}

// What a worker waits for before the first task, and what every kind of task
// together takes, on the wire. A page loads the part for segments only where a
// template names one of its elements.
func TestSizes(t *testing.T) {
	root := filepath.Join("..", "..", "web")
	files, err := os.ReadDir(filepath.Join(root, "dist"))
	if err != nil {
		t.Fatal(err)
	}
	const first, all = 90_000, 110_000
	var total, part int
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(root, "dist", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		total += gzipSize(b)
		if f.Name() == "crowd-segmentation.js" {
			part = gzipSize(b)
		}
	}
	if part == 0 {
		t.Fatal("there is no crowd-segmentation.js")
	}
	if total-part > first {
		t.Errorf("the shell and the elements of a first page are %d bytes with gzip, more than %d", total-part, first)
	}
	if total > all {
		t.Errorf("everything is %d bytes with gzip, more than %d", total, all)
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
	inFirst := modules(t, options(abs), "crowd-html-elements.js")
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
	o.Metafile = true
	var meta struct {
		Outputs map[string]struct {
			Inputs map[string]struct{ BytesInOutput int }
		}
	}
	if err := json.Unmarshal([]byte(api.Build(o).Metafile), &meta); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for name, size := range meta.Outputs["dist/"+output].Inputs {
		if size.BytesInOutput > 0 {
			out[name] = true
		}
	}
	return out
}
