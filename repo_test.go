package fiducial_test

import (
	"bufio"
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// layers lists the packages below internal/, lowest first. A package imports
// only lower lines. Children implement what their parent defines: a child may
// import its parent, a parent never its child. ARCHITECTURE.md has the same
// list; TestArchitectureListsEveryLayer compares the two.
var layers = [][]string{
	{"fault"},
	{"arn", "setting"},
	{"identity", "origin"},
	{"policy", "sigv4", "envelope", "template"},
	{"audit", "blob", "outbound"},
	{"iam", "workforce"},
	{"objects", "access", "kms", "signin", "messaging"},
	{"events"},
	{"labeling", "external"},
	{"store", "functions", "awsapi", "s3api", "portal", "console", "server"},
	{"config"},
	{"app"},
	{"cli"},
}

const module = "fiducial"

// outside may be imported by the layers named: embedded files, not code.
var outside = map[string][]string{
	module + "/web":    {"portal", "console", "app", "cli"},
	module + "/assets": {"cli", "app"},
}

func layerOf(pkg string) (line int, parent string) {
	parent, _, _ = strings.Cut(strings.TrimPrefix(pkg, module+"/internal/"), "/")
	for i, l := range layers {
		for _, p := range l {
			if p == parent {
				return i, parent
			}
		}
	}
	return -1, parent
}

type importedFile struct {
	path, pkg string
	imports   []string
	test      bool
}

func goFiles(t *testing.T) []importedFile {
	t.Helper()
	var files []importedFile
	err := filepath.WalkDir("internal", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		file := importedFile{path: path, pkg: module + "/" + filepath.ToSlash(filepath.Dir(path)), test: strings.HasSuffix(path, "_test.go")}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			if strings.HasPrefix(p, module+"/") {
				file.imports = append(file.imports, p)
			}
		}
		files = append(files, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d Go files found below internal: is the test run from the top of the repository?", len(files))
	}
	return files
}

// The direction of imports. Tests may reach for the store's databases and for
// conformance suites (blobtest, storetest), which no product code may import.
func TestImportsPointDown(t *testing.T) {
	for _, f := range goFiles(t) {
		line, parent := layerOf(f.pkg)
		if line < 0 {
			t.Errorf("%s: package %s stands in no layer", f.path, f.pkg)
			continue
		}
		for _, imp := range f.imports {
			if allowed, ok := outside[imp]; ok {
				if !contains(allowed, parent) {
					t.Errorf("%s imports %s, which only %v may", f.path, imp, allowed)
				}
				continue
			}
			to, toParent := layerOf(imp)
			testOnly := strings.HasSuffix(imp, "test") && strings.Contains(strings.TrimPrefix(imp, module+"/internal/"), "/")
			switch {
			case f.test && (testOnly || toParent == "store"):
			case testOnly && !strings.HasSuffix(f.pkg, "test"):
				t.Errorf("%s: product code imports the test package %s", f.path, imp)
			case toParent == parent:
				if !family(f.pkg, imp) && !f.test {
					t.Errorf("%s: parent %s imports its child %s", f.path, f.pkg, imp)
				}
			case to < 0:
				t.Errorf("%s imports %s, which stands in no layer", f.path, imp)
			case to > line, to == line && parent != "app":
				if f.test && to == line {
					continue
				}
				t.Errorf("%s: %s (line %d) imports %s (line %d)", f.path, parent, line+1, toParent, to+1)
			}
		}
	}
}

// family reports whether pkg may import imp of the same parent: a child its
// parent, a sibling its sibling, never a parent its child.
func family(pkg, imp string) bool {
	return !strings.HasPrefix(imp, pkg+"/") || strings.HasSuffix(pkg, "test")
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func TestArchitectureListsEveryLayer(t *testing.T) {
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for s := bufio.NewScanner(strings.NewReader(string(b))); s.Scan(); {
		if strings.HasPrefix(s.Text(), "| ") {
			for _, m := range regexp.MustCompile("`([a-z0-9/]+)`").FindAllStringSubmatch(strings.SplitN(s.Text(), "|", 4)[2], -1) {
				seen = append(seen, m[1])
			}
		}
	}
	for _, l := range layers {
		for _, p := range l {
			if _, err := os.Stat(filepath.Join("internal", p)); err == nil && !contains(seen, p) {
				t.Errorf("ARCHITECTURE.md does not list internal/%s", p)
			}
		}
	}
	for _, p := range seen {
		if _, err := os.Stat(filepath.Join("internal", p)); err != nil {
			t.Errorf("ARCHITECTURE.md lists %s, which is not there", p)
		}
	}
}

// Names that say nothing.
func TestNoGrabBags(t *testing.T) {
	for _, f := range goFiles(t) {
		switch filepath.Base(f.pkg) {
		case "util", "utils", "common", "helper", "helpers", "core", "types", "misc", "lib":
			t.Errorf("%s: package %s is named after nothing", f.path, f.pkg)
		}
	}
}

func TestMainIsShort(t *testing.T) {
	b, err := os.ReadFile("cmd/fiducial/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), "\n"); n > 30 {
		t.Errorf("main.go has %d lines, want at most 30", n)
	}
}

// The test-only and build-only modules are not linked into the product.
func TestProductLinksNoTools(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./cmd/fiducial").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, p := range strings.Fields(string(out)) {
		for _, banned := range []string{"github.com/evanw/esbuild", "github.com/chromedp", "github.com/rogpeppe/go-internal", "github.com/google/go-cmp", "testing", "honnef.co", "fiducial/tools", "fiducial/test", "fiducial/bench"} {
			if p == banned || strings.HasPrefix(p, banned+"/") {
				t.Errorf("the product links %s", p)
			}
		}
	}
}

// No file speaks of the place where it was written.
func TestNoMachinePaths(t *testing.T) {
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	bad := regexp.MustCompile(`(^|[\s"'` + "`" + `=:])/(root|home/[a-z]+)/[a-z]|registry\.npmjs\.org|proxy\.golang\.org|deb\.debian\.org`)
	words := []string{"/root/", "/home/", "registry.npmjs.org", "proxy.golang.org", "deb.debian.org"}
	names := strings.Fields(string(out))
	sort.Strings(names)
	for _, name := range names {
		if name == "repo_test.go" || strings.HasPrefix(name, "web/dist/") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil || strings.ContainsRune(string(b[:min(len(b), 800)]), 0) {
			continue
		}
		// The expression is slow where races are looked for, and hardly a file has
		// any of the words.
		if !slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(b, []byte(w)) }) {
			continue
		}
		if m := bad.Find(b); m != nil {
			t.Errorf("%s contains %q", name, m)
		}
	}
}
