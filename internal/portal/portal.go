package portal

import (
	"context"
	"encoding/json"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/origin"
	"fiducial/internal/signin"
	rendered "fiducial/internal/template"
	"fiducial/internal/workforce"
)

// SignIn knows who is there. *signin.Service is one.
type SignIn interface {
	SignIn(ctx context.Context, a signin.Attempt) (signin.Session, signin.Token, error)
	SetNewPassword(ctx context.Context, t signin.Token, p signin.Password, agent string) (signin.Session, signin.Token, error)
	Session(ctx context.Context, t signin.Token) (signin.Session, workforce.Worker, error)
	SignOut(ctx context.Context, t signin.Token) error
}

// Workforce knows teams. *workforce.Service is one.
type Workforce interface {
	Admits(ctx context.Context, o origin.Origin) (bool, error)
	TeamsOf(ctx context.Context, workerID string) ([]workforce.Workteam, error)
}

// Queue hands out tasks. *queue.Service is one.
type Queue interface {
	Offers(ctx context.Context, w labeling.Worker) ([]labeling.Offer, error)
	Take(ctx context.Context, w labeling.Worker, job string) (labeling.Assignment, error)
	Get(ctx context.Context, w labeling.Worker, id string) (labeling.Assignment, error)
	SaveDraft(ctx context.Context, w labeling.Worker, id string, draft json.RawMessage) error
	Submit(ctx context.Context, w labeling.Worker, id string, answer json.RawMessage) error
	Release(ctx context.Context, w labeling.Worker, id string) error
	Decline(ctx context.Context, w labeling.Worker, id string) error
	StopForNow(ctx context.Context, w labeling.Worker, id string) error
}

// Grants makes media URLs. *access.Service is one.
type Grants interface {
	// Epoch is taken before the worker's rights are read, and goes into every
	// ForTask after: what is taken away in between ends the grants too.
	Epoch() access.Epoch
	// ForTask lets render make the grants of a task. They are on record when it
	// returns nil, and what was rendered may leave the server then.
	ForTask(ctx context.Context, r access.Request, render func(access.Minter) error) error
}

// Config is what a portal needs.
type Config struct {
	SignIn    SignIn
	Workforce Workforce
	Queue     Queue
	Grants    Grants
	Places    Places
	Recorder  audit.Recorder
	Logger    *slog.Logger
	Now       func() time.Time

	// BrowserBound reports whether a work team's media open only in the worker's
	// own browser.
	BrowserBound func(ctx context.Context, teamARN string) (bool, error)

	// TemplateHosts are the hosts that the templates of a work team may load from.
	// Nil: none.
	TemplateHosts func(ctx context.Context, teamARN string) ([]rendered.Host, error)
	Mirror        fs.FS // copies of files of the network, host/path; nil for none

	Assets fs.FS // crowd-html-elements.js, crowd-segmentation.js, portal.js, portal.css, probe.js

	PublicURL string   // of the portal, as workers see it
	MediaURL  string   // of the API, where media URLs lead
	S3Domain  string   // virtual-host style domain of the API; may be empty
	Sources   []string // further hosts that templates may load from; default none
}

// Portal serves workers.
type Portal struct {
	Config
	mux    *http.ServeMux
	cross  *http.CrossOriginProtection
	pages  *template.Template
	assets map[string]*asset
	cookie http.Cookie    // without value
	origin string         // of this portal, as workers see it
	frame  rendered.Frame // what every task's frame may reach
	media  string         // origin of the media endpoint

	probeCSP string   // Content-Security-Policy of the frame that asks the media endpoint
	hosts    []string // S3 hosts that grant_read_access takes
}

// New makes a portal.
func New(c Config) (*Portal, error) {
	const op = "portal.New"
	public, err := url.Parse(c.PublicURL)
	if err != nil || public.Host == "" {
		return nil, fault.Newf(op, fault.Invalid, "the portal's public URL %q is not a URL with a host", c.PublicURL)
	}
	media, err := url.Parse(c.MediaURL)
	if err != nil || media.Host == "" {
		return nil, fault.Newf(op, fault.Invalid, "the API's public URL %q is not a URL with a host", c.MediaURL)
	}
	p := &Portal{Config: c, cross: http.NewCrossOriginProtection(), cookie: cookieFor(public)}
	if err := p.cross.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fault.E(op, fault.Invalid, "the portal's public URL cannot be an origin", err)
	}
	p.hosts = []string{media.Host}
	p.media = media.Scheme + "://" + media.Host
	p.origin = public.Scheme + "://" + public.Host
	p.probeCSP = probePolicy(p.origin, p.media)
	sources := []string{p.media}
	if c.S3Domain != "" {
		p.hosts = append(p.hosts, c.S3Domain)
		sources = append(sources, media.Scheme+"://*."+c.S3Domain)
	}
	if p.assets, err = loadAssets(c.Assets); err != nil {
		return nil, err
	}
	// Media of other stores may be shown and not fetched: their hosts serve
	// everybody's buckets.
	p.frame = rendered.Frame{Origin: p.origin, Script: p.assetURL(crowdScript), Segmentation: p.assetURL(segmentationScript), Fetch: sources, Media: slices.Concat(sources, c.Sources)}
	if c.Mirror != nil {
		p.frame.Mirror = p.mirrored
	}
	if p.pages, err = p.parsePages(); err != nil {
		return nil, err
	}
	p.mux = http.NewServeMux()
	for _, r := range routes {
		p.mux.Handle(r.pattern, p.serve(r))
	}
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// cookieFor is the session cookie for a portal at that URL.
func cookieFor(public *url.URL) http.Cookie {
	c := http.Cookie{Name: "fiducial", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if public.Scheme == "https" || loopback(public.Hostname()) {
		c.Name, c.Secure = "__Host-fiducial", true
	}
	return c
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
