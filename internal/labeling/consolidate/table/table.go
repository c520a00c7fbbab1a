// Package table reads answers from CSV files, has them consolidated and writes
// the result as CSV, for people whose answers come from anywhere.
//
// The first line names the columns, in any order and any case; columns that
// are not needed are ignored. Commas, semicolons or tabs separate, a byte
// order mark is skipped. A row that cannot be used is left out and counted:
// answers are people's, and one slip must not cost the other hundred thousand.
package table

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"fiducial/internal/fault"
)

// maxField is the longest field, in bytes. A quote that is never closed makes
// one that is longer.
const maxField = 1 << 20

// Reader reads rows of answers.
type Reader struct {
	csv     *csv.Reader
	columns []int // where each column that was asked for is
	row     []string
	dropped Dropped
}

// Dropped is how many rows were left out, and why the first of them was.
type Dropped struct {
	Rows  int
	First string
}

// NewReader reads the header, in which all columns must be.
func NewReader(r io.Reader, columns ...string) (*Reader, error) {
	const op = "table.NewReader"
	in := bufio.NewReaderSize(r, 1<<16)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	c := csv.NewReader(in)
	c.Comma = separator(in)
	c.FieldsPerRecord = -1
	c.LazyQuotes, c.TrimLeadingSpace, c.ReuseRecord = true, c.Comma != '\t', true
	out := &Reader{csv: c, columns: make([]int, len(columns)), row: make([]string, len(columns))}
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.Newf(op, fault.Invalid, "the file is empty: expected a header line %s", strings.Join(columns, ","))
	}
	if err != nil {
		return nil, fault.E(op, fault.Invalid, "the header cannot be read", err)
	}
	for i, name := range columns {
		out.columns[i] = -1
		for at, h := range header {
			if strings.EqualFold(strings.TrimSpace(h), name) {
				out.columns[i] = at
				break
			}
		}
		if out.columns[i] < 0 {
			return nil, fault.Newf(op, fault.Invalid, "the header has no column %s: expected %s, got %s", name, strings.Join(columns, ","), shorten(strings.Join(header, ",")))
		}
	}
	return out, nil
}

// separator is what separates the columns of the header.
func separator(in *bufio.Reader) rune {
	start, _ := in.Peek(4096)
	line, _, _ := strings.Cut(string(start), "\n")
	for _, s := range ",;\t" {
		if strings.ContainsRune(line, s) {
			return s
		}
	}
	return ','
}

// Next returns the columns that were asked for, in that order; io.EOF after
// the last row. The slice is good until the next call.
func (r *Reader) Next() ([]string, error) {
	const op = "table.Next"
	for {
		record, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fault.E(op, fault.Invalid, "the file cannot be read as CSV", err)
		}
		short := false
		for i, at := range r.columns {
			if short = at >= len(record); short {
				break
			}
			if r.row[i] = record[at]; len(r.row[i]) > maxField {
				return nil, fault.Newf(op, fault.Invalid, "line %d: a field is longer than %d bytes: is there a quote that is not closed?", r.line(), maxField)
			}
		}
		if !short {
			return r.row, nil
		}
		r.Drop("it has only %d columns", len(record))
	}
}

func (r *Reader) line() int {
	line, _ := r.csv.FieldPos(0)
	return line
}

// Drop leaves the row out that Next returned last.
func (r *Reader) Drop(format string, args ...any) {
	if r.dropped.Rows == 0 {
		r.dropped.First = fmt.Sprintf("line %d: %s", r.line(), fmt.Sprintf(format, args...))
	}
	r.dropped.Rows++
}

// Dropped tells what was left out so far.
func (r *Reader) Dropped() Dropped { return r.dropped }

func shorten(s string) string {
	const most = 200
	for i := range s {
		if i > most {
			return s[:i] + "…"
		}
	}
	return s
}
