// Grants measures how many grants a core makes.
//
// What is measured is the real thing: access.Service.ForTask with IAM on a SQLite
// database (trust policy asked, a session sealed for each grant), presigned URLs,
// and the record of them chained and written to a file before ForTask returns, as
// when the portal renders a task. Every task is an assignment of its own. The
// grants of a task share the look at the worker's rights, the signing key and the
// write of the record, so that what one costs depends on how many pictures the
// task has. One processor is used (GOMAXPROCS=1), and callers are many at once, as
// workers are.
//
// Numbers are per second of CPU time that the process used, in it and in the
// kernel: what a whole core would make. Wall-clock numbers stand beside them;
// they suffer from whatever else the machine does.
//
// The bar: 100,000 grants a second and core, the record included, for tasks of 20
// pictures, as many as the workers of bench/media open.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/audit"
	"fiducial/internal/envelope"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
	"fiducial/internal/sigv4"
	"fiducial/internal/store"
)

// bar is how many grants a core must make in a second.
const bar = 100_000

const (
	account = "000000000000"
	region  = "us-east-1"
	role    = "arn:aws:iam::000000000000:role/GroundTruthExecution"
	trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

func main() {
	length := flag.Duration("time", 3*time.Second, "length of one run")
	rounds := flag.Int("rounds", 3, "rounds; the median is shown")
	profile := flag.String("profile", "", "file for a CPU profile")
	pictures := flag.Int("pictures", 0, "only tasks of so many pictures")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400) // as the server does
	if err := run(*length, *rounds, *pictures, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "bench/grants:", err)
		os.Exit(1)
	}
}

func run(length time.Duration, rounds, pictures int, profile string) error {
	dir, err := os.MkdirTemp("", "fiducial-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Printf("grants with their record in a file, one core, %d rounds of %v\n", rounds, length)
	fmt.Printf("%-8s %-18s %16s %12s %16s %12s\n", "callers", "pictures in a task", "per CPU second", "CPU each", "the best round", "wall clock")
	ok := false
	for _, c := range [...]struct{ callers, pictures int }{{1, 1}, {64, 1}, {64, 5}, {1, 20}, {64, 20}} {
		if pictures > 0 && c.pictures != pictures {
			continue
		}
		w, err := newWorld(filepath.Join(dir, fmt.Sprint(c.callers, "-", c.pictures)))
		if err != nil {
			return err
		}
		samples := make([]sample, rounds)
		for i := range samples {
			if samples[i], err = w.measure(c.callers, c.pictures, length); err != nil {
				return err
			}
		}
		slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(a.perCPU(), b.perCPU()) })
		m, best := samples[rounds/2], samples[rounds-1]
		fmt.Printf("%-8d %-18d %16.0f %12v %16.0f %12.0f\n", c.callers, c.pictures, m.perCPU(), (m.cpu / time.Duration(m.grants)).Round(10*time.Nanosecond), best.perCPU(), float64(m.grants)/m.wall.Seconds())
		ok = m.perCPU() >= bar // of the last row
		if err := w.close(); err != nil {
			return err
		}
		// What was measured is a record that holds.
		v, err := audit.Verify(context.Background(), audit.VerifyOptions{Dir: w.dir, Heads: w.dir + "-heads"})
		if err != nil {
			return err
		}
		if want := w.made.Load() + 1; !v.OK() || v.Chains[0].Lines != want {
			return fmt.Errorf("the record has %d lines, want %d; problems: %v", v.Chains[0].Lines, want, v.Problems)
		}
		if err := os.RemoveAll(w.dir); err != nil {
			return err
		}
	}
	if !ok {
		return fmt.Errorf("fewer than %d grants a second and core", bar)
	}
	fmt.Printf("bar of %d grants a second and core: met\n", bar)
	return nil
}

// world is a server without its listeners.
type world struct {
	dir   string // of the record
	db    *store.DB
	audit *audit.File
	*access.Service
	made atomic.Uint64
}

func newWorld(dir string) (*world, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ctx := context.Background()
	w := &world{dir: filepath.Join(dir, "audit")}
	var err error
	if w.db, err = store.Open(ctx, "sqlite:"+filepath.Join(dir, "fiducial.db")); err != nil {
		return nil, err
	}
	keys, err := envelope.New()
	if err != nil {
		return nil, err
	}
	users, err := iam.New(iam.Options{Account: account, Store: store.NewIAM(w.db), Keys: keys, RootAccessKeyID: "AKIAROOT",
		RootSecret: iam.NewSecret("not a secret"), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	if _, err := users.CreateRole(ctx, iam.NewRole{Name: "GroundTruthExecution", TrustPolicy: trust}); err != nil {
		return nil, err
	}
	if w.audit, err = audit.Open(audit.Options{Dir: w.dir, Now: time.Now}); err != nil {
		return nil, err
	}
	endpoint, err := sigv4.NewEndpoint("https://media.example.com", region)
	if err != nil {
		return nil, err
	}
	w.Service, err = access.New(ctx, access.Options{Store: store.NewAccess(w.db), Roles: users, Audit: w.audit, Endpoint: endpoint,
		Region: region, Account: account, Now: time.Now, Rand: rand.Reader, Alone: true})
	return w, err
}

func (w *world) close() error {
	if err := w.audit.Close(); err != nil {
		return err
	}
	return w.db.Close()
}

type sample struct {
	grants    int64
	wall, cpu time.Duration
}

func (s sample) perCPU() float64 { return float64(s.grants) / s.cpu.Seconds() }

// measure lets callers ask for grants for a while: each a worker of its own, at
// an address of its own, task after task.
func (w *world) measure(callers, pictures int, length time.Duration) (sample, error) {
	ctx := context.Background()
	expires := time.Now().Add(time.Hour)
	stop := make(chan struct{})
	tended := make(chan error, 1)
	go func() { // as the server does
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-stop:
				tended <- nil
				return
			case <-t.C:
				if err := w.audit.Tend(); err != nil {
					tended <- err
					return
				}
			}
		}
	}()
	var done atomic.Bool
	var total atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, callers)
	cpu, start := cpuTime(), time.Now()
	for i := range callers {
		wg.Go(func() {
			r := access.Request{
				Grant: identity.Grant{Worker: fmt.Sprintf("private.us-east-1.%016x", i), Job: "street-scenes-2026-03",
					Team: "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/night-shift", SignIn: "signin-0123456789abcdef0123456789abcdef"},
				RoleARN: role, Origin: origin.Origin{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})},
				Binding: access.Binding{SourceIP: true}, Expires: expires,
			}
			keys := make([]string, 100)
			for k := range keys {
				keys[k] = fmt.Sprintf("2026/03/01/camera-%d/%06d.jpg", i, k)
			}
			n := int64(0)
			for !done.Load() {
				r.Grant.Assignment = fmt.Sprintf("6f1c9f0e-5b8e-4d4c-9a53-%04x%08x", i, n)
				if err := w.ForTask(ctx, r, func(mint access.Minter) error {
					for range pictures {
						if _, err := mint(ctx, "street-scenes", keys[n%int64(len(keys))]); err != nil {
							return err
						}
						n++
					}
					return nil
				}); err != nil {
					errs <- err
					break
				}
			}
			total.Add(n)
		})
	}
	time.Sleep(length)
	done.Store(true)
	wg.Wait()
	s := sample{grants: total.Load(), wall: time.Since(start), cpu: cpuTime() - cpu}
	close(stop)
	w.made.Add(uint64(s.grants))
	select {
	case err := <-errs:
		return s, err
	default:
		return s, <-tended
	}
}

// cpuTime is what the process has used of the processors, the kernel's work for
// it included.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
