package origin

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"fiducial/internal/fault"
)

// Spec is the networks setting as it is written.
type Spec struct {
	VPCs          []VPCSpec  `yaml:"vpcs" json:"vpcs,omitempty"`
	ProxyProtocol *ProxySpec `yaml:"proxy-protocol" json:"proxy-protocol,omitempty"`
}

// VPCSpec is one VPC.
type VPCSpec struct {
	ID             string              `yaml:"id" json:"id"`
	Subnets        map[string][]string `yaml:"subnets" json:"subnets"`                           // id: CIDRs
	Routed         []string            `yaml:"routed" json:"routed,omitempty"`                   // CIDRs that reach the VPC by peering, VPN or a leased line
	SecurityGroups map[string][]string `yaml:"security-groups" json:"security-groups,omitempty"` // id: CIDRs let in
	Endpoints      []EndpointSpec      `yaml:"endpoints" json:"endpoints,omitempty"`             //
}

// EndpointSpec is one VPC endpoint and how a request is known to have come
// through it. A PROXY protocol listener knows endpoints by their ids alone.
type EndpointSpec struct {
	ID            string   `yaml:"id" json:"id"`
	Services      []string `yaml:"services" json:"services,omitempty"`             // api, portal; default: those that have an address here, else both
	APIAddr       string   `yaml:"api-addr" json:"api-addr,omitempty"`             // listener of its own
	PortalAddr    string   `yaml:"portal-addr" json:"portal-addr,omitempty"`       // listener of its own
	ProxyProtocol []string `yaml:"proxy-protocol" json:"proxy-protocol,omitempty"` // peers that connect to these listeners, each connection with a PROXY header
	TrustedHops   []string `yaml:"trusted-hops" json:"trusted-hops,omitempty"`     // peers of the ordinary listeners whose requests came through the endpoint
}

// ProxySpec is a pair of listeners on which every connection begins with a
// PROXY protocol header.
type ProxySpec struct {
	APIAddr    string   `yaml:"api-addr" json:"api-addr,omitempty"`
	PortalAddr string   `yaml:"portal-addr" json:"portal-addr,omitempty"`
	From       []string `yaml:"from" json:"from"` // addresses or CIDRs of the load balancers; nobody else may connect
}

// Limits on the setting.
const (
	maxVPCs      = 64
	maxPerVPC    = 256 // subnets, groups, endpoints, of one VPC each
	maxCIDRs     = 256 // of one list
	describedIDs = 8   // ids named in an error
)

var idPatterns = map[string]*regexp.Regexp{
	"vpc": regexp.MustCompile(`^vpc-[0-9a-z]{1,28}$`), "subnet": regexp.MustCompile(`^subnet-[0-9a-z]{1,25}$`),
	"sg": regexp.MustCompile(`^sg-[0-9a-z]{1,29}$`), "vpce": regexp.MustCompile(`^vpce-[0-9a-z]{1,27}$`),
}

// NewNetworks checks a setting. Errors name the member and what was expected.
func NewNetworks(spec Spec) (*Networks, error) {
	n := &Networks{endpoints: map[string]*Endpoint{}}
	if len(spec.VPCs) > maxVPCs {
		return nil, invalid("vpcs", "at most %d are allowed", maxVPCs)
	}
	for i, v := range spec.VPCs {
		at := fmt.Sprintf("vpcs[%d]", i)
		vpc, err := newVPC(at, v)
		if err != nil {
			return nil, err
		}
		if _, ok := n.VPC(vpc.ID); ok {
			return nil, invalid(at+".id", "%s is declared twice", vpc.ID)
		}
		n.vpcs = append(n.vpcs, vpc)
		for j, e := range v.Endpoints {
			if err := n.addEndpoint(fmt.Sprintf("%s.endpoints[%d]", at, j), vpc, e); err != nil {
				return nil, err
			}
		}
	}
	if p := spec.ProxyProtocol; p != nil {
		from, err := prefixes("proxy-protocol.from", p.From)
		switch {
		case err != nil:
			return nil, err
		case p.APIAddr == "" && p.PortalAddr == "":
			return nil, invalid("proxy-protocol", "api-addr or portal-addr is missing")
		case len(from) == 0:
			return nil, invalid("proxy-protocol.from", "expected the addresses of the load balancers")
		}
		n.proxy = &Listeners{p.APIAddr, p.PortalAddr, from}
	}
	return n, nil
}

