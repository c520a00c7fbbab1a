package shapes

import (
	"math"

	"fiducial/internal/labeling/consolidate"
)

// Keypoints consolidates single points on an image of width by height pixels.
// Two are alike by exp(-d²/2s²), where d is their distance and s is 2 % of the
// image's diagonal; from 0.4 they may be one point, under one label only. Each
// coordinate is the median of the workers'.
func Keypoints(width, height float64, answers [][]Shape) []Consolidated {
	scale := 0.02 * math.Hypot(width, height)
	if !(scale > 0) {
		return nil
	}
	single := make([][]Shape, len(answers))
	for w, shapes := range answers {
		for _, s := range shapes {
			if len(s.Points) == 1 {
				single[w] = append(single[w], s)
			}
		}
	}
	return kind{least: 1, same: 0.4, across: consolidate.Never, reach: func([]Point) float64 { return scale },
		alike: func(a, b []Point) float64 {
			d := distance(a[0], b[0]) / scale
			return math.Exp(-d * d / 2)
		},
		unite: medians,
	}.consolidate(single)
}
