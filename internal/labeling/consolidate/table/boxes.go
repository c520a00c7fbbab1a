package table

import (
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"

	"fiducial/internal/labeling/consolidate"
	"fiducial/internal/labeling/consolidate/boxes"
)

// Boxes reads item,worker,label,left,top,width,height and writes
// item,label,confidence,left,top,width,height: a line for each box, items in
// the order in which they first come. A row with item and worker and nothing
// else says that the worker found nothing there. Coordinates may have any unit
// and are not rounded to it.
func Boxes(in io.Reader, out io.Writer, f boxes.Fusion) (*Report, error) {
	r, err := NewReader(in, "item", "worker", "label", "left", "top", "width", "height")
	if err != nil {
		return nil, err
	}
	var a marked[boxes.Box]
	err = a.read(r, func(row []string) (label string, b boxes.Box, ok bool) {
		b.Left, b.Top, b.Width, b.Height = number(row[1]), number(row[2]), number(row[3]), number(row[4])
		if !b.Real() {
			r.Drop("left, top, width, height must be numbers, and the last two above 0: got %s", shorten(quoted(row[1:])))
		}
		return row[0], b, b.Real()
	}, func(b *boxes.Box, label int32) { b.Label = int(label) })
	if err != nil {
		return nil, err
	}
	w := csv.NewWriter(out)
	_ = w.Write([]string{"item", "label", "confidence", "left", "top", "width", "height"}) // Flush tells
	alike, pairs := 0.0, 0
	a.each(func(item string, answers [][]boxes.Box, _ []int32) {
		mean, n := boxes.Agreement(answers)
		alike, pairs = alike+mean*float64(n), pairs+n
		for _, b := range boxes.Consolidate(answers, f) {
			_ = w.Write([]string{item, a.labels[b.Label], decimal(b.Confidence), coordinate(b.Left), coordinate(b.Top), coordinate(b.Width), coordinate(b.Height)})
		}
	})
	w.Flush()
	return a.report(r, Measure{"mean IoU of two workers", alike / float64(pairs)}), w.Error()
}

// number reads a number; NaN if it is none.
func number(s string) float64 {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return x
}

func coordinate(x float64) string { return trim(strconv.FormatFloat(x, 'f', 6, 64)) }

func quoted(fields []string) string {
	var out []byte
	for i, f := range fields {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = strconv.AppendQuote(out, f)
	}
	return string(out)
}

// marked are answers that consist of any number of marks, one a row.
type marked[M any] struct {
	items, workers consolidate.Names
	labels         []string // sorted
	rows           []mark[M]
}

type mark[M any] struct {
	item, worker, label int32
	nothing             bool
	mark                M
}

// read reads all rows. parse gets what comes after item and worker and says
// whether it is a mark; label sets a mark's label.
func (a *marked[M]) read(r *Reader, parse func(row []string) (label string, m M, ok bool), label func(*M, int32)) error {
	var labels consolidate.Names
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if row[0] == "" || row[1] == "" {
			r.Drop("it names no item or no worker")
			continue
		}
		// The worker has answered, whatever the mark is worth.
		x := mark[M]{item: a.items.Number(row[0]), worker: a.workers.Number(row[1]), nothing: true}
		if !slices.ContainsFunc(row[2:], func(s string) bool { return s != "" }) {
			a.rows = append(a.rows, x)
			continue
		}
		name, m, ok := parse(row[2:])
		if ok && name == "" {
			r.Drop("it has no label")
			ok = false
		}
		if ok {
			x.mark, x.label, x.nothing = m, labels.Number(name), false
		}
		a.rows = append(a.rows, x)
	}
	names, number := sorted(&labels)
	a.labels = names
	_, order := sorted(&a.workers)
	for i := range a.rows {
		if x := &a.rows[i]; !x.nothing {
			label(&x.mark, number[x.label])
		}
	}
	slices.SortStableFunc(a.rows, func(x, y mark[M]) int {
		return cmp.Or(cmp.Compare(x.item, y.item), cmp.Compare(order[x.worker], order[y.worker]))
	})
	return nil
}

// each calls fn for every item: the marks of each worker who answered it, and
// who those are.
func (a *marked[M]) each(fn func(item string, answers [][]M, workers []int32)) {
	for from := 0; from < len(a.rows); {
		var answers [][]M
		var workers []int32
		at := from
		for ; at < len(a.rows) && a.rows[at].item == a.rows[from].item; at++ {
			x := a.rows[at]
			if n := len(workers); n == 0 || workers[n-1] != x.worker {
				answers, workers = append(answers, nil), append(workers, x.worker)
			}
			if !x.nothing {
				answers[len(answers)-1] = append(answers[len(answers)-1], x.mark)
			}
		}
		fn(a.items.Name(a.rows[from].item), answers, workers)
		from = at
	}
}

func (a *marked[M]) report(r *Reader, m ...Measure) *Report {
	return &Report{Items: a.items.Len(), Workers: a.workers.Len(), Answers: len(a.rows), Dropped: r.Dropped(), Agreement: m}
}
