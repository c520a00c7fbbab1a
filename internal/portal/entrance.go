package portal

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/origin"
	"fiducial/internal/workforce"
)

// Doorkeeper knows whom the portal answers. *workforce.Service is one.
type Doorkeeper interface {
	Admission(ctx context.Context, o origin.Origin) (workforce.Admission, error)
}

// Entrance stands before a portal: whoever may not come from where they do gets
// a page that says why, and a record, and reaches nothing behind it.
type Entrance struct {
	Next       http.Handler
	Doorkeeper Doorkeeper
	Recorder   audit.Recorder
	Logger     *slog.Logger
	Now        func() time.Time
}

//go:embed pages/closed.html
var closedPage string

var closed = template.Must(template.New("closed").Parse(closedPage))

// ServeHTTP implements http.Handler.
func (e *Entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := origin.From(r.Context())
	a, err := e.Doorkeeper.Admission(r.Context(), o)
	switch {
	case err != nil:
		e.Logger.Error("nobody knows whom the portal answers", "error", err)
		securityHeaders(w.Header())
		http.Error(w, fault.MessageOf(err), http.StatusServiceUnavailable)
		return
	case a.OK:
		e.Next.ServeHTTP(w, r)
		return
	}
	record := &audit.Event{Time: e.Now(), Kind: audit.SignIn, Action: "portal:Enter", Verdict: audit.Deny, Statement: a.Setting, Reason: a.Reason,
		Origin: o.String(), Method: r.Method, Status: http.StatusNotFound, Agent: r.UserAgent()}
	if err := e.Recorder.Record(r.Context(), record); err != nil {
		e.Logger.Error("a refusal is not on record", "error", err)
	}
	if mediaType(r.Header.Get("Accept")) == "application/json" {
		// A page's script, whose worker has moved: the page goes on showing the work.
		securityHeaders(w.Header())
		_ = failure{http.StatusNotFound, access.CodeNotAdmitted, notAdmitted(o)}.write(nil, w, r)
		return
	}
	var b bytes.Buffer
	_ = closed.Execute(&b, struct{ Reason, Address string }{a.Reason, o.String()}) // to memory, of two strings
	securityHeaders(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(b.Bytes())
}
