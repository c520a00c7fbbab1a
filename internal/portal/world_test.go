package portal_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/envelope"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/origin"
	"fiducial/internal/portal"
	"fiducial/internal/signin"
	"fiducial/internal/signin/local"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
	"fiducial/internal/workforce"
	"fiducial/web"
)

const password = "Correct-Horse-9"

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// minted takes what is asked of access and answers with a URL that names it.
type minted struct {
	mu    sync.Mutex
	asked []access.Request
	ended []access.Subject
	err   error // of each
	lost  error // of their record
	base  string
}

func (m *minted) ForTask(_ context.Context, r access.Request, render func(access.Minter) error) error {
	if err := render(func(_ context.Context, bucket, key string) (string, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		r.Bucket, r.Key = bucket, key
		m.asked = append(m.asked, r)
		return m.base + "/" + bucket + "/" + url.PathEscape(key) + "?X-Amz-Expires=60&X-Amz-Signature=00", m.err
	}); err != nil {
		return err
	}
	return m.lost
}

func (m *minted) Revoke(_ context.Context, _ string, subjects ...access.Subject) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = append(m.ended, subjects...)
	return nil
}

func (m *minted) Epoch() access.Epoch { return 7 }

func (m *minted) last() access.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.asked) == 0 {
		return access.Request{}
	}
	return m.asked[len(m.asked)-1]
}

// news takes every "something ended", from whomever.
type news struct{}

func (news) Changed(context.Context, string, ...workforce.Change) error { return nil }
func (news) Running(context.Context, string) (bool, error)              { return false, nil }
func (news) Ended(context.Context, string, ...string) error             { return nil }

type record struct {
	mu     sync.Mutex
	events []audit.Event
}

func (r *record) Record(_ context.Context, e *audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, *e)
	return nil
}

func (r *record) find(action string, v audit.Verdict) (audit.Event, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.events) - 1; i >= 0; i-- {
		if e := r.events[i]; e.Action == action && e.Verdict == v {
			return e, true
		}
	}
	return audit.Event{}, false
}

// world is a portal over real services and a real database.
type world struct {
	t         *testing.T
	server    *httptest.Server
	portal    *portal.Portal
	workforce *workforce.Service
	signin    *signin.Service
	passwords *local.Service
	queue     *queue.Service
	labeling  *store.Labeling
	grants    *minted
	places    *access.Places
	bound     map[string]bool // work teams whose media open only in the worker's browser
	record    *record
	clock     *clock
	pool      string
	client    string
	team      workforce.Workteam
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db := storetest.SQLite(t)
	w := &world{t: t, record: &record{}, clock: &clock{t: time.Now().UTC().Truncate(time.Second)}, labeling: store.NewLabeling(db)}
	ctx := context.Background()
	w.workforce = workforce.New(workforce.Config{Store: store.NewWorkforce(db), Changes: news{}, Jobs: news{},
		Region: "us-east-1", Account: "000000000000", PortalHost: "127.0.0.1", Now: w.clock.now, Random: rand.Reader})
	pool, err := w.workforce.CreatePool(ctx, workforce.UserPool{Name: "pool", Policy: workforce.DefaultPolicy})
	w.must(err)
	w.pool = pool.ID
	client, err := w.workforce.CreateClient(ctx, workforce.UserPoolClient{Pool: pool.ID, Name: "portal"}, false)
	w.must(err)
	w.client = client.ID
	_, err = w.workforce.CreateWorkforce(ctx, workforce.NewWorkforce{Name: "wf", UserPool: pool.ID, ClientID: client.ID})
	w.must(err)
	w.team = w.newTeam("labelers", &workforce.WorkerAccess{SourceIP: workforce.Enabled})
	w.passwords, err = local.New(local.Config{Store: store.NewSignin(db), Directory: w.workforce, Now: w.clock.now, Parameters: local.Parameters{Memory: 64, Time: 1, Threads: 1}})
	w.must(err)
	w.signin = signin.New(signin.Config{Store: store.NewSignin(db), Workers: w.workforce, Passwords: w.passwords, Recorder: w.record, Now: w.clock.now, Random: rand.Reader})
	w.queue = queue.New(w.labeling, news{}, w.clock.now, rand.Reader, slog.New(slog.DiscardHandler))
	w.grants = &minted{base: "http://127.0.0.1:9000"}
	w.bound = map[string]bool{}
	keys, err := envelope.New()
	w.must(err)
	w.places = access.NewPlaces(access.PlacesOptions{Store: store.NewPlaces(db), Keys: keys, Grants: w.grants, Admits: w.workforce,
		Audit: w.record, Account: "000000000000", Now: w.clock.now, Rand: rand.Reader})
	w.serve(nil)
	return w
}

