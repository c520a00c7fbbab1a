// Package soak lets people label for a long time while everything that the
// server stands on fails at random: the server itself and its database are
// killed, the store of its buckets refuses or hangs, functions hang, the disk is
// full. Whatever happens: no answer that was acknowledged is lost, none is there
// twice, no object has more answers than were asked for, no URL of media was
// given that is not on record, every request that fails says so in the format
// that its client knows, and every job ends.
//
// It is no part of go test ./...: FIDUCIAL_SOAK=1 runs it ("make soak"), with
//
//	FIDUCIAL_SOAK_FAULTS  faults in all (1000)
//	FIDUCIAL_SOAK_TIME    the time after which there are no more (2h)
//	FIDUCIAL_SOAK_SEED    which faults come in which order (random; it is printed)
//
// The disk is filled where a file system of its own can be mounted: as root.
package soak

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"fiducial/internal/store/storetest"
	"fiducial/test/boot"
)

func TestMain(m *testing.M) {
	if os.Getenv("FIDUCIAL_SOAK") == "" {
		os.Exit(m.Run()) // without building the server for nothing
	}
	boot.Main(m)
}

// plan is how much is to fail.
type plan struct {
	faults int
	until  time.Time
	rand   *rand.Rand
}

func planned(t *testing.T, share int) plan {
	t.Helper()
	if os.Getenv("FIDUCIAL_SOAK") == "" {
		fmt.Fprintln(os.Stderr, "SKIPPED: a soak of faults takes long; FIDUCIAL_SOAK=1 (or make soak) runs it")
		t.Skip("FIDUCIAL_SOAK is not set")
	}
	p := plan{faults: 1000}
	var err error
	if v := os.Getenv("FIDUCIAL_SOAK_FAULTS"); v != "" {
		if p.faults, err = strconv.Atoi(v); err != nil || p.faults < 1 {
			t.Fatalf("FIDUCIAL_SOAK_FAULTS is %q; expected a number of faults", v)
		}
	}
	p.faults = (p.faults + 1) * share / 100
	limit := 2 * time.Hour
	if v := os.Getenv("FIDUCIAL_SOAK_TIME"); v != "" {
		if limit, err = time.ParseDuration(v); err != nil {
			t.Fatalf("FIDUCIAL_SOAK_TIME is %q; expected a duration such as 30m", v)
		}
	}
	p.until = time.Now().Add(limit)
	seed := rand.Uint64()
	if v := os.Getenv("FIDUCIAL_SOAK_SEED"); v != "" {
		if seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatalf("FIDUCIAL_SOAK_SEED is %q; expected a number", v)
		}
	}
	t.Logf("FIDUCIAL_SOAK_SEED=%d, %d faults", seed, p.faults)
	p.rand = rand.New(rand.NewPCG(seed, uint64(share)))
	return p
}

// A server on PostgreSQL whose buckets another store keeps and whose jobs use a
// function over HTTP: everything is somewhere else and fails by itself.
func TestServerWithEverythingElsewhere(t *testing.T) {
	p := planned(t, 50)
	t.Parallel()
	db := storetest.NewCluster(t)
	kept := keep(t)
	f := newFunction(t)
	s := begin(t, kept.store, boot.Options{
		Args: []string{"--external-buckets", kept.settings, "--functions", f.settings},
		Env:  append(kept.env, "FIDUCIAL_DATABASE_URL="+db.URL()),
	}, boot.Job{Name: "first", Function: "TextMultiClass", Labels: []string{"good", "bad"}, Objects: 40, Workers: 2, Text: true})
	s.crowd.function, s.crowd.forgetful = f.arn, true // see internal/store/labeling_at_once.go
	s.soak(p, []fault{
		{"the server is killed", s.kill},
		{"PostgreSQL is killed", func(hold time.Duration) {
			s.ok(db.Kill())
			time.Sleep(hold)
			s.ok(db.Start())
		}},
		{"a process of PostgreSQL is killed", func(time.Duration) { s.ok(db.KillBackend(p.rand.IntN)) }},
		{"PostgreSQL and the server are killed", func(hold time.Duration) {
			s.ok(db.Kill())
			time.Sleep(hold / 4)
			s.Kill()
			s.ok(db.Start())
			s.Boot()
		}},
		{"the store refuses", kept.is(refusing)},
		{"the store hangs", kept.is(hanging)},
		{"the store cuts off", kept.is(cutting)},
		{"the store refuses while the server is killed", func(hold time.Duration) {
			kept.is(refusing)(hold)
			s.kill(0)
		}},
		{"the function hangs", f.hangs},
	})
}

// A server that has everything in its own folder, on a file system of 64 MiB
// that fills up.
func TestServerWithEverythingInOneFolder(t *testing.T) {
	p := planned(t, 50)
	t.Parallel()
	dir, full := small(t)
	s := begin(t, nil, boot.Options{Data: filepath.Join(dir, "data")},
		boot.Job{Name: "first", Function: "ImageMultiClass", Labels: []string{"good", "bad"}, Objects: 40, Workers: 2})
	faults := []fault{{"the server is killed", s.kill}}
	if full != nil {
		faults = append(faults,
			fault{"the disk is full", func(hold time.Duration) {
				give := full(p.rand.IntN(200) << 10)
				time.Sleep(hold)
				s.refusals()
				give()
			}},
			fault{"the disk is full and the server is killed", func(hold time.Duration) {
				give := full(p.rand.IntN(200) << 10)
				time.Sleep(hold)
				s.Kill()
				give()
				s.Boot()
			}})
	}
	s.soak(p, faults)
	s.verified()
}
