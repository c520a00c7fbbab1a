package portal

import (
	"context"
	"errors"
	"net/http"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/origin"
	"fiducial/internal/signin"
	"fiducial/internal/workforce"
)

// door says who may pass. The zero value lets nobody in but workers.
type door uint8

const (
	worker   door = iota // signed in
	newcomer             // must set a new password
	stranger             // anybody
	open                 // anybody, and no session is looked for
)

// look is how a route answers errors.
type look uint8

const (
	asPage  look = iota
	asJSON       // the page's scripts ask
	asFrame      // within the sandboxed frame
)

// route is one row of the table below.
type route struct {
	pattern string
	door    door
	look    look
	limit   int64 // bytes of request body
	handle  func(*Portal, *visit) (reply, error)
}

const (
	formLimit   = 16 << 10
	answerLimit = labeling.MaxAnswer + 64<<10 // its envelope, and white space
)

// routes are all doors of the portal. A test walks them.
var routes = []route{
	{"GET /assets/{name}", open, asPage, 0, (*Portal).asset},
	{"GET /mirror/{file...}", open, asPage, 0, (*Portal).mirrorFile},
	{"GET /signin", stranger, asPage, 0, (*Portal).signInForm},
	{"POST /signin", stranger, asPage, formLimit, (*Portal).signIn},
	{"GET /new-password", newcomer, asPage, 0, (*Portal).newPasswordForm},
	{"POST /new-password", newcomer, asPage, formLimit, (*Portal).newPassword},
	{"POST /signout", worker, asPage, formLimit, (*Portal).signOut},
	{"GET /{$}", worker, asPage, 0, (*Portal).jobs},
	{"POST /jobs/{job}/start", worker, asPage, formLimit, (*Portal).start},
	{"POST /jobs/{job}/next", worker, asJSON, formLimit, (*Portal).next},
	{"GET /tasks/{assignment}", worker, asPage, 0, (*Portal).task},
	{"GET /tasks/{assignment}/frame", worker, asFrame, 0, (*Portal).taskFrame},
	{"POST /tasks/{assignment}/probe", worker, asJSON, formLimit, (*Portal).probe},
	{"POST /tasks/{assignment}/place", worker, asJSON, formLimit, (*Portal).place},
	{"GET /probe", worker, asFrame, 0, (*Portal).probeDocument},
	{"POST /tasks/{assignment}/draft", worker, asJSON, answerLimit, (*Portal).draft},
	{"POST /tasks/{assignment}/submit", worker, asJSON, answerLimit, (*Portal).submit},
	{"POST /tasks/{assignment}/release", worker, asJSON, formLimit, (*Portal).release},
	{"POST /tasks/{assignment}/decline", worker, asJSON, formLimit, (*Portal).decline},
	{"POST /tasks/{assignment}/stop", worker, asJSON, formLimit, (*Portal).stop},
	{"/", open, asPage, 0, (*Portal).nothing},
}

// visit is a request that has passed its door.
type visit struct {
	*http.Request
	w       http.ResponseWriter // for deadlines only; replies write
	origin  origin.Origin
	since   access.Epoch // from before anything was read
	token   signin.Token
	session signin.Session
	worker  workforce.Worker
	teams   []workforce.Workteam
}

// labeler is the worker as the queue knows workers.
func (v *visit) labeler() labeling.Worker {
	w := labeling.Worker{ID: v.worker.ID}
	for _, t := range v.teams {
		w.Teams = append(w.Teams, t.ARN)
	}
	return w
}

// bodyTime bounds how long a request's body may take to arrive: half a minute,
// and for a long answer as much more as a line of 0.5 Mbit/s needs.
func bodyTime(limit int64) time.Duration {
	return 30*time.Second + time.Duration(limit>>16)*time.Second
}

