package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fiducial/test/boot"
)

// crowd are people who label through everything.
type crowd struct {
	site     *site
	accounts []boot.Account
	function string // ARN of the jobs' pre-annotation function, or ""

	mu           sync.Mutex
	jobs         []string
	acknowledged map[string]bool
	grants       map[string]bool
	refused      int // submits that were answered with 503
	forgetful    bool
	forgotten    int // submits of tasks that PostgreSQL, killed, does not know of
}

func newCrowd(s *site, accounts []boot.Account) *crowd {
	boot.Must(s.t)(s.Python(`
import boto3
boto3.client("s3").put_object(Bucket="input", Key="soak.html", Body="""<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-classifier name="crowd-classifier" categories="['good', 'bad']" header="Which?">
<classification-target><img src="{{ task.input.taskObject | grant_read_access }}"></classification-target></crowd-classifier></crowd-form>""")
`))
	return &crowd{site: s, accounts: accounts, jobs: []string{s.first.Name}, acknowledged: map[string]bool{}, grants: map[string]bool{}}
}

// offer tells of a job.
func (c *crowd) offer(job string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs = append(c.jobs, job)
}

// some is one of the newest jobs.
func (c *crowd) some() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	newest := c.jobs[max(0, len(c.jobs)-3):]
	return newest[rand.IntN(len(newest))]
}

func (c *crowd) note(set map[string]bool, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set[id] = true
}

func (c *crowd) begin(ctx context.Context, wg *sync.WaitGroup) {
	for i, a := range c.accounts {
		w, err := boot.NewWorker(c.site.Portal, "127.0.0.1", a.Email, a.Password)
		c.site.ok(err)
		wg.Add(1)
		go func() {
			defer wg.Done()
			c.label(ctx, w, fmt.Sprint("w", i))
		}()
	}
}

// label takes tasks and answers them until ctx ends. An answer whose
// acknowledgement was lost is sent again, as the page does.
func (c *crowd) label(ctx context.Context, w *boot.Worker, name string) {
	for n := 0; ctx.Err() == nil; n++ {
		id, err := w.Start(c.some())
		if err != nil {
			c.unexpected("start", err)
		}
		if err != nil || id == "" {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if !c.site.first.Text {
			_, media, err := w.Frame(id)
			if err != nil {
				c.unexpected("frame", err)
			}
			for _, m := range media {
				c.note(c.grants, grantOf(m))
			}
		}
		answer := fmt.Sprintf("%s-%d", name, n)
		choice := map[string]string{"label": []string{"good", "bad"}[n%2]}
		content := map[string]any{"crowd-classifier": choice, "id": answer}
		for ctx.Err() == nil {
			status, _, err := w.Submit(id, content)
			if err == nil && status == 200 {
				c.note(c.acknowledged, answer)
				break
			}
			if err == nil && status == 404 && c.forgetful {
				c.mu.Lock()
				c.forgotten++
				c.mu.Unlock()
				break
			}
			if err == nil && status != 503 {
				c.site.t.Errorf("submit: status %d", status)
				break
			}
			if err == nil {
				c.mu.Lock()
				c.refused++
				c.mu.Unlock()
			}
			time.Sleep(30 * time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
	}
}

// unexpected reports a status that is none of "no such thing now" (404, a task
// that has ended meanwhile), "too often" and "unavailable".
func (c *crowd) unexpected(what string, err error) {
	_, status, ok := strings.Cut(err.Error(), "status ")
	switch {
	case !ok, status == "503", status == "404", status == "410", status == "429":
	default:
		c.site.t.Errorf("%s: %v", what, err)
	}
}

// compare reads the worker responses of all jobs in the output, and the record.
func (s *site) compare() {
	s.t.Helper()
	found, objects := map[string]int{}, map[string]map[string]int{}
	for _, job := range s.jobs {
		dir := s.t.TempDir()
		boot.Must(s.t)(s.store.AWS("s3", "cp", "--recursive", "--quiet", "s3://output/"+job+"/annotations/worker-response/", dir))
		s.ok(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var doc struct {
				Answers []struct {
					WorkerID      string `json:"workerId"`
					AnswerContent struct{ ID string }
				}
			}
			if err := json.Unmarshal(b, &doc); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			object := job + "/" + filepath.Base(filepath.Dir(path))
			if objects[object] == nil {
				objects[object] = map[string]int{}
			}
			for _, a := range doc.Answers {
				found[a.AnswerContent.ID]++
				objects[object][a.WorkerID]++
			}
			return nil
		}))
	}
	for id, n := range found {
		if n != 1 {
			s.t.Errorf("answer %s is there %d times", id, n)
		}
	}
	for id := range s.crowd.acknowledged {
		if found[id] == 0 {
			s.t.Errorf("answer %s was acknowledged and is lost", id)
		}
	}
	for object, workers := range objects {
		if len(workers) > s.first.Workers {
			s.t.Errorf("object %s has answers of %d workers, want at most %d", object, len(workers), s.first.Workers)
		}
		for w, n := range workers {
			if n != 1 {
				s.t.Errorf("object %s: worker %s answered %d times", object, w, n)
			}
		}
	}
	if n := strings.Count(s.Log(), "panic"); n > 0 {
		s.t.Errorf("the server's log speaks of %d panics", n)
	}
	s.t.Logf("%d jobs, %d answers acknowledged, %d in the output, %d submits refused, %d of tasks forgotten, %d grants", len(s.jobs), len(s.crowd.acknowledged), len(found), s.crowd.refused, s.crowd.forgotten, len(s.crowd.grants))
	s.recorded()
}

// recorded looks for the record of every grant that somebody has seen.
func (s *site) recorded() {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.DataDir, "audit", "*.jsonl"))
	s.ok(err)
	var record strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		s.ok(err)
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, `"kind":"grant"`) {
				record.WriteString(line)
			}
		}
	}
	for id := range s.crowd.grants {
		if id == "" || !strings.Contains(record.String(), id) {
			s.t.Errorf("the grant %q is not on record", id)
		}
	}
}

// verified checks the chain of the record.
func (s *site) verified() {
	s.t.Helper()
	s.Stop()
	out, err := boot.Command(context.Background(), "audit", "verify", "--data-dir", s.DataDir).CombinedOutput()
	if err != nil {
		s.t.Errorf("audit verify: %v\n%s", err, out)
	}
}
