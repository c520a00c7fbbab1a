package classes

import (
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"fiducial/internal/labeling/consolidate"
	"fiducial/internal/labeling/consolidate/crowdtest"
)

// crowd is a set of votes with the true class of some items, None for others.
type crowd struct {
	votes *Votes
	truth []int
}

func readCrowd(t testing.TB, set string) crowd {
	t.Helper()
	dir := crowdtest.Folder(t)
	var items, workers, labels consolidate.Names
	var votes []Vote
	for _, r := range crowdtest.Rows(t, filepath.Join(dir, set, "answers.csv")) {
		votes = append(votes, Vote{items.Number(r[0]), workers.Number(r[1]), labels.Number(r[2])})
	}
	truth := make([]int, items.Len())
	for i := range truth {
		truth[i] = None
	}
	answered := items.Len()
	for _, r := range crowdtest.Rows(t, filepath.Join(dir, set, "truth.csv")) {
		if i := items.Number(r[0]); int(i) < answered {
			truth[i] = int(labels.Number(r[1]))
		}
	}
	return crowd{NewVotes(answered, labels.Len(), votes), truth}
}

// score is the percentage of right labels and the calibration error: by how
// much confidence and the share of right labels differ, over ten bins.
func (c crowd) score(m Method) (accuracy, calibration float64) {
	var n, right, sum [10]float64
	total := 0.0
	for i, got := range Consolidate(c.votes, m) {
		if c.truth[i] == None {
			continue
		}
		total++
		bin := min(int(got.Confidence*10), 9)
		n[bin]++
		sum[bin] += got.Confidence
		if got.Label == c.truth[i] {
			right[bin]++
			accuracy++
		}
	}
	for b := range n {
		calibration += math.Abs(sum[b]-right[b]) / total
	}
	return 100 * accuracy / total, calibration
}

// The reference accuracies are those of Dawid-Skene with a pooled prior,
// measured by another implementation.
func TestAccuracyOnCrowdSets(t *testing.T) {
	sets := []struct {
		name      string
		reference float64
	}{
		{"adult2", 74.8}, {"barzan", 71.8}, {"weather_cf", 88.3}, {"weather_amt", 83.0}, {"music", 78.4},
		{"senti_pop", 91.5}, {"senti_pop_amt", 94.4}, {"zencrowd_all", 79.5}, {"bluebird", 89.8}, {"aws_birds", 90.1},
	}
	var mean, reference, calibration, voteCalibration, awsCalibration float64
	for _, s := range sets {
		c := readCrowd(t, s.name)
		majority, cm := c.score(Majority)
		groundTruth, cg := c.score(GroundTruth)
		accuracy, cd := c.score(DawidSkene)
		t.Logf("| %s | %.1f (%.3f) | %.1f (%.3f) | %.1f (%.3f) |", s.name, majority, cm, groundTruth, cg, accuracy, cd)
		if accuracy < s.reference-0.5 {
			t.Errorf("%s: %.1f%%, reference %.1f%%", s.name, accuracy, s.reference)
		}
		mean += accuracy / float64(len(sets))
		reference += s.reference / float64(len(sets))
		calibration += cd / float64(len(sets))
		voteCalibration += cm / float64(len(sets))
		awsCalibration += cg / float64(len(sets))
	}
	t.Logf("mean %.2f, reference %.2f; calibration error %.3f, of majority %.3f, of ground-truth %.3f", mean, reference, calibration, voteCalibration, awsCalibration)
	if mean < reference {
		t.Errorf("mean accuracy %.2f%% is below the reference's %.2f%%", mean, reference)
	}
	if calibration > 0.08 {
		t.Errorf("mean calibration error %.3f is above 0.08", calibration)
	}
}

// Jobs are consolidated in batches of fifty items, where most workers gave a
// handful of answers: there too the default is better than the vote and than
// the variant that AWS published for such batches.
func TestAccuracyInBatches(t *testing.T) {
	means := map[Method]float64{}
	sets := []string{"adult2", "barzan", "weather_cf", "weather_amt", "music", "senti_pop", "senti_pop_amt", "zencrowd_all", "bluebird", "aws_birds"}
	for _, name := range sets {
		c := readCrowd(t, name)
		for _, m := range []Method{Majority, GroundTruth, DawidSkene} {
			right, total := 0.0, 0.0
			for from := 0; from < len(c.truth); from += 50 {
				batch := c.batch(from, min(from+50, len(c.truth)))
				for i, got := range Consolidate(batch.votes, m) {
					if batch.truth[i] == None {
						continue
					}
					total++
					if got.Label == batch.truth[i] {
						right++
					}
				}
			}
			means[m] += 100 * right / total / float64(len(sets))
		}
	}
	t.Logf("mean accuracy in batches of 50: majority %.2f, ground-truth %.2f, dawid-skene %.2f", means[Majority], means[GroundTruth], means[DawidSkene])
	if means[DawidSkene] < means[GroundTruth] || means[DawidSkene] < means[Majority]+1 {
		t.Error("the default is not the best in batches")
	}
}

// batch is a part of the set whose workers are numbered anew.
func (c crowd) batch(from, to int) crowd {
	var workers consolidate.Names
	var votes []Vote
	for i := from; i < to; i++ {
		by, labels := c.votes.of(i)
		for j, w := range by {
			votes = append(votes, Vote{int32(i - from), workers.Number(strconv.Itoa(int(w))), labels[j]})
		}
	}
	return crowd{NewVotes(to-from, c.votes.classes, votes), c.truth[from:to]}
}
