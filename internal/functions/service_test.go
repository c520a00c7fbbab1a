package functions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/audit"
	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/functions"
	"fiducial/internal/iam"
	"fiducial/internal/identity"
	"fiducial/internal/labeling/engine"
	"fiducial/internal/policy"
)

const (
	role = "arn:aws:iam::123456789012:role/labeler"
	fn   = "arn:aws:lambda:us-east-1:123456789012:function:"
)

// law decides by a role's one policy document.
type law struct {
	document string
	assume   error
	asked    []iam.ServiceSession
	mu       sync.Mutex
}

func (l *law) AssumeRoleForService(_ context.Context, in iam.ServiceSession) (iam.Credentials, *iam.Caller, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, in)
	c := &iam.Caller{Principal: identity.Principal{Type: identity.AssumedRole, Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/labeler/" + in.SessionName, RoleARN: role}}
	return iam.Credentials{AccessKeyID: "ASIAKEY", SecretAccessKey: envelope.NewSecret("the-secret-key"), SessionToken: "the-session-token"}, c, l.assume
}

func (l *law) Authorize(_ context.Context, c *iam.Caller, q iam.Question) (policy.Decision, error) {
	d, err := policy.Parse([]byte(l.document), policy.Identity)
	if err != nil {
		return policy.Decision{}, err
	}
	return policy.Authorize(policy.Policies{Identity: []*policy.Document{d.WithName("labeler/functions")}},
		&policy.Request{Principal: &c.Principal, Action: q.Action, Resource: q.Resource, Context: q.Context}), nil
}

const allowTeam = `{"Version":"2012-10-17","Statement":[{"Sid":"Ours","Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"` + fn + `team-*"},
	{"Sid":"NotThis","Effect":"Deny","Action":"lambda:*","Resource":"` + fn + `team-denied*"}]}`

// book keeps records.
type book struct {
	mu     sync.Mutex
	events []audit.Event
	err    error
}

func (b *book) Record(_ context.Context, e *audit.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, *e)
	return b.err
}

// runner is a function in Go.
type runner func(ctx context.Context, r functions.Request) ([]byte, error)

func (f runner) Run(ctx context.Context, r functions.Request) ([]byte, error) { return f(ctx, r) }

type world struct {
	*functions.Service
	law    *law
	book   *book
	log    bytes.Buffer
	pauses []time.Duration
}

