package journey

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fiducial/test/boot"
)

// kills is how often the server is killed within the one test.
const kills = 50

// Killed 50 times at random instants while people label: no answer that was
// acknowledged is lost, none is counted twice, no object has more answers than
// were asked for, and the job completes.
func TestKill(t *testing.T) {
	s := boot.Start(t, boot.Options{})
	const objects, wanted = 300, 2
	var accounts []boot.Account
	for i := range 4 {
		accounts = append(accounts, boot.Account{Email: fmt.Sprintf("worker%d@example.com", i), Password: fmt.Sprintf("Correct-horse-%d", i)})
	}
	s.Make(boot.Setup{Workers: accounts, Jobs: []boot.Job{
		{Name: "moods", Function: "TextMultiClass", Labels: []string{"good", "bad"}, Objects: objects, Workers: wanted, Text: true}}})

	acknowledged := &answers{seen: map[string]bool{}}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i, a := range accounts {
		w, err := boot.NewWorker(s.Portal, "", a.Email, a.Password)
		if err != nil {
			t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			label(t, w, fmt.Sprint("w", i), acknowledged, done)
		}()
	}
	for range kills {
		time.Sleep(time.Duration(20+rand.IntN(300)) * time.Millisecond)
		s.Kill()
		s.Boot()
	}
	t.Logf("%d answers acknowledged by the last of %d kills", acknowledged.count(), kills)
	if n := acknowledged.count(); n >= objects*wanted {
		t.Errorf("the job was over before the kills were: %d answers", n)
	}
	status := s.AwaitJob("moods", 3*time.Minute, "Completed", "Failed")
	close(done)
	wg.Wait()
	if status.LabelingJobStatus != "Completed" || status.LabelCounters.TotalLabeled != objects {
		t.Fatalf("the job is %+v", status)
	}
	if lines := s.Manifest(status.LabelingJobOutput.OutputDatasetS3Uri); len(lines) != objects {
		t.Errorf("the manifest has %d lines, want %d", len(lines), objects)
	}
	compare(t, s, acknowledged, objects, wanted)
}

// answers are the ids of the answers that the server said it had taken.
type answers struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (a *answers) add(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[id] = true
}

func (a *answers) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.seen)
}

// label takes tasks and answers them until done, through every restart. An
// answer whose acknowledgement was lost is sent again, as the page does.
func label(t *testing.T, w *boot.Worker, name string, acknowledged *answers, done chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-done:
			return
		default:
		}
		id, err := w.Start("moods")
		if err != nil || id == "" {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		answer := fmt.Sprintf("%s-%d", name, n)
		content := map[string]any{"category": map[string]string{"label": []string{"good", "bad"}[n%2]}, "id": answer}
		for try := 0; ; try++ {
			status, _, err := w.Submit(id, content)
			if err == nil && status == 200 {
				acknowledged.add(answer)
				break
			}
			if err == nil && status != 503 {
				t.Errorf("submit: status %d", status)
				break
			}
			select {
			case <-done:
				return
			case <-time.After(30 * time.Millisecond):
			}
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
	}
}

// compare reads the worker responses in the output tree.
func compare(t *testing.T, s *boot.Server, acknowledged *answers, objects, wanted int) {
	t.Helper()
	dir := t.TempDir()
	boot.Must(t)(s.AWS("s3", "cp", "--recursive", "--quiet", "s3://output/moods/annotations/worker-response/", dir))
	found := map[string]int{}
	perObject := map[string]map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
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
		object := filepath.Base(filepath.Dir(path))
		for _, a := range doc.Answers {
			found[a.AnswerContent.ID]++
			if perObject[object] == nil {
				perObject[object] = map[string]int{}
			}
			perObject[object][a.WorkerID]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, n := range found {
		if n != 1 {
			t.Errorf("answer %s is there %d times", id, n)
		}
	}
	for id := range acknowledged.seen {
		if found[id] == 0 {
			t.Errorf("answer %s was acknowledged and is lost", id)
		}
	}
	if len(perObject) != objects {
		t.Errorf("%d objects have responses, want %d", len(perObject), objects)
	}
	for object, workers := range perObject {
		total := 0
		for w, n := range workers {
			total += n
			if n != 1 {
				t.Errorf("object %s: worker %s answered %d times", object, w, n)
			}
		}
		if total > wanted {
			t.Errorf("object %s has %d answers, want at most %d", object, total, wanted)
		}
	}
	if entries := strings.Count(s.Log(), "panic"); entries > 0 {
		t.Errorf("the server's log speaks of %d panics", entries)
	}
}
