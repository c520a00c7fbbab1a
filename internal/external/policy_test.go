package external

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fiducial/internal/access"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
	"fiducial/internal/policy"
)

func at(addr, vpc, vpce string) origin.Origin {
	o := origin.Origin{VPC: vpc, VPCE: vpce}
	if addr != "" {
		o.Addr = netip.MustParseAddr(addr)
	}
	return o
}

// What a direct URL is bound to, and when a store cannot be asked for it: then
// media pass through this server.
func TestBind(t *testing.T) {
	source, vpc, both := access.Binding{SourceIP: true}, access.Binding{VpcSourceIP: true}, access.Binding{SourceIP: true, VpcSourceIP: true}
	aws := Setting{Kind: AWS}
	endpoint := Setting{Kind: AWS, VPCEndpoint: "vpce-s3"}
	minio := Setting{Kind: MinIO}
	for _, c := range []struct {
		name          string
		setting       Setting
		binding       access.Binding
		origin, media origin.Origin
		want          string
		ok            bool
	}{
		{"not bound", minio, access.Binding{}, at("192.0.2.1", "", ""), origin.Origin{}, "", true},
		{"address", minio, source, at("192.0.2.1", "", ""), origin.Origin{}, `{"IpAddress":{"aws:SourceIp":["192.0.2.1/32"]}}`, true},
		{"address of IPv6", minio, source, at("2001:db8::1", "", ""), origin.Origin{}, `{"IpAddress":{"aws:SourceIp":["2001:db8::1/128"]}}`, true},
		{"mapped address", minio, source, at("::ffff:192.0.2.1", "", ""), origin.Origin{}, `{"IpAddress":{"aws:SourceIp":["192.0.2.1/32"]}}`, true},
		{"page over IPv6, media over IPv4", minio, source, at("2001:db8::1", "", ""), at("192.0.2.1", "", ""), `{"IpAddress":{"aws:SourceIp":["192.0.2.1/32","2001:db8::1/128"]}}`, true},
		{"both asked, plain origin: no VPC statement is needed", aws, both, at("192.0.2.1", "", ""), origin.Origin{}, `{"IpAddress":{"aws:SourceIp":["192.0.2.1/32"]}}`, true},
		{"unknown origin", minio, source, origin.Origin{}, origin.Origin{}, "", false},
		{"VPC asked, plain origin", aws, vpc, at("192.0.2.1", "", ""), origin.Origin{}, "", false},
		{"endpoint, on AWS with the S3 endpoint", endpoint, vpc, at("10.0.0.5", "vpc-1", "vpce-portal"), origin.Origin{}, `{"IpAddress":{"aws:VpcSourceIp":["10.0.0.5/32"]},"StringEquals":{"aws:SourceVpce":"vpce-s3"}}`, true},
		{"endpoint, on AWS by the VPC", aws, both, at("10.0.0.5", "vpc-1", "vpce-portal"), origin.Origin{}, `{"IpAddress":{"aws:VpcSourceIp":["10.0.0.5/32"]},"StringEquals":{"aws:SourceVpc":"vpc-1"}}`, true},
		{"endpoint of an unknown VPC", aws, vpc, at("10.0.0.5", "", "vpce-portal"), origin.Origin{}, "", false},
		{"endpoint, where the store is no AWS", minio, both, at("10.0.0.5", "vpc-1", "vpce-portal"), origin.Origin{}, "", false},
		{"endpoint, only addresses asked", aws, source, at("10.0.0.5", "vpc-1", "vpce-portal"), origin.Origin{}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.setting.bind(&access.Request{Binding: c.binding, Origin: c.origin, Media: c.media, Grant: identity.Grant{Worker: "w"}})
			if got.json != c.want || ok != c.ok {
				t.Fatalf("%s, %v; want %s, %v", got.json, ok, c.want, c.ok)
			}
			if strings.Contains(got.json, "IfExists") || strings.Contains(got.json, "aws:SourceIp") && strings.Contains(got.json, "VpcSourceIp") || strings.Contains(got.json, "Time") {
				t.Errorf("%s", got.json)
			}
			if (got.words == "") != (got.json == "") {
				t.Errorf("in words: %q", got.words)
			}
			if doc := sessionPolicy("bucket", []string{"key"}, got); ok {
				if _, err := policy.Parse([]byte(doc), policy.Session); err != nil {
					t.Errorf("%s: %v", doc, err)
				}
			}
		})
	}
}

