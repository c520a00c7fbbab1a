package sagemakerapi

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/labeling/review"
	"fiducial/internal/origin"
)

// LinksPath is the path below which links to templates lead, on the API's own host.
// No bucket can have that name.
const LinksPath = "/.fiducial/human-task-ui/"

// LinkLife is how long a link may be used.
const LinkLife = 15 * time.Minute

const linkPurpose = "fiducial human task ui "

// Sealer seals small texts; *envelope.Keyset is one.
type Sealer interface {
	Seal(plaintext []byte, purpose string) (string, error)
	Open(sealed, purpose string) ([]byte, error)
}

// Links are the presigned URLs under which DescribeHumanTaskUi shows templates. A
// link is sealed: it names one template in one version, the origin of whoever asked
// for it, and its end. Whoever else opens it, or later, gets 403; and all other
// requests for the path do too. So a link shows nothing that its maker was not
// allowed to describe, from where they did.
type Links struct {
	Keys      Sealer
	Templates Templates
	Audit     audit.Recorder
	URL       string // of the API
	Account   string
	Now       func() time.Time
	Log       *slog.Logger
}

// link is what a token says.
type link struct {
	Name    string `json:"n"`
	SHA256  string `json:"s"`
	Origin  string `json:"o"`
	Expires int64  `json:"e"` // Unix seconds
}

// Make makes the link of a template for an origin.
func (l *Links) Make(u review.TaskUI, from origin.Origin) (string, error) {
	b, err := json.Marshal(link{u.Name, u.SHA256, from.String(), l.Now().Add(LinkLife).Unix()})
	if err != nil {
		return "", fault.E("sagemakerapi.Links", fault.Internal, "", err)
	}
	token, err := l.Keys.Seal(b, linkPurpose+l.Account)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(l.URL, "/") + LinksPath + u.Name + "?token=" + token, nil
}

// ServeHTTP answers a link with the template's text, never as a page of this host.
func (l *Links) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "Links to templates are for GET.", http.StatusMethodNotAllowed)
		return
	}
	u, why, err := l.open(r)
	e := &audit.Event{Time: l.Now(), Kind: audit.API, Action: "fiducial:OpenHumanTaskUi", Verdict: audit.Allow, Resource: u.Name,
		Origin: origin.From(r.Context()).String(), Agent: r.UserAgent()}
	if why != "" {
		e.Verdict, e.Reason, e.Error = audit.Deny, why, "AccessDenied"
	}
	if err == nil {
		err = l.Audit.Record(r.Context(), e)
	}
	switch {
	case err != nil:
		l.Log.ErrorContext(r.Context(), "a link to a template was not answered", "error", err)
		http.Error(w, "Try again later.", http.StatusServiceUnavailable)
	case why != "":
		http.Error(w, "Access denied. A link to a template opens for 15 minutes, at the address that it was made for.", http.StatusForbidden)
	default:
		h.Set("Content-Length", strconv.Itoa(len(u.Content)))
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(u.Content)) // a client that went away is no fault of ours
		}
	}
}

// open is the template that a request may see, or why it may not.
func (l *Links) open(r *http.Request) (u review.TaskUI, why string, err error) {
	raw, err := l.Keys.Open(r.URL.Query().Get("token"), linkPurpose+l.Account)
	var k link
	if err == nil {
		err = json.Unmarshal(raw, &k)
	}
	if err != nil {
		return u, "the token is none of this server's", nil
	}
	switch {
	case r.URL.Path != LinksPath+k.Name:
		return u, "the token is for another template", nil
	case origin.From(r.Context()).String() != k.Origin:
		return u, "the link was made for another origin", nil
	case l.Now().Unix() >= k.Expires:
		return u, "the link has expired", nil
	}
	u, err = l.Templates.TaskUI(r.Context(), k.Name)
	if fault.Is(err, fault.NotFound) || err == nil && u.SHA256 != k.SHA256 {
		return review.TaskUI{}, "the template is not there any more", nil
	}
	return u, "", err
}