func newWorld(t *testing.T, settings string, f runner) *world {
	t.Helper()
	w := &world{law: &law{document: allowTeam}, book: &book{}}
	s := parse(t, settings)
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	var err error
	w.Service, err = functions.New(functions.Options{Settings: s, IAM: w.law, Audit: w.book, Now: time.Now,
		Runner: func(functions.Setting) (functions.Runner, error) { return f, nil },
		Log:    slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Pause:  func(_ context.Context, d time.Duration) error { w.pauses = append(w.pauses, d); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func call(name string) engine.Call {
	return engine.Call{Function: fn + name, RoleARN: role, Job: "job", JobARN: "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/job", ObjectID: "7"}
}

const any = `[{arn: "*", url: "http://127.0.0.1:9"}]`

func echo(_ context.Context, r functions.Request) ([]byte, error) { return r.Event, nil }

func TestMapping(t *testing.T) {
	w := newWorld(t, `
- {arn: `+fn+`exact, url: "http://127.0.0.1:9"}
- {arn: by-name, url: "http://127.0.0.1:9"}
- {arn: "arn:aws:lambda:*:*:function:pattern-?", url: "http://127.0.0.1:9"}
`, echo)
	for arn, want := range map[string]bool{
		fn + "exact": true, fn + "exact:live": true, fn + "exactly": false,
		fn + "by-name": true, "arn:aws:lambda:eu-west-1:999999999999:function:by-name:3": true, fn + "not-by-name": false,
		fn + "pattern-1": true, fn + "pattern-10": false,
		"arn:aws:s3:::by-name": false, "by-name": false, "": false,
	} {
		err := w.Mapped(arn)
		if (err == nil) != want || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want mapped %v", arn, err, want)
		}
	}
	if err := w.Mapped(fn + "none"); !strings.Contains(fault.MessageOf(err), "the setting functions does not say how to run "+fn+"none") || !strings.Contains(fault.MessageOf(err), "command:") {
		t.Errorf("the message does not say what to do: %v", err)
	}
	if _, err := w.Invoke(context.Background(), call("none"), nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("invoking it: %v", err)
	}
}

// The execution role's policies decide, every invocation is on record before
// it is made, and nothing runs that is not.
func TestWhoMay(t *testing.T) {
	ran := 0
	w := newWorld(t, any, func(ctx context.Context, r functions.Request) ([]byte, error) { ran++; return echo(ctx, r) })
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		kind  fault.Kind
		words string
	}{
		{"team-pre", 0, ""}, {"team-pre:live", 0, ""},
		{"other", fault.Denied, "The execution role " + role + " may not invoke the function: lambda:InvokeFunction on " + fn + "other: no statement of the role's policies allows it."},
		{"team-denied", fault.Denied, "NotThis"},
	} {
		ran, w.book.events = 0, nil
		may := w.May(ctx, call(c.name))
		if len(w.book.events) > 0 || ran > 0 {
			t.Errorf("%s: the question was recorded or run", c.name)
		}
		answer, err := w.Invoke(ctx, call(c.name), []byte(`{"a":1}`))
		if c.words == "" {
			if may != nil || err != nil || string(answer) != `{"a":1}` || ran != 1 {
				t.Errorf("%s: %v, %s, %v, ran %d times", c.name, may, answer, err, ran)
			}
		} else if !fault.Is(may, c.kind) || !fault.Is(err, c.kind) || !strings.Contains(fault.MessageOf(err), c.words) || ran != 0 {
			t.Errorf("%s: %v and %v, ran %d times", c.name, may, err, ran)
		}
		if len(w.book.events) != 1 {
			t.Fatalf("%s: %d records", c.name, len(w.book.events))
		}
		e := w.book.events[0]
		verdict := audit.Allow
		if c.words != "" {
			verdict = audit.Deny
		}
		if e.Kind != audit.API || e.Action != "lambda:InvokeFunction" || e.Verdict != verdict || e.Resource != fn+c.name || e.Job != "job" ||
			e.Principal != "arn:aws:sts::123456789012:assumed-role/labeler/GroundTruth-job" || e.Size != 7 {
			t.Errorf("%s: record %+v", c.name, e)
		}
	}
	if s := w.law.asked[0]; s.RoleARN != role || s.SourceARN != call("").JobARN {
		t.Errorf("session %+v", s)
	}
	ran, w.book.err = 0, errors.New("disk full")
	if _, err := w.Invoke(ctx, call("team-pre"), nil); err == nil || ran != 0 {
		t.Errorf("what is not on record ran %d times: %v", ran, err)
	}
	w.book.err = nil
	w.law.assume = fault.Newf("test", fault.Denied, "not trusted")
	if err := w.May(ctx, call("team-pre")); !fault.Is(err, fault.Denied) || !strings.Contains(fault.MessageOf(err), "sagemaker.amazonaws.com") {
		t.Errorf("a role that does not trust: %v", err)
	}
	w.law.assume = fault.Newf("test", fault.NotFound, "no role")
	if _, err := w.Invoke(ctx, call("team-pre"), nil); !fault.Is(err, fault.NotFound) || !strings.Contains(fault.MessageOf(err), "does not exist") {
		t.Errorf("a role that is not there: %v", err)
	}
}

func TestTries(t *testing.T) {
	own := &engine.FunctionError{Type: "ValueError", Message: "no"}
	for _, c := range []struct {
		name   string
		errs   []error // of the tries; afterwards it succeeds
		pauses []time.Duration
		kind   fault.Kind // of the outcome
		own    string
	}{
		{"at once", nil, nil, 0, ""},
		{"at the third try", []error{own, fault.Newf("t", fault.Unavailable, "busy")}, []time.Duration{200 * time.Millisecond, 400 * time.Millisecond}, 0, ""},
		{"the function's own error", []error{own, own, own, own}, []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}, 0, "ValueError: no"},
		{"away", []error{fault.Newf("t", fault.Unavailable, "x"), fault.Newf("t", fault.Unavailable, "x"), fault.Newf("t", fault.Unavailable, "x"), errors.New("refused")},
			[]time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}, fault.Unavailable, ""},
		{"what trying again does not mend", []error{fault.Newf("t", fault.NotFound, "gone")}, nil, fault.NotFound, ""},
		{"an answer that is too long", []error{functions.TooLarge()}, nil, 0, "Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size (6291456 bytes)."},
	} {
		t.Run(c.name, func(t *testing.T) {
			tries := 0
			w := newWorld(t, `[{arn: "*", url: "http://127.0.0.1:9", attempts: 4}]`, func(context.Context, functions.Request) ([]byte, error) {
				if tries++; tries <= len(c.errs) {
					return nil, c.errs[tries-1]
				}
				return []byte("{}"), nil
			})
			_, err := w.Invoke(context.Background(), call("team-x"), nil)
			var f *engine.FunctionError
			switch {
			case c.own != "":
				if !errors.As(err, &f) || f.Error() != c.own {
					t.Errorf("got %v, want %s", err, c.own)
				}
			case c.kind != 0:
				if !fault.Is(err, c.kind) {
					t.Errorf("got %v, want %v", err, c.kind)
				}
			case err != nil:
				t.Error(err)
			}
			if d := cmp.Diff(c.pauses, w.pauses); d != "" {
				t.Error(d)
			}
			if len(w.book.events) != tries {
				t.Errorf("%d records of %d tries", len(w.book.events), tries)
			}
			if strings.Contains(w.log.String(), "ValueError") {
				t.Errorf("the log has what the function said: %s", w.log.String())
			}
		})
	}
}

