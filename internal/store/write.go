package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"fiducial/internal/fault"
)

// TxFunc changes the database within a transaction. It may be run more than
// once, so it sets its results afresh each time and touches nothing else.
type TxFunc func(ctx context.Context, tx *sql.Tx) error

// Write runs fn in a transaction and returns after the commit is durable.
// If fn returns an error nothing of it remains, and that error is returned.
//
// SQLite has one writer. Write hands fn to it; whatever functions wait at that
// moment share one transaction (a savepoint each) and so one fsync, which is
// what lets hundreds of workers submit at once. PostgreSQL runs fn in its own
// serializable transaction, again on a serialization failure.
func (db *DB) Write(ctx context.Context, fn TxFunc) error {
	if db.dialect == Postgres {
		return db.writePostgres(ctx, fn)
	}
	j := &job{ctx: ctx, fn: fn, done: make(chan error, 1)}
	select {
	case <-db.stop:
		return closed()
	default:
	}
	select {
	case db.jobs <- j:
	case <-ctx.Done():
		return wrap("store.Write", ctx.Err())
	case <-db.stop:
		return closed()
	}
	// Once queued the outcome is waited for, even if ctx ends: a caller must
	// never report a failure for a change that was made.
	select {
	case err := <-j.done:
		return err
	case <-db.stop:
		db.stopped.Wait()
		select {
		case err := <-j.done:
			return err
		default:
			return closed()
		}
	}
}

func closed() error {
	return fault.E("store.Write", fault.Unavailable, "the server is stopping", nil)
}

// job is one queued write.
type job struct {
	ctx  context.Context
	fn   TxFunc
	done chan error
}

// maxBatch bounds how many writes share a commit, and maxBatchTime how long the
// first of them waits for the others.
const (
	maxBatch     = 256
	maxBatchTime = 20 * time.Millisecond
)

// write is the writer. It ends when stop closes, after the batch at hand.
func (db *DB) write() {
	defer db.stopped.Done()
	for {
		select {
		case j := <-db.jobs:
			db.commitBatch(j)
		case <-db.stop:
			for {
				select {
				case j := <-db.jobs:
					j.done <- closed()
				default:
					return
				}
			}
		}
	}
}

// commitBatch runs first and whatever else is queued in one transaction.
func (db *DB) commitBatch(first *job) {
	// The transaction belongs to no single caller, so none can cancel it.
	ctx := context.Background()
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		first.done <- wrap("store.Write", err)
		return
	}
	start := time.Now()
	var done []*job
	for j, n := first, 0; j != nil; n++ {
		if err := runInSavepoint(ctx, tx, j); err != nil {
			var broken *brokenTx
			if errors.As(err, &broken) {
				_ = tx.Rollback()
				for _, d := range append(done, j) {
					d.done <- wrap("store.Write", broken.err)
				}
				return
			}
			j.done <- err
		} else {
			done = append(done, j)
		}
		j = nil
		if n+1 < maxBatch && time.Since(start) < maxBatchTime {
			select {
			case j = <-db.jobs:
			default:
			}
		}
	}
	err = wrap("store.Write", tx.Commit())
	if err != nil {
		_ = tx.Rollback()
	}
	for _, j := range done {
		j.done <- err
	}
}

// brokenTx says that the whole transaction is unusable.
type brokenTx struct{ err error }

func (b *brokenTx) Error() string { return "transaction broken: " + b.err.Error() }

func runInSavepoint(ctx context.Context, tx *sql.Tx, j *job) (err error) {
	if j.ctx.Err() != nil {
		return wrap("store.Write", j.ctx.Err())
	}
	if _, err := tx.ExecContext(ctx, "savepoint w"); err != nil {
		return &brokenTx{err}
	}
	defer func() {
		// A panic in one caller's function must not take the writer with it:
		// every other caller would wait for ever.
		if p := recover(); p != nil {
			err = fault.E("store.Write", fault.Internal, "", fmt.Errorf("panic in a write: %v", p))
		}
		end := "release w"
		if err != nil {
			end = "rollback to w; release w"
		}
		if _, e := tx.ExecContext(ctx, end); e != nil {
			// SQLite undoes everything when its disk is full, and all that is to be
			// seen then is that the savepoint is gone. The others in this
			// transaction are told why, and nothing else of what err says.
			if err != nil {
				if why := away(err); why != "" {
					e = fault.E("store.Write", fault.Unavailable, why, err)
				}
			}
			err = &brokenTx{e}
		}
	}()
	// Values of the caller's context reach fn; its cancellation does not, for
	// a statement interrupted half-way would roll back everybody's batch.
	return wrap("store.Write", j.fn(context.WithoutCancel(j.ctx), tx))
}

// maxTries bounds how often a transaction is run again after a serialization
// failure or a deadlock.
const maxTries = 20

func (db *DB) writePostgres(ctx context.Context, fn TxFunc) error {
	var err error
	for try := range maxTries {
		if err = db.tryPostgres(ctx, fn); err == nil || !serialization(err) {
			return wrap("store.Write", err)
		}
		select {
		case <-time.After(time.Duration(try+1) * time.Millisecond):
		case <-ctx.Done():
			return wrap("store.Write", ctx.Err())
		case <-db.stop:
			return closed()
		}
	}
	return fault.E("store.Write", fault.Unavailable, "the database is busy; try again", err)
}

func (db *DB) tryPostgres(ctx context.Context, fn TxFunc) error {
	tx, err := db.writer.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

func serialization(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// unique reports whether err is a violation of a unique constraint.
func unique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed")
}
