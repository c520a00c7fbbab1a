package command

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/functions"
	"fiducial/internal/labeling/engine"
)

//go:embed bootstrap.py
var bootstrap string

// shell is what runs the command of a setting that asks for one.
const shell = "/bin/sh"

// linger is how long output is read after the program ended, in case one that
// left its process group has it still.
const linger = time.Second

// Options are what a function is told of this server.
type Options struct {
	Endpoint string // URL of the API
	Region   string
}

// Runner runs one setting's program.
type Runner struct {
	setting functions.Setting
	options Options
	program string
}

// New makes a runner. The program must be there.
func New(f functions.Setting, o Options) (*Runner, error) {
	if !supported {
		return nil, fault.Newf("command.New", fault.Unsupported, "functions (%s): command: programs are run on Linux only; use url or lambda", f.ARN)
	}
	program := f.Command[0]
	if f.Shell {
		program = shell
	}
	at, err := functions.Program(program)
	if err != nil {
		return nil, fault.Newf("command.New", fault.Invalid, "functions (%s): command: %v", f.ARN, err)
	}
	return &Runner{setting: f, options: o, program: at}, nil
}

func (r *Runner) arguments(deadline time.Time) []string {
	switch c := r.setting.Command; {
	case r.setting.Shell:
		return []string{"-c", c[0]}
	case r.setting.Handler != "":
		return append(slices.Clone(c[1:]), "-c", bootstrap, r.setting.Handler, strconv.FormatInt(deadline.UnixMilli(), 10))
	default:
		return c[1:]
	}
}

// environment is all that the program's is; secrets are what of it must not be
// shown.
func (r *Runner) environment(req functions.Request, cred functions.Credentials, home string) (env []string, secrets []functions.Secret) {
	values := map[string]string{
		"AWS_ENDPOINT_URL": r.options.Endpoint, "AWS_REGION": r.options.Region, "AWS_DEFAULT_REGION": r.options.Region,
		"AWS_ACCESS_KEY_ID": cred.AccessKeyID, "AWS_SECRET_ACCESS_KEY": cred.SecretAccessKey.Reveal(), "AWS_SESSION_TOKEN": cred.SessionToken.Reveal(),
		"AWS_LAMBDA_FUNCTION_NAME": req.Name, "AWS_EC2_METADATA_DISABLED": "true", "FIDUCIAL_FUNCTION_ARN": req.ARN,
		"HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "PATH": functions.Path,
	}
	secrets = []functions.Secret{cred.SecretAccessKey, cred.SessionToken}
	for name, value := range r.setting.Env {
		values[name] = value.Reveal()
		secrets = append(secrets, value)
	}
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env, secrets
}

// Run implements functions.Runner.
func (r *Runner) Run(ctx context.Context, req functions.Request) ([]byte, error) {
	const op = "command.Run"
	cred, err := req.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "fiducial-function-")
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, "There is no room for the function's folder.", err)
	}
	defer os.RemoveAll(home) // what is left of it is in the system's temporary folder
	env, secrets := r.environment(req, cred, home)
	out, errOut := newAnswer(functions.MaxPayload), &tail{}
	c := exec.Command(r.program, r.arguments(req.Deadline)...)
	c.Env, c.Dir, c.Stdin, c.Stdout, c.Stderr, c.WaitDelay = env, r.setting.Dir, bytes.NewReader(req.Event), out, errOut, linger
	if c.Dir == "" {
		c.Dir = home
	}
	alone(c)
	if err := c.Start(); err != nil {
		return nil, fault.E(op, fault.Invalid, fmt.Sprintf("The program of the function %s cannot be started: %v.", req.ARN, err), err)
	}
	err = wait(ctx, c, out.full)
	said := shown(functions.Redact(errOut.text(), secrets...))
	switch answer, tooLong := out.result(); {
	case tooLong:
		return nil, functions.TooLarge()
	case ctx.Err() != nil:
		return nil, &engine.FunctionError{Type: "Timeout", Message: with("the program did not end in time and was killed", said)}
	case err != nil:
		return nil, failure(err, answer, said, secrets)
	default:
		if own, reported := functions.Report(answer); reported {
			return nil, redacted(own, secrets)
		}
		return answer, nil
	}
}

// wait waits until the program has ended, and ends it when ctx does or its
// answer is too long. Its group is killed while its leader is not reaped, so
// that the group's number cannot be another's yet.
func wait(ctx context.Context, c *exec.Cmd, full <-chan struct{}) error {
	ended, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-ctx.Done():
			killGroup(c)
		case <-full:
			killGroup(c)
		case <-ended:
		}
	}()
	awaitExit(c)
	close(ended)
	<-watched
	killGroup(c)
	err := c.Wait()
	if errors.Is(err, exec.ErrWaitDelay) { // the leader ended well; somebody else had its output
		return nil
	}
	return err
}

// failure is a program that did not end well: what it reports, or its status
// and the end of its standard error.
func failure(err error, answer []byte, said string, secrets []functions.Secret) error {
	if own, reported := functions.Report(answer); reported {
		return redacted(own, secrets)
	}
	return &engine.FunctionError{Type: "ExitStatus", Message: with(err.Error(), said)}
}

func redacted(own *engine.FunctionError, secrets []functions.Secret) *engine.FunctionError {
	own.Type, own.Message = functions.Redact(own.Type, secrets...), functions.Redact(own.Message, secrets...)
	return own
}

func with(what, said string) string {
	if said == "" {
		return what
	}
	return what + "; its standard error ends: " + strings.ReplaceAll(said, "\n", " | ")
}
