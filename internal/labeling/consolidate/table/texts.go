package table

import (
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"slices"

	"fiducial/internal/labeling/consolidate"
	"fiducial/internal/labeling/consolidate/texts"
)

// Texts reads item,worker,text and writes item,text,confidence: the text of
// each item that is most like the others, items in the order in which they
// first come; an empty one if nobody wrote any.
func Texts(in io.Reader, out io.Writer) (*Report, error) {
	r, err := NewReader(in, "item", "worker", "text")
	if err != nil {
		return nil, err
	}
	var items, workers consolidate.Names
	type written struct {
		item int32
		text string
	}
	var rows []written
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if row[0] == "" || row[1] == "" {
			r.Drop("it names no item or no worker")
			continue
		}
		workers.Number(row[1])
		rows = append(rows, written{items.Number(row[0]), row[2]})
	}
	slices.SortStableFunc(rows, func(a, b written) int { return cmp.Compare(a.item, b.item) })
	w := csv.NewWriter(out)
	_ = w.Write([]string{"item", "text", "confidence"}) // Flush tells
	for from := 0; from < len(rows); {
		var answers []string
		item := rows[from].item
		for ; from < len(rows) && rows[from].item == item; from++ {
			answers = append(answers, rows[from].text)
		}
		text, c := "", texts.Consolidate(answers)
		if c.Index != texts.None {
			text = answers[c.Index]
		}
		_ = w.Write([]string{items.Name(item), text, decimal(c.Confidence)})
	}
	w.Flush()
	return &Report{Items: items.Len(), Workers: workers.Len(), Answers: len(rows), Dropped: r.Dropped()}, w.Error()
}
