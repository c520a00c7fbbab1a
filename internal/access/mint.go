package access

import (
	"encoding/base32"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"fiducial/internal/fault"
	"fiducial/internal/identity"
	"fiducial/internal/origin"
)

// Binding is what a work team's access configuration ties media URLs to
// (WorkerAccessConfiguration.S3Presign.IamPolicyConstraints). With both, either
// sort of origin opens the URL; with none, the URL is tied to no origin.
type Binding struct {
	SourceIP    bool // the address, for requests that come by no VPC endpoint
	VpcSourceIP bool // the address and the endpoint, for those that do
}

// Request asks for a grant. Grant.ID is left empty.
type Request struct {
	Grant   identity.Grant
	RoleARN string // the job's execution role
	Bucket  string
	Key     string
	Origin  origin.Origin // of the request that the worker asked with
	Media   origin.Origin // where the worker's browser reaches the media from; unknown where it was not found out
	Binding Binding
	Expires time.Time // when the worker's lease ends
	Since   Epoch     // from before the worker's rights were read; 0 means now
}

// Reach is the origin that the grant is bound to: the one that the media endpoint
// has seen the worker's browser at, else the one that the worker asked from.
func (r *Request) Reach() origin.Origin {
	if r.Media.Known() {
		return r.Media
	}
	return r.Origin
}

func (r *Request) check(now time.Time) error {
	invalid := func(format string, args ...any) error {
		return fault.Newf("access.Mint", fault.Invalid, format, args...)
	}
	switch {
	case r.Grant.ID != "" || r.Grant.Worker == "" || r.Grant.Assignment == "" || r.RoleARN == "":
		return fault.Newf("access.Mint", fault.Internal, "a grant needs a worker, an assignment and a role")
	case len(r.Bucket) < 3 || len(r.Bucket) > 63 || strings.ContainsFunc(r.Bucket, notBucket):
		return invalid("%.80q is not a bucket name", r.Bucket)
	case r.Key == "" || len(r.Key) > 1024 || !utf8.ValidString(r.Key):
		return invalid("an object's key has 1 to 1024 bytes of UTF-8")
	case dotSegments(r.Key):
		// Browsers take such segments out of a URL before they send it.
		return invalid("the key has a \".\" or \"..\" segment, which no browser can ask for")
	case !r.Expires.After(now):
		return timeIsUp()
	}
	return nil
}

// notBucket: what is in no bucket's name. Stars and dollars must not reach the
// resource of a policy.
func notBucket(c rune) bool {
	return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.'
}

func dotSegments(key string) bool {
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// life is how long the session must last: to the end of the lease, in whole
// seconds, at most LongestSession. The role's own maximum is iam's to apply.
func life(now, expires time.Time) time.Duration {
	return max(min(expires.Sub(now), LongestSession), time.Second).Truncate(time.Second)
}

// bind returns the condition blocks of the session policy, one statement each,
// and the same in words for the record. Without binding it is one statement
// without a condition.
func (r *Request) bind() (conditions []string, bound string, err error) {
	if !r.Binding.SourceIP && !r.Binding.VpcSourceIP {
		return []string{""}, "", nil
	}
	refuse := func(why string) ([]string, string, error) {
		return nil, "", fault.Newf("access.Mint", fault.Denied, "%s", why)
	}
	from := r.Reach()
	if !from.Known() {
		return refuse("media of this work team opens only at the address of the worker, and the address that this request came from is not known")
	}
	addr := from.Addr.Unmap().WithZone("")
	prefix := netip.PrefixFrom(addr, addr.BitLen()).String()
	byEndpoint := from.VPCE != ""
	switch {
	case !r.Binding.VpcSourceIP && byEndpoint:
		return refuse("media of this work team opens only outside VPC endpoints (SourceIp), and this request came through " + from.VPCE)
	case !r.Binding.SourceIP && !byEndpoint:
		return refuse("media of this work team opens only through a VPC endpoint (VpcSourceIp), and this request did not come through one")
	}
	if r.Binding.SourceIP {
		conditions = append(conditions, `{"IpAddress":{"aws:SourceIp":"`+prefix+`"}}`)
		bound = "aws:SourceIp " + prefix
	}
	if r.Binding.VpcSourceIP {
		c := `{"IpAddress":{"aws:VpcSourceIp":"` + prefix + `"}`
		words := "aws:VpcSourceIp " + prefix
		if byEndpoint {
			c += `,"StringEquals":{"aws:SourceVpce":` + quote(from.VPCE) + `}`
			words += " through " + from.VPCE
		}
		conditions = append(conditions, c+"}")
		bound = strings.TrimPrefix(bound+" or "+words, " or ")
	}
	return conditions, bound, nil
}

// sessionPolicy allows s3:GetObject on one object under any of the conditions.
func sessionPolicy(bucket, key string, conditions []string) string {
	var room [1024]byte
	b := append(room[:0], `{"Version":"2012-10-17","Statement":[`...)
	if strings.ContainsAny(key, "*?$") {
		key = literal.Replace(key)
	}
	for i, c := range conditions {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"`...)
		b = append(b, "arn:aws:s3:::"...)
		b = append(b, bucket...) // of letters, digits, - and . only: see check
		b = append(b, '/')
		b = append(appendEscaped(b, key), '"')
		if c != "" {
			b = append(b, `,"Condition":`...)
			b = append(b, c...)
		}
		b = append(b, '}')
	}
	return string(append(b, "]}"...))
}

// literal makes a policy read a key letter by letter: a key may contain what is
// a wildcard or a variable to a policy, and must not match any other key.
var literal = strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}")

// quote writes a JSON string.
func quote(s string) string { return string(append(appendEscaped([]byte{'"'}, s), '"')) }

// appendEscaped writes what stands between the quotes of a JSON string. Keys are
// UTF-8 already.
func appendEscaped(b []byte, s string) []byte {
	done := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[done:i]...)
		done = i + 1
		if c < 0x20 {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, '\\', c)
		}
	}
	return append(b, s[done:]...)
}

// sessionName is the worker where that is a name STS takes, so that bucket
// policies and access logs show who looked.
func sessionName(g *identity.Grant) string {
	w := g.Worker
	if len(w) < 2 || len(w) > 64 || strings.ContainsFunc(w, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_+=,.@-", c)
	}) {
		return "worker"
	}
	return w
}

// jobARN is for trust policies with aws:SourceArn.
func (s *Service) jobARN(job string) string {
	if job == "" {
		return ""
	}
	return s.jobs + job
}

var idAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (s *Service) newID(epoch Epoch) (string, error) {
	const size, letters = 10, 16
	s.randMu.Lock()
	defer s.randMu.Unlock()
	if s.unused < size {
		if _, err := io.ReadFull(s.o.Rand, s.ahead[:]); err != nil {
			return "", fault.E("access.Mint", fault.Internal, "", err)
		}
		s.unused = len(s.ahead)
	}
	from := len(s.ahead) - s.unused
	s.unused -= size
	var id [letters + 16]byte
	return grantID(idAlphabet.AppendEncode(id[:0], s.ahead[from:from+size]), epoch), nil
}

func unavailable(err error) error {
	return fault.E("access", fault.Unavailable, "whether access has ended cannot be known at the moment; please try again", err)
}
