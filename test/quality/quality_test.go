// Package quality tests quality control from outside: the real server, and
// workers at its portal who look for what tells a gold question from others.
package quality

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

//go:embed make.py
var makeProgram string

type made struct{ Gold, Ordinary, Refusals []string }

var (
	eve = boot.Account{Email: "eve@example.com", Password: "Correct-horse-1"}
	ann = boot.Account{Email: "ann@example.com", Password: "Battery-staple-2"}
)

// A worker who fails gold questions is excluded, what they hold ends and its
// media with it, their objects are labelled by somebody else, and the output
// knows of no gold question.
func TestWhoFailsGoldIsExcluded(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	s.Make(boot.Setup{Workers: []boot.Account{eve, ann}, SourceIP: true})
	var m made
	if err := json.Unmarshal([]byte(boot.Must(t)(s.Python(makeProgram, boot.Picture(t, 320, 240), boot.Region, "000000000000"))), &m); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Overlap: NumberOfHumanWorkersPerDataObject is 1", "Rules[0].Below: expected a number from 0 to 1", "is read when a labeling job is created"} {
		if len(m.Refusals) != 3 || !strings.Contains(m.Refusals[i], "ValidationException") || !strings.Contains(m.Refusals[i], want) {
			t.Errorf("refusals %q, want %s", m.Refusals, want)
		}
	}
	if st := s.AwaitJob("birds", time.Minute, "InProgress", "Failed"); st.LabelingJobStatus == "Failed" {
		t.Fatal(st.FailureReason)
	}

	media := guess(t, s, m)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if status := get(t, media); status == http.StatusForbidden {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the medium of an excluded worker's task still opens")
		}
	}
	w := signIn(t, s, eve)
	if id, err := w.Start("birds"); err != nil || id != "" {
		t.Errorf("the excluded worker gets the task %q, %v", id, err)
	}

	time.Sleep(3 * time.Second) // what was eve's is offered again by then
	seen := label(t, s, m)
	t.Run("nothing tells gold", func(t *testing.T) { tellApart(t, m, seen) })
	j := s.AwaitJob("birds", time.Minute, "Completed", "Failed", "Stopped")
	if j.LabelingJobStatus != "Completed" || j.LabelCounters.HumanLabeled != 8 || j.LabelCounters.FailedNonRetryableError != 0 {
		t.Fatalf("%+v", j)
	}
	t.Run("output", func(t *testing.T) { output(t, s, m, j.LabelingJobOutput.OutputDatasetS3Uri) })
	t.Run("report", func(t *testing.T) { reports(t, s) })
}

