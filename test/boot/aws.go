package boot

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

//go:embed aws.py
var awsPy string

// awsProcess is the AWS CLI, loaded once for all command lines of a test binary. It
// is nil where the CLI is not a module of our Python: then it is run as a program.
var awsProcess = sync.OnceValue(startAWS)

type awsRequest struct {
	ID   int               `json:"id"`
	Args []string          `json:"args"`
	Env  map[string]string `json:"env"`
	Dir  string            `json:"dir"`
	Out  string            `json:"out"`
	Err  string            `json:"err"`
}

type awsForks struct {
	mu      sync.Mutex
	in      *json.Encoder
	last    int
	waiting map[int]chan int
}

func startAWS() *awsForks {
	c := exec.Command(python(), "-c", awsPy)
	c.Env = append(os.Environ(), "PYTHONWARNINGS=ignore", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := c.StdinPipe()
	if err != nil {
		return nil
	}
	out, err := c.StdoutPipe()
	if err != nil || c.Start() != nil {
		return nil
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		_ = c.Wait()
		return nil
	}
	f := &awsForks{in: json.NewEncoder(in), waiting: map[int]chan int{}}
	go func() {
		for lines.Scan() {
			var end struct{ ID, Status int }
			if json.Unmarshal(lines.Bytes(), &end) != nil {
				break
			}
			f.mu.Lock()
			f.waiting[end.ID] <- end.Status
			delete(f.waiting, end.ID)
			f.mu.Unlock()
		}
		_ = c.Wait()
	}()
	return f
}

// run runs the CLI with the arguments in the folder, which is the command's own.
func (f *awsForks) run(dir string, env, args []string) (string, error) {
	r := awsRequest{Args: args, Env: map[string]string{}, Dir: dir, Out: filepath.Join(dir, ".out"), Err: filepath.Join(dir, ".err")}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		r.Env[name] = value
	}
	done := make(chan int, 1)
	f.mu.Lock()
	f.last++
	r.ID = f.last
	f.waiting[r.ID] = done
	err := f.in.Encode(r)
	f.mu.Unlock()
	if err != nil {
		return "", err
	}
	select {
	case status := <-done:
		out, err := os.ReadFile(r.Out)
		if err != nil {
			return "", err
		}
		if status != 0 {
			words, _ := os.ReadFile(r.Err)
			return string(out), fmt.Errorf("aws %s: status %d\n%s", strings.Join(args, " "), status, words)
		}
		return string(out), nil
	case <-time.After(3 * time.Minute):
		return "", fmt.Errorf("aws %s: no end after three minutes", strings.Join(args, " "))
	}
}
