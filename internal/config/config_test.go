package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"fiducial/internal/fault"
)

func load(t *testing.T, args []string, env map[string]string, file string) (*Settings, *pflag.FlagSet, Sources, error) {
	t.Helper()
	var s Settings
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.Register(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	path := ""
	if file != "" {
		path = filepath.Join(t.TempDir(), "fiducial.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := Load(fs, path, func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	return &s, fs, src, err
}

func TestPrecedence(t *testing.T) {
	s, _, _, err := load(t, []string{"--api-addr=1.1.1.1:1"},
		map[string]string{"FIDUCIAL_API_ADDR": "2.2.2.2:2", "FIDUCIAL_PORTAL_ADDR": "2.2.2.2:3", "FIDUCIAL_TRUSTED_PROXIES": "10.0.0.1,10.0.0.2"},
		"api-addr: 3.3.3.3:3\nportal-addr: 3.3.3.3:4\nops-addr: 3.3.3.3:5\naccount-id: 123456789012\nacme-domain: [a.example, b.example]\n")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.TrimSpace(fmt.Sprintln(s.APIAddr, s.PortalAddr, s.OpsAddr, s.Region, s.AccountID, s.TrustedProxies, s.ACMEDomain))
	if want := "1.1.1.1:1 2.2.2.2:3 3.3.3.3:5 us-east-1 123456789012 [10.0.0.1 10.0.0.2] [a.example b.example]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnknownNameInFileIsRefused(t *testing.T) {
	if _, _, _, err := load(t, nil, nil, "trusted-proxy: 10.0.0.1\n"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "trusted-proxy") {
		t.Errorf("got %v", err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s, fs, src, err := load(t, nil, map[string]string{"FIDUCIAL_ROOT_SECRET_ACCESS_KEY": "hunter2hunter2hunter2", "FIDUCIAL_DATABASE_URL": "postgres://u:hunter2@h/d"}, "")
	if err != nil {
		t.Fatal(err)
	}
	out := Print(fs, src) + fmt.Sprintf("%v %+v %#v", *s, *s, *s)
	if strings.Contains(out, "hunter2") {
		t.Errorf("a secret was printed:\n%s", out)
	}
	if !strings.Contains(out, "FIDUCIAL_ROOT_SECRET_ACCESS_KEY") {
		t.Errorf("the source of the secret is not shown:\n%s", out)
	}
	if s.RootSecretKey.Reveal() != "hunter2hunter2hunter2" {
		t.Error("the secret is lost")
	}
}

func TestFunctions(t *testing.T) {
	const list = "functions:\n  - {arn: my-pre, command: [cat], env: {TOKEN: hunter2-hunter2}}\n  - arn: my-post\n    url: http://127.0.0.1:8080\n"
	s, fs, sources, err := load(t, nil, nil, list)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil || len(s.Functions) != 2 || s.Functions[0].Env["TOKEN"].Reveal() != "hunter2-hunter2" {
		t.Errorf("got %v, %v", s.Functions, err)
	}
	out := Print(fs, sources) + fmt.Sprintf("%v %+v %#v", *s, *s, *s)
	if strings.Contains(out, "hunter2") || !strings.Contains(out, "(redacted)") || !strings.Contains(out, "my-post") {
		t.Errorf("printed:\n%s", out)
	}
	file := filepath.Join(t.TempDir(), "functions.yaml")
	if err := os.WriteFile(file, []byte("[{arn: a}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _, _, err = load(t, nil, map[string]string{"FIDUCIAL_FUNCTIONS": file}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), "functions[0] (a): lambda, url, command: expected exactly one of them") {
		t.Errorf("got %v", err)
	}
}

func TestCheckNamesTheSetting(t *testing.T) {
	cases := map[string]string{
		"--region=Nowhere":                   "region",
		"--account-id=12":                    "account-id",
		"--tls-cert=x":                       "tls-cert",
		"--root-access-key-id=AKIA":          "root-access-key-id",
		"--api-addr=nonsense":                "api-addr",
		"--public-api-url=ftp://x":           "public-api-url",
		"--public-portal-url=https://x/path": "public-portal-url",
		"--database-url=mysql://x":           "database-url",
		"--log-level=loud":                   "log-level",
		"--log-format=xml":                   "log-format",
		"--data-dir=":                        "data-dir",
	}
	for arg, field := range cases {
		s, _, _, err := load(t, []string{arg}, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: got %v, want a fault naming %s", arg, err, field)
		}
	}
}

func TestPublic(t *testing.T) {
	cases := []struct{ cert, configured, bound, want string }{
		{"", "", "127.0.0.1:9000", "http://127.0.0.1:9000"},
		{"", "", "[::]:9000", "http://127.0.0.1:9000"},
		{"", "", "[::1]:80", "http://[::1]"},
		{"c", "", "10.0.0.1:443", "https://10.0.0.1"},
		{"", "https://api.example/", "127.0.0.1:9000", "https://api.example"},
	}
	for _, c := range cases {
		s := Settings{TLSCert: c.cert}
		if got := s.Public(c.configured, c.bound); got != c.want {
			t.Errorf("Public(%q, %q) = %s, want %s", c.configured, c.bound, got, c.want)
		}
	}
}
