// Package external tests buckets that another S3 store keeps, against real
// stores: a second Fiducial, and MinIO and SeaweedFS where they can be had
// (see peers_test.go).
package external

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

var (
	ana = boot.Account{Email: "ana@example.com", Password: "Correct-horse-1"}
	ben = boot.Account{Email: "ben@example.com", Password: "Battery-staple-2"}
)

// keep is a second Fiducial with the buckets input and output, a user and a
// role that the user may assume: what an administrator of a store sets up.
func keep(t *testing.T, o boot.Options) (store *boot.Server, env []string) {
	t.Helper()
	store = boot.Start(t, o)
	out := boot.Must(t)(store.Python(`
import boto3, json
s3, iam = boto3.client("s3"), boto3.client("iam")
for b in ("input", "output"):
    s3.create_bucket(Bucket=b)
user = iam.create_user(UserName="fiducial")["User"]["Arn"]
iam.create_role(RoleName="store", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "sts:AssumeRole"}]}))
iam.put_role_policy(RoleName="store", PolicyName="buckets", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], "Resource": ["arn:aws:s3:::input/*", "arn:aws:s3:::output/*"]},
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": ["arn:aws:s3:::input", "arn:aws:s3:::output"]}]}))
k = iam.create_access_key(UserName="fiducial")["AccessKey"]
print(k["AccessKeyId"], k["SecretAccessKey"])
`))
	id, secret, _ := strings.Cut(strings.TrimSpace(out), " ")
	return store, []string{"STORE_KEY=" + id, "STORE_SECRET=" + secret}
}

// bucketsAt is the setting for both buckets.
func bucketsAt(t *testing.T, kind, endpoint, more string) string {
	t.Helper()
	list := ""
	for _, name := range []string{"input", "output"} {
		list += fmt.Sprintf("- {bucket: %s, kind: %s, endpoint: %q, credentials: {access-key-env: STORE_KEY, secret-key-env: STORE_SECRET}%s}\n", name, kind, endpoint, more)
	}
	file := filepath.Join(t.TempDir(), "buckets.yaml")
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const storeRole = ", role-arn: 'arn:aws:iam::000000000000:role/store'"

// scene is a server whose buckets the store keeps, with one job, and a worker at
// 127.0.0.1.
type scene struct {
	*boot.Server
	worker     *boot.Worker
	assignment string
	media      []string
	picture    []byte
	last       boot.Next
}

func begin(t *testing.T, file string, env []string, ready string, job boot.Job) *scene {
	t.Helper()
	s := &scene{Server: boot.Start(t, boot.Options{Args: []string{"--external-buckets", file}, Env: env})}
	if ready != "" {
		s.await(t, ready)
	}
	job.Picture = boot.Picture(t, 320, 240)
	var err error
	if s.picture, err = os.ReadFile(job.Picture); err != nil {
		t.Fatal(err)
	}
	s.Make(boot.Setup{Workers: []boot.Account{ana, ben}, SourceIP: true, Jobs: []boot.Job{job}})
	if s.worker, err = boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password); err != nil {
		t.Fatal(err)
	}
	return s
}

// await waits until the server's log says something of both buckets.
func (s *scene) await(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		seen := map[string]bool{}
		for line := range strings.SplitSeq(s.Log(), "\n") {
			for _, b := range []string{"input", "output"} {
				if strings.Contains(line, what) && strings.Contains(line, "bucket="+b) {
					seen[b] = true
				}
			}
		}
		if len(seen) == 2 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %q:\n%s", what, s.Log())
		}
	}
}

func (s *scene) open(t *testing.T, job string) {
	t.Helper()
	var err error
	if s.assignment, err = s.worker.Start(job); err != nil || s.assignment == "" {
		t.Fatalf("start a task: %q, %v", s.assignment, err)
	}
	s.render(t)
}

func (s *scene) render(t *testing.T) {
	t.Helper()
	page, media, err := s.worker.Frame(s.assignment)
	if err != nil || len(media) == 0 {
		t.Fatalf("the frame has %d media URLs (%v):\n%s", len(media), err, page)
	}
	s.media = media
}

