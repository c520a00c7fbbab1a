package portal

import (
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"strings"

	"fiducial/internal/fault"
	"fiducial/internal/origin"
)

// probeScript is the bundle of the frame that asks.
const probeScript = "probe.js"

// probePolicy is the Content-Security-Policy of that frame: its script may speak
// to the media endpoint and to nobody else.
func probePolicy(portal, media string) string {
	return "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'self' " + portal + "/assets/; connect-src " + media +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'self' " + portal
}

type probeFrame struct{}

func (probeFrame) write(p *Portal, w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.probeCSP)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	_, err := io.WriteString(w, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Origin</title><script src="`+
		html.EscapeString(p.assetURL(probeScript))+`"></script></head></html>`)
	return err
}

// Witness seals what the media endpoint has seen. *access.Places does.
type Witness interface {
	Witness(ticket string, o origin.Origin, browser string) (string, error)
}

// ProbeOptions is what a Probe needs.
type ProbeOptions struct {
	Witness Witness
	Cookie  string                   // name of the cookie with the browser's secret
	Digest  func(http.Header) string // digest of the secret that a request carries, "" for none
	Rand    io.Reader
}

// Probe is the media endpoint's side of finding out where a worker is. It stands
// on the API port, under ProbePath, because only there can be seen where media
// will be asked for from.
//
// It is for the sandboxed frame of the portal's page, whose origin is "null", and
// answers no other: so a browser that visits the address has no secret made for
// it outside the partition where it belongs. Whoever else sends the header, a
// program for example, gets a statement about themselves, which is good for
// nothing but the sign-in that the ticket is for.
type Probe struct{ ProbeOptions }

// NewProbe makes a Probe.
func NewProbe(o ProbeOptions) *Probe { return &Probe{o} }

// secretBytes is how many random bytes tell a browser from all others.
const secretBytes = 32

// ServeHTTP answers a ticket with a statement. If the browser's secret is asked
// for and there is none, it makes one and has the browser ask again: a statement
// names a secret only when the browser has shown that it keeps it.
func (p *Probe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Vary", "Origin")
	if r.Method != http.MethodGet {
		h.Set("Allow", http.MethodGet)
		p.refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "Probes are GET requests.")
		return
	}
	if from := r.Header["Origin"]; len(from) != 1 || from[0] != "null" {
		p.refuse(w, http.StatusForbidden, "NotAProbe", "Probes come from the portal's page.")
		return
	}
	h.Set("Access-Control-Allow-Origin", "null")
	h.Set("Access-Control-Allow-Credentials", "true")
	q := r.URL.Query()
	digest := p.Digest(r.Header)
	statement, err := p.Witness.Witness(q.Get("ticket"), origin.From(r.Context()), digest)
	if err != nil {
		p.refuse(w, statuses[fault.KindOf(err)], fault.CodeOf(err), fault.MessageOf(err))
		return
	}
	again := false
	if q.Get("browser") != "" && digest == "" {
		if err := p.keepSecret(w); err != nil {
			p.refuse(w, http.StatusInternalServerError, "InternalError", "Something went wrong.")
			return
		}
		again = true
	}
	_ = writeJSON(w, http.StatusOK, struct {
		Statement string `json:"statement"`
		Again     bool   `json:"again"` // a secret was given out just now
	}{statement, again})
}

func (p *Probe) keepSecret(w http.ResponseWriter) error {
	var b [secretBytes]byte
	if _, err := io.ReadFull(p.Rand, b[:]); err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: p.Cookie, Value: base64.RawURLEncoding.EncodeToString(b[:]), Path: "/",
		Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode, Partitioned: true,
	})
	return nil
}

func (p *Probe) refuse(w http.ResponseWriter, status int, code, message string) {
	_ = failure{status, code, strings.TrimSpace(message)}.write(nil, w, nil)
}
