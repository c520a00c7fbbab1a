package quality

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"fiducial/internal/labeling"
	"fiducial/internal/labeling/consolidate/classes"
)

// crowd is people who label, some of whom guess.
type crowd struct {
	r        *rand.Rand
	accuracy []float64 // of each worker
	truth    []int
	names    []string
}

const (
	crowdObjects = 600
	crowdWorkers = 30
	spammers     = crowdWorkers / 5
	crowdBatch   = 50
)

// newCrowd is 30 people, of whom 6 guess and the others are right in 65 to 95 %
// of the cases, and 600 objects of 4 classes.
func newCrowd(seed uint64) *crowd {
	c := &crowd{r: rand.New(rand.NewPCG(seed, 1)), names: []string{"a", "b", "c", "d"}}
	for i := range crowdWorkers {
		a := 0.65 + 0.3*c.r.Float64()
		if i < spammers {
			a = 1 / float64(len(c.names))
		}
		c.accuracy = append(c.accuracy, a)
	}
	for range crowdObjects {
		c.truth = append(c.truth, c.r.IntN(len(c.names)))
	}
	return c
}

func (c *crowd) says(worker, truth int) int {
	if c.r.Float64() < c.accuracy[worker] {
		return truth
	}
	return (truth + 1 + c.r.IntN(len(c.names)-1)) % len(c.names)
}

// votes are what workers said of one object.
type votes map[int]int

// right labels objects as the engine does, and counts those that are right.
func (c *crowd) right(objects []int, answers []votes) int {
	var list []classes.Vote
	for i, o := range objects {
		for _, w := range sortedKeys(answers[o]) {
			list = append(list, classes.Vote{Item: int32(i), Worker: int32(w), Label: int32(answers[o][w])})
		}
	}
	n := 0
	for i, l := range classes.Consolidate(classes.NewVotes(len(objects), len(c.names), list), classes.DawidSkene) {
		if l.Label == c.truth[objects[i]] {
			n++
		}
	}
	return n
}