func (s *scene) submit(t *testing.T) {
	t.Helper()
	status, next, err := s.worker.Submit(s.assignment, map[string]any{"annotatedResult": map[string]any{
		"boundingBoxes":        []any{map[string]any{"label": "Red square", "left": 1, "top": 2, "width": 30, "height": 40}},
		"inputImageProperties": map[string]any{"width": 320, "height": 240},
	}})
	if err != nil || status != 200 {
		t.Fatalf("submit: %d, %v", status, err)
	}
	s.last = next
}

// get opens a URL from an address.
func get(t *testing.T, from, rawURL string, header map[string]string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest("GET", rawURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = []string{v}
	}
	c := boot.From(from)
	defer c.CloseIdleConnections()
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("from %s: %v", from, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, b
}

func (s *scene) leadsTo(t *testing.T, base string) {
	t.Helper()
	for _, m := range s.media {
		if !strings.HasPrefix(m, base+"/") {
			t.Fatalf("the media URL leads to %.60s, want %s", m, base)
		}
	}
}

// bound checks that media opens for the worker's address alone.
func (s *scene) bound(t *testing.T, media string) {
	t.Helper()
	if res, body := get(t, "127.0.0.1", media, nil); res.StatusCode != 200 || !bytes.Equal(body, s.picture) {
		t.Fatalf("the worker gets %d and %d bytes, want 200 and the picture: %.300s", res.StatusCode, len(body), body)
	}
	headers := []map[string]string{nil}
	for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "SourceIp", "True-Client-IP", "X-Amz-Source-Ip"} {
		headers = append(headers, map[string]string{name: "127.0.0.1"})
	}
	for _, h := range append(headers, map[string]string{"Forwarded": "for=127.0.0.1"}) {
		if res, body := get(t, "127.0.0.2", media, h); res.StatusCode != 403 || bytes.Contains(body, s.picture[:64]) {
			t.Errorf("a stranger with %v gets %d and %d bytes, want 403", h, res.StatusCode, len(body))
		}
	}
}

// records returns the audit records that have all the parts.
func records(t *testing.T, s *boot.Server, parts ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.DataDir, "audit", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
	line:
		for l := range strings.SplitSeq(string(b), "\n") {
			for _, p := range parts {
				if !strings.Contains(l, p) {
					continue line
				}
			}
			found = append(found, l)
		}
	}
	return found
}

// The whole of a job on a bucket that another store keeps: manifest there,
// pictures there and from there to the browser, output there.
func TestJourneyWithMediaFromTheStore(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{})
	s := begin(t, bucketsAt(t, "s3", store.API, storeRole), env, "media of the bucket open at its store",
		boot.Job{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 2, Workers: 1, TimeLimit: 600})
	s.open(t, "boxes")
	s.leadsTo(t, store.API)
	s.bound(t, s.media[0])

	// The grant is on record here, the look there; the access key id joins them.
	u, err := url.Parse(s.media[0])
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(u.Query().Get("X-Amz-Credential"), "/")
	if n := len(records(t, s.Server, `"kind":"grant"`, `"verdict":"allow"`, id, "cannot be called back", "127.0.0.1/32")); n != 1 {
		t.Errorf("%d records of the grant, want 1", n)
	}
	if n := len(records(t, store, `"kind":"access"`, `"verdict":"allow"`, id, "private.")); n == 0 {
		t.Error("the store has no record of the look under the worker's name")
	}
	if n := len(records(t, store, `"kind":"access"`, `"verdict":"deny"`, id)); n < 7 {
		t.Errorf("the store has %d records of strangers, want 7", n)
	}

	// The same page again: the same session, and so no further call of STS.
	before := len(records(t, store, "AssumeRole"))
	s.render(t)
	if after := len(records(t, store, "AssumeRole")); after != before {
		t.Errorf("%d more sessions for the same worker, origin and assignment", after-before)
	}

	// What a page may load is this bucket of the store and nothing else there.
	res, err := s.worker.Do("GET", "/tasks/"+s.assignment+"/frame", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, store.API+"/input/ ") || strings.Contains(csp, store.API+" ") {
		t.Errorf("the frame's policy is %s", csp)
	}

	s.submit(t)
	s.open(t, "boxes")
	s.submit(t)
	status := s.AwaitJob("boxes", time.Minute, "Completed", "Failed")
	if status.LabelingJobStatus != "Completed" || status.LabelCounters.HumanLabeled != 2 {
		t.Fatalf("the job: %+v", status)
	}
	uri := status.LabelingJobOutput.OutputDatasetS3Uri
	if lines := store.Manifest(uri); len(lines) != 2 || lines[0]["label"] == nil {
		t.Errorf("the manifest in the store: %v", lines)
	}
	if lines := s.Manifest(uri); len(lines) != 2 {
		t.Errorf("the manifest through this server: %v", lines)
	}
}

