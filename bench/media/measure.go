package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

type size struct {
	name  string
	bytes int
}

var sizes = []size{{"4k.jpg", 4 << 10}, {"100k.jpg", 100 << 10}, {"4m.jpg", 4 << 20}}

// target is one server with one file over one protocol.
type target struct {
	name    string
	size    size
	secure  bool
	server  *process
	urls    []string
	ops     string // where Fiducial's profiler is
	runs    []sample
	refusal bytes.Buffer
}

// sample is one measurement.
type sample struct {
	perSecond float64
	cpu       time.Duration // of the server per request
	p99       time.Duration
}

type bench struct {
	settings
	dir       string
	pool      *x509.CertPool
	processes []*process
	targets   []*target
	mint      time.Duration
	absent    []string // what could not be measured
	crowd     []crowd
}

func (b *bench) files() string { return filepath.Join(b.dir, "files") }

func (b *bench) start(env []string, name string, args ...string) (*process, error) {
	p, err := start(env, name, args...)
	if err == nil {
		b.processes = append(b.processes, p)
	}
	return p, err
}

func (b *bench) stop() {
	for _, p := range b.processes {
		p.stop()
	}
}

func (b *bench) add(name string, s size, secure bool, p *process, urls ...string) *target {
	t := &target{name: name, size: s, secure: secure, server: p, urls: urls}
	b.targets = append(b.targets, t)
	return t
}

// prepare makes the files, starts the servers and checks every URL.
func (b *bench) prepare(ctx context.Context) error {
	for _, tool := range []string{"taskset", "wrk", "nginx", b.fiducial} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed (Debian: apt-get install wrk nginx-light util-linux; make build): %w", tool, err)
		}
	}
	if err := os.Mkdir(b.files(), 0o700); err != nil {
		return err
	}
	for _, s := range sizes {
		data := make([]byte, s.bytes)
		_, _ = rand.Read(data)
		if err := os.WriteFile(filepath.Join(b.files(), s.name), data, 0o600); err != nil {
			return err
		}
	}
	var err error
	if b.pool, err = certificate(b.dir); err != nil {
		return err
	}
	if err := b.startBare(ctx); err != nil {
		return err
	}
	if err := b.startNginx(ctx); err != nil {
		return err
	}
	for _, secure := range []bool{false, true} {
		if err := b.startFiducial(ctx, secure); err != nil {
			return err
		}
	}
	if err := b.startStores(ctx); err != nil {
		return err
	}
	if err := b.choose(); err != nil {
		return err
	}
	for i, t := range b.targets {
		if err := b.check(ctx, t); err != nil {
			return err
		}
		if err := b.script(i, t); err != nil {
			return err
		}
	}
	return nil
}

// choose keeps the targets that -match names.
func (b *bench) choose() error {
	pattern, err := regexp.Compile(b.match)
	if err != nil {
		return err
	}
	b.targets = slices.DeleteFunc(b.targets, func(t *target) bool {
		name := t.name + " " + t.size.name
		if t.secure {
			name += " TLS"
		}
		return !pattern.MatchString(name)
	})
	return nil
}

// script writes what wrk asks a target for: its paths in turn, each made into a
// request beforehand, so that wrk has as little to do as with one.
func (b *bench) script(i int, t *target) error {
	if len(t.urls) == 1 {
		return nil
	}
	var s strings.Builder
	s.WriteString("local requests, n = {}, 0\nfunction init()\n  for path in io.lines(" + strconv.Quote(b.list(i)) + ") do requests[#requests + 1] = wrk.format(nil, path) end\nend\n" +
		"function request()\n  n = n % #requests + 1\n  return requests[n]\nend\n")
	if err := os.WriteFile(b.list(i)+".lua", []byte(s.String()), 0o600); err != nil {
		return err
	}
	var list strings.Builder
	for _, u := range t.urls {
		list.WriteString(u[strings.Index(u, "://")+3:][strings.IndexByte(u[strings.Index(u, "://")+3:], '/'):] + "\n")
	}
	return os.WriteFile(b.list(i), []byte(list.String()), 0o600)
}

func (b *bench) list(i int) string { return filepath.Join(b.dir, "urls-"+strconv.Itoa(i)) }

// measure runs every target in turn, round after round: whatever else happens on
// the machine meets them all alike.
func (b *bench) measure(ctx context.Context) error {
	for round := range b.repeats {
		for i, t := range b.targets {
			if err := b.once(ctx, i, t, round); err != nil {
				return err
			}
		}
	}
	return nil
}

var (
	total  = regexp.MustCompile(`(\d+) requests in ([\d.]+)(m?s)`)
	ninety = regexp.MustCompile(`(?m)^\s+99%\s+(\S+)`)
)

