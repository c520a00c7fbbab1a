// Package console tests the requester's console from outside, over HTTP.
package console

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

// browser is what a browser keeps of the console, and where it comes from.
type browser struct {
	t       *testing.T
	s       *boot.Server
	c       *http.Client
	cookies []string
	csrf    string
}

func newBrowser(t *testing.T, s *boot.Server, from string) *browser {
	return &browser{t: t, s: s, c: boot.From(from)}
}

type answer struct {
	status int
	to     string // where it redirects
	body   string
	header http.Header
}

func (b *browser) send(method, path string, form url.Values, header map[string]string) answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, b.s.Portal+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.cookies {
		req.Header.Add("Cookie", c)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := b.c.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.Name == "__Host-fiducial-console" {
			if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" {
				b.t.Errorf("the cookie is %+v", c)
			}
			b.cookies = nil
			if c.MaxAge >= 0 && c.Value != "" {
				b.cookies = []string{c.Name + "=" + c.Value}
			}
		}
	}
	if m := csrfField.FindStringSubmatch(string(text)); m != nil {
		b.csrf = m[1]
	}
	return answer{res.StatusCode, res.Header.Get("Location"), string(text), res.Header}
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (b *browser) get(path string) answer { b.t.Helper(); return b.send("GET", path, nil, nil) }

func (b *browser) signIn(id, secret string) answer {
	b.t.Helper()
	a := b.send("POST", "/console/signin", url.Values{"access-key-id": {id}, "secret-access-key": {secret}}, nil)
	if a.status == http.StatusSeeOther {
		b.get("/console")
	}
	return a
}

func (a answer) want(t *testing.T, what string, status int, words ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: status %d, want %d: %.300s", what, a.status, status, a.body)
	}
	for _, w := range words {
		if !strings.Contains(a.body+a.to, w) {
			t.Errorf("%s: the answer does not say %q: %s %.2000s", what, w, a.to, a.body)
		}
	}
}

var (
	ana = boot.Account{Email: "ana@example.com", Password: "Correct-horse-1"}
	ben = boot.Account{Email: "ben@example.com", Password: "Battery-staple-2"}
)

func newServer(t *testing.T) *boot.Server {
	t.Helper()
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{ana, ben}, SourceIP: true, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"Cat"}, Objects: 2, Workers: 1}}})
	return s
}

// key makes an IAM user with a policy and an access key.
func key(t *testing.T, s *boot.Server, user, policy string) (id, secret string) {
	t.Helper()
	boot.Must(t)(s.AWS("iam", "create-user", "--user-name", user))
	if policy != "" {
		boot.Must(t)(s.AWS("iam", "put-user-policy", "--user-name", user, "--policy-name", "p", "--policy-document", policy))
	}
	var out struct {
		AccessKey struct{ AccessKeyId, SecretAccessKey string }
	}
	if err := json.Unmarshal([]byte(boot.Must(t)(s.AWS("iam", "create-access-key", "--user-name", user, "--output", "json"))), &out); err != nil {
		t.Fatal(err)
	}
	return out.AccessKey.AccessKeyId, out.AccessKey.SecretAccessKey
}

