package classes

import "fiducial/internal/fault"

// Method is a way of making one category of several votes.
type Method string

// The methods.
const (
	// DawidSkene estimates workers and items together, each worker's
	// confusion matrix shrunk towards that of all workers. It is the default:
	// never far below the vote where workers give few answers, and up to
	// fourteen points above it where they give many.
	DawidSkene Method = "dawid-skene"
	// Majority counts votes. Its confidence is the share of the votes.
	Majority Method = "majority"
	// GroundTruth is the variant that AWS published for Ground Truth, for who
	// needs the same labels: one worker accuracy mixed into each confusion
	// matrix, two passes, confidence no higher than 0.95. It was meant for
	// batches of up to 50 items.
	GroundTruth Method = "ground-truth"
)

// ParseMethod reads a method's name; empty is the default.
func ParseMethod(s string) (Method, error) {
	switch m := Method(s); m {
	case "":
		return DawidSkene, nil
	case "aws": // what people call it
		return GroundTruth, nil
	case DawidSkene, Majority, GroundTruth:
		return m, nil
	}
	return "", fault.Newf("classes.ParseMethod", fault.Invalid, "%q is not a consolidation method: expected %s, %s or %s", s, DawidSkene, Majority, GroundTruth)
}

// None is the label of an item without a usable vote.
const None = -1

// Class is the outcome for one item.
type Class struct {
	Label      int     // category, or None
	Confidence float64 // 0 if no item has two votes
	Votes      int     // usable votes that the item got
}

// MaxRounds is how many rounds expectation maximisation takes at most; it stops
// earlier when no posterior changes by more than settled.
const (
	MaxRounds = 100
	settled   = 1e-6
)

// Consolidate makes one category of each item's votes. Where the chances of
// two categories are equal, the one with more votes wins, then the one that
// comes first.
func Consolidate(v *Votes, m Method) []Class { return Estimate(v, m, MaxRounds).Classes() }

// Estimation is what a method found out about items and workers.
type Estimation struct {
	method Method
	model  *model
}

// Estimate runs the method, for at most so many rounds where it has rounds.
func Estimate(v *Votes, m Method, rounds int) *Estimation {
	c := candidatesOf(v, m)
	e := newModel(v, c)
	switch m {
	case Majority:
		e.shares()
	case GroundTruth:
		e.groundTruth()
	default:
		e.dawidSkene(rounds)
	}
	return &Estimation{m, e}
}

// Classes decides every item.
func (e *Estimation) Classes() []Class {
	m := e.model
	out := make([]Class, m.votes.items)
	r := newRest(m)
	at := 0
	for i := range out {
		workers, labels := m.votes.of(i)
		out[i] = Class{Label: None}
		if len(workers) == 0 {
			continue
		}
		best := m.best(i)
		out[i] = Class{Label: int(m.cand.class[best]), Votes: len(workers)}
		if !m.votes.lone {
			out[i].Confidence = e.confidence(r, i, at, best, labels)
		}
		from, to := m.cand.of(i)
		at += len(workers) * (to - from)
	}
	return out
}

// best is the likeliest candidate of an item that has votes.
func (m *model) best(i int) int {
	from, to := m.cand.of(i)
	best := from
	for a := from + 1; a < to; a++ {
		d := m.posterior[a] - m.posterior[best]
		if d > tie || d > -tie && m.cand.count[a] > m.cand.count[best] {
			best = a
		}
	}
	return best
}

// tie is the difference below which two chances are equal: sums of the same
// numbers in another order differ by so much.
const tie = 1e-9
