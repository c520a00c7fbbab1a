package journey

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"fiducial/test/boot"
)

var (
	portalLine = regexp.MustCompile(`Worker portal\s+(http://\S+)`)
	signInLine = regexp.MustCompile(`(\S+@\S+)\s+password\s+(\S+)`)
	doneLine   = regexp.MustCompile(`^(demo-\S+) is completed: (s3://\S+/manifests/output/output\.manifest)$`)
)

// What the demo prints is enough to sign in, to label everything, and to find
// the manifest; Ctrl-C ends it, and it can be started again.
func TestDemo(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	ports := boot.FreePorts(t, "127.0.0.1", 3)
	args := []string{"demo", "--data-dir", data, "--api-addr", ports[0], "--portal-addr", ports[1], "--ops-addr", ports[2]}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	d := startDemo(t, ctx, args)
	portal := d.await(portalLine)[1]
	accounts := []boot.Account{}
	for range 2 {
		m := d.await(signInLine)
		accounts = append(accounts, boot.Account{Email: m[1], Password: m[2]})
	}
	d.await(regexp.MustCompile(`demo-boxes InProgress 0/9 .*demo-scenes InProgress 0/9`))
	answers := map[string]any{
		"demo-boxes": map[string]any{"boundingBox": map[string]any{
			"boundingBoxes":        []any{map[string]any{"label": "Person", "left": 1, "top": 2, "width": 30, "height": 40}},
			"inputImageProperties": map[string]int{"width": 500, "height": 400}}},
		"demo-scenes": map[string]any{"crowd-image-classifier": map[string]string{"label": "Thing"}},
	}
	tasks := 0
	for _, a := range accounts {
		w, err := boot.NewWorker(portal, "127.0.0.1", a.Email, a.Password)
		if err != nil {
			t.Fatal(err)
		}
		for job, answer := range answers {
			for {
				id, err := w.Start(job)
				if err != nil {
					t.Fatal(err)
				}
				if id == "" {
					break
				}
				page, media, err := w.Frame(id)
				if err != nil || len(media) != 1 {
					t.Fatalf("%s: the frame has %d pictures (%v): %s", job, len(media), err, page)
				}
				if status, body := get(t, "127.0.0.1", "GET", media[0], nil); status != 200 || len(body) < 1000 {
					t.Errorf("%s: picture: status %d, %d bytes", job, status, len(body))
				}
				if status, _, err := w.Submit(id, answer); err != nil || status != 200 {
					t.Fatalf("%s: submit: %d, %v", job, status, err)
				}
				tasks++
			}
		}
	}
	if tasks != 9+2*9 {
		t.Errorf("%d tasks were labelled, want 27", tasks)
	}
	finished := map[string]bool{}
	for range 2 {
		finished[d.await(doneLine)[1]] = true
	}
	if !finished["demo-boxes"] || !finished["demo-scenes"] {
		t.Errorf("finished: %v", finished)
	}
	d.interrupt()

	again := startDemo(t, ctx, args)
	again.await(portalLine)
	again.await(doneLine) // what was made stays
	again.interrupt()
}

// demo is a running "fiducial demo".
type demo struct {
	t     *testing.T
	lines chan string
	stop  func()
	wait  func() error
}

func startDemo(t *testing.T, ctx context.Context, args []string) *demo {
	t.Helper()
	c := boot.Command(ctx, args...)
	r, w := io.Pipe()
	c.Stdout, c.Stderr = w, w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	d := &demo{t: t, lines: make(chan string, 1000)}
	d.stop = func() { _ = c.Process.Signal(syscall.SIGINT) }
	d.wait = func() error { err := c.Wait(); _ = w.Close(); return err }
	t.Cleanup(func() { _ = c.Process.Kill() })
	go func() {
		defer close(d.lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			d.lines <- s.Text()
		}
	}()
	return d
}

// await reads lines until one matches.
func (d *demo) await(re *regexp.Regexp) []string {
	d.t.Helper()
	var seen []string
	timeout := time.After(90 * time.Second)
	for {
		select {
		case l, ok := <-d.lines:
			if !ok {
				d.t.Fatalf("the demo ended before %s:\n%s", re, strings.Join(seen, "\n"))
			}
			if m := re.FindStringSubmatch(l); m != nil {
				return m
			}
			seen = append(seen, l)
		case <-timeout:
			d.t.Fatalf("no line like %s:\n%s", re, strings.Join(seen, "\n"))
		}
	}
}

func (d *demo) interrupt() {
	d.t.Helper()
	d.stop()
	if err := d.wait(); err != nil {
		d.t.Errorf("after Ctrl-C the demo ended with %v", err)
	}
}
