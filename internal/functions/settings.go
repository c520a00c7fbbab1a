package functions

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"fiducial/internal/envelope"
	"fiducial/internal/fault"
	"fiducial/internal/setting"
)

// Setting says how the functions of one ARN, name or pattern are run: exactly
// one of Lambda, URL and Command is set.
type Setting struct {
	ARN    string  `yaml:"arn"`              // an ARN, a name, or a pattern with * and ?
	Lambda *Lambda `yaml:"lambda,omitempty"` // by Lambda's Invoke API
	URL    string  `yaml:"url,omitempty"`    // by HTTP, as the runtime interface emulator serves it

	Command Command           `yaml:"command,omitempty"` // a program of this machine, and its arguments
	Shell   bool              `yaml:"shell,omitempty"`   // command is one text, for /bin/sh -c
	Handler string            `yaml:"handler,omitempty"` // command is a Python; file.function in dir
	Dir     string            `yaml:"dir,omitempty"`     // where the command runs; default: a folder of its own
	Env     map[string]Secret `yaml:"env,omitempty"`     // further variables of the command

	Timeout     time.Duration `yaml:"timeout,omitempty"`     // of one try; default 1 min
	Attempts    int           `yaml:"attempts,omitempty"`    // tries in all; default 3
	Concurrency int           `yaml:"concurrency,omitempty"` // at once, of this process; default 10 for lambda, 2 for command, 1 for url
}

// Lambda says where Lambda's API is.
type Lambda struct {
	Endpoint string `yaml:"endpoint,omitempty"` // http(s)://host[:port]; default: AWS's own of the region
	Region   string `yaml:"region,omitempty"`   // default: the ARN's
	Function string `yaml:"function,omitempty"` // name or ARN there; default: the job's ARN
	Profile  string `yaml:"profile,omitempty"`  // of the shared AWS configuration
}

// Secret is a variable's value, which does not print.
type Secret struct{ envelope.Secret }

// UnmarshalYAML reads the value.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error {
	var text string
	if err := n.Decode(&text); err != nil {
		return err
	}
	s.Secret = envelope.NewSecret(text)
	return nil
}

// Command is a program and its arguments; in YAML a list, or for a shell a text.
type Command []string

// UnmarshalYAML reads the list or the text.
func (c *Command) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		var text string
		if err := n.Decode(&text); err != nil {
			return err
		}
		*c = Command{text}
		return nil
	}
	var list []string
	if err := n.Decode(&list); err != nil {
		return err
	}
	*c = list
	return nil
}

// Settings is the setting "functions": in the settings file a list, as a flag
// or a variable the name of a YAML file with the list. The first entry that
// matches a function counts.
type Settings []Setting

// Set implements pflag.Value: it reads the file.
func (s *Settings) Set(file string) error {
	if file == "" {
		*s = nil
		return nil
	}
	return setting.File(file, s.SetYAML)
}

// SetYAML takes the list itself. A member that is not known is an error.
func (s *Settings) SetYAML(b []byte) error {
	list, err := setting.List[Setting](b, "functions")
	if err == nil {
		*s = list
	}
	return err
}

// Type implements pflag.Value.
func (s *Settings) Type() string { return "file" }

// String implements pflag.Value.
func (s *Settings) String() string {
	if s == nil || len(*s) == 0 {
		return ""
	}
	return s.YAML()
}

// YAML is the list on one line, without the values of variables.
func (s *Settings) YAML() string { return setting.Line([]Setting(*s)) }

// Bounds of the settings.
const (
	defaultTimeout  = time.Minute
	maxTimeout      = 15 * time.Minute // Lambda's own
	defaultAttempts = 3
	maxAttempts     = 10
	maxConcurrency  = 1000
)

