package origin

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"fiducial/internal/fault"
)

func office() Spec {
	return Spec{VPCs: []VPCSpec{
		{
			ID:             "vpc-1",
			Subnets:        map[string][]string{"subnet-a": {"10.1.0.0/24", "2001:db8:1::/64"}, "subnet-b": {"10.1.1.0/24"}},
			Routed:         []string{"192.168.0.0/16"},
			SecurityGroups: map[string][]string{"sg-1": {"10.1.0.0/25"}},
			Endpoints: []EndpointSpec{
				{ID: "vpce-s3", Services: []string{"api"}, TrustedHops: []string{"172.16.0.1"}},
				{ID: "vpce-p", PortalAddr: "10.1.0.5:443"},
			},
		},
		{ID: "vpc-2", Subnets: map[string][]string{"subnet-c": {"10.2.0.0/24"}}, Endpoints: []EndpointSpec{{ID: "vpce-2", TrustedHops: []string{"172.16.0.2"}}}},
	}}
}

func networked(t testing.TB, spec Spec, trusted ...string) *Resolver {
	t.Helper()
	n, err := NewNetworks(spec)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(trusted, n)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEndpoints(t *testing.T) {
	r := networked(t, office(), "10.0.0.1")
	xff := func(s string) http.Header { return http.Header{"X-Forwarded-For": {s}} }
	for _, c := range []struct {
		name     string
		peer     string
		endpoint string
		service  Service
		header   http.Header
		want     string // "refused: " and part of the reason
	}{
		{name: "through a listener", peer: "10.1.0.9", endpoint: "vpce-s3", service: API, want: "10.1.0.9 via vpce-s3"},
		{name: "IPv6", peer: "2001:db8:1::9", endpoint: "vpce-s3", want: "2001:db8:1::9 via vpce-s3"},
		{name: "mapped IPv6", peer: "::ffff:10.1.0.9", endpoint: "vpce-s3", want: "10.1.0.9 via vpce-s3"},
		{name: "a network routed to the VPC", peer: "192.168.3.4", endpoint: "vpce-s3", want: "192.168.3.4 via vpce-s3"},
		{name: "first of the subnet", peer: "10.1.1.0", endpoint: "vpce-s3", want: "10.1.1.0 via vpce-s3"},
		{name: "last of the subnet", peer: "10.1.1.255", endpoint: "vpce-s3", want: "10.1.1.255 via vpce-s3"},
		{name: "after the last", peer: "10.1.2.0", endpoint: "vpce-s3", want: "refused: of no subnet of vpc-1"},
		{name: "before the first", peer: "10.0.255.255", endpoint: "vpce-s3", want: "refused: of no subnet"},
		{name: "another VPC's address", peer: "10.2.0.1", endpoint: "vpce-s3", want: "refused: of no subnet"},
		{name: "a public address", peer: "203.0.113.1", endpoint: "vpce-s3", want: "refused: of no subnet"},
		{name: "an undeclared endpoint", peer: "10.1.0.9", endpoint: "vpce-x", want: "refused: no VPC endpoint of this id"},
		{name: "an endpoint that leads elsewhere", peer: "10.1.0.9", endpoint: "vpce-s3", service: Portal, want: "refused: does not lead to the portal"},
		{name: "its service is the listener's", peer: "10.1.0.9", endpoint: "vpce-p", service: Portal, want: "10.1.0.9 via vpce-p"},
		{name: "and no other", peer: "10.1.0.9", endpoint: "vpce-p", service: API, want: "refused: does not lead to the api"},
		{name: "no peer", endpoint: "vpce-s3", want: "refused: not known"},

		{name: "a hop", peer: "172.16.0.1", header: xff("10.1.0.9"), want: "10.1.0.9 via vpce-s3"},
		{name: "a hop in mapped form", peer: "::ffff:172.16.0.1", header: xff("10.1.0.9"), want: "10.1.0.9 via vpce-s3"},
		{name: "a hop, forged further left", peer: "172.16.0.1", header: xff("10.1.0.1, 10.1.0.9"), want: "10.1.0.9 via vpce-s3"},
		{name: "a hop that says nothing", peer: "172.16.0.1", want: "refused: not known"},
		{name: "a hop with garbage", peer: "172.16.0.1", header: xff("10.1.0.9, x"), want: "refused: not known"},
		{name: "a hop with an address outside", peer: "172.16.0.1", header: xff("203.0.113.1"), want: "refused: of no subnet"},
		{name: "a hop behind a trusted proxy", peer: "10.0.0.1", header: xff("10.1.0.9, 172.16.0.1"), want: "10.1.0.9 via vpce-s3"},
		{name: "two hops of two endpoints", peer: "172.16.0.1", header: xff("10.1.0.9, 172.16.0.2"), want: "refused: more than one"},
		{name: "a hop of one endpoint at the listener of another", peer: "172.16.0.2", endpoint: "vpce-s3", header: xff("10.1.0.9"), want: "refused: more than one"},
		{name: "a hop of the listener's endpoint", peer: "172.16.0.1", endpoint: "vpce-s3", header: xff("10.1.0.9"), want: "10.1.0.9 via vpce-s3"},
		{name: "a stranger who names a hop", peer: "203.0.113.1", header: xff("10.1.0.9, 172.16.0.1"), want: "203.0.113.1"},
		{name: "a proxy in front of an endpoint's listener", peer: "10.0.0.1", endpoint: "vpce-s3", header: xff("10.1.0.9"), want: "10.1.0.9 via vpce-s3"},
		{name: "a stranger in the VPC with a header", peer: "10.1.0.9", endpoint: "vpce-s3", header: xff("10.1.0.1"), want: "10.1.0.9 via vpce-s3"},
		{name: "a VPC's address without its endpoint", peer: "10.1.0.9", want: "10.1.0.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Arrival{Endpoint: c.endpoint, Service: c.service}
			if c.peer != "" {
				a.Peer = netip.MustParseAddr(c.peer)
			}
			o, err := r.Establish(a, c.header)
			if reason, ok := strings.CutPrefix(c.want, "refused: "); ok {
				var refusal *Refusal
				if !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, reason) || refusal.Rule == "" || (o != Origin{}) {
					t.Errorf("got %v, %v", o, err)
				}
			} else if err != nil || o.String() != c.want || o.VPCE != "" && o.VPC != "vpc-1" {
				t.Errorf("got %v, %v", o, err)
			}
			if direct, ok := r.Direct(a); ok && (err != nil || direct != o) {
				t.Errorf("decided without headers: %v", direct)
			}
		})
	}
}