func newVPC(at string, spec VPCSpec) (v *VPC, err error) {
	v = &VPC{ID: spec.ID}
	switch {
	case !idPatterns["vpc"].MatchString(spec.ID):
		return nil, invalid(at+".id", "%q: expected vpc-…, of lower-case letters and digits", spec.ID)
	case len(spec.Subnets) == 0:
		return nil, invalid(at+".subnets", "expected at least one, such as subnet-1: [10.0.0.0/24]")
	case max(len(spec.Subnets), len(spec.SecurityGroups), len(spec.Endpoints)) > maxPerVPC:
		return nil, invalid(at, "at most %d subnets, security groups and endpoints are allowed", maxPerVPC)
	}
	if v.subnets, err = named(at+".subnets", "subnet", spec.Subnets); err != nil {
		return nil, err
	}
	if v.groups, err = named(at+".security-groups", "sg", spec.SecurityGroups); err != nil {
		return nil, err
	}
	v.routed, err = prefixes(at+".routed", spec.Routed)
	return v, err
}

// named reads CIDRs by id.
func named(at, kind string, in map[string][]string) (map[string][]netip.Prefix, error) {
	out := make(map[string][]netip.Prefix, len(in))
	for id, cidrs := range in {
		if !idPatterns[kind].MatchString(id) {
			return nil, invalid(at, "%q: expected %s-…, of lower-case letters and digits", id, kind)
		}
		list, err := prefixes(at+"."+id, cidrs)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, invalid(at+"."+id, "expected at least one CIDR")
		}
		out[id] = list
	}
	return out, nil
}

func (n *Networks) addEndpoint(at string, v *VPC, spec EndpointSpec) error {
	if !idPatterns["vpce"].MatchString(spec.ID) {
		return invalid(at+".id", "%q: expected vpce-…, of lower-case letters and digits", spec.ID)
	}
	if n.endpoints[spec.ID] != nil {
		return invalid(at+".id", "%s is declared twice", spec.ID)
	}
	e := &Endpoint{ID: spec.ID, VPC: v, own: Listeners{API: spec.APIAddr, Portal: spec.PortalAddr}}
	var err error
	if e.services, err = servicesOf(at, spec); err != nil {
		return err
	}
	if e.own.From, err = prefixes(at+".proxy-protocol", spec.ProxyProtocol); err != nil {
		return err
	}
	if len(e.own.From) > 0 && e.own.API == "" && e.own.Portal == "" {
		return invalid(at+".proxy-protocol", "the endpoint has no listener of its own (api-addr, portal-addr) that it could apply to")
	}
	hops, err := prefixes(at+".trusted-hops", spec.TrustedHops)
	if err != nil {
		return err
	}
	for _, p := range hops {
		for _, old := range n.hops {
			if old.prefix.Overlaps(p) {
				return invalid(at+".trusted-hops", "%s is a hop of %s already; a hop speaks for one endpoint", p, old.endpoint.ID)
			}
		}
	}
	for _, p := range hops {
		n.hops = append(n.hops, hopOf{p, e})
	}
	v.Endpoints = append(v.Endpoints, e)
	n.endpoints[e.ID] = e
	return nil
}

func servicesOf(at string, spec EndpointSpec) ([]Service, error) {
	var out []Service
	for _, s := range spec.Services {
		if s := Service(s); s != API && s != Portal {
			return nil, invalid(at+".services", "%q: expected api or portal", s)
		}
		out = append(out, Service(s))
	}
	for _, own := range []struct {
		addr    string
		service Service
	}{{spec.APIAddr, API}, {spec.PortalAddr, Portal}} {
		if own.addr == "" {
			continue
		}
		if len(spec.Services) > 0 && !slices.Contains(out, own.service) {
			return nil, invalid(at+".services", "%s has an address here (%s) but is not listed", own.service, own.addr)
		}
		if len(spec.Services) == 0 {
			out = append(out, own.service)
		}
	}
	if len(out) == 0 {
		out = []Service{API, Portal}
	}
	return out, nil
}

func prefixes(at string, list []string) ([]netip.Prefix, error) {
	if len(list) > maxCIDRs {
		return nil, invalid(at, "at most %d are allowed", maxCIDRs)
	}
	out := make([]netip.Prefix, 0, len(list))
	for i, s := range list {
		p, err := parsePrefix(s)
		if err != nil {
			return nil, invalid(fmt.Sprintf("%s[%d]", at, i), "%q: expected an IP address or a CIDR", s)
		}
		out = append(out, p)
	}
	return out, nil
}

func invalid(member, format string, args ...any) error {
	return &fault.Error{Op: "origin.NewNetworks", Kind: fault.Invalid, Field: "networks." + member,
		Message: "networks." + member + ": " + fmt.Sprintf(format, args...)}
}