var (
	patternShape = regexp.MustCompile(`^[A-Za-z0-9_:$*?-]{1,256}$`)
	regionShape  = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)
	envShape     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	handlerShape = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$`)
)

// Check refuses what cannot work, names the member, and fills in the defaults.
func (s Settings) Check() error {
	seen := map[string]bool{}
	for i := range s {
		if seen[s[i].ARN] {
			return s[i].bad(i, "arn", "each function or pattern once")
		}
		seen[s[i].ARN] = true
		if err := s[i].check(i); err != nil {
			return err
		}
	}
	return nil
}

func (f *Setting) bad(i int, member, expected string) error {
	where := fmt.Sprintf("functions[%d]", i)
	if f.ARN != "" {
		where += " (" + f.ARN + ")"
	}
	return &fault.Error{Op: "functions.Check", Kind: fault.Invalid, Field: "functions", Message: where + ": " + member + ": expected " + expected}
}

func (f *Setting) check(i int) error {
	kinds := 0
	for _, is := range []bool{f.Lambda != nil, f.URL != "", len(f.Command) > 0} {
		if is {
			kinds++
		}
	}
	local := len(f.Command) > 0
	f.fill()
	l := f.Lambda
	if l == nil {
		l = &Lambda{}
	}
	for _, r := range []struct {
		bad              bool
		member, expected string
	}{
		{!patternShape.MatchString(f.ARN), "arn", "the ARN or the name of a function, or a pattern with * and ?"},
		{kinds != 1, "lambda, url, command", "exactly one of them"},
		{l.Endpoint != "" && !isURL(l.Endpoint, false), "lambda.endpoint", "http://host[:port] or https://host[:port] without a path"},
		{l.Region != "" && !regionShape.MatchString(l.Region), "lambda.region", "a region such as eu-central-1"},
		{strings.ContainsAny(l.Function, "/ *?"), "lambda.function", "the name or ARN of a function"},
		{f.URL != "" && !isURL(f.URL, true), "url", "http://host[:port][/path] or https://…, without user, query and fragment"},
		{!local && (f.Shell || f.Handler != "" || f.Dir != "" || len(f.Env) > 0), "shell, handler, dir, env", "a command with them"},
		{f.Shell && len(f.Command) != 1, "command", "one text, because shell is true"},
		{local && !f.Shell && !runnable(f.Command[0]), "command", "a list that begins with the path of a program, or its name in " + Path},
		{f.Shell && f.Handler != "", "handler", "either a handler or a shell"},
		{f.Handler != "" && (!handlerShape.MatchString(f.Handler) || f.Dir == ""), "handler", "file.function of a Python file in dir, such as post.lambda_handler"},
		{f.Dir != "" && !isFolder(f.Dir), "dir", "the absolute path of a folder that is there"},
		{slices.ContainsFunc(keys(f.Env), func(name string) bool { return !envShape.MatchString(name) || reserved(name) }), "env", "names of variables, and none that is set anyway (" + strings.Join(Given[:], ", ") + ")"},
		{f.Timeout < time.Second || f.Timeout > maxTimeout, "timeout", "1s to 15m"},
		{f.Attempts < 1 || f.Attempts > maxAttempts, "attempts", "1 to 10"},
		{f.Concurrency < 1 || f.Concurrency > maxConcurrency, "concurrency", "1 to 1000"},
	} {
		if r.bad {
			return f.bad(i, r.member, r.expected)
		}
	}
	return nil
}

// fill sets what was left out.
func (f *Setting) fill() {
	atOnce := 10
	switch {
	case f.URL != "":
		atOnce = 1 // the runtime interface emulator refuses a second
	case len(f.Command) > 0:
		atOnce = 2
	}
	set(&f.Timeout, defaultTimeout)
	set(&f.Attempts, defaultAttempts)
	set(&f.Concurrency, atOnce)
}

func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

func keys(m map[string]Secret) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func isURL(s string, path bool) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		(path || strings.Trim(u.Path, "/") == "") && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

func isFolder(dir string) bool {
	info, err := os.Stat(dir)
	return filepath.IsAbs(dir) && err == nil && info.IsDir()
}

// runnable reports whether a command is a path, or a name in Path. Nothing is
// looked for in the variable PATH of this process, nor in its folder.
func runnable(program string) bool {
	_, err := Program(program)
	return err == nil
}

// Program is the path of a command's program.
func Program(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, executable(name)
	}
	if name == "" || strings.ContainsRune(name, '/') {
		return "", fmt.Errorf("%q is neither an absolute path nor a name", name)
	}
	for _, dir := range filepath.SplitList(Path) {
		if at := filepath.Join(dir, name); executable(at) == nil {
			return at, nil
		}
	}
	return "", fmt.Errorf("there is no program %s in %s", name, Path)
}

func executable(file string) error {
	info, err := os.Stat(file)
	if err == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
		err = fmt.Errorf("%s is not a program", file)
	}
	return err
}

// Path is the variable PATH of commands, and where they are looked for.
const Path = "/usr/local/bin:/usr/bin:/bin"

// Given are the variables that every command has, in an environment that has no
// others but those of Setting.Env.
var Given = [...]string{"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_EC2_METADATA_DISABLED", "FIDUCIAL_FUNCTION_ARN", "HOME", "LANG", "PATH", "TMPDIR"}

func reserved(name string) bool {
	return slices.Contains(Given[:], name) && name != "PATH" && name != "LANG"
}

// match reports whether the setting is for a function: its pattern matches the
// ARN, or the name in it, or the ARN without version or alias.
func (f *Setting) match(a target) bool {
	for _, s := range []string{a.arn, a.unqualified, a.name} {
		if ok, err := path.Match(f.ARN, s); ok && err == nil {
			return true
		}
	}
	return false
}
