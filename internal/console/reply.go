package console

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/signin/accesskey"
)

//go:embed pages
var files embed.FS

func parsePages() (*template.Template, error) {
	t, err := template.New("").Funcs(template.FuncMap{"when": when, "bytes": size, "join": strings.Join, "last": last}).ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fault.E("console.New", fault.Internal, "", err)
	}
	return t, nil
}

// last is the part of an ARN that says who, such as user/ana.
func last(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// reply is what a handler wants sent.
type reply interface {
	write(s *Console, v *visit, w http.ResponseWriter) error
}

type page struct {
	name   string
	status int
	title  string
	data   any
}

// pageData is what every page sees.
type pageData struct {
	Title, Path, User, CSRF string
	Data                    any
}

func (o page) write(s *Console, v *visit, w http.ResponseWriter) error {
	d := pageData{Title: o.title, Path: v.URL.Path, Data: o.data}
	if v.caller != nil {
		d.User, d.CSRF = v.caller.ARN, v.token.CSRF()
	}
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, o.name+".html", d); err != nil {
		s.Logger.Error("a page could not be made", "page", o.name, "error", err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(o.status)
	_, err := w.Write(b.Bytes())
	return err
}

// scripted is a page with a script, by its path; nothing else may run in it.
type scripted struct {
	page
	script string
}

func (o scripted) write(s *Console, v *visit, w http.ResponseWriter) error {
	w.Header().Set("Content-Security-Policy", pagePolicy+"; script-src "+s.origin+o.script)
	return o.page.write(s, v, w)
}

// redirect sends a browser on, always to GET.
type redirect struct{ to string }

func (o redirect) write(_ *Console, v *visit, w http.ResponseWriter) error {
	http.Redirect(w, v.Request, o.to, http.StatusSeeOther)
	return nil
}

// withCookie is a redirect that sets the session's cookie; an empty token takes
// it away.
type withCookie struct {
	token accesskey.Token
	to    string
}

func (o withCookie) write(s *Console, v *visit, w http.ResponseWriter) error {
	c := s.cookie
	c.Value = string(o.token)
	if o.token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, &c)
	return redirect{o.to}.write(s, v, w)
}

// asset is a file that pages load.
type asset struct {
	kind string
	body []byte
}

func (o asset) write(_ *Console, _ *visit, w http.ResponseWriter) error {
	w.Header().Set("Content-Type", o.kind+"; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=300")
	_, err := w.Write(o.body)
	return err
}

func (s *Console) stylesheet(*visit) (reply, error) { return asset{"text/css", s.styles}, nil }

func (s *Console) script(*visit) (reply, error) { return asset{"text/javascript", s.workbenchJS}, nil }

func (s *Console) nothing(*visit) (reply, error) {
	return nil, fault.Newf("console", fault.NotFound, "There is no such page.")
}

var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.Unauthenticated: http.StatusUnauthorized, fault.Denied: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Exists: http.StatusConflict, fault.InUse: http.StatusConflict,
	fault.Limit: http.StatusRequestEntityTooLarge, fault.Precond: http.StatusPreconditionFailed,
	fault.Unavailable: http.StatusServiceUnavailable, fault.Unsupported: http.StatusNotImplemented, fault.Internal: http.StatusInternalServerError,
}

var titles = map[int]string{
	400: "That did not work", 403: "Your policies do not allow that", 404: "There is nothing here", 413: "That is too large", 503: "Try again in a moment",
}

type errorPage struct {
	Code    int
	Message string
}

// refusal is an error as a page.
func (s *Console) refusal(v *visit, err error) reply {
	if err == errSignIn || fault.Is(err, fault.Unauthenticated) {
		v.caller = nil
		if v.Method == http.MethodGet || v.Method == http.MethodHead {
			return redirect{"/console/signin"}
		}
		return page{"error", http.StatusUnauthorized, "You are not signed in", errorPage{http.StatusUnauthorized, "Sign in and try again."}}
	}
	status := statuses[fault.KindOf(err)]
	if status >= 500 {
		s.Logger.Error("console", "path", v.URL.Path, "error", err)
	}
	title := titles[status]
	if title == "" {
		title = "Something went wrong"
	}
	return page{"error", status, title, errorPage{status, fault.MessageOf(err)}}
}

// when writes an instant, in UTC.
func when(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

func size(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KiB"
	case n < 1<<30:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
	}
	return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GiB"
}
