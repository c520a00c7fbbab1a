package classes

import (
	"math"
	"testing"
)

func TestMultiLabel(t *testing.T) {
	l := func(labels ...int32) []int32 { return labels }
	for _, c := range []struct {
		name       string
		items      int
		selections []Selection
		want       [][]int // labels listed for each item
		zero       bool
	}{
		{"every label anybody picked", 1, []Selection{{0, 0, l(3, 1)}, {0, 1, l(1)}, {0, 2, l(1, 0)}}, [][]int{{0, 1, 3}}, false},
		{"one worker", 2, []Selection{{0, 0, l(2, 0)}, {1, 0, l()}}, [][]int{{0, 2}, {}}, true},
		{"all say none", 1, []Selection{{0, 0, l()}, {0, 1, nil}}, [][]int{{}}, false},
		{"nobody answered", 1, nil, [][]int{{}}, false},
		{"garbage counts as not picked", 1, []Selection{{0, 0, l(9, -1, 1)}, {0, 1, l(1)}, {7, 0, l(1)}}, [][]int{{1}}, false},
		{"a label picked twice by one worker", 1, []Selection{{0, 0, l(1, 1)}, {0, 1, l()}}, [][]int{{1}}, false},
	} {
		for _, m := range []Method{DawidSkene, Majority, GroundTruth} {
			got := MultiLabel(c.items, 4, c.selections, m)
			for i, want := range c.want {
				if len(got[i]) != len(want) {
					t.Errorf("%s/%s: item %d: %+v, want labels %v", c.name, m, i, got[i], want)
					continue
				}
				for n, p := range got[i] {
					if p.Label != want[n] || (p.Confidence == 0) != c.zero || p.Confidence < 0 || p.Confidence > 1 || math.IsNaN(p.Confidence) {
						t.Errorf("%s/%s: item %d: %+v, want labels %v", c.name, m, i, got[i], want)
					}
				}
			}
		}
	}
}

// More agreement is more confidence, on either side of a half.
func TestMultiLabelConfidence(t *testing.T) {
	picks := MultiLabel(1, 3, []Selection{{0, 0, []int32{0, 1, 2}}, {0, 1, []int32{0, 1}}, {0, 2, []int32{0}}}, DawidSkene)[0]
	if !(picks[0].Confidence > 0.9 && picks[0].Confidence > picks[1].Confidence && picks[1].Confidence > 0.5 && picks[2].Confidence < 0.5) {
		t.Errorf("picked by 3, 2 and 1 of 3: %+v", picks)
	}
}
