package attack

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

// Where people are. The server listens on every address of the machine, so that
// a mapped IPv4 peer and an IPv6 peer are among them.
const (
	here      = "127.0.0.1" // the worker, whose media URL it is
	elsewhere = "127.0.0.2" // a stranger with a copy of it
	neighbour = "127.0.0.3" // another worker of the team
)

var (
	ana  = boot.Account{Email: "ana@example.com", Password: "Correct-horse-1"}
	ben  = boot.Account{Email: "ben@example.com", Password: "Battery-staple-2"}
	cleo = boot.Account{Email: "cleo@example.com", Password: "Paperclip-bridge-3"}
	dora = boot.Account{Email: "dora@example.com", Password: "Window-lantern-4"}
)

// scene is one server, a team that is bound to addresses, and grants of every
// sort: alive, of a colleague, and ended for each reason.
type scene struct {
	*boot.Server
	t    testing.TB
	port string

	worker     *boot.Worker // ana
	assignment string
	media      string            // ana's, alive, from here
	others     string            // ben's, alive, from neighbour
	dead       map[string]string // by the reason that ended it; from here
	expires    string            // of a task with a short lease
	taken      time.Time         // when that was
	eve        credentials       // a user with rights of her own, none of them on the picture
	pictures   [][]byte

	read    map[string]int64 // of each audit file
	byAgent map[string][]record
}

type credentials struct{ key, secret string }

const lease = 30 // seconds, of the short job

func newScene(t *testing.T) *scene {
	t.Helper()
	l, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	s := &scene{t: t, port: port, dead: map[string]string{}, read: map[string]int64{}, byAgent: map[string][]record{}}
	s.Server = boot.Start(t, boot.Options{Args: []string{"--api-addr", "[::]:" + port, "--public-api-url", "http://127.0.0.1:" + port}})
	s.API = "http://127.0.0.1:" + port
	picture := boot.Picture(t, 320, 240)
	b, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	s.pictures = [][]byte{b[:64], b[len(b)/2 : len(b)/2+64], b[len(b)-64:]}
	s.Make(boot.Setup{Workers: []boot.Account{ana, ben, cleo, dora}, SourceIP: true, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 12, Workers: 1, Picture: picture, TimeLimit: 1800},
		{Name: "short", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 1, Workers: 1, Picture: picture, TimeLimit: lease},
		{Name: "stopped", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 1, Workers: 1, Picture: picture, TimeLimit: 1800},
	}})
	s.makeEve(t)
	s.grants(t)
	return s
}

// makeEve is somebody with an access key, who may do everything but what the
// bucket of the pictures says.
func (s *scene) makeEve(t *testing.T) {
	t.Helper()
	out := boot.Must(t)(s.Python(`
import boto3, json
iam = boto3.client("iam")
iam.create_user(UserName="eve")
iam.put_user_policy(UserName="eve", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::eves", "arn:aws:s3:::eves/*"]}]}))
k = iam.create_access_key(UserName="eve")["AccessKey"]
s3 = boto3.client("s3")
s3.create_bucket(Bucket="eves")
print(k["AccessKeyId"], k["SecretAccessKey"])
`))
	if _, err := fmt.Sscan(out, &s.eve.key, &s.eve.secret); err != nil {
		t.Fatal(err)
	}
}

