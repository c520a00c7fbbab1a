package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"fiducial/internal/labeling/consolidate/boxes"
	"fiducial/internal/labeling/consolidate/classes"
	"fiducial/internal/labeling/consolidate/table"
)

// sets are the public sets with the accuracy of the reference: another
// implementation's Dawid-Skene with a pooled prior.
var sets = [...]struct {
	name      string
	reference float64
}{
	{"adult2", 74.8}, {"barzan", 71.8}, {"weather_cf", 88.3}, {"weather_amt", 83.0}, {"music", 78.4},
	{"senti_pop", 91.5}, {"senti_pop_amt", 94.4}, {"zencrowd_all", 79.5}, {"bluebird", 89.8}, {"aws_birds", 90.1},
}

var methods = [...]classes.Method{classes.Majority, classes.GroundTruth, classes.DawidSkene}

// accuracy prints the table of docs/consolidation.md.
func accuracy(b *bars, data string) error {
	fmt.Printf("\n| set | items | workers | answers | classes | `majority` | `ground-truth` | **`dawid-skene`** | reference |\n|---|---|---|---|---|---|---|---|---|\n")
	var mean, off [len(methods)]float64
	reference, n := 0.0, 0.0
	var below []string
	for _, s := range sets {
		dir := filepath.Join(data, "crowd", s.name)
		answers, err := os.ReadFile(filepath.Join(dir, "answers.csv"))
		if os.IsNotExist(err) {
			fmt.Printf("SKIPPED, %s NOT measured: %v\n", s.name, err)
			continue
		}
		if err != nil {
			return err
		}
		truth, err := read(filepath.Join(dir, "truth.csv"))
		if err != nil {
			return err
		}
		row := ""
		for i, m := range methods {
			var out bytes.Buffer
			report, err := table.Classes(bytes.NewReader(answers), &out, m)
			if err != nil {
				return err
			}
			right, error, err := score(&out, truth)
			if err != nil {
				return err
			}
			if row == "" {
				row = fmt.Sprintf("| %s | %d | %d | %d | %d |", s.name, report.Items, report.Workers, report.Answers, len(report.Labels))
			}
			row += fmt.Sprintf(" %.1f (%.3f) |", right, error)
			mean[i], off[i] = mean[i]+right, off[i]+error
			if m == classes.DawidSkene && right < s.reference-0.5 {
				below = append(below, s.name)
			}
		}
		fmt.Printf("%s %.1f |\n", row, s.reference)
		reference += s.reference
		n++
	}
	if n == 0 {
		return nil
	}
	fmt.Print("| mean | | | | |")
	for i := range methods {
		fmt.Printf(" %.2f (%.3f) |", mean[i]/n, off[i]/n)
	}
	fmt.Printf(" %.2f |\n\n", reference/n)
	ours := len(methods) - 1
	b.line("sets more than 0.5 points below the reference", fmt.Sprint(len(below)), "0", len(below) == 0)
	b.line("mean accuracy", fmt.Sprintf("%.2f %%", mean[ours]/n), fmt.Sprintf(">= %.2f", reference/n), mean[ours] >= reference)
	b.line("mean calibration error", fmt.Sprintf("%.3f", off[ours]/n), "<= 0.08", off[ours]/n <= 0.08)
	return overlaps(b, filepath.Join(data, "crowd", "bubil_boxes.csv"))
}

// read reads a CSV file without its header.
func read(name string) ([][]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[1:], nil
}

// score is the percentage of right labels and the calibration error: by how
// much confidence and the share of right labels differ, over ten bins.
func score(out *bytes.Buffer, truth [][]string) (right, off float64, err error) {
	rows, err := csv.NewReader(out).ReadAll()
	if err != nil {
		return 0, 0, err
	}
	made := map[string][]string{}
	for _, r := range rows[1:] {
		made[r[0]] = r
	}
	var hit, sum [10]float64
	n := 0.0
	for _, t := range truth {
		r, ok := made[t[0]]
		if !ok {
			continue
		}
		confidence, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			return 0, 0, err
		}
		bin := min(int(confidence*10), 9)
		n++
		sum[bin] += confidence
		if r[1] == t[1] {
			hit[bin]++
			right++
		}
	}
	for bin := range sum {
		off += math.Abs(sum[bin] - hit[bin])
	}
	return 100 * right / n, off / n, nil
}

// overlaps measures boxes: one object an image, five workers, an expert.
func overlaps(b *bars, name string) error {
	rows, err := read(name)
	if os.IsNotExist(err) {
		fmt.Printf("  SKIPPED, boxes NOT measured: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	images := map[string]map[string]boxes.Box{}
	for _, r := range rows {
		var x [4]float64
		for i := range x {
			if x[i], err = strconv.ParseFloat(r[2+i], 64); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if images[r[0]] == nil {
			images[r[0]] = map[string]boxes.Box{}
		}
		images[r[0]][r[1]] = boxes.Box{Left: x[0], Top: x[1], Width: x[2] - x[0], Height: x[3] - x[1]}
	}
	mean := 0.0
	for _, image := range images {
		var answers [][]boxes.Box
		for _, w := range []string{"w1", "w2", "w3", "w4", "w5"} {
			answers = append(answers, []boxes.Box{image[w]})
		}
		best := 0.0
		for _, x := range boxes.Consolidate(answers, boxes.Median) {
			best = max(best, boxes.Overlap(x.Box, image["gold"]))
		}
		mean += best / float64(len(images))
	}
	b.line("boxes of five workers, mean overlap with an expert's", fmt.Sprintf("%.4f", mean), ">= 0.881", mean >= 0.881)
	return nil
}
