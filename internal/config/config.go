// Package config holds the settings: one struct, and the same names as flags
// (--api-addr), environment variables (FIDUCIAL_API_ADDR) and in a YAML file
// (api-addr:). A flag wins over a variable, a variable over the file, the file
// over the default.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"sort"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"fiducial/internal/external"
	"fiducial/internal/fault"
	"fiducial/internal/functions"
)

// Secret is a setting that does not print.
type Secret string

// String hides the secret from fmt, log and flag help.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(set)"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Set implements pflag.Value.
func (s *Secret) Set(v string) error { *s = Secret(v); return nil }

// Type implements pflag.Value.
func (s *Secret) Type() string { return "string" }

// Reveal returns the secret.
func (s Secret) Reveal() string { return string(s) }

// KeySource says where the root key is. If it is the key itself it does not print.
type KeySource string

var keySourceShape = regexp.MustCompile(`^(file|env|aws-kms|vault):`)

// String hides a key from fmt, log and flag help.
func (s KeySource) String() string {
	if s == "" || keySourceShape.MatchString(string(s)) {
		return string(s)
	}
	return "(set)"
}

// GoString hides a key from %#v.
func (s KeySource) GoString() string { return s.String() }

// LogValue hides a key from slog.
func (s KeySource) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides a key from encoders.
func (s KeySource) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Set implements pflag.Value.
func (s *KeySource) Set(v string) error { *s = KeySource(v); return nil }

// Type implements pflag.Value.
func (s *KeySource) Type() string { return "string" }

// Settings are all settings of `fiducial serve`.
type Settings struct {
	DataDir         string
	BlobsDir        string
	BlobsBucket     external.Place
	APIAddr         string
	PortalAddr      string
	OpsAddr         string
	PublicAPIURL    string
	PublicPortalURL string
	S3Domain        string
	TemplateMirror  string
	TLSCert         string
	TLSKey          string
	ACMEDomain      []string
	TrustedProxies  []string
	Networks        Networks
	DatabaseURL     Secret
	Audit           Audit
	Messaging       Messaging
	Region          string
	AccountID       string
	ExternalBuckets external.Settings
	Functions       functions.Settings
	RootAccessKeyID string
	RootSecretKey   Secret
	RootKey         KeySource
	RootKeyOld      KeySource
	LogLevel        string
	LogFormat       string
}

// Names of things other code refers to.
const (
	EnvPrefix  = "FIDUCIAL_"
	ConfigFlag = "config"
)

// Register adds every setting to a flag set, with its default.
func (s *Settings) Register(fs *pflag.FlagSet) {
	fs.StringVar(&s.DataDir, "data-dir", "./fiducial-data", "folder of all embedded state")
	fs.StringVar(&s.BlobsDir, "blobs-dir", "", "folder of the objects' bytes; replicas on one database share it (default: blobs in the data folder)")
	fs.Var(&s.BlobsBucket, "blobs-bucket", "s3://bucket/prefix of external-buckets where the objects' bytes are, in place of a folder")
	fs.StringVar(&s.APIAddr, "api-addr", "127.0.0.1:9000", "address of the AWS-shaped APIs: SageMaker, S3, STS, IAM, Cognito IdP")
	fs.StringVar(&s.PortalAddr, "portal-addr", "127.0.0.1:9001", "address of the worker portal")
	fs.StringVar(&s.OpsAddr, "ops-addr", "127.0.0.1:9002", "address of /healthz, /readyz, /metrics and /debug/pprof")
	fs.StringVar(&s.PublicAPIURL, "public-api-url", "", "URL of the API as clients and workers see it; media URLs are signed for it (default: from --api-addr)")
	fs.StringVar(&s.PublicPortalURL, "public-portal-url", "", "URL of the portal as workers see it (default: from --portal-addr)")
	fs.StringVar(&s.S3Domain, "s3-domain", "", "domain whose subdomains are buckets (virtual-host style)")
	fs.StringVar(&s.TemplateMirror, "template-mirror", "", "folder of copies of files that templates load from the network, as HOST/PATH")
	fs.StringVar(&s.TLSCert, "tls-cert", "", "certificate file (PEM) for API and portal; read again when it changes")
	fs.StringVar(&s.TLSKey, "tls-key", "", "private key file (PEM) for --tls-cert")
	fs.StringSliceVar(&s.ACMEDomain, "acme-domain", nil, "domain to get a certificate for by ACME (repeatable)")
	fs.StringSliceVar(&s.TrustedProxies, "trusted-proxies", nil, "addresses or CIDRs whose X-Forwarded-For and Forwarded are believed")
	fs.Var(&s.Networks, "networks", "YAML file that names VPCs, subnets and endpoints; in the settings file, the same below networks:")
	fs.Var(&s.DatabaseURL, "database-url", "postgres://… for several replicas (default: SQLite in the data folder)")
	s.Audit.register(fs)
	s.Messaging.register(fs)
	fs.StringVar(&s.Region, "region", "us-east-1", "AWS region that ARNs and signatures name")
	fs.StringVar(&s.AccountID, "account-id", "000000000000", "AWS account id that ARNs name, 12 digits")
	fs.Var(&s.ExternalBuckets, "external-buckets", "buckets that other S3 stores keep: a list, see docs/external-storage.md")
	fs.Var(&s.Functions, "functions", "pre- and post-annotation functions of labeling jobs and what runs them: a list, see docs/functions.md")
	fs.StringVar(&s.RootAccessKeyID, "root-access-key-id", "", "access key id of the account's root (default: made on first start)")
	fs.Var(&s.RootSecretKey, "root-secret-access-key", "secret access key of the account's root; better given as FIDUCIAL_ROOT_SECRET_ACCESS_KEY")
	fs.Var(&s.RootKey, "root-key", "key that all stored keys are sealed under: file:PATH, env:NAME, aws-kms:KEY-ARN[?endpoint=URL], vault:URL#MOUNT/KEY, or in FIDUCIAL_ROOT_KEY the key itself, 32 bytes in base64 (default: the file root-key in the data folder, made on first start)")
	fs.Var(&s.RootKeyOld, "root-key-old", "the root key until now, to change over to another --root-key; needed for one start")
	fs.StringVar(&s.LogLevel, "log-level", "info", "debug, info, warn or error")
	fs.StringVar(&s.LogFormat, "log-format", "text", "text or json")
}

