package portal_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"fiducial/internal/audit"
	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/workforce"
)

type nextAnswer struct {
	Next *struct {
		Assignment, Title, Description, ExpiresAt, Frame string
		Draft                                            map[string]any
	}
	JobDone  bool
	Redirect string
	Error    struct{ Code, Message string }
}

// A working day: sign in, start, save, submit, the next one, all done.
func TestJourney(t *testing.T) {
	w := newWorld(t)
	ada := w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 2, plainTemplate)
	b := w.browser()

	b.get("/").wantTo(t, "/signin")
	b.get("/signin").want(t, 200, `name="password"`)
	b.form("/signin", "email", "ada@example.com", "password", "wrong").want(t, 401, "The e-mail address or the password is not right.", `value="ada@example.com"`)
	b.signIn("ada@example.com")
	b.get("/signin").wantTo(t, "/")
	b.get("/").want(t, 200, "Describe &lt;it&gt;", "Say what you see", "Start working", "0 of 2 objects labelled", "10 min", "ada@example.com")

	id := b.take("words")
	b.get("/").want(t, 200, "Resume")
	page := b.get("/tasks/" + id)
	page.want(t, 200, `data-assignment="`+id+`"`, `sandbox="allow-scripts allow-forms"`, `<script id="draft" type="application/json"> null </script>`)
	frame := b.get("/tasks/" + id + "/frame")
	frame.want(t, 200, "text 0 &lt;&amp;&gt;", `<img src="http://127.0.0.1:9000/pictures/p0.jpg?X-Amz-Expires=60&X-Amz-Signature=00">`, `<script src="/assets/crowd-html-elements.js?v=`)
	if strings.Contains(frame.body, "crowd.aws") {
		t.Error("the template still asks for the elements elsewhere")
	}
	asked := w.grants.last()
	if asked.Grant.Worker != ada.ID || asked.Grant.Assignment != id || asked.Grant.Job != "words" || asked.Grant.Team != w.team.ARN || !strings.HasPrefix(asked.Grant.SignIn, "signin-") ||
		asked.Origin.Addr.String() != "127.0.0.1" || !asked.Binding.SourceIP || asked.Binding.VpcSourceIP || asked.Since != 7 || asked.RoleARN != "arn:aws:iam::000000000000:role/labeler" ||
		!asked.Expires.Equal(w.clock.now().Add(10*time.Minute)) {
		t.Errorf("asked for %+v", asked)
	}

	b.json("/tasks/"+id+"/draft", `{"answer":{"caption":"a </script> b"}}`).want(t, 204)
	b.get("/tasks/"+id).want(t, 200, `{"caption":"a \u003c/script\u003e b"}`)

	var next nextAnswer
	b.json("/tasks/"+id+"/submit", `{"answer":{"caption":"done"}}`).json(t, &next)
	if next.Next == nil || next.Next.Assignment == id || next.Next.Frame != "/tasks/"+next.Next.Assignment+"/frame" || next.Next.Title != "Describe <it>" || next.Next.Draft != nil {
		t.Fatalf("next: %+v", next)
	}
	b.get("/tasks/"+id).want(t, 409, "This task is over")
	if e, ok := w.record.find("portal:SubmitTask", audit.Allow); !ok || e.Assignment != id || e.Worker != ada.ID || e.Job != "words" || e.Origin != "127.0.0.1" {
		t.Errorf("record %+v", e)
	}

	var last nextAnswer
	b.json("/tasks/"+next.Next.Assignment+"/submit", `{"answer":{"caption":"done"}}`).json(t, &last)
	if last.Next != nil {
		t.Errorf("a third task of two: %+v", last)
	}
	b.form("/signout").wantTo(t, "/signin")
	b.get("/").wantTo(t, "/signin")
}

func TestReleaseDeclineStop(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 3, plainTemplate)
	b := w.browser().signIn("ada@example.com")

	first := b.take("words")
	var out nextAnswer
	b.json("/tasks/"+first+"/release", `{}`).json(t, &out)
	if out.Redirect != "/?note=released" {
		t.Errorf("release: %+v", out)
	}
	b.get(out.Redirect).want(t, 200, "The task was given back.")

	second := b.take("words")
	out = nextAnswer{}
	b.json("/tasks/"+second+"/decline", `{}`).json(t, &out)
	if out.Next == nil {
		t.Fatalf("decline: %+v", out)
	}
	third := out.Next.Assignment
	b.json("/tasks/"+third+"/draft", `{"answer":{"caption":"half"}}`).want(t, 204)
	out = nextAnswer{}
	b.json("/tasks/"+third+"/stop", `{}`).json(t, &out)
	if out.Redirect != "/?note=stopped" {
		t.Errorf("stop: %+v", out)
	}
	if again := b.take("words"); again != third {
		t.Errorf("resumed %s, want %s", again, third)
	}
	b.get("/tasks/"+third).want(t, 200, `{"caption":"half"}`)
	for _, action := range []string{"portal:ReleaseTask", "portal:DeclineTask", "portal:StopForNow", "portal:TakeTask", "portal:RenderTask"} {
		if action == "portal:RenderTask" {
			b.get("/tasks/" + third + "/frame")
		}
		if _, ok := w.record.find(action, audit.Allow); !ok {
			t.Errorf("%s is not on record", action)
		}
	}
}