// A session policy names the keys letter by letter and never exceeds what STS
// takes; all keys that fit at all are in one of the parts, in their order.
func TestDivide(t *testing.T) {
	bound := condition{`{"IpAddress":{"aws:SourceIp":["192.0.2.1/32"]}}`, ""}
	for _, c := range []struct {
		name  string
		keys  []string
		parts int
	}{
		{"none", nil, 0},
		{"one", []string{"a.jpg"}, 1},
		{"some", many(20, 20), 1},
		{"hundreds", many(300, 40), 10},
		{"long ones", many(5, 900), 3},
		{"one that is too long by its escapes", []string{"a", strings.Repeat("*", 700), "b"}, 1},
		{"not of ASCII", []string{strings.Repeat("ä", 500), strings.Repeat("語", 300)}, 2},
		{"what JSON escapes", []string{"\"\\\t" + strings.Repeat("x", 50)}, 1},
		{"wildcards and variables", []string{"a*b?c${aws:userid}"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := divide("bucket", c.keys, bound)
			if len(parts) != c.parts {
				t.Errorf("%d parts, want %d", len(parts), c.parts)
			}
			var all []string
			for _, p := range parts {
				doc := sessionPolicy("bucket", p, bound)
				if len(doc) > 2048 {
					t.Errorf("a policy of %d bytes", len(doc))
				}
				if !json.Valid([]byte(doc)) {
					t.Errorf("not JSON: %s", doc)
				}
				all = append(all, p...)
			}
			fit := slices.DeleteFunc(slices.Clone(c.keys), func(k string) bool { return strings.Count(k, "*") == 700 })
			if !slices.Equal(all, fit) {
				t.Errorf("%d keys, want %d", len(all), len(fit))
			}
		})
	}
	doc := sessionPolicy("bucket", []string{"a*b?c${x}"}, condition{})
	if !strings.Contains(doc, `arn:aws:s3:::bucket/a${*}b${?}c${$}{x}`) {
		t.Errorf("%s", doc)
	}
}

func many(n, length int) []string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("%0*d", length, i))
	}
	return keys
}

func FuzzDivide(f *testing.F) {
	f.Add("a.jpg", "b*", 3)
	f.Add("\"\\\x00", "語", 200)
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		if len(a) > 1024 || len(b) > 1024 || n < 0 || n > 300 {
			t.Skip()
		}
		var keys []string
		for i := range n {
			keys = append(keys, fmt.Sprint(a, i), fmt.Sprint(b, i))
		}
		for _, p := range divide("bucket", keys, condition{`{"IpAddress":{"aws:SourceIp":["192.0.2.1/32"]}}`, ""}) {
			doc := sessionPolicy("bucket", p, condition{`{"IpAddress":{"aws:SourceIp":["192.0.2.1/32"]}}`, ""})
			if len(p) == 0 || len(doc) > maxPolicy || !json.Valid([]byte(doc)) {
				t.Fatalf("%d keys, %d bytes: %s", len(p), len(doc), doc)
			}
		}
	})
}

