package template

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// Frame is what a rendered template is shown in: a document of its own in a
// sandboxed frame, whose scripts reach nothing but what stands here.
type Frame struct {
	Origin string // of the page around, which serves the crowd elements and the mirror
	Script string // address of the crowd elements there
	// Segmentation is the address of those of them that paint segments, which come
	// only where a template names one.
	Segmentation string
	Media        []string // sources of granted media, as a Content-Security-Policy names them
	Fetch        []string // those of them that scripts may fetch as well
	Hosts        []Host   // what the work team allows besides
	// Mirror finds the local copy of a file that templates name by its address on
	// a host of the network ("cdn.example/lib.js"). Nil: there are none.
	Mirror func(file string) (address string, ok bool)
	// Credentials has the elements ask for pictures that they need leave for in a
	// way that shows the browser's secret.
	Credentials bool
}

// MirrorPath is where the copies of the mirror folder are served.
const MirrorPath = "/mirror/"

// Policy is the Content-Security-Policy of the document. Both 'self' and the
// origin by name: the document's own origin is opaque, and browsers have differed
// on what 'self' then is. Inline script and eval are the template's own, which
// runs here anyway. The elements start workers from text of their own (blob:), since
// an opaque origin has no scripts that a worker could be started from; a worker is
// held by this same policy.
func (f Frame) Policy() string {
	hosts := make([]string, 0, len(f.Hosts))
	for _, h := range f.Hosts {
		// The page around is no library: what it allows, it allows above.
		if h.Origin != f.Origin && !slices.Contains(f.Media, h.Origin) {
			hosts = append(hosts, h.String())
		}
	}
	assets := []string{"'self'", f.Origin + "/assets/", f.Origin + MirrorPath}
	if f.Mirror == nil {
		assets = assets[:2]
	}
	list := func(parts ...[]string) string { return strings.Join(slices.Concat(parts...), " ") }
	fetch := list(f.Fetch, hosts)
	if fetch == "" {
		fetch = "'none'"
	}
	return "sandbox allow-scripts allow-forms; default-src 'none'" +
		"; script-src 'unsafe-inline' 'unsafe-eval' " + list(assets, hosts) +
		"; style-src 'unsafe-inline' " + list(assets, hosts) +
		"; img-src " + list(f.Media, []string{"data:", "blob:"}, assets[2:], hosts) +
		"; media-src " + list(f.Media, []string{"data:", "blob:"}, assets[2:], hosts) +
		"; font-src data: " + list(assets, hosts) +
		"; frame-src " + list(f.Media, hosts) +
		"; worker-src blob:; connect-src " + fetch +
		"; form-action 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'self' " + f.Origin
}

// Connections is the Connection-Allowlist of the document: what the policy allows,
// once more, for what the policy does not reach: in Chromium, WebRTC and the
// connection that is begun for a navigation before it is refused. It is "", for no
// such header, where an address is an IPv6 literal: Chromium then takes the list
// for one that allows nothing, not even the crowd elements.
func (f Frame) Connections() string {
	literal := func(address string) bool { return strings.Contains(address, "[") }
	if literal(f.Origin) || slices.ContainsFunc(f.Media, literal) || slices.ContainsFunc(f.Hosts, func(h Host) bool { return literal(h.Origin) }) {
		return ""
	}
	allowed := []string{"response-origin"}
	for _, m := range f.Media {
		allowed = append(allowed, `"`+m+`/*"`)
	}
	for _, h := range f.Hosts {
		allowed = append(allowed, `"`+h.Origin+`/*"`)
	}
	return "(" + strings.Join(allowed, " ") + ")"
}

var (
	// crowdScripts are the addresses under which templates name the crowd elements,
	// and crowdStyles that of a sheet which ours need not.
	crowdScripts = regexp.MustCompile(`(?i)(?:https?:)?//assets\.crowd\.aws/crowd-html-elements(?:-v2)?\.js`)
	crowdStyles  = regexp.MustCompile(`(?i)<link\b[^>]*//assets\.crowd\.aws/[^>]*\.css[^>]*>`)
	// addresses are those of files on other hosts, anywhere in a page.
	addresses = regexp.MustCompile(`(?i)(?:https?:)?//((?:[a-z0-9-]+\.)+[a-z0-9-]+(?::[0-9]+)?/[a-z0-9._~@+=:/,%-]*[a-z0-9])`)
	// segmentationTags is generous: an element that a script makes is named there too.
	segmentationTags = regexp.MustCompile(`(?i)crowd-(?:semantic|instance)-segmentation`)
	loadTags         = regexp.MustCompile(`(?i)<(?:script|link)\b[^>]*>`)
)

// maxAddresses bounds how often a page's addresses are looked up.
const maxAddresses = 2000

// Document puts a rendered template into a page of its own.
func (f Frame) Document(body string) []byte {
	own := crowdScripts.MatchString(body)
	body = crowdStyles.ReplaceAllLiteralString(body, "")
	body = f.pinned(body)
	body = crowdScripts.ReplaceAllLiteralString(body, f.Script)
	body = f.mirrored(body)
	var b strings.Builder
	b.Grow(len(body) + 512)
	b.WriteString(`<!doctype html><html lang="en"`)
	if f.Credentials {
		b.WriteString(` data-media="credentials"`)
	}
	b.WriteString(`><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Task</title>`)
	if !own {
		b.WriteString(`<script src="` + html.EscapeString(f.Script) + `"></script>`)
	}
	// Before the template's own tag for the first part or after ours: it waits for it.
	if f.Segmentation != "" && segmentationTags.MatchString(body) {
		b.WriteString(`<script src="` + html.EscapeString(f.Segmentation) + `"></script>`)
	}
	b.WriteString("</head><body>")
	b.WriteString(body)
	b.WriteString("</body></html>")
	return []byte(b.String())
}

// mirrored names the local copies of files in place of the files.
func (f Frame) mirrored(body string) string {
	if f.Mirror == nil {
		return body
	}
	known := map[string]string{}
	return addresses.ReplaceAllStringFunc(body, func(address string) string {
		_, file, _ := strings.Cut(address, "//")
		host, path, _ := strings.Cut(file, "/")
		file = strings.ToLower(host) + "/" + path
		to, ok := known[file]
		if !ok && len(known) < maxAddresses {
			if to, ok = f.Mirror(file); !ok {
				to = ""
			}
			known[file] = to
		}
		if to == "" {
			return address
		}
		return to
	})
}

// pinned writes the integrity that the team asks for into the elements that load
// a pinned file. It comes before an integrity of the author's, so it counts.
func (f Frame) pinned(body string) string {
	if !slices.ContainsFunc(f.Hosts, func(h Host) bool { return h.Integrity != "" }) {
		return body
	}
	return loadTags.ReplaceAllStringFunc(body, func(tag string) string {
		for _, h := range f.Hosts {
			_, bare, _ := strings.Cut(h.String(), ":")
			if h.Integrity == "" || !strings.Contains(tag, bare) {
				continue
			}
			n := strings.IndexAny(tag, " \t\r\n/")
			if n < 0 {
				continue
			}
			return tag[:n] + ` integrity="` + h.Integrity + `" crossorigin="anonymous"` + tag[n:]
		}
		return tag
	})
}