// The lease runs out while the worker looks.
func TestLeaseExpires(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 2, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	w.clock.add(11 * time.Minute)
	for _, path := range []string{"/draft", "/submit"} {
		b.json("/tasks/"+id+path, `{"answer":{}}`).want(t, 409, `"code":"LeaseExpired"`)
	}
	b.get("/tasks/"+id).want(t, 409)
	b.get("/tasks/"+id+"/frame").want(t, 409, "cannot be shown")
	var out nextAnswer
	b.json("/jobs/words/next", `{}`).json(t, &out)
	if out.Next == nil || out.Next.Assignment == id {
		t.Errorf("next: %+v", out)
	}
	b.json("/jobs/nothing/next", `{}`).json(t, &out)
}

// A submit whose answer was lost on the way is sent again.
func TestReplayedSubmit(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 1, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	b.json("/tasks/"+id+"/submit", `{"answer":{"caption":"first"}}`).want(t, 200)
	b.json("/tasks/"+id+"/submit", `{"answer":{"caption":"second"}}`).want(t, 200)
	b.json("/tasks/"+id+"/draft", `{"answer":{"caption":"late"}}`).want(t, 409)
}

func TestTemporaryPassword(t *testing.T) {
	w := newWorld(t)
	p := w.worker("ada@example.com", "labelers")
	w.must(w.passwords.SetPassword(context.Background(), p.ID, password, false))
	w.job("words", w.team, 1, plainTemplate)
	b := w.browser()
	b.form("/signin", "email", "ada@example.com", "password", password).wantTo(t, "/new-password")
	before := b.cookie
	for _, path := range []string{"/", "/tasks/AAAAAAAAAAAA"} {
		b.get(path).wantTo(t, "/new-password")
	}
	b.get("/signin").wantTo(t, "/new-password")
	b.get("/new-password").want(t, 200, "Choose a new password")
	b.json("/jobs/words/next", `{}`).want(t, 401)
	b.form("/new-password", "password", "Another-Horse-8", "again", "Another-Horse-7").want(t, 400, "not the same")
	b.form("/new-password", "password", "short", "again", "short").want(t, 400, "Password not long enough")
	b.form("/new-password", "password", password, "again", password).want(t, 400, "other than the temporary one")
	b.form("/new-password", "password", "Another-Horse-8", "again", "Another-Horse-8").wantTo(t, "/")
	if b.cookie == before {
		t.Error("the session's token stayed the same")
	}
	b.get("/").want(t, 200, "Start working")
	b.get("/new-password").wantTo(t, "/")
}

// The built-in template of the task type is for jobs that bring none, and has
// the job's own words in it.
func TestBuiltinTemplate(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	labels := []byte(`{"document-version":"2018-11-28","labels":[{"label":"Cat & dog"},{"label":"Bird"}],"instructions":{"shortInstruction":"<b>Look</b>","fullInstruction":"<i>closely</i>"}}`)
	w.jobOf(labeling.Spec{LabelingJobName: "boxes", TaskTitle: "Find <them>", TaskDescription: "All of them",
		PreHumanTaskLambdaARN:            "arn:aws:lambda:us-east-1:432418664414:function:PRE-BoundingBox",
		AnnotationConsolidationLambdaARN: "arn:aws:lambda:us-east-1:432418664414:function:ACS-BoundingBox"},
		w.team, "", labels, `{"source-ref":"s3://pictures/p.jpg"}`)
	b := w.browser().signIn("ada@example.com")
	b.get("/").want(t, 200, "Bounding boxes")
	b.get("/tasks/"+b.take("boxes")+"/frame").want(t, 200, "crowd-bounding-box", "p.jpg?X-Amz", `[&#34;Cat \u0026 dog&#34;,&#34;Bird&#34;]`, "<b>Look</b>", "<i>closely</i>", "Find &lt;them&gt;")
}

