package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"fiducial/internal/fault"
)

func TestAway(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&pgconn.PgError{Code: "53100"}, "the disk for the database is full"},
		{&pgconn.PgError{Code: "57P03"}, "the database cannot be used now"},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), "the database does not answer"},
		{&pgconn.PgError{Code: "23505"}, ""},
		{&pgconn.PgError{Code: "42601"}, ""},
		{sql.ErrNoRows, ""},
		{errors.New("json: cannot unmarshal"), ""},
	} {
		if got := away(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// A disk that is full is said to be, to everybody whose write was in the
// transaction; nothing of it is there, and everything is well when there is
// space again.
func TestDiskFull(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var pages int
	if err := db.writer.QueryRow("pragma page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		if _, err := db.writer.Exec(fmt.Sprintf("pragma max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string, size int) error {
		return db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `insert into setting (name, value) values ($1, $2)`, name, string(make([]byte, size)))
			return err
		})
	}
	limit(pages + 20)
	held, released := make(chan struct{}), make(chan struct{})
	errs := make(chan error, 3)
	go func() {
		errs <- db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { close(held); <-released; return nil })
	}()
	<-held
	for _, size := range []int{100, 1 << 20} {
		go func() { errs <- put(fmt.Sprint("with ", size), size) }()
	}
	close(released)
	full := 0
	for range 3 {
		if err := <-errs; err != nil {
			full++
			if !fault.Is(err, fault.Unavailable) || fault.MessageOf(err) != "the disk for the database is full" {
				t.Errorf("%v: %q", err, fault.MessageOf(err))
			}
		}
	}
	if full == 0 {
		t.Error("nobody was told")
	}
	limit(1 << 20)
	if err := put("after", 1<<20); err != nil {
		t.Error(err)
	}
}
