package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"fiducial/internal/store"
	"fiducial/internal/store/storetest"
)

// What a connection keeps of a statement must not show: not its parameters, not
// that it failed, not that it is being read, not that the schema is another.
func TestStatementsAgain(t *testing.T) {
	ctx := t.Context()
	db := storetest.SQLite(t)
	write := func(fn func(tx *sql.Tx) error) error {
		return db.Write(ctx, func(_ context.Context, tx *sql.Tx) error { return fn(tx) })
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const insert = "insert into numbers (n, name) values ($1, $2)"
	must(write(func(tx *sql.Tx) error {
		if _, err := tx.Exec("create table numbers (n bigint primary key, name text)"); err != nil {
			return err
		}
		for i := range 10 {
			if _, err := tx.Exec(insert, i, fmt.Sprint("name ", i)); err != nil {
				return err
			}
		}
		return nil
	}))

	t.Run("while its rows are read", func(t *testing.T) {
		const pairs = "select n from numbers where n < $1 order by n"
		var got []string
		must(write(func(tx *sql.Tx) error {
			got = nil
			for range 2 { // from the second time on it is kept
				var n int
				if err := tx.QueryRow(pairs, 1).Scan(&n); err != nil {
					return err
				}
			}
			outer, err := tx.Query(pairs, 3)
			if err != nil {
				return err
			}
			defer outer.Close()
			for outer.Next() {
				var a, b int
				if err := outer.Scan(&a); err != nil {
					return err
				}
				inner, err := tx.Query(pairs, 2)
				if err != nil {
					return err
				}
				for inner.Next() {
					if err := inner.Scan(&b); err != nil {
						return err
					}
					got = append(got, fmt.Sprint(a, b))
				}
				if err := inner.Close(); err != nil {
					return err
				}
			}
			return outer.Err()
		}))
		if want := "0 0,0 1,1 0,1 1,2 0,2 1"; strings.Join(got, ",") != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})

	t.Run("after it failed", func(t *testing.T) {
		if err := write(func(tx *sql.Tx) error { _, err := tx.Exec(insert, 3, "again"); return err }); err == nil {
			t.Fatal("a key twice: no error")
		}
		must(write(func(tx *sql.Tx) error { _, err := tx.Exec(insert, 10, nil); return err }))
		var name sql.NullString
		must(db.Read().QueryRow("select name from numbers where n = $1", 10).Scan(&name))
		if name.Valid {
			t.Errorf("null became %q", name.String)
		}
	})

	t.Run("with too few parameters", func(t *testing.T) {
		if err := write(func(tx *sql.Tx) error { _, err := tx.Exec(insert, 11); return err }); err == nil {
			t.Fatal("no error: it ran with a parameter of the time before")
		}
	})

	t.Run("broken off", func(t *testing.T) {
		const all = "select n, name from numbers order by n"
		for range 20 { // more than there are connections
			short, cancel := context.WithCancel(ctx)
			rows, err := db.Read().QueryContext(short, all)
			must(err)
			if !rows.Next() {
				t.Fatal("no row")
			}
			cancel()
			_ = rows.Close()
		}
		var n int
		rows, err := db.Read().Query(all)
		must(err)
		defer rows.Close()
		for rows.Next() {
			n++
		}
		if must(rows.Err()); n != 11 {
			t.Errorf("%d rows of 11", n)
		}
	})

	t.Run("under another schema", func(t *testing.T) {
		const all = "select * from numbers where n = $1"
		columns := func() int {
			rows, err := db.Read().Query(all, 1)
			must(err)
			defer rows.Close()
			list, err := rows.Columns()
			must(err)
			return len(list)
		}
		before := columns()
		for range 2 { // now it is kept
			before = columns()
		}
		must(write(func(tx *sql.Tx) error { _, err := tx.Exec("alter table numbers add column more text"); return err }))
		if after := columns(); before != 2 || after != 3 {
			t.Errorf("columns: %d, then %d; want 2 and 3", before, after)
		}
		must(write(func(tx *sql.Tx) error { _, err := tx.Exec("drop table numbers"); return err }))
		if _, err := db.Read().Query(all, 1); err == nil {
			t.Error("the table is gone: no error")
		}
	})

	t.Run("more than are kept", func(t *testing.T) {
		for round := range 2 {
			for i := range 600 {
				var got int
				must(db.Read().QueryRow(fmt.Sprintf("select %d + $1", i), round).Scan(&got))
				if got != i+round {
					t.Fatalf("%d + %d = %d", i, round, got)
				}
			}
		}
		long := "select 1 " + strings.Repeat(" ", 10_000)
		for range 2 {
			var one int
			must(db.Read().QueryRow(long).Scan(&one))
		}
	})
}

// What a query costs, the parsing of its text among it.
func BenchmarkQuery(b *testing.B) {
	db := storetest.SQLite(b)
	objects := store.NewObjects(db)
	for b.Loop() {
		if _, err := objects.Object(b.Context(), "bucket", "key"); err == nil {
			b.Fatal("there is no such object")
		}
	}
}