// A role of this server reaches no more of the store's buckets than its policies
// say, though the keys that the server holds for the store reach all of them.
func TestTheRoleDecidesNotTheServersKeys(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{})
	s := begin(t, bucketsAt(t, "s3", store.API, storeRole), env, "media of the bucket open at its store",
		boot.Job{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 2, Workers: 1, TimeLimit: 600})
	boot.Must(t)(s.AWS("iam", "put-role-policy", "--role-name", "GroundTruthExecution", "--policy-name", "labeling", "--policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::input/boxes.*"},{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::output/*"}]}`))
	time.Sleep(time.Second)
	s.open(t, "boxes")
	s.leadsTo(t, s.API) // no URL of the store is made for what the role may not read
	if res, _ := get(t, "127.0.0.1", s.media[0], nil); res.StatusCode != 403 {
		t.Errorf("status %d, want 403", res.StatusCode)
	}
	for _, args := range [][]string{
		{"s3api", "create-bucket", "--bucket", "input"},
		{"s3api", "list-objects-v2", "--bucket", "input"},
		{"s3api", "delete-object", "--bucket", "input", "--key", "boxes/0.jpg"},
		{"s3api", "put-bucket-policy", "--bucket", "input", "--policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::input/*"}]}`},
	} {
		if out, err := s.AWS(args...); err == nil {
			t.Errorf("%v passes: %s", args[:2], out)
		}
	}
}

// Media that pass through this server keep every promise of embedded storage.
func TestMediaThroughThisServer(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{})
	s := begin(t, bucketsAt(t, "s3", store.API, storeRole+", via: fiducial"), env, "",
		boot.Job{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 2, Workers: 1, TimeLimit: 600})
	s.open(t, "boxes")
	s.leadsTo(t, s.API)
	s.bound(t, s.media[0])

	whole, _ := get(t, "127.0.0.1", s.media[0], nil)
	if got := whole.Header.Get("Content-Type"); got != "image/jpeg" {
		t.Errorf("Content-Type %q", got)
	}
	n := len(s.picture)
	for _, c := range []struct {
		name   string
		header map[string]string
		status int
		body   []byte
		head   string
	}{
		{"the first bytes", map[string]string{"Range": "bytes=0-99"}, 206, s.picture[:100], fmt.Sprintf("bytes 0-99/%d", n)},
		{"the middle", map[string]string{"Range": "bytes=1000-1999"}, 206, s.picture[1000:2000], fmt.Sprintf("bytes 1000-1999/%d", n)},
		{"the last bytes", map[string]string{"Range": "bytes=-50"}, 206, s.picture[n-50:], fmt.Sprintf("bytes %d-%d/%d", n-50, n-1, n)},
		{"from a byte on", map[string]string{"Range": fmt.Sprintf("bytes=%d-", n-1)}, 206, s.picture[n-1:], fmt.Sprintf("bytes %d-%d/%d", n-1, n-1, n)},
		{"beyond the end", map[string]string{"Range": fmt.Sprintf("bytes=%d-", n)}, 416, nil, fmt.Sprintf("bytes */%d", n)},
		{"as the browser has it", map[string]string{"If-None-Match": whole.Header.Get("ETag")}, 304, []byte{}, ""},
		{"another than the browser has", map[string]string{"If-None-Match": `"other"`}, 200, s.picture, ""},
		{"if it is the one", map[string]string{"If-Match": whole.Header.Get("ETag")}, 200, s.picture, ""},
		{"if it is another", map[string]string{"If-Match": `"other"`}, 412, nil, ""},
		{"unchanged since", map[string]string{"If-Modified-Since": whole.Header.Get("Last-Modified")}, 304, []byte{}, ""},
	} {
		res, body := get(t, "127.0.0.1", s.media[0], c.header)
		if res.StatusCode != c.status || c.body != nil && !bytes.Equal(body, c.body) || res.Header.Get("Content-Range") != c.head {
			t.Errorf("%s: %d, %d bytes, %q; want %d, %d bytes, %q", c.name, res.StatusCode, len(body), res.Header.Get("Content-Range"), c.status, len(c.body), c.head)
		}
	}

	s.submit(t)
	ended := time.Now()
	for {
		res, _ := get(t, "127.0.0.1", s.media[0], nil)
		if res.StatusCode == 403 {
			break
		}
		if time.Since(ended) > time.Second {
			t.Fatalf("status %d a second after the task was submitted", res.StatusCode)
		}
	}
}