func (b *bench) once(ctx context.Context, i int, t *target, round int) error {
	args := []string{"-c", "1", "wrk", "-t1", "-c32", "--latency", "-d" + strconv.Itoa(b.seconds) + "s"}
	if len(t.urls) > 1 {
		args = append(args, "-s", b.list(i)+".lua")
	}
	before, err := t.server.cpu()
	if err != nil {
		return err
	}
	profiled := b.profileDuring(ctx, t, round)
	out, err := exec.CommandContext(ctx, "taskset", append(args, t.urls[0])...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("wrk: %w\n%s", err, out)
	}
	after, err := t.server.cpu()
	if err != nil {
		return err
	}
	if err := <-profiled; err != nil {
		return err
	}
	m := total.FindSubmatch(out)
	if m == nil || bytes.Contains(out, []byte("Non-2xx")) || bytes.Contains(out, []byte("Socket errors")) {
		return fmt.Errorf("%s failed under load:\n%s\n%s", t.name, out, t.server.log.String())
	}
	n, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%s answered nothing in %d s: this machine is too busy; try more -seconds", t.name, b.seconds)
	}
	seconds, err := strconv.ParseFloat(string(m[2]), 64)
	if err != nil || string(m[3]) != "s" {
		return fmt.Errorf("wrk says %q", m[0])
	}
	r := sample{perSecond: n / seconds, cpu: time.Duration(float64(after-before) / n)}
	p := ninety.FindSubmatch(out)
	if p == nil {
		return fmt.Errorf("wrk gives no 99th percentile:\n%s", out)
	}
	if r.p99, err = time.ParseDuration(string(p[1])); err != nil {
		return err
	}
	t.runs = append(t.runs, r)
	return nil
}

// profileDuring takes a CPU profile of Fiducial during the first round, if asked.
func (b *bench) profileDuring(ctx context.Context, t *target, round int) <-chan error {
	if t.ops == "" || round > 0 {
		return b.profileOf(ctx, "", "", 0)
	}
	return b.profileOf(ctx, t.ops, fmt.Sprintf("%s-%s-tls-%v", t.name, t.size.name, t.secure), max(b.seconds-1, 1))
}

// profileOf takes a CPU profile from where Fiducial's profiler is, if asked.
func (b *bench) profileOf(ctx context.Context, ops, name string, seconds int) <-chan error {
	done := make(chan error, 1)
	if b.profile == "" || ops == "" {
		done <- nil
		return done
	}
	go func() {
		done <- func() error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", ops, seconds), nil)
			if err != nil {
				return err
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				return err
			}
			defer res.Body.Close()
			f, err := os.Create(filepath.Join(b.profile, strings.NewReplacer(" ", "-", ",", "").Replace(name)+".pprof"))
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(f, res.Body)
			return err
		}()
	}()
	return done
}

func median[T cmp.Ordered](samples []sample, of func(sample) T) T {
	v := make([]T, len(samples))
	for i, r := range samples {
		v[i] = of(r)
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func (t *target) cpu() time.Duration {
	return median(t.runs, func(r sample) time.Duration { return r.cpu })
}

func (t *target) rate() float64 { return median(t.runs, func(r sample) float64 { return r.perSecond }) }

func (t *target) p99() time.Duration {
	return median(t.runs, func(r sample) time.Duration { return r.p99 })
}

// print shows medians, and the ratio of CPU per request to the bare Go server.
func (b *bench) print(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "file\tTLS\tserver\trequests/s\tCPU µs/request\t(min–max)\tp99\tCPU to bare Go\t")
	worst := map[string]float64{}
	for _, s := range sizes {
		for _, secure := range []bool{false, true} {
			var base time.Duration
			for _, t := range b.targets {
				if t.size != s || t.secure != secure {
					continue
				}
				if t.name == "bare Go" {
					base = t.cpu()
				}
				lo, hi := t.runs[0].cpu, t.runs[0].cpu
				for _, r := range t.runs {
					lo, hi = min(lo, r.cpu), max(hi, r.cpu)
				}
				ratio := 0.0 // the bare server may not be among the chosen
				if base > 0 {
					ratio = float64(t.cpu()) / float64(base)
				}
				worst[t.name] = max(worst[t.name], ratio)
				fmt.Fprintf(tw, "%d KiB\t%s\t%s\t%.0f\t%.1f\t(%.1f–%.1f)\t%v\t%.2f\t\n", s.bytes>>10, map[bool]string{true: "yes", false: "no"}[secure], t.name,
					t.rate(), us(t.cpu()), us(lo), us(hi), t.p99().Round(100*time.Microsecond), ratio)
			}
		}
	}
	_ = tw.Flush()
	b.verdicts(w, worst)
}

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
