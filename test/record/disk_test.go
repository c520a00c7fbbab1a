// Package record tests the record of decisions against the real server: what
// happens when its disk is lost, and what is left of it after a kill.
package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"fiducial/test/boot"
)

func TestMain(m *testing.M) { boot.Main(m) }

var ana = boot.Account{Email: "ana@example.com", Password: "Correct-horse-1"}

// scene is a server with its record in a folder of its own, and a worker with an
// open task and its media URL.
type scene struct {
	*boot.Server
	t          *testing.T
	dir        string // of the record
	worker     *boot.Worker
	assignment string
	media      string
	picture    []byte
}

func newScene(t *testing.T, dir string) *scene {
	t.Helper()
	picture := boot.Picture(t, 320, 240)
	s := &scene{Server: boot.Start(t, boot.Options{Args: []string{"--audit-dir", dir}}), t: t, dir: dir}
	s.Make(boot.Setup{Workers: []boot.Account{ana}, SourceIP: true, Jobs: []boot.Job{
		{Name: "boxes", Function: "BoundingBox", Labels: []string{"Red square"}, Objects: 5, Workers: 1, Picture: picture},
	}})
	var err error
	s.picture, err = os.ReadFile(picture)
	s.ok(err)
	s.worker, err = boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password)
	s.ok(err)
	s.assignment, err = s.worker.Start("boxes")
	s.ok(err)
	_, media, err := s.worker.Frame(s.assignment)
	s.ok(err)
	if len(media) != 1 {
		t.Fatalf("%d media URLs, want 1", len(media))
	}
	s.media = media[0]
	return s
}

func (s *scene) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) get(url string) (int, []byte) {
	s.t.Helper()
	res, err := boot.From("127.0.0.1").Get(url)
	s.ok(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	s.ok(err)
	return res.StatusCode, b
}

// works checks that the whole service does.
func (s *scene) works() {
	s.t.Helper()
	if status, body := s.get(s.media); status != http.StatusOK || !bytes.Equal(body, s.picture) {
		s.t.Errorf("media: status %d and %d bytes, want the picture", status, len(body))
	}
	if _, media, err := s.worker.Frame(s.assignment); err != nil || len(media) != 1 {
		s.t.Errorf("frame: %d media URLs, %v; want 1", len(media), err)
	}
	if status, body := s.get(s.Ops + "/readyz"); status != http.StatusOK {
		s.t.Errorf("readyz: %d %s", status, body)
	}
}

// refuses checks that nothing is given that cannot be put on record, and that
// the server says that it is not well.
func (s *scene) refuses() {
	s.t.Helper()
	for range 3 {
		status, body := s.get(s.media)
		if status != http.StatusServiceUnavailable || bytes.Contains(body, s.picture[:64]) {
			s.t.Errorf("media: status %d and %d bytes, want 503 and nothing of the picture", status, len(body))
		}
		page, media, _ := s.worker.Frame(s.assignment)
		if len(media) != 0 || strings.Contains(page, "X-Amz-Signature") {
			s.t.Errorf("frame: %d media URLs, want none", len(media))
		}
	}
	// Partial reads, and what would be refused anyway.
	req, err := http.NewRequest("GET", s.media, nil)
	s.ok(err)
	req.Header.Set("Range", "bytes=0-99")
	res, err := http.DefaultClient.Do(req)
	s.ok(err)
	if b, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusServiceUnavailable || bytes.Contains(b, s.picture[:64]) {
		s.t.Errorf("a range: status %d", res.StatusCode)
	}
	_ = res.Body.Close()
	if status, _ := s.get(s.API + "/input/boxes/"); status < 400 {
		s.t.Errorf("an unsigned request: status %d", status)
	}
	if _, err := s.AWS("s3api", "list-buckets"); err == nil {
		s.t.Error("the API answers")
	}
	if _, err := boot.NewWorker(s.Portal, "127.0.0.1", ana.Email, ana.Password); err == nil {
		s.t.Error("a worker can sign in")
	}
	if status, body := s.get(s.Ops + "/readyz"); status != http.StatusServiceUnavailable || !bytes.Contains(body, []byte("audit")) {
		s.t.Errorf("readyz: %d %s, want 503 and the reason", status, body)
	}
}

// recovers waits until the server is ready by itself, with no request to help it.
func (s *scene) recovers() {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		status, body := s.get(s.Ops + "/readyz")
		if status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not ready again: %s", body)
		}
	}
	s.works()
}

// verify runs the command on the server's folders.
func (s *scene) verify() (string, error) {
	out, err := boot.Command(context.Background(), "audit", "verify", "--data-dir", s.DataDir, "--audit-dir", s.dir).CombinedOutput()
	return string(out), err
}

func (s *scene) verified() string {
	s.t.Helper()
	out, err := s.verify()
	if err != nil {
		s.t.Errorf("verify: %v\n%s", err, out)
	}
	return out
}

func (s *scene) record() string {
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.jsonl"))
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		s.ok(err)
		all.Write(b)
	}
	return all.String()
}

