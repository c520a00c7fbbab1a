package store

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// away says why a database cannot do anything now that it will do when it is
// itself again: its disk is full, it is not there, it begins or ends. "": the
// error is of another kind.
func away(err error) string {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff { // the rest of the code tells which kind of it
		case sqlite3.SQLITE_FULL:
			return "the disk for the database is full"
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
			return "the database's files cannot be read or written"
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return "the database is busy; try again"
		}
		return ""
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "53100":
			return "the disk for the database is full"
		case strings.HasPrefix(pg.Code, "53"), // its resources are used up
			strings.HasPrefix(pg.Code, "08"),  // the connection failed
			strings.HasPrefix(pg.Code, "57P"), // it begins, ends or has crashed
			strings.HasPrefix(pg.Code, "58"):  // the system under it fails
			return "the database cannot be used now"
		}
		return ""
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err) {
		return "the database does not answer"
	}
	return ""
}