func sortedKeys(m votes) []int {
	var out []int
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// fixed has every object answered by so many workers.
func (c *crowd) fixed(overlap int) (accuracy float64, answers int) {
	all := make([]votes, crowdObjects)
	right := 0
	for o := range all {
		all[o] = votes{}
		for _, w := range c.r.Perm(crowdWorkers)[:overlap] {
			all[o][w] = c.says(w, c.truth[o])
			answers++
		}
	}
	for from := 0; from < crowdObjects; from += crowdBatch {
		var batch []int
		for o := from; o < min(from+crowdBatch, crowdObjects); o++ {
			batch = append(batch, o)
		}
		right += c.right(batch, all)
	}
	return float64(right) / crowdObjects, answers
}

// controlled is a job under quality control, with what the engine and the queue
// do with it in memory.
type controlled struct {
	*crowd
	q        *labeling.Quality
	most     int
	scorer   *Scorer
	states   []State
	tasks    []int64
	gold     []int // how many questions each worker has had
	excluded []bool
	given    []votes
	wanted   []int
	done     []bool
	labels   []bool // right
	answers  int    // all that were given, to gold questions and discarded ones too
}

func (c *crowd) controlled(q *labeling.Quality, most int) (accuracy float64, answers, gold, excluded int) {
	s := &controlled{crowd: c, q: q, most: most, scorer: NewScorer(labeling.TextClassification, c.names),
		states: make([]State, crowdWorkers), tasks: make([]int64, crowdWorkers), gold: make([]int, crowdWorkers), excluded: make([]bool, crowdWorkers),
		given: make([]votes, crowdObjects), wanted: make([]int, crowdObjects), done: make([]bool, crowdObjects), labels: make([]bool, crowdObjects)}
	for o := range s.given {
		s.given[o], s.wanted[o] = votes{}, q.Overlap.MinWorkers
	}
	for s.round() {
	}
	right := 0
	for _, ok := range s.labels {
		right += map[bool]int{true: 1}[ok]
	}
	for w := range crowdWorkers {
		gold += s.gold[w]
		excluded += map[bool]int{true: 1}[s.excluded[w]]
	}
	return float64(right) / crowdObjects, s.answers, gold, excluded
}

// round lets every worker do a task, and consolidates what is due; false: all
// is labelled.
func (s *controlled) round() bool {
	worked := false
	for _, w := range s.r.Perm(crowdWorkers) {
		worked = !s.excluded[w] && s.work(w) || worked
	}
	var due []int
	for o := range s.given {
		if !s.done[o] && len(s.given[o]) >= s.wanted[o] {
			due = append(due, o)
		}
	}
	for len(due) >= crowdBatch || !worked && len(due) > 0 {
		batch := due[:min(crowdBatch, len(due))]
		s.consolidate(batch)
		due, worked = due[len(batch):], true
	}
	return worked
}

func (s *controlled) work(w int) bool {
	object := 0
	for ; object < crowdObjects; object++ {
		if _, had := s.given[object][w]; !had && !s.done[object] && len(s.given[object]) < s.wanted[object] {
			break
		}
	}
	if object == crowdObjects {
		return false
	}
	s.answers++
	slots := Slots{Secret: 1, Worker: fmt.Sprint(w), Every: s.q.Gold.OneTaskIn}
	f := Fact{Kind: Answered, Worker: fmt.Sprint(w), Index: int64(object), Seconds: 10}
	if slots.Due(s.tasks[w]) {
		truth := s.r.IntN(len(s.names))
		f.Index, f.Right = -1, s.says(w, truth) == truth
		s.gold[w]++
	} else {
		s.given[object][w] = s.says(w, s.truth[object])
	}
	s.tasks[w]++
	s.judge(w, f)
	return true
}

func (s *controlled) judge(w int, f Fact) {
	for _, d := range Judge(s.q.Rules, &s.states[w], f) {
		switch d.Action.Type {
		case labeling.ExcludeWorker:
			s.excluded[w] = true
		case labeling.RequeueAnswers:
			for o, v := range s.given {
				if _, had := v[w]; had {
					delete(v, w)
					if s.done[o] {
						s.wanted[o] = max(s.q.Overlap.MinWorkers, len(v))
					}
					s.done[o] = false
				}
			}
		}
	}
}

// consolidate is the engine's weigh.
func (s *controlled) consolidate(batch []int) {
	accuracy := func(worker string) float64 {
		var w int
		_, _ = fmt.Sscan(worker, &w)
		return s.states[w].Accuracy()
	}
	var settled []int
	for _, o := range batch {
		var list []labeling.Answer
		for _, w := range sortedKeys(s.given[o]) {
			list = append(list, labeling.Answer{Worker: fmt.Sprint(w), Content: json.RawMessage(`{"c":{"label":"` + s.names[s.given[o][w]] + `"}}`)})
		}
		if len(list) < s.most && s.scorer.Agree(list, accuracy) < s.q.Overlap.MinAgreement {
			s.wanted[o]++
			continue
		}
		settled = append(settled, o)
	}
	var votes []classes.Vote
	for i, o := range batch {
		for _, w := range sortedKeys(s.given[o]) {
			votes = append(votes, classes.Vote{Item: int32(i), Worker: int32(w), Label: int32(s.given[o][w])})
		}
	}
	made := classes.Consolidate(classes.NewVotes(len(batch), len(s.names), votes), classes.DawidSkene)
	for i, o := range batch {
		if !slices.Contains(settled, o) {
			continue
		}
		s.done[o], s.labels[o] = true, made[i].Label == s.truth[o]
		for _, w := range sortedKeys(s.given[o]) {
			score := 0.0
			if s.given[o][w] == made[i].Label {
				score = 1
			}
			if len(s.given[o]) > 1 && !s.excluded[w] {
				s.judge(w, Fact{Kind: Compared, Worker: fmt.Sprint(w), Index: int64(o), Score: score})
			}
		}
	}
}

// Where one in five guesses, gold questions, exclusion and dynamic overlap reach
// at least the accuracy of five answers an object, with fewer answers, those to
// gold questions and those that were discarded counted in. docs/quality.md has
// the numbers.
func TestControlledCrowdNeedsFewerAnswers(t *testing.T) {
	q, err := Parse([]byte(`{"Version":"2026-11-01","Gold":{"ManifestS3Uri":"s3://input/gold.manifest","OneTaskIn":10},
		"Overlap":{"MinWorkers":2,"MinAgreement":0.97},
		"Rules":[{"Name":"guessing","Collector":"GoldAccuracy","Window":20,"MinCount":4,"Below":0.5,"Actions":[{"Type":"ExcludeWorker"},{"Type":"RequeueAnswers"}]},
			{"Name":"disagreeing","Collector":"Agreement","Window":40,"MinCount":15,"Below":0.5,"Actions":[{"Type":"ExcludeWorker"},{"Type":"RequeueAnswers"}]}]}`), job())
	if err != nil {
		t.Fatal(err)
	}
	const crowds = 5
	var fixed, ours float64
	var fixedAnswers, oursAnswers, gold, excluded int
	for seed := range uint64(crowds) {
		a, n := newCrowd(seed).fixed(5)
		b, m, g, x := newCrowd(seed).controlled(q, 5)
		t.Logf("crowd %d: five answers an object %.1f %% with %d answers; controlled %.1f %% with %d (%d to gold questions), %d excluded", seed, 100*a, n, 100*b, m, g, x)
		fixed, ours = fixed+a/crowds, ours+b/crowds
		fixedAnswers, oursAnswers, gold, excluded = fixedAnswers+n, oursAnswers+m, gold+g, excluded+x
	}
	t.Logf("mean of %d crowds: five answers an object %.2f %% with %d answers; controlled %.2f %% with %d (%d to gold questions), %.1f of %d spammers and others excluded",
		crowds, 100*fixed, fixedAnswers/crowds, 100*ours, oursAnswers/crowds, gold/crowds, float64(excluded)/crowds, spammers)
	if ours < fixed || oursAnswers >= fixedAnswers {
		t.Errorf("controlled: accuracy %.4f with %d answers; five an object: %.4f with %d", ours, oursAnswers, fixed, fixedAnswers)
	}
}
