package policydiff

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClassesAreExplained: docs/compatibility.md has one row for each class and
// each outcome, and no others.
func TestClassesAreExplained(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(b), "\n## Policies: three readings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	explained := map[string]bool{}
	for _, line := range strings.Split(section, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			explained[strings.TrimSpace(cells[1])] = true
		}
	}
	for _, head := range []string{"class", "outcome", "---"} {
		delete(explained, head)
	}
	known := map[string]bool{"another statement of the resource policy allows": true}
	for _, c := range classes {
		known[c.name] = true
	}
	for _, o := range outcomes {
		known[o.name] = true
	}
	for name := range known {
		if !explained[name] {
			t.Errorf("docs/compatibility.md does not explain %q", name)
		}
	}
	for name := range explained {
		if !known[name] {
			t.Errorf("docs/compatibility.md explains %q, which is no class", name)
		}
	}
}
