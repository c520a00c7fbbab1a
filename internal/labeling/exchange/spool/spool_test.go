package spool

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Records come back by key, those of one key in the order in which they came,
// whether they fit into memory or wait in many files.
func TestSorter(t *testing.T) {
	for _, size := range []int{batch, 500, 1} {
		s := NewSorter()
		s.batch = size
		r := rand.New(rand.NewPCG(1, 2))
		var want []Record
		for i := range 300 {
			rec := Record{int64(r.IntN(20)) - 5, []byte(fmt.Sprint(i))}
			if i%7 == 0 {
				rec.Data = []byte{}
			}
			want = append(want, Record{rec.Key, bytes.Clone(rec.Data)})
			if err := s.Add(rec.Key, rec.Data); err != nil {
				t.Fatal(err)
			}
		}
		if runs := len(s.runs); (size == batch) != (runs == 0) {
			t.Errorf("batches of %d bytes: %d files", size, runs)
		}
		slices.SortStableFunc(want, func(a, b Record) int { return int(a.Key - b.Key) })
		var got []Record
		if err := s.Each(func(r Record) error { got = append(got, r); return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(want, got, func(a, b Record) bool { return a.Key == b.Key && bytes.Equal(a.Data, b.Data) }) {
			t.Errorf("batches of %d bytes: %v", size, got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFile(t *testing.T) {
	f, err := NewFile()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	if _, err := f.WriteString("abc"); err != nil {
		t.Fatal(err)
	}
	if err := f.CopyTo(&out); err != nil || out.String() != "abc" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
