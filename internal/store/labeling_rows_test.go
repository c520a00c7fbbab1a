package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// Every line comes once and in its order with its own result, whether pages end
// at their rows, at their lines' bytes or within results that are very long.
func TestRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), time.Now().UTC()
		rows := store.NewLabeling(db).Sealed(columnKeys(t))
		j := seed(t, rows, "rows")
		h := engine.Hold{Job: j.ID, Owner: "engine"}
		if _, err := rows.Claim(ctx, h.Owner, now, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		const n = 2600
		line := func(i int) string {
			room := 0
			if i > 1000 && i < 1014 {
				room = 90_000
			}
			return fmt.Sprintf(`{"source":"text %d","room":"%s"}`, i, strings.Repeat("x", room))
		}
		result := func(i int) (r labeling.Consolidated) {
			r.Index = int64(i)
			switch {
			case i%7 == 3: // not finished
			case i%11 == 5:
				r.Metadata, r.Failure = []byte(fmt.Sprintf(`{"failure-reason":"%d"}`, i)), "nobody"
			default:
				room := 0
				if i > 1500 && i < 1518 {
					room = 200_000
				}
				r.Label, r.Metadata = []byte(fmt.Sprintf(`{"l":%d,"room":"%s"}`, i, strings.Repeat("y", room))), []byte(fmt.Sprintf(`{"m":%d}`, i))
			}
			return r
		}
		for from := 1; from < n; {
			var lines []engine.Line
			for first := from; from < n && from < first+1000; from++ {
				lines = append(lines, engine.Line{Text: line(from), Kept: from%5 == 0, Unfit: from%5 == 1})
			}
			if err := rows.Append(ctx, h, int64(from-len(lines)), lines); err != nil {
				t.Fatal(err)
			}
		}
		batch := int64(1000)
		for from := 0; from < n; batch++ {
			var list []labeling.Consolidated
			for first := from; from < n && from < first+100; from++ {
				if r := result(from); r.Metadata != nil {
					list = append(list, r)
				}
			}
			if err := db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `insert into labeling_batches (job, batch, made_at) values ($1, $2, 0)`, j.ID, batch)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if err := rows.FinishBatch(ctx, h, batch, list, now); err != nil {
				t.Fatal(err)
			}
		}
		next := 0
		err := rows.Rows(ctx, j.ID, func(r engine.Row) error {
			want := result(next)
			if next > 0 && (string(r.Line) != line(next) || r.Kept != (next%5 == 0) || r.Unfit != (next%5 == 1)) ||
				r.Index != int64(next) || string(r.Label) != string(want.Label) || string(r.Metadata) != string(want.Metadata) || r.Failure != want.Failure {
				return fmt.Errorf("row %d is %d: %.60s %.60s %s %q", next, r.Index, r.Line, r.Label, r.Metadata, r.Failure)
			}
			next++
			return nil
		})
		if err != nil || next != n {
			t.Errorf("%d rows, want %d: %v", next, n, err)
		}
		stop := fmt.Errorf("enough")
		if err := rows.Rows(ctx, j.ID, func(engine.Row) error { return stop }); err != stop {
			t.Errorf("the reader's own error comes back as %v", err)
		}
	})
}
