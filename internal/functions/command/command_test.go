package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/fault"
	"fiducial/internal/functions"
	"fiducial/internal/functions/command"
	"fiducial/internal/labeling/engine"
)

const (
	secret = "the-secret-access-key"
	token  = "the-session-token"
)

func setting(t *testing.T, f functions.Setting) functions.Setting {
	t.Helper()
	f.ARN = "*"
	list := functions.Settings{f}
	if err := list.Check(); err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func sh(t *testing.T, script string) functions.Setting {
	return setting(t, functions.Setting{Command: functions.Command{script}, Shell: true})
}

func run(t *testing.T, f functions.Setting, timeout time.Duration, event string) ([]byte, error) {
	t.Helper()
	r, err := command.New(f, command.Options{Endpoint: "http://127.0.0.1:9000", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(timeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	return r.Run(ctx, functions.Request{ARN: "arn:aws:lambda:eu-west-1:123456789012:function:f", Name: "f", Event: []byte(event), Deadline: deadline,
		Credentials: func(context.Context) (functions.Credentials, error) {
			return functions.Credentials{AccessKeyID: "ASIAKEY", SecretAccessKey: functions.NewSecret(secret), SessionToken: functions.NewSecret(token)}, nil
		}})
}

const long = time.Minute // a bound that no test is to reach

func TestEventInAnswerOut(t *testing.T) {
	event := `{"a":"` + strings.Repeat("x", 1<<20) + `"}` // more than a pipe holds
	for name, f := range map[string]functions.Setting{
		"program": setting(t, functions.Setting{Command: functions.Command{"/bin/cat"}}),
		"by name": setting(t, functions.Setting{Command: functions.Command{"cat", "-"}}),
		"shell":   sh(t, "cat | cat"),
	} {
		if got, err := run(t, f, long, event); err != nil || string(got) != event {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	// One that does not read its event.
	if got, err := run(t, sh(t, "echo '{}'"), long, event); err != nil || string(got) != "{}\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Without a shell nothing of a command is interpreted.
func TestNoShellUnlessAsked(t *testing.T) {
	got, err := run(t, setting(t, functions.Setting{Command: functions.Command{"/bin/echo", "$HOME; id `id`", "*"}}), long, "{}")
	if string(got) != "$HOME; id `id` *\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// The environment is what is documented and nothing of this process's.
func TestEnvironment(t *testing.T) {
	t.Setenv("FIDUCIAL_ROOT_SECRET_ACCESS_KEY", "root secret")
	t.Setenv("AWS_PROFILE", "mine")
	f := setting(t, functions.Setting{Command: functions.Command{"/usr/bin/env"}, Env: map[string]functions.Secret{"MINE": functions.NewSecret("yes")}})
	got, err := run(t, f, long, "{}")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	var names []string
	for _, line := range strings.Split(strings.TrimSpace(string(got)), "\n") {
		name, value, _ := strings.Cut(line, "=")
		names, values[name] = append(names, name), value
	}
	want := append(functions.Given[:len(functions.Given):len(functions.Given)], "MINE")
	sort.Strings(want)
	sort.Strings(names)
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	home := values["HOME"]
	if values["AWS_ENDPOINT_URL"] != "http://127.0.0.1:9000" || values["AWS_DEFAULT_REGION"] != "eu-west-1" || values["AWS_SECRET_ACCESS_KEY"] != secret ||
		values["AWS_SESSION_TOKEN"] != token || values["MINE"] != "yes" || !strings.Contains(home, "fiducial-function-") || values["TMPDIR"] != home {
		t.Errorf("environment %v", values)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the invocation's folder is left behind: %v", err)
	}
	// Nor are files of this process: 0, 1, 2 and the folder that ls reads.
	got, err = run(t, sh(t, "ls /proc/self/fd | wc -l"), long, "{}")
	if strings.TrimSpace(string(got)) != "4" || err != nil {
		t.Errorf("the program has %s open files, %v", got, err)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, script, want string
	}{
		{"status and the end of stderr", `for i in 1 2 3 4 5 6 7 8 9; do echo line $i >&2; done; exit 3`,
			"ExitStatus: exit status 3; its standard error ends: line 5 | line 6 | line 7 | line 8 | line 9"},
		{"nothing said", `exit 1`, "ExitStatus: exit status 1"},
		{"a signal", `kill -SEGV $$`, "ExitStatus: signal: segmentation fault"},
		{"its own report", `echo '{"errorMessage":"no such label","errorType":"ValueError"}'; exit 1`, "ValueError: no such label"},
		{"its own report with status 0", `echo '{"errorMessage":"no such label","errorType":"ValueError"}'`, "ValueError: no such label"},
		{"the secrets that it was given", `echo "key $AWS_SECRET_ACCESS_KEY and $AWS_SESSION_TOKEN" >&2; exit 1`,
			"ExitStatus: exit status 1; its standard error ends: key (redacted) and (redacted)"},
		{"the secrets in its report", `echo "{\"errorMessage\":\"$AWS_SESSION_TOKEN\",\"errorType\":\"$AWS_SECRET_ACCESS_KEY\"}"; exit 1`, "(redacted): (redacted)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := run(t, sh(t, c.script), long, "{}")
			var own *engine.FunctionError
			if !errors.As(err, &own) || strings.TrimSuffix(own.Error(), " (core dumped)") != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	gone := setting(t, functions.Setting{Command: functions.Command{"/bin/cat"}})
	gone.Dir = filepath.Join(t.TempDir(), "gone")
	if _, err := run(t, gone, long, "{}"); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), "cannot be started") {
		t.Errorf("a folder that is gone: %v", err)
	}
}

// alive reports whether the process whose number a program wrote to the file is
// there and no zombie.
func alive(t *testing.T, file string) bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || syscall.Kill(pid, 0) != nil || strings.Contains(string(stat), ") Z ") {
			return false
		}
		time.Sleep(20 * time.Millisecond) // a kill takes effect when its target is scheduled
	}
	return true
}

// Whatever a program does, it is over when its time is, and so is all that it
// started.
func TestAttacks(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, script string
		want         string // in the error; "" for success
		timeout      time.Duration
		leaves       bool // it writes the number of a child to $PIDFILE
	}{
		{"hangs", `echo $$ > $PIDFILE; exec sleep 1000`, "Timeout", time.Second, true},
		{"ignores signals", `trap '' TERM INT HUP; echo $$ > $PIDFILE; while :; do :; done`, "Timeout", time.Second, true},
		{"leaves a child that hangs", `sleep 1000 & echo $! > $PIDFILE; echo '{}'`, "", long, true},
		{"leaves a child and fails", `sleep 1000 & echo $! > $PIDFILE; exit 1`, "ExitStatus", long, true},
		{"leaves grandchildren that hold its output", `sh -c 'sleep 1000 & echo $! > $PIDFILE' & sleep 0.1; echo '{}'`, "", long, true},
		{"forks in a loop", `f() { sleep 1000 & }; i=0; while [ $i -lt 50 ]; do f; i=$((i+1)); done; echo $! > $PIDFILE; wait`, "Timeout", 2 * time.Second, true},
		{"answers without end", `yes`, "Function.ResponseSizeTooLarge", long, false},
		{"answers 100 MB and hangs", `head -c 104857600 /dev/zero; sleep 1000`, "Function.ResponseSizeTooLarge", long, false},
		{"writes to stderr without end", `yes >&2`, "Timeout", time.Second, false},
		{"one line of stderr without end", `tr '\0' 'x' < /dev/zero >&2`, "Timeout", time.Second, false},
		{"a secret behind much stderr", `head -c 1000000 /dev/zero | tr '\0' 'x' >&2; echo " $AWS_SESSION_TOKEN" >&2; exit 1`, "(redacted)", long, false},
		{"closes its pipes and hangs", `exec >&- 2>&- <&-; sleep 1000`, "Timeout", time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pidfile := filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-"))
			begun := time.Now()
			f := setting(t, functions.Setting{Command: functions.Command{c.script}, Shell: true, Env: map[string]functions.Secret{"PIDFILE": functions.NewSecret(pidfile)}})
			_, err := run(t, f, c.timeout, "{}")
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || len(err.Error()) > 2000 || strings.Contains(err.Error(), token)) {
				t.Errorf("got %.300v, want %s", err, c.want)
			}
			if took := time.Since(begun); took > 45*time.Second {
				t.Errorf("it took %v", took)
			}
			if c.leaves && alive(t, pidfile) {
				t.Error("what it started outlives it")
			}
		})
	}
}

const handlers = `import json, os, subprocess, sys, time

def passes(event, context):
    print("Received event: " + json.dumps(event))
    subprocess.run(["/bin/echo", "a child's words"])
    os.write(1, b"raw")
    return {"taskInput": event["dataObject"], "isHumanAnnotationRequired": "true"}

def tells(event, context):
    return {"name": context.function_name, "arn": context.invoked_function_arn, "left": 1000 < context.get_remaining_time_in_millis() <= 60000,
            "id": len(context.aws_request_id), "version": context.function_version, "cwd": os.path.basename(os.getcwd())}

def raises(event, context):
    return event["no such key"]

def exits(event, context):
    sys.exit("gave up")

def circular(event, context):
    a = []
    a.append(a)
    return a

def unicode(event, context):
    return {"é": "\ud83d\ude00 ü"}
`

// A Lambda function's file runs as it is.
func TestPythonHandlers(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "post.py"), []byte(handlers), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ handler, answer, err string }{
		{"post.passes", `{"taskInput":{"source":"é"},"isHumanAnnotationRequired":"true"}`, ""},
		{"post.tells", `{"name":"f","arn":"arn:aws:lambda:eu-west-1:123456789012:function:f","left":true,"id":36,"version":"$LATEST","cwd":"` + filepath.Base(dir) + `"}`, ""},
		{"post.raises", "", "KeyError: 'no such key'"},
		{"post.exits", "", "SystemExit: gave up"},
		{"post.circular", "", "ValueError: Circular reference detected"},
		{"post.none", "", "AttributeError: module 'post' has no attribute 'none'"},
		{"absent.handler", "", "ModuleNotFoundError: No module named 'absent'"},
	} {
		t.Run(c.handler, func(t *testing.T) {
			t.Parallel()
			f := setting(t, functions.Setting{Command: functions.Command{"python3", "-B"}, Dir: dir, Handler: c.handler})
			got, err := run(t, f, long, `{"dataObject":{"source":"é"}}`)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("got %v, want %s", err, c.err)
				}
				return
			}
			var a, b any
			if err != nil || json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(c.answer), &b) != nil || !cmp.Equal(a, b) {
				t.Errorf("got %s, %v\nwant %s", got, err, c.answer)
			}
		})
	}
}
