package console

import (
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fiducial/internal/fault"
)

// example is a crowd element at work: a file of the gallery.
type example struct {
	Tag, Text, Source string
	Height            int // of its frame, in CSS pixels
	document          []byte
}

// exampleGroup is what stands together on the page.
type exampleGroup struct {
	Name     string
	Examples []example
}

// exampleGroups are the groups in the page's order.
var exampleGroups = []string{"Page", "Fields", "Classification", "Image tools", "Text tools", "Amazon services"}

// exampleHead is the first line of a gallery file: group, height of the frame, and
// what the element is for.
var exampleHead = regexp.MustCompile(`^<!-- ([^|]+) \| (\d+) \| (.+) -->\n`)

// loadGallery reads the examples. The pictures of the gallery stand within the
// examples, so that a frame needs nothing but the bundle.
func loadGallery(dir fs.FS) ([]exampleGroup, error) {
	const op = "console.loadGallery"
	pictures, err := galleryPictures(dir)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(dir, "*.html")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	groups := make([]exampleGroup, len(exampleGroups))
	for i, name := range exampleGroups {
		groups[i].Name = name
	}
	for _, name := range files {
		b, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fault.E(op, fault.Internal, "", err)
		}
		m := exampleHead.FindSubmatch(b)
		if m == nil {
			return nil, fault.Newf(op, fault.Internal, "the example %s does not begin with <!-- group | height | text -->", name)
		}
		at := slices.Index(exampleGroups, string(m[1]))
		if at < 0 {
			return nil, fault.Newf(op, fault.Internal, "the example %s names the group %q, which is none of %s", name, m[1], strings.Join(exampleGroups, ", "))
		}
		height, _ := strconv.Atoi(string(m[2])) // digits, by the expression
		source := string(b[len(m[0]):])
		groups[at].Examples = append(groups[at].Examples, example{
			Tag: strings.TrimSuffix(name, ".html"), Text: string(m[3]), Source: source, Height: height,
			document: []byte(exampleTop + pictures.Replace(source) + "</body></html>"),
		})
	}
	return groups, nil
}

func galleryPictures(dir fs.FS) (*strings.Replacer, error) {
	files, err := fs.Glob(dir, "*.svg")
	if err != nil {
		return nil, fault.E("console.galleryPictures", fault.Internal, "", err)
	}
	var pairs []string
	for _, name := range files {
		b, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fault.E("console.galleryPictures", fault.Internal, "", err)
		}
		pairs = append(pairs, "{{"+strings.TrimSuffix(path.Base(name), ".svg")+"}}", "data:image/svg+xml;base64,"+base64.StdEncoding.EncodeToString(b))
	}
	return strings.NewReplacer(pairs...), nil
}

// exampleTop is the head of an example's document. The style lets it be light or
// dark as the console is.
const exampleTop = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
	`<title>Example</title><style>:root { color-scheme: light dark; }</style><script src="/assets/crowd-html-elements.js"></script><script src="/assets/crowd-segmentation.js"></script></head><body>`

func (s *Console) elements(*visit) (reply, error) {
	return page{"elements", http.StatusOK, "Crowd elements", s.gallery}, nil
}

func (s *Console) element(v *visit) (reply, error) {
	for _, g := range s.gallery {
		for _, e := range g.Examples {
			if e.Tag == v.PathValue("tag") {
				return exampleFrame{e.document}, nil
			}
		}
	}
	return nil, fault.Newf("console.element", fault.NotFound, "There is no such element.")
}

// exampleFrame is an example's document. It is shown as a template is shown to
// workers: in an opaque origin, without the console's cookies.
type exampleFrame struct{ body []byte }

func (o exampleFrame) write(s *Console, _ *visit, w http.ResponseWriter) error {
	h := w.Header()
	assets := "'self' " + s.origin + "/assets/"
	h.Set("Content-Security-Policy", "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'unsafe-inline' "+assets+"; style-src 'unsafe-inline'; "+
		"img-src data: blob:; worker-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'self' "+s.origin)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, err := w.Write(o.body)
	return err
}
