package main

import (
	"os"
	"path/filepath"
	"testing"
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
