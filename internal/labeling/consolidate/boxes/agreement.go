package boxes

import "fiducial/internal/labeling/consolidate"

// Agreement is how alike the answers on one image are: for each two workers,
// the overlaps of the boxes of one label that belong together, divided by how
// many objects the two see; averaged over the pairs of workers who see any.
// pairs is how many those are.
func Agreement(answers [][]Box) (mean float64, pairs int) {
	for i := range answers {
		for j := range i {
			if overlap, objects := alike(answers[i], answers[j]); objects > 0 {
				mean += overlap / float64(objects)
				pairs++
			}
		}
	}
	return mean / float64(max(pairs, 1)), pairs
}

func alike(a, b []Box) (overlap float64, objects int) {
	all, marks := drawnBoxes([][]Box{a, b})
	m := consolidate.Matching{Same: 1e-9, Across: consolidate.Never,
		Similarity: func(i, j int) float64 { return Overlap(all[i], all[j]) }}
	groups := m.Groups(marks)
	for _, g := range groups {
		if len(g) == 2 {
			overlap += m.Similarity(g[0], g[1])
		}
	}
	return overlap, len(groups)
}
