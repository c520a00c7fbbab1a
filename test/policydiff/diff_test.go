package policydiff

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"sort"
	"strings"
	"sync"
	"testing"

	versity "github.com/versity/versitygw/iamapi/policy"
)

var (
	questions = flag.Int("questions", 3000, "how many requests, each with its documents, to put to all engines")
	show      = flag.Int("show", 20, "how many unexplained disagreements to print")
	seed      = flag.Uint64("seed", 1, "of the generator")
)

// batch is how many questions are put at a time.
const batch = 256

// tally counts, and keeps the first examples of what nobody explains.
type tally struct {
	mu                            sync.Mutex
	documents, compared, refused  int
	gatesCompared, gatesDiffering map[string]int
	atoms                         map[string]int // by engine and class
	finals                        map[string]int
	unexplained                   int
	t                             *testing.T
}

func (c *tally) fail(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unexplained++; c.unexplained <= *show {
		c.t.Errorf(format, args...)
	}
}

func (c *tally) count(m map[string]int, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m[key]++
}

// TestThreeReadings puts the same questions to three engines. Every disagreement
// must be one that is known, and documented in docs/compatibility.md.
func TestThreeReadings(t *testing.T) {
	c := &tally{t: t, gatesCompared: map[string]int{}, gatesDiffering: map[string]int{}, atoms: map[string]int{}, finals: map[string]int{}}
	workers := min(runtime.GOMAXPROCS(0), 2)
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		s := startSimulator(t)
		wg.Add(1)
		go func() {
			defer wg.Done()
			for first := range next {
				if err := compare(c, s, first, min(batch, *questions-first)); err != nil {
					c.fail("%v", err)
				}
			}
		}()
	}
	for first := 0; first < *questions; first += batch {
		next <- first
	}
	close(next)
	wg.Wait()
	if c.unexplained > *show {
		t.Errorf("%d more that nobody explains", c.unexplained-*show)
	}
	t.Logf("%d questions with %d documents: %d compared, %d with a document that we refuse", *questions, c.documents, c.compared, c.refused)
	report := func(title string, m map[string]int) {
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			t.Logf("%s %s: %d", title, k, m[k])
		}
	}
	report("gates compared,", c.gatesCompared)
	report("gates that differ,", c.gatesDiffering)
	report("atoms that differ,", c.atoms)
	report("outcomes that differ,", c.finals)
	if c.compared < *questions*3/4 {
		t.Errorf("only %d of %d questions could be compared", c.compared, *questions)
	}
}

// inquiry is one question with everybody's answers.
type inquiry struct {
	q          question
	mine, sim  gates
	identity   [][][]*atom
	session    [][][]*atom
	resource   [][][]*atom
	needsAtoms bool
	versity    effect // "" where it refuses a document
}

func compare(c *tally, s *simulator, first, n int) error {
	var asked []*inquiry
	var lines [][]byte
	for i := range n {
		g := generator{rand.New(rand.NewPCG(*seed, uint64(first+i)))}
		x := &inquiry{q: g.question()}
		mine, err := ours(&x.q)
		documents := len(x.q.identity)
		for _, d := range []*document{x.q.session, x.q.policy} {
			if d != nil {
				documents++
			}
		}
		c.mu.Lock()
		c.documents += documents
		if err != nil {
			c.refused++
		} else {
			c.compared++
		}
		c.mu.Unlock()
		if err != nil {
			if !knownRefusal(err) {
				c.fail("question %d: we refuse what the generator takes for valid: %v\n%s", first+i, err, &x.q)
			}
			continue
		}
		x.mine = mine
		x.versity = askVersity(c, &x.q)
		asked = append(asked, x)
		lines = append(lines, x.q.line(x.q.identity, x.q.session, x.q.policy))
	}
	answers, err := s.ask(lines)
	if err != nil {
		return err
	}
	for i, x := range asked {
		x.sim = answers[i]
		if x.sim.Error != "" {
			c.fail("iam-simulate: %s\n%s", x.sim.Error, &x.q)
			continue
		}
		x.differs(c)
	}
	if err := answerAtoms(c, s, asked); err != nil {
		return err
	}
	for _, x := range asked {
		if x.sim.Error == "" {
			x.judge(c)
		}
	}
	return nil
}

func askVersity(c *tally, q *question) effect {
	for _, d := range q.identity {
		if err := versity.Parse(d.json()); err != nil {
			if !versityRefuses(d) {
				c.fail("versitygw refuses %s: %v", d.json(), err)
			}
			return ""
		}
	}
	return ofVersity(q, q.identity)
}