// What a requester does: the jobs, one of them, why somebody cannot see a
// picture, ending the URLs of a worker, and the record of it all.
func TestConsole(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w, err := boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password)
	if err != nil {
		t.Fatal(err)
	}
	assignment, err := w.Start("boxes")
	if err != nil {
		t.Fatal(err)
	}
	_, media, err := w.Frame(assignment)
	if err != nil || len(media) != 1 {
		t.Fatalf("%d media URLs, %v", len(media), err)
	}
	open := func(from string) int {
		res, err := boot.From(from).Get(media[0])
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	if here, there := open("127.0.0.1"), open("127.0.0.2"); here != 200 || there != 403 {
		t.Fatalf("the worker gets %d, a stranger %d", here, there)
	}
	u, err := url.Parse(media[0])
	if err != nil {
		t.Fatal(err)
	}
	object := "s3:/" + u.Path

	b := newBrowser(t, s, "127.0.0.1")
	b.get("/console").want(t, "before signing in", http.StatusSeeOther, "/console/signin")
	b.signIn(boot.AccessKeyID, boot.SecretAccessKey).want(t, "sign in", http.StatusSeeOther, "/console")
	b.get("/console").want(t, "jobs", 200, `data-job="boxes"`, "InProgress", "0 of 2", "Bounding boxes")
	b.get("/console/jobs/boxes").want(t, "job", 200, "s3://input/boxes.manifest", "SourceIp", "Title of boxes", "Bounding boxes")
	b.get("/console/jobs/nothing").want(t, "a job that is not there", 404)
	q := url.Values{"worker": {ana.Email}, "job": {"boxes"}, "object": {object}, "from": {"127.0.0.1"}}
	b.get("/console/access?"+q.Encode()).want(t, "explain, the worker's address", 200, `data-allowed="true"`)
	q.Set("opened-from", "127.0.0.1")
	q.Set("from", "127.0.0.2")
	b.get("/console/access?"+q.Encode()).want(t, "explain, another address", 200, `data-allowed="false"`, "aws:SourceIp", "To change")
	q.Set("from", "nonsense")
	b.get("/console/access?"+q.Encode()).want(t, "explain, no address", 400, "SourceIp", "nonsense")
	q.Set("worker", "nobody")
	q.Set("from", "127.0.0.1")
	b.get("/console/access?"+q.Encode()).want(t, "explain, nobody", 400, "nobody")

	revoke := func(v url.Values) answer {
		v.Set("csrf", b.csrf)
		return b.send("POST", "/console/revoke", v, nil)
	}
	revoke(url.Values{"what": {"worker"}, "value": {ana.Email}, "reason": {"test"}}).want(t, "not sure", 400, "Nothing was ended")
	revoke(url.Values{"what": {"worker"}, "value": {ana.Email}, "sure": {"yes"}}).want(t, "no reason", 400, "Nothing was ended")
	revoke(url.Values{"what": {"worker"}, "value": {"nobody"}, "reason": {"test"}, "sure": {"yes"}}).want(t, "nobody", 400, "nobody")
	if got := open("127.0.0.1"); got != 200 {
		t.Fatalf("nothing was to be ended: %d", got)
	}
	revoke(url.Values{"what": {"worker"}, "value": {ana.Email}, "reason": {"test"}, "sure": {"yes"}}).want(t, "revoke", 200, "Ended")
	for deadline := time.Now().Add(time.Second); open("127.0.0.1") != 403; {
		if time.Now().After(deadline) {
			t.Fatal("the URL opens a second after it was revoked")
		}
	}
	b.get("/console/record").want(t, "the record", 200, object, "127.0.0.2", "Worth a look")
	b.get("/console/record?from=yesterday").want(t, "the record of no day", 400, "From", "yesterday")

	b.send("POST", "/console/signout", url.Values{"csrf": {b.csrf}}, nil).want(t, "sign out", http.StatusSeeOther, "/console/signin")
	b.get("/console").want(t, "after signing out", http.StatusSeeOther, "/console/signin")
	if strings.Contains(s.Log()+audit(t, s), boot.SecretAccessKey) {
		t.Error("the secret is in the log or the record")
	}
	for _, want := range []string{"console:SignIn", "console:SignOut", "sagemaker:ListLabelingJobs", "fiducial:ExplainAccess", "fiducial:RevokeAccess", "fiducial:GetAccessReport"} {
		if !strings.Contains(audit(t, s), want) {
			t.Errorf("%s is not on record", want)
		}
	}
}