// mount makes a file system of its own, if the test may.
func mount(t *testing.T, source, kind, options string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(source, dir, kind, 0, options); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// The disk is full: ENOSPC, from a file system that is.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := mount(t, "tmpfs", "tmpfs", "size=1m")
	s := newScene(t, filepath.Join(disk, "audit"))
	s.works()
	ballast := filepath.Join(disk, "ballast")
	f, err := os.Create(ballast)
	s.ok(err)
	defer f.Close()
	for n := 1 << 16; n > 0; {
		if _, err := f.Write(make([]byte, n)); errors.Is(err, syscall.ENOSPC) {
			n /= 2
		}
	}
	// The page that the record ends in may take a few lines more.
	for range 40 {
		if status, _ := s.get(s.media); status != http.StatusOK {
			break
		}
	}
	s.refuses()
	s.ok(os.Remove(ballast))
	s.ok(f.Close())
	s.recovers()
	s.verified()
	if all := s.record(); !strings.Contains(all, `"action":"resume"`) || !strings.Contains(all, "records could not be written") {
		t.Error("that records could not be written is not on record")
	}
}

// The process may not make its files larger: the write fails after the file is
// open, wherever it lies.
func TestFileTooLarge(t *testing.T) {
	t.Parallel()
	s := newScene(t, filepath.Join(t.TempDir(), "audit"))
	var before syscall.Rlimit
	s.ok(prlimit(s.PID(), nil, &before))
	s.ok(prlimit(s.PID(), &syscall.Rlimit{Cur: 1, Max: before.Max}, nil))
	s.refuses()
	s.ok(prlimit(s.PID(), &before, nil))
	s.recovers()
	s.verified()
}

func prlimit(pid int, set, get *syscall.Rlimit) error {
	const fileSize = 1
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), fileSize, uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// The folder's file system becomes read-only under the server.
func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	real := filepath.Join(t.TempDir(), "real")
	if err := os.Mkdir(real, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := mount(t, real, "", "bind")
	s := newScene(t, dir)
	s.ok(syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	s.unwell()
	s.refuses()
	s.ok(syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT, ""))
	s.recovers()
	s.verified()
}

// unwell waits until the server has found what was done to it: a second.
func (s *scene) unwell() {
	s.t.Helper()
	for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if status, _ := s.get(s.Ops + "/readyz"); status != http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the server does not notice")
		}
	}
}

// The folder is taken away, and given back.
func TestFolderTakenAway(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "audit")
	s := newScene(t, dir)
	s.ok(os.Rename(dir, dir+"~"))
	s.unwell()
	s.refuses()
	time.Sleep(1500 * time.Millisecond)
	s.refuses() // no folder is made in its place
	s.ok(os.Rename(dir+"~", dir))
	s.recovers()
	s.verified()
}

// The file is removed: what it held cannot be had back, and verify says so for
// ever; but the next request is not answered from a file that nobody can see.
func TestFileRemoved(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "audit")
	s := newScene(t, dir)
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	for _, f := range files {
		s.ok(os.Remove(f))
	}
	if status, body := s.get(s.media); status != http.StatusServiceUnavailable || bytes.Contains(body, s.picture[:64]) {
		t.Errorf("media: status %d, want 503", status)
	}
	s.recovers()
	out, err := s.verify()
	if err == nil || !strings.Contains(out, "was removed while the server was at work; its last line was number") || !strings.Contains(out, "are missing before this file") {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// Killed and started again, ten times in the middle of requests: one chain,
// whole, and everything that was answered is on record.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := newScene(t, filepath.Join(t.TempDir(), "audit"))
	answered := 0
	for round := range 10 {
		stop := make(chan int)
		go func() {
			n := 0
			for {
				res, err := boot.From("127.0.0.1").Get(fmt.Sprintf("%s/media-%d", s.API, round))
				if err != nil {
					stop <- n
					return
				}
				_ = res.Body.Close()
				if res.StatusCode < 500 {
					n++
				}
			}
		}()
		time.Sleep(100 * time.Millisecond)
		s.Kill()
		answered += <-stop
		s.Boot()
	}
	s.works()
	out := s.verified()
	if strings.Count(out, "chain ") != 1 {
		t.Errorf("more than one chain:\n%s", out)
	}
	if n := strings.Count(s.record(), `"resource":"arn:aws:s3:::media-`); n < answered || answered == 0 {
		t.Errorf("%d of %d answers are on record", n, answered)
	}
}

// An officer's head of before shows what was done with all rights on the machine
// since; the folder's own does not.
func TestHeadKeptByAnOfficer(t *testing.T) {
	t.Parallel()
	s := newScene(t, filepath.Join(t.TempDir(), "audit"))
	s.Stop()
	head := func() string {
		out, err := boot.Command(context.Background(), "audit", "head", "--data-dir", s.DataDir, "--audit-dir", s.dir).Output()
		s.ok(err)
		return strings.TrimSpace(string(out))
	}
	kept := head()
	s.ok(errors.Join(os.RemoveAll(s.dir), os.RemoveAll(filepath.Join(s.DataDir, "audit-heads"))))
	s.Boot() // the server begins anew and signs whatever it finds
	s.opens()
	s.Stop()
	s.verified()
	var exit *exec.ExitError
	out, err := boot.Command(context.Background(), "audit", "verify", "--data-dir", s.DataDir, "--audit-dir", s.dir, "--head", kept).CombinedOutput()
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "all its files are missing") {
		t.Errorf("%v\n%s", err, out)
	}
}

// opens is that media open, without the page.
func (s *scene) opens() {
	s.t.Helper()
	if status, _ := s.get(s.media); status != http.StatusOK {
		s.t.Errorf("media: status %d", status)
	}
}
