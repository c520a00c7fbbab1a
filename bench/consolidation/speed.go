package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fiducial/internal/labeling/consolidate/classes"
)

const (
	perItem    = 5
	workers    = 2000
	categories = 5
	rounds     = 10
)

// simulated are answers of workers who are right with 0.5 to 0.95.
func simulated(labels int) (votes []classes.Vote, truth []int32) {
	r := rand.New(rand.NewPCG(1, 2))
	votes = make([]classes.Vote, 0, labels)
	for len(votes) < labels {
		item := int32(len(truth))
		truth = append(truth, r.Int32N(categories))
		for range perItem {
			w := r.Int32N(workers)
			label := truth[item]
			if r.Float64() > 0.5+0.45*float64(w)/workers {
				label = r.Int32N(categories)
			}
			votes = append(votes, classes.Vote{Item: item, Worker: w, Label: label})
		}
	}
	return votes, truth
}

// speed measures ten rounds. Time is that of this process on all cores, the best
// of three runs, so that other load on the machine counts little.
func speed(b *bars, labels int, crowdkit string) error {
	votes, truth := simulated(labels)
	n := len(votes)
	fmt.Printf("%d labels, %d an item, %d workers, %d classes, %d rounds\n", n, perItem, workers, categories, rounds)
	took, bytes := time.Duration(math.MaxInt64), 0.0
	var result []classes.Class
	for range 3 {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		from := cpu()
		table := classes.NewVotes(len(truth), categories, votes)
		result = classes.Estimate(table, classes.DawidSkene, rounds).Classes()
		took = min(took, cpu()-from)
		runtime.ReadMemStats(&after)
		bytes = float64(after.TotalAlloc-before.TotalAlloc)/float64(n) + 12 // the votes themselves
	}
	right := 0
	for i, c := range result {
		if c.Label == int(truth[i]) {
			right++
		}
	}
	million := took.Seconds() * 1e6 / float64(n)
	b.line("CPU for a million labels", fmt.Sprintf("%.2f s", million), "< 1 s", million < 1)
	b.line("memory, with the votes, all that was ever allocated", fmt.Sprintf("%.0f B/label", bytes), "< 150 B", bytes < 150)
	fmt.Printf("  %-52s %11.1f %%\n", "right", 100*float64(right)/float64(len(truth)))
	return peer(b, crowdkit, votes, truth, took)
}

// cpu is the CPU time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // cannot fail for RUSAGE_SELF
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// imports loads crowd-kit's Dawid-Skene. Its package loads methods for texts as
// well, whose libraries are not needed here: where they are not there,
// something empty stands for them.
const imports = `
import sys, time
from importlib.util import find_spec
from unittest.mock import MagicMock
for name in ("nltk", "transformers", "torch"):
    if find_spec(name) is None:
        for part in ("", ".translate", ".translate.gleu_score", ".utils", ".utils.data"):
            sys.modules[name + part] = MagicMock()
from crowdkit.aggregation.classification.dawid_skene import DawidSkene
`

// program runs it on a CSV file and prints its CPU seconds and how many labels
// are right.
const program = imports + `
import pandas as pd
answers = pd.read_csv(sys.argv[1])
truth = pd.read_csv(sys.argv[2]).set_index("task")["truth"]
start = time.process_time()
labels = DawidSkene(n_iter=int(sys.argv[3])).fit_predict(answers)
took = time.process_time() - start
print(took, (labels == truth.loc[labels.index]).mean())
`

// peer measures crowd-kit.
func peer(b *bars, crowdkit string, votes []classes.Vote, truth []int32, ours time.Duration) error {
	skip := func(why string) {
		fmt.Printf("  SKIPPED, crowd-kit NOT compared: %s\n", why)
	}
	env := os.Environ()
	if crowdkit != "" {
		env = append(env, "PYTHONPATH="+crowdkit)
	}
	python, why := "", ""
	for _, p := range []string{"python3", "/usr/bin/python3"} { // Debian's libraries are the latter's
		check := exec.Command(p, "-c", imports)
		check.Env = env
		out, err := check.CombinedOutput()
		if err == nil {
			python = p
			break
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		why = lines[len(lines)-1]
	}
	if python == "" {
		skip("python3 does not load it: " + why + " (-crowdkit names a checkout)")
		return nil
	}
	dir, err := os.MkdirTemp("", "fiducial-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	answers, gold := filepath.Join(dir, "answers.csv"), filepath.Join(dir, "truth.csv")
	err = write(answers, "task,worker,label", func(w *bufio.Writer) {
		for _, v := range votes {
			fmt.Fprintf(w, "%d,%d,%d\n", v.Item, v.Worker, v.Label)
		}
	})
	if err != nil {
		return err
	}
	err = write(gold, "task,truth", func(w *bufio.Writer) {
		for i, l := range truth {
			fmt.Fprintf(w, "%d,%d\n", i, l)
		}
	})
	if err != nil {
		return err
	}
	c := exec.Command(python, "-c", program, answers, gold, strconv.Itoa(rounds))
	c.Env, c.Stderr = env, os.Stderr
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("crowd-kit: %w", err)
	}
	var took, right float64
	if _, err := fmt.Sscan(string(out), &took, &right); err != nil {
		return fmt.Errorf("crowd-kit said %q: %w", out, err)
	}
	fmt.Printf("  %-52s %10.1f s   right %.1f %%\n", "crowd-kit's CPU for the same", took, 100*right)
	ratio := took / ours.Seconds()
	b.line("times as fast as crowd-kit", fmt.Sprintf("%.0f", ratio), ">= 20", ratio >= 20)
	return nil
}

func write(name, header string, fn func(*bufio.Writer)) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, header)
	fn(w)
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