func TestNetworksRefuse(t *testing.T) {
	with := func(change func(*Spec)) Spec {
		s := office()
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		spec Spec
		want string
	}{
		{"a VPC without id", with(func(s *Spec) { s.VPCs[0].ID = "" }), "vpcs[0].id"},
		{"an id in capitals", with(func(s *Spec) { s.VPCs[0].ID = "vpc-A" }), "vpcs[0].id"},
		{"a VPC twice", with(func(s *Spec) { s.VPCs[1].ID = "vpc-1" }), "vpcs[1].id: vpc-1 is declared twice"},
		{"no subnets", with(func(s *Spec) { s.VPCs[0].Subnets = nil }), "vpcs[0].subnets"},
		{"a subnet without CIDRs", with(func(s *Spec) { s.VPCs[0].Subnets["subnet-a"] = nil }), "vpcs[0].subnets.subnet-a"},
		{"a subnet's id", with(func(s *Spec) { s.VPCs[0].Subnets["net-1"] = []string{"10.0.0.0/8"} }), "expected subnet-"},
		{"a CIDR that is none", with(func(s *Spec) { s.VPCs[0].Routed = []string{"10.0.0.0/33"} }), "vpcs[0].routed[0]"},
		{"a group's CIDR", with(func(s *Spec) { s.VPCs[0].SecurityGroups["sg-1"] = []string{"x"} }), "vpcs[0].security-groups.sg-1[0]"},
		{"an endpoint's id", with(func(s *Spec) { s.VPCs[0].Endpoints[0].ID = "s3" }), "vpcs[0].endpoints[0].id"},
		{"an endpoint twice", with(func(s *Spec) { s.VPCs[1].Endpoints[0].ID = "vpce-p" }), "vpcs[1].endpoints[0].id"},
		{"a service", with(func(s *Spec) { s.VPCs[0].Endpoints[0].Services = []string{"s3"} }), "expected api or portal"},
		{"an address for a service not listed", with(func(s *Spec) { s.VPCs[0].Endpoints[0].PortalAddr = "10.1.0.5:1" }), "not listed"},
		{"PROXY without a listener", with(func(s *Spec) { s.VPCs[0].Endpoints[0].ProxyProtocol = []string{"10.0.0.9"} }), "no listener of its own"},
		{"a hop of two endpoints", with(func(s *Spec) { s.VPCs[1].Endpoints[0].TrustedHops = []string{"172.16.0.0/24"} }), "hop of vpce-s3 already"},
		{"PROXY without peers", with(func(s *Spec) { s.ProxyProtocol = &ProxySpec{APIAddr: ":1"} }), "proxy-protocol.from"},
		{"PROXY without an address", with(func(s *Spec) { s.ProxyProtocol = &ProxySpec{From: []string{"10.0.0.9"}} }), "proxy-protocol: api-addr or portal-addr"},
	} {
		if _, err := NewNetworks(c.spec); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Whoever sits in a range that is trusted can claim any address, so it must
// not be where workers sit.
func TestTrustedRangesHoldNoSubnet(t *testing.T) {
	n, err := NewNetworks(office())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New([]string{"10.1.0.0/16"}, n); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "could claim any") {
		t.Errorf("got %v", err)
	}
	if _, err := New([]string{"10.1.0.5", "10.1.0.8/30"}, n); err != nil {
		t.Errorf("proxies within a subnet: %v", err)
	}
	spec := office()
	spec.VPCs[0].Endpoints[0].TrustedHops = []string{"10.1.0.0/24"}
	if n, err = NewNetworks(spec); err != nil {
		t.Fatal(err)
	}
	if _, err := New(nil, n); !fault.Is(err, fault.Invalid) {
		t.Errorf("a hop as wide as a subnet: %v", err)
	}
}
