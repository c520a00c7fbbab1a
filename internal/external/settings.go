package external

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/setting"
)

// Kind is what sort of store keeps a bucket.
type Kind string

// The kinds of store.
const (
	AWS       Kind = "aws"
	MinIO     Kind = "minio"
	RGW       Kind = "rgw"
	SeaweedFS Kind = "seaweedfs"
	S3        Kind = "s3" // any other: Fiducial itself, or a store without STS
)

// Via is the way that media take to a browser.
type Via string

// The ways.
const (
	Direct   Via = "direct"   // from the store
	Fiducial Via = "fiducial" // through this server
)

// Unbound is what is done with media where a store does not bind.
type Unbound string

// What can be done.
const (
	Pass   Unbound = "fiducial" // they pass through this server
	Refuse Unbound = "refuse"   // there are no URLs
)

// Setting is what is to be known about the buckets of one name or pattern. No
// secret stands in it, only where secrets are.
type Setting struct {
	Bucket      string        `yaml:"bucket"` // a name, or a pattern with * and ?
	Kind        Kind          `yaml:"kind"`
	Endpoint    string        `yaml:"endpoint,omitempty"` // http(s)://host[:port]; aws: by region
	Region      string        `yaml:"region,omitempty"`
	PathStyle   *bool         `yaml:"path-style,omitempty"` // default: yes, but for aws
	Credentials Credentials   `yaml:"credentials,omitempty"`
	RoleARN     string        `yaml:"role-arn,omitempty"` // assumed for everything that is done in the bucket
	ExternalID  string        `yaml:"external-id,omitempty"`
	STSEndpoint string        `yaml:"sts-endpoint,omitempty"` // default: endpoint; aws: by region
	Via         Via           `yaml:"via,omitempty"`          // default: direct where there is a role (or MinIO), else fiducial
	Unbound     Unbound       `yaml:"unbound,omitempty"`      // default: fiducial
	CAFile      string        `yaml:"ca-file,omitempty"`      // PEM, besides the system's
	Timeout     time.Duration `yaml:"timeout,omitempty"`      // without any progress; default 30 s
	Attempts    int           `yaml:"attempts,omitempty"`     // of each request; default 4
	Expires     time.Duration `yaml:"expires,omitempty"`      // of a direct URL, at most; default 5 min
	Session     time.Duration `yaml:"session,omitempty"`      // of an STS session; default 15 min
	VPCEndpoint string        `yaml:"vpc-endpoint,omitempty"` // aws: the S3 endpoint in the workers' VPC
	ProbeKey    string        `yaml:"probe-key,omitempty"`    // an object to probe with, where none may be written
}

// Credentials says where the keys for a store are. With nothing said, they are
// found as AWS's own tools find them: the AWS_* variables, the shared files, the
// container's or instance's role.
type Credentials struct {
	AccessKeyEnv    string `yaml:"access-key-env,omitempty"`
	SecretKeyEnv    string `yaml:"secret-key-env,omitempty"`
	SessionTokenEnv string `yaml:"session-token-env,omitempty"`
	File            string `yaml:"file,omitempty"` // in the format of ~/.aws/credentials
	Profile         string `yaml:"profile,omitempty"`
}

// Settings is the setting "external-buckets": in the settings file a list, as a
// flag or a variable the name of a YAML file with the list.
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
	list, err := setting.List[Setting](b, "buckets")
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

// YAML is the list on one line. There is no secret in it.
func (s *Settings) YAML() string { return setting.Line([]Setting(*s)) }

// Bounds of the settings.
const (
	defaultTimeout  = 30 * time.Second
	defaultAttempts = 4
	defaultExpires  = 5 * time.Minute
	minSession      = 15 * time.Minute // the least that STS gives
	maxSession      = 12 * time.Hour
)

