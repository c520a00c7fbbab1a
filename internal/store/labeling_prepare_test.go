package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// An object is offered once it is prepared, with what its function answered;
// that is stored sealed, and for this object alone.
func TestPrepared(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), time.Now().UTC()
		rows := store.NewLabeling(db).Sealed(columnKeys(t))
		const function = "arn:aws:lambda:us-east-1:000000000000:function:mine"
		j, err := labeling.NewJob(labeling.Spec{
			Account: "000000000000", Region: "us-east-1", LabelingJobName: "prepared", LabelAttributeName: "label",
			ManifestS3URI: "s3://bucket/in.manifest", S3OutputPath: "s3://bucket/out", RoleARN: role, WorkteamARN: team, UITemplateS3URI: "s3://bucket/t.liquid",
			PreHumanTaskLambdaARN: function, TaskTitle: "Read", TaskDescription: "Read it", NumberOfHumanWorkersPerDataObject: 1,
			TaskTimeLimitInSeconds: 60, TaskAvailabilityLifetimeInSeconds: 60, MaxConcurrentTaskCount: 2,
		}, now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		h := engine.Hold{Job: j.ID, Owner: "engine"}
		must(rows.Create(ctx, j))
		_, err = rows.Claim(ctx, h.Owner, now, now.Add(time.Minute))
		must(err)
		must(rows.Append(ctx, h, 0, []engine.Line{{Text: `{"source":"0"}`}, {Text: `{"source":"1"}`}, {Text: `{"source":"2"}`}}))
		must(rows.Start(ctx, h, engine.Started{Template: "<p>", Total: 3, Now: now}))
		list, err := rows.Preparing(ctx, j.ID, 10)
		if err != nil || len(list) != 2 || string(list[1].Line) != `{"source":"1"}` {
			t.Fatalf("%d objects await the function, want the first two of three: %v", len(list), err)
		}
		take := queue.Take{ID: "a", Worker: "w", Job: j, Now: now}
		if _, _, err := rows.Take(ctx, take); !fault.Is(err, fault.NotFound) {
			t.Errorf("an object that is not prepared is handed out: %v", err)
		}
		later := now.Add(time.Hour) // an object is on offer from when it is ready
		const word = "what-the-function-made-of-it"
		done := []engine.Prepared{{Index: 0, Input: []byte(`{"a":"` + word + `"}`)}, {Index: 1, Excluded: true}}
		for range 2 { // as after a crash
			_, err = rows.Claim(ctx, h.Owner, later, later.Add(time.Minute))
			must(err)
			must(rows.Prepared(ctx, h, done, later))
		}
		p, err := rows.Progress(ctx, j.ID, now)
		if err != nil || p.Ready != 1 || p.Preparing != 1 || p.Queued {
			t.Errorf("progress %+v, %v: the third object takes the second's place", p, err)
		}
		if j, err := rows.JobByID(ctx, j.ID); err != nil || j.Counters != (labeling.Counters{Total: 3, Excluded: 1}) {
			t.Errorf("counters %+v, %v", j.Counters, err)
		}
		take.Now = later
		a, _, err := rows.Take(ctx, take)
		must(err)
		if a, err = rows.Assignment(ctx, a.ID); err != nil || string(a.Input) != `{"a":"`+word+`"}` {
			t.Errorf("the assignment has the input %s, %v", a.Input, err)
		}
		var stored string
		must(db.Read().QueryRowContext(ctx, `select input from task_inputs where job = $1 and idx = 0`, j.ID).Scan(&stored))
		if !strings.HasPrefix(stored, "sealed:") || strings.Contains(stored, word) {
			t.Errorf("the input is stored as %s", stored)
		}
		must(rows.Prepared(ctx, h, []engine.Prepared{{Index: 2, Failure: "no", Metadata: []byte(`{}`)}}, later))
		if j, err := rows.JobByID(ctx, j.ID); err != nil || j.Counters.Failed != 1 {
			t.Errorf("counters %+v, %v", j.Counters, err)
		}
		if err := rows.Prepared(ctx, engine.Hold{Job: j.ID, Owner: "another"}, done, later); !errors.Is(err, engine.ErrLost) {
			t.Errorf("a replica that does not hold the job: %v", err)
		}
	})
}
