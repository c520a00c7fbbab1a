package portal

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/signin"
)

// reply is what a handler wants sent. Everything that can fail does so before
// the first header.
type reply interface {
	write(p *Portal, w http.ResponseWriter, r *http.Request) error
}

//go:embed pages/*.html
var pageFiles embed.FS

func (p *Portal) parsePages() (*template.Template, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"asset":    p.assetURL,
		"duration": duration,
	}).ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fault.E("portal.New", fault.Internal, "", err)
	}
	return t, nil
}

// page is one of the portal's own.
type page struct {
	name   string
	status int
	visit  *visit
	data   any
}

// pageData is what every page template sees.
type pageData struct {
	CSRF   string
	Worker string // empty: nobody is signed in
	Data   any
}

func (o page) write(p *Portal, w http.ResponseWriter, _ *http.Request) error {
	d := pageData{Data: o.data}
	if o.visit.session.Stage != "" {
		d.CSRF = o.visit.token.CSRF()
	}
	if o.visit.session.Stage == signin.SignedIn {
		d.Worker = o.visit.worker.Name()
	}
	var b bytes.Buffer
	if err := p.pages.ExecuteTemplate(&b, o.name+".html", d); err != nil {
		p.Logger.Error("a page could not be made", "page", o.name, "error", err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(o.status)
	_, err := w.Write(b.Bytes())
	return err
}

// redirect sends a browser on, always to GET.
type redirect struct{ to string }

func (o redirect) write(_ *Portal, w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, o.to, http.StatusSeeOther)
	return nil
}

// signedIn is a redirect that sets the session's cookie; an empty token takes
// the cookie away.
type signedIn struct {
	token signin.Token
	to    string
}

func (o signedIn) write(p *Portal, w http.ResponseWriter, r *http.Request) error {
	c := p.cookie
	c.Value = string(o.token)
	if o.token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, &c)
	return redirect{o.to}.write(p, w, r)
}

// answer is JSON for the page's scripts. nil is 204.
type answer struct{ body any }

func (o answer) write(_ *Portal, w http.ResponseWriter, _ *http.Request) error {
	if o.body == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return writeJSON(w, http.StatusOK, o.body)
}

// failure is an error for the page's scripts.
type failure struct {
	status        int
	code, message string
}

func (o failure) write(_ *Portal, w http.ResponseWriter, _ *http.Request) error {
	type inner struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	return writeJSON(w, o.status, struct {
		Error inner `json:"error"`
	}{inner{o.code, o.message}})
}

func writeJSON(w http.ResponseWriter, status int, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "{}", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(b)
	return err
}

// elsewhere is for those whom the workforce's CIDRs keep out. It needs nothing
// else from the portal, since they would not get it.
type elsewhere struct{ address string }

func (o elsewhere) write(p *Portal, w http.ResponseWriter, _ *http.Request) error {
	var b bytes.Buffer
	if err := p.pages.ExecuteTemplate(&b, "elsewhere.html", o.address); err != nil {
		http.Error(w, "Not found.", http.StatusNotFound)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, err := w.Write(b.Bytes())
	return err
}

// duration writes a time limit as people say it.
func duration(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	switch {
	case d < 2*time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case minutes < 60:
		return strconv.Itoa(minutes) + " min"
	case minutes%60 == 0:
		return strconv.Itoa(minutes/60) + " h"
	}
	return strconv.Itoa(minutes/60) + " h " + strconv.Itoa(minutes%60) + " min"
}