// grants takes tasks and ends some of them.
func (s *scene) grants(t *testing.T) {
	t.Helper()
	sign := func(a boot.Account, from string) *boot.Worker {
		w, err := boot.NewWorker(s.Portal, from, a.Email, a.Password)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	take := func(w *boot.Worker, job string) (assignment, media string) {
		assignment, err := w.Start(job)
		if err != nil || assignment == "" {
			t.Fatalf("start a task of %s: %q, %v", job, assignment, err)
		}
		page, urls, err := w.Frame(assignment)
		if err != nil || len(urls) != 1 {
			t.Fatalf("the frame has %d media URLs (%v):\n%s", len(urls), err, page)
		}
		return assignment, urls[0]
	}
	end := func(w *boot.Worker, assignment, how string, body any) {
		if status, _, err := w.Post(assignment, how, body); err != nil || status != 200 {
			t.Fatalf("%s: %d, %v", how, status, err)
		}
	}
	anas, bens := sign(ana, here), sign(ben, neighbour)

	_, s.expires = take(anas, "short")
	s.taken = time.Now()
	for _, how := range []struct {
		name string
		end  func(id string)
	}{
		{"released", func(id string) { end(anas, id, "release", struct{}{}) }},
		{"declined", func(id string) { end(anas, id, "decline", struct{}{}) }},
		{"submitted", func(id string) {
			end(anas, id, "submit", map[string]any{"answer": map[string]any{"boundingBox": map[string]any{
				"boundingBoxes": []any{}, "inputImageProperties": map[string]int{"height": 240, "width": 320}}}})
		}},
	} {
		var id string
		id, s.dead[how.name] = take(anas, "boxes")
		how.end(id)
	}
	_, s.dead["the job was stopped"] = take(anas, "stopped")
	_, s.dead["the worker was disabled"] = take(sign(cleo, here), "boxes")
	_, s.dead["the worker left the group"] = take(sign(dora, here), "boxes")
	boot.Must(t)(s.Python(`
import boto3, sys
boto3.client("sagemaker").stop_labeling_job(LabelingJobName="stopped")
idp = boto3.client("cognito-idp")
pool = idp.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
idp.admin_disable_user(UserPoolId=pool, Username=sys.argv[1])
idp.admin_remove_user_from_group(UserPoolId=pool, Username=sys.argv[2], GroupName="annotators")
`, cleo.Email, dora.Email))
	s.worker = anas
	s.assignment, s.media = take(anas, "boxes")
	_, s.others = take(bens, "boxes")
	time.Sleep(time.Second) // what ends a grant takes at most that long
	s.mustOpen(t, "before anything was tried")
}

// mustOpen: the worker still sees the picture. Otherwise no refusal means anything.
func (s *scene) mustOpen(t testing.TB, when string) {
	t.Helper()
	for _, r := range []*request{s.get(), s.from(s.open(s.others), neighbour)} {
		a, err := s.send(r, "worker-"+rand.Text())
		if err != nil || a.status != 200 || !s.leaks(a) {
			t.Fatalf("%s: the worker gets %d (%v)\n%.300s", when, a.status, err, a.raw)
		}
	}
}

func (s *scene) from(r *request, address string) *request {
	r.from = address
	return r
}

// leaks reports whether any of the picture is in an answer.
func (s *scene) leaks(a answer) bool {
	for _, p := range s.pictures {
		if bytes.Contains(a.raw, p) {
			return true
		}
	}
	return false
}

// query of the media URL, by name and as it stands there.
func (s *scene) param(name string) string { return param(s.t, s.media, name) }

func param(t testing.TB, media, name string) string {
	t.Helper()
	u, err := url.Parse(media)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Split(u.RawQuery, "&") {
		if k, v, _ := strings.Cut(p, "="); k == name {
			return v
		}
	}
	t.Fatalf("%s is not in the URL %s", name, media)
	return ""
}

// with replaces a parameter of the media URL.
func (s *scene) with(name, value string) *request {
	r := s.get()
	old := name + "=" + s.param(name)
	if !strings.Contains(r.target, old) {
		s.t.Fatalf("%s is not in the URL", old)
	}
	r.target = strings.Replace(r.target, old, name+"="+value, 1)
	return r
}

// replace replaces a part of the request's target, which must be there.
func (s *scene) replace(old, value string) *request {
	r := s.get()
	if !strings.Contains(r.target, old) {
		s.t.Fatalf("%q is not in the URL %s", old, r.target)
	}
	r.target = strings.Replace(r.target, old, value, 1)
	return r
}

// path replaces the path and keeps the query.
func (s *scene) path(change func(path string) string) *request {
	r := s.get()
	p, q, _ := strings.Cut(r.target, "?")
	r.target = change(p) + "?" + q
	return r
}

// add puts more at the end of the target, or header lines.
func (s *scene) add(query string, header ...string) *request {
	r := s.get()
	r.target += query
	r.header = header
	return r
}