// serve is the pipeline around every route.
func (p *Portal) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Request: r, w: w, origin: origin.From(r.Context()), since: p.Grants.Epoch()}
		securityHeaders(w.Header())
		if !p.cookie.Secure {
			// Browsers say less of where a request comes from to a plain host: with
			// no-referrer nothing at all, and door 2 would have nothing to go by.
			w.Header().Set("Referrer-Policy", "same-origin")
		}
		out, err := p.pass(rt, v)
		if err == nil {
			out, err = rt.handle(p, v)
		}
		if err != nil {
			out = p.refusal(rt, v, err)
		}
		if err := out.write(p, w, r); err != nil {
			// The headers are gone; all that is left is to say so.
			p.Logger.Debug("a reply was not written", "path", r.URL.Path, "error", err)
		}
	})
}

// pass is doors 1 to 4 of the package documentation.
func (p *Portal) pass(rt route, v *visit) (reply, error) {
	ctx := v.Context()
	switch ok, err := p.Workforce.Admits(ctx, v.origin); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errElsewhere
	}
	changes := v.Method != http.MethodGet && v.Method != http.MethodHead
	if changes {
		if err := p.cross.Check(v.Request); err != nil {
			return nil, fault.E("portal.pass", fault.Denied, "The request did not come from a page of this portal.", err)
		}
		v.Body = http.MaxBytesReader(v.w, v.Body, rt.limit)
		_ = http.NewResponseController(v.w).SetReadDeadline(time.Now().Add(bodyTime(rt.limit)))
	}
	if rt.door == open {
		return nil, nil
	}
	if err := p.recognise(ctx, v); err != nil && !fault.Is(err, fault.Unauthenticated) {
		return nil, err
	}
	switch {
	case rt.door == stranger:
		return nil, nil
	case v.session.Stage == "":
		return nil, errSignIn
	case rt.door == newcomer && v.session.Stage != signin.NewPassword:
		return nil, errSignedIn
	case rt.door == worker && v.session.Stage != signin.SignedIn && v.URL.Path != "/signout":
		return nil, errNewPassword
	}
	if changes {
		return nil, p.checkCSRF(v)
	}
	return nil, nil
}

// recognise finds the session, the worker and the teams of the browser.
func (p *Portal) recognise(ctx context.Context, v *visit) error {
	cookies := v.CookiesNamed(p.cookie.Name)
	if len(cookies) != 1 {
		// None is nobody. Two of one name is somebody's attempt to shadow the
		// first: nobody either.
		return nil
	}
	v.token = signin.Token(cookies[0].Value)
	var err error
	if v.session, v.worker, err = p.SignIn.Session(ctx, v.token); err != nil {
		v.session = signin.Session{}
		return err
	}
	if v.session.Stage == signin.SignedIn {
		v.teams, err = p.Workforce.TeamsOf(ctx, v.worker.ID)
	}
	return err
}

func (p *Portal) checkCSRF(v *visit) error {
	given := v.Header.Get("X-CSRF-Token")
	if given == "" && v.isForm() {
		if err := v.form(); err != nil {
			return err
		}
		given = v.PostForm.Get("csrf")
	}
	if !v.token.CheckCSRF(given) {
		return fault.Coded("portal.checkCSRF", fault.Denied, "BadCSRFToken", "This page is too old. Reload it and try again.")
	}
	return nil
}

func (v *visit) isForm() bool {
	return mediaType(v.Header.Get("Content-Type")) == "application/x-www-form-urlencoded"
}

// form reads a form's fields.
func (v *visit) form() error {
	if !v.isForm() {
		return fault.Newf("portal.form", fault.Invalid, "The request must be a form (application/x-www-form-urlencoded).")
	}
	return tooLong(v.ParseForm())
}

func tooLong(err error) error {
	var tooMany *http.MaxBytesError
	if errors.As(err, &tooMany) {
		return fault.Coded("portal.body", fault.Limit, "RequestTooLarge", "The request is too large.")
	}
	if err != nil {
		return fault.E("portal.body", fault.Invalid, "The request cannot be read.", err)
	}
	return nil
}

// pagePolicy is the Content-Security-Policy of the portal's own pages. frame-src
// 'self' also keeps the frame from navigating itself elsewhere.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// securityHeaders are on every reply; the frame and the assets change some.
func securityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-DNS-Prefetch-Control", "off")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), display-capture=()")
}
