package functions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/functions"
)

func parse(t *testing.T, text string) functions.Settings {
	t.Helper()
	var s functions.Settings
	if err := s.SetYAML([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	s := parse(t, `
- arn: my-pre
  command: [/bin/cat, -u]
  env: {TOKEN: "hunter2-hunter2"}
- {arn: "*-remote", url: "http://127.0.0.1:9/"}
- arn: arn:aws:lambda:*:123456789012:function:team-*
  lambda: {endpoint: "http://127.0.0.1:4566", region: eu-west-1}
  timeout: 5m
- {arn: shelled, command: "cat | tee /dev/null", shell: true}
- {arn: py, command: [cat], handler: post.lambda_handler, dir: `+dir+`}
`)
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ concurrency, attempts int }{{2, 3}, {1, 3}, {10, 3}, {2, 3}, {2, 3}} {
		if s[i].Concurrency != want.concurrency || s[i].Attempts != want.attempts || s[i].Timeout == 0 {
			t.Errorf("%s: defaults %+v", s[i].ARN, s[i])
		}
	}
	if s[2].Timeout != 5*time.Minute {
		t.Errorf("timeout %v", s[2].Timeout)
	}
	shown := s.YAML() + s.String()
	if strings.Contains(shown, "hunter2") || !strings.Contains(shown, "(redacted)") || strings.Contains(shown, "\n") || !strings.Contains(shown, "arn: my-pre") {
		t.Errorf("shown as %s", shown)
	}
	file := filepath.Join(dir, "functions.yaml")
	if err := os.WriteFile(file, []byte(`[{arn: a, url: "http://127.0.0.1:9"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	var named functions.Settings
	if err := named.Set(file); err != nil || len(named) != 1 {
		t.Errorf("from a file: %v, %v", named, err)
	}
	if err := named.Set(filepath.Join(dir, "none")); err == nil {
		t.Error("a file that is not there is taken")
	}
}

func TestSettingsRefuse(t *testing.T) {
	for _, c := range []struct{ text, member string }{
		{`[{url: "http://127.0.0.1:9"}]`, "arn"},
		{`[{arn: "a b", url: "http://127.0.0.1:9"}]`, "arn"},
		{`[{arn: a}]`, "lambda, url, command"},
		{`[{arn: a, url: "http://127.0.0.1:9", command: [/bin/cat]}]`, "lambda, url, command"},
		{`[{arn: a, url: "http://127.0.0.1:9"}, {arn: a, command: [/bin/cat]}]`, "arn: expected each function or pattern once"},
		{`[{arn: a, url: "ftp://127.0.0.1"}]`, "url"},
		{`[{arn: a, url: "http://user:secret@127.0.0.1:9"}]`, "url"},
		{`[{arn: a, url: "http://127.0.0.1:9/?key=secret"}]`, "url"},
		{`[{arn: a, url: "http://127.0.0.1:9", env: {A: b}}]`, "shell, handler, dir, env"},
		{`[{arn: a, lambda: {endpoint: "http://127.0.0.1:9/path"}}]`, "lambda.endpoint"},
		{`[{arn: a, lambda: {region: "Mars"}}]`, "lambda.region"},
		{`[{arn: a, command: "cat -u"}]`, "command"},
		{`[{arn: a, command: [./cat]}]`, "command"},
		{`[{arn: a, command: [no-such-program]}]`, "command"},
		{`[{arn: a, command: [/etc/passwd]}]`, "command"},
		{`[{arn: a, command: [/bin/cat, x], shell: true}]`, "command"},
		{`[{arn: a, command: [/bin/cat], handler: post.lambda_handler}]`, "handler"},
		{`[{arn: a, command: [/bin/cat], handler: "post;import os", dir: /}]`, "handler"},
		{`[{arn: a, command: [/bin/cat], dir: no/such}]`, "dir"},
		{`[{arn: a, command: [/bin/cat], env: {AWS_SECRET_ACCESS_KEY: x}}]`, "env"},
		{`[{arn: a, command: [/bin/cat], env: {"A=B": x}}]`, "env"},
		{`[{arn: a, command: [/bin/cat], timeout: 16m}]`, "timeout"},
		{`[{arn: a, command: [/bin/cat], attempts: 11}]`, "attempts"},
		{`[{arn: a, command: [/bin/cat], concurrency: -1}]`, "concurrency"},
	} {
		err := parse(t, c.text).Check()
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), c.member+": expected") && !strings.Contains(fault.MessageOf(err), c.member) ||
			!strings.HasPrefix(fault.MessageOf(err), "functions[") || strings.Contains(fault.MessageOf(err), "secret") {
			t.Errorf("%s: got %v, want %s", c.text, err, c.member)
		}
	}
	for _, text := range []string{`{arn: a}`, `[{arn: a, comand: [x]}]`, `[1]`, `[{arn: a, timeout: soon}]`} {
		var s functions.Settings
		if err := s.SetYAML([]byte(text)); err == nil || !strings.Contains(err.Error(), "expected a list of functions") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
