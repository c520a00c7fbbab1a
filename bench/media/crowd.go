package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	crowdWorkers  = 200
	crowdPictures = 20
)

// picture is what the crowd looks at.
var picture = sizes[1]

// crowd is workers who open pictures, each with a URL of its own.
type crowd struct {
	name   string
	urls   []string
	server *process
	ops    string // where the server's profiler is
}

// crowdResult is how long they waited.
type crowdResult struct{ P50, P99, Max, All time.Duration }

// crowds lets each crowd open its pictures: in turn, and all at one instant. The
// workers are a process of their own, on the core that is not the server's.
func (b *bench) crowds(ctx context.Context, w io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, c := range b.crowd {
		for i, at := range []string{"one after the other", "all at one instant"} {
			n := crowdWorkers * crowdPictures
			list := filepath.Join(b.dir, "crowd")
			if err := os.WriteFile(list, []byte(strconv.Itoa(i)+"\n"+strings.Join(c.urls[i*n:(i+1)*n], "\n")), 0o600); err != nil {
				return err
			}
			before, err := c.server.cpu()
			if err != nil {
				return err
			}
			profiled := b.profileOf(ctx, c.ops, c.name+" crowd "+at, 1)
			out, err := exec.CommandContext(ctx, "taskset", "-c", "1", self, "-crowd", list).Output()
			if err != nil {
				return fmt.Errorf("the crowd of %s: %w\n%s", c.name, err, out)
			}
			after, err := c.server.cpu()
			if err != nil {
				return err
			}
			if err := <-profiled; err != nil {
				return fmt.Errorf("profile: %w", err)
			}
			var r crowdResult
			if err := json.Unmarshal(out, &r); err != nil {
				return err
			}
			verdict := ""
			if i == 0 {
				verdict = fmt.Sprintf(" (bar %v: %s)", barCrowd, met(r.P99 < barCrowd))
			}
			ms := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
			fmt.Fprintf(w, "%s: %d workers open %d pictures of 100 KiB, %s: p50 %v, p99 %v%s, longest %v, all there after %v, CPU %.0f µs a picture\n",
				c.name, crowdWorkers, crowdPictures, at, ms(r.P50), ms(r.P99), verdict, ms(r.Max), ms(r.All), float64((after-before).Microseconds())/float64(n))
		}
	}
	return nil
}

// beCrowd opens the URLs of a file, which begins with "1" if all are to be opened
// at the same instant, and prints how long it took.
func beCrowd(list string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	urls := strings.Split(strings.TrimSpace(string(text)), "\n")
	lanes := crowdWorkers
	if urls[0] == "1" {
		lanes = len(urls) - 1
	}
	urls = urls[1:]
	per := len(urls) / lanes
	conns := make([]*lane, lanes)
	for i := range conns {
		if conns[i], err = newLane(urls[i*per : (i+1)*per]); err != nil {
			return err
		}
	}
	took := make([]time.Duration, len(urls))
	errs := make([]error, lanes)
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i, l := range conns {
		wg.Go(func() {
			<-begin
			errs[i] = l.open(took[i*per : (i+1)*per])
		})
	}
	time.Sleep(200 * time.Millisecond) // every lane waits at the line
	start := time.Now()
	close(begin)
	wg.Wait()
	r := crowdResult{All: time.Since(start)}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	slices.Sort(took)
	r.P50, r.P99, r.Max = took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
	return json.NewEncoder(os.Stdout).Encode(r)
}

// lane is one connection that asks for one picture after the other. It does as
// little as it can: what is measured is the server.
type lane struct {
	conn     net.Conn
	requests [][]byte
}

func newLane(urls []string) (*lane, error) {
	l := &lane{}
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, err
		}
		if l.conn == nil {
			if l.conn, err = net.Dial("tcp", u.Host); err != nil {
				return nil, err
			}
		}
		l.requests = append(l.requests, []byte("GET "+u.RequestURI()+" HTTP/1.1\r\nHost: "+u.Host+"\r\n\r\n"))
	}
	return l, nil
}

func (l *lane) open(took []time.Duration) error {
	defer l.conn.Close()
	r := bufio.NewReaderSize(l.conn, 128<<10)
	for i, request := range l.requests {
		start := time.Now()
		if _, err := l.conn.Write(request); err != nil {
			return err
		}
		length := -1
		for n := 0; ; n++ {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return err
			}
			if n == 0 && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
				return fmt.Errorf("%s", line)
			}
			if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
					return err
				}
			}
			if len(bytes.TrimSpace(line)) == 0 {
				break
			}
		}
		if length != picture.bytes {
			return fmt.Errorf("a picture of %d bytes", length)
		}
		if _, err := r.Discard(length); err != nil {
			return err
		}
		took[i] = time.Since(start)
	}
	return nil
}
