// Package store keeps every state in SQL: one text of SQL and one set of
// migrations that both SQLite (embedded) and PostgreSQL (several replicas) take.
//
// The portable subset: $1 parameters, "on conflict", "returning", types bigint,
// text, bytea and smallint. Times are Unix microseconds in a bigint. There is
// no "for update": a change that must be exclusive is one statement whose
// outer "where" repeats the guard.
//
// All writes go through Write. What Write has returned nil for survives
// kill -9 and the loss of power; what workers do most takes a way of its own on
// PostgreSQL (labeling_at_once.go).
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"fiducial/internal/fault"
)

// Dialect is which database is behind a DB. Only this package and its tests
// look at it.
type Dialect string

// The databases.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DB is an open database. Make it with Open, end it with Close.
type DB struct {
	dialect Dialect
	reader  *sql.DB
	writer  *sql.DB
	hasty   *sql.DB // PostgreSQL only: writes, and does not wait for its disk

	jobs    chan *job // SQLite only
	stop    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once
}

// Open opens the database at url and brings its schema up to date.
// url is "postgres://…" or "sqlite:PATH" (the file is made if need be).
func Open(ctx context.Context, url string) (*DB, error) {
	var db *DB
	var err error
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		db, err = openPostgres(url)
	case strings.HasPrefix(url, "sqlite:"):
		db, err = openSQLite(strings.TrimPrefix(url, "sqlite:"))
	default:
		return nil, fault.Newf("store.Open", fault.Invalid, "database URL must begin with postgres:// or sqlite:")
	}
	if err != nil {
		return nil, fault.E("store.Open", fault.Unavailable, "the database cannot be opened", err)
	}
	if err := db.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, fault.E("store.Open", fault.Unavailable, "the database schema cannot be brought up to date", err)
	}
	return db, nil
}

// Connections of one server to PostgreSQL. Those that read are their own, so that
// a page does not wait behind all the workers who submit, and so are those that do
// not wait for the disk.
const (
	writeConnections = 16
	hastyConnections = 8
	readConnections  = 8
)

// What a connection to PostgreSQL is told first. Pages that a large manifest fills
// and that do not fit into its memory are to go to the disk at once, not half a
// minute later all together, when everybody who submits would wait for that.
// (Not every PostgreSQL has that setting.)
const (
	writeEvenly = `select set_config(name, '32', false) from pg_settings where name = 'backend_flush_after'`
	writeHasty  = `set synchronous_commit = off`
)

// byIndex is what every connection is told. All that is asked for here has an index,
// or is small. Of a job that was made a minute ago PostgreSQL has no statistics: it
// expects one row, finds reading and sorting everything as good as any other way, and
// then does so, each time that a worker takes a task.
const byIndex = `set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off; set jit = off;`

func openPostgres(url string) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	return &DB{
		dialect: Postgres,
		reader:  postgresPool(config, readConnections, ""),
		writer:  postgresPool(config, writeConnections, writeEvenly),
		hasty:   postgresPool(config, hastyConnections, writeHasty),
		stop:    make(chan struct{}),
	}, nil
}

func postgresPool(config *pgx.ConnConfig, connections int, first string) *sql.DB {
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, byIndex+first)
		return err
	}))
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// openSQLite opens one connection that writes and several that read. In WAL
// mode readers never wait for the writer nor the writer for them.
func openSQLite(path string) (*DB, error) {
	dsn := "file:" + strings.NewReplacer("?", "%3f", "#", "%23").Replace(path) +
		"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=busy_timeout(10000)" +
		"&_pragma=foreign_keys(on)&_pragma=temp_store(memory)&_pragma=cache_size(-16000)&_txlock=immediate"
	toWrite, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	toRead, err := sqlite.NewConnector(dsn + "&_pragma=query_only(on)")
	if err != nil {
		return nil, err
	}
	w, r := sql.OpenDB(keeping{toWrite}), sql.OpenDB(keeping{toRead})
	w.SetMaxOpenConns(1)
	r.SetMaxOpenConns(8)
	r.SetMaxIdleConns(8)
	if err := w.Ping(); err != nil { // makes the file before a reader looks for it
		return nil, errors.Join(err, w.Close(), r.Close())
	}
	db := &DB{dialect: SQLite, reader: r, writer: w, jobs: make(chan *job, 1024), stop: make(chan struct{})}
	db.stopped.Add(1)
	go db.write()
	return db, nil
}

// Close waits for writes under way and closes the database. Writes that come
// after it answer Unavailable.
func (db *DB) Close() error {
	var err error
	db.once.Do(func() {
		close(db.stop)
		db.stopped.Wait()
		err = errors.Join(db.reader.Close(), db.writer.Close())
		if db.hasty != nil {
			err = errors.Join(err, db.hasty.Close())
		}
	})
	return err
}

// Dialect says which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Read is for queries. On SQLite it refuses to write.
func (db *DB) Read() *sql.DB { return db.reader }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	if err := db.reader.QueryRowContext(ctx, "select 1").Scan(&one); err != nil {
		return fault.E("store.Ping", fault.Unavailable, "the database does not answer", err)
	}
	return nil
}

// Micros is t as it stands in the database. The zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is the reverse of Micros.
func Time(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// Bool is b as it stands in the database.
func Bool(b bool) int {
	if b {
		return 1
	}
	return 0
}

// notFound turns sql.ErrNoRows into a NotFound fault with the message, and any
// other error into an Internal one.
func notFound(op string, err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Newf(op, fault.NotFound, format, args...)
	}
	return wrap(op, err)
}

// wrap makes a database error a fault, keeping faults as they are.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.E(op, fault.Unavailable, "the request was given up", err)
	}
	cause := fmt.Errorf("database: %w", err)
	if why := away(err); why != "" {
		return fault.E(op, fault.Unavailable, why, cause)
	}
	return fault.E(op, fault.Internal, "", cause)
}
