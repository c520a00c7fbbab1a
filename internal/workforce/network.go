package workforce

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fiducial/internal/fault"
	"fiducial/internal/origin"
)

// The statuses of a workforce. Failed is one whose VPC the networks setting no
// longer has.
const (
	Active       = "Active"
	Initializing = "Initializing"
	Updating     = "Updating"
	Failed       = "Failed"
)

// Settling is how long a change of the VPC or of the address type takes. The
// grants that rest on the old configuration end within a second on every
// replica; the portal answers by the new one after that and not before.
const Settling = time.Second

// The address types.
const (
	IPv4      = "ipv4"
	DualStack = "dualstack"
)

// VPC is WorkforceVpcConfig: a network in which the portal answers besides the
// public side.
type VPC struct {
	ID             string
	SecurityGroups []string
	Subnets        []string
	EndpointID     string `json:"-"` // of the portal in that VPC, by the networks setting
}

// empty reports whether nothing was asked for, which takes a VPC away.
func (v *VPC) empty() bool {
	return v == nil || v.ID == "" && len(v.SecurityGroups) == 0 && len(v.Subnets) == 0
}

// checkVPC refuses a workforce whose VPC is not as the networks setting has it.
// The words are the request's members, and what there is instead.
func (s *Service) checkVPC(op string, w *Workforce) error {
	v := w.VPC
	if v == nil {
		return nil
	}
	bad := func(member, format string, args ...any) error {
		f := fault.Newf(op, fault.Invalid, "WorkforceVpcConfig."+member+": "+format, args...)
		f.Field = "WorkforceVpcConfig." + member
		return f
	}
	vpc, ok := s.Networks.VPC(v.ID)
	switch {
	case v.ID == "":
		return bad("VpcId", "expected the VPC of the subnets and security groups; an empty WorkforceVpcConfig ({}) removes the VPC.")
	case !ok:
		return bad("VpcId", "this server knows no VPC %s; the networks setting has: %s.", v.ID, s.Networks.VPCs())
	case len(v.Subnets) == 0:
		return bad("Subnets", "expected at least one subnet of %s, which has: %s.", v.ID, vpc.Subnets())
	case len(v.SecurityGroups) == 0:
		return bad("SecurityGroupIds", "expected at least one security group.")
	}
	for i, id := range v.Subnets {
		if !vpc.HasSubnet(id) {
			return bad("Subnets", "%s (entry %d) is no subnet of %s, which has: %s.", id, i+1, v.ID, vpc.Subnets())
		}
	}
	for i, id := range v.SecurityGroups {
		if !vpc.HasSecurityGroup(id) {
			return bad("SecurityGroupIds", "%s (entry %d) is no security group of %s, which has: %s.", id, i+1, v.ID, vpc.SecurityGroups())
		}
	}
	if _, ok := vpc.Portal(); !ok {
		return bad("VpcId", "the networks setting has no endpoint in %s that leads to the portal.", v.ID)
	}
	if w.IPAddressType == DualStack && !vpc.DualStack(v.Subnets) {
		return fault.Newf(op, fault.Invalid, "IpAddressType: dualstack needs IPv4 and IPv6 in each of the subnets %s.", strings.Join(v.Subnets, ", "))
	}
	return nil
}

// settled is a workforce with what time and the networks setting make of it.
func (s *Service) settled(w Workforce) Workforce {
	if w.Status == "" {
		return w // none
	}
	if (w.Status == Initializing || w.Status == Updating) && !s.now().Before(w.SettlesAt) {
		w.Status = Active
	}
	if w.VPC == nil {
		return w
	}
	vpc := *w.VPC
	w.VPC = &vpc
	known, ok := s.Networks.VPC(vpc.ID)
	if ok {
		var e *origin.Endpoint
		if e, ok = known.Portal(); ok {
			vpc.EndpointID = e.ID
		}
	}
	if !ok && w.Status == Active {
		w.Status, w.FailureReason = Failed, "The networks setting of this server has no VPC "+vpc.ID+" with an endpoint for the portal any more."
	}
	return w
}