func TestBounds(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, any, func(context.Context, functions.Request) ([]byte, error) {
		return make([]byte, functions.MaxPayload+1), nil
	})
	var own *engine.FunctionError
	if _, err := w.Invoke(ctx, call("team-x"), nil); !errors.As(err, &own) || own.Type != functions.ResponseTooLarge {
		t.Errorf("an answer that is too long: %v", err)
	}
	if _, err := w.Invoke(ctx, call("team-x"), make([]byte, functions.MaxPayload+1)); !errors.As(err, &own) || own.Type != "RequestTooLarge" || len(w.book.events) != 1 {
		t.Errorf("an event that is too long: %v", err)
	}
	w = newWorld(t, any, func(context.Context, functions.Request) ([]byte, error) {
		return nil, &engine.FunctionError{Type: strings.Repeat("t", 5000), Message: "a\x1b[2Jb\n" + strings.Repeat("m", 1<<20)}
	})
	if _, err := w.Invoke(ctx, call("team-x"), nil); !errors.As(err, &own) || len(own.Message) > 1100 || len(own.Type) > 110 || strings.ContainsAny(own.Message, "\x1b\n") {
		t.Errorf("a long error: %d and %d", len(own.Type), len(own.Message))
	}
	w = newWorld(t, `[{arn: "*", url: "http://127.0.0.1:9", timeout: 1s, attempts: 1}]`, func(ctx context.Context, _ functions.Request) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if _, err := w.Invoke(ctx, call("team-x"), nil); !errors.As(err, &own) || own.Error() != "Timeout: Task timed out after 1.00 seconds" {
		t.Errorf("a function that hangs: %v", err)
	}
	// A server that stops does not blame the function.
	stopping, stop := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, stop)
	if _, err := w.Invoke(stopping, call("team-x"), nil); !fault.Is(err, fault.Unavailable) || errors.As(err, new(*engine.FunctionError)) {
		t.Errorf("a server that stops: %v", err)
	}
}

func TestConcurrency(t *testing.T) {
	var running, most atomic.Int32
	w := newWorld(t, `[{arn: "*", url: "http://127.0.0.1:9", concurrency: 3}]`, func(context.Context, functions.Request) ([]byte, error) {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		return []byte("{}"), nil
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := w.Invoke(context.Background(), call("team-x"), nil); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if most.Load() > 3 {
		t.Errorf("%d ran at once, at most 3 may", most.Load())
	}
}

func TestReport(t *testing.T) {
	for answer, want := range map[string]string{
		`{"errorMessage":"'x'","errorType":"KeyError","stackTrace":["a"]}`: "KeyError: 'x'",
		`{"errorMessage":"Task timed out after 3.00 seconds"}`:             "Task timed out after 3.00 seconds",
		`{"errorType":"Runtime.ExitError"}`:                                "Runtime.ExitError: ",
		`{"errorMessage":{"a":1},"errorType":7}`:                           "",
	} {
		got, ok := functions.Report([]byte(answer))
		if !ok || got.Error() != want {
			t.Errorf("%s: %v, %v", answer, got, ok)
		}
	}
	for _, answer := range []string{`{"taskInput":{},"errorMessage":"a column of mine"}`, `[]`, `[{"errorMessage":"x"}]`, `"errorMessage"`, `{`, ``} {
		if got, ok := functions.Report([]byte(answer)); ok {
			t.Errorf("%s is taken for the error %v", answer, got)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := functions.Credentials{AccessKeyID: "ASIAKEY", SecretAccessKey: functions.NewSecret("the-secret-key"), SessionToken: functions.NewSecret("the-session-token")}
	if s := fmt.Sprintf("%v %+v %#v %s", c, c, c, c.SecretAccessKey); strings.Contains(s, "the-se") {
		t.Errorf("printed %s", s)
	}
	if got := functions.Redact("a the-secret-key b short c", c.SecretAccessKey, functions.NewSecret("short")); got != "a (redacted) b short c" {
		t.Errorf("got %s", got)
	}
}
