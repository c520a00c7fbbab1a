package journey

import (
	"testing"
	"time"

	"fiducial/internal/store/storetest"
	"fiducial/test/boot"
)

// The same server on PostgreSQL: a job from creation to its manifest, with a
// kill in between.
func TestPostgres(t *testing.T) {
	t.Parallel()
	s := boot.Start(t, boot.Options{Env: []string{"FIDUCIAL_DATABASE_URL=" + storetest.PostgresURL(t)}})
	s.Make(boot.Setup{Workers: []boot.Account{ana, ben}, SourceIP: true, Jobs: []boot.Job{
		{Name: "kinds", Function: "ImageMultiClass", Labels: []string{"a", "b"}, Objects: 3, Workers: 2}}})
	for i, account := range []boot.Account{ana, ben} {
		w, err := boot.NewWorker(s.Portal, "127.0.0.1", account.Email, account.Password)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			id, err := w.Start("kinds")
			if err != nil || id == "" {
				t.Fatalf("start: %q, %v", id, err)
			}
			_, media, err := w.Frame(id)
			if err != nil || len(media) != 1 {
				t.Fatalf("%d media URLs, %v", len(media), err)
			}
			if status, _ := get(t, "127.0.0.1", "GET", media[0], nil); status != 200 {
				t.Errorf("the worker gets %d", status)
			}
			if status, _ := get(t, "127.0.0.2", "GET", media[0], nil); status != 403 {
				t.Errorf("another address gets %d", status)
			}
			if status, _, err := w.Submit(id, map[string]any{"crowd-image-classifier": map[string]string{"label": "b"}}); err != nil || status != 200 {
				t.Fatalf("submit: %d, %v", status, err)
			}
		}
		if i == 0 {
			s.Kill()
			s.Boot()
		}
	}
	st := s.AwaitJob("kinds", time.Minute, "Completed", "Failed")
	if st.LabelCounters.TotalLabeled != 3 {
		t.Fatalf("the job is %+v", st)
	}
	for _, l := range s.Manifest(st.LabelingJobOutput.OutputDatasetS3Uri) {
		if l["label"] != 1.0 {
			t.Errorf("label %v, want 1 (%v)", l["label"], l)
		}
	}
}
