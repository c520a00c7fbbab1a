package classes

// Selection says which labels a worker picked for an item: any number of
// them. None at all is an answer; no Selection is a missing one.
type Selection struct {
	Item, Worker int32
	Labels       []int32
}

// Pick is a label that at least one worker picked for an item. Confidence is
// the estimated chance that the label applies; 0 if no item has two answers.
type Pick struct {
	Label      int
	Confidence float64
}

// MultiLabel consolidates each item's selections: for every label that
// anybody picked for it, the confidence that it applies, in the order of the
// labels. Each label is a question of its own, answered yes or no by every
// worker who answered the item. Labels outside 0..classes-1 count as not
// picked.
func MultiLabel(items, classes int, selections []Selection, m Method) [][]Pick {
	picked := make([][]int32, classes) // selections that picked the class
	for n, s := range selections {
		for _, l := range s.Labels {
			if l >= 0 && int(l) < classes && (len(picked[l]) == 0 || picked[l][len(picked[l])-1] != int32(n)) {
				picked[l] = append(picked[l], int32(n))
			}
		}
	}
	votes := make([]Vote, len(selections))
	out := make([][]Pick, items)
	for label, by := range picked {
		if len(by) == 0 {
			continue
		}
		for n, s := range selections {
			votes[n] = Vote{s.Item, s.Worker, 0}
		}
		for _, n := range by {
			votes[n].Label = 1
		}
		applies(NewVotes(items, 2, votes), m, label, out)
	}
	return out
}

// applies adds the label's pick to every item that got it at least once.
func applies(v *Votes, m Method, label int, out [][]Pick) {
	var e *Estimation
	if !v.lone {
		e = Estimate(v, m, MaxRounds)
	}
	var r *rest
	at := 0
	for i := range v.items {
		_, labels := v.of(i)
		if e == nil {
			if len(labels) > 0 && labels[0] == 1 {
				out[i] = append(out[i], Pick{Label: label})
			}
			continue
		}
		if r == nil {
			r = newRest(e.model)
		}
		from, to := e.model.cand.of(i)
		if yes := to - 1; to > from && e.model.cand.class[yes] == 1 && e.model.cand.count[yes] > 0 {
			out[i] = append(out[i], Pick{label, e.confidence(r, i, at, yes, labels)})
		}
		at += len(labels) * (to - from)
	}
}