// serve starts the portal the way the server package does: the origin of each
// request is established first, and by trusted hops only.
func (w *world) serve(trusted []string) {
	w.t.Helper()
	resolver, err := origin.NewResolver(trusted)
	w.must(err)
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		o := resolver.Resolve(r.RemoteAddr, r.TLS != nil, r.Header)
		w.portal.ServeHTTP(rw, r.WithContext(origin.With(r.Context(), o)))
	}))
	dist, err := fs.Sub(web.Dist, "dist")
	w.must(err)
	w.portal, err = portal.New(portal.Config{
		SignIn: w.signin, Workforce: w.workforce, Queue: w.queue, Grants: w.grants, Places: w.places, Recorder: w.record,
		BrowserBound: func(_ context.Context, team string) (bool, error) { return w.bound[team], nil },
		Logger:       slog.New(slog.DiscardHandler), Now: w.clock.now, Assets: dist,
		PublicURL: "http://" + w.server.Listener.Addr().String(), MediaURL: w.grants.base,
	})
	w.must(err)
	w.server.Start()
	w.t.Cleanup(w.server.Close)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newTeam(name string, a *workforce.WorkerAccess) workforce.Workteam {
	w.t.Helper()
	ctx := context.Background()
	_, err := w.workforce.CreateGroup(ctx, workforce.Group{Pool: w.pool, Name: name})
	w.must(err)
	team, err := w.workforce.CreateWorkteam(ctx, workforce.NewWorkteam{Name: name, Description: name, Access: a,
		Members: []workforce.MemberDefinition{{UserPool: w.pool, Group: name, ClientID: w.client}}})
	w.must(err)
	return team
}

// worker makes a person of a group with a password.
func (w *world) worker(email, group string) workforce.Worker {
	w.t.Helper()
	ctx := context.Background()
	p, err := w.workforce.CreateWorker(ctx, workforce.NewWorker{Pool: w.pool, Username: email})
	w.must(err)
	w.must(w.passwords.SetPassword(ctx, p.ID, password, true))
	w.must(w.workforce.AddToGroup(ctx, w.pool, email, group))
	return p
}

const plainTemplate = `<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><p>{{ task.input.source }}</p><img src="{{ task.input.picture | grant_read_access }}"><crowd-input name="caption"></crowd-input></crowd-form>`

