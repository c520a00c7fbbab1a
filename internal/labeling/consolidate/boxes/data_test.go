package boxes

import (
	"path/filepath"
	"strconv"
	"testing"

	"fiducial/internal/labeling/consolidate/crowdtest"
)

// One box an image by each worker slot, and an expert's.
func TestBoxesOnCrowdSet(t *testing.T) {
	images := map[string]map[string]Box{}
	for _, r := range crowdtest.Rows(t, filepath.Join(crowdtest.Folder(t), "bubil_boxes.csv")) {
		var x [4]float64
		for i := range x {
			var err error
			if x[i], err = strconv.ParseFloat(r[2+i], 64); err != nil {
				t.Fatal(err)
			}
		}
		if images[r[0]] == nil {
			images[r[0]] = map[string]Box{}
		}
		images[r[0]][r[1]] = Box{0, x[0], x[1], x[2] - x[0], x[3] - x[1]}
	}
	mean := func(f Fusion, slots ...string) (iou float64, single float64) {
		for _, image := range images {
			var answers [][]Box
			for _, s := range slots {
				answers = append(answers, []Box{image[s]})
				single += Overlap(image[s], image["gold"]) / float64(len(slots)*len(images))
			}
			best := 0.0
			for _, b := range Consolidate(answers, f) {
				best = max(best, Overlap(b.Box, image["gold"]))
			}
			iou += best / float64(len(images))
		}
		return iou, single
	}
	all := []string{"w1", "w2", "w3", "w4", "w5", "w6", "w7"}
	total, n := 0.0, 0.0
	for a := range all {
		for b := range a { // all 21 ways to leave two of seven out
			var five []string
			for i, s := range all {
				if i != a && i != b {
					five = append(five, s)
				}
			}
			iou, _ := mean(Median, five...)
			total += iou
			n++
		}
	}
	first, single := mean(Median, all[:5]...)
	three, _ := mean(Median, all[:3]...)
	weighted, _ := mean(Weighted, all[:5]...)
	t.Logf("single %.3f, three workers %.3f, five workers: first five %.4f, weighted %.4f, mean of all fives %.4f", single, three, first, weighted, total/n)
	if total/n < 0.881 || first < 0.881 {
		t.Errorf("mean IoU %.4f (first five: %.4f), want 0.881", total/n, first)
	}
}
