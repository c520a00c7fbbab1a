package explain

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fiducial/internal/policy"
	"fiducial/internal/workforce"
)

// What stands for the addresses that a workforce admits: every decision of the
// policy is the same within a class, so one address of each says all.
func TestClassesOfAddresses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		cidrs  []string
		policy string // operands of aws:SourceIp
		want   [][]string
	}{
		{"anywhere, no ranges in the policy", nil, "", [][]string{{"192.0.2.1/32"}}},
		{"anywhere, and the policy names that very range", nil, `"192.0.2.0/24"`, [][]string{{"198.51.100.1/32"}}},
		{"one range, none in the policy", []string{"203.0.113.0/24"}, "", [][]string{{"203.0.113.0/24"}}},
		{"the policy admits half of it", []string{"203.0.113.0/24"}, `"203.0.113.128/25"`, [][]string{{"203.0.113.0/25"}, {"203.0.113.128/25"}}},
		{"the policy admits more than it", []string{"203.0.113.0/24"}, `"203.0.0.0/16"`, [][]string{{"203.0.113.0/24"}}},
		{"one address in the middle: two classes, however many pieces", []string{"203.0.113.0/30"}, `"203.0.113.1/32"`, [][]string{{"203.0.113.0/32", "203.0.113.2/31"}, {"203.0.113.1/32"}}},
		{"IPv6", []string{"2001:db8::/126"}, `"2001:db8::2/127"`, [][]string{{"2001:db8::/127"}, {"2001:db8::2/127"}}},
		{"two ranges of one class", []string{"203.0.113.0/25", "198.51.100.0/24"}, `"192.0.2.0/24"`, [][]string{{"203.0.113.0/25", "198.51.100.0/24"}}},
		{"nested ranges of the policy", []string{"10.0.0.0/8"}, `"10.0.0.0/9","10.0.0.0/10"`, [][]string{{"10.0.0.0/10"}, {"10.64.0.0/10"}, {"10.128.0.0/9"}}},
		{"not a network", []string{"nonsense"}, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			condition := ""
			if tc.policy != "" {
				condition = `,"Condition":{"NotIpAddress":{"aws:SourceIp":[` + tc.policy + `]}}`
			}
			doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"`+condition+`}]}`), policy.Resource)
			if err != nil {
				t.Fatal(err)
			}
			w := &warner{force: workforce.Workforce{CIDRs: tc.cidrs}}
			var got [][]string
			for _, class := range w.outside(doc) {
				var texts []string
				for _, p := range class {
					texts = append(texts, p.String())
				}
				got = append(got, texts)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("classes (-want +got):\n%s", diff)
			}
		})
	}
}

// A thousand ranges in a policy do not make a thousand warnings of one /0.
func TestManyRangesStayCheap(t *testing.T) {
	var cuts []netip.Prefix
	for i := range 1000 {
		cuts = append(cuts, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), 32))
	}
	got := pieces(netip.MustParsePrefix("0.0.0.0/0"), cuts, 0)
	if len(got) > 40*1000 {
		t.Errorf("%d pieces", len(got))
	}
	classes := map[string]bool{}
	for _, p := range got {
		classes[classOf(p, cuts)] = true
	}
	if len(classes) != 1001 {
		t.Errorf("%d classes, want one for each range and one for the rest", len(classes))
	}
}
