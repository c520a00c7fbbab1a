package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/labeling/queue"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// What PostgreSQL reads for a task does not grow with the job, neither of a job that
// was made just now, of which it has no statistics, nor of one that fills a table.
func TestReadsOfATask(t *testing.T) {
	const lines, shifts, workers, most = 20_000, 8, 25, 100
	for _, analyzed := range []bool{false, true} {
		t.Run(map[bool]string{false: "without statistics", true: "with statistics"}[analyzed], func(t *testing.T) {
			ctx, now := context.Background(), time.Now().UTC()
			url := storetest.PostgresURL(t)
			db := reopen(t, nil, url)
			rows := store.NewLabeling(db)
			j := draft(t, "reads", func(s *labeling.Spec) {
				s.NumberOfHumanWorkersPerDataObject, s.MaxConcurrentTaskCount = 2, 200
			})
			h := engine.Hold{Owner: "engine"}
			if err := rows.Create(ctx, j); err != nil {
				t.Fatal(err)
			}
			h.Job = j.ID
			if _, err := rows.Claim(ctx, h.Owner, now, now.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			var page []engine.Line
			for i := range lines {
				if page = append(page, engine.Line{Text: fmt.Sprintf(`{"source":"text %d"}`, i)}); len(page) == 1000 {
					if err := rows.Append(ctx, h, int64(i+1-len(page)), page); err != nil {
						t.Fatal(err)
					}
					page = page[:0]
				}
			}
			if err := rows.Start(ctx, h, engine.Started{Template: "<p>", Total: lines, Now: now}); err != nil {
				t.Fatal(err)
			}
			admin, err := sql.Open("pgx", url)
			if err != nil {
				t.Fatal(err)
			}
			defer admin.Close()
			db = reopen(t, db, url)
			rows = store.NewLabeling(db)
			before := tuplesRead(t, admin)
			tasks := 0
			for shift := range shifts {
				if analyzed {
					if _, err := admin.Exec("analyze"); err != nil {
						t.Fatal(err)
					}
				}
				for i := range workers {
					w := labeling.Worker{ID: fmt.Sprintf("w-%d", i), Teams: []string{j.Human.WorkteamARN}}
					a, _, err := rows.Take(ctx, queue.Take{ID: fmt.Sprintf("a-%d-%d", shift, i), Worker: w.ID, Job: j, Now: now})
					if err != nil {
						t.Fatal(err)
					}
					if live, err := rows.SaveDraft(ctx, w, a.ID, []byte(`{"a":1}`), now); err != nil || !live {
						t.Fatal(live, err)
					}
					if done, err := rows.EndLease(ctx, queue.End{ID: a.ID, Worker: w, State: labeling.Submitted, Answer: []byte(`{"a":1}`), Now: now}); err != nil || !done {
						t.Fatal(done, err)
					}
					tasks++
				}
				if _, err := rows.Progress(ctx, j.ID, now.Add(-time.Hour)); err != nil {
					t.Fatal(err)
				}
				b, err := rows.Batch(ctx, h, engine.BatchBounds{Objects: 50, Bytes: 1 << 20}, now)
				if err != nil {
					t.Fatal(err)
				}
				var done []labeling.Consolidated
				for _, o := range b.Objects {
					done = append(done, labeling.Consolidated{Index: o.Index, Label: []byte(`1`), Metadata: []byte(`{}`)})
				}
				if err := rows.FinishBatch(ctx, h, b.Number, done, now); err != nil {
					t.Fatal(err)
				}
				if err := rows.TopUp(ctx, h, now); err != nil {
					t.Fatal(err)
				}
			}
			reopen(t, db, url)
			for table, n := range tuplesRead(t, admin) {
				if each := (n - before[table]) / tasks; each > most {
					t.Errorf("%d rows of %s were read for a task; expected at most %d", each, table, most)
				}
			}
		})
	}
}

// reopen ends all sessions, which tell then what they read, and opens the database again.
func reopen(t *testing.T, db *store.DB, url string) *store.DB {
	t.Helper()
	if db != nil {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// tuplesRead is how many rows of each large table were read or looked at in an index,
// once the sessions that are at an end have told.
func tuplesRead(t *testing.T, db *sql.DB) map[string]int {
	t.Helper()
	query := func() map[string]int {
		rows, err := db.Query(`select t.relname, t.seq_tup_read + (select sum(i.idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid)
			from pg_stat_user_tables t where t.relname in ('data_objects', 'assignments', 'labeling_tasks', 'labeling_results')`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		read := map[string]int{}
		for rows.Next() {
			var table string
			var n int
			if err := rows.Scan(&table, &n); err != nil {
				t.Fatal(err)
			}
			read[table] = n
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return read
	}
	for last, end := query(), time.Now().Add(10*time.Second); ; {
		time.Sleep(1200 * time.Millisecond) // sessions tell once a second
		now := query()
		if fmt.Sprint(now) == fmt.Sprint(last) || time.Now().After(end) {
			return now
		}
		last = now
	}
}
