package console

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestLoadGallery(t *testing.T) {
	good := fstest.MapFS{
		"crowd-card.html": {Data: []byte("<!-- Page | 300 | A box. -->\n<crowd-card image=\"{{photo}}\"></crowd-card>\n")},
		"photo.svg":       {Data: []byte("<svg/>")},
	}
	groups, err := loadGallery(good)
	if err != nil {
		t.Fatal(err)
	}
	e := groups[0].Examples[0]
	if e.Tag != "crowd-card" || e.Text != "A box." || e.Height != 300 || !strings.HasPrefix(e.Source, "<crowd-card") {
		t.Errorf("the example is %+v", e)
	}
	if doc := string(e.document); !strings.Contains(doc, `image="data:image/svg+xml;base64,PHN2Zy8+"`) {
		t.Errorf("the picture is not in %s", doc)
	}
	for name, text := range map[string]string{
		"does not begin":  "<crowd-card></crowd-card>",
		"names the group": "<!-- Pages | 300 | A box. -->\n",
	} {
		_, err := loadGallery(fstest.MapFS{"crowd-card.html": {Data: []byte(text)}})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "crowd-card.html") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
