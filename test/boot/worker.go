package boot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Worker is somebody at the portal, as far as HTTP goes: what a browser sends
// without the browser. Pages and elements are tested with a real one.
type Worker struct {
	Portal string
	Client *http.Client

	cookie string
	csrf   string
}

// NewWorker is a worker whose connections come from the address (empty: the
// system's choice), signed in.
func NewWorker(portal, from, email, password string) (*Worker, error) {
	return SignInOver(portal, From(from), email, password)
}

// SignInOver is a worker who uses the client, signed in.
func SignInOver(portal string, c *http.Client, email, password string) (*Worker, error) {
	w := &Worker{Portal: portal, Client: c}
	res, err := w.Do("POST", "/signin", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"email": {email}, "password": {password}}.Encode()))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("sign in: status %d", res.StatusCode)
	}
	return w, w.token()
}

// From is a client whose connections come from the address and which follows
// no redirect and verifies no certificate chain (tests make their own).
func From(addr string) *http.Client {
	d := &net.Dialer{Timeout: 10 * time.Second}
	if addr != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(addr)}
	}
	return &http.Client{
		Timeout:       time.Minute,
		Transport:     &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do sends a request with the worker's cookie and CSRF token.
func (w *Worker) Do(method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequest(method, w.Portal+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if w.cookie != "" {
		// net/http's jar keeps Secure cookies from plain HTTP; browsers make an
		// exception for loopback.
		req.Header.Set("Cookie", w.cookie)
	}
	if w.csrf != "" {
		req.Header.Set("X-CSRF-Token", w.csrf)
	}
	res, err := w.Client.Do(req)
	if err != nil {
		return nil, err
	}
	for _, c := range res.Cookies() {
		if strings.HasSuffix(c.Name, "fiducial") {
			w.cookie = c.Name + "=" + c.Value
		}
	}
	return res, nil
}

// Page returns the body of a page and its status.
func (w *Worker) Page(path string) (string, int, error) {
	res, err := w.Do("GET", path, "", nil)
	if err != nil {
		return "", 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), res.StatusCode, err
}

var csrfMeta = regexp.MustCompile(`<meta name="csrf-token" content="([^"]+)"`)

func (w *Worker) token() error {
	page, status, err := w.Page("/")
	if err != nil {
		return err
	}
	m := csrfMeta.FindStringSubmatch(page)
	if m == nil {
		return fmt.Errorf("the jobs page (status %d) has no CSRF token", status)
	}
	w.csrf = m[1]
	return nil
}

// Form is the body of a form of the portal that asks for nothing else.
func (w *Worker) Form() string { return url.Values{"csrf": {w.csrf}}.Encode() }

// Start takes a task of the job and returns its assignment id, or "" if the
// job has none for this worker now.
func (w *Worker) Start(job string) (string, error) {
	res, err := w.Do("POST", "/jobs/"+job+"/start", "application/x-www-form-urlencoded", strings.NewReader(w.Form()))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	at := res.Header.Get("Location")
	if id, ok := strings.CutPrefix(at, "/tasks/"); ok {
		return id, nil
	}
	if res.StatusCode == http.StatusSeeOther || res.StatusCode == http.StatusNotFound {
		return "", nil
	}
	return "", fmt.Errorf("start: status %d", res.StatusCode)
}

var mediaURL = regexp.MustCompile(`https?://[^"'\s<>]+X-Amz-Signature=[0-9a-f]{64}[^"'\s<>]*`)

// Frame returns the rendered template of the assignment and the media URLs in it.
func (w *Worker) Frame(assignment string) (page string, media []string, err error) {
	page, status, err := w.Page("/tasks/" + assignment + "/frame")
	if err != nil {
		return "", nil, err
	}
	if status != http.StatusOK {
		return page, nil, fmt.Errorf("frame: status %d", status)
	}
	for _, m := range mediaURL.FindAllString(page, -1) {
		media = append(media, html.UnescapeString(m))
	}
	return page, media, nil
}

// Next is what the portal says after a task ends.
type Next struct {
	Next    *struct{ Assignment string }
	JobDone bool
}

// Post sends JSON to /tasks/{assignment}/{what}.
func (w *Worker) Post(assignment, what string, body any) (status int, next Next, err error) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, next, err
	}
	res, err := w.Do("POST", "/tasks/"+assignment+"/"+what, "application/json", bytes.NewReader(b))
	if err != nil {
		return 0, next, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		return res.StatusCode, next, err
	}
	if res.StatusCode == http.StatusOK {
		err = json.Unmarshal(out, &next)
	}
	return res.StatusCode, next, err
}

// Submit sends an answer.
func (w *Worker) Submit(assignment string, answer any) (int, Next, error) {
	return w.Post(assignment, "submit", map[string]any{"answer": answer})
}
