package table

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"

	"fiducial/internal/labeling/consolidate"
	"fiducial/internal/labeling/consolidate/classes"
)

// Report is what is known beside the labels.
type Report struct {
	Items, Workers, Answers int
	Dropped                 Dropped
	Agreement               []Measure
	Quality                 []Worker
	Labels                  []string // what numbers in Quality mean
}

// Measure is a figure with its name.
type Measure struct {
	Name  string
	Value float64
}

// Worker is how good one worker is.
type Worker struct {
	ID string
	classes.Quality
}

// Classes reads item,worker,label and writes item,label,confidence: one line
// for each item, in the order in which they first come. An item of which no row
// could be used has an empty label and confidence 0.
func Classes(in io.Reader, out io.Writer, m classes.Method) (*Report, error) {
	r, err := NewReader(in, "item", "worker", "label")
	if err != nil {
		return nil, err
	}
	var items, workers, labels consolidate.Names
	var votes []classes.Vote
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if row[0] == "" {
			r.Drop("it names no item")
			continue
		}
		item := items.Number(row[0])
		if row[1] == "" || row[2] == "" {
			r.Drop("it has no worker or no label")
			continue
		}
		votes = append(votes, classes.Vote{Item: item, Worker: workers.Number(row[1]), Label: labels.Number(row[2])})
	}
	names, number := sorted(&labels)
	for i := range votes {
		votes[i].Label = number[votes[i].Label]
	}
	v := classes.NewVotes(items.Len(), len(names), votes)
	answers := len(votes)
	votes = nil // as large as all the rest
	e := classes.Estimate(v, m, classes.MaxRounds)
	w := csv.NewWriter(out)
	_ = w.Write([]string{"item", "label", "confidence"}) // Flush tells
	for i, c := range e.Classes() {
		label := ""
		if c.Label != classes.None {
			label = names[c.Label]
		}
		_ = w.Write([]string{items.Name(int32(i)), label, decimal(c.Confidence)})
	}
	w.Flush()
	report := classReport(r, e, v, &items, &workers, answers)
	report.Labels = names
	return report, w.Error()
}

func classReport(r *Reader, e *classes.Estimation, v *classes.Votes, items, workers *consolidate.Names, answers int) *Report {
	kappa, alpha := classes.Fleiss(v), classes.Krippendorff(v)
	out := &Report{Items: items.Len(), Workers: workers.Len(), Answers: answers, Dropped: r.Dropped(),
		Agreement: []Measure{{"Fleiss' kappa", kappa}, {"Krippendorff's alpha", alpha}}}
	for w, q := range e.Quality() {
		out.Quality = append(out.Quality, Worker{workers.Name(int32(w)), q})
	}
	return out
}

// sorted puts names in order, so that the order of rows decides nothing, and
// maps old numbers to new ones.
func sorted(n *consolidate.Names) (names []string, number []int32) {
	order := make([]int32, n.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if n.Name(a) < n.Name(b) {
			return -1
		}
		return 1
	})
	names, number = make([]string, len(order)), make([]int32, len(order))
	for to, from := range order {
		names[to], number[from] = n.Name(from), int32(to)
	}
	return names, number
}

// decimal writes a confidence with four decimals at most.
func decimal(x float64) string {
	return trim(strconv.FormatFloat(x, 'f', 4, 64))
}

// trim leaves out zeros that say nothing.
func trim(s string) string {
	end := len(s)
	for s[end-1] == '0' {
		end--
	}
	if s[end-1] == '.' {
		end--
	}
	return s[:end]
}
