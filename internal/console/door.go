package console

import (
	"context"
	"net/http"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/iam"
	"fiducial/internal/origin"
	"fiducial/internal/signin/accesskey"
)

// route is one row of the table below. All but those that are open need a
// session.
type route struct {
	pattern string
	open    bool
	handle  func(*Console, *visit) (reply, error)
}

// routes are all doors of the console. A test walks them.
var routes = []route{
	{"GET /console/console.css", true, (*Console).stylesheet},
	{"GET " + workbenchScript, true, (*Console).script},
	{"GET /console/signin", true, (*Console).signInForm},
	{"POST /console/signin", true, (*Console).signIn},
	{"POST /console/signout", false, (*Console).signOut},
	{"GET /console", false, (*Console).jobs},
	{"GET /console/{$}", false, (*Console).jobs},
	{"GET /console/jobs/{job}", false, (*Console).job},
	{"POST /console/jobs/{job}/admit", false, (*Console).admit},
	{"GET /console/reviews", false, (*Console).reviews},
	{"GET /console/reviews/{flow}", false, (*Console).flow},
	{"GET /console/access", false, (*Console).access},
	{"POST /console/revoke", false, (*Console).revoke},
	{"GET /console/record", false, (*Console).record},
	{"GET /console/elements", false, (*Console).elements},
	{"GET /console/elements/{tag}", false, (*Console).element},
	{"GET /console/workbench", false, (*Console).workbench},
	{"POST /console/workbench/preview", false, (*Console).preview},
	{"/console/", true, (*Console).nothing},
}

const (
	formLimit = 16 << 10
	bodyTime  = 30 * time.Second
)

// visit is a request that has passed its door.
type visit struct {
	*http.Request
	origin  origin.Origin
	token   accesskey.Token
	session accesskey.Session
	caller  *iam.Caller
}

var errSignIn = fault.Newf("console.pass", fault.Unauthenticated, "Sign in first.")

// serve is the pipeline around every route.
func (s *Console) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		securityHeaders(w.Header())
		v := &visit{Request: r, origin: origin.From(r.Context())}
		out, err := s.pass(w, rt, v)
		if err == nil && out == nil {
			out, err = rt.handle(s, v)
		}
		if err != nil {
			out = s.refusal(v, err)
		}
		if err := out.write(s, v, w); err != nil {
			s.Logger.Debug("a reply was not written", "path", r.URL.Path, "error", err)
		}
	})
}

func (s *Console) pass(w http.ResponseWriter, rt route, v *visit) (reply, error) {
	changes := v.Method != http.MethodGet && v.Method != http.MethodHead
	if changes {
		if err := s.cross.Check(v.Request); err != nil {
			return nil, fault.E("console.pass", fault.Denied, "The request did not come from a page of this console.", err)
		}
		limit := int64(formLimit)
		if v.URL.Path == "/console/workbench/preview" {
			limit = workbenchLimit
		}
		v.Body = http.MaxBytesReader(w, v.Body, limit)
		_ = http.NewResponseController(w).SetReadDeadline(s.Now().Add(bodyTime))
		if err := v.ParseForm(); err != nil {
			return nil, fault.E("console.pass", fault.Invalid, "The form cannot be read, or is too large.", err)
		}
	}
	switch err := s.recognise(v.Context(), v); {
	case err != nil && !fault.Is(err, fault.Unauthenticated):
		return nil, err
	case err != nil && !rt.open:
		return nil, errSignIn
	}
	if changes && !rt.open && !v.token.CheckCSRF(v.PostForm.Get("csrf")) {
		return nil, fault.Newf("console.pass", fault.Denied, "This page is too old. Reload it and try again.")
	}
	return nil, nil
}

// recognise finds whose session the browser has.
func (s *Console) recognise(ctx context.Context, v *visit) error {
	cookies := v.CookiesNamed(s.cookie.Name)
	if len(cookies) != 1 {
		return errSignIn // two of one name is somebody's attempt to shadow the first
	}
	token := accesskey.Token(cookies[0].Value)
	session, caller, err := s.SignIn.Session(ctx, token, v.origin)
	if err != nil {
		return err
	}
	v.token, v.session, v.caller = token, session, caller
	return nil
}

// pagePolicy is the policy of every page. None has a script but the workbench.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// securityHeaders are on every reply.
func securityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