// job makes a job in progress of n objects for a team.
func (w *world) job(name string, team workforce.Workteam, n int, template string) {
	w.t.Helper()
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"source":"text %d <&>","picture":"s3://pictures/p%d.jpg"}`, i, i))
	}
	w.jobOf(labeling.Spec{LabelingJobName: name, UITemplateS3URI: "s3://bucket/t.liquid",
		TaskTitle: "Describe <it>", TaskDescription: "Say what you see"}, team, template, nil, lines...)
}

func (w *world) jobOf(s labeling.Spec, team workforce.Workteam, template string, labels []byte, lines ...string) {
	w.t.Helper()
	ctx := context.Background()
	s.Account, s.Region, s.LabelAttributeName = "000000000000", "us-east-1", "label"
	s.ManifestS3URI, s.S3OutputPath, s.RoleARN = "s3://bucket/in.manifest", "s3://bucket/out", "arn:aws:iam::000000000000:role/labeler"
	s.WorkteamARN, s.NumberOfHumanWorkersPerDataObject, s.TaskTimeLimitInSeconds = team.ARN, 1, 600
	if labels != nil {
		s.LabelCategoryConfigURI = "s3://bucket/labels.json"
	}
	j, err := labeling.NewJob(s, w.clock.now(), rand.Reader)
	w.must(err)
	w.must(w.labeling.Create(ctx, j))
	_, err = w.labeling.Claim(ctx, "test", w.clock.now(), w.clock.now().Add(24*time.Hour))
	w.must(err)
	rows := make([]engine.Line, len(lines))
	for i, l := range lines {
		rows[i].Text = l
	}
	h := engine.Hold{Job: j.ID, Owner: "test"}
	w.must(w.labeling.Append(ctx, h, 0, rows))
	w.must(w.labeling.Start(ctx, h, engine.Started{Template: template, LabelConfig: labels, Total: int64(len(lines)), Now: w.clock.now()}))
}

// browser is a plain HTTP client that keeps one cookie and follows nothing.
type browser struct {
	w      *world
	cookie string
	csrf   string
	client *http.Client
	header http.Header // added to every request
}

func (w *world) browser() *browser { return w.browserFrom("127.0.0.1") }

// browserFrom connects from another loopback address.
func (w *world) browserFrom(addr string) *browser {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	return &browser{w: w, header: http.Header{}, client: &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type response struct {
	*http.Response
	body string
}

func (b *browser) do(method, path, contentType string, body io.Reader, header http.Header) response {
	b.w.t.Helper()
	r, err := http.NewRequest(method, b.w.server.URL+path, body)
	b.w.must(err)
	for _, h := range []http.Header{b.header, header} {
		for k, v := range h {
			r.Header[k] = v
		}
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if b.cookie != "" {
		r.Header.Add("Cookie", "__Host-fiducial="+b.cookie)
	}
	res, err := b.client.Do(r)
	b.w.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	b.w.must(err)
	for _, c := range res.Cookies() {
		if c.Name == "__Host-fiducial" {
			b.cookie = c.Value
		}
	}
	out := response{res, string(text)}
	if m := csrfMeta.FindStringSubmatch(out.body); m != nil {
		b.csrf = m[1]
	}
	return out
}

var csrfMeta = regexp.MustCompile(`<meta name="csrf-token" content="([^"]+)">`)

func (b *browser) get(path string) response { b.w.t.Helper(); return b.do("GET", path, "", nil, nil) }

func (b *browser) form(path string, fields ...string) response {
	b.w.t.Helper()
	v := url.Values{"csrf": {b.csrf}}
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return b.do("POST", path, "application/x-www-form-urlencoded", strings.NewReader(v.Encode()), nil)
}

func (b *browser) json(path, body string) response {
	b.w.t.Helper()
	return b.do("POST", path, "application/json", strings.NewReader(body), http.Header{"X-Csrf-Token": {b.csrf}})
}

// signIn signs in and reads the list of jobs.
func (b *browser) signIn(email string) *browser {
	b.w.t.Helper()
	if r := b.form("/signin", "email", email, "password", password); r.StatusCode != http.StatusSeeOther {
		b.w.t.Fatalf("sign-in of %s: %s\n%s", email, r.Status, r.body)
	}
	if r := b.get("/"); r.StatusCode != http.StatusOK || b.csrf == "" {
		b.w.t.Fatalf("jobs: %s", r.Status)
	}
	return b
}

// take starts a task and returns its assignment's id.
func (b *browser) take(job string) string {
	b.w.t.Helper()
	r := b.form("/jobs/" + job + "/start")
	id, ok := strings.CutPrefix(r.Header.Get("Location"), "/tasks/")
	if r.StatusCode != http.StatusSeeOther || !ok {
		b.w.t.Fatalf("start: %s to %q\n%s", r.Status, r.Header.Get("Location"), r.body)
	}
	return id
}

func (r response) want(t *testing.T, status int, holds ...string) {
	t.Helper()
	if r.StatusCode != status {
		t.Errorf("%s %s: %s, want %d\n%s", r.Request.Method, r.Request.URL.Path, r.Status, status, r.body)
	}
	for _, h := range holds {
		if !strings.Contains(r.body, h) {
			t.Errorf("%s %s: no %q in\n%s", r.Request.Method, r.Request.URL.Path, h, r.body)
		}
	}
}

func (r response) wantTo(t *testing.T, where string) {
	t.Helper()
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != where {
		t.Errorf("%s %s: %s to %q, want 303 to %q", r.Request.Method, r.Request.URL.Path, r.Status, r.Header.Get("Location"), where)
	}
}

func (r response) json(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%s: %v in %s", r.Request.URL.Path, err, r.body)
	}
}
