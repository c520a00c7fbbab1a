package portal

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/template"
)

// mirrorTypes are the sorts of files that are served from the mirror. Pages are
// not among them: the mirror is for what templates load.
var mirrorTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json", ".map": "application/json",
	".wasm": "application/wasm", ".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".svg": "image/svg+xml", ".ico": "image/x-icon",
	".mp3": "audio/mpeg", ".wav": "audio/wav", ".ogg": "audio/ogg", ".mp4": "video/mp4", ".webm": "video/webm",
}

// mirrored is where a frame finds the copy of a file: host/path below the mirror
// folder.
func (p *Portal) mirrored(file string) (address string, ok bool) {
	if p.Mirror == nil || !mirrorable(file) {
		return "", false
	}
	info, err := fs.Stat(p.Mirror, file)
	if err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	return p.origin + template.MirrorPath + file, true
}

func mirrorable(file string) bool {
	if !fs.ValidPath(file) || mirrorTypes[strings.ToLower(path.Ext(file))] == "" {
		return false
	}
	for _, part := range strings.Split(file, "/") {
		if strings.HasPrefix(part, ".") {
			return false
		}
	}
	return true
}

func (p *Portal) mirrorFile(v *visit) (reply, error) {
	const op = "portal.mirrorFile"
	name := v.PathValue("file")
	if p.Mirror == nil || !mirrorable(name) {
		return nil, fault.Newf(op, fault.NotFound, "There is no such file.")
	}
	f, err := p.Mirror.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, fault.Newf(op, fault.NotFound, "There is no such file.")
	}
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	info, err := f.Stat()
	body, ok := f.(io.ReadSeeker)
	if err != nil || !info.Mode().IsRegular() || !ok {
		return nil, errors.Join(fault.Newf(op, fault.NotFound, "There is no such file."), f.Close())
	}
	return copied{name, info, f, body}, nil
}

// copied is a file of the mirror.
type copied struct {
	name string
	info fs.FileInfo
	file io.Closer
	body io.ReadSeeker
}

func (o copied) write(_ *Portal, w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", mirrorTypes[strings.ToLower(path.Ext(o.name))])
	// Opened by itself a picture with a script in it has an origin of its own too.
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	// The frame's origin is opaque, so everybody's is let in: these are copies of
	// what the network serves to everybody. A file with an integrity needs the first.
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", o.info.ModTime(), o.body)
	return o.file.Close()
}
