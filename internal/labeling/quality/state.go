package quality

import (
	"math"
	"slices"

	"fiducial/internal/labeling"
)

// FactKind is what a fact is about.
type FactKind string

// The facts.
const (
	Answered FactKind = "answered" // a task ended with an answer
	Skipped  FactKind = "skipped"  // or was declined or released
	Compared FactKind = "compared" // an answer was compared with the label that it went into
)

// Fact is one thing that happened to one worker.
type Fact struct {
	Kind    FactKind
	Worker  string
	Index   int64   // of the object; negative: a gold question
	Seconds float64 // Answered: from taking the task on
	Digest  string  // Answered: equal for equal answers
	Score   float64 // Compared; Answered, of a gold question
	Right   bool    // Answered, of a gold question
}

// State is what is kept of a worker in a job: totals for the report, and of
// each kind of observation the newest MaxWindow for the rules.
type State struct {
	Answers   int64   `json:"answers"`
	Skips     int64   `json:"skips"`
	GoldAsked int64   `json:"goldAsked"`
	GoldRight int64   `json:"goldRight"`
	Compared  int64   `json:"compared"`
	Agreed    float64 `json:"agreed"` // sum of scores

	Gold    []float64 `json:"gold,omitempty"` // 1 right, 0 wrong
	Scores  []float64 `json:"scores,omitempty"`
	Seconds []float64 `json:"seconds,omitempty"`
	SkipRun int64     `json:"skipRun,omitempty"`
	SameRun int64     `json:"sameRun,omitempty"`
	Last    string    `json:"last,omitempty"` // digest of the last answer

	// Acted is, by rule, how many observations of its collector there had been
	// when it last acted on the worker.
	Acted map[string]int64 `json:"acted,omitempty"`
}

// Observe takes a fact in.
func (s *State) Observe(f Fact) {
	switch f.Kind {
	case Skipped:
		s.Skips++
		s.SkipRun++
	case Compared:
		s.Compared++
		s.Agreed += f.Score
		s.Scores = keep(s.Scores, f.Score)
	case Answered:
		s.Answers++
		s.SkipRun = 0
		s.Seconds = keep(s.Seconds, math.Round(f.Seconds*1000)/1000)
		if f.Digest != s.Last {
			s.Last, s.SameRun = f.Digest, 0
		}
		s.SameRun++
		if f.Index < 0 {
			s.GoldAsked++
			right := 0.0
			if f.Right {
				s.GoldRight++
				right = 1
			}
			s.Gold = keep(s.Gold, right)
		}
	}
}

// keep appends, and forgets the oldest beyond MaxWindow.
func keep(list []float64, x float64) []float64 {
	if list = append(list, x); len(list) > MaxWindow {
		list = slices.Delete(list, 0, len(list)-MaxWindow)
	}
	return list
}

// Accuracy is the chance that an answer of the worker is right, as far as gold
// questions and agreement tell; of somebody new, what most people reach.
func (s *State) Accuracy() float64 {
	const usual, weight = 0.75, 4
	return (float64(s.GoldRight) + s.Agreed + usual*weight) / (float64(s.GoldAsked+s.Compared) + weight)
}

// Median is the middle of the seconds kept; 0 if there are none.
func (s *State) Median() float64 { return median(s.Seconds) }

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return sum / float64(max(len(list), 1))
}

// series are the observations of a collector: those kept, and how many there
// have been.
func (s *State) series(c labeling.Collector) (list []float64, total int64) {
	switch c {
	case labeling.GoldAccuracy:
		return s.Gold, s.GoldAsked
	case labeling.Agreement:
		return s.Scores, s.Compared
	}
	return s.Seconds, s.Answers
}
