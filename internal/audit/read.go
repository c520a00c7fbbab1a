package audit

import (
	"container/heap"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"fiducial/internal/fault"
)

// Between is the part of the record that is wanted: From is in it, To is not;
// zero for no bound. Chain is the only one wanted; empty for all.
type Between struct {
	From, To time.Time
	Chain    string
}

func (b Between) has(t time.Time) bool {
	return !t.Before(b.From) && (b.To.IsZero() || t.Before(b.To))
}

// file reports whether a file may have records of the time. A record that was
// begun before midnight may stand in the next day's file.
func (b Between) file(d DayFile) bool {
	return (b.From.IsZero() || d.Day >= dayOf(b.From)) && (b.To.IsZero() || d.Day <= dayOf(b.To.Add(24*time.Hour)))
}

// Read calls f with every record of the folder in the time, those of all chains
// together in the order of their times as far as each chain has them in that
// order. It holds one line a chain in memory. The record and its line, without
// its end, are valid during the call. Lines that are no records are counted: to
// say where they are is Verify's business.
func Read(ctx context.Context, dir string, when Between, f func(r *Record, line []byte) error) (unreadable int, err error) {
	chains, _, err := Files(dir)
	if err != nil {
		return 0, fault.E("audit.Read", fault.Unavailable, "the audit folder cannot be read", err)
	}
	m := merge{}
	defer func() {
		for _, c := range m {
			c.close()
		}
	}()
	for name, files := range chains {
		if when.Chain != "" && when.Chain != name {
			continue
		}
		c := &cursor{when: when, unreadable: &unreadable}
		for _, d := range files {
			if when.file(d) {
				c.files = append(c.files, d)
			}
		}
		switch err := c.next(); {
		case err == nil:
			m = append(m, c)
		case !errors.Is(err, io.EOF):
			return unreadable, err
		}
	}
	heap.Init(&m)
	for n := 0; len(m) > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return unreadable, ctx.Err()
		}
		c := m[0]
		if err := f(&c.r, c.line); err != nil {
			return unreadable, err
		}
		switch err := c.next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&m)
		case err != nil:
			return unreadable, err
		default:
			heap.Fix(&m, 0)
		}
	}
	return unreadable, nil
}

// cursor stands at a record of a chain.
type cursor struct {
	when       Between
	files      []DayFile
	file       *os.File
	lines      *lines
	line       []byte
	r          Record
	unreadable *int
}

// next goes to the chain's next record in the time; io.EOF after the last.
func (c *cursor) next() error {
	for {
		if c.file == nil {
			if len(c.files) == 0 {
				return io.EOF
			}
			f, err := os.Open(c.files[0].Path())
			c.files = c.files[1:]
			if errors.Is(err, fs.ErrNotExist) { // retired meanwhile
				continue
			}
			if err != nil {
				return fault.E("audit.Read", fault.Unavailable, "a file of the record cannot be read", err)
			}
			c.file, c.lines = f, newLines(f)
		}
		line, whole, err := c.lines.next()
		switch {
		case err == io.EOF, err == nil && !whole: // half a line is being written, or was lost
			c.close()
		case err == errLongLine:
			*c.unreadable++
			c.close()
		case err != nil:
			return fault.E("audit.Read", fault.Unavailable, "a file of the record cannot be read", err)
		case Parse(line, &c.r) != nil:
			*c.unreadable++
		case c.when.has(c.r.Time):
			c.line = line
			return nil
		}
	}
}

func (c *cursor) close() {
	if c.file != nil {
		_ = c.file.Close()
		c.file, c.lines = nil, nil
	}
}

// merge is a heap of chains, the one with the earliest record first.
type merge []*cursor

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[i].r.Time.Before(m[j].r.Time) }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)        { *m = append(*m, x.(*cursor)) }
func (m *merge) Pop() any {
	old := *m
	c := old[len(old)-1]
	*m = old[:len(old)-1]
	return c
}
