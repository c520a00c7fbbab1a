package origin

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Service is one of the two things that an endpoint leads to.
type Service string

// The services.
const (
	API    Service = "api"    // S3 and the other AWS-shaped APIs
	Portal Service = "portal" // the worker portal
)

// Networks are the declared VPCs. The zero value has none.
type Networks struct {
	vpcs      []*VPC
	endpoints map[string]*Endpoint
	hops      []hopOf
	proxy     *Listeners
}

// VPC is a declared network.
type VPC struct {
	ID        string
	Endpoints []*Endpoint

	subnets map[string][]netip.Prefix
	groups  map[string][]netip.Prefix
	routed  []netip.Prefix
}

// Endpoint is a declared VPC endpoint.
type Endpoint struct {
	ID       string
	VPC      *VPC
	services []Service
	own      Listeners
}

// Listeners are addresses to listen on, and whose PROXY headers are believed
// there. With From, every connection must come from one of them and begin with
// a header; without, the connection speaks for itself.
type Listeners struct {
	API, Portal string // host:port; "" for none
	From        []netip.Prefix
}

type hopOf struct {
	prefix   netip.Prefix
	endpoint *Endpoint
}

// VPC finds a declared VPC.
func (n *Networks) VPC(id string) (*VPC, bool) {
	for _, v := range n.vpcs {
		if v.ID == id {
			return v, true
		}
	}
	return nil, false
}

// VPCs names the declared VPCs in words, for errors.
func (n *Networks) VPCs() string {
	ids := make([]string, len(n.vpcs))
	for i, v := range n.vpcs {
		ids[i] = v.ID
	}
	return words(ids)
}

// Endpoint finds a declared endpoint.
func (n *Networks) Endpoint(id string) (*Endpoint, bool) {
	e, ok := n.endpoints[id]
	return e, ok
}

// Listen visits the listeners that the setting asks for: every endpoint's own,
// and those of load balancers (with an empty endpoint).
func (n *Networks) Listen(visit func(endpoint string, l Listeners) error) error {
	for _, v := range n.vpcs {
		for _, e := range v.Endpoints {
			if e.own.API == "" && e.own.Portal == "" {
				continue
			}
			if err := visit(e.ID, e.own); err != nil {
				return err
			}
		}
	}
	if n.proxy != nil {
		return visit("", *n.proxy)
	}
	return nil
}

// Subnets names the VPC's subnets in words, for errors.
func (v *VPC) Subnets() string { return words(keys(v.subnets)) }

// HasSubnet reports whether the VPC has the subnet.
func (v *VPC) HasSubnet(id string) bool { _, ok := v.subnets[id]; return ok }

// DualStack reports whether each of the subnets has IPv4 and IPv6.
func (v *VPC) DualStack(ids []string) bool {
	for _, id := range ids {
		four, six := false, false
		for _, p := range v.subnets[id] {
			four, six = four || p.Addr().Is4(), six || p.Addr().Is6()
		}
		if !four || !six {
			return false
		}
	}
	return true
}

// SecurityGroups names the VPC's security groups in words; "" if it declares none.
func (v *VPC) SecurityGroups() string {
	if len(v.groups) == 0 {
		return ""
	}
	return words(keys(v.groups))
}

// HasSecurityGroup reports whether the VPC has the group. A VPC that declares
// none has every one, and leaves filtering to the network.
func (v *VPC) HasSecurityGroup(id string) bool {
	_, ok := v.groups[id]
	return ok || len(v.groups) == 0
}

// GroupsAdmit reports whether one of the security groups lets the address in.
func (v *VPC) GroupsAdmit(ids []string, a netip.Addr) bool {
	if len(v.groups) == 0 {
		return true
	}
	for _, id := range ids {
		if within(v.groups[id], a) {
			return true
		}
	}
	return false
}

// Contains reports whether the address is of one of the VPC's subnets, or of a
// network that is routed to it.
func (v *VPC) Contains(a netip.Addr) bool {
	for _, list := range v.subnets {
		if within(list, a) {
			return true
		}
	}
	return within(v.routed, a)
}

// Portal is the VPC's endpoint for the worker portal: the first declared that
// leads there.
func (v *VPC) Portal() (*Endpoint, bool) {
	for _, e := range v.Endpoints {
		if e.Serves(Portal) {
			return e, true
		}
	}
	return nil, false
}

// Serves reports whether the endpoint leads to the service.
func (e *Endpoint) Serves(s Service) bool { return slices.Contains(e.services, s) }

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func keys(m map[string][]netip.Prefix) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func words(ids []string) string {
	switch {
	case len(ids) == 0:
		return "none"
	case len(ids) > describedIDs:
		return strings.Join(ids[:describedIDs], ", ") + fmt.Sprintf(" and %d more", len(ids)-describedIDs)
	}
	return strings.Join(ids, ", ")
}