// EnvName is the environment variable of a setting.
func EnvName(name string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Sources says where each setting's value came from.
type Sources map[string]string

// Load fills what no flag has set from the environment and from the YAML file
// (empty for none). It refuses unknown names in the file: a misspelt setting
// that is silently ignored is a security hole.
func Load(fs *pflag.FlagSet, file string, lookup func(string) (string, bool)) (Sources, error) {
	fromFile, err := readFile(fs, file)
	if err != nil {
		return nil, err
	}
	sources := Sources{}
	var bad error
	fs.VisitAll(func(f *pflag.Flag) {
		if bad != nil || f.Name == ConfigFlag || f.Name == "help" {
			return
		}
		if f.Changed {
			sources[f.Name] = "flag"
			return
		}
		set, value, where := f.Value.Set, "", ""
		if v, ok := lookup(EnvName(f.Name)); ok {
			value, where = v, EnvName(f.Name)
		} else if v, ok := fromFile[f.Name]; ok {
			value, where = v.text, file
			if v.content {
				set = func(text string) error { return f.Value.(structured).SetYAML([]byte(text)) }
			}
		} else {
			sources[f.Name] = "default"
			return
		}
		if err := set(value); err != nil {
			bad = fault.Newf("config.Load", fault.Invalid, "%s (from %s): %v", f.Name, where, err)
		}
		sources[f.Name] = where
	})
	return sources, bad
}

// structured is a setting with members of its own. As a flag or a variable it
// names a YAML file; in the settings file it stands as it is.
type structured interface {
	SetYAML([]byte) error
	YAML() string // on one line
}

// written is a value as the settings file has it.
type written struct {
	text    string
	content bool // YAML, for SetYAML
}

func readFile(fs *pflag.FlagSet, file string) (map[string]written, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Newf("config.Load", fault.Invalid, "settings file: %v", err)
	}
	var raw map[string]any
	if err := yaml.Unmarshal(b, &raw); err != nil {
		return nil, fault.Newf("config.Load", fault.Invalid, "settings file %s: %v", file, err)
	}
	out := map[string]written{}
	for name, v := range raw {
		if fs.Lookup(name) == nil || name == ConfigFlag {
			return nil, fault.Newf("config.Load", fault.Invalid, "settings file %s: there is no setting %q", file, name)
		}
		if _, ok := fs.Lookup(name).Value.(structured); ok {
			if _, isName := v.(string); !isName && v != nil {
				b, err := yaml.Marshal(v)
				if err != nil {
					return nil, fault.Newf("config.Load", fault.Invalid, "settings file %s: %s: %v", file, name, err)
				}
				out[name] = written{string(b), true}
				continue
			}
		}
		switch v := v.(type) {
		case []any:
			parts := make([]string, len(v))
			for i, p := range v {
				parts[i] = fmt.Sprint(p)
			}
			out[name] = written{text: strings.Join(parts, ",")}
		case nil:
			out[name] = written{}
		case map[string]any:
			return nil, fault.Newf("config.Load", fault.Invalid, "settings file %s: %s: expected a value or a list", file, name)
		default:
			out[name] = written{text: fmt.Sprint(v)}
		}
	}
	return out, nil
}

