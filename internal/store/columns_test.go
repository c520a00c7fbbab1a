package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/internal/envelope"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// secret words that must be found nowhere in the database's files.
const (
	draftWord  = "plain-text-of-the-draft"
	answerWord = "plain-text-of-the-answer"
	labelWord  = "plain-text-of-the-annotation"
	metaWord   = "plain-text-of-the-metadata"
)

func columnKeys(t *testing.T) *envelope.Keyset {
	t.Helper()
	k, err := envelope.NewWrapping()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const (
	team = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team"
	role = "arn:aws:iam::000000000000:role/labeler"
)

// seed makes a job in progress with one object.
func seed(t *testing.T, rows *store.Labeling, name string) *labeling.Job {
	t.Helper()
	ctx, now := context.Background(), time.Now().UTC()
	j := draft(t, name, nil)
	h := engine.Hold{Owner: "seed"}
	err := rows.Create(ctx, j)
	if err == nil {
		h.Job = j.ID
		_, err = rows.Claim(ctx, h.Owner, now, now.Add(time.Minute))
	}
	if err == nil {
		err = rows.Append(ctx, h, 0, []engine.Line{{Text: `{"source":"text"}`}})
	}
	if err == nil {
		err = rows.Start(ctx, h, engine.Started{Template: "<p>", Total: 1, Now: now})
	}
	if err == nil {
		err = rows.Unclaim(ctx, h.Owner)
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// draft is a job that is not in the database yet, as change has it.
func draft(t *testing.T, name string, change func(*labeling.Spec)) *labeling.Job {
	t.Helper()
	s := labeling.Spec{
		Account: "000000000000", Region: "us-east-1", LabelingJobName: name, LabelAttributeName: "label",
		ManifestS3URI: "s3://bucket/in.manifest", S3OutputPath: "s3://bucket/out", RoleARN: role, WorkteamARN: team,
		UITemplateS3URI: "s3://bucket/t.liquid", TaskTitle: "Read", TaskDescription: "Read it", NumberOfHumanWorkersPerDataObject: 1,
		TaskTimeLimitInSeconds: 60, TaskAvailabilityLifetimeInSeconds: 3600, MaxConcurrentTaskCount: 10,
	}
	if change != nil {
		change(&s)
	}
	j, err := labeling.NewJob(s, time.Now().UTC(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// answered drives one object of a job from the manifest to its annotation.
func answered(t *testing.T, rows *store.Labeling, name string) *labeling.Job {
	t.Helper()
	ctx, now := context.Background(), time.Now().UTC()
	j := seed(t, rows, name)
	worker := labeling.Worker{ID: "w-" + name, Teams: []string{j.Human.WorkteamARN}}
	a, _, err := rows.Take(ctx, queue.Take{ID: "a-" + name, Worker: worker.ID, Job: j, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if live, err := rows.SaveDraft(ctx, worker, a.ID, json.RawMessage(`{"d":"`+draftWord+`"}`), now); err != nil || !live {
		t.Fatal(live, err)
	}
	back, err := rows.Assignment(ctx, a.ID)
	if err != nil || !strings.Contains(string(back.Draft), draftWord) {
		t.Fatalf("the draft comes back as %s, %v", back.Draft, err)
	}
	resumed, _, err := rows.Take(ctx, queue.Take{ID: "another", Worker: worker.ID, Job: j, Now: now})
	if err != nil || !strings.Contains(string(resumed.Draft), draftWord) {
		t.Fatalf("the worker who comes back finds %s, %v", resumed.Draft, err)
	}
	done, err := rows.EndLease(ctx, queue.End{ID: a.ID, Worker: worker, State: labeling.Submitted, Answer: json.RawMessage(`{"a":"` + answerWord + `"}`), Now: now})
	if err != nil || !done {
		t.Fatal(done, err)
	}
	return j
}

// consolidated ends the object with an annotation.
func consolidated(t *testing.T, rows *store.Labeling, j *labeling.Job) {
	t.Helper()
	ctx, now := context.Background(), time.Now().UTC()
	h := engine.Hold{Job: j.ID, Owner: "engine"}
	if _, err := rows.Claim(ctx, h.Owner, now, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	b, err := rows.Batch(ctx, h, engine.BatchBounds{Objects: 50, Bytes: 1 << 20}, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Objects) != 1 || len(b.Objects[0].Answers) != 1 || !strings.Contains(string(b.Objects[0].Answers[0].Content), answerWord) {
		t.Fatalf("the answer comes back as %+v", b.Objects)
	}
	err = rows.FinishBatch(ctx, h, b.Number, []labeling.Consolidated{{
		Index: b.Objects[0].Index, Label: json.RawMessage(`{"l":"` + labelWord + `"}`), Metadata: json.RawMessage(`{"m":"` + metaWord + `"}`),
	}}, now)
	if err != nil {
		t.Fatal(err)
	}
}

// annotated checks that the annotation comes back.
func annotated(t *testing.T, rows *store.Labeling, j *labeling.Job) {
	t.Helper()
	found := false
	err := rows.Rows(context.Background(), j.ID, func(r engine.Row) error {
		found = found || strings.Contains(string(r.Label), labelWord) && strings.Contains(string(r.Metadata), metaWord)
		return nil
	})
	if err != nil || !found {
		t.Fatalf("the annotation does not come back: %v", err)
	}
}

// files returns everything that the database has on disk.
func files(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func openAt(t *testing.T, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), "sqlite:"+filepath.Join(dir, "fiducial.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

var secretWords = []string{draftWord, answerWord, labelWord, metaWord}

// TestSealedColumns pins that what people answered is nowhere in the database's
// files, and that it was the sealing that kept it out.
func TestSealedColumns(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		dir := t.TempDir()
		db := openAt(t, dir)
		rows := store.NewLabeling(db)
		if sealed {
			rows.Sealed(columnKeys(t))
		}
		j := answered(t, rows, "job")
		consolidated(t, rows, j)
		annotated(t, rows, j)
		disk := files(t, dir)
		for _, word := range secretWords {
			if found := bytes.Contains(disk, []byte(word)); found == sealed {
				t.Errorf("sealed %v: %q is in the files: %v", sealed, word, found)
			}
		}
	}
}

// TestSealedColumnsElsewhere pins what a sealed text is bound to.
func TestSealedColumnsElsewhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, keys := context.Background(), columnKeys(t)
		rows := store.NewLabeling(db).Sealed(keys)
		one, two := answered(t, rows, "one"), answered(t, rows, "two")
		if err := db.Write(ctx, exec(`update assignments set answer = (select answer from assignments where id = 'a-one') where id = 'a-two'`)); err != nil {
			t.Fatal(err)
		}
		now, h := time.Now().UTC(), engine.Hold{Owner: "engine"}
		if _, err := rows.Claim(ctx, h.Owner, now, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		h.Job = two.ID
		if _, err := rows.Batch(ctx, h, engine.BatchBounds{Objects: 50, Bytes: 1 << 20}, now); err == nil {
			t.Error("an answer opens in another worker's row")
		}
		h.Job = one.ID
		if _, err := rows.Batch(ctx, h, engine.BatchBounds{Objects: 50, Bytes: 1 << 20}, now); err != nil {
			t.Errorf("the answer does not open in its own row: %v", err)
		}
		for name, other := range map[string]*store.Labeling{
			"no key": store.NewLabeling(db), "another key": store.NewLabeling(db).Sealed(columnKeys(t)),
		} {
			if _, err := other.Batch(ctx, h, engine.BatchBounds{Objects: 50, Bytes: 1 << 20}, now); err == nil {
				t.Errorf("with %s the answer opens", name)
			}
		}
	})
}

// TestReseal takes over a database from before sealing.
func TestReseal(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := openAt(t, dir)
	j := answered(t, store.NewLabeling(db), "old")
	rows := store.NewLabeling(db).Sealed(columnKeys(t))
	consolidated(t, store.NewLabeling(db), j) // reads and writes as before
	annotated(t, rows, j)                     // reads what is not sealed
	if n, err := rows.Reseal(ctx); err != nil || n != 3 {
		t.Fatalf("sealed %d rows, %v; want the answer, the label and the metadata", n, err)
	}
	annotated(t, rows, j)
	disk := files(t, dir)
	for _, word := range secretWords {
		if bytes.Contains(disk, []byte(word)) {
			t.Errorf("%q is still in the files", word)
		}
	}
	if n, err := rows.Reseal(ctx); err != nil || n != 0 {
		t.Errorf("again: %d, %v", n, err)
	}
	if n, err := store.NewLabeling(db).Reseal(ctx); err != nil || n != 0 {
		t.Errorf("without a key: %d, %v", n, err)
	}
}

func TestResealMany(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		for i := range 3 {
			if err := db.Write(ctx, exec(`insert into assignments (job, idx, worker, id, state, taken_at, expires_at, answer)
				select $1, n.i, w.w, 'x-' || $2 || '-' || n.i || '-' || w.w, 'submitted', 0, 0, '{"a":1}'
				from (with recursive c(i) as (select 0 union all select i + 1 from c where i < 149) select i from c) n
				cross join (select 'p' as w union all select 'q' as w) w`, i, string(rune('0'+i)))); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := store.NewLabeling(db).Sealed(columnKeys(t)).Reseal(ctx); err != nil || n != 900 {
			t.Errorf("%d, %v", n, err)
		}
		var left int
		if err := db.Read().QueryRowContext(ctx, `select count(*) from assignments where answer = '{"a":1}'`).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d are left, %v", left, err)
		}
	})
}

// exec is a transaction of one statement.
func exec(query string, args ...any) store.TxFunc {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}
}
