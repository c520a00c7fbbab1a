// Media measures what it costs to serve a picture through a grant.
//
// Three servers deliver the same three files, 4 KiB, 100 KiB and 4 MiB, plain and
// over TLS: Fiducial through a grant bound to the client's address, nginx through
// its secure_link bound to the same address, and a Go program that does nothing
// but http.ServeContent. Fiducial also delivers them sealed under a KMS key.
// MinIO and SeaweedFS join, with a session of their own STS bound to the address,
// where -minio and -weed (or FIDUCIAL_MINIO and FIDUCIAL_WEED, or the PATH) lead to
// them; what is not there is said, and its bar is not claimed. Each server is a process of its own on one core, wrk is on
// another; the servers take turns, several rounds, and medians are shown. CPU
// per request comes from the kernel's account of the server's processes, so it
// does not depend on how much of the machine somebody else uses as much as
// requests per second do.
//
// Fiducial is measured with one URL asked for again and again, as wrk does with
// the others; with so many URLs that hardly one is met twice, as when workers open
// task after task ("new URLs"); and with so many objects of 100 KiB that hardly
// one is still in memory when it is met again ("new objects"), where a sealed one
// is opened each time. The last two show the caches' share.
//
// In the end 200 workers open 20 pictures of 100 KiB each, every worker one
// picture after the other and all workers at once, each picture with a URL of its
// own that was never used before; and then all 4,000 at the same instant.
//
// The bars: a grant takes at most 1.3 times the CPU per request of the bare Go
// server, plain and over TLS; SSE-KMS costs at most 25 % of the requests per
// second at 100 KiB; a grant serves at least 8 times the requests per second of
// MinIO and of SeaweedFS at 4 KiB and 100 KiB; the 200 workers wait less than
// 50 ms for 99 of 100 pictures. They are for repeated URLs, but for the last one.
//
// nginx and the bare server write no log. Fiducial puts every request on record.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// The bars.
const (
	barCPU   = 1.3  // of the bare Go server's CPU per request
	barKMS   = 0.75 // of the requests per second without SSE-KMS, at 100 KiB
	barStore = 8.0  // times the requests per second of other stores
	barCrowd = 50 * time.Millisecond
)

type settings struct {
	fiducial string
	seconds  int
	repeats  int
	urls     int
	objects  int
	minio    string
	weed     string
	profile  string
	match    string
}

func main() {
	var s settings
	flag.StringVar(&s.fiducial, "fiducial", "bin/fiducial", "the program to measure")
	flag.IntVar(&s.seconds, "seconds", 3, "length of one run")
	flag.IntVar(&s.repeats, "repeats", 3, "rounds")
	flag.IntVar(&s.urls, "urls", 40_000, "how many URLs \"new URLs\" has")
	flag.IntVar(&s.objects, "objects", 1200, "how many objects \"new objects\" has")
	flag.StringVar(&s.minio, "minio", os.Getenv("FIDUCIAL_MINIO"), "the MinIO server; empty: the one on the PATH")
	flag.StringVar(&s.weed, "weed", os.Getenv("FIDUCIAL_WEED"), "the SeaweedFS program; empty: the one on the PATH")
	flag.StringVar(&s.profile, "profile", "", "folder for CPU profiles of Fiducial, one per case")
	flag.StringVar(&s.match, "match", "", "measure only cases whose \"server file\" or \"server file TLS\" matches this expression")
	bare := flag.String("bare", "", "be the bare Go server of this folder (used by the benchmark itself)")
	crowd := flag.String("crowd", "", "be the workers who open the URLs of this file (used by the benchmark itself)")
	flag.Parse()

	var err error
	switch {
	case *bare != "":
		err = serveBare(*bare, flag.Args())
	case *crowd != "":
		err = beCrowd(*crowd)
	default:
		// Its servers end with it, also where nobody reads what it prints any more.
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
		err = run(ctx, s)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/media:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	if runtime.NumCPU() < 2 {
		return fmt.Errorf("two processor cores are needed, one for the server and one for wrk")
	}
	dir, err := os.MkdirTemp("", "fiducial-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{settings: s, dir: dir}
	defer b.stop()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	fmt.Printf("media GET: %d rounds of %d s, one core for the server, one for wrk, 32 connections\n", s.repeats, s.seconds)
	start := time.Now()
	if err := b.measure(ctx); err != nil {
		return err
	}
	b.print(os.Stdout)
	if err := b.crowds(ctx, os.Stdout); err != nil {
		return err
	}
	fmt.Printf("took %v\n", time.Since(start).Round(time.Second))
	return nil
}