// A store that believes what anybody writes into a header is found out before a
// single URL is made for it.
func TestAStoreThatBelievesHeadersIsNotTrusted(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{Args: []string{"--trusted-proxies", "127.0.0.0/8"}})
	file := bucketsAt(t, "s3", store.API, storeRole)
	s := begin(t, file, env, "the store does not bind media to an address",
		boot.Job{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 2, Workers: 1, TimeLimit: 600})
	s.open(t, "boxes")
	s.leadsTo(t, s.API)
	s.bound(t, s.media[0])
	if n := len(records(t, s.Server, `"action":"external:Probe"`, `"verdict":"deny"`, "X-Forwarded-For")); n < 2 {
		t.Errorf("%d records of failed probes, want one for each bucket", n)
	}

	table, err := verify(t, s.Server, file, env, "--bucket", "input")
	if err == nil || !strings.Contains(table, "OPENED") || !strings.Contains(table, "X-Forwarded-For: 203.0.113.77 ") {
		t.Errorf("verify: %v\n%s", err, table)
	}
	if strings.Contains(table, "X-Amz-Signature") || strings.Contains(table, env[1][len("STORE_SECRET="):]) {
		t.Error("there is a secret in what verify prints")
	}
}

// With "unbound: refuse" such a store's media are not shown at all.
func TestRefusedWhereTheStoreDoesNotBind(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{Args: []string{"--trusted-proxies", "127.0.0.0/8"}})
	s := begin(t, bucketsAt(t, "s3", store.API, storeRole+", unbound: refuse"), env, "not trusted with direct URLs: media of the bucket are not shown",
		boot.Job{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 2, Workers: 1, TimeLimit: 600})
	id, err := s.worker.Start("boxes")
	if err != nil {
		t.Fatal(err)
	}
	page, media, err := s.worker.Frame(id)
	if err == nil || len(media) != 0 || !strings.Contains(page, "not shown") {
		t.Errorf("%v, %d URLs:\n%s", err, len(media), page)
	}
}

// verify runs the command against the settings of a running server.
func verify(t *testing.T, s *boot.Server, file string, env []string, args ...string) (string, error) {
	t.Helper()
	c := boot.Command(t.Context(), append([]string{"access", "verify", "--data-dir", s.DataDir, "--api-addr", strings.TrimPrefix(s.API, "http://"), "--external-buckets", file}, args...)...)
	c.Env = append(c.Env, env...)
	c.Env = append(c.Env, "AWS_ACCESS_KEY_ID="+boot.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+boot.SecretAccessKey)
	out, err := c.CombinedOutput()
	return string(out), err
}