// Admits reports whether a worker may be at o, as far as the workforce says:
// where the portal is opened from, and where media are. In the workforce's VPC
// SourceIpConfig does not apply, and outside it does; an address of another VPC
// is never compared with it, since it may be anybody's.
//
// Without a workforce there is no restriction, and nobody who could sign in.
func (s *Service) Admits(ctx context.Context, o origin.Origin) (bool, error) {
	w, err := s.Store.LoadWorkforce(ctx)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return w.admits(o), nil
}

func (w *Workforce) admits(o origin.Origin) bool {
	switch {
	case w.VPC != nil && o.VPC == w.VPC.ID:
		return true
	case len(w.CIDRs) == 0:
		return true
	case !o.Known() || o.VPC != "" || o.VPCE != "":
		return false
	}
	return slices.ContainsFunc(w.CIDRs, func(c string) bool {
		p, err := parseCIDR(c)
		return err == nil && p.Contains(o.Addr)
	})
}

// Admission says whether the portal answers somebody.
type Admission struct {
	OK      bool
	Setting string // that decided
	Reason  string // in words that a worker may read; empty if admitted
}

// Admission decides whether the portal answers whoever comes from o, and says by
// which setting. It is Admits, and what holds for the portal alone: in a VPC it
// answers on the workforce's endpoint and to the workforce's security groups,
// and by IPv6 only with the address type dualstack. A loopback address is of
// this machine and of no network, and has no address type.
func (s *Service) Admission(ctx context.Context, o origin.Origin) (Admission, error) {
	w, err := s.Workforce(ctx)
	if fault.Is(err, fault.NotFound) {
		if o.VPCE != "" {
			return refuse("WorkforceVpcConfig", "There is no workforce that could use this portal through the VPC endpoint "+o.VPCE+"."), nil
		}
		return Admission{OK: true}, nil
	}
	switch {
	case err != nil:
		return Admission{}, err
	case w.IPAddressType == IPv4 && o.Known() && !o.Addr.Is4() && !o.Addr.IsLoopback():
		return refuse("IpAddressType", "The workforce uses this portal by IPv4 only (IpAddressType), and your address is "+o.Addr.String()+"."), nil
	case o.VPC != "" || o.VPCE != "":
		return s.throughVPC(&w, o), nil
	case w.admits(o):
		return Admission{OK: true, Setting: "SourceIpConfig"}, nil
	case !o.Known():
		return refuse("SourceIpConfig", "The workforce may come from certain addresses only (SourceIpConfig), and yours is not known."), nil
	}
	return refuse("SourceIpConfig", "Your address "+o.Addr.String()+" is not among those that the workforce may come from (SourceIpConfig)."), nil
}

func refuse(setting, reason string) Admission { return Admission{Setting: setting, Reason: reason} }

// throughVPC decides for whoever came through a VPC endpoint.
func (s *Service) throughVPC(w *Workforce, o origin.Origin) Admission {
	const setting = "WorkforceVpcConfig"
	switch {
	case w.VPC == nil:
		return refuse(setting, "The workforce has no WorkforceVpcConfig, so this portal is not open through the VPC endpoint "+o.VPCE+".")
	case w.VPC.ID != o.VPC || w.VPC.EndpointID != o.VPCE:
		return refuse(setting, "The WorkforceVpcConfig of the workforce opens this portal through another VPC endpoint than "+o.VPCE+".")
	case w.Status != Active:
		return refuse(setting, "The workforce is "+w.Status+". Try again in a moment.")
	}
	if vpc, ok := s.Networks.VPC(w.VPC.ID); !ok || !vpc.GroupsAdmit(w.VPC.SecurityGroups, o.Addr) {
		return refuse(setting, "The security groups of the workforce let nobody in from "+o.Addr.String()+".")
	}
	return Admission{OK: true, Setting: setting}
}

// parseCIDR reads a network. An IPv4-mapped one is that IPv4 network, as an
// IPv4-mapped address is that IPv4 address.
func parseCIDR(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, err
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}
