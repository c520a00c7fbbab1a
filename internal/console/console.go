package console

import (
	"context"
	"encoding/json"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
	"fiducial/internal/signin/accesskey"
	rendered "fiducial/internal/template"
)

// SignIn knows who is there. *accesskey.Service is one.
type SignIn interface {
	SignIn(ctx context.Context, a accesskey.Attempt) (accesskey.Token, error)
	Session(ctx context.Context, t accesskey.Token, o origin.Origin) (accesskey.Session, *iam.Caller, error)
	SignOut(ctx context.Context, t accesskey.Token, session accesskey.Session, caller *iam.Caller, o origin.Origin, agent string) error
}

// API carries out operations for somebody who is signed in here: decided and
// recorded as if the request had come to the API's port. *awsapi.Mux is one.
type API interface {
	Do(ctx context.Context, caller *iam.Caller, service, operation string, input any, agent string) (json.RawMessage, error)
}

// Config is what a console needs.
type Config struct {
	SignIn    SignIn
	API       API
	Logger    *slog.Logger
	Now       func() time.Time
	Assets    fs.FS          // portal.css, workbench.js
	Gallery   fs.FS          // examples of the crowd elements
	Frame     rendered.Frame // what a template reaches when it is tried
	PublicURL string         // of the portal, as people see it
}

// Console serves requesters, below /console.
type Console struct {
	Config
	mux    *http.ServeMux
	cross  *http.CrossOriginProtection
	pages  *template.Template
	styles []byte
	// workbenchJS is the one script.
	workbenchJS []byte
	gallery     []exampleGroup
	origin      string      // of the portal's port
	cookie      http.Cookie // without value
}

// New makes a console.
func New(c Config) (*Console, error) {
	const op = "console.New"
	public, err := url.Parse(c.PublicURL)
	if err != nil || public.Host == "" {
		return nil, fault.Newf(op, fault.Invalid, "the portal's public URL %q is not a URL with a host", c.PublicURL)
	}
	s := &Console{Config: c, cross: http.NewCrossOriginProtection(), mux: http.NewServeMux(), cookie: cookieFor(public), origin: public.Scheme + "://" + public.Host}
	if err := s.cross.AddTrustedOrigin(s.origin); err != nil {
		return nil, fault.E(op, fault.Invalid, "the portal's public URL cannot be an origin", err)
	}
	if s.pages, err = parsePages(); err != nil {
		return nil, err
	}
	if s.gallery, err = loadGallery(c.Gallery); err != nil {
		return nil, err
	}
	portal, err := fs.ReadFile(c.Assets, "portal.css")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	own, err := files.ReadFile("pages/console.css")
	if err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	s.styles = append(append(portal, '\n'), own...)
	if s.workbenchJS, err = fs.ReadFile(c.Assets, "workbench.js"); err != nil {
		return nil, fault.E(op, fault.Internal, "", err)
	}
	for _, r := range routes {
		s.mux.Handle(r.pattern, s.serve(r))
	}
	return s, nil
}

// Covers reports whether a path of the portal's port is the console's.
func Covers(path string) bool { return path == "/console" || strings.HasPrefix(path, "/console/") }

// ServeHTTP implements http.Handler.
func (s *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// cookieFor is the session's cookie for a console at that URL.
func cookieFor(public *url.URL) http.Cookie {
	c := http.Cookie{Name: "fiducial-console", Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
	a, err := netip.ParseAddr(public.Hostname())
	local := err == nil && a.IsLoopback() || public.Hostname() == "localhost" || strings.HasSuffix(public.Hostname(), ".localhost")
	if public.Scheme == "https" || local {
		c.Name, c.Secure = "__Host-fiducial-console", true
	}
	return c
}
