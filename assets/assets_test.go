package assets

import (
	"bytes"
	"image/jpeg"
	"path"
	"strings"
	"testing"
)

// Nothing is carried along without credit, and nothing is credited that is
// not there; every photograph is one that a browser shows at once.
func TestPhotosAreCreditedAndSmall(t *testing.T) {
	credits, err := Photos.ReadFile("photos/CREDITS.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := Photos.ReadDir("photos")
	if err != nil {
		t.Fatal(err)
	}
	photos := 0
	for _, e := range entries {
		if path.Ext(e.Name()) != ".jpg" {
			continue
		}
		photos++
		if !bytes.Contains(credits, []byte("| `"+e.Name()+"` |")) {
			t.Errorf("%s has no credit", e.Name())
		}
		b, err := Photos.ReadFile("photos/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || max(c.Width, c.Height) > 1280 || len(b) > 200<<10 {
			t.Errorf("%s: %d bytes, %d x %d, %v", e.Name(), len(b), c.Width, c.Height, err)
		}
	}
	if rows := strings.Count(string(credits), "\n| `"); photos < 8 || rows != photos {
		t.Errorf("%d photographs, %d credits", photos, rows)
	}
}
