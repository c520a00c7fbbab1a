package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"hash/maphash"
	"maps"
)

// maxStatements bounds the statements that one connection to SQLite keeps, and
// maxStatementText the length of each in bytes: texts made for one number of rows
// are long and hardly come again.
const (
	maxStatements    = 256
	maxStatementText = 4 << 10
)

// maxSeen bounds the texts that a connection knows to have come once. Texts with
// numbers in them never come again, and must not drive out those that do.
const maxSeen = 1024

// keeping makes connections to SQLite that keep the statements they have parsed, as
// pgx does for PostgreSQL: to parse a statement costs more than to run most of them.
type keeping struct{ driver.Connector }

// sqliteConn is what database/sql asks of a connection, and SQLite's driver has.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(sqliteConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("%T lacks methods of a database connection", c)
	}
	return &keptConn{sqliteConn: conn, kept: map[string]*statement{}, seed: maphash.MakeSeed(), seen: map[uint64]bool{}}, nil
}

// keptConn is a connection with its statements. As with any driver's connection,
// there is one user at a time.
type keptConn struct {
	sqliteConn
	kept map[string]*statement
	seed maphash.Seed
	seen map[uint64]bool // hashes of texts that came once
}

type statement struct {
	driver.Stmt
	busy bool // its rows are being read
}

// statement is the parsed statement of a text, nil if the text is to be parsed each
// time: it is long, or it comes for the first time, or the statement is at work.
func (c *keptConn) statement(ctx context.Context, text string) (*statement, error) {
	if s := c.kept[text]; s != nil {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if len(text) > maxStatementText {
		return nil, nil
	}
	if hash := maphash.String(c.seed, text); !c.seen[hash] {
		if len(c.seen) >= maxSeen {
			clear(c.seen)
		}
		c.seen[hash] = true
		return nil, nil
	}
	if len(c.kept) >= maxStatements {
		// Any one will do: a map begins somewhere else each time.
		for other, s := range c.kept {
			if !s.busy {
				delete(c.kept, other)
				_ = s.Close()
				break
			}
		}
	}
	p, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: p}
	c.kept[text] = s
	return s, nil
}

func (c *keptConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.ExecContext(ctx, text, args)
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (c *keptConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.QueryContext(ctx, text, args)
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &keptRows{Rows: rows, of: s}, nil
}

func (c *keptConn) Close() error {
	for s := range maps.Values(c.kept) {
		_ = s.Close()
	}
	c.kept = nil
	return c.sqliteConn.Close()
}

// keptRows gives its statement back when it is closed.
type keptRows struct {
	driver.Rows
	of *statement
}

func (r *keptRows) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}