// Print writes the settings in force as YAML with their sources, secrets hidden.
func Print(fs *pflag.FlagSet, sources Sources) string {
	var names []string
	for n := range sources {
		names = append(names, n)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, n := range names {
		v := fs.Lookup(n).Value
		s := v.String()
		if l, ok := v.(pflag.SliceValue); ok {
			s = "[" + strings.Join(l.GetSlice(), ", ") + "]"
		} else if m, ok := v.(structured); ok && s != "" {
			s = m.YAML()
		} else if s == "" || strings.ContainsAny(s, ":#{}[],&*?|<>=!%@\\\"'") || v.Type() == "string" && regexp.MustCompile(`^[0-9.]+$`).MatchString(s) {
			s = fmt.Sprintf("%q", s)
		}
		fmt.Fprintf(&b, "%s: %s # %s\n", n, s, sources[n])
	}
	return b.String()
}

var (
	regionPattern  = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
)

// Check refuses settings that cannot work and fills the public URLs.
func (s *Settings) Check() error {
	bad := func(name, expected string, got any) error {
		return &fault.Error{Op: "config.Check", Kind: fault.Invalid, Field: name, Message: fmt.Sprintf("%s: %q: expected %s", name, got, expected)}
	}
	if s.DataDir == "" {
		return bad("data-dir", "a folder", s.DataDir)
	}
	if !regionPattern.MatchString(s.Region) {
		return bad("region", "a region such as us-east-1", s.Region)
	}
	if !accountPattern.MatchString(s.AccountID) {
		return bad("account-id", "12 digits", s.AccountID)
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return bad("tls-cert", "both --tls-cert and --tls-key", s.TLSCert)
	}
	if s.TLSCert != "" && len(s.ACMEDomain) > 0 {
		return bad("acme-domain", "either a certificate file or ACME, not both", strings.Join(s.ACMEDomain, ","))
	}
	if (s.RootAccessKeyID == "") != (s.RootSecretKey == "") {
		return bad("root-access-key-id", "both parts of the root key, or neither", s.RootAccessKeyID)
	}
	if s.RootSecretKey != "" && len(s.RootSecretKey) < 16 {
		return bad("root-secret-access-key", "at least 16 characters", s.RootSecretKey)
	}
	if v := s.DatabaseURL.Reveal(); v != "" && !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") && !strings.HasPrefix(v, "sqlite:") {
		return bad("database-url", "postgres://… or sqlite:PATH", s.DatabaseURL)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return bad("log-level", "debug, info, warn or error", s.LogLevel)
	}
	if err := s.Audit.check(bad); err != nil {
		return err
	}
	if err := s.Messaging.check(bad); err != nil {
		return err
	}
	if s.LogFormat != "text" && s.LogFormat != "json" {
		return bad("log-format", "text or json", s.LogFormat)
	}
	for name, addr := range map[string]string{"api-addr": s.APIAddr, "portal-addr": s.PortalAddr, "ops-addr": s.OpsAddr} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return bad(name, "host:port", addr)
		}
	}
	if s.TemplateMirror != "" {
		if info, err := os.Stat(s.TemplateMirror); err != nil || !info.IsDir() {
			return bad("template-mirror", "a folder that is there", s.TemplateMirror)
		}
	}
	if err := s.Networks.check(); err != nil {
		return err
	}
	if err := s.ExternalBuckets.Check(); err != nil {
		return err
	}
	if err := s.Functions.Check(); err != nil {
		return err
	}
	if s.BlobsBucket.Name != "" && (s.BlobsDir != "" || !s.ExternalBuckets.Names(s.BlobsBucket.Name)) {
		return bad("blobs-bucket", "a bucket that external-buckets names, and no --blobs-dir", s.BlobsBucket.String())
	}
	for name, u := range map[string]string{"public-api-url": s.PublicAPIURL, "public-portal-url": s.PublicPortalURL} {
		if err := checkURL(u); u != "" && err != nil {
			return bad(name, err.Error(), u)
		}
	}
	return nil
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("http://host[:port] or https://host[:port] without a path")
	}
	return nil
}

// TLS reports whether API and portal speak TLS.
func (s *Settings) TLS() bool { return s.TLSCert != "" || len(s.ACMEDomain) > 0 }

// Public returns the URL that the world sees for a listener that is bound to
// bound: the configured one, or one made from the address. An address without a
// host, or the unspecified one, is shown as 127.0.0.1.
func (s *Settings) Public(configured, bound string) string {
	if configured != "" {
		return strings.TrimRight(configured, "/")
	}
	host, port, _ := net.SplitHostPort(bound)
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if s.TLS() {
		scheme = "https"
		if len(s.ACMEDomain) > 0 {
			host = s.ACMEDomain[0]
		}
	}
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
