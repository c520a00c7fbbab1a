package exchange_test

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"fiducial/internal/labeling/exchange"
	"fiducial/internal/labeling/exchange/coco"
	"fiducial/internal/labeling/exchange/folder"
	"fiducial/internal/labeling/exchange/hf"
	"fiducial/internal/labeling/exchange/table"
)

// many is a manifest of many lines, made while it is read. It looks at the
// memory in use early and late.
type many struct {
	lines, n    int
	rest        []byte
	early, late uint64
}

func (m *many) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		if m.n == m.lines {
			return 0, io.EOF
		}
		m.n++
		m.rest = fmt.Appendf(nil, `{"source-ref":"s3://photos/%d.jpg","b":{"image_size":[{"width":10,"height":10,"depth":3}],"annotations":[{"class_id":0,"left":1,"top":2,"width":3,"height":4}]},"b-metadata":{"objects":[{"confidence":0.5}],"class-map":{"0":"dog"},"type":"groundtruth/object-detection"}}`+"\n", m.n)
		switch m.n {
		case m.lines / 2:
			m.early = inUse()
		case m.lines - 1:
			m.late = inUse()
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

func inUse() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// Memory does not grow with the number of lines: twice as many lines
// later no more of it is in use, give or take buffers.
func TestMemoryDoesNotGrow(t *testing.T) {
	for _, format := range []string{"coco", "csv", "jsonl", "parquet"} {
		var notes exchange.Notes
		var w exchange.Writer
		switch format {
		case "coco":
			var err error
			if w, err = coco.NewWriter(io.Discard, coco.Options{Classes: exchange.NewClasses(nil), Notes: &notes}); err != nil {
				t.Fatal(err)
			}
		case "csv":
			w = table.NewWriter(io.Discard)
		default:
			files, err := folder.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer files.Close()
			w = hf.NewWriter(files, hf.Options{Format: hf.Format(format), Classes: exchange.NewClasses(nil), Notes: &notes})
		}
		lines := 2_002
		if format == "parquet" {
			lines = 10_002 // both looks are just behind a row group
		}
		in := &many{lines: lines}
		if n, err := exchange.Copy(w, exchange.NewReader(in, ""), &notes); err != nil || n != int64(lines) {
			t.Fatalf("%s: %d, %v", format, n, err)
		}
		if in.late > in.early+2<<20 {
			t.Errorf("%s: %d bytes in use after half of the lines, %d at the end", format, in.early, in.late)
		}
	}
}
