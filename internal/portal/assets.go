package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"fiducial/internal/fault"
)

// The bundle with the crowd elements, and its part with those that paint segments.
const (
	crowdScript        = "crowd-html-elements.js"
	segmentationScript = "crowd-segmentation.js"
)

// asset is one embedded file, ready to be sent.
type asset struct {
	name, contentType, hash string
	plain, zipped           []byte // zipped: nil if there is no such file
}

func loadAssets(dir fs.FS) (map[string]*asset, error) {
	const op = "portal.loadAssets"
	out := map[string]*asset{}
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) == ".gz" {
			continue
		}
		b, err := fs.ReadFile(dir, e.Name())
		if err != nil {
			return nil, fault.E(op, fault.Internal, "", err)
		}
		sum := sha256.Sum256(b)
		a := &asset{name: e.Name(), contentType: mime.TypeByExtension(path.Ext(e.Name())), hash: hex.EncodeToString(sum[:8]), plain: b}
		switch path.Ext(e.Name()) { // the machine's table of types is not to be relied on
		case ".js":
			a.contentType = "text/javascript; charset=utf-8"
		case ".css":
			a.contentType = "text/css; charset=utf-8"
		}
		if a.zipped, err = fs.ReadFile(dir, e.Name()+".gz"); err != nil && path.Ext(e.Name()) != ".txt" {
			return nil, fault.E(op, fault.Internal, "", err)
		}
		out[a.name] = a
	}
	for _, name := range []string{crowdScript, segmentationScript, "portal.js", "portal.css", probeScript} {
		if out[name] == nil {
			return nil, fault.Newf(op, fault.Internal, "the bundle %s is missing", name)
		}
	}
	return out, nil
}

// assetURL names an asset with its content, so that it can be kept for ever.
func (p *Portal) assetURL(name string) string {
	a := p.assets[name]
	if a == nil {
		return "/assets/" + name
	}
	return "/assets/" + name + "?v=" + a.hash
}

func (p *Portal) asset(v *visit) (reply, error) {
	a := p.assets[v.PathValue("name")]
	if a == nil {
		return nil, fault.Newf("portal.asset", fault.NotFound, "There is no such file.")
	}
	return a, nil
}

func (a *asset) write(_ *Portal, w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("ETag", `"`+a.hash+`"`)
	h.Set("Vary", "Accept-Encoding")
	// The frame has an opaque origin and would be kept from a same-origin file.
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), `"`+a.hash+`"`) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body := a.plain
	if a.zipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body = a.zipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write(body)
	return err
}

func acceptsGzip(accept string) bool {
	for _, part := range strings.Split(accept, ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0"
		}
	}
	return false
}