// Errors of a template reach the worker as a note with what to do, and the
// requester through the record.
func TestTemplateFails(t *testing.T) {
	for _, c := range []struct{ name, template, says string }{
		{"not S3", `<p>{{ " " | grant_read_access }}`, `InvalidParameters: &#34;grant_read_access&#34; input is not a valid S3 URI: &#34; &#34;. (line 1, column 4)`},
		{"not Liquid", "a\n{% if %}", "(line 2, column 1)"},
		{"endless", "{% for i in (1..99999999) %}{% endfor %}", "LimitExceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.worker("ada@example.com", "labelers")
			w.job("broken", w.team, 1, c.template)
			b := w.browser().signIn("ada@example.com")
			id := b.take("broken")
			b.get("/tasks/"+id).want(t, 200, `data-action="release"`, `data-action="decline"`)
			r := b.get("/tasks/" + id + "/frame")
			r.want(t, 422, "This task cannot be shown", "Release the task", c.says)
			if !strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "sandbox ") {
				t.Error("the note is not sandboxed")
			}
			if e, ok := w.record.find("portal:RenderTask", audit.Deny); !ok || e.Job != "broken" || e.Reason == "" {
				t.Errorf("record %+v", e)
			}
		})
	}
}

func TestGrantRefused(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 1, plainTemplate)
	w.grants.err = fmt.Errorf("inner secret")
	b := w.browser().signIn("ada@example.com")
	r := b.get("/tasks/" + b.take("words") + "/frame")
	r.want(t, 422, "AccessDenied", "s3://pictures/p0.jpg")
	if strings.Contains(r.body, "inner secret") {
		t.Error("an inner error is shown")
	}
}

func TestAssets(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.get("/signin")
	urls := regexp.MustCompile(`/assets/[a-z-]+\.(?:js|css)\?v=[0-9a-f]+`).FindAllString(page.body, -1)
	if len(urls) != 2 {
		t.Fatalf("assets of the page: %v", urls)
	}
	for _, u := range urls {
		r := b.get(u)
		r.want(t, 200)
		if cc := r.Header.Get("Cache-Control"); cc != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %q", u, cc)
		}
		if r.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s would be kept from the frame", u)
		}
		plain := b.do("GET", strings.Split(u, "?")[0], "", nil, http.Header{"Accept-Encoding": {"identity"}})
		if plain.Header.Get("Cache-Control") != "no-cache" || plain.body != r.body {
			t.Errorf("%s without its hash: %q", u, plain.Header.Get("Cache-Control"))
		}
		zipped := b.do("GET", u, "", nil, http.Header{"Accept-Encoding": {"br;q=1, gzip;q=0.5"}})
		z, err := gzip.NewReader(strings.NewReader(zipped.body))
		w.must(err)
		if body, err := io.ReadAll(z); err != nil || string(body) != plain.body {
			t.Errorf("%s zipped is something else: %v", u, err)
		}
		b.do("GET", u, "", nil, http.Header{"If-None-Match": {plain.Header.Get("ETag")}}).want(t, 304)
	}
	for _, p := range []string{"/assets/", "/assets/nothing.js", "/assets/..%2fembed.go", "/assets/%2e%2e/embed.go"} {
		if r := b.get(p); r.StatusCode == 200 {
			t.Errorf("%s: %s", p, r.Status)
		}
	}
}

func TestTeamsDecide(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	other := w.newTeam("others", &workforce.WorkerAccess{VpcSourceIP: workforce.Enabled})
	w.worker("eve@example.com", "others")
	w.job("words", w.team, 3, plainTemplate)
	w.job("theirs", other, 3, plainTemplate)
	ada := w.browser().signIn("ada@example.com")
	if r := ada.get("/"); strings.Contains(r.body, "theirs") || !strings.Contains(r.body, "words") {
		t.Errorf("jobs of other teams are listed:\n%s", r.body)
	}
	ada.form("/jobs/theirs/start").want(t, 404)
	ada.json("/jobs/theirs/next", `{}`).want(t, 200, `"next":null`)
	eve := w.browser().signIn("eve@example.com")
	eve.get("/tasks/" + eve.take("theirs") + "/frame")
	if r := w.grants.last(); r.Binding.SourceIP || !r.Binding.VpcSourceIP {
		t.Errorf("binding %+v", r.Binding)
	}
	// Out of the team, out of its tasks.
	id := ada.take("words")
	w.must(w.workforce.RemoveFromGroup(context.Background(), w.pool, "ada@example.com", "labelers"))
	for _, path := range []string{"", "/frame"} {
		ada.get("/tasks/"+id+path).want(t, 403)
	}
	ada.json("/tasks/"+id+"/submit", `{"answer":{}}`).want(t, 403)
}

// TestGrantsOnRecordFirst: no page with URLs leaves the server when their record
// is lost.
func TestGrantsOnRecordFirst(t *testing.T) {
	w := newWorld(t)
	w.worker("ada@example.com", "labelers")
	w.job("words", w.team, 1, plainTemplate)
	b := w.browser().signIn("ada@example.com")
	id := b.take("words")
	b.get("/tasks/"+id+"/frame").want(t, 200, "X-Amz-Signature")
	w.grants.lost = fault.Newf("test", fault.Unavailable, "the record cannot be written")
	if r := b.get("/tasks/" + id + "/frame"); r.StatusCode != 503 || strings.Contains(r.body, "X-Amz-Signature") {
		t.Errorf("%d\n%s", r.StatusCode, r.body)
	}
}
