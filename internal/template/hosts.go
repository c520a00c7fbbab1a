package template

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// HostsTag is the tag of a work team that says which hosts of the network the
// templates of its jobs may load from.
const HostsTag = "fiducial:TemplateHosts"

// maxHosts bounds a tag's entries; its value is bounded by AWS's 256 characters.
const maxHosts = 20

// Host is one entry: an origin, a folder below one (a path that ends with /), or
// one file, which may be pinned.
type Host struct {
	Origin    string // https://cdn.example
	Path      string // "", or from / on
	Integrity string // sha256-…, sha384-…, sha512-…; of a file only
}

// String is the entry as a Content-Security-Policy names it.
func (h Host) String() string { return h.Origin + h.Path }

var (
	hostName  = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)
	hostPort  = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)
	hostPath  = regexp.MustCompile(`^/[A-Za-z0-9._~@+=:/-]*$`)
	integrity = regexp.MustCompile(`^(?:sha256-[A-Za-z0-9+/]{43}=|sha384-[A-Za-z0-9+/]{64}|sha512-[A-Za-z0-9+/]{86}==)$`)
)

// ParseHosts reads the tag's value: entries apart by spaces, each
// [https://]host[:port][/path][=integrity]. Plain http is for loopback addresses.
func ParseHosts(value string) ([]Host, error) {
	var out []Host
	for _, entry := range strings.Fields(value) {
		h, err := parseHost(entry)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", entry, err)
		}
		out = append(out, h)
	}
	if len(out) > maxHosts {
		return nil, fmt.Errorf("it names %d hosts, and at most %d are taken", len(out), maxHosts)
	}
	return out, nil
}

func parseHost(entry string) (Host, error) {
	var h Host
	if i := strings.LastIndex(entry, "=sha"); i >= 0 {
		entry, h.Integrity = entry[:i], entry[i+1:]
		if !integrity.MatchString(h.Integrity) {
			return h, errors.New("expected an integrity of sha256, sha384 or sha512 in base64 behind the =")
		}
	}
	scheme := "https://"
	if rest, ok := strings.CutPrefix(entry, "http://"); ok {
		scheme, entry = "http://", rest
	}
	entry = strings.TrimPrefix(entry, "https://")
	authority, path, slash := strings.Cut(entry, "/")
	if slash {
		h.Path = "/" + path
	}
	host, port, hasPort := strings.Cut(authority, ":")
	addr, notAddr := netip.ParseAddr(host)
	switch {
	case !hostName.MatchString(host) && notAddr != nil:
		return h, errors.New("expected the name of a host in lower case, such as cdn.example.com, without a wildcard")
	case hasPort && !hostPort.MatchString(port):
		return h, errors.New("expected a port, a number, after the colon")
	case scheme == "http://" && (notAddr != nil || !addr.IsLoopback()):
		return h, errors.New("expected https: what comes by http can be changed on its way")
	case h.Path != "" && (!hostPath.MatchString(h.Path) || strings.Contains(h.Path, "//") || strings.Contains(h.Path, "/.")):
		return h, errors.New("expected a path of letters, digits and ._~@+=:/- behind the host")
	case h.Integrity != "" && (h.Path == "" || strings.HasSuffix(h.Path, "/")):
		return h, errors.New("an integrity pins one file: expected the file's path before it")
	}
	h.Origin = scheme + authority
	return h, nil
}