// differs takes a question apart if anybody's gate answers differ.
func (x *inquiry) differs(c *tally) {
	note := func(gate string, mine, theirs effect) {
		c.count(c.gatesCompared, gate)
		if mine != theirs {
			c.count(c.gatesDiffering, gate)
			x.needsAtoms = true
		}
	}
	if x.versity != "" {
		note(versity_+" identity", x.mine.Identity, x.versity)
	}
	note(simulate+" identity", x.mine.Identity, x.sim.Identity)
	if x.q.session != nil {
		note(simulate+" session", x.mine.Session, x.sim.Session)
	}
	if x.q.policy != nil {
		note(simulate+" resource", x.mine.Resource, x.sim.Resource)
	}
	x.needsAtoms = x.needsAtoms || x.mine.Final != x.sim.Final
	if x.needsAtoms {
		x.identity = takeApart(&x.q, x.q.identity...)
		x.session = takeApart(&x.q, x.q.session)
		x.resource = takeApart(&x.q, x.q.policy)
	}
}

func (x *inquiry) atoms() (out []*atom) {
	for _, gate := range [][][][]*atom{x.identity, x.session, x.resource} {
		for _, d := range gate {
			for _, s := range d {
				out = append(out, s...)
			}
		}
	}
	return out
}

// answerAtoms puts every atom to every engine.
func answerAtoms(c *tally, s *simulator, asked []*inquiry) error {
	var all []*atom
	for _, x := range asked {
		all = append(all, x.atoms()...)
	}
	lines := make([][]byte, len(all))
	for i, a := range all {
		q := a.question()
		lines[i] = q.line(q.identity, nil, q.policy)
		mine, err := ours(&q)
		if err != nil {
			c.fail("an atom of a document that is accepted is refused: %v\n%s", err, &q)
		}
		a.applies[own] = a.of(mine)
		if a.what != "principal" {
			a.applies[versity_] = ofVersity(&q, q.identity) == a.effect
		}
	}
	answers, err := s.ask(lines)
	if err != nil {
		return err
	}
	for i, a := range all {
		a.applies[simulate] = a.of(answers[i])
	}
	return nil
}

// judge explains every difference of one question, or fails.
func (x *inquiry) judge(c *tally) {
	x.gate(c, simulate, "identity", x.identity, x.mine.Identity, x.sim.Identity)
	x.gate(c, simulate, "session", x.session, x.mine.Session, x.sim.Session)
	x.gate(c, simulate, "resource", x.resource, x.mine.Resource, x.sim.Resource)
	if x.versity != "" {
		x.gate(c, versity_, "identity", x.identity, x.mine.Identity, x.versity)
	}
	if x.mine.Final == x.sim.Final || x.mine.Identity != x.sim.Identity || x.mine.Session != x.sim.Session || x.mine.Resource != x.sim.Resource {
		return
	}
	for _, o := range outcomes {
		if o.is(x) {
			c.count(c.finals, simulate+": "+o.name)
			return
		}
	}
	// Both resource policies allow, but by another statement: one that names the
	// caller closely allows by itself, one that names the account does not.
	for _, d := range x.resource {
		for _, s := range d {
			if one := [][][]*atom{{s}}; x.mine.Resource == "Allow" && compose(own, one) != compose(simulate, one) {
				x.explained(c, simulate, one)
				c.count(c.finals, simulate+": another statement of the resource policy allows")
				return
			}
		}
	}
	c.fail("every gate agrees, but we say %s and iam-simulate says %s (gates %+v)\n%s", x.mine.Final, x.sim.Final, x.mine, &x.q)
}

func (x *inquiry) gate(c *tally, engine, name string, atoms [][][]*atom, mine, theirs effect) {
	if mine == theirs {
		return
	}
	if got := compose(own, atoms); got != mine {
		c.fail("our answer to the atoms of the %s documents composes to %s and is %s\n%s", name, got, mine, &x.q)
	}
	if got := compose(engine, atoms); got != theirs {
		c.fail("the answers of %s to the atoms of the %s documents compose to %s, but it says %s\n%s", engine, name, got, theirs, &x.q)
		return
	}
	x.explained(c, engine, atoms)
}

// explained counts the atoms that differ, by class, and fails for each that is
// of none.
func (x *inquiry) explained(c *tally, engine string, atoms [][][]*atom) {
	for _, d := range atoms {
		for _, s := range d {
			for _, a := range s {
				if a.applies[own] == a.applies[engine] {
					continue
				}
				names := explain(a, engine)
				if len(names) == 0 {
					c.fail("%s differs in an atom that is of no known class: ours %v, theirs %v: %s", engine, a.applies[own], a.applies[engine], a)
					continue
				}
				c.count(c.atoms, engine+": "+strings.Join(names, " and "))
			}
		}
	}
}