func TestSettings(t *testing.T) {
	const good = "bucket: lab-images\nkind: minio\nendpoint: https://minio.example:9000\n"
	for _, c := range []struct{ name, text, want string }{
		{"MinIO", good, ""},
		{"AWS", "bucket: lab\nkind: aws\nregion: eu-central-1\nrole-arn: arn:aws:iam::123456789012:role/labeling", ""},
		{"no STS", "bucket: lab\nkind: s3\nendpoint: http://garage:3900", ""},
		{"pattern", "bucket: lab-*\nkind: rgw\nendpoint: http://rgw\nrole-arn: arn:aws:iam::tenant:role/labeling", ""},
		{"everything", good + "region: eu-1\npath-style: false\ncredentials: {file: /k, profile: p}\nsts-endpoint: https://sts.example\nvia: direct\nunbound: refuse\nca-file: /ca\ntimeout: 5s\nattempts: 2\nexpires: 1m\nsession: 1h\nprobe-key: k", ""},
		{"no bucket", "kind: minio\nendpoint: http://h", "bucket: expected the name"},
		{"a bucket with a slash", "bucket: a/b/c\nkind: minio\nendpoint: http://h", "bucket: expected the name"},
		{"a bracket in a pattern", "bucket: 'a[b]*'\nkind: minio\nendpoint: http://h", "bucket: expected the name"},
		{"no kind", "bucket: lab\nendpoint: http://h", "kind: expected aws"},
		{"an endpoint with a path", "bucket: lab\nkind: minio\nendpoint: http://h/s3", "endpoint: expected http"},
		{"an endpoint with a password", "bucket: lab\nkind: minio\nendpoint: http://u:p@h", "endpoint: expected http"},
		{"an STS endpoint that is none", good + "sts-endpoint: sts", "sts-endpoint"},
		{"AWS without a region", "bucket: lab\nkind: aws", "region"},
		{"half of the variables", good + "credentials: {access-key-env: A}", "credentials: expected both"},
		{"variables and a file", good + "credentials: {access-key-env: A, secret-key-env: B, file: f}", "credentials: expected either"},
		{"a key in place of a variable's name", good + "credentials: {access-key-env: A, secret-key-env: 'wJalr/XUtn+FEMI='}", "not the key itself"},
		{"direct without a role", "bucket: lab\nkind: s3\nendpoint: http://h\nvia: direct", "role-arn"},
		{"a role that is none", good + "role-arn: labeling", "role-arn"},
		{"an external id without a role", good + "external-id: x", "external-id"},
		{"another way", good + "via: proxy", "via: expected"},
		{"another choice", good + "unbound: allow", "unbound: expected"},
		{"a session that STS does not give", good + "session: 5m", "session: expected 15m"},
		{"a URL that outlives its session", good + "expires: 1h", ""},
		{"a URL that outlives its session, as said", good + "expires: 1h\nsession: 30m", "expires: expected"},
		{"an endpoint of a VPC elsewhere", good + "vpc-endpoint: vpce-1", "vpc-endpoint"},
		{"no time", good + "timeout: 1ms", "timeout"},
		{"too many attempts", good + "attempts: 100", "attempts"},
		{"a secret", good + "secret-access-key: x", "not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Settings
			err := s.SetYAML([]byte("- " + strings.ReplaceAll(c.text, "\n", "\n  ")))
			if err == nil {
				err = s.Check()
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v; want %q", err, c.want)
			}
			if err != nil {
				return
			}
			var again Settings
			if err := again.SetYAML([]byte(s.YAML())); err != nil || again.Check() != nil || again.YAML() != s.YAML() {
				t.Errorf("does not read what it prints: %v\n%s", err, s.YAML())
			}
		})
	}
	var s Settings
	if err := s.SetYAML([]byte("- {bucket: lab, kind: minio, endpoint: 'http://h'}\n- {bucket: lab, kind: minio, endpoint: 'http://i'}")); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "external-buckets[1] (lab): bucket: expected each") {
		t.Errorf("twice the same bucket: %v", err)
	}
}