func signIn(t *testing.T, s *boot.Server, a boot.Account) *boot.Worker {
	t.Helper()
	w, err := boot.NewWorker(s.Portal, "127.0.0.1", a.Email, a.Password)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func answer(bird string) any { return map[string]any{"category": map[string]string{"label": bird}} }

// guess is eve, who says jay whatever she sees, until she has had two gold
// questions; it returns the medium of the task that she holds then.
func guess(t *testing.T, s *boot.Server, m made) (media string) {
	t.Helper()
	w := signIn(t, s, eve)
	id, err := w.Start("birds")
	for gold := 0; ; {
		if err != nil || id == "" {
			t.Fatalf("no task: %v", err)
		}
		_, urls, ferr := w.Frame(id)
		if ferr != nil || len(urls) == 0 {
			t.Fatal(urls, ferr)
		}
		if gold == 2 {
			return urls[0]
		}
		if slices.ContainsFunc(m.Gold, func(name string) bool { return strings.Contains(urls[0], name) }) {
			gold++
		}
		status, next, serr := w.Submit(id, answer("jay"))
		if serr != nil || status != http.StatusOK || next.Next == nil {
			t.Fatal(status, next, serr)
		}
		id = next.Next.Assignment
	}
}

func get(t *testing.T, media string) int {
	t.Helper()
	res, err := boot.From("127.0.0.1").Get(media)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// look is what a worker can see of one task.
type look struct {
	name    string // of the picture
	masked  string // everything, with what differs between any two tasks taken out
	waiting int    // on the list of jobs, before it
	jobs    string // the list of jobs, with its numbers taken out
}

// label is ann, who knows owls, and looks at everything.
func label(t *testing.T, s *boot.Server, m made) (seen []look) {
	t.Helper()
	w := signIn(t, s, ann)
	for {
		l := look{}
		list, _, err := w.Page("/")
		if err != nil {
			t.Fatal(err)
		}
		l.jobs = number.ReplaceAllString(list, "#")
		if n := waiting.FindStringSubmatch(list); n != nil {
			l.waiting, _ = strconv.Atoi(n[1])
		}
		id, err := w.Start("birds")
		if err != nil {
			t.Fatal(err)
		}
		if id == "" {
			return seen
		}
		var all strings.Builder
		for _, path := range []string{"/tasks/" + id, "/tasks/" + id + "/frame"} {
			res, err := w.Do("GET", path, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(res.StatusCode, err)
			}
			fmt.Fprintf(&all, "%s\n%v\n%s\n", path, slices.Sorted(maps.Keys(res.Header)), b)
		}
		_, urls, err := w.Frame(id)
		if err != nil || len(urls) == 0 {
			t.Fatal(urls, err)
		}
		res, err := boot.From("127.0.0.1").Get(urls[0])
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		fmt.Fprintf(&all, "%d %v %d bytes\n", res.StatusCode, slices.Sorted(maps.Keys(res.Header)), len(b))
		l.name = picture.FindString(urls[0])
		status, next, err := w.Submit(id, answer("owl"))
		if err != nil || status != http.StatusOK {
			t.Fatal(status, err)
		}
		fmt.Fprintf(&all, "job done: %v, next: %v\n", next.JobDone, next.Next != nil)
		l.masked = mask(strings.ReplaceAll(all.String(), id, "ID"), l.name)
		seen = append(seen, l)
	}
}

var (
	waiting = regexp.MustCompile(`<dt>Waiting</dt><dd>(\d+)</dd>`)
	number  = regexp.MustCompile(`<dd>\d+</dd>`)
	picture = regexp.MustCompile(`p-\d{4}`)
	varying = regexp.MustCompile(`((?:X-Amz-Signature|X-Amz-Security-Token|X-Amz-Date|X-Amz-Credential|X-Amz-Expires|ticket)=)([^&"'\s<]+)|\d{4}-\d\d-\d\dT[\d:]+Z`)
)

// mask leaves of random and sealed texts their lengths.
func mask(s, name string) string {
	return varying.ReplaceAllStringFunc(strings.ReplaceAll(s, name, "p-0000"), func(found string) string {
		m := varying.FindStringSubmatch(found)
		return fmt.Sprintf("%s(%d)", m[1], len(m[2]))
	})
}

// tellApart compares what ann saw of gold questions with what she saw of other
// tasks: page, frame, headers, the medium, answers to her submits, and the
// numbers on her list of jobs.
func tellApart(t *testing.T, m made, seen []look) {
	gold := map[string]bool{}
	for i, l := range seen {
		isGold := slices.Contains(m.Gold, l.name)
		gold[l.name] = isGold
		if !isGold && !slices.Contains(m.Ordinary, l.name) {
			t.Errorf("task %d shows %q", i, l.name)
		}
		if strings.Contains(strings.ToLower(l.masked), "gold") || strings.Contains(l.masked, "bird-metadata") || !strings.Contains(l.masked, "birds/p-0000.jpg") {
			t.Errorf("task %d, gold: %v, shows more than it may:\n%s", i, isGold, l.masked)
		}
		if i+1 < len(seen) && i > 0 && l.masked != seen[i-1].masked {
			t.Errorf("tasks %d and %d differ (gold: %v, %v):\n%s", i-1, i, slices.Contains(m.Gold, seen[i-1].name), isGold,
				cmp.Diff(strings.Split(seen[i-1].masked, "\n"), strings.Split(l.masked, "\n")))
		}
		if i > 1 && l.jobs != seen[i-1].jobs {
			t.Errorf("the list of jobs differs before task %d: %s", i, cmp.Diff(strings.Split(seen[i-1].jobs, "\n"), strings.Split(l.jobs, "\n")))
		}
		// Before the first task nothing is held, before the others the task itself.
		if i > 0 && l.waiting != len(seen)-1-i || i == 0 && l.waiting != len(seen) {
			t.Errorf("before task %d of %d (gold: %v) %d are waiting", i, len(seen), isGold, l.waiting)
		}
		if strings.Contains(l.jobs, "objects labelled") {
			t.Errorf("the list of jobs says how many objects are labelled, where gold questions do not show")
		}
	}
	n := 0
	for _, g := range gold {
		if g {
			n++
		}
	}
	if len(gold) != len(seen) || len(seen)-n != 8 || n < 2 {
		t.Errorf("%d tasks, %d different pictures, %d of them gold", len(seen), len(gold), n)
	}
}

func output(t *testing.T, s *boot.Server, m made, uri string) {
	lines := s.Manifest(uri)
	if len(lines) != 8 {
		t.Errorf("%d lines, want 8", len(lines))
	}
	for i, l := range lines {
		if ref := fmt.Sprint(l["source-ref"]); !strings.Contains(ref, m.Ordinary[i]) || fmt.Sprint(l["species"]) != "0" {
			t.Errorf("line %d: %v", i, l)
		}
	}
	dir := t.TempDir()
	boot.Must(t)(s.AWS("s3", "cp", "--recursive", "s3://output/birds", dir))
	files := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "/quality/report.json") {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for _, g := range append(m.Gold, "jay\\\"", `"label":"jay"}`) {
			if bytes.Contains(b, []byte(g)) && !strings.HasSuffix(path, "annotation-tool/data.json") {
				t.Errorf("%s has %s", strings.TrimPrefix(path, dir), g)
			}
		}
		return err
	})
	if err != nil || files < 12 {
		t.Errorf("%d files, %v", files, err)
	}
}

