package external

import (
	"encoding/json"
	"net/netip"
	"strings"

	"fiducial/internal/access"
	"fiducial/internal/arn"
	"fiducial/internal/policy"
)

// condition is what must hold of a request: one block of a session policy, and
// the same in words. aws:SourceIp and aws:VpcSourceIp never stand in one: a
// request has one of them. No operator ends in IfExists, which is fulfilled by a
// request of which the store knows nothing; and there is no condition on time,
// since a session and a URL have their ends without one, and stores differ in
// how they write the time.
type condition struct {
	json  string // "" for none
	words string
}

// bind says what a direct URL is bound to; false if the store cannot be asked
// for it.
func (b *Setting) bind(r *access.Request) (condition, bool) {
	if !r.Binding.SourceIP && !r.Binding.VpcSourceIP {
		return condition{}, true
	}
	at := r.Reach()
	if !at.Known() {
		return condition{}, false
	}
	if at.VPCE == "" && at.VPC == "" {
		if !r.Binding.SourceIP {
			return condition{}, false
		}
		// The page may have come over IPv6 and the media over IPv4. Both
		// addresses are the worker's, and the store sees one of them.
		addrs := []netip.Addr{at.Addr}
		if r.Origin.Known() && r.Origin.VPCE == "" && r.Origin.VPC == "" && r.Origin.Addr != at.Addr {
			addrs = append(addrs, r.Origin.Addr)
		}
		list := prefixes(addrs)
		return condition{`{"IpAddress":{"aws:SourceIp":` + toJSON(list) + `}}`, "aws:SourceIp " + strings.Join(list, " or ")}, true
	}
	// No store but AWS knows endpoints.
	if !r.Binding.VpcSourceIP || b.Kind != AWS || b.VPCEndpoint == "" && at.VPC == "" {
		return condition{}, false
	}
	list := prefixes([]netip.Addr{at.Addr})
	// The endpoint through which the worker reaches the portal is another than
	// the one through which S3 is reached: that one is a setting.
	key, value := "aws:SourceVpce", b.VPCEndpoint
	if value == "" {
		key, value = "aws:SourceVpc", at.VPC
	}
	return condition{
		`{"IpAddress":{"aws:VpcSourceIp":` + toJSON(list) + `},"StringEquals":{"` + key + `":` + toJSON(value) + `}}`,
		"aws:VpcSourceIp " + list[0] + " through " + value,
	}, true
}

func prefixes(addrs []netip.Addr) []string {
	var out []string
	for _, a := range addrs {
		a = a.Unmap().WithZone("")
		out = append(out, netip.PrefixFrom(a, a.BitLen()).String())
	}
	return out
}

func toJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // every character counts
	_ = e.Encode(v)        // strings and lists of them
	return strings.TrimSuffix(b.String(), "\n")
}

// expressible reports whether the store's policy language can name the key and
// no other.
func (b *Setting) expressible(key string) bool {
	return b.Kind == AWS || !strings.ContainsAny(key, "*?$")
}

// literal makes AWS read a key letter by letter.
var literal = strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}")

// sessionPolicy allows s3:GetObject on the objects under the condition.
func sessionPolicy(bucket string, keys []string, c condition) string {
	resources := make([]string, len(keys))
	for i, k := range keys {
		resources[i] = arn.S3Object(bucket, literal.Replace(k))
	}
	s := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":` + toJSON(resources)
	if c.json != "" {
		s += `,"Condition":` + c.json
	}
	return s + "}]}"
}

// maxPolicy is how long a session policy may be, in characters; bytes are
// counted here, which are no fewer.
const maxPolicy = policy.MaxSession

// divide puts keys into as few session policies as they fit, in their order. A
// key that fits into none is left out.
func divide(bucket string, keys []string, c condition) [][]string {
	base := len(sessionPolicy(bucket, nil, c))
	var parts [][]string
	size := maxPolicy
	for _, k := range keys {
		n := len(toJSON(arn.S3Object(bucket, literal.Replace(k)))) + 1
		if base+n > maxPolicy {
			continue
		}
		if size+n > maxPolicy {
			parts = append(parts, nil)
			size = base
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], k)
		size += n
	}
	return parts
}
