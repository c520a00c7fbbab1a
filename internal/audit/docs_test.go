package audit

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The program in docs/audit.md, for those who trust no program of ours, agrees
// with Verify.
func TestVerifierOfTheDocs(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("there is no python3: make setup installs it")
	}
	doc, err := os.ReadFile("../../docs/audit.md")
	ok(t, err)
	m := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(doc)
	if m == nil {
		t.Fatal("docs/audit.md has no program")
	}
	dir, _ := days(t)
	chain := strings.Split(filepath.Base(theFile(t, dir, "2026-03-01")), ".")[1]
	run := func() (string, error) {
		out, err := exec.Command(python, "-c", string(m[1]), dir, chain).CombinedOutput()
		return string(out), err
	}
	heads, err := Heads(dir + "-heads")
	ok(t, err)
	if out, err := run(); err != nil || strings.TrimSpace(out) != "whole up to "+heads[0].Sum.String() {
		t.Errorf("%v\n%s", err, out)
	}
	edit(t, dir, "2026-03-02", func(l [][]byte) [][]byte {
		l[4] = bytes.Replace(l[4], []byte(`"allow"`), []byte(`"deny"`), 1)
		return l
	})
	if out, err := run(); err == nil || !strings.Contains(out, "2026-03-02."+chain+".jsonl:5 is not what was written") {
		t.Errorf("%v\n%s", err, out)
	}
}
