package classes

import "slices"

// Vote says that a worker gave an item a label. Items, workers and labels are
// numbers from 0; see consolidate.Names for turning ids into numbers.
type Vote struct {
	Item, Worker, Label int32
}

// Votes is the sparse table of who gave which item which label: items in
// compressed rows, so that one pass over it reads memory in order.
type Votes struct {
	items, workers, classes int
	lone                    bool // no item has two votes: nothing tells how good any of them is

	start  []int32 // of item i's votes in worker and label; one more at the end
	worker []int32
	label  []int32
}

// NewVotes makes the table. A vote for a label outside 0..classes-1, or with a
// negative item or worker, is garbage and counts as not given. A worker's
// repeated votes for one item all count.
func NewVotes(items, classes int, votes []Vote) *Votes {
	v := &Votes{items: items, classes: classes, start: make([]int32, items+1)}
	for _, x := range votes {
		if v.good(x) {
			v.start[x.Item+1]++
			v.workers = max(v.workers, int(x.Worker)+1)
		}
	}
	v.lone = true
	for i := range items {
		v.lone = v.lone && v.start[i+1] < 2
		v.start[i+1] += v.start[i]
	}
	n := v.start[items]
	v.worker, v.label = make([]int32, n), make([]int32, n)
	at := slices.Clone(v.start[:items])
	for _, x := range votes {
		if v.good(x) {
			v.worker[at[x.Item]], v.label[at[x.Item]] = x.Worker, x.Label
			at[x.Item]++
		}
	}
	return v
}

func (v *Votes) good(x Vote) bool {
	return x.Item >= 0 && int(x.Item) < v.items && x.Worker >= 0 && x.Label >= 0 && int(x.Label) < v.classes
}

// of returns the workers and labels of item i's votes.
func (v *Votes) of(i int) (workers, labels []int32) {
	from, to := v.start[i], v.start[i+1]
	return v.worker[from:to], v.label[from:to]
}