func audit(t *testing.T, s *boot.Server) string {
	t.Helper()
	var all strings.Builder
	err := filepath.Walk(filepath.Join(s.DataDir, "audit"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Who may not pass.
func TestConsoleDoors(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	pages := []string{"/console", "/console/", "/console/jobs/boxes", "/console/access", "/console/access?worker=a&job=b&object=s3://c/d&from=127.0.0.1", "/console/record"}
	forms := []string{"/console/revoke", "/console/signout"}
	outside := func(what string, b *browser) {
		t.Helper()
		for _, p := range pages {
			a := b.get(p)
			a.want(t, what+": "+p, http.StatusSeeOther, "/console/signin")
			if strings.Contains(a.body, "boxes") {
				t.Errorf("%s: %s tells of the job", what, p)
			}
		}
		for _, p := range forms {
			b.send("POST", p, url.Values{"csrf": {b.csrf}}, nil).want(t, what+": "+p, http.StatusUnauthorized)
		}
	}
	good := newBrowser(t, s, "127.0.0.1")
	good.signIn(boot.AccessKeyID, boot.SecretAccessKey).want(t, "sign in", http.StatusSeeOther)
	session := good.cookies[0]
	name, token, _ := strings.Cut(session, "=")
	with := func(from string, cookies ...string) *browser {
		b := newBrowser(t, s, from)
		b.cookies, b.csrf = cookies, good.csrf
		return b
	}
	outside("nobody", newBrowser(t, s, "127.0.0.1"))
	outside("another address with the cookie", with("127.0.0.2", session))
	outside("two cookies", with("127.0.0.1", session+"; "+name+"=x"))
	outside("another token", with("127.0.0.1", name+"="+strings.Repeat("A", len(token))))
	outside("a token that is longer", with("127.0.0.1", session+"A"))
	outside("no token", with("127.0.0.1", name+"="))
	outside("the cookie under another name", with("127.0.0.1", "fiducial-console="+token))
	outside("the worker portal's cookie name", with("127.0.0.1", "__Host-fiducial="+token))
	for _, h := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"} {
		value := "127.0.0.1"
		if h == "Forwarded" {
			value = "for=127.0.0.1"
		}
		with("127.0.0.2", session).send("GET", "/console", nil, map[string]string{h: value}).want(t, h, http.StatusSeeOther, "/console/signin")
	}
	good.get("/console").want(t, "the session itself", 200, "boxes")

	// Neither side's session is worth anything on the other.
	w, err := boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password)
	if err != nil {
		t.Fatal(err)
	}
	if page, status, err := w.Page("/console"); err != nil || status != http.StatusSeeOther {
		t.Errorf("a worker at the console: %d, %v: %.100s", status, err, page)
	}
	if a := with("127.0.0.1", session).get("/"); a.status == 200 {
		t.Errorf("a requester at the portal: %d", a.status)
	}

	// Forms: the session's own token, from this site.
	form := func(csrf string) url.Values {
		return url.Values{"csrf": {csrf}, "what": {"all"}, "reason": {"attack"}, "sure": {"yes"}}
	}
	good.send("POST", "/console/revoke", form(""), nil).want(t, "no CSRF token", 403)
	good.send("POST", "/console/revoke", form(token), nil).want(t, "the session token as CSRF token", 403)
	good.send("POST", "/console/revoke", form(good.csrf), map[string]string{"Origin": "https://evil.example"}).want(t, "another site", 403)
	good.send("POST", "/console/revoke", form(good.csrf), map[string]string{"Origin": "null"}).want(t, "a sandboxed frame", 403)
	good.send("POST", "/console/revoke", form(good.csrf), map[string]string{"Sec-Fetch-Site": "cross-site"}).want(t, "cross-site", 403)
	good.send("GET", "/console/revoke?"+form(good.csrf).Encode(), nil, nil).want(t, "by GET", 404)
	good.send("GET", "/console/revoke", nil, map[string]string{"X-HTTP-Method-Override": "POST"}).want(t, "a method in a header", 404)
	big := form(good.csrf)
	big.Set("reason", strings.Repeat("x", 64<<10))
	good.send("POST", "/console/revoke", big, nil).want(t, "a form too large", 400)
	if strings.Contains(audit(t, s), "fiducial:RevokeAccess") {
		t.Error("something was revoked")
	}

	// What is asked is shown as text.
	const script = `"><script>alert(1)</script>`
	for _, p := range []string{"/console/access?worker=" + url.QueryEscape(script) + "&job=x&object=s3://a/b&from=127.0.0.1",
		"/console/record?worker=" + url.QueryEscape(script), "/console/jobs/" + url.PathEscape(script), "/console?next=" + url.QueryEscape(script)} {
		a := good.get(p)
		if strings.Contains(a.body, "<script") {
			t.Errorf("%s: a script in the page", p)
		}
		if csp := a.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: %s", p, csp)
		}
	}
	for _, p := range []string{"/console/../tasks/x", "/console/%2e%2e/signin", "/console//evil.example", "/console/signin/x"} {
		if a := newBrowser(t, s, "127.0.0.1").get(p); a.status == 200 || strings.HasPrefix(a.to, "//") || strings.Contains(a.to, "evil.example") && !strings.HasPrefix(a.to, "/console/") {
			t.Errorf("%s: %d %s", p, a.status, a.to)
		}
	}
}

