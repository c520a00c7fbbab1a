package setting_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"fiducial/internal/setting"
)

type row struct {
	Name string            `yaml:"name"`
	Env  map[string]string `yaml:"env,omitempty"`
}

func TestList(t *testing.T) {
	want := []row{{"a", map[string]string{"X": "two\nlines"}}, {Name: "b"}}
	got, err := setting.List[row]([]byte("- name: a\n  env: {X: \"two\\nlines\"}\n- name: b\n"), "rows")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, %v", got, err)
	}
	line := setting.Line(got)
	if strings.Contains(line, "\n") {
		t.Errorf("more than one line: %q", line)
	}
	if again, err := setting.List[row]([]byte(line), "rows"); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("%s reads as %v, %v", line, again, err)
	}
	for _, none := range []string{"", "# nothing\n", "[]"} {
		if got, err := setting.List[row]([]byte(none), "rows"); err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", none, got, err)
		}
	}
	for _, bad := range []string{"name: a", "- nome: a", "- name: [", "- name: {a: b}"} {
		if got, err := setting.List[row]([]byte(bad), "rows"); err == nil || !strings.HasPrefix(err.Error(), "expected a list of rows: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "rows.yaml")
	read := func(content string) ([]byte, error) {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var got []byte
		err := setting.File(name, func(b []byte) error { got = b; return nil })
		return got, err
	}
	if got, err := read("- name: a\n"); err != nil || string(got) != "- name: a\n" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := read(strings.Repeat("#", 1<<20)); err != nil || len(got) != 1<<20 {
		t.Errorf("1 MiB: %d bytes, %v", len(got), err)
	}
	if _, err := read(strings.Repeat("#", 1<<20+1)); err == nil || !strings.Contains(err.Error(), name+": at most 1048576 bytes") {
		t.Errorf("more than 1 MiB: %v", err)
	}
	if err := setting.File(filepath.Join(dir, "none"), nil); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}
