package portal

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"fiducial/internal/access"
	"fiducial/internal/fault"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/signin"
)

// What a door answers to those it does not let pass.
var (
	errElsewhere   = errors.New("the workforce may not come from this address")
	errSignIn      = errors.New("sign in first")
	errSignedIn    = errors.New("signed in already")
	errNewPassword = errors.New("set a new password first")
)

// statuses is the one table of HTTP statuses for kinds of fault.
var statuses = map[fault.Kind]int{
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Denied:          http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Exists:          http.StatusConflict,
	fault.InUse:           http.StatusConflict,
	fault.Limit:           http.StatusRequestEntityTooLarge,
	fault.Precond:         http.StatusPreconditionFailed,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Unsupported:     http.StatusNotImplemented,
	fault.Internal:        http.StatusInternalServerError,
}

// codes are what scripts see where a fault has no code of its own.
var codes = map[int]string{
	400: "BadRequest", 401: "NoSession", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 412: "PreconditionFailed",
	413: "RequestTooLarge", 429: "TooManyRequests", 500: "InternalError", 501: "NotImplemented", 503: "Unavailable",
}

// titles head the error pages.
var titles = map[int]string{
	400: "That did not work", 401: "You are not signed in", 403: "That is not allowed", 404: "There is nothing here",
	409: "This task is over", 413: "That is too large", 429: "Too many attempts", 503: "Try again in a moment",
}

func statusOf(err error) int {
	if fault.CodeOf(err) == signin.CodeTooMany {
		return http.StatusTooManyRequests
	}
	return statuses[fault.KindOf(err)]
}

// refusal turns an error into what the route shows.
func (p *Portal) refusal(rt route, v *visit, err error) reply {
	switch {
	case errors.Is(err, errElsewhere):
		if rt.look == asJSON {
			return failure{http.StatusNotFound, access.CodeNotAdmitted, notAdmitted(v.origin)}
		}
		return elsewhere{v.origin.String()}
	case errors.Is(err, errSignedIn):
		return redirect{"/"}
	case errors.Is(err, errSignIn), errors.Is(err, errNewPassword):
		to := "/new-password"
		if errors.Is(err, errSignIn) {
			to = signInPath(v)
		}
		if rt.look == asJSON {
			return failure{http.StatusUnauthorized, "NoSession", "You are not signed in any more."}
		}
		return redirect{to}
	}
	status := statusOf(err)
	if status >= 500 {
		p.Logger.Error("a portal request failed", "method", v.Method, "path", v.URL.Path, "worker", v.worker.ID, "error", err)
	}
	message := sentence(fault.MessageOf(err))
	switch rt.look {
	case asJSON:
		code := fault.CodeOf(err)
		if code == "" {
			code = codes[status]
		}
		return failure{status, code, message}
	case asFrame:
		if code := fault.CodeOf(err); code == access.CodeNotAdmitted || code == access.CodeNoBrowser {
			return p.accessNote(status, message)
		}
		return p.frameNote(status, message)
	}
	title := titles[status]
	if title == "" {
		title = "Something went wrong"
	}
	if fault.CodeOf(err) == queue.CodeNoTask || fault.CodeOf(err) == queue.CodeJobEnded {
		return redirect{"/?note=" + noteFor(err)}
	}
	return page{"error", status, v, errorPage{status, title, message}}
}

type errorPage struct {
	Status         int
	Title, Message string
}

// sentence makes a fault's message one.
func sentence(m string) string {
	r, n := utf8.DecodeRuneInString(m)
	m = string(unicode.ToUpper(r)) + m[n:]
	if !strings.HasSuffix(m, ".") {
		m += "."
	}
	return m
}

// nextPaths are where sign-in may lead: nothing a stranger could choose.
var nextPaths = regexp.MustCompile(`^/tasks/[A-Za-z0-9_-]{1,64}$`)

func signInPath(v *visit) string {
	if v.Method == http.MethodGet && nextPaths.MatchString(v.URL.Path) {
		return "/signin?next=" + url.QueryEscape(v.URL.Path)
	}
	return "/signin"
}

func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}
