package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"fiducial/internal/fault"
	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

func put(name, value string) store.TxFunc {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into setting (name, value) values ($1, $2)", name, value)
		return err
	}
}

func count(t *testing.T, db *store.DB) int {
	t.Helper()
	var n int
	if err := db.Read().QueryRow("select count(*) from setting").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A failing write in a shared commit takes only itself back.
func TestWriteIsolatesFailures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var wg sync.WaitGroup
		refused := errors.New("refused")
		errs := make([]error, 200)
		for i := range errs {
			wg.Add(1)
			go func() {
				defer wg.Done()
				errs[i] = db.Write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
					if err := put(fmt.Sprint("k", i), "v")(ctx, tx); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return fault.E("test", fault.Invalid, "refused", refused)
					case 2:
						return put("same", "v")(ctx, tx) // only one of these can win
					case 3:
						if db.Dialect() == store.SQLite {
							panic("a caller's defect")
						}
						return refused
					}
					return nil
				})
			}()
		}
		wg.Wait()
		same := 0
		for i, err := range errs {
			switch {
			case i%4 == 0 && err != nil:
				t.Errorf("write %d: %v", i, err)
			case i%4 == 1 && !errors.Is(err, refused):
				t.Errorf("write %d: got %v, want its own error", i, err)
			case i%4 == 2 && err == nil:
				same++
			case i%4 == 3 && err == nil:
				t.Errorf("write %d: no error", i)
			}
		}
		if same != 1 {
			t.Errorf("%d writers of one unique name succeeded, want 1", same)
		}
		if got, want := count(t, db), 50+2; got != want {
			t.Errorf("%d rows, want %d", got, want)
		}
	})
}

// A write that was queued is never reported as failed when it was made.
func TestWriteAfterCancel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := db.Write(ctx, put("a", "b"))
		if (err == nil) != (count(t, db) == 1) {
			t.Errorf("Write returned %v, but %d rows are there", err, count(t, db))
		}
	})
}

func TestReadRefusesToWrite(t *testing.T) {
	db := storetest.SQLite(t)
	if _, err := db.Read().Exec("insert into setting values ('a', 'b')"); err == nil {
		t.Error("the read pool took a write")
	}
}

func TestCloseAnswersUnavailable(t *testing.T) {
	db, err := store.Open(context.Background(), "sqlite:"+t.TempDir()+"/x.db")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(context.Background(), put("a", "b")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
}

func TestOpenRefusesUnknownScheme(t *testing.T) {
	if _, err := store.Open(context.Background(), "mysql://x"); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want Invalid", err)
	}
}
