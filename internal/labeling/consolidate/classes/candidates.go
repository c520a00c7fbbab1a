package classes

import "slices"

// maxCandidates is how many of an item's labels may be its class; the most
// voted of more.
const maxCandidates = 12

// candidates are the classes that each item may have: those that somebody
// voted for. A label that nobody gave is never the result, and memory follows
// the votes, however many classes there are.
type candidates struct {
	start []int32 // of item i's candidates in class; one more at the end
	class []int32 // rising within an item
	count []int32 // votes that it got
}

// votedFor lists what was voted for.
func votedFor(v *Votes) *candidates {
	c := &candidates{start: make([]int32, v.items+1)}
	var distinct []share
	var sorted []int32
	for i := range v.items {
		_, labels := v.of(i)
		sorted = append(sorted[:0], labels...)
		distinct = count(distinct[:0], sorted)
		for _, d := range distinct {
			c.class, c.count = append(c.class, d.label), append(c.count, d.votes)
		}
		c.start[i+1] = int32(len(c.class))
	}
	return c
}

// everything makes every class a candidate of every item that has votes.
func everything(v *Votes) *candidates {
	c := &candidates{start: make([]int32, v.items+1)}
	for i := range v.items {
		_, labels := v.of(i)
		if len(labels) > 0 {
			from := len(c.class)
			for k := range v.classes {
				c.class = append(c.class, int32(k))
			}
			c.count = append(c.count, make([]int32, v.classes)...)
			for _, l := range labels {
				c.count[from+int(l)]++
			}
		}
		c.start[i+1] = int32(len(c.class))
	}
	return c
}

// of returns the bounds of item i's candidates.
func (c *candidates) of(i int) (from, to int) { return int(c.start[i]), int(c.start[i+1]) }

type share struct{ label, votes int32 }

// count tallies labels, which it sorts; the result is sorted by label.
func count(out []share, labels []int32) []share {
	slices.Sort(labels)
	for _, l := range labels {
		if n := len(out); n > 0 && out[n-1].label == l {
			out[n-1].votes++
			continue
		}
		out = append(out, share{l, 1})
	}
	if len(out) <= maxCandidates {
		return out
	}
	slices.SortStableFunc(out, func(a, b share) int { return int(b.votes) - int(a.votes) })
	out = out[:maxCandidates]
	slices.SortFunc(out, func(a, b share) int { return int(a.label) - int(b.label) })
	return out
}

// groundTruthClasses is up to how many classes AWS's variant looks at all.
const groundTruthClasses = 64

// candidatesOf are the candidates that the method looks at: the one that AWS
// published looks at every class, as long as that is affordable.
func candidatesOf(v *Votes, m Method) *candidates {
	if m == GroundTruth && v.classes <= groundTruthClasses {
		return everything(v)
	}
	return votedFor(v)
}