// verify's table for a store that binds, for one whose media pass through here,
// and for the server's own storage.
func TestVerify(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{})
	direct, through := bucketsAt(t, "s3", store.API, storeRole), bucketsAt(t, "s3", store.API, storeRole+", via: fiducial")
	s := boot.Start(t, boot.Options{Args: []string{"--external-buckets", through}, Env: env})
	for _, c := range []struct {
		name, file string
		args       []string
		want       []string
	}{
		{"direct", direct, []string{"--bucket", "input"}, []string{store.API + "/input (s3; media open at the store", "sessions of this store cannot be ended"}},
		{"through this server", through, []string{"--bucket", "output"}, []string{s.API + "/output (s3; media pass through this server)", "after its session was ended"}},
		{"this server's own", through, nil, []string{s.API + "/fiducial-verify-", "kept by this server"}},
	} {
		table, err := verify(t, s, c.file, env, c.args...)
		if err != nil || !strings.Contains(table, " 0 opened what must not open") || strings.Contains(table, "OPENED") {
			t.Errorf("%s: %v\n%s", c.name, err, table)
		}
		for _, w := range c.want {
			if !strings.Contains(table, w) {
				t.Errorf("%s: the table does not say %q:\n%s", c.name, w, table)
			}
		}
	}
	for name, list := range map[string]string{
		"users": boot.Must(t)(s.AWS("iam", "list-users", "--output", "json")), "roles": boot.Must(t)(s.AWS("iam", "list-roles", "--output", "json")),
		"buckets": boot.Must(t)(s.AWS("s3api", "list-buckets", "--output", "json")),
	} {
		if strings.Contains(list, "fiducial-verify") {
			t.Errorf("verify leaves %s behind: %s", name, list)
		}
	}
}

// A store that is away keeps the server from nothing else, and its jobs wait.
func TestAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	store, env := keep(t, boot.Options{})
	s := begin(t, bucketsAt(t, "s3", store.API, storeRole+", via: fiducial, timeout: 2s, attempts: 2"), env, "",
		boot.Job{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 1, Workers: 1, TimeLimit: 600})
	s.open(t, "boxes")
	store.Stop()
	if res, body := get(t, "127.0.0.1", s.media[0], nil); res.StatusCode != 503 {
		t.Errorf("status %d, want 503: %s", res.StatusCode, body)
	}
	s.submit(t)
	time.Sleep(5 * time.Second)
	var st struct{ LabelingJobStatus string }
	if err := json.Unmarshal([]byte(boot.Must(t)(s.AWS("sagemaker", "describe-labeling-job", "--labeling-job-name", "boxes", "--output", "json"))), &st); err != nil || st.LabelingJobStatus != "InProgress" {
		t.Fatalf("the job is %q (%v) while its store is away", st.LabelingJobStatus, err)
	}
	store.Boot()
	if st := s.AwaitJob("boxes", time.Minute, "Completed", "Failed"); st.LabelingJobStatus != "Completed" {
		t.Errorf("the job after its store is back: %+v", st)
	}
}

// Settings that cannot work are refused with the member's name, and secrets are
// no part of what is printed.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"a member that is not known", "- {bucket: b-1, kind: s3, endpoint: 'http://127.0.0.1:1', secret-key: x}", "secret-key"},
		{"no endpoint", "- {bucket: b-1, kind: minio}", "external-buckets[0] (b-1): endpoint"},
		{"no role", "- {bucket: b-1, kind: s3, endpoint: 'http://127.0.0.1:1', via: direct}", "role-arn"},
		{"a variable that is not set", "- {bucket: b-1, kind: s3, endpoint: 'http://127.0.0.1:1', credentials: {access-key-env: NO_SUCH_1, secret-key-env: NO_SUCH_2}}", "NO_SUCH_1"},
	} {
		file := filepath.Join(t.TempDir(), "buckets.yaml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := boot.Command(t.Context(), "serve", "--data-dir", t.TempDir(), "--external-buckets", file, "--api-addr", "127.0.0.1:0", "--portal-addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v\n%s", c.name, err, out)
		}
	}
	out, err := boot.Command(t.Context(), "config", "--external-buckets", bucketsAt(t, "minio", "http://127.0.0.1:1", "")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "access-key-env: STORE_KEY") {
		t.Errorf("config: %v\n%s", err, out)
	}
}
