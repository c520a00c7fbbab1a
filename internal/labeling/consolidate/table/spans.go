package table

import (
	"encoding/csv"
	"io"
	"strconv"

	"fiducial/internal/labeling/consolidate/spans"
)

// Spans reads item,worker,start,end,label and writes
// item,label,confidence,start,end: a line for each span, items in the order in
// which they first come. A row with item and worker and nothing else says that
// the worker found nothing there. Ends are exclusive.
func Spans(in io.Reader, out io.Writer, o spans.Options) (*Report, error) {
	r, err := NewReader(in, "item", "worker", "start", "end", "label")
	if err != nil {
		return nil, err
	}
	var a marked[spans.Span]
	err = a.read(r, func(row []string) (label string, s spans.Span, ok bool) {
		start, end := number(row[0]), number(row[1])
		if ok = start >= 0 && end > start && end <= 1<<31; !ok {
			r.Drop("start and end must be numbers from 0, the end behind the start: got %s", shorten(quoted(row[:2])))
		}
		return row[2], spans.Span{Start: int(start), End: int(end)}, ok
	}, func(s *spans.Span, label int32) { s.Label = int(label) })
	if err != nil {
		return nil, err
	}
	var answers []spans.Answer
	var items []string
	a.each(func(item string, marked [][]spans.Span, workers []int32) {
		for i, m := range marked {
			answers = append(answers, spans.Answer{Item: int32(len(items)), Worker: workers[i], Spans: m})
		}
		items = append(items, item)
	})
	w := csv.NewWriter(out)
	_ = w.Write([]string{"item", "label", "confidence", "start", "end"}) // Flush tells
	for i, found := range spans.Consolidate(len(items), len(a.labels), answers, o) {
		for _, s := range found {
			_ = w.Write([]string{items[i], a.labels[s.Label], decimal(s.Confidence), strconv.Itoa(s.Start), strconv.Itoa(s.End)})
		}
	}
	w.Flush()
	return a.report(r), w.Error()
}