func TestWhereObjectsAre(t *testing.T) {
	yes := true
	for _, c := range []struct {
		name, bucket string
		setting      Setting
		want, source string
	}{
		{"AWS", "lab", Setting{Kind: AWS, Region: "eu-central-1"}, "https://lab.s3.eu-central-1.amazonaws.com", "https://lab.s3.eu-central-1.amazonaws.com/"},
		{"AWS in China", "lab", Setting{Kind: AWS, Region: "cn-north-1"}, "https://lab.s3.cn-north-1.amazonaws.com.cn", "https://lab.s3.cn-north-1.amazonaws.com.cn/"},
		{"AWS, a name with a period", "lab.images", Setting{Kind: AWS, Region: "eu-central-1"}, "https://s3.eu-central-1.amazonaws.com/lab.images", "https://s3.eu-central-1.amazonaws.com/lab.images/"},
		{"AWS, path style", "lab", Setting{Kind: AWS, Region: "eu-central-1", PathStyle: &yes}, "https://s3.eu-central-1.amazonaws.com/lab", "https://s3.eu-central-1.amazonaws.com/lab/"},
		{"MinIO", "lab", Setting{Kind: MinIO, Endpoint: "http://minio:9000/"}, "http://minio:9000/lab", "http://minio:9000/lab/"},
		{"AWS, pattern", "lab-*", Setting{Kind: AWS, Region: "eu-central-1"}, "", "https://*.s3.eu-central-1.amazonaws.com https://s3.eu-central-1.amazonaws.com"},
		{"MinIO, pattern", "lab-*", Setting{Kind: MinIO, Endpoint: "http://minio:9000"}, "", "http://minio:9000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.setting.Bucket = c.bucket
			c.setting.fill()
			c.setting.Via = Direct
			if o, p := c.setting.base(c.bucket); c.want != "" && o+p != c.want {
				t.Errorf("%s%s, want %s", o, p, c.want)
			}
			s := &Service{o: Options{Settings: Settings{c.setting}}}
			if got := strings.Join(s.Sources(), " "); got != c.source {
				t.Errorf("pages may load from %s, want %s", got, c.source)
			}
		})
	}
}

// The setting that names a bucket counts before patterns, and those in order.
func TestWhichSetting(t *testing.T) {
	s := &Service{o: Options{Settings: Settings{{Bucket: "lab-*"}, {Bucket: "lab-images"}, {Bucket: "lab-i*"}, {Bucket: "x?z"}}}}
	for name, want := range map[string]int{"lab-images": 1, "lab-texts": 0, "lab-inner": 0, "xyz": 3, "xz": -1, "lab": -1, "other": -1} {
		if got := s.setting(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if _, ok := s.Bucket("other"); ok {
		t.Error("a bucket that no setting names")
	}
}

// How often a store is probed.
func TestState(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var s state
	trusts := func(bound bool) bool { ok, _ := s.trusts(bound); return ok }
	if trusts(false) || !s.due(now) || s.due(now.Add(time.Second)) {
		t.Error("a store that was never probed: is not trusted, is due once")
	}
	away := &Report{Err: errTooLong}
	if !s.learn(away, now) || s.learn(away, now) {
		t.Error("the same report is no news")
	}
	if s.retry != 2*retryFirst || trusts(false) {
		t.Errorf("after two failures: again in %v", s.retry)
	}
	for range 20 {
		s.learn(away, now)
	}
	if s.retry != retryMost || s.due(now.Add(retryMost-1)) || !s.due(now.Add(retryMost)) {
		t.Errorf("after many: again in %v", s.retry)
	}
	if !s.learn(&Report{Holds: true}, now) || !trusts(false) || trusts(true) {
		t.Error("a store that holds but does not bind: trusted with what is not bound")
	}
	if !s.learn(&Report{Holds: true, Binds: true}, now) || !trusts(true) || s.due(now.Add(probeEvery-1)) || !s.due(now.Add(probeEvery)) {
		t.Error("a store that binds")
	}
	if !s.learn(&Report{Binds: true}, now) || trusts(false) {
		t.Error("a store that does not hold is not trusted with anything")
	}
}
