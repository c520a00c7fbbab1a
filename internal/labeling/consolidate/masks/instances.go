package masks

import (
	"slices"

	"fiducial/internal/labeling/consolidate"
)

// Instances is what one worker painted where every object is told apart.
type Instances struct {
	Width, Height int
	Pixels        []uint16 // 0: nothing; n: the instance with label Labels[n-1]
	Labels        []int
}

// ConsolidatedInstances are instances with, for each, the mean overlap (IoU) of
// the workers' instances with it, where none or another label counts 0; it is 0
// if only one worker answered.
type ConsolidatedInstances struct {
	Instances
	Confidence []float64
	Votes      []int // workers who painted it
}

// ConsolidateInstances consolidates instances. Those of different workers that
// overlap most (IoU from 0.4 for one label, from 0.6 for two) are one, at most
// one of each worker, and kept if more than a third of the workers painted it.
// A pixel belongs to the instance that most painters gave it and its eight
// neighbours to, if that is more than half of the instance's painters; of equals
// to the first. Masks are garbage as they are for Consolidate, and pixels of
// instances without a label are background.
func ConsolidateInstances(answers []Instances) ConsolidatedInstances {
	answers = usable(answers, func(m Instances) (int, int, int) { return m.Width, m.Height, len(m.Pixels) })
	if len(answers) == 0 {
		return ConsolidatedInstances{}
	}
	p := newPainted(answers)
	groups := consolidate.Matching{Same: 0.4, Across: 0.6, Similarity: p.overlap}.Groups(p.marks)
	groups = slices.DeleteFunc(groups, func(g []int) bool { return !consolidate.Quorum(len(g), len(answers)) })
	out := ConsolidatedInstances{Instances: Instances{Width: answers[0].Width, Height: answers[0].Height}}
	out.Pixels = p.pixels(groups)
	for _, g := range groups {
		labels := make([]int, len(g))
		for i, n := range g {
			labels[i] = p.marks[n].Label
		}
		out.Labels = append(out.Labels, consolidate.Plurality(labels))
		out.Votes = append(out.Votes, len(g))
	}
	out.Confidence = p.confidence(groups, out.Instances)
	return out
}

// painted are the instances of all workers, numbered through.
type painted struct {
	answers []Instances
	marks   []consolidate.Mark
	first   []int // of each worker, the number of the first instance
	area    []int
	common  map[[2]int]int // pixels that two instances share
}

func newPainted(answers []Instances) *painted {
	p := &painted{answers: answers, common: map[[2]int]int{}}
	for w, a := range answers {
		p.first = append(p.first, len(p.marks))
		for _, l := range a.Labels {
			p.marks = append(p.marks, consolidate.Mark{Worker: w, Label: l, Left: float64(a.Width), Top: float64(a.Height), Right: -1, Bottom: -1})
		}
	}
	p.area = make([]int, len(p.marks))
	here := make([]int, 0, len(answers))
	for at := range answers[0].Pixels {
		here = here[:0]
		for w := range answers {
			if n, ok := p.at(w, at); ok {
				p.grow(n, at)
				for _, other := range here {
					p.common[[2]int{other, n}]++
				}
				here = append(here, n)
			}
		}
	}
	return p
}

// at is the instance that worker w painted at a pixel.
func (p *painted) at(w, at int) (n int, ok bool) {
	own := int(p.answers[w].Pixels[at])
	return p.first[w] + own - 1, own > 0 && own <= len(p.answers[w].Labels)
}

// grow adds a pixel to an instance.
func (p *painted) grow(n, at int) {
	width := p.answers[0].Width
	x, y := float64(at%width), float64(at/width)
	m := &p.marks[n]
	m.Left, m.Top = min(m.Left, x), min(m.Top, y)
	m.Right, m.Bottom = max(m.Right, x+1), max(m.Bottom, y+1)
	p.area[n]++
}

func (p *painted) overlap(a, b int) float64 {
	both := p.common[[2]int{min(a, b), max(a, b)}]
	if both == 0 {
		return 0
	}
	return float64(both) / float64(p.area[a]+p.area[b]-both)
}

// pixels votes on every pixel.
func (p *painted) pixels(groups [][]int) []uint16 {
	group := make([]uint16, len(p.marks)) // instance -> number in the result
	for g, members := range groups {
		for _, n := range members {
			group[n] = uint16(g + 1)
		}
	}
	of := func(w, at int) uint16 {
		if n, ok := p.at(w, at); ok {
			return group[n]
		}
		return 0
	}
	a := p.answers[0]
	out := make([]uint16, len(a.Pixels))
	v := newVote[uint16](a.Width, a.Height, len(p.answers), of)
	for y := range a.Height {
		for x := range a.Width {
			at := y*a.Width + x
			if out[at] = of(0, at); len(p.answers) > 1 && v.disputed(x, y) {
				out[at] = v.painter(x, y, groups)
			}
		}
	}
	return out
}

// painter is the instance that wins a pixel, 0 if none does.
func (v *vote[C]) painter(x, y int, groups [][]int) C {
	pixels := v.tally(x, y)
	best, most := C(0), 0
	for _, c := range v.classes {
		if n := v.counts[c]; c > 0 && 2*n > pixels*len(groups[c-1]) && (n > most || n == most && c < best) {
			best, most = c, n
		}
	}
	return best
}

// confidence is that of each instance of the result.
func (p *painted) confidence(groups [][]int, result Instances) []float64 {
	out := make([]float64, len(groups))
	if len(p.answers) < 2 {
		return out
	}
	area, both := make([]int, len(groups)), map[[2]int]int{}
	for at, g := range result.Pixels {
		if g == 0 {
			continue
		}
		area[g-1]++
		for w := range p.answers {
			if n, ok := p.at(w, at); ok {
				both[[2]int{int(g - 1), n}]++
			}
		}
	}
	for g, members := range groups {
		for _, n := range members {
			if c := both[[2]int{g, n}]; c > 0 && p.marks[n].Label == result.Labels[g] {
				out[g] += float64(c) / float64(area[g]+p.area[n]-c) / float64(len(p.answers))
			}
		}
	}
	return out
}
