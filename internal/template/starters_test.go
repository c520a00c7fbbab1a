package template_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"fiducial/internal/template"
)

func TestStarters(t *testing.T) {
	files, err := os.ReadDir("starters")
	if err != nil {
		t.Fatal(err)
	}
	starters := template.Starters()
	if len(files) != 2*len(starters) {
		t.Errorf("%d files for %d starters", len(files), len(starters))
	}
	for _, s := range starters {
		page, errs := template.Render(context.Background(), s.Source, s.Input, granting, template.Limits{})
		if len(errs) > 0 || !strings.Contains(page, "<crowd-form>") || strings.Contains(page, "{{") || !json.Valid(s.Input) || s.Title == "" || s.About == "" {
			t.Errorf("%s: %v\n%s", s.Name, errs, page)
		}
		if strings.Contains(s.Source, "grant_read_access") != strings.Contains(page, "https://media/") {
			t.Errorf("%s asks for no medium:\n%s", s.Name, page)
		}
	}
	if _, ok := template.StarterNamed("../builtin/object-detection"); ok {
		t.Error("a file that is no starter is one")
	}
	adjust, _ := template.StarterNamed("adjustment")
	if page, _ := template.Render(context.Background(), adjust.Source, adjust.Input, granting, template.Limits{}); !strings.Contains(page, `label: &#34;Camera&#34;, left: 120,`) {
		t.Errorf("the boxes of the earlier job are not in\n%s", page)
	}
}
