// Command labeling measures the labelling engine and queue on a real database:
// how long a large manifest takes to become a job in progress, how long workers
// wait for their next task and for the acknowledgement of an answer, alone and
// while another manifest is read, how long a requester waits for the list of
// jobs, how long the output takes, and how much memory all of that needs.
//
//	go run ./bench/labeling [-postgres URL] [-lines N] [-workers N] [-think D] [-time D] [-only PART]
//
// Every submit that is timed is durable: committed with fsync. A tenth of the
// objects come first, as a job of its own: what a task costs must not grow with
// the job. Bars stand in the table; it ends with status 1 if one is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"fiducial/internal/labeling"
	"fiducial/internal/store"
)

// settings are the flags.
type settings struct {
	postgres string
	sqlite   bool
	dir      string
	lines    int
	workers  int
	perObj   int
	think    time.Duration
	length   time.Duration
	only     string
}

func main() {
	var s settings
	flag.StringVar(&s.postgres, "postgres", os.Getenv("FIDUCIAL_TEST_POSTGRES"), "URL of an empty PostgreSQL `database` to measure as well")
	flag.BoolVar(&s.sqlite, "sqlite", true, "measure SQLite")
	flag.StringVar(&s.dir, "dir", "", "`folder` for the SQLite file; default a temporary one")
	flag.IntVar(&s.lines, "lines", 1_000_000, "lines of the manifest")
	flag.IntVar(&s.workers, "workers", 500, "concurrent workers")
	flag.IntVar(&s.perObj, "per-object", 3, "workers per object")
	flag.DurationVar(&s.think, "think", time.Second, "time that a worker spends on a task, on average")
	flag.DurationVar(&s.length, "time", 15*time.Second, "how long the workers work")
	flag.StringVar(&s.only, "only", "", "one `part` alone, of a job of all lines: work, ingest (work while another manifest is read), or output")
	profile := flag.String("profile", "", "`file` for a processor profile")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "labeling:", err)
			os.Exit(2)
		}
	}
	ok, err := run(context.Background(), s)
	pprof.StopCPUProfile() // nothing if there is none
	if err != nil {
		fmt.Fprintln(os.Stderr, "labeling:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (ok bool, err error) {
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "fiducial-bench-"); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	}
	ok = true
	if s.sqlite {
		ok, err = measure(ctx, s, "SQLite", "sqlite:"+filepath.Join(s.dir, "bench.db"))
	}
	if err != nil || s.postgres == "" {
		return ok, err
	}
	pg, err := measure(ctx, s, "PostgreSQL", s.postgres)
	return ok && pg, err
}

// measure prints one database's table.
func measure(ctx context.Context, s settings, name, url string) (ok bool, err error) {
	db, err := store.Open(ctx, url)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	b, err := newBench(s, db)
	if err != nil {
		return false, err
	}
	ctx, stop := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- b.engine.Run(ctx) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ran)
	}()

	t := &table{ok: true}
	fmt.Printf("%s, %d lines, %d workers per object, %d workers, %v a task\n", name, s.lines, s.perObj, s.workers, s.think)
	if err := b.all(ctx, t); err != nil {
		return false, err
	}
	fmt.Println()
	return t.ok, nil
}

// all measures everything, in the order in which it comes in a job's life, or one
// part of it.
func (b *bench) all(ctx context.Context, t *table) error {
	switch b.only {
	case "":
	case "work", "ingest", "output":
		return b.part(ctx, t)
	default:
		return fmt.Errorf("there is no part %q", b.only)
	}
	small, large := max(1, b.lines/10), b.lines
	fmt.Printf(" a job of %d objects\n", small)
	if err := b.ingest(ctx, t, "small", small); err != nil {
		return err
	}
	one, err := b.work(ctx, t, "small", "", b.length)
	if err != nil {
		return err
	}
	fmt.Printf(" a job of %d objects\n", large)
	if err := b.ingest(ctx, t, "large", large); err != nil {
		return err
	}
	ten, err := b.work(ctx, t, "large", "", b.length)
	if err != nil {
		return err
	}
	ratio := float64(ten) / float64(one)
	t.line("a task's cost, to that of the small job", fmt.Sprintf("%.2f", ratio), "1.20", ratio <= 1.2)
	if err := b.ingesting(ctx, t); err != nil {
		return err
	}
	if err := b.output(ctx, t, "large"); err != nil {
		return err
	}
	return b.memory(t)
}

// part measures one part, on a job of all lines.
func (b *bench) part(ctx context.Context, t *table) error {
	if err := b.ingest(ctx, t, "large", b.lines); err != nil {
		return err
	}
	var err error
	switch b.only {
	case "work":
		_, err = b.work(ctx, t, "large", "", b.length)
	case "ingest":
		err = b.ingesting(ctx, t)
	case "output":
		err = b.output(ctx, t, "large")
	}
	return errors.Join(err, b.memory(t))
}

// ingesting measures the work while another manifest is read.
func (b *bench) ingesting(ctx context.Context, t *table) error {
	fmt.Println(" the same while another manifest is read")
	if err := b.create(ctx, "other", b.lines); err != nil {
		return err
	}
	if _, err := b.work(ctx, t, "large", " (ingest)", b.length); err != nil {
		return err
	}
	_, err := b.await(ctx, "other", labeling.Initializing)
	return err
}

// memory is the most that was resident: less is allowed for a small manifest.
func (b *bench) memory(t *table) error {
	bar := int64(300)
	if b.lines <= 100_000 {
		bar = 200
	}
	peak, err := peakRSS()
	t.line("resident memory, peak", fmt.Sprintf("%.0f MB", float64(peak)/1e6), fmt.Sprint(bar, " MB"), peak < bar*1e6)
	return err
}

// table prints figures against their bars.
type table struct{ ok bool }

func (t *table) line(what, got, bar string, within bool) {
	verdict := ""
	if bar != "" {
		verdict = "ok"
		if !within {
			verdict, t.ok = "MISSED", false
		}
	}
	fmt.Printf("  %-40s %12s   %-10s %s\n", what, got, bar, verdict)
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// spec is the job that is measured.
func (s settings) spec() labeling.Spec {
	return labeling.Spec{
		Account: "000000000000", Region: "us-east-1", LabelingJobName: "bench", LabelAttributeName: "label",
		ManifestS3URI: "s3://bench/input.manifest", S3OutputPath: "s3://bench/out",
		RoleARN: "arn:aws:iam::000000000000:role/bench", WorkteamARN: team,
		UITemplateS3URI: "s3://bench/template.liquid", TaskTitle: "Bench", TaskDescription: "Bench",
		NumberOfHumanWorkersPerDataObject: s.perObj, TaskTimeLimitInSeconds: 600,
	}
}
