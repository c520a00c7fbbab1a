// Command consolidation measures how fast labels are made of workers' answers,
// in how much memory, and how right they are.
//
//	go run ./bench/consolidation [-labels N] [-data FOLDER] [-crowdkit FOLDER]
//
// Speed: a million simulated labels, five classes, ten rounds of Dawid and
// Skene's method: under 1 s of CPU and 150 bytes a label. Crowd-kit's
// implementation runs on the same labels where Python finds it (-crowdkit is a
// checkout of github.com/Toloka/crowd-kit; it needs numpy, pandas, scipy and
// scikit-learn); ours is to be 20 times as fast.
//
// Accuracy: on the sets of public crowd answers in a folder (see
// docs/consolidation.md), beside the reference's. It ends with status 1 if a
// bar is missed; what cannot be measured is said to be skipped.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	labels := flag.Int("labels", 1_000_000, "simulated labels")
	data := flag.String("data", os.Getenv("FIDUCIAL_DATA"), "`folder` with crowd/<set>/answers.csv, crowd/<set>/truth.csv and crowd/bubil_boxes.csv")
	crowdkit := flag.String("crowdkit", os.Getenv("FIDUCIAL_CROWDKIT"), "`folder` with a checkout of crowd-kit")
	flag.Parse()
	ok, err := run(*labels, *data, *crowdkit)
	if err != nil {
		fmt.Fprintln(os.Stderr, "consolidation:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(labels int, data, crowdkit string) (bool, error) {
	b := &bars{ok: true}
	if err := speed(b, labels, crowdkit); err != nil {
		return false, err
	}
	if data == "" {
		fmt.Println("\nSKIPPED, accuracy NOT measured: -data names no folder with crowd/<set>/answers.csv and truth.csv")
		return b.ok, nil
	}
	if err := accuracy(b, data); err != nil {
		return false, err
	}
	return b.ok, nil
}

// bars prints figures and whether they are as they should be.
type bars struct{ ok bool }

func (b *bars) line(what, got, bar string, within bool) {
	verdict := "ok"
	if !within {
		verdict, b.ok = "MISSED", false
	}
	fmt.Printf("  %-52s %12s   %-12s %s\n", what, got, bar, verdict)
}
