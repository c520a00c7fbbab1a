package quality

import "fiducial/internal/labeling"

// Decision is an action that a rule takes.
type Decision struct {
	Rule   string
	Worker string
	Index  int64 // of the object that the fact was about
	Action labeling.QualityAction
	Value  float64 // what the collector told
	Count  int     // of how many observations
}

// Judge takes a fact into the state of its worker and says what the rules do
// about it, in their order.
func Judge(rules []labeling.QualityRule, s *State, f Fact) []Decision {
	s.Observe(f)
	var out []Decision
	for i := range rules {
		r := &rules[i]
		if !about(r.Collector, f) {
			continue
		}
		value, count, acts := s.condition(r, f)
		if !acts {
			continue
		}
		s.acted(r)
		for _, a := range r.Actions {
			out = append(out, Decision{Rule: r.Name, Worker: f.Worker, Index: f.Index, Action: a, Value: value, Count: count})
		}
	}
	return out
}

// about reports whether a fact adds to a collector.
func about(c labeling.Collector, f Fact) bool {
	switch c {
	case labeling.GoldAccuracy:
		return f.Kind == Answered && f.Index < 0
	case labeling.Agreement:
		return f.Kind == Compared
	case labeling.SkipsInARow:
		return f.Kind == Skipped
	}
	return f.Kind == Answered
}

// condition is what the collector of a rule tells, and whether the rule acts.
func (s *State) condition(r *labeling.QualityRule, f Fact) (value float64, count int, acts bool) {
	switch r.Collector {
	case labeling.AnswerSeconds:
		return f.Seconds, 1, f.Seconds < *r.Below
	case labeling.SkipsInARow:
		return float64(s.SkipRun), int(s.SkipRun), s.SkipRun%int64(*r.AtLeast) == 0
	case labeling.SameInARow:
		return float64(s.SameRun), int(s.SameRun), s.SameRun%int64(*r.AtLeast) == 0
	}
	list, total := s.series(r.Collector)
	fresh := min(total-s.Acted[r.Name], int64(r.Window), int64(len(list)))
	if fresh < int64(r.MinCount) {
		return 0, int(fresh), false
	}
	list = list[len(list)-int(fresh):]
	value = mean(list)
	if r.Collector == labeling.MedianSeconds {
		value = median(list)
	}
	return value, len(list), value < *r.Below
}

// acted lets a rule with a window count anew. Rules about runs act whenever a
// run is that much longer, and keep nothing.
func (s *State) acted(r *labeling.QualityRule) {
	if r.Window == 0 {
		return
	}
	if s.Acted == nil {
		s.Acted = map[string]int64{}
	}
	_, s.Acted[r.Name] = s.series(r.Collector)
}
