package table

import (
	"encoding/csv"
	"io"

	"fiducial/internal/labeling/consolidate/classes"
)

// MultiLabel reads item,worker,label, a row for each label that a worker
// picked, and writes item,label,confidence: a line for each label that anybody
// picked for the item, with the confidence that it applies. A row with item
// and worker and no label says that the worker picked none.
func MultiLabel(in io.Reader, out io.Writer, m classes.Method) (*Report, error) {
	r, err := NewReader(in, "item", "worker", "label")
	if err != nil {
		return nil, err
	}
	var a marked[int32]
	err = a.read(r, func(row []string) (string, int32, bool) { return row[0], 0, true }, func(l *int32, label int32) { *l = label })
	if err != nil {
		return nil, err
	}
	var selections []classes.Selection
	var items []string
	a.each(func(item string, picked [][]int32, workers []int32) {
		for i, p := range picked {
			selections = append(selections, classes.Selection{Item: int32(len(items)), Worker: workers[i], Labels: p})
		}
		items = append(items, item)
	})
	w := csv.NewWriter(out)
	_ = w.Write([]string{"item", "label", "confidence"}) // Flush tells
	for i, picks := range classes.MultiLabel(len(items), len(a.labels), selections, m) {
		for _, p := range picks {
			_ = w.Write([]string{items[i], a.labels[p.Label], decimal(p.Confidence)})
		}
	}
	w.Flush()
	return a.report(r), w.Error()
}
