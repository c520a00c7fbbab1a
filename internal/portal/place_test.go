package portal_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/labeling"
	"fiducial/internal/origin"
	"fiducial/internal/portal"
	"fiducial/internal/workforce"
)

var probeAttr = regexp.MustCompile(`data-probe="([^"]*)"`)

// probeOf is what the task's page asks the media endpoint.
func (b *browser) probeOf(id string) string {
	b.w.t.Helper()
	m := probeAttr.FindStringSubmatch(b.get("/tasks/" + id).body)
	if m == nil {
		b.w.t.Fatal("the page has no data-probe")
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

type said struct {
	Statement string
	Again     bool
	Error     struct{ Code, Message string }
}

// endpoint is the media endpoint as far as it answers probes. The digest of a
// secret is the secret here: the real one is s3api's.
func (w *world) endpoint() *portal.Probe {
	return portal.NewProbe(portal.ProbeOptions{Witness: w.places, Cookie: "__Host-fiducial-browser", Rand: rand.Reader,
		Digest: func(h http.Header) string {
			_, v, _ := strings.Cut(h.Get("Cookie"), "__Host-fiducial-browser=")
			return v
		}})
}

func (w *world) ask(probe, from, cookie string) (*httptest.ResponseRecorder, said) {
	w.t.Helper()
	r := httptest.NewRequest("GET", probe, nil)
	r.Header.Set("Origin", "null")
	if cookie != "" {
		r.Header.Set("Cookie", "__Host-fiducial-browser="+cookie)
	}
	rec := httptest.NewRecorder()
	o := origin.Origin{}
	if from != "" {
		o.Addr = netip.MustParseAddr(from)
	}
	w.endpoint().ServeHTTP(rec, r.WithContext(origin.With(r.Context(), o)))
	var s said
	if err := json.Unmarshal(rec.Body.Bytes(), &s); err != nil {
		w.t.Fatalf("%v in %s", err, rec.Body)
	}
	return rec, s
}

func (b *browser) settle(id, statement string) response {
	b.w.t.Helper()
	return b.json("/tasks/"+id+"/place", `{"statement":"`+statement+`"}`)
}

// The portal is reached by one address and the media by another: grants are bound
// to the latter, for built-in templates as for custom ones.
func TestDualStack(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("custom", w.team, 2, plainTemplate)
	w.jobOf(labeling.Spec{LabelingJobName: "builtin", TaskTitle: "Boxes",
		HumanTaskUIARN: "", PreHumanTaskLambdaARN: "arn:aws:lambda:us-east-1:432418664414:function:PRE-ImageMultiClass",
		AnnotationConsolidationLambdaARN: "arn:aws:lambda:us-east-1:432418664414:function:ACS-ImageMultiClass"},
		w.team, "", []byte(`{"labels":[{"label":"Day"},{"label":"Night"}]}`), `{"source-ref":"s3://pictures/x.jpg"}`)
	b := w.browser().signIn("ada@example.com")
	for _, job := range []string{"custom", "builtin"} {
		id := b.take(job)
		probe := b.probeOf(id)
		if !strings.HasPrefix(probe, "http://127.0.0.1:9000/.fiducial/origin?ticket=") {
			t.Fatalf("%s: probe %q", job, probe)
		}
		_, s := w.ask(probe, "192.0.2.44", "")
		b.settle(id, s.Statement).want(t, 200, `{"address":"192.0.2.44","moved":false}`)
		b.get("/tasks/"+id+"/frame").want(t, 200, "X-Amz-Signature")
		asked := w.grants.last()
		if asked.Media.Addr.String() != "192.0.2.44" || asked.Origin.Addr.String() != "127.0.0.1" || asked.Grant.Place == "" || asked.Reach().Addr.String() != "192.0.2.44" || !asked.Binding.SourceIP {
			t.Errorf("%s: asked for %+v", job, asked)
		}
		if e, ok := w.record.find("portal:LocateWorker", audit.Allow); !ok || e.Origin != "127.0.0.1" || e.MediaAddr != "192.0.2.44" || e.Place != asked.Grant.Place || e.Job != job {
			t.Errorf("%s: record %+v", job, e)
		}
		b.json("/tasks/"+id+"/release", `{}`).want(t, 200)
	}
}

// Where the media endpoint cannot be asked, the portal's own view counts.
func TestWithoutProbe(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 2, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	b.settle(id, "").want(t, 200, `"address":"127.0.0.1"`)
	b.get("/tasks/"+id+"/frame").want(t, 200)
	asked := w.grants.last()
	if asked.Media.Known() || asked.Origin.Addr.String() != "127.0.0.1" || asked.Grant.Place == "" {
		t.Errorf("asked for %+v", asked)
	}
}

// The worker moves: same assignment, same draft, the former place's grants end.
func TestRoaming(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 2, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	_, s := w.ask(b.probeOf(id), "192.0.2.44", "")
	b.settle(id, s.Statement).want(t, 200)
	b.get("/tasks/"+id+"/frame").want(t, 200)
	first := w.grants.last().Grant.Place
	b.json("/tasks/"+id+"/draft", `{"answer":{"caption":"half"}}`).want(t, 204)

	elsewhere := w.browserFrom("127.0.0.3")
	elsewhere.cookie, elsewhere.csrf = b.cookie, b.csrf
	var again struct{ Probe string }
	elsewhere.json("/tasks/"+id+"/probe", `{}`).json(t, &again)
	_, s = w.ask(again.Probe, "198.51.100.9", "")
	elsewhere.settle(id, s.Statement).want(t, 200, `{"address":"198.51.100.9","moved":true}`)
	elsewhere.get("/tasks/"+id+"/frame").want(t, 200)
	asked := w.grants.last()
	if asked.Media.Addr.String() != "198.51.100.9" || asked.Grant.Place == first || len(w.grants.ended) != 1 || w.grants.ended[0] != (access.Subject{Kind: access.OfPlace, ID: first}) {
		t.Errorf("asked for %+v, ended %v", asked, w.grants.ended)
	}
	e, ok := w.record.find("portal:LocateWorker", audit.Allow)
	if !ok || e.Origin != "127.0.0.3" || e.MediaAddr != "198.51.100.9" || e.FormerMedia != "192.0.2.44" {
		t.Errorf("record %+v", e)
	}
	elsewhere.get("/tasks/"+id).want(t, 200, `{"caption":"half"}`)

	// Outside the networks nothing is renewed, and the page is told which address.
	cidrs := []string{"127.0.0.1/32", "198.51.100.0/24"}
	_, err := w.workforce.UpdateWorkforce(context.Background(), "wf", workforce.WorkforceUpdate{CIDRs: &cidrs})
	w.must(err)
	elsewhere.json("/tasks/"+id+"/probe", `{}`).want(t, 404, `"code":"AddressNotAdmitted"`, "127.0.0.3")
	elsewhere.settle(id, "").want(t, 404, `"code":"AddressNotAdmitted"`)
}

// What a page cannot settle.
func TestPlaceRefusals(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.worker("eve@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	ada, eve := w.browser().signIn("ada@example.com"), w.browser().signIn("eve@example.com")
	id, hers := ada.take("words"), eve.take("words")
	statement := func(b *browser, id, from string) string {
		_, s := w.ask(b.probeOf(id), from, "")
		return s.Statement
	}
	good := statement(ada, id, "127.0.0.9")
	for _, tc := range []struct {
		name, statement string
		b               *browser
		id, code        string
	}{
		{"another worker's statement", statement(eve, hers, "127.0.0.9"), ada, id, "InvalidStatement"},
		{"one's own, brought by another", statement(ada, id, "127.0.0.9"), eve, hers, "InvalidStatement"},
		{"a ticket", regexp.MustCompile(`ticket=([^&]+)`).FindStringSubmatch(ada.probeOf(id))[1], ada, id, "InvalidStatement"},
		{"nonsense", "nonsense", ada, id, "InvalidStatement"},
		{"changed", good[:30] + another(good[30]) + good[31:], ada, id, "InvalidStatement"},
		{"another's task", good, eve, id, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := tc.b.settle(tc.id, tc.statement)
			if tc.code == "" {
				r.want(t, 404)
				return
			}
			r.want(t, 403, `"code":"`+tc.code+`"`)
			if e, ok := w.record.find("portal:LocateWorker", audit.Deny); !ok || e.Error != tc.code {
				t.Errorf("record %+v", e)
			}
		})
	}
	ada.settle(id, good).want(t, 200)
	ada.settle(id, good).want(t, 403, `"code":"StaleStatement"`)
	ada.json("/tasks/"+id+"/place", `{"statement":7}`).want(t, 400)
	ada.json("/tasks/"+id+"/place", `{"statement":"`+strings.Repeat("x", 20_000)+`"}`).want(t, 413)

	// The media side must be within the networks too, when it is settled and when
	// the task is rendered.
	cidrs := []string{"127.0.0.0/8"}
	_, err := w.workforce.UpdateWorkforce(context.Background(), "wf", workforce.WorkforceUpdate{CIDRs: &cidrs})
	w.must(err)
	ada.settle(id, statement(ada, id, "192.0.2.44")).want(t, 403, `"code":"AddressNotAdmitted"`, "192.0.2.44")
	ada.settle(id, statement(ada, id, "127.0.0.9")).want(t, 200)
	cidrs = []string{"127.0.0.1/32"}
	_, err = w.workforce.UpdateWorkforce(context.Background(), "wf", workforce.WorkforceUpdate{CIDRs: &cidrs})
	w.must(err)
	ada.get("/tasks/"+id+"/frame").want(t, 403, "127.0.0.9", "may not work from")
}

// A place that was settled a while ago is not rendered at: the URL is bound to
// where the worker is when the task is rendered, not where they once were.
func TestOldPlaceIsNotRendered(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 5, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	_, s := w.ask(b.probeOf(id), "192.0.2.44", "")
	b.settle(id, s.Statement).want(t, 200)
	w.clock.add(access.FreshFor + time.Second)
	b.get("/tasks/"+id+"/frame").want(t, 200)
	if asked := w.grants.last(); asked.Media.Known() || asked.Reach().Addr.String() != "127.0.0.1" {
		t.Errorf("asked for %+v", asked)
	}
	w.clock.add(time.Minute)
	_, late := w.ask(b.probeOf(id), "192.0.2.44", "")
	w.clock.add(access.ProbeLife)
	b.settle(id, late.Statement).want(t, 403, `"code":"StaleStatement"`)
}

// Teams that bind nothing ask nothing, and their tasks need no place.
func TestUnboundTeamAsksNothing(t *testing.T) {
	w := newWorld(t)
	team := w.newTeam("unbound", nil)
	w.worker("ada@example.com", "unbound")
	w.job("words", team, 2, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	if probe := b.probeOf(id); probe != "" {
		t.Errorf("asks %q", probe)
	}
	b.get("/tasks/"+id+"/frame").want(t, 200)
	if asked := w.grants.last(); asked.Grant.Place != "" || asked.Binding != (access.Binding{}) {
		t.Errorf("asked for %+v", asked)
	}
}

// A team with browser binding: no secret, no media, and a plain word about it.
func TestBrowserBinding(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 3, plainTemplate)
	w.bound[w.team.ARN] = true
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	b.get("/tasks/"+id+"/frame").want(t, 403, "only in your own browser", "Allow cookies")
	if _, ok := w.record.find("portal:LocateWorker", audit.Deny); !ok {
		t.Error("the refusal is not on record")
	}
	b.settle(id, "").want(t, 403, `"code":"BrowserNotBound"`)

	probe := b.probeOf(id)
	if u, err := url.Parse(probe); err != nil || u.Query().Get("browser") != "1" {
		t.Fatalf("probe %q", probe)
	}
	rec, s := w.ask(probe, "127.0.0.1", "")
	cookie := rec.Result().Cookies()
	if !s.Again || len(cookie) != 1 || len(cookie[0].Value) != 43 {
		t.Fatalf("%+v, %v", s, cookie)
	}
	if got := rec.Header().Get("Set-Cookie"); got != "__Host-fiducial-browser="+cookie[0].Value+"; Path=/; HttpOnly; Secure; SameSite=None; Partitioned" {
		t.Errorf("the cookie is %s", got)
	}
	if strings.Contains(rec.Body.String(), cookie[0].Value) {
		t.Error("scripts can read the secret")
	}
	// A browser that was given a secret and does not show it has not kept it.
	b.settle(id, s.Statement).want(t, 403, `"code":"BrowserNotBound"`)

	rec, s = w.ask(b.probeOf(id), "127.0.0.1", cookie[0].Value)
	if s.Again || len(rec.Result().Cookies()) != 0 {
		t.Errorf("a secret is given out to who has one: %+v", s)
	}
	b.settle(id, s.Statement).want(t, 200)
	b.get("/tasks/"+id+"/frame").want(t, 200, `data-media="credentials"`)
	if asked := w.grants.last(); asked.Grant.Browser != cookie[0].Value || !asked.Binding.SourceIP {
		t.Errorf("asked for %+v", asked)
	}
	// Two secrets are two browsers, hence two places.
	_, s = w.ask(b.probeOf(id), "127.0.0.1", "another")
	b.settle(id, s.Statement).want(t, 200, `"moved":true`)
}

// What the media endpoint does not answer.
func TestProbeRefusals(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 2, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	probe := b.probeOf(b.take("words"))
	for _, tc := range []struct {
		name   string
		change func(r *http.Request)
		addr   string
		status int
	}{
		{"no origin, as in a tab of its own", func(r *http.Request) { r.Header.Del("Origin") }, "127.0.0.1", 403},
		{"another site's page", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, "127.0.0.1", 403},
		{"the portal's own page", func(r *http.Request) { r.Header.Set("Origin", w.server.URL) }, "127.0.0.1", 403},
		{"two origins", func(r *http.Request) { r.Header.Add("Origin", "null") }, "127.0.0.1", 403},
		{"POST", func(r *http.Request) { r.Method = "POST" }, "127.0.0.1", 405},
		{"OPTIONS", func(r *http.Request) { r.Method = "OPTIONS" }, "127.0.0.1", 405},
		{"no ticket", func(r *http.Request) { r.URL.RawQuery = "" }, "127.0.0.1", 403},
		{"a forged ticket", func(r *http.Request) { r.URL.RawQuery = "ticket=" + strings.Repeat("A", 200) }, "127.0.0.1", 403},
		{"an unknown address", func(*http.Request) {}, "", 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", probe+"&browser=1", nil)
			r.Header.Set("Origin", "null")
			tc.change(r)
			o := origin.Origin{}
			if tc.addr != "" {
				o.Addr = netip.MustParseAddr(tc.addr)
			}
			rec := httptest.NewRecorder()
			w.endpoint().ServeHTTP(rec, r.WithContext(origin.With(r.Context(), o)))
			if rec.Code != tc.status || strings.Contains(rec.Body.String(), "statement") || rec.Header().Get("Set-Cookie") != "" {
				t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
			}
			if tc.status == 403 && r.Header.Get("Origin") != "null" && rec.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("another origin may read the answer")
			}
		})
	}
	rec, s := w.ask(probe, "192.0.2.44", "")
	h := rec.Header()
	if s.Statement == "" || s.Again || h.Get("Set-Cookie") != "" || h.Get("Access-Control-Allow-Origin") != "null" || h.Get("Access-Control-Allow-Credentials") != "true" ||
		h.Get("Cache-Control") != "no-store" || h.Get("Vary") != "Origin" {
		t.Errorf("%+v %v", s, h)
	}
}

// The frame that asks may speak to the media endpoint and to nobody else.
func TestProbeFrame(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.browser().get("/probe").wantTo(t, "/signin")
	r := w.browser().signIn("ada@example.com").get("/probe")
	r.want(t, 200, `<script src="/assets/probe.js?v=`)
	csp := r.Header.Get("Content-Security-Policy")
	for _, part := range []string{"sandbox allow-scripts allow-forms;", "default-src 'none'", "connect-src http://127.0.0.1:9000;", "form-action 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, part) {
			t.Errorf("no %q in %s", part, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Error(csp)
	}
}

// another is a letter that is not b.
func another(b byte) string {
	if b == 'x' {
		return "y"
	}
	return "x"
}