func reports(t *testing.T, s *boot.Server) {
	run := func(args ...string) string {
		t.Helper()
		c := boot.Command(context.Background(), append([]string{"job"}, args...)...)
		c.Env = append(c.Env, s.ClientEnv()...)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("job %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	text := run("quality", "birds")
	for _, want := range []string{"8 answers count, ", "0/2", "0.00-0.66", "Excluded", "Admitted", `ExcludeWorker of private.us-east-1.`, `by the rule "guessing": GoldAccuracy is 0 over 2, below 0.8`} {
		if !strings.Contains(text, want) {
			t.Errorf("fiducial job quality does not say %q:\n%s", want, text)
		}
	}
	t.Log(text)
	var q struct {
		Workers []struct{ WorkerId, Status string }
		Actions []struct{ Action string }
	}
	if err := json.Unmarshal([]byte(run("quality", "--json", "birds")), &q); err != nil || len(q.Workers) != 2 || len(q.Actions) != 3 {
		t.Errorf("%v %+v", err, q)
	}
	record := ""
	files, _ := filepath.Glob(filepath.Join(s.DataDir, "audit", "*.jsonl"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		record += string(b)
	}
	for _, want := range []string{`"kind":"quality","verdict":"allow","action":"quality:ExcludeWorker"`, `"action":"quality:RequeueAnswers"`, `"action":"quality:Notify"`, `"statement":"guessing"`} {
		if !strings.Contains(record, want) {
			t.Errorf("the record has no %s", want)
		}
	}
	console(t, s)
	if out := run("quality", "birds"); strings.Contains(out, "Excluded") || !strings.Contains(out, "AdmitWorker") {
		t.Errorf("after the worker was admitted in the console:\n%s", out)
	}
	c := boot.Command(context.Background(), "job", "admit", "birds", "--worker", eve.Email, "--reason", "again")
	c.Env = append(c.Env, s.ClientEnv()...)
	if out, err := c.CombinedOutput(); err == nil || !strings.Contains(string(out), "neither paused nor excluded") {
		t.Errorf("admitting who is not excluded: %v %s", err, out)
	}
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)
var workerField = regexp.MustCompile(`name="worker" value="([^"]+)"`)

// console admits the worker there.
func console(t *testing.T, s *boot.Server) {
	c := boot.From("127.0.0.1")
	cookie := ""
	send := func(method, path string, form url.Values) (int, string) {
		t.Helper()
		req, err := http.NewRequest(method, s.Portal+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Cookie", cookie)
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		for _, k := range res.Cookies() {
			cookie = k.Name + "=" + k.Value
		}
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	send("POST", "/console/signin", url.Values{"access-key-id": {boot.AccessKeyID}, "secret-access-key": {boot.SecretAccessKey}})
	status, page := send("GET", "/console/jobs/birds", nil)
	csrf, who := csrfField.FindStringSubmatch(page), workerField.FindStringSubmatch(page)
	if status != http.StatusOK || csrf == nil || who == nil || !strings.Contains(page, "Excluded") || !strings.Contains(page, "by the rule “guessing”") {
		t.Fatalf("the console shows nothing of it: %d %s", status, page)
	}
	if status, _ := send("POST", "/console/jobs/birds/admit", url.Values{"worker": {who[1]}, "reason": {"x"}}); status != http.StatusForbidden {
		t.Errorf("without the form's token: %d", status)
	}
	if status, page := send("POST", "/console/jobs/birds/admit", url.Values{"csrf": {csrf[1]}, "worker": {who[1]}, "reason": {"the questions were wrong"}}); status != http.StatusSeeOther {
		t.Errorf("admit: %d %s", status, page)
	}
}