// Policies hold here as everywhere, and a key that is taken away takes the
// session with it.
func TestConsoleAsksThePolicies(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id, secret := key(t, s, "lister", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sagemaker:ListLabelingJobs","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.1"}}}]}`)
	b := newBrowser(t, s, "127.0.0.1")
	b.signIn(id, secret).want(t, "sign in", http.StatusSeeOther)
	b.get("/console").want(t, "what the policy allows", 200, "boxes", "user/lister")
	b.get("/console/jobs/boxes").want(t, "what it does not", 403, "sagemaker:DescribeLabelingJob")
	b.get("/console/record").want(t, "the record", 403, "fiducial:GetAccessReport")
	b.send("POST", "/console/revoke", url.Values{"csrf": {b.csrf}, "what": {"all"}, "reason": {"r"}, "sure": {"yes"}}, nil).want(t, "revoke", 403, "fiducial:RevokeAccess")
	there := newBrowser(t, s, "127.0.0.2")
	there.signIn(id, secret).want(t, "sign in elsewhere", http.StatusSeeOther)
	there.get("/console").want(t, "elsewhere than the policy's address", 403, "sagemaker:ListLabelingJobs")

	boot.Must(t)(s.AWS("iam", "update-access-key", "--user-name", "lister", "--access-key-id", id, "--status", "Inactive"))
	b.get("/console").want(t, "with the key inactive", http.StatusSeeOther, "/console/signin")
	b.signIn(id, secret).want(t, "sign in with it", http.StatusUnauthorized)
}

// Unknown keys and wrong secrets get the same answer, and not for ever.
func TestConsoleSignInTells(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newBrowser(t, s, "127.0.0.3")
	unknown := b.signIn("AKIAAAAAAAAAAAAAAAAA", "x")
	wrong := b.signIn(boot.AccessKeyID, "x")
	unknown.want(t, "unknown key", http.StatusUnauthorized)
	if a, b := strings.ReplaceAll(unknown.body, "AKIAAAAAAAAAAAAAAAAA", "KEY"), strings.ReplaceAll(wrong.body, boot.AccessKeyID, "KEY"); a != b || wrong.status != unknown.status {
		t.Errorf("an unknown key gets\n%s\na wrong secret\n%s", a, b)
	}
	for range 8 {
		b.signIn(boot.AccessKeyID, "x")
	}
	b.signIn(boot.AccessKeyID, boot.SecretAccessKey).want(t, "the eleventh attempt", http.StatusTooManyRequests)
	newBrowser(t, s, "127.0.0.1").signIn(boot.AccessKeyID, boot.SecretAccessKey).want(t, "its owner elsewhere", http.StatusSeeOther)
}
