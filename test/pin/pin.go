// Package pin keeps a part of a document equal to the table that it shows.
package pin

import (
	"os"
	"strings"
	"testing"
)

// Part fails the test if what stands between the lines begin and end of the file
// is not text; with write it puts it there.
func Part(t *testing.T, file, begin, end, text string, write bool) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for it: it needs the lines %q and %q", file, begin, end)
	}
	want := head + begin + text + end + tail
	if write {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(b) {
		t.Errorf("%s is not what the table gives; the line %q says how to write it again", file, strings.TrimSpace(begin))
	}
}