var (
	bucketShape = regexp.MustCompile(`^[a-z0-9*?][a-z0-9.*?-]{1,61}[a-z0-9*?]$|^\*$`)
	regionShape = regexp.MustCompile(`^[a-zA-Z0-9-]{1,64}$`)
	roleShape   = regexp.MustCompile(`^arn:[A-Za-z0-9_-]+:iam:[A-Za-z0-9-]*:[A-Za-z0-9_-]*:role/[A-Za-z0-9+=,.@_/-]{1,512}$`)
	vpceShape   = regexp.MustCompile(`^vpce-[a-z0-9]{1,32}$`)
	envShape    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// Check refuses what cannot work, names the member, and fills in the defaults.
func (s Settings) Check() error {
	seen := map[string]bool{}
	for i := range s {
		b := &s[i]
		if seen[b.Bucket] {
			return b.bad(i, "bucket", "each bucket or pattern once")
		}
		seen[b.Bucket] = true
		if err := b.check(i); err != nil {
			return err
		}
	}
	return nil
}

func (b *Setting) bad(i int, member, expected string) error {
	where := fmt.Sprintf("external-buckets[%d]", i)
	if b.Bucket != "" {
		where += " (" + b.Bucket + ")"
	}
	return &fault.Error{Op: "external.Check", Kind: fault.Invalid, Field: "external-buckets", Message: where + ": " + member + ": expected " + expected}
}

func (b *Setting) check(i int) error {
	b.fill()
	c := &b.Credentials
	for _, r := range []struct {
		bad              bool
		member, expected string
	}{
		{!bucketShape.MatchString(b.Bucket), "bucket", "the name of a bucket, or a pattern with * and ?"},
		{!b.Kind.known(), "kind", "aws, minio, rgw, seaweedfs or s3"},
		{b.Endpoint != "" && !isOrigin(b.Endpoint), "endpoint", "http://host[:port] or https://host[:port] without a path"},
		{b.Endpoint == "" && b.Kind != AWS, "endpoint", "the store's URL"},
		{b.STSEndpoint != "" && !isOrigin(b.STSEndpoint), "sts-endpoint", "http://host[:port] or https://host[:port] without a path"},
		{b.Region == "", "region", "the bucket's region"},
		{!regionShape.MatchString(b.Region), "region", "a region such as eu-central-1"},
		{(c.AccessKeyEnv == "") != (c.SecretKeyEnv == ""), "credentials", "both access-key-env and secret-key-env, or neither"},
		{c.SessionTokenEnv != "" && c.AccessKeyEnv == "", "credentials", "access-key-env and secret-key-env with session-token-env"},
		{c.AccessKeyEnv != "" && (c.File != "" || c.Profile != ""), "credentials", "either names of variables or a file and profile"},
		{!isEnv(c.AccessKeyEnv) || !isEnv(c.SecretKeyEnv) || !isEnv(c.SessionTokenEnv), "credentials", "the name of a variable, not the key itself"},
		{b.RoleARN != "" && !roleShape.MatchString(b.RoleARN), "role-arn", "an ARN such as arn:aws:iam::123456789012:role/labeling"},
		{b.Via != Direct && b.Via != Fiducial, "via", "direct or fiducial"},
		{b.Via == Direct && b.RoleARN == "" && b.Kind != MinIO, "role-arn", "the role whose sessions open media (via: direct)"},
		{b.ExternalID != "" && b.RoleARN == "", "external-id", "a role-arn with it"},
		{b.Unbound != Pass && b.Unbound != Refuse, "unbound", "fiducial or refuse"},
		{b.Timeout < time.Second || b.Timeout > 10*time.Minute, "timeout", "1s to 10m"},
		{b.Attempts < 1 || b.Attempts > 10, "attempts", "1 to 10"},
		{b.Session < minSession || b.Session > maxSession, "session", "15m to 12h"},
		{b.Expires < 10*time.Second || b.Expires > b.Session, "expires", "10s to the length of session"},
		{b.VPCEndpoint != "" && (b.Kind != AWS || !vpceShape.MatchString(b.VPCEndpoint)), "vpc-endpoint", "vpce-…, for kind aws: no other store knows endpoints"},
		{len(b.ProbeKey) > 1024, "probe-key", "the key of an object"},
	} {
		if r.bad {
			return b.bad(i, r.member, r.expected)
		}
	}
	return nil
}

func (k Kind) known() bool {
	return k == AWS || k == MinIO || k == RGW || k == SeaweedFS || k == S3
}

// fill sets what was left out.
func (b *Setting) fill() {
	if b.Region == "" && b.Kind != AWS {
		b.Region = "us-east-1"
	}
	if b.PathStyle == nil {
		path := b.Kind != AWS
		b.PathStyle = &path
	}
	b.Endpoint = strings.TrimRight(b.Endpoint, "/")
	b.STSEndpoint = strings.TrimRight(b.STSEndpoint, "/")
	if b.STSEndpoint == "" {
		b.STSEndpoint = b.Endpoint
	}
	if b.Via == "" {
		b.Via = Fiducial
		if b.RoleARN != "" || b.Kind == MinIO {
			b.Via = Direct
		}
	}
	if b.Unbound == "" {
		b.Unbound = Pass
	}
	set(&b.Timeout, defaultTimeout)
	set(&b.Expires, defaultExpires)
	set(&b.Session, max(minSession, b.Expires))
	set(&b.Attempts, defaultAttempts)
}

func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

func isEnv(name string) bool { return name == "" || envShape.MatchString(name) }

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

// pattern reports whether the setting is for more than one name.
func (b *Setting) pattern() bool { return strings.ContainsAny(b.Bucket, "*?") }

// match reports whether the setting is for a bucket. Bucket names have no
// slashes and patterns no brackets, so path.Match knows just * and ?.
func (b *Setting) match(name string) bool {
	ok, err := path.Match(b.Bucket, name)
	return ok && err == nil
}

// base is the URL under which a bucket is found, and the path of an object in
// it. In virtual-host style the bucket is a label of the host; a name with a
// period would not match the store's certificate then.
func (b *Setting) base(bucket string) (origin, prefix string) {
	endpoint := b.Endpoint
	if endpoint == "" {
		domain := "amazonaws.com"
		if strings.HasPrefix(b.Region, "cn-") {
			domain += ".cn"
		}
		endpoint = "https://s3." + b.Region + "." + domain
	}
	if *b.PathStyle || strings.Contains(bucket, ".") {
		return endpoint, "/" + bucket
	}
	scheme, host, _ := strings.Cut(endpoint, "://")
	return scheme + "://" + bucket + "." + host, ""
}
