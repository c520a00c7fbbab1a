// Package spool keeps on disk what does not come in the order in which it is
// needed: a File is written once and read once, a Sorter gives records back by
// their keys. Both have temporary files that nobody else sees and that are gone
// with the process.
package spool

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

// temporary makes a file that has no name, where the system allows that.
func temporary() (*os.File, error) {
	f, err := os.CreateTemp("", "fiducial-spool-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// File is a text that is written, then read.
type File struct {
	*bufio.Writer
	file *os.File
}

// NewFile makes an empty file.
func NewFile() (*File, error) {
	f, err := temporary()
	if err != nil {
		return nil, err
	}
	return &File{bufio.NewWriterSize(f, 64<<10), f}, nil
}

// CopyTo writes all of the file to w.
func (f *File) CopyTo(w io.Writer) error {
	if err := f.Flush(); err != nil {
		return err
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, f.file)
	return err
}

// Close gives the file up.
func (f *File) Close() error { return f.file.Close() }

// batch is how many bytes of records are sorted in memory at once.
const batch = 32 << 20

// Record is a record of a Sorter.
type Record struct {
	Key  int64
	Data []byte
}

// Sorter sorts records by key; those of one key keep their order.
type Sorter struct {
	batch   int
	records []Record
	size    int
	runs    []*os.File
}

// NewSorter makes an empty sorter.
func NewSorter() *Sorter { return &Sorter{batch: batch} }

// Add adds a record, whose data are the sorter's from now on.
func (s *Sorter) Add(key int64, data []byte) error {
	s.records = append(s.records, Record{key, data})
	if s.size += len(data) + 48; s.size < s.batch {
		return nil
	}
	return s.flush()
}

// flush writes what is in memory as one sorted run.
func (s *Sorter) flush() error {
	s.sort()
	f, err := temporary()
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriterSize(f, 64<<10)
	var head [12]byte
	for _, r := range s.records {
		binary.LittleEndian.PutUint64(head[:], uint64(r.Key))
		binary.LittleEndian.PutUint32(head[8:], uint32(len(r.Data)))
		_, _ = w.Write(head[:]) // Flush tells
		_, _ = w.Write(r.Data)
	}
	s.records, s.size = s.records[:0], 0
	return w.Flush()
}

func (s *Sorter) sort() {
	slices.SortStableFunc(s.records, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
}

// Each calls fn with all records in order. It can be called once.
func (s *Sorter) Each(fn func(Record) error) error {
	if len(s.runs) == 0 {
		s.sort()
		for _, r := range s.records {
			if err := fn(r); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.flush(); err != nil {
		return err
	}
	m := make(merge, 0, len(s.runs))
	for i, f := range s.runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r := &run{number: i, in: bufio.NewReaderSize(f, 64<<10)}
		switch err := r.next(); {
		case err == nil:
			m = append(m, r)
		case err != io.EOF:
			return err
		}
	}
	heap.Init(&m)
	for len(m) > 0 {
		r := m[0]
		if err := fn(r.head); err != nil {
			return err
		}
		switch err := r.next(); {
		case err == io.EOF:
			heap.Pop(&m)
		case err != nil:
			return err
		default:
			heap.Fix(&m, 0)
		}
	}
	return nil
}

// Close gives the files up.
func (s *Sorter) Close() error {
	var err error
	for _, f := range s.runs {
		err = errors.Join(err, f.Close())
	}
	return err
}

// run is a sorted file that is being merged.
type run struct {
	number int
	in     *bufio.Reader
	head   Record
}

func (r *run) next() error {
	var head [12]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return err
	}
	r.head = Record{int64(binary.LittleEndian.Uint64(head[:])), make([]byte, binary.LittleEndian.Uint32(head[8:]))}
	_, err := io.ReadFull(r.in, r.head.Data)
	if err == io.EOF && len(r.head.Data) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

type merge []*run

func (m merge) Len() int { return len(m) }
func (m merge) Less(i, j int) bool {
	if m[i].head.Key != m[j].head.Key {
		return m[i].head.Key < m[j].head.Key
	}
	return m[i].number < m[j].number
}
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)   { *m = append(*m, x.(*run)) }
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}
